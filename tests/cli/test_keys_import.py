"""keys import and export: .env files taken over and cleaned, bundles that only their passphrase opens.

SPDX-License-Identifier: Apache-2.0
"""
import fcntl
import json
import os
import shutil
import subprocess
import unittest

from cli_support import Case, each_row

SECRET = "sk-canary-4f9a1c7be2"
OTHER = "sk-other-91d0aa53c4"
PHRASE = "correct horse battery"
KEPT = '# {}: slipway keeps it now, see "slipway keys get"'


class ImportCase(Case):
    def setUp(self):
        super().setUp()
        self.env = {"SLIPWAY_KEY_FILE": str(self.make_key_file())}
        self.file = self.cwd / ".env"

    def keys(self, *command, env=None, **options):
        return self.run_program("keys", *command, env={**self.env, **(env or {})}, **options)

    def write(self, text, mode=0o640):
        self.file.write_bytes(text if isinstance(text, bytes) else text.encode())
        self.file.chmod(mode)

    def do_import(self, *options, file=".env", status=0, **more):
        result = self.keys("import", file, *options, **more)
        self.assertEqual(result.status, status, result)
        self.assertNotIn(SECRET, result.out + result.err)
        return result

    def killed_at(self, calls, *command):
        """At the first of the calls; a name with "?" is not known to each architecture."""
        return subprocess.run(["strace", "-f", "-o", "/dev/null", "-e", f"trace={calls}",
                               "-e", f"inject={calls}:signal=KILL", self.program, "keys", *command],
                              env=self.environment(**self.env, ASAN_OPTIONS="detect_leaks=0"), cwd=self.cwd,
                              check=False, capture_output=True)

    def stored(self, *options):
        names = [key["name"] for key in json.loads(self.keys("list", "--json", *options).out)["keys"]]
        return {name: self.keys("get", name, *options).out[:-1] for name in names}


class FromEnv(ImportCase):
    def test_all_of_it(self):
        self.write(f"# mine\nA_KEY={SECRET}\nexport B_KEY='{OTHER}'\n\nC_KEY=\n")
        result = self.do_import("--json")
        found = json.loads(result.out)
        self.assertEqual((found["saved"], found["unchanged"], found["empty"], found["shredded"]),
                         (["A_KEY", "B_KEY"], [], ["C_KEY"], False))
        self.assertEqual(self.stored(), {"A_KEY": SECRET, "B_KEY": OTHER})
        self.assertIn("still stand", result.err)
        origins = {key["origin"] for key in json.loads(self.keys("list", "--json").out)["keys"]}
        self.assertEqual(origins, {"import"})

    def test_again_changes_nothing(self):
        self.write(f"A_KEY={SECRET}\n")
        self.do_import()
        store = self.home / ".local/share/slipway/keystore"
        before = store.read_bytes()
        found = json.loads(self.do_import("--json").out)
        self.assertEqual((found["saved"], found["unchanged"]), ([], ["A_KEY"]))
        self.assertEqual(store.read_bytes(), before)

    def test_only(self):
        self.write(f"A_KEY={SECRET}\nPATH=$PATH:/x\nB_KEY=a b\nPORT=80\n")
        self.do_import("--only", "A_KEY")
        self.assertEqual(self.stored(), {"A_KEY": SECRET})
        self.assert_refused(self.keys("import", ".env", "--only", "A_KEY,X_KEY"), 65, "X_KEY")
        self.assert_refused(self.keys("import", ".env", "--only", "B_KEY"), 65, r"\.env:3: B_KEY .*single quotes")

    def test_into_a_profile(self):
        self.write(f"A_KEY={SECRET}\n")
        self.do_import("--profile", "work")
        self.assertEqual(self.stored(), {})
        self.assertEqual(self.stored("--profile", "work"), {"A_KEY": SECRET})

    def test_another_value_is_not_replaced_unasked(self):
        self.write(f"A_KEY={SECRET}\n")
        self.do_import()
        self.write(f"A_KEY={OTHER}\nB_KEY=b-value\n")
        self.assert_refused(self.keys("import", ".env"), 64, "--yes")
        self.assertEqual(self.stored(), {"A_KEY": SECRET})
        for answer, status, value in (("n\n", 1, SECRET), ("y\n", 0, OTHER)):
            shown = self.run_on_terminal("keys", "import", ".env", "--keep", env=self.env,
                                         answers=[("Replace them?", answer)])
            self.assertEqual(shown.status, status, shown)
            self.assertEqual(self.stored()["A_KEY"], value)
        self.write(f"A_KEY={SECRET}\n")
        self.do_import("--yes")
        self.assertEqual(self.stored()["A_KEY"], SECRET)

    def test_a_variable_does_not_hide_what_is_stored(self):
        """Read back and compared is the keystore, not the environment."""
        self.write(f"A_KEY={SECRET}\n")
        result = self.do_import(env={"A_KEY": OTHER})
        self.assertIn("A_KEY is set and wins", result.err)
        self.assertEqual(self.stored(), {"A_KEY": SECRET})

    def test_shred(self):
        self.write(f"# mine\r\nA_KEY={SECRET}\r\nPORT=80\r\n", mode=0o604)
        self.do_import("--only", "A_KEY", "--shred")
        self.assertEqual(self.file.read_bytes(), f"# mine\r\n{KEPT.format('A_KEY')}\r\nPORT=80\r\n".encode())
        self.assertEqual(self.file.stat().st_mode & 0o7777, 0o604)
        self.assertEqual(sorted(os.listdir(self.cwd)), [".env"])

    def test_the_old_bytes_are_overwritten(self):
        self.write(f"A_KEY={SECRET}\n")
        with open(self.file, "rb") as old:
            self.do_import("--shred")
            self.assertEqual(old.read(), b"")
        trace = self.place / "trace"
        self.write(f"A_KEY={OTHER}\n")
        subprocess.run(["strace", "-f", "-e", "trace=rename,renameat,renameat2,pwrite64,fsync,ftruncate,close",
                        "-o", trace, self.program, "keys", "import", ".env", "--shred", "--yes"],
                       env=self.environment(**self.env, ASAN_OPTIONS="detect_leaks=0"), cwd=self.cwd, check=True,
                       capture_output=True)  # LeakSanitizer does not work under a tracer
        lines = trace.read_text()
        place = lines.index('", 26, 0) = 26')
        self.assertRegex(lines[lines.rindex("\n", 0, place):],
                         r"(?s)^\n\d+ +pwrite64\((\d+), \"(\\0)+\", 26, 0\) = 26\n\d+ +fsync\(\1\).*?ftruncate\(\1, 0\)")
        self.assertLess(lines.rindex("rename", 0, place), place)

    def test_what_killed_runs_left_is_swept(self):
        self.write(f"A_KEY={SECRET}\n")
        self.do_import()
        self.killed_at("?rename,renameat,renameat2", "import", ".env", "--shred")
        left = [name for name in os.listdir(self.cwd) if name != ".env"]
        self.assertRegex(" ".join(left), r"^\.slipway-aside-[A-Za-z0-9]{6}$")
        self.assertEqual(self.file.read_text(), f"A_KEY={SECRET}\n")
        shown = json.loads(self.keys("doctor", "--json").out)["checks"]
        self.assertEqual([row["status"] for row in shown if row["id"] == "leftovers"], ["warn"])
        self.do_import("--shred")
        self.assertEqual(os.listdir(self.cwd), [".env"])

    def test_what_is_not_a_leftover_stays(self):
        """Files that another run works on, and those that only look like ours."""
        self.write(f"A_KEY={SECRET}\n")
        others = [".slipway-aside-abc", ".slipway-aside-abc.ef", ".slipway-asides-abcdef", ".slipway-backup"]
        for name in [*others, ".slipway-aside-abcdef"]:
            (self.cwd / name).write_text("mine")
        os.mkdir(self.cwd / ".slipway-aside-dddddd")
        os.symlink(".slipway-backup", self.cwd / ".slipway-aside-llllll")
        os.mkfifo(self.cwd / ".slipway-aside-ffffff")
        kept = {".env", *others, ".slipway-aside-dddddd", ".slipway-aside-llllll", ".slipway-aside-ffffff"}
        with open(self.cwd / ".slipway-aside-abcdef", "rb") as busy:
            fcntl.flock(busy, fcntl.LOCK_EX)
            self.do_import("--shred")
        self.assertEqual(set(os.listdir(self.cwd)), {*kept, ".slipway-aside-abcdef"})
        self.write(f"A_KEY={SECRET}\n")
        self.do_import("--shred")
        self.assertEqual(set(os.listdir(self.cwd)), kept)

    def test_asked_on_a_terminal(self):
        for answer, is_clean in (("n\n", False), ("\n", False), ("y\n", True)):
            self.write(f"A_KEY={SECRET}\n")
            shown = self.run_on_terminal("keys", "import", ".env", env=self.env,
                                         answers=[("overwrite its old bytes?", answer)])
            self.assertEqual(shown.status, 0, shown)
            self.assertNotIn(SECRET, shown.out)
            self.assertEqual(SECRET.encode() not in self.file.read_bytes(), is_clean)

    def test_ctrl_c_at_that_question(self):
        self.write(f"A_KEY={SECRET}\n")
        shown = self.run_on_terminal("keys", "import", ".env", env=self.env,
                                     answers=[("overwrite its old bytes?", "\x03")])
        self.assertEqual(shown.status, 130, shown)
        self.assertIn("the keys are in the keystore; interrupted", shown.out)
        self.assertEqual(self.file.read_text(), f"A_KEY={SECRET}\n")
        self.assertEqual(self.stored(), {"A_KEY": SECRET})

    def test_shred_and_keep(self):
        self.write("A=1\n")
        self.assert_refused(self.keys("import", ".env", "--shred", "--keep"), 64, "opposites")

    def test_a_link_stays_a_link(self):
        self.write(f"A_KEY={SECRET}\n")
        os.symlink(".env", self.cwd / "link")
        result = self.do_import("--shred", file="link", status=77)
        self.assertIn("the keys are in the keystore; link is a symbolic link", result.err)
        self.assertTrue((self.cwd / "link").is_symlink())
        self.assertEqual(self.file.read_text(), f"A_KEY={SECRET}\n")
        self.assertEqual(self.stored(), {"A_KEY": SECRET})

    def test_a_file_with_two_names(self):
        self.write(f"A_KEY={SECRET}\n")
        os.link(self.file, self.cwd / "other")
        self.assertIn("has other names", self.do_import("--shred", status=77).err)
        self.assertEqual((self.cwd / "other").read_text(), f"A_KEY={SECRET}\n")

    def test_changed_while_it_was_asked(self):
        self.write(f"A_KEY={SECRET}\n")
        edited = f"A_KEY={SECRET}\nNEW=1\n"
        script = f"printf 'NEW=1\\n' >> {self.file}; printf y"
        pid, master = os.forkpty()
        if pid == 0:
            os.chdir(self.cwd)
            os.execve(self.program, [self.program, "keys", "import", ".env"], self.environment(**self.env))
        shown = b""
        while b"old bytes?" not in shown:
            shown += os.read(master, 4096)
        subprocess.run(["sh", "-c", script], check=True, stdout=subprocess.DEVNULL)
        os.write(master, b"y\n")
        try:
            while piece := os.read(master, 4096):
                shown += piece
        except OSError:
            pass
        os.close(master)
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), 75, shown)
        self.assertIn(b"was changed meanwhile", shown)
        self.assertEqual(self.file.read_text(), edited)
        self.assertEqual(sorted(os.listdir(self.cwd)), [".env"])

    def test_a_directory_that_cannot_be_written(self):
        self.write(f"A_KEY={SECRET}\n")
        self.become_ordinary()
        self.cwd.chmod(0o555)
        self.addCleanup(self.cwd.chmod, 0o755)
        result = self.do_import("--shred", status=77)
        self.assertIn("the keys are in the keystore", result.err)
        self.assertEqual(self.file.read_text(), f"A_KEY={SECRET}\n")

    def test_git(self):
        def git(*command):
            subprocess.run(["git", "-c", "user.name=x", "-c", "user.email=x@example.org", *command], cwd=self.cwd,
                           check=True, capture_output=True, env=self.environment())
        self.write(f"A_KEY={SECRET}\n")
        self.assertNotIn("git", self.do_import("--keep").err)
        git("init", "-q")
        self.assertIn("add it to .gitignore", self.do_import("--keep").err)
        (self.cwd / ".gitignore").write_text(".env\n")
        self.assertNotIn("git", self.do_import("--keep").err)
        git("add", "-f", ".env")
        self.assertIn("renew these keys", self.do_import("--keep").err)

    def test_a_work_tree_runs_nothing(self):
        marker = self.place / "ran"
        subprocess.run(["git", "init", "-q"], cwd=self.cwd, check=True, env=self.environment())
        hook = self.place / "hook"
        hook.write_text(f"#!/bin/sh\ntouch {marker}\n")
        hook.chmod(0o755)
        for name in ("core.fsmonitor", "core.pager", "core.editor", "core.sshCommand", "diff.external"):
            subprocess.run(["git", "config", name, str(hook)], cwd=self.cwd, check=True, env=self.environment())
        self.write(f"A_KEY={SECRET}\n")
        self.do_import("--keep")
        self.assertFalse(marker.exists())

    def test_no_terminal_no_key_source(self):
        self.write(f"A_KEY={SECRET}\n")
        self.assert_refused(self.keys("import", ".env", "--shred", env={"SLIPWAY_KEY_FILE": None}), 78)
        self.assertEqual(self.file.read_text(), f"A_KEY={SECRET}\n")


@each_row([
    ("steers", b"PATH=/x\n", 65, r"\.env:1: PATH steers"),
    ("a loader's", b"A=1\nLD_PRELOAD=/x\n", 65, r"\.env:2: LD_PRELOAD steers"),
    ("begins with a dash below", b"_A=1\n", 65, r"\.env:1: _A begins with _"),
    ("a space", b"A=1\nB=a b\n", 65, r"\.env:2: B has blanks"),
    ("replaced by some", b"B=$A\n", 65, r"\.env:1: B has a \$"),
    ("twice", b"A=1\nA=2\n", 65, r"\.env:2: A was assigned"),
    ("not closed", b"A='1\n'\n", 65, r"\.env:1: A has a quote|\.env:2"),
    ("no assignment", b"A=1\nsk-canary-4f9a1c7be2\n", 65, r"\.env:2: the line is not NAME=VALUE"),
    ("a NUL", b"A=1\0\n", 65, r"\.env:1: the line has a NUL"),
    ("UTF-16", "A=1\n".encode("utf-16"), 65, r"\.env:1: the line is not UTF-8"),
    ("a carriage return", b"A=1\rB=2\n", 65, "control byte"),
    ("a terminal's commands", b"A=\x1b]0;x\x07\n", 65, "control byte"),
    ("nothing", b"", 65, "no key"),
    ("comments only", b"# A=1\n", 65, "no key"),
    ("a long value", b"A=" + b"x" * 16385, 65, r"\.env:1: A is longer"),
    ("a line of 10 MB", b"A=" + b"x" * 10_000_000, 65, "larger than"),
    ("one MiB of names", b"".join(b"A%d=1\n" % i for i in range(100_000)), 65, "too many"),
])
class Hostile(ImportCase):
    def check_row(self, content, status, pattern):
        self.write(content)
        result = self.keys("import", ".env", "--shred")
        self.assert_refused(result, status, pattern)
        self.assertNotIn(SECRET, result.err)
        self.assertEqual(self.file.read_bytes(), content)
        self.assertFalse((self.home / ".local/share/slipway").exists())


class NoFile(ImportCase):
    def test_kinds(self):
        os.mkfifo(self.cwd / "fifo")
        os.mkdir(self.cwd / "directory")
        for name, status in (("fifo", 65), ("directory", 65), ("/dev/zero", 65), ("absent", 73)):
            with self.subTest(name):
                self.assert_refused(self.keys("import", name), status)

    def test_not_readable(self):
        self.write("A=1\n", mode=0)
        self.become_ordinary()
        self.assert_refused(self.keys("import", ".env"), 77)

    def test_memory(self):
        self.write(b"A=" + b"x" * 10_000_000)
        self.assertLess(self.run_measured("keys", "import", ".env").peak_kib, 64 << 10)


class Bundle(ImportCase):
    def setUp(self):
        super().setUp()
        for name, value in (("A_KEY", SECRET), ("B_KEY", OTHER), ("with.dot-1", "third-value")):
            self.keys("set", name, "--stdin", "--expires", "700", input=value.encode())
        self.phrase = self.place / "phrase"
        self.phrase.write_text(PHRASE + "\n")
        self.phrase.chmod(0o600)
        self.bundle = self.cwd / "team.keys"

    def export(self, *options, status=0, **more):
        result = self.keys("export", "team.keys", "--bundle-passphrase-file", self.phrase, *options, **more)
        self.assertEqual(result.status, status, result)
        return result

    def bring(self, *options, status=0, **more):
        result = self.keys("import", "team.keys", "--bundle-passphrase-file", self.phrase, *options, **more)
        self.assertEqual(result.status, status, result)
        return result

    def assert_swept(self):
        self.assertEqual([name for name in os.listdir(self.state) if not name.endswith(".seen")], [])

    def test_there_and_back(self):
        found = json.loads(self.export("--json").out)
        self.assertEqual(found["keys"], ["A_KEY", "B_KEY", "with.dot-1"])
        shutil.rmtree(self.home / ".local")
        self.bring()
        self.assertEqual(self.stored(), {"A_KEY": SECRET, "B_KEY": OTHER, "with.dot-1": "third-value"})
        self.assertTrue(all(key["expires"] for key in json.loads(self.keys("list", "--json").out)["keys"]))

    def test_the_file(self):
        self.export()
        content = self.bundle.read_bytes()
        self.assertEqual(content[:4], b"SWK\0")
        for word in (SECRET, OTHER, "A_KEY", PHRASE):
            self.assertNotIn(word.encode(), content)
        self.assertEqual(self.bundle.stat().st_mode & 0o7777, 0o600)
        self.assertEqual(self.bundle.stat().st_nlink, 1)
        self.assertEqual(os.listdir(self.cwd), ["team.keys"])
        self.assert_swept()

    def test_nothing_beside_a_bundle_that_is_read(self):
        self.export()
        self.bundle.chmod(0o444)
        self.bring("--profile", "other")
        self.assertEqual(os.listdir(self.cwd), ["team.keys"])
        self.assert_swept()

    def test_what_a_killed_run_left_is_swept(self):
        for name, age in (("bundle-old000", 100_000), ("bundle-new000", 100), ("other-old000", 100_000)):
            (self.state / name).mkdir(parents=True)
            (self.state / name / "keystore").write_text("x")
            then = (self.state / name).stat().st_mtime - age
            os.utime(self.state / name, (then, then))
        self.export()
        self.assertEqual(sorted(name for name in os.listdir(self.state) if "000" in name),
                         ["bundle-new000", "other-old000"])

    def test_what_a_killed_run_left_beside_the_file_is_swept(self):
        for calls, left in (("?link,linkat", 1), ("?unlink,unlinkat", 2)):  # the second has two names
            self.killed_at(calls, "export", "team.keys", "--bundle-passphrase-file", self.phrase)
            self.assertEqual(len(os.listdir(self.cwd)), left)
            self.bundle.unlink(missing_ok=True)
            self.export()
            self.assertEqual(os.listdir(self.cwd), ["team.keys"])
            self.bundle.unlink()

    def test_only(self):
        self.export("--only", "B_KEY")
        self.bring("--profile", "other")
        self.assertEqual(self.stored("--profile", "other"), {"B_KEY": OTHER})
        self.assert_refused(self.bring("--only", "X_KEY", "--profile", "other", status=65), 65, "no key X_KEY")
        self.assert_refused(self.keys("export", "x", "--only", "X_KEY", "--bundle-passphrase-file", self.phrase), 1,
                            "no key X_KEY")

    def test_what_is_stored_not_what_a_variable_says(self):
        self.export("--only", "A_KEY", env={"A_KEY": "of-the-environment"})
        self.bring("--profile", "other")
        self.assertEqual(self.stored("--profile", "other"), {"A_KEY": SECRET})

    def test_it_exists(self):
        self.bundle.write_text("mine")
        self.assert_refused(self.export(status=73), 73, "exists")
        self.assertEqual(self.bundle.read_text(), "mine")
        self.bundle.unlink()
        os.symlink("/no/where", self.bundle)
        self.assert_refused(self.export(status=73), 73, "exists")

    def test_no_such_directory(self):
        result = self.keys("export", "no/team.keys", "--bundle-passphrase-file", self.phrase)
        self.assert_refused(result, 73)
        self.assert_swept()

    def test_wrong_passphrase(self):
        self.export()
        self.phrase.write_text("another passphrase\n")
        self.assert_refused(self.bring(status=77), 77, "team.keys")

    def test_short_passphrase(self):
        self.phrase.write_text("short\n")
        self.assert_refused(self.export(status=64), 64, "12 characters")
        self.assertEqual(os.listdir(self.cwd), [])

    def test_damaged(self):
        self.export("--only", "A_KEY")
        content = self.bundle.read_bytes()
        for changed in (content[:-1], content[:200], content[:-1] + bytes([content[-1] ^ 1]), content[:8], content + b"x"):
            self.bundle.write_bytes(changed)
            self.assert_refused(self.bring("--profile", "other", status=65), 65, "team.keys")
        self.assertEqual(self.stored("--profile", "other"), {})

    def test_from_a_descriptor(self):
        def with_phrase(*command):
            reader, writer = os.pipe()
            os.write(writer, PHRASE.encode())
            os.close(writer)
            result = self.keys(*command, "--bundle-passphrase-fd", str(reader), pass_fds=[reader])
            os.close(reader)
            self.assertEqual(result.status, 0, result)
        with_phrase("export", "team.keys")
        with_phrase("import", "team.keys", "--profile", "other")
        self.assertEqual(self.stored("--profile", "other"), self.stored())

    def test_asked_twice(self):
        shown = self.run_on_terminal("keys", "export", "team.keys", env=self.env, answers=[
            ("passphrase", PHRASE + "\n"), ("same again", PHRASE + "\n")])
        self.assertEqual(shown.status, 0, shown)
        self.assertNotIn(PHRASE, shown.out)
        shown = self.run_on_terminal("keys", "import", "team.keys", "--profile", "other", env=self.env,
                                     answers=[("team.keys", PHRASE + "\n")])
        self.assertEqual(shown.status, 0, shown)
        self.assertEqual(self.stored("--profile", "other"), self.stored())

    def test_two_that_differ(self):
        shown = self.run_on_terminal("keys", "export", "team.keys", env=self.env, answers=[
            ("passphrase", PHRASE + "\n"), ("same again", PHRASE + "x\n")])
        self.assertEqual(shown.status, 64, shown)
        self.assertIn("differ", shown.out)
        self.assertEqual(os.listdir(self.cwd), [])

    def test_nobody_to_ask(self):
        self.assert_refused(self.keys("export", "team.keys"), 64, "--bundle-passphrase-fd")
        self.export()
        self.assert_refused(self.keys("import", "team.keys"), 64, "--bundle-passphrase-fd")

    def test_options_that_do_not_fit(self):
        self.export()
        self.assert_refused(self.bring("--shred", status=64), 64, "encrypted")
        self.write("A=1\n")
        self.assert_refused(self.keys("import", ".env", "--bundle-passphrase-file", self.phrase), 64, "no exported")


if __name__ == "__main__":
    unittest.main()
