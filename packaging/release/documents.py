#!/usr/bin/env python3
"""packaging/release/documents.py - the signed documents of releases: roots, manifests, signatures.

Usage: documents.py keys DIR              new keys and the first root, into a new directory
       documents.py rotate [--root] DIR   the next root, with a new release key (and a new root key)
       documents.py sign FILE             FILE.sig and FILE.minisig
       documents.py manifest FILE NAME=VALUE... KIND:PLATFORM:PATH...
                                          the manifest of VERSION= with SERIAL= and EXPIRES=
       documents.py check ROOT ROOTS      that releases can be signed under ROOT; prints its release keys
       documents.py embeds ROOT PROGRAM   that the program trusts ROOT

The release key is RELEASE_KEY, a file with a private Ed25519 key (PEM); or RELEASE_SIGNER, a command
that reads a message and prints its 64-byte signature, with the key's public part in RELEASE_PUBLIC
(64 hex digits).  Keys stay where they are: openssl reads them, nothing prints or copies them.

SPDX-License-Identifier: Apache-2.0
"""
import base64
import datetime
import hashlib
import json
import os
import pathlib
import re
import shlex
import stat
import subprocess
import sys
import tempfile
import time

MANIFEST, ROOT = b"slipway-manifest-v1\0", b"slipway-root-v1\0"
ROOT_DAYS = 3 * 365
DER = bytes.fromhex("302a300506032b6570032100")  # RFC 8410: what stands before a public key
ROOM = 4096  # for a root in a program; as in payload/trust_embedded.c
MARKER = b"slipway: the root of trust is here:\n"


class Failure(Exception):
    """A reason to stop, for people; the first argument is the exit status."""


def openssl(*words, data=b""):
    """What openssl answers on stdout."""
    done = subprocess.run(["openssl", *map(os.fspath, words)], input=data, capture_output=True,
                          check=False)
    if done.returncode != 0:
        raise Failure(69, f"openssl {words[0]}: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout


def in_file(action, data):
    """openssl's one-shot signatures want a file; that file holds nothing secret."""
    with tempfile.NamedTemporaryFile(prefix="slipway-release-") as file:
        file.write(data)
        file.flush()
        return action(file.name)


def verifies(public, message, signature):
    """Whether openssl agrees."""
    def run(key, text, mark):
        return subprocess.run(
            ["openssl", "pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey", key, "-rawin",
             "-in", text, "-sigfile", mark], capture_output=True, check=False).returncode == 0
    return in_file(lambda key: in_file(lambda text: in_file(
        lambda mark: run(key, text, mark), signature), message), DER + public)


class KeyFile:
    """A private key in a file that is for its owner only."""

    def __init__(self, path):
        self.path = pathlib.Path(path)
        try:
            mode = self.path.stat().st_mode
        except OSError as error:
            raise Failure(69, f"{path}: {error.strerror}") from error
        if not stat.S_ISREG(mode) or mode & 0o077:
            raise Failure(77, f"{path}: a private key has to be a file of mode 0600")
        answer = openssl("pkey", "-in", self.path, "-pubout", "-outform", "DER")
        if len(answer) != len(DER) + 32 or not answer.startswith(DER):
            raise Failure(65, f"{path}: is not an Ed25519 key")
        self.public = answer[len(DER):]

    def sign(self, message):
        """64 bytes."""
        return in_file(lambda text: openssl("pkeyutl", "-sign", "-inkey", self.path, "-rawin",
                                            "-in", text), message)


class Signer:
    """A command that signs: a token, a service, a person."""

    def __init__(self, command, public):
        if not re.fullmatch("[0-9a-f]{64}", public):
            raise Failure(64, "RELEASE_SIGNER needs RELEASE_PUBLIC, 64 hex digits")
        self.command, self.public = shlex.split(command), bytes.fromhex(public)

    def sign(self, message):
        """64 bytes."""
        done = subprocess.run(self.command, input=message, stdout=subprocess.PIPE, check=False)
        if done.returncode != 0:
            raise Failure(69, f"the signer ended with status {done.returncode}")
        return done.stdout


def release_key():
    """The key that the environment names."""
    if os.environ.get("RELEASE_KEY"):
        return KeyFile(os.environ["RELEASE_KEY"])
    if os.environ.get("RELEASE_SIGNER"):
        return Signer(os.environ["RELEASE_SIGNER"], os.environ.get("RELEASE_PUBLIC", ""))
    raise Failure(64, "say which key signs: RELEASE_KEY or RELEASE_SIGNER")


def signed(key, message):
    """A signature that was checked before anybody sees it."""
    signature = key.sign(message)
    if len(signature) != 64 or not verifies(key.public, message, signature):
        raise Failure(76, f"what the key {key.public.hex()} made is not its signature")
    return signature


def key_id(public):
    """The first 8 bytes of the digest."""
    return hashlib.sha256(public).digest()[:8]


def signature_line(key, domain, document):
    """One line of a *.sig file."""
    text = base64.b64encode(signed(key, domain + document)).decode()
    return f"ed25519 {key_id(key.public).hex()} {text}\n"


def write_beside(path, suffix, text):
    """Writes PATH + SUFFIX whole."""
    target = pathlib.Path(f"{path}{suffix}")
    target.write_bytes(text.encode())
    return target


def minisign_lines(key, document, comment):
    """A *.minisig file: the digest is signed, then that with the comment."""
    def encode(data):
        return base64.b64encode(data).decode()
    mark = signed(key, hashlib.blake2b(document).digest())
    both = signed(key, mark + comment.encode())
    return ("untrusted comment: signature of slipway's release key\n"
            f"{encode(b'ED' + key_id(key.public) + mark)}\n"
            f"trusted comment: {comment}\n{encode(both)}\n")


def sign_file(path):
    """FILE.sig, and FILE.minisig for minisign."""
    key = release_key()
    document = pathlib.Path(path).read_bytes()
    comment = f"timestamp:{epoch()}\tfile:{pathlib.Path(path).name}\thashed"
    write_beside(path, ".sig", signature_line(key, MANIFEST, document))
    write_beside(path, ".minisig", minisign_lines(key, document, comment))


def epoch():
    """The day of the source, so that the same source gives the same bytes."""
    return int(os.environ.get("SOURCE_DATE_EPOCH") or time.time())


def rfc3339(seconds):
    """As all our documents write times."""
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime(
        "%Y-%m-%dT%H:%M:%SZ")


def new_key(path):
    """Makes a private key that only its owner can read; never over another one."""
    if path.exists():
        raise Failure(73, f"{path} is there already")
    openssl("genpkey", "-algorithm", "ed25519", "-out", path)
    path.chmod(0o600)
    return KeyFile(path)


def write_root(directory, version, roots, releases, signers):
    """root.N.json, with one signature of each signer."""
    text = json.dumps({
        "schema": 1, "version": version,
        "expires": rfc3339(time.time() + ROOT_DAYS * 86400), "threshold": 1,
        "roots": [key.hex() for key in roots], "releases": [key.hex() for key in releases],
    }, indent=2) + "\n"
    if len(text) > ROOM:
        raise Failure(70, "the root does not fit into a program")
    path = directory / f"root.{version}.json"
    write_beside(path, ".sig", "".join(
        signature_line(key, ROOT, text.encode()) for key in signers))
    path.write_text(text)
    print(path)


def make_keys(directory):
    """The first root, and the two keys behind it."""
    directory = pathlib.Path(directory)
    directory.mkdir(mode=0o700)
    root, release = new_key(directory / "root.1.key"), new_key(directory / "release.1.key")
    write_root(directory, 1, [root.public], [release.public], [root])


def roots_in(directory):
    """The roots of a directory: number -> path."""
    found = {int(match[1]): path for path in pathlib.Path(directory).iterdir()
             if (match := re.fullmatch(r"root\.([1-9][0-9]*)\.json", path.name))}
    if not found:
        raise Failure(69, f"{directory} has no root.N.json")
    return found


def read_root(path):
    """A root document as Python sees it."""
    try:
        root = json.loads(pathlib.Path(path).read_bytes())
        keys = [bytes.fromhex(key) for name in ("roots", "releases") for key in root[name]]
        if root["schema"] != 1 or any(len(key) != 32 for key in keys):
            raise ValueError("is not schema 1")
        return root
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Failure(65, f"{path}: {error}") from error


def rotate(directory, has_new_root):
    """The next root: signed by the keys of the one before and by its own."""
    directory = pathlib.Path(directory)
    found = roots_in(directory)
    old = read_root(found[max(found)])
    number = max(found) + 1
    held = [key for key in map(KeyFile, sorted(directory.glob("root.*.key")))
            if key.public.hex() in old["roots"]]
    if len(held) < old["threshold"]:
        raise Failure(69, f"{directory} has {len(held)} of the {old['threshold']} root keys needed")
    release = new_key(directory / f"release.{number}.key")
    fresh = [new_key(directory / f"root.{number}.key")] if has_new_root else []
    roots = [key.public for key in fresh] or [bytes.fromhex(key) for key in old["roots"]]
    write_root(directory, number, roots, [release.public], held + fresh)


def artifact(kind, platform, path, data):
    """One file of a release, as its manifest names it."""
    return {"kind": kind, "platform": platform, "name": pathlib.Path(path).name, "path": path,
            "size": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def manifest_text(version, serial, expires, artifacts):
    """The canonical form: one artifact a line, so that a shell can read it."""
    head = json.dumps({"schema": 1, "version": version, "serial": serial, "expires": expires},
                      indent=2)
    lines = ",\n".join("    " + json.dumps(row) for row in artifacts)
    return head[:-2] + ',\n  "artifacts": [\n' + lines + "\n  ]\n}\n"


def write_manifest(path, *words):
    """The manifest of these files, which lie below its directory."""
    values = dict(word.split("=", 1) for word in words if "=" in word)
    base = pathlib.Path(path).parent
    rows = [artifact(kind, platform, name, (base / name).read_bytes())
            for kind, platform, name in (word.split(":", 2) for word in words if "=" not in word)]
    pathlib.Path(path).write_text(manifest_text(
        values["VERSION"], int(values["SERIAL"]), rfc3339(int(values["EXPIRES"])), rows))


def check(root_path, roots):
    """The root has keys, it is the newest of the published ones, and ours is one of its keys."""
    root = read_root(root_path)
    if root["version"] == 0:
        raise Failure(78, f"{root_path} has no keys; \"release.sh keys DIR\" makes them")
    found = roots_in(roots)
    newest = max(found)
    if newest != root["version"] or found[newest].read_bytes() != pathlib.Path(root_path).read_bytes():
        raise Failure(78, f"{root_path} is not the newest root of {roots}")
    for number, path in found.items():
        if not pathlib.Path(f"{path}.sig").exists() or (number > 1 and number - 1 not in found):
            raise Failure(78, f"{roots} lacks {path.name}.sig, or the root before it")
    if release_key().public.hex() not in root["releases"]:
        raise Failure(78, "the release key is not one of those in " + os.fspath(root_path))
    print(*root["releases"])


def check_embeds(root_path, program):
    """A program that trusts somebody else, or nobody, is no release."""
    want = MARKER + pathlib.Path(root_path).read_bytes()
    if want + b"\0" not in pathlib.Path(program).read_bytes():
        raise Failure(78, f"{program} was built with another root; build it again")


def main(words):
    """Runs one sub-command.  Returns the exit status."""
    commands = {"keys": make_keys, "sign": sign_file, "manifest": write_manifest, "check": check,
                "rotate": lambda *rest: rotate(rest[-1], rest[0] == "--root"),
                "embeds": check_embeds}
    os.umask(0o077)
    try:
        if len(words) < 2 or words[0] not in commands:
            raise Failure(64, __doc__.split("\n\n")[1])
        commands[words[0]](*words[1:])
    except (Failure, OSError) as error:
        status, message = error.args if isinstance(error, Failure) else (74, str(error))
        print(f"release: {message}", file=sys.stderr)
        return status
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
