#!/bin/bash
# program.sh NAME COMMAND [ARGUMENT]... - becomes COMMAND, whose lines have "NAME | " in front, and whose
# sign of life is a file of its own: upstream's programs all write the same one.  That of its predecessor
# does not count.
# SPDX-License-Identifier: Apache-2.0
set -eu
name=$1
shift
export BUTTERCUP_HEALTH_FILE=${BUTTERCUP_HEALTH_DIR:-/tmp/health}/$name
mkdir -p "${BUTTERCUP_HEALTH_FILE%/*}"
rm -f "$BUTTERCUP_HEALTH_FILE"
exec > >(trap '' TERM INT; exec sed -u "s/^/$name | /") 2>&1
exec "$@"
