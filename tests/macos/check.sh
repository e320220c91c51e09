#!/bin/sh
# tests/macos/check.sh - type-checks what a macOS build would compile; nothing is linked or run
#
# Usage: check.sh FLAG... FILE...
#
# The C library's headers are macOS's own, as the cross compiler of the package ziglang carries them;
# those of the system's frameworks and ptrace.h are short ones of ours, beside this script, that declare
# what we call as Apple's documentation has it; those of GLib and the other libraries are this machine's, with
# GLib's 64-bit integers as it has them on macOS.
#
# SPDX-License-Identifier: Apache-2.0
set -eu

version=0.17.0
here=tests/macos
cache=${SLIPWAY_TEST_CACHE:-build/cache}/macos-$version
include=$cache/include
flags=
files=0
for word; do
  case $word in *.c) files=$((files + 1)) ;; esac
done

if [ ! -x "$cache/bin/python" ]; then
  echo "fetching the cross compiler, into $cache" >&2
  rm -rf "$cache"
  python3 -m venv "$cache.new"
  "$cache.new/bin/pip" install -q --disable-pip-version-check "ziglang==$version"
  rm -rf "$cache.new/bin/__pycache__"
  mv "$cache.new" "$cache"
fi
python=$cache/bin/python
zig=$("$python" -c 'import ziglang, os; print(os.path.dirname(ziglang.__file__))')

rm -rf "$include"
mkdir -p "$include"
for name in jansson.h jansson_config.h ini.h archive.h archive_entry.h zlib.h zconf.h curl openssl; do
  for top in /usr/include "/usr/include/$(gcc -print-multiarch)"; do
    [ ! -e "$top/$name" ] || cp -R "$top/$name" "$include/"
  done
done
for top in $(pkg-config --cflags-only-I gio-2.0 gio-unix-2.0); do
  case $top in
    */glib-2.0/include) glibconfig=${top#-I}/glibconfig.h ;;
    */glib-2.0 | */gio-unix-2.0) flags="$flags -isystem ${top#-I}" ;;
  esac
done
sed -e '/gint64;/s/signed long /signed long long /' -e '/guint64;/s/unsigned long /unsigned long long /' \
  -e '/INT64_FORMAT/s/"l/"ll/' -e '/INT64_MODIFIER/s/"l"/"ll"/' -e '/INT64_CONSTANT/s/##\(U*\)L/##\1LL/' \
  "$glibconfig" >"$include/glibconfig.h"

status=0
for target in arm64-apple-macos11 x86_64-apple-macos11; do
  # shellcheck disable=SC2086 # a list of words
  "$python" -m ziglang clang -target $target -fsyntax-only -nostdinc -isystem "$zig/lib/include" \
    -isystem "$zig/lib/libc/include/any-darwin-any" -isystem "$here" -isystem "$include" \
    $flags -Wall -Wextra -Werror "$@" || status=1
  [ $status -ne 0 ] || echo "ok   $files files for $target"
done
exit $status
