"""A placeholder for an arm of OctoLLM that upstream has no code for yet; every answer says so.

Of the standard library alone.  ARM names the arm, PORT is where it listens; with ARM_RELOAD=true it
starts itself again when this file changes.
SPDX-License-Identifier: Apache-2.0
"""
import http.server
import json
import os
import signal
import sys
import threading
import time

ROUTES = {"planner": "/plan", "retriever": "/search", "coder": "/code", "judge": "/validate",
          "safety-guardian": "/check"}
ARM = os.environ["ARM"]
ROUTE = ROUTES[ARM]
NOTE = f"a placeholder: upstream has no code for the {ARM} arm at this revision"
METRICS = """\
# HELP octollm_arm_stub 1: a placeholder answers for this arm
# TYPE octollm_arm_stub gauge
octollm_arm_stub{arm="%s"} 1
# HELP octollm_arm_requests_total Requests to the arm's own route, all of which were refused
# TYPE octollm_arm_requests_total counter
octollm_arm_requests_total{arm="%s"} %d
"""
LOCK = threading.Lock()
STATE = {"refused": 0}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "octollm-placeholder"
    timeout = 30

    def answer(self, code, body, kind="application/json"):
        data = body.encode()
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        if code >= 400:  # what was sent with it is not read
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(data)

    def say(self, code, **members):
        self.answer(code, json.dumps({"arm": ARM, "stub": True, "note": NOTE, **members}) + "\n")

    def do_GET(self):
        if self.path == "/metrics":
            with LOCK:
                text = METRICS % (ARM, ARM, STATE["refused"])
            self.answer(200, text, "text/plain; version=0.0.4")
        elif self.path in ("/health", "/ready"):
            self.say(200, status="healthy" if self.path == "/health" else "ready")
        elif self.path == "/capabilities":
            self.say(200, capabilities=[])
        elif self.path == ROUTE:
            self.say(405, error="POST only")
        else:
            self.say(404, error="no such route")

    def do_POST(self):
        if self.path != ROUTE:
            self.say(404, error="no such route")
            return
        with LOCK:
            STATE["refused"] += 1
        self.say(501, error="not implemented")

    def log_message(self, format, *arguments):  # pylint: disable=redefined-builtin
        if os.environ.get("LOG_LEVEL", "INFO").upper() == "DEBUG":
            super().log_message(format, *arguments)


def is_whole():
    try:
        with open(__file__, encoding="utf-8") as file:
            compile(file.read(), __file__, "exec")
    except (OSError, SyntaxError):
        return False
    return True


def start_again_on_change():
    before = os.stat(__file__).st_mtime_ns
    while os.stat(__file__).st_mtime_ns == before or not is_whole():
        time.sleep(0.5)
    print("this file changed: starting again", flush=True)
    os.execv(sys.executable, [sys.executable, *sys.argv])


def main():
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    server = http.server.ThreadingHTTPServer(("0.0.0.0", int(os.environ["PORT"])), Handler)
    server.daemon_threads = True
    if os.environ.get("ARM_RELOAD") == "true":
        threading.Thread(target=start_again_on_change, daemon=True).start()
    print(f"{ARM}: {NOTE}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
