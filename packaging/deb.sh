#!/bin/sh
# Builds the Debian package of a release's source archive, with the distribution's own tools and
# against its libraries.  What building needs comes with "apt-get build-dep DIR" first.
# Usage: deb.sh ARCHIVE RELEASE_URL HOMEPAGE DIR      (ARCHIVE is slipway-VERSION.tar.xz)
set -eu

[ $# -eq 4 ] || { sed -n 's/^# Usage: /usage: /p' "$0" >&2; exit 64; }
archive=$1
release_url=${2%/}
homepage=${3%/}
target=$4
here=${0%/*}

fail() { # STATUS MESSAGE
  printf 'deb.sh: %s\n' "$2" >&2
  exit "$1"
}

[ -r "$archive" ] || fail 69 "$archive is not there; it is made with the release"
version=${archive##*/slipway-}
version=${version%.tar.xz}
case $version in
'' | [!0-9]* | *[!0-9.]*) fail 65 "${archive##*/}: not slipway-VERSION.tar.xz" ;;
esac
case "$release_url$homepage" in
*[!A-Za-z0-9:/._~-]*) fail 65 "$release_url, $homepage: a character that sed would read" ;;
esac

entry=$(sed -n '1s/^slipway (\(.*\)-[^-]*) .*/\1/p' "$here/debian/changelog")
[ "$entry" = "$version" ] || fail 65 "debian/changelog begins with $entry, the archive is $version"

tree=$target/slipway-$version
rm -rf "$tree"
mkdir -p "$tree"
cp "$archive" "$target/slipway_$version.orig.tar.xz"
tar -xJf "$archive" -C "$tree" --strip-components=1
cp -R "$here/debian" "$tree/debian"
for file in control copyright watch; do
  sed -e "s|@RELEASE_URL@|$release_url|g" -e "s|@HOMEPAGE@|$homepage|g" \
    "$here/debian/$file" >"$tree/debian/$file"
done

command -v dpkg-buildpackage >/dev/null || fail 69 "dpkg-buildpackage is not there: install dpkg-dev"
cd "$tree"
dpkg-checkbuilddeps || fail 69 "first, as root: apt-get build-dep $PWD"
# Warnings are for us, not for who builds with a newer compiler.
exec env -u CI dpkg-buildpackage --unsigned-source --unsigned-changes
