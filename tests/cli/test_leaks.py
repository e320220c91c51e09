"""Where else a secret turns up: environment, memory, arguments, documents, logs, descriptors.

The life of a whole installation is watched in tests/scenarios/test_canary.py; here it is one command
at a time.

SPDX-License-Identifier: Apache-2.0
"""
import fcntl
import json
import os
import pathlib
import re
import select
import subprocess
import time
import unittest

from cli_support import SECONDS, Case
import tls_server

MARKER = "sk-canary-Zq7Xw2Lr9Tb4Nc6Vd8"
OTHER = "sk-second-Hy3Kp5Mf1Js0Gu7Qe2"
NAME = "OPENAI_API_KEY"
SHADOW_BYTES = 1 << 30  # AddressSanitizer maps terabytes of notes about memory, which have no text


def read_proc(pid, name):
    """What the system shows of a process; None when it is denied."""
    try:
        return pathlib.Path(f"/proc/{pid}/{name}").read_bytes()
    except PermissionError:
        return None


def mappings(pid):
    """(from, to, flags) of everything that is mapped."""
    text = pathlib.Path(f"/proc/{pid}/smaps").read_text()
    for part in re.split(r"(?m)^(?=[0-9a-f]+-[0-9a-f]+ )", text)[1:]:
        start, end = (int(number, 16) for number in part.split(" ", 1)[0].split("-"))
        flags = re.search(r"(?m)^VmFlags: (.*)$", part).group(1).split()
        yield start, end, flags


def find_in_memory(pid, marker):
    """(in memory that is locked and not dumped, elsewhere): how often it is there."""
    safe = elsewhere = 0
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for start, end, flags in mappings(pid):
            if "rd" not in flags or "io" in flags or end - start > SHADOW_BYTES:
                continue
            try:
                memory.seek(start)
                count = memory.read(end - start).count(marker.encode())
            except OSError:  # [vvar]
                continue
            if "lo" in flags and "dd" in flags:
                safe += count
            else:
                elsewhere += count
    return safe, elsewhere


class Leaks(Case):
    def setUp(self):
        super().setUp()
        self.key = self.make_key_file()
        self.settings = {"SLIPWAY_KEY_FILE": str(self.key), "SLIPWAY_KEY_BACKEND": "file"}

    def slipway(self, *arguments, **options):
        return self.run_program(*arguments, env={**self.settings, **options.pop("env", {})},
                                **options)

    def start(self, *arguments, env=None, **streams):
        return subprocess.Popen([self.program, *arguments], cwd=self.cwd,
                                env=self.environment(**self.settings, **(env or {})),
                                stderr=subprocess.DEVNULL, **streams)

    def wait_for(self, condition):
        end = time.monotonic() + SECONDS
        while not condition():
            self.assertLess(time.monotonic(), end, "it does not come so far")
            time.sleep(0.005)

    def test_environment_is_not_shown(self):
        with self.start("keys", "set", "A", "--stdin", env={NAME: MARKER},
                        stdin=subprocess.PIPE) as child:
            # It has begun to wait for its input.
            self.wait_for(lambda: b"poll" in (read_proc(child.pid, "wchan") or b"poll"))
            time.sleep(0.05)
            shown = read_proc(child.pid, "environ")
            child.communicate(b"value-of-a-key")
        self.assertNotIn(MARKER.encode(), shown or b"")
        self.assertEqual((shown or b"").strip(b"\0"), b"")
        self.assertEqual(child.returncode, 0)

    def test_environment_still_counts(self):
        result = self.slipway("keys", "get", NAME, env={NAME: MARKER})
        self.assertEqual(result.out, MARKER + "\n", result)
        result = self.slipway("keys", "exec", "--only", NAME, "--", "sh", "-c",
                              f'printf %s "${NAME}:$LANG"', env={NAME: MARKER})
        self.assertEqual(result.out, f"{MARKER}:C.UTF-8", result)

    def blocked_on_output(self, *arguments, env=None, input=None):
        """A process that has done its work and waits for somebody to read its document."""
        reader, writer = os.pipe()
        fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
        os.set_blocking(writer, False)
        try:
            while True:
                os.write(writer, b"x" * 4096)
        except BlockingIOError:
            os.set_blocking(writer, True)
        child = self.start(*arguments, "--json", env=env, stdin=subprocess.PIPE, stdout=writer)
        os.close(writer)
        self.addCleanup(os.close, reader)
        if input:
            child.stdin.write(input)
        child.stdin.close()
        self.wait_for(lambda: b"pipe_write" in (read_proc(child.pid, "wchan") or b"")
                      or self.syscall(child.pid) == 1)
        return child, reader

    @staticmethod
    def syscall(pid):
        text = read_proc(pid, "syscall") or b""
        return int(text.split()[0]) if text[:1].isdigit() else -1

    def drain(self, child, reader):
        text = b""
        while select.select([reader], [], [], SECONDS)[0]:
            piece = os.read(reader, 65536)
            if not piece:
                break
            text += piece
        child.wait()
        return text.lstrip(b"x")

    def check_memory(self, *arguments, **options):
        """After a secret was used, it is in locked memory that no core has, or nowhere; for others
        than root there is nothing to see at all."""
        child, reader = self.blocked_on_output(*arguments, **options)
        try:
            safe, elsewhere = find_in_memory(child.pid, MARKER)
        except PermissionError:
            self.assertNotEqual(os.getuid(), 0)
            safe, elsewhere = 1, 0
        self.assertNotIn(MARKER.encode(), read_proc(child.pid, "cmdline"))
        document = self.drain(child, reader)
        self.assertEqual(elsewhere, 0)
        self.assertEqual(self.files_with(MARKER), [])
        self.assertGreater(safe, 0, "nothing was found, not even what masks it")
        self.assertNotIn(MARKER.encode(), document)
        return json.loads(document)

    def files_with(self, marker):
        found = []
        for directory, _, files in os.walk(self.place):
            paths = [os.path.join(directory, name) for name in files]
            found += [path for path in paths if marker.encode() in pathlib.Path(path).read_bytes()]
        return found

    def test_descriptors_of_a_program_that_gets_keys(self):
        self.slipway("keys", "set", NAME, "--stdin", input=MARKER.encode())
        result = self.slipway("keys", "exec", "--only", NAME, "--", "ls", "/proc/self/fd")
        self.assertEqual(result.out.split(), ["0", "1", "2", "3"])  # 3 is that of ls

    def test_messages(self):
        self.slipway("keys", "set", NAME, "--stdin", input=MARKER.encode())
        for arguments, input in ((["set", "A", "--stdin"], MARKER.encode() + b"\0"),
                                 (["set", "A", "--stdin"], MARKER.encode() * 1000),
                                 (["set", MARKER + "/", "--stdin"], b"x"),
                                 (["get", NAME, "--json"], b""),
                                 (["rotate", NAME, "--stdin"], MARKER.encode()),
                                 (["verify", NAME, "--mirror", "https://api.openai.com/="], b""),
                                 (["audit"], b""), (["doctor"], b""), (["list"], b"")):
            with self.subTest(arguments=arguments):
                result = self.slipway("keys", *arguments, input=input, env={"A": MARKER,
                                      "https_proxy": "http://127.0.0.1:9"})
                if MARKER + "/" not in arguments:
                    self.assertNotIn(MARKER, result.out + result.err)
        self.assertEqual(self.files_with(MARKER), [])

    def test_memory_of_set(self):
        self.check_memory("keys", "set", NAME, "--stdin", input=MARKER.encode())

    def test_memory_of_rotate(self):
        self.slipway("keys", "set", NAME, "--stdin", input=OTHER.encode())
        self.check_memory("keys", "rotate", NAME, "--stdin", "--no-verify", input=MARKER.encode())

    def test_memory_of_verify(self):
        authority = tls_server.Authority(self.place / "authority")
        self.slipway("keys", "set", NAME, "--stdin", input=MARKER.encode())
        with tls_server.Server(authority.issue(), {"/v1/models": b"{}"}) as server:
            document = self.check_memory("keys", "verify", NAME, "--ca-bundle", authority.bundle,
                                         "--mirror", f"https://api.openai.com/={server.url_of('/')}")
        self.assertEqual(document["keys"][0]["verdict"], "valid")


if __name__ == "__main__":
    unittest.main()
