"""Blue-green deployment of stack localagent on a real engine: Debian's HAProxy and Redis, the gateway's image by its
own Dockerfile, Ollama a stand-in.  Sheet, 12 b3 to b7.

v1 and v2 are that image with another commit in its /version; v3 is never ready; v4 is ready, and fails whoever
asks it for /health.
"""
import contextlib
import json
import pathlib
import signal
import subprocess
import tempfile
import time
import unittest

import engine
import localagent_rig
import rig
import stack_rig
from stack_rig import wait_for

STACK = "localagent"
HTTP, ADMIN = 8088, 9999
CLIENT = pathlib.Path(__file__).with_name("deploy_client.py")
COLOURS = {"blue": "green", "green": "blue"}
CONTAINERS = {"localagent", "ollama", "redis", "proxy"}
VERSIONS = {"v1": [], "v2": [], "v3": [("status=200 if is_ready else 503", "status=503")],
            "v4": [('return web.json_response({"status": "alive"})', 'raise RuntimeError("v4")')]}


def setUpModule():
    def make_images(engine):
        localagent_rig.make_images(engine)
        localagent_rig.make_proxy(engine)
    global ENGINE
    ENGINE = stack_rig.start_engine(make_images)


class Client(contextlib.AbstractContextManager):
    """deploy_client.py, while the block runs."""

    def __init__(self, path="/version", interval=0.05):
        self.words = ["python3", CLIENT, HTTP, ADMIN, path, interval]
        self.lines = []

    def __enter__(self):
        self.file = tempfile.NamedTemporaryFile()
        self.process = subprocess.Popen(ENGINE.inside(self.words), stdin=subprocess.DEVNULL, stdout=self.file)
        wait_for(lambda: self.read() and self.weights)
        return self

    def __exit__(self, *_):
        self.read()
        has_ended = self.process.poll() is not None
        self.process.terminate()
        self.process.wait(20)
        self.file.close()
        if has_ended:
            raise AssertionError("the client ended")

    def read(self):
        """All lines until now, of which the last one may be half written."""
        text = pathlib.Path(self.file.name).read_text()
        self.lines = [json.loads(line) for line in text.split("\n")[:-1]]
        return self.lines

    @property
    def answers(self):
        return [line for line in self.lines if "status" in line]

    @property
    def failed(self):
        return [line for line in self.answers if line["status"] != 200]

    @property
    def weights(self):
        return [line["weights"] for line in self.lines if "weights" in line]

    def periods(self):
        """(weights, answers) while the weights stayed, but for the moment around a change."""
        changes = [line for line in self.lines if "weights" in line]
        ends = [*(line["at"] for line in changes[1:]), self.lines[-1]["at"]]
        for line, end in zip(changes, ends):
            yield line["weights"], [one for one in self.answers if line["at"] + 0.3 < one["at"] < end - 0.3]


class Production(stack_rig.Stack):
    """A home with the profile production; every test starts from whatever colour is active."""
    name = STACK
    values = {"TRAFFIC_STEP_SECONDS": "1", "HEALTH_CHECK_TIMEOUT": "12", "ROLLBACK_TIMEOUT": "60"}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        options = localagent_rig.make_stack(cls.top / "stack", cls.top / "mirror", values=cls.values)
        cls.document("install", cls.top / "stack", "--profile", "production", "--yes", *options)
        for name, edits in VERSIONS.items():
            if ENGINE.docker("image", "inspect", f"{STACK}:{name}", check=False).returncode != 0:
                localagent_rig.make_version(ENGINE, name, *edits)
        cls.deployments = cls.home / ".local/state/slipway/deployments" / STACK

    @classmethod
    def deploy(cls, version, status=0):
        return cls.slipway("deploy", STACK, f"{STACK}:{version}", "--yes", status=status)

    @classmethod
    def rollback(cls, status=0):
        return cls.slipway("deploy", STACK, "--rollback", "--yes", status=status)

    @classmethod
    def state(cls):
        """What is written down; before the first deployment: what was installed."""
        path = cls.deployments / "state.json"
        return json.loads(path.read_text()) if path.exists() else {"active": "blue"}

    @classmethod
    def audit(cls):
        return [json.loads(line) for line in (cls.deployments / "audit.log").read_text().splitlines()]

    @classmethod
    def version(cls):
        """Of the gateway behind the proxy."""
        status, text = cls.ask(HTTP, "/version")
        return json.loads(text)["commit"] if status == 200 else status

    @classmethod
    def make_active(cls, version):
        if cls.version() != version:
            cls.deploy(version)

    @classmethod
    def running(cls):
        text = ENGINE.docker("ps", "--filter", f"label=com.docker.compose.project={STACK}", "--format",
                             '{{.Label "com.docker.compose.service"}}').stdout
        return set(text.split())

    def assert_all_answered(self, client):
        log = ENGINE.docker("logs", "--timestamps", "--tail", "60", self.containers()["proxy"])
        self.assertEqual(client.failed, [], log.stdout + log.stderr)

    def hold_each_step(self, seconds):
        """In this test."""
        path = self.prefix / "containers/env"
        stack_rig.set_values(path, {"TRAFFIC_STEP_SECONDS": str(seconds)})
        self.addCleanup(stack_rig.set_values, path, {"TRAFFIC_STEP_SECONDS": "1"})

    def assert_settled(self, version):
        """One colour runs, has all of the traffic, and everything that is written down says so."""
        state = self.state()
        active, other = state["active"], COLOURS[state["active"]]
        self.assertNotIn("unfinished", state)
        self.assertEqual(self.running(), CONTAINERS | {f"{STACK}-{active}"})
        self.assertEqual(self.version(), version)
        self.assertEqual(json.loads(self.ask(HTTP, "/version")[1])["colour"], active)
        servers = (self.prefix / "containers/proxy/servers.cfg").read_text()
        self.assertRegex(servers, rf"server {active} .* weight 100\n")
        self.assertRegex(servers, rf"server {other} .* weight 0\n")
        variables = (self.prefix / "containers/deployment.env").read_text()
        self.assertIn(f"COMPOSE_PROFILES={active}\n", variables)
        self.assertEqual(state["weights"], {active: 100, other: 0})
        self.assertEqual(list(self.deployments.glob("*.tmp*")), [])


class BlueGreen(Production):
    """Sheet, 12 b3 to b6."""

    def test_b3_a_version_takes_over_step_by_step(self):
        self.make_active("v1")
        before = self.state()
        self.hold_each_step(8)
        with Client(interval=0.02) as client:
            self.deploy("v2")
            time.sleep(2)
        self.assert_all_answered(client)
        old, new = before["active"], COLOURS[before["active"]]
        self.assertEqual(client.weights[0], {old: 100, new: 0})
        held = {one[new]: answers for one, answers in client.periods() if one[new] > 0 and len(answers) > 50}
        self.assertEqual(set(held), {10, 50, 100})
        for weight, answers in held.items():
            with self.subTest(weight=weight):
                self.assertGreaterEqual(len(answers), 200)
                share = sum(one["version"] == "v2" for one in answers) / len(answers)
                self.assertLessEqual(abs(share - weight / 100), 0.03)
        self.assert_settled("v2")
        self.assertEqual(self.state()["active"], new)
        self.assertEqual(self.state()["previous"], old)
        self.assert_written_down(new)

    def assert_written_down(self, colour):
        one = self.state()[colour]
        self.assertEqual(one["image"], f"{STACK}:v2")
        self.assertEqual(json.loads(self.ask(HTTP, "/version")[1])["deployment"], one["id"])
        record = self.audit()[-1]
        self.assertEqual((record["id"], record["result"], record["action"]), (one["id"], "deployed", "deploy"))
        self.assertLessEqual({"time", "actor", "host", "from", "to", "image", "digest", "steps", "duration_s"},
                             set(record))
        report = json.loads((self.deployments / "reports" / f"{one['id']}.json").read_text())
        self.assertEqual(report["result"], "deployed")
        backup = self.deployments / "backups" / one["id"]
        self.assertTrue([path for path in backup.rglob("*") if path.is_file() and path.stat().st_size])
        for path in (self.deployments, *self.deployments.rglob("*")):
            self.assertEqual(path.stat().st_mode & 0o077, 0, path)
        token = self.key("LOCALAGENT_API_TOKEN")
        for path in self.deployments.rglob("*"):
            if path.is_file():
                self.assertNotIn(token.encode(), path.read_bytes(), path)

    def test_b4_a_version_that_is_not_ready_gets_no_traffic(self):
        self.make_active("v1")
        before = self.state()
        with Client() as client:
            done = self.deploy("v3", status=1)
            time.sleep(1)
        self.assert_all_answered(client)
        self.assertEqual({one["version"] for one in client.answers}, {"v1"})
        self.assertEqual({one[before["active"]] for one in client.weights}, {100})
        self.assertIn("v3", done.stderr)
        self.assert_settled("v1")
        self.assertEqual(self.state()["active"], before["active"])
        self.assertEqual((self.audit()[-1]["result"], self.audit()[-1]["image"]), ("rolled_back", f"{STACK}:v3"))

    def test_b4_a_version_that_fails_its_users_stays_at_the_first_step(self):
        self.make_active("v1")
        before = self.state()
        self.hold_each_step(3)
        with Client("/health", interval=0.02) as client:
            done = self.deploy("v4", status=1)
            end = client.read()[-1]["at"]
            time.sleep(2)
        self.assertRegex(done.stderr, r"answered with \d+ errors at 10 %")
        self.assertTrue(client.failed)
        self.assertEqual({one["status"] for one in client.failed}, {500})
        self.assertEqual([one for one in client.failed if one["at"] > end], [])
        self.assertEqual({one[COLOURS[before["active"]]] for one in client.weights}, {0, 10})
        self.assert_settled("v1")
        self.assertEqual((self.audit()[-1]["result"], self.audit()[-1]["image"]), ("rolled_back", f"{STACK}:v4"))

    def test_b5_back_and_forth_in_processes_of_their_own(self):
        self.make_active("v1")
        self.make_active("v2")
        for version in ("v1", "v2"):
            with Client() as client:
                self.rollback()
                time.sleep(1)
            self.assert_all_answered(client)
            self.assert_settled(version)
            self.assertEqual(self.audit()[-1]["action"], "rollback")

    def test_b5_a_dry_run_changes_nothing(self):
        self.make_active("v1")
        self.make_active("v2")

        def seen():
            files = (*self.deployments.rglob("*"), *(self.prefix / "containers").rglob("*"))
            return {str(path): (path.stat().st_mtime_ns, path.is_file() and path.read_bytes()) for path in files}

        before = seen()
        since = time.time()
        for words in ([f"{STACK}:v1"], ["--rollback"]):
            done = self.slipway("deploy", STACK, *words, "--dry-run")
            self.assertRegex(done.stdout + done.stderr, r"\b10\b(.|\n)*\b50\b(.|\n)*\b100\b")
        events = ENGINE.docker("events", "--since", f"{since:.3f}", "--until", f"{time.time():.3f}", "--format",
                               "{{.Type}} {{.Action}} {{.Actor.Attributes.name}}").stdout
        # Health checks go on.
        self.assertEqual([line for line in events.splitlines()
                          if not line.startswith(("container exec_", "container health_status"))], [])
        self.assertEqual(seen(), before)

    def test_b6_the_proxy_starts_again_with_the_active_colour(self):
        self.make_active("v1")
        self.make_active("v2")
        ENGINE.docker("restart", "-t", "5", self.containers()["proxy"])
        wait_for(lambda: self.version() == "v2", 30)
        with Client() as client:
            time.sleep(2)
        self.assert_all_answered(client)
        self.assertEqual({one["version"] for one in client.answers}, {"v2"})

    def start(self, version):
        """A deployment that can be killed."""
        words = ["env", "-C", self.home, rig.PROGRAM, "deploy", STACK, f"{STACK}:{version}", "--yes"]
        environment = ENGINE.environment(HOME=str(self.home), SLIPWAY_KEY_FILE=str(self.home / "key"))
        return subprocess.Popen(ENGINE.inside(words), env=environment, stdin=subprocess.DEVNULL,
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def kill_when(self, version, is_due):
        process = self.start(version)
        try:
            wait_for(lambda: is_due() or process.poll() is not None, 90)
            self.assertIsNone(process.poll(), "it ended before")
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait(30)

    def test_b6_killed_and_run_again(self):
        moments = {
            "the backup": lambda client, new: "unfinished" in self.state(),
            "the start": lambda client, new: f"{STACK}-{new}" in self.running(),
            "10 %": lambda client, new: client.read() and client.weights[-1][new] == 10,
            "50 %": lambda client, new: client.read() and client.weights[-1][new] == 50,
            "100 %": lambda client, new: client.read() and client.weights[-1][new] == 100,
        }
        for moment, is_due in moments.items():
            old = self.version()
            version = "v2" if old == "v1" else "v1"
            new = COLOURS[self.state()["active"]]
            with self.subTest(moment), Client() as client:
                self.kill_when(version, lambda: is_due(client, new))  # pylint: disable=cell-var-from-loop
                time.sleep(1)
                self.deploy(version)
                time.sleep(1)
                client.read()
                self.assert_all_answered(client)
                self.assert_settled(version)

    def test_b6_killed_and_rolled_back(self):
        self.make_active("v1")
        self.make_active("v2")
        with Client() as client:
            new = COLOURS[self.state()["active"]]
            self.kill_when("v1", lambda: client.read() and client.weights[-1][new] == 50)
            self.rollback()
            time.sleep(1)
        self.assert_all_answered(client)
        self.assert_settled("v2")

    def test_keys_reach_the_colours_and_nobody_else(self):
        token = self.key("LOCALAGENT_API_TOKEN")
        colour = f"{STACK}-{self.state()['active']}"
        self.assertEqual(self.inside(colour, "cat", "/run/secrets/LOCALAGENT_API_TOKEN").stdout, token)
        self.assertNotIn(token, ENGINE.docker("inspect", *self.containers().values()).stdout)
        self.assertEqual(self.inside("proxy", "ls", "/run/secrets", check=False).stdout, "")
        self.assertEqual(self.ask(HTTP, "/v1/models")[0], 401)
        self.assertEqual(self.ask(HTTP, "/v1/models", "-H", f"Authorization: Bearer {token}")[0], 200)
        self.assertNotIn(token, self.logs())

    def test_refusals(self):
        for words, status in (([f"{STACK}:latest"], 64), ([STACK], 64), ([], 64)):
            with self.subTest(words):
                self.slipway("deploy", STACK, *words, "--yes", status=status)
        done = self.deploy("nowhere", status=None)
        self.assertNotIn(done.returncode, (0, 1, 2))
        self.assertIn("nowhere", done.stderr)


class Life(Production):
    """Status, down and up, data that goes and comes back, and what stays when the stack goes."""

    def services(self):
        return {one["service"]: one["state"]
                for one in self.document("status", STACK)["stacks"][STACK]["services"]}

    def test_1_fresh(self):
        self.assertEqual(self.services(), {**dict.fromkeys(CONTAINERS, "healthy"), "localagent-blue": "healthy",
                                           "localagent-green": "standby"})
        self.assertFalse(self.document("up", STACK)["changed"])
        self.assertNotIn(self.rollback(status=None).returncode, (0, 1, 2))
        self.assertLessEqual({"proxy", "colour", "ready", "redis"}, self.assert_tests_pass())

    def test_2_down_and_up_keep_the_active_colour(self):
        self.make_active("v1")
        self.assertEqual(self.services()["localagent-green"], "healthy")
        self.assertEqual(self.services()["localagent-blue"], "standby")
        self.assertFalse(self.document("up", STACK)["changed"])
        self.slipway("down", STACK)
        self.assertEqual(self.running(), set())
        self.slipway("up", STACK)
        wait_for(lambda: self.version() == "v1", 30)
        self.assert_settled("v1")
        self.rollback()
        self.assert_settled(localagent_rig.COMMIT)

    def test_3_backup_and_restore(self):
        self.inside("redis", "redis-cli", "set", "marker", "here")
        self.make_active("v2")
        saved = self.deployments / "backups" / self.state()[self.state()["active"]]["id"]
        self.inside("redis", "redis-cli", "set", "marker", "gone")
        self.slipway("restore", STACK, saved, "--yes")
        self.assertEqual(self.inside("redis", "redis-cli", "get", "marker").stdout, "here\n")
        wait_for(lambda: self.version() == "v2", 30)

    def test_4_nothing_is_left(self):
        ENGINE.docker("volume", "create", "somebody-elses")
        self.slipway("reset", STACK, "--yes")
        self.assertEqual(self.containers(), {})
        document = self.document("uninstall", STACK, "--yes")
        self.assertEqual(engine.left_in_place(document), [])
        self.assertFalse(self.prefix.exists())
        self.assertEqual(ENGINE.docker("volume", "ls", "-q").stdout.split(), ["somebody-elses"])
        self.assertEqual(ENGINE.networks(), [])


if __name__ == "__main__":
    unittest.main()
