#!/bin/sh
# build.sh PRESET [TARGET...]: install what is missing, configure, build.
#
# Repeating it costs one package query and one ninja that finds nothing to do.
# Configure output goes to a log; it is shown only when it explains a failure.
set -u
cd "$(dirname "$0")/.." || exit 1
preset=$1
shift
build=build/$preset

die() {
  printf 'tiny: %s\n' "$*" >&2
  exit 1
}

scripts/bootstrap.sh || exit 1

# A full build folder takes 39 MB (release) or 172 MB (asan), measured with du; ccache and the tests'
# scratch files want about as much again. In MB, with room to grow.
case $preset in
asan) room=600 ;;
*) room=300 ;;
esac
# A build folder that exists has most of its files already.
[ -e "$build/build.ninja" ] && room=100
mkdir -p "$build" 2>/dev/null ||
  die "cannot write to '$PWD/$build': the disk is full, or the folder belongs to somebody else."
free=$(df -Pm "$build" | awk 'NR == 2 { print $4 }')
[ "$free" -ge "$room" ] ||
  die "the disk is too full: building '$preset' needs $room MB, and $PWD has $free MB free."

# ninja reconfigures by itself when a CMake file changes, but not for the presets.
if [ ! -e "$build/build.ninja" ] || [ CMakePresets.json -nt "$build/.configured" ]; then
  echo "tiny: configuring '$preset'"
  if ! cmake --preset "$preset" >"$build/configure.log" 2>&1; then
    rm -f "$build/build.ninja"
    tail -n 30 "$build/configure.log" >&2
    die "CMake could not configure '$preset' (all of its output is in $build/configure.log)."
  fi
  : >"$build/.configured"
fi

# A compiler that reads MLIR headers takes up to 1.5 GB: few jobs on a small machine.
jobs=$(nproc)
by_memory=$(awk '/^MemAvailable/ { printf "%d", $2 / 1500000 }' /proc/meminfo 2>/dev/null)
[ "${by_memory:-0}" -ge 1 ] && [ "$by_memory" -lt "$jobs" ] && jobs=$by_memory

export NINJA_STATUS='[%f/%t %es] '
ninja -C "$build" -j "$jobs" "$@" ||
  die "the build of '$preset' failed; the first error is above."
