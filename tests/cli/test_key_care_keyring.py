"""keys audit, rotate and doctor with a real keyring, open and locked.

SPDX-License-Identifier: Apache-2.0
"""
import json
import unittest

from test_keyring import OTHER, SECRET, KeyringCase

NAME = "MY_TOKEN"


class InAKeyring(KeyringCase):
    def setUp(self):
        super().setUp()
        self.start_keyring()
        self.log = self.data / "keystore.audit"
        self.assertEqual(self.set_key(NAME).status, 0)

    def audit(self, status=0):
        result = self.run_program("keys", "audit", "--json")
        self.assertEqual(result.status, status, result)
        return json.loads(result.out)

    def test_log_is_sealed_with_what_the_keyring_has(self):
        self.get_key(NAME)
        self.set_key(NAME, OTHER)
        document = self.audit()
        self.assertEqual([(one["op"], one["result"], one["backend"]) for one in document["records"]],
                         [("set", "ok", "secret-service"), ("get", "ok", "secret-service"),
                          ("set", "begun", "secret-service"), ("set", "ok", "secret-service")])
        self.assertEqual((document["checked"], document["faults"]), (4, []))
        lines = self.log.read_text().splitlines(keepends=True)
        self.log.write_text("".join(lines[:2]))
        self.assertEqual(self.audit(status=76)["faults"][0]["line"], 3)
        self.assertNotIn(SECRET, "".join(lines))

    def test_rotate(self):
        result = self.run_program("keys", "rotate", NAME, "--stdin", input=OTHER.encode())
        self.assertEqual(result.status, 0, result)
        self.assertEqual((self.get_key(NAME).out, self.get_key(f"{NAME}.previous").out,
                          self.get_key(f"{NAME}.pending").status),
                         (f"{OTHER}\n", f"{SECRET}\n", 1))
        self.assertEqual(self.run_program("keys", "rotate", NAME, "--retire").status, 0)
        self.assertEqual(self.get_key(f"{NAME}.previous").status, 1)

    def test_locked(self):
        self.lock()
        self.get_key(NAME)
        result = self.run_program("keys", "audit")
        self.assert_refused(result, 78, "cannot be verified")
        self.assertIn("locked (no seal)", result.out)
        self.assertTrue(self.is_locked())

    def test_doctor(self):
        checks = self.doctor(0)
        self.assertEqual(checks["lock"]["status"], "ok")
        self.assertIn("unlocked", checks["keyring"]["text"])
        self.lock()
        checks = self.doctor(1)
        self.assertEqual((checks["lock"]["status"], checks["keyring"]["status"]), ("fail", "fail"))
        self.assertIn("unlock the keyring", checks["keyring"]["remedy"])
        self.assertTrue(self.is_locked())

    def doctor(self, status):
        result = self.run_program("keys", "doctor", "--json")
        self.assertEqual(result.status, status, result)
        return {check["id"]: check for check in json.loads(result.out)["checks"]}


if __name__ == "__main__":
    unittest.main(verbosity=2)
