#!/bin/sh
# tests/bench_static.sh - the budgets of the static program, beside its peers in the same run
#
# Usage: bench_static.sh STATIC DYNAMIC BENCH_RUN
#
# Size <= 6 MiB with all stacks inside; start of "version" <= 1.5 x /bin/true; resident set of
# "check" <= 8 MiB.  Ends with status 1 when one is broken.  Takes ROUNDS (300) of each command.
#
# SPDX-License-Identifier: Apache-2.0
set -eu

static=$1
dynamic=$2
bench=$3
rounds=${ROUNDS:-300}
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
export HOME="$home" LC_ALL=C
unset XDG_CONFIG_HOME XDG_STATE_HOME XDG_DATA_HOME XDG_CACHE_HOME

busybox=$(command -v busybox || true)
echo "sizes"
for file in "$static" "$dynamic"; do
  printf '  %9d bytes  %s\n' "$(wc -c <"$file")" "$file"
done

"$bench" "$rounds" /bin/true ${busybox:+"$busybox true"} "$static version" "$dynamic version" >"$home/start"
"$bench" 5 /bin/true "$static check localagent" "$dynamic check localagent" >"$home/check"

echo "start, microseconds: median, least, x /bin/true"
awk 'NR == 1 { base = $1 }
  { words = $4; for (i = 5; i <= NF; i++) words = words " " $i
    printf "  %6d %6d  %5.2f  %s\n", $1, $2, $1 / base, words }' "$home/start"
echo "check: milliseconds (median), largest resident set"
awk '{ words = $4; for (i = 5; i <= NF; i++) words = words " " $i
    printf "  %8.1f ms  %6.2f MiB  %s\n", $1 / 1000, $3 / 1024, words }' "$home/check"

failed=0
budget() { # NAME VALUE LIMIT
  if awk "BEGIN { exit !($2 <= $3) }"; then
    verdict=ok
  else
    verdict=BROKEN
    failed=1
  fi
  printf '%-7s %-22s %8s of %s\n' "$verdict" "$1" "$2" "$3"
}

budget "size, MiB" "$(wc -c <"$static" | awk '{ printf "%.2f", $1 / 1048576 }')" 6
budget "start, x /bin/true" "$(awk -v program="$static" 'NR == 1 { base = $1 }
  $4 == program { printf "%.2f", $1 / base }' "$home/start")" 1.5
budget "check, MiB resident" "$(awk -v program="$static" '$4 == program { printf "%.2f", $3 / 1024 }' "$home/check")" 8
exit $failed
