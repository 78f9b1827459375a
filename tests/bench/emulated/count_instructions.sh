#!/usr/bin/env bash
# Instructions that AArch64 kernels take, counted under qemu: a proxy for speed where there is no board.
set -euo pipefail

usage() {
  cat <<'USAGE'
usage: tests/bench/emulated/count_instructions.sh [DUMP-FOLDER]

Counts the instructions of one run of a 3x3 convolution (14 x 14, 64 to 64 channels, padding 1): the kernels that
neon_code_test chose by their inner loops, and XNNPACK's, of fp32 and of int8. A run is the difference between two runs
and one. Needs neon_code_test of the release preset, qemu-aarch64, aarch64-linux-gnu-gcc, libxnnpack-dev:arm64 and
libpthreadpool-dev:arm64. With DUMP-FOLDER the kernels are taken from there (conv2d.so, conv2d.buffers, int8_conv2d.so,
...) and neon_code_test is not run.
USAGE
}

case "${1:-}" in
  -h | --help) usage; exit 0 ;;
esac
cd "$(dirname "${BASH_SOURCE[0]}")/../../.."
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
dump=${1:-$folder}
if [[ -z ${1:-} ]]; then
  TUNEFLEET_NEON_DUMP=$dump ./build/release/tests/neon_code_test --gtest_filter='*conv2d' >/dev/null
fi
aarch64-linux-gnu-gcc -O1 -I. tests/bench/emulated/run_kernel.c -o "$folder/run_kernel" -ldl
aarch64-linux-gnu-gcc -O1 tests/bench/emulated/run_xnnpack.c -o "$folder/run_xnnpack" -lXNNPACK -lpthreadpool -lm

# "total multiply-adds loads" of a whole process on a cpu. Each instruction is a block of its own; qemu names it when it translates
# it and its address whenever it runs; sdot, which it does not know by name, goes by its encoding.
count() {
  local cpu=$1
  shift
  mkfifo "$folder/log"
  qemu-aarch64 -cpu "$cpu" -singlestep -d exec,nochain,in_asm -D "$folder/log" "$@" >/dev/null &
  awk '/^0x/ { address = substr($1, 3); sub(/:$/, "", address)
               while (length(address) < 16) address = "0" address
               is_sdot = $2 ~ /^4e[89].9[4-7]/ || $2 ~ /^4f[89ab].e[0-389ab]/
               name[address] = is_sdot ? "sdot" : $3; next }
       /^Trace/ { split($0, part, "/"); ++total; ++ran[name[part[2]]] }
       END { for (i in ran) { if (i ~ /^ld/) loads += ran[i]; if (i ~ /^(fm(la|ls|add|sub)|sdot)$/) multiply_adds += ran[i] }
             print total, multiply_adds + 0, loads + 0 }' "$folder/log"
  wait $!
  rm "$folder/log"
}

flops=$((2 * 14 * 14 * 64 * 64 * 9))
report() {  # name, cpu, program, arguments after the number of runs
  local name=$1 cpu=$2 program=$3 once twice
  shift 3
  once=$(count "$cpu" "$program" 1 "$@")
  twice=$(count "$cpu" "$program" 2 "$@")
  awk -v name="$name" -v flops="$flops" -v once="$once" -v twice="$twice" 'BEGIN {
    split(once, a); split(twice, b)
    total = b[1] - a[1]; fma = b[2] - a[2]
    printf "%-14s %9d instructions, %.4f a flop, %.1f%% multiply-adds, %d loads\n", name, total, total / flops,
           100 * fma / total, b[3] - a[3] }'
}

read -ra buffers <"$dump/conv2d.buffers"
report tunefleet cortex-a53 "$folder/run_kernel" "$dump/conv2d.so" "${buffers[@]}"
read -ra buffers <"$dump/int8_conv2d.buffers"
report "tunefleet int8" max "$folder/run_kernel" "$dump/int8_conv2d.so" "${buffers[@]}"
report XNNPACK cortex-a53 "$folder/run_xnnpack" f32 14 64 64
report "XNNPACK qs8" max "$folder/run_xnnpack" qs8 14 64 64
