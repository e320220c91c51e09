"""Several mirrors of one place: the first that has it, and the digest decides what "it" is.

SPDX-License-Identifier: Apache-2.0
"""
import hashlib
import json
import pathlib
import shutil
import socket
import subprocess
import tempfile
import unittest

from cli_support import STACK_INI, Case, each_row
from test_downloads import ARCHIVE, DIGEST, OTHER, STEP
from tls_server import Authority, Server, cut, failing, page

FROM = "https://files.example/"
LIST = f"{DIGEST}  thing.tar.gz\n".encode()
SUMS = """
[step thing]
kind = archive
path = @prefix@
url = https://files.example/thing.tar.gz
sums = https://files.example/sums
"""
GIT = """
[source]
url = https://git.example/thing
revision = {revision}

[tool git]

[step source]
kind = source
path = @prefix@/src
"""
LACKS = f"{hashlib.sha256(b'other').hexdigest()}  other\n".encode()

# name, what each mirror answers (None: nobody listens), the status, what the message says
ROWS = [
    ("down, another file, the right one", (None, OTHER, ARCHIVE), 0, ""),
    ("404, half of it, the right one", (failing(404), cut(ARCHIVE, 1000), ARCHIVE), 0, ""),
    ("a login page, the right one", (page, ARCHIVE), 0, ""),
    ("the right one, and nobody asks the other", (ARCHIVE, OTHER), 0, ""),
    ("another file everywhere", (OTHER, OTHER), 76, "thing.tar.gz: the digest is .*; .*thing.tar.gz: the digest is"),
    ("another file, then nothing", (OTHER, failing(404)), 69, "the digest is .*; .*HTTP status 404"),
    ("nobody", (None, None), 69, "cannot be reached: .*; .*Nothing was changed"),
]


def setUpModule():
    global certificate, bundle
    place = pathlib.Path(tempfile.mkdtemp(prefix="slipway-mirrors-"))
    unittest.addModuleCleanup(shutil.rmtree, place)
    place.chmod(0o755)
    authority = Authority(place)
    certificate, bundle = authority.issue(), authority.bundle


class MirrorCase(Case):
    def serve(self, routes):
        server = Server(certificate, routes)
        self.addCleanup(server.close)
        return server

    def nobody(self):
        """Where nobody listens."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            return f"https://localhost:{probe.getsockname()[1]}/"

    def options(self, places, start=FROM):
        return [word for place in places for word in ("--mirror", f"{start}={place}")]

    def install(self, ini, *options, **environment):
        return self.run_program("install", self.make_stack(ini=STACK_INI + ini), "--yes", *options,
                                env={"SSL_CERT_FILE": str(bundle), **environment})


@each_row(ROWS)
class Mirrors(MirrorCase):
    def check_row(self, answers, status, pattern):
        servers = [answer and self.serve({"/thing.tar.gz": answer}) for answer in answers]
        places = [server.url_of("/") if server else self.nobody() for server in servers]
        result = self.install(STEP.format(url=FROM + "thing.tar.gz", digest=DIGEST), *self.options(places))
        if status:
            self.assert_refused(result, status, "(?s)" + pattern)
            self.assertFalse((self.home / "probe").exists())
            return
        self.assertEqual(result.status, 0, result)
        self.assertEqual(len(list((self.home / "probe").rglob("*.bin"))), 20)
        if answers[0] is ARCHIVE:
            self.assertEqual(len(servers[1].seen), 1, "asked whether it answers, never for the file")


class Order(MirrorCase):
    def test_of_a_list_in_the_environment(self):
        server = self.serve({"/thing.tar.gz": ARCHIVE})
        value = f"{FROM}={self.nobody()},{FROM}={server.url_of('/')}"
        result = self.install(STEP.format(url=FROM + "thing.tar.gz", digest=DIGEST), SLIPWAY_MIRROR=value)
        self.assertEqual(result.status, 0, result)

    def test_what_is_recorded_is_the_place_itself(self):
        """A second run with other mirrors has nothing to do, and asks nobody."""
        server = self.serve({"/thing.tar.gz": ARCHIVE})
        stack = self.make_stack(ini=STACK_INI + STEP.format(url=FROM + "thing.tar.gz", digest=DIGEST))
        environment = {"SSL_CERT_FILE": str(bundle)}
        for places in ([self.nobody(), server.url_of("/")], [self.nobody()], []):
            result = self.run_program("install", stack, "--yes", "--json", *self.options(places), env=environment)
            self.assertEqual(result.status, 0, result)
            self.assertEqual(json.loads(result.out)["changed"], len(places) == 2, result)


class Digests(MirrorCase):
    """A list of digests comes from the first mirror that has one with the file in it."""

    def test_a_list_that_lacks_the_file(self):
        first = self.serve({"/thing.tar.gz": ARCHIVE, "/sums": LACKS})
        second = self.serve({"/thing.tar.gz": ARCHIVE, "/sums": LIST})
        result = self.install(SUMS, *self.options([first.url_of("/"), second.url_of("/")]))
        self.assertEqual(result.status, 0, result)
        self.assertIn("/sums", second.seen)

    def test_no_list_at_all(self):
        servers = [self.serve({"/thing.tar.gz": ARCHIVE}) for _ in range(2)]
        result = self.install(SUMS, *self.options([server.url_of("/") for server in servers]))
        self.assert_refused(result, 69, "sums: HTTP status 404; .*sums: HTTP status 404")


class Checkout(MirrorCase):
    """git computes what a revision is; a mirror that has it not, or another history, is left for the next."""

    def repository(self, name, text):
        top = self.place / name / "thing"
        top.mkdir(parents=True)
        (top / "file").write_text(text)
        who = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b", "GIT_COMMITTER_NAME": "a",
               "GIT_COMMITTER_EMAIL": "a@b", "PATH": "/usr/bin:/bin", "HOME": str(self.place)}
        for line in (["init", "-q"], ["add", "."], ["commit", "-qm", text]):
            subprocess.run(["git", "-C", top, *line], env=who, check=True)
        done = subprocess.run(["git", "-C", top, "rev-parse", "HEAD"], env=who, check=True, capture_output=True, text=True)
        return f"{top.parent}/", done.stdout.strip()

    def test_from_the_second(self):
        other, _ = self.repository("other", "another history")
        right, revision = self.repository("right", "the one")
        options = self.options([other, right], "https://git.example/")
        result = self.install(GIT.format(revision=revision), *options)
        self.assertEqual(result.status, 0, result)
        self.assertEqual((self.home / "probe/src/file").read_text(), "the one")

    def test_from_a_mirror_of_git_clone(self):
        right, revision = self.repository("right", "the one")
        bare = self.place / "bare"
        subprocess.run(["git", "clone", "-q", "--mirror", f"{right}thing", bare / "thing.git"], check=True)
        result = self.install(GIT.format(revision=revision), *self.options([f"{bare}/"], "https://git.example/"))
        self.assertEqual(result.status, 0, result)
        self.assertEqual((self.home / "probe/src/file").read_text(), "the one")

    def test_from_none(self):
        other, _ = self.repository("other", "another history")
        result = self.install(GIT.format(revision="0" * 40), *self.options([other, other], "https://git.example/"))
        self.assert_refused(result, 69, "(?s)does not have the revision.*does not have the revision")


if __name__ == "__main__":
    unittest.main(verbosity=2)
