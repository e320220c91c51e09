"""Keys for containers, on a real engine: PostgreSQL reads a file, Redis gets a variable from the shim,
LocalAgent's gateway reads files as a user of its own on a read-only root.  A fourth service is the
control: its key comes the usual way, from an env file, and has to be found wherever ours must not be.
"""
import contextlib
import json
import os
import pathlib
import re
import secrets
import shutil
import signal
import subprocess
import time
import unittest
import urllib.request

import engine
import rig

IMAGE = "handover-test"
STACK = "handover"
PACKAGES = ("redis-server", "postgresql", "python3-aiohttp", "busybox-static")
GATEWAY = rig.TOP / "payload/stacks/localagent/python"
USER = 4242

POSTGRES_ENTRY = """#!/bin/sh
# As the image of PostgreSQL does it: the password comes from the file that a variable names.
set -eu
bin=/usr/lib/postgresql/15/bin
install -d -o postgres -g postgres -m 700 /srv/data
if [ ! -s /srv/data/PG_VERSION ]; then
  cat "$POSTGRES_PASSWORD_FILE" >/dev/null
  install -o postgres -m 400 "$POSTGRES_PASSWORD_FILE" /dev/shm/password
  setpriv --reuid postgres --regid postgres --clear-groups "$bin/initdb" -D /srv/data -U postgres \\
    --auth-local=peer --auth-host=scram-sha-256 --pwfile=/dev/shm/password >/dev/null
  rm /dev/shm/password
fi
exec setpriv --reuid postgres --regid postgres --clear-groups "$bin/postgres" -D /srv/data \\
  -c listen_addresses=127.0.0.1 -c unix_socket_directories=/tmp
"""
# As many images do it: the key comes from a variable, and from nowhere else.
REDIS_ENTRY = """#!/bin/sh
printf 'requirepass %s\\nbind 127.0.0.1\\nsave ""\\n' "${REDIS_PASSWORD:?not set}" |
  exec /usr/bin/redis-server -
"""
GATEWAY_ENTRY = """#!/bin/sh
export PYTHONPATH=/app/src PYTHONDONTWRITEBYTECODE=1 LOCALAGENT_KEYS_DIR=/run/secrets
export LOCALAGENT_GATEWAY_HOST=0.0.0.0
exec python3 /app/lib/gateway.py
"""
PROVIDERS = {
    "/app/src/app/__init__.py": "",
    "/app/src/app/llm_providers/__init__.py": "",
    "/app/src/app/llm_providers/base_provider.py": "class CompletionRequest:\n    pass\n",
    "/app/src/app/llm_providers/provider_manager.py": """\
class ProviderManager:
    def __init__(self, config):
        self.providers = {}

    async def initialize_providers(self):
        pass

    def get_provider(self, name):
        return None
""",
}

STACK_INI = """\
[stack]
schema = 1
name = handover
title = Hand-over
version = 1
summary = keys for containers
prefix = ~/.handover

[key POSTGRES_PASSWORD]
kind = generated
title = the database
file-variable = POSTGRES_PASSWORD_FILE
services = postgres

[key CACHE_PASSWORD]
kind = required
title = the cache
variable = REDIS_PASSWORD
services = redis

[key LOCALAGENT_API_TOKEN]
kind = generated
title = the gateway
services = gateway

[key OPENAI_API_KEY]
kind = optional
title = a vendor
services = gateway

[service postgres]
role = keeps

[service redis]
role = caches
entry-point = /usr/local/bin/redis-entry

[service gateway]
role = answers

[step prefix]
kind = directory
path = @prefix@

[step compose]
kind = file
after = prefix
path = @prefix@/compose.yaml
from = compose.yaml

[step environment]
kind = file
after = prefix
path = @prefix@/env
from = env
mode = 0600

[step password]
kind = key
name = POSTGRES_PASSWORD

[step token]
kind = key
name = LOCALAGENT_API_TOKEN

[step boot]
kind = unit
title = hand the keys over again when the machine starts
name = slipway-keys-handover
run = keys sync handover --at-boot

[step containers]
kind = compose
after = compose environment password token boot
project = @project@
directory = @prefix@
files = compose.yaml
env_file = env
wait_s = 90
"""
COMPOSE = """\
x-common: &common
  image: handover-test
  network_mode: none
  init: false
  stop_grace_period: 1s
  restart: unless-stopped

services:
  postgres:
    <<: *common
    entrypoint: ["/usr/local/bin/postgres-entry"]
    healthcheck: {test: ["CMD", "/usr/bin/pg_isready", "-qh", "127.0.0.1"], interval: 1s, retries: 60}
  redis:
    <<: *common
    healthcheck: {test: ["CMD-SHELL", "redis-cli ping | grep -q NOAUTH"], interval: 1s, retries: 60}
  gateway:
    <<: *common
    entrypoint: ["/usr/local/bin/gateway-entry"]
    user: "1000:1000"
    read_only: @read_only@
    cap_drop: [ALL]
    security_opt: ["no-new-privileges:true"]
    healthcheck:
      test: ["CMD", "python3", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/health')"]
      interval: 1s
      retries: 60
  control:
    <<: *common
    command: ["/bin/sleep", "100000"]
    environment:
      USUAL_KEY: ${USUAL_KEY}
"""


def setUpModule():
    global ENGINE
    ENGINE = engine.Engine()
    unittest.addModuleCleanup(ENGINE.close)
    scripts = {"/usr/local/bin/postgres-entry": POSTGRES_ENTRY,
               "/usr/local/bin/redis-entry": REDIS_ENTRY,
               "/usr/local/bin/gateway-entry": GATEWAY_ENTRY}
    files = {path: (text, 0o755) for path, text in scripts.items()}
    files |= {path: (text, 0o644) for path, text in PROVIDERS.items()}
    files |= {f"/app/lib/{path.name}": (path.read_text(), 0o644) for path in GATEWAY.glob("*.py")}
    ENGINE.make_image(IMAGE, PACKAGES, files)


class Life(unittest.TestCase):
    """One home with the stack in it; a project of its own."""

    uid = 0
    read_only = "true"

    def setUp(self):
        self.project = f"handover-{secrets.token_hex(3)}"
        self.top = ENGINE.top / self.project
        self.home = self.top / "home"
        self.home.mkdir(parents=True)
        self.addCleanup(shutil.rmtree, self.top)
        self.stack = self.top / "stack"
        self.stack.mkdir()
        self.control = "control-" + secrets.token_hex(16)
        self.values = {"CACHE_PASSWORD": "canary-" + secrets.token_hex(16),
                       "OPENAI_API_KEY": "sk-" + secrets.token_hex(16)}
        (self.stack / "stack.ini").write_text(STACK_INI.replace("@project@", self.project))
        (self.stack / "compose.yaml").write_text(
            COMPOSE.replace("@read_only@", self.read_only))
        (self.stack / "env").write_text(f"USUAL_KEY={self.control}\n")
        for path in (self.home, self.stack, *self.stack.iterdir()):
            os.chown(path, self.uid, self.uid)
        for name in ("environ", "arguments", "hold", "held"):
            (ENGINE.calls / name).unlink(missing_ok=True)
        for name in ("environ", "arguments"):
            (ENGINE.calls / name).touch()
            (ENGINE.calls / name).chmod(0o666)
        self.place = "/run/slipway/secrets"
        self.units = pathlib.Path("/etc/systemd/system")
        if self.uid:
            run = f"/run/user/{self.uid}"
            ENGINE.run(["install", "-d", "-o", str(self.uid), "-g", str(self.uid), "-m", "700", run])
            self.place = f"{run}/slipway/secrets"
            self.units = self.home / ".config/systemd/user"
        self.directory = f"{self.place}/{self.project}"
        self.addCleanup(ENGINE.run, ["sh", "-c", "rm -rf /run/slipway /run/user/* "
                                                 "/etc/systemd/system/*"])
        self.addCleanup(ENGINE.empty)
        self.socket = ENGINE.socket
        (self.home / "key").write_bytes(secrets.token_bytes(32))
        (self.home / "key").chmod(0o600)
        os.chown(self.home / "key", self.uid, self.uid)

    def command(self, *arguments):
        line = ["env", "-C", self.home, rig.PROGRAM, *arguments]
        if self.uid:
            line = ["setpriv", f"--reuid={self.uid}", f"--regid={self.uid}", "--clear-groups", *line]
        return line

    def environment(self, **more):
        if self.uid:
            more["XDG_RUNTIME_DIR"] = f"/run/user/{self.uid}"
        return ENGINE.environment(**{"HOME": str(self.home), "DOCKER_HOST": f"unix://{self.socket}",
                                     "SLIPWAY_KEY_FILE": str(self.home / "key"), **more})

    def slipway(self, *arguments, check=True, env=None, **options):
        return ENGINE.run(self.command(*arguments), check=check,
                          env=self.environment(**(env or {})), **options)

    def document(self, *arguments, **options):
        return json.loads(self.slipway(*arguments, "--json", **options).stdout)

    def set_key(self, name, value):
        self.values[name] = value
        return self.slipway("keys", "set", name, "--stdin", input=value)

    def install(self, **options):
        for name in ("CACHE_PASSWORD", "OPENAI_API_KEY"):
            self.set_key(name, self.values[name])
        done = self.slipway("install", str(self.stack), "--yes", **options)
        if done.returncode == 0:
            for name in ("POSTGRES_PASSWORD", "LOCALAGENT_API_TOKEN"):
                self.values[name] = self.slipway("keys", "get", name).stdout.rstrip("\n")
        return done

    def containers(self):
        """service -> id."""
        lines = ENGINE.docker(
            "ps", "-a", "--no-trunc", "--filter", f"label=com.docker.compose.project={self.project}",
            "--format", '{{.Label "com.docker.compose.service"}} {{.ID}}').stdout.split("\n")
        return dict(line.split() for line in lines if line)

    def execute(self, service, script, check=True):
        return ENGINE.docker("exec", self.containers()[service], "sh", "-c", script, check=check)

    def secrets_of(self, service):
        return self.execute(service, "cd /run/secrets 2>/dev/null && ls || true").stdout.split()

    def in_memory(self):
        """name -> content, of what lies in the directory in memory."""
        done = ENGINE.run(["sh", "-c", f"cd {self.directory} 2>/dev/null && ls -A || true"])
        return {name: ENGINE.run(["cat", f"{self.directory}/{name}"]).stdout
                for name in done.stdout.split()}

    def assert_served(self):
        """Each service has its key, and knows a wrong one."""
        redis = "REDISCLI_AUTH={} redis-cli get nothing"
        self.assertIn("NOAUTH", self.execute("redis", "redis-cli get nothing").stdout)
        self.assertEqual("\n", self.execute(
            "redis", redis.format("$(cat /run/secrets/CACHE_PASSWORD)")).stdout)
        psql = "PGPASSWORD={} psql -h 127.0.0.1 -U postgres -Atc 'select 40+2'"
        self.assertEqual("42\n", self.execute(
            "postgres", psql.format("$(cat /run/secrets/POSTGRES_PASSWORD)")).stdout)
        self.assertNotEqual(0, self.execute("postgres", psql.format("wrong"), check=False).returncode)
        ask = ("python3 -c \"import urllib.request as r; token = open('/run/secrets/{}').read(); "
               "print(r.urlopen(r.Request('http://127.0.0.1:8000/v1/providers', "
               "headers={{'Authorization': 'Bearer ' + token}})).status)\"")
        self.assertEqual("200\n", self.execute("gateway", ask.format("LOCALAGENT_API_TOKEN")).stdout)
        self.assertIn("401", self.execute(
            "gateway", ask.format("OPENAI_API_KEY"), check=False).stderr)

    def assert_nothing_left(self):
        self.assertEqual({}, self.containers())
        self.assertEqual("", ENGINE.run(["sh", "-c", f"ls -d {self.place} || true"]).stdout)
        state = self.home / ".local/state/slipway"
        self.assertFalse((state / "compose").exists())
        self.assertEqual([], list(self.home.rglob("slipway-keys-*")))
        self.assertEqual("", ENGINE.run(["find", "/etc/systemd/system", "-mindepth", "1"]).stdout)


def bytes_of(path):
    with contextlib.suppress(OSError):
        return pathlib.Path(path).read_bytes()
    return b""


def find_in_tree(top, values):
    """The values that stand in some file below `top`, as grep sees them."""
    found = set()
    for value in values:
        done = ENGINE.run(["grep", "-rlaF", "-m1", "-e", value, str(top)], check=False)
        if done.stdout:
            found.add(value)
    return found


class Shim(unittest.TestCase):
    """payload/with-keys.sh in the shells that images have."""

    SHELLS = (["dash"], ["bash"], ["bash", "--posix"], ["busybox", "sh"])
    KEYS = {"PLAIN": "value", "BLANKS": "  a 'b' \"c\" $HOME `id` \\n  ", "EQUALS": "a=b=c",
            "LINES": "-----BEGIN-----\n\n  two\n-----END-----", "LEADING": "\nsecond", "DASH": "-n -e",
            "UNICODE": "p\u00e4ss", "LONG": "x" * 8192, "ENDED": "line\n"}

    def setUp(self):
        rig.install(("busybox-static",))
        self.addCleanup(ENGINE.run, ["rm", "-r", "/run/secrets"])
        ENGINE.run(["mkdir", "/run/secrets"])
        for name, value in self.KEYS.items():
            ENGINE.run(["tee", f"/run/secrets/{name}"], input=value)

    def start(self, shell, *words):
        return ENGINE.run([*shell, rig.TOP / "payload/with-keys.sh", *words], check=False,
                          env={"PATH": "/usr/bin:/bin", "STAYS": "yes", "line": "2"})

    def test_values(self):
        for shell in self.SHELLS:
            words = [f"V_{name}={name}" for name in self.KEYS]
            done = self.start(shell, *words, "V_GONE=GONE", "--", "env", "-0")
            self.assertEqual("", done.stderr)
            found = dict(entry.split("=", 1) for entry in done.stdout.split("\0") if entry)
            for name, value in self.KEYS.items():
                with self.subTest(shell=shell, name=name):
                    self.assertEqual(value.rstrip("\n"), found[f"V_{name}"])
            self.assertNotIn("V_GONE", found)
            self.assertEqual(("yes", "2"), (found["STAYS"], found["line"]))

    def test_command(self):
        for shell in self.SHELLS:
            with self.subTest(shell):
                done = self.start(shell, "A=PLAIN", "--", "sh", "-c", 'printf "%s|" "$A" "$@"; exit 3',
                                  "x", "--", "a b", "")
                self.assertEqual((3, "value|--|a b||"), (done.returncode, done.stdout))
                for words in ((), ("--",), ("A=PLAIN",), ("A=PLAIN", "--")):
                    self.assertEqual(64, self.start(shell, *words).returncode)


class Everywhere(Life):
    """Where a key could be seen by somebody who is not meant to."""

    def places(self):
        """name of a place -> what can be read there."""
        ids = self.containers()
        files = [self.home / ".handover/compose.yaml",
                 self.home / f".local/state/slipway/compose/{self.project}/keys.json"]
        config = ENGINE.docker("compose", "-p", self.project, "--env-file",
                               self.home / ".handover/env",
                               *(word for path in files for word in ("-f", path)), "config")
        yield "docker inspect", ENGINE.docker("inspect", *ids.values()).stdout
        yield "compose config", config.stdout
        for service in ("redis", "control"):
            ENGINE.docker("commit", ids[service], "handover-commit")
            yield f"commit of {service}", ENGINE.docker("inspect", "handover-commit").stdout
            ENGINE.docker("rmi", "handover-commit")

    def nowhere(self):
        """The same, for places in which the control is not either."""
        for service, name in self.containers().items():
            done = ENGINE.run(["sh", "-c", f"docker export {name} | grep -caF -e '{self.needles()}'"],
                              check=False)
            yield f"layer of {service}", "" if done.stdout == "0\n" else self.needles()
            logs = ENGINE.docker("logs", name)
            yield f"logs of {service}", logs.stdout + logs.stderr
        for entry in pathlib.Path("/proc").iterdir():
            if entry.name.isdigit():
                yield f"arguments of {entry.name}", bytes_of(entry / "cmdline").decode("latin-1")
        yield "arguments of compose", bytes_of(ENGINE.calls / "arguments").decode()
        yield "environment of compose", bytes_of(ENGINE.calls / "environ").decode()

    def needles(self):
        return "\n".join(self.values.values())

    def test_nobody_else_sees_a_key(self):
        said = self.install()
        self.assert_served()
        is_seen = set()
        for name, text in self.places():
            if self.control in text:
                is_seen.add(name)
            for key, value in self.values.items():
                self.assertNotIn(value, text, f"{key} in {name}")
        self.assertEqual({"docker inspect", "compose config", "commit of control"}, is_seen)
        for name, text in self.nowhere():
            for key, value in self.values.items():
                self.assertNotIn(value, text, f"{key} in {name}")
        for key, value in self.values.items():
            self.assertNotIn(value, said.stdout + said.stderr, key)

        # Everything that the engine has on its disk, its log, and all that is ours.
        values = [*self.values.values(), self.control]
        for top in (ENGINE.top / "data", ENGINE.top / "dockerd.log", self.home):
            with self.subTest(top):
                self.assertEqual({self.control}, find_in_tree(top, values))

        # That the shim is what stands in front, and what it costs: the variable of one process.
        process = ENGINE.docker("inspect", "-f", "{{.State.Pid}}", self.containers()["redis"]).stdout
        environ = bytes_of(f"/proc/{process.strip()}/environ").decode()
        self.assertIn(f"REDIS_PASSWORD={self.values['CACHE_PASSWORD']}", environ)

    def test_who_gets_what(self):
        self.install()
        self.assertEqual(["CACHE_PASSWORD"], self.secrets_of("redis"))
        self.assertEqual(["POSTGRES_PASSWORD"], self.secrets_of("postgres"))
        self.assertEqual(["LOCALAGENT_API_TOKEN", "OPENAI_API_KEY"], self.secrets_of("gateway"))
        self.assertEqual([], self.secrets_of("control"))
        self.assertEqual(self.values, self.in_memory())
        listing = ENGINE.run(["stat", "-c", "%a %u %n", "/run/slipway", self.place, self.directory,
                              f"{self.directory}/OPENAI_API_KEY"]).stdout
        self.assertEqual(["700 0"] * 3 + ["444 0"],
                         [line.rsplit(" ", 1)[0] for line in listing.splitlines()])
        for mount in json.loads(ENGINE.docker("inspect", *self.containers().values()).stdout):
            for one in mount["Mounts"]:
                self.assertFalse(one["RW"], one) if one["Type"] == "bind" else None

        # A second run changes nothing and a second user gets nothing.
        ids = self.containers()
        self.assertFalse(self.document("install", str(self.stack), "--yes")["changed"])
        self.assertEqual(ids, self.containers())
        denied = ENGINE.run(["setpriv", "--reuid=65534", "--clear-groups", "cat",
                             f"{self.directory}/OPENAI_API_KEY"], check=False)
        self.assertNotEqual(0, denied.returncode)
        self.slipway("uninstall", STACK, "--yes")
        self.assert_nothing_left()


class Changes(Life):
    def test_a_new_value_reaches_the_services_that_have_it(self):
        self.install()
        before = self.containers()
        old = self.values["CACHE_PASSWORD"]
        said = self.set_key("CACHE_PASSWORD", "canary-" + secrets.token_hex(16))
        self.assertIn("(redis): slipway keys sync handover --up", said.stderr)
        (project,) = self.document("keys", "sync")["projects"]
        self.assertEqual((["CACHE_PASSWORD"], ["redis"], False),
                         (project["changed"], project["recreate"], project["started"]))
        self.assertEqual(self.values, self.in_memory())
        self.assertEqual(old, self.execute("redis", "cat /run/secrets/CACHE_PASSWORD").stdout)

        self.slipway("keys", "set", "CACHE_PASSWORD", "--stdin", input="third-" + old)
        self.values["CACHE_PASSWORD"] = "third-" + old
        (project,) = self.document("keys", "sync", STACK, "--up")["projects"]
        self.assertTrue(project["started"])
        after = self.containers()
        self.assertEqual({"redis"}, {name for name in after if after[name] != before[name]})
        self.assert_served()
        self.assertFalse(self.document("install", str(self.stack), "--yes")["changed"])

    def test_an_optional_key_comes_and_goes(self):
        self.install()
        self.slipway("keys", "remove", "OPENAI_API_KEY")
        (project,) = self.document("keys", "sync", "--up")["projects"]
        self.assertEqual(["gateway"], project["recreate"])
        self.assertEqual(["LOCALAGENT_API_TOKEN"], self.secrets_of("gateway"))
        self.set_key("OPENAI_API_KEY", "sk-again-" + secrets.token_hex(8))
        (project,) = self.document("keys", "sync", "--up")["projects"]
        self.assertEqual(["OPENAI_API_KEY"], project["changed"])
        self.assertEqual(["LOCALAGENT_API_TOKEN", "OPENAI_API_KEY"], self.secrets_of("gateway"))
        self.assert_served()

    def test_a_service_that_does_not_start(self):
        path = self.stack / "compose.yaml"
        path.write_text(path.read_text().replace(
            'user: "1000:1000"', "image: not-there\n    pull_policy: never"))
        done = self.install(check=False)
        self.assertEqual(69, done.returncode, done.stderr)
        self.assert_nothing_left()

    def test_a_needed_key_that_is_not_there(self):
        done = self.slipway("install", str(self.stack), "--yes", check=False)
        self.assertEqual(78, done.returncode, done.stderr)
        self.assertIn("CACHE_PASSWORD", done.stderr)
        self.assertIn("slipway keys set CACHE_PASSWORD", done.stderr)
        self.assert_nothing_left()

    def test_the_machine_starts_again(self):
        self.install()
        self.slipway("keys", "remove", "OPENAI_API_KEY")  # and no container hears of it
        self.values["OPENAI_API_KEY"] = ""
        ENGINE.stop()
        ENGINE.run(["rm", "-r", "/run/slipway"])
        unit = ENGINE.run(["cat", "/etc/systemd/system/default.target.wants/"
                                  "slipway-keys-handover.service"]).stdout
        self.assertIn("Before=docker.service", unit)
        words = re.search(r"^ExecStart=(.*)$", unit, re.M).group(1).replace('"', "").split()
        home = re.search(r'^Environment="(XDG_STATE_HOME=.*)"$', unit, re.M).group(1)

        # As systemd runs it: no HOME, no DOCKER_HOST, and no engine yet.
        start = time.monotonic()
        ENGINE.run(["env", "-i", "PATH=/usr/bin:/bin", home,
                    f"SLIPWAY_KEY_FILE={self.home}/key", *words])
        self.assertLess(time.monotonic() - start, 2)
        self.assertEqual(self.values, self.in_memory())
        ENGINE.start()
        for _ in range(100):
            states = [one["State"] for one in json.loads(
                ENGINE.docker("inspect", *self.containers().values()).stdout)]
            if all(state.get("Health", {"Status": "healthy"})["Status"] == "healthy" and
                   state["Running"] for state in states):
                break
            time.sleep(0.3)
        self.assert_served()
        self.slipway("keys", "sync", "--up")
        self.assertEqual(["LOCALAGENT_API_TOKEN"], self.secrets_of("gateway"))

    def test_a_kill_between_the_keys_and_the_containers(self):
        for name in ("CACHE_PASSWORD", "OPENAI_API_KEY"):
            self.set_key(name, self.values[name])
        before = sorted(self.home.rglob("*"))
        (ENGINE.calls / "hold").touch()
        process = subprocess.Popen(
            ENGINE.inside(self.command("install", str(self.stack), "--yes")),
            env=self.environment(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        for _ in range(600):
            if (ENGINE.calls / "held").exists():
                break
            time.sleep(0.05)
        process.send_signal(signal.SIGKILL)
        process.wait()
        self.assertEqual(4, len(self.in_memory()))
        self.assertEqual(set(), find_in_tree(self.home, [
            value for value in self.in_memory().values()]))
        (ENGINE.calls / "hold").unlink()
        self.slipway("rollback", "--yes")
        self.assert_nothing_left()
        log = self.home / ".local/state/slipway/log"
        self.assertEqual([], [path for path in sorted(self.home.rglob("*"))
                              if path not in before and not path.is_relative_to(log)
                              and not log.is_relative_to(path)
                              and path.name not in ("lock", "history")])


class AsUser(Life):
    """The same without root, whose unit runs when the engine is there already."""

    uid = USER

    def test_life(self):
        self.install()
        self.assert_served()
        self.assertEqual(self.values, self.in_memory())
        self.assertTrue((self.units / "default.target.wants/slipway-keys-handover.service").is_symlink())

        ENGINE.stop()
        ENGINE.run(["rm", "-r", f"/run/user/{self.uid}/slipway"])
        ENGINE.start()
        running = ENGINE.docker("ps", "-q").stdout.split()
        self.assertEqual(1, len(running))  # the control alone: its key is in the engine's own files
        self.slipway("keys", "sync", STACK, "--at-boot")
        self.assert_served()
        self.slipway("uninstall", STACK, "--yes")
        self.assert_nothing_left()


class VirtualMachine(Life):
    """An engine that calls itself Docker Desktop, whose file system is another one."""

    read_only = "false"

    def relay(self):
        """Passes everything on to the engine, but answers for it what it is."""
        self.socket = self.top / "relay.sock"

        def answer(request):
            agent = request.split(b"User-Agent:")[-1].split(b"\r\n")[0].lower()
            if re.match(rb"GET (/v[\d.]+)?/info\b", request) and b"docker" not in agent:
                return "200 OK", {"OperatingSystem": "Docker Desktop", "OSType": "linux"}
            return None

        self.addCleanup(engine.relay(ENGINE.socket, self.socket, answer))

    def test_keys_go_through_compose(self):
        self.relay()
        done = self.install()
        self.assertIn("Docker Desktop", done.stdout)
        self.assertEqual({}, self.in_memory())
        self.assert_served()
        for key, value in self.values.items():
            self.assertNotIn(value, ENGINE.docker("inspect", *self.containers().values()).stdout, key)
        # The price, which is why it is said: they were in the environment of compose, and are in the
        # containers' layers.
        environ = bytes_of(ENGINE.calls / "environ").decode()
        self.assertEqual([], [value for value in self.values.values() if value not in environ])
        self.assertEqual(set(self.values.values()),
                         find_in_tree(ENGINE.top / "data", self.values.values()))

        self.set_key("CACHE_PASSWORD", "canary-" + secrets.token_hex(16))
        self.slipway("keys", "sync", "--up")
        self.assert_served()
        self.slipway("uninstall", STACK, "--yes")
        self.assertEqual(set(), find_in_tree(ENGINE.top / "data", self.values.values()))
        self.assert_nothing_left()
