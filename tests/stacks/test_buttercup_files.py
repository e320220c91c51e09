"""The files of the stack buttercup fit together, and keep what its sheet asks of a compose project.

The same is asked of "docker compose config", and of real containers, in tests/scenarios/test_buttercup.py.

SPDX-License-Identifier: Apache-2.0
"""
import configparser
import graphlib
import json
import pathlib
import re
import unittest

import yaml

STACK = pathlib.Path(__file__).resolve().parents[2] / "payload/stacks/buttercup"
SHARED = {"/node_data": "node-data", "/crs_scratch": "crs-scratch", "/tasks_storage": "tasks-storage"}
APPS = {"orchestrator", "unified-fuzzer", "program-model", "patcher", "seed-gen"}
SERVICES = APPS | {"redis", "litellm-db", "litellm", "dind", "mock-competition-api"}
PROVIDERS = {"OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY", "AZURE_API_KEY"}


def definition():
    ini = configparser.RawConfigParser(delimiters=("=",), comment_prefixes=("#", ";"))
    ini.optionxform = str
    ini.read(STACK / "stack.ini")
    return ini


def environment():
    """What env says, with the definition's ports."""
    text = (STACK / "compose/env").read_text()
    for name, port in sections(definition(), "port").items():
        text = text.replace(f"@port_{name.replace('-', '_')}@", port["number"])
    return dict(line.split("=", 1) for line in text.splitlines() if line and not line.startswith("#"))


def texts():
    return {path.name: path.read_text() for path in sorted((STACK / "compose").glob("*.yaml"))}


def compose(name="compose.yaml"):
    """A compose file with its variables filled in, as compose does with the shipped env."""
    values = {**environment(), "BC_PREFIX": "/prefix"}
    text = re.sub(r"\$\{([A-Z0-9_]+)(?::?-([^}]*))?\}",
                  lambda found: values.get(found[1]) or found[2] or "", texts()[name])
    return yaml.safe_load(text)


def sections(ini, kind):
    return {name.removeprefix(f"{kind} "): ini[name] for name in ini.sections()
            if name.startswith(f"{kind} ")}


class Definition(unittest.TestCase):
    def test_every_member_is_there_and_used(self):
        ini = definition()
        named = {word for section in ini.sections() for key in ("from", "edits")
                 for word in ini.get(section, key, fallback="").split()}
        for member in named:
            with self.subTest(member):
                self.assertTrue((STACK / member).is_file())
        there = {str(path.relative_to(STACK)) for path in STACK.rglob("*") if path.is_file()}
        for_people = {name for name in there if name.startswith(("docs/", "dev/"))}
        self.assertEqual(there - named - for_people, {"stack.ini", "compose/compose.scantron.yaml"})

    def test_compose_runs_on_what_its_steps_wait_for(self):
        ini = definition()
        steps = sections(ini, "step")
        mounted = re.compile(r"\./([a-z/._-]+):/")
        for name, step in steps.items():
            if step["kind"] != "compose":
                continue
            after = step["after"].split()
            written = {steps[one].get("path") for one in after}
            files = step["files"].split()
            wanted = {*files, step["env_file"],
                      *(path for file in files for path in mounted.findall(texts()[file]))}
            for path in wanted:
                with self.subTest(step=name, path=path):
                    whole = f"{step['directory']}/{path}"
                    self.assertTrue(any(one and one.startswith(whole) for one in written))
            profile = step["profiles"]
            made = {steps[one]["name"] for one in after if steps[one]["kind"] == "key"}
            generated = {key for key, row in sections(ini, "key").items() if row["kind"] == "generated"
                         and profile in row.get("profiles", profile).split()}
            self.assertEqual(made, generated)

    def test_what_the_images_copy_is_written_before(self):
        steps = sections(definition(), "step")
        written = [step["path"].removeprefix("@prefix@/") for step in steps.values() if "path" in step]
        allowed = [line[1:] for line in (STACK / "images/dockerignore").read_text().splitlines()
                   if line.startswith("!")]
        for path in STACK.glob("images/*.Dockerfile"):
            for words in re.findall(r"^COPY (?!--from)(.*)$", path.read_text(), re.M):
                for source in words.split()[:-1]:
                    with self.subTest(image=path.name, source=source):
                        self.assertTrue(any(source.startswith(one) for one in written))
                        self.assertTrue(any(source.startswith(one) for one in allowed))

    def test_edits_are_well_formed(self):
        for path in sorted((STACK / "edits").iterdir()):
            with self.subTest(path.name):
                marks = [line for line in path.read_text().splitlines() if line.startswith(("file: ", "--- "))]
                blocks = [mark for mark in marks if not mark.startswith("file: ")]
                self.assertEqual(blocks, ["--- find", "--- replace", "--- end"] * (len(blocks) // 3))
                self.assertTrue(marks[0].startswith("file: "))

    def test_revisions_are_the_pins(self):
        ini = definition()
        self.assertEqual(ini["source"]["revision"], "f375539499d7f60faa43c8280b8f226e2faf4feb")
        self.assertEqual(ini["step cscope"]["revision"], "af9b8633a32eb734a59b9359c7b512ab21e20cf9")
        self.assertIn(ini["source"]["revision"], texts()["compose.yaml"])

    def test_only_litellm_gets_providers_keys(self):
        keys = sections(definition(), "key")
        for name in PROVIDERS:
            self.assertEqual(keys[name]["services"], "litellm")
            self.assertEqual(keys[name]["one-of"], "language-model")
        self.assertEqual(set(keys["BUTTERCUP_LITELLM_KEY"]["services"].split()), {"litellm", "patcher", "seed-gen"})

    def test_programs_read_the_keys_that_their_service_gets(self):
        keys = sections(definition(), "key")
        for name, service in compose()["services"].items():
            for word in service.get("entrypoint", [])[2:]:
                if word == "--" or "=" not in word:
                    continue
                key = word.partition("=")[2].rpartition(":")[2]
                with self.subTest(service=name, key=key):
                    self.assertIn(name, keys[key]["services"].split())

    def test_the_lock_names_every_image(self):
        lock = {line.split()[0] for line in (STACK / "compose/images.lock").read_text().splitlines()
                if not line.startswith("#")}
        images = {value for name, value in environment().items() if name.endswith("_IMAGE")}
        self.assertEqual(lock, {image for image in images if not image.startswith("buttercup/")})

    def test_small(self):
        self.assertLess((STACK / "compose/monitoring/dashboard.json").stat().st_size, 8192)


class Compose(unittest.TestCase):
    """a2, a3, a5 and a6 of the sheet."""

    def test_services(self):
        self.assertEqual(set(compose()["services"]), SERVICES)
        self.assertEqual(compose()["name"], "buttercup")
        self.assertNotIn("version", compose())

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

    def test_no_trouble_is_invited(self):
        text = "".join(texts().values())
        for word in (":latest", "container_name", "subnet", "start_interval", "docker.sock", "network_mode", "2375:"):
            self.assertNotIn(word, text)

    def test_every_port_is_on_loopback_and_movable(self):
        ini, found = definition(), set()
        for name, text in texts().items():
            for port in re.findall(r'(?:ports: \[|^      - )"([^"]*:\d+)"', text, re.M):
                match = re.fullmatch(r"\$\{BC_BIND:-127\.0\.0\.1\}:\$\{(BC_[A-Z_]+_PORT):-(\d+)\}:\d+", port)
                self.assertTrue(match, (name, port))
                found.add((match[1], match[2]))
        declared = {(port["variable"], port["number"]) for port in sections(ini, "port").values()}
        self.assertEqual(found - declared, {("BC_SCANTRON_PORT", "31324")})
        self.assertFalse(declared - found)

    def test_env_and_compose_agree(self):
        text, env = "".join(texts().values()), environment()
        defaults = dict(re.findall(r"\$\{([A-Z0-9_]+):-([^}]*)\}", text))
        for name, default in defaults.items():
            with self.subTest(name):
                if "SCANTRON" not in name:
                    self.assertIn(name, env)
                    self.assertEqual(env[name], "@prefix@" if name == "BC_PREFIX" else default)
        self.assertEqual(set(env) - set(defaults), {"COMPOSE_PROJECT_NAME"})

    def test_no_key_is_in_a_file(self):
        for path in (*STACK.glob("compose/*.yaml"), STACK / "compose/env"):
            with self.subTest(path.name):
                self.assertEqual(re.findall(r"^ *[A-Z_]*(?:API_KEY|TOKEN|PASSWORD|SECRET_KEY|_PAT)(?:=|: +)[A-Za-z0-9].*$",
                                            path.read_text(), re.M), [])
        public = "litellm_password11|sk-1234|515cc8a0|VGuAC8ax|argon2id"
        self.assertEqual(re.findall(public, "".join(texts().values()) + (STACK / "compose/env").read_text()), [])

    def test_shared_directories(self):
        services = compose()["services"]
        for name in APPS | {"dind"}:
            mounts = dict(reversed(mount.split(":")) for mount in services[name]["volumes"])
            with self.subTest(name):
                self.assertLessEqual(SHARED.items(), mounts.items())
                self.assertFalse([target for target in mounts if target.startswith("/node_data/")])

    def test_networks(self):
        services = compose()["services"]
        self.assertEqual(services["dind"]["networks"], ["dind"])
        for name, service in services.items():
            wants_engine = "tcp://dind:2375" in service.get("environment", {}).values()
            if name != "dind":
                self.assertEqual("dind" in service["networks"], wants_engine, name)

    def test_order(self):
        graph = {name: service.get("depends_on", {}) for name, service in compose()["services"].items()}
        self.assertEqual(len(list(graphlib.TopologicalSorter(graph).static_order())), len(SERVICES))
        self.assertEqual(set(graph["orchestrator"]), {"redis", "dind", "mock-competition-api"})
        for name in ("patcher", "seed-gen"):
            self.assertEqual(set(graph[name]), {"redis", "dind", "litellm"})
        for needs in graph.values():
            self.assertTrue(all(one == {"condition": "service_healthy"} for one in needs.values()))

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
        for panel in board["panels"]:
            self.assertTrue(panel["targets"] and panel["title"] and panel["gridPos"]["w"] <= 24)
            self.assertEqual(panel["datasource"], {"type": "prometheus", "uid": "prometheus"})
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
