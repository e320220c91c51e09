"""Stack buttercup on a real engine; buttercup_rig.py says which programs are stand-ins.

The letters are those of the acceptance list: a is asked of "docker compose config", b of containers.
"""
import functools
import graphlib
import json
import pathlib
import re
import secrets
import shutil
import time
import unittest
import urllib.parse

import buttercup_rig
import engine
import rig

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
    ENGINE = engine.NetworkEngine()
    unittest.addModuleCleanup(ENGINE.close)
    buttercup_rig.make_images(ENGINE)


class Config(unittest.TestCase):
    """What docker compose makes of the files that users get."""

    @classmethod
    def setUpClass(cls):
        cls.place = ENGINE.top / "config-only"
        shutil.copytree(buttercup_rig.STACK, cls.place)
        env = cls.place / "compose/env"
        env.write_text(env.read_text().replace("@prefix@", str(cls.place)))

    def config(self, *files, profile=None, status=0):
        words = ["docker", "compose", "--env-file", "env", "-f", "compose.yaml"]
        for name in files:
            words += ["-f", f"compose.{name}.yaml"]
        words += ["--profile", profile] if profile else []
        done = ENGINE.run(["env", "-C", self.place / "compose", *words, "config", "--format", "json"], check=False)
        self.assertEqual((done.returncode, done.stderr), (status, ""))
        return json.loads(done.stdout)

    @functools.cached_property
    def services(self):
        return self.config()["services"]

    def test_a1_every_profile(self):
        for files, profile in (((), None), (("dev",), None), (("monitoring",), None), (("ollama",), None),
                               (("scantron",), "scantron"), (("dev", "monitoring", "ollama"), None)):
            with self.subTest(files=files):
                self.config(*files, profile=profile)

    def test_a2_services(self):
        self.assertEqual(set(self.services), SERVICES)
        self.assertEqual(set(self.config("monitoring")["services"]), SERVICES | WATCHERS)

    def test_a3_each_service(self):
        whole = self.config("monitoring")
        self.assertEqual(whole["name"], "buttercup")
        for name, service in whole["services"].items():
            with self.subTest(name):
                self.assertTrue(service["healthcheck"]["test"])
                self.assertEqual(service["restart"], "unless-stopped")
                self.assertGreater(int(service["deploy"]["resources"]["limits"]["memory"]), 0)
                self.assertEqual(service.get("privileged", False), name == "dind")
                self.assertRegex(service["image"], r":[^:/]+$")
                self.assertFalse(service["image"].endswith(":latest"))
                for port in service.get("ports", ()):
                    self.assertEqual(port["host_ip"], "127.0.0.1")

    def test_a4_no_key_is_in_it(self):
        text = json.dumps(self.config("monitoring"))
        self.assertEqual(re.findall(r'"[A-Z_]*(?:API_KEY|TOKEN|PASSWORD|_PAT|"DATABASE_URL)": "[^"]+"', text), [])

    def test_a5_shared_directories(self):
        whole = self.config()
        for name in APPS | {"dind"}:
            mounts = {one["target"]: one["source"] for one in whole["services"][name]["volumes"]}
            with self.subTest(name):
                self.assertLessEqual(SHARED.items(), mounts.items())
                self.assertFalse([target for target in mounts if target.startswith("/node_data/")])

    def test_a6_order(self):
        graph = {name: service.get("depends_on", {}) for name, service in self.services.items()}
        self.assertEqual(len(list(graphlib.TopologicalSorter(graph).static_order())), len(SERVICES))
        for needs in graph.values():
            for need in needs.values():
                self.assertEqual(need["condition"], "service_healthy")

    def test_prometheus_takes_its_files(self):
        place = self.place / "compose/monitoring"
        for words in (("config", "prometheus.yml"), ("rules", "rules.yml")):
            ENGINE.docker("run", "--rm", "--network", "none", "--entrypoint", "promtool",
                          "-v", f"{place}:/etc/prometheus:ro", buttercup_rig.image("prometheus"),
                          "check", words[0], f"/etc/prometheus/{words[1]}")

    def test_lint(self):
        done = ENGINE.run([rig.PROGRAM, "stack", "lint", STACK, "--json"])
        self.assertEqual([one for one in json.loads(done.stdout)["findings"] if not one.get("reason")], [])


class Buttercup(unittest.TestCase):
    """One home, in which the stack is installed once, in the class's profile."""
    PROFILE = "core"

    @classmethod
    def setUpClass(cls):
        cls.top = ENGINE.top / f"home-{secrets.token_hex(3)}"
        cls.home = cls.top / "home"
        cls.home.mkdir(parents=True)
        cls.addClassCleanup(shutil.rmtree, cls.top)
        cls.addClassCleanup(ENGINE.run, ["rm", "-rf", "/run/slipway"])
        cls.addClassCleanup(ENGINE.empty)
        (cls.home / "key").write_bytes(secrets.token_bytes(32))
        (cls.home / "key").chmod(0o600)
        cls.stack = buttercup_rig.make_stack(cls.top / "stack", cls.top / "upstream", {})
        cls.prefix = cls.home / ".buttercup"
        cls.arrange()

    @classmethod
    def arrange(cls):
        cls.slipway("keys", "set", "OPENAI_API_KEY", "--stdin", input=VENDOR)
        cls.install()

    @classmethod
    def install(cls, **options):
        return cls.slipway("install", cls.stack, "--yes", "--profile", cls.PROFILE, *cls.ignore(), **options)

    @staticmethod
    def ignore():
        """What the real stack needs and this machine may lack."""
        return [word for check in ("engine.cpus", "engine.memory", "engine.disk", "engine.version")
                for word in ("--ignore", check)]

    @classmethod
    def slipway(cls, *arguments, status=0, env=None, **options):
        done = ENGINE.run(
            ["env", "-C", str(cls.home), str(rig.PROGRAM), *map(str, arguments)], check=False,
            env=ENGINE.environment(HOME=str(cls.home), SLIPWAY_KEY_FILE=str(cls.home / "key"),
                                   **(env or {})), **options)
        if done.returncode != status:
            raise AssertionError(f"{arguments}: {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done

    @classmethod
    def document(cls, *arguments, **options):
        return json.loads(cls.slipway(*arguments, "--json", **options).stdout)

    @classmethod
    def containers(cls):
        """service -> id."""
        lines = ENGINE.docker(
            "ps", "-a", "--no-trunc", "--filter", f"label=com.docker.compose.project={STACK}",
            "--format", '{{.Label "com.docker.compose.service"}} {{.ID}}').stdout.split("\n")
        return dict(line.split() for line in lines if line)

    def inspect(self, service):
        return json.loads(ENGINE.docker("inspect", self.containers()[service]).stdout)[0]

    def inside(self, service, *words, check=True):
        return ENGINE.docker("exec", self.containers()[service], *words, check=check)

    def health(self, service):
        return self.inspect(service)["State"]["Health"]["Status"]

    def wait_for(self, what, service=None, seconds=180):
        for _ in range(seconds * 4):
            if what():
                return
            time.sleep(0.25)
        self.fail(f"not within {seconds} s: {self.inspect(service)['State'] if service else ''}")

    def wait_until(self, service, health):
        self.wait_for(lambda: self.health(service) == health, service)

    @staticmethod
    def get(port, path):
        """Returns: status and text of an answer on one of the stack's ports, which are the engine's own."""
        done = ENGINE.run(["curl", "-s", "-m", "10", "-w", "\n%{http_code}", f"http://127.0.0.1:{port}{path}"])
        text, _, status = done.stdout.rpartition("\n")
        return int(status), text

    def key(self, name):
        return self.slipway("keys", "get", name).stdout.strip()


class Core(Buttercup):
    def test_all_are_well(self):
        self.assertEqual(set(self.containers()), SERVICES)
        for service in SERVICES:
            self.assertEqual(self.health(service), "healthy", service)
        self.slipway("status", STACK)

    def test_its_own_tests(self):
        tests = self.document("test", STACK)["tests"]
        self.assertEqual({one["verdict"] for one in tests}, {"pass"}, tests)
        self.assertEqual(len(tests), 11)

    def test_edits_are_made(self):
        text = (self.prefix / "src/common/src/buttercup/common/utils.py").read_text()
        self.assertIn("BUTTERCUP_HEALTH_FILE", text)
        self.assertNotIn("{settings}", (self.prefix / "src/orchestrator/src/buttercup/orchestrator/ui/__cli__.py").read_text())
        self.assertTrue((self.prefix / "cscope/configure.ac").exists())

    def test_b1_redis_that_is_killed(self):
        started = self.inspect("redis")["State"]["StartedAt"]
        ENGINE.docker("kill", "--signal", "KILL", self.containers()["redis"])
        ENGINE.docker("start", self.containers()["redis"])  # a kill by a person counts as a stop
        self.assertEqual(self.health("redis"), "starting")
        self.wait_until("redis", "healthy")
        self.assertNotEqual(self.inspect("redis")["State"]["StartedAt"], started)

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
        before = self.inside("unified-fuzzer", "pgrep", "-f", "/usr/local/bin/buttercup-tracer-bot").stdout
        self.inside("unified-fuzzer", "pkill", "-KILL", "-f", "/usr/local/bin/buttercup-tracer-bot")
        self.wait_for(lambda: self.table("unified-fuzzer")["tracer-bot"] == "RUNNING")
        self.assertNotEqual(before, self.inside("unified-fuzzer", "pgrep", "-f", "/usr/local/bin/buttercup-tracer-bot").stdout)

    def test_b2_one_that_ends_again_and_again(self):
        self.inside("orchestrator", "touch", "/tmp/end-buttercup-scheduler")
        self.addCleanup(self.slipway, "restart", STACK, "orchestrator")
        self.addCleanup(self.inside, "orchestrator", "rm", "/tmp/end-buttercup-scheduler")
        self.wait_for(lambda: self.table("orchestrator")["scheduler"] == "FATAL")
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
        alone = self.inside("litellm", "python3", "-c", "import socket; socket.create_connection(('dind', 2375), 3)",
                            check=False)
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
            "logs": "".join(ENGINE.docker("logs", one).stdout + ENGINE.docker("logs", one).stderr
                            for one in self.containers().values()),
            "status": self.slipway("status", STACK, "--json").stdout,
            "prefix": "".join(path.read_text() for path in (self.prefix / "compose").rglob("*") if path.is_file()),
            "config": ENGINE.run(["env", "-C", self.prefix / "compose", "docker", "compose", "--env-file", "env",
                                  "-f", "compose.yaml", "-f",
                                  self.home / f".local/state/slipway/compose/{STACK}/keys.json", "config"]).stdout,
            "layers": "".join(ENGINE.docker("diff", one).stdout for one in self.containers().values()),
        }
        for name, secret in secrets_of.items():
            for place, text in places.items():
                self.assertNotIn(secret, text, f"{name} in {place}")
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
        self.assertEqual(self.get(TASK_SERVER, "/status/")[0], 401)
        for port in (DASHBOARD, COMPETITION):
            self.assertIn("pong", self.get(port, "/v1/ping/")[1])
        self.assertEqual(self.get(LITELLM, "/v1/models")[0], 401)


class Life(Buttercup):
    def test_the_order_of_a_start(self):
        """b3: nobody starts before those that it needs are well."""
        ping = ENGINE.docker("logs", "-t", self.containers()["mock-competition-api"]).stdout
        first = next(line.split()[0] for line in ping.splitlines() if "the first ping" in line)
        self.assertGreater(self.inspect("orchestrator")["State"]["StartedAt"], first)
        for service, needs in (("litellm", ("litellm-db",)), ("patcher", ("redis", "dind", "litellm"))):
            for need in needs:
                self.assertGreater(self.inspect(service)["State"]["StartedAt"], self.inspect(need)["State"]["StartedAt"])

    def test_start_stop_reset(self):
        """b5, and twice is once."""
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
                         {"container": 10, "network": 2, "volume": 7})
        self.assertEqual(ENGINE.docker("volume", "ls", "-q").stdout.split(), ["foreign"])
        self.slipway("up", STACK)
        self.assertEqual(self.inside("redis", "redis-cli", "get", "kept").stdout.strip(), "")
        self.assertEqual(values, {name: self.key(name) for name in GENERATED})
        self.slipway("test", STACK)

    def test_uninstall_keeps_nothing_but_data_and_keys(self):
        self.slipway("uninstall", STACK, "--yes")
        self.assertEqual({}, self.containers())
        self.assertFalse(self.prefix.exists())
        self.assertTrue(self.key("CRS_KEY_TOKEN"))
        self.install()
        self.slipway("test", STACK)


class NoKey(Buttercup):
    @classmethod
    def arrange(cls):
        pass

    def test_one_key_of_a_provider_is_needed(self):
        done = self.install(status=78)
        self.assertIn("one is needed: OPENAI_API_KEY, ANTHROPIC_API_KEY, GEMINI_API_KEY, AZURE_API_KEY", done.stderr)
        self.assertIn("slipway keys set OPENAI_API_KEY", done.stderr)
        self.assertEqual({}, self.containers())
        self.assertFalse(self.prefix.exists())

    def test_without_its_keys_a_service_names_the_first(self):
        """a1: a start by hand, past slipway."""
        done = ENGINE.docker("run", "--rm", "--network", "none", "--entrypoint", "python3",
                             buttercup_rig.image("orchestrator"), "/usr/local/lib/buttercup/start.py",
                             "A=CRS_KEY_TOKEN", "--", "true", check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("the key CRS_KEY_TOKEN is not there", done.stderr)


class Watched(Buttercup):
    PROFILE = "monitoring"

    def test_monitoring(self):
        self.assertEqual(set(self.containers()), SERVICES | WATCHERS)
        self.slipway("test", STACK)
        self.inside("redis", "redis-cli", "xgroup", "create", "patches_queue", "patcher_group", "0", "mkstream")
        self.inside("redis", "redis-cli", "xadd", "patches_queue", "*", "item", "x")
        self.wait_for(lambda: self.asked('buttercup_queue_waiting{queue="patches_queue"}') == ["1"])
        self.assertEqual(set(self.asked("buttercup_up")), {"1"})
        self.assertEqual(len(self.asked("buttercup_queue_entries")), 13)
        rules = json.loads(self.get(PROMETHEUS, "/api/v1/rules")[1])["data"]["groups"][0]["rules"]
        self.assertEqual({rule["health"] for rule in rules} - {"unknown"}, {"ok"})

    def asked(self, query):
        """The values of an instant query."""
        status, text = self.get(PROMETHEUS, f"/api/v1/query?query={urllib.parse.quote(query)}")
        self.assertEqual(status, 200)
        return [row["value"][1] for row in json.loads(text)["data"]["result"]]

    def test_every_panel_shows_something(self):
        board = json.loads((self.prefix / "compose/monitoring/dashboard.json").read_text())
        self.wait_for(lambda: self.asked("buttercup_tasks"))
        for panel in board["panels"]:
            for target in panel["targets"]:
                if "[1h]" not in target["expr"] and "waiting" not in target["expr"] and "pending" not in target["expr"]:
                    self.assertTrue(self.asked(target["expr"]), panel["title"])


class Dev(Buttercup):
    PROFILE = "dev"

    def test_dev(self):
        environment = self.inspect("unified-fuzzer")["Config"]["Env"]
        self.assertIn("BC_FUZZER_TIMEOUT=300", environment)
        self.assertIn("--timeout 300", ENGINE.docker("logs", self.containers()["unified-fuzzer"]).stdout)
        self.assertIn("BUTTERCUP_SCHEDULER_LOG_LEVEL=debug", self.inspect("orchestrator")["Config"]["Env"])
        self.slipway("test", STACK)


if __name__ == "__main__":
    unittest.main()
