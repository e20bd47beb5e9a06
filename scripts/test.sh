#!/bin/sh
# test.sh PRESET [CTEST-ARGUMENT...]: run the tests of a build, ending with their count.
#
# ctest prints its count before the list of what failed; here it comes last, so
# that the end of a log says how the run went.
set -u
cd "$(dirname "$0")/.." || exit 1
preset=$1
shift
count=build/$preset/ctest-count.txt
rm -f "$count"

shared=${TINY_SHARED:-../shared}
[ -d "$shared/models" ] ||
  echo "tiny: no shared models in $shared: the tests that need them are skipped (see docs/Testing.md)"

ctest --test-dir "build/$preset" --output-on-failure --no-tests=error "$@" 2>&1 |
  while IFS= read -r line; do
    case $line in
    *"% tests passed, "*" failed out of "*) printf '%s\n' "$line" >"$count" ;;
    *) printf '%s\n' "$line" ;;
    esac
  done

if [ ! -s "$count" ]; then
  echo "tiny: the tests of '$preset' could not be run; ctest's reason is above." >&2
  exit 1
fi
cat "$count"
grep -q ' 0 tests failed ' "$count"
