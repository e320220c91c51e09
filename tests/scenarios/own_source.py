"""The stacks' own programs, built from upstream's repositories by the Dockerfiles that users get, and run.

Not in the default run, which has no repositories: make own-source SOURCES=DIR, where DIR has OWNER/NAME(.git)
as `git clone --mirror` makes them.  own_source_rig.py says what is real; Qdrant, Grafana and Ollama's program are
tests/scenarios/stack_stand_in.py, as in the other scenarios.
"""
import json
import re
import unittest

import engine
import own_source_rig as rig
import stack_rig
from own_source_rig import ANSWER, Models

LOCALAGENT, OCTOLLM = "localagent", "octollm"


def setUpModule():
    global ENGINE, SOURCES
    SOURCES = rig.sources(LOCALAGENT, OCTOLLM)
    ENGINE = rig.Engine()
    unittest.addModuleCleanup(ENGINE.close)
    stack_rig.Stack.engine = ENGINE


class Own(stack_rig.Stack):
    """A stack at the revision that it pins, from this machine's copy of upstream."""
    place = None

    @classmethod
    def install(cls, profile, values, *options):
        place = rig.copy_stack(cls.name, cls.place, cls.top / "stack", values)
        cls.before = cls.tree()
        cls.addClassCleanup(cls.slipway, "uninstall", cls.name, "--yes", status=None)
        return cls.slipway("install", place, "--yes", "--profile", profile, *stack_rig.SMALL, *options,
                           "--mirror", f"{rig.HOST}={SOURCES}/", env=ENGINE.packages(), timeout=3600)

    @classmethod
    def tree(cls):
        """What lies in the home, but for what a program keeps that was used: receipts, logs, keys."""
        return {path for path in map(str, cls.home.rglob("*")) if not re.search(r"/\.(docker|local(/s.*)?$)", path)}

    def assert_is_pinned(self):
        done = ENGINE.run(["git", "-c", "safe.directory=*", "-C", self.prefix / "src", "rev-parse", "HEAD"])
        self.assertEqual(rig.source(self.name)[1], done.stdout.strip())

    def assert_uninstalls(self):
        document = self.document("uninstall", self.name, "--yes")
        self.assertEqual(engine.left_in_place(document), [])
        self.assertEqual(self.tree() - self.before, set())
        left = [ENGINE.docker(*words).stdout.split() for words in (("ps", "-aq"), ("volume", "ls", "-q"))]
        self.assertEqual([[], [], []], [*left, ENGINE.networks()])

    def assert_no_key_is_seen(self, *names):
        """What programs log, and what the engine shows."""
        seen = self.logs() + ENGINE.docker("inspect", *self.containers().values()).stdout
        for name in names:
            self.assertGreater(len(self.key(name)), 15)
            self.assertNotIn(self.key(name), seen)
        self.assert_not_in_layers(map(self.key, names))

    def assert_built_from_the_pin(self, *services):
        for service in services:
            with self.subTest(service):
                labels = self.inspect(service)["Config"]["Labels"]
                self.assertEqual(rig.source(self.name)[1], labels["org.opencontainers.image.revision"])


class Octollm(Own):
    """Orchestrator, reflex layer and executor are upstream's; the five arms have no code there, and nothing asks a
    model: a task ends in the database."""
    name, place = OCTOLLM, "compose"
    keys = ("OCTOLLM_POSTGRES_PASSWORD", "OCTOLLM_REDIS_PASSWORD", "OCTOLLM_QDRANT_API_KEY")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        rig.octollm_images(ENGINE)
        cls.install("monitoring", {})

    def post(self, port, path, document):
        status, text = self.ask(port, path, "-H", "Content-Type: application/json", "-d", json.dumps(document))
        return status, json.loads(text)

    def query(self, text):
        return self.inside("postgres", "psql", "-U", "octollm", "-d", "octollm", "-tAc", text).stdout.strip()

    def test_a_what_runs(self):
        self.assert_is_pinned()
        self.assert_built_from_the_pin("orchestrator", "reflex-layer", "executor-arm")
        for service in ("orchestrator", "reflex-layer", "executor-arm"):
            self.assertEqual("false", self.inspect(service)["Config"]["Labels"]["octollm.stub"])

    def test_b_its_own_tests(self):
        self.assert_all_are_well({*self.containers()})
        self.assert_tests_pass(10)

    def test_c_a_task_from_end_to_end(self):
        status, answer = self.post(8000, "/submit", {"goal": "count the boats", "budget": {}})
        self.assertEqual(202, status, answer)
        task = answer["task_id"]
        status, text = self.ask(8000, f"/tasks/{task}")
        self.assertEqual((200, "pending"), (status, json.loads(text)["status"]), text)
        self.assertEqual("count the boats", self.query(f"select goal from tasks where id = '{task}'"))
        counted = self.ask(8000, "/metrics")[1]
        self.assertRegex(counted, r'(?m)^orchestrator_reflex_calls_total\{.*\} [1-9]')

    def test_d_the_reflex_layer_sees_and_remembers(self):
        text = {"text": "My SSN is 123-45-6789"}
        self.post(8080, "/process", text)
        status, answer = self.post(8080, "/process", text)
        self.assertEqual((200, True, True), (status, answer["pii_detected"], answer["cache_hit"]), answer)

    def test_e_no_key_is_seen(self):
        self.assert_no_key_is_seen(*self.keys)

    def test_f_more_than_it_lets_through(self):
        """A client that is limited is told so, and nothing is kept of it."""
        rows = self.query("select count(*) from tasks where goal = 'flood'")
        self.assertEqual("0", rows)
        answers = [self.post(8000, "/submit", {"goal": "flood"})[0] for _ in range(12)]
        self.assertEqual({202, 429}, set(answers))
        self.assertEqual(str(answers.count(202)), self.query("select count(*) from tasks where goal = 'flood'"))

    def test_z_to_the_end(self):
        rows = self.query("select count(*) from tasks")
        self.slipway("down", OCTOLLM)
        self.slipway("up", OCTOLLM)
        self.assertEqual(rows, self.query("select count(*) from tasks"))
        self.slipway("reset", OCTOLLM, "--yes")
        self.assert_uninstalls()


class Containers(Own):
    """Upstream's providers behind the gateway, with a model of Ollama's and one of OpenAI's API."""
    name, place = LOCALAGENT, "containers"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        rig.localagent_images(ENGINE)
        cls.slipway("keys", "set", "OPENAI_API_KEY", "--stdin", input=Models.key)
        cls.install("monitoring", {
            "LA_OLLAMA_CPUS": "1", "LOCALAGENT_OPENAI_ENABLED": "true",
            "LOCALAGENT_OPENAI_BASE_URL": f"{ENGINE.url(ENGINE.models)}/v1"})
        cls.inside("ollama", "ollama", "pull", "llama3.2:3b")

    def complete(self, **document):
        status, text = self.ask(8010, "/v1/complete", "-H", f"Authorization: Bearer {self.key('LOCALAGENT_API_TOKEN')}",
                                "-d", json.dumps({"prompt": "how many?", **document}))
        return status, json.loads(text)

    def command(self, *words, **options):
        return self.inside("localagent", "localagent", *words, **options).stdout

    def test_a_what_runs(self):
        self.assert_is_pinned()
        self.assert_built_from_the_pin("localagent")

    def test_b_its_own_tests(self):
        self.assert_all_are_well({"localagent", "ollama", "redis", "prometheus", "grafana"})
        self.assert_tests_pass()

    def test_c_ollama(self):
        said = "ok, says the stand-in"
        status, answer = self.complete()
        self.assertEqual((200, "ollama", said), (status, answer["provider"], answer["content"]))
        self.assertEqual(f"{said}\n", self.command("complete", "how many?"))

    def test_d_openai(self):
        status, answer = self.complete(provider="openai", max_tokens=7, temperature=0.5)
        self.assertEqual((200, "openai", ANSWER), (status, answer["provider"], answer["content"]), answer)
        self.assertEqual(3000, answer["usage"]["total_tokens"])
        self.assertAlmostEqual(0.00135, answer["cost"])
        path, asked = ENGINE.models.asked[-1]
        self.assertEqual(("/v1/chat/completions", "gpt-4o-mini", 7, 0.5),
                         (path, asked["model"], asked["max_tokens"], asked["temperature"]))
        for more in ((), ("--stream",)):
            self.assertEqual(f"{ANSWER}\n", self.command("complete", "-p", "openai", "how many?", *more))

    def test_e_a_provider_stands_in(self):
        ENGINE.docker("stop", "-t", "1", self.containers()["ollama"])
        try:
            self.assertEqual("openai", self.complete()[1]["provider"])
        finally:
            self.slipway("up", LOCALAGENT)

    def test_f_upstreams_own_commands(self):
        self.assertIn("Usage", self.command("upstream", "--help"))

    def test_g_no_key_is_seen(self):
        self.assert_no_key_is_seen("LOCALAGENT_API_TOKEN", "OPENAI_API_KEY")

    def test_z_to_the_end(self):
        self.slipway("reset", LOCALAGENT, "--yes")
        self.assert_uninstalls()


class Native(Own):
    """Upstream's code in a Python environment of its own."""
    name, place = LOCALAGENT, "containers"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.install("native", {}, "--defer")

    def command(self, *words):
        url = ENGINE.url(ENGINE.models)
        return ENGINE.run([self.home / ".local/bin/localagent", *words], env={
            "PATH": "/usr/bin:/bin", "HOME": str(self.home), "LANG": "C.UTF-8", "OPENAI_API_KEY": Models.key,
            "LOCALAGENT_OLLAMA_BASE_URL": url, "LOCALAGENT_OPENAI_BASE_URL": f"{url}/v1"}).stdout

    def test_a_its_own_tests(self):
        self.assert_is_pinned()
        self.assert_tests_pass(2)

    def test_b_questions(self):
        for provider in ("ollama", "openai"):
            for more in ((), ("--stream",)):
                with self.subTest(provider, more=more):
                    self.assertEqual(f"{ANSWER}\n", self.command("complete", "-p", provider, "how many?", *more))
        self.assertIn("llama3.2:3b", self.command("models"))

    def test_z_to_the_end(self):
        self.assert_uninstalls()


if __name__ == "__main__":
    unittest.main()
