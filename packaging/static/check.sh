#!/bin/sh
# packaging/static/check.sh - whether a program is what "make static" promises
#
# Usage: check.sh FILE
#
# SPDX-License-Identifier: Apache-2.0
set -eu

file=$1
most_bytes=6291456 # 6 MiB, all stacks inside
failed=0

wrong() {
  echo "slipway: $file $*" >&2
  failed=1
}

export LC_ALL=C
header=$(readelf -hW "$file")
segments=$(readelf -lW "$file")
dynamic=$(readelf -dW "$file")
sections=$(readelf -SW "$file")

has() { echo "$1" | grep -qE "$2"; }

has "$header" 'Type: +DYN' || wrong "is no position-independent program"
has "$dynamic" '\(FLAGS_1\).*PIE' || wrong "is not marked as a program"
! has "$segments" '^ *INTERP ' || wrong "asks for an interpreter"
! has "$dynamic" '\(NEEDED\)' || wrong "needs shared libraries"
! has "$dynamic" 'TEXTREL' || wrong "has relocations in its text"
has "$dynamic" '\(RELR\)' || wrong "has no packed relocations"
has "$segments" 'GNU_STACK +(0x[0-9a-f]+ +){5}RW ' || wrong "has an executable stack"
has "$segments" 'GNU_STACK +(0x[0-9a-f]+ +){4}0x0*200000 ' || wrong "has not the stack size of 2 MiB"
has "$segments" '^ *GNU_RELRO ' || wrong "leaves its relocations writable"
! has "$segments" '^ *LOAD .* RWE ' || wrong "has a segment that is writable and executable"
! has "$sections" '\.(symtab|debug_[a-z]+) ' || wrong "is not stripped"

top=$(cd "$(dirname "$0")/../.." && pwd)
cache=${SLIPWAY_STATIC_CACHE:-$top}
pattern() { printf '(^|[^[:alnum:]_.])%s/' "$(printf '%s' "$1" | sed 's/[][\.*^$+?(){}|]/\\&/g')"; }
paths=$(strings -n 6 "$file" |
  grep -E -e "$(pattern "$top")" -e "$(pattern "$cache")" -e '\.part/' -e packaging/static | head -n 3)
[ -z "$paths" ] || wrong "names a folder of this machine: $paths"

bytes=$(wc -c <"$file")
[ "$bytes" -le "$most_bytes" ] || wrong "has $bytes bytes, more than $most_bytes"

printf '%s: %s, static-pie, %d bytes (%d.%02d MiB of 6)\n' "$file" \
  "$(echo "$header" | sed -n 's/^ *Machine: *//p')" \
  "$bytes" $((bytes / 1048576)) $((bytes % 1048576 * 100 / 1048576))
exit $failed
