#!/usr/bin/env bash
# Fills a folder with another architecture's libraries, for cross builds of the device agent: packages are downloaded and
# unpacked, never installed, so that this machine's packages may be of other versions and dpkg hears of no architecture.
set -euo pipefail

usage() {
  cat <<'USAGE'
usage: deploy/make-sysroot.sh ARCH DIR

Makes DIR a sysroot with what the device agent for ARCH links against, from this machine's Debian mirror; 150 to 600 MB.
Returns at once when DIR already is one. Needs no root. Tests look for build/sysroot-ARCH.
  armhf     from Debian 12
  riscv64   from Debian 13, the first with riscv64; its protobuf and gRPC are of the same versions as Debian 12's. Its
            linker comes along: Debian 12's cannot read its objects

Examples:
  ./deploy/install-deps.sh --compiler=armhf && ./deploy/make-sysroot.sh armhf build/sysroot-armhf
  TUNEFLEET_SYSROOT=build/sysroot-armhf cmake --preset release-armhf && cmake --build --preset release-armhf
  qemu-arm -L build/sysroot-armhf build/release-armhf/bin/tunefleet-device --list
USAGE
}

complain() { echo "make-sysroot.sh: $1" >&2; exit "${2:-2}"; }

case "${1:-}" in
  -h | --help) usage; exit 0 ;;
esac
(($# == 2)) || complain "expected an architecture and a folder: armhf|riscv64 DIR (try --help)"
architecture=$1
sysroot=$(realpath -m "$2")
case $architecture in
  armhf) suite=bookworm gcc=12 triple=arm-linux-gnueabihf ;;
  riscv64) suite=trixie gcc=14 triple=riscv64-linux-gnu ;;
  *) complain "unknown architecture '$architecture'; expected armhf or riscv64" ;;
esac
packages=(libc6-dev "libstdc++-$gcc-dev" libgrpc++-dev libprotobuf-dev libabsl-dev libspdlog-dev libssl-dev zlib1g-dev
  libc-ares-dev libre2-dev libzstd-dev)
compiler_suite=bookworm  # of g++-TRIPLE

# Written last: a folder without it is incomplete.
mark=$sysroot/.tunefleet-sysroot
wanted="$architecture $suite ${packages[*]}"
if [[ -r $mark && $(<"$mark") == "$wanted" ]]; then
  exit 0
fi
if [[ -e $sysroot && ! -e $sysroot/.tunefleet-apt && ! -e $mark && -n $(ls -A "$sysroot") ]]; then
  complain "$sysroot is neither empty nor a sysroot of this script"
fi

keyring=/usr/share/keyrings/debian-archive-keyring.gpg
[[ -r $keyring ]] || complain "no $keyring; expected the package debian-archive-keyring"
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' 'Component: main' | head -n 1)
[[ -n $mirror ]] || complain "apt has no Debian mirror; expected one in /etc/apt and apt-get update"

# Downloads packages with all that they need, as an empty machine of that architecture would, and unpacks them in a folder.
unpack() {
  local architecture=$1 folder=$2 apt=$sysroot/.tunefleet-apt name package
  shift 2
  rm -rf "$apt"
  mkdir -p "$apt/lists/partial" "$apt/archives/partial" "$apt/parts"
  : >"$apt/status"
  echo "deb [arch=$architecture signed-by=$keyring] $mirror $suite main" >"$apt/sources.list"
  local options=(-qq -o "APT::Architecture=$architecture" -o "APT::Architectures::=$architecture" -o "Dir::State=$apt"
    -o "Dir::State::lists=$apt/lists" -o "Dir::State::status=$apt/status" -o "Dir::Cache=$apt"
    -o "Dir::Cache::archives=$apt/archives" -o "Dir::Etc::sourcelist=$apt/sources.list" -o "Dir::Etc::sourceparts=$apt/parts"
    -o Dir::Etc::preferencesparts=/dev/null -o Acquire::Languages=none -o Debug::NoLocking=1 -o APT::Sandbox::User=)
  apt-get "${options[@]}" update || complain "could not read the index of $suite for $architecture" 1
  apt-get "${options[@]}" install -y --download-only --no-install-recommends "$@" >/dev/null ||
    complain "could not download $* of $suite for $architecture" 1
  # One /usr for all: Debian 12's packages still have files in /lib, which must not replace the link there.
  for name in bin sbin lib lib64; do
    mkdir -p "$folder/usr/$name"
    [[ -e $folder/$name ]] || ln -s "usr/$name" "$folder/$name"
  done
  for package in "$apt"/archives/*.deb; do
    dpkg --fsys-tarfile "$package" | tar --extract --keep-directory-symlink --no-same-owner --directory="$folder" ||
      complain "could not unpack $package" 1
  done
}

unpack "$architecture" "$sysroot" "${packages[@]}"
# Links that name the root would lead out of the folder.
find "$sysroot/usr" -type l -lname '/*' | while read -r link; do
  ln -sfn --relative "$sysroot$(readlink "$link")" "$link"
done
if [[ $suite != "$compiler_suite" ]]; then
  # The linker here may be too old for the objects of a newer suite. That suite's linker runs with that suite's C library.
  tools=$sysroot/.tunefleet-tools
  unpack "$(dpkg --print-architecture)" "$tools" "binutils-$triple"
  program=usr/bin/$triple-ld.bfd
  loader=$(readelf --program-headers --wide "$tools/$program" | sed -n 's/.*interpreter: \(.*\)\]/\1/p')
  libraries=$(dirname "$(cd "$tools" && find usr/lib -name libc.so.6)")
  cat >"$tools/ld" <<LINKER
#!/bin/sh
tools=\$(dirname "\$0")
exec "\$tools$loader" --library-path "\$tools/$libraries" "\$tools/$program" "\$@"
LINKER
  chmod +x "$tools/ld"
fi
# What generates code runs here; gRPC's description for CMake expects it beside its libraries.
for program in /usr/bin/grpc_*_plugin; do
  [[ -x $program ]] || complain "no grpc_cpp_plugin in /usr/bin; expected deploy/install-deps.sh before"
  ln -sf "$program" "$sysroot/usr/bin/"
done
echo "$wanted" >"$mark"
rm -rf "$sysroot/.tunefleet-apt"
echo "$sysroot: $architecture, $suite, $(du -sm "$sysroot" | cut -f1) MB"
