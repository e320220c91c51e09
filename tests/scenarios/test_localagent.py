"""Stack localagent with its containers on a real engine: its own tests, what its sheet asks of the
compose files and of the gateway, and what is left of it afterwards.

What stands in for what cannot be had is listed in localagent_rig.py.
"""
import functools
import json
import re
import shutil
import unittest
import urllib.parse

import engine
import localagent_rig
import rig
import stack_rig
from stack_rig import wait_for

STACK = "localagent"
SERVICES = {"localagent", "ollama", "redis"}
MONITORING = SERVICES | {"prometheus", "grafana"}


def setUpModule():
    global ENGINE
    ENGINE = stack_rig.start_engine(localagent_rig.make_images)


class Localagent(stack_rig.Stack):
    name = STACK

    @classmethod
    def install(cls, profile):
        options = localagent_rig.make_stack(cls.top / "stack", cls.top / "mirror")
        return cls.document("install", cls.top / "stack", "--profile", profile, "--yes", *options)


class Files(stack_rig.Files):
    """Sheet, 12 a."""
    unconfined = {"ollama"}

    @classmethod
    def setUpClass(cls):
        cls.place = localagent_rig.STACK / "containers"

    def test_a1_nothing_is_mandatory(self):
        self.config("compose.yaml", profile="*")
        grafana = self.services["grafana"]["environment"]
        self.assertEqual(grafana["GF_SECURITY_ADMIN_PASSWORD__FILE"], "/run/secrets/GRAFANA_ADMIN_PASSWORD")

    def test_a2_services(self):
        self.assertEqual(self.everything["name"], STACK)
        self.assertEqual(set(self.config("compose.yaml")["services"]), SERVICES)
        self.assertEqual(set(self.services), MONITORING)

    def test_a3_addresses_are_the_engines(self):
        for network in self.everything["networks"].values():
            self.assertEqual(network["ipam"], {})

    def test_a3_the_models_are_pulled_once(self):
        self.assertNotIn("ollama-pull", self.services)
        pull = self.config("compose.yaml", profile="models")["services"]["ollama-pull"]
        self.assertEqual((pull["restart"], pull.get("privileged", False)), ("no", False))

    def test_a4_only_names_that_are_read(self):
        names = self.services["localagent"]["environment"]
        self.assertEqual(names["LOCALAGENT_OLLAMA_BASE_URL"], "http://ollama:11434")
        for name in names:
            self.assertRegex(name, r"^(LOCALAGENT|DEPLOYMENT)_")


class ProductionFiles(stack_rig.Files):
    """Sheet, 12 a, of the profile production."""
    unconfined = {"ollama"}

    @classmethod
    def setUpClass(cls):
        cls.place = localagent_rig.STACK / "containers"

    def both(self, profiles):
        done = ENGINE.run(["env", "-C", self.place, f"COMPOSE_PROFILES={profiles}", "docker", "compose",
                           "-f", "compose.yaml", "-f", "compose.production.yaml", "config", "--format", "json"])
        self.assertEqual(done.stderr, "")
        return json.loads(done.stdout)

    @functools.cached_property
    def everything(self):
        return self.both("blue,green")

    def test_a2_services(self):
        self.assertEqual(self.everything["name"], STACK)
        self.assertEqual(set(self.services), SERVICES | {"proxy", "localagent-blue", "localagent-green"})
        for colour in ("blue", "green"):
            self.assertEqual(set(self.both(colour)["services"]), SERVICES | {"proxy", f"localagent-{colour}"})

    def test_a3_addresses_are_the_engines(self):
        self.assertEqual({str(network["ipam"]) for network in self.everything["networks"].values()}, {"{}"})

    def test_a4_the_colours_have_the_gateways_settings(self):
        gateway = self.services["localagent"]["environment"]
        for colour, one in (("blue", "initial"), ("green", "none")):
            self.assertEqual(self.services[f"localagent-{colour}"]["environment"],
                             {**gateway, "DEPLOYMENT_COLOR": colour, "DEPLOYMENT_ID": one})

    def test_the_colours_have_no_ports_and_are_not_built(self):
        for colour in ("blue", "green"):
            service = self.services[f"localagent-{colour}"]
            self.assertLessEqual({"ports", "build"} & set(service), set())
            self.assertEqual([one["source"] for one in service["volumes"] if one.get("read_only")], ["la-config"])


class Own(Localagent):
    """A stack of one's own, and what is said of it."""

    def test_lint_with_compose(self):
        for name in ("localagent", "buttercup", "octollm"):
            with self.subTest(name):
                document = self.document("stack", "lint", name)
                self.assertEqual((document["failed"], document["compose_not_judged"]), (0, None))
        document = self.document("stack", "lint", "localagent")
        self.assertEqual(document["compose_projects"], 3)
        for finding in document["findings"]:
            self.assertGreater(finding["line"], 1, finding)

    def test_lint_finds_lines(self):
        place = self.home / "broken"
        self.slipway("unpack", STACK, place)
        path = place / "containers/compose.yaml"
        text = path.read_text()
        for old, new in (('    restart: unless-stopped\n    logging: *logging\n\n  ollama:',
                          '    restart: "no"\n    logging: *logging\n    privileged: true\n\n  ollama:'),
                         ('"${LA_BIND:-127.0.0.1}:${LA_REDIS_PORT:-6380}:6379"', '"6380:6379"'),
                         ("OLLAMA_KEEP_ALIVE: ", "ADMIN_PASSWORD: ${PERPLEXITY_API_KEY:-secret}\n      "
                                                 "OLLAMA_KEEP_ALIVE: ")):
            self.assertIn(old, text)
            text = text.replace(old, new)
        path.write_text(text)
        document = self.document("stack", "lint", place, status=1)
        found = {(one["rule"], one["subject"]): one for one in document["findings"]
                 if not one["is_excepted"]}
        self.assertEqual(set(found), {
            ("restart", "localagent"), ("privilege", "localagent"), ("loopback", "redis"),
            ("port", "redis"), ("password", "ollama"), ("key-leak", "ollama")})
        lines = text.splitlines()
        for key, words in ((("restart", "localagent"), 'restart: "no"'),
                           (("privilege", "localagent"), "privileged: true"),
                           (("loopback", "redis"), '"6380:6379"'),
                           (("password", "ollama"), "ADMIN_PASSWORD")):
            self.assertIn(words, lines[found[key]["line"] - 1])
            self.assertTrue(found[key]["file"].endswith("containers/compose.yaml"))
        path.write_text("services: [")
        document = self.document("stack", "lint", place, status=1)
        self.assertIn("compose", {one["rule"] for one in document["findings"]})

    def test_lint_without_the_plugin(self):
        done = self.slipway("stack", "lint", STACK, status=69,
                            env={"DOCKER_CONFIG": str(self.home / "nothing")})
        self.assertIn("were not judged: docker has no compose plugin", done.stdout)

    def test_a_new_stack_comes_up(self):
        root = rig.busybox()
        ENGINE.run(["sh", "-c", f"tar -C {root} -c . | docker import - busybox:1.36.1 >/dev/null"])
        self.slipway("stack", "new", "pond")
        document = self.document("stack", "lint", "./pond")
        self.assertEqual((document["failed"], document["findings"]), (0, []))
        env = self.home / "pond/env"
        env.write_text(re.sub(r"@sha256:\w+", "", env.read_text()))
        self.slipway("install", "./pond", "--yes")
        self.assertIn("pond runs", self.ask(8090, "/")[1])
        self.assertEqual({test["verdict"] for test in self.document("test", "pond")["tests"]}, {"pass"})
        self.slipway("uninstall", "pond", "--yes")


class Monitored(Localagent):
    """Sheet, 9 and 12 b: the whole of it, running."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.install("monitoring")
        cls.token = cls.key("LOCALAGENT_API_TOKEN")
        cls.password = cls.key("GRAFANA_ADMIN_PASSWORD")

    @staticmethod
    def wait_until_healthy():
        wait_for(lambda: "health: starting" not in (text := ENGINE.docker("ps").stdout)
                 and "unhealthy" not in text)

    def query(self, expression):
        path = "/api/v1/query?query=" + urllib.parse.quote(expression)
        return json.loads(self.ask(9090, path)[1])["data"]["result"]

    def complete(self, token=None):
        header = ["-H", f"Authorization: Bearer {token}"] if token else []
        status, text = self.ask(8010, "/v1/complete", *header, "-d", '{"prompt": "say ok"}')
        return status, json.loads(text)

    def test_b1_every_service_is_healthy(self):
        self.assert_all_are_well(MONITORING)
        self.assertFalse(self.document("up", STACK)["changed"])

    def test_b2_ready_follows_ollama(self):
        self.assertEqual(self.ask(8010, "/ready")[0], 200)
        container = self.containers()["ollama"]
        ENGINE.docker("stop", "-t", "1", container)
        try:
            status, text = self.ask(8010, "/ready")
            self.assertEqual(status, 503)
            self.assertEqual(json.loads(text)["checks"]["redis"], "ok")
            self.assertEqual(self.ask(8010, "/health")[0], 200)
        finally:
            ENGINE.docker("start", container)
        wait_for(lambda: self.ask(8010, "/ready")[0] == 200)
        self.wait_until_healthy()

    def test_b2_the_health_check_sees_a_process_that_hangs(self):
        container = self.containers()["localagent"]
        check = json.loads(ENGINE.docker("inspect", container).stdout)[0]["Config"]["Healthcheck"]
        self.assertEqual(check["Test"][0], "CMD")
        words = check["Test"][1:]
        self.assertEqual(self.inside("localagent", *words).returncode, 0)
        ENGINE.docker("kill", "--signal", "STOP", container)
        try:
            self.assertNotEqual(self.inside("localagent", *words, check=False).returncode, 0)
        finally:
            ENGINE.docker("kill", "--signal", "CONT", container)
        wait_for(lambda: self.ask(8010, "/health")[0] == 200)
        self.wait_until_healthy()

    def test_b2_the_gateway_is_confined(self):
        self.assertEqual(self.inside("localagent", "id", "-u").stdout, "1000\n")
        self.assertNotEqual(self.inside("localagent", "touch", "/app/x", check=False).returncode, 0)
        self.inside("localagent", "touch", "/tmp/x", "/home/localagent/.localagent/x")
        self.assertRegex(self.inside("localagent", "cat", "/proc/self/status").stdout,
                         r"CapEff:\s+0+\n[^$]*NoNewPrivs:\s+1\n")
        for name in ("gcc", "git", "make"):
            self.assertNotEqual(
                self.inside("localagent", "sh", "-c", f"command -v {name}", check=False).returncode, 0)

    def test_quick_test(self):
        self.assertLessEqual({"redis", "version", "tags", "gateway", "ready", "metrics", "command-inside",
                              "configuration-inside", "answer", "target", "grafana"}, self.assert_tests_pass())

    def test_questions_are_answered_and_counted(self):
        self.assertEqual(self.complete()[0], 401)
        self.inside("ollama", "ollama", "pull", localagent_rig.MODEL)
        status, answer = self.complete(self.token)
        self.assertEqual((status, answer["provider"]), (200, "ollama"), answer)
        self.assertIn("ok", answer["content"])
        self.assertIn("ok", self.inside("localagent", "localagent", "complete", "say ok").stdout)
        self.assertIn(localagent_rig.MODEL, self.inside("localagent", "localagent", "models").stdout)
        tests = {one["name"]: one["verdict"] for one in self.document("test", STACK)["tests"]}
        self.assertEqual(tests["answer"], "pass")

        board = json.loads((localagent_rig.STACK / "containers/monitoring/dashboard.json").read_text())
        shown = [target["expr"] for panel in board["panels"] for target in panel["targets"]
                 if "errors" not in target["expr"]]

        def is_shown():
            self.assertEqual(self.complete(self.token)[0], 200)
            return all(map(self.query, shown))

        wait_for(is_shown)

    def test_prometheus_takes_its_files(self):
        for kind, name in (("config", "prometheus.yml"), ("rules", "rules.yml")):
            self.inside("prometheus", "promtool", "check", kind, f"/etc/prometheus/{name}")
        names = {rule["name"] for group in json.loads(self.ask(9090, "/api/v1/rules")[1])["data"]["groups"]
                 for rule in group["rules"]}
        self.assertEqual(names, {"LocalAgentDown", "HighErrorRate", "ProviderDown", "SlowProvider",
                                 "NoModels"})

    def test_keys_are_seen_by_their_services_alone(self):
        self.assertEqual(self.inside("localagent", "cat", "/run/secrets/LOCALAGENT_API_TOKEN").stdout,
                         self.token)
        self.assertEqual(self.inside("redis", "ls", "/run/secrets", check=False).stdout, "")
        seen = [ENGINE.docker("inspect", *self.containers().values()).stdout,
                self.slipway("status", STACK, "--json").stdout,
                self.slipway("logs", STACK, "-n", "1000").stdout]
        for place in (self.home / ".localagent", self.home / ".local/state"):
            seen += [path.read_text(errors="replace") for path in place.rglob("*")
                     if path.is_file() and not path.is_symlink()]
        for text in seen:
            self.assertNotIn(self.token, text)
            self.assertNotIn(self.password, text)


class Residue(Localagent):
    """Sheet, b7: data that goes and comes back, and what stays when the stack goes."""

    def test_backup_reset_restore_uninstall(self):
        def volumes():
            return set(ENGINE.docker("volume", "ls", "-q").stdout.split())

        before = self.tree()
        ENGINE.docker("volume", "create", "somebody-elses")
        self.install("containers")
        self.inside("redis", "redis-cli", "set", "marker", "here")
        self.slipway("backup", STACK, "saved")
        self.slipway("reset", STACK, "--yes")
        self.assertEqual((self.containers(), volumes()), ({}, {"somebody-elses"}))
        self.slipway("up", STACK)
        self.assertEqual(self.inside("redis", "redis-cli", "get", "marker").stdout, "\n")
        self.slipway("restore", STACK, "saved", "--yes")
        self.assertEqual(self.inside("redis", "redis-cli", "get", "marker").stdout, "here\n")

        self.slipway("reset", STACK, "--yes")
        shutil.rmtree(self.home / "saved")
        document = self.document("uninstall", STACK, "--yes")
        # The keystore, which has the gateway's token.
        self.assertEqual(engine.left_in_place(document), [])
        self.assertEqual(self.tree() - before, set())
        self.assertEqual(volumes(), {"somebody-elses"})

    def tree(self):
        """What lies in the home, but for what a program keeps that was used: receipts, logs, keys."""
        return {path for path in map(str, self.home.rglob("*"))
                if "/.local" not in path and "/.docker" not in path}


if __name__ == "__main__":
    unittest.main()
