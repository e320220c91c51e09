"""A release as install.sh and "slipway update" find it on a server: keys, manifest, signatures.

SPDX-License-Identifier: Apache-2.0
"""
import pathlib
import sys

sys.dont_write_bytecode = True
TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(TOP / "tests/common"), str(TOP / "packaging/release")]
import documents  # noqa: E402

PLATFORMS = ("linux-aarch64", "linux-x86_64")


def new_key(folder, name):
    return documents.new_key(pathlib.Path(folder, f"{name}.key"))


def sig(key, document, domain=documents.MANIFEST):
    return documents.signature_line(key, domain, document).encode()


def minisig(key, document):
    return documents.minisign_lines(key, document, "a test").encode()


class Release:
    """One release; change what it consists of, then publish() it."""

    def __init__(self, key, program, version="0.2.0", serial=2):
        self.key, self.version, self.serial = key, version, serial
        self.expires = "2099-01-01T00:00:00Z"
        self.program = program
        self.rows = [documents.artifact("program", platform, self.path(platform), program)
                     for platform in PLATFORMS]
        self.rows.append(documents.artifact(
            "source", "any", f"v{version}/slipway-{version}.tar.xz", b"not published"))
        self.text = None  # instead of what the fields above say

    def path(self, platform):
        return f"v{self.version}/slipway-{self.version}-{platform}"

    def change(self, **fields):
        for row in self.rows[:2]:
            row.update(fields)

    def manifest(self):
        return self.text or documents.manifest_text(
            self.version, self.serial, self.expires, self.rows).encode()

    def publish(self, routes, newest=True, top=""):
        """Puts it below `top`, as the newest one too."""
        text = self.manifest()
        files = {"": text, ".sig": sig(self.key, text), ".minisig": minisig(self.key, text)}
        for place in (f"{top}/",) * newest + (f"{top}/v{self.version}/",):
            routes.update({f"{place}manifest.json{end}": data for end, data in files.items()})
        routes.update({f"{top}/{self.path(platform)}": self.program for platform in PLATFORMS})
