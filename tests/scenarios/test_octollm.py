"""Stack octollm on a real engine, in all of its profiles; octollm_rig.py says what is a stand-in."""
import json
import re
import shutil
import subprocess
import time
import unittest
import urllib.parse

import octollm_rig
import rig
import stack_rig
from stack_rig import wait_for

STACK = "octollm"
PORTS = ("POSTGRES_PORT", "REDIS_PORT", "QDRANT_PORT", "QDRANT_GRPC_PORT", "REFLEX_HOST_PORT",
         "ORCHESTRATOR_HOST_PORT", "PLANNER_PORT", "RETRIEVER_PORT", "CODER_PORT", "JUDGE_PORT",
         "SAFETY_GUARDIAN_PORT", "EXECUTOR_PORT", "PROMETHEUS_PORT", "GRAFANA_PORT")
STUBS = {f"{arm}-arm" for arm in octollm_rig.ARMS}
CORE = STUBS | {"postgres", "redis", "qdrant", "reflex-layer", "orchestrator", "executor-arm"}
WATCHERS = {"prometheus", "grafana"}
KEYS = ("OCTOLLM_POSTGRES_PASSWORD", "OCTOLLM_REDIS_PASSWORD", "OCTOLLM_QDRANT_API_KEY")


def setUpModule():
    global ENGINE
    ENGINE = stack_rig.start_engine(lambda one: octollm_rig.make_images(one, has_ours=False))


class Definition(stack_rig.Files):
    @classmethod
    def setUpClass(cls):
        cls.place = octollm_rig.STACK / "compose"

    def test_services(self):
        self.assertEqual(CORE, set(self.config("compose.yaml")["services"]))
        self.assertEqual(CORE | WATCHERS, set(self.services))
        self.assertEqual(CORE, set(self.config("compose.yaml", "compose.dev.yaml")["services"]))
        self.assertEqual({"postgres", "redis", "qdrant", "reflex-layer"},
                         set(self.services["orchestrator"]["depends_on"]))

    def test_names(self):
        self.assertEqual("octollm", self.everything["name"])
        self.assertEqual("octollm-network", self.everything["networks"]["default"]["name"])
        self.assertEqual({"postgres15-data", "redis-data", "qdrant-data", "prometheus-data", "grafana-data"},
                         set(self.everything["volumes"]))

    def test_what_the_programs_read(self):
        orchestrator = self.services["orchestrator"]["environment"]
        self.assertRegex(orchestrator["ORCHESTRATOR_DATABASE_URL"], r"^postgresql://[^ ]+@postgres:5432/[^ ]+$")
        self.assertNotIn("DATABASE_URL", orchestrator)
        self.assertEqual("redis://redis:6379", self.services["reflex-layer"]["environment"]["REFLEX_REDIS_URL"])

    def test_the_executor_is_kept_away_from_the_data(self):
        self.assertEqual({"execution"}, set(self.services["executor-arm"]["networks"]))
        self.assertEqual({"orchestrator", "executor-arm"}, {
            name for name, service in self.services.items() if "execution" in service["networks"]})
        self.assertTrue(self.services["executor-arm"]["read_only"])

    def test_prometheus_takes_its_files(self):
        place = octollm_rig.STACK / "monitoring"
        for words in (("check", "config", "/m/prometheus.yml"), ("check", "rules", "/m/rules.yml"),
                      ("test", "rules", "/t/test.yml")):
            options = ["run", "--rm", "--network", "none", "--entrypoint", "promtool"]
            for path, target in ((place, "/m"), (place / "rules.yml", "/etc/prometheus/rules.yml"),
                                 (place / "rules.yml", "/t/rules.yml"),
                                 (rig.TOP / "tests/data/octollm-rules-test.yml", "/t/test.yml")):
                options += ["-v", f"{path}:{target}:ro"]
            options += ["--tmpfs", "/run/secrets"]
            script = "printf x >/run/secrets/OCTOLLM_QDRANT_API_KEY; exec promtool \"$@\""
            options[options.index("promtool")] = "sh"
            with self.subTest(words[:2]):
                ENGINE.docker(*options, "-u", "0", octollm_rig.image("prometheus"), "-c", script, "promtool", *words)


class Octollm(stack_rig.Stack):
    """Installed once, in the class's profile."""
    name = STACK
    profile = None

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.options = octollm_rig.make_stack(cls.top / "stack", cls.top / "upstream")
        cls.addClassCleanup(cls.slipway, "uninstall", STACK, "--yes", status=None)
        cls.install(cls.profile)

    @classmethod
    def install(cls, profile):
        done = cls.slipway("install", cls.top / "stack", "--yes", "--profile", profile, *cls.options)
        cls.ports = dict(re.findall(r"^(\w+_PORT)=(\d+)$", (cls.prefix / "compose/.env").read_text(), re.M))
        return done

    def get(self, variable, path, data=None):
        """What is on the port of that variable."""
        return self.ask(self.ports[variable], path, *(["--data-binary", data] if data else []))


class Life(Octollm):
    """All of its services, from the first start to the end."""
    profile = "monitoring"

    def check(self, service):
        """Returns: what the service's health check says now."""
        kind, *words = self.inspect(service)["Config"]["Healthcheck"]["Test"]
        words = ["/bin/sh", "-c", *words] if kind == "CMD-SHELL" else words
        return self.inside(service, *words, check=False).returncode

    def test_all_are_well(self):
        services = self.document("up", STACK)["services"]
        self.assertEqual(CORE | WATCHERS, {one["service"] for one in services})
        self.assertEqual({"healthy"}, {one["state"] for one in services})
        self.assertEqual(STUBS, {one["service"] for one in services if one["is_placeholder"]})
        self.assertIn("placeholder", self.slipway("status", STACK).stdout)
        self.assert_tests_pass(10)

    def test_up_again_changes_nothing(self):
        before = self.containers()
        self.assertFalse(self.document("up", STACK)["changed"])
        self.assertIn("nothing changed", self.install(self.profile).stdout)
        self.assertEqual(before, self.containers())

    def test_templates(self):
        place = self.prefix / "compose"
        self.assertEqual(0o600, (place / ".env").stat().st_mode & 0o777)
        self.assertEqual((place / ".env.example").read_bytes(), (place / ".env.template").read_bytes())

    def test_start_order(self):
        """The orchestrator is started only when those that it needs have passed their checks."""
        for name in ("postgres", "redis", "qdrant", "reflex-layer"):
            self.assertLess(self.started(name), self.started("orchestrator"))
        self.assertLess(self.started("redis"), self.started("reflex-layer"))

    def test_checks_notice(self):
        for service in CORE:
            with self.subTest(service):
                self.assertEqual(0, self.check(service))
        self.inside("qdrant", "touch", "/qdrant/storage/ill")
        self.assertNotEqual(0, self.check("qdrant"))
        self.inside("qdrant", "rm", "/qdrant/storage/ill")
        ENGINE.docker("kill", "-s", "STOP", self.containers()["redis"])
        self.addCleanup(ENGINE.docker, "kill", "-s", "CONT", self.containers()["redis"])
        self.assertNotEqual(0, self.check("reflex-layer"))

    def test_a_wrong_password(self):
        words = self.inspect("redis")["Config"]["Healthcheck"]["Test"][1]
        wrong = words.replace("$(cat /run/secrets/OCTOLLM_REDIS_PASSWORD)", "wrong")
        self.assertNotEqual(words, wrong)
        self.assertNotEqual(0, ENGINE.docker(
            "exec", self.containers()["redis"], "sh", "-c", wrong, check=False).returncode)
        secret = self.top / "wrong"
        secret.write_text("wrong")
        name = ENGINE.docker("run", "-d", "--network", "octollm-network", "-e", "REFLEX_REDIS_URL=redis://redis:6379",
                             "-v", f"{secret}:/run/secrets/OCTOLLM_REDIS_PASSWORD:ro",
                             octollm_rig.image("reflex")).stdout.strip()
        self.addCleanup(ENGINE.docker, "rm", "-f", name)
        probe = self.inspect("reflex-layer")["Config"]["Healthcheck"]["Test"][1:]
        wait_for(lambda: "8080" in ENGINE.docker("exec", name, "cat", "/proc/net/tcp", check=False).stdout
                   or ENGINE.docker("exec", name, "bash", "-c", ": >/dev/tcp/127.0.0.1/8080",
                                    check=False).returncode == 0)
        self.assertNotEqual(0, ENGINE.docker("exec", name, *probe, check=False).returncode)

    def test_programs_without_their_keys_end_and_say_so(self):
        for role, variables in (("reflex", ["REFLEX_REDIS_URL=redis://redis:6379"]),
                                ("orchestrator", ["ORCHESTRATOR_DATABASE_URL=postgresql://o@postgres/o"])):
            words = [word for one in variables for word in ("-e", one)]
            done = ENGINE.docker("run", "--rm", "--network", "none", *words, octollm_rig.image(role), "true",
                                 check=False)
            self.assertEqual(78, done.returncode)
            self.assertIn("slipway up octollm", done.stderr)

    def test_an_arm(self):
        for arm, port in octollm_rig.ARMS.items():
            variable = f"{arm.upper().replace('-', '_')}_PORT"
            with self.subTest(arm):
                answer = json.loads(self.get(variable, "/health")[1])
                self.assertEqual((arm, True, "healthy"), (answer["arm"], answer["stub"], answer["status"]))
                self.assertEqual("1000\n", self.inside(f"{arm}-arm", "id", "-u").stdout)
                labels = self.inspect(f"{arm}-arm")["Config"]["Labels"]
                self.assertEqual("true", labels["octollm.stub"])
        metrics = self.get("PLANNER_PORT", "/metrics")[1]
        ENGINE.docker("run", "-i", "--rm", "--network", "none", "--entrypoint", "promtool",
                      octollm_rig.image("prometheus"), "check", "metrics", input=metrics)
        self.assertEqual(501, self.get("PLANNER_PORT", "/plan", "{}")[0])

    def test_an_arm_that_hangs_and_one_that_ends(self):
        name = ENGINE.docker("run", "-d", "--network", "none", "--health-interval", "1s", "--health-timeout", "5s",
                             "--health-retries", "2",
                             octollm_rig.image("coder")).stdout.strip()
        self.addCleanup(ENGINE.docker, "rm", "-f", name)

        def health():
            return ENGINE.docker("inspect", "-f", "{{.State.Health.Status}}", name).stdout.strip()

        wait_for(lambda: health() == "healthy")
        ENGINE.docker("kill", "-s", "STOP", name)
        wait_for(lambda: health() == "unhealthy")
        ENGINE.docker("kill", "-s", "CONT", name)
        start = time.monotonic()
        ENGINE.docker("stop", "-t", "30", name)
        self.assertLess(time.monotonic() - start, 10)

    def test_code_where_a_placeholder_was_said(self):
        """The build stops, rather than leave upstream's code out."""
        context = octollm_rig.make_context(self.top / "context")
        self.addCleanup(shutil.rmtree, context)
        options = octollm_rig.dockerfile(context, "arm", ARM="judge", PORT=8004)
        wrong = stack_rig.build(ENGINE, context, "wrong:1", *options, "--build-arg", "OCTO_STUB=false", check=False)
        self.assertIn("upstream has code: false", wrong.stdout + wrong.stderr)
        (context / "src/services/arms/judge/src").mkdir()
        (context / "src/services/arms/judge/src/main.py").touch()
        wrong = stack_rig.build(ENGINE, context, "wrong:1", *options, check=False)
        self.assertNotEqual(0, wrong.returncode)
        self.assertIn("upstream has code: true", wrong.stdout + wrong.stderr)

    def test_no_key_is_seen(self):
        ids = self.containers().values()
        shown = ENGINE.docker("inspect", *ids).stdout + ENGINE.docker(
            "compose", "-p", STACK, "--project-directory", str(self.prefix / "compose"), "--env-file",
            str(self.prefix / "compose/.env"), "-f", str(self.prefix / "compose/compose.yaml"), "config").stdout
        for one in ids:
            for words in (("top", one), ("history", "--no-trunc", self.image_of(one))):
                shown += ENGINE.docker(*words).stdout
        shown += self.logs()
        for path in (*(self.home / ".local/state/slipway/log").iterdir(), *self.prefix.glob("compose/*")):
            shown += path.read_text() if path.is_file() else ""
        self.assertIn("octollm-network", shown)
        for name in KEYS:
            self.assertEqual(64, len(self.key(name)))
            self.assertNotIn(self.key(name), shown)
        self.assert_not_in_layers(map(self.key, KEYS))

    @staticmethod
    def image_of(container):
        return ENGINE.docker("inspect", "-f", "{{.Image}}", container).stdout.strip()

    def test_only_who_needs_a_key_has_it(self):
        wanted = {"postgres": {KEYS[0]}, "redis": {KEYS[1]}, "reflex-layer": {KEYS[1]}, "qdrant": {KEYS[2]},
                  "orchestrator": set(KEYS[:2]), "retriever-arm": {KEYS[2]}, "prometheus": {KEYS[2]},
                  "grafana": {"OCTOLLM_GRAFANA_PASSWORD"}}
        for service, one in self.containers().items():
            with self.subTest(service):
                listing = ENGINE.docker("exec", one, "sh", "-c", "ls /run/secrets 2>/dev/null || true").stdout
                self.assertEqual(wanted.get(service, set()), set(listing.split()))

    def test_rules_are_loaded(self):
        answer = json.loads(self.get("PROMETHEUS_PORT", "/api/v1/rules")[1])
        names = [rule["name"] for rule in answer["data"]["groups"][0]["rules"]]
        text = (octollm_rig.STACK / "monitoring/rules.yml").read_text()
        self.assertEqual(re.findall(r"alert: (\S+)", text), names)

    def test_dashboards_ask_what_prometheus_understands(self):
        for path in (octollm_rig.STACK / "monitoring/dashboards").iterdir():
            for panel in json.loads(path.read_text())["panels"]:
                for target in panel["targets"]:
                    query = urllib.parse.urlencode({"query": target["expr"]})
                    with self.subTest(panel["title"]):
                        self.assertEqual(200, self.get("PROMETHEUS_PORT", f"/api/v1/query?{query}")[0])

    def test_a_target_that_is_down_is_told(self):
        ENGINE.docker("stop", self.containers()["judge-arm"])
        self.addCleanup(self.slipway, "up", STACK)
        done = self.slipway("status", STACK, status=1)
        self.assertIn("judge-arm", done.stdout)

    def test_zz_to_the_end(self):
        """Data stays over down and up, and goes with reset; what belongs to others stays."""
        ENGINE.docker("volume", "create", "octollm_of-somebody-else")
        status, answer = self.get("ORCHESTRATOR_HOST_PORT", "/submit", '{"goal": "stay"}')
        self.assertEqual(202, status, answer)
        task = json.loads(answer)["task_id"]
        self.slipway("down", STACK)
        self.assertEqual({}, self.containers())
        self.slipway("up", STACK)
        self.assertIn("stay", self.get("ORCHESTRATOR_HOST_PORT", f"/tasks/{task}")[1])

        removed = self.document("reset", STACK, "--yes")["removes"]
        self.assertEqual(5, sum(one["kind"] == "volume" for one in removed))
        self.assertEqual(["octollm_of-somebody-else"], ENGINE.docker("volume", "ls", "-q").stdout.split())
        # Without the password nothing starts, and the message names it.
        self.slipway("keys", "remove", KEYS[0], "--yes")
        self.assertIn(KEYS[0], self.slipway("up", STACK, status=78).stderr)
        self.assertEqual({}, self.containers())
        self.slipway("keys", "set", KEYS[0], "--stdin", input="a" * 64)
        self.slipway("uninstall", STACK, "--yes")
        self.assertFalse((self.prefix / "compose").exists())
        self.install("core")
        self.assert_all_are_well(CORE)
        self.assert_tests_pass(8)
        self.assertEqual(404, self.get("ORCHESTRATOR_HOST_PORT", f"/tasks/{task}")[0])


class Development(Octollm):
    """On its own ports, three of which somebody else has: those of stack buttercup."""
    profile = "dev"

    @classmethod
    def install(cls, profile):
        script = ("import socket, time; one = [socket.create_server(('127.0.0.1', port)) "
                  "for port in (6379, 8000, 8080)]; print('ready', flush=True); time.sleep(1000)")
        with subprocess.Popen(ENGINE.inside(["python3", "-c", script]), stdout=subprocess.PIPE, text=True) as other:
            try:
                assert other.stdout.readline() == "ready\n"
                return super().install(profile)
            finally:
                other.kill()

    def test_ports_move_as_a_set(self):
        ini = (self.top / "stack/stack.ini").read_text()
        numbers = {name: number for number, name in re.findall(r"^number = (\d+)\nvariable = (\w+)$", ini, re.M)}
        self.assertEqual(set(PORTS), set(numbers))
        self.assertEqual(1, len({int(self.ports[name]) - int(number) for name, number in numbers.items()}))
        self.assertEqual("16379", self.ports["REDIS_PORT"])

    def test_an_edit_runs_at_once(self):
        before = self.started("coder-arm")
        stub = self.prefix / "images/arm_stub.py"
        whole = stub.read_text()
        stub.write_text(whole[:len(whole) // 2] + "\n(")  # half of a file is waited out
        time.sleep(1.5)
        self.assertEqual(200, self.get("CODER_PORT", "/health")[0])
        stub.write_text(whole.replace("a placeholder:", "an edited placeholder:"))
        wait_for(lambda: "an edited placeholder" in self.get("CODER_PORT", "/health")[1])
        self.assertEqual(before, self.started("coder-arm"))

    def test_the_orchestrator_is_told_to_reload(self):
        container = self.inspect("orchestrator")
        self.assertIn("--reload", container["Config"]["Cmd"])
        mounts = {one["Destination"]: one for one in container["Mounts"]}
        mount = mounts["/app/services/orchestrator/app"]
        self.assertEqual(str(self.prefix / "src/services/orchestrator/app"), mount["Source"])
        self.assertFalse(mount["RW"])
        self.assertIn("stand-in", ENGINE.docker(
            "exec", self.containers()["orchestrator"], "cat", "/app/services/orchestrator/app/__init__.py").stdout)

    def test_devcontainer(self):
        path = self.prefix / ".devcontainer/devcontainer.json"
        self.assertEqual("/workspaces/OctoLLM", json.loads(path.read_text())["workspaceFolder"])


if __name__ == "__main__":
    unittest.main()
