"""LiteLLM itself, as its makers publish it for Python, behind the start program of the stack buttercup and in
front of a provider of ours: who is let in, which key leads where.  Without its database, for what makes the
client of that comes from no registry of packages: budgets are not tried here.

SPDX-License-Identifier: Apache-2.0
"""
import hashlib
import http.server
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.error
import urllib.request

import rig

STACK = rig.TOP / "payload/stacks/buttercup/compose"
VERSIONS = rig.TOP / "tests/data/litellm.txt"
PROVIDER, LITELLM = 8999, 8080
SECONDS = 120
MASTER, OPENAI = "sk-canary-master", "sk-canary-openai"


@rig.made_once
def program(versions):
    """A virtual environment with those versions, made once.  Its programs know where they lie: it is not moved."""
    place = rig.CACHE / f"litellm-{hashlib.sha256(versions).hexdigest()[:12]}"
    if not (place / "whole").exists():
        shutil.rmtree(place, ignore_errors=True)
        rig.run([sys.executable, "-m", "venv", str(place)])
        rig.run([str(place / "bin/python"), "-m", "pip", "install", "-q", "--no-deps", "-r", str(VERSIONS)])
        (place / "whole").touch()
    return place


class Provider(http.server.BaseHTTPRequestHandler):
    """OpenAI's and Ollama's APIs, as far as one answer."""
    seen = []

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.seen.append([self.path, self.headers["Authorization"], body["model"]])
        message = {"role": "assistant", "content": f"hello from {self.path}"}
        answer = {"id": "1", "object": "chat.completion", "created": 1, "model": body["model"],
                  "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
                  "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}}
        if self.path == "/api/chat":
            answer = {"model": body["model"], "created_at": "2026-01-01T00:00:00Z", "message": message, "done": True}
        text = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


def ask(path, key=None, model=None):
    """Returns the status and the answer, whatever they are."""
    body = model and json.dumps({"model": model, "messages": [{"role": "user", "content": "hello"}]}).encode()
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {key}"} if key else {})
    request = urllib.request.Request(f"http://127.0.0.1:{LITELLM}{path}", data=body, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=SECONDS) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def wait_for(litellm):
    end = time.monotonic() + SECONDS
    while time.monotonic() < end and litellm.poll() is None:
        try:
            return ask("/health/liveliness")[0]
        except OSError:
            time.sleep(0.2)
    return 0


def chat(key, model):
    Provider.seen.clear()
    status, answer = ask("/v1/chat/completions", key, model)
    text = answer["choices"][0]["message"]["content"] if status == 200 else answer
    return [status, text, *Provider.seen]


def inside(place):
    """In a network of its own, where the stack's ports are free: prints what was seen, as JSON."""
    place = pathlib.Path(place)
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    provider = http.server.ThreadingHTTPServer(("127.0.0.1", PROVIDER), Provider)
    threading.Thread(target=provider.serve_forever, daemon=True).start()
    env = {"PATH": os.environ["PATH"], "HOME": str(place), "BUTTERCUP_KEYS_DIR": str(place / "keys"),
           "BUTTERCUP_LITELLM_CONFIG": str(place / "litellm.yaml"), "LITELLM_LOCAL_MODEL_COST_MAP": "True",
           "OPENAI_BASE_URL": f"http://127.0.0.1:{PROVIDER}/v1", "OPENAI_API_BASE": f"http://127.0.0.1:{PROVIDER}/v1",
           "BC_OLLAMA_API_BASE": f"http://127.0.0.1:{PROVIDER}", "BC_OLLAMA_MODEL": "small"}
    start = ["python", str(STACK / "programs/litellm.py")]
    with (place / "log").open("w") as log, subprocess.Popen(
            [*start, "sh", "-c", 'unset DATABASE_URL; exec "$0" "$@"', "litellm", "--port", str(LITELLM),
             "--num_workers", "1", "--telemetry", "False"], env=env, stdout=log, stderr=log) as litellm:
        try:
            found = {"liveliness": wait_for(litellm)}
            if found["liveliness"]:
                test = subprocess.run([*start, "--test"], env=env, capture_output=True, text=True, check=False)
                found |= {"test": [test.returncode, test.stdout, test.stderr],
                          "own": chat(MASTER, "openai-gpt-4o"), "local": chat(MASTER, "claude-4-sonnet"),
                          "wrong": chat("sk-wrong", "openai-gpt-4o"), "none": chat(None, "openai-gpt-4o"),
                          "words": pathlib.Path(f"/proc/{litellm.pid}/cmdline").read_text(encoding="utf-8")}
        finally:
            litellm.kill()
    print(json.dumps(found))


class Litellm(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        rig.install()
        place = pathlib.Path(cls.enterClassContext(tempfile.TemporaryDirectory(prefix="slipway-litellm-")))
        (place / "keys").mkdir()
        for name, value in (("BUTTERCUP_LITELLM_KEY", MASTER), ("OPENAI_API_KEY", OPENAI),
                            ("LITELLM_DB_PASSWORD", "unused")):
            (place / "keys" / name).write_text(value + "\n")
        path = f"{program(VERSIONS.read_bytes())}/bin:{os.environ['PATH']}"
        done = subprocess.run(["unshare", "--net", "python", __file__, str(place)], env={**os.environ, "PATH": path},
                              capture_output=True, text=True, check=False, timeout=5 * SECONDS)
        cls.log = (place / "log").read_text() if (place / "log").exists() else done.stderr
        cls.found = json.loads(done.stdout or "{}")

    def test_it_is_the_version_of_the_stack(self):
        version = VERSIONS.read_text().partition("\nlitellm==")[2].partition("\n")[0]
        self.assertIn(f"/litellm:v{version}@sha256:", (STACK / "compose.yaml").read_text())

    def test_it_lives(self):
        self.assertEqual(self.found.get("liveliness"), 200, self.log[-4000:])

    def test_the_stack_s_own_test(self):
        self.assertEqual(self.found["test"], [0, "18 models\n", ""], self.log[-4000:])

    def test_a_provider_gets_its_key(self):
        self.assertEqual(self.found["own"], [200, "hello from /v1/chat/completions",
                                             ["/v1/chat/completions", f"Bearer {OPENAI}", "gpt-4o"]])

    def test_a_name_without_a_key_is_answered_by_ollama(self):
        status, text, seen = self.found["local"]
        self.assertEqual((status, text, seen[0], seen[2]), (200, "hello from /api/chat", "/api/chat", "small"))
        self.assertNotIn("canary", str(seen[1]))

    def test_others_are_not_let_in(self):
        for who in ("wrong", "none"):
            with self.subTest(who):
                self.assertEqual(len(self.found[who]), 2, "the provider was asked")
                self.assertIn(self.found[who][0], (400, 401), self.found[who])

    def test_no_key_is_shown(self):
        self.assertNotIn("canary", self.found["words"] + self.log)


if __name__ == "__main__":
    inside(sys.argv[1])
