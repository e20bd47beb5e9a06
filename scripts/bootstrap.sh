#!/bin/sh
# Installs the Debian packages that building and testing Tiny needs.
#
# Run by every `make` target, so the common case (nothing is missing) is one
# dpkg-query and must stay under half a second. It needs nothing beyond what a
# bare Debian 12 has: no curl, no Python. Whatever stops it is said in one plain
# sentence; what apt and dpkg said is kept in build/bootstrap.log.
#
# Set TINY_SKIP_BOOTSTRAP=1 where the packages come from somewhere else.
set -u
LC_ALL=C
export LC_ALL

# In the order: build tools; LLVM and MLIR; ONNX; tests; HSA (its headers, and a
# program that our library of that name must run). g++ is not used as a compiler:
# it is the usual way to the libstdc++ that clang-22 compiles against. The -dev
# packages of zlib, zstd, curl, libedit and xml2 are what LLVM's own CMake package
# looks for.
packages="
  cmake ninja-build ccache g++ python3
  clang-22 lld-22 liblld-22-dev libclang-rt-22-dev clang-format-22
  llvm-22-dev llvm-22-tools libmlir-22-dev mlir-22-tools
  zlib1g-dev libzstd-dev libxml2-dev libedit-dev libcurl4-openssl-dev
  libonnx-dev libprotobuf-dev protobuf-compiler
  libgtest-dev
  libhsa-runtime-dev rocminfo"

die() {
  printf 'tiny: %s\n' "$*" >&2
  exit 1
}

[ "${TINY_SKIP_BOOTSTRAP:-0}" = 1 ] && exit 0

distribution=$(. /etc/os-release 2>/dev/null && echo "${ID:-?} ${VERSION_ID:-?}") || distribution="unknown"
if [ "$distribution" != "debian 12" ]; then
  die "this is not Debian 12 but '$distribution': install LLVM/MLIR 22.1 and the packages listed in" \
    "scripts/bootstrap.sh yourself, then run again with TINY_SKIP_BOOTSTRAP=1."
fi

missing=
installed=" $(dpkg-query -W -f '${db:Status-Status}:${Package} ' $packages 2>/dev/null)"
for package in $packages; do
  case "$installed" in
  *" installed:$package "*) ;;
  *) missing="$missing $package" ;;
  esac
done
[ -z "$missing" ] && exit 0

cd "$(dirname "$0")/.." || exit 1
mkdir -p build 2>/dev/null && printf '%s\n' "$missing" 2>/dev/null >build/bootstrap.log ||
  die "cannot write to '$PWD/build': the disk is full, or the folder belongs to somebody else."
log=$PWD/build/bootstrap.log

echo "tiny: installing packages:$missing"

# --- Who may install -------------------------------------------------------
if [ "$(id -u)" = 0 ]; then
  as_root="env"
elif ! command -v sudo >/dev/null; then
  die "packages are missing and can only be installed as root: run this as root, or install sudo."
elif sudo -n true 2>/dev/null; then
  as_root="sudo -n env"
elif [ -t 0 ] && sudo -v; then
  as_root="sudo env"
else
  die "packages are missing and sudo did not let '$(id -un)' install them: run this as root or as a user of sudo."
fi
settings="LC_ALL=C DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1"
apt_options="-o Acquire::Retries=2 -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0"
apt() {
  $as_root $settings apt-get $apt_options "$@" </dev/null
}

# Ends with the reason that the log shows, or with apt's own last error.
explain() {
  if grep -qiE 'No space left|not have enough free space' "$log"; then
    die "the disk is full: free some space and run this again."
  fi
  if grep -qE 'Could not get lock|Unable to (acquire|lock)' "$log"; then
    die "another package manager is running: wait until it is done and run this again."
  fi
  if grep -qiE 'Could not resolve|Temporary failure resolving|Could not connect|Unable to connect|Connection (timed out|failed|refused)|Network is unreachable' "$log"; then
    die "no network: the Debian archive cannot be reached, and packages are missing."
  fi
  die "$1: $(grep -E '^E: ' "$log" | tail -n 1) (all of it in build/bootstrap.log)."
}

# --- Can apt find them -----------------------------------------------------
unknown() {
  for package in $missing; do
    apt-cache show --no-all-versions "$package" >/dev/null 2>&1 || printf ' %s' "$package"
  done
}
updated=0
update() {
  echo "tiny: reading the package lists"
  updated=1
  apt update >>"$log" 2>&1 # a broken third-party source is no reason to stop: what is needed is checked next
}
[ -n "$(unknown)" ] && update
not_found=$(unknown)
if [ -n "$not_found" ]; then
  # apt-get update succeeds without a network; only its log tells.
  grep -qE '^(Err|E):' "$log" && explain "apt-get update failed"
  if ! apt-cache policy | grep -q 'bookworm-security'; then
    die "LLVM 22 comes from Debian's security suite, which is off here: add the line" \
      "'deb http://deb.debian.org/debian-security bookworm-security main' to /etc/apt/sources.list and run this again."
  fi
  die "the package lists do not know$not_found: check that main of bookworm and bookworm-security is in /etc/apt/sources.list."
fi

# --- Is there room ---------------------------------------------------------
# apt checks its download folder only, and dpkg stops half-way on a full disk.
plan=$(apt install --no-install-recommends --assume-no $missing 2>>"$log")
megabytes() { # megabytes SENTENCE-PATTERN: the last number with a unit in that sentence of the plan
  echo "$plan" | sed -n "s/,//g; s/$1.*/\1 \2/p" |
    awk '{ f["kB"] = 0.001; f["MB"] = 1; f["GB"] = 1000; n = $1 * f[$2] } END { printf "%d", n + 1 }'
}
download=$(megabytes '^Need to get \([0-9.]*\) \([kMG]*B\)')
unpacked=$(megabytes '^After this operation \([0-9.]*\) \([kMG]*B\) of additional')
need=$((download + unpacked + 100))
for folder in /usr /var/cache/apt/archives build; do
  [ $folder = build ] && need=10 # the log; the build itself is checked by build.sh
  free=$(df -Pm "$folder" | awk 'NR == 2 { print $4 }')
  if [ "$free" -lt "$need" ]; then
    die "the disk is too full: installing the missing packages needs $need MB in $folder, which has $free MB free."
  fi
done

# --- Install ---------------------------------------------------------------
echo "tiny: $download MB to download, $unpacked MB on the disk"
# Reads apt's status lines and prints one per 10 %.
progress() {
  step=
  while IFS= read -r line; do
    case "$line" in
    dlstatus:*) word=downloading ;;
    pmstatus:*) word=installing ;;
    *) continue ;;
    esac
    percent=${line#*:*:}
    percent=${percent%%[.:]*}
    if [ "$step" != "$word$((percent / 10))" ]; then
      step="$word$((percent / 10))"
      echo "tiny: $word ${percent} %"
    fi
  done
}
# The status lines need a descriptor of their own (apt makes it non-blocking, which
# breaks packages that print to it), opened behind sudo, which closes all but three.
install() {
  rm -f build/.bootstrap-failed
  {
    $as_root $settings sh -c 'log=$1; shift; exec apt-get "$@" 3>&1 >>"$log" 2>&1' sh "$log" \
      $apt_options -o APT::Status-Fd=3 -o APT::Keep-Downloaded-Packages=false \
      install -y --no-install-recommends $missing </dev/null || : >build/.bootstrap-failed
  } | progress
  [ ! -e build/.bootstrap-failed ]
}
if ! install; then
  # The usual reason is a list that is older than the archive.
  rm -f build/.bootstrap-failed
  [ $updated = 1 ] && explain "apt-get install failed"
  update
  install || { rm -f build/.bootstrap-failed; explain "apt-get install failed"; }
fi
echo "tiny: all packages are there"
