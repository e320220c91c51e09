"""The small programs of the stack buttercup: start, health, program, quick test, LiteLLM's start, exporter.

SPDX-License-Identifier: Apache-2.0
"""
import base64
import http.server
import json
import os
import pathlib
import socketserver
import subprocess
import sys
import tempfile
import threading
import unittest

STACK = pathlib.Path(__file__).resolve().parents[2] / "payload/stacks/buttercup"
IMAGES = STACK / "images"
PROGRAMS = STACK / "compose/programs"
TOKEN = "0123456789abcdef0123456789abcdef"
# Stands in for argon2-cffi, which is in the image: says with what it was called.
ARGON2 = """
class Type:
    ID = "id"

class PasswordHasher:
    def __init__(self, **options):
        self.options = options

    def hash(self, token):
        return "$argon2" + repr(sorted(self.options.items())) + token
"""


class Place(unittest.TestCase):
    def setUp(self):
        place = tempfile.TemporaryDirectory()
        self.addCleanup(place.cleanup)
        self.top = pathlib.Path(place.name)
        self.keys = self.top / "keys"
        self.keys.mkdir()

    def key(self, name, value=TOKEN):
        (self.keys / name).write_text(f"{value}\n")

    def run_python(self, program, *arguments, status=0, **environment):
        done = subprocess.run([sys.executable, str(program), *arguments], capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, timeout=60, check=False,
                              env={"PATH": f"{self.top}/bin:/usr/bin:/bin", "BUTTERCUP_KEYS_DIR": str(self.keys),
                                   "PYTHONPATH": str(self.top), "PYTHONDONTWRITEBYTECODE": "1", **environment})
        self.assertEqual(status, done.returncode, done.stdout + done.stderr)
        return done

    def program(self, name, text):
        path = self.top / "bin" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)


class Start(Place):
    def environment(self, *words, **more):
        done = self.run_python(IMAGES / "start.py", *words, "--", "/usr/bin/env", "-0", **more)
        return dict(pair.split("=", 1) for pair in done.stdout.split("\0") if pair)

    def test_keys_become_variables(self):
        (self.top / "argon2.py").write_text(ARGON2)
        self.key("ID")
        self.key("TOKEN", "s3cret $x")
        found = self.environment("PLAIN=TOKEN", "ID=uuid:ID", "HASH=argon2:TOKEN", "NONE=optional:NONE")
        self.assertEqual(found["PLAIN"], "s3cret $x")
        self.assertEqual(found["ID"], "01234567-89ab-cdef-0123-456789abcdef")
        self.assertTrue(found["HASH"].startswith("$argon2") and found["HASH"].endswith("s3cret $x"))
        for option in ("('time_cost', 3)", "('memory_cost', 65536)", "('parallelism', 4)", "('hash_len', 32)",
                       "('salt_len', 16)", "('type', 'id')"):
            self.assertIn(option, found["HASH"])
        self.assertNotIn("NONE", found)

    def test_a_token_of_github_goes_into_a_header(self):
        self.key("GITHUB_PAT", "ghp_x")
        found = self.environment("GIT_CONFIG_VALUE_0=github:GITHUB_PAT")
        self.assertEqual((found["GIT_CONFIG_COUNT"], found["GIT_CONFIG_KEY_0"]),
                         ("1", "http.https://github.com/.extraHeader"))
        basic = found["GIT_CONFIG_VALUE_0"].removeprefix("Authorization: Basic ")
        self.assertEqual(base64.b64decode(basic), b"x-access-token:ghp_x")
        self.assertNotIn("GITHUB_PAT", found)
        git = subprocess.run(["git", "config", "--get-urlmatch", "http.extraHeader", "https://github.com/a/b"],
                             env={**found, "HOME": str(self.top)}, capture_output=True, text=True, check=True)
        self.assertEqual(git.stdout.strip(), found["GIT_CONFIG_VALUE_0"])

    def test_without_the_token_of_github(self):
        self.assertFalse([name for name in self.environment("GIT_CONFIG_VALUE_0=github:GITHUB_PAT")
                          if name.startswith("GIT_")])

    def test_a_missing_key_is_named(self):
        done = self.run_python(IMAGES / "start.py", "A=CRS_KEY_TOKEN", "--", "env", status=1)
        self.assertIn("the key CRS_KEY_TOKEN is not there", done.stderr)
        self.assertEqual(done.stdout, "")

    def test_directories_and_the_sign_of_life(self):
        self.environment(BUTTERCUP_HEALTH_FILE=f"{self.top}/h/one")
        (self.top / "h/one").touch()  # of a start before
        self.environment(NODE_DATA_DIR=f"{self.top}/node", BUTTERCUP_HEALTH_FILE=f"{self.top}/h/one")
        self.assertEqual(sorted(path.name for path in (self.top / "node").iterdir()),
                         ["crs_scratch", "scratch", "tasks_storage"])
        self.assertFalse((self.top / "h/one").exists())

    def test_the_command_is_what_runs(self):
        self.run_python(IMAGES / "start.py", "--", "sh", "-c", "exit 7", status=7)


class Program(Place):
    def run_program(self, *words, **options):
        return subprocess.run([str(IMAGES / "program.sh"), *words], capture_output=True, text=True, timeout=30,
                              check=False, env={"PATH": "/usr/bin:/bin", "BUTTERCUP_HEALTH_DIR": str(self.top / "h")},
                              **options)

    def test_lines_have_its_name(self):
        done = self.run_program("bot", "sh", "-c", "echo one; echo two >&2; echo $BUTTERCUP_HEALTH_FILE; exit 3")
        self.assertEqual(done.returncode, 3)
        # The lines come through a process of their own, which may end a moment later.
        lines = done.stdout.splitlines()
        self.assertEqual(lines, ["bot | one", "bot | two", f"bot | {self.top}/h/bot"])
        self.assertTrue((self.top / "h").is_dir())


class Health(Place):
    def check(self, *words, status=0):
        done = self.run_python(IMAGES / "health.py", *words, status=status, BUTTERCUP_HEALTH_DIR=str(self.top))
        return done.stderr if status else done.stdout

    def supervisor(self, table, status):
        self.program("supervisorctl", f"#!/bin/sh\ncat <<'E'\n{table}\nE\nexit {status}\n")

    def test_programs(self):
        self.supervisor("one   RUNNING   pid 7, uptime 0:00:09\ntwo   RUNNING   pid 8, uptime 0:00:09", 0)
        self.assertEqual(self.check("--supervisor", "c"), "healthy\n")
        self.supervisor("one   RUNNING   pid 7, uptime 0:00:09\ntwo   FATAL   Exited too quickly", 3)
        self.assertEqual(self.check("--supervisor", "c", status=1).split()[:2], ["two", "FATAL"])
        self.supervisor("unix:///run/supervisor.sock no such file", 4)
        self.assertIn("no such file", self.check("--supervisor", "c", status=1))

    def test_signs_of_life(self):
        path = self.top / "bot"
        self.assertIn("bot has never said", self.check("--fresh", "bot=60", status=1))
        path.touch()
        self.assertEqual(self.check("--fresh", "bot=60"), "healthy\n")
        os.utime(path, (1, 1))
        self.assertIn("bot has not said for", self.check("--fresh", "bot=60", status=1))

    def test_pages(self):
        with Server({"/good": (200, b"ok")}) as server:
            self.assertEqual(self.check("--url", f"{server.url}/good"), "healthy\n")
            self.assertIn("/bad", self.check("--url", f"{server.url}/bad", status=1))
        self.assertIn("http://127.0.0.1:1/", self.check("--url", "http://127.0.0.1:1/", status=1))


class Server(http.server.ThreadingHTTPServer):
    """Answers as a table says: path -> (status, body), or what a function of the headers returns."""

    def __init__(self, answers):
        self.answers = answers
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"

    def __enter__(self):
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        answer = self.server.answers.get(self.path, (404, b""))
        status, body = answer(self.headers) if callable(answer) else answer
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):  # pylint: disable=arguments-differ
        pass


class LiteLLM(Place):
    """The start of LiteLLM, which here is a program that shows what it was given."""

    def start(self, *keys, status=0, **environment):
        for name in ("BUTTERCUP_LITELLM_KEY", "LITELLM_DB_PASSWORD", *keys):
            self.key(name, f"value-of-{name}")
        self.program("litellm", '#!/bin/sh\nprintf "%s\\n" "$*"\nexec env\n')
        done = self.run_python(PROGRAMS / "litellm.py", "litellm", "--port", "8080", status=status,
                               BUTTERCUP_LITELLM_CONFIG=f"{self.top}/config", **environment)
        if status != 0:
            return done.stderr
        arguments, *lines = done.stdout.splitlines()
        self.assertEqual(arguments, f"--port 8080 --config {self.top}/config")
        self.environment = dict(line.split("=", 1) for line in lines)
        text = (self.top / "config").read_text()
        self.assertNotIn("value-of-", text)
        self.assertNotRegex(text, r"os\.environ/? +")
        return json.loads(text)

    def providers(self, configuration):
        return {row["litellm_params"]["model"].split("/")[0] for row in configuration["model_list"]}

    def test_models_of_the_keys_that_are_there(self):
        found = self.start("OPENAI_API_KEY")
        self.assertEqual(self.providers(found), {"openai"})
        self.assertEqual(len(found["model_list"]), 8)
        self.assertEqual(self.environment["OPENAI_API_KEY"], "value-of-OPENAI_API_KEY")
        self.assertEqual(found["general_settings"], {"master_key": "os.environ/BUTTERCUP_LITELLM_KEY"})
        self.assertEqual(self.environment["DATABASE_URL"],
                         "postgresql://litellm_user:value-of-LITELLM_DB_PASSWORD@litellm-db:5432/litellm")
        self.assertNotIn("ANTHROPIC_API_KEY", self.environment)

    def test_every_provider(self):
        found = self.start("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY", "AZURE_API_KEY",
                           AZURE_API_BASE="https://x.invalid")
        self.assertEqual(self.providers(found), {"openai", "anthropic", "gemini", "azure"})
        self.assertEqual(len({row["model_name"] for row in found["model_list"]}), 18)
        self.assertNotIn("rpm", next(row["litellm_params"] for row in found["model_list"]
                                     if row["model_name"] == "claude-4-sonnet"))

    def test_azure_wants_its_address(self):
        self.assertIn("AZURE_API_BASE", self.start("AZURE_API_KEY", status=1))

    def test_no_key_at_all(self):
        self.assertIn("slipway keys set OPENAI_API_KEY", self.start(status=1))

    def test_no_master_key(self):
        self.key("OPENAI_API_KEY")
        done = self.run_python(PROGRAMS / "litellm.py", "litellm", status=1,
                               BUTTERCUP_LITELLM_CONFIG=f"{self.top}/config")
        self.assertIn("BUTTERCUP_LITELLM_KEY is not there", done.stderr)

    def test_ollama_answers_for_those_that_have_no_key(self):
        found = self.start("GEMINI_API_KEY", BC_OLLAMA_API_BASE="http://o:11434", BC_OLLAMA_MODEL="llama3.2:3b")
        self.assertEqual(self.providers(found), {"gemini", "ollama_chat"})
        self.assertEqual(len(found["model_list"]), 18)

    def test_budget(self):
        found = self.start("OPENAI_API_KEY", LITELLM_MAX_BUDGET="50", LITELLM_BUDGET_DURATION="7d")
        self.assertEqual(found["litellm_settings"],
                         {"telemetry": False, "max_budget": 50.0, "budget_duration": "7d"})
        found = self.start("OPENAI_API_KEY", LITELLM_MAX_BUDGET="0")
        self.assertEqual(found["litellm_settings"], {"telemetry": False})


class Exporter(Place):
    def run_once(self, answers, **environment):
        with Redis(answers) as redis, Server({"/up": (200, b"")}) as server:
            done = self.run_python(PROGRAMS / "exporter.py", "--once", NODE_DATA_DIR=str(self.top),
                                   BUTTERCUP_PAGES=f"up={server.url}/up gone={server.url}/gone",
                                   **{"BUTTERCUP_REDIS": f"127.0.0.1:{redis.server_address[1]}", **environment})
        return dict(line.rsplit(" ", 1) for line in done.stdout.splitlines() if not line.startswith("#"))

    def test_queues_pages_disk(self):
        groups = (b"*1\r\n*8\r\n$4\r\nname\r\n$1\r\ng\r\n$7\r\npending\r\n:2\r\n"
                  b"$3\r\nlag\r\n:5\r\n$4\r\nnone\r\n$-1\r\n")
        found = self.run_once({"XLEN patches_queue": b":7\r\n", "XLEN": b":0\r\n", "HLEN": b":3\r\n",
                               "XINFO GROUPS patches_queue": groups, "XINFO": b"-ERR no such key\r\n"})
        self.assertEqual(found['buttercup_queue_entries{queue="patches_queue"}'], "7")
        self.assertEqual(found['buttercup_queue_pending{queue="patches_queue",group="g"}'], "2")
        self.assertEqual(found['buttercup_queue_waiting{queue="patches_queue",group="g"}'], "5")
        self.assertEqual(found['buttercup_queue_entries{queue="index_queue"}'], "0")
        self.assertEqual(found["buttercup_tasks"], "3")
        self.assertEqual([found[f'buttercup_up{{target="{one}"}}'] for one in ("redis", "up", "gone")], ["1", "1", "0"])
        self.assertGreater(int(found["buttercup_disk_size_bytes"]), int(found["buttercup_disk_free_bytes"]))

    def test_no_redis(self):
        found = self.run_once({}, BUTTERCUP_REDIS="127.0.0.1:1")
        self.assertEqual(found['buttercup_up{target="redis"}'], "0")
        self.assertNotIn("buttercup_tasks", found)


class Redis(socketserver.ThreadingTCPServer):
    """Answers commands by the longest start of them that the table has."""

    def __init__(self, answers):
        self.answers = answers
        super().__init__(("127.0.0.1", 0), Connection)

    __enter__ = Server.__enter__
    __exit__ = Server.__exit__


class Connection(socketserver.StreamRequestHandler):
    def handle(self):
        while line := self.rfile.readline():
            words = []
            for _ in range(int(line[1:])):
                self.rfile.readline()
                words.append(self.rfile.readline().strip().decode())
            command = " ".join(words)
            best = max((start for start in self.server.answers if command.startswith(start)), key=len)
            self.wfile.write(self.server.answers[best])


if __name__ == "__main__":
    unittest.main()
