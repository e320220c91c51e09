"""What opens the encrypted file, versions of it, and recovery, through the real binary.

SPDX-License-Identifier: Apache-2.0
"""
import json
import os
import unittest

from cli_support import Case
from test_keyring import KeyringCase

PASSPHRASE = b"correct horse battery staple\n"
SECRET = b"sk-value-of-this-test\n"


class Slots:
    """On top of a case: a store in a file, opened by the key file `key`."""

    def make_store(self):
        self.file = self.home / ".local/share/slipway/keystore"
        self.key = self.private("key", os.urandom(32))
        self.words = self.private("words", PASSPHRASE)
        self.keys("set", "A_KEY", "--stdin", "--key-file", self.key, input=SECRET)

    def private(self, name, content):
        path = self.place / name
        path.write_bytes(content)
        path.chmod(0o600)
        return path

    def keys(self, *arguments, status=0, **options):
        options.setdefault("env", {})["SLIPWAY_KEY_BACKEND"] = "file"
        result = self.run_program("keys", *arguments, **options)
        self.assertEqual(result.status, status, str(result))
        return result

    def slots(self):
        document = json.loads(self.keys("rekey", "--list", "--json").out)
        return [(slot["kind"], slot["label"]) for slot in document["slots"]]

    def expect_opens(self, *options, **more):
        self.assertEqual(self.keys("get", "A_KEY", *options, **more).out, SECRET.decode())


class InFile(Slots, Case):
    def setUp(self):
        super().setUp()
        self.make_store()

    def test_change_what_opens_it(self):
        self.keys("rekey", "--key-file", self.key, "--new-passphrase-file", self.words, "--label", "paper")
        self.assertEqual(self.slots(), [("key-file", ""), ("passphrase", "paper")])
        self.expect_opens("--passphrase-file", self.words)
        refused = self.keys("rekey", "--passphrase-file", self.words, "--rotate-data-key", status=78)
        self.assertIn("--with-key-file", refused.err)
        self.keys("rekey", "--passphrase-file", self.words, "--remove", "1")
        self.assertEqual(self.slots(), [("passphrase", "paper")])
        self.expect_opens("--passphrase-file", self.words)
        self.keys("get", "A_KEY", "--key-file", self.key, status=77)
        self.keys("rekey", "--passphrase-file", self.words, "--remove", "paper", status=64)

    def test_new_data_key_with_all_slots(self):
        second = self.place / "second"
        self.keys("rekey", "--key-file", self.key, "--new-passphrase-file", self.words)
        self.keys("rekey", "--key-file", self.key, "--add-key-file", second)
        self.assertEqual(second.stat().st_mode & 0o777, 0o600)
        self.keys("rekey", "--key-file", self.key, "--rotate-data-key", "--with-key-file", second,
                  "--with-passphrase-file", self.words)
        for options in (("--key-file", self.key), ("--key-file", second),
                        ("--passphrase-file", self.words)):
            self.expect_opens(*options)

    def test_nothing_to_do(self):
        self.keys("rekey", status=64)
        self.keys("rekey", "--list", "--rotate-data-key", status=64)

    def test_credential_of_systemd(self):
        directory = self.place / "credentials"
        directory.mkdir(mode=0o700)
        credential = self.private("credentials/slipway.key", self.key.read_bytes())
        more = {"env": {"CREDENTIALS_DIRECTORY": str(directory)}}
        self.expect_opens(**more)
        credential.write_bytes(os.urandom(32))  # for another store
        self.keys("get", "A_KEY", status=77, **more)
        self.expect_opens("--key-file", self.key, **more)
        credential.unlink()
        self.private("credentials/slipway.passphrase", PASSPHRASE)
        self.keys("get", "A_KEY", status=78, **more)
        self.keys("rekey", "--key-file", self.key, "--new-passphrase-file", self.words)
        self.expect_opens(**more)

    def test_an_older_version_is_noticed(self):
        old = self.file.read_bytes()
        self.keys("set", "A_KEY", "--stdin", "--key-file", self.key, input=b"sk-newer\n")
        self.file.write_bytes(old)
        refused = self.keys("get", "A_KEY", "--key-file", self.key, status=65)
        self.assertIn("version 1 of the keystore, and version 2 was seen", refused.err)
        self.assertIn("--accept-rollback", refused.err)
        self.keys("set", "B_KEY", "--stdin", "--key-file", self.key, input=SECRET, status=65)
        self.expect_opens("--key-file", self.key, "--accept-rollback")
        self.expect_opens("--key-file", self.key)

    def test_recover(self):
        whole = json.loads(self.keys("recover", "--key-file", self.key, "--json").out)
        self.assertTrue(whole["current"]["whole"])
        self.keys("set", "B_KEY", "--stdin", "--key-file", self.key, input=SECRET)
        content = bytearray(self.file.read_bytes())
        content[len(content) // 2] ^= 1
        self.file.write_bytes(content)
        refused = self.keys("get", "A_KEY", "--key-file", self.key, status=65)
        self.assertIn("slipway keys recover", refused.err)
        self.keys("recover", "--key-file", self.key, status=64)  # nobody can be asked
        done = json.loads(self.keys("recover", "--key-file", self.key, "--yes", "--json").out)
        self.assertEqual((done["current"]["whole"], done["backup"]["whole"], done["recovered"]),
                         (False, True, True))
        self.expect_opens("--key-file", self.key)
        self.keys("get", "B_KEY", "--key-file", self.key, status=1)
        self.assertEqual(self.file.with_name("keystore.damaged").read_bytes(), content)

    def test_nothing_to_recover_from(self):
        self.file.write_bytes(b"not a keystore")
        result = self.keys("recover", "--key-file", self.key, "--yes", status=65)
        self.assertIn("there is no version before it", result.err)
        self.assertEqual(self.file.read_bytes(), b"not a keystore")


class InKeyring(Slots, KeyringCase):
    """A slot whose key the desktop's keyring keeps."""

    def setUp(self):
        super().setUp()
        self.start_keyring()
        self.make_store()
        self.keys("rekey", "--key-file", self.key, "--add-keyring", "--label", "desktop")

    def test_opens_without_a_question(self):
        self.expect_opens()
        self.keys("rekey", "--remove", "1")
        self.assertEqual(self.slots(), [("keyring", "desktop")])
        self.keys("rekey", "--add-keyring")
        self.assertEqual(self.slots(), [("keyring", "")])
        self.expect_opens()

    def test_locked(self):
        self.lock()
        refused = self.keys("get", "A_KEY", status=78)
        self.assertIn("Unlock the keyring", refused.err)
        self.expect_opens("--key-file", self.key)
        self.keys("rekey", "--key-file", self.key, "--rotate-data-key", status=78)

    def test_removed_from_the_keyring_too(self):
        search = ("secret-tool", "search", "--all", "application", "slipway", "profile", ".slipway")
        self.assertIn("file-key-", self.tool(*search).stderr.decode())
        self.keys("rekey", "--key-file", self.key, "--remove", "desktop")
        self.assertNotIn("file-key-", self.tool(*search).stderr.decode())

    def test_stays_when_the_keyring_has_no_other_key(self):
        more = {"env": {}}
        more["env"]["SLIPWAY_KEY_BACKEND"] = "secret-service"
        self.assertEqual(self.run_program("keys", "set", "X", "--stdin", input=SECRET, **more).status, 0)
        self.assertEqual(self.run_program("keys", "remove", "X", **more).status, 0)
        self.expect_opens()


if __name__ == "__main__":
    unittest.main()
