#!/usr/bin/python3
"""A stand-in for brew, which cannot be had here: the words and statuses of brew 4.4.

It keeps a Cellar and receipts, installs from formulae that are JSON with a digest, locks one formula at
a time, and refuses root and the removal of what others need.

SPDX-License-Identifier: Apache-2.0
"""
import fcntl
import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tarfile

PREFIX = pathlib.Path("/home/linuxbrew/.linuxbrew")
CELLAR = PREFIX / "Cellar"
LOCKS = PREFIX / "var/homebrew/locks"
FORMULAE = PREFIX / "formulae"  # what the machine knows; "brew update" takes it from the repository
REPOSITORY = pathlib.Path("/srv/current")


class Trouble(Exception):
    pass


def formula(name):
    path = FORMULAE / f"{name}.json"
    if not path.exists():
        raise Trouble(f'No available formula with the name "{name}".')
    return json.loads(path.read_text())


def receipt(name):
    path = CELLAR / name / "INSTALL_RECEIPT.json"
    return json.loads(path.read_text()) if path.exists() else None


def installed():
    return sorted(path.name for path in CELLAR.iterdir() if receipt(path.name))


def closure(name):
    found = []
    for need in formula(name)["needs"]:
        found += [*closure(need), need]
    return list(dict.fromkeys(found))


def lock(name, verb):
    held = open(LOCKS / f"{name}.formula.lock", "w")
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise Trouble(f"A `brew {verb}` process has already locked {CELLAR}/{name}.\n"
                      "Please wait for it to finish or terminate it to continue.") from None
    return held


def pour(name, is_asked):
    facts = formula(name)
    bottle = REPOSITORY / facts["bottle"]
    held = lock(name, "install")
    print(f"==> Downloading {bottle}", flush=True)
    if not bottle.exists():
        raise Trouble(f'{name}: Failed to download resource "{name}"')
    digest = hashlib.sha256(bottle.read_bytes()).hexdigest()
    if digest != facts["sha256"]:
        raise Trouble(f"SHA256 mismatch\nExpected: {facts['sha256']}\n  Actual: {digest}")
    print(f"==> Pouring {bottle.name}", flush=True)
    with tarfile.open(bottle) as archive:
        archive.extractall(CELLAR / name, filter="data")
    for program in (CELLAR / name / "bin").iterdir():
        link = PREFIX / "bin" / program.name
        link.unlink(missing_ok=True)
        link.symlink_to(program)
    (CELLAR / name / "INSTALL_RECEIPT.json").write_text(
        json.dumps({"version": facts["version"], "installed_on_request": is_asked}))
    if facts["script"]:
        if subprocess.run(["/bin/sh", "-c", facts["script"]], check=False).returncode:
            raise Trouble("The post-install step did not complete successfully")
    held.close()


def install(names):
    for name in names:
        formula(name)
    for name in names:
        for need in closure(name):
            if not receipt(need):
                pour(need, False)
        if receipt(name):
            print(f"Warning: {name} is already installed and up-to-date.", file=sys.stderr)
            tab([name], True)
        else:
            pour(name, True)


def uninstall(names):
    for name in names:
        users = [other for other in installed() if other not in names and name in closure(other)]
        if users:
            raise Trouble(f"Refusing to uninstall {CELLAR}/{name}\n"
                          f"because it is required by {' and '.join(users)}, "
                          "which is currently installed.")
    for name in names:
        held = lock(name, "uninstall")
        for link in (PREFIX / "bin").iterdir():
            if link.is_symlink() and pathlib.Path(os.readlink(link)).is_relative_to(CELLAR / name):
                link.unlink()
        shutil.rmtree(CELLAR / name)
        (LOCKS / f"{name}.formula.lock").unlink()
        held.close()


def tab(names, is_asked):
    for name in names:
        path = CELLAR / name / "INSTALL_RECEIPT.json"
        path.write_text(json.dumps({**receipt(name), "installed_on_request": is_asked}))


def update():
    for path in FORMULAE.glob("*.json"):
        path.unlink()
    for path in REPOSITORY.glob("*.json"):
        shutil.copy(path, FORMULAE)


def main(verb, words):
    names = [word for word in words if not word.startswith("-")]
    if os.geteuid() == 0:
        raise Trouble("Running Homebrew as root is extremely dangerous and no longer supported.")
    if "HOMEBREW_NO_AUTO_UPDATE" not in os.environ and verb == "install":
        print("==> Auto-updating Homebrew...", flush=True)
        update()
    if verb == "install":
        install(names)
    elif verb == "uninstall":
        uninstall(names)
    elif verb == "update":
        update()
    elif verb == "tab":
        tab(names, "--installed-on-request" in words)
    elif verb == "list":
        for name in names or installed():
            print(name, receipt(name)["version"]) if "--versions" in words else \
                print(*(CELLAR / name).rglob("*"), sep="\n")
    elif verb == "deps":
        for name in names or installed():
            print(f"{name}: {' '.join(closure(name))}".strip())
    elif verb == "info":
        print(json.dumps({"formulae": [{"name": name, "full_name": name, "installed": [receipt(name)]}
                                       for name in installed()], "casks": []}))
    else:
        raise Trouble(f"Unknown command: brew {verb}")


if __name__ == "__main__":
    try:
        main(sys.argv[1], sys.argv[2:])
    except Trouble as why:
        sys.exit(f"Error: {why}")
