"""exporter.py [--once] - what Buttercup does, for Prometheus: upstream has no metrics of its own.

Asks Redis what waits in each queue and what is being worked on (a stream keeps what is done, too, so that
its length says nothing of that); the HTTP services whether they answer; the disk of the shared directories
what is free.  --once prints it and ends.

SPDX-License-Identifier: Apache-2.0
"""
import http.server
import os
import socket
import sys
import time
import urllib.request

REDIS = os.environ.get("BUTTERCUP_REDIS", "redis:6379")
PAGES = dict(pair.split("=", 1) for pair in os.environ.get(
    "BUTTERCUP_PAGES", "task-server=http://orchestrator:8000/openapi.json "
    "dashboard=http://mock-competition-api:1323/v1/ping/ "
    "litellm=http://litellm:8080/health/liveliness").split())
DISK = os.environ.get("NODE_DATA_DIR", "/node_data")
PORT = int(os.environ.get("BUTTERCUP_EXPORTER_PORT", "9200"))
QUEUES = (
    "orchestrator_download_tasks_queue", "tasks_ready_queue", "index_queue", "index_output_queue",
    "fuzzer_build_queue", "fuzzer_build_output_queue", "fuzzer_crash_queue", "traced_vulnerabilities_queue",
    "confirmed_vulnerabilities_queue", "patches_queue", "pov_reproducer_requests_queue",
    "pov_reproducer_responses_queue", "orchestrator_delete_task_queue",
)
KINDS = {"buttercup_up": "whether it answers",
         "buttercup_queue_entries": "entries that the stream has had, done or not",
         "buttercup_queue_waiting": "entries that no consumer of the group has taken yet",
         "buttercup_queue_pending": "entries that a consumer has taken and not finished",
         "buttercup_tasks": "tasks in the registry", "buttercup_disk_free_bytes": "free where the volumes are",
         "buttercup_disk_size_bytes": "size of that disk"}


class Redis:
    """As much of the protocol as is needed."""

    def __init__(self, address):
        host, _, port = address.rpartition(":")
        self.socket = socket.create_connection((host, int(port)), timeout=3)
        self.file = self.socket.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()
        self.socket.close()

    def ask(self, *words):
        data = [f"${len(word.encode())}\r\n{word}\r\n" for word in words]
        self.socket.sendall(f"*{len(data)}\r\n{''.join(data)}".encode())
        return self.answer()

    def answer(self):
        line = self.file.readline().rstrip(b"\r\n")
        if not line:
            raise ConnectionError("the connection was closed")
        kind, rest = line[:1], line[1:]
        if kind == b"*":
            return [self.answer() for _ in range(int(rest))]
        if kind == b"$":
            return self.file.read(int(rest) + 2)[:-2].decode() if int(rest) >= 0 else None
        if kind == b":":
            return int(rest)
        if kind == b"-":
            raise ValueError(rest.decode())
        return rest.decode()


def groups_of(redis, queue):
    """Returns what Redis says of each consumer group; nothing for a stream that there is not yet."""
    try:
        return [dict(zip(group[::2], group[1::2])) for group in redis.ask("XINFO", "GROUPS", queue)]
    except ValueError:
        return []


def queue_samples(redis, queue):
    yield "buttercup_queue_entries", {"queue": queue}, redis.ask("XLEN", queue)
    for group in groups_of(redis, queue):
        labels = {"queue": queue, "group": group["name"]}
        yield "buttercup_queue_pending", labels, group["pending"]
        if group.get("lag") is not None:  # Redis 7, and unless it cannot tell
            yield "buttercup_queue_waiting", labels, group["lag"]


def redis_samples():
    try:
        with Redis(REDIS) as redis:
            for queue in QUEUES:
                yield from queue_samples(redis, queue)
            yield "buttercup_tasks", {}, redis.ask("HLEN", "tasks_registry")
            yield "buttercup_up", {"target": "redis"}, 1
    except (OSError, ValueError):
        yield "buttercup_up", {"target": "redis"}, 0


def page_samples():
    for target, url in PAGES.items():
        try:
            with urllib.request.urlopen(url, timeout=3):
                yield "buttercup_up", {"target": target}, 1
        except OSError:
            yield "buttercup_up", {"target": target}, 0


def disk_samples():
    disk = os.statvfs(DISK)
    yield "buttercup_disk_free_bytes", {}, disk.f_bavail * disk.f_frsize
    yield "buttercup_disk_size_bytes", {}, disk.f_blocks * disk.f_frsize


def render():
    start = time.monotonic()
    samples = [*redis_samples(), *page_samples(), *disk_samples()]
    lines = []
    for name, about in KINDS.items():
        lines += [f"# HELP {name} {about}", f"# TYPE {name} gauge"]
        for metric, labels, value in samples:
            if metric == name:
                text = ",".join(f'{key}="{word}"' for key, word in labels.items())
                lines.append(f"{name}{{{text}}} {value}" if text else f"{name} {value}")
    lines += ["# TYPE buttercup_scrape_seconds gauge", f"buttercup_scrape_seconds {time.monotonic() - start:.3f}"]
    return "\n".join(lines) + "\n"


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        is_known = self.path in ("/metrics", "/health")
        body = (render() if self.path == "/metrics" else "ok\n" if is_known else "no such page\n").encode()
        self.send_response(200 if is_known else 404)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):  # pylint: disable=arguments-differ
        """A line for each scrape helps nobody."""


if __name__ == "__main__":
    if sys.argv[1:] == ["--once"]:
        print(render(), end="")
    else:
        http.server.ThreadingHTTPServer(("", PORT), Handler).serve_forever()
