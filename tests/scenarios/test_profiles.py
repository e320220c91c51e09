"""An installed stack gets another profile, against a stand-in engine and a compose plugin of ours.

What the real engine does with the same is asked in test_lifecycle.py.

SPDX-License-Identifier: Apache-2.0
"""
import json
import pathlib
import signal
import subprocess
import sys
import time
import unittest

import rig

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "cli"))
from cli_support import Case, each_row  # noqa: E402 pylint: disable=wrong-import-position
from engine_stand_in import LABEL, Engine  # noqa: E402 pylint: disable=wrong-import-position

INI = """\
[stack]
schema = 1
name = life
title = Life
version = 1
summary = two services, and a third
prefix = ~/life

[profile core]
title = two
default = yes

[profile more]
title = three

[profile bare]
title = none

[service web]
role = shows a page
profiles = core more

[service store]
role = keeps lines
profiles = core more

[service graph]
role = draws lines
profiles = more

[step prefix]
kind = directory
path = @prefix@

[step compose]
kind = file
after = prefix
path = @prefix@/compose.yaml
from = compose.yaml

[step compose-more]
kind = file
after = prefix
path = @prefix@/compose.more.yaml
from = compose.more.yaml
profiles = more

[step note]
kind = file
after = prefix
path = @prefix@/note
from = note
profiles = bare

[step containers]
kind = compose
after = compose
project = life
directory = @prefix@
files = compose.yaml
profiles = core

[step more-containers]
kind = compose
after = compose compose-more
project = life
directory = @prefix@
files = compose.yaml compose.more.yaml
profiles = more
"""
CORE = '{"services": {"web": {"image": "web:1"}, "store": {"image": "store:1"}}}'
MORE = '{"services": {"graph": {"image": "graph:1"}}}'
# Its containers are a file; it stops before or after a verb, or fails there, where a file says so.
PLUGIN = """\
#!%s -IS
import hashlib, json, pathlib, sys, time
TOP = pathlib.Path("%s")
if sys.argv[1] == "docker-cli-plugin-metadata":
    print(json.dumps({"SchemaVersion": "0.1.0", "Vendor": "stand-in", "Version": "v2.30.0"}))
    sys.exit()
words = iter(sys.argv[6:])
files, directory, rest = [], "", []
for word in words:
    if word == "-f":
        files.append(next(words))
    elif word == "--project-directory":
        directory = next(words)
    elif word in ("--env-file", "--profile"):
        next(words)
    else:
        rest.append(word)
verb = rest[0]

def pause(where):
    while (TOP / "hold").read_text() == f"{where} {verb}":
        (TOP / "held").touch()
        time.sleep(0.02)
    if (TOP / "fail").read_text() == f"{where} {verb}":
        (TOP / "fail").write_text("")
        sys.exit(f"{verb}: no luck")

pause("before")
state = json.loads((TOP / "containers").read_text())
if verb == "version":
    print("2.30.0")
elif verb == "config":
    print(json.dumps({"services": {}}))
elif verb == "ps":
    for name in state:
        print(json.dumps({"Service": name, "State": "running", "Health": "healthy", "ExitCode": 0}))
elif verb == "down":
    state = {}
elif verb == "up":
    wanted = {}
    for file in files:
        wanted.update(json.loads(pathlib.Path(file).read_text())["services"])
    if "--remove-orphans" in rest:
        state = {name: one for name, one in state.items() if name in wanted}
    for name, service in wanted.items():
        digest = hashlib.sha256(json.dumps(service).encode()).hexdigest()
        if state.get(name, {}).get("hash") != digest:
            state[name] = {"id": f"{name}-{time.monotonic_ns()}", "hash": digest, "files": files,
                           "directory": directory}
(TOP / "containers.new").write_text(json.dumps(state))
(TOP / "containers.new").rename(TOP / "containers")
pause("after")
"""


def setUpModule():
    rig.install(("docker.io",))


class Profiles(Case):
    def setUp(self):
        super().setUp()
        self.top = self.place / "docker"
        plugin = self.place / "config/cli-plugins/docker-compose"
        plugin.parent.mkdir(parents=True)
        self.top.mkdir()
        for name, text in (("containers", "{}"), ("hold", ""), ("fail", "")):
            (self.top / name).write_text(text)
        plugin.write_text(PLUGIN % (sys.executable, self.top))
        plugin.chmod(0o755)
        self.stack = self.make_stack(
            "life", INI, **{"compose.yaml": CORE, "compose.more.yaml": MORE})
        self.engine = Engine(self.place / "docker.sock")
        self.addCleanup(self.engine.close)
        self.engine.answers.update({
            "/containers/json": lambda: (200, [self.listed(*one) for one in self.containers().items()]),
            "/volumes": (200, {"Volumes": []}), "/networks": (200, [])})

    def environment(self, **changes):
        return super().environment(**{"DOCKER_CONFIG": f"{self.place}/config",
                                      "DOCKER_HOST": f"unix://{self.place}/docker.sock", **changes})

    def containers(self):
        return json.loads((self.top / "containers").read_text())

    @staticmethod
    def listed(service, one):
        return {"Id": one["id"], "Names": [f"/life-{service}-1"], "Image": "image:1", "ImageID": "sha256:1",
                "State": "running", "Status": "Up 3 minutes (healthy)", "Ports": [],
                "Labels": {LABEL + "project": "life", LABEL + "service": service,
                           LABEL + "config-hash": one["hash"], LABEL + "project.working_dir": one["directory"],
                           LABEL + "project.config_files": ",".join(one["files"])}}

    def ids(self):
        return {name: one["id"] for name, one in self.containers().items()}

    def document(self, *arguments, status=0):
        result = self.run_program(*arguments, "--json")
        self.assertEqual(result.status, status, result)
        return json.loads(result.out)

    def install(self, profile, status=0):
        return self.document("install", self.stack, "--yes", "--profile", profile, status=status)

    def entry(self):
        return json.loads((self.state / "current/receipt.json").read_text())["stacks"]["life"]

    def projects(self):
        """The ids of the steps that are containers, as the receipt has them."""
        return [step["id"] for step in self.entry()["steps"]
                if step["kind"] == "compose" and not step["inputs"].get("is_retired")]

    def assert_has(self, profile):
        """What runs, what is recorded, and that it all fits."""
        services = {"core": {"web", "store"}, "more": {"web", "store", "graph"}, "bare": set()}[profile]
        steps = {"core": ["containers"], "more": ["more-containers"], "bare": []}[profile]
        self.assertEqual(set(self.containers()), services)
        self.assertEqual((self.entry()["profile"], self.projects()), (profile, steps))
        shown = self.document("status", "life")["stacks"]["life"]
        self.assertEqual({one["service"] for one in shown.get("services", [])}, services)
        before = {path: path.stat().st_mtime_ns for path in self.state.rglob("*")}
        self.assertFalse(self.install(profile)["changed"])
        self.assertEqual({path: path.stat().st_mtime_ns for path in self.state.rglob("*")}, before)

    def assert_nothing_is_left(self):
        result = self.run_program("uninstall", "life", "--yes")
        self.assertEqual(result.status, 0, result)
        self.assertEqual(self.containers(), {})
        self.assertFalse((self.home / "life").exists())
        self.assertFalse((self.state / "current").exists())


class Another(Profiles):
    def test_more_and_less(self):
        self.install("core")
        self.assert_has("core")
        first = self.ids()
        plan = self.document("plan", self.stack, "--profile", "more")
        self.assertEqual({step["id"]: step["state"] for step in plan["steps"]},
                         {"packages": "ok", "prefix": "ok", "compose": "ok", "compose-more": "do",
                          "more-containers": "renew"})
        self.install("more")
        self.assert_has("more")
        self.assertEqual({name: self.ids()[name] for name in first}, first)
        self.install("core")
        self.assert_has("core")
        self.assertEqual(self.ids(), first)
        self.install("more")
        self.assert_has("more")
        self.assertEqual({name: self.ids()[name] for name in first}, first)
        self.assert_nothing_is_left()

    def test_without_containers(self):
        self.install("more")
        plan = self.document("plan", self.stack, "--profile", "bare")
        self.assertEqual([(step["id"], step["text"]) for step in plan["steps"] if step["kind"] == "compose"],
                         [("more-containers", "stop the containers of life")])
        self.install("bare")
        self.assert_has("bare")
        self.assertTrue((self.home / "life/note").exists())
        self.install("core")
        self.assert_has("core")
        self.install("bare")
        self.assert_has("bare")
        self.assert_nothing_is_left()

    def test_the_profile_stays(self):
        """Without the option, it is the one that is installed."""
        self.install("more")
        self.assertFalse(self.document("install", self.stack, "--yes")["changed"])
        self.assert_has("more")

    def test_a_later_version_with_other_files(self):
        self.install("core")
        before = self.ids()
        ini = self.stack / "stack.ini"
        ini.write_text(ini.read_text().replace("files = compose.yaml\n", "files = compose.yaml compose.late.yaml\n").replace(
            "[step compose-more]", "[step late]\nkind = file\nafter = prefix\npath = @prefix@/compose.late.yaml\n"
            "from = compose.late.yaml\n\n[step compose-more]").replace(
                "[step containers]\nkind = compose\nafter =", "[step containers]\nkind = compose\nafter = late"))
        (self.stack / "compose.late.yaml").write_text('{"services": {"late": {}}}')
        self.install("core")
        self.assertEqual(set(self.ids()), {"web", "store", "late"})
        self.assertEqual({name: self.ids()[name] for name in before}, before)
        self.assert_nothing_is_left()

    def test_somebody_elses_containers(self):
        self.install("core")
        other = {"mine": {"id": "mine-1", "hash": "x", "files": ["/srv/other.yaml"], "directory": "/srv"}}
        (self.top / "containers").write_text(json.dumps({**self.containers(), **other}))
        self.assert_refused(
            self.run_program("install", self.stack, "--yes", "--profile", "more"), 73, "in the way")
        self.assert_refused(
            self.run_program("install", self.stack, "--yes", "--profile", "bare"), 73, "in the way")
        self.assertEqual(set(self.ids()), {"web", "store", "mine"})

    def test_one_that_is_down(self):
        self.install("core")
        self.document("down", "life")
        (self.top / "fail").write_text("after up")
        self.install("more", status=69)
        self.assertEqual(self.containers(), {})
        self.assertEqual((self.entry()["profile"], self.projects()), ("core", ["containers"]))


@each_row([(f"{before} to {after}, {where}", before, after, where) for before, after, where in (
    ("core", "more", "after up"), ("more", "core", "after up"), ("core", "more", "before up"),
    ("core", "more", "before ps"), ("core", "bare", "before down"))])
class Fails(Profiles):
    def check_row(self, before, after, where):
        self.install(before)
        (self.top / "fail").write_text(where)
        message = self.install(after, status=69)["error"]["message"]
        self.assertIn("no luck; everything that this run did was taken back", message)
        self.assert_has(before)
        self.install(after)
        self.assert_has(after)
        self.assert_nothing_is_left()


@each_row([(f"{command} from {before} to {after}, {where}", command, before, after, where)
           for command in ("resume", "rollback") for before, after, where in (
               ("core", "more", "before up"), ("core", "more", "after up"), ("more", "core", "after up"),
               ("core", "more", "before version"), ("core", "more", "after ps"),
               ("core", "bare", "before down"), ("core", "bare", "after down"))])
class Killed(Profiles):
    def kill(self, profile, where):
        (self.top / "hold").write_text(where)
        process = subprocess.Popen(
            [self.program, "install", str(self.stack), "--yes", "--profile", profile], cwd=self.cwd,
            env=self.environment(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        end = time.monotonic() + 30
        while not (self.top / "held").exists() and time.monotonic() < end:
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
        process.wait()
        (self.top / "hold").write_text("")
        self.assertTrue((self.top / "held").exists())

    def check_row(self, command, before, after, where):
        self.install(before)
        self.kill(after, where)
        result = self.run_program(command, "--yes")
        self.assertEqual(result.status, 0, result)
        self.assert_has(after if command == "resume" else before)
        self.assert_nothing_is_left()


if __name__ == "__main__":
    unittest.main()
