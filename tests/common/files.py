"""Where things are, and what lies below a directory.

SPDX-License-Identifier: Apache-2.0
"""
import os
import pathlib
import stat

TOP = pathlib.Path(__file__).resolve().parents[2]
SLIPWAY = os.environ.get("SLIPWAY", str(TOP / "build/release/slipway"))
NOBODY = 65534


def describe(path):
    """What a file is, without following it; the times are left out."""
    info = os.lstat(path)
    what = ""
    if stat.S_ISLNK(info.st_mode):
        what = os.readlink(path)
    elif stat.S_ISREG(info.st_mode) and info.st_size < 1 << 20:
        try:
            what = pathlib.Path(path).read_bytes()
        except PermissionError:
            what = info.st_mtime_ns
    links = 1 if stat.S_ISDIR(info.st_mode) else info.st_nlink
    return (info.st_mode, info.st_uid, links, what)


def tree(top):
    """Everything below a directory: relative path -> what it is."""
    found = {".": describe(top)}
    for directory, names, files in os.walk(top):
        for name in names + files:
            path = os.path.join(directory, name)
            found[os.path.relpath(path, top)] = describe(path)
    return found
