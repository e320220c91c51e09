"""The packages step with a real apt, and what dpkg alone can be in.

SPDX-License-Identifier: Apache-2.0
"""
import unittest

import managers
import rig
from package_cases import Basics, Cases


def setUpModule():
    rig.install()


class AptCases(Cases):
    """What dpkg alone can be in: half-installed packages, settings that a person wrote, its locks."""

    def hold(self, lock, seconds):
        """Somebody holds a lock as dpkg takes it."""
        return self.machine.running("perl", "-e", """use Fcntl; open F, "+>>", $ARGV[0] or die $!;
            my $lock = pack("s s x4 q q i x4", F_WRLCK, 0, 0, 0, 0);
            fcntl(F, F_SETLK, $lock) or die $!; open H, ">", "/srv/held"; sleep $ARGV[1];""",
                                    lock, str(seconds))

    def wait_until_held(self):
        managers.poll((self.machine.root / "srv/held").exists)

    def test_locks_that_nobody_gives_back(self):
        for lock in ("/var/lib/dpkg/lock-frontend", "/var/lib/dpkg/lock", "/var/lib/apt/lists/lock"):
            with self.subTest(lock), self.hold(lock, 600):
                self.wait_until_held()
                self.assertEnds(self.machine.apply(timeout_s=1), 75,
                                rf"perl \(process \d+\) holds {lock}, for longer than 1 s")
            (self.machine.root / "srv/held").unlink()
        self.assertAsBefore()

    def test_lock_that_comes_free(self):
        with self.hold("/var/lib/dpkg/lock-frontend", 3):
            self.wait_until_held()
            self.assertEnds(self.machine.apply(timeout_s=60), 0, "waiting for perl")

    def test_somebody_elses_interruption(self):
        self.machine.sh("sed -n '1,/^$/p' /var/lib/dpkg/status >/var/lib/dpkg/updates/0001")
        self.assertEnds(self.machine.apply(), 69, "sudo dpkg --configure -a")
        self.assertTrue((self.machine.root / "var/lib/dpkg/updates/0001").exists())
        self.assertAsBefore()

    def test_somebody_elses_half_configured_package(self):
        self.machine.sh("dpkg -i /srv/good/fails-afterwards_1.deb || :")
        self.before = self.machine.picture()
        self.assertEnds(self.machine.apply(), 69, "fails-afterwards is only half installed",
                        "sudo dpkg --configure -a")
        self.assertAsBefore()

    def test_package_whose_script_fails(self):
        self.assertEnds(self.machine.apply("fails-afterwards"), 69)
        self.assertEnds(self.machine.undo(), 0)
        self.assertAsBefore()

    def test_settings_that_were_there_first(self):
        self.machine.write("/etc/git-data.conf", "mine\n")
        self.assertEnds(self.machine.apply(), 0)
        self.assertEqual("mine\n", self.machine.sh("cat /etc/git-data.conf"))
        self.assertEqual("setting\n", self.machine.sh("cat /etc/git-data.conf.dpkg-*"))
        self.assertEnds(self.machine.undo(), 0, "left: /etc/git-data.conf: changed")
        self.assertEqual("mine\n", self.machine.sh("cat /etc/git-data.conf"))

    def _refused(self, *before):
        """An ordinary user, whom sudoers gives what `before` says, is told why it cannot be done."""
        words = [*before, "/drive/ld.so", "--library-path", "/drive/lib", "/drive/drive",
                 *self.machine.inputs()]
        words[words.index("/txn")] = "/txn/t"
        return self.machine.run(words, user=None if before else "dev")

    def test_sudo_that_wants_a_password(self):
        self.machine.sh("useradd -m dev && mkdir /txn && chown dev /txn")
        self.machine.write("/etc/sudoers.d/dev", "dev ALL=(ALL) ALL\n", 0o440)
        self.machine.forget()
        self.assertEnds(self._refused(), 77, "sudo wants a password")

    def test_no_new_rights(self):
        self.machine.sh("useradd -m dev && mkdir /txn && chown dev /txn")
        self.machine.write("/etc/sudoers.d/dev", "dev ALL=(ALL) NOPASSWD: ALL\n", 0o440)
        self.machine.forget()
        self.assertEnds(self._refused("setpriv", "--no-new-privs", "--reuid", "dev", "--regid",
                                      "dev", "--clear-groups"), 77, "no_new_privs")

    def test_no_sudo_at_all(self):
        self.machine.sh("useradd -m dev && mkdir /txn && chown dev /txn && rm /usr/bin/sudo")
        self.machine.forget()
        self.assertEnds(self._refused(), 77, "there is no sudo program")

    def test_mark_is_put_back(self):
        self.machine.sh("dpkg -i /srv/good/git-data_1.deb && apt-mark auto git-data")
        self.before = self.machine.picture()
        self.assertEnds(self.machine.apply("git-data", tool=None), 0)
        self.assertIn("git-data", self.machine.sh("apt-mark showmanual").split())
        self.assertEnds(self.machine.undo(), 0)
        self.assertAsBefore()

    def test_clock_that_is_behind(self):
        """67: as a machine sees it whose clock is three days slow; it is not set for a test."""
        self.machine.forget()
        self.machine.write("/etc/apt/sources.list", f"deb [trusted=yes] {self.machine.url}/unsigned ./\n")
        self.machine.sh('sed -i "s/^Date: .*/Date: $(date -Rud +3days)/" /srv/unsigned/Release')
        self.assertEnds(self.machine.apply(), 69, "not valid yet", r"clock of this machine says \d{4}-.* UTC")
        self.machine.sh('sed -i "s/^Date: .*/Date: $(date -Rud -9days)\\nValid-Until: $(date -Rud -2days)/" '
                        "/srv/unsigned/Release")
        self.assertEnds(self.machine.apply(), 69, "is expired", "clock of this machine says")

    def test_only_what_can_be_taken_back(self):
        """--reversible-only: an upgrade is refused before anything is installed; a new package is none."""
        said = "--reversible-only, and nothing takes this back: upgrading beside"
        self.assertEnds(self.machine.apply("git", "beside", reversible_only=True), 77, said)
        self.assertAsBefore()
        self.assertEnds(self.machine.apply(reversible_only=True), 0)
        self.assertEnds(self.machine.undo(), 0)
        self.assertAsBefore()


class AptBookworm(AptCases, unittest.TestCase):
    kind = managers.AptBookworm


class AptTrixie(Basics, unittest.TestCase):
    kind = managers.AptTrixie


if __name__ == "__main__":
    unittest.main()
