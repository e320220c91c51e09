"""The files of stack localagent fit together.  SPDX-License-Identifier: Apache-2.0"""
import json
import os
import pathlib
import re
import subprocess
import tempfile
import unittest

import stack_files

STACK = stack_files.STACKS / "localagent"

class Files(stack_files.Files, unittest.TestCase):
    top = STACK
    containers = "containers"

    def test_dashboard_asks_for_metrics_that_exist(self):
        known = (STACK / "python" / "gateway.py").read_text()
        board = json.loads((STACK / "containers" / "monitoring" / "dashboard.json").read_text())
        rules = (STACK / "containers" / "monitoring" / "rules.yml").read_text()
        texts = [target["expr"] for panel in board["panels"] for target in panel["targets"]]
        for name in re.findall(r"(?:localagent|process)_[a-z_]+", " ".join(texts + [rules])):
            with self.subTest(name):
                self.assertIn(name.removesuffix("_bucket"), known)


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
