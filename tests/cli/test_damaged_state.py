"""Journals and receipts that are cut, flipped, foreign or edited: rows 61 and 62 of the bad inputs.

Whatever they say, nothing outside of what the program made is touched: 66, or the old state.

SPDX-License-Identifier: Apache-2.0
"""
import json
import os
import shutil
import struct
import time
import unittest
import zlib

from cli_support import STACK_INI, STEPS, Case, each_row, tree

FAILING = STACK_INI + STEPS + "\n[test t]\ntitle = fails\nrun = /bin/false\nneeds = note\n"
FOREIGN = 66
PASSING = (".local/state/slipway/log", ".local/state/slipway/lock")


def record(number, **members):
    """One record of a journal: length, its complement, CRC-32, JSON."""
    text = json.dumps({"n": number, **members}).encode()
    return struct.pack("<III", len(text), len(text) ^ 0xffffffff, zlib.crc32(text)) + text


def records(data):
    """The records of a journal that is whole."""
    found, at = [], 0
    while at < len(data):
        size, = struct.unpack_from("<I", data, at)
        found.append(json.loads(data[at + 12:at + 12 + size]))
        at += 12 + size
    return found


def joined(members):
    return b"".join(record(i, **{k: v for k, v in each.items() if k != "n"})
                    for i, each in enumerate(members))


class StateCase(Case):
    """A home with a state in it that can be had again and again."""

    def setUp(self):
        super().setUp()
        self.saved = self.place / "saved"
        self.victim = self.place / "victim"
        self.victim.mkdir()
        (self.victim / "file").write_text("untouched\n")
        (self.victim / "empty").mkdir()

    def save(self):
        shutil.copytree(self.home, self.saved, symlinks=True)

    def restore(self):
        shutil.rmtree(self.home)
        shutil.copytree(self.saved, self.home, symlinks=True)

    def lasting(self):
        """The home without lock and logs, and what must never change."""
        found = {path: what for path, what in tree(self.home).items()
                 if not path.startswith(PASSING)
                 and path not in (".", ".local", ".local/state", ".local/state/slipway")}
        return found, tree(self.victim)

    def assert_no_crash(self, result):
        self.assertIn(result.status, (0, 1, 2, 66, 73, 74, 76, 77), result)
        self.assertNotRegex(result.err, r"CRITICAL|Sanitizer|runtime error")


class Interrupted(StateCase):
    """A run that stopped in the middle, and its journal."""

    def setUp(self):
        super().setUp()
        self.make_stack(ini=FAILING)
        result = self.run_program("install", "./stack", "--yes", "--keep-partial")
        self.assertEqual(result.status, 2, result)
        self.journal, = self.state.glob("txn/*/journal")
        self.whole = self.journal.read_bytes()
        self.save()

    def with_journal(self, data):
        self.restore()
        self.journal.write_bytes(data)

    def test_the_control_is_taken_back(self):
        result = self.run_program("rollback")
        self.assertEqual(result.status, 0, result)
        self.assertFalse((self.home / "probe").exists())
        self.assertEqual(self.run_program("status").status, 0)

    def test_61_cut_anywhere(self):
        """A cut is what a power loss leaves: the tail is dropped, and what it told of stays."""
        points = sorted({*range(0, len(self.whole), 47), *range(len(self.whole) - 20, len(self.whole))})
        for point in points:
            self.with_journal(self.whole[:point])
            result = self.run_program("rollback")
            self.assertEqual(result.status, 0, f"cut at {point}: {result}")
            self.assertEqual(list(self.state.glob("txn/*/journal")), [])
            if point > len(self.whole) - 20:
                self.assertFalse((self.home / "probe/note").exists())

    def test_61_one_bit_flipped_anywhere(self):
        """Damage is refused, or it is a torn tail; it never makes another recipe."""
        before = self.lasting()
        last = 0
        for each in records(self.whole)[:-1]:
            last += 12 + len(json.dumps(each, separators=(",", ":"), sort_keys=True))
        for point in range(0, len(self.whole), 37):
            damaged = bytearray(self.whole)
            damaged[point] ^= 1 << point % 8
            self.with_journal(bytes(damaged))
            result = self.run_program("rollback")
            if point < last:
                self.assert_refused(result, FOREIGN, "damaged at byte")
            self.assert_no_crash(result)
            if result.status == FOREIGN:
                self.journal.write_bytes(self.whole)
                self.assertEqual(self.lasting(), before, point)

    def check_refused(self, commands=("rollback", "resume", "install")):
        """Each command refuses and changes nothing; `status` still answers."""
        before = self.lasting()
        for command in commands:
            arguments = ["./stack", "--yes"] if command == "install" else []
            result = self.run_program(command, *arguments)
            self.assertIn(result.status, (FOREIGN, 73), result)
            self.assert_refused(result, result.status)
            self.assertEqual(self.lasting(), before)
        self.assertIn(self.run_program("status", "--json").status, (0, FOREIGN))

    def changed(self, number, **members):
        """The journal with members of one record changed, sums right."""
        found = records(self.whole)
        found[number].update(members)
        self.with_journal(joined(found))

    def test_61_of_a_later_format(self):
        self.changed(0, format=2)
        self.check_refused()

    def test_61_of_another_user(self):
        self.changed(0, uid=os.getuid() + 1)
        self.check_refused()

    def test_61_without_header(self):
        self.with_journal(joined(records(self.whole)[1:]))
        self.check_refused()

    def test_61_with_an_unknown_record(self):
        self.with_journal(self.whole + record(len(records(self.whole)), type="exec", argv=["id"]))
        self.check_refused()

    def test_61_with_an_unknown_state(self):
        self.with_journal(self.whole + record(len(records(self.whole)), type="step", id="note",
                                              state="forgotten"))
        self.check_refused()

    def test_61_with_an_unknown_undo(self):
        self.with_journal(self.whole + record(
            len(records(self.whole)), type="step", id="x", state="intent",
            undo=[{"do": "exec", "argv": ["touch", str(self.victim / "ran")]}]))
        self.check_refused()

    def test_61_numbers_out_of_order(self):
        self.with_journal(self.whole + record(99, type="aborted"))
        self.check_refused()

    def test_61_is_a_fifo(self):
        self.restore()
        self.journal.unlink()
        os.mkfifo(self.journal)
        self.check_refused()

    def test_61_is_a_symlink(self):
        self.restore()
        (self.victim / "journal").write_bytes(self.whole)
        self.journal.unlink()
        self.journal.symlink_to(self.victim / "journal")
        self.check_refused()

    def test_61_is_a_directory(self):
        self.restore()
        self.journal.unlink()
        self.journal.mkdir()
        self.check_refused()

    def test_61_is_4_gib(self):
        self.restore()
        with open(self.journal, "r+b") as file:
            file.truncate(4 << 30)
        start = time.monotonic()
        self.check_refused()
        self.assertLess(time.monotonic() - start, 10)

    def test_61_is_empty(self):
        """Killed before the first record: nothing was done yet."""
        self.with_journal(b"")
        result = self.run_program("rollback")
        self.assertEqual(result.status, 0, result)

    def test_61_zeros_behind_the_end(self):
        """A file system may have grown the file without its data."""
        self.with_journal(self.whole + bytes(4096))
        self.assertEqual(self.run_program("rollback").status, 0)
        self.assertFalse((self.home / "probe").exists())

    def test_61_a_length_of_4_gib(self):
        self.with_journal(self.whole + struct.pack("<III", 0xffffffff, 0, 0) + b"{}")
        result = self.run_program("rollback")
        self.assertEqual(result.status, 0, result)

    def test_61_deep_json(self):
        text = b'{"n":%d,"type":' % len(records(self.whole)) + b"[" * 200000 + b"]" * 200000 + b"}"
        head = struct.pack("<III", len(text), len(text) ^ 0xffffffff, zlib.crc32(text))
        self.with_journal(self.whole + head + text)
        self.check_refused()


def recipe(*parts):
    """Replaces the undo recipe of the step "note"."""
    def change(receipt, case):
        step, = [s for s in receipt["stacks"]["probe"]["steps"] if s["id"] == "note"]
        step["undo"] = [
            {key: value.replace("@victim@", str(case.victim)) for key, value in part.items()}
            for part in parts]
    return change


def top(**members):
    def change(receipt, _):
        receipt.update(members)
    return change


def stack(**members):
    def change(receipt, _):
        receipt["stacks"]["probe"].update(members)
    return change


# name, what is changed in the receipt
EDITED = [
    ("62 a later schema", top(schema=99)),
    ("62 no schema", top(schema=None)),
    ("62 schema 0", top(schema=0)),
    ("62 a schema that is a word", top(schema="1")),
    ("62 stacks are a list", top(stacks=[])),
    ("62 a stack that is a word", top(stacks={"probe": "x"})),
    ("62 steps are an object", stack(steps={})),
    ("62 steps of numbers", stack(steps=[1, 2])),
    ("62 no prefix", stack(prefix=None)),
    ("62 an unknown undo", recipe({"do": "exec", "path": "@victim@/file"})),
    ("62 an undo that is a number", stack(steps=[{"id": "a", "kind": "file", "undo": [1]}])),
    ("62 undo of the root", recipe({"do": "remove_tree", "path": "/", "token": "x"})),
    ("62 undo of a directory of the root", recipe({"do": "remove_tree", "path": "/etc", "token": "x"})),
    ("62 undo with dot dot", recipe({"do": "unlink_if_hash", "path": "@victim@/../victim/file",
                                     "sha256": "0" * 64})),
    ("62 undo of a relative path", recipe({"do": "unlink_if_hash", "path": "victim/file",
                                           "sha256": "0" * 64})),
    ("62 undo of a file with another digest",
     recipe({"do": "unlink_if_hash", "path": "@victim@/file", "sha256": "0" * 64})),
    ("62 undo of a tree without our mark",
     recipe({"do": "remove_tree", "path": "@victim@", "token": "x"})),
    ("62 undo with a token that climbs",
     recipe({"do": "remove_tree", "path": "@victim@/file", "token": "../../x"})),
    ("62 undo of a tree by a listing of others",
     recipe({"do": "remove_listed", "path": "@victim@", "listing": "@victim@/file"})),
    ("62 undo whose listing is a file of others",
     recipe({"do": "remove_listed", "path": "@victim@/nowhere/x", "listing": "@victim@/file"})),
    ("62 undo with a backup that is none",
     recipe({"do": "restore_backup", "path": "@victim@/file", "sha256": "0" * 64,
             "backup": "/etc/passwd", "mode": "0644"})),
    ("62 undo of the home", recipe({"do": "rmdir_if_empty", "path": "@victim@/.."})),
    ("62 undo of a link elsewhere",
     recipe({"do": "unlink_link", "path": "@victim@/file", "target": "/etc/passwd"})),
]


@each_row(EDITED)
class EditedReceipt(StateCase):
    """A receipt that somebody edited: `uninstall` refuses or leaves what is not ours."""

    def check_row(self, change):
        self.make_stack()
        self.assertEqual(self.run_program("install", "./stack", "--yes").status, 0)
        path = self.state / "current/receipt.json"
        receipt = json.loads(path.read_text())
        change(receipt, self)
        path.write_text(json.dumps(receipt))
        before = tree(self.victim)
        for command in (["status"], ["plan", "./stack"], ["uninstall", "probe", "--yes"],
                        ["resume"], ["rollback"]):
            result = self.run_program(*command)
            self.assert_no_crash(result)
            self.assertEqual(tree(self.victim), before, result)
            if result.status not in (0, 1):
                self.assert_refused(result, result.status)
        self.assertTrue(os.path.isdir("/etc"))


class DamagedReceipt(StateCase):
    """A receipt that is none: 66, and the machine stays as it is."""

    def setUp(self):
        super().setUp()
        self.make_stack()
        self.assertEqual(self.run_program("install", "./stack", "--yes").status, 0)
        self.receipt = self.state / "current/receipt.json"

    def check(self):
        before = self.lasting()
        for command in (["status"], ["plan", "./stack"], ["install", "./stack", "--yes"],
                        ["uninstall", "probe", "--yes"], ["resume"]):
            self.assert_refused(self.run_program(*command), FOREIGN, "receipt")
            self.assertEqual(self.lasting(), before)

    def test_62_not_json(self):
        self.receipt.write_text("schema: 1\n")
        self.check()

    def test_62_cut(self):
        self.receipt.write_bytes(self.receipt.read_bytes()[:-20])
        self.check()

    def test_62_empty(self):
        self.receipt.write_bytes(b"")
        self.check()

    def test_62_not_an_object(self):
        self.receipt.write_text("[1]\n")
        self.check()

    def test_62_deep(self):
        self.receipt.write_text("[" * 100000 + "]" * 100000)
        self.check()

    def test_62_of_1_gib(self):
        with open(self.receipt, "r+b") as file:
            file.truncate(1 << 30)
        self.check()

    def test_62_a_name_twice(self):
        self.receipt.write_text('{"schema": 1, "stacks": {}, "stacks": {}}')
        self.check()

    def test_62_is_a_fifo(self):
        self.receipt.unlink()
        os.mkfifo(self.receipt)
        self.check()

    def test_62_is_a_directory(self):
        self.receipt.unlink()
        self.receipt.mkdir()
        self.check()

    def test_62_missing(self):
        self.receipt.unlink()
        self.check()

    def test_62_unknown_members_are_kept(self):
        """A later version may have put them there."""
        found = json.loads(self.receipt.read_text())
        found["from_later"] = {"x": [1]}
        found["stacks"]["probe"]["from_later"] = "y"
        self.receipt.write_text(json.dumps(found))
        self.make_stack("other", (STACK_INI + STEPS).replace("probe", "other"))
        self.assertEqual(self.run_program("install", "./other", "--yes").status, 0)
        found = json.loads(self.receipt.read_text())
        self.assertEqual(found["from_later"], {"x": [1]})
        self.assertEqual(found["stacks"]["probe"]["from_later"], "y")


if __name__ == "__main__":
    unittest.main(verbosity=2)
