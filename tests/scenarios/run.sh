#!/bin/sh
# Runs the scenarios: real machines, real package manager, real kills.  Needs root on Debian or
# Ubuntu; installs what it lacks; a skipped test counts as failed.  All of them: side by side, where
# there is memory for it.  Usage: run.sh [unittest name...]
set -u

cd "$(dirname "$0")" || exit
[ "$(id -u)" -eq 0 ] || { echo "the scenarios mount and chroot: run them as root" >&2; exit 77; }

if [ $# -eq 0 ]; then
  # A machine keeps its changes in memory.
  room=$(awk '/^MemAvailable:/ { print int($2 / (4 * 1024 * 1024)) }' /proc/meminfo)
  processors=$(nproc)
  most=$((room < processors + 1 ? room : processors + 1)) # half of the time they wait
  cd ../..
  export JOBS="${JOBS:-$((most > 0 ? most : 1))}"
  exec tests/run.sh "$(dirname "${SLIPWAY:-build/static/slipway}")" tests/scenarios/test_*.py
fi

log=$(mktemp)
trap 'rm -f "$log"' EXIT
{
  python3 -u -m unittest -v "$@" 2>&1
  echo "exit status $?"
} | tee "$log"

status=$(sed -n 's/^exit status //p' "$log")
total=$(sed -n 's/^Ran \([0-9]*\) tests\{0,1\} in .*/\1/p' "$log")
bad=$(grep -cE '^(FAIL|ERROR): ' "$log")
skipped=$(sed -n 's/.*skipped=\([0-9]*\).*/\1/p' "$log" | tail -n 1)
bad=$((bad + ${skipped:-0}))
[ "$status" -eq 0 ] || [ "$bad" -gt 0 ] || bad=1
[ "${total:-0}" -gt 0 ] || bad=1
total=${total:-0}
[ "$bad" -le "$total" ] || total=$bad
echo "$((total - bad)) passed, $bad failed"
[ "$bad" -eq 0 ]
