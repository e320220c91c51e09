"""docker-credential-slipway: to the byte what docker's clients of the protocol expect.

SPDX-License-Identifier: Apache-2.0
"""
import json
import os
import unittest

from cli_support import SLIPWAY, Case

NOT_FOUND = "credentials not found in native keychain\n"
NO_SERVER = "no credentials server URL\n"
NO_USER = "no credentials username\n"
URL = "https://index.docker.io/v1/"
SECRET = "dckr_pat_canary-4f9a1c7be2"


class Protocol(Case):
    def setUp(self):
        super().setUp()
        self.env = {"SLIPWAY_KEY_FILE": str(self.make_key_file())}
        self.slipway = self.program
        self.program = str(self.place / "docker-credential-slipway")
        os.symlink(SLIPWAY, self.program)

    def ask(self, action, text="", status=0, env=None):
        """What it answers; stderr, which docker passes on to people, stays empty."""
        data = text if isinstance(text, bytes) else text.encode()
        result = self.run_program(*action.split(), input=data, env={**self.env, **(env or {})})
        self.assertEqual((result.status, result.err), (status, ""), result)
        return result.out

    def store(self, url=URL, user="me", secret=SECRET):
        text = json.dumps({"ServerURL": url, "Username": user, "Secret": secret})
        self.assertEqual(self.ask("store", text), "")

    def test_store_and_get(self):
        self.store()
        expected = '{"ServerURL":"%s","Username":"me","Secret":"%s"}\n' % (URL, SECRET)
        for text in (URL, URL + "\n", URL + "\r\n", f"  {URL}\t\n\n"):
            self.assertEqual(self.ask("get", text), expected)

    def test_another_order_and_more_members(self):
        self.ask("store", '{ "Secret": "s1", "Other": 1, "Username": "u",\n "ServerURL": "x.io:5000" }\n')
        self.assertEqual(self.ask("get", "x.io:5000"), '{"ServerURL":"x.io:5000","Username":"u","Secret":"s1"}\n')

    def test_strange_values(self):
        for user, secret in (("ünï-ködé", "pässwörd-日本語"), ('q"uo\\te', "a'b\"c\\d/e"), ("<token>", "&<>\u2028"),
                             ("u", ""), ("u", "two\nlines\tand a tab"), ("u", "x" * 12000)):
            with self.subTest(user):
                self.store(user=user, secret=secret)
                self.assertEqual(json.loads(self.ask("get", URL)),
                                 {"ServerURL": URL, "Username": user, "Secret": secret})

    def test_missing(self):
        self.assertEqual(self.ask("get", URL, status=1), NOT_FOUND)
        self.assertEqual(self.ask("erase", URL, status=1), NOT_FOUND)
        self.store()
        for near in (URL + "x", URL[:-1], URL.upper(), "index.docker.io"):
            self.assertEqual(self.ask("get", near, status=1), NOT_FOUND)

    def test_nothing_said(self):
        for action in ("get", "erase"):
            for text in ("", "\n", "  \r\n"):
                self.assertEqual(self.ask(action, text, status=1), NO_SERVER)
        self.assertEqual(self.ask("store", '{"Username":"u","Secret":"s"}', status=1), NO_SERVER)
        self.assertEqual(self.ask("store", '{"ServerURL":"","Username":"u","Secret":"s"}', status=1), NO_SERVER)
        self.assertEqual(self.ask("store", '{"ServerURL":"x","Secret":"s"}', status=1), NO_USER)
        self.assertEqual(self.ask("store", '{"ServerURL":"x","Username":"","Secret":"s"}', status=1), NO_USER)

    def test_erase(self):
        self.store()
        self.store("other.io")
        self.assertEqual(self.ask("erase", URL + "\n"), "")
        self.assertEqual(self.ask("get", URL, status=1), NOT_FOUND)
        self.assertEqual(self.ask("list"), '{"other.io":"me"}\n')

    def test_list(self):
        self.assertEqual(self.ask("list"), "{}\n")
        self.store("b.io", "two")
        self.store("a.io", "one")
        self.store("c.io", "three")
        self.assertEqual(self.ask("list", "unused"), '{"a.io":"one","b.io":"two","c.io":"three"}\n')
        self.assertNotIn(SECRET, self.ask("list"))

    def test_replaced(self):
        self.store(secret="the-first-one")
        self.store(user="you")
        self.assertEqual(json.loads(self.ask("get", URL))["Secret"], SECRET)
        self.assertEqual(self.ask("list"), '{"%s":"you"}\n' % URL)

    def test_malformed(self):
        for text in ("{", "[]", '"x"', "null", '{"ServerURL":1,"Username":"u"}', b"\xff\xfe", "x" * 20000,
                     '{"ServerURL":"a","ServerURL":"b","Username":"u","Secret":"s"}'):
            with self.subTest(text[:20]):
                out = self.ask("store", text, status=1)
                self.assertEqual(out.count("\n"), 1, out)
        self.assertEqual(self.ask("list"), "{}\n")

    def test_other_words(self):
        usage = "Usage: docker-credential-slipway <store|get|erase|list|version>\n"
        self.assertEqual(self.ask("", status=1), usage)
        self.assertEqual(self.ask("get x", status=1), usage)
        self.assertEqual(self.ask("forget", status=1), "docker-credential-slipway: unknown action: forget\n")
        self.assertRegex(self.ask("version"), r"^docker-credential-slipway \(slipway\) \d+\.\d+\.\d+\n$")

    def test_settings_of_the_environment_do_not_get_in(self):
        self.store()
        for name in ("SLIPWAY_JSON", "SLIPWAY_EVENTS", "SLIPWAY_QUIET", "SLIPWAY_PLAIN"):
            self.assertEqual(json.loads(self.ask("get", URL, env={name: "yes"}))["Secret"], SECRET)
            self.assertEqual(self.ask("get", "x", status=1, env={name: "yes"}), NOT_FOUND)
        self.assertEqual(json.loads(self.ask("get", URL, env={"SLIPWAY_KEY_PROFILE": "x"}))["Secret"], SECRET)

    def test_locked_is_not_missing(self):
        """Docker would ask for the password, and put the new one in its place."""
        self.store()
        for action in ("get", "erase", "list"):
            out = self.ask(action, URL, status=1, env={"SLIPWAY_KEY_FILE": None})
            self.assertRegex(out, r"^the keystore is locked.*\n$")
            self.assertNotIn("not found", out)
        self.assertEqual(json.loads(self.ask("get", URL))["Secret"], SECRET)

    def test_by_its_long_name(self):
        self.store()
        self.program = self.slipway
        self.assertEqual(self.ask("docker-credential list"), '{"%s":"me"}\n' % URL)
        self.assertEqual(self.ask("docker-credential get", "x", status=1), NOT_FOUND)
        listed = json.loads(self.run_program("keys", "list", "--profile", "docker", "--json", env=self.env).out)
        self.assertRegex(listed["keys"][0]["name"], "^registry-[0-9a-f]{48}$")

    def test_a_key_that_is_no_account(self):
        """Somebody's own key in that profile, and an account under another URL's name."""
        self.store()
        account = self.ask("get", URL)
        helper, self.program = self.program, self.slipway

        def keys(*command, text=b""):
            result = self.run_program("keys", *command, "--profile", "docker", env=self.env, input=text)
            self.assertEqual(result.status, 0, result)
            return result.out
        name = json.loads(keys("list", "--json"))["keys"][0]["name"]
        keys("set", "OWN_KEY", "--stdin", text=b"no-json-1")
        keys("set", "registry-own", "--stdin", text=b"no-json-2")
        keys("set", name, "--stdin", text=account.replace(URL, "https://evil.example/").encode())
        self.program = helper
        self.assertEqual(self.ask("get", URL, status=1), NOT_FOUND)
        self.assertEqual(self.ask("list"), '{"https://evil.example/":"me"}\n')


if __name__ == "__main__":
    unittest.main()
