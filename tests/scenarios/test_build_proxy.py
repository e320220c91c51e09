"""Images that compose builds, on a real engine, in a network with a proxy.

SPDX-License-Identifier: Apache-2.0
"""
import shutil
import unittest

import engine
import rig

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

[step containers]
kind = compose
after = compose dockerfile
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


class Built(unittest.TestCase):
    def setUp(self):
        self.engine = engine.Engine()
        self.addCleanup(self.engine.close)
        self.home = self.engine.top / "home"
        self.stack = self.engine.top / "stack"
        for place in (self.home, self.stack):
            place.mkdir()
        for name, text in (("stack.ini", STACK_INI), ("Dockerfile", DOCKERFILE), ("compose.yaml", COMPOSE)):
            (self.stack / name).write_text(text)
        self.engine.run(["sh", "-c", f"tar -C {rig.busybox()} -c . | docker import - proxy-base:1"])
        for name in ("arguments", "environ"):
            (self.engine.calls / name).touch()
        self.addCleanup(shutil.rmtree, self.home)

    def install(self, **more):
        self.engine.run([rig.PROGRAM, "install", str(self.stack), "--yes"], env=self.engine.environment(
            HOME=str(self.home), **more))

    def seen(self):
        return self.engine.docker("exec", "built-one-1", "cat", "/seen").stdout

    def arguments(self):
        return (self.engine.calls / "arguments").read_text()

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


if __name__ == "__main__":
    unittest.main(verbosity=2)
