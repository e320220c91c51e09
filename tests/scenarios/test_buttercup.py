"""Stack buttercup on a real engine; buttercup_rig.py says which programs are stand-ins.

The letters are those of the acceptance list: a is asked of "docker compose config", b of containers.
"""
import json
import pathlib
import re
import secrets
import time
import unittest
import urllib.parse

import buttercup_rig
import stack_rig
from stack_rig import wait_for

STACK = "buttercup"
APPS = {"orchestrator", "unified-fuzzer", "program-model", "patcher", "seed-gen"}
SERVICES = APPS | {"redis", "litellm-db", "litellm", "dind", "mock-competition-api"}
WATCHERS = {"metrics", "prometheus", "grafana"}
LITELLM, TASK_SERVER, DASHBOARD, COMPETITION, PROMETHEUS = 8080, 8000, 1323, 31323, 9091
VENDOR = "sk-canary-" + secrets.token_hex(16)
GENERATED = ("BUTTERCUP_LITELLM_KEY", "LITELLM_DB_PASSWORD", "CRS_KEY_ID", "CRS_KEY_TOKEN",
             "COMPETITION_API_KEY_TOKEN")
SHARED = {"/node_data": "node-data", "/crs_scratch": "crs-scratch", "/tasks_storage": "tasks-storage"}


def setUpModule():
    global ENGINE
    ENGINE = stack_rig.start_engine(buttercup_rig.make_images)


class Config(stack_rig.Files):
    privileged = {"dind"}

    @classmethod
    def setUpClass(cls):
        cls.place = buttercup_rig.STACK / "compose"

    def test_a1_every_profile(self):
        for names, profile in (((), None), (("dev",), None), (("ollama",), None), (("scantron",), "scantron"),
                               (("dev", "monitoring", "ollama"), None)):
            self.config("compose.yaml", *(f"compose.{name}.yaml" for name in names), profile=profile)

    def test_a2_services(self):
        self.assertEqual(self.everything["name"], STACK)
        self.assertEqual(set(self.config("compose.yaml")["services"]), SERVICES)
        self.assertEqual(set(self.services), SERVICES | WATCHERS)

    def test_a5_shared_directories(self):
        for name in APPS | {"dind"}:
            mounts = {one["target"]: one["source"] for one in self.services[name]["volumes"]}
            with self.subTest(name):
                self.assertLessEqual(SHARED.items(), mounts.items())
                self.assertFalse([target for target in mounts if target.startswith("/node_data/")])

    def test_prometheus_takes_its_files(self):
        place = self.place / "monitoring"
        for words in (("config", "prometheus.yml"), ("rules", "rules.yml")):
            ENGINE.docker("run", "--rm", "--network", "none", "--entrypoint", "promtool",
                          "-v", f"{place}:/etc/prometheus:ro", buttercup_rig.image("prometheus"),
                          "check", words[0], f"/etc/prometheus/{words[1]}")


class Buttercup(stack_rig.Stack):
    name = STACK

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.options = buttercup_rig.make_stack(cls.top / "stack", cls.top / "upstream")

    @classmethod
    def install(cls, profile, **options):
        return cls.slipway("install", cls.top / "stack", "--yes", "--profile", profile, *cls.options, **options)


class Life(Buttercup):
    """All of its services, from the first start to the end."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.slipway("keys", "set", "OPENAI_API_KEY", "--stdin", input=VENDOR)
        cls.install("monitoring")
        cls.began = {service: cls.started(service) for service in cls.containers()}

    def test_all_are_well(self):
        self.assertEqual(set(self.containers()), SERVICES | WATCHERS)
        self.assert_all_are_well(SERVICES | WATCHERS)
        self.assert_tests_pass(13)

    def test_edits_are_made(self):
        top = self.prefix / "src"
        self.assertIn("BUTTERCUP_HEALTH_FILE", (top / "common/src/buttercup/common/utils.py").read_text())
        self.assertNotIn("{settings}", (top / "orchestrator/src/buttercup/orchestrator/ui/__cli__.py").read_text())
        self.assertTrue((self.prefix / "cscope/configure.ac").exists())

    def test_b1_redis_that_is_killed(self):
        before = self.started("redis")
        ENGINE.docker("kill", "--signal", "KILL", self.containers()["redis"])
        ENGINE.docker("start", self.containers()["redis"])  # a kill by a person counts as a stop
        self.assertEqual(self.health("redis"), "starting")
        self.wait_until("redis", "healthy")
        self.assertNotEqual(self.started("redis"), before)

    def test_b1_a_database_that_is_gone(self):
        self.inside("litellm-db", "pg_isready", "-q", "-d", "litellm", "-U", "litellm_user")
        wrong = self.inside("litellm-db", "psql", "-h", "127.0.0.1", "-U", "litellm_user", "litellm", "-c", "select 1",
                            check=False)
        self.assertIn("password", wrong.stderr)

    def table(self, service):
        done = self.inside(service, "supervisorctl", "-c", "/etc/buttercup/supervisord.conf", "status", check=False)
        return {line.split()[0]: line.split()[1] for line in done.stdout.splitlines()}

    def test_b2_programs(self):
        for service, programs in (
                ("orchestrator", {"task-server", "task-downloader", "scheduler", "pov-reproducer", "scratch-cleaner"}),
                ("unified-fuzzer", {"build-bot", "fuzzer-bot", "coverage-bot", "tracer-bot", "corpus-merger"})):
            self.assertEqual(self.table(service), dict.fromkeys(programs, "RUNNING"))
            lines = ENGINE.docker("logs", self.containers()[service]).stdout
            for name in programs:
                self.assertIn(f"{name} | ", lines)

    def test_b2_one_that_is_killed_comes_back(self):
        def ask(program, *words):
            return self.inside("unified-fuzzer", program, *words, "-f", "/usr/local/bin/buttercup-tracer-bot").stdout

        before = ask("pgrep")
        ask("pkill", "-KILL")
        wait_for(lambda: self.table("unified-fuzzer")["tracer-bot"] == "RUNNING")
        self.assertNotEqual(before, ask("pgrep"))

    def test_b2_one_that_ends_again_and_again(self):
        self.inside("orchestrator", "touch", "/tmp/end-buttercup-scheduler")
        self.addCleanup(self.slipway, "restart", STACK, "orchestrator")
        self.addCleanup(self.inside, "orchestrator", "rm", "/tmp/end-buttercup-scheduler")
        wait_for(lambda: self.table("orchestrator")["scheduler"] == "FATAL")
        self.wait_until("orchestrator", "unhealthy")
        self.slipway("status", STACK, status=1)
        done = self.slipway("test", STACK, status=1)
        self.assertIn("scheduler", done.stdout)

    def test_b2_one_that_hangs(self):
        self.inside("program-model", "pkill", "-STOP", "-f", "python3 /usr/local/bin/buttercup-program-model")
        self.inside("program-model", "touch", "-d", "@1", "/tmp/health/program-model")
        self.wait_until("program-model", "unhealthy")
        self.inside("program-model", "pkill", "-CONT", "-f", "python3 /usr/local/bin/buttercup-program-model")
        self.wait_until("program-model", "healthy")

    def test_b2_it_stops_in_time(self):
        for service in ("orchestrator", "unified-fuzzer"):
            start = time.monotonic()
            ENGINE.docker("stop", self.containers()[service])
            self.assertLess(time.monotonic() - start, 25, service)
            self.assertNotEqual(self.inspect(service)["State"]["ExitCode"], 137)
            ENGINE.docker("start", self.containers()[service])
        for service in ("orchestrator", "unified-fuzzer"):
            self.wait_until(service, "healthy")

    def test_b4_the_nested_engine(self):
        self.assertIn("Server", self.inside("unified-fuzzer", "docker", "version").stdout)
        secret = secrets.token_hex(8)
        self.inside("unified-fuzzer", "sh", "-c", f"echo {secret} >/node_data/scratch/seen")
        self.assertEqual(self.inside("dind", "cat", "/node_data/scratch/seen").stdout.strip(), secret)
        # From the network of the engine alone.
        alone = self.inside("litellm", "env", "RES_OPTIONS=timeout:1 attempts:1", "python3", "-c",
                            "import socket; socket.create_connection(('dind', 2375), 3)", check=False)
        self.assertNotEqual(alone.returncode, 0)

    def test_b4_a_mount_at_the_same_path(self):
        secret = secrets.token_hex(8)
        script = ("set -e; cd $(mktemp -d); for one in /bin/cat; do ldd $one | grep -o '/[^ ]*' | "
                  "xargs -I{} cp -L --parents {} .; cp --parents $one .; done; "
                  "tar -c . | docker import - mount-test >/dev/null; "
                  f"echo {secret} >/node_data/crs_scratch/x; "
                  "docker run --rm --network none -v /node_data/crs_scratch:/in mount-test /bin/cat /in/x")
        self.assertEqual(self.inside("unified-fuzzer", "sh", "-c", script).stdout.strip(), secret)

    def test_b7_keys(self):
        directory = pathlib.Path("/run/slipway/secrets") / STACK
        listing = ENGINE.run(["ls", "-ld", directory]).stdout
        self.assertTrue(listing.startswith("drwx------"))
        secrets_of = {name: self.key(name) for name in GENERATED} | {"OPENAI_API_KEY": VENDOR}
        places = {
            "inspect": ENGINE.docker("inspect", *self.containers().values()).stdout,
            "logs": self.logs(),
            "status": self.slipway("status", STACK, "--json").stdout,
            "prefix": "".join(path.read_text() for path in (self.prefix / "compose").rglob("*") if path.is_file()),
            "config": ENGINE.run(["env", "-C", self.prefix / "compose", "docker", "compose", "--env-file", "env",
                                  "-f", "compose.yaml", "-f", "compose.monitoring.yaml", "-f",
                                  self.home / f".local/state/slipway/compose/{STACK}/keys.json", "config"]).stdout,
        }
        for name, secret in secrets_of.items():
            for place, text in places.items():
                self.assertNotIn(secret, text, f"{name} in {place}")
        self.assert_not_in_layers(secrets_of.values())
        # The control: who declares a key has it.
        for service, variable, name in (("litellm", "OPENAI_API_KEY", "OPENAI_API_KEY"),
                                        ("patcher", "BUTTERCUP_LITELLM_KEY", "BUTTERCUP_LITELLM_KEY"),
                                        ("mock-competition-api", "BUTTERCUP_UI_CRS_KEY_TOKEN", "CRS_KEY_TOKEN")):
            environ = self.inside(service, "sh", "-c", "cat /proc/*/environ | tr '\\0' '\\n'").stdout
            self.assertIn(f"{variable}={secrets_of[name]}", environ)
        for service in SERVICES - {"litellm"}:
            environ = self.inside(service, "sh", "-c", "cat /proc/*/environ; ls /run/secrets", check=False).stdout
            self.assertNotIn(VENDOR, environ)
            self.assertNotIn("OPENAI_API_KEY", environ)

    def test_a4_the_hash_reaches_the_task_server(self):
        environ = self.inside("orchestrator", "sh", "-c", "cat /proc/1/environ | tr '\\0' '\\n'").stdout
        digest = re.search(r"^BUTTERCUP_TASK_SERVER_API_TOKEN_HASH=(.*)$", environ, re.M)[1]
        self.assertRegex(digest, r"^\$argon2id\$v=19\$m=65536,t=3,p=4\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$")
        url = self.inside("litellm", "sh", "-c", "cat /proc/1/environ | tr '\\0' '\\n'").stdout
        self.assertRegex(url, r"(?m)^DATABASE_URL=postgresql://litellm_user:[0-9a-f]{64}@litellm-db:5432/litellm$")

    def test_pages(self):
        self.assertEqual(self.ask(TASK_SERVER, "/status/")[0], 401)
        for port in (DASHBOARD, COMPETITION):
            self.assertIn("pong", self.ask(port, "/v1/ping/")[1])
        self.assertEqual(self.ask(LITELLM, "/v1/models")[0], 401)

    def test_b3_the_order_of_a_start(self):
        """Nobody starts before those that it needs are well."""
        ping = ENGINE.docker("logs", "-t", self.containers()["mock-competition-api"]).stdout
        first = next(line.split()[0] for line in ping.splitlines() if "the first ping" in line)
        self.assertGreater(self.began["orchestrator"], first)
        for service, needs in (("litellm", ("litellm-db",)), ("patcher", ("redis", "dind", "litellm"))):
            for need in needs:
                self.assertGreater(self.began[service], self.began[need])

    def test_monitoring(self):
        self.inside("redis", "redis-cli", "xgroup", "create", "patches_queue", "patcher_group", "0", "mkstream")
        self.inside("redis", "redis-cli", "xadd", "patches_queue", "*", "item", "x")
        wait_for(lambda: self.asked('buttercup_queue_waiting{queue="patches_queue"}') == ["1"])
        self.assertEqual(set(self.asked("buttercup_up")), {"1"})
        self.assertEqual(len(self.asked("buttercup_queue_entries")), 13)
        rules = json.loads(self.ask(PROMETHEUS, "/api/v1/rules")[1])["data"]["groups"][0]["rules"]
        self.assertEqual({rule["health"] for rule in rules} - {"unknown"}, {"ok"})

    def asked(self, query):
        """The values of an instant query."""
        status, text = self.ask(PROMETHEUS, f"/api/v1/query?query={urllib.parse.quote(query)}")
        self.assertEqual(status, 200)
        return [row["value"][1] for row in json.loads(text)["data"]["result"]]

    def test_every_panel_shows_something(self):
        board = json.loads((self.prefix / "compose/monitoring/dashboard.json").read_text())
        wait_for(lambda: self.asked("buttercup_tasks"))
        for panel in board["panels"]:
            for target in panel["targets"]:
                if "[1h]" not in target["expr"] and "waiting" not in target["expr"] and "pending" not in target["expr"]:
                    self.assertTrue(self.asked(target["expr"]), panel["title"])

    def test_zz_to_the_end(self):
        """b5: data stays over down and up, and goes with reset; keys stay, and what belongs to others.  The next
        installation is for development."""
        before = self.containers()
        self.assertFalse(self.document("up", STACK)["changed"])
        self.assertEqual(before, self.containers())
        values = {name: self.key(name) for name in GENERATED}
        ENGINE.docker("volume", "create", "foreign")
        self.inside("redis", "redis-cli", "set", "kept", "yes")

        self.slipway("down", STACK)
        self.assertEqual({}, self.containers())
        self.assertNotEqual(0, ENGINE.run(["ls", f"/run/slipway/secrets/{STACK}"], check=False).returncode)
        self.slipway("up", STACK)
        self.assertEqual(self.inside("redis", "redis-cli", "get", "kept").stdout.strip(), "yes")

        refused = self.slipway("reset", STACK, status=64)
        self.assertIn("buttercup_node-data", refused.stdout)
        removed = self.document("reset", STACK, "--yes")["removes"]
        self.assertEqual({kind: sum(one["kind"] == kind for one in removed)
                          for kind in ("container", "network", "volume")},
                         {"container": 13, "network": 3, "volume": 9})
        self.assertEqual(ENGINE.docker("volume", "ls", "-q").stdout.split(), ["foreign"])

        self.slipway("uninstall", STACK, "--yes")
        self.assertFalse(self.prefix.exists())
        self.install("dev")
        self.assert_all_are_well(SERVICES)
        self.assert_tests_pass(11)
        self.assertEqual(self.inside("redis", "redis-cli", "get", "kept").stdout.strip(), "")
        self.assertEqual(values, {name: self.key(name) for name in GENERATED})
        self.assertIn("BC_FUZZER_TIMEOUT=300", self.inspect("unified-fuzzer")["Config"]["Env"])
        self.assertIn("--timeout 300", ENGINE.docker("logs", self.containers()["unified-fuzzer"]).stdout)
        self.assertIn("BUTTERCUP_SCHEDULER_LOG_LEVEL=debug", self.inspect("orchestrator")["Config"]["Env"])


class NoKey(Buttercup):
    def test_a_key_of_a_provider_is_needed(self):
        done = self.install("core", status=78)
        self.assertIn("one is needed: OPENAI_API_KEY, ANTHROPIC_API_KEY, GEMINI_API_KEY, AZURE_API_KEY", done.stderr)
        self.assertIn("slipway keys set OPENAI_API_KEY", done.stderr)
        self.assertEqual({}, self.containers())
        self.assertFalse(self.prefix.exists())

    def test_ollama_needs_none(self):
        self.install("ollama")
        self.assert_all_are_well(SERVICES)
        self.assert_tests_pass(11)
        self.assertIn("ollama_chat/", self.inside("litellm", "cat", "/tmp/litellm.yaml").stdout)

    def test_without_its_keys_a_service_names_the_first(self):
        """a1: a start by hand, past slipway."""
        done = ENGINE.docker("run", "--rm", "--network", "none", "--entrypoint", "python3",
                             buttercup_rig.image("orchestrator"), "/usr/local/lib/buttercup/start.py",
                             "A=CRS_KEY_TOKEN", "--", "true", check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("the key CRS_KEY_TOKEN is not there", done.stderr)


if __name__ == "__main__":
    unittest.main()
