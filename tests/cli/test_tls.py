"""Who is believed to be the server: certificates, bundles and versions of TLS, on real connections.

SPDX-License-Identifier: Apache-2.0
"""
import hashlib
import io
import os
import pathlib
import shutil
import socket
import ssl
import subprocess
import tarfile
import tempfile
import unittest

from cli_support import STACK_INI, Case, each_row
from tls_server import Authority, Server, only, openssl, redirect

ARCHIVE_STEP = """
[step thing]
kind = archive
path = @prefix@
url = {url}
sha256 = {digest}
"""

# name, the certificate, what is set, the name that is asked for, what the message says; {CA} and
# {OTHER} are the bundles of two authorities, {DIR} has the first one's as OpenSSL wants it.
REFUSED = [
    ("authority not known", "good", {"SSL_CERT_FILE": "{OTHER}"}, "localhost", "issuer certificate"),
    ("self-signed", "self", {"SSL_CERT_FILE": "{OTHER}"}, "localhost", "self[- ]signed"),
    ("expired", "expired", {"SSL_CERT_FILE": "{CA}"}, "localhost", "expired"),
    ("of another host", "other-host", {"SSL_CERT_FILE": "{CA}"}, "localhost",
     "subject name|does not match|no alternative"),
    ("of another address", "name-only", {"SSL_CERT_FILE": "{CA}"}, "127.0.0.1",
     "subject name|does not match|no alternative"),
    ("curl's variable goes before OpenSSL's", "good",
     {"CURL_CA_BUNDLE": "{OTHER}", "SSL_CERT_FILE": "{CA}"}, "localhost", "issuer certificate"),
    ("a bundle that is not there", "good", {"SSL_CERT_FILE": "{CA}.gone"}, "localhost",
     r"cannot read the CA bundle .*ca\.crt\.gone \(SSL_CERT_FILE\): No such file"),
    ("a bundle without certificates", "good", {"SSL_CERT_FILE": "{EMPTY}"}, "localhost", "TLS: "),
    ("the wrong directory", "good", {"SSL_CERT_DIR": "{EMPTY_DIR}"}, "localhost",
     "issuer certificate"),
    ("the flag goes before the environment", "good",
     {"SSL_CERT_FILE": "{CA}", "SLIPWAY_CA_BUNDLE": "{OTHER}"}, "localhost", "issuer certificate"),
]

ACCEPTED = [
    ("SSL_CERT_FILE", {"SSL_CERT_FILE": "{CA}"}),
    ("CURL_CA_BUNDLE", {"CURL_CA_BUNDLE": "{CA}", "SSL_CERT_FILE": "{OTHER}"}),
    ("SSL_CERT_DIR", {"SSL_CERT_DIR": "{DIR}"}),
    ("a directory beside a file", {"SSL_CERT_FILE": "{OTHER}", "SSL_CERT_DIR": "{DIR}"}),
    ("the setting", {"SLIPWAY_CA_BUNDLE": "{CA}", "SSL_CERT_FILE": "{OTHER}"}),
    ("a variable that is empty", {"CURL_CA_BUNDLE": "", "SSL_CERT_FILE": "{CA}"}),
]


def setUpModule():
    global place, values, certificates
    place = pathlib.Path(tempfile.mkdtemp(prefix="slipway-tls-"))
    unittest.addModuleCleanup(shutil.rmtree, place)
    place.chmod(0o755)
    first, other = Authority(place / "first"), Authority(place / "other", "Other")
    certificates = {"good": first.issue("good"), "expired": first.issue("expired", days=-1),
                    "name-only": first.issue("name-only", hosts=["DNS:localhost"]),
                    "other-host": first.issue("other-host", hosts=["DNS:other.test"]),
                    "self": make_self_signed(place / "self.pem")}
    for name in ("hashed", "empty-dir"):
        (place / name).mkdir()
    shutil.copy(first.bundle, place / "hashed")
    openssl("rehash", place / "hashed")
    (place / "empty").touch()
    values = {"CA": first.bundle, "OTHER": other.bundle, "DIR": place / "hashed",
              "EMPTY": place / "empty", "EMPTY_DIR": place / "empty-dir"}


def make_self_signed(path):
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{path}.key", "-out", path,
            "-days", 2, "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost")
    path.write_text(path.read_text() + pathlib.Path(f"{path}.key").read_text())
    return path


def make_archive():
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as archive:
        member = tarfile.TarInfo("thing.txt")
        member.size = 6
        archive.addfile(member, io.BytesIO(b"thing\n"))
    return content.getvalue()


class TlsCase(Case):
    archive = make_archive()

    def serve(self, certificate, version=None, **files):
        server = Server(certificates[certificate], {"/thing.tar.gz": self.archive, **files}, version)
        return self.enterContext(server)

    def install(self, url, env, *options):
        digest = hashlib.sha256(self.archive).hexdigest()
        stack = self.make_stack(ini=STACK_INI + ARCHIVE_STEP.format(url=url, digest=digest))
        env = {name: value.format(**values) for name, value in env.items()}
        return self.run_program("install", stack, "--yes", *options, env=env)

    def assert_installed(self, result):
        self.assertEqual(result.status, 0, result)
        self.assertEqual((self.home / "probe/thing.txt").read_text(), "thing\n")

    def assert_not_installed(self, server, result, pattern):
        self.assert_refused(result, 69, pattern)
        self.assertEqual(server.seen, [])
        self.assertFalse((self.home / "probe").exists())


@each_row(REFUSED)
class Refused(TlsCase):
    """Nothing is asked of a server that is not the one that was meant, and nothing is changed."""

    def check_row(self, certificate, env, host, pattern):
        server = self.serve(certificate)
        result = self.install(server.url_of("/thing.tar.gz", host), env)
        self.assert_not_installed(server, result, pattern)


@each_row(ACCEPTED)
class Accepted(TlsCase):
    """The same server, asked by those who know its authority."""

    def check_row(self, env):
        server = self.serve("good")
        self.assert_installed(self.install(server.url_of("/thing.tar.gz"), env))


class Versions(TlsCase):
    def negotiated(self, server, version):
        """What a client that is not choosy gets from that server."""
        context = ssl.create_default_context(cafile=values["CA"])
        only(context, version)
        with socket.create_connection(("localhost", server.port), 10) as raw:
            with context.wrap_socket(raw, server_hostname="localhost") as connection:
                return connection.version()

    def test_old_ones_are_refused(self):
        for version, name in ((ssl.TLSVersion.TLSv1, "TLSv1"), (ssl.TLSVersion.TLSv1_1, "TLSv1.1")):
            with self.subTest(name):
                server = self.serve("good", version)
                self.assertEqual(self.negotiated(server, version), name)
                shutil.rmtree(self.cwd / "stack", ignore_errors=True)
                result = self.install(server.url_of("/thing.tar.gz"), {"SSL_CERT_FILE": "{CA}"})
                self.assert_not_installed(server, result, "TLS: .*(protocol|version)")

    def test_12_and_13_are_spoken(self):
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            with self.subTest(version.name):
                server = self.serve("good", version)
                shutil.rmtree(self.cwd / "stack", ignore_errors=True)
                shutil.rmtree(self.home)
                self.home.mkdir()
                self.assert_installed(
                    self.install(server.url_of("/thing.tar.gz"), {"SSL_CERT_FILE": "{CA}"}))


class Configuration(TlsCase):
    """An openssl.cnf that leaves OpenSSL's own programs without an algorithm, and wants a module loaded."""
    text = ("openssl_conf = all\n[all]\nproviders = providers\n[providers]\nnowhere = nowhere\n"
            "[nowhere]\nmodule = /nonexistent/module.so\nactivate = 1\n")

    def setUp(self):
        super().setUp()
        path = self.place / "openssl.cnf"
        path.write_text(self.text)
        self.env = {"OPENSSL_CONF": str(path)}
        done = subprocess.run(["openssl", "dgst", "-sha256", path], env={**os.environ, **self.env},
                              capture_output=True, check=False, timeout=60)
        self.assertNotEqual(done.returncode, 0, done)

    def test_a_download(self):
        server = self.serve("good")
        self.assert_installed(self.install(server.url_of("/thing.tar.gz"), {"SSL_CERT_FILE": "{CA}", **self.env}))

    def test_the_keystore(self):
        self.env["SLIPWAY_KEY_FILE"] = str(self.make_key_file())
        for command in (("set", "A_KEY", "--stdin"), ("audit",), ("get", "A_KEY")):
            result = self.run_program("keys", *command, env=self.env, input=b"sk-canary")
            self.assertEqual(result.status, 0, result)
        self.assertEqual(result.out, "sk-canary\n")


class Redirects(TlsCase):
    def test_to_http_is_refused(self):
        server = self.serve("good")
        server.routes["/thing.tar.gz"] = redirect(
            f"http://localhost:{server.port}/plain.tar.gz")
        result = self.install(server.url_of("/thing.tar.gz"), {"SSL_CERT_FILE": "{CA}"})
        self.assert_refused(result, 69, "http")
        self.assertNotIn("/plain.tar.gz", server.seen)
        self.assertFalse((self.home / "probe").exists())

    def test_the_next_server_is_verified_too(self):
        second = self.serve("expired")
        first = self.serve("good")
        first.routes["/thing.tar.gz"] = redirect(second.url_of("/thing.tar.gz"))
        result = self.install(first.url_of("/thing.tar.gz"), {"SSL_CERT_FILE": "{CA}"})
        self.assert_refused(result, 69, "expired(.|\n)*clock of this machine says")
        self.assertEqual(second.seen, [])


if __name__ == "__main__":
    unittest.main(verbosity=2)
