"""Images come from a registry through the engine's own API, with progress; Debian's docker-registry is one.

What cannot be had that way is left to compose, whose message is the one that people get.
"""
import json
import os
import re
import secrets
import shutil
import subprocess
import unittest

import engine
import rig

REGISTRY = """\
version: 0.1
storage: {filesystem: {rootdirectory: %s}, delete: {enabled: true}}
http: {addr: "127.0.0.1:5000"}
"""
IMAGE = "127.0.0.1:5000/pond/busybox:1"
DATA_BYTES = 8 << 20


def setUpModule():
    global ENGINE
    rig.install(("docker-registry",))
    ENGINE = engine.NetworkEngine()
    unittest.addModuleCleanup(ENGINE.close)


class Pull(unittest.TestCase):
    def setUp(self):
        self.top = ENGINE.top / secrets.token_hex(3)
        self.home = self.top / "home"
        self.home.mkdir(parents=True)
        self.addCleanup(shutil.rmtree, self.top)
        self.addCleanup(ENGINE.empty)
        (self.top / "registry.yml").write_text(REGISTRY % (self.top / "registry"))
        self.registry = subprocess.Popen(
            ENGINE.inside(["docker-registry", "serve", self.top / "registry.yml"]),
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(self.registry.wait)
        self.addCleanup(self.registry.terminate)
        self.push()
        self.slipway("stack", "new", "pond")
        env = self.home / "pond/env"
        env.write_text(re.sub(r"busybox:1\.36\.1@sha256:\w+", IMAGE, env.read_text()))

    def push(self):
        """BusyBox and a layer that nothing can make smaller; then the engine has forgotten it."""
        (self.top / "image").mkdir()
        (self.top / "image/data").write_bytes(os.urandom(DATA_BYTES))
        (self.top / "image/Dockerfile").write_text("FROM pull-base\nADD data /data\n")
        ENGINE.run(["sh", "-c", f"tar -C {rig.busybox()} -c . | docker import - pull-base >/dev/null"])
        ENGINE.docker("build", "-q", "--network", "none", "-t", IMAGE, str(self.top / "image"),
                      env=ENGINE.environment(DOCKER_BUILDKIT="0"))
        ENGINE.run(["sh", "-c", "for i in $(seq 300); do curl -fs http://127.0.0.1:5000/v2/ && exit; sleep 0.1; done; exit 1"])
        ENGINE.docker("push", "-q", IMAGE)
        ENGINE.docker("rmi", "-f", IMAGE, "pull-base")

    def slipway(self, *arguments, status=0):
        done = ENGINE.run(["env", "-C", str(self.home), str(rig.PROGRAM), *map(str, arguments)], check=False,
                          env=ENGINE.environment(HOME=str(self.home)))
        self.assertEqual(done.returncode, status, f"{arguments}\n{done.stdout}\n{done.stderr}")
        return done

    def test_progress(self):
        done = self.slipway("install", "./pond", "--yes", "--events")
        events = [json.loads(line) for line in done.stdout.splitlines()]
        heard = [one for one in events if re.search(r" of 9\.\d MiB$", one.get("detail") or "")]
        self.assertTrue(heard, events)
        self.assertEqual({one["id"] for one in heard}, {"containers"})
        self.assertGreater(heard[-1]["fraction"], 0.9)
        self.slipway("down", "pond")
        ENGINE.docker("rmi", "-f", IMAGE)
        self.slipway("up", "pond")
        log = "".join(path.read_text() for path in (self.home / ".local/state/slipway/log").iterdir())
        self.assertEqual(log.count(f"{IMAGE}: loaded"), 2, log)
        self.slipway("uninstall", "pond", "--yes")

    def test_what_is_not_there(self):
        env = self.home / "pond/env"
        env.write_text(env.read_text().replace(IMAGE, IMAGE + "2"))
        done = self.slipway("install", "./pond", "--yes", status=69)
        self.assertIn("manifest", done.stderr)
        self.assertEqual(ENGINE.docker("ps", "-aq").stdout, "")


if __name__ == "__main__":
    unittest.main()
