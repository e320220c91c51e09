"""Deployments against a stand-in engine: what is refused, what is nothing to do, and what is shown.

A real engine and a real proxy are in tests/scenarios/test_deploy.py.

SPDX-License-Identifier: Apache-2.0
"""
import json
import unittest

from cli_support import Case, each_row
from engine_stand_in import LABEL, Engine

INI = """\
[stack]
schema = 1
name = life
title = Life
version = 1
summary = a service in two colours
prefix = ~/life

[profile plain]
title = one of it
default = yes

[profile production]
title = two of it

[service web]
role = shows a page

[service web-blue]
role = one of two

[service web-green]
role = the other one

[service proxy]
role = in front of both

[port admin]
number = 9999
variable = ADMIN_PORT
"""
DEPLOY = """\

[deploy]
profiles = production
service = web
images = BLUE_IMAGE GREEN_IMAGE
ids = BLUE_ID GREEN_ID
variables = @prefix@/deployment.env
proxy = proxy
backend = app
servers = @prefix@/servers.cfg
admin = admin
port = 8000
ready = /ready
version = /version
backup = data
"""
VARIABLES = """\
# written by slipway
COMPOSE_PROFILES=blue
BLUE_IMAGE=web:1
BLUE_ID=initial
GREEN_IMAGE=web:1
GREEN_ID=none
"""
SERVERS = """\
backend app
    server blue web-blue:8000 weight 100
    server green web-green:8000 weight 0
"""


class Colours(Case):
    profile = "production"
    ini = INI + DEPLOY

    def setUp(self):
        super().setUp()
        self.prefix = self.home / "life"
        self.prefix.mkdir()
        stack_dir = self.state / "stacks/life"
        stack_dir.mkdir(parents=True)
        (stack_dir / "stack.ini").write_text(self.ini)
        (self.prefix / "compose.yaml").write_text("services: {}\n")
        (self.prefix / "env").write_text("TRAFFIC_STEP_SECONDS=1\n")
        (self.prefix / "deployment.env").write_text(VARIABLES)
        (self.prefix / "servers.cfg").write_text(SERVERS)
        self.engine = Engine(self.place / "docker.sock")
        self.addCleanup(self.engine.close)
        self.write_receipt()
        self.runs(**{"web-blue": "Up 3 minutes (healthy)", "proxy": "Up 3 minutes (healthy)"})
        self.images(**{"web:1": "sha256:1"})

    def write_receipt(self):
        inputs = {"project": "life", "directory": str(self.prefix), "files": ["compose.yaml"], "env_file": "env",
                  "engine": f"unix://{self.place}/docker.sock", "vars": {"prefix": str(self.prefix)}}
        if self.profile == "production":
            inputs["deploy"] = {"variables": str(self.prefix / "deployment.env"),
                                "colours": {"blue": "web-blue", "green": "web-green"}}
        step = {"id": "containers", "kind": "compose", "text": "start life", "digest": "x", "undo": [],
                "inputs": inputs, "result": {"project": "life", "services": {"web-blue": "h-web-blue"}}}
        stack = {"title": "Life", "version": "1", "profile": self.profile, "prefix": str(self.prefix),
                 "stack_dir": str(self.state / "stacks/life"), "steps": [step], "tests": []}
        place = self.state / "gen/1"
        place.mkdir(parents=True, exist_ok=True)
        (place / "receipt.json").write_text(json.dumps({"schema": 1, "generation": 1, "stacks": {"life": stack}}))
        (self.state / "current").symlink_to("gen/1")

    def runs(self, **services):
        self.engine.answers["/containers/json"] = (200, [{
            "Id": f"id-{name}", "Names": [f"/life-{name}-1"], "Image": "web:1", "ImageID": "sha256:1",
            "State": {"Up": "running", "Exited": "exited"}[status.split()[0]], "Status": status, "Ports": [],
            "Labels": {LABEL + "project": "life", LABEL + "service": name, LABEL + "config-hash": f"h-{name}",
                       LABEL + "project.working_dir": str(self.prefix),
                       LABEL + "project.config_files": str(self.prefix / "compose.yaml")}}
            for name, status in services.items()])

    def images(self, **ids):
        self.engine.answers["/images/json"] = (200, [])
        for name, digest in ids.items():
            self.engine.answers[f"/images/{name}/json"] = (200, {"Id": digest})

    def write_state(self, **more):
        directory = self.state / "deployments/life"
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "state.json").write_text(json.dumps({
            "schema": 1, "active": "blue", "previous": None,
            "blue": {"image": "web:1", "digest": "sha256:1", "id": "initial"},
            "green": {"image": "web:1", "digest": None, "id": "none"},
            "weights": {"blue": 100, "green": 0}, **more}))

    def everything(self):
        """With the times: what was written the same again is a change, too."""
        return {path: (path.read_bytes(), path.stat().st_mtime_ns)
                for place in (self.state, self.prefix) for path in place.rglob("*") if path.is_file()}

    def refused(self, *words, status, text):
        before = self.everything()
        self.assert_refused(self.run_program("deploy", *words), status, text)
        self.assertEqual(self.everything(), before)
        self.assertLessEqual({method for method, _ in self.engine.asked}, {"GET"})


@each_row([
    ("no image", ["life"], 64, "either an IMAGE or --rollback is needed"),
    ("image and rollback", ["life", "web:2", "--rollback"], 64, "--rollback takes no IMAGE"),
    ("both rollbacks", ["life", "--rollback", "--no-rollback"], 64, "exclude one another"),
    ("no tag", ["life", "web"], 64, "names no version"),
    ("latest", ["life", "web:latest"], 64, "names no version"),
    ("a tag of the registry alone", ["life", "registry.example:5000/web"], 64, "names no version"),
    ("no reference", ["life", "web:2 --privileged"], 64, "names no version"),
    ("another stack", ["other", "web:2"], 64, "other is not installed"),
    ("nothing before", ["life", "--rollback"], 64, "no version to go back to"),
])
class Refusals(Colours):
    def check_row(self, words, status, text):
        self.refused(*words, "--yes", status=status, text=text)
        self.engine.asked.clear()
        self.refused(*words, "--dry-run", status=status, text=text)


@each_row([
    ("a step", "env", "TRAFFIC_STEPS=10,50\n", "TRAFFIC_STEPS=10,50"),
    ("a time", "env", "HEALTH_CHECK_TIMEOUT=soon\n", "HEALTH_CHECK_TIMEOUT=soon is no number"),
    ("a port", "env", "ADMIN_PORT=none\n", "the port admin of the proxy is not known"),
    ("no colour", "deployment.env", "BLUE_IMAGE=web:1\n", "names no colour"),
    ("both colours", "deployment.env", VARIABLES.replace("=blue", "=blue,green"), "names no colour"),
    ("no image", "deployment.env", VARIABLES.replace("BLUE_IMAGE=web:1", "BLUE_IMAGE="), "no image"),
])
class Files(Colours):
    def check_row(self, name, text, why):
        (self.prefix / name).write_text(text)
        self.refused("life", "web:2", "--yes", status=78, text=why)


class WithoutColours(Colours):
    profile = "plain"

    def test_another_profile(self):
        result = self.run_program("deploy", "life", "web:2", "--yes")
        self.assert_refused(result, 78, "the profile plain, which has no two colours")
        self.assertIn("slipway install life --profile production", result.err)


class WithoutSection(Colours):
    ini = INI

    def test_no_section(self):
        self.refused("life", "web:2", "--yes", status=78, text=r"its definition has no \[deploy\]")


class State(Colours):
    def test_nothing_to_do(self):
        for write in (lambda: None, self.write_state):
            write()
            before = self.everything()
            result = self.run_program("deploy", "life", "web:1", "--yes", "--json")
            self.assertEqual(result.status, 0, result)
            self.assertFalse(json.loads(result.out)["changed"])
            self.assertIn("nothing to do", self.run_program("deploy", "life", "web:1").out)
            self.assertEqual(self.everything(), before)

    def test_a_foreign_state(self):
        self.write_state(schema=2)
        self.refused("life", "web:2", "--yes", status=66, text="of a later version")

    def test_a_state_of_an_installation_before(self):
        """The stack's files are right."""
        self.write_state(active="green", previous="blue")
        self.assertIn("blue has the traffic already", self.run_program("deploy", "life", "web:1").out)
        self.refused("life", "--rollback", "--yes", status=64, text="no version to go back to")

    def test_the_image_of_before_is_gone(self):
        self.write_state(previous="green", green={"image": "web:0", "digest": "sha256:0", "id": "0"})
        self.refused("life", "--rollback", "--yes", status=69, text="the image web:0 of the version before")

    def test_an_interrupted_one(self):
        self.write_state(unfinished={"id": "20260131T120000Z-green", "action": "deploy", "from": "blue", "to": "green",
                                     "image": "web:2", "phase": "traffic", "started": "2026-01-31T12:00:00Z"})
        before = self.everything()
        result = self.run_program("deploy", "life", "--rollback", "--dry-run")
        self.assertEqual(result.status, 0, result)
        self.assertIn("Taking the deployment 20260131T120000Z-green, which did not end, back", result.out)
        self.assert_refused(self.run_program("deploy", "life", "--rollback"), 64, "nobody can be asked")
        self.assertEqual(self.everything(), before)
        self.assertIn("The deployment 20260131T120000Z-green did not end", self.run_program("status", "life").out)
        self.assertRegex(self.run_program("doctor").out,
                         r"fail  life: the deployment 20260131T120000Z-green did not end\n *\"slipway deploy life")


class Standby(Colours):
    def state_of(self, name):
        document = json.loads(self.run_program("status", "life", "--json").out)
        (service,) = (one for one in document["stacks"]["life"]["services"] if one["service"] == name)
        return service["state"], service["is_well"]

    def test_never_started(self):
        self.assertEqual(self.state_of("web-green"), ("standby", True))
        self.assertEqual(self.run_program("status", "life").status, 0)

    def test_stopped(self):
        self.runs(**{"web-blue": "Up 3 minutes", "web-green": "Exited (137) 3 minutes ago"})
        self.assertEqual(self.state_of("web-green"), ("standby", True))

    def test_the_active_one_has_to_run(self):
        self.runs(**{"web-blue": "Exited (1) 3 minutes ago", "web-green": "Up 3 minutes"})
        self.assertEqual(self.state_of("web-blue"), ("failed", False))
        self.assertEqual(self.state_of("web-green"), ("running", True))
        self.assertEqual(self.run_program("status", "life").status, 1)


if __name__ == "__main__":
    unittest.main()
