#!/usr/bin/env bash
# The toolchain file for Android, without the NDK: what it says when the NDK or the libraries are not where it is told, and
# that it hands the right settings to the NDK's own file. That one is a stand-in here, which compiles for this machine.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

fail() { echo "FAILED: $1" >&2; exit 1; }

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
unset ANDROID_NDK_HOME ANDROID_NDK_ROOT TUNEFLEET_ANDROID_NDK TUNEFLEET_ANDROID_PREFIX

configure() {  # settings; prints what cmake prints, on one line
  cmake -S . -B "$folder/build" -G Ninja -DCMAKE_TOOLCHAIN_FILE=cmake/toolchains/android-arm64.cmake \
    -DTUNEFLEET_BUILD_TUNER=OFF -DTUNEFLEET_BUILD_TRACKER=OFF -DTUNEFLEET_BUILD_TESTS=OFF "$@" 2>&1 | tr -s '\n ' ' '
}
refused() {  # message, settings
  local message=$1 words
  shift
  if words=$(configure "$@"); then fail "configured with '$*': $words"; fi
  [[ $words == *"$message"* ]] || fail "expected '$message' of '$*' in: $words"
}

refused "TUNEFLEET_ANDROID_NDK='' holds no NDK; expected build/cmake/android.toolchain.cmake in it"
refused "TUNEFLEET_ANDROID_NDK='$folder/nowhere' holds no NDK" "-DTUNEFLEET_ANDROID_NDK=$folder/nowhere"
rm -rf "$folder/build"  # what the command line says is kept, what the environment says is not before it is right
ANDROID_NDK_HOME=$folder/elsewhere refused "TUNEFLEET_ANDROID_NDK='$folder/elsewhere' holds no NDK"

ndk=$folder/ndk
mkdir -p "$ndk/build/cmake"
cat >"$ndk/build/cmake/android.toolchain.cmake" <<'CMAKE'
message(STATUS "stand-in: ${ANDROID_ABI} ${ANDROID_PLATFORM} ${ANDROID_STL}")
CMAKE
refused "TUNEFLEET_ANDROID_PREFIX='' holds no libraries for Android" "-DTUNEFLEET_ANDROID_NDK=$ndk"
rm -rf "$folder/build"
ANDROID_NDK_ROOT=$ndk TUNEFLEET_ANDROID_PREFIX=$folder/empty \
  refused "TUNEFLEET_ANDROID_PREFIX='$folder/empty' holds no libraries for Android"

mkdir -p "$folder/prefix/lib"
ln -s /usr/include "$folder/prefix/include"
ln -s "$(dirname "$(find /usr/lib -name re2.pc -print -quit)")" "$folder/prefix/lib/pkgconfig"
words=$(ANDROID_NDK_HOME=$ndk TUNEFLEET_ANDROID_PREFIX=$folder/prefix configure) || fail "not configured: $words"
[[ $words == *"stand-in: arm64-v8a android-30 c++_static"* ]] || fail "other settings for the NDK: $words"
# Later runs of cmake, of another shell, know the folders.
cmake "$folder/build" >/dev/null || fail "not configured again without the environment"
echo "passed"
