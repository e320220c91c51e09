#!/bin/sh
# packaging/install.sh - puts slipway on this machine: one program, checked before it is in place
#
#   curl --proto '=https' --tlsv1.2 -fsSL URL/install.sh | sh -s -- [OPTION...] [COMMAND...]
#
# It never uses sudo and edits no file of yours.  All of it stands in one { group }, which a shell
# reads to the end before it runs any of it: of a download that was cut off, nothing runs.
#
# SPDX-License-Identifier: Apache-2.0
{
set -eu
release_url='https://slipway.example/releases' # "make release" stamps both
release_keys=''

newline='
'
stamped_url=$release_url release_url=${SLIPWAY_RELEASE_URL:-$release_url}
dir=${SLIPWAY_INSTALL_DIR:-}
ca_bundle=${SLIPWAY_CA_BUNDLE:-${CURL_CA_BUNDLE:-${SSL_CERT_FILE:-}}}
action=install asked='' signature='' dry_run='' force='' verifier='' work='' stage='' made=''

usage() {
  cat <<'END'
usage: install.sh [OPTION...] [COMMAND...]

Downloads slipway, checks it, puts it in place and hands COMMAND to it, as "install localagent
--yes".  A second run brings it up to date, or changes nothing.

  --version X          that version instead of the newest
  --dir DIR            put it there (SLIPWAY_INSTALL_DIR); otherwise where it is already, or
                       /usr/local/bin when that can be written, or ~/.local/bin
  --release-url URL    a mirror of the releases (SLIPWAY_RELEASE_URL)
  --ca-bundle FILE     certificates to trust instead of the system's (SLIPWAY_CA_BUNDLE)
  --require-signature  stop where nothing can check a signature; openssl 3, minisign and an earlier
                       slipway can.  One that is wrong always stops
  --dry-run            say what would be done, and change nothing
  --uninstall          remove what this script put here; keys and settings stay
  --force              with --uninstall: even while stacks are installed
END
}

say() { printf 'slipway: %s\n' "$@" >&2; }

fail() { # STATUS LINE...
  status=$1 && shift
  say "$@"
  [ "$status" -eq 64 ] || say "nothing was changed on this machine"
  exit "$status"
}

# Ends what was begun: the temporary directories, and the directories made for nothing.
clean_up() {
  rm -rf ${work:+"$work"} ${stage:+"$stage"}
  remove_directories "$made"
}

remove_directories() { # LINES "made DIRECTORY", the outermost first
  printf '%s\n' "$1" | sed -n '1!G;h;$p' | while IFS= read -r line; do
    rmdir "${line#made }" 2>/dev/null || true
  done
}

make_directory() { # DIRECTORY UMASK; what was missing is added to $made
  missing='' place=$1
  while [ ! -e "$place" ]; do
    missing="made $place$newline$missing"
    place=${place%/*} place=${place:-/}
  done
  made=$made$missing
  (umask "$2" && mkdir -p "$1") || fail 73 "cannot make $1"
}

limited() { if command -v timeout >/dev/null; then timeout "$@"; else shift && "$@"; fi; }
printable() { tr -cd '[:print:]\n'; }
digest() { sha256sum <"$1" | cut -c 1-64; }
recorded() { [ ! -f "$record" ] || sed -n "s/^$1 //p" "$record"; }

# --- what is asked, and where ---------------------------------------------------

parse_options() {
  while [ $# -gt 0 ]; do
    case $1 in --version | --dir | --release-url | --ca-bundle)
      [ -n "${2:-}" ] || fail 64 "$1 needs a value; see --help" ;;
    esac
    case $1 in
    --version=* | --dir=* | --release-url=* | --ca-bundle=*)
      name=${1%%=*} value=${1#*=} && shift
      set -- "$name" "$value" "$@" && continue
      ;;
    --version) asked=${2#v} && shift ;;
    --dir) dir=$2 && shift ;;
    --release-url) export SLIPWAY_RELEASE_URL="$2" && release_url=$2 && shift ;;
    --ca-bundle) export SLIPWAY_CA_BUNDLE="$2" && ca_bundle=$2 && shift ;;
    --require-signature) signature=required ;;
    --dry-run) dry_run=yes ;;
    --uninstall) action=uninstall ;;
    --force) force=yes ;;
    --help | -h) usage && exit 0 ;;
    --) shift && break ;;
    -*) fail 64 "there is no option $1; see --help" ;;
    *) break ;;
    esac
    shift
  done
  handed_over=$#
  release_url=${release_url%/}
  case $release_url in
  *[!0-9A-Za-z:/@%._~+=-]*) fail 64 "the address of the releases has a strange character" ;;
  https://?*) host=${release_url#https://} host=${host%%/*} host=${host##*@} ;;
  *) fail 64 "the address of the releases has to begin with https://" ;;
  esac
  case $asked in *[!0-9A-Za-z.+-]* | [!0-9]*) fail 64 "$asked is not a version" ;; esac
  [ -z "$ca_bundle" ] || [ -r "$ca_bundle" ] || fail 78 "cannot read the certificates in $ca_bundle"
}

find_platform() {
  case $(uname -s) in
  Linux) ;;
  Darwin) fail 69 "there is no ready program for macOS; Homebrew builds it: brew install slipway" ;;
  *) fail 69 "there is no slipway for $(uname -s), only for Linux and macOS" ;;
  esac
  case $(uname -m)/$(getconf LONG_BIT 2>/dev/null || echo 64) in
  */32) fail 69 "this is a 32-bit system; there is a slipway for 64-bit x86_64 and aarch64 only" ;;
  x86_64/* | amd64/*) platform=linux-x86_64 ;;
  aarch64/* | arm64/*) platform=linux-aarch64 ;;
  *) fail 69 "there is no slipway for $(uname -m), only for x86_64 and aarch64" ;;
  esac
}

find_target() {
  data=${HOME:+$HOME/.local/share} user=$(id -u)
  [ "$user" -ne 0 ] || data=/var/lib
  case ${XDG_DATA_HOME:-} in /*) data=$XDG_DATA_HOME ;; esac
  record=${data:+$data/slipway/install-record}
  old_path=$(recorded path)
  if [ -z "$dir" ] && [ -e "$old_path" ]; then
    dir=${old_path%/*}
  elif [ -z "$dir" ] && { [ -w /usr/local/bin ] || [ "$user" -eq 0 ]; }; then
    dir=/usr/local/bin
  fi
  dir=${dir:-${HOME:+$HOME/.local/bin}}
  case $dir in
  '') fail 78 "HOME is not set; say where with --dir" ;;
  *"$newline"*) fail 64 "a directory with a line break in its name will not do" ;;
  /*) ;;
  *) dir=$(pwd)/$dir ;;
  esac
  dir=${dir%/} target=${dir%/}/slipway
}

owner() { # prints the command that updates the target, if a package manager owns it
  real=$(cd "$dir" 2>/dev/null && pwd -P) || return 0
  if [ -f "$real/../lib/slipway/installed-by" ]; then
    head -n 1 "$real/../lib/slipway/installed-by" | printable
  elif dpkg -S "$real/slipway" >/dev/null 2>&1; then
    echo "apt-get install --only-upgrade slipway"
  elif rpm -qf "$real/slipway" >/dev/null 2>&1; then
    echo "dnf upgrade slipway"
  elif pacman -Qo "$real/slipway" 2>/dev/null | grep -q 'is owned by'; then
    echo "pacman -Syu slipway"
  elif apk info --who-owns "$real/slipway" 2>/dev/null | grep -q 'is owned by'; then
    echo "apk upgrade slipway"
  fi
}

check_target() {
  owner=$(owner)
  [ -z "$owner" ] || fail 77 "a package manager keeps $target; its command is: $owner"
  for file in "$target" "$target.prev"; do
    if [ -h "$file" ] || { [ -e "$file" ] && [ ! -f "$file" ]; }; then
      fail 73 "$file is not a plain file; remove it, or choose another place with --dir"
    fi
  done
  [ ! -e "$target" ] || [ "$target" = "$old_path" ] || answers_version "$target" '[0-9].*' ||
    fail 73 "$target is there and is not slipway; choose another place with --dir"
  place=${dir:-/}
  while [ ! -e "$place" ]; do place=${place%/*} place=${place:-/}; done
  [ -d "$place" ] || fail 73 "$place is not a directory"
  [ -w "$place" ] || fail 77 "$place cannot be written; choose another place with --dir"
}

answers_version() { # FILE PATTERN
  limited 20 "$1" version 2>/dev/null | grep -q "^slipway $2\( .*\)\{0,1\}\$"
}

# --- getting and checking -------------------------------------------------------

find_tools() {
  command -v sha256sum >/dev/null || fail 69 "sha256sum is missing: install coreutils"
  if openssl_works; then
    verifier=openssl
  elif command -v minisign >/dev/null && command -v base64 >/dev/null; then
    verifier=minisign
  elif [ -f "$target" ] &&
    limited 20 "$target" help update 2>/dev/null | grep -q -e --verify-manifest; then
    verifier=slipway
  elif [ "$signature" = required ] || [ "$release_url" != "$stamped_url" ]; then
    fail 69 "nothing here can check a signature: install openssl 3 or minisign"
  fi
  # wget can't be held to https, and a small one may not look at certificates: what it brings is
  # believed for its signature only.
  if ! command -v curl >/dev/null; then
    command -v wget >/dev/null || fail 69 "there is neither curl nor wget here: install curl"
    [ -n "$verifier" ] ||
      fail 69 "wget is not enough where nothing can check a signature: install curl or openssl 3"
  fi
}

download() { # URL LIMIT SECONDS
  if command -v curl >/dev/null; then
    curl -q --proto '=https' --proto-redir '=https' --tlsv1.2 --fail --location --max-redirs 5 \
      --silent --show-error --connect-timeout 15 --speed-limit 1024 --speed-time 30 \
      --max-time "$3" --max-filesize "$2" ${ca_bundle:+--cacert "$ca_bundle"} --url "$1"
  elif wget --version 2>/dev/null | grep -q '^GNU Wget'; then
    limited "$3" wget --no-config -nv --tries=1 --max-redirect=5 --timeout=30 --no-hsts \
      ${ca_bundle:+--ca-certificate="$ca_bundle"} -O - "$1"
  else
    limited "$3" wget -q -T 30 -O - "$1"
  fi
}

# The bytes are counted here, because a server need not say how many it sends.
fetch() { # PATH LIMIT SECONDS FILE
  for try in 1 2 3; do
    echo 0 >"$work/status" || fail 74 "cannot write in $work"
    { download "$release_url/$1" "$2" "$3" 2>"$work/error" || echo $? >"$work/status"; } |
      head -c "$(($2 + 1))" >"$4" || fail 74 "cannot write $4; is the disk full?"
    got=$(cat "$work/status")
    if [ "$(wc -c <"$4")" -gt "$2" ] || [ "$got" -eq 63 ]; then # 63: so curl was told beforehand
      fail 65 "$1 from $host is longer than it may be"
    fi
    case $got in
    0) return 0 ;;
    4 | 6 | 7 | 18 | 5[256]) ;;
    *) grep -Eq ' (408|429|5[0-9][0-9])( |:|$)' "$work/error" || break ;;
    esac
    [ "$try" -eq 3 ] || sleep "$try"
  done
  why=$(grep -v '^https:' "$work/error" | head -n 1 | printable)
  case $got in 28 | 124 | 143) fail 124 "$1 did not come from $host in time: $why" ;; esac
  fail 69 "cannot get $1 from $host: ${why:-status $got}"
}

unhex() { # HEX, as bytes
  # shellcheck disable=SC2046 # one word a byte
  printf %b "$(printf '\\0%o' $(printf %s "$1" | sed 's/../ 0x&/g'))"
}

openssl_accepts() { # KEY_HEX SIGNATURE_FILE MESSAGE_FILE
  unhex "302a300506032b6570032100$1" >"$work/key"
  openssl pkeyutl -verify -pubin -keyform DER -inkey "$work/key" -rawin -in "$3" -sigfile "$2" \
    >/dev/null 2>&1
}

openssl_works() { # the second test of RFC 8032, section 7.1: that message and no other
  test_key=3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c
  test_r=92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da
  test_s=085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00
  unhex "$test_r$test_s" >"$work/signature" && printf r >"$work/right" && printf s >"$work/wrong"
  openssl_accepts "$test_key" "$work/signature" "$work/right" &&
    ! openssl_accepts "$test_key" "$work/signature" "$work/wrong"
}

signed_for_openssl() {
  { printf 'slipway-manifest-v1\000' && cat "$manifest"; } >"$work/message"
  while read -r kind _ text; do
    [ "$kind" = ed25519 ] || continue
    printf '%s\n' "$text" | openssl base64 -d -A >"$work/signature" 2>/dev/null || continue
    for key in $release_keys; do
      ! openssl_accepts "$key" "$work/signature" "$work/message" || return 0
    done
  done <"$manifest.sig"
  return 1
}

signed_for_minisign() {
  for key in $release_keys; do
    unhex "$key" >"$work/key"
    id=$(digest "$work/key" | cut -c 1-16)
    public=$({ printf Ed && unhex "$id$key"; } | base64 | tr -d '\n')
    ! minisign -V -H -q -P "$public" -m "$manifest" -x "$manifest.sig" >/dev/null 2>&1 || return 0
  done
  return 1
}

check_signature() {
  case $verifier in
  openssl) fetch "$path.sig" 16384 60 "$manifest.sig" && signed_for_openssl ;;
  minisign) fetch "$path.minisig" 16384 60 "$manifest.sig" && signed_for_minisign ;;
  slipway)
    fetch "$path.sig" 16384 60 "$manifest.sig"
    limited 20 "$target" update --verify-manifest "$manifest" >/dev/null 2>&1
    ;;
  *) return 0 ;;
  esac || fail 76 "the signature of $path from $host is wrong, says $verifier" \
    "somebody may have changed it on the way; do not use this address"
}

field() { sed -n "s/^  \"$1\": \"\{0,1\}\([0-9A-Za-z.:+-]*\)\"\{0,1\},\$/\1/p" "$manifest"; }

get_manifest() {
  manifest=$work/manifest.json path=${asked:+v$asked/}manifest.json
  fetch "$path" 262144 60 "$manifest"
  [ "$(head -c 2 "$manifest" | tr '\n' .)" = "{." ] || fail 65 \
    "$host answers with something else than a manifest; does this network want a log-in first?"
  check_signature
  version=$(field version) serial=$(field serial) expires=$(field expires)
  case $version in '' | [!0-9]* | *[!0-9A-Za-z.+-]*) fail 65 "$path has no version" ;; esac
  case $serial in '' | *[!0-9]* | ??????????*) fail 65 "$path has no serial number" ;; esac
  case $expires in 20??-??-??T??:??:??Z) ;; *) fail 65 "$path has no date of expiry" ;; esac
  grep -qx '  "schema": 1,' "$manifest" || fail 65 "$path is in a form for a later install.sh"
  name=slipway-$version-$platform
  line=$(sed -n "s|^ *{\"kind\": \"program\", \"platform\": \"$platform\", \"name\": \"$name\", \
\"path\": \"v$version/$name\", \"size\": \([0-9]\{1,8\}\), \
\"sha256\": \"\([0-9a-f]\{64\}\)\"},\{0,1\}\$|\1 \2|p" "$manifest")
  case $line in *"$newline"* | '') fail 65 "$path offers no program for $platform" ;; esac
  size=${line% *} sha256=${line#* }
}

check_age() { # against what was seen before, and against the clock
  now=$(date -u +%Y-%m-%dT%H:%M:%SZ)
  seen=${XDG_STATE_HOME:-${HOME:-}/.local/state}/slipway/update/seen.json # of "slipway update"
  old_serial=$({
    recorded serial
    sed -n 's/.*"serial": \([0-9]*\).*/\1/p' "$seen" 2>/dev/null
  } | sort -n | tail -n 1)
  [ -z "$asked" ] || [ "$asked" = "$version" ] || fail 76 "$path from $host is for $version"
  if [ "$(recorded version)" = "$version" ] && [ "$(recorded sha256)" != "$sha256" ]; then
    fail 76 "slipway $version from $host is not the $version that was installed here before"
  fi
  [ -z "$asked" ] || return 0
  [ "$(printf '%s\n' "$now" "$expires" | sort | head -n 1)" = "$now" ] ||
    fail 76 "what $host calls the newest release was good until $expires" \
      "the address is stale, or the clock here is wrong; --version $version takes it all the same"
  [ "$serial" -ge "${old_serial:-0}" ] ||
    fail 76 "$host offers $version, which is older than what was installed here before;" \
      "--version $version takes it all the same"
}

# --- putting it in place --------------------------------------------------------

get_program() {
  fetch "v$version/$name" "$size" "$((size / 16384 + 60))" "$work/slipway"
  [ "$(digest "$work/slipway")" = "$sha256" ] ||
    fail 76 "$name from $host is not what the manifest says: its SHA-256 differs"
}

# Staged in the directory itself, so that a rename puts it there at once; started there first.
place_program() {
  make_directory "$dir" 022
  [ -z "$record" ] || make_directory "${record%/*}" 077
  stage=$(mktemp -d "$dir/.slipway.XXXXXXXX") || fail 73 "cannot make a file in $dir"
  { cp "$work/slipway" "$stage/slipway" && chmod 755 "$stage/slipway"; } ||
    fail 74 "cannot write in $dir; is the disk full?"
  answers_version "$stage/slipway" "$version" ||
    fail 73 "the new program does not start in $dir; is that mounted noexec? Choose another --dir"
  sync "$stage/slipway" 2>/dev/null || sync
  if [ -e "$target" ]; then
    { cp -p "$target" "$stage/prev" && mv -f "$stage/prev" "$target.prev"; } ||
      fail 74 "cannot keep the earlier program as $target.prev"
  fi
  mv -f "$stage/slipway" "$target" || fail 73 "cannot put the program at $target"
  sync "$dir" 2>/dev/null || true
}

write_record() {
  [ -n "$record" ] || return 0
  old_made=$(recorded made | sed 's/^/made /')
  [ "$serial" -ge "${old_serial:-0}" ] || serial=$old_serial
  { printf '%s\n' "version $version" "serial $serial" "sha256 $sha256" "path $target" \
    ${old_made:+"$old_made"} ${made:+"${made%"$newline"}"} >"$record.new" &&
    mv -f "$record.new" "$record"; } || say "cannot write $record"
}

advise_path() {
  case :$PATH: in *:"$dir":*)
    found=$(command -v slipway) || found=$target
    [ "$found" = "$target" ] || say "but another one comes first in PATH: $found"
    return 0 ;;
  esac
  say "$dir is not in PATH; this adds it:"
  quoted=$dir
  case $dir in *[!0-9A-Za-z/._+-]*) quoted=\'$(printf %s "$dir" | sed "s/'/'\\\\''/g")\' ;; esac
  case ${SHELL:-} in
  */fish) say "  fish_add_path $quoted" ;;
  */zsh) say "  export PATH=$quoted:\$PATH    (for good: in ~/.zshrc)" ;;
  */bash) say "  export PATH=$quoted:\$PATH    (for good: in ~/.bashrc)" ;;
  *) say "  export PATH=$quoted:\$PATH    (for good: in ~/.profile)" ;;
  esac
}

install_slipway() {
  [ -n "$release_keys" ] ||
    fail 78 "this install.sh is from the source tree and knows no release keys; use a release's"
  find_platform
  check_target
  if [ -n "$asked" ] && [ "$(recorded version)" = "$asked" ] && [ -f "$target" ] &&
    [ "$(digest "$target")" = "$(recorded sha256)" ]; then
    say "slipway $asked is at $target already; nothing to do"
    return 0
  fi
  find_tools
  proxy=${https_proxy:-${HTTPS_PROXY:-${all_proxy:-${ALL_PROXY:-}}}}
  [ -z "$proxy" ] || export https_proxy="$proxy" # wget does not know the other names
  say "asking $host for ${asked:-the newest release}, $platform${proxy:+, proxy ${proxy##*@}}"
  get_manifest
  check_age
  checked="signature checked with $verifier"
  [ -n "$verifier" ] || checked="signature NOT checked, for want of openssl 3 or minisign"
  if [ -f "$target" ] && [ "$(digest "$target")" = "$sha256" ]; then
    say "slipway $version is at $target already; nothing to do"
  elif [ -n "$dry_run" ]; then
    say "would put slipway $version ($size bytes; $checked) at $target"
  else
    get_program
    place_program
    write_record
    made='' # is to stay
    say "$checked, SHA-256 checked" "slipway $version is at $target"
    [ ! -e "$target.prev" ] || say "the one before is at $target.prev"
    advise_path
  fi
}

uninstall_slipway() {
  [ "$handed_over" -eq 0 ] || fail 64 "--uninstall takes no command"
  [ -e "$target" ] || [ "$target" = "$old_path" ] || {
    say "there is no slipway at $target; nothing to do"
    return 0
  }
  check_target
  if [ -e "$target" ] && [ -z "$force" ]; then
    state=$(limited 20 "$target" status --json 2>/dev/null) ||
      fail 64 "$target does not say what is installed; --force removes it all the same"
    stacks=$(printf '%s\n' "$state" |
      sed -n '/^  "stacks": {$/,/^  }/s/^    "\([^"]*\)": {$/  slipway uninstall \1/p')
    [ -z "$stacks" ] || fail 64 "stacks are installed; first (or --force):" "$stacks"
  fi
  if [ -n "$dry_run" ]; then
    say "would remove $target"
    return 0
  fi
  rm -f "$target" "$target.prev" || fail 73 "cannot remove $target"
  if [ "$target" = "$old_path" ]; then
    made=$(recorded made | sed 's/^/made /')
    rm -f "$record"
    remove_directories "$made"
  fi
  say "removed $target; keys, settings and what slipway remembers of its runs stay"
}

hand_over() { # COMMAND...
  umask "$original_umask"
  export LC_ALL="$original_locale"
  [ -n "$LC_ALL" ] || unset LC_ALL
  if [ -z "${CI:-}" ] && [ -t 2 ] && (: </dev/tty) 2>/dev/null; then
    exec "$target" "$@" </dev/tty
  fi
  exec "$target" "$@"
}

main() {
  parse_options "$@"
  shift "$(($# - handed_over))"
  original_umask=$(umask) original_locale=${LC_ALL:-}
  umask 077
  export LC_ALL=C
  exec </dev/null # this script was read to its end; nobody shall take its place as input
  trap clean_up EXIT
  trap 'exit 129' HUP
  trap 'exit 130' INT
  trap 'exit 143' TERM
  find_target
  work=$(mktemp -d "${TMPDIR:-/tmp}/slipway.XXXXXXXX") || fail 73 "no temporary directory"
  if [ "$action" = uninstall ]; then uninstall_slipway; else install_slipway; fi
  [ "$handed_over" -gt 0 ] || return 0
  if [ -n "$dry_run" ]; then
    say "would run: slipway $*"
  else
    clean_up
    hand_over "$@"
  fi
}

main "$@"
exit
}
