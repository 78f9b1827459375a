#!/usr/bin/env bash
# Installs what tunefleet builds with, on Debian 12. Idempotent; returns at once when nothing is missing.
set -euo pipefail

usage() {
  cat <<'USAGE'
usage: deploy/install-deps.sh [--help]

Installs the compiler, the build tools and the libraries that tunefleet needs, with apt-get (as root, or through sudo).

Example:
  ./deploy/install-deps.sh
USAGE
}

case "${1:-}" in
  "") ;;
  -h | --help) usage; exit 0 ;;
  *) echo "install-deps.sh: unknown argument '$1' (try --help)" >&2; exit 2 ;;
esac

packages=(
  # tools
  g++ cmake ninja-build ccache git pkg-config binutils
  # fleet
  libgrpc++-dev libprotobuf-dev protobuf-compiler protobuf-compiler-grpc libabsl-dev libspdlog-dev libsqlite3-dev libssl-dev
  # code generation and cost model
  llvm-19-dev liblld-19-dev zlib1g-dev libzstd-dev libxgboost-dev
  # tests and benchmarks
  libgtest-dev libgmock-dev libbenchmark-dev libdnnl-dev libopenblas0-openmp libblis4-openmp ocl-icd-opencl-dev
)

missing=()
for package in "${packages[@]}"; do
  state=$(dpkg-query -W -f='${Status}' "$package" 2>/dev/null || true)
  [[ $state == "install ok installed" ]] || missing+=("$package")
done
if ((${#missing[@]} == 0)); then
  exit 0
fi

as_root=()
if ((EUID != 0)); then
  command -v sudo >/dev/null || { echo "install-deps.sh: run as root or install sudo; missing: ${missing[*]}" >&2; exit 2; }
  as_root=(sudo)
fi
echo "installing: ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
