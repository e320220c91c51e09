"""A certificate authority of one test run, and an HTTPS server on loopback that can lie.

SPDX-License-Identifier: Apache-2.0
"""
import http.server
import pathlib
import socket
import socketserver
import ssl
import subprocess
import sys
import threading

sys.dont_write_bytecode = True


def openssl(*arguments, data=None):
    done = subprocess.run(["openssl", *map(str, arguments)], input=data, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"openssl {arguments[0]}: {done.stderr.decode()}")
    return done.stdout


NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")


class Authority:
    """Certificates; "file" is what a client has to trust."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.file = self.folder / "ca.pem"
        openssl("req", "-x509", *NEW_KEY, "-subj", "/CN=test authority", "-days", 2,
                "-keyout", self.folder / "ca.key", "-out", self.file)

    def issue(self, name, alternatives="DNS:localhost,IP:127.0.0.1", days=2):
        """Returns: the file with the key and the certificate; expired when days is negative."""
        key, request, cert = (self.folder / f"{name}.{end}" for end in ("key", "csr", "crt"))
        openssl("req", *NEW_KEY, "-subj", f"/CN={name}", "-addext",
                f"subjectAltName={alternatives}", "-keyout", key, "-out", request)
        openssl("x509", "-req", "-in", request, "-CA", self.file, "-CAkey",
                self.folder / "ca.key", "-CAcreateserial", "-copy_extensions", "copy",
                "-days", days, "-out", cert)
        both = self.folder / f"{name}.pem"
        both.write_bytes(key.read_bytes() + cert.read_bytes())
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

    def send(self, status, body, kind="application/octet-stream", length=None, **headers):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
        if length is not None and length != len(body):
            self.close_connection = True

    def log_message(self, *_):
        pass


class Listener(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        pass  # clients that hang up are what is tested


class Server:
    """HTTPS with "certificate", plain HTTP without; "routes" maps a path to bytes or to a function
    of the handler; "seen" lists the paths that were asked for."""

    def __init__(self, certificate=None):
        self.listener = Listener(("127.0.0.1", 0), Handler)
        self.listener.routes = self.routes = {}
        self.listener.seen = self.seen = []
        self.port = self.listener.server_address[1]
        scheme = "http"
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self.listener.socket = context.wrap_socket(
                self.listener.socket, server_side=True, do_handshake_on_connect=False)
            scheme = "https"
        self.url = f"{scheme}://localhost:{self.port}"
        threading.Thread(target=self.listener.serve_forever, args=(0.05,), daemon=True).start()

    def close(self):
        self.listener.shutdown()
        self.listener.server_close()


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
        try:
            while data := source.recv(65536):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass


class Proxy:
    """An HTTP proxy on loopback; "seen" lists where it was asked to connect to."""

    def __init__(self):
        self.listener = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Tunnel)
        self.listener.daemon_threads = True
        self.listener.seen = self.seen = []
        self.port = self.listener.server_address[1]
        threading.Thread(target=self.listener.serve_forever, args=(0.05,), daemon=True).start()

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
    try:
        for _ in range(4096):
            handler.wfile.write(b"{\n" + bytes(65536))
    except OSError:
        pass
