"""Digests behind tags: "stack lock", with a stand-in engine that says what the registries would, and a stand-in for
compose, which reads compose files that are JSON.  The real ones are in tests/scenarios/test_pull.py.

SPDX-License-Identifier: Apache-2.0
"""
import json
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import time
import unittest

from cli_support import Case
from engine_stand_in import Engine

INI = """\
[stack]
schema = 1
name = pond
title = Pond
version = 1
summary = two services
prefix = ~/pond

[service web]
role = shows a page

[service store]
role = keeps lines
"""
STEP = """
[step {0}]
kind = file
path = @prefix@/{0}
from = {0}
mode = 0644
"""
CONTAINERS = """
[step containers]
kind = compose
after = compose.yaml env Dockerfile
project = pond
directory = @prefix@
files = compose.yaml
env_file = env
"""
# Kept as compose files are, but in JSON, which is YAML.
COMPOSE = {"services": {"web": {"image": "${WEB_IMAGE:-busybox:1.36.1}"},
                        "tools": {"image": "${WEB_IMAGE:-busybox:1.36.1}", "profiles": ["tools"]},
                        "store": {"build": {"context": "."}, "image": "pond-store:1"}}}
PLUGIN = """\
#!{}
import json, os, re, sys
words = sys.argv[1:]
if "docker-cli-plugin-metadata" in words:
    print('{{"SchemaVersion": "0.1.0", "Vendor": "nobody", "Version": "2.30.0"}}')
elif "version" in words:
    print("2.30.0")
else:
    place, env, file = (words[words.index(name) + 1] for name in ("--project-directory", "--env-file", "-f"))
    values = dict(line.strip().split("=", 1) for line in open(env) if "=" in line)
    text = re.sub(r"\\$\\{{(\\w+):-([^}}]*)\\}}", lambda found: values.get(found[1]) or found[2], open(file).read())
    try:
        whole = json.loads(text)
    except ValueError:
        sys.exit("compose.yaml: it is no mapping")
    for service in whole["services"].values():
        if "build" in service:
            service["build"]["context"] = os.path.join(place, service["build"]["context"])
    print(json.dumps(whole))
"""
# Where the machine has no docker program, one that is seen in a mount namespace alone.
DOCKER = """#!/bin/sh
exec "$DOCKER_CONFIG/cli-plugins/docker-compose" "$@"
"""
INSIDE = """#!/bin/sh
exec unshare --mount {} sh -c 'mount --bind {} /usr/local/bin && exec "$0" "$@"' {} "$@"
"""
PLACES = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
ONE, TWO, THREE = ("sha256:" + digit * 64 for digit in "123")
BOTH = [{"architecture": name, "os": "linux"} for name in ("amd64", "arm64")]


def known(digest, platforms=()):
    return 200, {"Descriptor": {"mediaType": "x", "digest": digest, "size": 1}, "Platforms": list(platforms)}


class Lock(Case):
    def setUp(self):
        super().setUp()
        self.engine = Engine(self.place / "docker.sock")
        self.addCleanup(self.engine.close)
        self.make_compose()
        self.stack = self.cwd / "pond"
        self.stack.mkdir()
        self.put("stack.ini", INI + "".join(map(STEP.format, ("compose.yaml", "env", "Dockerfile"))) + CONTAINERS)
        self.put("compose.yaml", json.dumps(COMPOSE, indent=1))
        self.put("env", "WEB_IMAGE=busybox:1.36.1\n")
        self.put("Dockerfile", "ARG BASE=debian:13\nFROM $BASE AS one\nFROM scratch\nCOPY --from=one /a /b\n")
        self.put("README.md", "busybox:1.36.1 and debian:13\n")
        self.answer("busybox:1.36.1", known(ONE, BOTH))
        self.answer("debian:13", known(TWO, BOTH[:1]))
        self.engine.answers["/version"] = (200, {"Version": "28"})

    def make_compose(self):
        plugins = self.place / "config/cli-plugins"
        plugins.mkdir(parents=True)
        (plugins / "docker-compose").write_text(PLUGIN.format(shutil.which("python3", path=PLACES) or sys.executable))
        (plugins / "docker-compose").chmod(0o755)
        if shutil.which("docker", path=PLACES):
            return
        (self.place / "bin").mkdir()
        (self.place / "bin/docker").write_text(DOCKER)
        (self.place / "bin/docker").chmod(0o755)
        wrapper = self.place / "wrapper"
        wrapper.write_text(INSIDE.format("" if os.getuid() == 0 else "--map-root-user", self.place / "bin",
                                         self.program))
        wrapper.chmod(0o755)
        self.program = str(wrapper)

    def put(self, name, text):
        (self.stack / name).write_text(text)

    def answer(self, image, what):
        self.engine.answers[f"/distribution/{image}/json"] = what

    def asked(self):
        return sorted(path.split("/")[2] for _, path in self.engine.asked if path.startswith("/distribution/"))

    def files(self):
        return {path.name: path.read_text() for path in self.stack.iterdir()}

    def lock(self, *arguments, **options):
        env = {"DOCKER_HOST": f"unix://{self.place}/docker.sock", "DOCKER_CONFIG": str(self.place / "config")}
        return self.run_program("stack", "lock", *arguments, env=env, **options)

    def images(self, *arguments, status=0):
        done = self.lock(*arguments, "--json")
        self.assertEqual(done.status, status, done)
        document = json.loads(done.out)
        for image in document["images"]:
            self.assertEqual(set(image), {"image", "digest", "earlier", "today", "status", "places", "platforms",
                                          "message"})
        return {image["image"]: image for image in document["images"]}

    def test_what_is_written(self):
        before = self.files()
        self.stack.joinpath("env").chmod(0o640)
        done = self.lock("./pond")
        self.assertEqual(done.status, 0, done)
        self.assertEqual(sorted(done.out.splitlines()), [f"busybox:1.36.1  {ONE}  written (3 places)",
                                                         f"debian:13  {TWO}  written (1 place); amd64 only"])
        after = self.files()
        self.assertEqual(after["compose.yaml"],
                         before["compose.yaml"].replace("busybox:1.36.1", f"busybox:1.36.1@{ONE}"))
        self.assertEqual(after["env"], f"WEB_IMAGE=busybox:1.36.1@{ONE}\n")
        self.assertIn(f"ARG BASE=debian:13@{TWO}\nFROM $BASE AS one\n", after["Dockerfile"])
        self.assertEqual((after["README.md"], after["stack.ini"]), (before["README.md"], before["stack.ini"]))
        self.assertEqual((self.stack / "env").stat().st_mode & 0o777, 0o640)
        self.assertEqual(self.asked(), ["busybox:1.36.1", "debian:13"])

        self.engine.asked.clear()
        found = self.images("./pond")
        self.assertEqual({image["status"] for image in found.values()}, {"unchanged"})
        self.assertEqual((self.files(), self.engine.asked), (after, []))

    def test_in_this_directory(self):
        done = self.lock(cwd=self.stack)
        self.assertEqual(done.status, 0, done)
        self.assertIn(ONE, self.files()["env"])

    def test_refresh(self):
        self.images("./pond")
        self.answer("busybox:1.36.1", known(THREE, BOTH))
        before = self.files()
        self.images("./pond")
        self.assertEqual(self.files(), before)
        found = self.images("--refresh", "./pond")
        web, base = found["busybox:1.36.1"], found["debian:13"]
        self.assertEqual((web["status"], web["digest"], web["earlier"], web["places"]), ("moved", THREE, ONE, 3))
        self.assertEqual((base["status"], base["digest"], base["places"]), ("unchanged", TWO, 0))
        self.assertEqual(self.files(), {name: text.replace(ONE, THREE) for name, text in before.items()})
        self.answer("busybox:1.36.1", known(ONE))
        self.assertIn(f"busybox:1.36.1  {ONE}  moved (3 places): was {THREE}\n", self.lock("--refresh", "./pond").out)

    def test_check(self):
        before = self.files()
        self.assertEqual({image["status"] for image in self.images("--check", "./pond", status=1).values()}, {"none"})
        self.assertEqual((self.files(), self.asked()), (before, []))

        self.images("./pond")
        before = self.files()
        self.answer(f"busybox@{ONE}", known(ONE, BOTH))
        self.answer(f"debian@{TWO}", known(TWO, BOTH))
        found = self.images("--check", "./pond")
        self.assertEqual([(image["status"], image["message"]) for image in found.values()], [("unchanged", None)] * 2)

        self.answer("busybox:1.36.1", known(THREE))
        self.answer("debian:13", (404, {"message": "manifest unknown"}))
        found = self.images("--check", "./pond")
        web, base = found["busybox:1.36.1"], found["debian:13"]
        self.assertEqual((web["status"], web["digest"], web["today"]), ("unchanged", ONE, THREE))
        self.assertIn(THREE, web["message"])
        self.assertEqual((base["status"], base["today"]), ("unchanged", None))
        self.assertIn("no such tag", base["message"])

        self.answer(f"busybox@{ONE}", (404, {"message": "manifest unknown"}))
        done = self.lock("--check", "./pond")
        self.assertIn(f"busybox:1.36.1  {ONE}  missing: the engine: manifest unknown\n", done.out)
        self.assert_refused(done, 1, "pond: 1 of 2 images have no digest that can be had")
        self.assertEqual(self.files(), before)

    def test_check_of_an_archive_and_of_what_is_embedded(self):
        with tarfile.open(self.cwd / "pond.tar.gz", "w:gz") as archive:
            archive.add(self.stack, "pond")
        self.assertEqual(len(self.images("--check", "./pond.tar.gz", status=1)), 2)
        self.assert_refused(self.lock("./pond.tar.gz"), 64, "no directory")
        refused = self.lock("localagent")
        self.assert_refused(refused, 64, "localagent is no directory")
        self.assertIn("slipway unpack localagent DIR", refused.err)
        self.assert_refused(self.lock("--check", "--refresh", "./pond"), 64)
        self.assertEqual(self.engine.asked, [])

    def test_one_of_two_cannot_be_had(self):
        self.answer("debian:13", (500, {"message": "dial tcp: \x1b[31mlookup of the registry: " + "no " * 1000}))
        done = self.lock("./pond")
        self.assert_refused(done, 69, "pond: 1 of 2 images could not be asked for")
        self.assertIn(f"busybox:1.36.1  {ONE}  written (3 places)\n", done.out)
        self.assertIn("debian:13  -  failed: the engine: dial tcp: ", done.out)
        self.assertNotIn("\x1b[31m", done.out)
        self.assertLess(len(done.out), 1000)
        self.assertIn("ARG BASE=debian:13\n", self.files()["Dockerfile"])
        self.assertIn(ONE, self.files()["env"])
        self.answer("debian:13", (404, {"message": "manifest unknown"}))
        self.assertEqual(self.images("./pond", status=1)["debian:13"]["status"], "missing")

    def test_answers_that_are_none(self):
        for answer in ((200, b"no JSON"), (200, {}), known("sha256:12"), known(ONE + "@x"), (200, [ONE])):
            with self.subTest(answer):
                self.answer("debian:13", answer)
                found = self.images("./pond", status=69)["debian:13"]
                self.assertEqual((found["status"], found["digest"]), ("failed", None))
        self.assertIn("ARG BASE=debian:13\n", self.files()["Dockerfile"])

    def test_no_engine(self):
        before = self.files()
        self.engine.close()
        (self.place / "docker.sock").unlink()
        done = self.lock("./pond")
        self.assert_refused(done, 69, "the engine at unix:.* does not answer")
        self.assertEqual((self.files(), done.out), (before, ""))

    def test_names_that_are_none(self):
        """Of an image that would be another question to the engine, and of one that stands in no file."""
        self.put("env", "WEB_IMAGE=x/../../containers/json\n")
        self.put("Dockerfile", "ARG TAG=13\nFROM debian:$TAG\nFROM $NOBODY\n")
        found = self.images("./pond", status=69)
        self.assertEqual(set(found), {"x/../../containers/json", "debian:13"})
        self.assertEqual(found["debian:13"]["status"], "failed")
        self.assertEqual(found["debian:13"]["digest"], TWO)
        self.assertIn("no name of an image", found["x/../../containers/json"]["message"])
        self.assertEqual(self.asked(), ["debian:13"])
        self.put("env", "WEB_IMAGE=busybox:1.36.1\n")
        self.assert_refused(self.lock("./pond"), 1, "1 of 2 images got no digest")
        self.assertIn("debian:$TAG\n", self.files()["Dockerfile"])

    def test_an_image_without_a_tag(self):
        self.put("Dockerfile", "FROM web\n")
        self.answer("web", known(THREE))
        before = self.files()
        self.images("./pond")
        self.assertEqual(self.files()["Dockerfile"], f"FROM web@{THREE}\n")
        self.assertEqual(self.files()["stack.ini"], before["stack.ini"])
        self.assertIn('"web": {', self.files()["compose.yaml"])

    def test_links_lead_nowhere(self):
        """One inside of the stack is read through, and stays; what it leads to is a file like others."""
        real = self.stack / "real-env"
        (self.stack / "env").rename(real)
        (self.stack / "env").symlink_to("real-env")
        self.assertEqual(self.images("./pond")["busybox:1.36.1"]["places"], 3)
        self.assertEqual(os.readlink(self.stack / "env"), "real-env")
        self.assertIn(ONE, real.read_text())

    def test_a_file_that_cannot_be_written(self):
        self.become_ordinary()
        self.stack.chmod(0o555)
        before = self.files()
        self.assert_refused(self.lock("./pond"), 77, "cannot replace")
        self.assertEqual(self.files(), before)

    def test_compose_files_that_cannot_be_read(self):
        self.put("compose.yaml", "{")
        self.assert_refused(self.lock("./pond"), 78, "it is no mapping")
        self.assertEqual(self.engine.asked, [])

    def test_a_signal_ends_a_question(self):
        before = self.files()
        self.answer("debian:13", "hang")
        self.answer("busybox:1.36.1", "hang")
        process = subprocess.Popen([self.program, "stack", "lock", "./pond"], cwd=self.cwd, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=self.environment(
                                       DOCKER_HOST=f"unix://{self.place}/docker.sock",
                                       DOCKER_CONFIG=str(self.place / "config")))
        self.addCleanup(process.kill)
        while not self.asked():
            time.sleep(0.02)
            self.assertIsNone(process.poll())
        start = time.monotonic()
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(10), 143)
        self.assertLess(time.monotonic() - start, 5)
        self.assertEqual(self.files(), before)


if __name__ == "__main__":
    unittest.main()
