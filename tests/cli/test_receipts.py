"""Receipts of every schema there ever was, kept for ever: each can still be read, and taken back.

tests/data/receipts/SCHEMA/ has a receipt.json, in which @home@ stands for the home, and what it speaks
of in home/ ("dot-local" stands for ".local").  A schema that is given out gets a directory, and none of
them is ever changed.

SPDX-License-Identifier: Apache-2.0
"""
import json
import os
import pathlib
import shutil
import unittest

from cli_support import TOP, Case

RECEIPTS = pathlib.Path(os.environ.get("TEST_DATA", TOP / "tests/data")) / "receipts"
SCHEMAS = sorted(path.name for path in RECEIPTS.iterdir())


class Receipts(Case):
    def install(self, schema):
        shutil.copytree(RECEIPTS / schema / "home", self.home, dirs_exist_ok=True)
        (self.home / "dot-local").rename(self.home / ".local")
        self.state.chmod(0o700)
        text = (RECEIPTS / schema / "receipt.json").read_text().replace("@home@", str(self.home))
        self.assertEqual(str(json.loads(text)["schema"]), schema)
        directory = self.state / "gen/1"
        directory.mkdir(parents=True)
        (directory / "receipt.json").write_text(text)
        (self.state / "current").symlink_to("gen/1")
        pathlib.Path(json.loads(text)["stacks"]["probe"]["stack_dir"]).mkdir(parents=True)

    def test_the_first_is_there(self):
        self.assertIn("1", SCHEMAS)

    def test_each_can_be_read(self):
        for schema in SCHEMAS:
            with self.subTest(schema):
                self.install(schema)
                result = self.run_program("status", "--json")
                self.assertEqual(result.status, 0, result)
                self.assertEqual(list(json.loads(result.out)["stacks"]), ["probe"])
                # The digests in it are those of another home, so its steps are not "ok".
                found = json.loads(self.run_program("doctor", "--json").out)["findings"]
                self.assertLessEqual({finding["id"] for finding in found}, {"drift"})

    def test_each_can_be_taken_back(self):
        for schema in SCHEMAS:
            with self.subTest(schema):
                self.install(schema)
                result = self.run_program("uninstall", "probe", "--yes", "--json")
                self.assertEqual(result.status, 0, result)
                self.assertEqual(json.loads(result.out)["left_in_place"], [])
                self.assertEqual(os.listdir(self.home), [".local"])
                self.assertEqual([str(path) for path in self.home.rglob("*tool*")], [])
                shutil.rmtree(self.home / ".local")


if __name__ == "__main__":
    unittest.main(verbosity=2)
