"""A vendor's own package repository, in a real apt: its key, its file, what is installed from it.

SPDX-License-Identifier: Apache-2.0
"""
import base64
import hashlib
import json
import unittest

import managers
import rig

KEY = "/etc/apt/keyrings/slipway-t.asc"
SOURCE = "/etc/apt/sources.list.d/slipway-t.sources"


def fingerprint(armored):
    """Of the first key in there; as gpg shows it."""
    lines = armored.split("\n\n", 1)[1].split("\n-----END")[0].splitlines()
    data = base64.b64decode("".join(line for line in lines if not line.startswith("=")))
    size = int.from_bytes(data[1:3], "big") if data[0] == 0x99 else data[1]
    start = 3 if data[0] == 0x99 else 2
    body = data[start:start + size]
    return hashlib.sha1(b"\x99" + size.to_bytes(2, "big") + body).hexdigest().upper()


class Repository(unittest.TestCase):
    def setUp(self):
        self.machine = managers.AptTrixie()
        self.addCleanup(self.machine.close)
        self.machine.__enter__()
        self.machine.write("/etc/apt/sources.list", "")
        self.machine.sh("apt-get -q update")
        self.before = self.machine.tree("/drive", "/txns", "/srv", *self.machine.books)

    def assertAsBefore(self, *but):
        after = self.machine.tree("/drive", "/txns", "/srv", *self.machine.books)
        self.assertEqual([], [line for line in rig.differences(self.before, after)
                              if line.split()[1] not in but])

    def drive(self, status, *words):
        done = self.machine.drive(*words)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def add(self, status=0, **changes):
        key = (self.machine.root / "srv/KEY.asc").read_text()
        text = (f"Types: deb\nURIs: {self.machine.url}/good\nSuites: ./\nSigned-By: {KEY}\n")
        inputs = {"key_url": f"{self.machine.url}/KEY.asc", "fingerprint": fingerprint(key),
                  "key_path": KEY, "source_path": SOURCE, "text": text, **changes}
        self.machine.write("/drive/repository.json", json.dumps(inputs))
        return self.drive(status, "apply", "repository", "/txns/r", "/drive/repository.json")

    def test_add_install_take_back(self):
        self.add()
        words = self.machine.inputs()
        words[2] = "/txns/p"
        self.drive(0, *words)
        self.assertEqual("git version 2.45.0", self.machine.sh("git --version").strip())
        for transaction in ("p", "r", "p", "r"):
            self.assertEqual("", self.drive(0, "undo", f"/txns/{transaction}").strip())
        self.assertAsBefore("/etc/apt/keyrings")

    def test_another_key(self):
        said = self.add(76, fingerprint="0" * 40)
        self.assertRegex(said, r"the file has the key [0-9A-F]{40}, not 0{40}")
        self.assertAsBefore()

    def test_what_is_not_a_key(self):
        for name, text in (("page", "<html>log in first</html>"), ("empty", "")):
            self.machine.write(f"/srv/{name}", text)
            self.assertIn("not a file of OpenPGP", self.add(65, key_url=f"{self.machine.url}/{name}"))
        self.add(69, key_url=f"{self.machine.url}/nowhere")
        self.assertAsBefore()

    def test_a_key_that_only_the_second_mirror_has(self):
        """The first has nothing, or something else: the fingerprint decides."""
        self.machine.write("/srv/page", "<html>log in first</html>")
        for name in ("nowhere", "page"):
            first = f"{self.machine.url}/{name}"
            self.add(key_url=first, mirrors={first: [f"{self.machine.url}/KEY.asc"]})
            self.assertEqual("", self.drive(0, "undo", "/txns/r").strip())
        self.assertAsBefore("/etc/apt/keyrings")

    def test_packages_of_another_key_are_refused(self):
        """The index is signed by a key that is not the one that was pinned."""
        self.add()
        self.machine.sh(f"cp $(ls /usr/share/keyrings/debian-archive-keyring.* | head -n 1) {KEY}")
        words = self.machine.inputs()
        words[2] = "/txns/p"
        self.machine.drive(*words)
        self.assertFalse((self.machine.root / "usr/bin/git").exists())

    def test_an_edited_source_stays_with_its_key(self):
        self.add()
        self.machine.sh(f"echo '# mine' >>{SOURCE}")
        said = self.drive(0, "undo", "/txns/r")
        self.assertIn(f"left: {SOURCE}: changed since it was written", said)
        self.machine.sh(f"test -s {KEY} && test -s {SOURCE}")

    def test_only_the_key_came(self):
        """Killed between the two files: both ways lead on."""
        self.add()
        self.machine.sh(f"rm {SOURCE} /txns/r/receipt.json")
        self.add()
        self.machine.sh(f"test -s {SOURCE} && rm {SOURCE}")
        self.drive(0, "undo", "/txns/r")
        self.assertAsBefore("/etc/apt/keyrings")


if __name__ == "__main__":
    unittest.main()
