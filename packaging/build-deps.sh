#!/bin/sh
# Installs the packages that building (and testing) slipway needs and that this machine lacks, and
# says so.  Debian, Ubuntu, Fedora and Homebrew; as root directly, else through sudo.
# Usage: build-deps.sh build|test|static|bench|valgrind [ARCH]   static, bench: on Debian and Ubuntu only
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
  libinih-dev libjansson-dev libsecret-1-dev zlib1g-dev"
apt_test="git python3 python3-venv clang clang-format clang-tidy shellcheck mandoc ca-certificates openssl
  dbus dbus-daemon gnome-keyring libsecret-tools python3-jsonschema python3-yaml bash-completion zsh fish man-db
  openssl curl wget dash busybox-static minisign strace haproxy"
apt_static="gcc libc6-dev linux-libc-dev make pkg-config git lld ninja-build cmake autoconf automake libtool libltdl-dev
  gettext perl patch python3 python3-packaging dpkg-dev bzip2 xz-utils util-linux debian-archive-keyring"
apt_bench="age pass golang-docker-credential-helpers gnupg python3 dbus-daemon gnome-keyring libsecret-tools"
dnf_build="gcc make pkgconf-pkg-config glib2-devel libarchive-devel libcurl-devel openssl-devel
  inih-devel jansson-devel libsecret-devel zlib-devel"
dnf_test="git python3 python3-jsonschema python3-pyyaml clang clang-tools-extra ShellCheck mandoc openssl bash-completion zsh fish man-db
  dbus-daemon dbus-tools gnome-keyring libsecret openssl curl wget dash busybox minisign strace haproxy"
brew_build="pkgconf glib libarchive curl openssl@3 inih jansson"
brew_test="git python3 llvm clang-format haproxy shellcheck bash-completion@2 zsh fish"

missing=
if command -v apt-get >/dev/null 2>&1; then
  wanted=$apt_build
  [ "$purpose" = test ] && wanted="$apt_build $apt_test"
  [ "$purpose" = bench ] && wanted="$apt_build $apt_bench"
  [ "$purpose" = valgrind ] && wanted="$apt_build valgrind"
  if [ "$purpose" = static ]; then
    wanted=$apt_static
    case ${2:-$(uname -m)}-on-$(uname -m) in
      aarch64-on-x86_64)
        wanted="$wanted gcc-aarch64-linux-gnu libc6-dev-arm64-cross linux-libc-dev-arm64-cross qemu-user-static"
        ;;
      x86_64-on-aarch64)
        wanted="$wanted gcc-x86-64-linux-gnu libc6-dev-amd64-cross linux-libc-dev-amd64-cross qemu-user-static"
        ;;
    esac
  fi
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
elif [ "$purpose" = static ]; then
  say "the static build takes Debian's source packages through apt; run it on Debian or Ubuntu"
  exit 69
elif command -v dnf >/dev/null 2>&1; then
  wanted=$dnf_build
  [ "$purpose" = test ] && wanted="$dnf_build $dnf_test"
  [ "$purpose" = valgrind ] && wanted="$dnf_build valgrind"
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
  say "files of GLib, libarchive, libcurl, OpenSSL, inih, jansson, libsecret and zlib; then run make"
  exit 69
fi
