#!/bin/sh
# Runs every fuzzer for SECONDS each; the first finding ends it.  Usage: fuzz.sh SECONDS
set -eu

seconds=$1
found=0
for program in build/fuzz/tests/fuzz_*; do
  [ -f "$program" ] || continue
  case $program in *.*) continue ;; esac
  found=$((found + 1))
  corpus="$program.corpus"
  mkdir -p "$corpus"
  "$program" -max_total_time="$seconds" -max_len=65536 -timeout=10 -rss_limit_mb=2048 \
    -artifact_prefix="$program." "$corpus" >"$program.log" 2>&1 || {
    tail -n 40 "$program.log"
    exit 1
  }
  printf '%-28s %s\n' "${program##*/}" "$(grep -E '^Done ' "$program.log")"
done
[ "$found" -gt 0 ]
