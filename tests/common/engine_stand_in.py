"""Stands in for a container engine: a unix socket that answers as its API does.

SPDX-License-Identifier: Apache-2.0
"""
import contextlib
import http.server
import json
import socketserver
import threading
import urllib.parse

LABEL = "com.docker.compose."


class Engine(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """Stands in for the engine: `answers` maps a path to (status, body), to what returns that, or to "hang"."""
    daemon_threads = True

    def __init__(self, path):
        self.answers = {}
        self.asked = []
        self.over = threading.Event()
        super().__init__(str(path), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def close(self):
        self.over.set()
        self.shutdown()
        self.server_close()


class Handler(http.server.BaseHTTPRequestHandler):
    def address_string(self):
        return "local"

    def log_message(self, *_):  # pylint: disable=arguments-differ
        pass

    def answer(self):
        url = urllib.parse.urlsplit(self.path)
        self.server.asked.append((self.command, url.path))
        found = self.server.answers.get(url.path, (404, {"message": "no such thing"}))
        if found == "hang":
            self.server.over.wait()
            return
        status, body = found() if callable(found) else found
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        with contextlib.suppress(BrokenPipeError):  # one that has read enough
            self.wfile.write(data)

    do_GET = do_POST = do_DELETE = answer
