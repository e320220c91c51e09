"""Strange environments: HOME, the state directory, streams, PATH.  Rows 63 to 66 of the bad inputs.

SPDX-License-Identifier: Apache-2.0
"""
import json
import os
import shutil
import subprocess
import threading
import unittest

from cli_support import Case, each_row, tree

# name, HOME, status, what the message says
HOMES = [
    ("64 empty", "", 78, "home directory"),
    ("64 relative", "home", 78, "home directory"),
    ("64 climbing relative", "../home", 78, "home directory"),
    ("64 below a file", "/etc/passwd/x", 73, "home directory"),
    ("64 root of the system", "/", 78, "home directory"),
    ("64 not ours", "/etc", 77, "another user"),
]


@each_row(HOMES)
class Home(Case):
    """HOME is not a home: refused before anything is read or written."""

    def check_row(self, home, status, pattern):
        stack = self.make_stack()
        self.become_ordinary()
        before = tree(self.place)
        for command in (["status"], ["install", stack, "--yes"], ["keys", "list"]):
            self.assert_refused(self.run_program(*command, env={"HOME": home}), status, pattern)
        self.assertEqual(tree(self.place), before)


class MoreHomes(Case):
    def test_64_unset_is_looked_up(self):
        """Without HOME the user database says where it is."""
        if os.getuid() == 0:
            self.become_ordinary()
        result = self.run_program("config", env={"HOME": None})
        # The home of "nobody" may be one that is refused; that is an answer too, not a crash.
        self.assertIn(result.status, (0, 73, 77, 78), result)
        if result.status:
            self.assert_refused(result, result.status, "home directory")
        else:
            self.assertNotIn(str(self.home), result.out)

    def test_64_another_name_in_user(self):
        stack = self.make_stack()
        before = tree(self.cwd)
        result = self.run_program("install", stack, "--yes", env={"USER": "../x", "LOGNAME": "../x"})
        self.assertEqual(result.status, 0, result)
        self.assertEqual((self.home / "probe/note").read_text(), "hello\n")
        self.assertEqual(tree(self.cwd), before)

    def test_64_a_home_that_is_not_there_yet(self):
        result = self.run_program("install", self.make_stack(), "--yes",
                                  env={"HOME": str(self.place / "new/home")})
        self.assertEqual(result.status, 0, result)
        self.assertTrue((self.place / "new/home/probe/note").is_file())

    def test_64_relative_xdg_directories_are_ignored(self):
        result = self.run_program("install", self.make_stack(), "--yes",
                                  env={"XDG_STATE_HOME": "state", "XDG_DATA_HOME": "data"})
        self.assertEqual(result.status, 0, result)
        self.assertTrue((self.state / "current/receipt.json").is_file())
        self.assertEqual(sorted(os.listdir(self.cwd)), ["stack"])


class Version(Case):
    def test_the_libraries_that_run(self):
        document = json.loads(self.run_program("version", "--json").out)
        for name in ("glib", "openssl", "libcurl", "jansson", "libarchive", "zlib", "liblzma"):
            self.assertRegex(document["libraries"].get(name, ""), r"^\d+\.\d+", name)
        self.assertIsInstance(document["static"], bool)

    def test_strange_variables_of_glib(self):
        result = self.run_program("version", env={
            "GIO_EXTRA_MODULES": "/nonexistent", "GIO_USE_VFS": "gvfs", "LC_ALL": "xx_YY.ISO-8859-1",
            "TZ": "Nowhere/Nothing", "TZDIR": "/nonexistent"})
        self.assertEqual((result.status, result.err), (0, ""), result)


class StateDirectory(Case):
    """The state directory is not as we would make it: refused, and the home stays as it is."""

    def check(self, status, pattern=""):
        stack = self.make_stack()
        self.become_ordinary()
        before = tree(self.place)
        for command in (["install", stack, "--yes"], ["resume"], ["rollback"]):
            result = self.run_program(*command)
            self.assertIn(result.status, status, result)
            self.assert_refused(result, result.status, pattern)
        self.assertEqual(tree(self.place), before)

    def test_63_is_a_symlink(self):
        self.state.parent.mkdir(parents=True)
        (self.place / "elsewhere").mkdir()
        self.state.symlink_to(self.place / "elsewhere")
        self.check([77], "slipway is a link")

    def test_63_is_a_dangling_symlink(self):
        self.state.parent.mkdir(parents=True)
        self.state.symlink_to(self.place / "nowhere")
        self.check([73, 77])

    def test_63_is_world_writable(self):
        self.state.mkdir(parents=True)
        self.state.chmod(0o777)
        self.check([77], "others can write")

    def test_63_is_a_file(self):
        self.state.parent.mkdir(parents=True)
        self.state.write_text("mine\n")
        self.check([73], "Not a directory")

    def test_63_is_below_a_file(self):
        (self.home / ".local").write_text("mine\n")
        self.check([73], "Not a directory")

    def test_63_is_read_only(self):
        self.state.mkdir(parents=True)
        self.state.chmod(0o500)
        self.check([77], "denied|Permission")

    def test_63_a_lock_that_is_a_symlink(self):
        self.state.mkdir(parents=True)
        (self.place / "victim").write_text("mine\n")
        (self.state / "lock").symlink_to(self.place / "victim")
        self.check([73, 77], "lock")

    def test_63_a_lock_that_is_a_fifo(self):
        self.state.mkdir(parents=True)
        os.mkfifo(self.state / "lock")
        self.check([73], "lock")

    def test_63_a_lock_that_is_a_directory(self):
        (self.state / "lock").mkdir(parents=True)
        self.check([73, 74], "lock")

    def test_63_a_log_directory_that_is_a_symlink_of_ours_writes_no_file_elsewhere(self):
        self.state.mkdir(parents=True)
        (self.state / "log").write_text("mine\n")
        stack = self.make_stack()
        result = self.run_program("install", stack, "--yes")
        self.assert_refused(result, 73, "log")
        self.assertFalse((self.home / "probe").exists())

    def test_63_is_of_another_user(self):
        """Root takes no state that somebody else could have written."""
        stack = self.make_stack()
        self.state.mkdir(parents=True)
        if os.getuid() == 0:
            os.chown(self.state, 65534, 65534)
        else:
            self.state.chmod(0o770)
        before = tree(self.place)
        self.assert_refused(self.run_program("install", stack, "--yes"), 77, "others can write")
        self.assertEqual(tree(self.place), before)


class Streams(Case):
    """Row 65: nobody is asked, nothing hangs, a result that cannot be written is an error."""

    def test_stdin_is_empty(self):
        result = self.run_program("install", self.make_stack())
        self.assert_refused(result, 64, "nobody can be asked")
        self.assertIn("--yes", result.err)
        self.assertFalse((self.home / "probe").exists())

    def test_stdin_is_closed(self):
        process = subprocess.run(
            ["sh", "-c", 'exec "$@" <&-', "sh", self.program, "install", self.make_stack()],
            env=self.environment(), cwd=self.cwd, capture_output=True, timeout=60, check=False)
        self.assertEqual(process.returncode, 64, process.stderr)
        self.assertFalse((self.home / "probe").exists())

    def test_stdin_says_yes_for_ever(self):
        reader, writer = os.pipe()

        def say_yes():
            try:
                while True:
                    os.write(writer, b"y\n" * 1000)
            except OSError:
                pass
            finally:
                os.close(writer)

        speaker = threading.Thread(target=say_yes)
        speaker.start()
        with os.fdopen(reader, "rb") as stdin:
            result = self.run_program("install", self.make_stack(), stdin=stdin)
        speaker.join(20)
        self.assert_refused(result, 64, "nobody can be asked")
        self.assertFalse((self.home / "probe").exists())

    def test_ci_is_set_on_a_terminal(self):
        result = self.run_on_terminal("install", self.make_stack(), env={"CI": "1"})
        self.assertEqual(result.status, 64, result)
        self.assertIn("nobody can be asked", result.out)
        self.assertFalse((self.home / "probe").exists())

    def test_no_on_a_terminal(self):
        result = self.run_on_terminal("install", self.make_stack(), answers=[("Go on?", "n\n")])
        self.assertEqual(result.status, 1, result)
        self.assertIn("nothing was changed", result.out)
        self.assertFalse((self.home / "probe").exists())

    def test_yes_on_a_terminal(self):
        result = self.run_on_terminal("install", self.make_stack(), answers=[("Go on?", "y\n")])
        self.assertEqual(result.status, 0, result)
        self.assertTrue((self.home / "probe/note").is_file())

    def test_end_of_input_on_a_terminal(self):
        result = self.run_on_terminal("install", self.make_stack(), answers=[("Go on?", "\x04")])
        self.assertNotEqual(result.status, 0, result)
        self.assertFalse((self.home / "probe").exists())

    def test_a_full_disk_behind_stdout(self):
        stack = self.make_stack()
        for command in (["version"], ["help"], ["config"], ["facts"], ["stacks"], ["plan", stack],
                        ["status", "--json"], ["install", stack, "--yes"]):
            with self.subTest(command), open("/dev/full", "wb") as full:
                self.assert_refused(self.run_program(*command, stdout=full), 74, "No space left")
        # What was said to have happened did: the state is whole.
        self.assertEqual(self.run_program("status").status, 0)
        self.assertEqual(self.run_program("uninstall", "probe", "--yes").status, 0)
        self.assertFalse((self.home / "probe").exists())

    def test_nobody_reads_stdout(self):
        for command in (["help"], ["config"], ["stacks", "--json"]):
            reader, writer = os.pipe()
            os.close(reader)
            with self.subTest(command), os.fdopen(writer, "wb") as stdout:
                self.assert_refused(self.run_program(*command, stdout=stdout), 74, "Broken pipe")

    def test_nobody_reads_while_it_installs(self):
        reader, writer = os.pipe()
        os.close(reader)
        with os.fdopen(writer, "wb") as stdout:
            result = self.run_program("install", self.make_stack(), "--yes", stdout=stdout,
                                      stderr=stdout)
        self.assertEqual(result.status, 74, result)
        self.assertEqual(self.run_program("install", "./stack", "--yes").status, 0)
        self.assertEqual(self.run_program("status", "--json").status, 0)

    def test_all_streams_are_closed(self):
        """What is then opened first must not take what is printed."""
        stack = self.make_stack()
        process = subprocess.run(
            ["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", self.program, "install", stack, "--yes"],
            env=self.environment(), cwd=self.cwd, timeout=60, check=False)
        self.assertEqual(process.returncode, 0)
        self.assertEqual(tree(stack), tree(self.cwd / "stack"))
        self.assertEqual(self.run_program("status", "--json").status, 0)
        self.assertEqual((self.home / "probe/note").read_text(), "hello\n")


PRELOAD = r"""
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
__attribute__((constructor)) static void note(void)
{
	char line[4200] = "", name[4096] = "";
	if (readlink("/proc/self/exe", name, sizeof(name) - 1) < 0)
		return;
	int fd = open(getenv("PRELOAD_NOTES"), O_WRONLY | O_CREAT | O_APPEND, 0644);
	int length = snprintf(line, sizeof(line), "%s\n", name);
	if (fd >= 0 && write(fd, line, (size_t)length) == length)
		close(fd);
}
"""
TOOLS = ("sudo", "docker", "apt-get", "apt", "dpkg", "git", "python3", "python", "sh", "ollama",
         "dnf", "brew", "systemctl", "zstd", "tar", "ssh")


class Path(Case):
    """Row 66: programs of a directory that others chose are never run."""

    def setUp(self):
        super().setUp()
        self.fakes = self.place / "fakes"
        self.ran = self.place / "ran"
        self.fakes.mkdir()
        for name in TOOLS:
            self.fake(self.fakes / name)

    def fake(self, path):
        path.write_text(f'#!/bin/sh\necho "$0 $*" >>"{self.ran}"\nexit 0\n')
        path.chmod(0o755)

    def check_none_ran(self, env):
        stack = self.make_stack()
        for command in (["check"], ["check", "localagent"], ["plan", "localagent"], ["facts"],
                        ["plan", stack], ["status"], ["install", stack, "--yes"],
                        ["uninstall", "probe", "--yes"]):
            result = self.run_program(*command, env=env)
            self.assertIn(result.status, (0, 1, 69), result)
            self.assertFalse(self.ran.exists(), self.ran.exists() and self.ran.read_text())

    def test_writable_for_all(self):
        self.fakes.chmod(0o777)
        self.check_none_ran({"PATH": f"{self.fakes}:/usr/bin:/bin"})

    def test_the_working_directory_first(self):
        for name in TOOLS:
            shutil.copy(self.fakes / name, self.cwd / name)
        for path in (".:/usr/bin:/bin", ":/usr/bin:/bin", "/usr/bin:/bin:", "./:/usr/bin"):
            with self.subTest(path):
                self.check_path_only({"PATH": path})

    def check_path_only(self, env):
        for command in (["check", "localagent"], ["plan", "localagent"], ["facts"]):
            result = self.run_program(*command, env=env)
            self.assertIn(result.status, (0, 1), result)
            self.assertFalse(self.ran.exists(), self.ran.exists() and self.ran.read_text())

    def test_files_writable_for_all(self):
        for name in TOOLS:
            (self.fakes / name).chmod(0o777)
        self.check_path_only({"PATH": f"{self.fakes}:/usr/bin:/bin"})

    def test_a_preloaded_library_reaches_no_child(self):
        source, library = self.place / "preload.c", self.place / "preload.so"
        source.write_text(PRELOAD)
        subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source], check=True)
        notes = self.place / "notes"
        env = {"LD_PRELOAD": str(library), "PRELOAD_NOTES": str(notes), "LD_AUDIT": None}
        for command in (["check", "localagent"], ["plan", "localagent"],
                        ["install", self.make_stack(), "--yes"]):
            self.assertIn(self.run_program(*command, env=env).status, (0, 1, 69))
        found = set(notes.read_text().split()) if notes.exists() else set()
        self.assertLessEqual(found, {os.path.realpath(self.program)})

    def test_variables_that_steer_programs(self):
        env = {"BASH_ENV": str(self.fakes / "sh"), "ENV": str(self.fakes / "sh"),
               "PYTHONSTARTUP": str(self.fakes / "sh"), "PYTHONPATH": str(self.fakes),
               "GIT_EXEC_PATH": str(self.fakes), "GIT_SSH_COMMAND": str(self.fakes / "ssh"),
               "IFS": "/", "TMPDIR": "/nowhere", "CURL_HOME": str(self.fakes)}
        (self.fakes / "venv.py").write_text(f'open({str(self.ran)!r}, "w").write("venv")\n')
        self.check_none_ran(env)


if __name__ == "__main__":
    unittest.main(verbosity=2)
