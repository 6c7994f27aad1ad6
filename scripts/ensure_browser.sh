#!/usr/bin/env bash
# The browser tests need Chromium, and one of them Firefox. Installs them where that takes no question (root, apt-get);
# elsewhere says what to do, and those tests skip.
set -euo pipefail

ensure() { # a package of Debian, and the names that the browser may have
    local package=$1
    for browser in "$@"; do
        if command -v "$browser" >/dev/null; then return; fi
    done
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        if apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$package" >/dev/null; then return; fi
        echo "$package could not be installed (see above): its tests will be skipped."
    else
        echo "No $package found: its tests will be skipped. To run them, install it (apt-get install $package)."
    fi
}

ensure chromium chromium-browser google-chrome
ensure firefox-esr firefox
