#!/bin/sh
# Installs the packages that building (and testing) slipway needs and that this machine lacks, and
# says so.  Debian, Ubuntu, Fedora and Homebrew; as root directly, else through sudo.
# Usage: build-deps.sh build|test
set -eu

purpose=${1:-build}

say() { printf 'slipway: %s\n' "$*" >&2; }

as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  elif command -v sudo >/dev/null 2>&1; then
    sudo "$@"
  else
    say "this needs root, and there is no sudo; run as root: $*"
    exit 77
  fi
}

apt_build="gcc make pkg-config libglib2.0-dev libarchive-dev libcurl4-openssl-dev libssl-dev
  libinih-dev libjansson-dev zlib1g-dev"
apt_test="git python3 python3-venv clang clang-format clang-tidy shellcheck mandoc ca-certificates"
dnf_build="gcc make pkgconf-pkg-config glib2-devel libarchive-devel libcurl-devel openssl-devel
  inih-devel jansson-devel zlib-devel"
dnf_test="git python3 clang clang-tools-extra ShellCheck mandoc"
brew_build="pkgconf glib libarchive curl openssl@3 inih jansson"
brew_test="git python3 llvm clang-format shellcheck"

missing=
if command -v apt-get >/dev/null 2>&1; then
  wanted=$apt_build
  [ "$purpose" = test ] && wanted="$apt_build $apt_test"
  for package in $wanted; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] ||
      missing="$missing $package"
  done
  [ -n "$missing" ] || exit 0
  say "installing with apt:$missing"
  ls /var/lib/apt/lists/*Packages* >/dev/null 2>&1 || as_root apt-get update -q
  # shellcheck disable=SC2086 # a list of words
  as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -q --no-install-recommends -o DPkg::Lock::Timeout=300 $missing </dev/null ||
    {
      as_root apt-get update -q
      # shellcheck disable=SC2086
      as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -q --no-install-recommends -o DPkg::Lock::Timeout=300 $missing </dev/null
    }
elif command -v dnf >/dev/null 2>&1; then
  wanted=$dnf_build
  [ "$purpose" = test ] && wanted="$dnf_build $dnf_test"
  for package in $wanted; do
    rpm -q --whatprovides "$package" >/dev/null 2>&1 || missing="$missing $package"
  done
  [ -n "$missing" ] || exit 0
  say "installing with dnf:$missing"
  # shellcheck disable=SC2086
  as_root dnf -y -q install $missing </dev/null
elif command -v brew >/dev/null 2>&1; then
  wanted=$brew_build
  [ "$purpose" = test ] && wanted="$brew_build $brew_test"
  for package in $wanted; do
    brew list --versions "$package" >/dev/null 2>&1 || missing="$missing $package"
  done
  [ -n "$missing" ] || exit 0
  say "installing with brew:$missing"
  # shellcheck disable=SC2086
  HOMEBREW_NO_ASK=1 NONINTERACTIVE=1 HOMEBREW_NO_AUTO_UPDATE=1 brew install $missing </dev/null
else
  say "no apt, dnf or brew here; install by hand: a C compiler, make, pkg-config and the development"
  say "files of GLib, libarchive, libcurl, OpenSSL, inih, jansson and zlib; then run make"
  exit 69
fi
