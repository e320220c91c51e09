"""Root for one step of many: as root, with real sudo in each of its moods, and where there is none.

The stack wants git, which apt installs from a directory; the rest of it needs no root.  Whoever cannot
have root is told so before anything is changed, with the exact commands.
"""
import os
import pty
import select
import stat
import time
import unittest

import rig

STACK = """\
[stack]
schema = 1
name = needy
title = Needy
version = 1.0.0
summary = a tool and a file
prefix = ~/needy

[profile native]
title = the only one
default = yes

[tool git]

[step prefix]
kind = directory
path = @prefix@
mode = 0755

[step note]
kind = file
after = prefix
path = @prefix@/note
from = note
mode = 0644
"""
INSTALL = ["/usr/local/bin/slipway", "install", "/srv/needy", "--yes"]
COMMAND = r"/usr/bin/apt-get .*install.* git"


class Privilege(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        rig.install()
        # Made once, before the tests: apt finds git in it, and no more.
        cls.packages = {extra: rig.repository("bookworm", "git", extra=extra)
                        for extra in (("sudo",), ())}

    def machine(self, rule=None, has_sudo=True):
        """With a user dev, whom sudo treats as that rule says."""
        extra = ("sudo",) if has_sudo else ()
        machine = self.enterContext(
            rig.Machine("bookworm", lower=[self.packages[extra]], extra=extra))
        machine.run(["/usr/sbin/useradd", "-m", "dev"], check=True)
        machine.run(["/bin/sh", "-c", "echo dev:secret | /usr/sbin/chpasswd"], check=True)
        if rule:
            machine.write("/etc/sudoers.d/dev", f"dev {rule}\n", 0o440)
        machine.write("/srv/needy/stack.ini", STACK)
        machine.write("/srv/needy/note", "hello\n")
        return machine

    def is_installed(self, machine, home="/home/dev", has_git=True):
        self.assertEqual((machine.root / home[1:] / "needy/note").read_text(), "hello\n")
        self.assertEqual((machine.root / "usr/bin/git").exists(), has_git)

    def refused(self, machine, pattern, *options):
        """77, the command named, and nothing changed but lock and log of the user."""
        before = machine.tree("/home/dev/.local", "/var/lib/sudo", "/var/log")
        done = machine.run([*INSTALL, *options], user="dev")
        self.assertEqual(done.returncode, 77, done.stderr)
        self.assertRegex(done.stderr, pattern)
        after = machine.tree("/home/dev/.local", "/var/lib/sudo", "/var/log")
        self.assertEqual(rig.differences(before, after), [])
        return done

    def test_root(self):
        machine = self.machine()
        done = machine.run(INSTALL)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.is_installed(machine, "/root")

    def test_sudo_without_a_password(self):
        machine = self.machine("ALL=(ALL) NOPASSWD: ALL")
        before = machine.packages()
        done = machine.run(INSTALL, user="dev")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, COMMAND)
        self.is_installed(machine)
        done = machine.slipway("uninstall", "needy", "--yes", user="dev")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(machine.packages(), before)

    def test_sudo_with_a_password_and_no_terminal(self):
        self.refused(self.machine("ALL=(ALL) ALL"), r"(?s)sudo wants a password.*" + COMMAND)

    def test_sudo_with_a_password_on_a_terminal(self):
        """Asked for once, for all that needs root, which is shown before."""
        machine = self.machine("ALL=(ALL) ALL")
        status, shown = self.on_terminal(machine, [*INSTALL[:-1]], {"Go on?": "y\n",
                                                                   "assword": "secret\n"})
        self.assertEqual(status, 0, shown)
        self.assertRegex(shown, r"(?s)Root is needed for:.*" + COMMAND)
        self.assertEqual(shown.count("assword"), 1, shown)
        self.is_installed(machine)

    def test_a_wrong_password(self):
        machine = self.machine("ALL=(ALL) ALL")
        status, shown = self.on_terminal(machine, [*INSTALL[:-1]], {"Go on?": "y\n",
                                                                   "assword": "wrong\n"})
        self.assertEqual(status, 77, shown)
        self.assertFalse((machine.root / "home/dev/needy").exists())

    def on_terminal(self, machine, argv, answers):
        """Types each answer as often as its question comes.  sudo wants a terminal of its own, too."""
        device = machine.root / "dev/tty"
        os.mknod(device, 0o666 | stat.S_IFCHR, os.makedev(5, 0))
        os.chmod(device, 0o666)
        pts = machine.root / "dev/pts"
        pts.mkdir()
        rig.run(["mount", "-t", "devpts", "-o", "newinstance,ptmxmode=666", "devpts", str(pts)])
        self.addCleanup(rig.run, ["umount", "-l", str(pts)])
        (machine.root / "dev/ptmx").symlink_to("pts/ptmx")
        line = machine.command(argv, user="dev")
        pid, master = pty.fork()
        if pid == 0:
            os.execvp(line[0], line)
        shown, seen, end = "", 0, time.monotonic() + 120
        while time.monotonic() < end:
            if not select.select([master], [], [], 0.2)[0]:
                continue
            try:
                piece = os.read(master, 65536)
            except OSError:  # EIO: the other end is closed
                break
            shown += piece.decode(errors="replace")
            for question, answer in answers.items():
                if question in shown[seen:]:
                    seen = len(shown)
                    time.sleep(0.3)  # until the echo is off
                    os.write(master, answer.encode())
        os.close(master)
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), shown

    def test_sudo_that_does_not_know_the_user(self):
        self.refused(self.machine(), r"(?s)sudo.*" + COMMAND)

    def test_no_sudo(self):
        self.refused(self.machine(has_sudo=False), r"(?s)there is no sudo program.*" + COMMAND)

    def test_user_alone(self):
        """--user: what cannot be had without root is named; with --defer, the rest is done."""
        machine = self.machine("ALL=(ALL) NOPASSWD: ALL")
        self.refused(machine, r"--user rules root out, and it is needed to .*git", "--user")
        done = machine.run([*INSTALL, "--user", "--defer"], user="dev")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("it needs root, which --user rules out", done.stdout)
        self.is_installed(machine, has_git=False)
        done = machine.slipway("resume", "--yes", user="dev")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.is_installed(machine)

    def test_the_script_for_root(self):
        """Printed by one, run by another; then the first needs no root any more."""
        machine = self.machine(has_sudo=False)
        before = machine.tree()
        done = machine.run([*INSTALL, "--print-root-script"], user="dev")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"\A#!/bin/sh\n(?s:.)*" + COMMAND)
        self.assertEqual(rig.differences(before, machine.tree()), [])
        machine.write("/root/script.sh", done.stdout)
        machine.run(["/bin/sh", "/root/script.sh"], check=True)
        done = machine.run(INSTALL, user="dev")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.is_installed(machine)
        done = machine.slipway("uninstall", "needy", "--yes", user="dev")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertTrue((machine.root / "usr/bin/git").exists())


if __name__ == "__main__":
    unittest.main(verbosity=2)
