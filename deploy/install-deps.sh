#!/usr/bin/env bash
# Installs what tunefleet builds with, on Debian 12. Idempotent; returns at once when nothing is missing.
set -euo pipefail

usage() {
  cat <<'USAGE'
usage: deploy/install-deps.sh [--cross=ARCH | --compiler=ARCH] [--help]

Installs the compiler, the build tools and the libraries that tunefleet needs, with apt-get (as root, or through sudo).
  --cross=ARCH      instead, what the device agent for another architecture needs: arm64 or armhf. Libraries of that
                    architecture are installed beside this machine's (multiarch); nothing is ever removed. With the cross
                    compiler comes an emulator that runs the agent here (qemu-user).
  --compiler=ARCH   instead, the cross compiler and the emulator alone, for arm64, armhf or riscv64: make-sysroot.sh fetches
                    the libraries

Examples:
  ./deploy/install-deps.sh
  ./deploy/install-deps.sh --cross=arm64 && cmake --preset release-arm64 && cmake --build --preset release-arm64
  ./deploy/install-deps.sh --compiler=riscv64 && ./deploy/make-sysroot.sh riscv64 build/sysroot-riscv64
USAGE
}

cross=     # the architecture whose libraries are installed
compiler=  # the architecture to compile for
case "${1:-}" in
  "") ;;
  --cross=arm64 | --cross=armhf) cross=${1#--cross=} compiler=$cross ;;
  --cross=riscv64) echo "install-deps.sh: Debian 12 has no riscv64; expected --compiler=riscv64 and make-sysroot.sh" >&2; exit 2 ;;
  --compiler=arm64 | --compiler=armhf | --compiler=riscv64) compiler=${1#--compiler=} ;;
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
case $compiler in
  arm64) packages=(g++-aarch64-linux-gnu qemu-user) ;;
  armhf) packages=(g++-arm-linux-gnueabihf qemu-user) ;;
  riscv64) packages=(g++-riscv64-linux-gnu qemu-user) ;;
esac
if [[ -n $cross ]]; then
  for library in libgrpc++-dev libprotobuf-dev libabsl-dev libspdlog-dev libssl-dev zlib1g-dev libc-ares-dev libre2-dev; do
    packages+=("$library:$cross")
  done
fi

missing=()
for package in "${packages[@]}"; do
  state=$(dpkg-query -W -f='${Status}\n' "$package" 2>/dev/null || true)
  [[ $state == *"install ok installed"* ]] || missing+=("$package")
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
added=no
if [[ -n $cross ]] && ! dpkg --print-foreign-architectures | grep -qx "$cross"; then
  "${as_root[@]}" dpkg --add-architecture "$cross"
  added=yes
fi
if ! { "${as_root[@]}" apt-get update -qq &&
       "${as_root[@]}" apt-get install -y -qq --no-install-recommends --no-remove "${missing[@]}" >/dev/null; }; then
  # An architecture that the mirror does not have would make every later update fail.
  if [[ $added == yes ]] && ! dpkg-query -W -f='${Architecture}\n' | grep -qx "$cross"; then
    "${as_root[@]}" dpkg --remove-architecture "$cross"
  fi
  echo "install-deps.sh: could not install ${missing[*]}" >&2
  exit 1
fi
