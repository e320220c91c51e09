"""Asks the running services what their users would: quick_test.py reflex | task | vectors | arms | targets.

Runs inside a container of the stack; needs nothing but Python, and for "task" psycopg.
SPDX-License-Identifier: Apache-2.0
"""
import json
import os
import sys
import time
import urllib.error
import urllib.request

ARMS = {"planner-arm": (8001, "/plan"), "retriever-arm": (8002, "/search"), "coder-arm": (8003, "/code"),
        "judge-arm": (8004, "/validate"), "safety-guardian-arm": (8005, "/check")}
TARGETS = {"prometheus", "orchestrator", "reflex-layer", "qdrant", *ARMS}
LIMITED = "the reflex layer lets 10 requests in a burst and 100 in an hour through: wait a minute"


class Wrong(Exception):
    """An answer that is not the one that a well service gives."""


def ask(url, body=None, method=None, headers=None):
    """Returns: the status and the JSON of the answer, or its text."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json", **(headers or {})},
                                     method=method)
    try:
        with urllib.request.urlopen(request, timeout=15) as answer:
            status, text = answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        status, text = error.code, error.read().decode()
    try:
        return status, json.loads(text)
    except json.JSONDecodeError:
        return status, text


def expect(wanted, got, what):
    if wanted != got:
        raise Wrong(f"{what}: {got!r} instead of {wanted!r}")


def key(name):
    with open(f"/run/secrets/{name}", encoding="utf-8") as file:
        return file.read().strip()


def reflex():
    status, answer = ask("http://reflex-layer:8080/process", {"text": "My SSN is 123-45-6789"})
    expect(200, status, f"POST /process ({answer})")
    if answer["status"] == "ratelimited":
        raise Wrong(LIMITED)
    expect(True, answer["pii_detected"], "pii_detected")


def task():
    import psycopg  # pylint: disable=import-error,import-outside-toplevel
    base = "http://127.0.0.1:8000"
    status, answer = ask(f"{base}/submit", {"goal": "say hello"})
    if status == 429:
        raise Wrong(LIMITED)
    expect(202, status, f"POST /submit without a budget ({answer})")
    status, read = ask(f"{base}/tasks/{answer['task_id']}")
    expect((200, "pending"), (status, read.get("status")), f"GET /tasks/ID ({read})")
    with psycopg.connect(host="postgres", user=os.environ.get("POSTGRES_USER", "octollm"),
                         dbname=os.environ.get("POSTGRES_DB", "octollm"),
                         password=key("OCTOLLM_POSTGRES_PASSWORD"), connect_timeout=10) as database:
        row = database.execute("select goal from tasks where id = %s", [answer["task_id"]]).fetchone()
    expect(("say hello",), row, "the row in PostgreSQL")


def vectors():
    url = f"http://qdrant:6333/collections/slipway-test-{os.getpid()}"
    headers = {"api-key": key("OCTOLLM_QDRANT_API_KEY")}
    status, answer = ask(url, {"vectors": {"size": 4, "distance": "Dot"}}, "PUT", headers)
    expect(200, status, f"a new collection ({answer})")
    expect(200, ask(url, None, "DELETE", headers)[0], "its removal")
    refused = ask(url, None, "DELETE")[0]
    if refused not in (401, 403):
        raise Wrong(f"without the key Qdrant answers {refused}")


def arms():
    for name, (port, route) in ARMS.items():
        status, health = ask(f"http://{name}:{port}/health")
        expect(200, status, f"{name} /health")
        is_stub = isinstance(health, dict) and health.get("stub") is True
        if is_stub:
            expect(501, ask(f"http://{name}:{port}{route}", {})[0], f"{name} {route}")
        print(f"{name}: {'placeholder' if is_stub else 'code of upstream'}")


def targets():
    deadline = time.monotonic() + 45
    while True:
        status, answer = ask("http://prometheus:9090/api/v1/targets?state=active")
        expect(200, status, "Prometheus")
        found = {one["labels"]["job"]: one["health"] for one in answer["data"]["activeTargets"]}
        down = sorted(name for name in TARGETS if found.get(name) != "up")
        if not down:
            return
        if time.monotonic() > deadline:
            raise Wrong(f"Prometheus does not see {', '.join(down)}")
        time.sleep(1)


def main():
    tests = {"reflex": reflex, "task": task, "vectors": vectors, "arms": arms, "targets": targets}
    try:
        tests[sys.argv[1]]()
    except (Wrong, OSError, LookupError, TypeError) as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1
    print("ok")
    return 0


if __name__ == "__main__":
    sys.exit(main())
