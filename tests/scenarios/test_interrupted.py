"""A signal once: what was done is taken back.  Twice: the run ends at once, and the journal stays."""
import pathlib
import signal
import subprocess
import tempfile
import time
import unittest

import rig
import upstream
import wheels

STATE = "/root/.local/state"


class Interrupted(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        rig.install()
        cls.place = pathlib.Path(tempfile.mkdtemp(prefix="slipway-interrupted-"))
        cls.addClassCleanup(subprocess.run, ["rm", "-rf", str(cls.place)])
        cls.revision = upstream.make(cls.place / "srv/mirror")
        wheels.fill("bookworm", cls.place / "srv/wheels")

    def start(self, machine):
        """Begins an installation; returns when its longest step runs."""
        argv = ["/usr/local/bin/slipway", "install", "localagent", "--yes", "--defer", "--mirror",
                "https://github.com/=/srv/mirror/", "--python-wheels", "/srv/wheels", "--set",
                f"source.revision={self.revision}"]
        process = subprocess.Popen(machine.command(argv), stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        end = time.monotonic() + 60
        while not (machine.root / "root/.localagent/venv/bin").exists():
            self.assertIsNone(process.poll())
            self.assertLess(time.monotonic(), end, "the Python environment was not begun")
            time.sleep(0.01)
        return process

    def machine(self):
        machine = self.enterContext(rig.Machine("bookworm", lower=[self.place],
                                                extra=("git", "python3", "python3-venv")))
        return machine, machine.tree(STATE, "/root/.local")

    def once(self, number):
        machine, before = self.machine()
        process = self.start(machine)
        process.send_signal(number)
        output, _ = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 128 + number, output)
        self.assertIn("everything that this run did was taken back", output)
        self.assertEqual(rig.differences(before, machine.tree(STATE, "/root/.local")), [])
        self.assertIn("Nothing to take back", machine.slipway("rollback").stdout)

    def test_int(self):
        self.once(signal.SIGINT)

    def test_term(self):
        self.once(signal.SIGTERM)

    def test_hup(self):
        self.once(signal.SIGHUP)

    def test_int_twice(self):
        """The second one comes once the first was seen: two at once count as one."""
        machine, before = self.machine()
        process = self.start(machine)
        process.send_signal(signal.SIGINT)
        time.sleep(0.25)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=10)
        self.assertEqual(process.returncode, 130)
        machine.wait_for_processes()
        done = machine.slipway("rollback")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(rig.differences(before, machine.tree(STATE, "/root/.local")), [])

    def test_full_disk(self):
        """The home has 6 MiB: a program that we run fails on it, and the status says why."""
        machine, _ = self.machine()
        home = machine.root / "root"
        rig.run(["mount", "-t", "tmpfs", "-o", "size=6m", "home", str(home)])
        self.addCleanup(rig.run, ["umount", "-l", str(home)])
        status, document = machine.document(
            "install", "localagent", "--yes", "--defer", "--ignore", "disk.*", "--mirror",
            "https://github.com/=/srv/mirror/", "--python-wheels", "/srv/wheels", "--set",
            f"source.revision={self.revision}")
        self.assertEqual(status, 74, document)
        self.assertIn("taken back", document["error"]["message"])
        self.assertFalse((home / ".localagent").exists())


if __name__ == "__main__":
    unittest.main(verbosity=2)
