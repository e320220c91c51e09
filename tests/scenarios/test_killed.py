"""SIGKILL at points of an installation with a real apt, a real pip and a real git; from each, back to the
old state and on to the new.  (Every point, of a stack that takes no time: test_killed_everywhere.py.)

A point is a call of slipway that changes something (a write, rename, mkdir, unlink, fork ...),
counted by a tracer: see killpoint.c.  The state that a kill leaves is taken twice: one
machine goes on with `rollback`, one with `resume`.  SLIPWAY_KILLS sets the number of points: half of it, or 200
for "all".
"""
import concurrent.futures
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

import rig
import upstream
import wheels

STACK = "localagent"
SPREAD = 10
SAMPLE = os.environ.get("SLIPWAY_KILLS", "40")
KILLS = 200 if SAMPLE == "all" else max(int(SAMPLE) // 2, 4)
STATE = "/root/.local/state"
# Another one each time: the mark with the run's token; what holds times (git's index, bytecode).
VARYING = ("/.slipway-step", "/.slipway-complete", "/src/.git/index", ".pyc")
PROVIDED = ("/var/cache/apt", "/var/lib/apt", "/var/log", "/var/lib/dpkg", "/var/cache/debconf",
            "/var/cache/ldconfig", "/etc/ld.so.cache")


class Killed(unittest.TestCase):
    maxDiff = None
    extra = ()

    @classmethod
    def setUpClass(cls):
        rig.install()
        cls.place = pathlib.Path(tempfile.mkdtemp(prefix="slipway-killed-"))
        cls.addClassCleanup(subprocess.run, ["rm", "-rf", str(cls.place)])
        cls.revision = upstream.make(cls.place / "srv/mirror")
        wheels.fill("bookworm", cls.place / "srv/wheels")
        tracer = cls.place / "opt/killpoint"
        tracer.parent.mkdir()
        rig.run(["gcc", "-static", "-O1", "-D_GNU_SOURCE", "-o", str(tracer),
                 str(pathlib.Path(__file__).with_name("killpoint.c"))])
        cls.shorten_stack()
        cls.argv = ["/usr/local/bin/slipway", "install", f"/srv/{STACK}", "--yes", "--defer",
                    "--mirror", "https://github.com/=/srv/mirror/", "--python-wheels", "/srv/wheels",
                    "--set", f"source.revision={cls.revision}"]

    @classmethod
    def shorten_stack(cls):
        """The stack with three wheels of its lock: all of its steps, in half of the time."""
        copy = cls.place / "srv" / STACK
        shutil.copytree(upstream.STACK, copy)
        lock = copy / "requirements.txt"
        wanted = re.findall(r"^(?:pyyaml|idna|sniffio)==(?:[^\n]*\\\n)*[^\n]*", lock.read_text(),
                            re.M)
        assert len(wanted) == 3, wanted
        lock.write_text("\n".join(wanted) + "\n")

    def machine(self):
        """A bare one, or one with `extra`; apt has what it is asked for, and no more."""
        packages = rig.repository("bookworm", *upstream.PACKAGES, extra=self.extra)
        return rig.Machine("bookworm", lower=[self.place, packages], extra=self.extra)

    def make_references(self):
        """The tree before and after an installation that nobody disturbs, and its calls."""
        with self.machine() as machine:
            self.old, self.old_packages = self.state_of(machine)
            machine.run(["/opt/killpoint", "none", *self.argv], env={"KILLPOINT_COUNTS": "/run/calls"},
                        check=True)
            self.calls = int((machine.root / "run/calls").read_text().split()[0])
            self.new, self.new_packages = self.state_of(machine)
            machine.freeze()

    @staticmethod
    def state_of(machine):
        tree = machine.tree(STATE, *PROVIDED)
        tree = {path: ("varies",) if path.endswith(VARYING) else what for path, what in tree.items()
                if path not in ("/root/.local", "/var/lib", "/var/cache")}
        return tree, machine.packages()

    def check_state(self, machine, want, packages, what):
        tree, have = self.state_of(machine)
        changes = rig.differences(want, tree)
        if changes or have != packages:
            raise AssertionError(f"{what}:\n" + "\n".join(
                changes[:20] + sorted(set(have) ^ set(packages))[:20]))

    def kill_at(self, point):
        """Returns what went wrong, or None."""
        with self.machine() as machine:
            done = machine.run(["/opt/killpoint", str(point), *self.argv])
            if done.returncode != -signal.SIGKILL:
                return f"point {point}: not killed but {done.returncode}: {done.stderr[-300:]}"
            machine.freeze()
            try:
                for verb, want, packages in (("rollback", self.old, self.old_packages),
                                             ("resume", self.new, self.new_packages)):
                    with machine.fork() as again:
                        self.recover(again, point, verb)
                        self.check_state(again, want, packages, f"point {point}, {verb}")
            except (AssertionError, RuntimeError) as problem:
                return str(problem)
        return None

    def recover(self, machine, point, verb):
        """A kill before the journal leaves nothing to resume: then the installation starts anew."""
        options = [] if verb == "rollback" else self.argv[3:]
        done = machine.slipway(verb, *options)
        if done.returncode == 0 and verb == "resume" and self.is_nothing(done.stdout):
            done = machine.run(self.argv)
        if done.returncode != 0:
            raise AssertionError(f"point {point}, {verb}: {done.returncode}: {done.stderr[-1500:]}")

    @staticmethod
    def is_nothing(text):
        return "Nothing to resume" in text or "had not begun" in text

    def kill_everywhere(self, kills):
        """Kills at that many points, spread over the whole installation."""
        self.make_references()
        count = min(kills, self.calls)
        # No two runs make quite the same calls: the last point is named, not counted.
        end = self.calls - SPREAD
        points = sorted({1 + i * end // (count - 1) for i in range(count - 1)}, key=int) + ["end"]
        print(f"\n  {self.calls} calls, {len(points)} kills", flush=True)
        start = time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            problems = [problem for problem in pool.map(self.kill_at, points) if problem]
        print(f"  {time.monotonic() - start:.0f} s, {len(problems)} problems", flush=True)
        self.assertEqual(len(points), count)
        self.assertEqual(problems, [], "\n".join(problems[:10]))

    def test_on_a_bare_machine(self):
        self.kill_everywhere(max(KILLS // 8, 2))

    def test_where_python_is_there(self):
        """Less for apt to do, so that more points can be tried in the same time."""
        self.extra = ("python3", "python3-venv")
        self.kill_everywhere(max(KILLS - KILLS // 8, 2))

    def test_rollback_waits_for_the_package_manager(self):
        """Killed while apt runs: apt goes on by itself, and a rollback at once waits for it."""
        self.make_references()
        with self.machine() as machine:
            process = subprocess.Popen(machine.command(self.argv), stdin=subprocess.DEVNULL,
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            self.wait_until_unpacking(machine)
            process.kill()
            process.wait()
            done = machine.slipway("rollback")
            self.assertEqual(done.returncode, 0, done.stderr)
            machine.wait_for_processes()
            self.check_state(machine, self.old, self.old_packages, "rollback while apt ran")

    def wait_until_unpacking(self, machine):
        """Until dpkg has the first new package in its hands."""
        end = time.monotonic() + 120
        while time.monotonic() < end:
            if any(line.startswith(("git-man ", "libssl3 ")) for line in machine.packages()):
                return
        self.fail("dpkg did not begin")


if __name__ == "__main__":
    unittest.main(verbosity=2)
