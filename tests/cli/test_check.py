"""slipway check: its words, its table, its document, its page, and what it costs the machine.

SPDX-License-Identifier: Apache-2.0
"""
import collections
import contextlib
import json
import os
import re
import socket
import subprocess
import threading
import time
import unittest

import jsonschema

from cli_support import STACK_INI, STEPS, TOP, Case, each_row, tree
from facts_files import machine, names
from html_page import Reader

SCHEMA = json.loads((TOP / "packaging/schemas/check.json").read_text(encoding="utf-8"))
STACKS = ("buttercup", "localagent", "octollm")


class Check(Case):
    def facts(self, name, **changes):
        """A file with the facts of a machine."""
        path = self.cwd / f"{name}.json"
        path.write_text(json.dumps(machine(name, **changes)))
        return path.name

    def document(self, *arguments, status=None):
        result = self.run_program("check", *arguments, "--json")
        document = json.loads(result.out)
        self.assertEqual(result.status, document["exit"])
        if status is not None:
            self.assertEqual(result.status, status, result)
        return document


class Piped(Check):
    """The facts of another machine come through a pipe."""

    def judge(self, text):
        return self.run_program("check", "octollm", "--facts", "-", input=text)

    def test_as_from_a_file(self):
        facts = self.facts("laptop-4gib")
        expected = self.run_program("check", "octollm", "--facts", facts)
        judged = self.judge((self.cwd / facts).read_bytes())
        self.assertEqual(expected.status, 1)
        self.assertEqual((judged.status, judged.out, judged.err), (1, expected.out, expected.err))

    def test_bad(self):
        for text, pattern in ((b"", "stdin:1:1: empty"), (b"{", "stdin:1"), (b"[]", "stdin"), (b'{"schema": 99}', "stdin"),
                              (b" " * (1024 * 1024 + 1), "stdin is larger than 1048576 bytes")):
            with self.subTest(text[:20]):
                self.assert_refused(self.judge(text), 65, pattern)

    def test_no_stdin(self):
        directory = os.open(self.cwd, os.O_RDONLY)
        result = self.run_program("check", "--facts", "-", stdin=directory)
        os.close(directory)
        self.assert_refused(result, 74, "cannot read stdin")


class Table(Check):
    def test_each_row_is_whole(self):
        rows = self.document("--list", status=0)["checks"]
        self.assertEqual(len({row["id"] for row in rows}), len(rows))
        self.assertGreater(len(rows), 40)
        for row in rows:
            with self.subTest(row["id"]):
                self.assertIn(row["severity"], ("fail", "warn", "info"))
                self.assertIn(row["cost"], ("local", "engine", "network", "slow"))
                self.assertRegex(row["remedy"], r"[.]$")
                self.assertTrue(row["title"] and row["source"])

    def test_it_is_printed(self):
        result = self.run_program("check", "--list")
        lines = result.out.splitlines()
        self.assertRegex(lines[0], r"^id +severity +cost +what +source")
        self.assertRegex(result.out, r"(?m)^mem\.total +fail +local +memory +kernel")
        self.assertRegex(lines[-1], r"^\d+ checks\.")

    def test_a_part_of_it(self):
        rows = self.document("--list", "disk.*", "arch", status=0)["checks"]
        self.assertEqual({row["id"].split(".")[0] for row in rows}, {"disk", "arch"})

    def test_explained(self):
        result = self.run_program("check", "explain", "mem.total", "port.8080")
        self.assertEqual(result.status, 0, result)
        self.assertRegex(result.out, r"(?m)^mem\.total: memory$")
        self.assertRegex(result.out, r"(?m)^port\.free: TCP port$")
        for word in ("why", "not met", "source", "fix", "cost"):
            self.assertRegex(result.out, rf"(?m)^  {word} +\S")

    def test_each_is_explained(self):
        rows = json.loads(self.run_program("check", "explain", "*", "--json").out)["checks"]
        self.assertEqual(rows, self.document("--list")["checks"])
        for row in rows:
            self.assertGreater(len(row["explain"] or ""), 20, row["id"])


# What is typed behind "check": status, what is said
WORDS = [
    ("a check", ["mem.total"], 0, r"(?m)^ok +mem\.total"),
    ("in any case", ["MEM.Total"], 0, r"(?m)^ok +mem\.total"),
    ("a pattern", ["mem.*"], 0, r"(?m)^ok +mem\.total"),
    ("a stack and a check", ["octollm", "arch"], 0, r"checks for OctoLLM"),
    ("a check and a stack", ["arch", "octollm"], 0, r"checks for OctoLLM"),
    ("a port of the stack", ["octollm", "port.8080"], 0, r"(?m)^ok +port\.8080"),
    ("a wrong check", ["mem.totl"], 64, r'did you mean "mem\.total"\?'),
    ("a wrong check behind a stack", ["octollm", "os.kernl"], 64, r'did you mean "os\.kernel"\?'),
    ("two stacks", ["octollm", "localagent"], 64, r"one stack at a time"),
    ("no stack", ["nowhere"], 64, r"there is no stack"),
    ("a path with a dot", ["./mem.totl"], 64, r"mem\.totl"),
    ("nothing to explain", ["explain"], 64, r"usage"),
    ("a wrong check to explain", ["explain", "mem.totl"], 64, r'did you mean "mem\.total"\?'),
    ("a wrong check in a list", ["--list", "mem.totl"], 64, r'did you mean "mem\.total"\?'),
]


@each_row(WORDS)
class Words(Check):
    def check_row(self, words, status, pattern):
        more = [] if words[0] == "explain" else ["--facts", self.facts("linux")]
        result = self.run_program("check", *words, *more)
        self.assertEqual(result.status, status, result)
        self.assertRegex(result.out + result.err, pattern)


class Installed(Check):
    def test_secrets_that_others_can_read(self):
        store = self.home / ".local/share/slipway/keystore"
        store.parent.mkdir(parents=True)
        for mode, status, measured in ((0o644, "warn", f"0644 {store}"), (0o600, "pass", "1, for the owner alone")):
            store.touch()
            store.chmod(mode)
            finding, = self.document("secrets.mode", status=0)["checks"]
            self.assertEqual((finding["status"], finding["measured"]), (status, measured))

    def test_memory_of_all_stacks(self):
        needs = "\n[needs]\nmemory = {}\n"
        other = self.make_stack("other", STACK_INI + STEPS + needs.format("1 GiB"))
        one = self.make_stack("one", STACK_INI.replace("probe", "one") + STEPS + needs.format("900000 GiB"))
        self.assertEqual(self.document(one, "mem.stack_sum", status=0)["checks"][0]["status"], "skipped")
        self.assertEqual(self.run_program("install", other, "--yes").status, 0)
        finding, = self.document(one, "mem.stack_sum", status=0)["checks"]
        self.assertEqual((finding["status"], finding["needed_value"]), ("warn", 900001 << 30))
        self.assertIn("slipway down", finding["remedy"])
        finding, = self.document(other, "mem.stack_sum", status=0)["checks"]
        self.assertEqual(finding["status"], "skipped")


class Findings(Check):
    def test_only_what_was_asked_for_counts(self):
        facts = self.facts("laptop-4gib")
        self.assertEqual(self.run_program("check", "octollm", "--facts", facts).status, 1)
        document = self.document("octollm", "arch", "os.*", "--facts", facts, status=0)
        self.assertEqual({check["id"].split(".")[0] for check in document["checks"]}, {"arch", "os"})

    def test_failures_come_first_and_passes_are_folded(self):
        result = self.run_program("check", "octollm", "--facts", self.facts("laptop-4gib"))
        marks = [line.split()[0] for line in result.out.splitlines()[2:] if line[0] not in " 0123456789"]
        self.assertEqual(marks, sorted(marks, key=["FAIL", "warn", "?", "ok"].index))
        self.assertEqual(marks.count("ok"), 1)
        self.assertRegex(result.out, r"(?m)^2 CPUs, 3\.\d GiB memory, .*Docker 27\.3\.1")

    def test_what_has_one_cause_is_said_once(self):
        result = self.run_program("check", "octollm", "--facts", self.facts("docker-socket-inside"))
        self.assertRegex(result.out, r"(?m)^\?    port\.5432 port\.6379 .*TCP port: not visible")
        self.assertEqual(result.out.count("not visible"), 1)

    def test_the_list_to_ignore_lets_all_pass(self):
        facts = self.facts("disk-full")
        result = self.run_program("check", "octollm", "--facts", facts)
        words = re.search(r"(?m)^To go on anyway: (--ignore \S+)$", result.err)[1].split()
        document = self.document("octollm", "--facts", facts, *words, status=0)
        self.assertEqual(document["ignore"], words[1])
        self.assertGreater(document["ignored_count"], 0)

    def test_documents_are_as_the_schema_says(self):
        jsonschema.Draft7Validator.check_schema(SCHEMA)
        validator = jsonschema.Draft7Validator(SCHEMA)
        for name in ("linux", "laptop-4gib", "macos-desktop-unreadable", "kubernetes-pod",
                     "windows-containers", "ports-taken", "wsl2-not-integrated"):
            for stack in STACKS:
                with self.subTest(name, stack=stack):
                    validator.validate(self.document(
                        stack, "--facts", self.facts(name), "--ignore", "mem.*,engine.disk"))
        validator.validate(self.document())

    def test_the_schema_refuses_what_is_not_said_there(self):
        validator = jsonschema.Draft7Validator(SCHEMA)
        document = self.document("octollm", "--facts", self.facts("linux"), status=0)
        for change in ({"news": 1}, {"schema": 2}, {"checks": [{"id": "mem.total"}]}, {"counts": {}}):
            with self.assertRaises(jsonschema.ValidationError):
                validator.validate({**document, **change})


class Page(Check):
    def page(self, *arguments, status):
        path = self.cwd / "page.html"
        result = self.run_program("check", *arguments, "--html", path.name)
        self.assertEqual(result.status, status, result)
        text = path.read_text(encoding="utf-8")
        reader = Reader(text)
        self.assertEqual((reader.open, reader.foreign), ([], []))
        return text, [row for row in reader.rows if row], reader

    def test_it_has_every_finding_worst_first(self):
        facts = self.facts("laptop-4gib")
        _, rows, reader = self.page("octollm", "--facts", facts, status=1)
        checks = self.document("octollm", "--facts", facts)["checks"]
        self.assertIn("checks for OctoLLM on Debian GNU/Linux 12", reader.title)
        self.assertEqual({row[0] for row in rows}, {check["status"] for check in checks})
        marks = [row[0] for row in rows]
        order = ["fail", "warn", "unknown", "pass", "ignored", "skipped"]
        self.assertEqual(marks, sorted(marks, key=order.index))
        for check in checks:
            shown = check["measured"].replace("/home/ana", "~")
            self.assertTrue(any(check["id"] in row[1] and shown in row[2] for row in rows), check)

    def test_it_can_be_handed_on(self):
        """Neither the user, nor the home, nor a host of the machine that was judged."""
        home = "/home/zacharias"
        facts = self.facts(
            "engine-wrong-context", system={"home": home}, network={
                "http_proxy": "http://zacharias:pw@gate.corp.example:3128", "proxy_why": "gate.corp.example is odd"},
            engine={"endpoint": "tcp://build7.corp.example:2376", "why": "tcp://build7.corp.example:2376 is far",
                    "cli": f"{home}/bin/docker"},
            client={"config": f"{home}/.docker/config.json", "config_why": f"{home}/.docker/config.json: no JSON",
                    "is_config_valid": False, "dangling": "/media/zacharias/stick/docker"},
            packages={"is_locked": True, "lock_file": f"{home}/lock", "lock_pid": 1, "lock_holder": "apt"},
            directories=[{"path": home, "existing": home, "is_writable": False}])
        text, _, _ = self.page("buttercup", "--facts", facts, status=0)
        for word in ("zacharias", "corp.example", "pw@"):
            self.assertNotIn(word, text)
        self.assertIn("HOST:2376", text)
        self.assertIn("~", text)

    def test_it_does_not_tell_this_machine_either(self):
        os.mkdir(self.home / "stack")
        text, _, _ = self.page("localagent", "--prefix", self.home / "stack", "--ignore", "*", status=0)
        self.assertNotIn(str(self.home), text)
        if re.search(r"[-.0-9]", socket.gethostname()):  # else a plain word, as "vm"
            self.assertNotRegex(text, rf"\b{re.escape(socket.gethostname())}\b")

    def test_hostile_facts_are_text(self):
        facts = self.facts("linux", system={"pretty": "<script>alert(1)</script>\x1b[2J"},
                           engine={"storage_driver": "\"><img src=x>"})
        text, _, _ = self.page("octollm", "--facts", facts, status=0)
        self.assertIn("&lt;script&gt;", text)
        self.assertNotIn("\x1b", text)

    def test_a_place_that_cannot_be_written(self):
        (self.cwd / "page.html").mkdir()
        before = tree(self.place)
        self.assert_refused(self.run_program("check", "--html", "page.html"), 73, "cannot be written")
        self.assertEqual(tree(self.place), before)


OPENED = re.compile(r'(?:openat\(AT_FDCWD|open\(), "([^"]+)".* = \d+')
# The loader, the C library, libselinux and the sanitizers read these for themselves.
NOT_OURS = re.compile(r"^/(lib|usr/lib|usr/share/locale|etc/ld\.so|etc/localtime|usr/share/zoneinfo)|"
                      r"^/proc/(filesystems|self/(maps|cmdline|environ|exe))$|gcda$")


class Cost(Check):
    def trace(self, *arguments):
        log = self.place / "trace"
        subprocess.run(["strace", "-f", "-s", "400", "-e",
                        "trace=execve,execveat,fork,vfork,open,openat,connect", "-o", log, self.program, "check",
                        *arguments], cwd=self.cwd, env=self.environment(), stdin=subprocess.DEVNULL,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
        return log.read_text(encoding="utf-8", errors="replace").splitlines()

    def test_no_program_is_run_and_no_file_is_read_twice(self):
        """Not even a compose plugin of which no file says the version."""
        plugin = self.home / ".docker/cli-plugins/docker-compose"
        plugin.parent.mkdir(parents=True)
        plugin.write_text("#!/bin/sh\necho '{\"Version\":\"9.9.9\"}'\n")
        plugin.chmod(0o755)
        self.assertIn("9.9.9", self.run_program("check", "buttercup", "--all", "--ignore", "*").out)
        for stack in STACKS:
            with self.subTest(stack):
                lines = self.trace(stack)
                self.assertEqual(len([line for line in lines if re.search(r"\bexecve(at)?\(", line)]), 1)
                self.assertFalse([line for line in lines if re.search(r"\bv?fork\(", line)])
                opened = [match[1] for line in lines if (match := OPENED.search(line))]
                self.assertGreater(len(opened), 10)
                self.assertFalse([path for path in opened if re.match(r"/proc/(\d+|self)?/?net/(tcp|udp)", path)])
                ours = collections.Counter(path for path in opened if not NOT_OURS.search(path))
                self.assertEqual({path: count for path, count in ours.items() if count > 1}, {})

    def test_no_connection_leaves_the_machine(self):
        lines = self.trace("buttercup")
        self.assertFalse([line for line in lines if "connect(" in line and "AF_INET" in line])


def answer_all(listener, answer):
    """What a proxy says, to one connection after another, until the listener is closed."""
    with contextlib.suppress(OSError):
        while True:
            one, _ = listener.accept()
            with one:
                one.recv(4096)
                one.sendall(answer)
                if answer.startswith(b"HTTP/1.1 200"):
                    one.recv(4096)
                    one.sendall(PAGE)


PAGE = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 12\r\n\r\n<html>Log in"
# What stands where the proxy should be: what it says when it is asked for a way, what is found
PROXIES = [
    ("nobody", None, "proxy|cannot be reached|lets nothing through", "HTTPS_PROXY"),
    ("wants a password", b"HTTP/1.1 407 Who are you\r\nContent-Length: 0\r\n\r\n", "proxy", "HTTPS_PROXY"),
    ("a page for a person", b"HTTP/1.1 302 Found\r\nLocation: http://login.example/\r\nContent-Length: 0\r\n\r\n",
     "page for a person|proxy", "browser|HTTPS_PROXY"),
    ("lets all through, and lies", b"HTTP/1.1 200 OK\r\n\r\n", "lies|certificate|page|stands between",
     "browser|--ca-bundle"),
]
FAR = """
[step prefix]
kind = directory
path = @prefix@

[step tool]
kind = archive
after = prefix
url = https://files.example.test/tool.tar.gz
sha256 = 0000000000000000000000000000000000000000000000000000000000000000
path = @prefix@/tool
"""


@each_row(PROXIES)
class Network(Check):
    """The servers of a stack, asked through a proxy: one finding, and what can be done."""

    def check_row(self, answer, measured, remedy):
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            if answer is not None:
                listener.listen()
                threading.Thread(target=answer_all, args=(listener, answer), daemon=True).start()
            proxy = f"http://127.0.0.1:{listener.getsockname()[1]}"
            stack = self.make_stack(ini=STACK_INI + FAR)
            start = time.monotonic()
            result = self.run_program("check", stack, "net.*", "--network", "--json", env={
                "https_proxy": proxy, "HTTPS_PROXY": proxy, "no_proxy": ""})
            self.assertLess(time.monotonic() - start, 20)
        checks = [check for check in json.loads(result.out)["checks"] if check["status"] == "fail"]
        self.assertEqual(len(checks), 1, checks)
        self.assertEqual(result.status, 1, result)
        self.assertRegex(checks[0]["measured"], measured)
        self.assertRegex(checks[0]["remedy"], remedy)


class Files(Check):
    def test_there_are_machines_enough(self):
        self.assertGreaterEqual(len(names()), 60)
        for name in names():
            self.assertTrue(machine(name)["machine"], name)


if __name__ == "__main__":
    unittest.main()
