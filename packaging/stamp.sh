#!/bin/sh
# packaging/stamp.sh - fills version, digests and addresses into the recipes of rpm, Arch, Alpine
# and Homebrew, which build from the source archive of a release
#
# Usage: stamp.sh ARCHIVE RELEASE_URL HOMEPAGE DIR      (ARCHIVE is slipway-VERSION.tar.xz)
#
# SPDX-License-Identifier: Apache-2.0
set -eu

[ $# -eq 4 ] || { sed -n 's/^# Usage: /usage: /p' "$0" >&2; exit 64; }
archive=$1
release_url=${2%/}
homepage=${3%/}
target=$4
here=${0%/*}

fail() { # STATUS MESSAGE
  printf 'stamp.sh: %s\n' "$2" >&2
  exit "$1"
}

[ -r "$archive" ] || fail 69 "$archive is not there; it is made with the release"
name=${archive##*/}
version=${name#slipway-}
version=${version%.tar.xz}
# A hyphen would end the version for rpm and pacman, a letter means something else to apk.
case $name in
slipway-*[!0-9.]*.tar.xz | slipway-[!0-9]*) fail 65 "$name: the version is not of digits and dots" ;;
slipway-*.tar.xz) ;;
*) fail 65 "$name: not slipway-VERSION.tar.xz" ;;
esac
case "$release_url$homepage" in
*[!A-Za-z0-9:/._~-]*) fail 65 "$release_url, $homepage: a character that a recipe would read" ;;
esac

digest() { # BITS
  if command -v "sha$1sum" >/dev/null 2>&1; then
    "sha$1sum" <"$archive"
  else
    shasum -a "$1" <"$archive"
  fi | cut -d ' ' -f 1
}

# The day of the release, as rpm writes it; GNU and BSD differ in how they take a time.
epoch=${SOURCE_DATE_EPOCH:-0}
[ "$epoch" -gt 0 ] || epoch=$(stat -c %Y "$archive" 2>/dev/null || stat -f %m "$archive")
day=$(LC_ALL=C date -u -d "@$epoch" '+%a %b %d %Y' 2>/dev/null ||
  LC_ALL=C date -u -r "$epoch" '+%a %b %d %Y')
sha256=$(digest 256)
sha512=$(digest 512)

mkdir -p "$target"
for recipe in rpm/slipway.spec rpm/slipway.rpmlintrc arch/PKGBUILD alpine/APKBUILD homebrew/slipway.rb; do
  sed -e "s|@VERSION@|$version|g" -e "s|@SHA256@|$sha256|g" -e "s|@SHA512@|$sha512|g" \
    -e "s|@RELEASE_URL@|$release_url|g" -e "s|@HOMEPAGE@|$homepage|g" -e "s|@DAY@|$day|g" \
    "$here/$recipe" >"$target/${recipe##*/}.new"
  mv "$target/${recipe##*/}.new" "$target/${recipe##*/}"
done
