"""The real docker client keeps a registry's password in our keystore: login, again, logout.

The registry is one of ours on loopback that asks for a name and a password and has nothing to give.
No engine is needed: a client that reaches none asks the registry itself.

SPDX-License-Identifier: Apache-2.0
"""
import base64
import http.server
import json
import os
import pathlib
import shutil
import subprocess
import sys
import threading
import unittest

import rig

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "cli"))
from cli_support import SECONDS, Case  # noqa: E402 pylint: disable=wrong-import-position

USER = "me"
SECRET = "registry-canary-4f9a1c7be2"


def setUpModule():
    if not shutil.which("docker"):
        rig.install(["docker.io"])


class Registry(http.server.BaseHTTPRequestHandler):
    """Answers /v2/ to whoever knows the password."""

    def do_GET(self):
        wanted = "Basic " + base64.b64encode(f"{USER}:{SECRET}".encode()).decode()
        is_known = self.headers.get("Authorization") == wanted
        self.send_response(200 if is_known else 401)
        self.send_header("Docker-Distribution-Api-Version", "registry/2.0")
        if not is_known:
            self.send_header("WWW-Authenticate", 'Basic realm="test"')
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_):
        pass


class Login(Case):
    def setUp(self):
        super().setUp()
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Registry)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        self.registry = f"127.0.0.1:{server.server_address[1]}"
        self.config = self.home / ".docker"
        self.config.mkdir()
        (self.config / "config.json").write_text('{"credsStore": "slipway"}')
        self.bin = self.place / "bin"
        self.bin.mkdir()
        self.helper = self.bin / "docker-credential-slipway"
        os.symlink(rig.PROGRAM, self.helper)
        self.key = str(self.make_key_file())

    def environment(self, **changes):
        return super().environment(**{
            "PATH": f"{self.bin}:/usr/local/bin:/usr/bin:/bin", "SLIPWAY_KEY_FILE": self.key,
            "DOCKER_HOST": f"unix://{self.place}/no-engine", **changes})

    def docker(self, *command, input=b"", env=None):
        return subprocess.run(["docker", *command], input=input, env=self.environment(**(env or {})),
                              cwd=self.cwd, capture_output=True, timeout=SECONDS, check=False)

    def login(self, secret=SECRET, **more):
        return self.docker("login", "-u", USER, "--password-stdin", self.registry, input=secret.encode(), **more)

    def accounts(self):
        done = subprocess.run([self.helper, "list"], env=self.environment(), capture_output=True, check=True)
        return json.loads(done.stdout)

    def finds_a_password(self):
        """The client says so, then wants the engine, which is not there."""
        done = self.docker("login", self.registry)
        return b"existing credentials" in done.stdout + done.stderr

    def test_login_and_logout(self):
        done = self.login()
        self.assertEqual(done.returncode, 0, done)
        self.assertIn(b"Login Succeeded", done.stdout)
        self.assertEqual(self.accounts(), {self.registry: USER})
        config = json.loads((self.config / "config.json").read_text())
        self.assertEqual(config["auths"], {self.registry: {}})
        self.assertTrue(self.finds_a_password())
        out = self.docker("logout", self.registry)
        self.assertEqual(out.returncode, 0, out)
        self.assertEqual(self.accounts(), {})
        self.assertFalse(self.finds_a_password())

    def test_the_password_is_in_no_file(self):
        self.login()
        encoded = base64.b64encode(f"{USER}:{SECRET}".encode())
        for path in self.home.rglob("*"):
            if path.is_file():
                content = path.read_bytes()
                self.assertNotIn(SECRET.encode(), content, path)
                self.assertNotIn(encoded, content, path)

    def test_a_wrong_password_is_not_kept(self):
        done = self.login("not-the-password")
        self.assertNotEqual(done.returncode, 0)
        self.assertEqual(self.accounts(), {})

    def test_a_locked_keystore_says_so(self):
        self.login()
        done = self.login(env={"SLIPWAY_KEY_FILE": None})
        self.assertNotEqual(done.returncode, 0)
        self.assertIn(b"the keystore is locked", done.stdout + done.stderr)
        self.assertEqual(self.accounts(), {self.registry: USER})


if __name__ == "__main__":
    unittest.main()
