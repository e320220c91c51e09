"""Commands that take several keys at once, against a real Secret Service.

SPDX-License-Identifier: Apache-2.0
"""
import json
import os
import unittest

from test_keyring import SECRET, KeyringCase

OTHER = "sk-other-91d0aa53c4"


class Several(KeyringCase):
    def setUp(self):
        super().setUp()
        self.start_keyring()

    def keys(self, *command, status=0, **options):
        result = self.run_program("keys", *command, **options)
        self.assertEqual(result.status, status, result)
        return result

    def stored(self, *options):
        listed = json.loads(self.keys("list", "--json", *options).out)
        self.assertEqual(listed["backend"], "secret-service")
        return {key["name"]: self.keys("get", key["name"], *options).out[:-1] for key in listed["keys"]}

    def test_import_and_exec(self):
        file = self.cwd / ".env"
        file.write_text(f"A_KEY={SECRET}\nB_KEY={OTHER}\n")
        self.keys("import", ".env", "--shred", "--profile", "work")
        self.assertNotIn(SECRET, file.read_text())
        self.assertEqual(self.stored("--profile", "work"), {"A_KEY": SECRET, "B_KEY": OTHER})
        self.assertEqual(self.stored(), {})
        shown = self.keys("exec", "--profile", "work", "--pristine", "--", "env").out
        self.assertIn(f"A_KEY={SECRET}\n", shown)
        self.assertIn(f"B_KEY={OTHER}\n", shown)
        self.assertNotIn("DBUS_SESSION_BUS_ADDRESS", shown)
        notes = {key["origin"] for key in json.loads(self.keys("list", "--profile", "work", "--json").out)["keys"]}
        self.assertEqual(notes, {"import"})

    def test_profiles(self):
        for profile in ("default", "work"):
            self.keys("set", "A_KEY", "--stdin", "--profile", profile, input=f"{SECRET}-{profile}".encode())
        self.assertEqual(self.stored("--profile", "work"), {"A_KEY": SECRET + "-work"})
        self.keys("profiles", "--remove", "work", "--yes")
        self.assertEqual(self.stored("--profile", "work"), {})
        self.assertEqual(self.stored(), {"A_KEY": SECRET + "-default"})

    def test_renamed(self):
        for name in ("A_KEY", "B_KEY"):
            self.keys("set", name, "--stdin", "--profile", "work", "--expires", "100", input=f"{SECRET}-{name}".encode())
        before = json.loads(self.keys("list", "--json", "--profile", "work").out)["keys"]
        self.keys("profiles", "--rename", "work=office")
        self.assertEqual(self.stored("--profile", "office"), {name: f"{SECRET}-{name}" for name in ("A_KEY", "B_KEY")})
        after = json.loads(self.keys("list", "--json", "--all-profiles").out)["keys"]
        self.assertEqual([{**key, "profile": "work"} for key in after], before)

    def test_export_to_an_encrypted_file(self):
        self.keys("set", "A_KEY", "--stdin", input=SECRET.encode())
        phrase = self.place / "phrase"
        phrase.write_text("correct horse battery\n")
        phrase.chmod(0o600)
        self.keys("export", "x.keys", "--bundle-passphrase-file", phrase)
        self.keys("import", "x.keys", "--bundle-passphrase-file", phrase, "--profile", "copy")
        self.assertEqual(self.stored("--profile", "copy"), {"A_KEY": SECRET})

    def test_docker(self):
        helper = self.place / "docker-credential-slipway"
        os.symlink(self.program, helper)
        self.program = str(helper)
        account = {"ServerURL": "https://r.io/v1/", "Username": "me", "Secret": SECRET}
        self.assertEqual(self.run_program("store", input=json.dumps(account).encode()).status, 0)
        self.assertEqual(json.loads(self.run_program("get", input=b"https://r.io/v1/").out), account)
        self.assertEqual(self.run_program("list").out, '{"https://r.io/v1/":"me"}\n')
        self.assertEqual(self.run_program("erase", input=b"https://r.io/v1/").status, 0)
        self.assertEqual(self.run_program("list").out, "{}\n")


if __name__ == "__main__":
    unittest.main()
