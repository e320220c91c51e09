"""Stand-ins for the programs of stack buttercup that a test machine cannot have; the name it is called by
says which.

Ours, and no part of Buttercup, LiteLLM or Grafana: each says that it lives as the real one does, takes its
settings from the same places, and answers as much as the stack's checks and tests ask for.
"""
import argparse
import base64
import http.server
import json
import os
import pathlib
import subprocess
import sys
import time
import urllib.error
import urllib.request

NAME = pathlib.Path(sys.argv[0]).name


class Handler(http.server.BaseHTTPRequestHandler):
    def answer(self, status, body):
        data = json.dumps(body, separators=(",", ":")).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format, *arguments):  # pylint: disable=redefined-builtin
        pass


def serve(handler, port):
    print(f"{NAME} listens on {port}", flush=True)
    http.server.ThreadingHTTPServer(("", port), handler).serve_forever()


def basic(user, token):
    return "Basic " + base64.b64encode(f"{user}:{token}".encode()).decode()


class TaskServer(Handler):
    def may(self):
        import argon2  # pylint: disable=import-outside-toplevel

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
        settings = {name: os.environ[f"BUTTERCUP_UI_{name}"] for name in ("CRS_BASE_URL", "CRS_KEY_ID", "CRS_KEY_TOKEN")}
        request = urllib.request.Request(f"{settings['CRS_BASE_URL']}/status/", headers={
            "Authorization": basic(settings["CRS_KEY_ID"], settings["CRS_KEY_TOKEN"])})
        try:
            with urllib.request.urlopen(request, timeout=5) as answer:
                return json.load(answer)["ready"]
        except OSError:
            return False


class Models(Handler):
    """LiteLLM, as far as its list of models."""
    models = []
    key = ""

    def do_GET(self):
        if self.path == "/health/liveliness":
            self.answer(200, "I'm alive!")
        elif self.headers.get("Authorization") != f"Bearer {self.key}":
            self.answer(401, {"error": "no key"})
        elif self.path == "/v1/models":
            self.answer(200, {"data": [{"id": name} for name in self.models]})
        else:
            self.answer(404, {})


def litellm():
    parser = argparse.ArgumentParser()
    for name in ("--config", "--port", "--num_workers", "--telemetry"):
        parser.add_argument(name)
    options = parser.parse_args()
    configuration = json.loads(pathlib.Path(options.config).read_text())
    subprocess.run(["psql", "-qtc", "select 1", os.environ["DATABASE_URL"]], check=True, stdout=subprocess.DEVNULL)
    for row in configuration["model_list"]:
        variable = row["litellm_params"]["api_key"].removeprefix("os.environ/")
        if not os.environ.get(variable):
            sys.exit(f"{row['model_name']} has no key in {variable}")
    Models.models = [row["model_name"] for row in configuration["model_list"]]
    Models.key = os.environ[configuration["general_settings"]["master_key"].removeprefix("os.environ/")]
    serve(Models, int(options.port))


class Grafana(Handler):
    def do_GET(self):
        self.answer(200, {"database": "ok"})


def grafana():
    if not pathlib.Path(os.environ["GF_SECURITY_ADMIN_PASSWORD__FILE"]).read_text().strip():
        sys.exit("no password")
    serve(Grafana, 3000)


def loop():
    """A program that does nothing but live; a file makes it end."""
    print(f"{' '.join([NAME, *sys.argv[1:]])} lives", flush=True)
    trouble = pathlib.Path(f"/tmp/end-{NAME}")
    alive = os.environ.get("BUTTERCUP_HEALTH_FILE", "/tmp/health_check_alive")
    for name in ("REDIS_URL", "LITELLM_KEY"):
        if NAME in ("buttercup-patcher", "seed-gen") and not any(key.endswith(name) for key in os.environ):
            sys.exit(f"no {name}")
    while not trouble.exists():
        pathlib.Path(f"{alive}.tmp").write_text(str(int(time.time())))
        os.replace(f"{alive}.tmp", alive)
        time.sleep(0.5)
    sys.exit("told to end")


if __name__ == "__main__":
    {"buttercup-task-server": lambda: serve(TaskServer, int(os.environ["BUTTERCUP_TASK_SERVER_PORT"])),
     "buttercup-ui": lambda: serve(Dashboard, int(os.environ["BUTTERCUP_UI_PORT"])),
     "litellm": litellm, "grafana": grafana}.get(NAME, loop)()
