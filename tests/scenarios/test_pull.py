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
        self.digest = self.push()
        self.slipway("stack", "new", "pond")
        env = self.home / "pond/env"
        env.write_text(re.sub(r"busybox:1\.36\.1@sha256:\w+", IMAGE, env.read_text()))

    def push(self):
        """BusyBox and a layer that nothing can make smaller; then the engine has forgotten it."""
        (self.top / "image").mkdir(exist_ok=True)
        (self.top / "image/data").write_bytes(os.urandom(DATA_BYTES))
        (self.top / "image/Dockerfile").write_text("FROM pull-base\nADD data /data\n")
        ENGINE.run(["sh", "-c", f"tar -C {rig.busybox()} -c . | docker import - pull-base >/dev/null"])
        ENGINE.docker("build", "-q", "--network", "none", "-t", IMAGE, str(self.top / "image"),
                      env=ENGINE.environment(DOCKER_BUILDKIT="0"))
        ENGINE.run(["sh", "-c", "for i in $(seq 300); do curl -fs http://127.0.0.1:5000/v2/ && exit; sleep 0.1; done; exit 1"])
        said = ENGINE.docker("push", IMAGE).stdout
        ENGINE.docker("rmi", "-f", IMAGE, "pull-base")
        return re.search(r"digest: (sha256:[0-9a-f]{64})", said)[1]

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

    def lock(self, *arguments, status=0):
        document = json.loads(self.slipway("stack", "lock", "./pond", "--json", *arguments, status=status).stdout)
        (image,) = document["images"]
        self.assertEqual(image["image"], IMAGE)
        return image

    def running(self):
        """Name and content of the image that the container was made from."""
        container = json.loads(ENGINE.docker("inspect", "pond-web-1").stdout)[0]
        image = json.loads(ENGINE.docker("image", "inspect", container["Image"]).stdout)[0]
        return container["Config"]["Image"], image["RepoDigests"]

    def forget(self):
        """The stack is down, and the engine has none of its images."""
        self.slipway("down", "pond")
        ids = set(ENGINE.docker("images", "-aq").stdout.split())
        ENGINE.docker("rmi", "-f", *ids)

    def test_lock(self):
        """A stack runs what was locked, whatever the tag stands for by then, until it is refreshed."""
        first, name = self.digest, IMAGE.removesuffix(":1")
        env = self.home / "pond/env"
        self.assertEqual(self.lock("--check", status=1)["status"], "none")
        locked = self.lock()
        self.assertEqual((locked["status"], locked["digest"], locked["platforms"]), ("written", first, ["linux/amd64"]))
        self.assertIn(f"WEB_IMAGE={IMAGE}@{first}\n", env.read_text())
        self.assertEqual(self.lock()["status"], "unchanged")
        self.slipway("stack", "lint", "./pond")
        self.slipway("install", "./pond", "--yes")
        self.assertEqual(self.running(), (f"{IMAGE}@{first}", [f"{name}@{first}"]))

        self.forget()
        second = self.push()
        self.assertNotEqual(first, second)
        checked = self.lock("--check")
        self.assertEqual((checked["status"], checked["digest"], checked["today"]), ("unchanged", first, second))
        self.slipway("up", "pond")
        self.assertEqual(self.running(), (f"{IMAGE}@{first}", [f"{name}@{first}"]))

        moved = self.lock("--refresh")
        self.assertEqual((moved["status"], moved["digest"], moved["earlier"]), ("moved", second, first))
        self.slipway("install", "./pond", "--yes")
        self.assertEqual(self.running(), (f"{IMAGE}@{second}", [f"{name}@{second}"]))

        ENGINE.run(["curl", "-fsS", "-X", "DELETE", f"http://127.0.0.1:5000/v2/pond/busybox/manifests/{second}"])
        self.assertEqual(self.lock("--check", status=1)["status"], "missing")
        self.forget()
        done = self.slipway("up", "pond", status=69)
        self.assertIn("manifest", done.stderr)


if __name__ == "__main__":
    unittest.main()
