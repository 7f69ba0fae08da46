#!/usr/bin/env bash
# On a fresh Debian 12: installs what is needed, builds everything and runs the fast tests.
set -euo pipefail
cd "$(dirname "$0")/.."
started=$(date +%s)
packaging/build.sh
built=$(date +%s)
echo "Built in $((built - started)) s."
ctest --test-dir build/dev -L fast --output-on-failure -j 2 --timeout 600 "$@"
echo "Tests took $(($(date +%s) - built)) s."
