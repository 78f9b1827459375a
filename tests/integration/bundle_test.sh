#!/usr/bin/env bash
# Bundles, unpacked in an empty root (kernel file systems aside), run there: the agent lists its device, the tuner tunes.
#
#   bundle_test.sh PRESET     exit status 77: skipped, the reason is printed
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
preset=$1

fail() { echo "FAILED: $1" >&2; exit 1; }

isolated=(unshare --mount --pid --fork --kill-child)
if ! "${isolated[@]}" true 2>/dev/null; then
  isolated=(unshare --user --map-root-user --mount --pid --fork --kill-child)
  if ! "${isolated[@]}" true 2>/dev/null; then
    echo "skipped: neither root nor user namespaces, so no empty root can be entered"
    exit 77
  fi
fi

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# Unpacks a bundle somewhere in an empty root and runs a program of it there.
unpack() {  # what, root
  ./deploy/bundle.sh "$1" "$folder/$1.tar" --preset="$preset"
  mkdir -p "$2/moved/here" "$2/proc" "$2/dev" "$2/tmp"
  tar --extract --file="$folder/$1.tar" --directory="$2/moved/here" --strip-components=1
}
inside() {  # root, program, arguments
  local root=$1
  shift
  "${isolated[@]}" bash -c '
    set -e
    mount --rbind /dev "$0/dev"
    mount -t proc proc "$0/proc"
    exec env --ignore-environment PATH="$PATH" chroot "$0" "$@"' "$root" "$@"
}

unpack agent "$folder/agent"
list=$(inside "$folder/agent" /moved/here/bin/tunefleet-device --list) || fail "the agent does not run"
grep -q "^class " <<<"$list" || fail "the agent lists no device: $list"

unpack tuner "$folder/tuner"
report=$(inside "$folder/tuner" /moved/here/bin/tunefleet tune --records=/tmp/conv.db --trials=4 --strategy=random --json \
  '--op=conv2d(n=1,h=9,w=9,ci=8,co=16,k=3,s=1,p=1)') || fail "the tuner does not run: $report"
grep -q '"status":"ok"' <<<"$report" || fail "the tuner found no kernel: $report"
inside "$folder/tuner" /moved/here/bin/tunefleet build --records=/tmp/conv.db -o /tmp/conv.so >/dev/null ||
  fail "the tuner builds no kernel"
inside "$folder/tuner" /moved/here/bin/tunefleet-tracker --help >/dev/null || fail "the tracker does not run"
rm "$folder/agent/moved/here/lib/libc.so.6"
if inside "$folder/agent" /moved/here/bin/tunefleet-device --version >/dev/null 2>&1; then
  fail "a library of the machine was used"
fi
echo "passed"
