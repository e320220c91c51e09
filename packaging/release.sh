#!/bin/sh
# packaging/release.sh - makes a release: programs, manifest, signatures, sources, bill of materials
#
# Usage: release.sh keys DIR              make the first keys, and the root that names them
#        release.sh rotate [--root] DIR   replace the release key (and the root key)
#        release.sh sign FILE             sign one manifest
#        release.sh make                  all of build/dist/ ("make release")
#
# SPDX-License-Identifier: Apache-2.0
set -eu

top=$(cd "${0%/*}/.." && pwd)
documents=$top/packaging/release/documents.py

say() { printf 'release: %s\n' "$*" >&2; }

fail() { # STATUS MESSAGE
  say "$2"
  exit "$1"
}

# What is published has to be what the tag names.
check_tree() {
  [ -z "$(git status --porcelain)" ] || fail 78 "the tree has changes that are not committed"
  git rev-parse -q --verify "refs/tags/v$VERSION^{commit}" >"$work/tag" || : >"$work/tag"
  [ "$(cat "$work/tag")" = "$(git rev-parse HEAD)" ] || [ "${RELEASE_UNTAGGED:-0}" = 1 ] ||
    fail 78 "this commit is not tagged v$VERSION (RELEASE_UNTAGGED=1 for a trial)"
}

# Each release has a tag, so their number grows by one with each release.
count_releases() {
  { git tag --merged HEAD --list 'v[0-9]*' && echo "v$VERSION"; } | sort -u | grep -c .
}

# The same names, times and owners whoever packs it.
pack() { # TAR_FILE DIRECTORY
  tar -C "$2" --sort=name --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner \
    --mode=u+rwX,go+rX,go-w --format=gnu -cf "$1" .
}

compress() { xz -9e -T1 -c "$1" >"$2"; }

# From the archive that is published, not from what lies about here.
archive_source() {
  git archive --format=tar --prefix="$prefix/" HEAD >"$work/source.tar"
  compress "$work/source.tar" "$dist/v$VERSION/$prefix.tar.xz"
  tar -xf "$work/source.tar" -C "$work"
}

build() {
  machine=$(uname -m)
  for arch in x86_64 aarch64; do
    built=$work/$prefix/build/static
    [ "$arch" = "$machine" ] || built=$built-$arch
    make -C "$work/$prefix" --no-print-directory static ARCH="$arch" RELEASE_URL="$RELEASE_URL" >&2
    make -C "$work/$prefix" --no-print-directory static-sbom ARCH="$arch" >&2
    "$documents" embeds "$top/packaging/root.json" "$built/slipway"
    name=$dist/v$VERSION/$prefix-linux-$arch
    install -m 755 "$built/slipway" "$name"
    install -m 644 "$built/slipway.cdx.json" "$name.cdx.json"
  done
}

# The pinned sources of the libraries inside: who gets the program gets these too (LGPL).
collect_sources() { # DIRECTORY
  mkdir -p "$1/packages"
  cp -R "$work/$prefix/packaging/static" "$1/static"
  awk '/^Package:/ { take = 0 } /^Take: (source|upstream)/ { take = 1 } /^ / && take { print $3 }' \
    "$1/static/sources.lock" |
    while read -r name; do
      cp "$SLIPWAY_STATIC_CACHE/files/$name" "$1/packages/" ||
        fail 69 "the source $name is not in the cache of the static build"
    done
}

archive_third_party() {
  mkdir -p "$work/licenses/$prefix-licenses" "$work/sources/$prefix-sources"
  cp -R "$work/$prefix/build/static/licenses/." "$work/licenses/$prefix-licenses/"
  pack "$work/licenses.tar" "$work/licenses"
  compress "$work/licenses.tar" "$dist/v$VERSION/$prefix-licenses.tar.xz"
  collect_sources "$work/sources/$prefix-sources"
  pack "$dist/v$VERSION/$prefix-sources.tar" "$work/sources"
}

stamp_installer() { # KEYS
  [ "$(grep -cE "^(release_keys=''\$|release_url='[^']*')" packaging/install.sh)" -eq 2 ] ||
    fail 70 "packaging/install.sh has no lines to stamp"
  sed "s|^release_keys=''\$|release_keys='$1'|; s|^release_url='[^']*'|release_url='$RELEASE_URL'|" \
    packaging/install.sh >"$dist/install.sh"
  chmod 755 "$dist/install.sh"
  sh -n "$dist/install.sh"
}

write_manifest() {
  "$documents" manifest "$dist/manifest.json" VERSION="$VERSION" \
    SERIAL="${RELEASE_SERIAL:-$(count_releases)}" EXPIRES="$((SOURCE_DATE_EPOCH + 365 * 86400))" \
    "program:linux-x86_64:v$VERSION/$prefix-linux-x86_64" \
    "program:linux-aarch64:v$VERSION/$prefix-linux-aarch64" \
    "source:any:v$VERSION/$prefix.tar.xz" \
    "sbom:linux-x86_64:v$VERSION/$prefix-linux-x86_64.cdx.json" \
    "sbom:linux-aarch64:v$VERSION/$prefix-linux-aarch64.cdx.json" \
    "licenses:any:v$VERSION/$prefix-licenses.tar.xz" \
    "third-party:any:v$VERSION/$prefix-sources.tar"
  "$documents" sign "$dist/manifest.json"
  cp "$dist/manifest.json" "$dist/manifest.json.sig" "$dist/manifest.json.minisig" \
    "$dist/v$VERSION/"
  (cd "$dist/v$VERSION" && sha256sum -- slipway-*) >"$work/sums"
  cp "$work/sums" "$dist/v$VERSION/SHA256SUMS"
}

# What packagers build from; their managers know no pre-releases.
write_recipes() {
  case $VERSION in
  *[!0-9.]*) say "$VERSION is a pre-release: no recipes for packagers" ;;
  *)
    packaging/stamp.sh "$dist/v$VERSION/$prefix.tar.xz" "$RELEASE_URL" "$HOMEPAGE" \
      "$dist/packaging"
    ;;
  esac
}

make_release() {
  cd "$top"
  VERSION=${VERSION:-$(sed -n 's/^VERSION *:*= *//p' Makefile)}
  : "${RELEASE_URL:?is set by make release}" "${HOMEPAGE:?is set by make release}"
  SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
  SLIPWAY_STATIC_CACHE=$(realpath -m "${SLIPWAY_STATIC_CACHE:-build/cache/static}")
  export SOURCE_DATE_EPOCH SLIPWAY_STATIC_CACHE LC_ALL=C TZ=UTC
  umask 022
  check_tree
  keys=$("$documents" check packaging/root.json packaging/roots)
  dist=$work/dist prefix=slipway-$VERSION
  mkdir -p "$dist/v$VERSION"
  archive_source
  build
  archive_third_party
  stamp_installer "$keys"
  cp packaging/roots/root.*.json packaging/roots/root.*.json.sig "$dist/"
  write_manifest
  write_recipes
  find "$dist" -type f -exec chmod go+r {} +
  find "$dist" -exec touch -d "@$SOURCE_DATE_EPOCH" {} +
  rm -rf build/dist
  mv "$dist" build/dist
  say "build/dist is release $VERSION; upload v$VERSION/ first, manifest.json and its signatures last"
}

case ${1:-} in
keys | rotate | sign) exec "$documents" "$@" ;;
make)
  mkdir -p "$top/build"
  work=$(mktemp -d "$top/build/release.XXXXXX")
  trap 'rm -rf "$work"' EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  make_release
  ;;
*)
  sed -n 's/^# Usage: /usage: /p; s/^#        release/       release/p' "$0" >&2
  exit 64
  ;;
esac
