"""A proxy that alone knows the way, and a CA of its own: what each program that slipway runs does with them.

SPDX-License-Identifier: Apache-2.0
"""
import base64
import hashlib
import io
import pathlib
import shutil
import subprocess
import tempfile
import unittest
import zipfile

from cli_support import STACK_INI, Case
from test_downloads import ARCHIVE, DIGEST, STEP
from tls_server import Authority, Proxy, Server

PYTHON = """
[tool python]

[step prefix]
kind = directory
path = @prefix@

[step venv]
kind = python
after = prefix
path = @prefix@/venv
requirements = requirements.txt
python = 3.9
"""
SOURCE = """
[source]
url = https://files.invalid/thing.git
revision = {revision}

[tool git]

[step source]
kind = source
path = @prefix@/src
"""

def wheel():
    """The smallest package that pip takes, its name and its digest."""
    files = {"demo.py": b"VALUE = 42\n",
             "demo-1.0.dist-info/METADATA": b"Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n",
             "demo-1.0.dist-info/WHEEL": b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"}
    record = "".join(f"{name},sha256={base64.urlsafe_b64encode(hashlib.sha256(text).digest()).rstrip(b'=').decode()},"
                     f"{len(text)}\n" for name, text in files.items()) + "demo-1.0.dist-info/RECORD,,\n"
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, text in {**files, "demo-1.0.dist-info/RECORD": record.encode()}.items():
            archive.writestr(name, text)
    return "demo-1.0-py3-none-any.whl", content.getvalue()


def setUpModule():
    global certificate, bundle
    place = pathlib.Path(tempfile.mkdtemp(prefix="slipway-proxies-"))
    unittest.addModuleCleanup(shutil.rmtree, place)
    place.chmod(0o755)
    authority = Authority(place)
    certificate, bundle = authority.issue(hosts=("DNS:files.invalid",)), authority.bundle


class Proxies(Case):
    """files.invalid has no address: who does not ask the proxy finds nothing, who does not know the CA trusts nobody."""

    def setUp(self):
        super().setUp()
        self.server = Server(certificate)
        self.addCleanup(self.server.close)
        self.proxy = Proxy(self.server.port)
        self.addCleanup(self.proxy.close)
        self.network = {"https_proxy": f"http://127.0.0.1:{self.proxy.port}", "SSL_CERT_FILE": str(bundle)}

    def install(self, ini, *options, **files):
        result = self.run_program("install", self.make_stack(ini=STACK_INI + ini, **files), "--yes", *options,
                                  env=self.network)
        self.assertEqual(result.status, 0, result)
        self.assertEqual(set(self.proxy.seen), {"files.invalid:443"})

    def test_a_download(self):
        self.server.routes["/thing.tar.gz"] = ARCHIVE
        self.install(STEP.format(url="https://files.invalid/thing.tar.gz", digest=DIGEST))

    def test_pip(self):
        name, content = wheel()
        digest = hashlib.sha256(content).hexdigest()
        self.server.routes["/simple/"] = b""
        self.server.routes["/simple/demo/"] = lambda handler: handler.send(
            200, f'<a href="/{name}#sha256={digest}">{name}</a>'.encode(), kind="text/html")
        self.server.routes[f"/{name}"] = content
        self.install(PYTHON, "--python-index", "https://files.invalid/simple/",
                     **{"requirements.txt": f"demo==1.0 --hash=sha256:{digest}\n"})
        self.assertIn(f"/{name}", self.server.seen)

    def test_git(self):
        """Over the protocol that needs files alone."""
        top = self.place / "thing"
        top.mkdir()
        (top / "file").write_text("x\n")
        who = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b", "GIT_COMMITTER_NAME": "a",
               "GIT_COMMITTER_EMAIL": "a@b", "PATH": "/usr/bin:/bin", "HOME": str(self.place)}
        for line in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-qm", "x"], ["update-server-info"]):
            subprocess.run(["git", "-C", top, *line], env=who, check=True)
        revision = subprocess.run(["git", "-C", top, "rev-parse", "HEAD"], env=who, check=True,
                                  capture_output=True, text=True).stdout.strip()
        for path in (top / ".git").rglob("*"):
            if path.is_file():
                self.server.routes[f"/thing.git/{path.relative_to(top / '.git')}"] = path.read_bytes()
        self.server.routes["/thing.git/info/refs?service=git-upload-pack"] = (top / ".git/info/refs").read_bytes()
        self.install(SOURCE.format(revision=revision))
        self.assertEqual((self.home / "probe/src/file").read_text(), "x\n")


if __name__ == "__main__":
    unittest.main(verbosity=2)
