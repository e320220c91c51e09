"""The packages step in a real pacman, as Debian 13 has it, with signed repositories of its own.

The table of cases is that of all managers; what only pacman has comes after it.

SPDX-License-Identifier: Apache-2.0
"""
import hashlib
import pathlib
import shutil
import unittest

import managers
import package_cases
import rig

SUITE = "trixie"
EXTRA = ("pacman-package-manager", "makepkg", "libarchive-tools", "gnupg", "sudo")
PACKAGES = (
    *managers.PACKAGES,
    ("needs-beside-2", "1", "beside>=2", ""),
    ("wants-a-shell", "1", "some-shell", ""),
    ("one-shell", "1", "", ""),
    ("another-shell", "1", "", ""),
    ("hates-beside", "1", "", ""),
)
FACTS = {"one-shell": "provides = some-shell", "another-shell": "provides = some-shell",
         "hates-beside": "conflict = beside"}
INFO = """\
pkgname = {name}
pkgbase = {name}
pkgver = {version}-1
pkgdesc = {name}, for a test
builddate = 1700000000
packager = Test
size = 100
arch = any
backup = etc/{name}.conf
{more}"""
PACK = """\
cd {root}
bsdtar -czf .MTREE --format=mtree \
  --options='!all,use-set,type,uid,gid,mode,time,size,sha256,link' $(ls -A | grep -v MTREE)
bsdtar -cf /srv/unsigned/{name}-{version}-1-any.pkg.tar .PKGINFO .MTREE $(ls -d .INSTALL 2>/dev/null) etc usr
"""
# The old index of a machine that nobody has brought up to date since, and what is there now.
REPOSITORIES = """\
printf 'Key-Type: eddsa\\nKey-Curve: ed25519\\nKey-Usage: sign\\nName-Real: Test\\n%%no-protection\\n' |
  gpg -q --batch --gen-key -
gpg -q --armor --export Test >/srv/KEY.asc
cp -a /srv/unsigned /srv/good
for one in /srv/good/*.tar; do gpg -q --detach-sign --no-armor $one; done
for each in good unsigned; do repo-add -q /srv/$each/t.db.tar.gz /srv/$each/*.tar; done
{ pacman-key --init; pacman-key -a /srv/KEY.asc; } >/dev/null 2>&1
cp -a /etc/pacman.d/gnupg /srv/no-key
pacman-key --lsign-key Test >/dev/null 2>&1
cp -a /etc/pacman.d/gnupg /srv/gnupg
find /srv -type s -delete
"""


def _pack(name, version, needs, script):
    root = f"/root/{name}-{version}"
    more = "".join(f"{line}\n" for line in
                   ([f"depend = {needs}"] if needs else []) + [FACTS.get(name)] if line)
    install = [f"printf 'post_install() {{ {script}; }}\\n' >{root}/.INSTALL"] if script else []
    # Large enough for a kill to find it at work.
    large = f"seq 3000000 >{root}/usr/share/{name}/large" if name.startswith("git") else ":"
    return "\n".join([managers.FILES.format(root=root, name=name, version=version), large,
                      f"cat >{root}/.PKGINFO <<'END'\n{INFO.format(**locals())}END", *install,
                      f"({PACK.format(**locals())})"])


def repositories():
    """A directory for /srv; made once for each version of this file."""
    key = hashlib.sha256(pathlib.Path(__file__).read_bytes()).hexdigest()[:12]
    place = rig.CACHE / f"packages-pacman-{key}"
    if place.exists():
        return place
    work = place.with_suffix(".new")
    shutil.rmtree(work, ignore_errors=True)
    with rig.Machine(SUITE, extra=EXTRA, has_program=False) as machine:
        machine.write("/root/make", "\n".join(
            ["set -e", "mkdir -p /srv/unsigned", *(_pack(*one) for one in PACKAGES), REPOSITORIES]))
        machine.run(["sh", "/root/make"], check=True)
        shutil.copytree(machine.root / "srv", work, symlinks=True)
    work.rename(place)
    return place


class Pacman(managers.Managed):
    manager, suite, root_packages = "pacman", SUITE, EXTRA
    list_command = ("pacman", "-Q")
    books = ("/var/lib/pacman", "/var/cache/pacman", "/var/log/pacman.log", "/etc/pacman.d", "/etc/pacman.conf",
             "/var/cache/ldconfig", "/etc/ld.so.cache")
    install = "pacman -S --noconfirm --noprogressbar"
    program = "/usr/bin/pacman"
    mark = "pacman -D --asexplicit"

    def fill(self):
        shutil.copytree(repositories(), self.root / "srv", dirs_exist_ok=True)

    def set_up(self):
        self.write("/etc/os-release", "ID=arch\n")
        self.use("good")
        self.sh("pacman -U --noconfirm /srv/good/beside-1-1-any.pkg.tar && pacman -D --asdeps beside && "
                "pacman -Sy")

    def use(self, repository, key="file"):
        self.write("/etc/pacman.conf", "[options]\nArchitecture = auto\nSigLevel = Required "
                   f"DatabaseOptional\n[t]\nServer = {self.url}/{repository}\n")
        keys = "gnupg" if key == "file" else "no-key"
        self.sh(f"rm -rf /etc/pacman.d/gnupg && mkdir -p /etc/pacman.d && cp -a /srv/{keys} "
                "/etc/pacman.d/gnupg")

    def forget(self):
        """What was downloaded goes; its index stays: only with all packages may it be a newer one."""
        self.sh("rm -rf /var/cache/pacman/pkg/*")

    def archive(self, name):
        return next((self.root / "srv/good").glob(f"{name}-[0-9]*.pkg.tar"))

    def listed(self):
        return [*super().listed(), "asked for:", *self.run(["pacman", "-Qqe"]).stdout.split()]


class PacmanTest(package_cases.Cases, unittest.TestCase):
    kind = Pacman

    def test_index_is_older_than_the_repository(self):
        """No half of an upgrade: a person is told to bring the whole system up to date."""
        self.machine.archive("git").unlink()
        self.assertEnds(self.machine.apply(), 69, "failed retrieving file")
        self.assertEnds(self.machine.undo(), 0)
        self.assertAsBefore()

    def test_no_index(self):
        self.machine.sh("rm -rf /var/lib/pacman/sync")
        self.assertEnds(self.machine.apply(), 69, "pacman has no package index", )
        self.assertAsBefore()

    def test_index_is_damaged(self):
        self.machine.write("/var/lib/pacman/sync/t.db", "garbage")
        self.assertEnds(self.machine.apply(), 69)
        self.assertAsBefore()

    def test_one_package_alone_is_never_upgraded(self):
        said = "installing would upgrade beside alone"
        self.assertEnds(self.machine.apply("needs-beside-2"), 69, said)
        self.assertEnds(self.machine.apply("beside"), 69, said)
        self.assertAsBefore()

    def test_first_of_several_providers(self):
        self.assertEnds(self.machine.apply("wants-a-shell", tool=None), 0)
        self.assertTrue(self.has("another-shell") and not self.has("one-shell"))
        self.assertEnds(self.machine.undo(), 0)
        self.assertAsBefore()

    def test_conflict(self):
        self.assertEnds(self.machine.apply("hates-beside", tool=None), 69, "conflict")
        self.assertEnds(self.machine.undo(), 0)
        self.assertAsBefore()

    def test_script_fails(self):
        """pacman says 0 all the same; the tool has the last word."""
        self.assertEnds(self.machine.apply("fails-afterwards", tool="git"), 3)
        self.assertEnds(self.machine.undo(), 0)
        self.assertAsBefore()

    def test_files_of_nobody_are_in_the_way(self):
        self.machine.write("/usr/bin/git", "mine", 0o755)
        self.before = self.machine.picture()
        self.assertEnds(self.machine.apply(), 69, "exists in filesystem")
        self.assertEnds(self.machine.undo(), 0)
        self.assertAsBefore()

    def test_lock_that_was_left(self):
        self.machine.write("/var/lib/pacman/db.lck", "")
        self.assertEnds(self.machine.apply(), 69, "interrupted")
        self.machine.sh("test -e /var/lib/pacman/db.lck && rm /var/lib/pacman/db.lck")
        self.assertAsBefore()
        self.assertEnds(self.machine.apply(), 0)

    def test_package_that_somebody_else_tore(self):
        self.machine.sh("rm /var/lib/pacman/local/beside-1-1/desc")
        self.assertEnds(self.machine.apply(), 69, "package beside is only half installed")
        self.assertFalse((self.machine.root / "usr/bin/git").exists())

    def test_torn_in_the_middle(self):
        """As pacman leaves it when it is killed while it unpacks: without a description."""
        self.assertEnds(self.machine.apply(), 0)
        entry = "/var/lib/pacman/local/git-data-1-1"
        tear = (f"rm -rf {entry}/desc {entry}/files /var/lib/pacman/local/git-2.45.0-1 /usr/bin/git "
                "/usr/share/git /etc/git.conf /txn/receipt.json /usr/share/git-data/7 && "
                "sed -i 's/\"finished\": true/\"finished\": false/' /txn/backup/*.planned && "
                "touch /var/lib/pacman/db.lck")
        for check in (self._rolled_back, self._finished):
            self.machine.sh(f"{tear} && grep -q 'finished.: false' /txn/backup/*.planned")
            check()
            self.assertEnds(self.machine.apply(), 0)

    def test_settings_that_were_there_first_come_back(self):
        """pacman takes them for the package's and puts them aside: named, not lost."""
        self.machine.write("/etc/git-data.conf", "mine\n")
        self.assertEnds(self.machine.apply(), 0)
        self.assertEnds(self.machine.undo(), 0, r"left: /etc/git-data\.conf\.pacsave: changed since")
        self.assertEqual("mine\n", self.machine.sh("cat /etc/git-data.conf.pacsave"))

    def test_hooks_after_a_kill(self):
        """pacman does not run those of a killed transaction again, and slipway says so."""
        self.assertEnds(self.machine.apply(), 0)
        self.assertNotIn("hooks", self.machine.sh("cat /txn/receipt.json"))
        self.machine.sh("sed -i 's/\"finished\": true/\"finished\": false/' /txn/backup/*.planned")
        self.assertEnds(self.machine.apply(), 0)
        self.assertRegex(self.machine.sh("cat /txn/receipt.json"), "hooks.*sudo pacman -S git")

    def test_marks(self):
        """What came with it is marked so, also after a repair."""
        self.machine.sh("mkdir -p /var/lib/pacman/local/git-data-1-1")
        self.machine.sh("rm -rf /var/lib/pacman/local/git-data-1-1")
        self.assertEnds(self.machine.apply(), 0)
        self.assertEqual("beside\ngit-data", self.machine.sh("pacman -Qqd").strip())


if __name__ == "__main__":
    unittest.main()
