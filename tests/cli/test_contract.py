"""The contract with users, through the real binary: documents, statuses, help, terminals, secrets.

SPDX-License-Identifier: Apache-2.0
"""
import fcntl
import json
import os
import re
import subprocess
import unittest

from cli_support import SLIPWAY, STACK_INI, STEPS, Case, each_row, tree

SECRET = "sk-canary-7f3a9b"

# name, command line ("@stack@": one that can be installed), status
DOCUMENTS = [
    ("version", ["version"], 0),
    ("help", ["help"], 0),
    ("check", ["check", "@stack@"], 0),
    ("check of nothing", ["check"], 0),
    ("check of an unknown stack", ["check", "nowhere"], 64),
    ("check of an unknown profile", ["check", "@stack@", "--profile", "x"], 64),
    ("check of facts that are none", ["check", "--facts", "/dev/null"], 65),
    ("facts", ["facts"], 0),
    ("plan", ["plan", "@stack@"], 0),
    ("plan of an unknown stack", ["plan", "nowhere"], 64),
    ("plan with something to do", ["plan", "@stack@", "--detailed-exitcode"], 4),
    ("stacks", ["stacks"], 0),
    ("stacks of one", ["stacks", "localagent"], 0),
    ("stacks of an unknown one", ["stacks", "nowhere"], 64),
    ("status", ["status"], 0),
    ("config", ["config"], 0),
    ("config of a wrong setting", ["config", "--lock-timeout", "soon"], 64),
    ("keys list", ["keys", "list"], 0),
    ("keys get of an unknown name", ["keys", "get", "NO_SUCH_KEY", "--key-file", "@key@"], 64),
    ("keys get", ["keys", "get", "A_KEY"], 64),
    ("keys set of nothing", ["keys", "set", "A_KEY", "--stdin"], 64),
    ("keys set of a bad name", ["keys", "set", "../x", "--stdin"], 64),
    ("keys set of a name that steers", ["keys", "set", "LD_PRELOAD", "--stdin"], 64),
    ("keys remove of an unknown name", ["keys", "remove", "A_KEY"], 1),
    ("install without --yes", ["install", "@stack@"], 64),
    ("install", ["install", "@stack@", "--yes"], 0),
    ("install of an unknown stack", ["install", "nowhere", "--yes"], 64),
    ("install of a directory without a stack", ["install", "./empty", "--yes"], 78),
    ("resume of nothing", ["resume"], 0),
    ("rollback of nothing", ["rollback"], 0),
    ("uninstall of nothing", ["uninstall", "localagent", "--yes"], 0),
    ("unpack", ["unpack", "localagent", "out"], 0),
    ("unpack to where something is", ["unpack", "localagent", "./empty"], 73),
    ("unpack of what is no archive", ["unpack", "@stack@/note", "out"], 65),
    ("unknown command", ["nope"], 64),
    ("half a command", ["keys"], 64),
    ("unknown option", ["check", "--nope"], 64),
    ("too many arguments", ["plan", "a", "b"], 64),
    ("too few arguments", ["plan"], 64),
]


@each_row(DOCUMENTS)
class Documents(Case):
    """With --json, stdout is exactly one document, whatever happens."""

    def check_row(self, command, status):
        self.make_stack()
        (self.cwd / "empty").mkdir()
        key = self.make_key_file()
        command = [word.replace("@stack@", "./stack").replace("@key@", str(key)) for word in command]
        for place in ([*command, "--json"], [command[0], "--json", *command[1:]]):
            if command[0] == "keys" and place[1] == "--json":
                continue  # the two words of a command belong together
            with self.subTest(place):
                self.check_document(place, status)
            if command[0] in ("install", "unpack"):
                break

    def check_document(self, command, status):
        result = self.run_program(*command)
        self.assertEqual(result.status, status, result)
        document = json.loads(result.out)
        self.assertEqual(document["schema"], 1)
        self.assertEqual(document["exit"], status)
        if status == 0:
            self.assertNotIn("error", document)
            self.assertEqual(document["status"], "ok")
        else:
            self.assertRegex(document["error"]["message"], r"^\S.*[^.\n]$")
            self.assertIn("hint", document["error"])
            self.assert_refused(result, status)
            self.assertIn(document["error"]["message"], result.err)
        self.assertNotIn("\x1b", result.out + result.err)


class EarlyFailures(Case):
    """What fails before the options are read is in a document, too."""

    def check(self, status, env):
        result = self.run_program("config", "--json", env=env)
        self.assert_refused(result, status)
        self.assertIn("message", json.loads(result.out)["error"])

    def test_home(self):
        self.check(78, {"HOME": ""})

    def test_settings_file(self):
        (self.cwd / "slipway.ini").write_text("[slipway]\nnope = 1\n")
        self.check(78, {})

    def test_variable(self):
        self.check(78, {"SLIPWAY_YES": "perhaps"})


class DocumentContents(Case):
    """The members that scripts rely on."""

    def document(self, *command, status=0, **options):
        result = self.run_program(*command, "--json", **options)
        self.assertEqual(result.status, status, result)
        return json.loads(result.out)

    def test_checks(self):
        for check in self.document("check", self.make_stack())["checks"]:
            for member in ("id", "status", "measured", "needed", "source", "remedy"):
                self.assertIn(member, check)
            self.assertRegex(check["id"], r"^[a-z0-9_-]+(\.[a-z0-9_-]+)*$")
            self.assertIn(check["status"],
                          ("pass", "warn", "fail", "unknown", "skipped", "ignored"))

    def test_facts_can_be_judged(self):
        facts = self.run_program("facts")
        (self.cwd / "facts.json").write_text(facts.out)
        document = self.document("check", "--facts", "facts.json")
        self.assertTrue(document["checks"])
        for member in ("schema", "command", "exit", "status"):
            self.assertIn(member, document)

    def test_a_life(self):
        stack = self.make_stack()
        plan = self.document("plan", stack)
        self.assertEqual([step["id"] for step in plan["steps"]], ["packages", "prefix", "note"])
        first = self.document("install", stack, "--yes")
        self.assertIs(first["changed"], True)
        self.assertTrue(os.path.isfile(first["log"]))
        before = tree(self.home)
        second = self.document("install", stack, "--yes")
        self.assertIs(second["changed"], False)
        self.assertEqual(tree(self.home), before)
        self.assertEqual(list(self.document("status")["stacks"]), ["probe"])
        self.assertEqual(self.document("plan", stack, "--detailed-exitcode")["due"], 0)
        gone = self.document("uninstall", "probe", "--yes")
        self.assertEqual((gone["changed"], gone["left_in_place"]), (True, []))
        self.assertTrue(gone["kept"])
        self.assertEqual(self.document("status")["stacks"], {})
        self.assertFalse((self.home / "probe").exists())

    def test_a_person_s_edit_is_kept_and_listed(self):
        self.document("install", self.make_stack(), "--yes")
        (self.home / "probe/note").write_text("mine\n")
        gone = self.document("uninstall", "probe", "--yes")
        self.assertTrue(any("probe/note" in line for line in gone["left_in_place"]), gone)
        self.assertEqual((self.home / "probe/note").read_text(), "mine\n")

    def test_a_failed_test_takes_everything_back(self):
        self.make_stack(ini=STACK_INI + STEPS + "\n[test t]\nrun = /bin/false\ntitle = t\nneeds = note\n")
        document = self.document("install", "./stack", "--yes", status=3)
        self.assertIs(document["changed"], False)
        self.assertFalse((self.home / "probe").exists())


class DetailedExitCode(Case):
    def test_all_three(self):
        stack = self.make_stack()
        plan = ["plan", "--detailed-exitcode"]
        self.assertEqual(self.run_program(*plan, stack).status, 4)
        self.assertEqual(self.run_program("plan", stack).status, 0)
        self.assertEqual(self.run_program("install", stack, "--yes").status, 0)
        self.assertEqual(self.run_program(*plan, stack).status, 0)
        (stack / "note").write_text("another\n")
        self.assertEqual(self.run_program(*plan, stack).status, 4)
        self.assert_refused(self.run_program(*plan, "nowhere"), 64)


class Usage(Case):
    """A wrong command line: 64, what is wrong, and where to look."""

    def check(self, *command, pattern=""):
        result = self.run_program(*command)
        self.assert_refused(result, 64, pattern)
        self.assertEqual(result.out, "")
        self.assertRegex(result.err, r'slipway help|usage: ')

    def test_unknown_command(self):
        self.check("nope", pattern='no command "nope"')

    def test_mistyped(self):
        for command, nearest in [(["instal", "localagent"], "install"), (["help", "instal"], "install"),
                                 (["stakc", "lint"], "stack lint"), (["check", "--al"], "--all"),
                                 (["check", "--mirrr=x"], "--mirror")]:
            with self.subTest(command):
                self.check(*command, pattern=f'; did you mean "{nearest}"\\?')
        for command in (["wireguard"], ["check", "--bogus"]):
            with self.subTest(command):
                self.assertNotIn("did you mean", self.run_program(*command).err)

    def test_value_of_a_flag(self):
        """It is not dropped: "--yes=no" is no yes."""
        for command in (["uninstall", "localagent", "--yes=no"], ["check", "--json=no"], ["check", "--all=0"],
                        ["install", "localagent", "--yes="],
                        ["keys", "exec", "--json=no", "--", "true"]):
            with self.subTest(command):
                result = self.run_program(*command)
                self.assert_refused(result, 64, "takes no value\n.*SLIPWAY_YES=no")
        self.assertEqual(self.run_program("keys", "exec", "echo", "--yes=no").out, "--yes=no\n")

    def test_values_that_would_be_passed_over(self):
        """What nothing would read, or nothing would match, is refused before anything is done."""
        for option, pattern in [("--set=foo", "not KEY=VALUE"),
                                ("--set=source.url=/a,b", "not KEY=VALUE"),
                                ("--set=nosuch=1", r'localagent has no "nosuch"\n'),
                                ("--set=source.revison=abc", r'no "source.revison"; did you mean "source.revision"\?'),
                                ("--set=step.ollama.hst=x", r'did you mean "step.ollama.host"\?'),
                                ("--mirror=https://a.invalid/", "not FROM=TO"),
                                ("--mirror=https://a.invalid/=", "not FROM=TO"),
                                ("--mirror=https://a.invalid/=b", "not FROM=TO"),
                                ("--mirror=a.invalid=/srv", "not FROM=TO"),
                                ("--redirect-hosts=https://a.invalid", "not the name of a host"),
                                ("--python-index=ftp://a.invalid", "neither a URL"),
                                ("--release-url=a.invalid", "neither a URL"),
                                ("--accept=all", "only \"irreversible\" can")]:
            with self.subTest(option):
                self.assert_refused(self.run_program("plan", "localagent", option), 64, pattern)
        for option in ("--set=source.revision=" + 40 * "a", "--set=step.ollama.host=[::1]:1",
                       "--mirror=https://a.invalid/=/srv/", "--mirror=https://a.invalid/=https://b.invalid/",
                       "--redirect-hosts=b.invalid,c.invalid", "--python-index=http://127.0.0.1:1/simple"):
            with self.subTest(option):
                self.assertEqual(self.run_program("plan", "localagent", option).status, 0)

    def test_the_last_value_of_a_key_counts(self):
        first, last = 40 * "a", 40 * "b"
        result = self.run_program("plan", "localagent", f"--set=source.revision={first}",
                                  "--set", f"source.revision={last}")
        self.assertIn(last[:7], result.out)
        self.assertNotIn(first[:7], result.out)

    def test_mistyped_stack(self):
        for command in (["status"], ["up"], ["keys", "sync"]):
            with self.subTest(command):
                self.assert_refused(self.run_program(*command, "localagnet"), 64,
                                    'localagnet is not installed; did you mean "localagent"\\?\n.*slipway status')
                self.assert_refused(self.run_program(*command, "localagent"), 64,
                                    "localagent is not installed\n.*slipway install localagent")
        result = self.run_program("uninstall", "localagnet", "--yes")
        self.assertEqual((result.status, result.out),
                         (0, 'localagnet is not installed; nothing to do; did you mean "localagent"?\n'))
        self.assertEqual(self.run_program("history", "octollm").out, "Nothing was done with octollm yet.\n")

    def test_option_before_the_command(self):
        self.check("--yes", "install", "localagent", pattern='"--yes" is no command\n.*behind the command')

    def test_unknown_command_of_a_group(self):
        self.check("keys", "nope", pattern="keys")

    def test_half_a_command(self):
        self.check("keys", pattern="keys set")

    def test_unknown_option(self):
        self.check("check", "--nope", pattern="--nope")

    def test_option_without_value(self):
        self.check("install", "localagent", "--prefix", pattern="--prefix")

    def test_escape_sequences_are_not_repeated(self):
        for command in (["no\x1b[31mpe"], ["plan", "no\x1b[31mpe"], ["check", "--no\x1b[31mpe"],
                        ["config", "--lock-timeout", "\x1b]0;x\x07"]):
            result = self.run_program(*command)
            self.assertEqual(result.status, 64, result)
            self.assertNotIn("\x1b", result.out + result.err)

    def test_not_utf8(self):
        for command in ([b"\xff\xfe"], [b"plan", b"\xff"], [b"check", b"--\xff"]):
            result = self.run_program(*map(os.fsdecode, command))
            self.assertEqual(result.status, 64, result)

    def test_a_value_behind_yes_is_an_argument(self):
        self.assertEqual(self.run_program("uninstall", "--yes", "probe").status, 0)

    def test_no_command_is_help(self):
        result = self.run_program()
        self.assertEqual(result.status, 0)
        self.assertIn("usage: slipway", result.out)


class Help(Case):
    def commands(self):
        """From the manual page, which is made from the same table."""
        manual = self.run_program("help", "--manual")
        self.assertEqual(manual.status, 0)
        part = manual.out[manual.out.index(".Sh COMMANDS"):manual.out.index(".Sh SETTINGS")]
        return re.findall(r"(?m)^\.It Cm ([a-z-]+(?: [a-z-]+)?)", part)

    def test_every_command_is_listed(self):
        names = self.commands()
        self.assertGreater(len(names), 15)
        text = self.run_program("help").out
        for name in names:
            self.assertRegex(text, rf"(?m)^  {name}\b")
            for command in (["help", *name.split()], [*name.split(), "--help"], [*name.split(), "-h"]):
                with self.subTest(command):
                    result = self.run_program(*command)
                    self.assertEqual(result.status, 0, result)
                    self.assertIn(f"usage: slipway {name}", result.out)

    def test_every_exit_status_is_listed(self):
        text = self.run_program("help").out
        for status in (0, 1, 2, 3, 4, 64, 65, 66, 69, 70, 73, 74, 75, 76, 77, 78, 124, 129, 130, 143):
            self.assertRegex(text, rf"(?m)^  {status}\s")

    def test_the_manual_pages_are_sound(self):
        """Every one, for mandoc at its strictest and for man-db."""
        place = self.place / "man"
        self.assertEqual(self.run_program("help", "--manual", "--all", place).status, 0)
        pages = sorted(place.glob("man?/*"))
        self.assertEqual(len(pages), len(self.commands()) + 3)
        done = subprocess.run(["mandoc", "-T", "lint", *pages], stdout=subprocess.PIPE, text=True,
                              timeout=60, check=False)
        left = [line for line in done.stdout.splitlines()
                if "referenced manual not found: Xr slipway" not in line]  # not installed here
        self.assertEqual(left, [])
        for page in pages:
            done = subprocess.run(["man", "--warnings=all", "-l", page], capture_output=True,
                                  timeout=60, check=False, env=self.environment(MANPAGER="cat"))
            self.assertEqual((done.returncode, done.stderr), (0, b""), page)

    def test_each_manual_page(self):
        for name in (*self.commands(), "slipway", "slipway.ini", "slipway-stack"):
            result = self.run_program("help", "--manual", *name.split())
            self.assertEqual(result.status, 0, result)
            self.assertRegex(result.out, r"(?m)^\.Sh (EXAMPLES|DESCRIPTION)$")
            self.assertEqual(result.out, self.run_program("help", "--manual", *name.split()).out)

    def test_manual_pages_that_are_none(self):
        for words in (["help", "--manual", "nope"], ["help", "--all", "x"],
                      ["help", "--manual", "keys", "--all", "x"]):
            self.assert_refused(self.run_program(*words), 64)
        (self.cwd / "file").write_text("")
        self.assert_refused(self.run_program("help", "--manual", "--all", "./file"), 73)

    def test_help_as_a_document(self):
        document = json.loads(self.run_program("help", "--json").out)
        self.assertEqual([row["name"] for row in document["commands"]], self.commands())
        for row in document["commands"]:
            self.assertTrue(row["details"] and row["example"], row["name"])
        self.assertIn("json", [row["name"] for row in document["settings"]])
        one = json.loads(self.run_program("help", "keys", "set", "--json").out)
        self.assertEqual([row["name"] for row in one["commands"]], ["keys set"])

    def test_help_needs_no_sound_settings(self):
        (self.cwd / "slipway.ini").write_text("[slipway]\nnope = 1\n")
        for words in (["help"], ["version"], ["install", "--help"], ["completion", "bash"]):
            for env in ({}, {"HOME": ""}, {"SLIPWAY_YES": "perhaps"}):
                self.assertEqual(self.run_program(*words, env=env).status, 0)


class Terminal(Case):
    """Colour on a terminal only, and only where it is wanted."""

    def test_colour_on_a_terminal(self):
        self.assertIn("\x1b[", self.run_on_terminal("check", self.make_stack()).out)

    def test_no_colour(self):
        stack = self.make_stack()
        for env, option in (({"NO_COLOR": "1"}, []), ({"TERM": "dumb"}, []), ({}, ["--plain"]),
                            ({"TERM": None}, []), ({"SLIPWAY_PLAIN": "yes"}, [])):
            with self.subTest(env=env, option=option):
                result = self.run_on_terminal("check", stack, *option, env=env)
                self.assertNotIn("\x1b", result.out)

    def test_no_colour_in_pipes(self):
        for command in (["check", self.make_stack()], ["plan", "./stack"], ["help"],
                        ["install", "./stack", "--yes"], ["stacks", "localagent"]):
            result = self.run_program(*command)
            self.assertNotIn("\x1b", result.out + result.err)

    def test_progress_on_a_terminal_ends_clean(self):
        result = self.run_on_terminal("install", self.make_stack(), "--yes")
        self.assertEqual(result.status, 0, result)
        if "\x1b[?25l" in result.out:  # a hidden cursor is shown again
            self.assertGreater(result.out.rindex("\x1b[?25h"), result.out.rindex("\x1b[?25l"))

    def test_quiet(self):
        result = self.run_program("install", self.make_stack(), "--yes", "--quiet")
        self.assertEqual((result.status, result.err), (0, ""), result)


class Keys(Case):
    """A secret is not shown, not in arguments, and not asked for where nobody is."""

    def setUp(self):
        super().setUp()
        self.env = {"SLIPWAY_KEY_FILE": str(self.make_key_file())}

    def keys(self, *command, **options):
        return self.run_program("keys", *command, **{"env": self.env, **options})

    def assert_saved(self, name="A_KEY", value=SECRET):
        result = self.keys("get", name)
        self.assertEqual((result.status, result.out), (0, value + "\n"), result)

    def test_stdin(self):
        for text in (SECRET, SECRET + "\n", SECRET + "\r\n"):
            result = self.keys("set", "A_KEY", "--stdin", input=text.encode())
            self.assertEqual(result.status, 0, result)
            self.assertNotIn(SECRET, result.out + result.err)
            self.assert_saved()

    def test_strange_values_come_back(self):
        for value in ("a=b#c;d", "'quotes\" and `$(id)`", "with  blanks ", "ünï", "x" * 4096):
            with self.subTest(value[:20]):
                self.assertEqual(self.keys("set", "A_KEY", "--stdin", input=value.encode()).status, 0)
                self.assert_saved(value=value)

    def test_empty_is_refused(self):
        self.assert_refused(self.keys("set", "A_KEY", "--stdin", input=b"\n"), 64)

    def test_an_argument_is_not_a_secret(self):
        result = self.keys("set", "A_KEY", SECRET)
        self.assert_refused(result, 64, "usage")
        self.assertNotIn(SECRET, result.out + result.err)

    def test_the_prompt_does_not_echo(self):
        result = self.run_on_terminal("keys", "set", "A_KEY", env=self.env,
                                      answers=[("Secret for A_KEY", SECRET + "\n")])
        self.assertEqual(result.status, 0, result)
        self.assertNotIn(SECRET, result.out)
        self.assert_saved()

    def test_ctrl_c_at_the_prompt(self):
        result = self.run_on_terminal("keys", "set", "A_KEY", env=self.env,
                                      answers=[("Secret for A_KEY", "half\x03")])
        self.assertEqual(result.status, 130, result)
        self.assertNotIn("half", result.out)
        self.assertEqual(self.keys("get", "A_KEY").status, 1)

    def test_stdin_that_is_a_terminal(self):
        result = self.run_on_terminal("keys", "set", "A_KEY", "--stdin", env=self.env)
        self.assertEqual(result.status, 64, result)

    def test_get_refuses_a_terminal(self):
        self.keys("set", "A_KEY", "--stdin", input=SECRET.encode())
        result = self.run_on_terminal("keys", "get", "A_KEY", env=self.env)
        self.assertEqual(result.status, 64, result)
        self.assertNotIn(SECRET, result.out)
        shown = self.run_on_terminal("keys", "get", "A_KEY", "--show", env=self.env)
        self.assertIn(SECRET, shown.out)

    def test_list_shows_no_value(self):
        self.keys("set", "A_KEY", "--stdin", input=SECRET.encode())
        for option in ([], ["--json"]):
            result = self.keys("list", *option)
            self.assertIn("A_KEY", result.out)
            self.assertNotIn(SECRET, result.out + result.err)

    def test_without_a_way_to_open_it(self):
        """78 at once: no prompt, no hang."""
        empty = self.run_program("keys", "set", "A_KEY", "--stdin", input=SECRET.encode())
        self.assert_refused(empty, 78, "nothing to lock")
        self.assertEqual(tree(self.home).keys(), {"."})
        self.keys("set", "A_KEY", "--stdin", input=SECRET.encode())
        for command in (["get", "A_KEY"], ["list"], ["remove", "A_KEY"], ["exec", "--", "true"]):
            with self.subTest(command):
                result = self.run_program("keys", *command)
                self.assert_refused(result, 78, "locked")
                self.assertIn("--key-file", result.err)

    def test_another_key_file(self):
        self.keys("set", "A_KEY", "--stdin", input=SECRET.encode())
        other = self.place / "other"
        other.write_bytes(bytes(32))
        other.chmod(0o600)
        result = self.keys("get", "A_KEY", env={"SLIPWAY_KEY_FILE": str(other)})
        self.assert_refused(result, 77)

    def test_a_key_file_that_others_can_read(self):
        os.chmod(self.env["SLIPWAY_KEY_FILE"], 0o644)
        result = self.keys("set", "A_KEY", "--stdin", input=SECRET.encode())
        self.assert_refused(result, 77)

    def test_nothing_in_the_clear(self):
        self.keys("set", "A_KEY", "--stdin", input=SECRET.encode())
        for mode, _, _, what in tree(self.home).values():
            if isinstance(what, bytes):
                self.assertNotIn(SECRET.encode(), what)
                self.assertEqual(mode & 0o077, 0)

    def test_exec(self):
        self.keys("set", "A_KEY", "--stdin", input=SECRET.encode())
        self.keys("set", "B_KEY", "--stdin", input=b"another-secret")
        result = self.keys("exec", "--only", "A_KEY", "--", "env")
        self.assertIn(f"A_KEY={SECRET}\n", result.out)
        self.assertNotIn("B_KEY", result.out)
        self.assertNotIn("SLIPWAY_KEY_FILE", result.out)
        self.assertEqual(self.keys("exec", "--", "sh", "-c", "exit 7").status, 7)
        self.assert_refused(self.keys("exec", "--", "no-such-program"), 69)
        self.assert_refused(self.keys("exec", "--only", "C_KEY", "--", "true"), 1)

    def test_a_program_s_option_stays_its_own(self):
        result = self.keys("exec", "sh", "-c", "echo $0", "--json")
        self.assertEqual((result.status, result.out), (0, "--json\n"), result)


class Settings(Case):
    """flag > environment > ./slipway.ini > user file > default, and `config` says which."""

    def origins(self, *options, env=None):
        result = self.run_program("config", "--json", *options, env=env)
        self.assertEqual(result.status, 0, result)
        return json.loads(result.out)["settings"]

    def test_each_wins_over_the_next(self):
        user = self.home / ".config/slipway/slipway.ini"
        user.parent.mkdir(parents=True)

        def value(*options, env=None):
            found = self.origins(*options, env=env)["lock-timeout"]
            return found["value"], found["from"]

        self.assertEqual(value(), ("0", "default"))
        user.write_text("[slipway]\n\nlock-timeout = 1\n")
        self.assertEqual(value(), ("1", f"{user}:3"))
        (self.cwd / "slipway.ini").write_text("[slipway]\nlock-timeout = 2\n")
        self.assertEqual(value(), ("2", "slipway.ini:2"))
        env = {"SLIPWAY_LOCK_TIMEOUT": "3"}
        self.assertEqual(value(env=env), ("3", "SLIPWAY_LOCK_TIMEOUT"))
        self.assertEqual(value("--lock-timeout", "4", env=env), ("4", "flag"))

    def test_every_setting_has_a_variable(self):
        values = {"set": "a=b", "mirror": "https://a.invalid/=/x", "redirect-hosts": "a.invalid",
                  "release-url": "https://a.invalid", "python-index": "https://a.invalid", "accept": "irreversible"}
        found = self.origins()
        self.assertGreater(len(found), 20)
        for name in found:
            variable = "SLIPWAY_" + name.upper().replace("-", "_")
            number = name == "jobs" or name.endswith(("timeout", "-fd"))
            value = values.get(name, "5" if number else "/x")
            if name in ("yes", "defer", "add-to-path", "keep-partial", "accept-rollback", "json",
                        "events", "plain", "quiet", "user", "reversible-only"):
                continue
            with self.subTest(variable):
                setting = self.origins(env={variable: value})[name]
                self.assertEqual((setting["value"], setting["from"]), (value, variable))

    def test_yes_as_a_variable(self):
        result = self.run_program("install", self.make_stack(), env={"SLIPWAY_YES": "yes"})
        self.assertEqual(result.status, 0, result)

    def test_json_as_a_variable(self):
        result = self.run_program("version", env={"SLIPWAY_JSON": "1"})
        self.assertEqual(json.loads(result.out)["command"], "version")

    def test_prefix_as_a_variable(self):
        result = self.run_program("install", self.make_stack(), "--yes",
                                  env={"SLIPWAY_PREFIX": str(self.home / "there")})
        self.assertEqual(result.status, 0, result)
        self.assertTrue((self.home / "there/note").is_file())


class Lock(Case):
    def test_the_holder_is_named(self):
        stack = self.make_stack()
        self.state.mkdir(parents=True, mode=0o700)
        with open(self.state / "lock", "w") as lock:
            lock.write("pid 4711 (install)\n")
            lock.flush()
            fcntl.flock(lock, fcntl.LOCK_EX)
            for command in (["install", stack, "--yes"], ["resume"], ["rollback"]):
                self.assert_refused(self.run_program(*command), 75, r"pid 4711 \(install\)")
            # Who only looks does not wait.
            for command in (["status"], ["plan", stack], ["check", stack]):
                self.assertEqual(self.run_program(*command).status, 0)
        self.assertFalse((self.home / "probe").exists())
        self.assertEqual(self.run_program("install", stack, "--yes").status, 0)

    def test_two_at_once(self):
        """One installs, the other waits for it and finds nothing to do."""
        stack = self.make_stack()
        argv = [self.program, "install", str(stack), "--yes", "--json", "--lock-timeout", "20"]
        both = [subprocess.Popen(argv, env=self.environment(), cwd=self.cwd, stdout=subprocess.PIPE,
                                 stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
                for _ in range(2)]
        for process in both:
            out, _ = process.communicate(timeout=40)
            self.assertEqual(process.returncode, 0, out)
        self.assertEqual((self.home / "probe/note").read_text(), "hello\n")
        self.assertEqual(self.run_program("uninstall", "probe", "--yes").status, 0)
        self.assertFalse((self.home / "probe").exists())


class Events(Case):
    def lines(self, result):
        events = [json.loads(line) for line in result.out.splitlines()]
        for event in events:
            self.assertIsInstance(event, dict)
            self.assertIn("event", event)
            self.assertRegex(event["time"], r"^\d{4}-\d\d-\d\dT")
        return events

    def test_an_installation(self):
        result = self.run_program("install", self.make_stack(), "--yes", "--events")
        self.assertEqual(result.status, 0, result)
        done = {event["id"] for event in self.lines(result)
                if event["event"] == "step" and event["state"] == "done"}
        self.assertEqual(done, {"packages", "prefix", "note"})

    def test_a_failure(self):
        self.make_stack(ini=STACK_INI + STEPS + "\n[test t]\nrun = /bin/false\ntitle = t\nneeds = note\n")
        result = self.run_program("install", "./stack", "--yes", "--events")
        self.assertEqual(result.status, 3, result)
        self.assertIn("undone", {event.get("state") for event in self.lines(result)})

    def test_other_commands_print_nothing_else(self):
        for command in (["status"], ["plan", self.make_stack()], ["check", "./stack"], ["config"],
                        ["stacks"], ["plan", "nowhere"]):
            self.lines(self.run_program(*command, "--events"))


class Binary(Case):
    def test_setuid_is_refused(self):
        """A program with more rights than its caller trusts none of the caller's settings."""
        if os.getuid() != 0:
            self.check_setuid_as_user()
            return
        self.become_ordinary()
        os.chown(self.program, 0, 0)
        os.chmod(self.program, 0o4755)
        self.assert_refused(self.run_program("version"), 77, "setuid")

    def check_setuid_as_user(self):
        """Our own user id gives no rights: it runs as ever."""
        self.program = str(self.place / "slipway")
        with open(SLIPWAY, "rb") as source, open(self.program, "wb") as target:
            target.write(source.read())
        os.chmod(self.program, 0o4755)
        self.assertEqual(self.run_program("version").status, 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
