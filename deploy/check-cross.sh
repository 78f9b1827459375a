#!/usr/bin/env bash
# Compiles the device agent's sources with another compiler, without linking: whether they hold for an architecture or a C
# library whose other libraries are not at hand.
set -euo pipefail

usage() {
  cat <<'USAGE'
usage: deploy/check-cross.sh COMPILER [OPTION ...]

Compiles proto/, common/ and device_server/ with COMPILER and its options, to nothing; warnings are errors, as in a build.
Headers of gRPC, protobuf, Abseil, spdlog, fmt and OpenSSL are this machine's: they do not depend on the architecture.

Examples:
  ./deploy/check-cross.sh riscv64-linux-gnu-g++
  ./deploy/check-cross.sh arm-linux-gnueabihf-g++
  ./deploy/check-cross.sh $NDK/toolchains/llvm/prebuilt/linux-x86_64/bin/aarch64-linux-android30-clang++
  ./deploy/check-cross.sh clang++-19 --target=aarch64-linux-android30 --sysroot=DIR -stdlib=libc++   # DIR: laid out as the NDK's
USAGE
}

case "${1:-}" in
  "" | -h | --help) usage; exit 0 ;;
esac
for program in "$1" protoc grpc_cpp_plugin; do
  command -v "$program" >/dev/null || { echo "check-cross.sh: no program $program" >&2; exit 2; }
done

cd "$(dirname "${BASH_SOURCE[0]}")/.."
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir -p "$scratch"/{generated,headers/machine,failed}
protoc --proto_path=. "--cpp_out=$scratch/generated" proto/*.proto
protoc --proto_path=. "--grpc_out=$scratch/generated" "--plugin=protoc-gen-grpc=$(command -v grpc_cpp_plugin)" proto/fleet.proto

# The headers of libraries alone, so that those of this machine's C library stay out.
for name in absl google grpc grpc++ grpcpp grpc_security_constants.h spdlog fmt openssl; do
  [[ ! -e /usr/include/$name ]] || ln -s "/usr/include/$name" "$scratch/headers/$name"
done
machine=$(find /usr/include -path '*-linux-gnu/openssl' -print -quit)
[[ -z $machine ]] || ln -s "$machine" "$scratch/headers/machine/openssl"

# check SOURCE: leaves a file in `failed` where it does not compile.
check() {
  local source=$1 options=(-std=c++20 -Wall -Wextra -Werror -Wno-missing-field-initializers)
  case $source in
    *.c) options=(-x c -Wall -Wextra -Werror) ;;
    "$scratch"/*) options=(-std=c++20 -w) ;;
  esac
  "${compiler[@]}" -Wno-unused-command-line-argument -O1 -fsyntax-only "${options[@]}" -I. "-I$scratch/generated" -isystem "$scratch/headers" \
    -isystem "$scratch/headers/machine" -DSPDLOG_FMT_EXTERNAL -DFMT_HEADER_ONLY -DTUNEFLEET_VERSION='"check"' \
    -DTUNEFLEET_BUILTIN_KERNEL='"/dev/null"' "$source" && return
  echo "FAILED $source" >&2
  mktemp "$scratch/failed/XXXXXX" >/dev/null
}
export scratch
export -f check

# xargs starts shells, which know arrays by their text alone.
compiler=("$@")
sources=(common/*.cc $(find device_server -name '*.cc' -o -name '*.c' | sort) "$scratch"/generated/proto/*.cc)
printf '%s\0' "${sources[@]}" |
  xargs -0 -n 1 -P "$(nproc)" bash -c "$(declare -p compiler)"'; check "$1"' check
failed=$(find "$scratch/failed" -type f | wc -l)
echo "$1: ${#sources[@]} files, $failed failed"
((failed == 0))
