"""What the tests of "slipway update" share: a program that trusts test keys, and a site with releases.

SPDX-License-Identifier: Apache-2.0
"""
import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import time
import unittest

from release_fixture import Release, documents
from files import SLIPWAY, TOP
from tls_server import Authority, Server

SECONDS = 30  # what takes longer, hangs
PLATFORM = f"linux-{os.uname().machine}"
NEW = "9.9.9"
YEAR = 365 * 86400


def with_root(program, root):
    """The same program with another root of trust inside."""
    start = program.index(documents.MARKER) + len(documents.MARKER)
    return program[:start] + root.ljust(documents.ROOM, b"\0") + program[start + documents.ROOM:]


def with_version(program, old, new):
    """The same program, saying that it is another version."""
    assert len(old) == len(new)
    return re.sub(rb"(?<=[\0/])" + re.escape(old.encode()) + rb"\0", new.encode() + b"\0", program)


class Case(unittest.TestCase):
    """Each test has a home, a directory with the program, and a site without files."""
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.shared = pathlib.Path(os.path.realpath(tempfile.mkdtemp(prefix="slipway-update-")))
        cls.addClassCleanup(shutil.rmtree, cls.shared)
        cls.keys = cls.shared / "keys"
        subprocess.run([TOP / "packaging/release.sh", "keys", cls.keys], check=True,
                       capture_output=True)
        authority = Authority(cls.shared)
        cls.certificate = authority.bundle
        cls.site = Server(authority.issue("site"))
        cls.addClassCleanup(cls.site.close)
        program = pathlib.Path(SLIPWAY).read_bytes()
        cls.old = json.loads(subprocess.run(
            [SLIPWAY, "version", "--json"], check=True, capture_output=True).stdout)["version"]
        cls.program = with_root(program, (cls.keys / "root.1.json").read_bytes())
        cls.newer = with_version(cls.program, cls.old, NEW)
        cls.release_key = documents.KeyFile(cls.keys / "release.1.key")

    def setUp(self):
        self.place = pathlib.Path(tempfile.mkdtemp(prefix="test-", dir=self.shared))
        self.addCleanup(shutil.rmtree, self.place)
        self.home, self.bin = self.place / "home", self.place / "bin"
        self.home.mkdir(mode=0o700)
        self.bin.mkdir(mode=0o755)
        self.install(self.program)
        self.state = self.home / ".local/state/slipway/update"
        self.files, self.asked = self.site.routes, self.site.seen
        self.files.clear()
        self.asked.clear()

    def install(self, program):
        """Puts a program where it updates itself; one that still runs may be there."""
        (self.bin / "slipway").unlink(missing_ok=True)
        (self.bin / "slipway").write_bytes(program)
        (self.bin / "slipway").chmod(0o755)

    def publish(self, version=NEW, serial=2, program=None, key=None, top="", expires=YEAR,
                change=None):
        """Puts a signed release on the site; `change` edits the manifest before it is signed."""
        program = self.newer if program is None else program
        release = Release(key or self.release_key, program, version, serial)
        release.expires = documents.rfc3339(time.time() + expires)
        if change:
            release.text = change(release.manifest())
        release.publish(self.files, top=top)
        return release.manifest()

    def command(self, *words, url=None):
        """The program with its arguments."""
        return [self.bin / "slipway", "update", "--release-url", url or self.site.url, *words]

    def environment(self, **changes):
        """A clean one."""
        return {"PATH": "/usr/bin:/bin", "HOME": str(self.home), "LANG": "C.UTF-8",
                "SSL_CERT_FILE": str(self.certificate),
                "ASAN_OPTIONS": "quarantine_size_mb=1:verify_asan_link_order=0", **changes}

    def update(self, *words, url=None, **options):
        """Runs "slipway update" to its end."""
        done = subprocess.run(self.command(*words, url=url), env=self.environment(),
                              cwd=self.place, stdin=subprocess.DEVNULL, capture_output=True,
                              timeout=SECONDS, check=False, text=True, **options)
        self.assertNotRegex(done.stderr, "CRITICAL|Sanitizer|runtime error")
        return done

    def version(self):
        """What the program says that it is now."""
        done = subprocess.run([self.bin / "slipway", "version"], env=self.environment(),
                              capture_output=True, timeout=SECONDS, check=True, text=True)
        return done.stdout.split()[1]

    def assert_refused(self, done, status, pattern, version=None):
        """That status, a reason, the old program as it was, and no litter beside it."""
        self.assertEqual(done.returncode, status, done.stderr)
        self.assertRegex(done.stderr, pattern)
        self.assertEqual(self.names(), ["slipway"])
        self.assertEqual(self.version(), version or self.old)

    def names(self):
        """What lies in the program's directory."""
        return sorted(os.listdir(self.bin))

    def root(self, number):
        """Root `number` of the shared keys goes to the site."""
        while not (self.keys / f"root.{number}.json").exists():
            subprocess.run([TOP / "packaging/release.sh", "rotate", "--root", self.keys],
                           check=True, capture_output=True)
        for name in (f"root.{number}.json", f"root.{number}.json.sig"):
            self.files[f"/{name}"] = (self.keys / name).read_bytes()
        return documents.KeyFile(self.keys / f"release.{number}.key")


def digest(data):
    """SHA-256 in hex."""
    return hashlib.sha256(data).hexdigest()
