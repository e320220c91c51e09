"""Packages and indexes as Alpine has them (.apk of version 2: three gzip members), made here.

A generator of our own, held against apk 2.14 and 3.0: both install what it makes.

SPDX-License-Identifier: Apache-2.0
"""
import base64
import gzip
import hashlib
import io
import pathlib
import subprocess
import tarfile

ARCHITECTURE = "x86_64"


def _member(entries, is_last):
    """A gzip member with a tar; all but the last come without the end of an archive."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, mode, data in entries:
            entry = tarfile.TarInfo(name)
            entry.mode, entry.size, entry.mtime = mode, len(data or b""), 1700000000
            entry.uname = entry.gname = "root"
            if data is None:
                entry.type = tarfile.DIRTYPE
            elif not name.startswith("."):
                entry.pax_headers = {"APK-TOOLS.checksum.SHA1": hashlib.sha1(data).hexdigest()}
            archive.addfile(entry, io.BytesIO(data or b""))
        end = archive.offset
    text = buffer.getvalue()
    return gzip.compress(text if is_last else text[:end], mtime=0)


class Key:
    """An RSA key that signs; its public part goes to /etc/apk/keys."""

    def __init__(self, place, name):
        self.name = name
        self.private = pathlib.Path(place, name + ".pem")
        self.public = pathlib.Path(place, name + ".rsa.pub")
        for words in (["genrsa", "-out", self.private, "2048"],
                      ["rsa", "-in", self.private, "-pubout", "-out", self.public]):
            subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True)

    def sign(self, data):
        signature = subprocess.run(["openssl", "dgst", "-sha1", "-sign", str(self.private)],
                                   input=data, check=True, capture_output=True).stdout
        return _member([(f".SIGN.RSA.{self.public.name}", 0o644, signature)], False) + data


class Repository:
    """A directory for /etc/apk/repositories."""

    def __init__(self, place, key=None):
        self.place = pathlib.Path(place, ARCHITECTURE)
        self.place.mkdir(parents=True, exist_ok=True)
        self.key = key
        self.stanzas = []

    def _signed(self, data):
        return self.key.sign(data) if self.key else data

    def add(self, name, version, files, depends="", provides="", scripts=None):
        """Writes a package; `files`: path -> text, mode 755; `scripts`: ".post-install" -> text."""
        folders = sorted({str(parent) for path in files for parent in pathlib.PurePath(path).parents
                          if str(parent) != "."})
        data = _member([*((folder, 0o755, None) for folder in folders),
                        *((path, 0o755, text.encode()) for path, text in files.items())], True)
        size = sum(map(len, files.values()))
        lines = [f"pkgname = {name}", f"pkgver = {version}", f"pkgdesc = {name}", "url = none",
                 "builddate = 1700000000", f"size = {size}", f"arch = {ARCHITECTURE}",
                 "license = none", f"origin = {name}",
                 *(f"depend = {word}" for word in depends.split()),
                 *(f"provides = {word}" for word in provides.split()),
                 f"datahash = {hashlib.sha256(data).hexdigest()}"]
        control = _member([(".PKGINFO", 0o644, "".join(line + "\n" for line in lines).encode()),
                           *((script, 0o755, text.encode())
                             for script, text in (scripts or {}).items())], False)
        package = self._signed(control) + data
        (self.place / f"{name}-{version}.apk").write_bytes(package)
        digest = base64.b64encode(hashlib.sha1(control).digest()).decode()
        self.stanzas.append("".join(f"{key}:{value}\n" for key, value in (
            ("C", "Q1" + digest), ("P", name), ("V", version), ("A", ARCHITECTURE),
            ("S", len(package)), ("I", size), ("T", name), ("U", "none"), ("L", "none"),
            ("o", name), ("t", 1700000000), ("D", depends), ("p", provides)) if value) + "\n")

    def write_index(self):
        (self.place / "APKINDEX.tar.gz").write_bytes(self._signed(_member(
            [("DESCRIPTION", 0o644, b"test"),
             ("APKINDEX", 0o644, "".join(self.stanzas).encode())], True)))
