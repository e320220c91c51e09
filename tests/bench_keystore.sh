#!/bin/sh
# tests/bench_keystore.sh - how long a key takes, beside cat, secret-tool, age, pass and Docker's helper
#
# Usage: bench_keystore.sh SLIPWAY BENCH_RUN
#
# SLIPWAY is the static program, which is what users get; it is measured as an installation leaves it,
# copied.
#
# All commands in turn, ROUNDS (100) times, in one run; medians; ends with status 1 when a bound is
# broken.  Key file: a get takes at most 2 x cat of a file.  Secret Service (a real GNOME Keyring on a bus
# of its own): a get takes no longer than secret-tool's.  Both: ten keys through "keys exec" take at most
# 1.3 x one.
#
# SPDX-License-Identifier: Apache-2.0
set -eu

if [ -z "${BENCH_HOME:-}" ]; then # outside of the session
  BENCH_HOME=$(mktemp -d)
  trap 'rm -rf "$BENCH_HOME"' EXIT
  mkdir -m 700 "$BENCH_HOME/run"
  env -i PATH="$PATH" ROUNDS="${ROUNDS:-100}" BENCH_HOME="$BENCH_HOME" HOME="$BENCH_HOME" LC_ALL=C.UTF-8 \
    XDG_RUNTIME_DIR="$BENCH_HOME/run" GNUPGHOME="$BENCH_HOME/gnupg" \
    dbus-run-session -- "$0" "$@"
  exit
fi

bench=$2
here=$BENCH_HOME
slipway=$here/slipway
cp "$1" "$slipway"
secret=sk-$(od -An -N24 -tx1 /dev/urandom | tr -d ' \n')
lookup="application slipway profile default name KEY_0"
# shellcheck disable=SC2317 # the trap calls it
end() { gpgconf --kill all; }
trap end EXIT

need() { # COMMAND...: it prints the secret, else nothing here means anything
  [ "$("$@" </dev/null 2>/dev/null)" = "$secret" ] || {
    echo "this does not print the secret: $*" >&2
    exit 70
  }
}

printf pw | gnome-keyring-daemon --unlock --components=secrets >/dev/null 2>&1
export SLIPWAY_KEY_FILE="$here/key" SLIPWAY_KEY_BACKEND
head -c 32 /dev/urandom >"$here/key"
printf %s "$secret" >"$here/secret"
chmod 600 "$here/key" "$here/secret"
names=
for i in 0 1 2 3 4 5 6 7 8 9; do
  names=$names${names:+,}KEY_$i
  for SLIPWAY_KEY_BACKEND in file secret-service; do
    printf %s "$secret" | "$slipway" keys set "KEY_$i" --stdin >"$here/log" 2>&1 || { cat "$here/log" >&2; exit 70; }
  done
done
unset SLIPWAY_KEY_BACKEND

age-keygen -o "$here/identity" 2>/dev/null
age -R /dev/stdin -o "$here/secret.age" "$here/secret" <<-END
	$(age-keygen -y "$here/identity")
END
mkdir -m 700 "$GNUPGHOME"
gpg --batch --quiet --passphrase '' --quick-generate-key bench rsa3072 encr,sign never 2>/dev/null
pass init bench >/dev/null 2>&1
printf '%s\n' "$secret" | pass insert -m key >/dev/null 2>&1
printf '{"ServerURL":"https://bench.invalid","Username":"u","Secret":"%s"}' "$secret" |
  docker-credential-secretservice store
# shellcheck disable=SC2016 # the wrapper's own
printf '#!/bin/sh\necho https://bench.invalid | exec docker-credential-secretservice get\n' >"$here/docker-get"
chmod 755 "$here/docker-get"

file="$slipway keys get KEY_0 --key-backend file"
service="$slipway keys get KEY_0 --key-backend secret-service"
tool="$(command -v secret-tool) lookup $lookup"
decrypt="$(command -v age) -d -i $here/identity $here/secret.age"
show="$(command -v pass) show key"
cat="$(command -v cat) $here/secret"
# shellcheck disable=SC2086 # lists of words
for command in "$file" "$service" "$tool" "$decrypt" "$show" "$cat"; do
  need $command
done
one="keys exec --only KEY_0 --key-backend"
ten="keys exec --only $names --key-backend"

"$bench" "$ROUNDS" "$cat" "$file" "$decrypt" "$show" "$service" "$tool" "$here/docker-get" \
  "$slipway $one file -- /bin/true" "$slipway $ten file -- /bin/true" \
  "$slipway $one secret-service -- /bin/true" "$slipway $ten secret-service -- /bin/true" >"$here/times"

awk -v here="$here/" 'BEGIN { print "milliseconds: median, least" }
  { words = $4; for (i = 5; i <= NF; i++) words = words " " $i
    gsub(here, "", words); gsub(/KEY_0,[A-Z_0-9,]*/, "KEY_0..9", words)
    printf "  %8.2f %8.2f  %s\n", $1 / 1000, $2 / 1000, words }' "$here/times"

failed=0
bound() { # TITLE LINE OF-LINE LIMIT
  ratio=$(awk -v a="$2" -v b="$3" 'NR == a { x = $1 } NR == b { y = $1 } END { printf "%.2f", x / y }' "$here/times")
  verdict=ok
  if awk "BEGIN { exit $ratio <= $4 }"; then
    verdict=BROKEN
    failed=1
  fi
  printf '%-7s %-40s %6s of %s\n' "$verdict" "$1" "$ratio" "$4"
}

bound "get, key file, x cat" 2 1 2
bound "get, Secret Service, x secret-tool" 5 6 1
bound "ten keys, x one, key file" 9 8 1.3
bound "ten keys, x one, Secret Service" 11 10 1.3
exit $failed
