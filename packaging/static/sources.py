#!/usr/bin/env python3
"""packaging/static/sources.py - the source packages that the static program is made of.

Usage: sources.py fetch             the pinned files, into the cache, each with its digest checked
       sources.py unpack NAME DIR   one of them, with its patches, into DIR
       sources.py relock [NAME...]  move the pins to what the mirror has now

sources.lock holds the pins.  Files come through the ordinary apt client, with a configuration of its
own, from the mirror that this machine's apt uses or from those in SLIPWAY_SOURCE_MIRROR (separated
by blanks; one that ends in -security is read as the security archive).  They are kept in
SLIPWAY_STATIC_CACHE (build/cache/static); when all are there, nothing is asked of any mirror.

SPDX-License-Identifier: Apache-2.0
"""
import hashlib
import os
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
LOCK = HERE / "sources.lock"
CACHE = pathlib.Path(os.environ.get("SLIPWAY_STATIC_CACHE") or
                     HERE.parents[1] / "build/cache/static").resolve()
FILES = CACHE / "files"
SUITE = "trixie"
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"

# The machine's own hooks run programs of the machine; they have no business here.
APT_CONF = """\
Dir::State "{root}";
Dir::State::Lists "{root}/lists";
Dir::State::status "/dev/null";
Dir::Cache "{root}/cache";
Dir::Etc::SourceList "{root}/sources.list";
Dir::Etc::SourceParts "/dev/null";
Dir::Etc::Preferences "/dev/null";
Dir::Etc::PreferencesParts "/dev/null";
APT::Architecture "amd64";
APT::Sandbox::User "";
Acquire::Languages "none";
#clear Acquire::IndexTargets::deb::DEP-11;
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
"""


class Failure(Exception):
    """What went wrong, in words for the person who builds."""

    status = 69


class Mismatch(Failure):
    """There are bytes, and they are not those of the pin."""

    status = 76


def read_lock(path=LOCK):
    """The stanzas of the lock, each a dict; "Files" is a list of (sha256, size, name)."""
    stanzas = []
    for text in re.split(r"\n\s*\n", path.read_text()):
        fields, name = {}, None
        for line in text.splitlines():
            if line.startswith("#") or not line.strip():
                continue
            if line[0].isspace():
                fields[name].append(line.split())
            else:
                name, _, value = line.partition(":")
                fields[name] = [] if name == "Files" else value.strip()
        if fields:
            fields["Files"] = [(digest, int(size), file) for digest, size, file in fields["Files"]]
            stanzas.append(fields)
    return stanzas


def write_lock(stanzas, path=LOCK):
    """Writes the lock again, below the comment that it began with."""
    comment = re.match(r"(?:#.*\n)*", path.read_text()).group(0)
    parts = []
    for fields in stanzas:
        lines = [f"{name}: {value}".rstrip() for name, value in fields.items() if name != "Files"]
        lines.append("Files:")
        lines += [f" {digest} {size} {file}" for digest, size, file in fields["Files"]]
        parts.append("\n".join(lines) + "\n")
    path.write_text(comment + "\n" + "\n".join(parts))


def purl(fields, distro=SUITE):
    """The package URL of a package of Debian."""
    version = fields["Version"].replace(":", "%3A").replace("+", "%2B")
    arch = "all" if fields["Take"] == "binary" else "source"
    return f"pkg:deb/debian/{fields['Package']}@{version}?arch={arch}" + (
        f"&distro={distro}" if distro else "")


def is_whole(pin):
    """Whether the cache has that file, with the size and the digest of the pin."""
    digest, size, name = pin
    path = FILES / name
    if not path.is_file() or path.stat().st_size != size:
        return False
    return hashlib.sha256(path.read_bytes()).hexdigest() == digest


def missing_files(fields):
    return [pin[2] for pin in fields["Files"] if not is_whole(pin)]


def machine_mirrors():
    """The mirrors of Debian that this machine's own apt sources name."""
    found = []
    for path in [pathlib.Path("/etc/apt/sources.list"),
                 *sorted(pathlib.Path("/etc/apt/sources.list.d").glob("*"))]:
        if path.is_file():
            found += re.findall(r"^(?:URIs:|deb\s+(?:\[.*?\]\s+)?)\s*(\S+/debian(?:-security)?)/?(?:\s|$)",
                                path.read_text(), re.M)
    return list(dict.fromkeys(found))


def source_lines():
    mirrors = os.environ.get("SLIPWAY_SOURCE_MIRROR", "").split() or machine_mirrors()
    if not mirrors:
        raise Failure("this machine's apt sources name no Debian mirror; set SLIPWAY_SOURCE_MIRROR")
    if not pathlib.Path(KEYRING).is_file():
        raise Failure(f"{KEYRING} is missing; install debian-archive-keyring")
    lines = []
    for mirror in mirrors:
        mirror = mirror.rstrip("/")
        if mirror.endswith("-security"):
            lines.append(f"deb-src [signed-by={KEYRING}] {mirror} {SUITE}-security main")
            continue
        for kind in ("deb-src", "deb"):
            lines.append(f"{kind} [signed-by={KEYRING}] {mirror} {SUITE} main")
    return lines


def apt(*argv, must=True):
    """Runs an apt program under the private configuration; returns what it printed."""
    root = CACHE / "apt"
    for folder in ("lists/partial", "cache/archives/partial"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    (root / "apt.conf").write_text(APT_CONF.format(root=root))
    (root / "sources.list").write_text("\n".join(source_lines()) + "\n")
    FILES.mkdir(parents=True, exist_ok=True)
    done = subprocess.run([argv[0], "-c", str(root / "apt.conf"), *argv[1:]], cwd=FILES, text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          env={**os.environ, "LC_ALL": "C"})
    if must and done.returncode != 0:
        errors = [line for line in done.stdout.splitlines() if line.startswith("E: ")]
        raise Failure(f"{argv[0]} {argv[1]} failed:\n" + ("\n".join(errors) or done.stdout[-2000:]))
    return done.stdout


def update():
    print("slipway: reading the index of the source mirror", file=sys.stderr)
    apt("apt-get", "update", "-q", "-o", "APT::Update::Error-Mode=any")


def download(fields, version):
    """Asks apt for that version's files; what did not come shows in the cache."""
    what = f"{fields['Package']}={version}"
    if fields["Take"] == "binary":
        apt("apt-get", "download", "-q", what, must=False)
    else:
        apt("apt-get", "source", "-q", "--download-only", "--only-source", what, must=False)


def index_of(fields):
    """{version: [(sha256, size, file)]} of a package, as the signed index says, newest first."""
    found = {}
    kind = "show" if fields["Take"] == "binary" else "showsrc"
    options = [] if fields["Take"] == "binary" else ["--only-source"]
    for text in apt("apt-cache", kind, *options, fields["Package"], must=False).split("\n\n"):
        version = re.search(r"^Version: (.*)$", text, re.M)
        if not version:
            continue
        if fields["Take"] == "binary":
            one = {name: re.search(rf"^{name}: (.*)$", text, re.M).group(1)
                   for name in ("SHA256", "Size", "Architecture")}
            pins = [(one["SHA256"], int(one["Size"]),
                     f"{fields['Package']}_{version.group(1)}_{one['Architecture']}.deb")]
        else:
            part = re.search(r"^Checksums-Sha256:\s*\n((?: .*\n?)+)", text, re.M)
            pins = [(digest, int(size), file) for digest, size, file in
                    (line.split() for line in part.group(1).splitlines())]
        if fields["Take"] == "upstream":
            pins = [pin for pin in pins if re.search(r"\.orig(-\w+)?\.tar\.\w+$", pin[2])]
        found[version.group(1)] = sorted(pins, key=lambda pin: pin[2])
    return dict(sorted(found.items(), key=lambda item: version_key(item[0]), reverse=True))


class version_key:
    """Orders Debian versions; dpkg decides."""

    def __init__(self, version):
        self.version = version

    def __lt__(self, other):
        return subprocess.run(["dpkg", "--compare-versions", self.version, "lt", other.version],
                              check=False).returncode == 0


def fetch():
    """Every pinned file into the cache, or a failure that names what is not to be had."""
    waiting = [fields for fields in read_lock() if missing_files(fields)]
    if not waiting:
        return
    damaged = [FILES / name for fields in waiting for name in missing_files(fields) if (FILES / name).exists()]
    for path in damaged:
        print(f"slipway: {path} differs from its pin; it is fetched again", file=sys.stderr)
    try:
        update()
    except Failure as failure:
        if not damaged:
            raise
        raise Mismatch(f"{', '.join(map(str, damaged))}: other bytes than the pins say, and no mirror to "
                       f"fetch them from: {failure}") from failure
    for path in damaged:
        path.unlink()
    for fields in waiting:
        print(f"slipway: fetching {fields['Package']} {fields['Version']}", file=sys.stderr)
        download(fields, fields["Version"])
    problems = [explain(fields) for fields in waiting if missing_files(fields)]
    if problems:
        kind = Mismatch if any(isinstance(problem, Mismatch) for problem in problems) else Failure
        raise kind("\n".join(map(str, problems)))


def explain(fields):
    """The failure to raise for a package of which files are missing after its download."""
    index = index_of(fields)
    name, pinned = fields["Package"], fields["Version"]
    lost = ", ".join(missing_files(fields))
    if pinned not in index:
        return Failure(f"{name}: the lock pins version {pinned}, which the mirror no longer has; it has "
                       f"{', '.join(index) or 'none'}; move the pin with: make static-relock PACKAGE={name}")
    if not set(fields["Files"]) <= set(index[pinned]):
        return Mismatch(f"{name}: under the pinned version {pinned} the mirror has other bytes than the lock "
                        f"pins: {lost}")
    return Failure(f"{name}: the mirror's index has the pinned version {pinned}, but these files cannot be "
                   f"had: {lost}; try again, or another mirror in SLIPWAY_SOURCE_MIRROR")


def relock(names):
    """The newest version of each package whose files are all to be had becomes the pin."""
    stanzas = read_lock()
    unknown = set(names) - {fields["Package"] for fields in stanzas}
    if unknown:
        raise Failure(f"not in the lock: {', '.join(sorted(unknown))}")
    update()
    for fields in stanzas:
        if not names or fields["Package"] in names:
            move_pin(fields)
    write_lock(stanzas)


def move_pin(fields):
    name, before = fields["Package"], fields["Version"]
    for version, pins in index_of(fields).items():
        if not pins:
            continue
        if not all(map(is_whole, pins)):
            download(fields, version)
        lost = [pin[2] for pin in pins if not is_whole(pin)]
        if lost:
            print(f"slipway: {name} {version} is passed over: the mirror lacks {', '.join(lost)}",
                  file=sys.stderr)
            continue
        fields.update(Version=version, Files=pins)
        fields["Purl"] = purl(fields)
        print(f"{name}: {version}" if version == before else f"{name}: {before} -> {version}")
        return
    raise Failure(f"{name}: the mirror has no version whose files can all be had")


def unpack(name, target):
    """The sources of one package into `target`, which must not exist, with the patches applied."""
    fields = next((one for one in read_lock() if one["Package"] == name), None)
    if not fields:
        raise Failure(f"{name} is not in the lock")
    lost = missing_files(fields)
    if lost:
        raise Failure(f"not in the cache: {', '.join(lost)}")
    files = [FILES / pin[2] for pin in fields["Files"]]
    if fields["Take"] == "binary":
        command = ["dpkg-deb", "-x", str(files[0]), target]
    elif fields["Take"] == "upstream":
        pathlib.Path(target).mkdir()
        command = ["tar", "-xf", str(files[0]), "-C", target, "--strip-components=1", "--no-same-owner"]
    else:
        control = next(str(path) for path in files if path.suffix == ".dsc")
        command = ["dpkg-source", "--no-check", "-x", control, target]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
    for patch in fields.get("Patches", "").split():
        subprocess.run(["patch", "-p1", "--no-backup-if-mismatch", "-i", str(HERE / "patches" / patch)],
                       cwd=target, check=True, stdin=subprocess.DEVNULL)


def main(argv):
    try:
        if argv[1:] == ["fetch"]:
            fetch()
        elif len(argv) == 4 and argv[1] == "unpack":
            unpack(argv[2], argv[3])
        elif argv[1:2] == ["relock"]:
            relock(argv[2:])
        else:
            print(__doc__.split("\n\n")[1], file=sys.stderr)
            return 64
    except Failure as failure:
        print(f"slipway: {failure}", file=sys.stderr)
        return failure.status
    except subprocess.CalledProcessError as failure:
        print(f"slipway: {failure}", file=sys.stderr)
        return 69
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
