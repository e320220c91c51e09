"""The page of --html: written at the end of every run, good or bad, or refused before it.

SPDX-License-Identifier: Apache-2.0
"""
import os
import stat
import unittest

from cli_support import STACK_INI, STEPS, Case, each_row, tree
from html_page import Reader

SLEEPERS = STACK_INI + "\n[test t]\ntitle = waits\nrun = /bin/sleep 1\n"
FAILING = STACK_INI + STEPS + "\n[test t]\ntitle = fails\nrun = /bin/false\nneeds = note\n"


# What stands at FILE's place: how it is made
PLACES = [
    ("in no directory", lambda path: None, "no/run.html"),
    ("a directory", lambda path: path.mkdir(), "run.html"),
    ("a link", lambda path: path.symlink_to("/dev/null"), "run.html"),
    ("a pipe", os.mkfifo, "run.html"),
    ("in a directory of others", lambda path: path.parent.chmod(0o555), "run.html"),
]


@each_row(PLACES)
class Refused(Case):
    def check_row(self, make, name):
        stack = self.make_stack()
        (self.cwd / "out").mkdir()
        self.become_ordinary()
        make(self.cwd / "out/run.html")
        before = tree(self.place)
        result = self.run_program("install", stack, "--yes", "--html", f"out/{name}")
        self.assert_refused(result, 73, "nothing was changed")
        self.assertEqual(tree(self.place), before)


class Page(Case):
    def page(self):
        path = self.cwd / "run.html"
        text = path.read_text(encoding="utf-8")
        self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o644)
        self.assertEqual([name for name in os.listdir(self.cwd) if "html" in name], ["run.html"])
        self.assertNotIn(str(self.home), text)
        reader = Reader(text)
        self.assertEqual((reader.open, reader.foreign), ([], []))
        path.unlink()
        return text, {row[0].split("◆")[0].split(" ")[0]: row[3] for row in reader.rows if row}

    def run_with_page(self, *arguments, status=0):
        result = self.run_program(*arguments, "--yes", "--html", "run.html")
        self.assertEqual(result.status, status, result)
        return self.page()

    def test_along_the_life_of_a_stack(self):
        stack = self.make_stack()
        text, steps = self.run_with_page("install", stack)
        self.assertEqual(sorted(steps.values()), ["done"] * 3)
        self.assertIn("~/probe", text)
        self.assertIn("Longest chain", text)
        self.assertIn("No step ran", self.run_with_page("install", stack)[0])
        self.assertIn("No step ran", self.run_with_page("resume")[0])
        self.assertIn("No step ran", self.run_with_page("rollback")[0])
        self.assertEqual(sorted(self.run_with_page("uninstall", "probe")[1].values()), ["undone"] * 3)

    def test_after_a_failure(self):
        text, steps = self.run_with_page("install", self.make_stack(ini=FAILING), status=3)
        self.assertEqual(sorted(steps.values()), ["undone"] * 3)
        self.assertIn("Failed: ", text)
        self.assertIn("everything that this run did was taken back", text)

    def test_an_older_page_is_replaced(self):
        (self.cwd / "run.html").write_text("old" * 10000)
        text, _ = self.run_with_page("install", self.make_stack())
        self.assertTrue(text.startswith("<!DOCTYPE html>"))

    def test_a_place_that_goes_away_meanwhile(self):
        """It is in what the run takes away."""
        self.run_program("install", self.make_stack(), "--yes")
        (self.home / "probe/note").unlink()
        result = self.run_program("uninstall", "probe", "--yes", "--html", str(self.home / "probe/x.html"))
        self.assertNotEqual(result.status, 0, result)
        self.assertIn("it is done, but its timeline could not be written", result.err)

    def test_the_longest_chain_is_named(self):
        result = self.run_program("install", self.make_stack(ini=SLEEPERS + STEPS), "--yes")
        self.assertEqual(result.status, 0, result)
        self.assertRegex(result.err, r"(?m)^Took \d+\.\d s")

    def test_one_step_at_a_time(self):
        text, _ = self.run_with_page("install", self.make_stack(), "--jobs", "1")
        self.assertIn("its turn came after packages", text)
        self.assert_refused(self.run_program("install", "./stack", "--jobs", "x"), 64, "number")


if __name__ == "__main__":
    unittest.main()
