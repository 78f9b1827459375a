#!/usr/bin/env bash
# Makes a relocatable archive of built programs and of every library that they need, the C library included.
set -euo pipefail

usage() {
  cat <<'USAGE'
usage: deploy/bundle.sh agent|tuner ARCHIVE [--preset=PRESET]

Packs programs of build/PRESET (default: release), stripped, into ARCHIVE (.tar, .tar.gz, .tar.zst):
  agent   tunefleet-device
  tuner   tunefleet, tunefleet-builder, tunefleet-tracker, and tunefleet-device for tuning without a fleet

The archive may be unpacked anywhere, in a machine or a container without any library:
  bin/NAME        starts programs/NAME with the loader and the libraries in lib/
  programs/NAME   the program itself; the agent's needs nothing but the C library and also runs without lib/

Examples:
  ./deploy/bundle.sh agent agent.tar.gz
  ./deploy/bundle.sh agent agent-arm64.tar.gz --preset=release-arm64
  ./deploy/bundle.sh agent agent-riscv64.tar.gz --preset=release-riscv64
USAGE
}

complain() { echo "bundle.sh: $1" >&2; exit 2; }

preset=release
words=()
for argument in "$@"; do
  case $argument in
    -h | --help) usage; exit 0 ;;
    --preset=*) preset=${argument#--preset=} ;;
    -*) complain "unknown option '$argument' (try --help)" ;;
    *) words+=("$argument") ;;
  esac
done
((${#words[@]} == 2)) || complain "expected what to pack and where to: agent|tuner ARCHIVE (try --help)"
case ${words[0]} in
  agent) programs=(tunefleet-device) ;;
  tuner) programs=(tunefleet tunefleet-builder tunefleet-tracker tunefleet-device) ;;
  *) complain "cannot pack '${words[0]}'; expected agent or tuner" ;;
esac
archive=$(realpath -m "${words[1]}")

cd "$(dirname "${BASH_SOURCE[0]}")/.."
build=build/$preset
[[ -r $build/CMakeCache.txt ]] || complain "$build is not configured; expected cmake --preset $preset before"
for program in "${programs[@]}" launcher; do
  [[ -x $build/bin/$program ]] || complain "$build/bin/$program is not built"
done
# A toolchain file's compiler is not in the cache.
compiler=$(sed -n 's/^set(CMAKE_CXX_COMPILER "\(.*\)")$/\1/p' "$build"/CMakeFiles/*/CMakeCXXCompiler.cmake)
command -v "$compiler" >/dev/null || complain "the compiler $compiler of $build is gone"
triple=$("$compiler" -dumpmachine)
sysroot=$(sed -n 's/^TUNEFLEET_SYSROOT:[A-Z]*=//p' "$build/CMakeCache.txt")
libraries_of=("$compiler")
if [[ -n $sysroot ]]; then libraries_of+=("--sysroot=$sysroot" "-B$sysroot/usr/lib/$triple"); fi
strip=strip
if command -v "$triple-strip" >/dev/null; then strip=$triple-strip; fi

name=tunefleet-${words[0]}-$triple
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
mkdir -p "$stage/$name/bin" "$stage/$name/lib" "$stage/$name/programs"

# The file of a library as the build's compiler finds it.
find_library() {
  local path
  path=$("${libraries_of[@]}" "-print-file-name=$1")
  [[ $path == */* ]] || complain "library $1 is not found"
  realpath "$path"
}

# Copies what a file needs, and what that needs in turn.
add_libraries() {
  local needed file
  for needed in $(readelf --dynamic --wide "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'); do
    [[ ! -e $stage/$name/lib/$needed ]] || continue
    file=$(find_library "$needed")
    cp "$file" "$stage/$name/lib/$needed"
    add_libraries "$file"
  done
}

for program in "${programs[@]}"; do
  "$strip" -o "$stage/$name/programs/$program" "$build/bin/$program"
  "$strip" -o "$stage/$name/bin/$program" "$build/bin/launcher"
  add_libraries "$build/bin/$program"
done
loader=$(readelf --program-headers --wide "$build/bin/${programs[0]}" | sed -n 's/.*interpreter: \(.*\)\]/\1/p')
loader=${loader##*/}
[[ -e $stage/$name/lib/$loader ]] || cp "$(find_library "$loader")" "$stage/$name/lib/$loader"
ln -s "$loader" "$stage/$name/lib/ld.so"

mkdir -p "$(dirname "$archive")"
tar --create --auto-compress --owner=0 --group=0 --file="$archive" --directory="$stage" "$name"
echo "$archive: $(stat -c %s "$archive") bytes, $(ls "$stage/$name/lib" | wc -l) libraries, programs ${programs[*]}"
