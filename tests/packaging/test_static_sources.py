"""The pins of the static build, what is said when one cannot be had, and the bill of materials."""
import contextlib
import hashlib
import io
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest
from unittest import mock

TOP = pathlib.Path(__file__).resolve().parents[2]
STATIC = TOP / "packaging/static"
sys.dont_write_bytecode = True
sys.path.insert(0, str(STATIC))

import sbom  # noqa: E402
import sources  # noqa: E402

SPDX = {"MIT", "Zlib", "BSD-2-Clause", "BSD-3-Clause", "0BSD", "Apache-2.0", "curl", "LGPL-2.1-or-later"}
COMPILER = {"type": "library", "bom-ref": "pkg:deb/debian/gcc-12@12.2.0-14?arch=source", "name": "libgcc",
            "version": "12.2.0-14", "licenses": sbom.licence("GPL-3.0-or-later WITH GCC-exception-3.1"),
            "hashes": [{"alg": "SHA-256", "content": "0" * 64}],
            "purl": "pkg:deb/debian/gcc-12@12.2.0-14?arch=source"}


def pin(name, content):
    return hashlib.sha256(content).hexdigest(), len(content), name


class Lock(unittest.TestCase):
    def test_every_stanza_is_whole(self):
        for fields in sources.read_lock():
            with self.subTest(fields["Package"]):
                self.assertIn(fields["Take"], ("source", "upstream", "binary"))
                self.assertIn(fields["License"], SPDX)
                self.assertEqual(fields["Purl"], sources.purl(fields))
                self.assertTrue(fields["Files"])
                for digest, size, name in fields["Files"]:
                    self.assertRegex(digest, "^[0-9a-f]{64}$")
                    self.assertGreater(size, 0)
                    self.assertNotIn("/", name)
                for patch in fields["Patches"].split():
                    self.assertTrue((STATIC / "patches" / patch).is_file(), patch)

    def test_no_patch_is_left_over(self):
        used = {patch for fields in sources.read_lock() for patch in fields["Patches"].split()}
        self.assertEqual({path.name for path in (STATIC / "patches").iterdir()}, used)

    def test_each_library_has_a_recipe(self):
        recipes = set(re.findall(r"^build_(\S+)\(\)", (STATIC / "recipe.sh").read_text(), re.M))
        self.assertEqual({fields["Package"] for fields in sources.read_lock()}, recipes)

    def test_written_again_it_is_the_same(self):
        with tempfile.TemporaryDirectory() as folder:
            copy = pathlib.Path(folder) / "lock"
            copy.write_text(sources.LOCK.read_text())
            sources.write_lock(sources.read_lock(), copy)
            self.assertEqual(copy.read_text(), sources.LOCK.read_text())


class Fetching(unittest.TestCase):
    """One package "demo" in a lock and a cache of its own; the mirror is told what it has."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        root = pathlib.Path(folder.name)
        (root / "files").mkdir()
        self.mirror = {}  # version -> (pins, {file: content that a download brings})
        fields = {"Package": "demo", "Version": "1.0-1", "Role": "demo", "Take": "source", "License": "MIT",
                  "Licenses": "", "Patches": "", "Purl": "none", "Files": [pin("demo_1.0.dsc", b"one")]}
        (root / "lock").write_text("# A lock.\n")
        sources.write_lock([fields], root / "lock")
        self.files = root / "files"
        read, write = sources.read_lock, sources.write_lock
        for name, value in {
                "FILES": self.files, "update": lambda: None, "download": self.download,
                "read_lock": lambda: read(root / "lock"),
                "write_lock": lambda stanzas: write(stanzas, root / "lock"),
                "index_of": lambda fields: {version: pins for version, (pins, _) in self.mirror.items()},
        }.items():
            patcher = mock.patch.object(sources, name, value)
            patcher.start()
            self.addCleanup(patcher.stop)

    def download(self, fields, version):
        for name, content in self.mirror.get(version, ((), {}))[1].items():
            (self.files / name).write_bytes(content)

    def run_command(self, *argv):
        said = io.StringIO()
        with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
            status = sources.main(["sources.py", *argv])
        return status, said.getvalue()

    def test_a_full_cache_asks_nobody(self):
        (self.files / "demo_1.0.dsc").write_bytes(b"one")
        with mock.patch.object(sources, "update", side_effect=AssertionError):
            self.assertEqual(self.run_command("fetch"), (0, ""))

    def test_what_is_missing_is_fetched(self):
        self.mirror["1.0-1"] = ([pin("demo_1.0.dsc", b"one")], {"demo_1.0.dsc": b"one"})
        self.assertEqual(self.run_command("fetch")[0], 0)
        self.assertEqual((self.files / "demo_1.0.dsc").read_bytes(), b"one")

    def test_a_mirror_with_other_bytes_is_refused(self):
        self.mirror["1.0-1"] = ([pin("demo_1.0.dsc", b"0ne")], {"demo_1.0.dsc": b"0ne"})
        status, said = self.run_command("fetch")
        self.assertEqual(status, 76)
        self.assertIn("other bytes than the lock pins: demo_1.0.dsc", said)

    def test_a_damaged_file_of_the_cache_is_fetched_again(self):
        (self.files / "demo_1.0.dsc").write_bytes(b"0ne")
        self.mirror["1.0-1"] = ([pin("demo_1.0.dsc", b"one")], {"demo_1.0.dsc": b"one"})
        status, said = self.run_command("fetch")
        self.assertEqual(status, 0, said)
        self.assertIn("demo_1.0.dsc differs from its pin; it is fetched again", said)
        self.assertEqual((self.files / "demo_1.0.dsc").read_bytes(), b"one")

    def test_without_a_mirror_the_damaged_file_is_the_error(self):
        for content, expected in ((b"0ne", 76), (None, 69)):
            with self.subTest(content):
                if content:
                    (self.files / "demo_1.0.dsc").write_bytes(content)
                else:
                    (self.files / "demo_1.0.dsc").unlink()
                with mock.patch.object(sources, "update", side_effect=sources.Failure("no route")):
                    status, said = self.run_command("fetch")
                self.assertEqual(status, expected)
                self.assertIn("no route", said)
                self.assertEqual("demo_1.0.dsc: other bytes" in said, expected == 76)

    def test_a_file_that_the_index_promises_and_the_mirror_lacks(self):
        self.mirror["1.0-1"] = ([pin("demo_1.0.dsc", b"one")], {})
        status, said = self.run_command("fetch")
        self.assertEqual(status, 69)
        self.assertIn("cannot be had: demo_1.0.dsc; try again", said)

    def test_a_pin_that_is_gone_is_named_with_both_versions_and_the_command(self):
        self.mirror["1.0-2"] = ([pin("demo_1.0-2.dsc", b"two")], {})
        status, said = self.run_command("fetch")
        self.assertEqual(status, 69)
        for word in ("demo: the lock pins version 1.0-1", "it has 1.0-2", "make static-relock PACKAGE=demo"):
            self.assertIn(word, said)

    def test_relock_takes_the_newest_that_can_be_had_and_says_what_it_passed_over(self):
        self.mirror["1.0-3"] = ([pin("demo_3.dsc", b"three")], {})
        self.mirror["1.0-2"] = ([pin("demo_2.dsc", b"two")], {"demo_2.dsc": b"two"})
        status, said = self.run_command("relock")
        self.assertEqual(status, 0, said)
        self.assertIn("1.0-3 is passed over: the mirror lacks demo_3.dsc", said)
        self.assertIn("demo: 1.0-1 -> 1.0-2", said)
        after = sources.read_lock()[0]
        self.assertEqual((after["Version"], after["Files"]), ("1.0-2", [pin("demo_2.dsc", b"two")]))
        self.assertEqual(after["Purl"], "pkg:deb/debian/demo@1.0-2?arch=source&distro=trixie")
        self.assertEqual(self.run_command("relock", "demo")[0], 0)
        self.assertEqual(sources.read_lock(), [after])

    def test_relock_of_what_is_not_in_the_lock(self):
        status, said = self.run_command("relock", "other")
        self.assertEqual(status, 69)
        self.assertIn("not in the lock: other", said)


class Bill(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        with mock.patch.dict("os.environ", SOURCE_DATE_EPOCH="1700000000"):
            self.bill = sbom.bill("x86_64", "1.2.3", self.folder, COMPILER)

    def test_it_has_the_shape_of_cyclonedx(self):
        self.assertEqual((self.bill["bomFormat"], self.bill["specVersion"], self.bill["version"]),
                         ("CycloneDX", "1.5", 1))
        self.assertRegex(self.bill["serialNumber"], r"^urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")
        self.assertEqual(self.bill["metadata"]["timestamp"], "2023-11-14T22:13:20Z")
        for part in self.bill["components"]:
            with self.subTest(part["name"]):
                self.assertEqual(part["type"], "library")
                self.assertTrue(part["version"] and part["purl"].startswith("pkg:deb/debian/"))
                self.assertRegex(part["hashes"][0]["content"], "^[0-9a-f]{64}$")
                for licence in part["licenses"]:
                    self.assertEqual(len(set(licence) & {"license", "expression"}), 1)

    # What the schema of CycloneDX 1.5 knows of each object that we write; it forbids everything else.
    FIELDS = {
        "": {"bomFormat", "specVersion", "serialNumber", "version", "metadata", "components", "dependencies"},
        "metadata": {"timestamp", "component"},
        "component": {"type", "bom-ref", "supplier", "name", "version", "description", "scope", "hashes",
                      "licenses", "purl", "externalReferences", "pedigree"},
        "supplier": {"name"},
        "hashes": {"alg", "content"},
        "licenses": {"license", "expression"},
        "license": {"id"},
        "externalReferences": {"type", "url", "hashes"},
        "pedigree": {"patches", "notes"},
        "patches": {"type", "diff"},
        "diff": {"text", "url"},
        "text": {"contentType", "content"},
        "dependencies": {"ref", "dependsOn"},
    }
    WORDS = {"type": {"application", "library", "distribution", "unofficial"}, "scope": {"required"},
             "alg": {"SHA-256"}, "specVersion": {"1.5"}, "contentType": {"text/x-diff"}}

    def test_it_has_no_field_and_no_word_that_the_schema_does_not_know(self):
        def walk(name, value):
            if isinstance(value, list):
                for one in value:
                    walk(name, one)
            elif isinstance(value, dict):
                self.assertLessEqual(set(value), self.FIELDS["component" if name == "components" else name], name)
                for key, inner in value.items():
                    walk(key, inner)
            else:
                self.assertNotIn(value, ("", None), name)
                self.assertTrue(name not in self.WORDS or value in self.WORDS[name], (name, value))
        walk("", self.bill)

    def test_a_part_without_a_licence_text_is_named(self):
        parts = [{"name": "full"}, {"name": "hollow"}, {"name": "absent"}]
        for name, text in (("full", "do as you like"), ("hollow", "")):
            (self.folder / "licenses" / name).mkdir(parents=True)
            (self.folder / "licenses" / name / "COPYING").write_text(text)
        self.assertEqual(sbom.without_licence(parts, self.folder), ["hollow", "absent"])

    def test_it_names_everything_that_is_linked_in_and_no_tool(self):
        names = [part["name"] for part in self.bill["components"]]
        self.assertEqual(names, sorted(names))
        self.assertLessEqual({"musl", "libgcc", "glib2.0", "openssl", "libsecret"}, set(names))
        self.assertNotIn("meson", names)
        refs = {part["bom-ref"] for part in self.bill["components"]}
        self.assertEqual(len(refs), len(names))
        self.assertEqual(set(self.bill["dependencies"][0]["dependsOn"]), refs)

    def test_our_patches_are_in_it(self):
        part = next(part for part in self.bill["components"] if part["name"] == "libsecret")
        self.assertIn("secret-service.c", part["pedigree"]["patches"][0]["diff"]["text"]["content"])

    def test_the_same_input_gives_the_same_bill(self):
        with mock.patch.dict("os.environ", SOURCE_DATE_EPOCH="1700000000"):
            again = sbom.bill("x86_64", "1.2.3", self.folder, COMPILER)
            (self.folder / "slipway").write_bytes(b"program")
            other = sbom.bill("x86_64", "1.2.3", self.folder, COMPILER)
        self.assertEqual(json.dumps(self.bill), json.dumps(again))
        self.assertNotEqual(self.bill["serialNumber"], other["serialNumber"])


class Check(unittest.TestCase):
    def test_a_program_that_needs_libraries_is_refused(self):
        done = subprocess.run([STATIC / "check.sh", "/bin/true"], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 1)
        for word in ("asks for an interpreter", "needs shared libraries", "stack size"):
            self.assertIn(word, done.stderr)


class Bench(unittest.TestCase):
    """The verdicts over made-up figures: a stand-in prints them in the place of bench_run."""

    def bench(self, start_us, resident_kib, budgets="6 1.5 8"):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            for name in ("static", "dynamic"):
                (root / name).write_bytes(b"x" * 1048576)
            # Each batch is slower than the one before: the least median counts.
            (root / "bench").write_text(
                f"#!/bin/sh\necho x >>'{root}/batch'\nslow=$(wc -l <'{root}/batch')\nshift\nfor one; do\n"
                f'  case $one in */static*) us=$(({start_us} + slow * 9)) ;; *) us=$((1000 + slow * 9)) ;; esac\n'
                f'  echo "$us 400 {resident_kib} $one"\ndone\n')
            (root / "bench").chmod(0o755)
            done = subprocess.run([TOP / "tests/bench_static.sh", *(root / name for name in (
                "static", "dynamic", "bench"))], capture_output=True, text=True, check=False,
                env={"PATH": "/usr/bin:/bin", "BUDGETS": budgets, "BATCHES": "3"})
        return done.returncode, re.findall(r"^(ok|BROKEN) .* (\S+) of", done.stdout, re.M), done.stderr

    def test_each_budget_can_break(self):
        for figures, expected in (
                ((1200, 4096), (0, [("ok", "1.00"), ("ok", "1.20"), ("ok", "4.00")])),
                ((1700, 4096), (1, [("ok", "1.00"), ("BROKEN", "1.69"), ("ok", "4.00")])),
                ((1200, 9216), (1, [("ok", "1.00"), ("ok", "1.20"), ("BROKEN", "9.00")])),
                ((1200, 4096, "0.5 1.5 8"), (1, [("BROKEN", "1.00"), ("ok", "1.20"), ("ok", "4.00")]))):
            with self.subTest(figures):
                self.assertEqual(self.bench(*figures), (*expected, ""))


if __name__ == "__main__":
    unittest.main()
