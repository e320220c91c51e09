"""The files of the stack buttercup fit together, and keep what its sheet asks of a compose project.

The same is asked of "docker compose config", and of real containers, in tests/scenarios/test_buttercup.py.

SPDX-License-Identifier: Apache-2.0
"""
import configparser
import json
import re
import unittest

import stack_files
import yaml

STACK = stack_files.STACKS / "buttercup"
APPS = {"orchestrator", "unified-fuzzer", "program-model", "patcher", "seed-gen"}
SERVICES = APPS | {"redis", "litellm-db", "litellm", "dind", "mock-competition-api"}
PROVIDERS = {"OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY", "AZURE_API_KEY"}


class Buttercup(stack_files.Definition):
    top = STACK


def compose(name="compose.yaml"):
    """A compose file with its variables filled in, as compose does with the shipped env."""
    ports = {port["variable"]: port["number"] for port in Buttercup.sections("port").values()}
    values = {**Buttercup.environment(), **ports, "BC_PREFIX": "/prefix"}
    text = re.sub(r"\$\{([A-Z0-9_]+)(?::?-([^}]*))?\}",
                  lambda found: values.get(found[1]) or found[2] or "", Buttercup.texts()[name])
    return yaml.safe_load(text)


class Files(stack_files.Files, Buttercup, unittest.TestCase):
    not_installed = {"stack.ini", "compose/compose.scantron.yaml"}
    unpinned = {"gcr.io/oss-fuzz-base/base-runner:ubuntu-20-04"}

    def test_what_the_images_copy_is_written_before(self):
        steps = self.sections("step")
        written = [step["path"].removeprefix("@prefix@/") for step in steps.values() if "path" in step]
        allowed = [line[1:] for line in (STACK / "images/dockerignore").read_text().splitlines()
                   if line.startswith("!")]
        for path in STACK.glob("images/*.Dockerfile"):
            for words in re.findall(r"^COPY (?!--from)(.*)$", path.read_text(), re.M):
                for source in words.split()[:-1]:
                    with self.subTest(image=path.name, source=source):
                        self.assertTrue(any(source.startswith(one) for one in written))
                        self.assertTrue(any(source.startswith(one) for one in allowed))

    def test_revisions_are_the_pins(self):
        ini = self.definition()
        self.assertEqual(ini["source"]["revision"], "f375539499d7f60faa43c8280b8f226e2faf4feb")
        self.assertEqual(ini["step cscope"]["revision"], "af9b8633a32eb734a59b9359c7b512ab21e20cf9")

    def test_only_litellm_gets_providers_keys(self):
        keys = self.sections("key")
        for name in PROVIDERS:
            self.assertEqual(keys[name]["services"], "litellm")
            self.assertEqual(keys[name]["one-of"], "language-model")
        self.assertEqual(set(keys["BUTTERCUP_LITELLM_KEY"]["services"].split()), {"litellm", "patcher", "seed-gen"})

    def test_programs_read_the_keys_that_their_service_gets(self):
        keys = self.sections("key")
        for name, service in compose()["services"].items():
            for word in service.get("entrypoint", [])[2:]:
                if word == "--" or "=" not in word:
                    continue
                key = word.partition("=")[2].rpartition(":")[2]
                with self.subTest(service=name, key=key):
                    self.assertIn(name, keys[key]["services"].split())


class Compose(unittest.TestCase):
    """What docker compose does not judge; tests/scenarios/test_buttercup.py asks it for the rest."""

    def test_each_service_is_watched_and_limited(self):
        for file in ("compose.yaml", "compose.monitoring.yaml", "compose.scantron.yaml"):
            for name, service in compose(file)["services"].items():
                with self.subTest(name):
                    self.assertIn("healthcheck", service)
                    self.assertEqual(service["restart"], "unless-stopped")
                    limits = service["deploy"]["resources"]["limits"]
                    self.assertTrue(limits["memory"] and limits["cpus"])
                    self.assertIn("max-size", service["logging"]["options"])

    def test_privilege(self):
        for file in ("compose.yaml", "compose.monitoring.yaml"):
            for name, service in compose(file)["services"].items():
                with self.subTest(name):
                    self.assertEqual(service.get("privileged", False), name == "dind")
                    if name != "dind":
                        self.assertEqual(service["cap_drop"], ["ALL"])
                        self.assertIn("no-new-privileges:true", service["security_opt"])

    def test_no_default_of_upstream(self):
        public = "litellm_password11|sk-1234|515cc8a0|VGuAC8ax|argon2id"
        self.assertEqual(re.findall(public, Buttercup.text() + (STACK / "compose/env").read_text()), [])

    def test_networks(self):
        services = compose()["services"]
        self.assertEqual(services["dind"]["networks"], ["dind"])
        for name, service in services.items():
            wants_engine = "tcp://dind:2375" in service.get("environment", {}).values()
            if name != "dind":
                self.assertEqual("dind" in service["networks"], wants_engine, name)

    def test_the_other_files_change_services_that_there_are(self):
        for file in ("compose.dev.yaml", "compose.ollama.yaml"):
            self.assertLess(set(compose(file)["services"]), SERVICES)


class Supervised(unittest.TestCase):
    def programs(self, name):
        ini = configparser.RawConfigParser(inline_comment_prefixes=None, comment_prefixes=(";",))
        ini.read(STACK / f"images/{name}.conf")
        return {one.removeprefix("program:"): ini[one] for one in ini.sections() if one.startswith("program:")}

    def test_all_programs(self):
        self.assertEqual(set(self.programs("orchestrator")), {
            "task-server", "task-downloader", "scheduler", "pov-reproducer", "scratch-cleaner"})
        self.assertEqual(set(self.programs("unified-fuzzer")), {
            "build-bot", "fuzzer-bot", "coverage-bot", "tracer-bot", "corpus-merger"})

    def test_each_is_restarted_named_and_watched(self):
        for container in ("orchestrator", "unified-fuzzer"):
            check = compose()["services"][container]["healthcheck"]["test"]
            watched = {word.partition("=")[0] for word in check if "=" in word}
            for name, program in self.programs(container).items():
                with self.subTest(name):
                    self.assertTrue(program["command"].startswith(f"/usr/local/lib/buttercup/program.sh {name} "))
                    self.assertEqual((program["autorestart"], program["killasgroup"]), ("true", "true"))
                    self.assertLess(int(program["stopwaitsecs"]), 30)
                    self.assertIn(name, watched | {"task-server"})

    def test_variables_of_the_commands_are_set(self):
        for container in ("orchestrator", "unified-fuzzer"):
            text = (STACK / f"images/{container}.conf").read_text()
            environment_of = compose()["services"][container]["environment"]
            for name in re.findall(r"%\(ENV_([A-Z_]+)\)s", text):
                self.assertIn(name, environment_of)


class Monitoring(unittest.TestCase):
    def test_dashboard_and_rules_ask_for_metrics_that_exist(self):
        known = (STACK / "compose/programs/exporter.py").read_text()
        board = json.loads((STACK / "compose/monitoring/dashboard.json").read_text())
        rules = (STACK / "compose/monitoring/rules.yml").read_text()
        asked = " ".join(target["expr"] for panel in board["panels"] for target in panel["targets"])
        names = set(re.findall(r"buttercup_[a-z_]+", f"{asked} {rules}"))
        self.assertGreater(len(names), 6)
        for name in names:
            with self.subTest(name):
                self.assertTrue(re.search(rf"\b{name}\b", known))
        queues = set(re.findall(r'queue="([a-z_]+)"', asked + rules))
        for queue in queues:
            self.assertTrue(f'"{queue}"' in known)


if __name__ == "__main__":
    unittest.main()
