#!/usr/bin/env bash
# Compiles the device agent's sources with another compiler, without linking: whether they hold for an architecture whose
# libraries are not at hand.
set -euo pipefail

usage() {
  cat <<'USAGE'
usage: deploy/check-cross.sh COMPILER [OPTION ...]

Compiles proto/, common/ and device_server/ with COMPILER and its options, to nothing. Headers of gRPC, protobuf, Abseil,
spdlog, fmt and OpenSSL are this machine's: they do not depend on the architecture. Needs the generated messages of a
release build (cmake --preset release && cmake --build --preset release --target tunefleet_fleet_grpc).

Examples:
  ./deploy/check-cross.sh riscv64-linux-gnu-g++
  ./deploy/check-cross.sh arm-linux-gnueabihf-g++
  ./deploy/check-cross.sh $NDK/toolchains/llvm/prebuilt/linux-x86_64/bin/aarch64-linux-android28-clang++
USAGE
}

case "${1:-}" in
  "" | -h | --help) usage; exit 0 ;;
esac
compiler=("$@")
command -v "$1" >/dev/null || { echo "check-cross.sh: no compiler $1" >&2; exit 2; }

cd "$(dirname "${BASH_SOURCE[0]}")/.."
build=build/release
[[ -r $build/proto/fleet.grpc.pb.h ]] || { echo "check-cross.sh: no generated messages in $build" >&2; exit 2; }

# The headers of libraries alone, so that those of this machine's C library stay out.
headers=$(mktemp -d)
trap 'rm -rf "$headers"' EXIT
for name in absl google grpc grpc++ grpcpp grpc_security_constants.h spdlog fmt openssl; do
  [[ ! -e /usr/include/$name ]] || ln -s "/usr/include/$name" "$headers/$name"
done
mkdir "$headers/machine"
machine=$(find /usr/include -path '*-linux-gnu/openssl' -print -quit)
[[ -z $machine ]] || ln -s "$machine" "$headers/machine/openssl"

failed=0
count=0
for source in common/*.cc $(find device_server -name '*.cc' | sort) $(find "$build/proto" -name '*.cc' | sort); do
  if ! "${compiler[@]}" -std=c++20 -O1 -fsyntax-only -w -I. "-I$build" -isystem "$headers" -isystem "$headers/machine" \
    -DSPDLOG_FMT_EXTERNAL -DFMT_HEADER_ONLY -DTUNEFLEET_VERSION='"check"' \
    -DTUNEFLEET_BUILTIN_KERNEL='"/dev/null"' "$source"; then
    echo "FAILED $source" >&2
    failed=$((failed + 1))
  fi
  count=$((count + 1))
done
echo "$1: $count files, $failed failed"
((failed == 0))
