#!/bin/sh
# tests/valgrind.sh - the keystore under valgrind: no invalid access, no use of what was never set, no leak
#
# Usage: valgrind.sh SLIPWAY TEST_PROGRAM...
#
# The tests, then commands in the order of a key's life, on a keystore of their own.  Ends with status
# 1 when one of them fails.  A leak is what nothing points to any more; what lasts as long as the
# process does is none.
#
# SPDX-License-Identifier: Apache-2.0
set -eu

slipway=$1
shift
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
failed=0

check() { # TITLE COMMAND...
  title=$1
  shift
  if valgrind --quiet --error-exitcode=99 --leak-check=full --show-leak-kinds=definite,indirect \
    --errors-for-leak-kinds=definite,indirect --num-callers=30 --child-silent-after-fork=yes "$@" \
    >"$home/log" 2>&1; then
    printf 'ok   %s\n' "$title"
  else
    failed=1
    printf 'FAIL %s\n' "$title"
    sed 's/^/     /' "$home/log"
  fi
}

unset DBUS_SESSION_BUS_ADDRESS XDG_RUNTIME_DIR DISPLAY WAYLAND_DISPLAY CREDENTIALS_DIRECTORY
for program; do
  check "${program##*/}" "$program"
done

export HOME="$home" SLIPWAY_KEY_FILE="$home/key" SLIPWAY_KEY_BACKEND=file
cd "$home"
head -c 32 /dev/urandom >key
printf 'correct horse battery\n' >phrase
printf 'B_KEY=another-value\n' >.env
chmod 600 key phrase .env

keys() { check "keys $*" "$slipway" keys "$@" </dev/null; }

printf 'a-value' >value
check "keys set" "$slipway" keys set A_KEY --stdin <value
keys get A_KEY
keys list
keys import .env --shred
keys rekey --rotate-data-key
keys export x.keys --bundle-passphrase-file phrase
keys import x.keys --bundle-passphrase-file phrase --profile work
keys profiles --rename work=office
keys audit
keys doctor
keys recover
keys exec --only A_KEY -- true
keys remove A_KEY
exit $failed
