"""keys verify and keys rotate, against a server that stands in for every provider.

SPDX-License-Identifier: Apache-2.0
"""
import json
import pathlib
import socket
import subprocess
import tempfile
import threading
import time
import unittest

from cli_support import Case, each_row
import tls_server

GOOD = "sk-good-Zq7Xw2Lr9Tb4Nc6Vd8"
BAD = "sk-bad-Hy3Kp5Mf1Js0Gu7Qe2"
NAME = "OPENAI_API_KEY"


AUTHORITY = {}


def setUpModule():
    place = tempfile.TemporaryDirectory(prefix="slipway-cli-")
    unittest.addModuleCleanup(place.cleanup)
    authority = tls_server.Authority(pathlib.Path(place.name) / "authority")
    AUTHORITY.update(bundle=authority.bundle, certificate=authority.issue())


class Provider(tls_server.Handler):
    """Takes GOOD; answers anything else with `server.status`, and a body that says the key."""

    def do_GET(self):
        self.server.requests.append((self.path, dict(self.headers)))
        said = " ".join(self.headers.values())
        status = self.server.good_status if GOOD in said else self.server.status
        body = f"you said {said}".encode()
        self.send_response(status)
        if status == 302:
            self.send_header("Location", self.server.elsewhere)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class Keys(Case):
    def setUp(self):
        super().setUp()
        self.bundle = AUTHORITY["bundle"]
        server = tls_server.Server(AUTHORITY["certificate"])
        self.addCleanup(server.close)
        self.url_of, self.server = server.url_of, server.listener
        self.server.RequestHandlerClass = Provider
        self.server.elsewhere, self.server.requests = server.url_of("/elsewhere"), []
        self.server.good_status, self.server.status = 200, 401
        self.key = self.make_key_file()

    def slipway(self, *arguments, env=None, **options):
        values = {"SLIPWAY_KEY_FILE": str(self.key), "SLIPWAY_KEY_BACKEND": "file",
                  "SLIPWAY_CA_BUNDLE": str(self.bundle), "SLIPWAY_MIRROR": self.mirrors(),
                  **(env or {})}
        result = self.run_program(*arguments, env=values, **options)
        for secret in (GOOD, BAD):
            self.assertNotIn(secret, result.err)
            if arguments[1] != "get":
                self.assertNotIn(secret, result.out)
        return result

    def mirrors(self):
        hosts = ("api.openai.com", "api.anthropic.com", "generativelanguage.googleapis.com",
                 "api.github.com", "huggingface.co", "api.perplexity.ai", "api.mistral.ai",
                 "api.groq.com", "api.x.ai", "api.deepseek.com", "api.cohere.com",
                 "api.together.xyz", "openrouter.ai")
        return ",".join(f"https://{host}/={self.url_of(f'/{host}/')}" for host in hosts)

    def keep(self, name, secret):
        result = self.slipway("keys", "set", name, "--stdin", input=secret.encode())
        self.assertEqual(result.status, 0, result)

    def value(self, name):
        result = self.slipway("keys", "get", name)
        return result.out.rstrip("\n") if result.status == 0 else None

    def verify(self, *arguments, status=0, **options):
        result = self.slipway("keys", "verify", "--json", *arguments, **options)
        self.assertEqual(result.status, status, result)
        return {key["name"]: key["verdict"] for key in json.loads(result.out)["keys"]}

    def notes(self):
        result = self.slipway("keys", "list", "--json")
        return {key["name"]: key for key in json.loads(result.out)["keys"]}


HEADERS = [(name, name, path, header, value) for name, path, header, value in (
    ("OPENAI_API_KEY", "/api.openai.com/v1/models", "Authorization", f"Bearer {GOOD}"),
    ("ANTHROPIC_API_KEY", "/api.anthropic.com/v1/models", "x-api-key", GOOD),
    ("GEMINI_API_KEY", "/generativelanguage.googleapis.com/v1beta/models", "x-goog-api-key", GOOD),
    ("PERPLEXITY_API_KEY", "/api.perplexity.ai/async/chat/completions", "Authorization",
     f"Bearer {GOOD}"),
    ("GITHUB_PAT", "/api.github.com/rate_limit", "Authorization", f"Bearer {GOOD}"),
    ("HF_TOKEN", "/huggingface.co/api/whoami-v2", "Authorization", f"Bearer {GOOD}"),
)]


@each_row(HEADERS)
class HowEachIsAsked(Keys):
    """One request, to one address, with the key in the header that this provider reads."""

    def check_row(self, name, path, header, value):
        self.assertEqual(self.verify(name, env={name: GOOD}), {name: "valid"})
        [(asked, headers)] = self.server.requests
        self.assertEqual(asked, path)
        self.assertEqual({key.lower(): text for key, text in headers.items()}[header.lower()],
                         value)
        self.assertNotIn(GOOD, asked)


VERDICTS = [(f"{name} {status}", name, status, verdict, end) for name, status, verdict, end in (
    (NAME, 401, "refused", 1), (NAME, 403, "unclear", 69), (NAME, 429, "limited", 0),
    (NAME, 402, "limited", 0), (NAME, 500, "unclear", 69), (NAME, 404, "unclear", 69),
    (NAME, 302, "unclear", 69), ("GEMINI_API_KEY", 400, "refused", 1),
    ("GEMINI_API_KEY", 403, "refused", 1), ("XAI_API_KEY", 400, "refused", 1),
)]


@each_row(VERDICTS)
class WhatAnswersMean(Keys):
    def check_row(self, name, status, verdict, end):
        self.server.status = status
        self.assertEqual(self.verify(name, env={name: BAD}, status=end), {name: verdict})
        self.assertEqual(len(self.server.requests), 1, "a redirect was followed")


class Verify(Keys):
    def test_good_keys_are_noted(self):
        self.keep(NAME, GOOD)
        self.keep("GEMINI_API_KEY", BAD)
        self.keep("something.else", GOOD)
        self.assertEqual(self.verify(status=1), {NAME: "valid", "GEMINI_API_KEY": "refused"})
        notes = self.notes()
        self.assertTrue(notes[NAME]["verified"])
        self.assertFalse(notes["GEMINI_API_KEY"]["verified"])

    def test_what_cannot_be_verified(self):
        self.assertEqual(self.verify("AZURE_API_KEY", "my.own", "ABSENT",
                                     env={"AZURE_API_KEY": GOOD, "my.own": GOOD}, status=1),
                         {"AZURE_API_KEY": "unverifiable", "my.own": "unverifiable",
                          "ABSENT": "missing"})
        self.assertEqual(self.server.requests, [])

    def test_no_key_at_all(self):
        self.assertEqual(self.verify(), {})
        self.assertFalse((self.home / ".local").exists())

    def test_nobody_answers(self):
        with socket.create_server(("127.0.0.1", 0)) as closed:
            port = closed.getsockname()[1]
        mirror = f"https://api.openai.com/=https://127.0.0.1:{port}/"
        self.assertEqual(self.verify(NAME, env={NAME: GOOD, "SLIPWAY_MIRROR": mirror}, status=69),
                         {NAME: "unreachable"})

    def test_certificate_of_somebody_else(self):
        other = tls_server.Authority(self.place / "other")
        self.assertEqual(self.verify(NAME, env={NAME: GOOD, "SLIPWAY_CA_BUNDLE": str(other.bundle)},
                                     status=69), {NAME: "unreachable"})
        self.assertEqual(self.server.requests, [])

    def test_file_in_the_working_directory_leads_nowhere(self):
        (self.cwd / "slipway.ini").write_text(f"[slipway]\nmirror = {self.mirrors()}\n")
        hole = "http://127.0.0.1:9"  # so that nothing leaves this machine
        verdicts = self.verify(NAME, env={NAME: GOOD, "SLIPWAY_MIRROR": None, "https_proxy": hole},
                               status=69)
        self.assertEqual(verdicts, {NAME: "unreachable"})
        self.assertEqual(self.server.requests, [])

    def test_line_break_in_a_key(self):
        self.assertEqual(self.verify(NAME, env={NAME: f"{GOOD}\nX-Evil: 1"}, status=1),
                         {NAME: "refused"})
        self.assertEqual(self.server.requests, [])

    def test_keys_of_a_stack(self):
        self.assertEqual(self.verify("--stack", "localagent", env={NAME: GOOD}), {NAME: "valid"})


class SetVerified(Keys):
    def set(self, secret, status, name=NAME):
        result = self.slipway("keys", "set", name, "--stdin", "--verify", input=secret.encode())
        self.assertEqual(result.status, status, result)

    def test_only_what_is_taken_is_kept(self):
        self.set(BAD, 1)
        self.assertIsNone(self.value(NAME))
        self.set(GOOD, 0)
        self.assertTrue(self.notes()[NAME]["verified"])
        self.set(BAD, 1)
        self.assertEqual(self.value(NAME), GOOD)

    def test_nobody_to_ask(self):
        self.server.good_status = 500
        self.set(GOOD, 69)
        self.set(GOOD, 69, name="my.own")
        self.assertEqual(self.notes(), {})


class Rotate(Keys):
    def setUp(self):
        super().setUp()
        self.keep(NAME, BAD)

    def rotate(self, *arguments, status=0, secret=GOOD, **options):
        if secret:
            arguments, options["input"] = ("--stdin", *arguments), secret.encode()
        result = self.slipway("keys", "rotate", NAME, *arguments, **options)
        self.assertEqual(result.status, status, result)
        return result

    def assert_keys(self, current, previous=None, pending=None):
        self.assertEqual((self.value(NAME), self.value(f"{NAME}.previous"),
                          self.value(f"{NAME}.pending")), (current, previous, pending))

    def test_whole(self):
        self.rotate()
        self.assert_keys(GOOD, previous=BAD)
        self.assertTrue(self.notes()[NAME]["verified"])
        self.assertEqual(self.notes()[NAME]["origin"], "rotate")
        self.rotate("--retire", secret=None)
        self.assert_keys(GOOD)
        self.rotate("--retire", secret=None)

    def test_refused(self):
        self.keep(NAME, GOOD)
        self.rotate(secret=BAD, status=1)
        self.assert_keys(GOOD)

    def test_provider_is_down_then_up(self):
        self.server.good_status = 503
        self.rotate(status=69)
        self.assert_keys(BAD, pending=GOOD)
        self.server.good_status = 200
        self.rotate(secret=None)
        self.assert_keys(GOOD, previous=BAD)

    def test_abort(self):
        self.server.good_status = 503
        self.rotate(status=69)
        self.rotate("--abort", secret=None)
        self.assert_keys(BAD)

    def test_without_verification(self):
        self.rotate("--no-verify", secret=BAD + "2")
        self.assert_keys(BAD + "2", previous=BAD)
        self.assertEqual(self.server.requests, [])

    def pend(self, secret):
        """A first step without the second one."""
        self.server.good_status = 503
        self.rotate(status=69, secret=secret)
        self.server.good_status = 200

    def test_killed_between_any_two_changes_of_a_keyring(self):
        """A keyring makes the changes one by one: what each leaves is built here, and gone on from."""
        self.rotate("--no-verify", secret=BAD + "2")
        self.keep(NAME, BAD)
        self.pend(GOOD)
        self.assert_keys(BAD, previous=BAD, pending=GOOD)  # killed after the first
        self.rotate(secret=None)
        self.assert_keys(GOOD, previous=BAD)

        self.keep(NAME, BAD)
        self.pend(GOOD)
        self.keep(NAME, GOOD)
        self.assert_keys(GOOD, previous=BAD, pending=GOOD)  # killed after the second
        self.rotate(secret=None)
        self.assert_keys(GOOD, previous=BAD)

    def test_killed_at_any_time(self):
        values = [BAD]
        for turn in range(20):
            values.append(f"{GOOD}{turn}")
            child = subprocess.Popen(
                [self.program, "keys", "rotate", NAME, "--stdin", "--no-verify"], cwd=self.cwd,
                env=self.environment(SLIPWAY_KEY_FILE=str(self.key), SLIPWAY_KEY_BACKEND="file"),
                stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            child.stdin.write(values[-1].encode())
            child.stdin.close()
            time.sleep(turn * 0.002)
            child.kill()
            child.wait()
            self.assertIn(self.value(NAME), values)
        self.rotate()
        self.assertEqual(self.value(NAME), GOOD)
        self.assertEqual(self.slipway("keys", "audit").status, 0)

    def test_generated(self):
        name = "LOCALAGENT_API_TOKEN"
        self.keep(name, BAD)
        result = self.slipway("keys", "rotate", name, "--json")
        self.assertEqual(result.status, 0, result)
        self.assertIn("localagent", json.loads(result.out)["stacks"])
        self.assertRegex(self.value(name), "^[0-9a-f]{32,}$")
        self.assertEqual(self.value(f"{name}.previous"), BAD)

    def test_refusals(self):
        for arguments, status in ((["ABSENT", "--generate"], 1), ([NAME], 64),
                                  ([f"{NAME}.pending", "--generate"], 64),
                                  ([NAME, "--retire", "--abort"], 64),
                                  ([NAME, "--stdin", "--generate"], 64), (["N" * 60], 64)):
            with self.subTest(arguments=arguments):
                self.assert_refused(self.slipway("keys", "rotate", *arguments), status)
        self.assert_refused(self.rotate(secret=BAD, status=64), 64, "has already")
        self.assert_keys(BAD)

    def test_variable_that_wins(self):
        result = self.rotate("--no-verify", env={NAME: "something-in-the-environment"})
        self.assertIn("wins over", result.err)
        self.assert_keys(GOOD, previous=BAD)

    def test_many_at_once(self):
        """Of those that rotate at the same time, each leaves the key valid."""
        ends = []
        threads = [threading.Thread(target=lambda n=n: ends.append(
            self.slipway("keys", "rotate", NAME, "--stdin", "--no-verify",
                         input=f"{GOOD}{n}".encode()).status)) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertIn(0, ends)
        self.assertRegex(self.value(NAME), f"^{GOOD}[0-3]$")


if __name__ == "__main__":
    unittest.main(verbosity=2)
