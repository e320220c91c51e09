"""A stack of one's own: "stack new", "stack lint", and ports that move out of another's way.  What docker compose has to read is judged in
tests/scenarios/test_localagent.py and, rule by rule, in tests/test_installer_stack_lint.c.

SPDX-License-Identifier: Apache-2.0
"""
import contextlib
import json
import random
import socket
import unittest

from cli_support import STACK_INI, STEPS, Case

TEST = """
[test note]
run = /bin/cat @prefix@/note
"""
PROJECT = """
[key TOKEN]
kind = generated
title = nobody
services = web

[service web]
role = shows a page

[step containers]
kind = compose
after = note
project = probe
directory = @prefix@
files = note
"""


class New(Case):
    def test_makes_a_stack_that_passes(self):
        made = self.run_program("stack", "new", "pond", "--json")
        self.assertEqual(made.status, 0, made)
        document = json.loads(made.out)
        self.assertEqual(document["directory"], str(self.cwd / "pond"))
        for name in document["files"]:
            text = (self.cwd / "pond" / name).read_text()
            self.assertNotIn("my-stack", text)
        self.assertIn("README.md", document["files"])
        linted = self.run_program("stack", "lint", "./pond", "--no-compose", "--json")
        self.assertEqual((linted.status, json.loads(linted.out)["failed"]), (0, 0), linted)
        shown = self.run_program("stacks", "./pond")
        self.assertEqual(shown.status, 0, shown)

    def test_what_is_there_is_never_touched(self):
        (self.cwd / "pond").mkdir()
        (self.cwd / "pond/mine").write_text("mine\n")
        self.assert_refused(self.run_program("stack", "new", "pond"), 73, "pond is there already")
        self.assertEqual([path.name for path in (self.cwd / "pond").iterdir()], ["mine"])

    def test_names(self):
        for name, pattern in (("Pond", "no name of a stack"), ("../pond", "no name of a stack"),
                              ("p", "no name of a stack"), ("localagent", "embedded")):
            with self.subTest(name):
                self.assert_refused(self.run_program("stack", "new", name), 64, pattern)
        self.assertEqual(list(self.cwd.iterdir()), [])

    def test_a_directory_that_cannot_be_written(self):
        self.become_ordinary()
        self.cwd.chmod(0o555)
        self.assert_refused(self.run_program("stack", "new", "pond"), 77)


class Lint(Case):
    def lint(self, *arguments, status=0, cwd=None):
        done = self.run_program("stack", "lint", "--no-compose", "--json", *arguments, cwd=cwd)
        self.assertEqual(done.status, status, done)
        return json.loads(done.out)

    def test_every_embedded_stack_passes(self):
        listed = json.loads(self.run_program("stacks", "--json").out)
        names = [stack["name"] for stack in listed["stacks"]]
        self.assertGreaterEqual(len(names), 3)
        for name in names:
            with self.subTest(name):
                document = self.lint(name)
                self.assertEqual((document["stack"], document["failed"]), (name, 0))
                self.assertIn("--no-compose", document["compose_not_judged"])

    def test_findings_say_where_why_and_what_to_do(self):
        self.make_stack(ini=STACK_INI + STEPS + PROJECT)
        document = self.lint("./stack", status=1)
        found = {finding["rule"]: finding for finding in document["findings"]}
        self.assertEqual(set(found), {"test", "key-step", "key-boot"})
        self.assertEqual(document["failed"], 3)
        lines = (self.cwd / "stack/stack.ini").read_text().splitlines()
        key = found["key-step"]
        self.assertEqual((key["subject"], key["file"]), ("TOKEN", "./stack/stack.ini"))
        self.assertEqual(lines[key["line"] - 2], "[key TOKEN]")
        self.assertTrue(key["why"] and key["remedy"] and not key["is_excepted"])

        shown = self.run_program("stack", "lint", "--no-compose", cwd=self.cwd / "stack")
        self.assertRegex(shown.out, rf"(?m)^\./stack\.ini:{key['line']}: key-step: no step makes")
        self.assert_refused(shown, 1, "probe: 3 findings")

    def test_a_step_that_cannot_be_planned(self):
        self.make_stack(ini=STACK_INI + STEPS + TEST + "\n[step more]\nkind = file\nfrom = note\n")
        document = self.lint("./stack", status=1)
        self.assertEqual([finding["rule"] for finding in document["findings"]], ["plan"])
        self.assertIn('[step more] needs the key "path"', document["findings"][0]["what"])

    def test_exceptions(self):
        exception = "\n[exception a]\nrule = {}\non = {}\nreason = it has to be\n"
        self.make_stack(ini=STACK_INI + STEPS + exception.format("test", "native"))
        document = self.lint("./stack")
        self.assertEqual((document["failed"], document["excepted"]), (0, 1))
        self.assertEqual(document["findings"][0]["reason"], "it has to be")

        self.make_stack("other", STACK_INI + STEPS + exception.format("test", "somebody"))
        self.assertEqual(self.lint("./other", status=1)["findings"][0]["rule"], "test")

        self.make_stack("third", STACK_INI + STEPS + TEST + exception.format("tests", "native"))
        found = self.lint("./third", status=1)["findings"]
        self.assertEqual([one["rule"] for one in found], ["exception"])

    def test_what_is_no_definition(self):
        self.make_stack(ini="[stack]\nschema = 1\nnam = x\n")
        self.assert_refused(self.run_program("stack", "lint", "./stack"), 78, r"stack\.ini:3:")
        self.assert_refused(self.run_program("stack", "lint", "nobody"), 64)
        self.assert_refused(self.run_program("stack", "lint"), 78, "no stack.ini")

    def test_without_compose_files_none_is_missed(self):
        self.make_stack(ini=STACK_INI + STEPS + TEST)
        done = self.run_program("stack", "lint", "./stack", env={"DOCKER_CONFIG": "/nonexistent"})
        self.assertEqual(done.status, 0, done)


@contextlib.contextmanager
def listener(*numbers):
    """Somebody else has these ports."""
    with contextlib.ExitStack() as stack:
        for number in numbers:
            stack.enter_context(socket.create_server(("127.0.0.1", number)))
        yield


def free_pair():
    """Two neighbours that are free, here and 10000 and 20000 higher, below what connections get."""
    while True:
        first = random.randrange(5000, 12000)
        with contextlib.suppress(OSError), listener(
                *(first + more + distance for more in (0, 1) for distance in (0, 10000, 20000))):
            return first, first + 1


class Ports(Case):
    def setUp(self):
        super().setUp()
        self.web, self.store = free_pair()

    def make(self, name, template="yes"):
        ini = (STACK_INI + STEPS).replace("probe", name) + f"template = {template}\n" + "".join(
            f"\n[port {port}]\nnumber = {number}\nvariable = {port.upper()}\n"
            for port, number in (("web", self.web), ("store", self.store)))
        return self.make_stack(name, ini, note="WEB=@port_web@\nSTORE=@port_store@\n")

    def install(self, stack, status=0):
        done = self.run_program("install", stack, "--yes", "--json", "--ignore", "disk.space,mem.total")
        self.assertEqual(done.status, status, done)
        return json.loads(done.out)

    def note(self, name):
        return (self.home / name / "note").read_text()

    def test_stay_where_they_are_free(self):
        document = self.install(self.make("one"))
        self.assertEqual((document["ports"], document["port_taken"]),
                         ({"web": self.web, "store": self.store}, None))
        self.assertEqual(self.note("one"), f"WEB={self.web}\nSTORE={self.store}\n")

    def test_move_as_a_set_and_stay_there(self):
        stack = self.make("one")
        with listener(self.store):
            shown = self.run_program("plan", stack)
            self.assertIn(f"Port {self.store} is taken; all move, and stay there: "
                          f"web {self.web + 10000} store {self.store + 10000}\n", shown.out)
            document = self.install(stack)
            self.assertEqual(document["port_taken"], str(self.store))
            moved = f"WEB={self.web + 10000}\nSTORE={self.store + 10000}\n"
            self.assertEqual(self.note("one"), moved)
        self.assertFalse(self.install(stack)["changed"])
        self.assertEqual(self.note("one"), moved)
        self.assertEqual(json.loads(self.run_program("plan", stack, "--json").out)["ports"]["web"],
                         self.web + 10000)

    def test_the_nearest_place_is_taken_too(self):
        with listener(self.web, self.store + 10000):
            self.install(self.make("one"))
        self.assertEqual(self.note("one"), f"WEB={self.web + 20000}\nSTORE={self.store + 20000}\n")

    def test_a_stack_that_is_installed_keeps_its_ports(self):
        self.install(self.make("one"))
        document = self.install(self.make("two"))
        self.assertEqual(document["ports"]["web"], self.web + 10000)
        self.assertEqual(self.note("one"), f"WEB={self.web}\nSTORE={self.store}\n")

    def test_a_stack_whose_files_name_no_ports_is_not_moved(self):
        stack = self.make("one", template="no")
        with listener(self.web):
            document = self.install(stack, status=1)
        self.assertIn(f"port.{self.web}", document["error"]["message"])
        self.assertFalse((self.home / "one").exists())

    def test_what_a_person_wrote_is_kept(self):
        stack = self.make("one")
        self.install(stack)
        (self.home / "one/note").write_text("WEB=1234\nSTORE=1235\n")
        self.assertFalse(self.install(stack)["changed"])
        self.assertEqual(self.note("one"), "WEB=1234\nSTORE=1235\n")


if __name__ == "__main__":
    unittest.main()
