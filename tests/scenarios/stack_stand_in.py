#!/usr/bin/python3
"""Stand-ins for the programs of the embedded stacks that a test machine cannot have.  The name it is called
by says which, or, of "stand-in", its first argument.

Ours, and no part of Grafana, LiteLLM, Ollama, Qdrant, Buttercup or OctoLLM: each takes its settings from the
same places as the real one, and answers as much as the stack's checks and tests ask for.
"""
import argparse
import base64
import http.server
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.parse
import urllib.request
import uuid

COUNTS = {}
LOCK = threading.Lock()


def count(name, **labels):
    text = ",".join(f'{key}="{value}"' for key, value in labels.items())
    name = f"{name}{{{text}}}" if text else name
    with LOCK:
        COUNTS[name] = COUNTS.get(name, 0) + 1


class Handler(http.server.BaseHTTPRequestHandler):
    def answer(self, status, body, kind="application/json"):
        data = (body if isinstance(body, str) else json.dumps(body, separators=(",", ":"))).encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def body(self):
        return json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"{}")

    def metrics(self):
        with LOCK:
            lines = [f"{name} {value}" for name, value in sorted(COUNTS.items())]
        self.answer(200, "\n".join(["stand_in 1", *lines]) + "\n", "text/plain; version=0.0.4")

    def log_message(self, format, *arguments):  # pylint: disable=redefined-builtin
        pass


def serve(handler, port):
    print(f"listens on {port}", flush=True)
    server = http.server.ThreadingHTTPServer(("0.0.0.0", port), handler)
    server.daemon_threads = True
    server.serve_forever()


def basic(user, password):
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def fetch(url, document=None, **headers):
    data = None if document is None else json.dumps(document).encode()
    with urllib.request.urlopen(urllib.request.Request(url, data, headers), timeout=5) as answer:
        return json.load(answer)


class Grafana(Handler):
    top = pathlib.Path("/etc/grafana")

    @staticmethod
    def password():
        return pathlib.Path(os.environ["GF_SECURITY_ADMIN_PASSWORD__FILE"]).read_text()

    @classmethod
    def start(cls):
        """Reads what the real one reads when it starts, and cannot do without."""
        assert cls.password().strip()
        for place in ("provisioning/datasources", "provisioning/dashboards", "dashboards"):
            for path in (cls.top / place).iterdir():
                assert json.loads(path.read_text()) if path.suffix == ".json" else path.read_text(), path
        pathlib.Path("/var/lib/grafana/grafana.db").touch()
        serve(cls, 3000)

    def do_GET(self):
        if self.path == "/api/health":
            self.answer(200, {"database": "ok"})
        elif self.headers.get("Authorization") != basic(os.environ["GF_SECURITY_ADMIN_USER"], self.password()):
            self.answer(401, {"message": "Invalid username or password"})
        else:
            text = (self.top / "provisioning/datasources/prometheus.yml").read_text()
            with urllib.request.urlopen(re.search(r"url: (\S+)", text)[1] + "/-/ready", timeout=5):
                self.answer(200, {"status": "OK"})


class Ollama(Handler):
    """Models are empty files."""
    protocol_version = "HTTP/1.1"
    models = pathlib.Path("/root/.ollama")

    @classmethod
    def start(cls, what="serve", model=None):
        host = os.environ.get("OLLAMA_HOST", "127.0.0.1:11434").replace("0.0.0.0", "127.0.0.1")
        url = host if "://" in host else f"http://{host}"
        if what == "list":
            print("NAME", *(one["name"] for one in fetch(f"{url}/api/tags")["models"]), sep="\n")
        elif what == "pull":
            print(fetch(f"{url}/api/pull", {"model": model})["status"])
        else:
            cls.models.mkdir(exist_ok=True)
            serve(cls, 11434)

    def do_GET(self):
        models = [{"name": path.name} for path in sorted(self.models.iterdir())]
        known = {"/": {}, "/api/version": {"version": "0.33.2"}, "/api/tags": {"models": models}}
        self.answer(200 if self.path in known else 404, known.get(self.path, {}))

    def do_POST(self):
        name = self.body().get("model", "")
        if self.path == "/api/pull":
            (self.models / name).touch()
            self.answer(200, {"status": "success"})
        elif self.path == "/api/chat" and (self.models / name).exists():
            self.answer(200, {"message": {"role": "assistant", "content": "ok, says the stand-in"},
                              "prompt_eval_count": 3, "eval_count": 5})
        else:
            self.answer(404, {"error": f"model '{name}' not found"})


class TaskServer(Handler):
    """Of Buttercup."""

    def may(self):
        import argon2  # pylint: disable=import-error,import-outside-toplevel

        words = base64.b64decode(self.headers.get("Authorization", "Basic Og==").split()[1]).decode()
        user, _, token = words.partition(":")
        try:
            argon2.PasswordHasher().verify(os.environ["BUTTERCUP_TASK_SERVER_API_TOKEN_HASH"], token)
        except argon2.exceptions.VerifyMismatchError:
            return False
        return user == os.environ["BUTTERCUP_TASK_SERVER_API_KEY_ID"]

    def do_GET(self):
        if self.path == "/openapi.json":
            self.answer(200, {"openapi": "3.1.0"})
        elif self.path == "/status/":
            self.answer(*((200, {"ready": True}) if self.may() else (401, {"detail": "Invalid token"})))
        else:
            self.answer(404, {})


class Dashboard(Handler):
    """Of Buttercup."""
    was_asked = False

    def do_GET(self):
        if self.path == "/v1/ping/":
            if not Dashboard.was_asked:
                print("the first ping", flush=True)
            Dashboard.was_asked = True
            self.answer(200, {"status": "pong"})
        elif self.path == "/v1/crs-ping/":
            self.answer(200, {"crs_ready": self.is_ready()})
        else:
            self.answer(404, {})

    @staticmethod
    def is_ready():
        base, user, token = (os.environ[f"BUTTERCUP_UI_CRS_{name}"] for name in ("BASE_URL", "KEY_ID", "KEY_TOKEN"))
        try:
            return fetch(f"{base}/status/", Authorization=basic(user, token))["ready"]
        except OSError:
            return False


class Models(Handler):
    """LiteLLM, as far as its list of models."""
    models = []
    key = ""

    @classmethod
    def start(cls, *words):
        parser = argparse.ArgumentParser()
        for name in ("--config", "--port", "--num_workers", "--telemetry"):
            parser.add_argument(name)
        options = parser.parse_args(words)
        configuration = json.loads(pathlib.Path(options.config).read_text())
        subprocess.run(["psql", "-qtc", "select 1", os.environ["DATABASE_URL"]], check=True, stdout=subprocess.DEVNULL)
        for row in configuration["model_list"]:
            variable = row["litellm_params"].get("api_key", "").removeprefix("os.environ/")
            if variable and not os.environ.get(variable):
                sys.exit(f"{row['model_name']} has no key in {variable}")
        cls.models = [row["model_name"] for row in configuration["model_list"]]
        cls.key = os.environ[configuration["general_settings"]["master_key"].removeprefix("os.environ/")]
        serve(cls, int(options.port))

    def do_GET(self):
        if self.path == "/health/liveliness":
            self.answer(200, "I'm alive!")
        elif self.headers.get("Authorization") != f"Bearer {self.key}":
            self.answer(401, {"error": "no key"})
        elif self.path == "/v1/models":
            self.answer(200, {"data": [{"id": name} for name in self.models]})
        else:
            self.answer(404, {})


class Qdrant(Handler):
    collections = set()

    def may(self):
        key = os.environ["QDRANT__SERVICE__API_KEY"]
        has = key in (self.headers.get("api-key"),
                      (self.headers.get("Authorization") or "").removeprefix("Bearer "))
        if not has:
            self.answer(401, "Must provide an API key")
        return has

    def do_GET(self):
        if self.path == "/readyz":
            is_ill = os.path.exists("/qdrant/storage/ill")
            self.answer(503 if is_ill else 200, "not all shards are ready" if is_ill else "ready")
        elif self.path == "/metrics" and self.may():
            self.metrics()

    def do_PUT(self):
        self.body()
        if self.may():
            self.collections.add(self.path)
            self.answer(200, {"result": True, "status": "ok"})

    def do_DELETE(self):
        if self.may():
            self.answer(200 if self.path in self.collections else 404, {"result": True})
            self.collections.discard(self.path)


def redis_ping(url):
    parts = urllib.parse.urlsplit(url)
    with socket.create_connection((parts.hostname, parts.port or 6379), timeout=3) as one:
        words = [["AUTH", parts.password]] if parts.password else []
        for line in [*words, ["PING"]]:
            one.sendall(f"*{len(line)}\r\n".encode() + b"".join(
                f"${len(word)}\r\n{word}\r\n".encode() for word in line))
            answer = one.recv(200).decode()
    return answer.startswith("+PONG")


class Reflex(Handler):
    """Of OctoLLM."""

    def do_GET(self):
        if self.path == "/metrics":
            self.metrics()
            return
        try:
            is_ready = redis_ping(os.environ["REFLEX_REDIS_URL"])
        except OSError:
            is_ready = False
        self.answer(200 if is_ready or self.path == "/health" else 503, {"ready": is_ready})

    def do_POST(self):
        text = self.body()["text"]
        count("reflex_http_requests_total", method="POST", path="/process")
        found = [{"pii_type": "SSN", "start": one.start(), "end": one.end(), "matched_text": one.group(),
                  "confidence": 1.0} for one in re.finditer(r"\b\d{3}-\d{2}-\d{4}\b", text)]
        self.answer(200, {"request_id": str(uuid.uuid4()), "status": "success", "cache_hit": False,
                          "pii_detected": bool(found), "pii_matches": found, "injection_detected": False,
                          "injection_matches": [], "processing_time_ms": 0.1})


class Orchestrator(Handler):
    """Of OctoLLM."""

    @staticmethod
    def database():
        import psycopg  # pylint: disable=import-error,import-outside-toplevel
        return psycopg.connect(os.environ["ORCHESTRATOR_DATABASE_URL"], connect_timeout=5)

    @classmethod
    def start(cls):
        with cls.database() as database:
            database.execute("create table if not exists tasks (id uuid primary key, goal text not null)")
        serve(cls, 8000)

    def do_GET(self):
        if self.path == "/metrics":
            self.metrics()
        elif self.path == "/health":
            self.answer(200, {"status": "healthy"})
        elif self.path == "/ready":
            with self.database() as database:
                database.execute("select 1")
            redis_ping(os.environ["ORCHESTRATOR_REDIS_URL"])
            self.answer(200, {"ready": True, "checks": {"database": True, "reflex_layer": True}})
        elif self.path == "/keys":
            self.answer(200, {"openai": bool(os.environ.get("ORCHESTRATOR_OPENAI_API_KEY"))})
        else:
            with self.database() as database:
                row = database.execute("select id::text, goal from tasks where id = %s",
                                       [self.path.rsplit("/", 1)[1]]).fetchone()
            self.answer(200 if row else 404, {"task_id": row[0], "goal": row[1], "status": "pending"}
                        if row else {"error": "no such task"})

    def do_POST(self):
        goal = self.body()["goal"]
        status = fetch(os.environ["ORCHESTRATOR_REFLEX_LAYER_URL"] + "/process", {"text": goal})["status"]
        count("orchestrator_reflex_calls_total", status=status)
        name = str(uuid.uuid4())
        with self.database() as database:
            database.execute("insert into tasks (id, goal) values (%s, %s)", [name, goal])
        self.answer(202, {"task_id": name, "status": "pending"})


class Executor(Handler):
    def do_GET(self):
        self.answer(200 if self.path == "/health" else 404, "OK", "text/plain")


def loop(name, words):
    """A program of Buttercup that does nothing but live; a file makes it end."""
    print(f"{' '.join([name, *words])} lives", flush=True)
    if name in ("buttercup-patcher", "seed-gen"):
        for variable in ("REDIS_URL", "LITELLM_KEY"):
            if not any(key.endswith(variable) for key in os.environ):
                sys.exit(f"no {variable}")
    alive = os.environ.get("BUTTERCUP_HEALTH_FILE", "/tmp/health_check_alive")
    while not os.path.exists(f"/tmp/end-{name}"):
        pathlib.Path(f"{alive}.tmp").write_text(str(int(time.time())))
        os.replace(f"{alive}.tmp", alive)
        time.sleep(0.5)
    sys.exit("told to end")


PROGRAMS = {
    "grafana": Grafana.start, "ollama": Ollama.start, "litellm": Models.start, "orchestrator": Orchestrator.start,
    "qdrant": lambda: serve(Qdrant, 6333), "reflex-layer": lambda: serve(Reflex, 8080),
    "executor-arm": lambda: serve(Executor, 8006),
    "buttercup-task-server": lambda: serve(TaskServer, int(os.environ["BUTTERCUP_TASK_SERVER_PORT"])),
    "buttercup-ui": lambda: serve(Dashboard, int(os.environ["BUTTERCUP_UI_PORT"])),
}


def main(name, *words):
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    if name == "stand-in":
        name, *words = words
    if name in PROGRAMS:
        PROGRAMS[name](*words)
    else:
        loop(name, words)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[0]).name, *sys.argv[1:])
