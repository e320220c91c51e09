"""The recipes for rpm, pacman, apk and brew, built from a source archive of this tree.

rpmbuild, rpmlint, dnf, zypper, makepkg and pacman are the real ones, as Debian 13 has them: each
manager installs into a root of its own, which holds Debian's libraries as a package.  abuild, apk
and brew are not in Debian: their recipes are read by the tools that are, and their functions run.
"""
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

import rig
from packagers import HOMEPAGE, RELEASE_URL, Machine, make_archive, version

# "once": the package of Debian 13 runs the tests, on the same libraries, and these do not.
HAS_TESTS = os.environ.get("SLIPWAY_PACKAGE_TESTS") != "once"
HERE = pathlib.Path(__file__).resolve().parent
TOOLS = ("rpm", "rpmlint", "dnf", "createrepo-c", "zypper", "gnupg", "elfutils", "debugedit",
         "pacman-package-manager", "makepkg", "libarchive-tools", "fakeroot", "rubocop",
         "shellcheck", "busybox-static", "file", "git", "python3-venv", "xz-utils")
# What a formula is held to: brew's own choices where they differ from RuboCop's.
RUBOCOP = """\
AllCops: {NewCops: enable, SuggestExtensions: false}
Style/StringLiterals: {EnforcedStyle: double_quotes}
Style/Documentation: {Enabled: false}
Style/FrozenStringLiteralComment: {Enabled: false}
Layout/LineLength: {Max: 118}
Layout/SpaceAroundOperators: {Enabled: false}
"""
# As Fedora sets rpmlint up; the plain rpmlint asks for what was right twenty years ago.
RPMLINT = """\
CompressExtension = "gz"
ValidLicenses = ["Apache-2.0"]
Filters = ["no-packager-tag", "no-group-tag", "no-buildroot-tag"]
"""
INSTALLED = ("usr/bin/slipway", "usr/share/man/man1/slipway.1", "usr/share/man/man5/slipway-stack.5",
             "usr/share/bash-completion/completions/slipway",
             "usr/share/zsh/site-functions/_slipway",
             "usr/share/fish/vendor_completions.d/slipway.fish")
# What a package manager keeps about itself.
BOOKS = ("var/lib/rpm", "var/lib/dnf", "var/cache/dnf", "var/log", "var/lib/pacman", "var/cache/zypp",
         "var/lib/zypp", "etc/zypp", "etc/products.d", "etc/pki", "etc/rpm")


def build_packages():
    """Debian's packages that building slipway takes, as build-deps.sh names them."""
    script = (rig.TOP / "packaging/build-deps.sh").read_text()
    return re.search(r'^apt_build="([^"]*)"', script, re.M).group(1).split()


class Workshop(Machine):
    """A Debian 13 with every tool, the source archive and the filled-in recipes in /src."""

    def __init__(self):
        super().__init__("trixie", extra=(*TOOLS, *build_packages()))
        os.symlink("/proc/self/mounts", self.root / "etc/mtab")
        source = self.root / "src"
        source.mkdir()
        self.archive = make_archive(source)
        rig.run([str(rig.TOP / "packaging/stamp.sh"), str(self.archive), RELEASE_URL,
                 HOMEPAGE, str(source)])
        self.shell("useradd -m builder && chown -R builder /src")

    def unpack(self, name):
        """The sources in a directory of their own."""
        self.shell(f"mkdir /{name} && tar -xf /src/{self.archive.name} -C /{name} && "
                   f"chown -R builder /{name}")
        return f"/{name}/slipway-{version()}"

    def libraries(self, program):
        """The libraries that a program here is linked to, and its loader."""
        said = self.shell(f"ldd {program}")
        return sorted(set(re.findall(r"(/\S+) \(0x", said)))

    def tree_of(self, target):
        """Every file below `target`, less what package managers keep about themselves."""
        top = f"/{target}"
        return {path[len(top):]: what for path, what in
                self.tree(*(f"{target}/{book}" for book in BOOKS)).items()
                if path.startswith(top + "/")}


class Packages(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        rig.install()
        cls.machine = cls.enterClassContext(Workshop())

    def shell(self, line, **options):
        return self.machine.shell(line, **options)

    def assert_tested(self):
        tests = self.assertRegex if HAS_TESTS else self.assertNotRegex
        tests(self.said, r"(?m)^\d{3,} passed, 0 failed$")

    def assert_works(self, target, updater):
        """The installed program, in a root where nothing is but its package and the libraries."""
        inside = f"chroot /{target} /usr/bin/slipway"
        self.assertIn(f"slipway {version()}", self.shell(f"{inside} version"))
        self.assertIn("localagent", self.shell(f"{inside} stacks"))
        self.shell(f"{inside} unpack localagent /unpacked && test -s /{target}/unpacked/stack.ini && "
                   f"rm -r /{target}/unpacked")
        done = self.machine.run(["chroot", f"/{target}", "/usr/bin/slipway", "check", "--json"])
        self.assertIn(done.returncode, (0, 1), done.stderr)
        self.assertGreater(len(json.loads(done.stdout)["checks"]), 5)
        # Its own package manager updates it, and it says so.
        done = self.machine.run(["chroot", f"/{target}", "/usr/bin/slipway", "update"])
        self.assertNotEqual(done.returncode, 0)
        self.assertIn(updater, done.stderr)

    def assert_installed(self, target):
        for path in INSTALLED:
            found = list((self.machine.root / target).glob(path + "*"))
            self.assertEqual(len(found), 1, path)
            self.assertEqual(found[0].stat().st_mode & 0o777, 0o755 if "bin" in path else 0o644, path)

    def assert_same_tree(self, before, target):
        self.assertEqual(rig.differences(before, self.machine.tree_of(target)), [])


class Rpm(Packages):
    """rpmbuild and rpmlint, then dnf and zypper from one signed repository."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        machine = cls.machine
        machine.write("/root/.rpmmacros", "%_dbpath /var/lib/rpm\n%_topdir /rpm\n%_smp_mflags -j2\n"
                      "%__gpg /usr/bin/gpg\n%_gpg_name Test\n")
        shutil.copy(machine.root / "root/.rpmmacros", machine.root / "home/builder/.rpmmacros")
        machine.shell("mkdir -p /rpm /repo /etc/zypp && chown builder /rpm /repo")
        cls.install_build_requirements()
        cls.said = machine.shell(f"rpmbuild -ba {'' if HAS_TESTS else '--nocheck'} -D '_sourcedir /src' "
                                "-D '_debugsource_packages 1' /src/slipway.spec", user="builder")
        cls.make_packages_around_it()
        cls.make_repository()

    @classmethod
    def rpm(cls, name, lines):
        """Builds a small package; everything in /stage/NAME is in it."""
        cls.machine.write(f"/stage/{name}.spec", "\n".join([
            f"Name: {name}", "Release: 1", f"Summary: {name}", "License: none", *lines,
            "%description", name, "%install", f"cp -a /stage/{name}/. %{{buildroot}}/",
            "%files", f"%(cd /stage/{name} && find . -mindepth 1 -type d -printf '%%%%dir /%%P\\n' "
            "-o -printf '/%%P\\n')"]) + "\n")
        cls.machine.shell(f"mkdir -p /stage/{name} && "
                          f"rpmbuild -bb -D '_topdir /stubs' -D '__os_install_post %{{nil}}' "
                          f"/stage/{name}.spec")

    @classmethod
    def install_build_requirements(cls):
        """rpm's database learns what Debian's has: pkgconfig(...) is read from the real .pc files."""
        cls.machine.shell("mkdir -p /stage/devel/usr/lib64/pkgconfig && "
                          "cp /usr/lib/*/pkgconfig/*.pc /stage/devel/usr/lib64/pkgconfig")
        cls.rpm("devel", ["Version: 1", "AutoReq: no",
                          "Provides: gcc, make, git-core, python3"])
        cls.machine.shell("rpm -i --justdb --nodeps /stubs/RPMS/*/devel-1-1.*.rpm")

    @classmethod
    def make_packages_around_it(cls):
        """The libraries, from which rpm reads what they provide; and an older slipway."""
        machine = cls.machine
        machine.shell("mkdir -p /stage/libraries && cd /stage/libraries && rpm2archive -n "
                      "/rpm/RPMS/*/slipway-[0-9]*.rpm | tar -x ./usr/bin/slipway")
        program = "/stage/libraries/usr/bin/slipway"
        for path in machine.libraries(program):
            machine.shell(f"install -D -m 755 {path} /stage/libraries{path}")
        machine.shell(f"rm {program} && cd /stage/libraries/usr && mkdir -p lib share/doc share/licenses "
                      "share/man/man1 share/man/man5")
        cls.rpm("libraries", ["Version: 1", "Provides: rtld(GNU_HASH)"])
        machine.shell("mkdir -p /stage/slipway/usr/bin /stage/slipway/usr/share/slipway && "
                      "echo old >/stage/slipway/usr/bin/slipway && "
                      "echo old >/stage/slipway/usr/share/slipway/gone")
        cls.rpm("slipway", ["Version: 0.0.9"])

    @classmethod
    def make_repository(cls):
        cls.machine.make_signing_key("/repo/KEY")
        cls.machine.shell(
            "mkdir /repo/good /repo/unsigned && cp /rpm/RPMS/*/*.rpm /stubs/RPMS/*/*.rpm /repo/good && "
            "rm /repo/good/devel-* && cp /repo/good/* /repo/unsigned && "
            "rpmsign --addsign /repo/good/*.rpm && "
            "for repo in good unsigned; do createrepo_c -q /repo/$repo && "
            "gpg -q --armor --detach-sign /repo/$repo/repodata/repomd.xml; done")
        cls.write_repository("good")

    @classmethod
    def write_repository(cls, name):
        for folder in ("/etc/yum.repos.d", "/etc/zypp/repos.d"):
            cls.machine.write(f"{folder}/local.repo", "[local]\nname=local\nenabled=1\ngpgcheck=1\n"
                              f"baseurl=file:///repo/{name}\ngpgkey=file:///repo/KEY\n")

    def test_nothing_to_say_about_it(self):
        self.machine.write("/src/rpmlint.toml", RPMLINT)
        self.shell("rpmsign --addsign /rpm/SRPMS/*.rpm && rpm --import /repo/KEY")
        said = self.shell("rpmlint -c /src/rpmlint.toml -r /src/slipway.rpmlintrc /src/slipway.spec "
                          f"/rpm/SRPMS/*.rpm /repo/good/slipway-{version()}-*.rpm")
        self.assertRegex(said, r"\b0 errors, 0 warnings\b")
        self.assertNotRegex(self.said, r"(?m)^warning: (?!Could not canonicalize hostname)|: warning: ")
        self.assert_tested()

    def test_what_it_needs(self):
        said = self.shell(f"rpm -qp --requires --recommends /repo/good/slipway-{version()}-*.rpm")
        for library in ("libglib-2.0", "libarchive", "libcurl", "libcrypto", "libjansson", "libinih"):
            self.assertRegex(said, rf"(?m)^{library}\.so")
        self.assertIn("ca-certificates", said)

    def cycle(self, target, manager, updater):
        """Older version, this one, nothing: by `manager`, into /target."""
        self.shell(f"mkdir /{target}; {manager} install libraries")
        before = self.machine.tree_of(target)
        self.shell(f"{manager} install slipway-0.0.9-1")
        self.shell(f"{manager} {updater}")
        self.assertEqual(self.shell(f"rpm --root /{target} -q slipway --qf '%{{VERSION}}'"), version())
        self.assertFalse((self.machine.root / target / "usr/share/slipway/gone").exists())
        self.shell(f"rpm --root /{target} -V slipway")
        self.assert_installed(target)
        self.assert_works(target, "dnf upgrade slipway")
        self.shell(f"{manager} remove slipway")
        self.assert_same_tree(before, target)

    def test_dnf(self):
        self.cycle("dnf", "dnf -y -q --installroot=/dnf --releasever=1", "upgrade slipway")

    def test_zypper(self):
        self.cycle("zypper", "zypper -q -n --gpg-auto-import-keys --root /zypper "
                   "--reposd-dir /etc/zypp/repos.d", "update slipway")

    def test_an_unsigned_package_is_refused(self):
        self.write_repository("unsigned")
        self.addCleanup(self.write_repository, "good")
        said = self.shell("dnf -y -q --installroot=/refused --releasever=1 install slipway", status=1)
        self.assertRegex(said, "GPG check FAILED|is not signed")
        self.assertFalse((self.machine.root / "refused/usr/bin/slipway").exists())


class Arch(Packages):
    """makepkg, then pacman into a root."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.machine.write("/home/builder/.makepkg.conf",
                          "CFLAGS='-O1'\nMAKEFLAGS=-j2\nPKGEXT=.pkg.tar.zst\nPACKAGER='T <t@localhost>'\n"
                          "OPTIONS=(strip docs zipman purge !debug)\n")
        depends = cls.machine.shell(
            "bash -c 'cd /src; source ./PKGBUILD; echo ${depends[*]} ${checkdepends[*]}'").split()
        cls.makepkg("libraries", "1", [f"provides=({' '.join(depends)})"],
                    ["cp -a /stage/libraries/. \"$pkgdir\""])
        cls.machine.shell("pacman -U --noconfirm --dbonly /stage/make-libraries/*.zst")
        cls.said = cls.machine.shell("mkdir /build && chown builder /build && cp /src/PKGBUILD "
                                     "/src/*.tar.xz /build && cd /build && "
                                     f"su builder -c 'makepkg --noconfirm {'' if HAS_TESTS else '--nocheck'}' && "
                                     "tar -xf *.zst -C / usr/bin/slipway")
        for path in cls.machine.libraries("/usr/bin/slipway"):
            cls.machine.shell(f"install -D -m 755 {path} /stage/libraries{path}")
        cls.makepkg("libraries", "2", [f"provides=({' '.join(depends)})"],
                    ["cp -a /stage/libraries/. \"$pkgdir\""])
        cls.makepkg("slipway", "0.0.9", [], ["install -d \"$pkgdir/usr/bin\" \"$pkgdir/usr/share/x\"",
                                             "echo old >\"$pkgdir/usr/bin/slipway\"",
                                             "echo old >\"$pkgdir/usr/share/x/gone\""])

    @classmethod
    def makepkg(cls, name, release, facts, package):
        """Builds a small package."""
        cls.machine.write(f"/stage/make-{name}/PKGBUILD", "\n".join([
            f"pkgname={name}", f"pkgver={release}", "pkgrel=1", "arch=(any)", "options=(!strip)", *facts,
            "package() {", *package, "}"]) + "\n")
        cls.machine.shell(f"mkdir -p /stage/libraries && cd /stage/make-{name} && chown builder . && "
                          "su builder -c 'makepkg --noconfirm -f'")

    def test_its_text(self):
        self.shell("shellcheck -s bash -e SC2034,SC2154,SC2164 /src/PKGBUILD")
        said = self.shell("cd /build && su builder -c 'makepkg --printsrcinfo'")
        self.assertIn(f"source = {RELEASE_URL}/v{version()}/slipway-{version()}.tar.xz", said)
        self.assertNotIn("@", said.replace("slipway@", ""))
        self.assert_tested()
        self.assertNotRegex(self.said, r"(?m)^==> WARNING")

    def test_another_archive_is_refused(self):
        said = self.shell("mkdir /other && cp /src/PKGBUILD /other && echo x >/other/"
                          f"{self.machine.archive.name} && chown -R builder /other && cd /other && "
                          "su builder -c 'makepkg --verifysource'", status=1)
        self.assertIn("FAILED", said)

    def test_pacman(self):
        pacman = "pacman --noconfirm --root /arch --dbpath /arch/var/lib/pacman"
        self.shell(f"mkdir -p /arch/var/lib/pacman; {pacman} -U /stage/make-libraries/libraries-2-*.zst")
        before = self.machine.tree_of("arch")
        self.shell(f"{pacman} -U /stage/make-slipway/slipway-0.0.9-*.zst")
        self.shell(f"{pacman} -U /build/slipway-{version()}-*.zst")
        self.assertIn(f"slipway {version()}-1", self.shell(f"{pacman} -Q slipway"))
        self.assertIn(" 0 altered files", self.shell(f"{pacman} -Qkk slipway"))
        self.assertFalse((self.machine.root / "arch/usr/share/x").exists())
        self.assert_installed("arch")
        self.assert_works("arch", "pacman -Syu slipway")
        self.shell(f"{pacman} -R slipway")
        self.assert_same_tree(before, "arch")


class Alpine(Packages):
    """No abuild, no apk: the recipe in BusyBox's shell, its functions as abuild calls them."""

    def test_its_text(self):
        self.shell("dash -n /src/APKBUILD; busybox ash -n /src/APKBUILD; "
                   "shellcheck -s dash -e SC2034,SC2154 /src/APKBUILD; ! grep @[A-Z] /src/APKBUILD")

    def test_its_functions(self):
        self.machine.write("/src/abuild.sh", """\
            set -e
            srcdir=/alpine pkgdir=/alpine/pkg startdir=/src
            . /src/APKBUILD
            builddir=$srcdir/$pkgname-$pkgver
            cd /src
            for one in $source; do test -f "${one##*/}"; done
            echo "$sha512sums" | sed '/^$/d' | sha512sum -c -
            mkdir -p $srcdir
            unxz -c /src/$pkgname-$pkgver.tar.xz | tar -C $srcdir -x
            export CFLAGS=-O1 MAKEFLAGS=-j2
            cd "$builddir"; build
            cd "$builddir"; fakeroot busybox ash -c '. /src/APKBUILD; package'
            """)
        # Alpine's own install, find, sort and so on, of which the Makefile makes use.
        self.shell("mkdir /bb; for one in chmod cmp cut find install ln mkdir rm sed sort touch; do "
                   "ln -s /bin/busybox /bb/$one; done")
        self.shell("env PATH=/bb:$PATH pkgdir=/alpine/pkg busybox ash /src/abuild.sh")
        packaged = self.machine.root / "alpine/pkg"
        for path in INSTALLED:
            self.assertTrue((packaged / path).is_file(), path)
        # What abuild's -doc, -bash-completion, -zsh-completion and -fish-completion do not take.
        taken = ("usr/share/man", "usr/share/bash-completion/completions",
                 "usr/share/zsh/site-functions", "usr/share/fish/vendor_completions.d")
        left = [str(path.relative_to(packaged)) for path in packaged.rglob("*") if path.is_file()
                and not rig.is_below(str(path.relative_to(packaged)), taken)]
        self.assertEqual(sorted(left), ["usr/bin/docker-credential-slipway", "usr/bin/slipway",
                                        "usr/lib/slipway/installed-by"])
        self.assertEqual((packaged / "usr/lib/slipway/installed-by").read_text(),
                         "apk add --upgrade slipway\n")


class Homebrew(Packages):
    """No brew: Ruby and RuboCop read the formula, a stand-in for its language runs it."""

    def test_its_text(self):
        self.machine.write("/src/.rubocop.yml", RUBOCOP)
        self.shell("cd /src && ruby -wc slipway.rb && rubocop --cache false slipway.rb; "
                   "! grep @[A-Z] slipway.rb")

    def test_install_and_test(self):
        tree = self.machine.unpack("brew")
        shutil.copy(HERE / "formula.rb", self.machine.root / "src/formula.rb")
        prefix = f"/home/linuxbrew/.linuxbrew/Cellar/slipway/{version()}"
        self.shell(f"mkdir -p {prefix} && chown builder {prefix}")
        done = self.machine.run(["ruby", "/src/formula.rb", "/src/slipway.rb", tree, prefix],
                                user="builder", env={"CFLAGS": "-O1", "MAKEFLAGS": "-j2"})
        self.assertEqual(done.returncode, 0, done.stderr[-4000:])
        facts = json.loads(done.stdout)
        archive = self.machine.archive
        self.assertEqual(facts["sha256"], rig.hashlib.sha256(archive.read_bytes()).hexdigest())
        self.assertEqual(facts["url"], f"{RELEASE_URL}/v{version()}/{archive.name}")
        keg = self.machine.root / prefix.lstrip("/")
        for path in ("bin/slipway", "share/man/man1/slipway.1", "etc/bash_completion.d/slipway",
                     "share/zsh/site-functions/_slipway",
                     "share/fish/vendor_completions.d/slipway.fish"):
            self.assertTrue((keg / path).is_file(), path)
        self.assertEqual((keg / "lib/slipway/installed-by").read_text(), "brew upgrade slipway\n")


class Stamp(unittest.TestCase):
    """packaging/stamp.sh: one archive, every recipe; nothing that a recipe would misread."""

    def stamp(self, name, url=RELEASE_URL, make=True):
        with tempfile.TemporaryDirectory(prefix="slipway-stamp-") as place:
            archive = pathlib.Path(place, name)
            if make:
                archive.write_bytes(b"x")
            done = subprocess.run([str(rig.TOP / "packaging/stamp.sh"), str(archive), url,
                                   HOMEPAGE, f"{place}/out"], capture_output=True,
                                  env={**os.environ, "SOURCE_DATE_EPOCH": "1000000000"}, text=True)
            files = {path.name: path.read_text() for path in pathlib.Path(place).glob("out/*")}
            return done.returncode, done.stderr, files

    def test_fills_everything_in(self):
        status, said, files = self.stamp("slipway-1.20.3.tar.xz")
        self.assertEqual((status, said), (0, ""))
        self.assertEqual(sorted(files), ["APKBUILD", "PKGBUILD", "slipway.rb", "slipway.rpmlintrc",
                                         "slipway.spec"])
        for name, text in files.items():
            self.assertNotRegex(text, "@[A-Z0-9_]+@", name)
        self.assertIn("* Sun Sep 09 2001 ", files["slipway.spec"])
        self.assertIn("1.20.3", files["APKBUILD"])

    def test_refuses(self):
        for name, url, make, status in (
                ("slipway-1.0-rc1.tar.xz", RELEASE_URL, True, 65),
                ("slipway-v1.tar.xz", RELEASE_URL, True, 65),
                ("slipway-.tar.xz", RELEASE_URL, True, 65),
                ("other-1.0.tar.xz", RELEASE_URL, True, 65),
                ("slipway-1.0.tar.gz", RELEASE_URL, True, 65),
                ("slipway-1.0.tar.xz", "https://x.example/$(id)", True, 65),
                ("slipway-1.0.tar.xz", "https://x.example/a|b", True, 65),
                ("slipway-1.0.tar.xz", RELEASE_URL, False, 69)):
            with self.subTest(name=name, url=url):
                got, said, files = self.stamp(name, url, make)
                self.assertEqual((got, files), (status, {}), said)


if __name__ == "__main__":
    unittest.main(verbosity=2)
