"""The files of stack octollm fit together; its placeholder runs.  SPDX-License-Identifier: Apache-2.0"""
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

import stack_files

STACK = stack_files.STACKS / "octollm"
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


class Octollm(stack_files.Definition):
    top = STACK


class Files(stack_files.Files, Octollm, unittest.TestCase):
    def test_the_devcontainer(self):
        document = json.loads((STACK / "dev/devcontainer.json").read_text())
        self.assertEqual(EXTENSIONS, set(document["customizations"]["vscode"]["extensions"]))
        self.assertEqual(PORTS, {int(port.split(":")[1]) for port in document["forwardPorts"]})
        self.assertEqual(set(document["forwardPorts"]), set(document["portsAttributes"]))

    def test_nine_sections_and_fifty_variables(self):
        text = (STACK / "compose/env").read_text()
        self.assertEqual([str(n) for n in range(1, 10)], re.findall(r"^# \[(\d)\] \w+", text, re.M))
        self.assertGreaterEqual(len(self.environment()), 50)
        for name in self.environment():
            self.assertNotRegex(name, r"KEY|PASSWORD|SECRET|TOKEN(?!S)")


class Images(Octollm, unittest.TestCase):
    def test_env_says_what_the_dockerfiles_are_built_from(self):
        for path in STACK.glob("images/*.Dockerfile"):
            for name, image in re.findall(r"^ARG (OCTO_\w+_IMAGE)=(\S+)$", path.read_text(), re.M):
                self.assertEqual(self.environment()[name], image)

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
        builds = re.findall(r"dockerfile: (\S+)", self.text())
        self.assertEqual(8, len(builds))
        self.assertEqual({f"images/{path.name}" for path in STACK.glob("images/*.Dockerfile")}, set(builds))

    def test_they_are_built_from_what_the_steps_write(self):
        written = {step.get("path", "") for step in self.sections("step").values()}
        for path in STACK.glob("images/*.Dockerfile"):
            self.assertIn(f"@prefix@/images/{path.name}", written)
            for sources in re.findall(r"^COPY (images/.*) \S+$", path.read_text(), re.M):
                for source in sources.split():
                    self.assertIn(f"@prefix@/{source}", written)


class Monitoring(unittest.TestCase):
    def test_dashboards_and_rules_ask_for_what_is_counted(self):
        boards = sorted(STACK.glob("monitoring/dashboards/*.json"))
        self.assertEqual(2, len(boards))
        queries = re.findall(r"expr: (.*)", (STACK / "monitoring/rules.yml").read_text())
        for path in boards:
            board = json.loads(path.read_text())
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
