"""The stacks' own programs, from upstream's repositories in SLIPWAY_SOURCES, on a test's engine.

Images of languages are Debian's, under the names that the definitions have: python is that of Debian 13, rust
that of sid, for upstream asks for a newer compiler than Debian 13 has.  Packages come from where this machine's
pip and cargo get them, through a proxy: the engine's network leads nowhere else.
"""
import concurrent.futures
import contextlib
import ctypes
import http.server
import json
import os
import pathlib
import re
import select
import shutil
import socket
import socketserver
import subprocess
import sys
import tempfile
import threading

import engine
import localagent_rig
import octollm_rig
import rig
import stack_rig

HOST = "https://github.com/"
CLONE_NEWNET = 0x40000000
# Of the bridge on which images are built; each container reaches it, whatever its network is.
GATEWAY = "172.17.0.1"
ANSWER = "42, says the provider"
CERTIFICATES = os.environ.get("SSL_CERT_FILE", "/etc/ssl/certs/ca-certificates.crt")
RUST = ("cargo", "gcc", "libc6-dev")
PYTHON = ("python3", "python3-venv")


def source(stack):
    """URL and revision that the definition pins."""
    text = (stack_rig.STACKS / stack / "stack.ini").read_text()
    return re.search(r"^\[source\]\nurl = (\S+)\nrevision = (\S+)$", text, re.M).groups()


def sources(*stacks):
    """The directory with the repositories of what these stacks pin; RuntimeError says what it lacks."""
    top = os.environ.get("SLIPWAY_SOURCES")
    if not top:
        raise RuntimeError("SLIPWAY_SOURCES names no directory: make own-source SOURCES=DIR")
    top = pathlib.Path(top).resolve()
    lacking = []
    for url, revision in map(source, stacks):
        path = top / url.removeprefix(HOST)
        places = (path, path.with_name(f"{path.name}.git"))
        found = next((one for one in places if git(one, "rev-parse", "--git-dir")), None)
        if not found:
            lacking.append(f"{path}: no repository; git clone --mirror {url} {path}.git")
        elif not git(found, "cat-file", "-e", f"{revision}^{{commit}}"):
            lacking.append(f"{found}: no commit {revision}; git -C {found} fetch")
    if lacking:
        raise RuntimeError("\n".join(lacking))
    return top


def git(directory, *arguments):
    """Whether it succeeds there, in no repository above."""
    return subprocess.run(["git", "-c", "safe.directory=*", "-C", str(directory), *arguments],
                          env={**os.environ, "GIT_CEILING_DIRECTORIES": str(pathlib.Path(directory).parent)},
                          stdin=subprocess.DEVNULL, capture_output=True, check=False).returncode == 0


class Engine(engine.NetworkEngine):
    """With a way out, and models to ask, on the gateway of its bridge."""

    def __init__(self):
        super().__init__()
        self.proxy = self._serve(Proxy)
        self.models = self._serve(Models)

    def _serve(self, handler):
        with concurrent.futures.ThreadPoolExecutor(1) as thread:  # sockets stay in the network they were made in
            server = thread.submit(self._listen, handler).result()
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.callback(server.server_close)
        self.callback(server.shutdown)
        return server

    def _listen(self, handler):
        with open(f"/proc/{self.holder.pid}/ns/net", "rb") as space:
            if ctypes.CDLL(None, use_errno=True).setns(space.fileno(), CLONE_NEWNET) != 0:
                raise OSError(ctypes.get_errno(), "setns")
        return Server((GATEWAY, 0), handler)

    def url(self, server):
        return f"http://{GATEWAY}:{server.server_address[1]}"

    def packages(self):
        """The environment in which slipway reaches the package indexes."""
        return {"HTTPS_PROXY": self.url(self.proxy), "NO_PROXY": "localhost,127.0.0.1", "SSL_CERT_FILE": CERTIFICATES}


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    asked = ()  # path and document of what the models were asked


class Proxy(http.server.BaseHTTPRequestHandler):
    """CONNECT, and nothing else."""

    def do_CONNECT(self):
        host, _, port = self.path.rpartition(":")
        try:
            out = socket.create_connection((host, int(port)), timeout=30)
        except OSError as error:
            self.send_error(502, str(error))
            return
        with out:
            self.send_response(200)
            self.end_headers()
            self._pass_on(out)

    def _pass_on(self, out):
        ends = {self.connection: out, out: self.connection}
        while True:
            ready = select.select(list(ends), [], [], 300)[0]
            for one in ready:
                with contextlib.suppress(ConnectionError):
                    if data := one.recv(65536):
                        ends[one].sendall(data)
                        continue
                return
            if not ready:
                return

    def log_message(self, *_):  # pylint: disable=arguments-differ
        pass


class Models(http.server.BaseHTTPRequestHandler):
    """Speaks OpenAI's API and Ollama's, for one model of each."""
    key = "sk-" + "k" * 45
    pieces = ANSWER.replace(" ", " |").split("|")

    def _send(self, status, body, kind="application/json"):
        data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _may(self):
        may = not self.path.startswith("/v1/") or self.headers.get("Authorization") == f"Bearer {self.key}"
        if not may:
            self._send(401, {"error": {"message": "Incorrect API key provided", "code": "invalid_api_key"}})
        return may

    def do_GET(self):
        known = {"/v1/models": {"object": "list", "data": [{"id": "gpt-4o-mini", "object": "model"}]},
                 "/api/tags": {"models": [{"name": localagent_rig.MODEL}]}, "/api/version": {"version": "0.33.2"}}
        if self._may():
            self._send(200 if self.path in known else 404, known.get(self.path, {}))

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if not self._may():
            return
        self.server.asked += ((self.path, asked),)
        known = {"/v1/chat/completions": self._openai, "/api/chat": self._ollama}
        known.get(self.path, lambda _: self._send(404, {}))(asked)

    def _openai(self, asked):
        base = {"id": "chatcmpl-1", "created": 1, "model": asked["model"]}
        if asked.get("stream"):
            chunks = [{**base, "object": "chat.completion.chunk", "choices": [
                {"index": 0, "delta": {"content": piece}, "finish_reason": None}]} for piece in self.pieces]
            lines = [*map(json.dumps, chunks), "[DONE]"]
            self._send(200, "".join(f"data: {line}\n\n" for line in lines), "text/event-stream")
            return
        self._send(200, {**base, "object": "chat.completion", "choices": [
            {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": ANSWER}}],
            "usage": {"prompt_tokens": 1000, "completion_tokens": 2000, "total_tokens": 3000}})

    def _ollama(self, asked):
        counts = {"done": True, "prompt_eval_count": 3, "eval_count": 5}
        pieces = self.pieces if asked["stream"] else [ANSWER]
        answers = [{"model": asked["model"], "message": {"role": "assistant", "content": piece}, "done": False}
                   for piece in pieces]
        answers[-1].update(counts)
        self._send(200, "".join(json.dumps(one) + "\n" for one in answers),
                   "application/x-ndjson" if asked["stream"] else "application/json")

    def log_message(self, *_):  # pylint: disable=arguments-differ
        pass


def settings():
    """path -> text: where this machine's pip and cargo look for packages, if they were told."""
    listed = rig.run([sys.executable, "-m", "pip", "config", "list"])
    lines = re.findall(r"^[^.\n]+\.((?:extra-)?index-url)='(.*)'$", listed, re.M)
    cargo = pathlib.Path(os.environ.get("CARGO_HOME", pathlib.Path.home() / ".cargo")) / "config.toml"
    return {"etc/pip.conf": "[global]\n" + "".join(f"{name} = {value}\n" for name, value in lines),
            "root/.cargo/config.toml": cargo.read_text() if cargo.is_file() else ""}


def add_language(on, tag, root):
    """An image of that root, with settings(), and what cargo is told of how to build."""
    changes = [f"--change 'ENV {name}={value}'" for name, value in os.environ.items()
               if name.startswith("CARGO_PROFILE_")]
    with tempfile.TemporaryDirectory(dir=on.top) as extra:
        names = settings()
        for name, text in names.items():
            path = pathlib.Path(extra) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        on.run(["sh", "-c", f"tar -c -C {root} . -C {extra} {' '.join(names)} |"
                            f" docker import {' '.join(changes)} - {tag} >/dev/null"])


def octollm_images(on):
    """What the definition takes from others."""
    tags = dict(re.findall(r"^OCTO_(\w+)_IMAGE=([^@\n]+)@", (octollm_rig.STACK / "compose/env").read_text(), re.M))
    stack_rig.make_images(on, {tags[role.upper()]: octollm_rig.DOCKERFILES[role] for role in (
        "postgres", "redis", "qdrant", "prometheus", "grafana")}, {})
    add_language(on, tags["PYTHON"], rig.root_of("trixie", *PYTHON))
    add_language(on, tags["RUST"], rig.root_of("sid", *RUST))
    add_language(on, tags["DEBIAN"], rig.root_of("sid"))


def localagent_images(on):
    ours = dict(localagent_rig.DOCKERFILES)
    python = next(tag for tag in ours if tag.startswith("python:"))
    del ours[python]
    stack_rig.make_images(on, ours, {})
    add_language(on, python, rig.root_of("trixie", *PYTHON))


def copy_stack(name, containers, place, values):
    """The definition; with these values in its env, and shorter pauses between health checks."""
    shutil.rmtree(place, ignore_errors=True)
    stack_rig.copy_definition(stack_rig.STACKS / name, place, containers, values, 2)
    return place
