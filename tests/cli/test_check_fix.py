"""slipway check --fix: what it offers, asks, does and takes back, on files of a home of its own.

Docker Desktop does not run here, and there is no root: see tests/scenarios/test_check_fix.py for both.

SPDX-License-Identifier: Apache-2.0
"""
import json
import os
import unittest

import jsonschema

from cli_support import TOP, Case, each_row, tree

SCHEMA = json.loads((TOP / "packaging/schemas/check.json").read_text(encoding="utf-8"))
NEWER = {"SettingsVersion": 45, "LicenseTermsVersion": 2, "SwapMiB": 0, "Unknown": [1, {"a": None}]}
OLDER = {"settingsVersion": 17, "licenseTermsVersion": 2, "swapMiB": 0}
CHECKS = ("octollm", "desktop.swap")


class Fix(Case):
    def setUp(self):
        super().setUp()
        self.settings = self.home / ".docker/desktop/settings-store.json"
        self.settings.parent.mkdir(parents=True)
        self.write(NEWER)

    def write(self, settings):
        self.settings.write_text(json.dumps(settings))

    def read(self):
        return json.loads(self.settings.read_text())

    def environment(self, **changes):
        # Docker Desktop's, whatever engine this machine may have
        return super().environment(**{
            "DOCKER_HOST": f"unix://{self.home}/.docker/desktop/docker.sock", **changes})

    def fix(self, *arguments, status=0):
        result = self.run_program("check", *CHECKS, "--fix", *arguments)
        self.assertEqual(result.status, status, result)
        return result

    def undo(self, status=0):
        result = self.run_program("check", "--fix", "--undo", "--yes")
        self.assertEqual(result.status, status, result)
        return result


# What is typed behind "check", what is said
WORDS = [
    ("--undo alone", ["--undo"], "go with --fix"),
    ("--dry-run alone", ["--dry-run"], "go with --fix"),
    ("--print-root-script alone", ["--print-root-script"], "go with --fix"),
    ("another machine", ["--fix", "--facts", "x.json"], "mends this machine"),
    ("--undo of one", ["octollm", "--fix", "--undo"], "takes no other words"),
    ("--undo and --dry-run", ["--fix", "--undo", "--dry-run"], "takes no other words"),
]


@each_row(WORDS)
class Words(Fix):
    def check_row(self, words, text):
        result = self.run_program("check", *words)
        self.assertEqual(result.status, 64, result)
        self.assertIn(text, result.err)


class Offered(Fix):
    def test_nothing_changes(self):
        before = tree(self.place)
        result = self.fix("--dry-run")
        self.assertRegex(result.out, r"set SwapMiB from 0 to 1024 in \S+ \(check desktop\.swap\)")
        self.assertEqual(tree(self.place), before)

    def test_what_is_left_has_its_remedy(self):
        result = self.run_program("check", "octollm", "desktop.swap", "engine.reachable", "--fix", "--dry-run")
        self.assertEqual(result.status, 1, result)
        self.assertRegex(result.out, r"left to you:\n  engine\.reachable: Unset DOCKER_HOST")

    def test_nobody_can_be_asked(self):
        before = tree(self.place)
        self.assertIn("--yes", self.fix(status=64).err)
        self.assertEqual(tree(self.place), before)

    def test_the_answer_is_no(self):
        before = tree(self.place)
        result = self.run_on_terminal("check", *CHECKS, "--fix", answers=[("Do it?", "n\r")])
        self.assertEqual(result.status, 1, result)
        self.assertIn("nothing was changed", result.out)
        self.assertEqual(tree(self.place), before)

    def test_the_answer_is_yes(self):
        result = self.run_on_terminal("check", *CHECKS, "--fix", answers=[("Do it?", "y\r")])
        self.assertEqual(result.status, 0, result)
        self.assertEqual(self.read()["SwapMiB"], 1024)

    def test_what_root_would_run(self):
        result = self.fix("--print-root-script")
        self.assertEqual(result.out.split("\n")[0], "#!/bin/sh")
        self.assertIn("# Nothing.", result.out)

    def test_documents_are_as_the_schema_says(self):
        validator = jsonschema.Draft7Validator(SCHEMA)
        seen = []
        for words in (["--dry-run"], ["--print-root-script"], ["--yes"], ["--yes"], ["--undo", "--yes"]):
            checks = () if "--undo" in words else CHECKS
            document = json.loads(self.run_program("check", *checks, "--fix", *words, "--json").out)
            self.assertEqual([error.message for error in validator.iter_errors(document)], [], words)
            seen.append((document["changed"] if "changed" in document else None,
                         [fix["status"] for fix in document.get("fixes", [])]))
        self.assertEqual(seen, [(False, ["offered"]), (None, []), (True, ["done"]), (False, []), (True, [])])


class Done(Fix):
    def test_and_taken_back(self):
        result = self.fix("--yes")
        self.assertRegex(result.out, r"warn +desktop\.swap(?s:.*)ok +desktop\.swap")
        self.assertEqual(self.read(), {**NEWER, "SwapMiB": 1024})
        self.assertIn("check.fix", self.run_program("history").out)
        self.assertIn("check.fix", self.run_program("status").out)
        self.assertIn("Nothing is wrong", self.run_program("doctor").out)
        self.undo()
        self.assertEqual(self.read(), NEWER)
        self.assertIn("nothing to do", self.undo().out)

    def test_a_second_time_there_is_nothing_to_do(self):
        self.fix("--yes")
        before = tree(self.place)
        self.assertIn("nothing that slipway can mend", self.fix("--yes").out)
        self.assertEqual(tree(self.place), before)

    def test_once_more_after_somebody_has_set_it_back(self):
        self.fix("--yes")
        self.write(NEWER)
        self.fix("--yes")
        self.assertEqual(self.read()["SwapMiB"], 1024)
        self.undo()
        self.assertEqual(self.read(), NEWER)

    def test_the_older_generation(self):
        self.settings.unlink()
        self.settings = self.settings.with_name("settings.json")
        self.write(OLDER)
        self.fix("--yes")
        self.assertEqual(self.read(), {**OLDER, "swapMiB": 1024})
        self.undo()
        self.assertEqual(self.read(), OLDER)

    def test_uninstall_takes_it_back_too(self):
        self.fix("--yes")
        result = self.run_program("uninstall", "check.fix", "--yes")
        self.assertEqual(result.status, 0, result)
        self.assertEqual(self.read(), NEWER)

    def test_it_is_no_heir(self):
        """A stack that is uninstalled leaves it nothing."""
        self.fix("--yes")
        stack = self.make_stack()
        self.assertEqual(self.run_program("install", stack, "--yes").status, 0)
        self.assertEqual(self.run_program("uninstall", "probe", "--yes").status, 0)
        receipt = json.loads((self.state / "current/receipt.json").read_text())
        self.assertEqual([step["id"] for step in receipt["stacks"]["check.fix"]["steps"]],
                         ["desktop-settings"])
        self.assertFalse((self.home / "probe").exists())

    def test_desktop_is_gone_since(self):
        self.fix("--yes")
        self.settings.unlink()
        self.undo()


# What stands in the place of the settings file, so that nothing is offered
STRANGE = [
    ("a link", lambda path: (path.rename(path.with_suffix(".real")), path.symlink_to(path.with_suffix(".real")))),
    ("no JSON", lambda path: path.write_text("{")),
    ("doubled", lambda path: path.write_text('{"SwapMiB": 0, "SwapMiB": 0}')),
    ("a list", lambda path: path.write_text("[]")),
    ("nothing", os.unlink),
]


@each_row(STRANGE)
class Strange(Fix):
    def check_row(self, change):
        change(self.settings)
        before = tree(self.place)
        result = self.run_program("check", *CHECKS, "--fix", "--yes")
        self.assertIn("nothing that slipway can mend", result.out)
        self.assertEqual(tree(self.place), before)


if __name__ == "__main__":
    unittest.main()
