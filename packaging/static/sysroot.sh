#!/bin/sh
# packaging/static/sysroot.sh - the musl sysroot that "make static" links with, built once
#
# Usage: sysroot.sh path ARCH    where it is, or will be
#        sysroot.sh build ARCH   fetches and builds it unless it is there
#
# It lies in SLIPWAY_STATIC_CACHE (build/cache/static) under a name made of all that it depends on:
# the pins, the patches, these scripts, the architecture, the compiler.  It is built aside, under
# the same name with .part, and renamed when whole; what was interrupted goes on where it stopped.
#
# SPDX-License-Identifier: Apache-2.0
set -eu

here=$(cd "$(dirname "$0")" && pwd)
command=${1:-}
arch=${2:-$(uname -m)}
cache=$(realpath -m "${SLIPWAY_STATIC_CACHE:-${here%/packaging/static}/build/cache/static}")
path=/usr/sbin:/usr/bin:/sbin:/bin # no shims of version managers

case $arch in
  x86_64 | aarch64) ;;
  *)
    echo "slipway: no static build for $arch; there is one for x86_64 and aarch64" >&2
    exit 64
    ;;
esac
gnu=$arch-linux-gnu

key() {
  {
    PATH=$path
    echo "$arch"
    "$gnu-gcc" --version 2>/dev/null | head -n 1
    "$gnu-ld" --version 2>/dev/null | head -n 1
    cat "/usr/include/linux/version.h" "/usr/$gnu/include/linux/version.h" 2>/dev/null || true
    sed '/^ *#/d' "$here/sources.lock" "$here/sysroot.sh" "$here/sysroot.mk" "$here/recipe.sh"
    cat "$here"/patches/*
  } | sha256sum | cut -c 1-16
}

say() { echo "slipway: $*" >&2; }

build() {
  [ ! -d "$sysroot" ] || return 0
  umask 022
  mkdir -p "$cache"
  exec 9>"$cache/lock"
  flock 9
  [ ! -d "$sysroot" ] || return 0
  SLIPWAY_STATIC_CACHE=$cache PATH=$path python3 "$here/sources.py" fetch
  mkdir -p "$part/log" "$part/done" "$part/work"
  say "building the static libraries for $arch (once; minutes); logs: $part/log"
  jobs=$(nproc)
  # Nothing of the caller's environment can change a byte.
  env -i PATH="$part/bin:$path" HOME="$part/work" LC_ALL=C TZ=UTC SOURCE_DATE_EPOCH=1735689600 \
    SLIPWAY_STATIC_CACHE="$cache" ARCH="$arch" PART="$part" HERE="$here" JOBS="$jobs" \
    make --no-print-directory -j"$jobs" -f "$here/sysroot.mk" 9>&-
  # What only the build of the libraries needed.
  # shellcheck disable=SC2115 # $part is never empty
  rm -rf "$part/work" "$part/done" "$part/log" "$part/usr/bin" "$part/usr/libexec" "$part/usr/share" "$part/usr/lib/cmake"
  mv "$part" "$sysroot"
  say "$sysroot is ready"
}

sysroot=$cache/sysroot-$arch-$(key)
part=$sysroot.part
case $command in
  path) echo "$sysroot" ;;
  build) build ;;
  *)
    sed -n 's/^# \(Usage: .*\)/\1/p; s/^#  \( *sysroot.sh .*\)/  \1/p' "$0" >&2
    exit 64
    ;;
esac
