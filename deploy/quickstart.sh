#!/usr/bin/env bash
# From a fresh clone to a tuned kernel: installs, builds, tunes one convolution on this machine, prints the result.
set -euo pipefail

usage() {
  cat <<'USAGE'
usage: deploy/quickstart.sh [WORKLOAD [TRIALS]]

Installs the dependencies, builds the release preset, tunes WORKLOAD (default resnet18.C6) with TRIALS trials (default 128)
on this machine's own processor and prints the best schedule. Records go to quickstart.db; run it again to continue.

Examples:
  ./deploy/quickstart.sh
  ./deploy/quickstart.sh resnet18.C2 256
USAGE
}

case "${1:-}" in
  -h | --help) usage; exit 0 ;;
  -*) echo "quickstart.sh: unknown argument '$1' (try --help)" >&2; exit 2 ;;
esac
workload=${1:-resnet18.C6}
trials=${2:-128}

cd "$(dirname "${BASH_SOURCE[0]}")/.."
./deploy/install-deps.sh
cmake --preset release >/dev/null
cmake --build --preset release --target tunefleet tunefleet-builder tunefleet-device tunefleet-tracker
bin=build/release/bin
"$bin/tunefleet" tune --workload="$workload" --trials="$trials" --records=quickstart.db
"$bin/tunefleet" best --workload="$workload" --records=quickstart.db
