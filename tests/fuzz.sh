#!/bin/sh
# Runs every fuzzer for SECONDS each, as many at a time as there are processors; the first finding ends
# it.  Usage: fuzz.sh SECONDS [PROGRAM]
set -eu

fuzz() { # SECONDS PROGRAM; 255 tells xargs to begin no other
  corpus="$2.corpus"
  mkdir -p "$corpus"
  seeds=
  seconds=$1
  if [ "${2##*/}" = fuzz_checks_facts ]; then
    seeds=tests/data/facts
    [ "$seconds" -ge 40 ] || seconds=40 # a millisecond each: 10,000 of them take so long
  fi
  "$2" -max_total_time="$seconds" -max_len=65536 -timeout=10 -rss_limit_mb=2048 \
    -artifact_prefix="$2." "$corpus" ${seeds:+"$seeds"} >"$2.log" 2>&1 || {
    tail -n 40 "$2.log"
    exit 255
  }
  printf '%-28s %s\n' "${2##*/}" "$(grep -E '^Done ' "$2.log")"
}

if [ $# -eq 2 ]; then
  fuzz "$1" "$2"
  exit
fi

programs=$(find build/fuzz/tests -name 'fuzz_*' ! -name '*.*' -type f | sort)
[ -n "$programs" ]
echo "$programs" | xargs -n 1 -P "$(nproc 2>/dev/null || getconf _NPROCESSORS_ONLN)" "$0" "$1"
