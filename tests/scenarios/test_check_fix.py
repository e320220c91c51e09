"""`slipway check --fix` on machines that are really so: settings of the kernel, the group docker, a plugin that
lies elsewhere, and Docker Desktop's settings; done, judged again, taken back, and killed on the way.

The kernel is this machine's own: what is set is noted before, and set back after.  Docker Desktop is a stand-in,
which as the real one has its settings in memory and writes them down when it ends.
"""
import contextlib
import json
import os
import pathlib
import shutil
import signal
import socket
import stat
import sys
import tempfile
import threading
import time
import unittest

import rig

sys.path.insert(0, str(rig.TOP / "tests/common"))
from engine_stand_in import Engine  # noqa: E402 pylint: disable=wrong-import-position

MIB = 1 << 20
SETTINGS = {"vm.max_map_count": ("65530", "262144"), "vm.overcommit_memory": ("0", "1")}
CHECKS = ["limit.map_count", "mem.overcommit"]
FILES = ["/etc/sysctl.d/60-slipway-map-count.conf", "/etc/sysctl.d/60-slipway-overcommit.conf"]
PLUGIN = "/home/linuxbrew/.linuxbrew/lib/docker/cli-plugins/docker-compose"
LINK = ".docker/cli-plugins/docker-compose"
# Docker Desktop's own command line: says what is wanted, and waits until it is so.
TOLD = """\
ask=$HOME/.docker/desktop/ask
echo "$what" >"$ask.new" && mv "$ask.new" "$ask"
while [ -e "$ask" ] || [ -e "$ask.taken" ]; do sleep 0.02; done
"""
NEWER_CLI = '#!/bin/sh\n[ "$1" = desktop ] || exit 1\nwhat=$2\n' + TOLD
OLDER_CLI = "#!/bin/sh\necho \"docker: 'desktop' is not a docker command.\" >&2\nexit 1\n"
SYSTEMCTL = '#!/bin/sh\n[ "$1 $3" = "--user docker-desktop" ] || exit 1\nwhat=$2\n' + TOLD


def setUpModule():
    rig.install()


def setting(name):
    return pathlib.Path("/proc/sys", *name.split("."))


def own_socket(path):
    """A socket on which somebody listens, and that anybody may open."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen()
    os.chmod(path, 0o666)
    return listener


class Desktop:
    """Stands in for Docker Desktop of the user whose home that is."""

    def __init__(self, home, name, settings):
        self.place = home / ".docker/desktop"
        self.place.mkdir(parents=True, exist_ok=True)
        self.file = self.place / name
        self.file.write_text(json.dumps(settings))
        self.memory = None  # the settings, while it runs
        self.starts = 0
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def settings(self):
        return json.loads(self.file.read_text())

    def start(self):
        self.memory = self.settings()
        self.starts += 1
        self.own = own_socket(self.place / "backend.sock")
        self.engine = Engine(self.place / "docker.sock")
        os.chmod(self.place / "docker.sock", 0o666)
        sizes = {name.lower(): value for name, value in self.memory.items()}
        self.engine.answers = {
            "/containers/json": (200, []),
            "/version": (200, {"Version": "28.5.1", "ApiVersion": "1.51", "MinAPIVersion": "1.24",
                               "Platform": {"Name": "Docker Desktop 4.50.0 (209931)"}}),
            "/info": (200, {"ServerVersion": "28.5.1", "OperatingSystem": "Docker Desktop",
                            "OSType": "linux", "NCPU": sizes.get("cpus", 2),
                            "MemTotal": sizes.get("memorymib", 4096) * MIB // 100 * 97})}

    def stop(self):
        self.file.write_text(json.dumps(self.memory))
        self.engine.close()
        self.own.close()
        for name in ("docker.sock", "backend.sock"):
            (self.place / name).unlink()
        self.memory = None

    def serve(self):
        taken = self.place / "ask.taken"
        while not self.over.wait(0.02):
            with contextlib.suppress(FileNotFoundError):
                taken = (self.place / "ask").rename(taken)
                what = taken.read_text().strip()
                if what == "stop" and self.memory is not None:
                    self.stop()
                elif what == "start" and self.memory is None:
                    self.start()
                taken.unlink()

    def close(self):
        self.over.set()
        self.thread.join()
        if self.memory is not None:
            self.stop()


class Case(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.machine = rig.Machine("bookworm", extra=("sudo",))
        self.addCleanup(self.machine.close)
        self.machine.run(["mkdir", "-p", "/etc/sysctl.d"], check=True)
        self.machine.add_user("dev")
        self.home = self.machine.root / "home/dev"

    def check(self, *arguments, user="dev", status=None, **options):
        done = self.machine.slipway("check", *arguments, user=user, **options)
        if status is not None:
            self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done

    def tree(self):
        """The machine without logs, history and lock, which stay."""
        return {path: what for path, what in self.machine.tree("/home/dev/.local").items()
                if path not in ("/home/dev", "/etc", "/home/dev/.docker", "/home/dev/.docker/desktop")
                and not path.endswith((".sock", "-", ".lock"))}

    def have(self, name):
        return (self.machine.root / name.lstrip("/")).exists()


class Kernel(Case):
    def setUp(self):
        super().setUp()
        for name, (before, _) in SETTINGS.items():
            self.addCleanup(setting(name).write_text, setting(name).read_text())
            setting(name).write_text(before)

    def assertSettings(self, which):
        self.assertEqual([setting(name).read_text().strip() for name in SETTINGS],
                         [values[which] for values in SETTINGS.values()])

    def test_done_judged_again_and_taken_back(self):
        before = self.tree()
        done = self.check("octollm", *CHECKS, "--fix", "--yes", status=0)
        self.assertSettings(1)
        self.assertRegex(done.stdout, r"warn +limit\.map_count(?s:.*)ok +limit\.map_count")
        self.assertIn("/usr/bin/tee /proc/sys/vm/max_map_count\n", done.stdout)
        for path, (name, (_, value)) in zip(FILES, SETTINGS.items()):
            self.assertIn(f"\n{name} = {value}\n", (self.machine.root / path[1:]).read_text())
        again = self.check("octollm", *CHECKS, "--fix", "--yes", "--json", status=0)
        self.assertFalse(json.loads(again.stdout)["changed"])
        self.assertIn("check.fix", self.machine.slipway("history", user="dev").stdout)
        self.assertIn("Nothing is wrong", self.machine.slipway("doctor", user="dev").stdout)
        self.check("--fix", "--undo", "--yes", status=0)
        self.assertSettings(0)
        self.assertEqual(rig.differences(before, self.tree()), [])

    def test_what_somebody_has_set_since_stays(self):
        self.check("octollm", *CHECKS, "--fix", "--yes", status=0)
        setting("vm.max_map_count").write_text("300000")
        self.machine.write(FILES[1], "# mine\n")
        done = self.check("--fix", "--undo", "--yes", status=0)
        self.assertEqual(setting("vm.max_map_count").read_text(), "300000\n")
        self.assertFalse(self.have(FILES[0]))
        self.assertTrue(self.have(FILES[1]))
        self.assertIn(f"{FILES[1]}: changed since it was written", done.stderr)

    def test_a_file_of_somebody_else_is_kept(self):
        self.machine.write(FILES[0], "vm.max_map_count = 70000\n")
        done = self.check("octollm", *CHECKS, "--fix", "--yes", status=0)
        self.assertIn(f"Kept, since somebody else wrote it: {FILES[0]}", done.stdout)
        self.assertEqual(setting("vm.max_map_count").read_text(), "65530\n")
        self.assertEqual(setting("vm.overcommit_memory").read_text(), "1\n")

    def test_root_can_do_it_alone(self):
        """The script does what slipway does, byte for byte."""
        script = self.check("octollm", *CHECKS, "--fix", "--print-root-script", status=0).stdout
        self.assertSettings(0)
        self.machine.run(["sh", "-c", script], check=True)
        self.assertSettings(1)
        texts = [(self.machine.root / path[1:]).read_bytes() for path in FILES]
        for path in FILES:
            (self.machine.root / path[1:]).unlink()
        for name, (value, _) in SETTINGS.items():
            setting(name).write_text(value)
        self.check("octollm", *CHECKS, "--fix", "--yes", status=0)
        self.assertEqual([(self.machine.root / path[1:]).read_bytes() for path in FILES], texts)

    def test_without_root(self):
        (self.machine.root / "etc/sudoers.d/dev").unlink()
        done = self.check("octollm", *CHECKS, "--fix", "--yes", status=77)
        self.assertIn("sudo", done.stderr)
        self.assertSettings(0)
        done = self.check("octollm", *CHECKS, "--fix", "--yes", "--user", status=0)
        self.assertIn("nothing that slipway can mend", done.stdout)

    def test_what_fails_is_taken_back(self):
        """/etc/sysctl.d cannot be written to: the kernel has its old settings again."""
        (self.machine.root / "etc/sysctl.d").rmdir()
        self.machine.write("/etc/sysctl.d", "")
        before = self.tree()
        done = self.check("octollm", *CHECKS, "--fix", "--yes", status=73)
        self.assertIn("taken back", done.stderr)
        self.assertSettings(0)
        self.assertEqual(rig.differences(before, self.tree()), [])


class Group(Case):
    def setUp(self):
        super().setUp()
        self.machine.run(["/usr/sbin/groupadd", "docker"], check=True)
        path = self.machine.root / "run/docker.sock"
        listener = own_socket(path)
        self.addCleanup(listener.close)
        shutil.chown(path, 0, int(self.line().split(":")[2]))
        os.chmod(path, 0o660)

    def line(self):
        text = (self.machine.root / "etc/group").read_text()
        return next(line for line in text.splitlines() if line.startswith("docker:"))

    def test_joined_and_left(self):
        before = self.line()
        done = self.check("octollm", "engine.*", "--fix", "--yes", status=1)
        self.assertIn("which lets dev become root", done.stdout)
        self.assertIn("holds from your next login on", done.stdout)
        self.assertEqual(self.line(), before + "dev")
        self.check("octollm", "engine.*", "--fix", "--yes", status=1)
        self.check("--fix", "--undo", "--yes", status=0)
        self.assertEqual(self.line(), before)

    def test_a_group_of_another_name_is_left_alone(self):
        shutil.chown(self.machine.root / "run/docker.sock", 0, 0)
        done = self.check("octollm", "engine.*", "--fix", "--yes", status=1)
        self.assertIn("nothing that slipway can mend", done.stdout)


class Settings(Case):
    """Docker Desktop, in both generations."""
    newer = {"SettingsVersion": 45, "LicenseTermsVersion": 2, "MemoryMiB": 1024, "SwapMiB": 0,
             "Unknown": {"kept": [1, 2.5, None]}}
    older = {"settingsVersion": 17, "memoryMiB": 1024, "swapMiB": 0, "filesharingDirectories": ["/home"]}
    checks = ("engine.reachable", "engine.memory", "desktop.swap")
    environment = {"DOCKER_HOST": "unix:///home/dev/.docker/desktop/docker.sock"}

    def desktop(self, name, settings, is_running):
        desktop = Desktop(self.home, name, settings)
        self.addCleanup(desktop.close)
        rig.run(["chown", "-R", "--reference", str(self.home), str(self.home / ".docker")])
        if is_running:
            desktop.start()
        return desktop

    def fix(self, *arguments, status=0):
        return self.check("octollm", *self.checks, "--fix", "--yes", *arguments, status=status,
                          env=self.environment)

    def undo(self):
        return self.check("--fix", "--undo", "--yes", status=0, env=self.environment)

    def test_running(self):
        self.machine.write("/usr/local/bin/docker", NEWER_CLI, 0o755)
        desktop = self.desktop("settings-store.json", self.newer, True)
        os.chmod(desktop.file, 0o600)
        done = self.fix()
        self.assertIn("stopped for it and started again", done.stdout)
        self.assertRegex(done.stdout, r"FAIL +engine\.memory(?s:.*)ok +engine\.memory")
        self.assertEqual(desktop.starts, 2)
        now = desktop.memory
        self.assertEqual({**now, "MemoryMiB": 1024, "SwapMiB": 0}, self.newer)
        self.assertEqual(list(now), list(self.newer))
        self.assertGreaterEqual(now["MemoryMiB"], 8192)
        self.assertEqual(stat.S_IMODE(desktop.file.stat().st_mode), 0o600)
        backups = list(self.home.glob(".local/state/slipway/txn/*/backup/desktop-settings.json"))
        self.assertEqual([json.loads(path.read_text()) for path in backups], [self.newer])
        self.undo()
        self.assertEqual((desktop.starts, desktop.memory, desktop.settings()),
                         (3, self.newer, self.newer))

    def test_older_and_running(self):
        """Without "docker desktop" it is systemd that stops it."""
        self.machine.write("/usr/local/bin/docker", OLDER_CLI, 0o755)
        self.machine.write("/usr/local/bin/systemctl", SYSTEMCTL, 0o755)
        desktop = self.desktop("settings.json", self.older, True)
        self.fix()
        self.assertEqual(set(desktop.memory), set(self.older))
        self.assertEqual(desktop.memory["swapMiB"], 1024)
        self.undo()
        self.assertEqual(desktop.settings(), self.older)

    def test_not_running(self):
        self.checks = ("desktop.memory", "desktop.swap")
        desktop = self.desktop("settings-store.json", self.newer, False)
        self.fix()
        self.assertEqual(desktop.settings()["SwapMiB"], 1024)
        changed = {**desktop.settings(), "SwapMiB": 2048, "New": True}
        desktop.file.write_text(json.dumps(changed))
        self.undo()
        self.assertEqual(desktop.settings(), {**changed, "MemoryMiB": 1024})
        self.assertEqual(desktop.starts, 0)

    def test_it_cannot_be_stopped(self):
        """Nothing is written beneath it."""
        self.machine.write("/usr/local/bin/docker", OLDER_CLI, 0o755)
        desktop = self.desktop("settings-store.json", self.newer, True)
        done = self.fix(status=73)
        self.assertIn("cannot stop Docker Desktop", done.stderr)
        self.assertEqual((desktop.starts, desktop.settings()), (1, self.newer))

    def test_a_setting_that_it_does_not_take(self):
        """It starts with what it likes: said, and the old settings are there again."""
        self.machine.write("/usr/local/bin/docker", NEWER_CLI, 0o755)
        desktop = self.desktop("settings-store.json", self.newer, True)
        start = desktop.start

        def stubborn():
            desktop.file.write_text(json.dumps({**desktop.settings(), "MemoryMiB": 1024}))
            start()
        desktop.start = stubborn
        done = self.fix(status=73)
        self.assertIn("did not keep the settings", done.stderr)
        self.assertEqual(desktop.memory, self.newer)


class Killed(Case):
    """SIGKILL at every call that changes something: back, or on to the end."""

    @classmethod
    def setUpClass(cls):
        cls.place = pathlib.Path(tempfile.mkdtemp(prefix="slipway-fix-"))
        cls.addClassCleanup(shutil.rmtree, cls.place)
        cls.tracer = cls.place / "killpoint"
        rig.run(["gcc", "-static", "-O1", "-D_GNU_SOURCE", "-o", str(cls.tracer),
                 str(pathlib.Path(__file__).with_name("killpoint.c"))])

    def setUp(self):
        super().setUp()
        shutil.copy(self.tracer, self.machine.root / "usr/local/bin/killpoint")
        self.machine.write("/usr/local/bin/docker", NEWER_CLI, 0o755)
        self.machine.write(PLUGIN, "#!/bin/sh\n", 0o755)
        for name in SETTINGS:
            self.addCleanup(setting(name).write_text, setting(name).read_text())
        home = self.home = self.machine.root / "root"
        self.desktop = Desktop(home, "settings-store.json", Settings.newer)
        self.addCleanup(self.desktop.close)
        self.desktop.start()

    def reset(self):
        self.state()  # what was asked of Docker Desktop last is done
        for name, (before, _) in SETTINGS.items():
            setting(name).write_text(before)
        for path in (*FILES, "/root/.local", "/root/.docker/cli-plugins"):
            self.machine.run(["rm", "-rf", path], check=True)
        if self.desktop.memory is not None:
            self.desktop.stop()
        self.desktop.file.write_text(json.dumps(Settings.newer))
        self.desktop.start()

    def state(self):
        end = time.monotonic() + 10
        while time.monotonic() < end and (
                any(self.desktop.place.glob("ask*")) or self.desktop.memory is None):
            time.sleep(0.02)
        return ([setting(name).read_text().strip() for name in SETTINGS],
                [self.have(path) for path in FILES], os.path.islink(self.home / LINK),
                self.desktop.memory)

    def test_each_point(self):
        argv = ["/usr/local/bin/slipway", "check", "octollm", *CHECKS, *Settings.checks, "compose.plugin",
                "--fix", "--yes"]
        values = {"DOCKER_HOST": "unix:///root/.docker/desktop/docker.sock"}
        self.reset()
        old = self.state()
        self.machine.run(["/usr/local/bin/killpoint", "none", *argv],
                         env={**values, "KILLPOINT_COUNTS": "/run/counts"})
        new = self.state()
        self.assertNotEqual(old, new)
        calls = int((self.machine.root / "run/counts").read_text().split()[0])
        self.assertGreater(calls, 30)
        for point in range(1, calls + 1):
            self.reset()
            done = self.machine.run(["/usr/local/bin/killpoint", str(point), *argv], env=values)
            self.assertEqual(done.returncode, -signal.SIGKILL, point)
            verb = ("rollback", "resume")[point % 2]
            done = self.machine.slipway(verb, env=values)
            self.assertEqual(done.returncode, 0, f"{point}: {done.stdout}{done.stderr}")
            if verb == "resume" and ("Nothing to resume" in done.stdout or "not begun" in done.stdout):
                self.machine.run(argv, env=values)
            self.assertEqual(self.state(), new if verb == "resume" else old, f"{point}, {verb}")


if __name__ == "__main__":
    unittest.main()
