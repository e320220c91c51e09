"""Every descriptor that slipway opens itself is closed on exec: seen by strace, whatever opens it.

SPDX-License-Identifier: Apache-2.0
"""
import re
import subprocess
import unittest

from cli_support import STACK_INI, Case, each_row
from test_downloads import ARCHIVE, DIGEST, STEP
from tls_server import Authority, Server

# Each call that makes a descriptor; "?": not known on each architecture.
CALLS = ("?open,openat,?openat2,?creat,socket,accept,accept4,?pipe,pipe2,?dup2,dup,dup3,fcntl,?epoll_create,"
         "epoll_create1,?eventfd,eventfd2,?signalfd,signalfd4,?inotify_init,inotify_init1,memfd_create,timerfd_create,"
         "socketpair,?pidfd_open,close,execve,clone,?fork,?vfork,?clone3")
MAKERS = set(CALLS.replace("?", "").split(",")) - {"close", "execve", "clone", "clone3", "fork", "vfork"}
MAKES = re.compile(r"(?P<call>[a-z0-9_]+)\((?P<arguments>.*)\) += (?P<fd>\d+)$")
PAIRS = re.compile(r"(?:pipe2?|socketpair)\(.*\[\d+, \d+\]")
# What libraries and sanitizers read for themselves, and close at once.
LIBRARY = re.compile(r'open(?:at)?\((?:AT_FDCWD, )?"/(?:etc|usr|dev/u?random|proc/self/(?:maps|cmdline|environ))\b[^"]*", O_RDONLY')

# What a whole run of the product does, in small: keys, a stack that is installed and taken away again.
COMMANDS = [
    ("get", "keys", "get", "A_KEY"),
    ("set", "keys", "set", "B_KEY", "--stdin"),
    ("list", "keys", "list"),
    ("doctor", "keys", "doctor"),
    ("audit", "keys", "audit"),
    ("exec", "keys", "exec", "--", "true"),
    ("import", "keys", "import", ".env", "--shred"),
    ("export", "keys", "export", "x.keys", "--bundle-passphrase-file", "phrase"),
    ("rekey", "keys", "rekey", "--rotate-data-key"),
    ("install", "install", "./stack", "--yes"),
]


def is_closed_on_exec(call, arguments):
    if call == "fcntl":
        return "F_DUPFD" not in arguments or "F_DUPFD_CLOEXEC" in arguments
    return call not in ("dup", "dup2", "creat") and "CLOEXEC" in arguments


class Trace:
    """What strace saw of slipway and its helpers; the programs that they start are others' work."""

    def __init__(self, text, program):
        self.program = program
        self.strangers = set()
        self.open = {}  # pid -> {descriptor: what opened it}, of those that exec would pass on
        self.faults = []
        self.count = 0
        for line in text.splitlines():
            pid, event = line.split(None, 1)
            if event.startswith("execve(") and event.endswith(" = 0"):
                self.run(pid, event)
            elif pid not in self.strangers:
                self.see(pid, event)
        for kept in self.open.values():
            self.faults += kept.values()

    def run(self, pid, event):
        self.strangers.discard(pid)
        if not event.startswith(f'execve("{self.program}"'):
            self.strangers.add(pid)
        self.faults += self.open.pop(pid, {}).values()

    def see(self, pid, event):
        kept = self.open.setdefault(pid, {})
        made = MAKES.match(event)
        gone = re.match(r"close\((\d+)|fcntl\((\d+), F_SETFD, FD_CLOEXEC", event)
        if gone:
            kept.pop(gone.group(1) or gone.group(2), None)
        elif PAIRS.match(event) and event.endswith(" = 0"):
            self.count += 1
            if "CLOEXEC" not in event:
                self.faults.append(event)
        elif made and made.group("call") in MAKERS and int(made.group("fd")) > 2:
            self.count += 1
            if is_closed_on_exec(made.group("call"), made.group("arguments")):
                kept.pop(made.group("fd"), None)
            elif LIBRARY.match(event):
                kept[made.group("fd")] = event
            else:
                self.faults.append(event)


class Traced(Case):
    def trace(self, *command, env):
        trace = self.place / "trace"
        environment = self.environment(**env, ASAN_OPTIONS="detect_leaks=0")
        subprocess.run(["strace", "-f", "-s", "200", "-e", f"trace={CALLS}", "-o", trace, self.program, *command],
                       env=environment, cwd=self.cwd, check=True, input=b"value", capture_output=True)
        seen = Trace(trace.read_text(), self.program)
        self.assertGreater(seen.count, 0)
        return seen


@each_row(COMMANDS)
class Descriptors(Traced):
    def check_row(self, *command):
        env = {"SLIPWAY_KEY_FILE": str(self.make_key_file()), "SLIPWAY_KEY_BACKEND": "file"}
        self.run_program("keys", "set", "A_KEY", "--stdin", env=env, input=b"some-value")
        (self.cwd / ".env").write_text("C_KEY=another-value\n")
        (self.cwd / "phrase").write_text("correct horse battery\n")
        (self.cwd / "phrase").chmod(0o600)
        self.make_stack()
        self.assertEqual(self.trace(*command, env=env).faults, [])


class Download(Traced):
    def test_sockets(self):
        """Those of libcurl too, but for the pair with which it wakes itself up; OpenSSL closes the bundle at once."""
        authority = Authority(self.place / "authority")
        with Server(authority.issue(), {"/thing.tar.gz": ARCHIVE}) as server:
            ini = STACK_INI + STEP.format(url=server.url_of("/thing.tar.gz"), digest=DIGEST)
            seen = self.trace("install", self.make_stack(ini=ini), "--yes", env={"SSL_CERT_FILE": str(authority.bundle)})
        mine = [fault for fault in seen.faults
                if not fault.startswith("socketpair(AF_UNIX, ") and str(authority.bundle) not in fault]
        self.assertEqual(mine, [])


class TheTrace(unittest.TestCase):
    """The test itself finds what it is there for."""

    def test_faults(self):
        for event in ('openat(AT_FDCWD, "/x", O_RDWR) = 3', 'openat(AT_FDCWD, "/etc/x", O_RDONLY) = 4', "dup(1) = 5",
                      "fcntl(1, F_DUPFD, 0) = 3", "pipe2([3, 4], O_NONBLOCK) = 0", "socket(AF_UNIX, SOCK_STREAM, 0) = 3"):
            self.assertEqual(len(Trace(f"7 {event}\n", "slipway").faults), 1, event)

    def test_none(self):
        lines = ['openat(AT_FDCWD, "/x", O_RDWR|O_CLOEXEC) = 3', 'openat(AT_FDCWD, "/etc/x", O_RDONLY) = 4', "close(4) = 0",
                 "fcntl(1, F_DUPFD_CLOEXEC, 0) = 3", "pipe2([3, 4], O_CLOEXEC) = 0", 'execve("/bin/true", [], []) = 0',
                 'openat(AT_FDCWD, "/y", O_RDWR) = 3']
        self.assertEqual(Trace("".join(f"7 {line}\n" for line in lines), "slipway").faults, [])


if __name__ == "__main__":
    unittest.main()
