"""A whole life with canaries for secrets, watched from outside: where do they turn up?

Every call that starts a program, writes or opens is traced.  A canary may be in the bytes that
`keys get` writes, in the environment of the program that the keys are for, and nowhere else: no
stream, log, journal, receipt, file or argument, also not as base64 or hex.
"""
import base64
import pathlib
import re
import secrets
import subprocess
import tempfile
import unittest

import rig
import upstream
import wheels

STACK = "localagent"
LAUNCHER = "/root/.local/bin/localagent"
KEYSTORE = "/root/.local/share/slipway/keystore"
STATE = "/root/.local/state/slipway"


# Upstream's two modules that the launcher asks for providers: it has those that have a key.
PROVIDERS = {
    "base_provider.py": "class CompletionRequest:\n    pass\n",
    "provider_manager.py": """\
class ProviderManager:
    def __init__(self, config):
        self.config, self.providers = config, {}

    async def initialize_providers(self):
        self.providers = {name: object() for name, one in self.config.items()
                          if name == "ollama" or one["api_key"]}

    def get_provider(self, name):
        return self.providers.get(name)
""",
}


def setUpModule():
    rig.install()


def make_upstream(directory):
    """The stand-in for the repository, with providers; the answer is the id of its commit."""
    upstream.make(directory)
    top = directory / "zvirb/LocalAgent"
    for name, text in PROVIDERS.items():
        (top / "app/llm_providers" / name).write_text(text)
    upstream.git(top, "add", "-A")
    upstream.git(top, "commit", "-q", "-m", "providers")
    return upstream.git(top, "rev-parse", "HEAD")


def forms(canary):
    """The canary as it is and as it could be written instead; part of it is as bad as all."""
    raw = canary.encode()
    found = {raw, raw[8:], raw.hex().encode(), raw.hex().upper().encode(), raw[::-1]}
    for offset in range(3):
        part = raw[offset:]
        text = base64.b64encode(part[:len(part) - len(part) % 3])
        found |= {text, text.replace(b"+", b"-").replace(b"/", b"_")}
    return found


def unescaped(text):
    """The bytes of a string as strace prints it."""
    return re.sub(rb"\\([0-7]{1,3}|x[0-9a-f]{2}|.)", _byte, text)


def _byte(match):
    code = match.group(1)
    if code[:1] == b"x" and len(code) == 3:
        return bytes([int(code[1:], 16)])
    if code.isdigit():
        return bytes([int(code, 8) & 255])
    return {b"n": b"\n", b"t": b"\t", b"r": b"\r", b"v": b"\v", b"f": b"\f"}.get(code, code)


class Canary(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        place = pathlib.Path(tempfile.mkdtemp(prefix="slipway-canary-"))
        self.addCleanup(subprocess.run, ["rm", "-rf", str(place)])
        revision = make_upstream(place / "srv/mirror")
        wheels.fill("bookworm", place / "srv/wheels")
        self.traces = place / "traces"
        self.traces.mkdir()
        self.machine = self.enterContext(rig.Machine("bookworm", lower=[
            place, rig.repository("bookworm", *upstream.PACKAGES)]))
        self.options = ["--yes", "--defer", "--mirror", "https://github.com/=/srv/mirror/",
                        "--python-wheels", "/srv/wheels", "--set", f"source.revision={revision}"]
        self.stored = "sk-" + secrets.token_hex(20)
        self.given = "gm-" + secrets.token_hex(20)
        self.forms = forms(self.stored) | forms(self.given)
        (self.machine.root / "root/key").write_bytes(secrets.token_bytes(32))
        (self.machine.root / "root/key").chmod(0o600)
        self.env = {"SLIPWAY_KEY_FILE": "/root/key", "GEMINI_API_KEY": self.given}
        self.printed = []

    def traced(self, name, argv, text="", status=0):
        """Runs it under strace; the answer is stdout."""
        trace = self.traces / name
        # The tracer's own environment is that of the machine: no shell or env in between has it
        # among its arguments.
        done = subprocess.run(
            ["strace", "-f", "--seccomp-bpf", "-v", "-qq", "-s", "8192", "-o", str(trace), "-e", "signal=none",
             "-e", "trace=execve,execveat,write,writev,pwrite64,sendto,sendmsg,openat,open,rename,"
             "renameat,renameat2,mkdir,mkdirat,symlink,symlinkat",
             "chroot", str(self.machine.root), *argv],
            env={"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                 "HOME": "/root", "LANG": "C.UTF-8", "SSL_CERT_FILE": "/opt/slipway/ca.crt",
                 **self.env},
            cwd=self.machine.root, input=text, capture_output=True, text=True, timeout=600,
            check=False)
        self.assertEqual(done.returncode, status, f"{argv}: {done.stdout}\n{done.stderr}")
        self.printed.append((name, (done.stdout + done.stderr).encode(), done.stderr.encode()))
        return done.stdout

    def slipway(self, name, *arguments, **options):
        return self.traced(name, ["/usr/local/bin/slipway", *arguments], **options)

    def has_canary(self, data):
        return any(form in data for form in self.forms)

    def live(self):
        """The life of an installation, from the first key to the last file."""
        self.slipway("set", "keys", "set", "OPENAI_API_KEY", "--stdin", text=self.stored)
        self.slipway("check", "check", STACK, "--json", "--all")
        self.slipway("facts", "facts")
        self.slipway("plan", "plan", STACK, "--json")
        self.slipway("install", "install", STACK, *self.options)
        self.slipway("again", "install", STACK, *self.options, "--json")
        self.traced("help", [LAUNCHER, "--help"])
        table = self.traced("providers", [LAUNCHER, "providers", "--list"])
        for name in ("openai", "gemini"):
            self.assertRegex(table, rf"(?m)^{name}\s+no\s+\S+\s+yes\b")
        self.slipway("list", "keys", "list")
        self.slipway("list-json", "keys", "list", "--json")
        self.slipway("config", "config", "--json")
        self.slipway("status", "status", "--json")
        self.slipway("mistake", "keys", "set", "OPENAI_API_KEY", "too-many", status=64)
        got = self.slipway("get", "keys", "get", "OPENAI_API_KEY")
        self.assertEqual(got, self.stored + "\n")
        self.slipway("get-json", "keys", "get", "OPENAI_API_KEY", "--json", status=64)
        seen = self.slipway("exec", "keys", "exec", "--only", "OPENAI_API_KEY", "--", "/usr/bin/env")
        self.assertIn(f"OPENAI_API_KEY={self.stored}\n", seen)
        self.assertNotIn("SLIPWAY_KEY_FILE", seen)
        self.check_files()  # while all of it is there
        self.slipway("uninstall", "uninstall", STACK, "--yes")
        self.slipway("gone", "status")
        self.check_files()

    def check_files(self):
        """Every file that was written on this machine."""
        seen = 0
        for path in (self.machine.work / "upper").rglob("*"):
            name = "/" + str(path.relative_to(self.machine.work / "upper"))
            self.assertFalse(self.has_canary(name.encode()), name)
            if path.is_symlink() or not path.is_file():
                continue
            seen += 1
            if self.has_canary(path.read_bytes()):
                self.fail(f"a canary lies in {name}")
        self.assertGreater(seen, 5)
        self.assertTrue((self.machine.root / KEYSTORE.lstrip("/")).is_file())

    def check_streams(self):
        """`get` and `exec` say it on stdout, that is what they are for; nobody else does."""
        for name, both, err in self.printed:
            text = err if name in ("get", "exec") else both
            self.assertFalse(self.has_canary(text), f"{name} printed a canary")

    # strace: PID CALL(ARGUMENTS) = ANSWER; an execve has its argv and, with -v, its envp.
    def calls(self, name):
        """(process, call, arguments) of each line."""
        for line in (self.traces / name).read_bytes().splitlines():
            found = re.match(rb"(\d+) +(\w+)\((.*)", line)
            if found:
                yield found.group(1), found.group(2).decode(), found.group(3)
            else:
                self.assertFalse(self.has_canary(unescaped(line)), line)

    def check_calls(self, name):
        """Returns: the programs whose environment has the stored canary, and those that write one."""
        knowing, writing, program = set(), set(), {}
        for process, call, arguments in self.calls(name):
            if call == "execve":
                path, argv, environment = self.split_execve(arguments)
                program[process] = path
                self.assertFalse(self.has_canary(unescaped(argv)), f"{name}: {argv}")
                if self.stored.encode() in unescaped(environment):
                    knowing.add(path)
                continue
            if self.has_canary(unescaped(arguments)):
                is_result = call in ("write", "writev") and arguments.startswith(b"1, ") and (
                    name == "get" or (name == "exec" and program[process] == "/usr/bin/env"))
                self.assertTrue(is_result, f"{name}: {program.get(process)}: {call}")
                writing.add(program[process])
        return knowing, writing

    def split_execve(self, arguments):
        found = re.match(rb'"([^"]*)", (\[.*?\]), (\[.*)', arguments)
        self.assertIsNotNone(found, arguments[:200])
        return found.group(1).decode(), found.group(2), found.group(3)

    def check_traces(self):
        allowed = {"help", "providers", "exec"}
        for name, _, _ in self.printed:
            knowing, _ = self.check_calls(name)
            if name not in allowed:
                self.assertEqual(knowing, set(), name)
        # The programs for which the keys are, and what they start themselves.
        self.assertEqual(self.check_calls("exec"), ({"/usr/bin/env"}, {"/usr/bin/env"}))
        self.assertEqual(self.check_calls("get"), (set(), {"/usr/local/bin/slipway"}))
        knowing, writing = self.check_calls("providers")
        self.assertEqual(writing, set())
        self.assertTrue(any("python" in path for path in knowing), knowing)
        for path in knowing:
            self.assertRegex(path, r"/\.localagent/venv/bin/python3?$")

    def check_the_installer_s_children(self):
        """What is in our environment is not handed on to programs that did not ask for it."""
        for name in ("install", "uninstall", "check", "plan"):
            for _, call, arguments in self.calls(name):
                if call != "execve":
                    continue
                path, _, environment = self.split_execve(arguments)
                if path in ("/usr/sbin/chroot", "/usr/local/bin/slipway", LAUNCHER) \
                        or "/venv/" in path:
                    continue
                self.assertNotIn(self.given.encode(), environment, f"{name} {path}")

    def test_no_canary_anywhere(self):
        self.live()
        self.check_streams()
        self.check_traces()
        self.check_the_installer_s_children()
        state = self.machine.root / STATE.lstrip("/")
        self.assertTrue(list(state.glob("log/*.log")))


if __name__ == "__main__":
    unittest.main(verbosity=2)
