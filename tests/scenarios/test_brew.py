"""The packages step with brew.  brew itself cannot be had here: brew_stand_in.py takes its place.

Everything runs as an ordinary user; brew refuses root.

SPDX-License-Identifier: Apache-2.0
"""
import hashlib
import json
import pathlib
import shutil
import unittest

import managers
import package_cases
import rig

PREFIX = "/home/linuxbrew/.linuxbrew"


class Brew(managers.Managed):
    manager, suite = "brew", "trixie"
    root_packages = ("dnf", "zypper", "rpm", "sudo")  # the root of other managers, with a Python
    books = (f"{PREFIX}/formulae", f"{PREFIX}/var")
    install = f"su dev -c 'umask 022; {PREFIX}/bin/brew \"$@\"' brew install"
    mark = f"su dev -c '{PREFIX}/bin/brew tab --installed-on-request \"$@\"' brew"
    list_command = (f"{PREFIX}/bin/brew", "list", "--formula", "--versions")

    def fill(self):
        for name in ("old", "good"):
            place = self.root / "srv" / name
            place.mkdir(parents=True)
            for package in managers.PACKAGES:
                if name == "good" or package[:2] == ("beside", "1"):
                    self.bottle(place, *package)

    def bottle(self, place, name, version, needs, script):
        bottle = place / f"{name}-{version}.bottle.tar.gz"
        program = self.root / "work/bin" / name
        program.parent.mkdir(parents=True)
        program.write_text(f"#!/bin/sh\necho {name} version {version}\n")
        program.chmod(0o755)
        rig.run(["tar", "-C", str(self.root / "work"), "-czf", str(bottle), "bin"])
        shutil.rmtree(self.root / "work")
        (place / f"{name}.json").write_text(json.dumps({
            "name": name, "version": version, "needs": needs.split(), "script": script,
            "bottle": bottle.name, "sha256": hashlib.sha256(bottle.read_bytes()).hexdigest()}))

    def set_up(self):
        self.write("/etc/os-release", "ID=debian\n")
        stand_in = pathlib.Path(__file__).with_name("brew_stand_in.py")
        self.run(["/usr/sbin/useradd", "-m", "dev"], check=True)
        self.sh(f"cd {'/home'} && mkdir -p {PREFIX} && cd {PREFIX} && "
                "mkdir -p bin Cellar formulae var/homebrew/locks")
        shutil.copy(stand_in, self.root / PREFIX.lstrip("/") / "bin/brew")
        self.sh(f"chmod 755 {PREFIX}/bin/brew && chown -R dev {PREFIX} && mkdir /txns && chown dev /txns && "
                f"ln -s {PREFIX}/bin/git /usr/bin/git; ln -s {PREFIX}/bin/wants-git /usr/bin/wants-git; "
                f"rm -f /usr/bin/apt-get")
        self.use("old")
        self.sh(f"su dev -c '{PREFIX}/bin/brew update && {PREFIX}/bin/brew install beside'")
        self.use("good")
        self.sh(f"su dev -c '{PREFIX}/bin/brew update'")

    def use(self, repository, key="file"):
        self.sh(f"ln -sfn /srv/{repository} /srv/current")

    def forget(self):
        pass

    def archive(self, name):
        return next((self.root / "srv/good").glob(f"{name}-[0-9]*"))

    def listed(self):
        return [*self.run([*self.list_command], user="dev").stdout.splitlines(), "asked for:",
                *(path.parent.name for path in sorted(
                    (self.root / PREFIX.lstrip("/") / "Cellar").glob("*/INSTALL_RECEIPT.json"))
                  if json.loads(path.read_text())["installed_on_request"])]

    def inputs(self, *arguments, **options):
        return [word.replace("/txn", "/txns/one") for word in super().inputs(*arguments, **options)]

    def drive(self, *words, env=None):
        return super().drive(*words, user="dev", env=env)

    def undo(self):
        return self.drive("undo", "/txns/one")

    def picture(self):
        files, names = super().picture()
        return {path: what for path, what in files.items() if not path.startswith("/txns")}, names


class BrewTest(package_cases.Cases, unittest.TestCase):
    """The table, less what brew does not have: signatures, an index, a lock
    of all, settings of a package, root."""

    kind = Brew
    test_nobody_signed = test_no_key_is_taken_from_the_network = None
    test_settings_that_were_edited_stay = test_settings_that_were_there_first_come_back = None
    test_through_a_proxy = test_index_is_gone = None  # its repository is a directory here
    test_index_is_damaged = test_index_is_older_than_the_repository = None
    test_user_with_sudo = test_user_with_sudo_for_the_manager_alone = test_user_without_rights = None
    test_killed_then_rolled_back = test_killed_then_finished = None

    def test_somebody_else_is_at_work(self):
        lock = f"{PREFIX}/var/homebrew/locks/git.formula.lock"
        hold = f"flock {lock} sleep 15"
        with self.machine.running("sh", "-c", f"chmod 777 {lock} 2>/dev/null; exec {hold}"):
            managers.poll(lambda: (self.machine.root / lock.lstrip("/")).exists())
            self.machine.sh(f"chown dev {lock}")
            self.assertEnds(self.machine.apply(timeout_s=1), 75, "has already locked")
            self.assertFalse(self.has("git"))
            self.assertEnds(self.machine.apply(timeout_s=60), 0)
        self.assertEnds(self.machine.undo(), 0)
        self.assertAsBefore()

    def test_never_as_root(self):
        self.machine.sh("mkdir -p /txn")
        done = self.machine.run(["/drive/ld.so", "--library-path", "/drive/lib", "/drive/drive",
                                 *self.machine.inputs()])
        # It belongs to somebody else: root does not even run it.
        self.assertEnds(done, 69, 'there is no program "brew"')
        self.assertAsBefore()

    def test_does_not_update_by_itself(self):
        """A newer `beside` is in the repository all along; nothing but what was asked for changes."""
        self.assertEnds(self.machine.apply(), 0)
        self.assertIn("beside 1", self.machine.listed())


if __name__ == "__main__":
    unittest.main()
