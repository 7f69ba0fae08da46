#!/usr/bin/env bash
# Installs what is missing and builds: packaging/build.sh [ninja targets…]
set -euo pipefail
cd "$(dirname "$0")/.."
packaging/install-dependencies.sh
packaging/install-libtorch.sh
cmake --preset dev >build-configure.log 2>&1 || { tail -n 30 build-configure.log >&2; rm -f build-configure.log; exit 1; }
rm -f build-configure.log
ninja -C build/dev -j 2 "$@"
