#!/bin/sh
# Runs each test program, prints one line for each and the output of those that failed, and ends
# with a line that counts.  A skipped test counts as failed.  Usage: run.sh BUILD_DIR PROGRAM...
set -eu

build=$1
shift
export SLIPWAY="$PWD/$build/slipway" TEST_DATA="$PWD/tests/data"
# Nothing here may ever touch the keyring of the person who runs it.
unset DBUS_SESSION_BUS_ADDRESS XDG_RUNTIME_DIR DISPLAY WAYLAND_DISPLAY
export G_DEBUG=fatal-warnings G_TEST_SRCDIR="$PWD/tests" G_TEST_BUILDDIR="$PWD/$build"
passed=0
failed=0

report() { # NAME PASSED FAILED LOG
  passed=$((passed + $2))
  failed=$((failed + $3))
  if [ "$3" -eq 0 ]; then
    printf 'ok   %-28s %4d tests\n' "$1" "$2"
  else
    printf 'FAIL %-28s %4d of %d\n' "$1" "$3" "$(($2 + $3))"
    sed 's/^/     /' "$4"
  fi
}

count() { grep -cE "$1" "$2" || true; }

for program; do
  log="$program.log"
  status=0
  "$program" --tap >"$log" 2>&1 || status=$?
  good=$(grep -E '^ok ' "$log" | grep -cvi '# skip' || true)
  bad=$(($(count '^not ok ' "$log") + $(count '^ok .*# (SKIP|skip)' "$log")))
  planned=$(sed -n 's/^1\.\.\([0-9]*\)$/\1/p' "$log" | tail -n 1)
  [ "$status" -eq 0 ] || [ "$bad" -gt 0 ] || bad=1
  [ "${planned:-0}" -le "$((good + bad))" ] || bad=$((planned - good))
  [ "$((good + bad))" -gt 0 ] || bad=1
  report "${program##*/}" "$good" "$bad" "$log"
done

python_tests() { # FOLDER; "make unit" leaves them out
  [ -z "${UNIT_ONLY:-}" ] || return 0
  log="$build/$1.log"
  mkdir -p "${log%/*}"
  status=0
  python3 -m unittest discover -s "$1" >"$log" 2>&1 || status=$?
  total=$(sed -n 's/^Ran \([0-9]*\) tests\{0,1\} in .*/\1/p' "$log")
  bad=$(sed -n 's/^FAILED (\(.*\))$/\1/p' "$log" | grep -oE '[0-9]+' | paste -sd+ - | sed 's/^$/0/')
  bad=$((${bad:-0}))
  skipped=$(grep -oE 'skipped=[0-9]+' "$log" | grep -oE '[0-9]+' || echo 0)
  [ "$status" -eq 0 ] || [ "$bad" -gt 0 ] || bad=1
  [ "$skipped" -eq 0 ] || [ "$bad" -gt 0 ] || bad=$skipped
  report "$1 (python)" "$((${total:-0} - bad))" "$bad" "$log"
}

python_tests tests/stacks
python_tests tests/cli
python_tests tests/packaging

printf '%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" -eq 0 ]
