"""The files of the stack definitions fit together.  SPDX-License-Identifier: Apache-2.0"""
import ast
import configparser
import json
import os
import pathlib
import re
import subprocess
import tempfile
import unittest

from localagent_support import STACK

DIGEST = re.compile(r"--hash=sha256:[0-9a-f]{64}")


def definition():
    ini = configparser.RawConfigParser(delimiters=("=",), comment_prefixes=("#", ";"))
    ini.optionxform = str
    ini.read(STACK / "stack.ini")
    return ini


class Definition(unittest.TestCase):
    def test_every_member_is_there(self):
        ini = definition()
        for section in ini.sections():
            for key in ("from", "edits", "requirements", "shims"):
                for member in ini.get(section, key, fallback="").split():
                    with self.subTest(section=section, member=member):
                        self.assertTrue((STACK / member).is_file())

    def test_compose_runs_on_what_its_steps_wait_for(self):
        ini = definition()
        for step in ("containers", "monitored-containers"):
            section = f"step {step}"
            after = {f"step {name}" for name in ini.get(section, "after").split()}
            written = {ini.get(name, "path", fallback=None) for name in after}
            for name in [*ini.get(section, "files").split(), ini.get(section, "env_file")]:
                with self.subTest(step=step, file=name):
                    self.assertIn(f"{ini.get(section, 'directory')}/{name}", written)

    def test_steps_wait_only_for_steps_of_their_own_profiles(self):
        ini = definition()

        def profiles(step):
            words = ini.get(f"step {step}", "profiles", fallback="native containers monitoring")
            return set(words.split())

        for section in ini.sections():
            step = section.removeprefix("step ")
            if step == section:
                continue
            for other in ini.get(section, "after", fallback="").split():
                with self.subTest(step=step, after=other):
                    self.assertLessEqual(profiles(step), profiles(other))

    def test_edits_are_well_formed(self):
        for path in sorted((STACK / "edits").iterdir()):
            with self.subTest(path.name):
                lines = path.read_text().splitlines()
                marks = [line for line in lines if line.startswith(("file: ", "--- "))]
                self.assertRegex(marks.pop(0), r"^file: app/[a-z_/]+\.py$")
                self.assertEqual(marks, ["--- find", "--- replace", "--- end"] * (len(marks) // 3))

    def test_python_files_parse_on_3_11(self):
        for path in [*STACK.glob("python/*.py"), *STACK.glob("shims/*.py"), *STACK.glob("dev/*.py")]:
            with self.subTest(path.name):
                ast.parse(path.read_text(), feature_version=(3, 11))

    def test_requirements_are_pinned_with_digests_and_name_no_index(self):
        text = (STACK / "requirements.txt").read_text()
        self.assertNotIn("://", text)
        logical = text.replace("\\\n", "").splitlines()
        for line in (line for line in logical if line and not line.startswith("#")):
            with self.subTest(line.split()[0]):
                self.assertRegex(line, r"^[a-z0-9-]+==[0-9.]+ ")
                self.assertTrue(DIGEST.search(line))

    def test_dashboard_asks_for_metrics_that_exist(self):
        known = (STACK / "python" / "gateway.py").read_text()
        board = json.loads((STACK / "containers" / "monitoring" / "dashboard.json").read_text())
        rules = (STACK / "containers" / "monitoring" / "rules.yml").read_text()
        texts = [target["expr"] for panel in board["panels"] for target in panel["targets"]]
        for name in re.findall(r"(?:localagent|process)_[a-z_]+", " ".join(texts + [rules])):
            with self.subTest(name):
                self.assertIn(name.removesuffix("_bucket"), known)


class Compose(unittest.TestCase):
    def text(self):
        return "".join(path.read_text() for path in sorted(STACK.glob("containers/compose*.yaml")))

    def test_promises(self):
        for word in ("privileged", "container_name", "subnet", "start_interval", ":latest"):
            self.assertNotIn(word, self.text())

    def test_every_port_is_on_loopback_and_movable(self):
        ports = re.findall(r"^ *ports: (.*)$", self.text(), re.M)
        self.assertEqual(len(ports), 5)
        for port in ports:
            self.assertRegex(port, r'^\["\$\{LA_BIND:-127\.0\.0\.1\}:\$\{LA_[A-Z]+_PORT:-\d+\}:\d+"\]$')

    def test_env_and_compose_agree(self):
        defaults = dict(re.findall(r"\$\{([A-Z_]+):-([^}]*)\}", self.text()))
        lines = (STACK / "containers" / "env").read_text().splitlines()
        env = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
        for name, default in defaults.items():
            with self.subTest(name):
                self.assertIn(name, env)
                if not env[name].startswith("@"):
                    self.assertEqual(env[name], default)
        self.assertEqual(set(env) - set(defaults), {"COMPOSE_PROJECT_NAME"})

    def test_no_key_is_in_the_environment(self):
        for path in STACK.glob("containers/*"):
            if path.is_file():
                self.assertNotRegex(path.read_text(), r"(API_KEY|TOKEN|PASSWORD)(=|: +)\$?\{?[A-Za-z0-9]")

    def test_images_and_ports_are_those_of_the_definition(self):
        ini, text = definition(), self.text()
        for section in ini.sections():
            if section.startswith("port "):
                default = f"{ini.get(section, 'variable')}:-{ini.get(section, 'number')}}}"
                self.assertIn(default, text)
        self.assertIn(ini.get("source", "revision"), text)


class Wrapper(unittest.TestCase):
    """The shell file, with its names filled in, on a machine with and without slipway."""

    def run_wrapper(self, has_slipway):
        with tempfile.TemporaryDirectory() as name:
            prefix = pathlib.Path(name, "a prefix")
            (prefix / "venv" / "bin").mkdir(parents=True)
            for program in ("slipway", "venv/bin/python"):
                path = prefix / program
                path.write_text('#!/bin/sh\nprintf "%s|" "$0" "$LOCALAGENT_CONFIG_DIR" "$@"\n')
                path.chmod(0o755)
            if not has_slipway:
                (prefix / "slipway").unlink()
            text = (STACK / "native" / "localagent.sh").read_text()
            for key, value in (("prefix", prefix), ("slipway", prefix / "slipway")):
                text = text.replace(f"@{key}@", str(value))
            wrapper = pathlib.Path(name, "localagent")
            wrapper.write_text(text)
            done = subprocess.run(["sh", wrapper, "complete", "two words"], text=True, check=True,
                                  capture_output=True, env={"PATH": os.environ["PATH"]})
            return done.stdout.replace(str(prefix), "P").split("|")[:-1]

    def test_keys_come_through_slipway(self):
        self.assertEqual(self.run_wrapper(True), [
            "P/slipway", "P", "keys", "exec", "--stack", "localagent", "--optional", "--",
            "P/venv/bin/python", "P/lib/launcher.py", "complete", "two words"])

    def test_works_without_slipway(self):
        self.assertEqual(self.run_wrapper(False), [
            "P/venv/bin/python", "P", "P/lib/launcher.py", "complete", "two words"])


if __name__ == "__main__":
    unittest.main()
