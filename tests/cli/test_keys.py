"""keys set, get, list, remove, profiles and exec: what they take, refuse, show and pass on.

SPDX-License-Identifier: Apache-2.0
"""
import datetime
import fcntl
import itertools
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import unittest

from cli_support import SECONDS, Case, each_row

SECRET = "sk-canary-4f9a1c7be2"
OTHER = "sk-other-91d0aa53c4"

# Says how it was started: environment, open descriptors, umask, signals.
WITNESS = """
import json, os, signal
files = sorted(int(fd) for fd in os.listdir("/proc/self/fd"))
files = [fd for fd in files if os.path.exists(f"/proc/self/fd/{fd}")]
status = dict(line.split(":\\t", 1) for line in open("/proc/self/status").read().splitlines()
              if ":\\t" in line)
print(json.dumps({"environment": dict(os.environ), "files": files,
                  "umask": status["Umask"], "blocked": status["SigBlk"], "ignored": status["SigIgn"]}))
"""


# Calls that change a file, by their names on each architecture.
CHANGES = "?rename,renameat,renameat2,write,fsync"


class KeysCase(Case):
    def setUp(self):
        super().setUp()
        self.env = {"SLIPWAY_KEY_FILE": str(self.make_key_file())}

    def keys(self, *command, env=None, **options):
        return self.run_program("keys", *command, env={**self.env, **(env or {})}, **options)

    def set(self, name, value=SECRET, *options):
        result = self.keys("set", name, "--stdin", *options, input=value.encode())
        self.assertEqual(result.status, 0, result)
        return result

    def get(self, name, *options, **more):
        result = self.keys("get", name, *options, **more)
        self.assertEqual(result.status, 0, result)
        return result.out[:-1]

    def list(self, *options):
        result = self.keys("list", "--json", *options)
        self.assertEqual(result.status, 0, result)
        return json.loads(result.out)["keys"]


class Set(KeysCase):
    def test_from_a_descriptor(self):
        reader, writer = os.pipe()
        os.write(writer, SECRET.encode() + b"\n")
        os.close(writer)
        result = self.keys("set", "A_KEY", "--fd", str(reader), pass_fds=[reader])
        os.close(reader)
        self.assertEqual(result.status, 0, result)
        self.assertEqual(self.get("A_KEY"), SECRET)
        self.assertEqual(self.list()[0]["origin"], "fd")

    def test_a_descriptor_that_is_not_there(self):
        self.assert_refused(self.keys("set", "A_KEY", "--fd", "99"), 74, "99")
        for text in ("-1", "x", "99999", ""):
            self.assert_refused(self.keys("set", "A_KEY", "--fd", text), 64, "not a descriptor")

    def test_from_the_environment(self):
        self.assertEqual(self.keys("set", "A_KEY", "--from-env", env={"A_KEY": SECRET}).status, 0)
        self.assertEqual(self.get("A_KEY"), SECRET)
        self.assertEqual(self.keys("set", "A_KEY", "--from-env", "X", env={"X": OTHER}).status, 0)
        self.assertEqual(self.get("A_KEY"), OTHER)
        self.assertEqual(self.list()[0]["origin"], "environment")
        self.assert_refused(self.keys("set", "A_KEY", "--from-env"), 64, "A_KEY is not set")
        self.assert_refused(self.keys("set", "A_KEY", "--from-env", env={"A_KEY": ""}), 64, "empty")

    def test_one_place_only(self):
        for options in (["--stdin", "--fd", "0"], ["--stdin", "--from-env"], ["--fd", "0", "--from-env"]):
            self.assert_refused(self.keys("set", "A_KEY", *options), 64, "three places")

    def test_names_that_are_refused(self):
        for name, why in (("PATH", "steers"), ("LD_PRELOAD", "steers"), ("A_KEY.pending", "rotation"),
                          ("A_KEY.previous", "rotation"), ("../x", "not a key name"),
                          ("", "not a key name"), ("x" * 65, "not a key name")):
            with self.subTest(name):
                self.assert_refused(self.keys("set", name, "--stdin", input=b"x"), 64, why)

    def test_too_long(self):
        self.assert_refused(self.keys("set", "A_KEY", "--stdin", input=b"x" * 16385), 64, "longer than")
        self.set("A_KEY", "x" * 16384)

    def test_on_a_terminal(self):
        shown = self.run_on_terminal("keys", "set", "A_KEY", env=self.env,
                                     answers=[("Secret for A_KEY", SECRET + "\n")])
        self.assertEqual(shown.status, 0, shown)
        self.assertNotIn(SECRET, shown.out)
        self.assertEqual(self.list()[0]["origin"], "prompt")

    def test_nothing_entered(self):
        shown = self.run_on_terminal("keys", "set", "A_KEY", env=self.env,
                                     answers=[("Secret for A_KEY", "\n")])
        self.assertEqual(shown.status, 65, shown)

    def test_nobody_is_asked_in_ci(self):
        shown = self.run_on_terminal("keys", "set", "A_KEY", env={**self.env, "CI": "1"})
        self.assertEqual(shown.status, 64, shown)

    def test_ctrl_c_gives_the_echo_back(self):
        """A shell that starts it twice: the terminal echoes again after Ctrl-C."""
        line = f'stty -a | grep -o -- "-*echo " | head -1 >before; "{self.program}" keys set A_KEY; ' \
               'echo "status $?"; stty -a | grep -o -- "-*echo " | head -1 >after; exit 0\n'
        pid, master = os.forkpty()
        if pid == 0:
            os.chdir(self.cwd)
            os.execve("/bin/bash", ["bash", "--norc", "-i"], {**self.environment(**self.env), "PS1": "> "})
        shown, waiting = b"", [(b"> ", line.encode()), (b"Secret for A_KEY: ", b"half\x03"), (b"status 130", b"")]
        while True:
            try:
                piece = os.read(master, 4096)
            except OSError:
                break
            if not piece:
                break
            shown += piece
            if waiting and waiting[0][0] in shown:
                os.write(master, waiting.pop(0)[1])
        os.close(master)
        os.waitpid(pid, 0)
        self.assertEqual(waiting, [], shown)
        self.assertNotIn(b"half", shown)
        self.assertEqual((self.cwd / "before").read_text(), "echo \n")
        self.assertEqual((self.cwd / "after").read_text(), "echo \n")


@each_row([
    ("a number of days", "30", True),
    ("a day", "2099-02-28", True),
    ("a leap day", "2096-02-29", True),
    ("no leap year", "2099-02-29", False),
    ("the past", "2020-01-01", False),
    ("no days", "0", False),
    ("too many days", "36501", False),
    ("a month that is none", "2099-13-01", False),
    ("no leading zero", "2099-1-01", False),
    ("words", "tomorrow", False),
    ("nothing", "", False),
    ("negative", "-5", False),
])
class Expires(KeysCase):
    def check_row(self, text, is_good):
        result = self.keys("set", "A_KEY", "--stdin", f"--expires={text}", input=SECRET.encode())
        if not is_good:
            self.assert_refused(result, 64, "--expires")
            return
        self.assertEqual(result.status, 0, result)
        expires = datetime.datetime.strptime(self.list()[0]["expires"], "%Y-%m-%dT%H:%M:%SZ")
        if text.isdigit():
            left = expires - datetime.datetime.utcnow()
            self.assertLess(abs(left.total_seconds() - int(text) * 86400), 60)
        else:
            self.assertEqual(str(expires), text + " 23:59:59")


class Get(KeysCase):
    def test_once_in_one_piece_and_nowhere_else(self):
        """Whoever reads once gets all of it; no other call of the system sees the secret."""
        self.set("A_KEY")
        trace = self.place / "trace"
        subprocess.run(["strace", "-f", "-s", "65536", "-o", trace, self.program, "keys", "get", "A_KEY"],
                       env=self.environment(**self.env, ASAN_OPTIONS="detect_leaks=0"), cwd=self.cwd, check=True,
                       capture_output=True)
        lines = trace.read_text(errors="replace").splitlines()
        shown = [line for line in lines if SECRET in line]
        self.assertEqual(len(shown), 1, shown)
        self.assertRegex(shown[0], r"^\d+ +writev?\(1, ")
        written = {re.search(r'"([^"]*)"', line).group(1) for line in lines
                   if re.match(r"\d+ +open(at)?\(.*(O_WRONLY|O_RDWR|O_CREAT)", line) and "/dev/null" not in line}
        self.assertEqual([path for path in written if not path.startswith(str(self.home))], [])

    def test_a_pipe_that_takes_little(self):
        value = "x" * 16_000
        self.set("A_KEY", value)
        reader, writer = os.pipe()
        fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
        with subprocess.Popen([self.program, "keys", "get", "A_KEY"], cwd=self.cwd, stdout=writer,
                              env=self.environment(**self.env)) as child:
            os.close(writer)
            with open(reader, "rb") as stream:
                self.assertEqual(stream.read().decode(), value + "\n")
        self.assertEqual(child.returncode, 0)


# Row 71 of the bad inputs: values that some file format or shell would not bring back.
VALUES = {
    "QUOTES": b"with \"double\" and 'single' ones \\ and `these`",
    "LINES": b"-----BEGIN KEY-----\nfirst\r\nsecond\n\n",
    "EQUALS": b"a=b;c==",
    "COMMENT": b"# not a comment # at all",
    "EXPANDED": b"$HOME ${HOME} $(id) %s !! *",
    "BLANKS": b" \t before and behind \t ",
    "BYTES": b"\xff\xfe no UTF-8 \x80\xc3",
    "LARGEST": b"k" * 16_384,
}


class AnyValue(KeysCase):
    def setUp(self):
        super().setUp()
        for name, value in VALUES.items():
            # One line break at the end of stdin is taken off.
            result = self.keys("set", name, "--stdin", input=value + b"\n")
            self.assertEqual((result.status, result.out), (0, ""), result)

    def got(self, name):
        done = subprocess.run([self.program, "keys", "get", name], env=self.environment(**self.env), cwd=self.cwd,
                              stdin=subprocess.DEVNULL, capture_output=True, check=True)
        return done.stdout.removesuffix(b"\n")

    def test_get(self):
        self.assertEqual({name: self.got(name) for name in VALUES}, VALUES)

    def test_exec(self):
        print_all = "import os, sys; [sys.stdout.buffer.write(os.environb[n.encode()] + b'\\0') for n in sys.argv[1:]]"
        done = subprocess.run([self.program, "keys", "exec", "--", sys.executable, "-S", "-c", print_all, *VALUES],
                              env=self.environment(**self.env), cwd=self.cwd, stdin=subprocess.DEVNULL,
                              capture_output=True, check=True)
        self.assertEqual(done.stdout.split(b"\0")[:-1], list(VALUES.values()))

    def test_export_and_import(self):
        phrase = self.place / "phrase"
        phrase.write_text("correct horse battery\n")
        phrase.chmod(0o600)
        for command in (["export"], ["remove"], ["import"]):
            if command == ["remove"]:
                shutil.rmtree(self.home / ".local")
                continue
            result = self.keys(*command, "all.keys", "--bundle-passphrase-file", phrase)
            self.assertEqual(result.status, 0, result)
        self.assertEqual({name: self.got(name) for name in VALUES}, VALUES)

    def test_64_kib(self):
        for name in ("LARGEST", "NEW"):
            self.assert_refused(self.keys("set", name, "--stdin", input=b"x" * 65_536), 64, "longer than")
        self.assertEqual(self.got("LARGEST"), VALUES["LARGEST"])

    def test_nothing_of_them_is_told(self):
        """Neither by a command that handles them all nor in what it leaves on the disk."""
        told = b""
        for command in (["list"], ["list", "--json"], ["doctor"], ["audit"], ["exec", "--", "true"],
                        ["rekey", "--rotate-data-key"]):
            result = self.keys(*command)
            self.assertEqual(result.status, 0, result)
            told += (result.out + result.err).encode()
        told += b"".join(path.read_bytes() for path in self.home.rglob("*") if path.is_file())
        for name, value in VALUES.items():
            self.assertNotIn(value.strip()[:30], told, name)


class List(KeysCase):
    def test_marks(self):
        self.set("A_KEY", SECRET, "--expires", "7")
        self.set("B_KEY", SECRET, "--expires", "700")
        self.set("C_KEY")
        self.assertEqual([(key["name"], key["expiry"]) for key in self.list()],
                         [("A_KEY", "soon"), ("B_KEY", "later"), ("C_KEY", None)])
        self.assertRegex(self.keys("list").out, r"A_KEY .* \d{4}-\d\d-\d\d soon ")

    def test_the_same_value_has_the_same_fingerprint(self):
        self.set("A_KEY")
        self.set("B_KEY")
        self.set("C_KEY", OTHER)
        a, b, c = (key["fingerprint"] for key in self.list())
        self.assertRegex(a, "^[0-9a-f]{8}$")
        self.assertEqual(a, b)
        self.assertNotEqual(a, c)

    def test_a_changed_value_keeps_its_birthday(self):
        self.set("A_KEY", SECRET, "--expires", "7")
        before = self.list()[0]
        self.set("A_KEY", OTHER)
        after = self.list()[0]
        self.assertEqual(after["created"], before["created"])
        self.assertIsNone(after["expires"])
        self.assertNotEqual(after["fingerprint"], before["fingerprint"])

    def test_of_the_environment(self):
        self.set("OPENAI_API_KEY")
        listed = json.loads(self.keys("list", "--json", env={"OPENAI_API_KEY": OTHER}).out)["keys"]
        self.assertEqual(listed[0]["source"], "environment")

    def test_no_store(self):
        result = self.keys("list")
        self.assertEqual((result.status, result.out), (0, ""), result)


class Profiles(KeysCase):
    def setUp(self):
        super().setUp()
        self.set("A_KEY")
        self.set("A_KEY", OTHER, "--profile", "work")
        self.set("B_KEY", OTHER, "--profile", "work")

    def names(self, *options):
        return [(key["profile"], key["name"]) for key in self.list(*options)]

    def test_each_has_its_own(self):
        self.assertEqual(self.get("A_KEY"), SECRET)
        self.assertEqual(self.get("A_KEY", "--profile", "work"), OTHER)
        self.assertEqual(self.get("A_KEY", "--key-profile", "work"), OTHER)
        self.assertEqual(self.get("A_KEY", env={"SLIPWAY_KEY_PROFILE": "work"}), OTHER)
        self.assertEqual(self.names(), [("default", "A_KEY")])
        self.assertEqual(self.names("--all-profiles"),
                         [("default", "A_KEY"), ("work", "A_KEY"), ("work", "B_KEY")])

    def test_a_stack_s_profile_is_another_thing(self):
        """SLIPWAY_PROFILE chooses how a stack is installed, not whose keys are used."""
        self.assertEqual(self.get("A_KEY", env={"SLIPWAY_PROFILE": "work"}), SECRET)

    def test_listed(self):
        result = self.keys("profiles", "--json")
        self.assertEqual(json.loads(result.out)["profiles"],
                         [{"profile": "default", "keys": 1}, {"profile": "work", "keys": 2}])
        self.assertRegex(self.keys("profiles").out, r"(?m)^work +2$")

    def test_removed(self):
        self.assert_refused(self.keys("profiles", "--remove", "work"), 64, "--yes")
        self.assertEqual(len(self.names("--all-profiles")), 3)
        self.assertEqual(self.keys("profiles", "--remove", "work", "--yes").status, 0)
        self.assertEqual(self.names("--all-profiles"), [("default", "A_KEY")])
        self.assert_refused(self.keys("profiles", "--remove", "work", "--yes"), 1, "no profile work")

    def test_renamed(self):
        before = {key["name"]: key for key in self.list("--profile", "work")}
        result = self.keys("profiles", "--rename", "work=office", "--json")
        self.assertEqual(json.loads(result.out)["keys"], 2, result)
        self.assertEqual(self.names("--all-profiles"),
                         [("default", "A_KEY"), ("office", "A_KEY"), ("office", "B_KEY")])
        self.assertEqual(self.get("A_KEY", "--profile", "office"), OTHER)
        for key in self.list("--profile", "office"):
            self.assertEqual({**key, "profile": "work"}, before[key["name"]])
        self.assertEqual(self.keys("audit").status, 0)
        self.assert_refused(self.keys("profiles", "--rename", "work=office"), 1, "no profile work")
        self.assert_refused(self.keys("profiles", "--rename", "default=office"), 1, "has another A_KEY already")
        for names in ("office", "office=", "=office", "office=office", "office=A B", "office=.slipway"):
            with self.subTest(names):
                self.assert_refused(self.keys("profiles", "--rename", names), 64)
        self.assert_refused(self.keys("profiles", "--rename", "a=b", "--remove", "a"), 64, "two commands")
        self.assertEqual(len(self.names("--all-profiles")), 3)

    def test_a_rename_that_is_killed_loses_nothing(self):
        for call in itertools.count(1):
            killed = subprocess.run(
                ["strace", "-f", "-o", "/dev/null", "-e", f"trace={CHANGES}",
                 "-e", f"inject={CHANGES}:signal=KILL:when={call}",
                 self.program, "keys", "profiles", "--rename", "work=office"], cwd=self.cwd, check=False,
                env=self.environment(**self.env, ASAN_OPTIONS="detect_leaks=0"), capture_output=True)
            kept = {}
            for profile, name in self.names("--all-profiles"):
                kept.setdefault(name, set()).add(self.get(name, "--profile", profile))
            self.assertEqual(kept, {"A_KEY": {SECRET, OTHER}, "B_KEY": {OTHER}}, call)
            if killed.returncode == 0:
                break
            self.keys("profiles", "--rename", "work=office")
            self.assertEqual(self.names("--all-profiles")[1:], [("office", "A_KEY"), ("office", "B_KEY")], call)
            self.assertEqual(self.keys("profiles", "--rename", "office=work").status, 0)
        self.assertGreater(call, 10)

    def test_removal_is_asked_for(self):
        for answer, status, left in (("n\n", 1, 3), ("\n", 1, 3), ("wokr\n", 1, 3), ("y\n", 0, 1)):
            shown = self.run_on_terminal("keys", "profiles", "--remove", "work", env=self.env,
                                         answers=[("Remove them all?", answer)])
            self.assertEqual(shown.status, status, shown)
            self.assertIn("A_KEY B_KEY", shown.out)
            self.assertEqual(len(self.names("--all-profiles")), left)

    def test_remove_of_one_key(self):
        self.assertEqual(self.keys("remove", "A_KEY", "--profile", "work").status, 0)
        self.assertEqual(self.get("A_KEY"), SECRET)
        self.assert_refused(self.keys("get", "A_KEY", "--profile", "work"), 1)

    def test_names_that_are_refused(self):
        for name in (".slipway", "Work", "1st", "a" * 33, "a/b", "a b"):
            with self.subTest(name):
                self.assert_refused(self.keys("get", "A_KEY", "--profile", name), 64, "not a profile")
                self.assert_refused(self.keys("profiles", "--remove", name, "--yes"), 64, "not a profile")
        listed = self.keys("list", "--all-profiles", "--json").out
        self.assertNotIn(".slipway", listed)


class Exec(KeysCase):
    def setUp(self):
        super().setUp()
        self.set("A_KEY")
        self.set("B_KEY", OTHER)
        self.set("a-dash", OTHER)
        self.set("A_KEY", "of-work-1", "--profile", "work")

    def witness(self, *options, **more):
        result = self.keys("exec", *options, "--", sys.executable, "-S", "-c", WITNESS, **more)
        self.assertEqual(result.status, 0, result)
        return json.loads(result.out)

    def bare_witness(self, **more):
        done = subprocess.run([sys.executable, "-S", "-c", WITNESS], env=self.environment(), cwd=self.cwd,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              check=True, **more)
        return json.loads(done.stdout)

    def test_all(self):
        found = self.witness()["environment"]
        self.assertEqual((found["A_KEY"], found["B_KEY"]), (SECRET, OTHER))
        self.assertNotIn("a-dash", found)
        self.assertNotIn("SLIPWAY_KEY_FILE", found)

    def test_only(self):
        found = self.witness("--only", "B_KEY")["environment"]
        self.assertNotIn("A_KEY", found)
        self.assertEqual(found["B_KEY"], OTHER)

    def test_names_that_cannot_be_variables(self):
        for name in ("a-dash", "PATH", "LD_PRELOAD", "SLIPWAY_KEY_FILE"):
            with self.subTest(name):
                self.assert_refused(self.keys("exec", "--only", name, "--", "true"), 64, "cannot become")

    def test_missing(self):
        result = self.keys("exec", "--only", "A_KEY,C_KEY,D_KEY", "--", "echo", "ran")
        self.assert_refused(result, 1, "C_KEY D_KEY")
        self.assertNotIn("ran", result.out)
        result = self.keys("exec", "--only", "A_KEY,C_KEY", "--optional", "--", "echo", "ran")
        self.assertEqual((result.status, result.out), (0, "ran\n"), result)
        self.assertIn("C_KEY", result.err)

    def test_pristine(self):
        extra = {"AWS_SECRET": "x", "HTTP_PROXY": "y", "LD_BIND_NOW": "1", "TZ": "UTC"}
        found = self.witness("--pristine", "--only", "A_KEY", env=extra)["environment"]
        self.assertEqual(set(found) - {"LC_CTYPE"},
                         {"PATH", "HOME", "LANG", "TERM", "TZ", "A_KEY", "SLIPWAY_KEYS_EXEC"})
        self.assertIn("HTTP_PROXY", self.witness(env=extra)["environment"])

    def test_a_variable_wins(self):
        for options in ((), ("--pristine",), ("--only", "A_KEY")):
            found = self.witness(*options, env={"A_KEY": "mine-1"})["environment"]
            self.assertEqual(found["A_KEY"], "mine-1")

    def test_profile(self):
        found = self.witness("--profile", "work")["environment"]
        self.assertEqual(found["A_KEY"], "of-work-1")
        self.assertNotIn("B_KEY", found)

    def nest(self, outer, inner):
        """exec in exec; what the inner program has."""
        return self.keys("exec", *outer, "--", self.program, "keys", "exec", *inner, "--", "env",
                         env={"SLIPWAY_KEY_FILE": None})

    def test_nested(self):
        """The outer one's variables would win over the keys of another profile."""
        home = self.home / ".local/state/slipway"
        home.mkdir(parents=True, exist_ok=True)
        (home / "keystore.key").write_bytes((self.place / "key").read_bytes())
        (home / "keystore.key").chmod(0o600)
        refused = self.nest([], ["--profile", "work"])
        self.assertEqual(refused.status, 64, refused)
        self.assertIn("--nested", refused.err)
        found = self.nest([], ["--profile", "work", "--nested"])
        self.assertEqual(found.status, 0, found)
        self.assertIn("A_KEY=of-work-1\n", found.out)
        self.assertNotIn("B_KEY", found.out)
        same = self.nest(["--only", "A_KEY"], ["--only", "B_KEY"])
        self.assertEqual(same.status, 0, same)
        self.assertIn(f"A_KEY={SECRET}\n", same.out)
        self.assertIn(f"B_KEY={OTHER}\n", same.out)
        self.assertRegex(same.out, "SLIPWAY_KEYS_EXEC=default:A_KEY,B_KEY\n")

    def test_a_stack_s_launcher_in_the_shell_of_a_profile(self):
        """It cannot know of --nested: it goes on with the keys that the shell was given."""
        self.set("OPENAI_API_KEY", "of-work-2", "--profile", "work")
        found = self.keys("exec", "--profile", "work", "--only", "OPENAI_API_KEY", "--", self.program, "keys", "exec",
                          "--stack", "localagent", "--optional", "--", "env")
        self.assertEqual(found.status, 0, found)
        self.assertIn("OPENAI_API_KEY=of-work-2\n", found.out)
        self.assertRegex(found.out, "SLIPWAY_KEYS_EXEC=work:")

    def test_a_profile_without_keys(self):
        self.assert_refused(self.keys("exec", "--profile", "wrok", "--", "echo", "ran"), 1, "wrok has no keys")

    def test_a_marker_that_somebody_made_up(self):
        found = self.keys("exec", "--nested", "--", "env",
                          env={"SLIPWAY_KEYS_EXEC": "x:PATH,LD_PRELOAD,=,, ,HOME"})
        self.assertEqual(found.status, 0, found)
        self.assertIn("PATH=/usr/local/bin", found.out)

    def test_as_the_caller_had_it(self):
        """Descriptors, umask and signals are those of the caller; ours are gone."""
        reader, writer = os.pipe()
        for ignored in ((), (signal.SIGPIPE,), (signal.SIGHUP, signal.SIGXFSZ)):
            def prepare(ignored=ignored):
                os.umask(0o027)
                signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
                for number in (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGHUP):
                    signal.signal(number, signal.SIG_IGN if number in ignored else signal.SIG_DFL)
            more = {"preexec_fn": prepare, "pass_fds": [reader], "restore_signals": False}
            bare = self.bare_witness(**more)
            found = self.witness(**more)
            with self.subTest(ignored):
                for what in ("files", "umask", "blocked", "ignored"):
                    self.assertEqual(found[what], bare[what], what)
        os.close(reader)
        os.close(writer)

    def test_stdin_is_the_program_s(self):
        result = self.keys("exec", "--", "cat", input=b"for the program")
        self.assertEqual(result.out, "for the program")

    def test_how_it_ends(self):
        self.assertEqual(self.keys("exec", "--", "sh", "-c", "exit 3").status, 3)
        self.assertEqual(self.keys("exec", "--", "sh", "-c", "kill -9 $$").status, -9)
        self.assert_refused(self.keys("exec", "--", "/no/such"), 69, "cannot run")
        (self.cwd / "plain").write_text("x")
        self.assert_refused(self.keys("exec", "--", "./plain"), 77, "cannot run")

    def test_no_command(self):
        self.assert_refused(self.keys("exec"), 64, "usage")

    def test_one_unlock(self):
        """A passphrase is derived once, however many keys there are."""
        for number in range(20):
            self.set(f"K{number}", f"value-{number:04}")
        trace = self.place / "trace"
        done = subprocess.run(["strace", "-f", "-e", "trace=openat", "-o", trace, self.program, "keys", "exec",
                               "--", "true"], env=self.environment(**self.env), cwd=self.cwd, timeout=SECONDS,
                              check=False)
        self.assertEqual(done.returncode, 0)
        opened = [line for line in trace.read_text().splitlines() if '/slipway/keystore"' in line]
        self.assertLessEqual(len(opened), 3, opened)


class Statuses(KeysCase):
    """Each answer of the keystore has its own exit status."""

    def test_wrong_key(self):
        self.set("A_KEY")
        (self.place / "key").write_bytes(bytes(32))
        for command in (["get", "A_KEY"], ["list"], ["profiles"], ["exec", "--", "true"],
                        ["export", "x"], ["remove", "A_KEY"]):
            self.assert_refused(self.keys(*command), 77)

    def test_damaged(self):
        self.set("A_KEY")
        store = self.home / ".local/share/slipway/keystore"
        whole = store.read_bytes()
        store.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
        for command in (["get", "A_KEY"], ["list"], ["profiles"], ["exec", "--", "true"], ["export", "x"]):
            self.assert_refused(self.keys(*command), 65)

    def test_locked(self):
        self.set("A_KEY")
        for command in (["get", "A_KEY"], ["list"], ["profiles"], ["exec", "--", "true"], ["export", "x"]):
            self.assert_refused(self.keys(*command, env={"SLIPWAY_KEY_FILE": None}), 78, "locked")

    def test_others_can_read_it(self):
        self.set("A_KEY")
        (self.home / ".local/share/slipway/keystore").chmod(0o644)
        self.assert_refused(self.keys("get", "A_KEY"), 77)

    def test_not_there(self):
        for command in (["get", "A_KEY"], ["remove", "A_KEY"], ["export", "x"]):
            self.assert_refused(self.keys(*command), 1)


class Generated(KeysCase):
    def test_its_section_says_how_large_it_is(self):
        stack = self.cwd / "sized"
        stack.mkdir()
        (stack / "stack.ini").write_text(
            "[stack]\nschema = 1\nname = sized\ntitle = Sized\nversion = 1\nsummary = keys\nprefix = ~/sized\n"
            "[key SMALL]\nkind = generated\ntitle = a\nsize = 16\n"
            "[key USUAL]\nkind = generated\ntitle = b\n"
            "[key STEPS]\nkind = generated\ntitle = c\nsize = 16\n"
            "[step small]\nkind = key\nname = SMALL\n[step usual]\nkind = key\nname = USUAL\n"
            "[step steps]\nkind = key\nname = STEPS\nbytes = 24\n")
        result = self.run_program("install", str(stack), "--yes", env=self.env)
        self.assertEqual(result.status, 0, result)
        self.assertEqual([len(self.get(name)) for name in ("SMALL", "USUAL", "STEPS")], [32, 64, 48])


if __name__ == "__main__":
    unittest.main()
