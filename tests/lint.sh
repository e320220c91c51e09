#!/bin/sh
# Holds the house's own rules: directions between folders, no module cycles inside one, file sizes,
# documented prototypes, words that must not stand in the tree.  Usage: lint.sh FOLDER...
set -eu

files=$(find "$@" -name '*.[ch]' | sort)

# shellcheck disable=SC2086 # names of ours, without blanks
awk '
BEGIN {
  may["base"]      = " base "
  may["checks"]    = " base checks "
  may["keystore"]  = " base keystore "
  may["payload"]   = " base payload "
  may["installer"] = " base checks keystore payload installer "
}
/^#include "/ {
  split(FILENAME, from, "/"); split($2, part, /["\/]/); to = part[2]
  if (index(may[from[1]], " " to " ") == 0)
    bad(from[1] "/ may not include " $2)
  else if (to != from[1] && $2 ~ /_(backend|private)\.h"$/)
    bad($2 " is private to " to "/")
}
/^#[ \t]*if.*(__linux__|__APPLE__|__MACH__)/ { bad("systems differ by file, not by #ifdef") }
/^[ \t]*goto / { bad("goto") }
/TODO|FIXME|(^|[^X])XXX([^X]|$)/ { bad("unfinished mark") }
function bad(why) { printf "%s:%d: %s\n", FILENAME, FNR, why; failed = 1 }
END { exit failed }
' $files

status=0
for file in $files tests/*.c; do
  lines=$(wc -l <"$file")
  case $file in
  *.c) bound=500 ;;
  *) bound=120 ;;
  esac
  if [ "$lines" -gt "$bound" ]; then
    echo "$file: $lines lines, at most $bound"
    status=1
  fi
done

# A prototype in a header stands behind a comment, or behind another one that shares it.
# shellcheck disable=SC2086
awk '
FILENAME !~ /\.h$/ { next }
FNR == 1 { documented = 0; depth = 0 }
/^\/\*|^ \*|^\t? ?\*/ { documented = 1; next }
/^$/ { if (depth == 0) documented = 0; next }
/^#|^typedef|^}|^\t|^G_DEFINE|^struct|^enum|^extern/ { next }
/^[a-z].*[a-z_]+\(/ {
  if (!documented && $0 !~ /_(quark|free|clear)\(/ && $0 !~ /^bool command_/) {
    printf "%s:%d: prototype without a docstring\n", FILENAME, FNR; failed = 1
  }
}
END { exit failed }
' $files || status=1

tests/lint_cycles.py "$@" || status=1
git ls-files -co --exclude-standard '*.sh' .ci/run | xargs shellcheck -x || status=1
exit "$status"
