"""The main job on machines with nothing installed: Debian 12 and 13, as root and with sudo.

As root packages come from the distribution's mirror, else from a copy of what is needed; wheels from
the package index (once, then from build/cache), LocalAgent's repository from a stand-in made here:
the real one cannot be reached.
"""
import pathlib
import resource
import subprocess
import tempfile
import unittest

import rig
import upstream
import wheels

STACK = "localagent"
SOURCE = "https://github.com/zvirb/LocalAgent"


def setUpModule():
    rig.install()


class BareMachine(unittest.TestCase):
    """Each test is a machine of its own."""
    maxDiff = None

    def machine(self, suite, user=False, has_copy=True):
        place = pathlib.Path(tempfile.mkdtemp(prefix="slipway-upstream-"))
        self.addCleanup(subprocess.run, ["rm", "-rf", str(place)])
        self.revision = upstream.make(place / "srv/mirror")
        wheels.fill(suite, place / "srv/wheels")
        extra = ("sudo",) if user else ()
        lower = [place]
        if has_copy:
            lower.append(rig.repository(suite, *upstream.PACKAGES, extra=extra))
        machine = self.enterContext(rig.Machine(suite, lower=lower, extra=extra))
        return machine, machine.add_user() if user else None

    def with_mirror(self):
        return ["--mirror", "https://github.com/=/srv/mirror/", "--python-wheels", "/srv/wheels",
                "--set", f"source.revision={self.revision}"]

    def install(self, machine, user, *options):
        status, document = machine.document("install", STACK, "--yes", "--defer", *options, user=user)
        self.assertEqual(status, 0, document.get("error"))
        return document

    def assert_nothing_changes(self, machine, user, *options):
        """A second run: no change, no privilege, no connection, at once."""
        argv = ["/usr/local/bin/slipway", "install", STACK, "--yes", "--defer", *options]
        before = machine.tree()
        trace = tempfile.NamedTemporaryFile("r", suffix=".strace")
        done = subprocess.run(
            ["strace", "-f", "-qq", "-o", trace.name, "-e", "trace=connect,sendto,execve,socket,nanosleep,clock_nanosleep",
             *machine.command(argv, user)], stdin=subprocess.DEVNULL, capture_output=True, text=True)
        calls = trace.read()
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("nothing changed", done.stdout)
        self.assertNotRegex(calls, r"AF_INET|nanosleep\(")
        self.assertNotRegex(calls, r'execve\("[^"]*/(sudo|apt-get|dpkg|git|python3?)"')
        self.assertEqual(rig.differences(before, machine.tree()), [])

        seconds = self.cost(machine, user, argv) - self.cost(machine, user, ["/bin/true"])
        print(f"  second run: {seconds * 1000:.1f} ms", flush=True)
        self.assertLess(seconds, 0.050)

    @staticmethod
    def cost(machine, user, argv):
        """Processor time: what else this machine does is not in it.  Without a network."""
        def used():
            usage = resource.getrusage(resource.RUSAGE_CHILDREN)
            return usage.ru_utime + usage.ru_stime
        costs = []
        for _ in range(7):
            before = used()
            machine.run(argv, user=user, has_network=False, check=True)
            costs.append(used() - before)
        return min(costs)

    def assert_taken_back(self, machine, user, before, packages):
        status, document = machine.document("uninstall", STACK, "--yes", user=user)
        self.assertEqual(status, 0, document.get("error"))
        self.assertEqual(document["left_in_place"], [])
        kept = [entry["path"] for entry in document["kept"]] + document["side_effects"]
        changes = [line for line in rig.differences(before, machine.tree())
                   if not self.is_said(line.split()[1].rstrip(":"), kept)]
        self.assertEqual(changes, [], "\n".join(changes))
        self.assertEqual(machine.packages(), packages)

    @staticmethod
    def is_said(path, kept):
        """In what the receipt names, or a directory that only leads there."""
        return rig.is_below(path, kept) or any(
            top.startswith(path + "/") for top in kept)

    def scenario(self, suite, user=False):
        machine, name = self.machine(suite, user, has_copy=user)
        before, packages = machine.tree(), machine.packages()
        document = self.install(machine, name, *self.with_mirror())
        self.assertEqual([step["id"] for step in document["steps"] if step["state"] == "deferred"],
                         ["ollama", "model"])
        home = f"/home/{name}" if name else "/root"
        answer = machine.run([f"{home}/.local/bin/localagent", "config", "--validate"], user=name)
        self.assertEqual(answer.returncode, 0, answer.stderr)
        self.assert_nothing_changes(machine, name, *self.with_mirror())
        self.assert_taken_back(machine, name, before, packages)

    def test_debian_12_as_root(self):
        self.scenario("bookworm")

    def test_debian_12_with_sudo(self):
        self.scenario("bookworm", user=True)

    def test_debian_13_as_root(self):
        self.scenario("trixie")

    def test_debian_13_with_sudo(self):
        self.scenario("trixie", user=True)

    def test_without_any_source(self):
        """No mirror: what cannot be reached is listed, with the command that finishes it."""
        machine, _ = self.machine("bookworm")
        before, packages = machine.tree(), machine.packages()
        done = machine.slipway("install", STACK, "--yes", "--defer", "--python-wheels", "/srv/wheels")
        self.assertEqual(done.returncode, 0, done.stderr)
        listed = done.stdout[done.stdout.index("\nDeferred:"):]
        for step in ("source", "ollama", "command"):
            self.assertRegex(listed, rf"(?m)^  {step}: ")
        self.assertIn(SOURCE, listed)
        self.assertIn("slipway resume", listed)
        self.assertRegex("\n".join(machine.packages()), r"(?m)^git 1?:?2\.")

        resumed = machine.slipway("resume", "--defer", "--yes", *self.with_mirror())
        self.assertEqual(resumed.returncode, 0, resumed.stderr)
        self.assertEqual(machine.run(["/root/.local/bin/localagent", "--help"]).returncode, 0)
        self.assert_taken_back(machine, None, before, packages)

    def test_without_defer_nothing_is_begun(self):
        machine, _ = self.machine("bookworm")
        before = machine.tree()
        status, document = machine.document("install", STACK, "--yes")
        self.assertEqual(status, 69)
        self.assertRegex(document["error"]["message"], "cannot be reached")
        state = "/root/.local/state/slipway"
        changes = [line for line in rig.differences(before, machine.tree())
                   if not self.is_said(line.split()[1].rstrip(":"), [state])]
        self.assertEqual(changes, [])

    def test_without_yes_nothing_is_begun(self):
        machine, _ = self.machine("bookworm")
        status, document = machine.document("install", STACK, "--defer")
        self.assertEqual(status, 64)
        self.assertRegex(document["error"]["hint"], "--yes")


if __name__ == "__main__":
    unittest.main(verbosity=2)
