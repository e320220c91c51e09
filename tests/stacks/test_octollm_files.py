"""The files of stack octollm fit together; its placeholder runs.  SPDX-License-Identifier: Apache-2.0"""
import ast
import configparser
import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.error
import urllib.request

STACK = pathlib.Path(__file__).resolve().parents[2] / "payload" / "stacks" / "octollm"
ROUTES = {"planner": "/plan", "retriever": "/search", "coder": "/code", "judge": "/validate",
          "safety-guardian": "/check"}
# What the programs at our revision count; the reflex layer declares more and never touches it.
METRICS = {"up", "octollm_arm_stub", "octollm_arm_requests_total", "process_resident_memory_bytes",
           "orchestrator_tasks_submitted_total", "orchestrator_reflex_calls_total",
           "orchestrator_http_request_duration_seconds", "reflex_http_requests_total",
           "reflex_http_request_duration_seconds", "collections_total", "collections_vector_total"}
EXTENSIONS = {
    "ms-python.python", "ms-python.vscode-pylance", "ms-python.black-formatter", "charliermarsh.ruff",
    "rust-lang.rust-analyzer", "tamasfe.even-better-toml", "ms-azuretools.vscode-docker", "GitHub.copilot",
    "GitHub.copilot-chat", "eamodio.gitlens", "redhat.vscode-yaml", "esbenp.prettier-vscode",
    "ms-vscode.makefile-tools", "gruntfuggly.todo-tree"}
PORTS = {*range(8000, 8007), 8080, 5432, 6379, 6333, 9090, 3000}


def definition():
    ini = configparser.RawConfigParser(delimiters=("=",), comment_prefixes=("#", ";"))
    ini.optionxform = str
    ini.read(STACK / "stack.ini")
    return ini


def compose_text():
    return "".join(path.read_text() for path in sorted((STACK / "compose").glob("*.yaml")))


def environment():
    lines = (STACK / "compose/env").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


class Definition(unittest.TestCase):
    def test_every_member_is_there(self):
        ini = definition()
        for section in ini.sections():
            for key in ("from", "edits"):
                for member in ini.get(section, key, fallback="").split():
                    with self.subTest(section=section, member=member):
                        self.assertTrue((STACK / member).is_file())

    def test_compose_runs_on_what_its_steps_wait_for(self):
        ini = definition()
        for step in ("containers", "monitored-containers", "dev-containers"):
            after = ini.get(f"step {step}", "after").split()
            written = {ini.get(f"step {name}", "path", fallback=None) for name in after}
            for name in [*ini.get(f"step {step}", "files").split(), ".env"]:
                self.assertIn(f"@prefix@/compose/{name}", written)
            mounted = {path for path in ini.get(f"step {step}", "files").split()
                       for path in re.findall(r"- \.\./(monitoring/\S+?):", (STACK / "compose" / path).read_text())}
            for path in mounted:
                self.assertTrue(any(one and one.startswith(f"@prefix@/{path}") for one in written), path)
            for name in {f"step {one}" for one in after}:
                self.assertIn(ini.get(name, "profiles", fallback=ini.get(f"step {step}", "profiles")),
                              ini.get(f"step {step}", "profiles"))

    def test_edits_are_well_formed(self):
        for path in sorted((STACK / "edits").iterdir()):
            with self.subTest(path.name):
                marks = [line for line in path.read_text().splitlines() if line.startswith(("file: ", "--- "))]
                self.assertRegex(marks.pop(0), r"^file: services/(orchestrator/app|reflex-layer/src)/[a-z_]+\.(py|rs)$")
                self.assertEqual(marks, ["--- find", "--- replace", "--- end"] * (len(marks) // 3))

    def test_python_files_parse_on_3_11(self):
        for path in [*STACK.glob("images/*.py"), *STACK.glob("dev/*.py")]:
            ast.parse(path.read_text(), feature_version=(3, 11))

    def test_the_devcontainer(self):
        document = json.loads((STACK / "dev/devcontainer.json").read_text())
        self.assertEqual(EXTENSIONS, set(document["customizations"]["vscode"]["extensions"]))
        self.assertEqual(PORTS, {int(port.split(":")[1]) for port in document["forwardPorts"]})
        self.assertEqual(set(document["forwardPorts"]), set(document["portsAttributes"]))


class Environment(unittest.TestCase):
    def test_nine_sections_and_fifty_variables(self):
        text = (STACK / "compose/env").read_text()
        self.assertEqual([str(n) for n in range(1, 10)], re.findall(r"^# \[(\d)\] \w+", text, re.M))
        self.assertGreaterEqual(len(environment()), 50)

    def test_it_and_compose_agree(self):
        defaults = dict(re.findall(r"\$\{([A-Z_]+):-([^}]*)\}", compose_text()))
        ports = {name for name in defaults if name.endswith("_PORT")}
        self.assertEqual({name: value for name, value in defaults.items() if name not in ports},
                         {name: value for name, value in environment().items() if name not in ports})
        self.assertEqual(14, len(ports & set(environment())))
        self.assertEqual(set(), set(re.findall(r"(?<!\$)\$\{?([A-Z_]+)", compose_text())) - set(defaults))

    def test_ports_are_those_of_the_definition(self):
        ini = definition()
        ports = [section for section in ini.sections() if section.startswith("port ")]
        self.assertEqual(14, len(ports))
        for section in ports:
            name, variable = section.removeprefix("port ").replace("-", "_"), ini.get(section, "variable")
            self.assertEqual(f"@port_{name}@", environment()[variable])
            self.assertIn(f"${{{variable}:-{ini.get(section, 'number')}}}", compose_text())

    def test_no_secret(self):
        for name in environment():
            self.assertNotRegex(name, r"KEY|PASSWORD|SECRET|TOKEN(?!S)")
        self.assertNotRegex(compose_text(), r"(?m)^ +\w*(API_KEY|PASSWORD|TOKEN): +\S")


class Images(unittest.TestCase):
    def test_every_image_of_others_is_in_the_lock(self):
        lock = re.findall(r"^(\S+:\S+) +(unknown|sha256:[0-9a-f]{64}) +(OCTO_\w+)$",
                          (STACK / "images/images.lock").read_text(), re.M)
        values = {name: value for name, value in environment().items()
                  if re.fullmatch(r"OCTO_\w+_IMAGE", name) and not value.startswith("octollm-")}
        self.assertEqual(values, {name: image for image, _, name in lock})
        for path in STACK.glob("images/*.Dockerfile"):
            for name, image in re.findall(r"^ARG (OCTO_\w+_IMAGE)=(\S+)$", path.read_text(), re.M):
                self.assertEqual(values[name], image)

    def test_dockerfiles(self):
        for path in sorted(STACK.glob("images/*.Dockerfile")):
            with self.subTest(path.name):
                text = path.read_text()
                stages = re.split(r"^(?=FROM )", text, flags=re.M)[1:]
                self.assertEqual(2, len(stages))
                self.assertNotIn("# syntax=", text)
                self.assertRegex(stages[-1], r"(?m)^USER 1000:1000$")
                self.assertRegex(stages[-1], r"octollm\.stub=")
                for word in ("pip", "cargo", "apt", "gcc", "build-essential", "curl"):
                    self.assertNotRegex(stages[-1], rf"\b{word}\b")
        builds = re.findall(r"dockerfile: (\S+)", compose_text())
        self.assertEqual(8, len(builds))
        self.assertEqual({f"images/{path.name}" for path in STACK.glob("images/*.Dockerfile")}, set(builds))

    def test_they_are_built_from_what_the_steps_write(self):
        ini = definition()
        written = {ini.get(section, "path", fallback="") for section in ini.sections()}
        for path in STACK.glob("images/*.Dockerfile"):
            self.assertIn(f"@prefix@/images/{path.name}", written)
            for sources in re.findall(r"^COPY (images/.*) \S+$", path.read_text(), re.M):
                for source in sources.split():
                    self.assertIn(f"@prefix@/{source}", written)

    def test_requirements_are_pinned_with_digests(self):
        for path in STACK.glob("images/requirements*.txt"):
            text = path.read_text()
            self.assertNotIn("://", text)
            for line in text.replace("\\\n", "").splitlines():
                if not line.startswith("#"):
                    self.assertRegex(line, r"^[a-z0-9-]+==[0-9.]+( +--hash=sha256:[0-9a-f]{64})+$")


class Monitoring(unittest.TestCase):
    def test_dashboards_and_rules_ask_for_what_is_counted(self):
        boards = sorted(STACK.glob("monitoring/dashboards/*.json"))
        self.assertEqual(2, len(boards))
        queries = re.findall(r"expr: (.*)", (STACK / "monitoring/rules.yml").read_text())
        for path in boards:
            self.assertLessEqual(path.stat().st_size, 8192)
            board = json.loads(path.read_text())
            self.assertEqual({"prometheus"}, {panel["datasource"]["uid"] for panel in board["panels"]})
            self.assertEqual(len(board["panels"]), len({panel["id"] for panel in board["panels"]}))
            queries += [target["expr"] for panel in board["panels"] for target in panel["targets"]]
        for query in queries:
            bare = re.sub(r"\{[^}]*\}|\[\w+\]|by \([^)]*\)", "", query)
            found = re.findall(r"\b[a-z]+(?:_[a-z]+)+\b|\bup\b", bare)
            names = {re.sub(r"_(bucket|count|sum)$", "", name) for name in found}
            with self.subTest(query):
                self.assertEqual(set(), names - METRICS - {"histogram_quantile"})

    def test_targets(self):
        text = (STACK / "monitoring/prometheus.yml").read_text()
        self.assertEqual({"prometheus", "orchestrator", "reflex-layer", "qdrant", *(f"{arm}-arm" for arm in ROUTES)},
                         set(re.findall(r"job_name: (\S+)", text)))


class Stub(unittest.TestCase):
    """The placeholder, as a program of its own on loopback."""

    def start(self, arm, **more):
        with socket.socket() as one:
            one.bind(("127.0.0.1", 0))
            self.port = one.getsockname()[1]
        place = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, place)
        self.file = place / "arm_stub.py"
        shutil.copy(STACK / "images/arm_stub.py", self.file)
        process = subprocess.Popen(
            [sys.executable, self.file], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, env={"ARM": arm, "PORT": str(self.port), "PATH": os.environ["PATH"], **more})
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.until(lambda: self.ask("/health")[0] == 200)
        return process

    @staticmethod
    def until(is_true):
        end = time.monotonic() + 30
        while True:
            with contextlib.suppress(OSError):
                if is_true():
                    return
            if time.monotonic() > end:
                raise AssertionError("not within 30 s")
            time.sleep(0.05)

    def ask(self, path, data=None):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", data, timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def test_each_says_what_it_is(self):
        for arm, route in ROUTES.items():
            with self.subTest(arm):
                process = self.start(arm)
                for path in ("/health", "/ready", "/capabilities"):
                    status, text = self.ask(path)
                    self.assertEqual((200, True, arm), (status, json.loads(text)["stub"], json.loads(text)["arm"]))
                status, text = self.ask(route, b'{"goal": "anything"}')
                self.assertEqual(501, status)
                self.assertIn("placeholder", json.loads(text)["note"])
                self.assertEqual(404, self.ask("/elsewhere", b"{}")[0])
                self.assertIn(f'octollm_arm_requests_total{{arm="{arm}"}} 1\n', self.ask("/metrics")[1])
                process.send_signal(signal.SIGTERM)
                self.assertEqual(0, process.wait(10))

    def test_it_starts_again_with_what_was_written(self):
        process = self.start("coder", ARM_RELOAD="true")
        text = self.file.read_text()
        self.file.write_text("(")
        time.sleep(1.2)
        self.assertEqual(200, self.ask("/health")[0])
        self.file.write_text(text.replace("a placeholder:", "another placeholder:"))
        self.until(lambda: "another placeholder" in self.ask("/health")[1])
        self.assertIsNone(process.poll())


if __name__ == "__main__":
    unittest.main()
