#!/bin/sh
# Runs test programs and Python test modules, JOBS at a time (one more than there are processors: half
# of their time they wait), prints one line for each, in the same order each time, the output of those
# that failed, and last a line that counts.  A skipped test counts as failed, and so does a file that a
# test leaves behind.
# Usage: run.sh BUILD_DIR PROGRAM|MODULE.py...
set -eu

# Those that take longest are begun first, so that none is left running alone at the end.
long="test_install_hostile test_update test_keyring test_damaged_state test_install_sh
  test_contract test_keys_import test_installer_python test_completion test_slots test_key_verify
  test_release test_github_action test_base_process test_installer_source test_keystore_crash
  test_keystore_faults_linux test_base_http test_keystore_slots test_keystore_contract
  test_deb test_other_packages test_deploy test_packages_rpm test_lifecycle test_bare_machine
  test_buttercup test_killed test_everywhere test_handover test_apk test_localagent test_octollm
  test_three_stacks test_check_fix test_packages_apt test_pacman test_pull test_ollama test_killed_everywhere
  test_canary test_litellm test_build_proxy test_brew"
# These measure times close to what is allowed: they come last, each alone on the machine.
alone="test_headless test_checks_engine test_checks_machines test_keystore_format
  test_keystore_store test_keyring_dialog test_interrupted"

# A job meets signals as in a terminal, though who started us ignores some (nohup, "&" in a script): tests
# send them.  No shell gives back what was ignored when it began.
afresh='import os, signal, sys
for name in ("SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM", "SIGPIPE", "SIGXFSZ"):
    signal.signal(getattr(signal, name), signal.SIG_DFL)
os.execv(sys.argv[1], sys.argv[1:])'

is_in() { # NAME LIST
  for word in $2; do
    [ "$word" != "$1" ] || return 0
  done
  return 1
}

name_of() { # JOB
  name=${1##*/}
  echo "${name%.py}"
}

count() { grep -cE "$1" "$2" || true; }

# Both set "good" and "bad" from the output of what they run.
run_program() { # PROGRAM LOG
  G_DEBUG=fatal-warnings G_TEST_SRCDIR="$PWD/tests" G_TEST_BUILDDIR="$build" \
    "$1" --tap >"$2" 2>&1 </dev/null || status=$?
  good=$(grep -E '^ok ' "$2" | grep -cvi '# skip' || true)
  bad=$(($(count '^not ok ' "$2") + $(count '^ok .*# (SKIP|skip)' "$2")))
  planned=$(sed -n 's/^1\.\.\([0-9]*\)$/\1/p' "$2" | tail -n 1)
  [ "${planned:-0}" -le "$((good + bad))" ] || bad=$((planned - good))
}

run_module() { # FILE LOG
  python3 -m unittest discover --catch -s "${1%/*}" -p "${1##*/}" >"$2" 2>&1 </dev/null || status=$?
  total=$(sed -n 's/^Ran \([0-9]*\) tests\{0,1\} in .*/\1/p' "$2")
  bad=$(sed -n 's/^FAILED (\(.*\))$/\1/p' "$2" | grep -oE '[0-9]+' | paste -sd+ - | sed 's/^$/0/')
  bad=$((${bad:-0}))
  skipped=$(grep -oE 'skipped=[0-9]+' "$2" | grep -oE '[0-9]+' || echo 0)
  [ "$skipped" -eq 0 ] || [ "$bad" -gt 0 ] || bad=$skipped
  good=$((${total:-0} > bad ? ${total:-0} - bad : 0))
}

# One job, with a directory of its own for temporary files.  Says that it is done with its number.
run_job() { # BUILD_DIR WORK NUMBER JOB
  build=$1
  start=$(date +%s)
  status=0
  log="$build/tests/$(name_of "$4").log"
  mkdir "$2/$3"
  chmod 755 "$2/$3"
  case $4 in
  tests/scenarios/*) ;; # there it would lead into machines that have no such directory
  *) export TMPDIR="$2/$3" ;;
  esac
  case $4 in
  *.py) run_module "$4" "$log" ;;
  *) run_program "$4" "$log" ;;
  esac
  [ "$status" -eq 0 ] || [ "$bad" -gt 0 ] || bad=1
  [ "$((good + bad))" -gt 0 ] || bad=1
  if ! rmdir "$2/$3" 2>/dev/null; then
    echo "left behind: $(ls -A "$2/$3")" >>"$log"
    bad=$((bad + 1))
  fi
  times >"$2/$3.times" # not in a subshell, which has none
  busy=$(awk -F '[ms ]+' 'NR == 2 { printf "%d", $1 * 60 + $2 + $3 * 60 + $4 }' "$2/$3.times")
  echo "$4 $good $bad $(($(date +%s) - start)) $busy $log" >"$2/$3.done"
  echo "$3"
}

# Prints the results in the order of the jobs, each as soon as those before it are there.
report() { # WORK LAST
  # An interrupted run ends when all that it started has ended.
  trap '' INT TERM HUP
  passed=0
  failed=0
  bad_logs=
  next=1
  while read -r _; do
    while [ -s "$1/$next.done" ]; do
      read -r job good bad seconds busy log <"$1/$next.done"
      passed=$((passed + good))
      failed=$((failed + bad))
      if [ "$bad" -eq 0 ]; then
        printf 'ok   %-30s %4d tests %4d s, %4d of a processor\n' "$(name_of "$job")" "$good" "$seconds" "$busy"
      else
        printf 'FAIL %-30s %4d of %d\n' "$(name_of "$job")" "$bad" "$((good + bad))"
        sed 's/^/     /' "$log"
        bad_logs="$bad_logs $log"
      fi
      next=$((next + 1))
    done
  done
  [ "$next" -gt "$2" ] || failed=$((failed + 1))
  # What failed, once more and in short: the end is what is read first.
  for log in $bad_logs; do
    grep -hE '^(FAIL|ERROR|not ok|slipway|left behind|([A-Za-z_]+\.)*[A-Z][A-Za-z]*(Error|Expired)):? ' "$log" |
      cut -c 1-400
  done
  printf '%d passed, %d failed\n' "$passed" "$failed"
  [ "$failed" -eq 0 ]
}

if [ "$1" = --job ]; then
  shift
  run_job "$@"
  exit
fi

build=$(cd "$1" && pwd)
shift
export SLIPWAY="$build/slipway" TEST_DATA="$PWD/tests/data"
# Nothing here may ever touch the keyring of the person who runs it, or take part in their make.
unset DBUS_SESSION_BUS_ADDRESS XDG_RUNTIME_DIR DISPLAY WAYLAND_DISPLAY MAKEFLAGS MFLAGS MAKELEVEL

begun_first=
then=
last=
for name in $long; do
  for job; do
    [ "$(name_of "$job")" != "$name" ] || begun_first="$begun_first $job"
  done
done
for job; do
  name=$(name_of "$job")
  if is_in "$name" "$alone"; then
    last="$last $job"
  elif ! is_in "$name" "$long"; then
    then="$then $job"
  fi
done

work=$(mktemp -d "${TMPDIR:-/tmp}/slipway.XXXXXX")
chmod 755 "$work"
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

mkdir -p "$build/tests"
processors=$(nproc 2>/dev/null || getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1)
number=0
beside=0
for job in $begun_first $then $last; do
  number=$((number + 1))
  echo "$build $work $number $job" >>"$work/jobs"
  is_in "$(name_of "$job")" "$alone" || beside=$number
done
{
  [ "$beside" -eq 0 ] ||
    head -n "$beside" "$work/jobs" |
    xargs -n 4 -P "${JOBS:-$((processors + 1))}" python3 -c "$afresh" "$0" --job || true
  [ "$beside" -eq "$number" ] ||
    tail -n "+$((beside + 1))" "$work/jobs" | xargs -n 4 python3 -c "$afresh" "$0" --job || true
} | report "$work" "$number"
