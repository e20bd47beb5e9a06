#!/bin/sh
# fuzz.sh FUZZER FOLDER           runs the fuzzer on damaged inputs, the same ones every time: the test
# fuzz.sh FUZZER FOLDER SECONDS   lets it search, guided by coverage: by hand
# Both begin from the code objects in FOLDER. The search is no test, because addresses and time lead it
# to other inputs on every run: what it found on one machine could not be had again on another.
# Its corpus lies in FOLDER/fuzz-corpus and grows from run to run.
set -e
export LC_ALL=C # for the order of the objects
fuzzer=$1 folder=$2 seconds=${3:-}
inputs=1500
limits="-timeout=60 -rss_limit_mb=2048"

if [ -z "$seconds" ]; then
  damaged="$folder/fuzz-inputs" log="$folder/fuzz.log"
  rm -rf "$damaged"
  python3 "$(dirname "$0")/fuzz-inputs.py" "$inputs" "$damaged" "$folder"/*.hsaco
  status=0
  "$fuzzer" $limits -artifact_prefix="$damaged/" "$damaged"/* > "$log" 2>&1 || status=$?
  ran=$(grep -c '^Executed ' "$log") || true
  echo "fuzz.sh: $ran of $inputs inputs"
  [ "$status" = 0 ] && [ "$ran" = "$inputs" ] && exit 0
  failed=$(sed -n 's/^Running: //p' "$log" | tail -n 1)
  echo "fuzz.sh: exit $status at $failed; the end of $log:"
  tail -n 100 "$log"
  exit 1
fi

corpus="$folder/fuzz-corpus"
mkdir -p "$corpus"
for object in "$folder"/broken.*.hsaco "$folder"/matrix-w*.hsaco; do
  [ -e "$object" ] || continue
  name=$(basename "$object")
  { printf '\0'; cat "$object"; } > "$corpus/object-$name"
  # The same code as bare instructions of either wave size.
  llvm-objcopy-22 -O binary --only-section=.text "$object" "$corpus/text" 2>/dev/null || continue
  { printf '\2'; head -c 2048 "$corpus/text"; } > "$corpus/words32-$name"
  { printf '\3'; head -c 2048 "$corpus/text"; } > "$corpus/words64-$name"
  rm -f "$corpus/text"
done
exec "$fuzzer" -max_total_time="$seconds" -max_len=16384 $limits -print_final_stats=0 \
  -artifact_prefix="$folder/" -close_fd_mask=2 "$corpus"
