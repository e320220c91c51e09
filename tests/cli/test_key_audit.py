"""keys audit and keys doctor: what was done with keys, and how well they are kept.

SPDX-License-Identifier: Apache-2.0
"""
import json
import subprocess
import unittest

from cli_support import Case, each_row, tree

SECRET = "sk-canary-Zq7Xw2Lr9Tb4Nc6Vd8"
NAME = "OPENAI_API_KEY"


class Keys(Case):
    def setUp(self):
        super().setUp()
        self.key = self.make_key_file()
        self.store = self.home / ".local/share/slipway/keystore"
        self.log = self.store.with_name("keystore.audit")

    def settings(self, **changes):
        return {"SLIPWAY_KEY_FILE": str(self.key), "SLIPWAY_KEY_BACKEND": "file", **changes}

    def slipway(self, *arguments, env=None, **options):
        result = self.run_program(*arguments, env=self.settings(**(env or {})), **options)
        self.assertNotIn(SECRET, result.err)
        if arguments[1] not in ("get", "exec"):
            self.assertNotIn(SECRET, result.out)
        return result

    def keep(self, name=NAME, secret=SECRET):
        result = self.slipway("keys", "set", name, "--stdin", input=secret.encode())
        self.assertEqual(result.status, 0, result)
        return result

    def other_key(self):
        path = self.place / "other.key"
        path.write_bytes(bytes(32))
        path.chmod(0o600)
        return {"SLIPWAY_KEY_FILE": str(path)}

    def lines(self):
        return self.log.read_text().splitlines(keepends=True)

    def records(self):
        return [json.loads(line) for line in self.lines()]


class Audit(Keys):
    def audit(self, *arguments, status=0, **options):
        result = self.slipway("keys", "audit", "--json", *arguments, **options)
        self.assertEqual(result.status, status, result)
        return json.loads(result.out)

    def test_each_command_leaves_a_line(self):
        self.keep()
        for arguments in (["get", NAME], ["get", "ABSENT"], ["list"],
                          ["exec", "--only", NAME, "--", "true"], ["remove", NAME]):
            self.slipway("keys", *arguments)
        seen = [(one["op"], one["name"], one["result"]) for one in self.records()]
        self.assertEqual(seen, [("set", NAME, "ok"), ("get", NAME, "ok"),
                                ("get", "ABSENT", "not-found"), ("list", None, "ok"),
                                ("get", NAME, "ok"), ("remove", NAME, "begun"),
                                ("remove", NAME, "ok")])
        self.assertTrue(self.audit()["verified"])
        self.assertEqual(self.log.stat().st_mode & 0o7777, 0o600)
        self.assertNotIn(SECRET, self.log.read_text())
        self.assertTrue(all(len(line) <= 512 for line in self.lines()))

    def test_reading_leaves_nothing_where_nothing_is(self):
        for arguments in (["get", "ABSENT"], ["list"], ["remove", "ABSENT"], ["audit"], ["doctor"]):
            self.slipway("keys", *arguments, env={NAME: SECRET})
        self.assertEqual(list(self.home.iterdir()), [])

    def test_same_value_again_is_no_change(self):
        self.keep()
        before = self.lines()
        self.keep()
        self.assertEqual(self.lines(), before)

    def test_environment(self):
        self.keep("A")
        self.slipway("keys", "get", NAME, env={NAME: SECRET})
        last = self.records()[-1]
        self.assertEqual((last["source"], last["result"], last["store"]), ("environment", "ok", "-"))
        document = self.audit()
        self.assertEqual((document["unsealed"], document["checked"]), (1, 1))

    def test_refused_keys_leave_a_line_without_seal(self):
        self.keep()
        self.assertEqual(self.slipway("keys", "get", NAME, env=self.other_key()).status, 77)
        self.assertEqual(self.slipway("keys", "set", "B", "--stdin", input=b"value-of-b",
                                      env=self.other_key()).status, 77)
        self.assertEqual([(one["op"], one["result"], one["store"]) for one in self.records()[1:]],
                         [("get", "wrong-key", "-"), ("set", "wrong-key", "-")])
        shown = self.slipway("keys", "audit", env=self.other_key())
        self.assertEqual(shown.status, 77, shown)
        self.assertIn("wrong-key (no seal)", shown.out)
        self.assertEqual(self.audit()["unsealed"], 2)

    def test_filters(self):
        self.keep("A")
        self.keep("B")
        names = {one["name"] for one in self.audit("--name", "B")["records"]}
        self.assertEqual(names, {"B"})
        self.assertEqual(self.audit("--since", "2999-01-01")["records"], [])
        self.assertEqual(len(self.audit("--since", "1")["records"]), 3)
        for since in ("yesterday", "2030-1-1", "-1", ""):
            self.assert_refused(self.slipway("keys", "audit", "--since", since), 64)

    def fill(self, count=30):
        self.keep()
        while len(self.lines()) < count:
            self.slipway("keys", "get", NAME)

    def assert_fault(self, line):
        document = self.audit(status=76)
        self.assertEqual((document["faults"][0]["file"], document["faults"][0]["line"]),
                         (str(self.log), line))
        self.assertFalse(document["verified"])
        result = self.slipway("keys", "audit")
        self.assert_refused(result, 76, f"keystore.audit:{line}: ")
        self.assert_refused(self.slipway("keys", "doctor"), 1)

    def test_change_of_a_line(self):
        self.fill(12)
        lines = self.lines()
        for change in (lambda one: one[:4] + [one[4].replace(NAME, "SOMETHING")] + one[5:],
                       lambda one: one[:4] + one[5:],
                       lambda one: one[:4] + [one[5], one[4]] + one[6:]):
            self.log.write_text("".join(change(lines)))
            self.assert_fault(5)
        self.log.write_text("".join(lines))
        self.assertTrue(self.audit()["verified"])

    def test_cut_before_the_last_change(self):
        self.fill(6)
        self.keep("LATER")
        lines = self.lines()
        self.log.write_text("".join(lines[:4]))
        self.assert_fault(5)
        self.log.unlink()
        self.assert_fault(1)
        self.keep("AGAIN")
        self.assert_fault(1)

    def test_log_that_cannot_be_written(self):
        """A key is worth more than a line about it."""
        self.keep()
        self.log.unlink()
        elsewhere = self.place / "elsewhere"
        elsewhere.write_text("mine\n")
        self.log.symlink_to(elsewhere)
        result = self.keep("B", "value-of-b")
        self.assertIn("the audit log does not have this change", result.err)
        self.assertEqual(result.err.count("audit log"), 1)
        result = self.slipway("keys", "get", "B")
        self.assertEqual((result.status, result.out, result.err), (0, "value-of-b\n", ""))
        self.assert_refused(self.slipway("keys", "audit"), 77, "symbolic link")
        self.assertEqual(elsewhere.read_text(), "mine\n")

    def test_at_once(self):
        self.keep()
        children = [subprocess.Popen([self.program, "keys", "get", NAME], cwd=self.cwd,
                                     env=self.environment(**self.settings()),
                                     stdout=subprocess.DEVNULL) for _ in range(16)]
        self.assertEqual([child.wait() for child in children], [0] * len(children))
        self.assertEqual(self.audit()["checked"], 17)

    def test_people_see_how_a_change_ended(self):
        self.keep()
        self.keep(secret="another-value")
        self.assertEqual(self.slipway("keys", "audit").out.count(" set "), 2)
        begun = [line for line in self.lines() if '"begun"' in line]
        self.log.write_text("".join(self.lines()[:2]))
        self.assertIn("interrupted", self.slipway("keys", "audit").out)
        self.assertEqual(len(begun), 1)


STATES = [
    ("nothing_yet", "nothing", 0, "lock", "ok"),
    ("all_well", "kept", 0, "lock", "ok"),
    ("key_beside_the_store", "beside", 0, "protects", "warn"),
    ("others_can_read_it", "readable", 1, "permissions", "fail"),
    ("others_can_replace_it", "writable", 1, "permissions", "fail"),
    ("wrong_key", "wrong", 1, "lock", "fail"),
    ("nothing_to_open_it_with", "unattended", 1, "source", "fail"),
    ("nothing_to_make_one_with", "bare", 0, "source", "warn"),
    ("damaged", "damaged", 1, "lock", "fail"),
    ("litter", "litter", 0, "leftovers", "warn"),
    ("key_in_the_environment", "environment_key", 0, "environment", "warn"),
    ("no_such_place", "backend", 1, "backend", "fail"),
]


@each_row(STATES)
class Doctor(Keys):
    """One thing that is not as it should be, found, with what can be done; nothing is changed."""

    def check_row(self, state, status, row, verdict):
        changes = getattr(self, state)() or {}
        before = tree(self.home)
        result = self.slipway("keys", "doctor", "--json", env=changes)
        self.assertEqual(result.status, status, result)
        checks = {check["id"]: check for check in json.loads(result.out)["checks"]}
        self.assertEqual(checks[row]["status"], verdict, result)
        if verdict != "ok" and state not in ("wrong", "backend", "damaged"):
            self.assertTrue(checks[row]["remedy"], result)
        others = [check["id"] for check in checks.values() if check["status"] == "fail"]
        self.assertEqual(status, 1 if others else 0)
        self.assertEqual(tree(self.home), before)
        shown = self.slipway("keys", "doctor", env=changes)
        self.assertIn(checks[row]["text"], shown.out)

    def nothing(self):
        pass

    def kept(self):
        self.keep()

    def beside(self):
        self.keep()
        self.key = self.key.rename(self.home / "key")

    def readable(self):
        self.keep()
        self.store.chmod(0o644)

    def writable(self):
        self.keep()
        self.store.parent.chmod(0o777)

    def wrong(self):
        self.keep()
        return self.other_key()

    def unattended(self):
        self.keep()
        return {"SLIPWAY_KEY_FILE": None}

    def bare(self):
        return {"SLIPWAY_KEY_FILE": None}

    def damaged(self):
        self.keep()
        content = bytearray(self.store.read_bytes())
        content[-1] ^= 1
        self.store.write_bytes(content)

    def litter(self):
        self.keep()
        self.store.with_name(".keystore.0123abcd.tmp").write_bytes(b"x")

    def environment_key(self):
        return {NAME: SECRET}

    def backend(self):
        return {"SLIPWAY_KEY_BACKEND": "nowhere"}


class DoctorAsks(Keys):
    def test_passphrase_on_a_terminal(self):
        """It says that somebody would be asked, and asks nobody."""
        self.keep()
        result = self.run_on_terminal("keys", "doctor",
                                      env=self.settings(SLIPWAY_KEY_FILE=None))
        self.assertEqual(result.status, 0, result)
        self.assertIn("you are asked when it is used", result.out)


class WithoutAnySource(Keys):
    def test_set_ends_with_78_and_three_remedies(self):
        result = self.slipway("keys", "set", NAME, "--stdin", input=SECRET.encode(),
                              env={"SLIPWAY_KEY_FILE": None})
        self.assert_refused(result, 78, "there is no keystore yet")
        for remedy in ("--key-file", "--passphrase-file", "environment variable"):
            self.assertIn(remedy, result.err)
        self.assertEqual(list(self.home.iterdir()), [])


if __name__ == "__main__":
    unittest.main(verbosity=2)
