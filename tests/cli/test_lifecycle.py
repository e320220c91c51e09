"""A stack's life against a stand-in engine: a unix socket that answers as the engine's API does.

The real engine is asked in tests/scenarios/test_lifecycle.py; here are the answers that it gives seldom.

SPDX-License-Identifier: Apache-2.0
"""
import fcntl
import hashlib
import json
import re
import struct
import time
import unittest

from cli_support import Case, each_row
from engine_stand_in import LABEL, Engine

INI = """\
[stack]
schema = 1
name = life
title = Life
version = 1
summary = two services
prefix = ~/life

[service web]
role = shows a page
health = http://127.0.0.1:${WEB_PORT}/health

[service store]
role = keeps lines
placeholder = yes

[port web]
number = 8010
variable = WEB_PORT
service = web
"""
TIME = "2026-01-31T12:00:0{}.000000000Z"


def frame(stream, text):
    data = text.encode()
    return struct.pack(">BxxxI", stream, len(data)) + data


class Life(Case):
    def setUp(self):
        super().setUp()
        self.prefix = self.home / "life"
        self.prefix.mkdir()
        stack_dir = self.state / "stacks/life"
        stack_dir.mkdir(parents=True)
        (stack_dir / "stack.ini").write_text(INI)
        (self.prefix / "compose.yaml").write_text("services: {}\n")
        (self.prefix / "env").write_text("# ports\nWEB_PORT=8123\n")
        self.engine = Engine(self.place / "docker.sock")
        self.addCleanup(self.engine.close)
        self.write_receipt()
        self.runs(web="Up 3 minutes (healthy)", store="Up 3 minutes")

    def digest(self):
        whole = hashlib.sha256()
        for path in (self.prefix / "compose.yaml", self.prefix / "env"):
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            whole.update(f"{path}\0{digest}\0".encode())
        return whole.hexdigest()

    def write_receipt(self, **result):
        step = {"id": "containers", "kind": "compose", "text": "start life", "digest": "x", "undo": [],
                "inputs": {"project": "life", "directory": str(self.prefix), "files": ["compose.yaml"],
                           "env_file": "env", "engine": f"unix://{self.place}/docker.sock"},
                "result": {"project": "life", "digest": self.digest(),
                           "services": {"web": "h-web", "store": "h-store"}, **result}}
        stack = {"title": "Life", "version": "1", "profile": "", "prefix": str(self.prefix),
                 "stack_dir": str(self.state / "stacks/life"), "steps": [step], "tests": []}
        place = self.state / "gen/1"
        place.mkdir(parents=True, exist_ok=True)
        (place / "receipt.json").write_text(json.dumps(
            {"schema": 1, "generation": 1, "stacks": {"life": stack}}))
        if not (self.state / "current").is_symlink():
            (self.state / "current").symlink_to("gen/1")

    def container(self, service, status, **more):
        state = {"Up": "running", "Exited": "exited", "Created": "created",
                 "Restarting": "restarting"}[status.split()[0]]
        return {"Id": f"id-{service}", "Names": [f"/life-{service}-1"], "Image": "image:1",
                "ImageID": "sha256:1", "State": state, "Status": status, "Ports": [],
                "Labels": {LABEL + "project": "life", LABEL + "service": service,
                           LABEL + "config-hash": f"h-{service}",
                           LABEL + "project.working_dir": str(self.prefix),
                           LABEL + "project.config_files": str(self.prefix / "compose.yaml")}, **more}

    def runs(self, **services):
        self.engine.answers["/containers/json"] = (200, [
            self.container(name, status) for name, status in services.items()])

    def document(self, *arguments, status=0):
        result = self.run_program(*arguments, "--json")
        self.assertEqual(result.status, status, result)
        return json.loads(result.out)


class Looking(Life):
    def test_all_is_up(self):
        """A second "up" asks the engine and nothing else: no lock, no log, no change."""
        before = sorted(self.state.rglob("*"))
        start = time.monotonic()
        document = self.document("up", "life")
        self.assertLess(time.monotonic() - start, 1)
        self.assertFalse(document["changed"])
        self.assertEqual(sorted(self.state.rglob("*")), before)
        self.assertEqual({method for method, _ in self.engine.asked}, {"GET"})

    def test_status(self):
        result = self.run_program("status", "life")
        self.assertEqual(result.status, 0, result)
        self.assertRegex(result.out, r"web +healthy +http://127\.0\.0\.1:8123/ +shows a page")
        self.assertRegex(result.out, r"store +running +placeholder: keeps lines")
        self.assertEqual([path for _, path in self.engine.asked], ["/containers/json"])

    def test_status_shows_what_runs_without_an_engine(self):
        path = self.state / "gen/1/receipt.json"
        receipt = json.loads(path.read_text())
        pid = self.place / "server.pid"
        pid.write_text("1\n")
        receipt["stacks"]["life"]["steps"].append({
            "id": "server", "kind": "directory", "text": "run a server", "digest": "x", "undo": [],
            "inputs": {"path": str(self.prefix)}, "result": {"service": {
                "manager": "process", "name": "server", "title": "a server", "argv": ["/bin/true"],
                "env": [], "pid": str(pid), "log": str(self.place / "server.log")}}})
        path.write_text(json.dumps(receipt))
        document = self.document("status", "life", status=1)
        self.assertIn("1 of 3 services of life are not well", document["error"]["message"])
        with open(pid, "r+", encoding="ascii") as file:
            fcntl.lockf(file, fcntl.LOCK_EX)  # as the running program does
            document = self.document("status", "life")
            (native,) = document["stacks"]["life"]["native_services"]
            self.assertEqual((native["service"], native["state"], native["manager"]),
                             ("server", "running", "process"))
            shown = self.run_program("status", "life").out
        self.assertRegex(shown, r"server +running +process +a server")
        self.assertRegex(shown, r"web +healthy")

    def test_a_port_of_the_env_file(self):
        (self.prefix / "env").write_text("WEB_PORT=1\nWEB_PORT=9001\n")
        self.assertEqual(self.document("open", "life")["pages"],
                         [{"service": "web", "url": "http://127.0.0.1:9001/"}])
        (self.prefix / "env").unlink()
        self.assertEqual(self.document("open", "life", "web")["url"], "http://127.0.0.1:8010/")

    def test_edited_files(self):
        (self.prefix / "compose.yaml").write_text("services: {other: {}}\n")
        (project,) = self.document("status", "life")["stacks"]["life"]["projects"]
        self.assertTrue(project["files_changed"])

    def test_down(self):
        self.write_receipt(is_down=True)
        self.engine.answers["/containers/json"] = (200, [])
        self.engine.answers["/networks"] = (200, [])
        self.assertFalse(self.document("down", "life")["changed"])
        document = self.document("status", "life", status=1)
        self.assertTrue(document["stacks"]["life"]["projects"][0]["is_down"])

    def test_not_installed(self):
        for words in (["up"], ["down"], ["restart"], ["reset"], ["logs"], ["test"], ["status"],
                      ["open"], ["backup"]):
            self.assert_refused(self.run_program(*words, "other"), 64, "other is not installed")
        self.assert_refused(self.run_program("exec", "other", "web", "true"), 64)
        self.assert_refused(self.run_program("restore", "other", "x"), 64)

    def test_an_interrupted_run(self):
        (self.state / "txn/20260101T000000Z-1").mkdir(parents=True)
        (self.state / "txn/20260101T000000Z-1/journal").write_bytes(b"x")
        self.runs(web="Up 3 minutes (healthy)", store="Exited (1) 3 minutes ago")
        self.assert_refused(self.run_program("up", "life"), 75, "slipway resume")
        self.engine.answers["/networks"] = (200, [])
        self.assert_refused(self.run_program("down", "life"), 75, "slipway resume")

    def test_logs(self):
        self.engine.answers["/containers/id-web/json"] = (200, {"Config": {"Tty": False}})
        self.engine.answers["/containers/id-store/json"] = (200, {"Config": {"Tty": True}})
        self.engine.answers["/containers/id-web/logs"] = (
            200, frame(1, TIME.format(1) + " one\n") + frame(2, TIME.format(4) + " four\n"))
        self.engine.answers["/containers/id-store/logs"] = (
            200, f"{TIME.format(2)} two\r\n{TIME.format(3)} \033[31mthree\033[0m\n".encode())
        result = self.run_program("logs", "life")
        self.assertEqual(result.out, "web   | one\nstore | two\nstore | three\nweb   | four\n")
        shown = self.run_on_terminal("logs", "life", "web").out
        self.assertRegex(shown, "\033\\[36mweb \\|\033\\[0m one")
        events = [json.loads(line) for line in
                  self.run_program("logs", "life", "--events").out.splitlines()]
        self.assertEqual([event["text"] for event in events], ["one", "two", "three", "four"])
        self.assert_refused(self.run_program("logs", "life", "-f", "--json"), 64, "--events")

    def test_many_lines(self):
        """More than the readers may be ahead: the merge goes on, in order."""
        for name in ("web", "store"):
            self.engine.answers[f"/containers/id-{name}/json"] = (200, {"Config": {"Tty": True}})
            self.engine.answers[f"/containers/id-{name}/logs"] = (200, "".join(
                f"2026-01-31T12:00:00.{number:09}Z {name}\n" for number in range(5000)).encode())
        lines = self.document("logs", "life", "-n", "all")["lines"]
        self.assertEqual(len(lines), 10000)
        written = [line["written"] for line in lines]
        self.assertEqual(written, sorted(written))


@each_row([
    ("stopped", "Exited (0) 3 minutes ago", "always", "stopped", 1),
    ("a one-shot that is done", "Exited (0) 3 minutes ago", "no", "done", 0),
    ("failed", "Exited (3) 3 minutes ago", "always", "failed", 1),
    ("unhealthy", "Up 1 hour (unhealthy)", "always", "unhealthy", 1),
    ("starting", "Up 3 seconds (health: starting)", "always", "starting", 1),
    ("restarting", "Restarting (1) 3 seconds ago", "always", "restarting", 1),
    ("never started", "Created", "no", "created", 1),
])
class States(Life):
    def check_row(self, text, policy, state, status):
        self.runs(web="Up 3 minutes (healthy)", store=text)
        self.engine.answers["/containers/id-store/json"] = (
            200, {"HostConfig": {"RestartPolicy": {"Name": policy}}})
        document = self.document("status", "life", status=status)
        services = {one["service"]: one for one in document["stacks"]["life"]["services"]}
        self.assertEqual(services["store"]["state"], state)
        self.assertEqual(services["store"]["is_well"], status == 0)
        if status:
            self.assertIn("1 of 2 services", document["error"]["message"])


@each_row([
    ("an error of the engine", (500, {"message": "it broke"}), 69, "it broke"),
    ("its disk is full", (500, {"message": "write /x: no space left on device"}), 74, "no space"),
    ("an error without words", (500, b"<html>"), 69, "HTTP status 500"),
    ("no JSON", (200, b"<html>"), 65, "engine:1:1"),
    ("another kind of document", (200, {"message": "x"}), 0, ""),
    ("too much", (200, b"[" + b" " * (17 << 20) + b"]"), 65, "too large"),
    ("no answer", "hang", 124, "timed out"),
])
class Trouble(Life):
    def check_row(self, answer, status, words):
        self.engine.answers["/containers/json"] = answer
        start = time.monotonic()
        result = self.run_program("logs", "life")
        if status == 0:
            self.assertEqual(result.status, 0, result)
            return
        self.assert_refused(result, status, re.escape(words))
        self.assertLess(time.monotonic() - start, 10)
        self.assertEqual(self.run_program("status").status, 0)


class NoEngine(Life):
    def test_nobody_listens(self):
        self.engine.close()
        self.assert_refused(self.run_program("up", "life"), 69, "Start the engine")
        self.assert_refused(self.run_program("status", "life"), 69, "does not answer")
        (self.place / "docker.sock").unlink()
        self.assert_refused(self.run_program("down", "life"), 69, "does not answer")

    def test_not_for_us(self):
        (self.place / "docker.sock").chmod(0)
        self.become_ordinary()
        self.assert_refused(self.run_program("status", "life"), 77, "not permitted")


PROFILES = INI + """
[profile core]
title = two
default = yes

[profile more]
title = three

[profile bare]
title = none

[step compose]
kind = file
path = @prefix@/compose.yaml
from = compose.yaml

[step containers]
kind = compose
after = compose
project = life
directory = @prefix@
files = compose.yaml
env_file = env
profiles = core

[step more-containers]
kind = compose
after = compose
project = life
directory = @prefix@
files = compose.yaml more.yaml
env_file = env
profiles = more
"""


class AnotherProfile(Life):
    """What a plan makes of it; tests/scenarios/test_profiles.py carries it out."""

    def setUp(self):
        super().setUp()
        self.stack = self.make_stack("life", PROFILES, **{"compose.yaml": "services: {}\n"})
        path = self.state / "gen/1/receipt.json"
        path.write_text(path.read_text().replace('"profile": ""', '"profile": "core"'))

    def steps(self, profile):
        plan = self.run_program("plan", self.stack, "--profile", profile, "--json", env={
            "DOCKER_HOST": f"unix://{self.place}/docker.sock"})
        self.assertEqual(plan.status, 0, plan)
        return {step["id"]: (step["state"], step["text"]) for step in json.loads(plan.out)["steps"]
                if step["kind"] == "compose"}

    def test_its_containers_are_taken_over(self):
        self.assertEqual(self.steps("core"), {"containers": ("ok", "start the compose project life")})
        self.assertEqual(self.steps("more"), {"more-containers": ("renew", "start the compose project life")})

    def test_without_containers(self):
        self.assertEqual(self.steps("bare"), {"containers": ("renew", "stop the containers of life")})
        self.engine.answers["/containers/json"] = (200, [])
        self.assertEqual(self.steps("bare"), {"containers": ("ok", "stop the containers of life")})

    def test_somebody_elses_are_left_alone(self):
        mine = self.container("web", "Up 3 minutes")
        mine["Labels"][LABEL + "project.config_files"] += ",/srv/mine.yaml"
        self.engine.answers["/containers/json"] = (200, [mine])
        for profile in ("core", "more", "bare"):
            self.assert_refused(self.run_program("plan", self.stack, "--profile", profile, env={
                "DOCKER_HOST": f"unix://{self.place}/docker.sock"}), 73, "not ours, and in the way")


if __name__ == "__main__":
    unittest.main()
