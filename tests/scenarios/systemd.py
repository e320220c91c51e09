"""A bare machine that systemd has started: process 1 in namespaces of its own, on a cgroup of its own."""
import os
import pathlib
import subprocess
import time

import rig

PACKAGES = ("systemd", "systemd-sysv", "dbus", "libpam-systemd")
CGROUPS = pathlib.Path("/sys/fs/cgroup/systemd")

# A container in all but name; the hierarchy of systemd's own is all that it needs of cgroups.
BOOT = """
root=$1
mount -t proc proc "$root/proc"
mount -t sysfs -o ro sysfs "$root/sys"
mount -t tmpfs -o mode=755 run "$root/run"
mount -t tmpfs -o mode=755 cgroups "$root/sys/fs/cgroup"
mkdir "$root/sys/fs/cgroup/systemd"
mount -t cgroup -o none,name=systemd cgroup "$root/sys/fs/cgroup/systemd"
exec chroot "$root" /usr/bin/env -i container=slipway PATH=/usr/sbin:/usr/bin \
  /lib/systemd/systemd --log-target=null
"""


class SystemdMachine(rig.Machine):
    """Commands run beside process 1; it has to be Debian's."""

    def __init__(self, suite="bookworm", lower=()):
        super().__init__(suite, lower=lower, extra=PACKAGES)
        self.group = CGROUPS / f"slipway-{os.getpid()}-{id(self)}"
        self.group.mkdir()
        self.callback(self.remove_group)
        self.boot()

    def boot(self):
        self.holder = subprocess.Popen(
            ["sh", "-ec", 'echo $$ >"$1/cgroup.procs"; exec unshare --cgroup --pid --mount --uts '
             '--ipc --fork --kill-child --propagation private sh -ec "$2" sh "$3"',
             "sh", str(self.group), BOOT, str(self.root)], stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.callback(self.power_off, self.holder)
        children = pathlib.Path(f"/proc/{self.holder.pid}/task/{self.holder.pid}/children")
        self.wait_until(lambda: children.read_text().strip())
        self.init = children.read_text().split()[0]
        self.prefix = ["nsenter", "-t", self.init, "--pid", "--mount", "--cgroup", "--uts", "--ipc"]
        self.wait_until(lambda: self.systemctl("is-system-running").stdout.strip() in
                        ("running", "degraded"))

    @staticmethod
    def wait_until(condition, seconds=60):
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                raise RuntimeError("systemd does not get there")
            time.sleep(0.1)

    def systemctl(self, *words, **options):
        return self.run(["systemctl", *words], **options)

    @staticmethod
    def power_off(holder):
        holder.kill()
        holder.wait()

    def restart(self):
        """As if somebody had cut the power: what runs is gone, the disk stays."""
        self.power_off(self.holder)
        self.prefix = []
        self.boot()

    def remove_group(self):
        for path in sorted(self.group.rglob("*"), reverse=True):
            if path.is_dir():
                self.try_to_remove(path)
        self.try_to_remove(self.group)

    @staticmethod
    def try_to_remove(path):
        for _ in range(50):
            try:
                path.rmdir()
                return
            except OSError:
                time.sleep(0.1)
