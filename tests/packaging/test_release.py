"""make release: what comes out, the same each time, and what it refuses to sign.

SPDX-License-Identifier: Apache-2.0
"""
import base64
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

from update_support import NEW, SECONDS, TOP, Case, documents

BUILD = """\
VERSION := 9.9.9
ARCH ?= none
OUT := build/static$(filter-out -$(shell uname -m),-$(ARCH))

static:
\tmkdir -p $(OUT)
\tcp $(PROGRAM) $(OUT)/slipway
static-sbom:
\tmkdir -p $(OUT)/licenses/musl
\techo '{}' >$(OUT)/slipway.cdx.json
\techo 'do as you like' >$(OUT)/licenses/musl/COPYRIGHT
release:
\t@VERSION='$(VERSION)' RELEASE_URL='https://slipway.test/releases' \\
\t HOMEPAGE='https://slipway.test' packaging/release.sh make
"""
LOCK = """\
Package: musl
Take: source
Files:
 0123 5 musl_1.orig.tar.gz

Package: meson
Take: binary
Files:
 0123 5 meson_1.deb
"""
FILES = ["SHA256SUMS", "manifest.json", "manifest.json.minisig", "manifest.json.sig",
         *(f"slipway-{NEW}{end}" for end in (
             "-licenses.tar.xz", "-linux-aarch64", "-linux-aarch64.cdx.json", "-linux-x86_64",
             "-linux-x86_64.cdx.json", "-sources.tar", ".tar.xz"))]


class Releases(Case):
    """A small tree with the real tooling in it; only its build is a stand-in."""

    def setUp(self):
        super().setUp()
        self.tree = self.make_tree("tree")

    def make_tree(self, name):
        """A tree whose only commit is tagged as the version."""
        tree = self.place / name
        packaging = tree / "packaging"
        (packaging / "static").mkdir(parents=True)
        (packaging / "roots").mkdir()
        shutil.copytree(TOP / "packaging/release", packaging / "release",
                        ignore=shutil.ignore_patterns("__pycache__"))
        for file in ("release.sh", "install.sh", "stamp.sh"):
            shutil.copy(TOP / "packaging" / file, packaging / file)
        for folder in ("rpm", "arch", "alpine", "homebrew"):
            shutil.copytree(TOP / "packaging" / folder, packaging / folder)
        for file in ("root.1.json", "root.1.json.sig"):
            shutil.copy(self.keys / file, packaging / "roots" / file)
        shutil.copy(self.keys / "root.1.json", packaging / "root.json")
        (packaging / "static/sources.lock").write_text(LOCK)
        (tree / "Makefile").write_text(BUILD)
        (tree / ".gitignore").write_text("/build/\n__pycache__/\n")
        cache = tree / "build/cache/static/files"
        cache.mkdir(parents=True)
        (cache / "musl_1.orig.tar.gz").write_text("musl\n")
        (tree / "build/new").write_bytes(self.newer)
        self.git("init", "-q", "-b", "main", cwd=tree)
        self.commit(tree)
        self.git("tag", f"v{NEW}", cwd=tree)
        return tree

    def git(self, *words, cwd=None):
        """Runs git as somebody, on a fixed day."""
        day = "2026-01-01T00:00:00Z"
        env = {"PATH": os.environ["PATH"], "HOME": str(self.home), "GIT_AUTHOR_DATE": day,
               "GIT_COMMITTER_DATE": day, "GIT_CONFIG_NOSYSTEM": "1",
               **{f"GIT_{who}_{what}": "tester@slipway.test" for who in ("AUTHOR", "COMMITTER")
                  for what in ("NAME", "EMAIL")}}
        subprocess.run(["git", *words], cwd=cwd or self.tree, env=env, check=True,
                       capture_output=True)

    def commit(self, tree):
        """All that is there."""
        self.git("add", "-A", cwd=tree)
        self.git("commit", "-q", "-m", "all", cwd=tree)

    def release(self, tree=None, words=(), **changes):
        """Runs make release."""
        env = {"PATH": os.environ["PATH"], "HOME": str(self.home), "PROGRAM": str(self.tree / "build/new"),
               "RELEASE_KEY": str(self.keys / "release.1.key"), **changes}
        return subprocess.run(["make", "--no-print-directory", "release", *words],
                              cwd=tree or self.tree, env={name: value for name, value in env.items() if value},
                              capture_output=True, text=True, timeout=SECONDS, check=False)

    def assert_refused(self, done, status, pattern, version=None):
        """No release came out, and why."""
        self.assertNotEqual(done.returncode, 0)
        self.assertRegex(done.stderr, pattern)
        self.assertRegex(done.stderr, rf"Error {status}\b")
        self.assertFalse((self.tree / "build/dist").exists())
        self.assertEqual([name for name in os.listdir(self.tree / "build")
                          if name.startswith("release.")], [])

    def test_what_comes_out(self):
        done = self.release()
        self.assertEqual(done.returncode, 0, done.stderr)
        dist = self.tree / "build/dist"
        folder = dist / f"v{NEW}"
        self.assertEqual(sorted(os.listdir(folder)), FILES)
        self.assertEqual(sorted(os.listdir(dist)), [
            "install.sh", "manifest.json", "manifest.json.minisig", "manifest.json.sig", "packaging",
            "root.1.json", "root.1.json.sig", f"v{NEW}"])
        subprocess.run(["sha256sum", "--quiet", "--strict", "-c", "SHA256SUMS"], cwd=folder,
                       check=True)
        self.check_manifest(dist)
        self.check_minisign(dist)
        self.check_installer(dist)
        self.check_archives(folder)
        self.check_recipes(dist)
        self.check_no_secret(dist, done)

    def check_manifest(self, dist):
        """As in the contract: one artifact a line, sizes and digests of what is there."""
        text = (dist / "manifest.json").read_text()
        manifest = json.loads(text)
        self.assertEqual((manifest["schema"], manifest["version"], manifest["serial"],
                          manifest["expires"]), (1, NEW, 1, "2027-01-01T00:00:00Z"))
        for artifact in manifest["artifacts"]:
            self.assertIn(json.dumps(artifact),
                          [line.strip().rstrip(",") for line in text.splitlines()])
            data = (dist / artifact["path"]).read_bytes()
            self.assertEqual((len(data), documents.hashlib.sha256(data).hexdigest()),
                             (artifact["size"], artifact["sha256"]))
        self.assertEqual([artifact["kind"] for artifact in manifest["artifacts"]],
                         ["program", "program", "source", "sbom", "sbom", "licenses", "third-party"])

    def check_minisign(self, dist):
        """The real minisign agrees, and so does the program."""
        public = self.release_key.public
        key = base64.b64encode(b"Ed" + documents.key_id(public) + public).decode()
        for extra in ([], ["-H"]):
            subprocess.run(["minisign", "-V", *extra, "-P", key, "-m", dist / "manifest.json"],
                           check=True, capture_output=True)
        done = self.update("--verify-manifest", dist / "manifest.json")
        self.assertEqual(done.returncode, 0, done.stderr)
        done = self.update(url=str(dist))
        self.assertEqual((done.returncode, self.version()), (0, NEW), done.stderr)

    def check_installer(self, dist):
        """It knows the key and the address."""
        text = (dist / "install.sh").read_text()
        self.assertIn(f"release_keys='{self.release_key.public.hex()}'\n", text)
        self.assertIn("release_url='https://slipway.test/releases'", text)

    def check_archives(self, folder):
        """The sources of what is inside the program, not of the tools that built it."""
        def names(file):
            return subprocess.run(["tar", "-tf", folder / file], check=True, capture_output=True,
                                  text=True).stdout.split()
        sources = names(f"slipway-{NEW}-sources.tar")
        self.assertTrue(any(name.endswith("packages/musl_1.orig.tar.gz") for name in sources))
        self.assertFalse(any("meson" in name for name in sources))
        self.assertTrue(any(name.endswith("musl/COPYRIGHT")
                            for name in names(f"slipway-{NEW}-licenses.tar.xz")))
        self.assertIn(f"slipway-{NEW}/packaging/release.sh", names(f"slipway-{NEW}.tar.xz"))

    def check_recipes(self, dist):
        """They build from the archive of this release."""
        digest = documents.hashlib.sha256(
            (dist / f"v{NEW}/slipway-{NEW}.tar.xz").read_bytes()).hexdigest()
        self.assertEqual(sorted(os.listdir(dist / "packaging")), [
            "APKBUILD", "PKGBUILD", "slipway.rb", "slipway.rpmlintrc", "slipway.spec"])
        self.assertIn(digest, (dist / "packaging/PKGBUILD").read_text())
        self.assertIn(f"https://slipway.test/releases/v{NEW}/slipway-{NEW}.tar.xz",
                      (dist / "packaging/slipway.rb").read_text())

    def check_no_secret(self, dist, done):
        """No part of a private key gets out."""
        secret = "".join((self.keys / "release.1.key").read_text().splitlines()[1:-1])
        raw = base64.b64decode(secret)[-32:]
        for path in [path for path in dist.rglob("*") if path.is_file()]:
            data = path.read_bytes()
            self.assertNotIn(raw, data)
            self.assertNotIn(secret.encode(), data)
        self.assertNotIn(secret, done.stdout + done.stderr)

    def test_same_bytes_each_time(self):
        other = self.make_tree("other")
        for tree in (self.tree, other):
            done = self.release(tree)
            self.assertEqual(done.returncode, 0, done.stderr)
        subprocess.run(["diff", "-r", self.tree / "build/dist", other / "build/dist"], check=True)

    def test_no_recipes_of_a_pre_release(self):
        """rpm, pacman, apk and dpkg would all read its version as something else."""
        done = self.release(words=["VERSION=9.9.9-rc.1"], RELEASE_UNTAGGED="1")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("no recipes", done.stderr)
        self.assertFalse((self.tree / "build/dist/packaging").exists())

    def test_serial_counts_the_releases(self):
        for number in (1, 2):
            self.git("tag", "-f", f"v0.0.{number}")
        self.assertEqual(self.release().returncode, 0)
        manifest = json.loads((self.tree / "build/dist/manifest.json").read_text())
        self.assertEqual(manifest["serial"], 3)

    def test_refuses_a_changed_tree(self):
        (self.tree / "more").write_text("x")
        self.assert_refused(self.release(), 78, "not committed")

    def test_refuses_what_is_not_tagged(self):
        self.git("tag", "-d", f"v{NEW}")
        self.assert_refused(self.release(), 78, "not tagged")
        self.assertEqual(self.release(RELEASE_UNTAGGED="1").returncode, 0)

    def test_refuses_a_root_without_keys(self):
        shutil.copy(TOP / "packaging/root.json", self.tree / "packaging/root.json")
        if json.loads((TOP / "packaging/root.json").read_text())["version"] != 0:
            self.fail("the tree has keys now: make this test use a root of version 0")
        self.commit(self.tree)
        self.assert_refused(self.release(RELEASE_UNTAGGED="1"), 78, "has no keys")

    def test_refuses_other_keys(self):
        stranger = documents.new_key(self.place / "stranger.key").path
        self.assert_refused(self.release(RELEASE_KEY=str(stranger)), 78, "not one of those in")
        self.assert_refused(self.release(RELEASE_KEY=str(self.keys / "root.1.key")), 78,
                            "not one of those in")
        self.assert_refused(self.release(RELEASE_KEY=None), 64, "say which key signs")
        stranger.chmod(0o644)
        self.assert_refused(self.release(RELEASE_KEY=str(stranger)), 77, "mode 0600")
        self.assert_refused(self.release(RELEASE_KEY="/dev/null"), 77, "mode 0600")

    def test_refuses_a_program_with_another_root(self):
        (self.tree / "build/new").write_bytes(self.newer.replace(documents.MARKER, b"x" * 36))
        self.assert_refused(self.release(), 78, "built with another root")

    def test_refuses_a_cache_without_sources(self):
        (self.tree / "build/cache/static/files/musl_1.orig.tar.gz").unlink()
        self.assert_refused(self.release(), 69, "musl_1.orig.tar.gz is not in the cache")

    def test_external_signer(self):
        key = self.keys / "release.1.key"
        signer = self.place / "signer"
        signer.write_text("#!/bin/sh\ncat >\"$1.in\"\nexec openssl pkeyutl -sign -rawin "
                          f"-inkey {key} -in \"$1.in\"\n")
        signer.chmod(0o755)
        public = self.release_key.public.hex()
        done = self.release(RELEASE_KEY=None, RELEASE_PUBLIC=public,
                            RELEASE_SIGNER=f"{signer} {self.place}/message")
        self.assertEqual(done.returncode, 0, done.stderr)
        shutil.rmtree(self.tree / "build/dist")
        for lie in ("head -c 64 /dev/zero", "echo", "false"):
            done = self.release(RELEASE_KEY=None, RELEASE_PUBLIC=public, RELEASE_SIGNER=lie)
            self.assert_refused(done, 69 if lie == "false" else 76, "signer|not its signature")


class Keys(unittest.TestCase):
    """Making keys and replacing them."""

    def setUp(self):
        self.place = pathlib.Path(tempfile.mkdtemp(prefix="slipway-keys-"))
        self.addCleanup(shutil.rmtree, self.place)
        self.keys = self.place / "keys"

    def tool(self, *words):
        """Runs packaging/release.sh."""
        return subprocess.run([TOP / "packaging/release.sh", *words], capture_output=True,
                              text=True, timeout=SECONDS, check=False)

    def test_makes_keys_once(self):
        done = self.tool("keys", self.keys)
        self.assertEqual(done.returncode, 0, done.stderr)
        for name in os.listdir(self.keys):
            self.assertEqual((self.keys / name).stat().st_mode & 0o077, 0)
        self.assertNotIn("PRIVATE", done.stdout + done.stderr)
        self.assertNotEqual(self.tool("keys", self.keys).returncode, 0)

    def test_rotates(self):
        self.tool("keys", self.keys)
        first = json.loads((self.keys / "root.1.json").read_text())
        self.assertEqual(self.tool("rotate", self.keys).returncode, 0)
        second = json.loads((self.keys / "root.2.json").read_text())
        self.assertEqual(first["roots"], second["roots"])
        self.assertNotEqual(first["releases"], second["releases"])
        (self.keys / "root.1.key").rename(self.place / "gone")
        done = self.tool("rotate", "--root", self.keys)
        self.assertEqual(done.returncode, 69, done.stderr)
        self.assertIn("0 of the 1 root keys", done.stderr)
        self.assertFalse((self.keys / "release.3.key").exists())

    def test_usage(self):
        for words in ([], ["sign"], ["nonsense"], ["keys"]):
            done = self.tool(*words)
            self.assertEqual(done.returncode, 64, done.stderr)
            self.assertRegex(done.stderr, re.compile("usage", re.I))


if __name__ == "__main__":
    unittest.main()
