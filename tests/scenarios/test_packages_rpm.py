"""The packages step with real dnf 4, dnf 5 and zypper, and on systems that are left alone.

SPDX-License-Identifier: Apache-2.0
"""
import unittest

import managers
import rig
from package_cases import Cases


def setUpModule():
    rig.install()


class Dnf4(Cases, unittest.TestCase):
    kind = managers.Dnf4
    index_status = 76


class Dnf5(Cases, unittest.TestCase):
    kind = managers.Dnf5
    index_status = 76


class Zypper(Cases, unittest.TestCase):
    kind = managers.Zypper


class Advice(unittest.TestCase):
    """Systems whose packages are not installed while they run: nothing is changed, a person is told."""

    SYSTEMS = (
        ("ostree", "fedora", "/run/ostree-booted", "sudo rpm-ostree install --idempotent .*git-core"),
        ("nixos", "nixos", "/etc/NIXOS", "environment.systemPackages"),
        ("steamos", "steamos", "/etc/steamos", "distrobox create"),
        ("microos", "opensuse-microos", "/usr/sbin/transactional-update", "sudo transactional-update -n pkg install .*git"),
    )

    @staticmethod
    def make_read_only(machine):
        """As the snapshot is that such a system runs in; a home stays."""
        rig.run(["mount", "-t", "tmpfs", "home", str(machine.root / "root")])
        machine.callback(rig.run, ["umount", "-l", str(machine.root / "root")])
        rig.run(["mount", "-o", "remount,bind,ro", str(machine.root)])

    def test_a_person_is_told(self):
        for name, system, sign, says in self.SYSTEMS:
            with self.subTest(name), rig.Machine() as machine:
                machine.write("/etc/os-release", f"ID={system}\nVERSION_ID=40\n")
                machine.write(sign, "")
                if name == "microos":
                    self.make_read_only(machine)
                before = machine.tree()
                done = machine.slipway("install", "localagent", "--yes")
                self.assertEqual(69, done.returncode, done.stderr)
                self.assertRegex(done.stderr, says)
                self.assertEqual([], rig.differences(before, machine.tree()))


if __name__ == "__main__":
    unittest.main()
