"""Images that compose builds, on a real engine, in a network with a proxy or a CA of its own.

SPDX-License-Identifier: Apache-2.0
"""
import shutil
import sys
import unittest

import engine
import rig

sys.path.insert(0, str(rig.TOP / "tests/common"))
import tls_server  # noqa: E402

STACK_INI = """\
[stack]
schema = 1
name = built
title = Built
version = 1
summary = an image of its own
prefix = ~/built

[service one]
role = tells what its build saw

[service two]
role = is there already

[step prefix]
kind = directory
path = @prefix@

[step dockerfile]
kind = file
after = prefix
path = @prefix@/Dockerfile
from = Dockerfile

[step compose]
kind = file
after = prefix
path = @prefix@/compose.yaml
from = compose.yaml

[step ca-bundle]
kind = file
after = prefix
path = @prefix@/ca.crt
from = ca.crt

[step containers]
kind = compose
after = compose dockerfile ca-bundle
project = built
directory = @prefix@
files = compose.yaml
wait_s = 60
"""
# Nothing of it declares an argument.
DOCKERFILE = """\
FROM proxy-base:1
RUN echo "https=$HTTPS_PROXY http=$http_proxy no=$NO_PROXY" >/seen
"""
COMPOSE = """\
services:
  one:
    build: {context: ., network: none}
    network_mode: none
    init: false
    command: [sleep, "1000"]
  two:
    build: {context: ., network: none}
    image: proxy-base:1
    network_mode: none
    command: [sleep, "1000"]
  never:
    profiles: [other]
    build: ./no/such/place
"""
PROXY = "http://me:canary-of-the-proxy@proxy.invalid:3128"
# As slipway-stack(5) says it.
FETCHING = """\
FROM ca-base:1
ARG URL
RUN --mount=type=secret,id=ca_bundle,target=/run/ca.crt \\
    if [ -s /run/ca.crt ]; then export SSL_CERT_FILE=/run/ca.crt; fi \\
 && python3 -c "import sys, urllib.request; urllib.request.urlretrieve(sys.argv[1], '/seen')" "$URL"
"""
COMPOSE_FETCHING = """\
services:
  one:
    build:
      context: .
      network: host
      args: {URL: "@url@"}
      secrets: [ca_bundle]
    network_mode: none
    init: false
    command: [sleep, "1000"]
  two:
    image: ca-base:1
    network_mode: none
    command: [sleep, "1000"]
secrets:
  ca_bundle:
    file: ${SLIPWAY_CA_BUNDLE:-./ca.crt}
"""


class Case(unittest.TestCase):
    """A stack that builds an image from `dockerfile`, on `base`."""
    base = None
    dockerfile = None
    compose = None

    def setUp(self):
        self.engine = engine.Engine()
        self.addCleanup(self.engine.close)
        self.home = self.engine.top / "home"
        self.stack = self.engine.top / "stack"
        for place in (self.home, self.stack):
            place.mkdir()
        for name, text in (("stack.ini", STACK_INI), ("Dockerfile", self.dockerfile),
                           ("compose.yaml", self.compose), ("ca.crt", "")):
            (self.stack / name).write_text(text)
        image = self.dockerfile.split()[1]
        self.engine.run(["sh", "-c", f"tar -C {self.base()} -c . | docker import - {image}"])
        for name in ("arguments", "environ"):
            (self.engine.calls / name).touch()
        self.addCleanup(shutil.rmtree, self.home)

    def install(self, *options, check=True, **more):
        return self.engine.run([rig.PROGRAM, "install", str(self.stack), "--yes", *options], check=check,
                               env=self.engine.environment(HOME=str(self.home), **more))

    def seen(self):
        return self.engine.docker("exec", "built-one-1", "cat", "/seen").stdout

    def arguments(self):
        return (self.engine.calls / "arguments").read_text()


class Proxy(Case):
    base = staticmethod(rig.busybox)
    dockerfile = DOCKERFILE
    compose = COMPOSE

    def test_a_build_knows_the_proxy(self):
        self.install(HTTPS_PROXY=PROXY, http_proxy="http://127.0.0.1:3128", NO_PROXY="localhost")
        self.assertEqual(self.seen(), f"https={PROXY} http= no=localhost\n")
        self.assertIn("build --build-arg HTTPS_PROXY --build-arg NO_PROXY", self.arguments())
        self.assertNotIn("canary", self.arguments())
        self.assertNotIn("canary", self.engine.docker("history", "--no-trunc", "built-one").stdout)
        self.assertNotIn("canary", self.engine.docker("inspect", "built-one-1").stdout)
        # What has an image is not built again.
        (self.engine.calls / "arguments").write_text("")
        self.engine.docker("rm", "-f", "built-one-1")
        self.install(HTTPS_PROXY=PROXY)
        self.assertIn(" up ", self.arguments())
        self.assertNotIn(" build ", self.arguments())

    def test_nothing_to_say(self):
        """Of a proxy on this machine a build would not find, and of none at all."""
        self.install(HTTPS_PROXY="http://127.0.0.1:3128")
        self.assertEqual(self.seen(), "https= http= no=\n")
        self.assertNotIn(" build ", self.arguments())


class Authority(Case):
    """Of a CA that only this test knows."""
    dockerfile = FETCHING
    compose = COMPOSE_FETCHING

    @staticmethod
    def base():
        return rig.root_of("bookworm", "python3", "python3-venv")

    def setUp(self):
        super().setUp()
        self.authority = tls_server.Authority(self.engine.top / "authority")
        self.server = tls_server.Server(self.authority.issue(), {"/thing": b"fetched\n"})
        self.addCleanup(self.server.close)
        path = self.stack / "compose.yaml"
        path.write_text(path.read_text().replace("@url@", self.server.url_of("/thing")))

    def test_a_build_trusts_the_ca_that_a_person_named(self):
        self.install(SSL_CERT_FILE=str(self.authority.bundle))
        self.assertEqual((self.seen(), self.server.seen), ("fetched\n", ["/thing"]))
        for place in ("arguments", "environ"):
            self.assertNotIn("CERTIFICATE", (self.engine.calls / place).read_text())
        self.assert_not_in_the_image()

    def assert_not_in_the_image(self):
        line = self.authority.bundle.read_text().splitlines()[1]
        history = self.engine.docker("history", "--no-trunc", "built-one").stdout
        inspected = self.engine.docker("inspect", "built-one", "built-one-1").stdout
        for text in (line, str(self.authority.bundle)):
            self.assertNotIn(text, history + inspected)
        layer = self.engine.docker("image", "inspect", "-f", "{{.GraphDriver.Data.UpperDir}}",
                                   "built-one").stdout.strip()
        self.assertEqual(self.engine.run(["cat", f"{layer}/seen"]).stdout, "fetched\n")
        self.assertEqual(self.engine.run(["grep", "-rlF", "-e", line, layer], check=False).stdout, "")
        self.assertEqual(self.engine.run(["cat", f"{layer}/run/ca.crt"], check=False).stdout, "")

    def test_the_setting_wins(self):
        other = tls_server.Authority(self.engine.top / "other")
        self.install("--ca-bundle", str(self.authority.bundle), CURL_CA_BUNDLE=str(other.bundle))
        self.assertEqual(self.seen(), "fetched\n")

    def test_nobody_named_one(self):
        done = self.install(check=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("does not trust the certificate", done.stderr)
        self.assertIn("--ca-bundle", done.stderr)
        self.assertNotIn(b"SLIPWAY_CA_BUNDLE", (self.engine.calls / "environ").read_bytes())
        self.assertEqual(self.server.seen, [])


if __name__ == "__main__":
    unittest.main(verbosity=2)
