#!/usr/bin/env bash
# Installs, builds and runs every test.
set -euo pipefail

usage() {
  cat <<'USAGE'
usage: tests/run.sh [--sanitizers] [CTEST-ARGUMENT ...]

Installs the dependencies, builds the release preset and the agent for AArch64, and runs all tests with ctest; other
arguments go to ctest.
  --sanitizers   afterwards run the unit tests under ASan + UBSan and the concurrent ones under TSan as well

Examples:
  ./tests/run.sh
  ./tests/run.sh -R tracker
  ./tests/run.sh --sanitizers
USAGE
}

sanitizers=no
case "${1:-}" in
  -h | --help) usage; exit 0 ;;
  --sanitizers) sanitizers=yes; shift ;;
esac

cd "$(dirname "${BASH_SOURCE[0]}")/.."
./deploy/install-deps.sh

# One test at a time: the tests that measure or that count processes want the machine to themselves.
run_preset() {  # preset, target, ctest arguments
  local preset=$1 target=$2
  shift 2
  cmake --preset "$preset" >/dev/null
  cmake --build --preset "$preset" --target "$target"
  (cd "build/$preset" && ctest --output-on-failure "$@")
}

# The emulated device of the integration tests; without it they say that they are skipped.
if ./deploy/install-deps.sh --cross=arm64; then
  cmake --preset release-arm64 >/dev/null
  cmake --build --preset release-arm64
else
  echo "run.sh: no cross compiler for AArch64, going on without" >&2
fi

run_preset release all "$@"
if [[ $sanitizers == yes ]]; then
  run_preset asan tests_unit -L unit "$@"
  run_preset tsan tests_tsan -L tsan "$@"
fi
