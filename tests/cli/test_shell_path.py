"""--add-to-path: one fenced block in the file that a person's shell reads, and gone again without a trace.

SPDX-License-Identifier: Apache-2.0
"""
import json
import subprocess
import unittest

from cli_support import STACK_INI, Case, each_row

STEPS = """
[step prefix]
kind = directory
path = @prefix@

[step command]
kind = wrapper
after = prefix
path = @bin@/probe
from = wrapper
mode = 0755
"""
FIRST, LAST = "# >>> slipway probe >>>\n", "# <<< slipway probe <<<\n"

# name, the shell, its file, what is in it before (None: it is not there)
ROWS = [
    ("bash", "/bin/bash", ".bashrc", "# mine\nalias l=ls\n"),
    ("bash, without a last line break", "/bin/bash", ".bashrc", "# mine"),
    ("bash, for the first time", "/usr/bin/bash", ".bashrc", None),
    ("zsh", "/bin/zsh", ".zshrc", "# mine\n"),
    ("fish", "/usr/bin/fish", ".config/fish/conf.d/slipway.fish", None),
    ("sh", "/bin/sh", ".profile", ""),
    ("something else", "/opt/nu", ".profile", "# mine\n"),
]


class ShellCase(Case):
    def setUp(self):
        super().setUp()
        self.stack = self.make_stack(ini=STACK_INI + STEPS, wrapper="#!/bin/sh\necho probed\n")
        self.bin = self.home / ".local/bin"

    def install(self, *options, shell="/bin/bash", status=0, **environment):
        result = self.run_program("install", self.stack, "--yes", *options, env={"SHELL": shell, **environment})
        self.assertEqual(result.status, status, result)
        return result

    def uninstall(self):
        result = self.run_program("uninstall", "probe", "--yes")
        self.assertEqual(result.status, 0, result)
        return result


@each_row(ROWS)
class Shells(ShellCase):
    def check_row(self, shell, name, before):
        path = self.home / name
        if before is not None:
            path.write_text(before)
            path.chmod(0o640)
        result = self.install("--add-to-path", shell=shell)
        self.assertIn("not on your PATH yet in this shell", result.out)
        text = path.read_text()
        self.assertTrue(text.startswith(before or ""))
        self.assertIn(FIRST, text)
        self.assertTrue(text.endswith(LAST))
        self.assertIn(str(self.bin), text)
        if name in (".bashrc", ".profile"):
            done = subprocess.run(["sh", "-c", f". {path}; . {path}; probe; echo $PATH"], stdout=subprocess.PIPE,
                                  env={"PATH": "/usr/bin:/bin"}, text=True, check=True)
            self.assertEqual(done.stdout, f"probed\n{self.bin}:/usr/bin:/bin\n", "once, however often it is read")
        # Nothing is left to do, wherever a shell would look now.
        for options in ((), ("--add-to-path",)):
            self.install(*options, shell="/bin/zsh")
            self.assertEqual(path.read_text(), text)
        self.uninstall()
        self.assertEqual(path.read_text() if path.exists() else None, before)
        if before is None:
            self.assertFalse((self.home / ".config/fish").exists())
        else:
            self.assertEqual(path.stat().st_mode & 0o777, 0o640)


class Persons(ShellCase):
    """The file is theirs."""

    def setUp(self):
        super().setUp()
        self.rc = self.home / ".bashrc"
        self.rc.write_text("# mine\n")

    def test_nobody_asked(self):
        result = self.install()
        self.assertEqual(self.rc.read_text(), "# mine\n")
        self.assertIn("not on your PATH yet: export", result.out)

    def test_it_is_there_already(self):
        self.install("--add-to-path", PATH=f"/usr/bin:/bin:{self.bin}")
        self.assertEqual(self.rc.read_text(), "# mine\n")

    def test_the_plan_names_the_file(self):
        result = self.run_program("plan", self.stack, "--add-to-path", "--json", env={"SHELL": "/bin/bash"})
        step = next(step for step in json.loads(result.out)["steps"] if step["id"] == "shell-path")
        self.assertIn(str(self.rc), step["text"])
        self.assertEqual(self.rc.read_text(), "# mine\n")

    def test_edits_around_it(self):
        self.install("--add-to-path")
        self.rc.write_text("first\n" + self.rc.read_text() + "last\n")
        self.uninstall()
        self.assertEqual(self.rc.read_text(), "first\n# mine\nlast\n")

    def test_edits_in_it(self):
        self.install("--add-to-path")
        text = self.rc.read_text().replace(LAST, "echo mine\n" + LAST)
        self.rc.write_text(text)
        self.install()
        result = self.uninstall()
        self.assertIn(f"{self.rc}: the block in it changed", result.out + result.err)
        self.assertEqual(self.rc.read_text(), text)

    def test_taken_out(self):
        self.install("--add-to-path")
        self.rc.write_text("# mine\n")
        self.install("--add-to-path")
        self.assertEqual(self.rc.read_text(), "# mine\n")
        self.uninstall()
        self.assertEqual(self.rc.read_text(), "# mine\n")

    def test_torn(self):
        self.rc.write_text(FIRST + "# mine\n")
        self.assertIn(f"Kept as it is: {self.rc}", self.install("--add-to-path").out)
        self.assertEqual(self.rc.read_text(), FIRST + "# mine\n")

    def test_no_text(self):
        self.rc.write_bytes(b"# mine\0\n")
        self.assertIn(f"Kept as it is: {self.rc}", self.install("--add-to-path").out)
        self.assertEqual(self.rc.read_bytes(), b"# mine\0\n")

    def test_behind_a_link(self):
        real = self.home / "dotfiles/bashrc"
        real.parent.mkdir()
        self.rc.rename(real)
        self.rc.symlink_to("dotfiles/bashrc")
        self.install("--add-to-path")
        self.assertTrue(self.rc.is_symlink())
        self.assertIn(FIRST, real.read_text())
        self.uninstall()
        self.assertTrue(self.rc.is_symlink())
        self.assertEqual(real.read_text(), "# mine\n")

    def test_a_run_that_fails(self):
        ini = STACK_INI + STEPS + "\n[test t]\ntitle = fails\nrun = /bin/false\nneeds = command\n"
        (self.stack / "stack.ini").write_text(ini)
        self.install("--add-to-path", status=3)
        self.assertEqual(self.rc.read_text(), "# mine\n")


if __name__ == "__main__":
    unittest.main(verbosity=2)
