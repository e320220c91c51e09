"""Certificates made for a test, an HTTPS server on loopback that uses them and can lie, a proxy.

SPDX-License-Identifier: Apache-2.0
"""
import contextlib
import http.server
import os
import pathlib
import re
import socket
import socketserver
import ssl
import struct
import subprocess
import threading
import time
import warnings

NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")


def openssl(*arguments):
    done = subprocess.run(["openssl", *map(str, arguments)], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"openssl {arguments[0]}: {done.stderr.decode()}")
    return done.stdout


class Authority:
    """Signs certificates; its own is in `bundle`, the file that a client has to trust."""

    def __init__(self, directory, name="Test"):
        self.place = pathlib.Path(directory)
        self.place.mkdir(parents=True, exist_ok=True)
        self.bundle, self.key = self.place / "ca.crt", self.place / "ca.key"
        openssl("req", "-x509", *NEW_KEY, "-keyout", self.key, "-out", self.bundle, "-days", 2,
                "-subj", f"/CN={name} CA", "-addext", "keyUsage=critical,keyCertSign")

    def issue(self, name="server", hosts=("DNS:localhost", "IP:127.0.0.1"), days=2):
        """A certificate with its key behind it, in one file; `days` may be negative: expired."""
        key, request, certificate, both = (
            self.place / f"{name}.{kind}" for kind in ("key", "csr", "crt", "pem"))
        openssl("req", *NEW_KEY, "-subj", f"/CN={name}", "-addext",
                f"subjectAltName={','.join(hosts)}", "-keyout", key, "-out", request)
        openssl("x509", "-req", "-in", request, "-CA", self.bundle, "-CAkey", self.key,
                "-CAcreateserial", "-copy_extensions", "copy", "-days", days, "-out", certificate)
        both.write_text(certificate.read_text() + key.read_text())
        return both


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.server.seen.append(self.path)
        answer = self.server.routes.get(self.path)
        if answer is None:
            self.send(404, b"<html>not here</html>", kind="text/html")
        elif callable(answer):
            answer(self)
        else:
            self.send(200, answer)

    do_HEAD = do_GET

    def send(self, status, body, kind="application/octet-stream", length=None, **headers):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)
        if length is not None and length != len(body):
            self.close_connection = True

    def log_message(self, *_):
        pass


class Listener(http.server.ThreadingHTTPServer):
    is_https = False

    def finish_request(self, request, client_address):
        """Hands are shaken in the thread of the connection: one that waits stops no other."""
        with contextlib.suppress(OSError):  # an SSLError is one; clients that hang up are tested
            request.settimeout(10)
            if self.is_https:
                request.do_handshake()
            super().finish_request(request, client_address)

    def handle_error(self, request, client_address):
        pass


class Server:
    """HTTPS with `certificate`, plain HTTP without; a context manager.  `routes` maps a path to
    bytes or to a function of the handler; `seen` lists the paths that were asked for."""

    def __init__(self, certificate=None, routes=None, version=None, host="127.0.0.1"):
        self.listener = Listener((host, 0), Handler)
        self.listener.routes = self.routes = {} if routes is None else routes
        self.listener.seen = self.seen = []
        self.port = self.listener.server_address[1]
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            if version:
                only(context, version)
            context.load_cert_chain(certificate)
            self.listener.is_https = True
            self.listener.socket = context.wrap_socket(
                self.listener.socket, server_side=True, do_handshake_on_connect=False)
        self.url = self.url_of()
        threading.Thread(target=self.listener.serve_forever, args=(0.02,), daemon=True).start()

    def url_of(self, path="", host="localhost"):
        """As a client asks for it by that name."""
        scheme = "https" if self.listener.is_https else "http"
        return f"{scheme}://{host}:{self.port}{path}"

    def close(self):
        self.listener.shutdown()
        self.listener.server_close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def only(context, version):
    """Holds a context to one version of TLS, however old."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version = context.maximum_version = version


class Tunnel(socketserver.StreamRequestHandler):
    """One CONNECT: both directions until either side ends."""

    def handle(self):
        where = self.rfile.readline().split()[1].decode()
        while self.rfile.readline().strip():
            pass
        self.server.seen.append(where)
        host, _, port = where.rpartition(":")
        if self.server.port:
            host, port = "127.0.0.1", self.server.port
        with socket.create_connection((host, int(port))) as far:
            self.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
            back = threading.Thread(target=self.copy, args=(far, self.connection), daemon=True)
            back.start()
            self.copy(self.connection, far)
            back.join()

    @staticmethod
    def copy(source, sink):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)


class Proxy:
    """An HTTP proxy on loopback; `seen` lists where it was asked to connect to.  With a `port`, that one
    of this machine is where it connects to, whatever it is asked."""

    def __init__(self, port=None):
        self.listener = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Tunnel)
        self.listener.port = port
        self.listener.daemon_threads = True
        self.listener.seen = self.seen = []
        self.port = self.listener.server_address[1]
        threading.Thread(target=self.listener.serve_forever, args=(0.02,), daemon=True).start()

    def close(self):
        self.listener.shutdown()
        self.listener.server_close()



def redirect(target):
    return lambda handler: handler.send(302, b"", Location=target)


def page(handler):
    handler.send(200, b"<html><title>Welcome! Please log in</title></html>", kind="text/html")


def failing(status):
    return lambda handler: handler.send(status, b"<html>no</html>", kind="text/html")


def cut(body, at):
    """The length is said rightly, and less is sent."""
    return lambda handler: handler.send(200, body[:at], length=len(body))


def unsaid(body):
    """No length: the end of the connection is the end of the body."""
    def answer(handler):
        handler.wfile.write(b"HTTP/1.0 200 OK\r\n\r\n" + body)
        handler.close_connection = True
    return answer


def endless(handler):
    handler.wfile.write(b"HTTP/1.0 200 OK\r\n\r\n")
    handler.close_connection = True
    with contextlib.suppress(OSError):
        for _ in range(4096):
            handler.wfile.write(b"{\n" + bytes(65536))


def span(handler, body):
    """What is asked for of a body: first byte, end, whether it is a part."""
    found = re.match(r"bytes=(\d+)-(\d*)$", handler.headers.get("Range") or "")
    if not found:
        return 0, len(body), False
    return int(found[1]), int(found[2] or len(body) - 1) + 1, True


def ranges(body, etag='"one"', share=1.0):
    """Answers well, parts too; a `share` under 1 breaks off there."""
    def answer(handler):
        first, end, is_part = span(handler, body)
        if handler.headers.get("If-Range") not in (None, etag):
            first, end, is_part = 0, len(body), False
        extra = {"ETag": etag, "Accept-Ranges": "bytes"}
        if is_part:
            extra["Content-Range"] = f"bytes {first}-{end - 1}/{len(body)}"
        handler.send(206 if is_part else 200, body[first:first + int((end - first) * share)],
                     length=end - first, **extra)
    return answer


def turns(*answers):
    """One answer for each download in turn, the last one from then on; not for questions."""
    left = list(answers)

    def answer(handler):
        (left.pop(0) if len(left) > 1 and handler.command == "GET" else left[0])(handler)
    return answer


def chunked(body, is_ended=True):
    """In one chunk, whose end mark may be missing."""
    def answer(handler):
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        handler.wfile.write(b"%x\r\n" % len(body) + body + b"\r\n" + b"0\r\n\r\n" * is_ended)
        handler.close_connection = True
    return answer


def endless_chunks(handler):
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    handler.close_connection = True
    if handler.command == "GET":
        with contextlib.suppress(OSError):
            while True:
                handler.wfile.write(b"10000\r\n" + bytes(65536) + b"\r\n")


def raw(data):
    """Bytes as they are, head and all."""
    def answer(handler):
        handler.wfile.write(data)
        handler.close_connection = True
    return answer


def reset(body):
    """Half of it, then a reset instead of an end."""
    def answer(handler):
        handler.send(200, body[:len(body) // 2], length=len(body))
        handler.wfile.flush()
        time.sleep(0.05)
        handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        os.close(handler.connection.detach())
    return answer


@contextlib.contextmanager
def liar(answer):
    """A proxy that answers whatever it is asked with the bytes @answer.  Gives its URL."""
    class Handler(socketserver.StreamRequestHandler):
        def handle(self):
            while self.rfile.readline().strip():
                pass
            self.wfile.write(answer)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as proxy:
        threading.Thread(target=proxy.serve_forever, args=(0.02,), daemon=True).start()
        yield f"http://127.0.0.1:{proxy.server_address[1]}"
        proxy.shutdown()
