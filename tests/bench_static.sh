#!/bin/sh
# tests/bench_static.sh - the budgets of the static program, beside its peers in the same run
#
# Usage: bench_static.sh STATIC DYNAMIC BENCH_RUN
#
# Size <= 6 MiB with all stacks inside; start of "version" <= 1.5 x /bin/true; resident set of
# "check" <= 8 MiB.  BUDGETS="SIZE START RESIDENT" sets others.  Ends with status 1 when one is broken.
#
# Both are measured as an installation leaves them, copied: how a linker wrote its file is how the page
# cache has it, in small pieces that take longer to map.
#
# The commands take turns, BATCHES (25) times ROUNDS (20) of each, so that what else the machine does
# meets them all; of each command's medians, one for each batch, the least counts.
#
# SPDX-License-Identifier: Apache-2.0
set -eu

bench=$3
rounds=${ROUNDS:-20}
batches=${BATCHES:-25}
budgets=${BUDGETS:-6 1.5 8}
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
static=$home/static
dynamic=$home/dynamic
cp "$1" "$static"
cp "$2" "$dynamic"
export HOME="$home" LC_ALL=C
unset XDG_CONFIG_HOME XDG_STATE_HOME XDG_DATA_HOME XDG_CACHE_HOME

# One line for each command: microseconds (least median, least), the largest resident set in KiB, the command.
run() { # BATCHES ROUNDS COMMAND...
  for _ in $(seq "$1"); do
    "$bench" "$2" "$3" "$4" "$5" ${6:+"$6"}
  done | awk '{ key = substr($0, length($1 $2 $3) + 4) }
    !(key in median) { names[++count] = key; median[key] = $1; least[key] = $2 }
    { if ($1 < median[key]) median[key] = $1
      if ($2 < least[key]) least[key] = $2
      if ($3 > resident[key]) resident[key] = $3 }
    END { for (i = 1; i <= count; i++) { key = names[i]; print median[key], least[key], resident[key], key } }'
}

busybox=$(command -v busybox || true)
echo "sizes"
for file in "$static" "$dynamic"; do
  printf '  %9d bytes  %s\n' "$(wc -c <"$file")" "${file##*/}"
done

run "$batches" "$rounds" /bin/true "$static version" "$dynamic version" "${busybox:+$busybox true}" >"$home/start"
run 1 5 /bin/true "$static check localagent" "$dynamic check localagent" >"$home/check"

echo "start, microseconds: median, least, x /bin/true"
awk 'NR == 1 { base = $1 }
  { words = $4; for (i = 5; i <= NF; i++) words = words " " $i
    sub(".*/", "", words)
    printf "  %6d %6d  %5.2f  %s\n", $1, $2, $1 / base, words }' "$home/start"
echo "check: milliseconds (median), largest resident set"
awk '{ words = $4; for (i = 5; i <= NF; i++) words = words " " $i
    sub(".*/", "", words)
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

size=$(wc -c <"$static" | awk '{ printf "%.2f", $1 / 1048576 }')
start=$(awk -v program="$static" 'NR == 1 { base = $1 } $4 == program { printf "%.2f", $1 / base }' "$home/start")
resident=$(awk -v program="$static" '$4 == program { printf "%.2f", $3 / 1024 }' "$home/check")
# shellcheck disable=SC2086 # three words
set -- $budgets
budget "size, MiB" "$size" "$1"
budget "start, x /bin/true" "$start" "$2"
budget "check, MiB resident" "$resident" "$3"
exit $failed
