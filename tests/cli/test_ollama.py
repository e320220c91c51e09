"""Ollama from a release to an answer and back, as a process of one's own; the program is a stand-in.

SPDX-License-Identifier: Apache-2.0
"""
import fcntl
import hashlib
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest
import urllib.error
import urllib.request

from cli_support import STACK_INI, Case, tree
from ollama_release import Releases, compile_standin

STEPS = """
[step ollama]
kind = ollama
version = {version}
release = {releases}
path = @prefix@/ollama
host = 127.0.0.1:{port}
minimum = 0.9.0
wait_s = 3
{more}
"""
MODEL = """
[step model]
kind = model
after = ollama
name = {model}
host = 127.0.0.1:{port}
registry = {registry}
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Ollama(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.built = pathlib.Path(tempfile.mkdtemp(prefix="slipway-standin-"))
        cls.addClassCleanup(shutil.rmtree, cls.built)
        compile_standin(cls.built / "ollama", options=())

    def setUp(self):
        super().setUp()
        self.port = free_port()
        self.registry_port = None
        self.releases = Releases(self.place / "releases", self.built / "ollama")
        self.stack = self.make_stack()
        self.addCleanup(self.end_service)

    def define(self, version, model=None, more="own = yes", **places):
        """`own`: whether this machine has an Ollama of its own does not matter."""
        steps = STEPS + (MODEL if model else "")
        (self.stack / "stack.ini").write_text(STACK_INI + steps.format(**{
            "version": version, "releases": self.releases.place, "port": self.port, "model": model, "more": more,
            "registry": f"http://127.0.0.1:{self.registry()}" if model else "", **places}))

    def registry(self):
        """A server that has manifests: a stand-in elsewhere."""
        if self.registry_port is None:
            self.registry_port = free_port()
            self.start_standin("registry", "0.0.0", self.registry_port)
        return self.registry_port

    def run_program(self, *arguments, env=None, **options):
        return super().run_program(*arguments, env={
            "SLIPWAY_SERVICE_MANAGER": "process", **(env or {})}, **options)

    def install(self, *options, **more):
        return self.run_program("install", self.stack, "--yes", *options, **more)

    def holder(self):
        """The process that has the lock on the pid file, as the kernel says."""
        path = self.state / "services/slipway-ollama.pid"
        if not path.exists():
            return None
        inode = str(path.stat().st_ino)
        for line in pathlib.Path("/proc/locks").read_text().splitlines():
            words = line.split()
            if "POSIX" in words and words[words.index("POSIX") + 4].split(":")[2] == inode:
                return int(words[words.index("POSIX") + 3])
        return None

    def end_service(self):
        pid = self.holder()
        if pid:
            os.kill(pid, signal.SIGKILL)

    def version(self):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/api/version", timeout=5) as answer:
                return json.load(answer)["version"]
        except (urllib.error.URLError, ConnectionError):
            return None

    def models(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/api/tags", timeout=5) as answer:
            return [model["name"] for model in json.load(answer)["models"]]

    def installed(self):
        """What there is of ours, less the log and what Ollama itself keeps."""
        found = {path: what for path, what in tree(self.home).items()
                 if not path.startswith((".local/state/slipway/log", ".local/state/slipway/history", ".ollama"))}
        return {path: hashlib.sha256(repr(what).encode()).hexdigest() for path, what in found.items()
                if path != "."}

    def assert_succeeds(self, result):
        self.assertEqual(result.status, 0, result)
        return result

    def uninstall(self, *options):
        return self.assert_succeeds(self.run_program("uninstall", "probe", "--yes", *options))

    def test_a_port_of_somebody_else(self):
        """60: asked before anything is changed; who has it is named."""
        self.releases.add("0.13.0")
        self.define("0.13.0")
        before = tree(self.home)
        with socket.create_server(("127.0.0.1", self.port)):
            name = pathlib.Path("/proc/self/comm").read_text().strip()
            self.assert_refused(self.install(), 69, rf"port {self.port} is taken by {name} \(process {os.getpid()}\)")
        self.assertEqual({path for path in tree(self.home) if path not in before and not path.startswith(".local")}, set())
        self.assert_succeeds(self.install())
        self.uninstall()

    def test_the_server_knows_the_proxy(self):
        """It pulls by itself; a password is put into no file."""
        self.releases.add("0.13.0")
        self.define("0.13.0")
        said = {"HTTPS_PROXY": "http://proxy.invalid:3128", "https_proxy": "http://me:secret@proxy.invalid:3128",
                "NO_PROXY": "localhost", "SSL_CERT_FILE": str(self.place / "ca.crt")}
        self.assert_succeeds(self.install(env=said))
        environment = pathlib.Path(f"/proc/{self.holder()}/environ").read_bytes().decode().split("\0")
        for name in ("HTTPS_PROXY", "NO_PROXY", "SSL_CERT_FILE"):
            self.assertIn(f"{name}={said[name]}", environment)
        for path in self.home.rglob("*"):
            if path.is_file() and not path.is_symlink():
                self.assertNotIn(b"me:secret", path.read_bytes(), path)
        self.uninstall()

    def test_from_release_to_answer_and_back(self):
        self.releases.add("0.13.0")
        self.define("0.13.0")
        result = self.assert_succeeds(self.install())
        self.assertIn("slipway up", result.out)
        self.assertEqual(self.version(), "0.13.0")
        self.assertTrue((self.home / "probe/ollama/lib/ollama/libggml-base.so").exists())
        pid = self.holder()
        self.assertEqual(os.readlink(f"/proc/{pid}/cwd"), "/")
        self.assertEqual(os.getsid(pid), os.getpgid(pid))
        files = [os.readlink(path) for path in pathlib.Path(f"/proc/{pid}/fd").iterdir()]
        log, lock = (str(self.state / "services/slipway-ollama") + end for end in (".log", ".pid"))
        self.assertEqual(sorted(file for file in files if not file.startswith("socket:")),
                         sorted(["/dev/null", log, log, lock]))
        environment = pathlib.Path(f"/proc/{pid}/environ").read_text()
        self.assertIn(f"OLLAMA_HOST=127.0.0.1:{self.port}\0", environment)
        self.assertNotIn("SLIPWAY_", environment)

        before = self.installed()
        again = self.assert_succeeds(self.install())
        self.assertIn("nothing changed", again.out)
        self.assertEqual(self.holder(), pid)
        self.assertEqual(self.installed(), before)

        result = self.uninstall()
        self.assertIsNone(self.version())
        self.assertFalse((self.home / "probe").exists())
        self.assertFalse((self.state / "services").exists())
        self.assertFalse((self.state / "listings").exists())

    def test_down_and_up(self):
        """As after a restart of the machine: "up" starts it, once."""
        self.releases.add("0.13.0")
        self.define("0.13.0")
        self.assert_succeeds(self.install())
        self.assertIn("Ollama was stopped", self.assert_succeeds(self.run_program("down", "probe")).out)
        self.assertIsNone(self.version())
        self.assertNotIn("stopped", self.assert_succeeds(self.run_program("down", "probe")).out)
        self.assertIn("nothing changed", self.assert_succeeds(self.install()).out)
        self.assertIn("Ollama was started", self.assert_succeeds(self.run_program("up", "probe")).out)
        self.assert_answers("0.13.0")
        pid = self.holder()
        self.assertNotIn("started", self.assert_succeeds(self.run_program("up", "probe")).out)
        self.assertEqual(self.holder(), pid)

    def test_the_lock_is_awaited(self):
        """Another run has the machine: nothing is stopped or started beside it."""
        self.releases.add("0.13.0")
        self.define("0.13.0")
        self.assert_succeeds(self.install())
        with open(self.state / "lock", "r+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self.assert_refused(self.run_program("down", "probe"), 75)
            self.assert_answers("0.13.0")
            self.assertIn("nothing changed", self.assert_succeeds(self.run_program("up", "probe")).out)
        self.assert_succeeds(self.run_program("down", "probe"))
        with open(self.state / "lock", "r+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self.assert_refused(self.run_program("up", "probe"), 75)
            self.assertIsNone(self.version())
            self.assertIn("nothing changed", self.assert_succeeds(self.run_program("down", "probe")).out)

    def test_upgrade(self):
        self.releases.add("0.13.0")
        self.releases.add("0.13.1")
        self.define("0.13.0")
        self.assert_succeeds(self.install())
        self.define("0.13.1")
        self.assert_succeeds(self.install())
        self.assertEqual(self.version(), "0.13.1")
        self.uninstall()
        self.assertIsNone(self.version())
        self.assertFalse((self.home / "probe").exists())
        self.assertFalse((self.state / "services").exists())

    def test_upgrade_that_does_not_answer(self):
        """The old one runs again, exactly as it was."""
        self.releases.add("0.13.0")
        self.define("0.13.0")
        self.assert_succeeds(self.install())
        before = self.installed()
        for version, behaviour, why in (
                ("0.13.1", "mute", "does not answer"), ("0.13.2", "dies", "this release is broken"),
                ("0.13.3", "lies", r"Ollama 0\.0\.1 answers .*, not 0\.13\.3")):
            with self.subTest(behaviour):
                self.releases.add(version, behaviour)
                self.define(version)
                self.assert_refused(self.install(), 3, why)
                self.assert_answers("0.13.0")
                after = self.installed()
                for path in (".local/state/slipway/services/slipway-ollama.log",):
                    after.pop(path, None)
                    before.pop(path, None)
                self.assertEqual(after, before)

    def assert_answers(self, version):
        for _ in range(50):
            if self.version():
                break
            time.sleep(0.1)
        self.assertEqual(self.version(), version)

    def test_first_one_that_does_not_answer(self):
        self.releases.add("0.13.0", "dies")
        self.define("0.13.0")
        self.assert_refused(self.install(), 3, "was started and does not answer.*this release is broken")
        self.assertFalse((self.home / "probe").exists())
        self.assertFalse((self.state / "services").exists())

    def test_wrong_digest(self):
        self.releases.add("0.13.0", bad_digest=True)
        self.define("0.13.0")
        self.assert_refused(self.install(), 76, "digest")
        self.assertFalse((self.home / "probe").exists())

    def test_pinned_digest(self):
        digest = self.releases.add("0.13.0")
        name = next(path.name for path in (self.releases.place / "v0.13.0").glob("*.tgz"))
        (self.releases.place / "v0.13.0/sha256sum.txt").unlink()
        self.define("0.13.0", more=f"own = yes\ndigests = {name}={'0' * 64}")
        self.assert_refused(self.install(), 76, "digest")
        self.define("0.13.0", more=f"own = yes\ndigests = {name}={digest}")
        self.assert_succeeds(self.install())
        self.assertEqual(self.version(), "0.13.0")

    def test_the_second_mirror_has_it(self):
        """The list of digests, the release, and the manifest of the model."""
        self.releases.add("0.13.0")
        self.define("0.13.0", model="tiny", releases="https://releases.invalid", registry="https://registry.invalid")
        nobody = f"http://127.0.0.1:{free_port()}"
        mirrors = {"https://releases.invalid": (self.place / "nothing", self.releases.place),
                   "https://registry.invalid": (nobody, f"http://127.0.0.1:{self.registry()}")}
        options = [word for start, places in mirrors.items() for place in places
                   for word in ("--mirror", f"{start}={place}")]
        result = self.assert_succeeds(self.install(*options))
        self.assertNotIn("Deferred", result.out)
        self.assertEqual((self.version(), self.models()), ("0.13.0", ["tiny:latest"]))
        self.assertIn("nothing changed", self.assert_succeeds(self.install(*options)).out)
        self.uninstall()

    def test_one_that_answers_is_left_alone(self):
        """Whoever started it: no file, no process, no change."""
        self.start_foreign("0.12.0")
        self.define("0.13.0", more="")  # a release that is not there: nothing asks for it
        self.assert_succeeds(self.install())
        self.assertEqual(self.version(), "0.12.0")
        self.assertFalse((self.home / "probe").exists())
        again = self.assert_succeeds(self.install())
        self.assertIn("nothing changed", again.out)
        self.uninstall()
        self.assertEqual(self.version(), "0.12.0")

    def test_one_that_is_named_by_ollama_host(self):
        self.start_foreign("0.12.0")
        host, self.port = self.port, free_port()
        self.define("0.13.0", more="")
        self.assert_succeeds(self.install(env={"OLLAMA_HOST": f"127.0.0.1:{host}"}))
        self.assertIsNone(self.version())
        self.assertFalse((self.home / "probe").exists())

    def test_one_that_is_too_old(self):
        self.start_foreign("0.1.0")
        self.define("0.13.0", more="")
        self.assert_refused(self.install(), 69, r"is 0\.1\.0, older than 0\.9\.0")
        self.assertEqual(self.version(), "0.1.0")

    def test_one_that_is_installed_is_left_alone(self):
        """A program in the home directory; nothing runs."""
        program = self.home / ".local/bin/ollama"
        program.parent.mkdir(parents=True)
        shutil.copy(self.built / "ollama", program)
        self.define("0.13.0", more="")
        self.assert_succeeds(self.install())
        self.assertFalse((self.home / "probe").exists())

    def start_foreign(self, version):
        self.start_standin("foreign", version, self.port)
        self.assert_answers(version)

    def start_standin(self, name, version, port):
        top = self.place / name
        (top / "bin").mkdir(parents=True)
        shutil.copy(self.built / "ollama", top / "bin")
        (top / "version").write_text(version)
        process = subprocess.Popen(
            [top / "bin/ollama", "serve"], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE,
            env={"HOME": str(top), "OLLAMA_HOST": f"127.0.0.1:{port}"})
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.assertIn(b"listens", process.stderr.readline())

    def test_own_one_at_a_port_that_is_taken(self):
        self.start_foreign("0.12.0")
        self.releases.add("0.13.0")
        self.define("0.13.0")
        self.assert_refused(self.install(), 75, "an Ollama that slipway did not install answers")
        self.assertEqual(self.version(), "0.12.0")
        self.assertFalse((self.home / "probe").exists())

    def test_open_to_the_network(self):
        for host in ("10.0.0.1", "https://example.org", "ollama.lan:11434"):
            self.define("0.13.0", more="")
            result = self.install("--set", f"step.ollama.host={host}")
            self.assert_refused(result, 78, "open to other machines")

    def test_bad_settings(self):
        self.define("latest")
        self.assert_refused(self.install(), 78, "no version of Ollama")
        self.define("0.13.0")
        self.assert_refused(self.install("--service-manager", "init"), 78, "no such manager")

    def test_model(self):
        self.releases.add("0.13.0", pull="mismatch-once")
        self.define("0.13.0", model="llama3.2:3b")
        self.assert_succeeds(self.install())
        self.assertEqual(self.models(), ["llama3.2:3b"])
        again = self.assert_succeeds(self.install())
        self.assertIn("nothing changed", again.out)
        self.assertIn("--models removes them", self.uninstall().out)
        self.assertTrue((self.home / ".ollama/models/llama3.2:3b").exists(), "models are data")

    def test_model_that_is_there_already(self):
        (self.home / ".ollama/models").mkdir(parents=True)
        (self.home / ".ollama/models/tiny:latest").touch()
        self.releases.add("0.13.0", pull="error")
        self.define("0.13.0", model="tiny")
        self.assert_succeeds(self.install())
        self.uninstall("--models")
        self.assertTrue((self.home / ".ollama/models/tiny:latest").exists(), "it was there before")

    def test_model_is_removed_when_asked_for(self):
        self.releases.add("0.13.0")
        self.define("0.13.0", model="tiny")
        self.assert_succeeds(self.install())
        self.uninstall("--models")
        self.assertFalse((self.home / ".ollama/models/tiny:latest").exists())

    def test_model_that_cannot_be_had(self):
        """Ollama is of use without it: it is put off, said, and done by "resume"."""
        for number, (model, pull, why) in enumerate((
                ("huge:1b", "", "does not fit: it takes 90.9 TiB"), ("absent:1b", "", "HTTP status 404"),
                ("a:1b", "error", "max retries exceeded"), ("b:1b", "short", "answer ended before"),
                ("c:1b", "mismatch", "digest mismatch"))):
            with self.subTest(model):
                version = f"0.13.{number}"
                self.releases.add(version, pull=pull)
                self.define(version, model=model)
                result = self.install()
                self.assert_succeeds(result)
                self.assertRegex(result.out, rf"(?s)Deferred:\s+model: .*{why}.*slipway resume")
                self.assertEqual(self.models(), [])
                (self.home / "probe/ollama/pull").write_text("")
                self.uninstall()
                shutil.rmtree(self.home / "probe", ignore_errors=True)

    def test_resume_pulls_what_was_put_off(self):
        self.releases.add("0.13.0", pull="error")
        self.define("0.13.0", model="a:1b")
        self.assert_succeeds(self.install())
        self.assertEqual(self.models(), [])
        (self.home / "probe/ollama/pull").unlink()
        self.assert_succeeds(self.run_program("resume", "--yes"))
        self.assertEqual(self.models(), ["a:1b"])


if __name__ == "__main__":
    unittest.main()
