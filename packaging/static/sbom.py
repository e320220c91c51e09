#!/usr/bin/env python3
"""packaging/static/sbom.py - what the static program is made of: a bill of materials and the licences.

Usage: sbom.py ARCH VERSION DIR

Writes DIR/slipway.cdx.json (CycloneDX 1.5) and DIR/licenses/, both from sources.lock and the sysroot.
The program's own digest is in it when DIR has the program.  The same input gives the same bytes.

SPDX-License-Identifier: Apache-2.0
"""
import datetime
import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import uuid

sys.dont_write_bytecode = True
import sources  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parents[1]
COPYRIGHTS = pathlib.Path("/usr/share/doc")
GPL3 = pathlib.Path("/usr/share/common-licenses/GPL-3")


def sha256(path):
    return [{"alg": "SHA-256", "content": hashlib.sha256(path.read_bytes()).hexdigest()}]


def out(*argv):
    return subprocess.run(argv, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def licence(expression):
    if " " in expression:
        return [{"expression": expression}]
    return [{"license": {"id": expression}}]


def library(fields):
    """The component of one stanza of the lock; its digest is that of the upstream archive."""
    archive = next(pin for pin in fields["Files"] if re.search(r"\.orig\.tar\.\w+$", pin[2]))
    component = {
        "type": "library",
        "bom-ref": fields["Purl"],
        "supplier": {"name": "Debian"},
        "name": fields["Package"],
        "version": fields["Version"],
        "description": fields["Role"],
        "scope": "required",
        "hashes": [{"alg": "SHA-256", "content": archive[0]}],
        "licenses": licence(fields["License"]),
        "purl": fields["Purl"],
        "externalReferences": [{"type": "distribution", "url": name,
                                "hashes": [{"alg": "SHA-256", "content": digest}]}
                               for digest, _, name in fields["Files"]],
    }
    patches = [{"type": "unofficial",
                "diff": {"text": {"contentType": "text/x-diff",
                                  "content": (HERE / "patches" / name).read_text()},
                         "url": f"packaging/static/patches/{name}"}}
               for name in fields["Patches"].split()]
    if patches:
        component["pedigree"] = {"patches": patches, "notes": "changed by the slipway project"}
    return component


def libgcc(arch):
    """The compiler's own support library, and the file that holds its licence."""
    path = pathlib.Path(out(f"{arch}-linux-gnu-gcc", "-print-libgcc-file-name")).resolve()
    package = out("dpkg-query", "-S", str(path)).split(":")[0]
    source, version = out("dpkg-query", "-W", "-f", "${source:Package} ${source:Version}\n",
                          package).splitlines()[0].split()
    purl = sources.purl({"Package": source, "Version": version, "Take": "source"}, distro=None)
    return {
        "type": "library",
        "bom-ref": purl,
        "supplier": {"name": "Debian"},
        "name": "libgcc",
        "version": version,
        "description": "support routines of the compiler",
        "scope": "required",
        "hashes": sha256(path),
        "licenses": licence("GPL-3.0-or-later WITH GCC-exception-3.1"),
        "purl": purl,
    }, COPYRIGHTS / package / "copyright"


def bill(arch, version, folder, compiler):
    parts = [library(fields) for fields in sources.read_lock() if fields["Take"] != "binary"]
    parts = sorted([*parts, compiler], key=lambda part: part["name"])
    program = folder / "slipway"
    subject = {
        "type": "application",
        "bom-ref": f"pkg:generic/slipway@{version}?arch={arch}",
        "name": "slipway",
        "version": version,
        "licenses": licence("Apache-2.0"),
        "purl": f"pkg:generic/slipway@{version}?arch={arch}",
    }
    if program.is_file():
        subject["hashes"] = sha256(program)
    identity = json.dumps([subject, parts], sort_keys=True)
    epoch = int(os.environ.get("SOURCE_DATE_EPOCH", "0"))
    stamp = datetime.datetime.fromtimestamp(epoch, datetime.timezone.utc)
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, identity)}",
        "version": 1,
        "metadata": {"timestamp": stamp.strftime("%Y-%m-%dT%H:%M:%SZ"), "component": subject},
        "components": parts,
        "dependencies": [{"ref": subject["bom-ref"], "dependsOn": [part["bom-ref"] for part in parts]},
                         *({"ref": part["bom-ref"]} for part in parts)],
    }


def write_licences(sysroot, folder, compiler_copyright):
    """Every licence text under the name of what it covers."""
    to = folder / "licenses"
    shutil.rmtree(to, ignore_errors=True)
    shutil.copytree(sysroot / "share/licenses", to)
    for name, texts in (("slipway", [TOP / "LICENSE"]), ("libgcc", [compiler_copyright, GPL3])):
        (to / name).mkdir()
        for text in texts:
            shutil.copyfile(text, to / name / text.name)
    for path in to.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)


def without_licence(parts, folder):
    """The names of the components of which `folder` has no licence text."""
    return [part["name"] for part in parts
            if not any(path.is_file() and path.stat().st_size
                       for path in (folder / "licenses" / part["name"]).glob("*"))]


def main(argv):
    if len(argv) != 4:
        print(__doc__.split("\n\n")[1], file=sys.stderr)
        return 64
    arch, version, folder = argv[1], argv[2], pathlib.Path(argv[3])
    sysroot = pathlib.Path(out(str(HERE / "sysroot.sh"), "path", arch))
    if not sysroot.is_dir():
        print(f"slipway: no sysroot yet; run: make static-sysroot ARCH={arch}", file=sys.stderr)
        return 69
    folder.mkdir(parents=True, exist_ok=True)
    compiler, copyright_file = libgcc(arch)
    write_licences(sysroot, folder, copyright_file)
    made_of = bill(arch, version, folder, compiler)
    lacking = without_licence([made_of["metadata"]["component"], *made_of["components"]], folder)
    if lacking:
        print(f"slipway: no licence text of {', '.join(lacking)}", file=sys.stderr)
        return 70
    (folder / "slipway.cdx.json").write_text(json.dumps(made_of, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
