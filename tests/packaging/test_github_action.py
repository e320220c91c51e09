"""packaging/github-action: its steps run for real, against a release on a server of this test.

SPDX-License-Identifier: Apache-2.0
"""
import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

import yaml

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).parent))
from release_fixture import Release, new_key, sig  # noqa: E402
from files import SLIPWAY, TOP  # noqa: E402
from tls_server import Authority, Server  # noqa: E402

FOLDER = TOP / "packaging/github-action"
ACTION = yaml.safe_load((FOLDER / "action.yml").read_text())
STEPS = ACTION["runs"]["steps"]
SECONDS = 60
STACK = """\
[stack]
schema = 1
name = probe
title = Probe
version = 1.0.0
summary = a directory
prefix = ~/probe

[profile native]
title = the only one
default = yes

[step prefix]
kind = directory
path = @prefix@
"""


def setUpModule():
    global PLACE, AUTHORITY, CERTIFICATE, KEY, VERSION  # pylint: disable=global-statement
    PLACE = pathlib.Path(tempfile.mkdtemp(prefix="slipway-action-"))
    AUTHORITY = Authority(PLACE)
    CERTIFICATE = AUTHORITY.issue("server")
    KEY = new_key(PLACE, "release")
    shown = subprocess.run([SLIPWAY, "version"], stdout=subprocess.PIPE, check=True, text=True)
    VERSION = shown.stdout.split()[1]


def tearDownModule():
    shutil.rmtree(PLACE)


class Runner(unittest.TestCase):
    """What a runner does with a composite action, as far as this one needs it."""

    def setUp(self):
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="slipway-runner-"))
        self.addCleanup(shutil.rmtree, self.home, ignore_errors=True)
        self.work = self.home / "work"
        for name in ("temp", "tools", "work"):
            (self.home / name).mkdir()
        for name in ("path", "summary"):
            (self.home / name).write_text("")
        self.server = Server(CERTIFICATE)
        self.addCleanup(self.server.close)
        self.release = Release(KEY, pathlib.Path(SLIPWAY).read_bytes(), VERSION, 1)
        self.release.publish(self.server.routes)
        self.script = self.stamp((TOP / "packaging/install.sh").read_text())
        self.server.routes["/install.sh"] = self.script
        self.log = ""

    @staticmethod
    def stamp(text):
        return re.sub("^release_keys=.*$", f"release_keys='{KEY.public.hex()}'", text, count=1,
                      flags=re.M).encode()

    def expand(self, text, known):
        return re.sub(r"\$\{\{ (.*?) \}\}", lambda match: known[match[1]], text)

    def run_step(self, step, known):
        output = self.home / "output"
        output.write_text("")
        script = self.home / "step.sh"
        script.write_text(step["run"])
        env = {"PATH": os.environ["PATH"], "HOME": str(self.home), "CI": "true", "LANG": "C.UTF-8",
               "RUNNER_TEMP": str(self.home / "temp"), "RUNNER_TOOL_CACHE": str(self.home / "tools"),
               "GITHUB_OUTPUT": str(output), "GITHUB_PATH": str(self.home / "path"),
               "GITHUB_STEP_SUMMARY": str(self.home / "summary"),
               "SLIPWAY_CA_BUNDLE": str(AUTHORITY.bundle),
               "ASAN_OPTIONS": "verify_asan_link_order=0"}
        env.update({name: self.expand(value, known) for name, value in step.get("env", {}).items()})
        done = subprocess.run(["bash", "--noprofile", "--norc", "-eo", "pipefail", str(script)],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, env=env, cwd=self.work, text=True,
                              timeout=SECONDS, check=False)
        self.log += done.stdout
        for line in output.read_text().splitlines():
            name, _, value = line.partition("=")
            known[f"steps.{step['id']}.outputs.{name}"] = value
        return done.returncode

    def is_due(self, step, known):
        if "if" not in step:
            return True
        name, value = re.fullmatch(r"(\S+) != ''", step["if"])[1], ""
        return known.get(name, "") != value

    def run_action(self, **inputs):
        """Returns: the exit status of the step that failed, or 0, and the outputs."""
        known = {f"inputs.{name}": row["default"] for name, row in ACTION["inputs"].items()}
        known["inputs.release-url"] = self.server.url
        known.update({f"inputs.{name.replace('_', '-')}": value for name, value in inputs.items()})
        self.cache_key, self.log = None, ""
        code = 0
        for step in STEPS:
            if code != 0 or not self.is_due(step, known):
                continue
            if "uses" in step:
                self.cache_key = self.expand(step["with"]["key"], known)
                continue
            code = self.run_step(step, known)
        outputs = {name: known.get(re.fullmatch(r"\$\{\{ (.*) \}\}", row["value"])[1], "")
                   for name, row in ACTION["outputs"].items()}
        return code, outputs

    def make_stack(self, name="stack", text=STACK):
        (self.work / name).mkdir()
        (self.work / name / "stack.ini").write_text(text)
        return f"./{name}"

    def summary(self):
        return (self.home / "summary").read_text()


class Program(Runner):
    def test_the_newest(self):
        code, outputs = self.run_action()
        self.assertEqual(code, 0, self.log)
        self.assertEqual(outputs["version"], VERSION)
        self.assertTrue(os.access(outputs["program"], os.X_OK))
        self.assertEqual((self.home / "path").read_text(), f"{pathlib.Path(outputs['program']).parent}\n")
        self.assertIsNone(self.cache_key)
        self.assertIn("signature checked", self.log)
        self.assertEqual(list((self.home / "temp").iterdir()), [])

    def test_a_version_is_cached_and_not_fetched_again(self):
        code, _ = self.run_action(version=f"v{VERSION}")
        self.assertEqual(code, 0, self.log)
        self.assertRegex(self.cache_key, rf"^slipway-{re.escape(VERSION)}-Linux-\w+$")
        self.server.seen.clear()
        code, outputs = self.run_action(version=VERSION)
        self.assertEqual((code, outputs["version"]), (0, VERSION), self.log)
        self.assertEqual(self.server.seen, ["/install.sh"])

    def test_no_cache(self):
        self.run_action(version=VERSION, cache="false")
        self.assertIsNone(self.cache_key)

    def test_what_is_no_version(self):
        for version in ("1;id", "$(id)", "../x", "newest", "1\nplace=/"):
            self.assertEqual(self.run_action(version=version)[0], 64, self.log)

    def test_pinned_install_sh(self):
        digest = hashlib.sha256(self.script).hexdigest()
        self.assertEqual(self.run_action(install_sha256=digest)[0], 0, self.log)
        self.assertEqual(self.run_action(install_sha256="0" * 64)[0], 76, self.log)

    def test_no_install_sh(self):
        del self.server.routes["/install.sh"]
        self.assertEqual(self.run_action()[0], 69, self.log)
        self.assertIn("::error::", self.log)

    def test_a_release_that_lies(self):
        self.release.change(sha256="0" * 64)
        self.release.publish(self.server.routes)
        code, outputs = self.run_action()
        self.assertEqual((code, outputs["program"]), (76, ""), self.log)

    def test_a_release_of_somebody_else(self):
        text = self.release.manifest()
        self.server.routes["/manifest.json.sig"] = sig(new_key(PLACE, "other"), text)
        self.assertEqual(self.run_action()[0], 76, self.log)


class Stack(Runner):
    def test_it_is_installed(self):
        code, outputs = self.run_action(stack=self.make_stack())
        self.assertEqual(code, 0, self.log)
        self.assertEqual((outputs["status"], outputs["prefix"]), ("ok", str(self.home / "probe")))
        self.assertTrue((self.home / "probe").is_dir())
        self.assertIs(json.loads(pathlib.Path(outputs["document"]).read_text())["changed"], True)
        self.assertIn(f"| ./stack | ok | {self.home}/probe |", self.summary())

    def test_arguments_are_lines(self):
        place = self.home / "elsewhere"
        code, outputs = self.run_action(stack=self.make_stack(), args=f"--prefix\n{place}\n\n")
        self.assertEqual((code, outputs["prefix"]), (0, str(place)), self.log)
        self.assertTrue(place.is_dir())
        self.assertFalse((self.home / "probe").exists())
        code, outputs = self.run_action(stack="./stack", args="--prefix /with a blank")
        self.assertEqual((code, outputs["status"]), (64, "usage"), self.log)

    def test_two(self):
        one = self.make_stack()
        other = self.make_stack("other", STACK.replace("probe", "second"))
        code, outputs = self.run_action(stack=f"{one}\n{other}\n")
        self.assertEqual((code, outputs["prefix"]), (0, str(self.home / "second")), self.log)
        self.assertIn("| ./other | ok", self.summary())

    def test_a_failure_keeps_its_status(self):
        code, outputs = self.run_action(stack="nowhere\nlocalagent")
        self.assertEqual((code, outputs["status"]), (64, "usage"), self.log)
        self.assertIn("| nowhere | usage |", self.summary())
        self.assertIn("no stack", self.summary())
        self.assertNotIn("| localagent", self.summary())

    def test_hostile_words(self):
        code, _ = self.run_action(stack="$(touch x)`touch y`|--help", args="$(touch z)")
        self.assertNotEqual(code, 0)
        self.assertEqual(list(self.work.iterdir()), [])


class Shape(unittest.TestCase):
    def test_each_step(self):
        self.assertEqual(ACTION["runs"]["using"], "composite")
        for step in STEPS:
            self.assertEqual("run" in step, "uses" not in step)
            if "run" in step:
                self.assertEqual(step["shell"], "bash")
                self.assertNotIn("${{", step["run"])  # what is put into a script by text, runs
            else:
                self.assertRegex(step["uses"], r"^actions/cache@")

    def test_each_name_is_known(self):
        known = {f"inputs.{name}" for name in ACTION["inputs"]}
        for step in STEPS:
            for place in (step.get("if", ""), *step.get("env", {}).values(), *step.get("with", {}).values()):
                for name in re.findall(r"(?:inputs|steps)\.[\w.-]+", place):
                    self.assertIn(name, known)
            known |= {f"steps.{step.get('id')}.outputs.{name}"
                      for name in re.findall(r'"([a-z]+)=', step.get("run", ""))}
        for row in ACTION["outputs"].values():
            self.assertIn(re.fullmatch(r"\$\{\{ (.*) \}\}", row["value"])[1], known)

    def test_inputs_and_outputs_are_told(self):
        text = (FOLDER / "README.md").read_text()
        for name in (*ACTION["inputs"], *ACTION["outputs"]):
            self.assertIn(f"`{name}`", text)
        for row in (*ACTION["inputs"].values(), *ACTION["outputs"].values()):
            self.assertTrue(row["description"])

    def test_shellcheck(self):
        for step in STEPS:
            if "run" in step:
                done = subprocess.run(["shellcheck", "-s", "bash", "-"], input=step["run"], text=True,
                                      stdout=subprocess.PIPE, check=False)
                self.assertEqual(done.stdout, "")

    def test_the_recipes_are_sound(self):
        """Each yaml block can be read, each shell block is accepted."""
        blocks = re.findall(r"(?ms)^```(\w+)\n(.*?)^```", (FOLDER / "README.md").read_text())
        self.assertGreaterEqual(len(blocks), 3)
        for kind, text in blocks:
            if kind == "yaml":
                self.assertIsInstance(yaml.safe_load(text), dict)
                for word in re.findall(r"(?m)^ +(\S+): .*# of the action", text):
                    self.assertIn(word, ACTION["inputs"])
            else:
                done = subprocess.run(["shellcheck", "-s", "sh", "-"], input=text, text=True,
                                      stdout=subprocess.PIPE, check=False)
                self.assertEqual(done.stdout, "")


if __name__ == "__main__":
    unittest.main()
