#!/bin/sh
# format.sh [--check]: clang-format over the C++ files; --check changes nothing and fails if it would.
# Also looks for what clang-format does not see: missing final newlines and
# white space at line ends, in every text file that git knows.
set -u
cd "$(dirname "$0")/.." || exit 1
mode=${1:-}
git rev-parse --git-dir >/dev/null 2>&1 || {
  echo "tiny: this is no git clone, so there is no list of files to look at." >&2
  exit 77 # ctest: skipped
}
format=$(command -v clang-format-22) || {
  echo "tiny: clang-format-22 is missing: run 'make check' once, or install it." >&2
  exit 1
}

sources=$(git ls-files --cached --others --exclude-standard '*.cpp' '*.h')
status=0
if [ -n "$sources" ]; then
  if [ "$mode" = --check ]; then
    differing=$("$format" --dry-run --Werror $sources 2>&1 | sed -n 's/:[0-9]*:[0-9]*: error: .*//p' | sort -u)
    if [ -n "$differing" ]; then
      printf '%s: not as clang-format writes it\n' $differing >&2
      status=1
    fi
  else
    "$format" -i $sources
  fi
fi

# Generated pages are as their generator writes them; test inputs may be broken on purpose.
for file in $(git grep -I --untracked -lE ' +$' -- ':!docs/generated' ':!test' ':!LICENSE'); do
  echo "$file: white space at a line end" >&2
  status=1
done
for file in $(git grep -I --untracked -l '' -- ':!docs/generated' ':!test'); do
  if [ -s "$file" ] && [ -n "$(tail -c 1 "$file")" ]; then
    echo "$file: no newline at the end" >&2
    status=1
  fi
done
[ $status = 0 ] || echo "tiny: formatting differs; run 'make format' and mend what it lists." >&2
exit $status
