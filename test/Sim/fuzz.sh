#!/bin/sh
# fuzz.sh FUZZER FOLDER SECONDS: seeds a corpus from the code objects in FOLDER and runs the fuzzer.
# The corpus lies in FOLDER/fuzz-corpus and grows from run to run; `fuzz.sh … 1200` is the long run by hand.
set -e
fuzzer=$1 folder=$2 seconds=$3
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
rm -f "$folder"/crash-* "$folder"/timeout-* "$folder"/oom-* "$folder"/slow-unit-*
"$fuzzer" -max_total_time="$seconds" -max_len=16384 -timeout=300 -rss_limit_mb=4096 -print_final_stats=0 \
  -artifact_prefix="$folder/" -close_fd_mask=2 -seed=1 "$corpus" && exit 0
# The simulator's own messages are closed above, and with them the reason. Here is one input again, with all of it.
for found in "$folder"/crash-* "$folder"/timeout-* "$folder"/oom-*; do
  [ -e "$found" ] || continue
  echo "fuzz.sh: again with $found, which is (base64, gzip):"
  gzip -9 -c "$found" | base64 -w 100 | head -n 60
  "$fuzzer" -timeout=300 -rss_limit_mb=4096 "$found" || true
done
exit 1
