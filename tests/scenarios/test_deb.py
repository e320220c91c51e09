"""The Debian package: built from a source archive of this tree on Debian 12 and 13, with what
"apt-get build-dep" brings; looked at by lintian; installed, upgraded, removed and purged by a real
apt from a signed repository.
"""
import hashlib
import pathlib
import shutil
import subprocess
import tempfile
import unittest

import rig
from packagers import HOMEPAGE, RELEASE_URL, Machine, make_archive, version

DEBIAN = rig.TOP / "packaging/debian"
OLDER = "0.0.9-1"
MARKER = pathlib.PurePath("/usr/lib/slipway/installed-by")
UPDATER = "apt-get install --only-upgrade slipway"
# By itself apt keeps what came with it and another package recommends or suggests, as Debian 13's C
# library does with libidn2; before, that was not there.
PURGE = ("apt-get purge -y -q --auto-remove -o APT::AutoRemove::RecommendsImportant=0 "
         "-o APT::AutoRemove::SuggestsImportant=0")
TOOLS = ("build-essential", "lintian", "apt-utils", "gnupg", "man-db", "bash-completion")
KEY_FILE = {"SLIPWAY_KEY_FILE": "/root/key"}

# What apt, dpkg, ldconfig and man keep about everything installed.
BOOKS = ("/var/lib/apt", "/var/cache/apt", "/var/lib/dpkg", "/var/log", "/var/cache/debconf",
         "/var/cache/ldconfig", "/etc/ld.so.cache", "/var/cache/man")


@rig.made_once
def workshop(suite):
    """A root with the tools and, by a real "apt-get build-dep", what building needs; made once for
    each debian/control."""
    control = (DEBIAN / "control").read_bytes()
    digest = hashlib.sha256(control + " ".join(TOOLS).encode()).hexdigest()[:12]
    root = rig.CACHE / f"root-{suite}-deb-{digest}"
    if root.exists():
        return root
    rig.CACHE.mkdir(parents=True, exist_ok=True)
    work = root.with_suffix(".new")
    shutil.rmtree(work, ignore_errors=True)
    rig.run(["mmdebstrap", "--variant=minbase", "--mode=root", "--include=" + ",".join(TOOLS),
             '--aptopt=APT::Install-Recommends "0"', "--dpkgopt=force-unsafe-io",
             '--customize-hook=mkdir -p "$1/package"',
             f'--customize-hook=cp -R "{DEBIAN}" "$1/package/debian"',
             '--customize-hook=cp /etc/resolv.conf "$1/etc/"',
             '--customize-hook=cd "$1" && chroot . sh -c "cd package && apt-get -q -y build-dep ./"',
             '--customize-hook=rm -r "$1/package"',
             suite, str(work), f"deb {rig.mirror()} {suite} main"])
    work.rename(root)
    return root


class Workshop(Machine):
    """Builds the package as an ordinary user, from the archive and packaging/ in /src."""

    def __init__(self, suite):
        super().__init__(suite, base=workshop(suite))
        (self.root / "src").mkdir()
        self.archive = "/src/" + make_archive(self.root / "src").name
        shutil.copytree(rig.TOP / "packaging", self.root / "src/packaging")
        self.shell("useradd -m builder && mkdir /build && chown builder /build")

    def build(self, name, **env):
        """Builds in a directory of its own; returns it and what the build said."""
        said = self.shell(f"umask {env.pop('umask', '022')}; mkdir /build/{name} && "
                          f"/src/packaging/deb.sh {self.archive} {RELEASE_URL} {HOMEPAGE} /build/{name}",
                          user="builder", is_alone=True, **env)
        return f"/build/{name}", said


class Deb:
    """One suite: the package is built once, its tests are on machines of their own."""
    maxDiff = None
    suite = None
    options = "parallel=2"

    @classmethod
    def setUpClass(cls):
        rig.install()
        machine = cls.workshop = cls.enterClassContext(Workshop(cls.suite))
        cls.out, cls.said = machine.build("first", DEB_BUILD_OPTIONS=cls.options)
        cls.files = sorted(path.name for path in (machine.root / cls.out.lstrip("/")).glob("*.deb"))
        cls.deb = next(name for name in cls.files if name.startswith("slipway_"))
        cls.make_repository()

    @classmethod
    def make_repository(cls):
        """A signed one in /repository: the package and an older one with a file that went away."""
        machine = cls.workshop
        machine.make_signing_key("/key.asc")
        machine.shell(
            f"mkdir /repository && cd /repository && cp {cls.out}/{cls.deb} . && "
            f"dpkg-deb -R {cls.deb} /older && cd /older && "
            f"sed -i 's/^Version: .*/Version: {OLDER}/' DEBIAN/control && "
            "mkdir usr/share/slipway && echo old | tee usr/share/slipway/gone >>usr/bin/slipway && "
            "find usr -type f -exec md5sum {} + >DEBIAN/md5sums && "
            f"dpkg-deb --root-owner-group -b . /repository/slipway_{OLDER}_all.deb && cd /repository && "
            "apt-ftparchive packages . >Packages && apt-ftparchive release . >/Release && "
            "mv /Release /key.asc . && gpg -q --clearsign -o InRelease Release && chmod -R go+rX .")

    def machine(self):
        """A machine that knows the repository, with man and bash-completion."""
        machine = self.enterContext(Machine(self.suite, extra=("man-db", "bash-completion")))
        shutil.copytree(self.workshop.root / "repository", machine.root / "srv/repository")
        machine.shell("install -D -m 644 /srv/repository/key.asc /etc/apt/keyrings/slipway.asc && "
                      "echo 'deb [signed-by=/etc/apt/keyrings/slipway.asc] file:/srv/repository ./' "
                      ">/etc/apt/sources.list.d/slipway.list && apt-get -q update")
        return machine

    def test_the_build(self):
        """The distribution's flags, the tests where they are asked for, no warning."""
        tests = self.assertNotRegex if "nocheck" in self.options else self.assertRegex
        tests(self.said, r"(?m)^\d{3,} passed, 0 failed$")
        self.assertNotRegex(self.said, r"(?m)warning: ")
        self.assertRegex(self.said, r"(?m)^\s*\S*cc .*-D_FORTIFY_SOURCE=2.* -c base/file\.c ")
        self.assertRegex(self.said, r"(?m)^\s*\S*cc .*-Wl,-z,now.* -o build/release/slipway$")

    def test_lintian(self):
        said = self.workshop.shell(f"cd {self.out} && lintian --pedantic --display-info "
                                   "--fail-on error,warning *.changes", user="builder")
        print(f"  lintian, {self.suite}: {said.strip() or 'nothing'}", flush=True)
        self.assertNotRegex(said, r"(?m)^[EW]: ")

    def test_what_it_needs(self):
        said = self.workshop.shell(f"dpkg-deb -I {self.out}/{self.deb}")
        for library in ("libglib2.0-0", "libarchive13", "libcurl4", "libssl3", "libjansson4",
                        "libinih1", "libsecret-1-0"):
            self.assertRegex(said, rf"(?m)^ Depends: .*\b{library}")
        self.assertRegex(said, r"(?m)^ Recommends: ca-certificates$")
        self.assertRegex(said, r"(?m)^ Suggests: docker.io$")
        self.assertNotRegex(said, r"\b(post|pre)(inst|rm)\b|triggers")

    def assert_works(self, machine):
        self.assertEqual(machine.shell("slipway version"), f"slipway {version()}\n")
        self.assertIn("localagent", machine.shell("slipway stacks"))
        status, document = machine.run(["slipway", "check", "--json"]).returncode, machine.shell(
            "slipway check --json || :")
        self.assertIn(status, (0, 1), document)
        self.assertIn('"checks"', document)
        machine.shell("for page in 1/slipway 1/slipway-install 5/slipway-stack 5/slipway.ini; do "
                      "man -w ${page%/*} ${page#*/}; done && man -P cat slipway | grep -q uninstall")
        self.assertIn("localagent", machine.shell(
            "set +e; . /usr/share/bash-completion/bash_completion; COMP_WORDS=(slipway install lo); "
            "COMP_CWORD=2; _completion_loader slipway; complete -p slipway; _slipway slipway lo install; "
            "echo ${COMPREPLY[@]}"))
        machine.shell("test -s /usr/share/zsh/vendor-completions/_slipway && "
                      "test -s /usr/share/fish/vendor_completions.d/slipway.fish")

    def assert_apt_updates_it(self, machine):
        """The package says so; without its word, dpkg does."""
        for before, after in ((":", ":"), (f"mv {MARKER} /tmp", f"mv /tmp/{MARKER.name} {MARKER}")):
            machine.shell(before)
            done = machine.run(["slipway", "update"])
            machine.shell(after)
            self.assertEqual(done.returncode, 77, done.stderr)
            self.assertIn(UPDATER, done.stderr)
        machine.shell(UPDATER.replace("install", "install -y -q"))

    def test_installed_and_purged(self):
        machine = self.machine()
        before, packages = machine.tree(*BOOKS), machine.packages()
        machine.shell("apt-get install -y -q slipway")
        self.assert_works(machine)
        self.assert_apt_updates_it(machine)
        self.assertEqual(machine.shell("dpkg -V slipway"), "")
        self.assertEqual(machine.shell("stat -c '%a %U %G' /usr/bin/slipway /etc/slipway"),
                         "755 root root\n755 root root\n")
        machine.shell(f"apt-get remove -y -q slipway && {PURGE} slipway")
        self.assertEqual(rig.differences(before, machine.tree(*BOOKS)), [])
        self.assertEqual(machine.packages(), packages)
        machine.shell("! grep -rl slipway /var/lib/dpkg")

    def test_upgraded(self):
        """From an older version; what belongs to people stays through all of it."""
        machine = self.machine()
        machine.shell(f"apt-get install -y -q slipway={OLDER} && test -e /usr/share/slipway/gone")
        before = machine.tree(*BOOKS)
        machine.shell("head -c 32 /dev/urandom >/root/key && chmod 600 /root/key && "
                      "printf secret | slipway keys set OPENAI_API_KEY --stdin && "
                      "printf '[slipway]\nplain = yes\n' >/etc/slipway/slipway.ini", **KEY_FILE)
        theirs = [line for line in rig.differences(before, machine.tree(*BOOKS))
                  if line.startswith("new ")]
        self.assertEqual(machine.shell(UPDATER.replace("install", "install -y -q") +
                                       " >/dev/null 2>&1 && slipway version"), f"slipway {version()}\n")
        machine.shell("test ! -e /usr/share/slipway")
        self.assert_apt_updates_it(machine)
        machine.shell(f"{PURGE} slipway")
        after = machine.tree(*BOOKS)
        self.assertEqual([line for line in theirs if line.split()[1] not in after], [])
        self.assertGreaterEqual(len(theirs), 3)
        machine.shell("apt-get install -y -q slipway")
        self.assertEqual(machine.shell("slipway keys get OPENAI_API_KEY | cat", **KEY_FILE).strip(),
                         "secret")


class Debian12(Deb, unittest.TestCase):
    """Its tests are those of "make test" on the same libraries; Debian 13's build runs them."""
    suite = "bookworm"
    options = "parallel=2 nocheck"


class Debian13(Deb, unittest.TestCase):
    suite = "trixie"

    def test_reproducible(self):
        """Another directory, umask, language and time zone, and no tests: the same bytes."""
        other, said = self.workshop.build(
            "second/with/a/longer/path".replace("/", "-"), umask="077", TZ="Asia/Tokyo", LANG="C",
            DEB_BUILD_OPTIONS="parallel=2 nocheck terse", DEB_BUILD_PROFILES="nocheck")
        self.assertNotIn(" passed, ", said)
        for name in self.files:
            self.workshop.shell(f"cmp {self.out}/{name} {other}/{name}")


class Script(unittest.TestCase):
    """packaging/deb.sh refuses what would make another package than it says."""

    def test_refuses(self):
        newer = "slipway-99.0.0.tar.xz"
        for name, url, is_there, status in (
                ("slipway-1.0-rc1.tar.xz", RELEASE_URL, True, 65),
                ("slipway-.tar.xz", RELEASE_URL, True, 65),
                ("other-1.0.tar.xz", RELEASE_URL, True, 65),
                (newer, RELEASE_URL, True, 65),
                (newer, "https://x.example/a|b", True, 65),
                (newer, RELEASE_URL, False, 69)):
            with self.subTest(name=name, url=url), tempfile.TemporaryDirectory() as place:
                if is_there:
                    pathlib.Path(place, name).write_bytes(b"x")
                done = subprocess.run([str(rig.TOP / "packaging/deb.sh"), f"{place}/{name}", url,
                                       HOMEPAGE, f"{place}/out"], capture_output=True, text=True)
                self.assertEqual(done.returncode, status, done.stderr)
                self.assertFalse(pathlib.Path(place, "out").exists())


if __name__ == "__main__":
    unittest.main(verbosity=2)
