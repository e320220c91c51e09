"""A certificate authority made for a test, and an HTTPS server on loopback that uses it.

SPDX-License-Identifier: Apache-2.0
"""
import contextlib
import http.server
import pathlib
import ssl
import subprocess
import threading
import warnings


def openssl(*arguments):
    subprocess.run(["openssl", *map(str, arguments)], check=True, stdin=subprocess.DEVNULL,
                   capture_output=True)


class Authority:
    """Signs certificates; its own is in `bundle`."""

    def __init__(self, directory, name="Test"):
        self.place = pathlib.Path(directory)
        self.place.mkdir(parents=True)
        self.bundle, self.key = self.place / "ca.crt", self.place / "ca.key"
        self.make_key(self.key)
        openssl("req", "-x509", "-new", "-key", self.key, "-out", self.bundle, "-days", 2,
                "-subj", f"/CN={name} CA", "-addext", "keyUsage=critical,keyCertSign")

    @staticmethod
    def make_key(path):
        openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", path)

    def issue(self, name="server", hosts=("DNS:localhost", "IP:127.0.0.1"), days=2):
        """A certificate with its key behind it, in one file; `days` may be negative: expired."""
        key, request, certificate, extensions, both = (
            self.place / f"{name}.{kind}" for kind in ("key", "csr", "crt", "ext", "pem"))
        self.make_key(key)
        openssl("req", "-new", "-key", key, "-out", request, "-subj", f"/CN={name}")
        extensions.write_text(f"subjectAltName={','.join(hosts)}\n")
        openssl("x509", "-req", "-in", request, "-CA", self.bundle, "-CAkey", self.key,
                "-CAcreateserial", "-days", days, "-extfile", extensions, "-out", certificate)
        both.write_text(certificate.read_text() + key.read_text())
        return both


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.requests.append(self.path)
        body = self.server.files.get(self.path)
        if isinstance(body, str):
            self.send_response(302)
            self.send_header("Location", body)
            body = b""
        else:
            self.send_response(404 if body is None else 200)
        self.send_header("Content-Length", str(len(body or b"")))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body or b"")

    do_HEAD = do_GET

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    """Serves `files`: path -> bytes, or a text: where a redirect leads.  `requests`: the paths
    that were asked for, once there was a connection.  A context manager."""
    daemon_threads = True

    def __init__(self, certificate, files, version=None, host="127.0.0.1"):
        self.files, self.requests = files, []
        super().__init__((host, 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        if version:
            only(context, version)
        context.load_cert_chain(certificate)
        # Shaken hands in the thread of the connection: one that waits must not stop the others.
        self.socket = context.wrap_socket(self.socket, server_side=True,
                                          do_handshake_on_connect=False)
        self.port = self.server_address[1]
        self.thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02})
        self.thread.start()

    def url(self, path, host="localhost"):
        return f"https://{host}:{self.port}{path}"

    def finish_request(self, request, client_address):
        with contextlib.suppress(OSError):  # an SSLError is one
            request.settimeout(10)
            request.do_handshake()
            super().finish_request(request, client_address)

    def __exit__(self, *_):
        self.shutdown()
        self.thread.join()
        self.server_close()


def only(context, version):
    """Holds a context to one version of TLS, however old."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version = context.maximum_version = version
