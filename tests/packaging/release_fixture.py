"""A release as install.sh and "slipway update" find it on a server: keys, manifest, signatures.

SPDX-License-Identifier: Apache-2.0
"""
import base64
import hashlib
import json
import pathlib

from tls_server import openssl

MANIFEST_DOMAIN = b"slipway-manifest-v1"


class Key:
    """An Ed25519 key; "public" in hex as in a list of release keys."""

    def __init__(self, folder, name):
        self.folder = pathlib.Path(folder)
        self.file = self.folder / f"{name}.key"
        openssl("genpkey", "-algorithm", "ed25519", "-out", self.file)
        raw = openssl("pkey", "-in", self.file, "-pubout", "-outform", "DER")[-32:]
        self.public = raw.hex()
        self.id = hashlib.sha256(raw).digest()[:8]

    def sign(self, message):
        file = self.folder / "message"  # openssl 3.0 wants to know the length beforehand
        file.write_bytes(message)
        return openssl("pkeyutl", "-sign", "-inkey", self.file, "-rawin", "-in", file)

    def sig(self, document, domain=MANIFEST_DOMAIN):
        signature = base64.b64encode(self.sign(domain + b"\0" + document)).decode()
        return f"ed25519 {self.id.hex()} {signature}\n".encode()

    def minisig(self, document):
        signature = self.sign(hashlib.blake2b(document).digest())
        comment = b"a test"
        first = base64.b64encode(b"ED" + self.id + signature)
        last = base64.b64encode(self.sign(signature + comment))
        return (b"untrusted comment: a test\n" + first + b"\ntrusted comment: " + comment + b"\n" +
                last + b"\n")


def manifest(version, serial, expires, artifacts):
    """In the one form that a shell can read too."""
    rows = ",\n".join("    " + json.dumps(row) for row in artifacts)
    return (f'{{\n  "schema": 1,\n  "version": "{version}",\n  "serial": {serial},\n'
            f'  "expires": "{expires}",\n  "artifacts": [\n{rows}\n  ]\n}}\n').encode()


class Release:
    """One release; change what it consists of, then publish() it."""

    def __init__(self, key, program, version="0.2.0", serial=2):
        self.key, self.version, self.serial = key, version, serial
        self.expires = "2099-01-01T00:00:00Z"
        self.program = program
        self.rows = [self.row(platform) for platform in ("linux-aarch64", "linux-x86_64")]
        self.rows.append({"kind": "source", "platform": "any", "name": f"slipway-{version}.tar.xz",
                          "path": f"v{version}/slipway-{version}.tar.xz", "size": 5,
                          "sha256": "0" * 64})
        self.text = None  # instead of what the fields above say

    def row(self, platform):
        name = f"slipway-{self.version}-{platform}"
        return {"kind": "program", "platform": platform, "name": name,
                "path": f"v{self.version}/{name}", "size": len(self.program),
                "sha256": hashlib.sha256(self.program).hexdigest()}

    def change(self, **fields):
        for row in self.rows[:2]:
            row.update(fields)

    def manifest(self):
        return self.text or manifest(self.version, self.serial, self.expires, self.rows)

    def publish(self, routes, newest=True):
        text = self.manifest()
        for place in ("/",) * newest + (f"/v{self.version}/",):
            routes[f"{place}manifest.json"] = text
            routes[f"{place}manifest.json.sig"] = self.key.sig(text)
            routes[f"{place}manifest.json.minisig"] = self.key.minisig(text)
        for row in self.rows[:2]:
            routes[f"/v{self.version}/slipway-{self.version}-{row['platform']}"] = self.program
