#!/usr/bin/env python3
"""Writes requirements.txt from a uv lock: `uv lock && python3 relock.py uv.lock ROOT...`.

Keeps what CPython 3.11 to 3.14 needs on Linux (glibc, musl) and macOS; wheels only.
SPDX-License-Identifier: Apache-2.0
"""
import re
import sys
import tomllib

PYTHONS = ("cp311", "cp312", "cp313", "cp314")
PLATFORM = re.compile(r"(many|musl)linux.*_(x86_64|aarch64)$|macosx_.*_(arm64|x86_64|universal2)$|any$")
OTHER_SYSTEMS = re.compile(r"(sys_platform|platform_system) == '(win32|Windows|emscripten)'")
EVERY_SYSTEM = re.compile(r"sys_platform != '(win32|emscripten)'$")


def is_wanted(url):
    python, abi, platforms = url.rsplit("/", 1)[1].removesuffix(".whl").split("-")[-3:]
    if not any(PLATFORM.search(p) for p in platforms.split(".")):
        return False
    return abi in ("none", "abi3") or (python in PYTHONS and abi == python)


def conditions(packages, roots):
    """Maps each package to the set of markers under which it is needed; "" is always."""
    found = {}
    queue = [(root, "") for root in roots]
    while queue:
        name, marker = queue.pop()
        if marker in found.setdefault(name, set()):
            continue
        found[name].add(marker)
        for dependency in packages[name].get("dependencies", []):
            own = dependency.get("marker", "")
            if not OTHER_SYSTEMS.search(own):
                own = "" if EVERY_SYSTEM.match(own) else own
                both = marker if own in ("", marker) else f"{marker} and {own}" if marker else own
                queue.append((dependency["name"], both))
    return found


def main(path, roots):
    with open(path, "rb") as file:
        packages = {p["name"]: p for p in tomllib.load(file)["package"]}
    for name, markers in sorted(conditions(packages, roots).items()):
        hashes = sorted(w["hash"] for w in packages[name]["wheels"] if is_wanted(w["url"]))
        if not hashes:
            sys.exit(f"{name}: no wheel that fits")
        line = f"{name}=={packages[name]['version']}"
        if "" not in markers:
            line += " ; " + " or ".join(sorted(markers))
        print(" \\\n    ".join([line] + [f"--hash={h}" for h in hashes]))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
