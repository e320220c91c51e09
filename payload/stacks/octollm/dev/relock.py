#!/usr/bin/env python3
"""Writes images/requirements*.txt from upstream's poetry.lock: relock.py LOCK [--without FILE] ROOT...

Keeps what CPython 3.13 needs on Linux with glibc; wheels only.  A root may name an extra: uvicorn[standard].
SPDX-License-Identifier: Apache-2.0
"""
import re
import sys
import tomllib

PLATFORM = re.compile(r"manylinux.*_(x86_64|aarch64)$|any$")
OTHER = re.compile(r'sys_platform == "(win32|emscripten)"|python_version < "3\.1[0-3]"|platform_system == "Windows"')


def is_wanted(name):
    if not name.endswith(".whl"):
        return False
    python, abi, platforms = name.removesuffix(".whl").split("-")[-3:]
    fits = abi in ("none", "abi3") or (python == "cp313" and abi == "cp313")
    return fits and any(PLATFORM.search(one) for one in platforms.split("."))


def edges(package, extras):
    for name, rules in package.get("dependencies", {}).items():
        for rule in rules if isinstance(rules, list) else [rules]:
            rule = {} if isinstance(rule, str) else rule
            marker = rule.get("markers", "")
            wanted = re.findall(r'extra == "([^"]+)"', marker)
            if not OTHER.search(marker) and (not wanted or set(wanted) & extras):
                yield name.lower(), set(rule.get("extras", []))


def closure(packages, roots):
    found, queue = {}, []
    for root in roots:
        name, _, extras = root.rstrip("]").partition("[")
        queue.append((name, set(filter(None, extras.split(",")))))
    while queue:
        name, extras = queue.pop()
        if name in found and extras <= found[name]:
            continue
        found[name] = found.get(name, set()) | extras
        queue += edges(packages[name], found[name])
    return sorted(found)


def main(arguments):
    known = set()
    if "--without" in arguments:
        at = arguments.index("--without")
        with open(arguments[at + 1], encoding="utf-8") as file:
            known = set(re.findall(r"^([a-z0-9-]+)==", file.read(), re.M))
        del arguments[at:at + 2]
    with open(arguments[0], "rb") as file:
        packages = {one["name"].lower(): one for one in tomllib.load(file)["package"]}
    for name in closure(packages, arguments[1:]):
        if name in known:
            continue
        hashes = sorted(one["hash"] for one in packages[name]["files"] if is_wanted(one["file"]))
        if not hashes:
            sys.exit(f"{name}: no wheel that fits")
        line = f"{name}=={packages[name]['version']}"
        print(" \\\n    ".join([line] + [f"--hash={one}" for one in hashes]))


if __name__ == "__main__":
    main(sys.argv[1:])
