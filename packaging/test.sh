#!/usr/bin/env bash
# On a fresh Debian 12: installs what is needed, builds everything, runs the fast tests and a minute of each fuzz target
# (two at a time; ESPALIER_FUZZ_SECS=0 leaves them out).
set -euo pipefail
cd "$(dirname "$0")/.."
started=$(date +%s)
packaging/build.sh
built=$(date +%s)
echo "Built in $((built - started)) s."
ctest --test-dir build/dev -L fast --output-on-failure -j 2 --timeout 600 "$@"
echo "Tests took $(($(date +%s) - built)) s."
fuzz_secs=${ESPALIER_FUZZ_SECS:-60}
if [ "$fuzz_secs" -gt 0 ]; then
  fuzzed=$(date +%s)
  cmake -S . -B build/dev -DESPALIER_FUZZ=ON -DESPALIER_FUZZ_SECS="$fuzz_secs" >build-configure.log 2>&1 || { tail -n 30 build-configure.log >&2; rm -f build-configure.log; exit 1; }
  rm -f build-configure.log
  ninja -C build/dev -j 2 fuzz
  ctest --test-dir build/dev -L fuzz --output-on-failure -j 2
  echo "Fuzzing took $(($(date +%s) - fuzzed)) s."
fi
