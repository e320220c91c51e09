#!/usr/bin/python3
"""Stands in for two programs whose images cannot be had: Ollama and Grafana.  It is neither.

As Ollama: "serve", "list", "pull MODEL" and the paths of its API that the stack uses; models are empty
files in /root/.ollama.  As Grafana: its health page, once the password, the data source and the dashboard
are where the real one looks for them.
"""
import http.server
import json
import os
import pathlib
import sys
import urllib.request

MODELS = pathlib.Path("/root/.ollama")


class Ollama(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def say(self, status, document):
        data = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def body(self):
        return json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or b"{}")

    def do_GET(self):
        models = [{"name": path.name} for path in sorted(MODELS.iterdir())]
        known = {"/": {}, "/api/version": {"version": "0.33.2"}, "/api/tags": {"models": models}}
        self.say(200 if self.path in known else 404, known.get(self.path, {}))

    def do_POST(self):
        body = self.body()
        name = body.get("model", "")
        if self.path == "/api/pull":
            (MODELS / name).touch()
            self.say(200, {"status": "success"})
        elif self.path == "/api/chat" and (MODELS / name).exists():
            self.say(200, {"message": {"role": "assistant", "content": "ok, says the stand-in"},
                           "prompt_eval_count": 3, "eval_count": 5})
        else:
            self.say(404, {"error": f"model '{name}' not found"})

    def log_message(self, *_):  # pylint: disable=arguments-differ
        pass


class Grafana(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/api/health" else 404)
        self.end_headers()
        self.wfile.write(b'{"database": "ok"}')

    def log_message(self, *_):  # pylint: disable=arguments-differ
        pass


def serve(handler, port):
    server = http.server.ThreadingHTTPServer(("0.0.0.0", port), handler)
    server.daemon_threads = True
    server.serve_forever()


def ask(path, document=None):
    host = os.environ.get("OLLAMA_HOST", "127.0.0.1:11434").replace("0.0.0.0", "127.0.0.1")
    url = (host if "://" in host else f"http://{host}") + path
    data = None if document is None else json.dumps(document).encode()
    with urllib.request.urlopen(urllib.request.Request(url, data), timeout=5) as answer:
        return json.load(answer)


def be_grafana():
    if not pathlib.Path(os.environ["GF_SECURITY_ADMIN_PASSWORD__FILE"]).read_text():
        sys.exit("the password is empty")
    json.loads(pathlib.Path("/etc/grafana/dashboards/localagent.json").read_text())
    for name in ("datasources/prometheus.yml", "dashboards/localagent.yml"):
        pathlib.Path("/etc/grafana/provisioning", name).read_text()
    pathlib.Path("/var/lib/grafana/grafana.db").touch()
    serve(Grafana, 3000)


def main(words):
    if words[:1] == ["grafana"]:
        be_grafana()
    elif words[:1] == ["list"]:
        print("NAME", *(model["name"] for model in ask("/api/tags")["models"]), sep="\n")
    elif words[:1] == ["pull"]:
        print(ask("/api/pull", {"model": words[1]})["status"])
    else:
        MODELS.mkdir(exist_ok=True)
        serve(Ollama, 11434)


main(sys.argv[1:])
