"""Which packages a plan asks for on each distribution, by the program itself on a bare machine.

SPDX-License-Identifier: Apache-2.0
"""
import json
import unittest

import rig

STACK = """\
[stack]
schema = 1
name = demo
title = Demo
summary = a stack of tools
version = 1
prefix = ~/demo
[tool git]
[tool python]
minimum = 3.11
[tool docker]
minimum = 24.0
[tool compose]
minimum = 2.24
[tool buildx]
[step home]
kind = directory
path = @prefix@
"""
VENDORS = "docker-ce docker-ce-cli containerd.io docker-compose-plugin docker-buildx-plugin"
# os-release, the manager's program, the packages
SYSTEMS = (
    ("ID=debian\nVERSION_ID=12", "apt-get", f"git python3 python3-venv {VENDORS}"),
    ("ID=debian\nVERSION_ID=13", "apt-get", "git python3 python3-venv docker.io docker-cli "
     "docker-compose docker-buildx"),
    ("ID=ubuntu\nID_LIKE=debian\nVERSION_ID=22.04", "apt-get",
     f"git python3.11 python3.11-venv {VENDORS}"),
    ("ID=ubuntu\nID_LIKE=debian\nVERSION_ID=24.04", "apt-get",
     "git python3 python3-venv docker.io docker-compose-v2 docker-buildx"),
    ("ID=rocky\nID_LIKE=\"rhel centos fedora\"\nVERSION_ID=9.4", "dnf", f"git python3.11 {VENDORS}"),
    ("ID=fedora\nVERSION_ID=42", "dnf5",
     "git-core python3 moby-engine docker-cli docker-compose docker-buildx"),
    ("ID=opensuse-tumbleweed\nID_LIKE=\"opensuse suse\"\nVERSION_ID=20261101", "zypper",
     "git-core python3 docker docker-compose docker-buildx"),
    ("ID=arch", "pacman", "git python docker docker-compose docker-buildx"),
    ("ID=alpine\nVERSION_ID=3.21", "apk", "git python3 docker docker-cli-compose docker-cli-buildx"),
)


class Plans(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        rig.install()
        cls.machine = cls.enterClassContext(rig.Machine("bookworm"))
        cls.machine.write("/demo/stack.ini", STACK)

    def become(self, release, program):
        names = ("apt-get", "dnf", "dnf5", "zypper", "pacman", "apk")
        for name in names:
            (self.machine.root / "usr/bin" / name).unlink(missing_ok=True)
        self.machine.write(f"/usr/bin/{program}", "#!/bin/sh\nexit 1\n", 0o755)
        (self.machine.root / "etc/os-release").unlink(missing_ok=True)
        self.machine.write("/etc/os-release", f"{release}\n")

    def plan(self, status=0):
        got, document = self.machine.document("plan", "/demo")
        self.assertEqual(got, status, document)
        return {step["id"]: step for step in document.get("steps", ())}, document

    def test_every_distribution(self):
        for release, program, packages in SYSTEMS:
            with self.subTest(release=release):
                self.become(release, program)
                steps, _ = self.plan()
                line = steps["packages"]["commands"][-1]
                self.assertTrue(line.endswith(f" {packages}"), line)
                self.assertEqual("repository" in steps, VENDORS in packages)

    def test_too_old(self):
        for release, version in (("ID=debian\nVERSION_ID=11", "3.9"),
                                 ("ID=ubuntu\nID_LIKE=debian\nVERSION_ID=20.04", "3.9")):
            with self.subTest(release=release):
                self.become(release, "apt-get")
                _, document = self.plan(69)
                self.assertIn(f"this release of the system has {version}", json.dumps(document))

    def test_repository_that_is_there_already(self):
        """A second file for it with another key would stop apt."""
        self.become("ID=debian\nVERSION_ID=12", "apt-get")
        path = "/etc/apt/sources.list.d/docker.list"
        self.machine.write(path, "deb [signed-by=/etc/apt/keyrings/docker.asc] "
                           "https://download.docker.com/linux/debian bookworm stable\n")
        self.addCleanup((self.machine.root / path.lstrip("/")).unlink)
        steps, _ = self.plan()
        self.assertNotIn("repository", steps)
        self.assertIn(VENDORS, steps["packages"]["commands"][-1])


if __name__ == "__main__":
    unittest.main()
