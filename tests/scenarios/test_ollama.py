"""Ollama, with a stand-in as its program: an exchange killed at each of its points, and real services.

SLIPWAY_KILLS sets how many points are tried: a quarter of it; "all": each.
"""
import fcntl
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

import rig
import systemd

sys.path.insert(0, str(rig.TOP / "tests/common"))
from ollama_release import Releases, compile_standin  # noqa: E402 pylint: disable=wrong-import-position

# In the order of test_pacman.py, so that both use one root.
PACMAN = ("pacman-package-manager", "makepkg", "libarchive-tools", "gnupg", "sudo")
KILLS = os.environ.get("SLIPWAY_KILLS", "40")
STACK = """\
[stack]
schema = 1
name = probe
title = Probe
version = 1.0.0
summary = Ollama and nothing else
prefix = {prefix}

[profile native]
title = the only one
default = yes

[step ollama]
kind = ollama
version = {version}
release = {releases}
path = @prefix@/ollama
host = 127.0.0.1:{port}
wait_s = 10
"""


class Exchange(unittest.TestCase):
    """From 0.13.0, which runs, to 0.13.1; a process of one's own, in a home of its own."""
    maxDiff = None

    def setUp(self):
        rig.install(("gcc", "libc6-dev"))
        self.place = pathlib.Path(tempfile.mkdtemp(prefix="slipway-ollama-"))
        self.addCleanup(shutil.rmtree, self.place)
        compile_standin(self.place / "standin")
        self.killpoint = self.place / "killpoint"
        rig.run(["gcc", "-static", "-O1", "-D_GNU_SOURCE", "-o", str(self.killpoint),
                 str(pathlib.Path(__file__).with_name("killpoint.c"))])
        releases = Releases(self.place / "releases", self.place / "standin")
        releases.add("0.13.0")
        releases.add("0.13.1")
        self.home = self.place / "home"
        self.home.mkdir()
        (self.port,) = rig.free_ports(1)
        self.addCleanup(self.end)

    def define(self, version):
        stack = self.place / "stack"
        stack.mkdir(exist_ok=True)
        (stack / "stack.ini").write_text(STACK.format(
            prefix="~/probe", version=version, releases=self.place / "releases", port=self.port))

    def environment(self):
        return {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": str(self.home), "CI": "yes",
                "SLIPWAY_SERVICE_MANAGER": "process", "KILLPOINT_LEAVES_ORPHANS": "yes"}

    def slipway(self, *arguments, before=(), **changes):
        return subprocess.run([*map(str, before), str(rig.PROGRAM), *arguments], text=True,
                              env={**self.environment(), **changes}, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120)

    def install(self, **options):
        return self.slipway("install", str(self.place / "stack"), "--yes", **options)

    @property
    def pid_file(self):
        return self.home / ".local/state/slipway/services/slipway-ollama.pid"

    def holder(self):
        """The process that holds the lock, as the kernel says; 0 for none."""
        if not self.pid_file.exists():
            return 0
        inode = f":{self.pid_file.stat().st_ino} "
        for line in pathlib.Path("/proc/locks").read_text().splitlines():
            if " POSIX " in line and inode in line:
                return int(re.search(r"WRITE\s+(\d+)", line).group(1))
        return 0

    def end(self):
        pid = self.holder()
        if pid:
            os.kill(pid, signal.SIGKILL)
            while self.holder() == pid:
                time.sleep(0.01)

    def version(self, tries=50):
        """What answers, within some seconds; None when nothing does."""
        request = b"GET /api/version HTTP/1.1\r\nHost: localhost\r\n\r\n"
        for _ in range(tries):
            try:
                with socket.create_connection(("127.0.0.1", self.port), 5) as connection:
                    connection.sendall(request)
                    answer = b""
                    while piece := connection.recv(4096):
                        answer += piece
                return json.loads(answer.split(b"\r\n\r\n")[1])["version"]
            except OSError:
                time.sleep(0.1)
        return None

    def start(self):
        """Starts what the home has, with its lock, as slipway does."""
        def lock():
            file = os.open(self.pid_file, os.O_RDWR)
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.set_inheritable(file, True)
        process = subprocess.Popen(
            [self.home / "probe/ollama/bin/ollama", "serve"], preexec_fn=lock, close_fds=False,
            env={"HOME": str(self.home), "OLLAMA_HOST": f"127.0.0.1:{self.port}"},
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.started = process
        self.addCleanup(process.wait)

    def tree(self):
        """All that there is, less Ollama's data; of slipway's own state how many of which kind."""
        found = {}
        state = self.home / ".local/state/slipway"
        for directory, names, files in os.walk(self.home):
            for path in (pathlib.Path(directory, name) for name in [*names, *files]):
                what = os.readlink(path) if path.is_symlink() else (
                    path.read_bytes() if path.is_file() else "d")
                found[str(path.relative_to(self.home))] = (path.lstat().st_mode, what)
        found = {path: ("varies",) if path.endswith(".slipway-step") else what
                 for path, what in found.items() if not path.startswith((".local", ".ollama"))}
        for pattern in ("txn/*/journal", "listings/*", "services/*", "stacks/*"):
            found[pattern] = len(list(state.glob(pattern)))
        return found

    def reset(self, template):
        self.end()
        if self.started:
            self.started.wait()
        shutil.rmtree(self.home)
        shutil.copytree(template, self.home, symlinks=True)

    def make_references(self, has_old):
        self.started = None
        if has_old:
            self.define("0.13.0")
            done = self.install()
            self.assertEqual(done.returncode, 0, done.stderr)
            self.end()
        self.template = self.place / "template"
        shutil.copytree(self.home, self.template, symlinks=True)
        self.old = self.tree()
        self.define("0.13.1")
        if has_old:
            self.start()
        counts = self.place / "counts"
        done = self.install(before=[self.killpoint, "none"], KILLPOINT_COUNTS=str(counts))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.version(), "0.13.1")
        self.new = self.tree()
        return int(counts.read_text().split()[0])

    def check(self, point, verb, version, want):
        self.reset(self.template)
        if (self.home / "probe/ollama").exists():
            self.start()
        killed = self.install(before=[self.killpoint, str(point)])
        self.assertEqual(killed.returncode, -signal.SIGKILL, f"point {point}: {killed.stderr}")
        done = self.slipway(verb, "--yes")
        if verb == "resume" and re.search("Nothing to resume|had not begun", done.stdout):
            done = self.install()
        self.assertEqual(done.returncode, 0, f"point {point}, {verb}: {done.stderr}")
        self.assertEqual(self.version(50 if version else 2), version, f"point {point}, {verb}")
        changes = rig.differences(want, self.tree())
        self.assertEqual(changes, [], f"point {point}, {verb}:\n" + "\n".join(changes)[:2000])

    def kill_anywhere(self, has_old):
        calls = self.make_references(has_old)
        wanted = calls if KILLS == "all" else min(calls, max(int(KILLS) // 4, 4))
        points = sorted({1 + i * (calls - 4) // max(wanted - 1, 1) for i in range(wanted)})
        print(f"\n  {calls} calls, {len(points)} kills, each twice", flush=True)
        for point in points:
            with self.subTest(point):
                self.check(point, "rollback", "0.13.0" if has_old else None, self.old)
                self.check(point, "resume", "0.13.1", self.new)

    def test_exchange_killed_anywhere(self):
        self.kill_anywhere(True)

    def test_first_one_killed_anywhere(self):
        self.kill_anywhere(False)


class Systemd(unittest.TestCase):
    """A machine that systemd runs: a unit of our own, for root and for a user."""
    maxDiff = None

    def setUp(self):
        rig.install(("mmdebstrap", "gcc", "libc6-dev"))
        self.place = pathlib.Path(tempfile.mkdtemp(prefix="slipway-ollama-"))
        self.addCleanup(shutil.rmtree, self.place)
        self.place.chmod(0o755)
        (self.place / "srv").mkdir()
        compile_standin(self.place / "standin")
        self.releases = Releases(self.place / "srv/releases", self.place / "standin")
        self.releases.add("0.13.0")
        self.releases.add("0.13.1")
        self.releases.add("0.13.2", "dies")
        (self.port,) = rig.free_ports(1)
        self.machine = self.enterContext(systemd.SystemdMachine(lower=[self.place]))

    def define(self, version, prefix):
        self.machine.write("/srv/stack/stack.ini", STACK.format(
            prefix=prefix, version=version, releases="/srv/releases", port=self.port))

    def slipway(self, *arguments, status=0, user=None):
        done = self.machine.slipway(*arguments, "--yes", user=user)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done

    def version(self):
        for _ in range(50):
            try:
                with socket.create_connection(("127.0.0.1", self.port), 5) as connection:
                    connection.sendall(b"GET /api/version HTTP/1.1\r\n\r\n")
                    return json.loads(connection.makefile("rb").read().split(b"\r\n\r\n")[1])["version"]
            except OSError:
                time.sleep(0.1)
        return None

    def show(self, name, *words, **options):
        return self.machine.systemctl(*words, "show", "-P", name, "slipway-ollama",
                                      **options).stdout.strip()

    def assert_gone(self, before):
        """What Ollama itself keeps stays: data.  And what systemd notes."""
        self.assertIsNone(self.version())
        self.assertEqual(self.show("LoadState"), "not-found")
        changes = [line for line in rig.differences(before, self.machine.tree())
                   if not re.search(r" /(root/\.local|srv|var/(log|tmp)|var/lib/(private|slipway-ollama|systemd))", line)]
        self.assertEqual(changes, [])

    def test_as_root(self):
        """An account of its own; watched over; back after a restart of the machine; and away."""
        before = self.machine.tree()
        self.define("0.13.0", "/opt/probe")
        self.slipway("install", "/srv/stack")
        self.assertEqual(self.version(), "0.13.0")
        pid = self.show("MainPID")
        self.assertEqual(self.show("DynamicUser"), "yes")
        owner = self.machine.run(["stat", "-c", "%u", f"/proc/{pid}"]).stdout.strip()
        self.assertGreater(int(owner), 1000)
        self.assertIn("nothing changed", self.slipway("install", "/srv/stack").stdout)
        self.assertEqual(self.show("MainPID"), pid)

        self.machine.systemctl("kill", "-s", "KILL", "slipway-ollama", check=True)
        self.machine.wait_until(lambda: self.show("MainPID") not in ("0", pid))
        self.machine.restart()
        self.assertEqual(self.version(), "0.13.0")

        self.define("0.13.1", "/opt/probe")
        self.slipway("install", "/srv/stack")
        self.assertEqual(self.version(), "0.13.1")
        self.define("0.13.2", "/opt/probe")
        self.slipway("install", "/srv/stack", status=3)
        self.assertEqual(self.version(), "0.13.1")
        self.slipway("uninstall", "probe")
        self.assert_gone(before)

    def test_where_nobody_else_gets(self):
        """Below /root an account of its own would not reach its program: it runs as root, bound."""
        self.define("0.13.0", "/root/probe")
        self.slipway("install", "/srv/stack")
        self.assertEqual(self.version(), "0.13.0")
        self.assertEqual(self.show("DynamicUser"), "no")
        pid = self.show("MainPID")
        status = self.machine.run(["cat", f"/proc/{pid}/status"]).stdout
        self.assertRegex(status, r"CapBnd:\s+0+\n")
        self.slipway("uninstall", "probe")
        self.assertIsNone(self.version())

    def test_unit_that_a_person_edited(self):
        self.define("0.13.0", "/opt/probe")
        self.slipway("install", "/srv/stack")
        unit = self.machine.root / "etc/systemd/system/slipway-ollama.service"
        unit.write_text(unit.read_text() + "# mine\n")
        self.define("0.13.1", "/opt/probe")
        self.slipway("install", "/srv/stack")
        self.assertIn("# mine", unit.read_text())
        self.slipway("uninstall", "probe")
        self.assertIn("# mine", unit.read_text())

    def test_unit_of_somebody_else(self):
        """Ollama's own installer was here: its unit and its program stay as they are."""
        self.machine.write("/usr/local/bin/ollama", "", 0o755)
        shutil.copy(self.place / "standin", self.machine.root / "usr/local/bin/ollama")
        self.machine.write("/usr/local/version", "0.12.0\n")
        self.machine.write("/etc/systemd/system/ollama.service",
                           f"[Service]\nEnvironment=OLLAMA_HOST=127.0.0.1:{self.port} HOME=/root\n"
                           "ExecStart=/usr/local/bin/ollama serve\n")
        self.machine.systemctl("start", "ollama", check=True)
        before = self.machine.tree("/root/.local", "/opt")
        self.define("0.13.0", "/opt/probe")
        self.slipway("install", "/srv/stack")
        self.assertEqual(self.version(), "0.12.0")
        self.assertFalse((self.machine.root / "opt/probe").exists())
        self.slipway("uninstall", "probe")
        self.assertEqual(self.machine.systemctl("is-active", "ollama").stdout, "active\n")
        self.assertEqual([line for line in rig.differences(before, self.machine.tree("/root/.local", "/opt"))
                          if " /srv/" not in line], [])

    def test_as_a_user(self):
        """No root at all; the unit belongs to that user's own systemd."""
        self.machine.run(["/usr/sbin/useradd", "-m", "dev"], check=True)
        uid = self.machine.run(["id", "-u", "dev"]).stdout.strip()
        self.machine.systemctl("start", f"user@{uid}", check=True)
        self.define("0.13.0", "~/probe")
        result = self.slipway("install", "/srv/stack", user="dev")
        self.assertIn("loginctl enable-linger", result.stdout)
        self.assertEqual(self.version(), "0.13.0")
        runtime = {"XDG_RUNTIME_DIR": f"/run/user/{uid}"}
        self.assertEqual(self.machine.systemctl("--user", "is-active", "slipway-ollama", user="dev",
                                                env=runtime).stdout, "active\n")
        self.assertFalse((self.machine.root / "etc/systemd/system/slipway-ollama.service").exists())
        self.slipway("uninstall", "probe", user="dev")
        self.assertIsNone(self.version())
        self.assertFalse((self.machine.root / "home/dev/.config/systemd").exists())


class Packaged(unittest.TestCase):
    """Where the package manager has an Ollama, and no card needs more than it brings."""
    maxDiff = None
    pack = """set -e
mkdir -p /srv/repository /tmp/package/usr/bin
cd /tmp/package
cp /srv/standin usr/bin/ollama
echo 0.40.14 >usr/version
printf 'pkgname = ollama\npkgbase = ollama\npkgver = 0.40.14-1\npkgdesc = stand-in\n' >.PKGINFO
printf 'builddate = 1700000000\npackager = Test\nsize = 100\narch = any\n' >>.PKGINFO
bsdtar -cf /srv/repository/ollama-0.40.14-1-any.pkg.tar .PKGINFO usr
cd /
rm -rf /tmp/package
repo-add -q /srv/repository/t.db.tar.gz /srv/repository/*.pkg.tar
pacman -Sy >/dev/null
"""
    pacman_conf = """[options]
Architecture = auto
SigLevel = Never
[t]
Server = file:///srv/repository
"""

    def setUp(self):
        self.place = pathlib.Path(tempfile.mkdtemp(prefix="slipway-ollama-"))
        self.addCleanup(shutil.rmtree, self.place)
        (self.place / "srv").mkdir()
        compile_standin(self.place / "srv/standin")
        (self.port,) = rig.free_ports(1)
        self.machine = self.enterContext(rig.Machine(
            "trixie", lower=[self.place], extra=PACMAN))
        self.machine.write("/etc/os-release", "ID=arch\n")
        self.machine.write("/etc/pacman.conf", self.pacman_conf)
        self.machine.run(["sh", "-c", self.pack], check=True)
        self.machine.write("/srv/stack/stack.ini", STACK.format(
            prefix="/opt/probe", version="0.13.0", releases="/srv/none", port=self.port))

    def slipway(self, *arguments, status=0, **env):
        done = self.machine.slipway(*arguments, "--yes", env={"SLIPWAY_SERVICE_MANAGER": "process", **env})
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done

    version = Systemd.version

    def has_package(self):
        return self.machine.run(["pacman", "-Q", "ollama"]).returncode == 0

    def test_from_package_to_answer_and_back(self):
        before = self.machine.tree()
        plan = self.slipway("plan", "/srv/stack").stdout
        self.assertRegex(plan, "install ollama with pacman")
        self.slipway("install", "/srv/stack")
        self.assertTrue(self.has_package())
        self.assertEqual(self.version(), "0.40.14")
        self.assertFalse((self.machine.root / "opt/probe").exists())
        self.assertIn("nothing changed", self.slipway("install", "/srv/stack").stdout)
        self.slipway("uninstall", "probe")
        self.assertFalse(self.has_package())
        self.assertIsNone(self.version())
        changes = [line for line in rig.differences(before, self.machine.tree()) if not re.search(
            r" /(root|var/(lib|cache)/pacman|var/log|var/cache/ldconfig|etc/ld\.so\.cache)", line)]
        self.assertEqual(changes, [])

    def test_too_old_a_package(self):
        """Which version a rolling distribution has, only its package tells: it goes away again."""
        ini = self.machine.root / "srv/stack/stack.ini"
        ini.write_text(ini.read_text() + "minimum = 9.0.0\n")
        said = self.slipway("install", "/srv/stack", status=3).stderr
        self.assertRegex(said, "older than 9.0.0")
        self.assertFalse(self.has_package())
        self.assertIsNone(self.version())

    def test_package_that_was_there_before(self):
        self.machine.run(["pacman", "-S", "--noconfirm", "ollama"], check=True)
        self.slipway("install", "/srv/stack")
        self.slipway("uninstall", "probe")
        self.assertTrue(self.has_package())


if __name__ == "__main__":
    unittest.main(verbosity=2)
