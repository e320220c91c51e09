"""What a run may do, how long it may take, what is remembered of it, and what is wrong with what it left.

SPDX-License-Identifier: Apache-2.0
"""
import json
import time
import unittest

from cli_support import STACK_INI, STEPS, Case, each_row, tree
from test_damaged_state import FAILING, Interrupted, joined, records

IRREVERSIBLE = STACK_INI + STEPS.replace("from = note", "from = note\nirreversible = tells the world")
SLOW = STACK_INI + STEPS + "\n[test t]\ntitle = waits\nrun = /bin/sleep 60\nneeds = note\n"

# name, options, exit status, what the message says
POLICIES = [
    ("--yes alone", ["--yes"], 64, "nothing takes this back: write"),
    ("accepted", ["--yes", "--accept=irreversible"], 0, None),
    ("accepted, but reversible only", ["--yes", "--accept=irreversible", "--reversible-only"], 77,
     "--reversible-only"),
    ("left out", ["--yes", "--reversible-only", "--skip", "note"], 0, None),
    ("another word", ["--yes", "--accept=all"], 64, "only \"irreversible\" can"),
    ("as a user, who needs no root for it", ["--yes", "--user", "--accept=irreversible"], 0, None),
]


@each_row(POLICIES)
class Policy(Case):
    """A step that nothing takes back."""

    def check_row(self, options, status, pattern):
        result = self.run_program("install", self.make_stack(ini=IRREVERSIBLE), *options)
        if pattern:
            self.assert_refused(result, status, pattern)
            self.assertFalse((self.home / "probe").exists())
        self.assertEqual(result.status, status, result)


class Plan(Case):
    def test_the_plan_says_what_stays(self):
        result = self.run_program("plan", self.make_stack(ini=IRREVERSIBLE))
        self.assertEqual(result.status, 0, result)
        self.assertIn("tells the world", result.out)

    def test_the_script_for_root_changes_nothing(self):
        stack = self.make_stack()
        before = tree(self.place)
        result = self.run_program("install", stack, "--print-root-script")
        self.assertEqual(result.status, 0, result)
        self.assertEqual(result.out.split("\n")[0], "#!/bin/sh")
        self.assertIn("# Nothing.", result.out)
        document = json.loads(self.run_program("install", stack, "--print-root-script", "--json").out)
        self.assertEqual(document["root_script"], result.out)
        self.assertFalse(document["changed"])
        self.assertEqual(tree(self.place), before)


class Edit:
    """What is typed at a question: a file is changed, then the answer is yes."""

    def __init__(self, change):
        self.change = change

    def encode(self):
        self.change()
        return b"y\n"


class EditedMeanwhile(Case):
    """Row 72 of the bad inputs: a person was at a file after the plan was made, before it is carried out."""

    def setUp(self):
        super().setUp()
        self.stack = self.make_stack()
        self.note = self.home / "probe/note"
        self.assertEqual(self.run_program("install", self.stack, "--yes").status, 0)
        (self.stack / "note").write_text("a newer one\n")

    def upgrade(self, change):
        return self.run_on_terminal("install", self.stack, answers=[("[y/N]", Edit(change))])

    def test_edited(self):
        result = self.upgrade(lambda: self.note.write_text("mine\n"))
        self.assertEqual(result.status, 75, result)
        self.assertRegex(result.out, "changed since the plan was made: .*/probe/note was edited, and stays")
        self.assertIn("new plan", result.out)
        self.assertEqual(self.note.read_text(), "mine\n")
        # The new plan knows of it.
        self.assertEqual(self.run_program("install", self.stack, "--yes").status, 0)
        self.assertEqual(self.note.read_text(), "mine\n")
        self.assertEqual(self.note.with_name("note.slipway-new").read_text(), "a newer one\n")

    def test_removed(self):
        result = self.upgrade(self.note.unlink)
        self.assertEqual(result.status, 75, result)
        self.assertFalse(self.note.exists())

    def test_left_alone(self):
        self.assertEqual(self.upgrade(lambda: None).status, 0)
        self.assertEqual(self.note.read_text(), "a newer one\n")

    def test_edited_before_the_plan(self):
        self.note.write_text("mine\n")
        self.assertEqual(self.upgrade(lambda: None).status, 0)
        self.assertEqual(self.note.read_text(), "mine\n")


class Appeared(Case):
    """A file of somebody else's comes after the plan was shown: it stays, and is named."""

    def test_foreign(self):
        note = self.home / "probe/note"

        def put():
            note.parent.mkdir()
            note.write_text("mine\n")
        stack = self.make_stack()
        result = self.run_on_terminal("install", stack, answers=[("[y/N]", Edit(put))])
        self.assertEqual(result.status, 0, result)
        self.assertIn(f"Kept as it is: {note}", result.out)
        self.assertEqual(note.read_text(), "mine\n")
        # It is not ours afterwards, either.
        self.assertEqual(self.run_program("uninstall", "probe", "--yes").status, 0)
        self.assertEqual(note.read_text(), "mine\n")

    def test_foreign_directory(self):
        """Where a tree is to go there is no keeping it: the run is taken back."""
        place = self.home / "probe/src"

        def put():
            place.mkdir(parents=True)
            (place / "mine").write_text("x\n")
        source = self.place / "thing"
        source.mkdir()
        ini = STACK_INI + "\n[source]\nurl = " + source.as_uri() + "\nrevision = " + "0" * 40 + \
            "\n\n[tool git]\n\n[step source]\nkind = source\npath = @prefix@/src\n"
        result = self.run_on_terminal("install", self.make_stack(ini=ini), answers=[("[y/N]", Edit(put))])
        self.assertEqual(result.status, 75, result)
        self.assertRegex(result.out, f"changed since the plan was made: {place} is there now, and stays")
        self.assertTrue((place / "mine").exists())


class Deadline(Case):
    def test_a_run_that_takes_too_long_is_taken_back(self):
        start = time.monotonic()
        result = self.run_program("install", self.make_stack(ini=SLOW), "--yes", "--timeout", "1")
        self.assert_refused(result, 124, "time for this run is over.*taken back")
        self.assertLess(time.monotonic() - start, 15)
        self.assertFalse((self.home / "probe").exists())
        self.assertEqual(list(self.state.glob("txn/*")), [])

    def test_time_enough(self):
        result = self.run_program("install", self.make_stack(), "--yes", "--timeout", "0")
        self.assertEqual(result.status, 0, result)


class Story(Case):
    """`history` and `doctor` along the life of a stack."""

    def history(self):
        result = self.run_program("history", "--json")
        self.assertEqual(result.status, 0, result)
        return [(run.get("command"), run["end"]) for run in json.loads(result.out)["runs"]]

    def doctor(self, status=0):
        result = self.run_program("doctor", "--json")
        self.assertEqual(result.status, status, result)
        found = {}
        for finding in json.loads(result.out)["findings"]:
            found[finding["id"]] = min(finding["status"], found.get(finding["id"], "warn"))
        return found

    def test_nothing_was_done(self):
        before = tree(self.place)
        self.assertEqual((self.history(), self.doctor()), ([], {}))
        self.assertIn("Nothing is wrong", self.run_program("doctor").out)
        self.assertEqual(tree(self.place), before)

    def test_done_and_taken_away(self):
        self.run_program("install", self.make_stack(), "--yes")
        self.assertEqual((self.history(), self.doctor()), ([("install", "done")], {}))
        self.run_program("install", "./stack", "--yes")
        self.assertEqual(len(self.history()), 1)
        self.run_program("uninstall", "probe", "--yes")
        self.assertEqual(self.history(), [("install", "done"), ("uninstall", "done")])
        self.assertEqual(self.doctor(), {})
        shown = self.run_program("history", "probe").out
        self.assertRegex(shown, r"(?m)^\S+ +uninstall +probe +1.0.0 +done$")
        self.assertIn("Nothing was done", self.run_program("history", "other").out)

    def test_taken_back(self):
        result = self.run_program("install", self.make_stack(ini=FAILING), "--yes")
        self.assertEqual(result.status, 3, result)
        self.assertEqual((self.history(), self.doctor()), ([("install", "taken back")], {}))

    def test_interrupted(self):
        self.run_program("install", self.make_stack(ini=FAILING), "--yes", "--keep-partial")
        self.assertEqual(self.history(), [(None, "interrupted")])
        self.assertEqual(self.doctor(1), {"journal.interrupted": "fail"})
        journal, = self.state.glob("txn/*/journal")
        journal.write_bytes(b"x" * 100 + journal.read_bytes())
        self.assertEqual(self.doctor(1), {"journal.damaged": "fail"})

    def test_a_history_that_is_torn_or_strange(self):
        self.run_program("install", self.make_stack(), "--yes")
        path = self.state / "history"
        whole = path.read_text()
        path.write_text("not JSON\n[1]\n" + whole + whole[:20])
        self.assertEqual(self.history(), [("install", "done")])
        self.run_program("uninstall", "probe", "--yes")
        self.assertEqual(self.history(), [("install", "done"), ("uninstall", "done")])
        path.unlink()
        path.mkdir()
        self.assert_refused(self.run_program("history"), 65, "history")
        self.assertEqual(self.run_program("install", "./stack", "--yes").status, 0)

    def test_a_long_history_loses_its_older_half(self):
        self.run_program("install", self.make_stack(), "--yes")
        path = self.state / "history"
        line = path.read_text()
        path.write_text("".join(line.replace('"id":"', f'"id":"{i}-') for i in range(4000)))
        self.run_program("uninstall", "probe", "--yes")
        self.assertLess(path.stat().st_size, 512 * 1024)
        self.assertEqual(self.history()[-1], ("uninstall", "done"))

    def test_edited_missing_replaced(self):
        self.run_program("install", self.make_stack(), "--yes")
        note = self.home / "probe/note"
        note.write_text("mine\n")
        self.assertEqual(self.doctor(), {"drift": "warn"})
        note.unlink()
        note.parent.rmdir()
        note.parent.write_text("mine\n")
        self.assertEqual(self.doctor(1), {"drift": "fail"})

    def test_a_definition_that_is_gone(self):
        self.run_program("install", self.make_stack(), "--yes")
        directory, = self.state.glob("stacks/*")
        directory.rename(self.place / "moved")
        self.assertEqual(self.doctor(1)["receipt.definition"], "fail")

    def test_a_receipt_that_is_damaged(self):
        self.run_program("install", self.make_stack(), "--yes")
        (self.state / "current/receipt.json").write_text("{")
        self.assertEqual(self.doctor(1), {"receipt.damaged": "fail"})

    def test_leftovers_go_with_the_next_rollback(self):
        self.run_program("install", self.make_stack(), "--yes")
        (self.state / "txn/old/backup").mkdir(parents=True)
        (self.state / "stacks/old").mkdir()
        self.assertEqual(self.doctor(), {"leftover": "warn"})
        self.assertEqual(self.run_program("rollback").status, 0)
        self.assertEqual(self.doctor(), {})
        self.assertFalse((self.state / "txn").exists())

    def test_a_state_that_others_can_write(self):
        self.state.mkdir(parents=True)
        self.state.chmod(0o777)
        self.assertEqual(self.doctor(1), {"state.owner": "fail"})


class Edited(Interrupted):
    """Row 72: what a person did to our files between an interruption and what follows it."""

    def test_72_edited_before_the_rollback(self):
        (self.home / "probe/note").write_text("mine\n")
        result = self.run_program("rollback", "--json")
        self.assertEqual(result.status, 0, result)
        self.assertEqual((self.home / "probe/note").read_text(), "mine\n")
        self.assertIn("probe/note", json.dumps(json.loads(result.out)["left_in_place"]))

    def test_72_somebody_else_s_before_the_resume(self):
        """The step had begun: what stands in its place is neither finished nor removed."""
        found = [each for each in records(self.whole)
                 if not (each.get("id") == "note" and each.get("state") == "done")]
        self.with_journal(joined(found))
        (self.home / "probe/note").unlink()
        (self.home / "probe/note").mkdir()
        (self.home / "probe/note/mine").write_text("mine\n")
        before = self.lasting()
        self.assert_refused(self.run_program("resume"), 66, "somebody else has put something")
        self.assertEqual(self.lasting(), before)
        result = self.run_program("rollback")
        self.assertEqual(result.status, 0, result)
        self.assertEqual((self.home / "probe/note/mine").read_text(), "mine\n")
        self.assertIn("probe/note", result.err)


del Interrupted  # its own tests run where it is defined

if __name__ == "__main__":
    unittest.main(verbosity=2)
