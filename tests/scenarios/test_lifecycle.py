"""The life of an installed stack on a real engine: up, down, status, logs, restart, reset, test, exec,
backup, and what is left when a start fails.

The services are BusyBox programs of one small image: a web server with a health page, a store with data
in a volume and a key in memory, a worker that writes lines.
"""
import contextlib
import json
import os
import pathlib
import re
import secrets
import shutil
import signal
import socket
import subprocess
import time
import unittest

import engine
import rig

IMAGE = "life-test"
STACK = "life"

STACK_INI = """\
[stack]
schema = 1
name = life
title = Life
version = 1
summary = three small services
prefix = ~/.life

[key STORE_TOKEN]
kind = generated
title = the store
services = store

[service web]
role = shows a page
health = http://127.0.0.1:${LIFE_WEB_PORT}/health

[service store]
role = keeps lines

[service worker]
role = stands in for one that is yet to come
placeholder = yes

[port web]
number = @port@
variable = LIFE_WEB_PORT
service = web

[test page]
title = the page is there
url = http://127.0.0.1:${LIFE_WEB_PORT}/
expect = hello

[test store]
title = the store can be written
service = store
run = sh -c "echo tested >>/data/lines && cat /data/lines"
expect = tested

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

[step token]
kind = key
name = STORE_TOKEN

[step containers]
kind = compose
after = compose environment token
project = @project@
directory = @prefix@
files = compose.yaml
env_file = env
wait_s = 20
"""
COMPOSE = """\
x-common: &common
  image: life-test
  init: true
  stop_grace_period: 1s
  restart: unless-stopped

services:
  web:
    <<: *common
    command: ["httpd", "-f", "-p", "8080", "-h", "/www"]
    ports: ["127.0.0.1:${LIFE_WEB_PORT}:8080"]
    healthcheck: {test: ["CMD", "wget", "-qO-", "http://127.0.0.1:8080/health"], interval: 1s, retries: 30}
    depends_on: {store: {condition: service_healthy}}
  store:
    <<: *common
    command: ["sh", "-c", "cat /run/secrets/STORE_TOKEN >/dev/null && : >/data/ready && sleep 100000"]
    volumes: ["data:/data"]
    healthcheck: {test: ["CMD", "test", "-e", "/data/ready"], interval: 1s, retries: 30}
  worker:
    <<: *common
    command: ["sh", "-c", "i=0; while :; do i=$$((i+1)); echo line $$i; echo oops $$i >&2; sleep 1; done"]

volumes:
  data: {}
"""
PROFILES = """\
[profile core]
title = three services
default = yes

[profile more]
title = four

[profile bare]
title = none of them

"""
MORE_STEPS = """
[step compose-more]
kind = file
after = prefix
path = @prefix@/compose.more.yaml
from = compose.more.yaml
profiles = more

[step more-containers]
kind = compose
after = compose compose-more environment token
project = @project@
directory = @prefix@
files = compose.yaml compose.more.yaml
env_file = env
wait_s = 20
profiles = more
"""
MORE = """\
services:
  late:
    image: life-test
    init: true
    stop_grace_period: 1s
    command: ["sleep", "100000"]
"""


def setUpModule():
    global ENGINE
    ENGINE = engine.Engine()
    unittest.addModuleCleanup(ENGINE.close)
    make_image()


def make_image():
    root = rig.busybox()
    ENGINE.run(["sh", "-c", f"tar -C {root} -c . | docker import - life-base >/dev/null"])
    place = ENGINE.top / "image"
    place.mkdir(exist_ok=True)
    (place / "Dockerfile").write_text(
        "FROM life-base\nRUN mkdir -p /www /data && echo hello >/www/index.html && echo ok >/www/health\n")
    ENGINE.docker("build", "-q", "--network", "none", "-t", IMAGE, str(place),
                  env=ENGINE.environment(DOCKER_BUILDKIT="0"))


class Life(unittest.TestCase):
    """One home with the stack in it; a project of its own."""

    def setUp(self):
        self.project = f"life-{secrets.token_hex(3)}"
        self.top = ENGINE.top / self.project
        self.home = self.top / "home"
        self.home.mkdir(parents=True)
        self.addCleanup(shutil.rmtree, self.top)
        self.stack = self.top / "stack"
        self.stack.mkdir()
        (self.port,) = rig.free_ports(1)
        self.write(COMPOSE)
        for name in ("hold", "held"):
            (ENGINE.calls / name).unlink(missing_ok=True)
        self.keys = pathlib.Path("/run/slipway/secrets") / self.project
        self.addCleanup(ENGINE.run, ["rm", "-rf", "/run/slipway"])
        self.addCleanup(ENGINE.empty)
        (self.home / "key").write_bytes(secrets.token_bytes(32))
        (self.home / "key").chmod(0o600)

    def write(self, compose, **values):
        ini = STACK_INI.replace("@project@", self.project).replace("@port@", str(self.port))
        for name, value in values.items():
            ini = re.sub(rf"^{name} = .*$", f"{name} = {value}", ini, flags=re.M)
        (self.stack / "stack.ini").write_text(ini)
        (self.stack / "compose.yaml").write_text(compose)
        (self.stack / "env").write_text(f"LIFE_WEB_PORT={self.port}\n")

    def edit(self, old, new, path=".life/compose.yaml"):
        """Changes an installed file, as a person would."""
        file = self.home / path
        text = file.read_text()
        self.assertIn(old, text)
        file.write_text(text.replace(old, new))

    def environment(self, **more):
        return ENGINE.environment(**{"HOME": str(self.home),
                                     "SLIPWAY_KEY_FILE": str(self.home / "key"), **more})

    def command(self, *arguments):
        return ["env", "-C", str(self.home), str(rig.PROGRAM), *map(str, arguments)]

    def slipway(self, *arguments, status=0, env=None, **options):
        done = ENGINE.run(self.command(*arguments), check=False,
                          env=self.environment(**(env or {})), **options)
        self.assertEqual(status, done.returncode, f"{arguments}\n{done.stdout}\n{done.stderr}")
        return done

    def document(self, *arguments, **options):
        return json.loads(self.slipway(*arguments, "--json", **options).stdout)

    def install(self):
        self.slipway("install", self.stack, "--yes")

    def containers(self, project=None):
        """service -> id."""
        lines = ENGINE.docker(
            "ps", "-a", "--no-trunc", "--filter",
            f"label=com.docker.compose.project={project or self.project}", "--format",
            '{{.Label "com.docker.compose.service"}} {{.ID}}').stdout.split("\n")
        return dict(line.split() for line in lines if line)

    def named(self, kind):
        return ENGINE.docker(kind, "ls", "-q", "--filter",
                             f"label=com.docker.compose.project={self.project}").stdout.split()

    def has_keys(self):
        return ENGINE.run(["test", "-e", self.keys], check=False).returncode == 0

    def assert_nothing_runs(self):
        self.assertEqual({}, self.containers())
        self.assertEqual([], ENGINE.networks("--filter", f"label=com.docker.compose.project={self.project}"))
        self.assertFalse(self.has_keys())

    def seconds(self, *arguments):
        start = time.monotonic()
        self.slipway(*arguments)
        return time.monotonic() - start


class UpAndDown(Life):
    def test_life(self):
        self.install()
        before = self.containers()
        self.assertEqual({"web", "store", "worker"}, set(before))

        again = self.document("up", STACK)
        self.assertFalse(again["changed"])
        self.assertEqual(before, self.containers())
        self.assertEqual(["healthy", "healthy", "running"],
                         [one["state"] for one in again["services"]])
        self.assertEqual(f"http://127.0.0.1:{self.port}/", again["services"][0]["url"])
        self.assertTrue(again["services"][2]["is_placeholder"])

        self.assertTrue(self.has_keys())
        self.assertTrue(self.document("down", STACK)["changed"])
        self.assert_nothing_runs()
        self.assertEqual(1, len(self.named("volume")))
        self.assertFalse(self.document("down", STACK)["changed"])
        self.assertIn("nothing changed", self.slipway("down", STACK).stdout)

        # What hands keys over when the machine starts leaves a stack alone that is down.
        self.slipway("keys", "sync", STACK, "--at-boot")
        self.assertFalse(self.has_keys())

        self.assertTrue(self.document("up", STACK)["changed"])
        self.assertEqual(set(before), set(self.containers()))
        self.assertFalse(self.document("up", STACK)["changed"])
        self.slipway("uninstall", STACK, "--yes")
        self.assert_nothing_runs()

    def test_a_service_that_was_stopped(self):
        self.install()
        before = self.containers()
        ENGINE.docker("stop", before["store"])
        self.assertTrue(self.document("up", STACK)["changed"])
        self.assertEqual(before, self.containers())
        self.assertFalse(self.document("up", STACK)["changed"])

    def test_an_edit(self):
        self.install()
        before = self.containers()
        self.edit("echo line", "echo edited")
        self.assertTrue(self.document("up", STACK)["changed"])
        after = self.containers()
        self.assertEqual({"worker"}, {name for name in after if after[name] != before[name]})
        self.assertFalse(self.document("up", STACK)["changed"])

    def test_killed(self):
        self.install()
        self.slipway("down", STACK)
        (ENGINE.calls / "hold").touch()
        process = subprocess.Popen(
            ENGINE.inside(self.command("up", STACK)), env=self.environment(),
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(600):
            if (ENGINE.calls / "held").exists():
                break
            time.sleep(0.05)
        process.send_signal(signal.SIGKILL)
        process.wait()
        (ENGINE.calls / "hold").unlink()
        self.assertTrue(self.has_keys())
        self.assertTrue(self.document("up", STACK)["changed"])
        self.assertEqual({"web", "store", "worker"}, set(self.containers()))
        self.slipway("down", STACK)
        self.assert_nothing_runs()

    def test_another_stack_stays(self):
        self.install()
        first, home, project = self.containers(), self.home, self.project
        self.setUp()
        self.install()
        self.slipway("down", STACK)
        self.slipway("reset", STACK, "--yes")
        self.assertEqual([], self.named("volume"))
        self.assertEqual(first, self.containers(project))
        self.home, self.project = home, project
        self.assertFalse(self.document("up", STACK)["changed"])

    def test_the_engine_of_the_installation(self):
        """A run that knows no DOCKER_HOST talks to the engine that the stack was started on."""
        self.install()
        self.assertFalse(self.document("up", STACK, env={"DOCKER_HOST": ""})["changed"])
        self.slipway("down", STACK, env={"DOCKER_HOST": ""})
        self.assert_nothing_runs()
        self.slipway("up", STACK, env={"DOCKER_HOST": ""})
        self.assertEqual({"web", "store", "worker"}, set(self.containers()))

    def test_a_context(self):
        """The engine of docker's current context, which compose has to talk to as well."""
        name = "there"
        ENGINE.docker("context", "create", name, "--docker", f"host=unix://{ENGINE.socket}",
                      env=self.environment(DOCKER_HOST=""))
        self.addCleanup(ENGINE.docker, "context", "rm", "-f", name,
                        env=self.environment(DOCKER_HOST=""))
        env = {"DOCKER_HOST": "", "DOCKER_CONTEXT": name}
        self.slipway("install", self.stack, "--yes", env=env)
        self.assertEqual({"web", "store", "worker"}, set(self.containers()))


class Look(Life):
    """What only looks."""

    def test_status(self):
        self.install()
        shown = self.slipway("status", STACK)
        self.assertRegex(shown.stdout, r"web +healthy +http://127\.0\.0\.1:\d+/ +shows a page")
        self.assertIn("placeholder: stands in", shown.stdout)
        stack = self.document("status", STACK)["stacks"][STACK]
        self.assertEqual(["web", "store", "worker"], [one["service"] for one in stack["services"]])
        (project,) = stack["projects"]
        self.assertEqual({"names": ["STORE_TOKEN"], "are_there": True, "directory": str(self.keys)},
                         project["keys"])
        self.assertFalse(project["files_changed"])
        self.assertEqual([], project["services_changed"])

        ENGINE.docker("stop", self.containers()["store"])
        ill = self.slipway("status", STACK, status=1)
        self.assertRegex(ill.stdout, "store +(failed|stopped)")
        self.assertIn("1 of 3 services", ill.stderr)
        self.slipway("status")  # without a name, it is a list
        self.edit("echo line", "echo edited")
        changed = self.document("status", STACK, status=1)["stacks"][STACK]
        self.assertTrue(changed["projects"][0]["files_changed"])
        self.assertIn("edited", [step["state"] for step in changed["steps"]])

        self.slipway("down", STACK)
        self.assertIn("is down", self.slipway("status", STACK, status=1).stdout)
        ENGINE.stop()
        try:
            self.slipway("status", STACK, status=69)
            self.assertIn("not known", self.slipway("status").stdout)
        finally:
            ENGINE.start()

    def test_resources(self):
        self.install()
        services = self.document("status", STACK, "--resources")["stacks"][STACK]["services"]
        for service in services:
            self.assertGreater(service["resources"]["memory_bytes"], 4096, service)
            self.assertGreater(service["resources"]["processes"], 0)

    def test_it_is_fast(self):
        """Against docker compose in the same run: on a busy machine both take longer.  The figures are
        bench_status.py's."""
        self.install()
        peers, ups, looks = [], [], []
        for _ in range(5):
            start = time.monotonic()
            ENGINE.docker("compose", "-p", self.project, "ps", "--format", "json")
            peers.append(time.monotonic() - start)
            ups.append(self.seconds("up", STACK))
            looks.append(self.seconds("status", STACK))
        self.assertGreater(min(peers) / min(looks), 2)
        self.assertGreater(min(peers) / min(ups), 2)

    def test_logs(self):
        self.install()
        time.sleep(3)
        lines = self.document("logs", STACK, "-n", "all")["lines"]
        written = [line["written"] for line in lines]
        self.assertEqual(sorted(written), written)
        worker = [line for line in lines if line["service"] == "worker"]
        self.assertEqual({"stdout", "stderr"}, {line["stream"] for line in worker})
        self.assertEqual({"line 1", "oops 1"}, {line["text"] for line in worker[:2]})
        two = self.slipway("logs", STACK, "worker", "-n", "2").stdout.splitlines()
        self.assertEqual(2, len(two))
        self.assertRegex(two[0], r"^worker \| (line|oops) \d+$")
        self.slipway("logs", STACK, "nobody", status=64)
        self.slipway("logs", STACK, "-n", "few", status=64)

    def test_logs_go_on(self):
        self.install()
        process = subprocess.Popen(
            ENGINE.inside(self.command("logs", STACK, "-f", "-n", "0", "--events")),
            env=self.environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True)
        events = [json.loads(process.stdout.readline()) for _ in range(4)]
        self.assertEqual({"worker"}, {event["service"] for event in events})
        start = time.monotonic()
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=10)
        self.assertEqual(130, process.returncode)
        self.assertLess(time.monotonic() - start, 1)
        # A reader that goes away ends it.
        self.assertEqual("", ENGINE.run(
            ["sh", "-c", "timeout 20 env -C $HOME $0 logs life -f -n 1 | head -1 >/dev/null", rig.PROGRAM],
            env=self.environment()).stderr)

    def test_its_own_tests(self):
        self.install()
        tests = self.document("test", STACK)["tests"]
        self.assertEqual([("page", "pass"), ("store", "pass")],
                         [(one["name"], one["verdict"]) for one in tests])
        ENGINE.docker("stop", self.containers()["store"])
        done = self.slipway("test", STACK, status=1)
        self.assertIn("the service store", done.stdout)
        self.assertIn("1 passed, 1 failed", done.stdout)

    def test_exec_and_open(self):
        self.install()
        done = self.slipway("exec", STACK, "store", "--", "sh", "-c", "cat; exit 7", status=7, input="in")
        self.assertEqual("in", done.stdout)
        self.slipway("exec", STACK, "nobody", "true", status=64)
        ENGINE.docker("stop", self.containers()["worker"])
        self.slipway("exec", STACK, "worker", "true", status=69)
        self.assertEqual([{"service": "web", "url": f"http://127.0.0.1:{self.port}/"}],
                         self.document("open", STACK)["pages"])
        self.assertEqual(f"http://127.0.0.1:{self.port}/\n", self.slipway("open", STACK, "web").stdout)
        self.slipway("open", STACK, "store", status=78)

    def test_no_key_is_seen(self):
        self.install()
        token = self.slipway("keys", "get", "STORE_TOKEN").stdout.strip()
        self.slipway("up", STACK)
        shown = "".join(self.slipway(*words).stdout for words in (
            ("status", STACK, "--json"), ("logs", STACK, "-n", "all"), ("open", STACK, "--json")))
        shown += ENGINE.docker("inspect", *self.containers().values()).stdout
        shown += "".join(path.read_text() for path in
                         (self.home / ".local/state/slipway/log").iterdir())
        self.assertNotIn(token, shown)


class Backup(Life):
    def lines(self):
        return ENGINE.docker("exec", self.containers()["store"], "cat", "/data/lines").stdout

    def write_lines(self, text):
        ENGINE.docker("exec", self.containers()["store"], "sh", "-c",
                      f"echo {text} >/data/lines && chown 1234:5 /data/lines && chmod 640 /data/lines")

    def setUp(self):
        super().setUp()
        self.install()
        self.write_lines("first")
        self.place = self.home / "kept"

    def test_there_and_back(self):
        before = self.containers()
        self.document("backup", STACK, self.place)
        self.assertEqual(before, self.containers())
        self.assertEqual(0o700, self.place.stat().st_mode & 0o777)
        self.slipway("status", STACK)
        self.slipway("backup", STACK, self.place, status=73)

        self.write_lines("second")
        ENGINE.docker("exec", self.containers()["store"], "touch", "/data/more")
        refused = self.slipway("restore", STACK, self.place, status=64)
        self.assertIn(f"volume {self.project}_data", refused.stdout)
        self.assertEqual("second\n", self.lines())
        self.slipway("restore", STACK, self.place, "--yes")
        self.assertEqual("first\n", self.lines())
        listing = ENGINE.docker("exec", self.containers()["store"], "ls", "-ln", "/data").stdout
        self.assertRegex(listing, r"-rw-r----- +1 1234 +5 .* lines")
        self.assertNotIn("more", listing)
        self.slipway("status", STACK)
        # Compose takes the volume for its own.
        self.edit("echo line", "echo edited")
        self.slipway("up", STACK)
        self.assertEqual("first\n", self.lines())

    def test_after_a_reset(self):
        self.slipway("backup", STACK, self.place, "--live")
        self.assertTrue(json.loads((self.place / "manifest.json").read_text())["is_live"])
        self.slipway("reset", STACK, "--yes")
        self.slipway("restore", STACK, self.place, "--yes")
        self.assertEqual({}, self.containers())
        self.slipway("up", STACK)
        self.assertEqual("first\n", self.lines())

    def test_a_damaged_one(self):
        self.slipway("backup", STACK, self.place)
        (tar,) = self.place.glob("*.tar")
        data = bytearray(tar.read_bytes())
        data[600] ^= 1
        tar.write_bytes(data)
        self.write_lines("second")
        self.slipway("restore", STACK, self.place, "--yes", status=76)
        self.assertEqual("second\n", self.lines())
        (self.place / "manifest.json").unlink()
        self.slipway("restore", STACK, self.place, "--yes", status=73)

    def test_a_full_disk(self):
        small = self.top / "small"
        small.mkdir()
        ENGINE.run(["mount", "-t", "tmpfs", "-o", "size=256k", "small", small])
        self.addCleanup(ENGINE.run, ["umount", small])
        ENGINE.docker("exec", self.containers()["store"], "sh", "-c",
                      "dd if=/dev/urandom of=/data/big bs=1024 count=1000 2>/dev/null")
        self.slipway("backup", STACK, small / "kept", status=74)
        self.assertEqual("", ENGINE.run(["ls", "-A", small]).stdout)
        self.slipway("status", STACK)
        self.assertEqual("", ENGINE.docker("ps", "-aq", "--filter", "label=slipway.helper").stdout)


class Reset(Life):
    def test_reset(self):
        self.install()
        volume = self.named("volume")[0]
        refused = self.slipway("reset", STACK, status=64)
        self.assertIn(volume, refused.stdout)
        self.assertEqual(3, len(self.containers()))
        done = self.document("reset", STACK, "--yes")
        self.assertEqual({"container": 3, "network": 1, "volume": 1},
                         {kind: sum(one["kind"] == kind for one in done["removes"])
                          for kind in ("container", "network", "volume")})
        self.assert_nothing_runs()
        self.assertEqual([], self.named("volume"))
        self.assertFalse(self.document("reset", STACK, "--yes")["changed"])
        self.slipway("up", STACK)

    def test_restart(self):
        self.install()
        before = ENGINE.docker("inspect", "-f", "{{.State.StartedAt}}", *[
            self.containers()[name] for name in ("web", "store")]).stdout.split()
        self.slipway("restart", STACK, "web")
        after = ENGINE.docker("inspect", "-f", "{{.State.StartedAt}}", *[
            self.containers()[name] for name in ("web", "store")]).stdout.split()
        self.assertNotEqual(before[0], after[0])
        self.assertEqual(before[1], after[1])
        wrong = self.slipway("restart", STACK, "nothing", status=64)
        self.assertIn("web, store, worker", wrong.stderr)


class NetworkStays(Life):
    """The engine does not let the network go; all else does."""

    def setUp(self):
        super().setUp()
        self.network = f"{self.project}_default"

    def assert_down(self):
        self.assertEqual({}, self.containers())
        self.assertFalse(self.has_keys())
        self.assertEqual(1, len(self.named("network")))

    def test_a_guest(self):
        self.install()
        ENGINE.docker("run", "-d", "--name", f"guest-{self.project}", "--network", self.network, IMAGE, "sleep", "1000")
        why = f"network {self.network}: container guest-{self.project} is on it"
        self.assertEqual([why], self.document("down", STACK)["left_in_place"])
        self.assert_down()
        self.slipway("up", STACK)
        done = self.slipway("uninstall", STACK, "--yes")
        self.assertIn(f"Left in place:\n  {why}\n", done.stderr)
        self.assert_down()

    def test_an_engine_that_lost_count(self):
        """As engines before 28.1 now and then do, not at will: a relay answers in their place."""
        said = lost = "403 Forbidden", {
            "message": f"error while removing network: network {self.network} id 0123 has active endpoints"}

        def answer(request):
            return said if re.match(rb"DELETE (/v[\d.]+)?/networks/", request) else None

        place = self.top / "relay.sock"
        self.addCleanup(engine.relay(ENGINE.socket, place, answer))
        env = {"DOCKER_HOST": f"unix://{place}"}
        self.slipway("install", self.stack, "--yes", env=env)
        said = "500 Internal Server Error", {"message": "the bridge is busy"}
        done = self.slipway("down", STACK, env=env, status=69)
        self.assertIn("the engine: the bridge is busy", done.stderr)

        said = lost
        left = [f"network {self.network}: the engine counts a container on it that is gone; once the engine was "
                f"restarted, \"docker network rm {self.network}\" removes it"]
        self.assertEqual(left, self.document("down", STACK, env=env)["left_in_place"])
        self.assert_down()
        self.slipway("up", STACK, env=env)
        self.assertEqual(left, self.document("reset", STACK, "--yes", env=env)["left_in_place"])
        self.assertEqual([], self.named("volume"))
        self.slipway("up", STACK, env=env)
        gone = self.document("uninstall", STACK, "--yes", env=env)
        self.assertIn(left[0], gone["left_in_place"])
        self.assert_down()
        self.slipway("install", self.stack, "--yes", env=env)
        self.assertEqual(1, len(self.named("network")))
        said = None
        self.slipway("uninstall", STACK, "--yes", env=env)
        self.assert_nothing_runs()


class Failures(Life):
    """Installed and down; then a start goes wrong."""

    def setUp(self):
        super().setUp()
        self.install()
        self.slipway("down", STACK)
        self.slipway("reset", STACK, "--yes")

    def fail(self, status, *words):  # pylint: disable=arguments-differ
        done = self.slipway("up", STACK, status=status)
        for word in words:
            self.assertIn(word, done.stderr)
        return done

    def assert_clean(self):
        self.assert_nothing_runs()
        self.assertEqual([], self.named("volume"))

    def test_never_healthy(self):
        self.edit('"test", "-e", "/data/ready"], interval: 1s, retries: 30',
                  '"sh", "-c", "echo no luck; exit 1"], interval: 1s, retries: 2')
        self.fail(3, "store", "unhealthy", "no luck", "taken back")
        self.assert_clean()

    def test_one_that_ends(self):
        self.edit("cat /run/secrets/STORE_TOKEN >/dev/null",
                  "cat: /etc/none: Permission denied >&2; echo Permission denied; exit 3")
        document = self.document("up", STACK, status=3)
        self.assertEqual("store", document["trouble"]["service"])
        self.assertIn("not for the container's user", document["trouble"]["cause"])
        self.assert_clean()

    def test_a_health_page_that_fails(self):
        self.edit("/health", "/index.html")
        ENGINE.docker("run", "--name", "mend", IMAGE, "rm", "/www/health")
        ENGINE.docker("commit", "mend", "life-broken")
        self.addCleanup(ENGINE.docker, "rmi", "-f", "life-broken")
        ENGINE.docker("rm", "mend")
        self.edit("image: life-test", "image: life-broken")
        self.fail(3, "web", "404")
        self.assert_clean()

    def test_no_image(self):
        self.edit("image: life-test", "image: registry.invalid/nothing:1")
        self.fail(69, "registry.invalid")
        self.assert_clean()

    def test_a_port_that_is_taken(self):
        with socket.socket() as other:
            other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            other.bind(("127.0.0.1", self.port))
            other.listen()
            self.fail(1, f"port {self.port}", "nothing was changed", "LIFE_WEB_PORT=")
        self.assert_clean()

    def test_a_port_that_is_stolen(self):
        """It is free when slipway looks, and taken when the engine binds it."""
        self.edit("LIFE_WEB_PORT=", "LIFE_OTHER_PORT=", ".life/env")
        self.edit("${LIFE_WEB_PORT}", "${LIFE_OTHER_PORT}")
        with socket.socket() as other:
            other.bind(("127.0.0.1", 0))
            other.listen()
            port = other.getsockname()[1]
            self.edit(str(self.port), str(port), ".life/env")
            self.fail(1, "address already in use", "another program has the port", "taken back")
        self.assert_clean()

    def test_the_engine_stops_in_the_middle(self):
        self.edit('"/data/ready"], interval: 1s, retries: 30',
                  '"/data/never"], interval: 1s, retries: 300')
        process = subprocess.Popen(
            ENGINE.inside(self.command("up", STACK)), env=self.environment(),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(200):
            if self.containers().get("store"):
                break
            time.sleep(0.1)
        ENGINE.stop()
        _, err = process.communicate(timeout=60)
        ENGINE.start()
        self.assertEqual(2, process.returncode, err)
        self.assertIn("slipway down life", err)
        self.assertFalse(self.has_keys())
        self.slipway("down", STACK)
        self.assert_nothing_runs()

    def test_no_engine(self):
        ENGINE.stop()
        try:
            self.fail(69, "does not answer", "Start the engine")
            self.slipway("down", STACK, status=69)
        finally:
            ENGINE.start()

    def test_interrupted(self):
        (ENGINE.calls / "hold").touch()
        process = subprocess.Popen(
            ENGINE.inside(self.command("up", STACK)), env=self.environment(),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(600):
            if (ENGINE.calls / "held").exists():
                break
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
        self.assertEqual(130, process.returncode, err)
        (ENGINE.calls / "hold").unlink()
        self.assert_clean()

    def test_what_ran_before_stays(self):
        self.slipway("up", STACK)
        before = self.containers()
        self.edit("  worker:", "  late:\n    <<: *common\n    command: [\"false\"]\n"
                               "    restart: \"no\"\n  worker:")
        self.slipway("up", STACK, status=3)
        self.assertEqual(before, self.containers())

    def test_somebody_elses_project(self):
        other = self.top / "other"
        other.mkdir()
        (other / "compose.yaml").write_text(
            f"services:\n  own:\n    image: {IMAGE}\n    command: [\"sleep\", \"1000\"]\n"
            "    init: true\n    network_mode: none\n")
        ENGINE.docker("compose", "-p", self.project, "-f", str(other / "compose.yaml"), "up", "-d")
        before = self.containers()
        self.fail(1, "another project runs under the name", str(other))
        self.slipway("down", STACK, status=1)
        self.slipway("reset", STACK, "--yes", status=1)
        self.assertEqual(before, self.containers())


class FailedInstall(Life):
    """What an installation leaves that cannot end: nothing."""

    def fail(self, status, *words):  # pylint: disable=arguments-differ
        done = self.slipway("install", self.stack, "--yes", status=status)
        for word in words:
            self.assertIn(word, done.stderr)
        return done

    def assert_clean(self):
        self.assert_nothing_runs()
        self.assertEqual([], self.named("volume"))
        self.assertFalse((self.home / ".life").exists())
        self.slipway("keys", "get", "STORE_TOKEN", status=1)
        state = self.home / ".local/state/slipway"
        self.assertEqual({"history", "lock", "log"}, {path.name for path in state.iterdir()})

    def test_never_healthy(self):
        self.write(COMPOSE.replace('"test", "-e", "/data/ready"], interval: 1s, retries: 30',
                                   '"sh", "-c", "echo no luck; exit 1"], interval: 1s, retries: 2'))
        self.fail(3, "The service store is unhealthy", "no luck", "everything that this run did was taken back")
        self.assert_clean()

    def test_a_port_that_is_stolen(self):
        """It is free when slipway looks: it does not know of it."""
        with socket.socket() as other:
            other.bind(("127.0.0.1", 0))
            other.listen()
            port = other.getsockname()[1]
            self.write(COMPOSE.replace("${LIFE_WEB_PORT}", str(port)))
            self.fail(1, "address already in use", "another program has the port", "taken back")
        self.assert_clean()

    def test_the_engine_stops_in_the_middle(self):
        self.write(COMPOSE.replace('"/data/ready"], interval: 1s, retries: 30',
                                   '"/data/never"], interval: 1s, retries: 300'))
        process = subprocess.Popen(
            ENGINE.inside(self.command("install", self.stack, "--yes")), env=self.environment(),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(300):
            if self.containers().get("store"):
                break
            time.sleep(0.1)
        ENGINE.stop()
        _, err = process.communicate(timeout=60)
        self.assertEqual(2, process.returncode, err)
        self.assertIn("slipway rollback", err)
        self.slipway("rollback", "--yes", status=2)  # nor now
        ENGINE.start()
        self.slipway("rollback", "--yes")
        self.assert_clean()


class Profiles(Life):
    """An installed stack gets another profile."""

    def write(self, compose, **values):
        super().write(compose, **values)
        ini = self.stack / "stack.ini"
        ini.write_text(ini.read_text().replace("[key STORE_TOKEN]", PROFILES + "[key STORE_TOKEN]").replace(
            "expect = ", "profiles = core more\nexpect = ").replace(
            "env_file = env\n", "env_file = env\nprofiles = core\n") + MORE_STEPS.replace("@project@", self.project))
        (self.stack / "compose.more.yaml").write_text(MORE)

    def get(self, profile):
        return self.document("install", self.stack, "--yes", "--profile", profile)

    def killed(self, profile):
        (ENGINE.calls / "hold").touch()
        process = subprocess.Popen(
            ENGINE.inside(self.command("install", self.stack, "--yes", "--profile", profile)),
            env=self.environment(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(600):
            if (ENGINE.calls / "held").exists():
                break
            time.sleep(0.05)
        process.send_signal(signal.SIGKILL)
        process.wait()
        for name in ("hold", "held"):
            (ENGINE.calls / name).unlink()

    def shown(self):
        return {one["service"]: one["state"] for one in self.document("status", STACK)["stacks"][STACK]["services"]}

    def assert_same(self, before):
        """Its containers are those, its data and its key too."""
        now = self.containers()
        self.assertEqual(before, {name: now.get(name) for name in before})
        self.assert_kept()

    def assert_kept(self):
        self.assertEqual(self.token, self.slipway("keys", "get", "STORE_TOKEN").stdout)
        self.assertEqual("data\n", ENGINE.docker("exec", self.containers()["store"], "cat", "/data/mine").stdout)

    def test_there_and_back(self):
        self.install()
        before = self.containers()
        self.token = self.slipway("keys", "get", "STORE_TOKEN").stdout  # pylint: disable=attribute-defined-outside-init
        ENGINE.docker("exec", before["store"], "sh", "-c", "echo data >/data/mine")

        self.get("more")
        self.assertEqual({*before, "late"}, set(self.containers()))
        self.assert_same(before)
        self.assertEqual({"web": "healthy", "store": "healthy", "worker": "running", "late": "running"}, self.shown())
        self.assertFalse(self.get("more")["changed"])
        self.assertFalse(self.document("up", STACK)["changed"])
        self.slipway("down", STACK)
        self.assert_nothing_runs()
        self.slipway("up", STACK)
        before = self.containers()
        del before["late"]

        self.killed("core")
        self.slipway("resume", "--yes")
        self.assertEqual(before, self.containers())
        self.assert_same(before)
        self.assertFalse(self.get("core")["changed"])

        self.killed("more")
        self.slipway("rollback", "--yes")
        self.assertEqual(set(before), set(self.containers()))
        self.assert_kept()
        self.assertFalse(self.get("core")["changed"])

        self.get("bare")
        self.assert_nothing_runs()
        self.assertEqual(1, len(self.named("volume")))
        self.assertFalse(self.get("bare")["changed"])
        self.get("more")
        self.assert_kept()
        self.slipway("uninstall", STACK, "--yes")
        self.assert_nothing_runs()
        self.assertEqual(1, len(self.named("volume")))
        self.assertFalse((self.home / ".life").exists())


class FullDisk(Life):
    """The engine keeps its things on a small disk, which is full when the stack starts."""

    def setUp(self):
        super().setUp()
        self.data = ENGINE.top / "data"
        ENGINE.stop()
        ENGINE.run(["mount", "-t", "tmpfs", "-o", "size=48m", "small", self.data])
        self.addCleanup(self.end)
        ENGINE.start()
        make_image()
        self.install()
        self.slipway("reset", STACK, "--yes")

    def end(self):
        ENGINE.empty()
        ENGINE.stop()
        ENGINE.run(["umount", self.data])
        ENGINE.start()

    def test_install(self):
        self.slipway("uninstall", STACK, "--yes", "--keys")
        ENGINE.run(["dd", "if=/dev/zero", f"of={self.data}/fill", "bs=4096"], check=False)
        done = self.slipway("install", self.stack, "--yes", status=74)
        self.assertIn("disk is full", done.stderr)
        self.assertIn("taken back", done.stderr)
        self.assert_nothing_runs()
        self.assertEqual([], self.named("volume"))
        self.assertFalse((self.home / ".life").exists())
        ENGINE.run(["rm", f"{self.data}/fill"])
        self.install()

    def test_up(self):
        ENGINE.run(["dd", "if=/dev/zero", f"of={self.data}/fill", "bs=4096"], check=False)
        done = self.slipway("up", STACK, status=74)
        self.assertIn("no space left on device", done.stderr)
        self.assertIn("disk is full", done.stderr)
        self.assert_nothing_runs()
        ENGINE.run(["rm", f"{self.data}/fill"])
        self.assertTrue(self.document("up", STACK)["changed"])
        self.assertFalse(self.document("up", STACK)["changed"])


if __name__ == "__main__":
    unittest.main()
