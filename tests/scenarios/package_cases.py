"""The packages step in a real package manager: one table of cases for all of them.

What it installs and takes back, who holds a lock, what was killed, which packages and repositories are
refused, and that nothing else is touched.

SPDX-License-Identifier: Apache-2.0
"""
import os
import threading
import time

import managers
import rig

# At how many moments of a transaction everything is killed, for each manager.
KILLS = int(os.environ.get("SLIPWAY_PACKAGE_KILLS", "10"))


class Basics:
    """What differs between the versions of a manager."""

    kind = None
    index_status = 69
    maxDiff = 20000

    def setUp(self):
        self.machine = self.kind()
        self.addCleanup(self.machine.close)
        self.before = self.machine.picture()

    def assertEnds(self, done, status, *says):
        said = done.stdout + done.stderr
        self.assertEqual(done.returncode, status, said[-6000:])
        for text in says:
            self.assertRegex(said, text)
        return said

    def assertAsBefore(self):
        files, names = self.machine.picture()
        self.assertEqual(self.before[1], names)
        self.assertEqual([], rig.differences(self.before[0], files))

    def use(self, *repository, **options):
        """The machine gets another repository, of which it knows nothing yet."""
        self.machine.forget()
        self.machine.use(*repository, **options)
        self.before = self.machine.picture()

    def has(self, name):
        return any(line.startswith(f"{name} ") for line in self.machine.listed())

    def test_install_and_take_back(self):
        self.assertEnds(self.machine.apply(), 0)
        self.assertEqual("git version 2.45.0", self.machine.sh("git --version").strip())
        self.assertTrue(self.has("git-data"))
        self.assertIn("beside 1", "\n".join(self.machine.listed()))
        self.assertEnds(self.machine.apply(), 0)
        for _ in range(2):
            self.assertEqual("", self.assertEnds(self.machine.undo(), 0).strip())
            self.assertAsBefore()

    def test_through_a_proxy(self):
        """A repository to which only a proxy knows the way."""
        proxy, self.machine.url = self.machine.url, "http://packages.invalid"
        self.use("good")
        self.assertEnds(self.machine.drive(*self.machine.inputs(), env={"http_proxy": proxy}), 0)
        self.assertTrue([path for path in self.machine.server.seen if path.startswith("http://packages.invalid/good/")])
        self.assertEnds(self.machine.undo(), 0)
        self.assertAsBefore()

    def test_unmet_dependency(self):
        self.assertEnds(self.machine.apply("needs-what-is-not-there"), 69, "what-is-not-there")
        self.assertAsBefore()

    def test_no_such_package(self):
        self.assertEnds(self.machine.apply("no-such-package"), 69, "no-such-package")
        self.assertAsBefore()

    def test_package_is_gone(self):
        self.machine.archive("git-data").unlink()
        self.assertEnds(self.machine.apply(), 69)
        self.assertEnds(self.machine.undo(), 0)
        self.assertAsBefore()

    def test_package_is_damaged(self):
        path = self.machine.archive("git-data")
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 0x55
        path.write_bytes(data)
        self.assertEnds(self.machine.apply(), 76)
        self.assertEnds(self.machine.undo(), 0)
        self.assertAsBefore()

    def test_nobody_signed(self):
        self.use("unsigned")
        self.assertEnds(self.machine.apply(), 76)
        self.assertEnds(self.machine.undo(), 0)
        self.assertAsBefore()

    def test_somebody_else_is_at_work(self):
        hold = self.machine.root / "srv/hold"
        hold.touch()
        with self.machine.running("sh", "-c", f"exec {self.machine.install} slow"):
            managers.poll(self._is_slow_at_work)
            self.assertEnds(self.machine.apply(timeout_s=1), 75, r"\(process \d+\)")
            self.assertFalse(self.has("git"))
            threading.Timer(3, hold.unlink).start()
            self.assertEnds(self.machine.apply(timeout_s=60), 0, "waiting for")
        self.assertEnds(self.machine.undo(), 0)
        self.assertTrue(self.has("slow"))
        self.assertFalse(self.has("git") or self.has("git-data"))

    def _is_slow_at_work(self):
        return (self.machine.root / "usr/share/slow/200").exists()

    def test_killed_then_rolled_back(self):
        self._kill_at_moments(KILLS, self._rolled_back)

    def _start(self):
        """An installation, at the moment at which the manager is told to install."""
        self.machine.sh("rm -rf /txn")
        self.machine.forget()
        running = self.machine.running("/drive/ld.so", "--library-path", "/drive/lib",
                                       "/drive/drive", *self.machine.inputs())
        return running, self.machine.root / "txn/backup/packages.planned"

    def _measure(self):
        """How long the manager is at work."""
        running, planned = self._start()
        with running as process:
            managers.poll(planned.exists)
            begin = time.monotonic()
            process.wait()
            length = time.monotonic() - begin
        self.assertEnds(self.machine.undo(), 0)
        return length

    def _kill_at_moments(self, kills, check):
        length = min(self._measure() for _ in range(2))
        killed = 0
        for i in range(kills):
            moment = length * (i + 0.5) / kills
            running, planned = self._start()
            with running as process:
                managers.poll(planned.exists)
                time.sleep(moment)
                killed += process.poll() is None
                self.machine.end_processes()
            with self.subTest(moment=f"{moment:.2f} of {length:.2f} s"):
                check()
        print(f"{self.machine.manager} ({self.machine.suite}): killed {killed} times")
        self.assertGreaterEqual(killed, kills // 2)

    def _rolled_back(self):
        if (self.machine.root / "txn/recipe.json").exists():
            self.assertEnds(self.machine.undo(), 0)
        self.assertAsBefore()


class Cases(Basics):
    """The whole table; each manager goes through all of it."""

    def test_was_there_already(self):
        self.machine.sh(f"{self.machine.install} git")
        self.before = self.machine.picture()
        self.assertEnds(self.machine.apply(), 0)
        self.assertEnds(self.machine.undo(), 0)
        self.assertAsBefore()

    def test_one_of_two_is_not_there(self):
        self.assertEnds(self.machine.apply("git", "no-such-package"), 69, "no-such-package")
        self.assertAsBefore()

    def test_tool_does_not_answer_afterwards(self):
        self.assertEnds(self.machine.apply("wants-git", tool="jq"), 3, "jq does not answer")
        self.assertEnds(self.machine.undo(), 0)
        self.assertAsBefore()

    def test_index_is_gone(self):
        self.use("nowhere")
        self.assertEnds(self.machine.apply(), 69)
        self.assertAsBefore()

    def test_index_is_damaged(self):
        self.machine.forget()
        self.machine.damage_index()
        self.before = self.machine.picture()
        self.assertEnds(self.machine.apply(), self.index_status)
        self.assertAsBefore()

    def test_index_is_older_than_the_repository(self):
        self.machine.sh(self.machine.ask)
        self.machine.move_on()
        self.before = self.machine.picture()
        self.assertEnds(self.machine.apply(), 0)
        self.assertIn("git version 2.45.0", self.machine.sh("git --version"))
        self.assertEnds(self.machine.undo(), 0)
        self.assertAsBefore()

    def test_no_key_is_taken_from_the_network(self):
        self.use("good", key="network")
        self.assertEnds(self.machine.apply(), 76)
        self.assertEnds(self.machine.undo(), 0)
        self.assertAsBefore()

    def test_another_package_needs_it_now(self):
        self.assertEnds(self.machine.apply(), 0)
        self.machine.sh(f"{self.machine.install} wants-git")
        self.assertEnds(self.machine.undo(), 0, "left: package git: another package needs it")
        self.machine.sh("git --version && wants-git")

    def test_somebody_asked_for_a_dependency(self):
        if not self.machine.mark:
            return
        self.assertEnds(self.machine.apply(), 0)
        self.machine.sh(f"{self.machine.mark} git-data")
        self.assertEnds(self.machine.undo(), 0, "left: package git-data: somebody asked for it")
        self.assertTrue(self.has("git-data") and not self.has("git"))

    def test_what_came_in_between_stays(self):
        self.assertEnds(self.machine.apply(), 0)
        self.machine.sh(f"{self.machine.install} fails-afterwards || :")
        was_there = self.has("fails-afterwards")
        self.machine.undo()
        self.assertEqual(was_there, self.has("fails-afterwards"))

    def test_settings_that_were_edited_stay(self):
        self.assertEnds(self.machine.apply(), 0)
        self.machine.sh("echo mine >>/etc/git.conf")
        self.assertEnds(self.machine.undo(), 0, r"left: /etc/git\.conf\S*: changed since")
        self.assertEqual("setting\nmine\n", self.machine.sh("cat /etc/git.conf*"))

    def test_settings_that_were_there_first_come_back(self):
        self.machine.write("/etc/git-data.conf", "mine\n")
        self.assertEnds(self.machine.apply(), 0)
        self.assertEqual("mine\nsetting\n", self.machine.sh("sort /etc/git-data.conf*"))
        self.assertEnds(self.machine.undo(), 0)
        self.assertEqual("mine\n", self.machine.sh("cat /etc/git-data.conf"))

    def _as_user(self, rule):
        self.machine.sh("useradd -m dev && mkdir /txn && chown dev /txn")
        if rule:
            self.machine.write("/etc/sudoers.d/dev", f"dev ALL=(ALL) NOPASSWD: {rule}\n", 0o440)
        self.before = self.machine.picture()
        words = self.machine.inputs()
        words[2] = "/txn/t"
        return self.machine.drive(*words, user="dev")

    def test_user_with_sudo(self):
        self.assertEnds(self._as_user("ALL"), 0)
        self.machine.sh("git --version")
        self.assertEnds(self.machine.drive("undo", "/txn/t", user="dev"), 0)
        self.assertAsBefore()

    def test_user_with_sudo_for_the_manager_alone(self):
        self.assertEnds(self._as_user(self.machine.program), 0)
        self.assertEnds(self.machine.drive("undo", "/txn/t", user="dev"), 0)
        self.assertAsBefore()

    def test_user_without_rights(self):
        self.assertEnds(self._as_user(None), 77, "root is needed and sudo")
        self.assertAsBefore()

    def test_killed_then_finished(self):
        self._kill_at_moments(max(2, KILLS // 2), self._finished)

    def _finished(self):
        self.assertEnds(self.machine.apply(), 0)
        self.assertEqual("git version 2.45.0", self.machine.sh("git --version").strip())
        self._rolled_back()
