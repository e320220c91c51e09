"""What the tests of packages share: the source archive, and machines on which packages are built.

SPDX-License-Identifier: Apache-2.0
"""
import os
import re
import stat
import subprocess

import rig

RELEASE_URL = "https://slipway.example/releases"
HOMEPAGE = "https://slipway.example"


def version():
    return re.search(r"^VERSION *:= *(\S+)", (rig.TOP / "Makefile").read_text(), re.M).group(1)


def make_archive(target):
    """The source archive of what is in the working tree, as a release makes it of a commit."""
    names = [name for name in subprocess.run(
        ["git", "ls-files", "-coz", "--exclude-standard"], cwd=rig.TOP, stdout=subprocess.PIPE,
        check=True).stdout.decode().split("\0") if name and (rig.TOP / name).is_file()]
    archive = target / f"slipway-{version()}.tar.xz"
    subprocess.run(["tar", "-C", str(rig.TOP), "--null", "-T", "-", "--owner=0", "--group=0",
                    "--transform", f"s,^,slipway-{version()}/,", "-I", "xz -1", "-cf", str(archive)],
                   input="\0".join(names).encode(), check=True)
    return archive


class Machine(rig.Machine):
    """Without slipway, but with terminals and shared memory; it can be given a line of shell."""

    def __init__(self, suite, **options):
        super().__init__(suite, has_program=False, **options)
        for place, kind, flags in (("pts", "devpts", "newinstance,ptmxmode=0666"),
                                   ("shm", "tmpfs", "mode=1777")):
            target = self.root / "dev" / place
            target.mkdir()
            rig.run(["mount", "-t", kind, "-o", flags, kind, str(target)])
            self.callback(rig.run, ["umount", "-l", str(target)])
        os.symlink("pts/ptmx", self.root / "dev/ptmx")
        os.mknod(self.root / "dev/tty", 0o666 | stat.S_IFCHR, os.makedev(5, 0))
        os.chmod(self.root / "dev/tty", 0o666)

    def command(self, argv, user=None, env=None, has_network=True):
        return super().command(argv, user, {
            "SSL_CERT_FILE": "", "DEBIAN_FRONTEND": "noninteractive", **(env or {})}, has_network)

    def shell(self, line, user=None, status=0, is_alone=False, **env):
        """Runs it; returns what it said.  `is_alone`: with no network but its own loopback."""
        argv = self.command(["bash", "-ec", line], user, env)
        if is_alone:
            argv = ["unshare", "--net", "sh", "-ec", 'ip link set lo up; exec "$@"', "sh", *argv]
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=900)
        if done.returncode != status:
            raise AssertionError(f"{line}: {done.returncode}, not {status}\n{done.stdout[-6000:]}")
        return done.stdout

    def make_signing_key(self, path):
        """gpg gets a key called Test, which signs from now on; its public part lies at `path`."""
        self.shell("printf 'Key-Type: eddsa\nKey-Curve: ed25519\nKey-Usage: sign\nName-Real: Test\n"
                   "%%no-protection\n%%commit\n' | gpg -q --batch --gen-key - && "
                   f"gpg -q --armor --export Test >{path}")
