"""Stand-ins for the programs of stack octollm that a test machine cannot have: octollm_stand_in.py ROLE.
Another argument is an error, as it is for them.

Ours, and no part of OctoLLM, Qdrant or Grafana: each speaks as much of the protocol as the stack's
checks and tests ask for, and takes its settings from the same places.
"""
import http.server
import json
import os
import pathlib
import re
import signal
import socket
import sys
import threading
import urllib.parse
import urllib.request
import uuid

COUNTS = {}
LOCK = threading.Lock()


def count(name, **labels):
    text = ",".join(f'{key}="{value}"' for key, value in labels.items())
    with LOCK:
        COUNTS[f"{name}{{{text}}}" if text else name] = COUNTS.get(name, 0) + 1


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
    def do_GET(self):
        if self.path == "/metrics":
            self.metrics()
            return
        try:
            is_ready = redis_ping(os.environ["REFLEX_REDIS_URL"])
        except OSError:
            is_ready = False
        is_good = is_ready or self.path == "/health"
        self.answer(200 if is_good else 503, {"ready": is_ready})

    def do_POST(self):
        text = self.body()["text"]
        count("reflex_http_requests_total", method="POST", path="/process")
        found = [{"pii_type": "SSN", "start": one.start(), "end": one.end(), "matched_text": one.group(),
                  "confidence": 1.0} for one in re.finditer(r"\b\d{3}-\d{2}-\d{4}\b", text)]
        self.answer(200, {"request_id": str(uuid.uuid4()), "status": "success", "cache_hit": False,
                          "pii_detected": bool(found), "pii_matches": found, "injection_detected": False,
                          "injection_matches": [], "processing_time_ms": 0.1})


class Orchestrator(Handler):
    @staticmethod
    def database():
        import psycopg  # pylint: disable=import-error,import-outside-toplevel
        return psycopg.connect(os.environ["ORCHESTRATOR_DATABASE_URL"], connect_timeout=5)

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
        url = os.environ["ORCHESTRATOR_REFLEX_LAYER_URL"] + "/process"
        with urllib.request.urlopen(url, json.dumps({"text": goal}).encode(), timeout=5) as answer:
            status = json.load(answer)["status"]
        count("orchestrator_reflex_calls_total", status=status)
        name = str(uuid.uuid4())
        with self.database() as database:
            database.execute("insert into tasks (id, goal) values (%s, %s)", [name, goal])
        self.answer(202, {"task_id": name, "status": "pending"})


class Executor(Handler):
    def do_GET(self):
        self.answer(200 if self.path == "/health" else 404, "OK", "text/plain")


class Grafana(Handler):
    @staticmethod
    def password():
        with open(os.environ["GF_SECURITY_ADMIN_PASSWORD__FILE"], encoding="utf-8") as file:
            return file.read()

    def do_GET(self):
        if self.path == "/api/health":
            self.answer(200, {"database": "ok"})
            return
        import base64  # pylint: disable=import-outside-toplevel
        known = f"{os.environ['GF_SECURITY_ADMIN_USER']}:{self.password()}".encode()
        if self.headers.get("Authorization") != "Basic " + base64.b64encode(known).decode():
            self.answer(401, {"message": "Invalid username or password"})
            return
        text = pathlib.Path("/etc/grafana/provisioning/datasources/prometheus.yml").read_text()
        url = re.search(r"url: (\S+)", text).group(1)
        with urllib.request.urlopen(f"{url}/-/ready", timeout=5):
            self.answer(200, {"status": "OK"})


def prepare_orchestrator():
    with Orchestrator.database() as database:
        database.execute("create table if not exists tasks (id uuid primary key, goal text not null)")


def prepare_grafana():
    """What Grafana reads when it starts, and cannot do without."""
    assert Grafana.password()
    top = pathlib.Path("/etc/grafana")
    for place in ("provisioning/datasources", "provisioning/dashboards", "dashboards"):
        for path in (top / place).iterdir():
            assert path.read_text(), path
    (pathlib.Path("/var/lib/grafana") / "grafana.db").touch()


ROLES = {"qdrant": (Qdrant, 6333), "reflex-layer": (Reflex, 8080), "orchestrator": (Orchestrator, 8000),
         "executor-arm": (Executor, 8006), "grafana": (Grafana, 3000)}


def main():
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    if sys.argv[2:]:
        sys.exit(f"unknown argument {sys.argv[2]}")
    handler, port = ROLES[sys.argv[1]]
    {"orchestrator": prepare_orchestrator, "grafana": prepare_grafana}.get(sys.argv[1], int)()
    http.server.ThreadingHTTPServer(("0.0.0.0", port), handler).serve_forever()


if __name__ == "__main__":
    main()
