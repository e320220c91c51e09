"""Certificates made for a test, an HTTPS server on loopback that uses them and can lie, a proxy.

SPDX-License-Identifier: Apache-2.0
"""
import contextlib
import http.server
import pathlib
import socket
import socketserver
import ssl
import subprocess
import threading
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
    """An HTTP proxy on loopback; `seen` lists where it was asked to connect to."""

    def __init__(self):
        self.listener = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Tunnel)
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
