#!/usr/bin/env bash
# The browser tests need Chromium. Installs it where that takes no question (root, apt-get); elsewhere says what
# to do, and those tests skip.
set -euo pipefail

for browser in chromium chromium-browser google-chrome; do
    if command -v "$browser" >/dev/null; then exit 0; fi
done

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    if apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium >/dev/null; then exit 0; fi
    echo "Chromium could not be installed (see above): the browser tests will be skipped."
else
    echo "No Chromium found: the browser tests will be skipped. To run them, install it (apt-get install chromium)."
fi
