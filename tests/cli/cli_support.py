"""What the tests through the real binary share: a home of its own for each test, and one way to run.

SPDX-License-Identifier: Apache-2.0
"""
import os
import pathlib
import pty
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "common"))
from files import NOBODY, SLIPWAY, TOP, tree  # noqa: E402 pylint: disable=wrong-import-position

# A shell that starts us in the background, or nohup, ignores these, and so would all that we start.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)

SECONDS = 60  # nothing here may take longer, on a busy machine either: what does, hangs
TIMEOUT = 99

# A process starts with the peak of the one that made it, so that has to be a small one.
MEASURE = f"""
import os, signal, sys
pid = os.fork()
if pid == 0:
    os.execv(sys.argv[2], sys.argv[2:])
signal.signal(signal.SIGALRM, lambda *_: os.kill(pid, signal.SIGKILL))
signal.alarm({SECONDS})
_, status, usage = os.wait4(pid, 0)
with open(sys.argv[1], "w") as file:
    file.write(str(usage.ru_maxrss))
status = os.waitstatus_to_exitcode(status)
sys.exit(status if status >= 0 else {TIMEOUT})
"""

STACK_INI = """\
[stack]
schema = 1
name = probe
title = Probe
version = 1.0.0
summary = a directory and a file
prefix = ~/probe

[profile native]
title = the only one
default = yes
"""
STEPS = """
[step prefix]
kind = directory
path = @prefix@
mode = 0755

[step note]
kind = file
after = prefix
path = @prefix@/note
from = note
mode = 0644
"""


class Result:
    """How a run ended: status, stdout and stderr as text, peak memory in KiB."""

    def __init__(self, status, out, err, peak_kib=0):
        self.status = status
        self.out = out.decode("utf-8", "backslashreplace")
        self.err = err.decode("utf-8", "backslashreplace")
        self.peak_kib = peak_kib

    def __str__(self):
        return f"exit {self.status}\n--- stdout\n{self.out[-1500:]}\n--- stderr\n{self.err[-1500:]}"


class Case(unittest.TestCase):
    """Each test has a temporary place with a home and a working directory in it."""
    maxDiff = None

    def setUp(self):
        # The real path: where the temporary directory is a link, messages name what it leads to.
        self.place = pathlib.Path(os.path.realpath(tempfile.mkdtemp(prefix="slipway-cli-")))
        self.addCleanup(self.remove_place)
        self.place.chmod(0o755)
        self.home = self.place / "home"
        self.cwd = self.place / "cwd"
        self.home.mkdir(mode=0o700)
        self.cwd.mkdir(mode=0o755)
        self.state = self.home / ".local/state/slipway"
        self.user = None
        self.program = SLIPWAY

    def remove_place(self):
        for directory, names, _ in os.walk(self.place):
            for name in names:
                path = os.path.join(directory, name)
                if not os.path.islink(path):
                    os.chmod(path, 0o700)
        shutil.rmtree(self.place)

    def become_ordinary(self):
        """From here on the program runs as a user who is not root, in a home of their own."""
        if os.getuid() != 0:
            return
        self.user = NOBODY
        self.program = str(self.place / "slipway")
        shutil.copy(SLIPWAY, self.program)
        os.chmod(self.program, 0o755)
        for directory, names, files in os.walk(self.place):
            for path in [directory, *(os.path.join(directory, name) for name in names + files)]:
                os.chown(path, NOBODY, NOBODY, follow_symlinks=False)

    def environment(self, **changes):
        """A clean one; a change to None takes a variable out."""
        values = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(self.home), "LANG": "C.UTF-8",
                  "TERM": "xterm", "ASAN_OPTIONS": "quarantine_size_mb=1:verify_asan_link_order=0",
                  **changes}
        return {name: value for name, value in values.items() if value is not None}

    def identity(self):
        return {} if self.user is None else {
            "user": self.user, "group": self.user, "extra_groups": []}

    def run_program(self, *arguments, env=None, input=b"", cwd=None, **options):
        """Runs slipway to its end; stdin is empty unless `input` says otherwise."""
        values = self.environment(**(env or {}))
        streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
        if "stdin" not in streams:
            streams["input"] = input
        try:
            done = subprocess.run([self.program, *map(os.fspath, arguments)], cwd=cwd or self.cwd,
                                  env=values, timeout=SECONDS, check=False, **self.identity(),
                                  **streams)
        except subprocess.TimeoutExpired:
            self.fail(f"slipway {' '.join(map(str, arguments))}: no end after {SECONDS} s")
        return Result(done.returncode, done.stdout or b"", done.stderr or b"")

    def run_measured(self, *arguments):
        """The same, with the peak of memory."""
        peak = self.place / "peak"
        done = subprocess.run(
            [sys.executable, "-S", "-c", MEASURE, peak, self.program, *map(os.fspath, arguments)],
            cwd=self.cwd, env=self.environment(), stdin=subprocess.DEVNULL, capture_output=True,
            check=False)
        result = Result(done.returncode, done.stdout, done.stderr, int(peak.read_text()))
        peak.unlink()
        if result.status == TIMEOUT:
            self.fail(f"slipway {' '.join(map(str, arguments))}: no end after {SECONDS} s")
        return result

    def run_on_terminal(self, *arguments, answers=(), env=None, columns=100):
        """Runs slipway with a terminal as stdin, stdout and stderr.

        `answers`: pairs (text to wait for, what is then typed).  What was printed is in `out`.
        """
        pid, master = pty.fork()
        if pid == 0:
            try:
                os.chdir(self.cwd)
                os.execve(self.program, [self.program, *map(os.fspath, arguments)],
                          self.environment(**(env or {})))
            finally:
                os._exit(126)
        shown, waiting, seen = b"", list(answers), 0
        end = time.monotonic() + SECONDS
        try:
            while time.monotonic() < end:
                if not select.select([master], [], [], 0.1)[0]:
                    continue
                try:
                    piece = os.read(master, 65536)
                except OSError:  # EIO: the other end is closed
                    piece = b""
                if not piece:
                    break
                shown += piece
                if waiting and waiting[0][0].encode() in shown[seen:]:
                    time.sleep(0.05)  # until the echo is off: it is, before the prompt, or a bug
                    os.write(master, waiting.pop(0)[1].encode())
                    seen = len(shown)
            else:
                os.kill(pid, 9)
        finally:
            os.close(master)
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        if status == -9:
            self.fail(f"slipway {' '.join(map(str, arguments))}: no end after {SECONDS} s:\n"
                      + shown.decode(errors="replace"))
        return Result(status, shown, b"")

    def make_stack(self, name="stack", ini=STACK_INI + STEPS, **files):
        """A stack in a directory of the working directory."""
        top = self.cwd / name
        top.mkdir()
        (top / "stack.ini").write_bytes(ini if isinstance(ini, bytes) else ini.encode())
        for file, text in {"note": "hello\n", **files}.items():
            (top / file).write_text(text)
        return top

    def make_key_file(self):
        """32 bytes that open a keystore."""
        path = self.place / "key"
        path.write_bytes(bytes(range(32)))
        path.chmod(0o600)
        return path

    def assert_refused(self, result, status, pattern=""):
        """The stated status, and a message that begins as ours do and says why."""
        self.assertEqual(result.status, status, result)
        self.assertRegex(result.err, r"(?m)^slipway: ")
        self.assertRegex(result.err, pattern or ".")
        self.assertNotRegex(result.err, r"CRITICAL|Sanitizer|runtime error|Traceback")


def each_row(table):
    """Makes one test method for each row of a table: (name, ...) calls method(self, ...)."""
    def decorate(case):
        for number, (name, *values) in enumerate(table, 1):
            def test(self, values=tuple(values)):
                self.check_row(*values)
            title = "".join(c if c.isalnum() else "_" for c in name)
            test.__doc__ = name
            setattr(case, f"test_{number:02}_{title}", test)
        return case
    return decorate
