"""What the tests of packaging/install.sh share: a home, a server, a PATH, and one way to run it.

SPDX-License-Identifier: Apache-2.0
"""

import atexit
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

from release_fixture import Release, new_key
from files import TOP
from tls_server import Authority, Server

SOURCE = (TOP / "packaging/install.sh").read_text()
SECONDS = 60
NAME = "/v0.2.0/slipway-0.2.0-linux-x86_64"
SHELLS = {
    "dash": ["dash"],
    "bash": ["bash"],
    "bash --posix": ["bash", "--posix"],
    "busybox": ["busybox", "sh"],
}
# What install.sh needs of a machine, beside something to download with
# and to check signatures with.
TOOLS = """sh cat chmod cp cut date dpkg getconf grep head id mkdir mktemp mv rm rmdir sed sha256sum
sleep sort sync tail timeout tr uname wc printf base64""".split()

# A program as far as install.sh can see.
PROGRAM = """#!/bin/sh
case "$1 ${{2:-}}" in
"version "*) echo "slipway {version}" ;;
"status --json") cat "$0.stacks" 2>/dev/null || printf '{{\\n  "stacks": {{}},\\n}}\\n' ;;
"help update") echo "{help}" ;;
"update --verify-manifest") grep -q good "$3.sig" || exit 76 ;;
*)
  printf '<%s>' "$@"
  cat
  exit 42
  ;;
esac
"""
STACKS = """{
  "schema": 1,
  "stacks": {
    "localagent": {
      "title": "LocalAgent"
    }
  },
  "interrupted": false
}
"""


def program(version, help_text="-"):
    return PROGRAM.format(version=version, help=help_text).encode()


def executable(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    path.chmod(0o755)
    return path


class World:
    """What all tests share and none changes: keys, certificates, tools by name."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="slipway-install-"))
        self.authority = Authority(self.folder)
        self.certificate = self.authority.issue("server")
        self.key = new_key(self.folder, "release")
        self.other_key = new_key(self.folder, "other")
        # Between its attempts the script waits; a test does not.
        executable(self.folder / "quick/sleep", "#!/bin/sh\n")

    def tools(self, *more):
        """Returns: a folder with links to TOOLS and those, to be the whole PATH."""
        folder = self.folder / "-".join(("tools",) + more)
        if not folder.exists():
            folder.mkdir()
            for name in (*TOOLS, *more):
                if shutil.which(name):  # dpkg is not everywhere
                    (folder / name).symlink_to(shutil.which(name))
        return folder


WORLD = World()
atexit.register(shutil.rmtree, WORLD.folder)


class Case(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="slipway-home-"))
        self.addCleanup(shutil.rmtree, self.home, ignore_errors=True)
        self.temp = self.home / "tmp"
        self.temp.mkdir()
        self.dir = self.home / "bin"
        self.target = self.dir / "slipway"
        self.server = Server(WORLD.certificate)
        self.addCleanup(self.server.close)
        self.keys = WORLD.key.public.hex()
        self.path = os.environ["PATH"]
        self.env = {}
        self.run_as = {}

    def publish(self, version="0.2.0", serial=2, **options):
        release = Release(
            WORLD.key, options.pop("program", None) or program(version), version, serial
        )
        release.publish(self.server.routes, **options)
        return release

    def script(self):
        text = re.sub(
            "^release_url=.*$", f"release_url='{self.server.url}'", SOURCE, count=1, flags=re.M
        )
        return re.sub("^release_keys=.*$", f"release_keys='{self.keys}'", text, count=1, flags=re.M)

    def environment(self):
        return {
            "PATH": f"{WORLD.folder}/quick:{self.path}",
            "HOME": str(self.home),
            "TMPDIR": str(self.temp),
            "XDG_DATA_HOME": str(self.home / "data"),
            "CI": "1",
            "SLIPWAY_CA_BUNDLE": str(WORLD.authority.bundle),
            **self.env,
        }

    def run_sh(self, *arguments, shell=("dash",), where=True):
        """Pipes the script into a shell.  Returns: status, stdout, stderr."""
        place = ["--dir", str(self.dir)] if where else []
        done = subprocess.run(
            [shutil.which(shell[0]), *shell[1:], "-s", "--", *place, *arguments],
            check=False,
            input=self.script(),
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=self.environment(),
            cwd=self.home,
            timeout=SECONDS,
            **self.run_as,
        )
        return done.returncode, done.stdout, done.stderr

    def expect(self, status, pattern, *arguments, **options):
        got, out, err = self.run_sh(*arguments, **options)
        self.assertEqual(got, status, out + err)
        self.assertRegex(err, pattern)
        self.assertEqual(list(self.temp.iterdir()), [], "litter")
        return err

    def old_program(self, version="0.1.0", **options):
        executable(self.target, program(version, **options))
