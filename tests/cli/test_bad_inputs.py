"""Bad inputs through the real binary: hostile archives, broken definitions and settings, strange
environments, damaged journals and receipts.  Each has its exit status, a message, and no litter.

SPDX-License-Identifier: Apache-2.0
"""
import gzip
import os
import unittest

import archives
from archives import BLOCK, END, GOOD, entry, gz, header, link, pax, tar, xz
from cli_support import Case, each_row, tree

INI = archives.STACK_INI
SECOND_INI = INI.replace("version = 1.0.0", "version = 6.6.6")

DATA, CONFIG, USAGE = 65, 78, 64

# name, file name, content (made when the test runs), what the message says
# Numbers in the names: the rows of the list of bad inputs.
HOSTILE = [
    ("1 dot dot", "a.tar.gz", lambda: gz(entry("../victim", "x")), r"\.\./victim.*\.\."),
    ("2 absolute", "a.tar.gz", lambda: gz(entry("/tmp/victim", "x")), "absolute"),
    ("3 dot dot in the middle", "a.tar.xz", lambda: xz(entry("a/../../victim", "x")), r"\.\."),
    ("4 symlink and then through it", "a.tar.gz",
     lambda: gz(link("out", ".."), entry("out/victim", "x")), "symbolic link"),
    ("5 symlink to an absolute path", "a.tar.gz", lambda: gz(link("a", "/etc/passwd")), "symbolic link"),
    ("6 symlink that climbs", "a.tar.xz", lambda: xz(link("a", "../../..")), "symbolic link"),
    ("7 hard link to the outside", "a.tar.gz", lambda: gz(link("a", "../victim", b"1")), r"victim|\.\."),
    ("7 hard link to an absolute path", "a.tar.gz",
     lambda: gz(link("a", "/etc/hostname", b"1")), "absolute"),
    ("8 hard link to an earlier symlink", "a.tar.gz",
     lambda: gz(link("s", "../victim"), link("h", "s", b"1")), "symbolic link"),
    ("9 hard link to a later file", "a.tar.gz",
     lambda: gz(link("h", "later", b"1"), entry("later", "x")), "no earlier file"),
    ("9 symlink declared behind the file", "a.tar.gz",
     lambda: gz(entry("d/victim", "x"), link("d", "..")), "symbolic link"),
    ("10 character device", "a.tar.gz", lambda: gz(entry("d", kind=b"3", device=(1, 3))), "device"),
    ("11 block device", "a.tar.gz", lambda: gz(entry("d", kind=b"4", device=(8, 0))), "device"),
    ("12 FIFO", "a.tar.xz", lambda: xz(entry("p", kind=b"6")), "FIFO"),
    ("13 unknown type", "a.tar.gz", lambda: gz(entry("u", "x", kind=b"Z")), "unknown type"),
    ("13 socket by mode", "a.tar.gz", lambda: gz(entry("u", kind=b"D")), "unknown type"),
    ("14 setuid", "a.tar.gz", lambda: gz(entry("s", "x", mode=0o4755)), "setuid"),
    ("14 setgid", "a.tar.gz", lambda: gz(entry("s", "x", mode=0o2755)), "setgid"),
    ("14 sticky", "a.tar.gz", lambda: gz(entry("s/", kind=b"5", mode=0o1777)), "sticky"),
    ("16 the same file twice", "a.tar.gz", lambda: gz(entry("stack.ini", SECOND_INI)), "twice"),
    ("17 names that differ in case", "a.tar.gz", lambda: gz(entry("NOTE", "x")), "NOTE.*case.*note"),
    ("18 a file and then below it", "a.tar.gz", lambda: gz(entry("note/y", "x")), "no directory"),
    ("19 newline in a name", "a.tar.gz", lambda: gz(entry("a\nb", "x")), r"a\\nb.*control"),
    ("19 ESC in a name", "a.tar.gz", lambda: gz(entry("a\x1b[31mb", "x")), r"a\\033\[31mb.*control"),
    ("19 NUL in a pax name, cut there", "a.tar.gz",
     lambda: gz(pax({"path": b"../victim\0b"}), entry("z", "x")), r"\.\."),
    ("19 backslash in a name", "a.tar.gz", lambda: gz(entry("..\\victim", "x")), "backslash"),
    ("20 a name that is not UTF-8", "a.tar.gz", lambda: gz(entry(b"caf\xe9", "x")), "UTF-8"),
    ("21 a component of 5000 bytes", "a.tar.gz", lambda: gz(entry("n" * 5000, "x")), "1024|255"),
    ("21 2000 directories deep", "a.tar.gz", lambda: gz(entry("d/" * 2000 + "f", "x")), "1024|deep"),
    ("22 100000 entries", "a.tar.gz", lambda: archives.many(100000), "entries"),
    ("23 4 GiB of zeros in 4 MB", "a.tar.gz", lambda: archives.zeros(4), "large|much"),
    ("24 overlapping zip", "a.zip", archives.overlapping_zip, "zip archive"),
    ("25 GNU sparse file of 1 TiB", "a.tar.gz", lambda: gz(archives.gnu_sparse()), "large|much"),
    ("25 pax sparse file of 1 TiB", "a.tar.gz", lambda: gz(archives.pax_sparse()), "large|much|header"),
    ("26 packed three times", "a.tar.gz",
     lambda: gzip.compress(gzip.compress(gz())), "not a (sound )?tar archive"),
    ("27 gzip with a wrong CRC", "a.tar.gz",
     lambda: gz()[:-8] + bytes([gz()[-8] ^ 1]) + gz()[-7:], "damaged"),
    ("27 gzip with a wrong length", "a.tar.gz",
     lambda: gz()[:-4] + bytes([gz()[-4] ^ 1]) + gz()[-3:], "damaged"),
    ("28 gzip cut in half", "a.tar.gz", lambda: gz()[:len(gz()) // 2], "damaged|cut"),
    ("28 xz cut in half", "a.tar.xz", lambda: xz()[:len(xz()) // 2], "damaged|cut"),
    ("28 zstd cut in half", "a.tar.zst", lambda: archives.zstd(tar())[:2000], "damaged|cut"),
    ("28 xz with a flipped bit", "a.tar.xz",
     lambda: xz()[:-40] + bytes([xz()[-40] ^ 4]) + xz()[-39:], "damaged"),
    ("29 cut where an entry ends", "a.tar.gz", lambda: gzip.compress(GOOD), "no end mark"),
    ("30 garbage behind the gzip", "a.tar.gz", lambda: gz() + b"garbage", "behind"),
    ("30 garbage behind the xz", "a.tar.xz", lambda: xz() + b"garbage!", "behind|damaged"),
    ("30 two archives in a row", "a.tar.gz", lambda: gz() + gz(), "behind"),
    ("30 two tars in one gzip", "a.tar.gz", lambda: gzip.compress(tar() + tar()), "behind"),
    ("31 empty file", "a.tar.gz", lambda: b"", "empty"),
    ("31 nothing but zeros", "a.tar.gz", lambda: bytes(10240), "without files"),
    ("31 zeros in gzip", "a.tar.gz", lambda: gzip.compress(bytes(10240)), "without files"),
    ("32 a web page", "a.tar.gz", lambda: b"<!DOCTYPE html><html><body>Log in", "web page"),
    ("33 encrypted zip", "a.zip", lambda: archives.zip_of(["stack.ini"], True), "zip archive"),
    ("35 mtree", "a.tar.gz", lambda: b"#mtree\n./x type=file\n", "mtree"),
    ("35 rar", "a.tar.gz", lambda: b"Rar!\x1a\7\1\0" + bytes(600), "rar"),
    ("35 7z", "a.tar.gz", lambda: b"7z\xbc\xaf\x27\x1c\0\4" + bytes(600), "7z"),
    ("35 iso", "a.tar.gz", archives.iso, "not a tar|damaged|header"),
    ("35 cpio", "a.tar.gz", archives.cpio, "cpio"),
    ("35 ar", "a.tar.gz", lambda: b"!<arch>\ndebian-binary   " + bytes(600), "ar archive"),
    ("35 bzip2", "a.tar.bz2", lambda: b"BZh91AY&SY" + bytes(600), "bzip2"),
    ("35 lrzip", "a.tar.lrz", lambda: b"LRZI\0\6" + bytes(600), "lrzip"),
    ("36 a size of 8 EiB", "a.tar.gz",
     lambda: gz(header("huge", size=(1 << 63) - 1)), "large|size|damaged"),
    ("36 a negative size", "a.tar.gz", lambda: gz(header("minus", size=-512)), "size|damaged|header"),
    ("37 names of names", "a.tar.gz",
     lambda: gz(b"".join(entry("././@LongLink", "n" * 300 + "\0", kind=b"L") for _ in range(20000)),
                entry("x", "x")), "."),
]


@each_row(HOSTILE)
class Archives(Case):
    """`unpack ARCHIVE DIR`: 65 and not a byte outside, inside or beside."""

    def check_row(self, file, make, pattern):
        archive = self.place / file
        archive.write_bytes(make())
        (self.cwd / "victim").write_text("untouched\n")
        before = tree(self.place)
        result = self.run_measured("unpack", archive, "out")
        self.assert_refused(result, DATA, pattern)
        self.assertNotIn("\x1b", result.err)
        self.assertEqual(result.out, "")
        self.assertEqual(tree(self.place), before)
        self.assertLess(result.peak_kib, 64 * 1024)


class MoreArchives(Case):
    """What is no refusal, and what needs more than a file."""

    def unpack(self, data, name="a.tar.gz", **options):
        archive = self.place / name
        archive.write_bytes(data)
        return self.run_program("unpack", archive, "out", **options)

    def test_the_controls_are_taken(self):
        for name, data in (("a.tar", tar()), ("a.tar.gz", gz()), ("a.tar.xz", xz()),
                           ("b.tar.gz", archives.python_tar("stack.ini")),
                           ("c.tar.gz", archives.python_tar("probe-1.0/stack.ini")),
                           ("a.tar.zst", archives.zstd(tar()))):
            with self.subTest(name):
                archive = self.place / name
                archive.write_bytes(data)
                target = self.cwd / f"out-{name}"
                result = self.run_program("unpack", archive, target)
                self.assertEqual(result.status, 0, result)
                self.assertEqual((target / "stack.ini").read_text(), INI)

    def test_15_modes_are_ours(self):
        result = self.unpack(gz(entry("d/", kind=b"5", mode=0o777), entry("d/f", "x", mode=0o666),
                                entry("d/x", "x", mode=0o777)))
        self.assertEqual(result.status, 0, result)
        modes = {name: (self.cwd / "out" / name).stat().st_mode & 0o7777
                 for name in ("d", "d/f", "d/x")}
        self.assertEqual(modes, {"d": 0o755, "d/f": 0o644, "d/x": 0o755})

    def test_26_an_archive_inside_stays_closed(self):
        inner = gz(entry("../../victim", "x"))
        result = self.unpack(gz(entry("inner.tar.gz", inner)))
        self.assertEqual(result.status, 0, result)
        self.assertEqual((self.cwd / "out/inner.tar.gz").read_bytes(), inner)
        self.assertEqual(sorted(os.listdir(self.cwd / "out")), ["inner.tar.gz", "note", "stack.ini"])

    def test_34_no_program_is_run_for_zstd(self):
        fakes = self.make_fakes("zstd", "lrzip", "lzop", "grzip", "xz", "gzip")
        env = {"PATH": f"{fakes}:/usr/bin:/bin"}
        self.assertEqual(self.unpack(archives.zstd(tar()), "a.tar.zst", env=env).status, 0)
        for data in (archives.zstd(tar())[:99], b"LRZI" + bytes(600), b"\x89LZO" + bytes(600)):
            self.assert_refused(self.unpack(data, env=env), DATA)
        self.assertFalse((self.place / "ran").exists())

    def make_fakes(self, *names):
        """Programs that leave a trace when they are run."""
        directory = self.place / "fakes"
        directory.mkdir()
        for name in names:
            path = directory / name
            path.write_text(f'#!/bin/sh\necho "{name} $*" >>"{self.place}/ran"\n')
            path.chmod(0o755)
        return directory

    def test_37_a_pax_header_of_100_mib(self):
        archive = self.place / "a.tar"
        with open(archive, "wb") as file:
            file.write(GOOD + header("x", b"x", 100 << 20) + b"104857600 comment=")
            file.truncate(len(GOOD) + BLOCK + (100 << 20))
            file.seek(0, os.SEEK_END)
            file.write(entry("f", "x") + END)
        before = sorted(os.listdir(self.cwd))
        result = self.run_measured("unpack", archive, "out")
        self.assert_refused(result, DATA)
        self.assertLess(result.peak_kib, 64 * 1024)
        self.assertEqual(sorted(os.listdir(self.cwd)), before)

    def test_an_archive_that_is_a_fifo(self):
        os.mkfifo(self.place / "a.tar.gz")
        self.assert_refused(self.run_program("unpack", self.place / "a.tar.gz", "out"), DATA, "regular")

    def test_a_target_that_is_there(self):
        (self.cwd / "out").mkdir()
        (self.cwd / "out/mine").write_text("mine\n")
        before = tree(self.cwd)
        self.assert_refused(self.unpack(gz()), 73, "out")
        self.assertEqual(tree(self.cwd), before)

    def test_a_target_below_a_file(self):
        (self.cwd / "file").write_text("mine\n")
        archive = self.place / "a.tar.gz"
        archive.write_bytes(gz())
        before = tree(self.cwd)
        self.assert_refused(self.run_program("unpack", archive, "file/out"), 73)
        self.assertEqual(tree(self.cwd), before)

    def test_a_target_that_is_a_link(self):
        (self.cwd / "elsewhere").mkdir()
        os.symlink("elsewhere", self.cwd / "out")
        before = tree(self.cwd)
        self.assert_refused(self.unpack(gz()), 73)
        self.assertEqual(tree(self.cwd), before)


NEEDS = INI + "\n[needs]\n"
PORT = INI + "\n[port p]\nvariable = P\nnumber = "
STEP = INI + "\n[step a]\nkind = "

# name, content of stack.ini, place in the message
DEFINITIONS = [
    ("58 unknown key", NEEDS + "memroy = 1 GiB\n", r":14:\d+: unknown key.*memory"),
    ("58 unknown section", INI + "\n[neds]\n", r":13:\d+: unknown section"),
    ("58 wrong type", NEEDS + "cpus = many\n", r":14:\d+: "),
    ("58 a size without unit of ours", NEEDS + "memory = 2 GB\n", r":14:\d+: "),
    ("58 a line of 10 MB", NEEDS + "memory = " + "9" * 10_000_000 + "\n", "stack.ini|larger"),
    ("58 a line of 5000 bytes", NEEDS + "memory = " + "9" * 5000 + "\n", r":14:\d+: line too long"),
    ("58 NUL", NEEDS + "cpus = 1\0\n", r":14:\d+: NUL"),
    ("58 ESC", NEEDS + "cpus = \x1b[2J\n", r":14:\d+: control"),
    ("58 unclosed section", INI + "\n[needs\n", r":13:\d+: .*not closed"),
    ("58 text behind a section", INI + "\n[needs] x\n", r":13:\d+: "),
    ("58 key without a section", "name = probe\n" + INI, r":1:\d+: key without a section"),
    ("58 key without a value", NEEDS + "memory\n", r":14:\d+: "),
    ("58 the same key twice", NEEDS + "cpus = 1\ncpus = 2\n", r":15:\d+: "),
    ("58 empty file", "", r":1:1: "),
    ("58 UTF-16", INI.encode("utf-16"), r":1:\d+: "),
    ("58 Latin-1", INI.encode() + b"\n[service s]\nrole = caf\xe9\n", r":14:\d+: not UTF-8"),
    ("58 a later schema", INI.replace("schema = 1", "schema = 2"), r":2:\d+: .*later"),
    ("59 prefix that climbs", INI.replace("~/probe", "~/../../etc"), r":7:\d+: "),
    ("59 prefix of another user", INI.replace("~/probe", "~root/x"), r":7:\d+: "),
    ("59 prefix with a command", INI.replace("~/probe", "$(touch ran)"), r":7:\d+: "),
    ("59 name that climbs", INI.replace("= probe", "= ../probe"), r":3:\d+: "),
    ("59 version with backticks", INI.replace("1.0.0", "`touch ran`"), r":5:\d+: "),
    ("59 source with an option", INI + "\n[source]\nurl = --upload-pack=touch ran\n", r":14:\d+: "),
    ("59 source over ext", INI + "\n[source]\nurl = ext::sh -c touch% ran\n", r":14:\d+: "),
    ("59 health with a command", INI + "\n[service s]\nrole = r\nhealth = http://h/;touch ran\n",
     r":15:\d+: |"),
    ("60 port 0", PORT + "0\n", r":15:\d+: "),
    ("60 port 70000", PORT + "70000\n", r":15:\d+: "),
    ("60 port -1", PORT + "-1\n", r":15:\d+: "),
    ("60 port 8e1", PORT + "8e1\n", r":15:\d+: "),
    ("60 port 080 80", PORT + "80 80\n", r":15:\d+: "),
    ("a step of an unknown kind", STEP + "exec\n", r"stack.ini:1[34]"),
    ("a step that waits for itself", STEP + "directory\npath = @prefix@\nafter = a\n", r":16:\d+: "),
    ("a step that climbs", STEP + "directory\npath = @prefix@/../../../etc/x\n", r":14:1: "),
    ("a step at a relative place", STEP + "directory\npath = here/x\n", r":14:1: "),
    ("a step that is the root directory", STEP + "directory\npath = /\n", r":14:1: "),
    ("a file that climbs", STEP + "file\npath = @prefix@/x\nfrom = ../../etc/passwd\n", "stack.ini|file"),
]


@each_row(DEFINITIONS)
class Definitions(Case):
    """A stack.ini with one fault: `stacks` and `plan` name file, line and column; 78."""

    def check_row(self, ini, pattern):
        top = self.make_stack(ini=ini)
        before = tree(self.place)
        result = self.run_program("plan", top)
        self.assert_refused(result, CONFIG, pattern)
        self.assertNotIn("\x1b", result.err)
        self.assertLess(len(result.err), 2000)
        shown = self.run_program("stacks", top)
        self.assertIn(shown.status, (0, CONFIG), shown)
        installed = self.run_program("install", top, "--yes")
        self.assertNotEqual(installed.status, 0, installed)
        self.assertEqual(self.without_log(tree(self.place)), before)

    @staticmethod
    def without_log(found):
        return {path: what for path, what in found.items() if not path.startswith("home/.local")}


class MoreDefinitions(Case):
    """What is taken, literally."""

    def test_59_values_are_literal(self):
        for text in ("$(touch ran)", "`touch ran`", "; touch ran", "| touch ran", "${HOME}", "%s%n"):
            with self.subTest(text):
                ini = INI.replace("a directory and a file", text)
                top = self.make_stack(f"s{abs(hash(text))}", ini)
                result = self.run_program("stacks", top)
                self.assertEqual(result.status, 0, result)
                self.assertIn(text, result.out)
                self.assertFalse((self.cwd / "ran").exists())

    def test_58_windows_line_ends(self):
        """Taken or refused with a place; never half understood."""
        result = self.run_program("stacks", self.make_stack(ini=INI.replace("\n", "\r\n")))
        if result.status:
            self.assert_refused(result, CONFIG, r"stack.ini:1:\d+")
        else:
            self.assertIn("Probe", result.out)

    def test_a_directory_without_definition(self):
        (self.cwd / "empty").mkdir()
        self.assert_refused(self.run_program("plan", "./empty"), CONFIG, "no stack.ini")

    def test_a_definition_that_is_a_fifo(self):
        (self.cwd / "s").mkdir()
        os.mkfifo(self.cwd / "s/stack.ini")
        self.assert_refused(self.run_program("plan", "./s"), DATA, "FIFO|regular")

    def test_a_definition_that_is_a_link_outside(self):
        (self.cwd / "s").mkdir()
        os.symlink("/etc/passwd", self.cwd / "s/stack.ini")
        self.assert_refused(self.run_program("plan", "./s"), DATA, "leads out")

    def test_a_stack_that_is_nowhere(self):
        for name in ("nowhere", "../nowhere", "", "buttercup/"):
            self.assert_refused(self.run_program("plan", name), USAGE, "no stack")


# name, content of slipway.ini, what the message says
SETTINGS = [
    ("58 unknown setting", "[slipway]\nyess = yes\n", r'slipway.ini:2:\d+: there is no setting "yess"; did you mean "yes"'),
    ("58 unknown section", "[slip]\nyes = yes\n", r"slipway.ini:2:\d+: there is no section"),
    ("58 wrong type", "[slipway]\nlock-timeout = soon\n", r"slipway.ini:2:\d+: .*seconds"),
    ("58 a flag that is neither", "[slipway]\nyes = maybe\n", r"slipway.ini:2:\d+: .*yes or no"),
    ("58 unclosed", "[slipway\nyes = yes\n", r"slipway.ini:1:\d+: "),
    ("58 key without a section", "yes = yes\n", r"slipway.ini:1:\d+: "),
    ("58 NUL", "[slipway]\nprofile = a\0b\n", r"slipway.ini:2:\d+: NUL"),
    ("58 a line of 10 MB", "[slipway]\nprofile = " + "x" * 10_000_000 + "\n", "slipway.ini"),
    ("58 UTF-16", "[slipway]\n".encode("utf-16"), "slipway.ini:1:"),
    ("59 home of another user", "[slipway]\nprefix = ~root/x\n", r"slipway.ini:2:\d+: .*not a path"),
    ("59 empty path", "[slipway]\nbin =\n", r"slipway.ini:2:\d+: "),
    ("a timeout of a month", "[slipway]\nlock-timeout = 2678400\n", r"slipway.ini:2:\d+: "),
    ("a timeout below zero", "[slipway]\nlock-timeout = -1\n", r"slipway.ini:2:\d+: "),
]


@each_row(SETTINGS)
class SettingsFile(Case):
    """./slipway.ini with one fault: every command refuses, naming file, line and column; 78."""

    def check_row(self, text, pattern):
        (self.cwd / "slipway.ini").write_bytes(text if isinstance(text, bytes) else text.encode())
        before = tree(self.place)
        for command in (["config"], ["check"], ["install", "localagent", "--yes"]):
            result = self.run_program(*command)
            self.assertIn(result.status, (CONFIG, DATA), result)
            self.assert_refused(result, result.status, pattern)
        self.assertEqual(tree(self.place), before)


class MoreSettings(Case):
    def test_59_values_are_literal(self):
        text = "$(touch ran); `touch ran` && touch ran"
        (self.cwd / "slipway.ini").write_text(f"[slipway]\nprefix = {text}\nprofile = {text}\n")
        result = self.run_program("config")
        self.assertEqual(result.status, 0, result)
        self.assertIn(f"{self.cwd}/{text}", result.out)
        self.run_program("plan", self.make_stack())
        self.run_program("install", self.cwd / "stack", "--yes")
        self.assertFalse((self.cwd / "ran").exists())

    def test_a_settings_file_that_is_a_fifo(self):
        os.mkfifo(self.cwd / "slipway.ini")
        self.assert_refused(self.run_program("config"), DATA, "regular")

    def test_a_settings_file_that_is_a_directory(self):
        (self.cwd / "slipway.ini").mkdir()
        result = self.run_program("config")
        self.assertNotEqual(result.status, 0)
        self.assert_refused(result, result.status, "slipway.ini")

    def test_a_variable_that_is_wrong(self):
        result = self.run_program("config", env={"SLIPWAY_LOCK_TIMEOUT": "x\x1b[2J"})
        self.assert_refused(result, CONFIG, "SLIPWAY_LOCK_TIMEOUT")
        self.assertNotIn("\x1b", result.err)

    def test_a_variable_that_is_not_utf8(self):
        result = self.run_program("config", env={"SLIPWAY_PROFILE": "\udcff\udcfe"})
        self.assertIn(result.status, (0, CONFIG), result)
        result.out.encode()


if __name__ == "__main__":
    unittest.main(verbosity=2)
