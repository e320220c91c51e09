"""slipway update, through the real program: what it takes, what it refuses, and dying half way.

SPDX-License-Identifier: Apache-2.0
"""
import json
import os
import random
import shutil
import stat
import subprocess
import time
import unittest

from update_support import NEW, PLATFORM, SECONDS, YEAR, Case, digest, documents, with_version
from tls_server import cut, redirect


class Updates(Case):
    """What goes well."""

    def test_replaces_the_program(self):
        (self.bin / "slipway").chmod(0o750)
        self.publish()
        done = self.update("--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        document = json.loads(done.stdout)
        self.assertEqual([document[name] for name in ("current", "available", "changed")],
                         [self.old, NEW, True])
        self.assertEqual(self.version(), NEW)
        self.assertEqual(self.names(), ["slipway", "slipway.prev"])
        self.assertEqual((self.bin / "slipway.prev").read_bytes(), self.program)
        for name in self.names():
            self.assertEqual(stat.S_IMODE((self.bin / name).stat().st_mode), 0o750)

    def test_nothing_new_writes_nothing(self):
        self.publish()
        self.update()
        places = [self.bin, *self.bin.iterdir(), *self.state.iterdir()]
        before = [(path, path.stat().st_ino, path.stat().st_mtime_ns) for path in places]
        self.asked.clear()
        done = self.update()
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("nothing to do", done.stdout)
        self.assertEqual(
            before, [(path, path.stat().st_ino, path.stat().st_mtime_ns) for path in places])
        self.assertEqual(self.asked,
                         ["/root.2.json", "/manifest.json", "/manifest.json.sig"])

    def test_check_only_tells(self):
        self.publish()
        done = self.update("--check")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(NEW, done.stdout)
        self.assertEqual((self.version(), self.names()), (self.old, ["slipway"]))

    def test_revert_and_forth(self):
        self.publish()
        self.update()
        for expected in (self.old, NEW, self.old):
            done = self.update("--revert")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(self.version(), expected)
            self.assertEqual(self.names(), ["slipway", "slipway.prev"])
        self.assertEqual((self.bin / "slipway").read_bytes(), self.program)

    def test_rotation_over_two_roots(self):
        self.root(2)
        key = self.root(3)
        self.publish(key=key)
        done = self.update()
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.version(), NEW)
        self.assertEqual(json.loads((self.state / "root.json").read_bytes())["version"], 3)
        # The old roots are gone from the site, and the new one is remembered.
        self.files.clear()
        self.publish(key=key, serial=3)
        self.assertEqual(self.update("--check").returncode, 0)
        self.publish(serial=4)  # by the release key of root 1, which has been replaced
        self.assertEqual(self.update("--check").returncode, 76)

    def test_new_keys_forget_old_numbers(self):
        self.publish(serial=2 ** 50)  # by whoever stole the key of root 1
        self.update("--check")
        self.publish(serial=3, key=self.root(2))
        done = self.update()
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_named_version(self):
        self.publish(serial=5)
        middle = with_version(self.program, self.old, "5.0.0")
        self.publish("5.0.0", serial=2, program=middle, expires=-YEAR)
        self.files["/manifest.json"], self.files["/manifest.json.sig"] = (
            self.files[f"/v{NEW}/manifest.json{end}"] for end in ("", ".sig"))
        done = self.update("--to", "5.0.0")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.version(), "5.0.0")
        self.assertIn("has expired", done.stderr)
        self.assertEqual(self.update("--to", "6.0.0").returncode, 69)
        self.assertEqual(self.update("--to", "six").returncode, 64)

    def test_mirror(self):
        self.publish(top="/mirrored")
        done = self.update("--mirror", f"https://slipway.invalid/x={self.site.url}/mirrored",
                           url="https://slipway.invalid/x")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.version(), NEW)

    def test_the_second_mirror(self):
        """The first has the signed manifest and another program: only the digest tells."""
        self.publish(top="/second")
        for name, data in list(self.files.items()):
            self.files[name.replace("/second", "/first")] = data if "manifest" in name else data[::-1]
        for first in ("/first", "/nothing"):
            with self.subTest(first):
                self.install(self.program)
                done = self.update(*(word for place in (first, "/second") for word in
                                     ("--mirror", f"https://slipway.invalid/x={self.site.url}{place}")),
                                   url="https://slipway.invalid/x")
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertEqual(self.version(), NEW)

    def test_from_a_directory(self):
        self.publish()
        for name, data in self.files.items():
            path = self.place / "copy" / name[1:]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        done = self.update(url=str(self.place / "copy"))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual((self.version(), self.asked), (NEW, []))

    def test_verifies_a_manifest_for_the_installer(self):
        manifest = self.publish()
        path = self.place / "manifest.json"
        path.write_bytes(manifest)
        mark = self.files["/manifest.json.sig"]
        for text, signature, status in [(manifest, mark, 0), (manifest + b"\n", mark, 76),
                                        (manifest, b"", 65), (manifest, mark[:-1], 65)]:
            path.write_bytes(text)
            (self.place / "manifest.json.sig").write_bytes(signature)
            done = self.update("--verify-manifest", "manifest.json")
            self.assertEqual(done.returncode, status, done.stderr)
        (self.place / "manifest.json.sig").unlink()
        self.assertNotEqual(self.update("--verify-manifest", path).returncode, 0)
        self.assertEqual(self.asked, [])


class Refusals(Case):
    """What must not replace the program; each leaves it as it was."""

    def test_downgrade(self):
        self.publish("0.0.1", program=with_version(self.program, self.old, "0.0.1"))
        self.assert_refused(self.update(), 76, "older than this program")
        self.assert_refused(self.update("--allow-downgrade"), 64, "--yes")
        done = self.update("--allow-downgrade", "--yes")
        self.assertEqual((done.returncode, self.version()), (0, "0.0.1"), done.stderr)

    def test_rollback_of_the_serial(self):
        self.publish(serial=7)
        self.update("--check")
        self.publish(serial=6)
        self.assert_refused(self.update(), 76, "serial number 6, and 7 was seen")

    def test_equivocation(self):
        self.publish(serial=7)
        self.update("--check")
        self.publish(serial=7, expires=2 * YEAR)
        self.assert_refused(self.update(), 76, "two different manifests")

    def test_rollback_of_the_root(self):
        self.root(2)
        key = self.root(3)
        self.publish(key=key)
        self.update("--check")
        del self.files["/root.3.json"]  # as if root 2 were the newest
        self.publish(key=documents.KeyFile(self.keys / "release.2.key"), serial=3)
        self.assert_refused(self.update(), 76, "no signature of a release key of root version 3")

    def test_roots_that_nobody_signed(self):
        self.root(2)
        self.files["/root.2.json"] = self.files["/root.2.json"].replace(b'"roots"', b'"root5"')
        self.publish()
        self.assert_refused(self.update(), 76, "root.2.json is not to be trusted")
        self.root(2)
        del self.files["/root.2.json.sig"]
        self.assert_refused(self.update(), 76, "root.2.json.sig is not there")

    def test_expired(self):
        self.publish(expires=-60)
        self.assert_refused(self.update(), 76, "has expired on")

    def test_signatures(self):
        self.publish()
        good = self.files["/manifest.json.sig"]
        stranger = documents.new_key(self.place / "stranger.key")
        manifest = self.files["/manifest.json"]
        foreign = documents.signature_line(stranger, documents.MANIFEST, manifest).encode()
        as_root = documents.signature_line(self.release_key, documents.ROOT, manifest).encode()
        flipped = good[:60] + (b"A" if good[60:61] != b"A" else b"B") + good[61:]
        for text, status in [(foreign, 76), (as_root, 76), (flipped, 76), (b"", 65), (b"x\n", 65),
                             (good * 2, 65), (good + b"\n", 65), (good * 100, 65),
                             (good.replace(good[8:24], foreign[8:24]), 76)]:
            self.files["/manifest.json.sig"] = text
            self.assert_refused(self.update(), status, "manifest.json.sig")
        del self.files["/manifest.json.sig"]
        self.assert_refused(self.update(), 69, "has no manifest.json.sig")

    def test_other_bytes(self):
        self.publish()
        path = f"/v{NEW}/slipway-{NEW}-{PLATFORM}"
        for data, status in [(self.newer[:-1] + b"!", 76), (self.newer[:-1], 76),
                             (self.newer + b"!", 65), (b"", 76), (b"<html>login</html>", 76)]:
            self.files[path] = data
            self.assert_refused(self.update(), status, path)
        self.files[path] = cut(self.newer, 9999)
        self.assert_refused(self.update(), 69, "broke off|unexpected eof")
        del self.files[path]
        self.assert_refused(self.update(), 69, "404")
        self.files[path] = redirect("http://slipway.invalid/x")
        self.assert_refused(self.update(), 69, "redirect to http")

    def test_manifest_changed_after_signing(self):
        self.publish()
        self.files["/manifest.json"] = self.files["/manifest.json"].replace(b"9.9.9", b"9.9.8")
        self.assert_refused(self.update(), 76, "no signature of a release key")

    def test_hostile_manifests(self):
        path = f"v{NEW}/slipway-{NEW}-{PLATFORM}".encode()
        for old, new in [(path, b"../../../../etc/passwd"), (path, b"//other.invalid/x"),
                         (b'"schema": 1', b'"schema": 2'), (b'"size": ', b'"size": 99999999999'),
                         (b'"serial": 2', b'"serial": 2, "serial": 3'), (b"}\n", b"} {}\n"),
                         (b'"sha256": "', b'"sha256": "0')]:
            self.publish(change=lambda text, old=old, new=new: text.replace(old, new))
            self.assert_refused(self.update(), 65, "manifest.json")
        self.publish(change=lambda text: text + b" " * 300000)
        self.assert_refused(self.update(), 65, "larger than")
        self.publish("9.9.8", serial=9)
        self.files[f"/v{NEW}/manifest.json"] = self.files["/v9.9.8/manifest.json"]
        self.files[f"/v{NEW}/manifest.json.sig"] = self.files["/v9.9.8/manifest.json.sig"]
        self.assert_refused(self.update("--to", NEW), 76, "is that of 9.9.8")

    def test_new_program_that_does_not_do(self):
        shell = b"#!/bin/sh\n"
        for program, pattern in [(self.program, f"version {self.old}, not {NEW}"),
                                 (b"\x7fELF not really", "does not run"), (shell, "does not run"),
                                 (shell + b"exit 3\n", "does not run"),
                                 (shell + b"kill -9 $$\n", "does not run"),
                                 (shell + b"echo '{}'\n", "version none"),
                                 (shell + b"echo hello\n", "does not run")]:
            self.publish(program=program)
            self.assert_refused(self.update(), 1, pattern)
            shutil.rmtree(self.state)

    def test_self_test_has_a_deadline(self):
        self.publish(program=b"#!/bin/sh\nexec sleep 100\n")
        begin = time.monotonic()
        self.assert_refused(self.update(), 1, "does not run")
        self.assertLess(time.monotonic() - begin, 20)

    def test_server_that_does_not_answer(self):
        self.publish()
        self.files["/manifest.json"] = lambda handler: (time.sleep(3), handler.send(404, b""))
        done = self.update("--network-timeout", "1")
        self.assert_refused(done, 124, "manifest.json: timed out")

    def test_plain_http(self):
        self.publish()
        done = self.update(url="http://slipway.invalid/releases")
        self.assert_refused(done, 77, "plain http")

    def test_unknown_certificate(self):
        self.publish()
        done = subprocess.run(self.command(), capture_output=True, text=True, timeout=SECONDS,
                              env=self.environment(SSL_CERT_FILE="/dev/null"), check=False)
        self.assertIn(done.returncode, (69, 78), done.stderr)
        self.assertEqual(self.asked, [])

    def test_unknown_platform(self):
        self.publish(change=lambda text: text.replace(PLATFORM.encode() + b'",', b'plan9-vax",'))
        self.assert_refused(self.update(), 69, "no program for " + PLATFORM)

    def test_package_owns_it(self):
        marker = self.place / "lib/slipway/installed-by"
        marker.parent.mkdir(parents=True)
        marker.write_text("apt-get install --only-upgrade slipway\n")
        self.publish()
        self.assert_refused(self.update(), 77, "apt-get install --only-upgrade slipway")
        self.assert_refused(self.update("--revert"), 77, "belongs to a package")
        marker.write_text("")
        self.assert_refused(self.update(), 77, "your package manager")
        self.assertEqual(self.asked, [])

    def test_no_keys(self):
        plain = b'{"schema": 1, "version": 0, "expires": "1970-01-01T00:00:00Z", "threshold": 1, ' \
                b'"roots": [], "releases": []}'
        start = self.program.index(documents.MARKER) + len(documents.MARKER)
        self.install(self.program[:start] + plain.ljust(documents.ROOM, b"\0")
                     + self.program[start + documents.ROOM:])
        self.publish()
        self.assert_refused(self.update(), 78, "built without keys")
        self.assertEqual(self.asked, [])

    def test_directory_of_somebody_else(self):
        if os.getuid() == 0:
            os.chown(self.place, 65534, 65534)
            for path in [self.home, self.shared]:
                path.chmod(0o755)
            os.chown(self.home, 65534, 65534)
            options = {"user": 65534, "group": 65534, "extra_groups": []}
        else:
            self.bin.chmod(0o555)
            self.addCleanup(self.bin.chmod, 0o755)
            options = {}
        self.certificate.chmod(0o644)
        self.publish()
        done = self.update(**options)
        self.assert_refused(done, 77, r'Run "sudo .*slipway update"')

    def test_revert_without_a_previous_one(self):
        self.assert_refused(self.update("--revert"), 1, "no .*slipway.prev")
        (self.bin / "slipway.prev").write_bytes(b"#!/bin/sh\nexit 1\n")
        done = self.update("--revert")
        self.assertEqual((done.returncode, self.version()), (1, self.old), done.stderr)

    def test_options_that_exclude_each_other(self):
        for words in [("--check", "--revert"), ("--revert", "--to", NEW),
                      ("--verify-manifest", "x", "--check"), ("extra",)]:
            self.assertEqual(self.update(*words).returncode, 64)


class Dying(Case):
    """Killed at any moment: the old or the new program is there, whole."""

    def test_killed_at_any_moment(self):
        self.publish()
        begin = time.monotonic()
        self.update()
        whole = time.monotonic() - begin
        states = {digest(self.program): self.old, digest(self.newer): NEW}
        for number in range(20):
            self.install(self.program)
            child = subprocess.Popen(self.command(), env=self.environment(),
                                     stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                     stderr=subprocess.DEVNULL, start_new_session=True)
            time.sleep(whole * (number + random.random()) / 20)
            child.kill()
            child.wait()
            now = (self.bin / "slipway").read_bytes()
            self.assertIn(digest(now), states)
            self.assertEqual(self.version(), states[digest(now)])
        self.install(self.program)
        done = self.update()
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.names(), ["slipway", "slipway.prev"])
        self.assertEqual(self.version(), NEW)

    def test_one_at_a_time(self):
        self.publish(program=b"#!/bin/sh\nexec sleep 3\n")
        with subprocess.Popen(self.command(), env=self.environment(), stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as first:
            while not any(name.startswith(".slipway.new-") for name in self.names()):
                time.sleep(0.01)
            done = self.update()
            self.assertEqual(done.returncode, 75, done.stderr)
            first.wait(SECONDS)
        self.assertEqual(self.names(), ["slipway"])


if __name__ == "__main__":
    unittest.main()
