"""Machines that are really so: what check says when memory is limited, a disk is full, a port is taken, apt is
at work, dpkg was cut off, the engine is stopped, forbidden or elsewhere.

Each change is made, judged, and taken back.  The clock alone is not set: instead the system wrote files that
are newer than it says.
"""
import contextlib
import fcntl
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest

import engine
import rig

MIB = 1 << 20
STACK = """\
[stack]
schema = 1
name = real
title = Real
version = 1
summary = what a machine must have
prefix = ~/.real

[profile all]
title = the only one
default = yes

[needs]
memory = 1 GiB
disk = 100 MiB
cpus = 2
@more@
[tool git]

[port web]
number = @port@
variable = REAL_PORT
"""
ENGINE_NEEDS = "engine = 20.10\nengine-disk = 1 MiB\n"
CGROUPS = pathlib.Path("/sys/fs/cgroup")
BROKEN_PACKAGE = """\
Package: cut-off
Version: 1
Architecture: all
Maintainer: nobody <nobody@example.org>
Description: ends dpkg while it is set up
"""


def setUpModule():
    rig.install()


def stack_at(place, more="", port=1):
    directory = pathlib.Path(place) / "stack"
    directory.mkdir(exist_ok=True)
    directory.chmod(0o755)
    (directory / "stack.ini").write_text(STACK.replace("@more@", more).replace("@port@", str(port)))
    (directory / "stack.ini").chmod(0o644)
    return directory


def found(done):
    """Findings of a run: id -> the first with it."""
    document = json.loads(done.stdout)
    if "checks" not in document:
        raise AssertionError(done.stdout + done.stderr)
    return {check["id"]: check for check in reversed(document["checks"])}


class Real(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.place = pathlib.Path(tempfile.mkdtemp(prefix="slipway-real-", dir="/var/tmp"))
        self.place.chmod(0o755)
        self.addCleanup(shutil.rmtree, self.place, ignore_errors=True)
        self.home = self.place / "home"
        self.home.mkdir()

    def check(self, *arguments, before=(), **variables):
        environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": str(self.home), "LANG": "C.UTF-8",
                       **variables}
        return found(subprocess.run([*before, rig.PROGRAM, "check", *map(str, arguments), "--json"],
                                    env=environment, stdin=subprocess.DEVNULL, capture_output=True,
                                    text=True, check=False, cwd=self.place))

    def assert_finding(self, finding, status, measured, remedy):
        self.assertEqual(finding["status"], status, finding)
        self.assertRegex(finding["measured"], measured)
        self.assertRegex(finding["remedy"], remedy)


class Memory(Real):
    """A control group with 512 MiB and half a processor, of whichever version this machine has."""

    def make_group(self, controller, **files):
        top = CGROUPS / controller
        if not controller:
            with contextlib.suppress(OSError):  # they are given on already
                (top / "cgroup.subtree_control").write_text("+memory +cpu")
        group = top / f"slipway-real-{os.getpid()}"
        group.mkdir()
        self.addCleanup(group.rmdir)
        for name, value in files.items():
            (group / name.replace("__", ".")).write_text(str(value))
        return group

    def test_control_group(self):
        if (CGROUPS / "cgroup.controllers").exists():
            groups = [self.make_group("", memory__max=512 * MIB, cpu__max="50000 100000")]
        else:
            groups = [self.make_group("memory", memory__limit_in_bytes=512 * MIB),
                      self.make_group("cpu", cpu__cfs_period_us=100000, cpu__cfs_quota_us=50000)]
        enter = "for group in $GROUPS; do echo $$ >$group/cgroup.procs; done; exec \"$@\""
        findings = self.check(stack_at(self.place), before=["sh", "-c", enter, "sh"],
                              GROUPS=" ".join(map(str, groups)))
        self.assert_finding(findings["mem.total"], "fail", r"^512\.0 MiB$", "limit of this control group")
        self.assertIn(str(groups[0].name), findings["mem.total"]["source"])
        self.assert_finding(findings["mem.available"], "warn", r"^\d+\.\d MiB$", r"\.$")
        self.assert_finding(findings["cpu.count"], "warn", r"^1 CPUs?$", r"\.$")
        self.assertIn(str(groups[-1].name), findings["cpu.count"]["source"])


class Disk(Real):
    def mount(self, *options, size=64 * MIB, format=("mkfs.ext4", "-q")):  # pylint: disable=redefined-builtin
        """A file system of its own in a file."""
        image, target = self.place / "image", self.place / "disk"
        with open(image, "wb") as file:
            file.truncate(size)
        rig.run([*format, *options, str(image)])
        target.mkdir()
        rig.run(["mount", "-o", "loop", str(image), str(target)])
        self.addCleanup(rig.run, ["umount", str(target)])
        return target

    def test_full(self):
        disk = self.mount()
        with open(disk / "filler", "wb") as file, contextlib.suppress(OSError):
            while True:
                file.write(bytes(MIB))
        findings = self.check(stack_at(self.place), "--prefix", disk / "real")
        self.assert_finding(findings["disk.space"], "fail", r"^\d+(\.\d)? (B|KiB|MiB)$", "Free some space")
        self.assertIn(str(disk), findings["disk.space"]["source"])

    def test_no_inodes(self):
        disk = self.mount("-N", "64", size=300 * MIB)
        with contextlib.suppress(OSError):
            for number in range(1000):
                (disk / str(number)).touch()
        findings = self.check(stack_at(self.place), "--prefix", disk / "real")
        self.assertEqual(findings["disk.space"]["status"], "pass", findings["disk.space"])
        self.assert_finding(findings["disk.inodes"], "fail", r"^0 inodes$", "small files")

    def test_read_only(self):
        disk = self.mount()
        rig.run(["mount", "-o", "remount,ro", str(disk)])
        findings = self.check(stack_at(self.place), "--prefix", disk / "real")
        self.assert_finding(findings["disk.writable"], "fail", "read-only", "--prefix")

    def test_tmp_that_runs_nothing(self):
        tmp = self.place / "tmp"
        tmp.mkdir()
        rig.run(["mount", "-t", "tmpfs", "-o", "noexec,size=16m", "tmp", str(tmp)])
        self.addCleanup(rig.run, ["umount", str(tmp)])
        findings = self.check(stack_at(self.place), TMPDIR=str(tmp))
        self.assert_finding(findings["disk.tmp_noexec"], "warn", "noexec|cannot", "TMPDIR")
        self.assert_finding(findings["disk.tmp"], "fail", r"16\.0 MiB", "TMPDIR")


class Port(Real):
    def test_held_by_a_process(self):
        with socket.socket() as one:
            one.bind(("127.0.0.1", 0))
            one.listen()
            port = one.getsockname()[1]
            findings = self.check(stack_at(self.place, port=port))
            held = findings[f"port.{port}"]
            self.assert_finding(held, "fail", "in use", "REAL_PORT")
            self.assertIn("python", held["measured"] + held["remedy"])
            self.assertIn(str(os.getpid()), held["measured"] + held["remedy"])
        self.assertEqual(self.check(stack_at(self.place, port=port))[f"port.{port}"]["status"], "pass")


class Packages(Real):
    """On a bare Debian; the stack wants git, which is not there."""

    def setUp(self):
        super().setUp()
        self.machine = self.enterContext(rig.Machine())
        shutil.copytree(stack_at(self.place), self.machine.root / "srv/stack")

    def check_machine(self):
        return found(self.machine.slipway("check", "/srv/stack", "--json"))

    def test_in_order(self):
        findings = self.check_machine()
        for name in ("packages.manager", "packages.health", "packages.lock", "privilege.sudo"):
            self.assertEqual(findings[name]["status"], "pass", findings[name])

    def test_apt_is_at_work(self):
        path = self.machine.root / "var/lib/dpkg/lock-frontend"
        with open(path, "w") as lock:
            fcntl.lockf(lock, fcntl.LOCK_EX)
            held = self.check_machine()["packages.lock"]
        self.assert_finding(held, "warn", rf"held by .*{os.getpid()}", "Wait")
        self.assertEqual(held["source"], "/var/lib/dpkg/lock-frontend")
        self.assertEqual(self.check_machine()["packages.lock"]["status"], "pass")

    def test_dpkg_was_cut_off(self):
        """By a package that kills it while it is set up."""
        package = self.place / "package/DEBIAN"
        package.mkdir(parents=True)
        (package / "control").write_text(BROKEN_PACKAGE)
        (package / "postinst").write_text("#!/bin/sh\nkill -9 $PPID\n")
        (package / "postinst").chmod(0o755)
        rig.run(["dpkg-deb", "-b", str(package.parent), str(self.machine.root / "srv/cut-off.deb")])
        done = self.machine.run(["dpkg", "-i", "/srv/cut-off.deb"])
        self.assertEqual(done.returncode, -signal.SIGKILL, done.stderr)
        self.assert_finding(self.check_machine()["packages.health"], "fail", "cut.off",
                            "dpkg --configure -a")

    def test_clock_is_a_day_behind(self):
        """As the files of the system tell: they are from tomorrow."""
        tomorrow = time.time() + 26 * 3600
        for name in ("var/lib/dpkg/status", "var/lib/apt/lists", "var/lib/dpkg"):
            os.utime(self.machine.root / name, (tomorrow, tomorrow))
        self.assert_finding(self.check_machine()["os.clock"], "fail", r"behind", r"clock|time")


class EngineStates(Real):
    """A real engine, in the states in which people have it."""

    @classmethod
    def setUpClass(cls):
        cls.engine = cls.enterClassContext(engine.NetworkEngine())
        cls.program = cls.engine.top / "slipway"
        shutil.copy(rig.PROGRAM, cls.program)
        cls.program.chmod(0o755)

    def judge(self, *before, port=1, **variables):
        stack = stack_at(self.engine.top, ENGINE_NEEDS, port)
        return found(self.engine.run([*before, self.program, "check", stack, "--json"], check=False,
                                     env=self.engine.environment(HOME=str(self.home), **variables)))

    def test_running(self):
        findings = self.judge()
        for name in ("engine.cli", "engine.reachable", "engine.version", "engine.disk"):
            self.assertEqual(findings[name]["status"], "pass", findings[name])

    def test_stopped(self):
        """Without its socket, as after an end; with it, as after a crash."""
        self.engine.stop()
        try:
            ended = self.judge()
            with socket.socket(socket.AF_UNIX) as left:
                left.bind(str(self.engine.socket))
            crashed = self.judge()
        finally:
            self.engine.socket.unlink(missing_ok=True)
            self.engine.start()
        self.assert_finding(ended["engine.reachable"], "fail", "no engine", "[Ss]tart")
        self.assert_finding(crashed["engine.reachable"], "fail", "not running", "[Ss]tart")
        for findings in (ended, crashed):
            self.assertEqual(findings["engine.version"]["status"], "skipped")

    def test_not_permitted(self):
        self.engine.socket.chmod(0o600)
        os.chown(self.home, 65534, 65534)
        try:
            findings = self.judge("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups",
                                  DOCKER_CONFIG=str(self.home))
        finally:
            self.engine.socket.chmod(0o666)
        self.assert_finding(findings["engine.reachable"], "fail", "permission denied", "group")

    def test_wrong_context(self):
        config = self.engine.top / "other"
        config.mkdir(exist_ok=True)
        (config / "config.json").write_text('{"currentContext": "old-server"}')
        environment = {"DOCKER_CONFIG": str(config), "DOCKER_HOST": ""}
        subprocess.run(["docker", "--config", config, "context", "create", "old-server", "--docker",
                        "host=unix:///nonexistent/docker.sock"], check=True, capture_output=True,
                       env={"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(self.home)})
        found_there = self.judge(**environment)["engine.reachable"]
        self.assert_finding(found_there, "fail", "no engine", r"\.$")
        self.assertIn("context old-server", found_there["source"])

    def test_port_held_by_a_container(self):
        root = rig.busybox()
        self.engine.run(["sh", "-c", f"tar -C {root} -c . | docker import - real-test >/dev/null"])
        port = rig.free_ports(1)[0]
        self.engine.docker("run", "-d", "--name", "holder", "-p", f"127.0.0.1:{port}:80", "real-test",
                           "/bin/busybox", "sleep", "1000")
        self.addCleanup(self.engine.docker, "rm", "-f", "holder")
        held = self.judge(port=port)[f"port.{port}"]
        self.assertEqual(held["status"], "fail", held)
        self.assertIn("holder", held["measured"] + held["remedy"])


if __name__ == "__main__":
    unittest.main()
