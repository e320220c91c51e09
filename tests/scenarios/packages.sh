#!/bin/bash
# Takes the packages step through a real apt, in throw-away roots of each suite: what it installs
# and takes back, who holds a lock, what was interrupted, what it may not touch.  Needs root,
# mmdebstrap and the package mirror of this machine's own apt sources.
#
#   tests/scenarios/packages.sh DRIVER [SUITE...]
#
# DRIVER is tests/drive_installer_step.  Root file systems are kept in $SLIPWAY_TEST_CACHE
# (build/cache).
# shellcheck disable=SC2016,SC2317 # programs for other shells; functions that check() calls
set -euo pipefail

driver=$(readlink -f "${1:?usage: tests/scenarios/packages.sh DRIVER [SUITE...]}")
shift
suites=${*:-bookworm trixie}
cache=$(mkdir -p "${SLIPWAY_TEST_CACHE:-build/cache}" && readlink -f "${SLIPWAY_TEST_CACHE:-build/cache}")
work=$(mktemp -d)
root=
failures=0
passes=0

# What apt changes by itself: the "managers_side_effects" of the step, and what is ours to ignore;
# the last is litter of an apt that was killed.
side_effects='var/lib/apt var/cache/apt var/lib/dpkg var/log/apt var/log/dpkg.log
  var/log/alternatives.log var/cache/debconf var/cache/ldconfig etc/ld.so.cache proc drive txn
  tmp/apt-dpkg-install-*'

# Ends what runs in a root of ours, and nothing else.
kill_inside() {
  local process
  for process in /proc/[0-9]*; do
    [ "$(readlink "$process/root" 2>/dev/null)" = "$1" ] || continue
    kill -9 "${process#/proc/}" 2>/dev/null || true
  done
}

discard() {
  [ -n "$root" ] || return 0
  kill_inside "$root"
  umount "$root/proc" 2>/dev/null || true
  umount "$root" 2>/dev/null || true
  rm -rf "$root" "$work/upper" "$work/scratch"
  root=
}

cleanup() {
  discard
  rm -rf "$work"
}
trap cleanup EXIT

say() { printf '%-8s %-50s %s\n' "$suite" "$1" "$2"; }

check() { # check NAME COMMAND...
  local name=$1
  shift
  if "$@" >"$work/check.log" 2>&1; then
    say "$name" ok
    passes=$((passes + 1))
  else
    say "$name" FAIL
    sed 's/^/    /' "$work/check.log" | tail -25
    failures=$((failures + 1))
  fi
}

mirror() {
  sed -n 's/^URIs: *//p; s/^deb \(\[[^]]*\] \)*\([^ ]*\) .*/\2/p' \
    /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null | head -1
}

# A minimal system with git's packages downloaded, so that all cases after that need no network.
make_cache() {
  [ -s "$cache/packages-$suite.tar" ] && return
  echo "making $cache/packages-$suite.tar"
  mmdebstrap --quiet --variant=minbase --mode=root --include=ca-certificates,sudo --skip=cleanup/apt/lists \
    --customize-hook='cp /etc/resolv.conf "$1/etc/"' \
    --customize-hook='chroot "$1" apt-get -y -qq -d --no-install-recommends install git >/dev/null' \
    --skip=cleanup/apt/cache --skip=cleanup/apt \
    "$suite" "$cache/packages-$suite.part.tar" "deb $(mirror) $suite main"
  mv "$cache/packages-$suite.part.tar" "$cache/packages-$suite.tar"
}

# The suite's system with the driver in it; each root is a layer above it.
make_base() {
  rm -rf "$work/base"
  mkdir -p "$work/base/drive/lib"
  tar -xf "$cache/packages-$suite.tar" -C "$work/base" --exclude='./dev/*'
  cp "$driver" "$work/base/drive/drive"
  ldd "$driver" | awk '$3 ~ "^/" { print $3 }' | xargs -I{} cp -L {} "$work/base/drive/lib/"
  cp -L "$(ldd "$driver" | awk '/ld-/ { print $1 }')" "$work/base/drive/ld.so"
  chmod -R a+rX "$work/base/drive"
  mknod -m 666 "$work/base/dev/null" c 1 3
  mknod -m 666 "$work/base/dev/urandom" c 1 9
  ln -s /proc/self/fd "$work/base/dev/fd"
  root=$work/base remember >"$work/untouched"
}

fresh() {
  discard
  root=$work/root
  mkdir "$root" "$work/upper" "$work/scratch"
  mount -t overlay slipway -o "lowerdir=$work/base,upperdir=$work/upper,workdir=$work/scratch" "$root" \
    2>/dev/null || cp -a "$work/base/." "$root"
  mount -t proc proc "$root/proc"
  cp "$work/untouched" "$work/before"
}

inside() { chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 "$@"; }
drive() { inside /drive/ld.so --library-path /drive/lib /drive/drive "$@"; }
# inputs FILE TOOL PACKAGE: what the planner would make
inputs() {
  local tool=
  [ -z "$2" ] || tool="{\"name\":\"$2\"}"
  printf '{"manager":"apt","tools":[%s],"packages":["%s"],"lock_timeout_s":5}\n' "$tool" "$3" >"$1"
}
install() { # install TOOL PACKAGE
  inputs "$root/drive/inputs.json" "$1" "$2"
  drive apply packages /txn /drive/inputs.json
}
apply() { install git git; }
undo() { drive undo /txn; }

# Every name, mode, owner, link and content, then the packages and their marks.
remember() {
  local path prune=
  set -f
  for path in $side_effects; do prune="$prune -path ./$path -o"; done
  # shellcheck disable=SC2086
  (cd "$root" && find . -xdev \( ${prune% -o} \) -prune -o \
    -printf '%p %M %U:%G %l\n' \( -type f -exec md5sum {} + -o -true \) | sort)
  inside dpkg-query -W -f '${Package} ${Version} ${db:Status-Abbrev}\n'
  inside apt-mark showmanual
  set +f
}

is_as_before() {
  remember >"$work/after"
  diff "$work/before" "$work/after"
}

ends_with() { # ends_with STATUS TEXT COMMAND...: that status, and that text somewhere in it
  local want=$1 text=$2 got=0
  shift 2
  "$@" >"$work/said" 2>&1 || got=$?
  cat "$work/said"
  echo "status $got, wanted $want with \"$text\""
  [ "$got" = "$want" ] && grep -q -- "$text" "$work/said"
}

whole_cycle() {
  apply && inside git --version && undo && is_as_before && undo && is_as_before
}

# Kills everything in the root as soon as dpkg's log says so.
apply_until() {
  apply >"$work/apply.log" 2>&1 &
  local job=$!
  until grep -q "$1" "$root/var/log/dpkg.log" 2>/dev/null; do
    kill -0 "$job" 2>/dev/null || break
  done
  kill_inside "$root"
  wait "$job" && return 1
  return 0
}

killed_then_undone() { fresh && apply_until "$1" && undo && is_as_before; }
killed_then_finished() {
  fresh && apply_until "$1" && apply && inside git --version && undo && is_as_before
}

# hold LOCK SECONDS: a lock as dpkg takes it
hold() {
  inside perl -e 'use Fcntl; open F, "+>>", $ARGV[0] or die $!;
    my $lock = pack("s s x4 q q i x4", F_WRLCK, 0, 0, 0, 0);
    fcntl(F, F_SETLK, $lock) or die $!;
    $| = 1; print "held\n"; sleep $ARGV[1];' "$@"
}

# hold_in_background LOCK SECONDS: returns when the lock is taken; $holder is the process
hold_in_background() {
  : >"$work/held"
  hold "$@" >"$work/held" &
  holder=$!
  until grep -q held "$work/held"; do kill -0 "$holder" || return 1; done
}

busy_then_free() { # the holder goes away in time
  hold_in_background "$1" 2 &&
    ends_with 0 'waiting for perl (process [0-9]*), which holds' apply
}

busy_too_long() {
  local got=0
  hold_in_background "$1" 600 || return 1
  ends_with 75 'perl (process [0-9]*) holds' apply || got=1
  kill_inside "$root"
  wait "$holder" 2>/dev/null || true
  [ "$got" = 0 ] && is_as_before
}

forge_interruption() {
  fresh
  sed -n '1,/^$/p' "$root/var/lib/dpkg/status" >"$root/var/lib/dpkg/updates/0001"
  ends_with 69 'sudo dpkg --configure -a' apply && [ -e "$root/var/lib/dpkg/updates/0001" ]
}

# small_package NAME [CONTROL-LINE]: a package of nothing, put into the root's /deb
small_package() {
  mkdir -p "$root/deb/$1/DEBIAN"
  printf 'Package: %s\nVersion: 1\nArchitecture: all\nMaintainer: t <t@localhost>\nDescription: t\n%s\n' \
    "$1" "${2:-}" | sed '/^$/d' >"$root/deb/$1/DEBIAN/control"
  inside dpkg-deb -b "/deb/$1" "/deb/$1.deb"
}

needed_by_another() {
  fresh && apply && small_package wants-git 'Depends: git' && inside dpkg -i /deb/wants-git.deb &&
    ends_with 0 'left: package git: another package needs it' undo &&
    inside git --version && inside dpkg -s wants-git
}

wanted_by_hand() {
  fresh && apply && inside apt-mark manual git-man &&
    ends_with 0 'left: package git-man: somebody asked for it' undo &&
    inside dpkg -s git-man && ! inside dpkg -s git
}

configuration_edited() {
  fresh && apply && echo '# mine' >>"$root/etc/bash_completion.d/git-prompt" &&
    ends_with 0 'left: /etc/bash_completion.d/git-prompt: changed' undo &&
    grep -q '# mine' "$root/etc/bash_completion.d/git-prompt"
}

mark_restored() {
  fresh && inside apt-mark auto ca-certificates && remember >"$work/before" &&
    install '' ca-certificates && inside apt-mark showmanual | grep -qx ca-certificates &&
    undo && is_as_before
}

unknown_package() { fresh && ends_with 69 'nosuchpackage' install '' nosuchpackage && is_as_before; }
unverified() { fresh && ends_with 3 'does not answer' install jq git-man && undo && is_as_before; }
full_lists() {
  fresh && rm -rf "$root"/var/lib/apt/lists/*_* && echo 'deb [trusted=yes] file:/nowhere ./' >"$root/etc/apt/sources.list" &&
    ends_with 69 '' apply
}

# as_user RULE COMMAND...: an ordinary user whom sudoers gives that
as_user() {
  local rule=$1
  shift
  fresh
  inside useradd -m dev
  [ -z "$rule" ] || printf 'dev ALL=(ALL) %s\n' "$rule" >"$root/etc/sudoers.d/dev"
  mkdir "$root/txn"
  inside chown dev /txn
  "$@"
}
user_drive() { inside setpriv --reuid dev --regid dev --clear-groups env HOME=/home/dev USER=dev /drive/ld.so --library-path /drive/lib /drive/drive "$@"; }
user_cycle() {
  inputs "$root/drive/inputs.json" git git
  user_drive acquire "$(user_drive commands git)" &&
    user_drive apply packages /txn/t /drive/inputs.json && inside git --version &&
    user_drive undo /txn/t && ! inside git --version
}
user_refused() { ends_with 77 "$1" user_drive acquire "$(user_drive commands git)"; }
no_new_privs() {
  ends_with 77 'no_new_privs' inside setpriv --no-new-privs --reuid dev --regid dev --clear-groups \
    /drive/ld.so --library-path /drive/lib /drive/drive acquire "$(user_drive commands git)"
}
no_sudo() { rm "$root/usr/bin/sudo" && user_refused 'there is no sudo program'; }

[ "$(id -u)" = 0 ] || { echo "needs root" >&2; exit 77; }
command -v mmdebstrap >/dev/null || apt-get install -y -q --no-install-recommends mmdebstrap

for suite in $suites; do
  make_cache
  make_base
  fresh
  check 'install, take back, the same tree' whole_cycle
  for point in 'status half-installed git-man' 'status unpacked libcurl3' 'status half-configured git:'; do
    check "killed at \"$point\", undone" killed_then_undone "$point"
  done
  for point in 'status half-installed git:' 'status installed git-man'; do
    check "killed at \"$point\", finished" killed_then_finished "$point"
  done
  fresh
  check 'gives up on the lists lock' busy_too_long /var/lib/apt/lists/lock
  check 'gives up on the frontend lock' busy_too_long /var/lib/dpkg/lock-frontend
  check 'waits for the frontend lock' busy_then_free /var/lib/dpkg/lock-frontend
  check "somebody else's interruption" forge_interruption
  check 'another package needs ours' needed_by_another
  check 'somebody asked for a dependency' wanted_by_hand
  check 'configuration was edited' configuration_edited
  check 'a mark is put back' mark_restored
  check 'unknown package' unknown_package
  check 'tool does not answer afterwards' unverified
  check 'no index to be had' full_lists
  check 'user, sudo for all' as_user 'NOPASSWD: ALL' user_cycle
  check 'user, sudo for apt-get alone' as_user 'NOPASSWD: /usr/bin/apt-get' user_cycle
  check 'user, sudo wants a password' as_user 'ALL' user_refused 'sudo wants a password'
  check 'user, no sudo' as_user '' user_refused 'sudo'
  check 'user, no_new_privs' as_user 'NOPASSWD: ALL' no_new_privs
  check 'user, no sudo program' as_user 'NOPASSWD: ALL' no_sudo
  discard
done

echo "$passes passed, $failures failed"
[ "$failures" = 0 ]
