#!/usr/bin/python3
"""A stand-in for apk, where the real one cannot be had: the words and statuses of apk 3.0.

It installs the real format from real repositories, keeps a world and a database at apk's places, and
writes both at the very end of a transaction, as apk does: who kills it leaves ".apk.*" files and no
trace in the database.  test_apk.py runs over the real one too, given its path in SLIPWAY_TEST_APK.

SPDX-License-Identifier: Apache-2.0
"""
import fcntl
import gzip
import hashlib
import io
import json
import os
import pathlib
import re
import subprocess
import sys
import tarfile
import urllib.request
import zlib

DB = pathlib.Path("/lib/apk/db")
WORLD = pathlib.Path("/etc/apk/world")
CACHE = pathlib.Path("/var/cache/apk")
KEYS = pathlib.Path("/etc/apk/keys")


class Trouble(Exception):
    def __init__(self, text, status=1):
        super().__init__(text)
        self.status = status


def warn(text):
    print(f"WARNING: {text}", file=sys.stderr)


def load(place):
    if "://" not in place:
        return pathlib.Path(place).read_bytes()
    with urllib.request.urlopen(place, timeout=10) as answer:
        return answer.read()


def members(data):
    """The gzip members of a package or an index: (bytes, tar entries)."""
    while data:
        reader = zlib.decompressobj(31)
        text = reader.decompress(data) + reader.flush()
        if not reader.eof:
            raise zlib.error("cut short")
        size = len(data) - len(reader.unused_data)
        with tarfile.open(fileobj=io.BytesIO(text + bytes(1024))) as archive:
            yield data[:size], {entry.name: (entry, archive.extractfile(entry).read()
                                             if entry.isfile() else None) for entry in archive}
        data = data[size:]


def trusted(data):
    """The members behind a signature by a key of this machine."""
    (_, first), *rest = members(data)
    keys = [name[len(".SIGN.RSA."):] for name in first if name.startswith(".SIGN.RSA.")]
    if not keys or not (KEYS / keys[0]).exists():
        raise Trouble("UNTRUSTED signature")
    return rest


def cached(repository):
    return CACHE / f"APKINDEX.{hashlib.sha1(repository.encode()).hexdigest()[:8]}.tar.gz"


def read_index(repository, is_fresh):
    """Entries of one repository; a remote index is kept."""
    place = f"{repository}/x86_64"
    if "://" in repository and cached(repository).exists() and not is_fresh:
        data = cached(repository).read_bytes()
    else:
        data = load(f"{place}/APKINDEX.tar.gz")
    text = trusted(data)[0][1]["APKINDEX"][1].decode()
    if "://" in repository and os.geteuid() == 0:
        CACHE.mkdir(parents=True, exist_ok=True)
        cached(repository).write_bytes(data)
    for stanza in filter(None, text.split("\n\n")):
        entry = dict(line.split(":", 1) for line in stanza.splitlines())
        yield {"name": entry["P"], "version": entry["V"], "needs": entry.get("D", "").split(),
               "provides": entry.get("p", "").split(),
               "place": f"{place}/{entry['P']}-{entry['V']}.apk"}


def read_repositories(is_fresh=False):
    entries = []
    for repository in pathlib.Path("/etc/apk/repositories").read_text().split():
        try:
            entries += read_index(repository, is_fresh)
        except (OSError, zlib.error, Trouble) as why:
            text = why if isinstance(why, Trouble) else "HTTP 404: Not Found"
            word = "updating and opening" if is_fresh else "opening"
            warn(f"{word} {repository}/x86_64/APKINDEX.tar.gz: {text}")
            if is_fresh:
                raise Trouble("") from None
    return entries


def read_installed():
    try:
        return json.loads((DB / "installed").read_text() or "{}")
    except FileNotFoundError:
        return {}


def plain(word):
    return re.split("[<>=~@]", word)[0]


def number(version):
    return [int(part) for part in re.findall(r"\d+", version)]


def fits(entry, word):
    """Whether it is what `word`, "jq", "jq>=1.6", asks for."""
    names = {plain(one) for one in entry["provides"]} | {entry["name"]}
    bound = re.search(r">=(.*)", word)
    return plain(word) in names and (not bound or number(entry["version"]) >= number(bound[1]))


def choose(word, entries, installed):
    """What is installed, else the newest."""
    for entry in installed.values():
        if fits(entry, word):
            return entry
    found = [entry for entry in entries if fits(entry, word)]
    return max(found, key=lambda entry: (plain(word) == entry["name"], number(entry["version"])),
               default=None)


def solve(world, entries, installed):
    """Every package that the world takes, what is needed first."""
    chosen = {}
    missing = []

    def take(word, who):
        entry = choose(word, entries, installed)
        if entry is None:
            missing.append((word, who))
        elif entry["name"] not in chosen:
            chosen[entry["name"]] = None
            for need in entry["needs"]:
                take(need, f"{entry['name']}-{entry['version']}[{need}]")
            del chosen[entry["name"]]
            chosen[entry["name"]] = entry

    for word in world:
        take(word, f"world[{word}]")
    if missing:
        lines = [f"  {plain(word)} (no such package):\n    required by: {who}"
                 for word, who in missing]
        raise Trouble("\n".join(["unable to select packages:", *lines]),
                      1 if all("world[" in who for _, who in missing) else 2)
    return chosen


def unpack(entry):
    """Puts the files beside their places, then into them; returns what is to be remembered."""
    try:
        data = load(entry["place"])
    except OSError:
        raise Trouble(f"{entry['name']}-{entry['version']}: HTTP 404: Not Found") from None
    try:
        (_, control), (raw, files) = trusted(data)
    except (zlib.error, ValueError, tarfile.TarError, gzip.BadGzipFile):
        raise Trouble(f"{entry['name']}-{entry['version']}: "
                      "v2 package format error") from None
    if hashlib.sha256(raw).hexdigest() not in control[".PKGINFO"][1].decode():
        raise Trouble(f"{entry['name']}-{entry['version']}: BAD archive")
    moves = []
    for name, (info, text) in files.items():
        path = pathlib.Path("/", name)
        if info.isdir():
            path.mkdir(exist_ok=True)
            continue
        new = path.with_name(f".apk.{hashlib.sha256(name.encode()).hexdigest()[:48]}")
        new.write_bytes(text)
        new.chmod(info.mode)
        moves.append((new, path))
    brought = {}
    for new, path in moves:
        is_setting = path.parts[1] == "etc" and path.exists() and \
            path.read_bytes() != new.read_bytes()
        brought[str(path)] = hashlib.sha256(new.read_bytes()).hexdigest()
        new.rename(f"{path}.apk-new" if is_setting else path)
    return {**entry, "files": brought, "folders": [n for n, (i, _) in files.items() if i.isdir()],
            "script": control.get(".post-install", (None, b""))[1].decode()}


def purge(entry, rest):
    for name, digest in entry["files"].items():
        path = pathlib.Path(name)
        is_edited = path.parts[1] == "etc" and path.exists() and \
            hashlib.sha256(path.read_bytes()).hexdigest() != digest
        if not is_edited:
            path.unlink(missing_ok=True)
    kept = {folder for one in rest for folder in one["folders"]}
    for folder in sorted(set(entry["folders"]) - kept, reverse=True):
        try:
            pathlib.Path("/", folder).rmdir()
        except OSError:
            pass


def commit(world, chosen, installed, is_simulation):
    """The transaction; what fails is left out, the world is as it was asked for."""
    going = [entry for name, entry in sorted(installed.items()) if name not in chosen]
    coming = [entry for name, entry in chosen.items() if installed.get(name) != entry]
    now, errors, count = dict(installed), 0, 0
    for entry in going + coming:
        count += 1
        before = installed.get(entry["name"])
        word = "Purging" if entry in going else "Upgrading" if before else "Installing"
        version = f"{before['version']} -> {entry['version']}" if word == "Upgrading" \
            else entry["version"]
        print(f"({count}/{len(going) + len(coming)}) {word} {entry['name']} ({version})", flush=True)
        if is_simulation:
            continue
        if word == "Purging":
            del now[entry["name"]]
            purge(entry, now.values())
            continue
        try:
            now[entry["name"]] = unpack(entry)
        except Trouble as why:
            print(f"ERROR: {why}", file=sys.stderr)
            errors += 1
            continue
        script = now[entry["name"]]["script"]
        if script:
            name = f"{entry['name']}-{entry['version']}.post-install"
            print(f"  Executing {name}", flush=True)
            status = subprocess.run(["/bin/sh", "-c", script], check=False).returncode
            if status:
                print(f"ERROR: lib/apk/exec/{name}: exited with error {status}", file=sys.stderr)
                errors += 1
    if not is_simulation:
        (DB / "installed.new").write_text(json.dumps(now))
        (DB / "installed.new").rename(DB / "installed")
        WORLD.write_text("".join(f"{word}\n" for word in sorted(set(world))))
    print(f"{errors} error; 0 B in {len(now)} packages" if errors else
          f"OK: 0 B in {len(now)} packages")
    return min(errors, 1)


def change(verb, words):
    is_simulation = "--simulate" in words
    names = [word for word in words if not word.startswith("-")]
    if not is_simulation:
        lock = open(DB / "lock", "a")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("ERROR: Unable to lock database: Resource temporarily unavailable\n"
                  "ERROR: Failed to open apk database: Resource temporarily unavailable",
                  file=sys.stderr)
            return 99
    installed = read_installed()
    world = WORLD.read_text().split() if WORLD.exists() else []
    if verb == "add":
        world += [name for name in names if name not in world]
        chosen = solve(world, read_repositories(), installed)
    else:
        world = [word for word in world if plain(word) not in names]
        entries = [*installed.values(), *read_repositories()]
        chosen = {name: entry for name, entry in solve(world, entries, installed).items()
                  if name in installed}
        needed = sorted(set(chosen) & set(names))
        if needed:
            print("World updated, but the following packages are not removed due to:")
            for name in needed:
                who = [one["name"] for one in chosen.values()
                       if any(fits(installed[name], need) for need in one["needs"])]
                print(f"  {name}: {' '.join(who)}")
            print()
    return commit(world, chosen, installed, is_simulation)


def inform(words):
    for name, entry in sorted(read_installed().items()):
        if "-v" in words:
            print(f"{name}-{entry['version']}")
        elif name in words:
            print(f"{name}-{entry['version']} contains:", *(path[1:] for path in entry["files"]), "",
                  sep="\n")
    return 0


def main(words):
    words = [word for word in words if word != "--no-interactive"]
    try:
        if words[0] == "update":
            print(f"OK: {len(read_repositories(True))} distinct packages available")
            return 0
        return inform(words) if words[0] == "info" else change(words[0], words[1:])
    except Trouble as why:
        if str(why):
            print(f"ERROR: {why}", file=sys.stderr)
        return why.status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
