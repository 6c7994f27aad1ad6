#!/usr/bin/env bash
# The page of live/ is built and tested with Node. Installs it where that takes no question (root, apt-get), and the
# packages of live/package-lock.json; elsewhere says what to do, and those tests skip.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../live"

if ! command -v npm >/dev/null && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq nodejs npm >/dev/null || true
fi
if ! command -v npm >/dev/null; then
    echo "No Node found: the tests of the page are skipped. To run them, install Node 20 or newer (apt-get install npm)."
    exit 0
fi
if [ ! node_modules -nt package-lock.json ]; then
    npm ci --ignore-scripts --no-audit --no-fund --silent && touch node_modules ||
        echo "The packages of live/ could not be installed (see above): the tests of the page are skipped."
fi
