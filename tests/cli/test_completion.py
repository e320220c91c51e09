"""Completion in real shells: bash, zsh and fish, as scripts and on terminals.

SPDX-License-Identifier: Apache-2.0
"""
import json
import os
import pty
import resource
import select
import shlex
import subprocess
import time

from cli_support import SECONDS, SLIPWAY, TOP, Case, each_row

SCRIPTS = TOP / "packaging/completions"

# One line of words (quoted for a shell) comes in, the candidates go out, then an empty line.
BASH = """
. "$SCRIPT"
while IFS= read -r line; do
  eval "COMP_WORDS=($line)"
  COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
  _slipway slipway "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"
  for word in "${COMPREPLY[@]}"; do printf '%s\\n' "$word"; done
  echo
done
"""
ZSH = """
compdef() { : }
_describe() { local one; for one in "${(@P)@[-1]}"; do print -r -- "${${one%%:*}}"; done }
_files() { print -r -- "<files $*>" }
_normal() { print -r -- "<command $words[*]>" }
. $SCRIPT
while IFS= read -r line; do
  words=("${(@Q)${(z)line}}")
  CURRENT=$#words
  PREFIX=$words[CURRENT]
  _slipway
  print
done
"""
FISH = """
source $SCRIPT
while read -l line
  complete -C "$line"
  echo
end
"""
DRIVERS = {"bash": ["bash", "--norc", "-c", BASH], "zsh": ["zsh", "-f", "-c", ZSH],
           "fish": ["fish", "--no-config", "-c", FISH]}


class Shell(Case):
    """The program is found on the PATH, the scripts are those in the tree."""

    def setUp(self):
        super().setUp()
        self.bin = self.place / "bin"
        self.bin.mkdir()
        (self.bin / "slipway").symlink_to(SLIPWAY)

    def shell_environment(self, shell, **changes):
        return self.environment(PATH=f"{self.bin}:/usr/local/bin:/usr/bin:/bin",
                                SCRIPT=str(SCRIPTS / f"slipway.{shell}"), **changes)

    def complete(self, shell, lines, **changes):
        """For each line, a list of words or as it is typed, the candidates for its last word."""
        empty = "" if shell == "fish" else "''"
        text = "".join(line if isinstance(line, str) else
                       " ".join(shlex.quote(word) if word else empty for word in line) + "\n"
                       for line in lines)
        done = subprocess.run(DRIVERS[shell], input=text, capture_output=True, text=True,
                              cwd=self.cwd, env=self.shell_environment(shell, **changes),
                              timeout=SECONDS * 3, check=False)
        self.assertEqual(done.stderr, "")
        blocks = done.stdout.split("\n\n") if len(lines) > 1 else [done.stdout]
        if shell == "fish":
            blocks = ["\n".join(row.split("\t")[0] for row in block.split("\n")) for block in blocks]
        return [[row for row in block.split("\n") if row] for block in blocks][:len(lines)]

    def ask(self, shell, *words, **changes):
        return self.complete(shell, [["slipway", *words]], **changes)[0]


class Everything(Shell):
    """Each command, each option and each setting is offered by each shell."""

    def setUp(self):
        super().setUp()
        result = self.run_program("help", "--json")
        self.assertEqual(result.status, 0, result)
        self.document = json.loads(result.out)

    def expectations(self):
        names = [command["name"] for command in self.document["commands"]]
        yield [""], {name.split()[0] for name in names}
        for group in {name.split()[0] for name in names if " " in name} - set(names):  # "check" takes more
            yield [group, ""], {name.split()[1] for name in names if name.startswith(group + " ")}
        settings = {"--" + setting["name"] for setting in self.document["settings"]}
        for command in self.document["commands"]:
            own = {"--" + option["name"] for option in command["options"]}
            yield [*command["name"].split(), "--"], own | settings | {"--help"}

    def check(self, shell):
        rows = list(self.expectations())
        self.assertGreater(len(rows), 20)
        answers = self.complete(shell, [["slipway", *words] for words, _ in rows])
        for (words, wanted), answer in zip(rows, answers):
            with self.subTest(words):
                self.assertEqual(set(answer), wanted)
                self.assertEqual(len(answer), len(set(answer)))

    def test_bash(self):
        self.check("bash")

    def test_zsh(self):
        self.check("zsh")

    def test_fish(self):
        self.check("fish")

    def test_the_installed_scripts_are_what_the_program_prints(self):
        for shell in DRIVERS:
            result = self.run_program("completion", shell)
            self.assertEqual(result.out, (SCRIPTS / f"slipway.{shell}").read_text())


STACKS = {"buttercup", "localagent", "octollm"}

# name, words, what is offered that begins with the last one
ARGUMENTS = [
    ("stack", ["plan", ""], STACKS),
    ("stack, begun", ["plan", "loc"], {"localagent"}),
    ("stack behind options", ["plan", "--prefix", "/x", "--yes", "loc"],
     {"localagent"}),
    ("stack, again", ["install", "octollm", "but"], {"buttercup"}),
    ("one stack only", ["plan", "octollm", "but"], set()),
    ("second word", ["keys", "se"], {"set"}),
    ("command", ["help", "ke"], {"keys"}),
    ("second word of a command", ["help", "keys", "exe"], {"exec"}),
    ("shell", ["completion", ""], {"bash", "zsh", "fish"}),
    ("check", ["check", "--ignore", "os.k"], {"os.kernel"}),
    ("check in a list", ["check", "--ignore", "arch,os.k"], {"arch,os.kernel"}),
    ("profile of a stack", ["install", "localagent", "--profile", ""],
     {"native", "containers", "monitoring", "production"}),
    ("key", ["keys", "set", "OPENAI"], {"OPENAI_API_KEY"}),
    ("stack of an option", ["keys", "exec", "--stack", "oc"], {"octollm"}),
    ("what is given is not offered again", ["check", "--json", "--js"], set()),
    ("no options behind --", ["plan", "--", "--js"], set()),
    ("unknown command", ["nope", ""], set()),
    ("free text", ["check", "--lock-timeout", ""], set()),
]


@each_row(ARGUMENTS)
class Arguments(Shell):
    def check_row(self, words, wanted):
        for shell in DRIVERS:
            with self.subTest(shell):
                answer = set(self.ask(shell, *words))
                if shell != "bash":  # they compare by themselves, and offer what is similar
                    answer = {word for word in answer if word.startswith(words[-1])}
                self.assertEqual(answer, wanted)


class Details(Shell):
    def test_value_behind_an_equals_sign(self):
        self.assertEqual(self.ask("bash", "check", "--ignore", "=", "os.k"), ["os.kernel"])
        self.assertEqual(self.ask("bash", "check", "--ignore=os.k"), ["--ignore=os.kernel"])
        self.assertIn("--ignore=os.kernel", self.ask("zsh", "check", "--ignore=os.k"))
        self.assertEqual(self.ask("fish", "check", "--ignore=os.k"), ["--ignore=os.kernel"])
        self.assertIn("arch", self.ask("bash", "check", "--ignore", "="))

    def test_places(self):
        (self.cwd / "my dir").mkdir()
        (self.cwd / "my file").write_text("")
        self.assertEqual(self.ask("fish", "unpack", "octollm", "my"), ["my dir/"])
        self.assertEqual(set(self.ask("fish", "check", "--facts", "my")), {"my dir/", "my file"})
        self.assertEqual(self.ask("fish", "plan", "octollm", "--prefix=my"), ["--prefix=my dir/"])
        self.assertEqual(self.complete("fish", ["slipway plan ./my\\ f\n"]), [["./my file"]])
        self.assertEqual(self.complete("fish", ["slipway plan './my f\n"]), [["./my file"]])
        self.assertEqual(self.ask("zsh", "unpack", "octollm", "my"), ["<files -/>"])
        self.assertEqual(self.ask("zsh", "check", "--facts", "my"), ["<files >"])
        self.assertEqual(self.ask("zsh", "plan", "./my"), ["<files >"])

    def test_the_command_of_keys_exec(self):
        self.assertIn("git", self.ask("bash", "keys", "exec", "--", "gi"))
        self.assertEqual(self.ask("zsh", "keys", "exec", "--only", "A", "--", "git", "ch"),
                         ["<command git ch>"])
        self.assertIn("git", self.ask("fish", "keys", "exec", "--", "gi"))

    def test_settings_of_the_user_do_not_matter(self):
        (self.cwd / "slipway.ini").write_text("[slipway]\nnope = 1\n")
        for shell in DRIVERS:
            answer = self.ask(shell, "keys", "se")  # zsh chooses among all words itself
            self.assertEqual(answer if shell != "zsh" else answer[:1], ["set"])
            self.assertTrue(self.ask(shell, "", SLIPWAY_JSON="yes", SLIPWAY_EVENTS="yes"))

    def test_no_keystore_is_opened(self):
        store = self.home / ".local/share/slipway/keystore"
        store.parent.mkdir(parents=True)
        os.mkfifo(store)  # who opens it, hangs
        self.assertIn("OPENAI_API_KEY", self.ask("bash", "keys", "get", ""))

    def test_installed_stacks(self):
        self.assertEqual(self.run_program("install", self.make_stack(), "--yes").status, 0)
        self.assertEqual(self.ask("bash", "uninstall", "pro"), ["probe"])

    def test_without_the_program(self):
        (self.bin / "slipway").unlink()
        for shell in DRIVERS:
            self.assertEqual(self.ask(shell, "ke"), [])

    def test_usage(self):
        for words in ([], ["ksh"]):
            result = self.run_program("completion", *words)
            self.assert_refused(result, 64)
            for shell in DRIVERS:
                self.assertIn(shell, result.err)

    def test_it_is_quick(self):
        """In time of the processor, of which a busy machine takes nothing away."""
        def best(*words):
            times = []
            for _ in range(9):
                start = resource.getrusage(resource.RUSAGE_CHILDREN)
                self.run_program(*words)
                end = resource.getrusage(resource.RUSAGE_CHILDREN)
                times.append(end.ru_utime + end.ru_stime - start.ru_utime - start.ru_stime)
            return min(times)
        self.assertLess(best("completion", "bash", "--", "check", "--i"), best("version") + 0.010)


class Terminals(Shell):
    """Keys are typed into an interactive shell, in which a function says what it was called with."""
    SAY = 'slipway() { printf "got<"; printf "[%s]" "$@"; printf ">\\n"; }\n'

    def type(self, command, lines, shell):
        pid, master = pty.fork()
        if pid == 0:
            try:
                os.chdir(self.cwd)
                os.execvpe(command[0], command, self.shell_environment(shell, HISTFILE=None))
            finally:
                os._exit(126)
        shown, end = b"", time.monotonic() + SECONDS
        pending = [line.encode() for line in lines]
        while time.monotonic() < end:
            if not select.select([master], [], [], 0.15)[0] and pending:
                os.write(master, pending.pop(0))  # the shell waits for what is typed next
                continue
            try:
                piece = os.read(master, 65536) if select.select([master], [], [], 0.1)[0] else b" "
            except OSError:
                break
            shown += piece if piece != b" " else b""
            if not piece:
                break
        else:
            os.kill(pid, 9)
        os.close(master)
        os.waitpid(pid, 0)
        return shown.decode(errors="replace")

    def check(self, command, setup, shell, typed):
        (self.cwd / "my dir").mkdir(exist_ok=True)
        (self.cwd / "my.txt").write_text("")
        lines = [self.SAY, *setup, *(keys + "\n" for keys, _ in typed), "exit\n"]
        shown = self.type(command, lines, shell)
        for _, wanted in typed:
            if shell == "zsh":  # it takes back a slash that stands at the end
                wanted = wanted.replace("/]", "]")
            self.assertIn(f"got<{wanted}>", shown.replace("\r", ""), shown)

    TYPED = [("slipway insta\toct\t", "[install][octollm]"),
             ("slipway keys exe\t--opti\t", "[keys][exec][--optional]"),
             ("slipway unpack octollm my\t", "[unpack][octollm][my dir/]"),
             ("slipway plan octollm --prefix my\t", "[plan][octollm][--prefix][my dir/]"),
             ("slipway check --ignore=os.k\t", "[check][--ignore=os.kernel]"),
             ("slipway check --facts my.\t", "[check][--facts][my.txt]"),
             ("slipway plan octollm --prefix=my\t", "[plan][octollm][--prefix=my dir/]")]

    def test_bash(self):
        self.check(["bash", "--norc", "--noprofile", "-i"], ['. "$SCRIPT"\n'], "bash", self.TYPED)

    def test_bash_with_bash_completion(self):
        place = self.home / ".local/share/bash-completion/completions"
        place.mkdir(parents=True)
        (place / "slipway").write_text((SCRIPTS / "slipway.bash").read_text())
        self.check(["bash", "--norc", "--noprofile", "-i"],
                   [". /usr/share/bash-completion/bash_completion\n"], "bash",
                   [*self.TYPED, ("slipway keys exec -- mkdi\t", "[keys][exec][--][mkdir]"),
                    ("slipway keys exec -- cat my.\t", "[keys][exec][--][cat][my.txt]")])

    def test_zsh_from_fpath(self):
        place = self.home / "functions"
        place.mkdir()
        (place / "_slipway").write_text((SCRIPTS / "slipway.zsh").read_text())
        self.check(["zsh", "-f", "-i"],
                   ["fpath=(~/functions $fpath); autoload -U compinit; compinit -u -D\n"], "zsh",
                   [*self.TYPED, ("slipway keys exec -- mkdi\t", "[keys][exec][--][mkdir]")])

    def test_zsh_sourced(self):
        self.check(["zsh", "-f", "-i"],
                   ['autoload -U compinit; compinit -u -D; . "$SCRIPT"\n'], "zsh", self.TYPED)
