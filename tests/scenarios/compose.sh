#!/bin/bash
# Takes the compose step through a real engine: start, second run, unhealthy, somebody else's
# project, undo.  Installs what it lacks (root, Debian or Ubuntu), starts an engine of its own on a
# private socket and directory, and ends it.
#
#   tests/scenarios/compose.sh DRIVER
#
# DRIVER is tests/drive_installer_step.  The compose plugin is kept in $SLIPWAY_TEST_CACHE
# (build/cache).
# shellcheck disable=SC2016,SC2317 # programs for other shells; functions that check() calls
set -euo pipefail

driver=$(readlink -f "${1:?usage: tests/scenarios/compose.sh DRIVER}")
cache=$(mkdir -p "${SLIPWAY_TEST_CACHE:-build/cache}" && readlink -f "${SLIPWAY_TEST_CACHE:-build/cache}")
work=$(mktemp -d)
engine=
failures=0
passes=0
export DOCKER_HOST=unix://$work/docker.sock DOCKER_CONFIG=$work/config

cleanup() {
  if [ -n "$engine" ]; then
    docker ps -aq | xargs -r docker rm -f >/dev/null 2>&1 || true
    kill "$engine" 2>/dev/null || true
    wait "$engine" 2>/dev/null || true
  fi
  umount "$work"/exec/netns/* 2>/dev/null || true
  rm -rf "$work"
}
trap cleanup EXIT

die() {
  echo "$*" >&2
  exit 1
}

mirror() {
  sed -n 's/^URIs: *//p; s/^deb \(\[[^]]*\] \)*\([^ ]*\) .*/\2/p' \
    /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null | head -1
}

# The plugin of Debian 13 runs on Debian 12 as it is; it is unpacked, not installed.
fetch_plugin() {
  local lists=$cache/trixie
  [ -x "$cache/docker-compose" ] && return
  mkdir -p "$lists/lists/partial" "$lists/cache/archives/partial"
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $(mirror) trixie main" >"$lists/sources.list"
  local options="-o Dir::Etc::sourcelist=$lists/sources.list -o Dir::Etc::sourceparts=-
    -o Dir::State::lists=$lists/lists -o Dir::Cache=$lists/cache -o APT::Get::List-Cleanup=0
    -o Acquire::Languages=none -o APT::Sandbox::User=root"
  # shellcheck disable=SC2086 # a list of words
  (cd "$lists" && apt-get $options update -qq && apt-get $options download -qq docker-compose)
  dpkg -x "$lists"/docker-compose_*.deb "$lists/unpacked"
  cp "$lists/unpacked/usr/libexec/docker/cli-plugins/docker-compose" "$cache/docker-compose"
}

start_engine() {
  dockerd --host "$DOCKER_HOST" --data-root "$work/data" --exec-root "$work/exec" \
    --pidfile "$work/pid" --bridge none --iptables=false --ip6tables=false >"$work/dockerd.log" 2>&1 &
  engine=$!
  for _ in $(seq 300); do
    docker version >/dev/null 2>&1 && return
    kill -0 "$engine" 2>/dev/null || break
    sleep 0.1
  done
  tail -5 "$work/dockerd.log" >&2
  die "no engine"
}

make_image() {
  mkdir -p "$work/image/bin" "$work/image/www"
  cp /bin/busybox "$work/image/bin/busybox"
  echo hello >"$work/image/www/index.html"
  tar -c -C "$work/image" . | docker import - slipway-test:1 >/dev/null
}

project() { # project DIRECTORY HEALTH-COMMAND: a stack of one service with a volume
  mkdir -p "$1"
  cat >"$1/compose.yml" <<END
services:
  web:
    image: slipway-test:1
    command: ["/bin/busybox", "httpd", "-f", "-p", "127.0.0.1:\${PORT:?not set}", "-h", "/www"]
    init: false
    network_mode: host
    stop_grace_period: 1s
    volumes: ["data:/data"]
    healthcheck:
      test: ["CMD", "/bin/busybox", $2]
      interval: 1s
      retries: 2
volumes:
  data:
END
  echo 'PORT=18765' >"$1/env"
  printf '{"project":"slipway-test","directory":"%s","files":["compose.yml"],"env_file":"env","wait_s":"20"}\n' \
    "$1" >"$1.json"
}

check() {
  local name=$1
  shift
  if "$@" >"$work/check.log" 2>&1; then
    printf '%-50s ok\n' "$name"
    passes=$((passes + 1))
  else
    printf '%-50s FAIL\n' "$name"
    sed 's/^/    /' "$work/check.log" | tail -25
    failures=$((failures + 1))
  fi
}

probe_is() { [ "$("$driver" probe compose "$work/$1.txn" "$work/$1.json")" = "$2" ]; }
apply() { "$driver" apply compose "$work/$1.txn" "$work/$1.json"; }
undo() { "$driver" undo "$work/$1.txn"; }
containers() { docker ps -aq --filter label=com.docker.compose.project=slipway-test; }

comes_up() { probe_is good absent && apply good && probe_is good ours && [ -n "$(containers)" ]; }
probe_is_quick() {
  local start end
  start=$(date +%s%N)
  probe_is good ours
  end=$(date +%s%N)
  echo "$(((end - start) / 1000000)) ms"
  [ $((end - start)) -lt 200000000 ]
}
second_run_changes_nothing() {
  local before
  before=$(containers)
  apply good && [ "$(containers)" = "$before" ]
}
edit_is_seen() {
  echo '# a comment' >>"$work/good/compose.yml"
  probe_is good partial && apply good && probe_is good ours
}
stopped_is_seen() {
  containers | xargs docker stop >/dev/null
  probe_is good partial && apply good && probe_is good ours
}
foreign_is_left() {
  probe_is other foreign || return 1
  cp -r "$work/good.txn" "$work/other.txn"
  sed -i "s#$work/good#$work/other#g" "$work/other.txn/recipe.json"
  undo other >"$work/said" && grep -q 'left: containers of project slipway-test' "$work/said" &&
    [ -n "$(containers)" ]
}
goes_down() {
  rm -r "$work/good" # undo needs none of the files
  undo good >"$work/said" && cat "$work/said" && grep -q 'left: volume slipway-test_data' "$work/said" &&
    [ -z "$(containers)" ] && undo good
}
unhealthy_fails() {
  local got=0
  apply bad >"$work/said" 2>&1 || got=$?
  cat "$work/said"
  [ "$got" = 3 ] && grep -q unhealthy "$work/said" && undo bad && [ -z "$(containers)" ]
}
missing_image_fails() {
  sed -i 's/slipway-test:1/slipway-absent:1\n    pull_policy: never/' "$work/bad/compose.yml"
  local got=0
  apply bad >"$work/said" 2>&1 || got=$?
  cat "$work/said"
  [ "$got" = 69 ] && undo bad && [ -z "$(containers)" ]
}
no_engine() {
  local got=0
  local DOCKER_HOST=unix://$work/nobody.sock # exported, as it was outside
  probe_is bad absent || return 1
  apply bad >"$work/said" 2>&1 || got=$?
  cat "$work/said"
  [ "$got" = 69 ]
}
mute_engine() { # a socket that accepts and says nothing
  local got=0
  perl -e 'use Socket; socket(S, PF_UNIX, SOCK_STREAM, 0); bind(S, sockaddr_un($ARGV[0]));
    listen(S, 5); sleep 60' "$work/mute.sock" &
  local listener=$!
  until [ -S "$work/mute.sock" ]; do :; done
  DOCKER_HOST=unix://$work/mute.sock timeout 20 "$driver" probe compose "$work/bad.txn" "$work/bad.json" \
    >"$work/said" 2>&1 || got=$?
  kill "$listener" 2>/dev/null
  cat "$work/said"
  [ "$got" = 124 ]
}

[ "$(id -u)" = 0 ] || die "needs root"
command -v dockerd >/dev/null && [ -x /bin/busybox ] ||
  apt-get install -y -q --no-install-recommends docker.io iptables busybox-static ||
  die "cannot install an engine"
fetch_plugin
install -D -m 755 "$cache/docker-compose" "$DOCKER_CONFIG/cli-plugins/docker-compose"
start_engine
make_image
project "$work/good" '"wget", "-qO-", "http://127.0.0.1:18765/"'
project "$work/other" '"true"'
project "$work/bad" '"false"'

check 'comes up and is healthy' comes_up
check 'the probe is quick' probe_is_quick
check 'a second run changes nothing' second_run_changes_nothing
check 'an edit of the files is seen' edit_is_seen
check 'a stopped service is seen' stopped_is_seen
check "somebody else's project is left" foreign_is_left
check 'goes down without its files, data stays' goes_down
check 'an unhealthy service fails and is taken back' unhealthy_fails
check 'an image that is missing fails' missing_image_fails
check 'no engine' no_engine
check 'an engine that does not answer' mute_engine

echo "$passes passed, $failures failed"
[ "$failures" = 0 ]
