"""Package managers for the tests of packages: each a root of its own, with repositories made here.

The packages are small and the same for all of them: `git`, which needs `git-data`; `beside`, of which
machines have version 1 and the repository version 2; `wants-git`; `needs-what-is-not-there`;
`fails-afterwards`, whose script fails; `slow`, whose script waits for /srv/hold to go.  `good` is signed by a
key that lies on the machine, `unsigned` by nobody.

SPDX-License-Identifier: Apache-2.0
"""
import contextlib
import functools
import hashlib
import http.server
import json
import os
import pathlib
import re
import shutil
import subprocess
import threading
import time
import urllib.parse

import rig

# Where packages are made: for dpkg and for rpm.
WORKSHOP = ("bookworm", ("dnf", "zypper", "rpm", "createrepo-c", "gnupg", "file", "sudo"))
DRIVER = pathlib.Path(os.environ.get("SLIPWAY_DRIVER", "build/release/tests/drive_installer_step"))

# name, version, what it needs, a script that runs once its files are there
PACKAGES = (
    ("the-shell", "1", "", ""),
    ("git", "2.45.0", "git-data", ""),
    ("git-data", "1", "", ""),
    ("beside", "1", "", ""),
    ("beside", "2", "", ""),
    ("wants-git", "1", "git", ""),
    ("needs-what-is-not-there", "1", "what-is-not-there", ""),
    ("fails-afterwards", "1", "", "exit 7"),
    ("slow", "1", "", "while [ -e /srv/hold ]; do sleep 0.2; done"),
)

FILES = """\
mkdir -p {root}/usr/bin {root}/etc {root}/usr/share/{name}
printf '#!/bin/sh\\necho {name} version {version}\\n' >{root}/usr/bin/{name}
chmod 755 {root}/usr/bin/{name}
echo setting >{root}/etc/{name}.conf
for i in $(seq 200); do seq 1000 >{root}/usr/share/{name}/$i; done
"""
SPEC = """\
Name: {name}
Version: {version}
Release: 1
Summary: {name}, for a test
License: Apache-2.0
BuildArch: noarch
{needs}%description
{name}, for a test
%install
{files}%files
/usr/bin/{name}
/usr/share/{name}
%config /etc/{name}.conf
{script}"""
CONTROL = """\
Package: {name}
Version: {version}
Architecture: all
Maintainer: Test <test@localhost>
Description: {name}, for a test
{needs}"""
RELEASE = """\
cp -a /srv/deb/good /srv/deb/moved
mv /srv/deb/moved/git_2.45.0.deb /srv/deb/moved/git_new.deb
for each in good unsigned moved; do (
  cd /srv/deb/$each
  for one in *.deb; do
    dpkg-deb -f "$one"
    echo "Filename: ./$one"
    echo "Size: $(stat -c %s "$one")"
    echo "SHA256: $(sha256sum "$one" | cut -d' ' -f1)"
    echo
  done >Packages
  printf 'Date: %s\\nSHA256:\\n %s %s Packages\\n' "$(date -Ru)" "$(sha256sum Packages | cut -d' ' -f1)" \\
    "$(stat -c %s Packages)" >Release
) done
for each in good moved; do
  gpg -q --clearsign -o /srv/deb/$each/InRelease /srv/deb/$each/Release
done
"""


def _rpm(name, version, needs, script):
    needs = f"Requires: {needs}\n" if needs else ""
    if name == "the-shell":
        needs += "Provides: /bin/sh, /usr/bin/sh\n"
    return f"/root/{name}-{version}.spec", SPEC.format(
        name=name, version=version, needs=needs, script=f"%post\n{script}\n" if script else "",
        files=FILES.format(root="%{buildroot}", name=name, version=version))


def _deb(name, version, needs, script):
    root = f"/root/{name}-{version}"
    control = CONTROL.format(name=name, version=version, needs=f"Depends: {needs}\n" if needs else "")
    return "\n".join([
        FILES.format(root=root, name=name, version=version), f"mkdir {root}/DEBIAN",
        f"cat >{root}/DEBIAN/control <<'END'\n{control}END",
        f"echo /etc/{name}.conf >{root}/DEBIAN/conffiles",
        *([f"printf '#!/bin/sh\\n{script}\\n' >{root}/DEBIAN/postinst",
           f"chmod 755 {root}/DEBIAN/postinst"] if script else []),
        f"dpkg-deb -b --root-owner-group {root} /srv/deb/unsigned/{name}_{version}.deb >/dev/null"])


def _make_packages(machine):
    lines = ["mkdir -p /srv/rpm/unsigned /srv/deb/unsigned"]
    for package in PACKAGES:
        path, spec = _rpm(*package)
        machine.write(path, spec)
        lines += ["rpmbuild -bb --quiet --define '_rpmdir /srv/rpm/unsigned' --define "
                  f"'_build_name_fmt %%{{NAME}}-%%{{VERSION}}.rpm' {path}", _deb(*package)]
    lines += [
        "printf 'Key-Type: rsa\\nKey-Length: 3072\\nKey-Usage: sign\\nName-Real: Test\\n"
        "%%no-protection\\n%%commit\\n' | gpg -q --batch --gen-key -",
        "gpg -q --armor --export Test >/srv/KEY.asc",
        "cp -a /srv/rpm/unsigned /srv/rpm/good && cp -a /srv/deb/unsigned /srv/deb/good",
        "rpmsign --define '_gpg_name Test' --define '__gpg /usr/bin/gpg' --addsign /srv/rpm/good/*.rpm",
        "cp -a /srv/rpm/good /srv/rpm/moved",
        "mv /srv/rpm/moved/git-2.45.0.rpm /srv/rpm/moved/git-new.rpm",
        "for each in good unsigned moved; do createrepo_c -q /srv/rpm/$each; done", RELEASE,
        "find /srv/*/good -exec touch -d '1 hour ago' {} +"]
    machine.run(["sh", "-ec", "\n".join(lines)], check=True)


@rig.made_once
def packages():
    """A directory with repositories in rpm/ and deb/; made once for each version of this file."""
    key = hashlib.sha256(pathlib.Path(__file__).read_bytes()).hexdigest()[:12]
    place = rig.CACHE / f"packages-{key}"
    if place.exists():
        return place
    work = place.with_suffix(".new")
    shutil.rmtree(work, ignore_errors=True)
    with rig.Machine(WORKSHOP[0], extra=WORKSHOP[1], has_program=False) as machine:
        _make_packages(machine)
        shutil.copytree(machine.root / "srv", work)
    work.rename(place)
    return place


def _libraries(program):
    said = rig.run(["ldd", str(program)])
    return re.findall(r"(?:=>|^\s)\s*(/\S+)", said, re.M)


@functools.lru_cache(maxsize=None)
@rig.made_once
def driver():
    """A directory for `lower` with the program that runs one step, and its libraries, in /drive."""
    program = rig.TOP / DRIVER
    if not program.exists():
        rig.run(["make", str(DRIVER)], cwd=rig.TOP)
    place = rig.CACHE / f"drive-{hashlib.sha256(program.read_bytes()).hexdigest()[:12]}"
    if place.exists():
        return place
    work = place.with_suffix(".new")
    shutil.rmtree(work, ignore_errors=True)
    (work / "drive/lib").mkdir(parents=True)
    shutil.copy2(program, work / "drive/drive")
    for path in _libraries(program):
        is_loader = "/ld-" in path
        shutil.copy2(path, work / ("drive/ld.so" if is_loader else "drive/lib"))
    work.rename(place)
    return place


class _Files(http.server.SimpleHTTPRequestHandler):
    """A server of files, and a proxy that has those of every host; `seen` of the server has what it was asked for."""

    def send_head(self):
        self.server.seen.append(self.path)
        self.path = urllib.parse.urlsplit(self.path).path
        return super().send_head()

    def log_message(self, *_):
        pass


class Managed(rig.Machine):
    """A machine with one of the managers, whose repository is served from its own /srv."""

    manager = suite = kind = None
    root_packages = ()
    remove = list_command = ()
    books = ()  # what the manager keeps about itself, below /

    def __init__(self):
        super().__init__(self.suite, extra=self.root_packages, has_program=False, lower=[driver()])
        self.fill()
        handler = functools.partial(_Files, directory=str(self.root / "srv"))
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.server.seen = []
        self.callback(self.server.server_close)
        self.callback(self.server.shutdown)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.set_up()

    def fill(self):
        """Puts the repositories into /srv."""
        shutil.copytree(packages() / self.kind, self.root / "srv", dirs_exist_ok=True)
        shutil.copy(packages() / "KEY.asc", self.root / "srv/KEY.asc")

    def set_up(self):
        """Makes it a machine of that family, with `beside` 1, on which the repository is `good`."""
        raise NotImplementedError

    def sh(self, line, status=0):
        done = self.run(["sh", "-c", line], timeout=120)
        if done.returncode != status:
            raise AssertionError(f"{line}: {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done.stdout

    def listed(self):
        return sorted(line for line in self.run([*self.list_command], check=True).stdout.splitlines()
                      if not line.startswith("gpg-pubkey"))

    def picture(self):
        """Every file but the manager's own books, and the list of packages."""
        return self.tree("/drive", "/txn", "/srv", "/var/tmp", *self.books), self.listed()

    def inputs(self, packages=("git",), tool="git", timeout_s=5, **more):
        text = json.dumps({"manager": self.manager, "packages": list(packages),
                           "tools": [{"name": tool}] if tool else [], "lock_timeout_s": timeout_s, **more})
        self.write("/drive/inputs.json", text)
        return ["apply", "packages", "/txn", "/drive/inputs.json"]

    def drive(self, *words, user=None, env=None):
        return self.run(["/drive/ld.so", "--library-path", "/drive/lib", "/drive/drive", *words],
                        user=user, env=env)

    def apply(self, *packages, tool="git", timeout_s=5, **more):
        return self.drive(*self.inputs(packages or ("git",), tool, timeout_s, **more))

    def undo(self):
        return self.drive("undo", "/txn")

    @contextlib.contextmanager
    def running(self, *words):
        """Something that goes on beside; nothing of it is left."""
        process = subprocess.Popen(self.command([*words]), stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            yield process
        finally:
            process.kill()
            process.wait()
            self.end_processes()

    def move_on(self):
        """The repository has a package under another name now, of which an old index knows nothing."""
        self.sh("rm -rf /srv/good && mv /srv/moved /srv/good")

    def archive(self, name):
        """The package file of that name in the good repository."""
        return next(path for path in (self.root / "srv/good").iterdir()
                    if path.name.startswith((f"{name}-", f"{name}_")))


class Apt(Managed):
    manager, kind = "apt", "deb"
    root_packages = ("sudo",)
    list_command = ("dpkg-query", "-W", "-f",
                    "${Package} ${Version} ${db:Status-Abbrev} ${Package:Auto}\n")
    books = ("/var/lib/apt", "/var/cache/apt", "/var/lib/dpkg", "/var/log/apt", "/var/log/dpkg.log",
             "/var/log/alternatives.log", "/var/cache/debconf", "/var/cache/ldconfig",
             "/etc/ld.so.cache", "/etc/ld.so.cache~")
    install = "env DEBIAN_FRONTEND=noninteractive apt-get -y -q install"
    program = "/usr/bin/apt-get"
    mark = "apt-mark manual"

    def set_up(self):
        self.sh("rm -rf /etc/apt/sources.list /etc/apt/sources.list.d/* /var/lib/apt/lists/*")
        self.use("good")
        self.sh("dpkg -i /srv/good/beside_1.deb && apt-get -q update")

    def use(self, repository, key="file"):
        signed = "[signed-by=/srv/KEY.asc] " if key == "file" else ""
        self.write("/etc/apt/sources.list", f"deb {signed}{self.url}/{repository} ./\n")

    def listed(self):
        return [*super().listed(), "manual:", *self.sh("apt-mark showmanual").split()]

    def forget(self):
        """The index and what was downloaded go."""
        self.sh("rm -rf /var/lib/apt/lists/* /var/cache/apt/archives/*.deb")


    ask = "apt-get -q update"

    def damage_index(self):
        self.sh("echo damaged >>/srv/good/Packages")


class AptBookworm(Apt):
    suite = "bookworm"


class AptTrixie(Apt):
    suite = "trixie"


class Rpm(Managed):
    kind = "rpm"
    list_command = ("rpm", "-qa", "--qf", "%{NAME} %{EVR} %{ARCH}\n")
    system = "fedora"
    books = ("/var/lib/rpm", "/var/lib/dnf", "/var/cache/dnf", "/var/log", "/var/lib/zypp",
             "/var/cache/zypp", "/var/cache/libdnf5", "/usr/lib/sysimage", "/etc/zypp", "/etc/rpm",
             "/var/lib/YaST2", "/root/.cache", "/root/.gnupg")

    def set_up(self):
        self.write("/etc/rpm/macros", "%_dbpath /var/lib/rpm\n%__transaction_unshare %{nil}\n")
        self.write("/etc/os-release", f"ID={self.system}\nVERSION_ID=40\n")
        self.use("good")
        self.sh("rpm -i --nodeps --nosignature /srv/good/the-shell-1.rpm /srv/good/beside-1.rpm")

    def definition(self, repository, key):
        where = "file:///srv" if key == "file" else self.url
        return (f"[t]\nname=t\nbaseurl={self.url}/{repository}\nenabled=1\ngpgcheck=1\n"
                f"gpgkey={where}/KEY.asc\n")


    def damage_index(self):
        self.sh("for each in /srv/good/repodata/*primary.xml*; do echo damaged >$each; done")


class Dnf(Rpm):
    def use(self, repository, key="file"):
        self.write("/etc/yum.repos.d/t.repo", self.definition(repository, key))

    def forget(self):
        self.sh("rm -rf /var/cache/dnf /var/cache/libdnf5")


class Dnf4(Dnf):
    manager, suite = "dnf4", WORKSHOP[0]
    root_packages = WORKSHOP[1]
    install = "dnf -y install"
    ask = "dnf -y makecache"
    program = "/usr/bin/dnf"
    mark = "dnf mark install"


class Dnf5(Dnf):
    manager, suite = "dnf5", "sid"
    root_packages = ("dnf5", "rpm", "sudo")
    install = "dnf5 -y install"
    ask = "dnf5 -y makecache"
    program = "/usr/bin/dnf5"
    mark = "dnf5 -y mark user"

    def set_up(self):
        super().set_up()
        # A plugin of Debian's that keeps packages with a program that is not there.
        self.sh("sed -i 's/^enabled *=.*/enabled = 0/' /etc/dnf/libdnf5-plugins/local.conf")


class Zypper(Rpm):
    manager, suite = "zypper", WORKSHOP[0]
    root_packages = WORKSHOP[1]
    system = "opensuse-leap"
    install = "zypper -n install"
    ask = "zypper -n refresh"
    program = "/usr/bin/zypper"
    mark = None  # it does not note that somebody asks for what is there

    def set_up(self):
        super().set_up()
        self.sh("rpm --import /srv/KEY.asc")

    def use(self, repository, key="file"):
        self.write("/etc/zypp/repos.d/t.repo", self.definition(repository, key).replace(
            "gpgcheck=1", "gpgcheck=0\nrepo_gpgcheck=0\npkg_gpgcheck=1"))
        if key != "file":
            self.sh("rpm -e --allmatches gpg-pubkey")

    def forget(self):
        self.sh("rm -rf /var/cache/zypp")


def poll(condition, seconds=30):
    """Waits until it holds."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise AssertionError("it never came to that")
        time.sleep(0.02)
