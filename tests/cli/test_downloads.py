"""Downloads from a TLS server that breaks off, lies and changes its mind, through the real binary:
the stated status, and nothing left behind.

SPDX-License-Identifier: Apache-2.0
"""
import concurrent.futures
import gzip
import hashlib
import io
import pathlib
import random
import shutil
import tarfile
import tempfile
import unittest

from cli_support import STACK_INI, Case
from files import tree
from tls_server import (Authority, Server, chunked, cut, endless_chunks, failing, page, ranges, raw,
                        redirect, reset, turns, unsaid)

STEP = """
[step thing]
kind = archive
path = @prefix@
url = {url}
sha256 = {digest}
max = 1000000
"""


def make_archive(seed):
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as archive:
        for number in range(20):
            member = tarfile.TarInfo(f"thing/{number}.bin")
            member.size = 20000
            archive.addfile(member, io.BytesIO(random.Random(seed + number).randbytes(20000)))
    return content.getvalue()


ARCHIVE, OTHER = make_archive(1), make_archive(100)
DIGEST = hashlib.sha256(ARCHIVE).hexdigest()
HALF = len(ARCHIVE) // 2


def status(number, reason, *headers, body=b"<html>no</html>"):
    lines = (f"HTTP/1.1 {number} {reason}", *headers, f"Content-Length: {len(body)}", "", "")
    return raw("\r\n".join(lines).encode() + body)


def plain(body):
    return lambda handler: handler.send(200, body)


HALFWAY = ranges(ARCHIVE, share=0.5)
WELL = ranges(ARCHIVE)
WRONG_RANGE = status(206, "Partial", f"Content-Range: bytes 0-{len(ARCHIVE) - 1}/{len(ARCHIVE)}",
                     body=ARCHIVE)
NO_MORE = status(416, "Nothing there", body=b"")

# name, how the server answers, the status, what the message says.  Numbers: the rows of bad inputs.
ROWS = [
    # Each of these takes five tries.
    ("49 cut off each time without a length", unsaid(ARCHIVE[:1000]), 69, "the server does not say"),
    ("less than its length, each time", cut(ARCHIVE, HALF), 69, "5 tries: .*broke off"),
    ("another range each time", turns(HALFWAY, WRONG_RANGE), 69, "the range that it was asked for"),
    ("500 each time", failing(500), 69, "5 tries: HTTP status 500"),
    ("too many headers", raw(b"HTTP/1.1 200 OK\r\n" + b"".join(
        b"X-%d: %0100d\r\n" % (n, n) for n in range(6000)) + b"\r\n"), 69, "headers"),
    ("48 a body without end", endless_chunks, 65, "larger than 1000000 bytes"),
    ("49 cut off once without a length", turns(unsaid(ARCHIVE[:1000]), unsaid(ARCHIVE)), 0, ""),
    ("less than its length, once", turns(cut(ARCHIVE, HALF), WELL), 0, ""),
    ("less than its length, thrice", turns(HALFWAY, HALFWAY, HALFWAY, WELL), 0, ""),
    ("chunks that break off, once", turns(chunked(ARCHIVE[:HALF], False), WELL), 0, ""),
    ("a server without ranges", turns(cut(ARCHIVE, HALF), plain(ARCHIVE)), 0, ""),
    ("50 another range than asked for", turns(HALFWAY, WRONG_RANGE, plain(ARCHIVE)), 0, ""),
    ("51 416 when all is there", turns(chunked(ARCHIVE, False), NO_MORE), 0, ""),
    ("51 416 when half is there", turns(cut(ARCHIVE, HALF), NO_MORE, plain(ARCHIVE)), 0, ""),
    ("52 exchanged in the middle", turns(ranges(OTHER, '"two"', 0.5), WELL), 0, ""),
    ("52 exchanged, and nobody says so", turns(cut(OTHER, HALF), plain(ARCHIVE)), 0, ""),
    ("52 exchanged for the wrong one", turns(HALFWAY, ranges(OTHER, '"two"')), 76, "the digest is"),
    ("53 to a file", redirect("file:///etc/passwd"), 69, "redirect to file:///etc/passwd denied"),
    ("53 to ftp", redirect("ftp://127.0.0.1/x"), 69, "redirect to ftp://127.0.0.1/x denied"),
    ("53 to http", redirect("http://192.0.2.1/x"), 69, "redirect to http://192.0.2.1/x denied"),
    ("53 to another host", redirect("https://elsewhere.invalid/x"), 69,
     "redirect to https://elsewhere.invalid/x denied(.|\n)*--redirect-hosts elsewhere.invalid"),
    ("53 around in a circle", redirect("/thing.tar.gz"), 69, "more than 5 redirects"),
    ("55 a day of patience", status(429, "Slow", "Retry-After: 86400"), 75,
     "in 86400 s, at [0-9-]+ "),
    ("55 a second of patience", turns(status(429, "Slow", "Retry-After: 1"), WELL), 0, ""),
    ("55 patience that is no number", turns(status(503, "Slow", "Retry-After: soon"), WELL), 0, ""),
    ("55 patience of long ago", turns(
        status(429, "Slow", "Retry-After: Wed, 21 Oct 2015 07:28:00 GMT"), WELL), 0, ""),
    ("56 a reset in the middle", turns(reset(ARCHIVE), WELL), 0, ""),
    ("404, a page", failing(404), 69, "HTTP status 404"),
    ("403", failing(403), 69, "HTTP status 403"),
    ("511", status(511, "Login"), 69, "wants a login first"),
    ("a page instead of the archive", page, 65, "is a web page(.|\n)*captive portal"),
    ("two lengths", raw(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\nContent-Length: 20\r\n\r\n"
                        b"01234567890123456789"), "65|76", ""),
    ("compressed on the way", status(200, "OK", "Content-Encoding: gzip",
                                     body=gzip.compress(ARCHIVE)), 76, "the digest is"),
    ("another archive", plain(OTHER), 76, "the digest is"),
    ("larger than allowed", status(200, "OK", body=bytes(1000001)), 65, "larger than"),
]


def setUpModule():
    global place, certificate, bundle
    place = pathlib.Path(tempfile.mkdtemp(prefix="slipway-downloads-"))
    unittest.addModuleCleanup(shutil.rmtree, place)
    place.chmod(0o755)
    authority = Authority(place)
    certificate, bundle = authority.issue(), authority.bundle


class DownloadCase(Case):
    def install(self, answer, stack="stack"):
        """Into a home of its own.  Returns: the result, and what is there more than before."""
        home = self.place / f"home-{stack}"
        home.mkdir(mode=0o700)
        before = tree(home)
        with Server(certificate, {"/thing.tar.gz": answer}) as server:
            ini = STACK_INI + STEP.format(url=server.url_of("/thing.tar.gz"), digest=DIGEST)
            result = self.run_program("install", self.make_stack(stack, ini), "--yes", env={
                "SSL_CERT_FILE": str(bundle), "HOME": str(home)})
        after = tree(home)
        return result, {name for name in after if before.get(name) != after[name]} - {"."}

    def assert_clean(self, changed):
        """A run that was rolled back leaves its lock and its log, and nothing of the archive."""
        state = ".local/state/slipway"
        known = {".local", ".local/state", state, *(
            f"{state}/{name}" for name in ("lock", "log", "history"))}
        self.assertEqual({name for name in changed - known if not name.startswith(f"{state}/log/")},
                         set())


class Behaviours(DownloadCase):
    """All of them wait side by side: what breaks off is tried again, later each time."""

    def test_each(self):
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            runs = [pool.submit(self.install, answer, f"stack-{number}")
                    for number, (_, answer, _, _) in enumerate(ROWS)]
        for (name, _, expected, pattern), run in zip(ROWS, runs):
            with self.subTest(name):
                self.check(*run.result(), str(expected), pattern)

    def check(self, result, changed, expected, pattern):
        self.assertRegex(str(result.status), f"^({expected})$", result)
        if result.status != 0:
            self.assert_refused(result, result.status, pattern)
            self.assert_clean(changed)
            return
        self.assertEqual(len([name for name in changed if name.endswith(".bin")]), 20)
        self.assertFalse([name for name in changed if "unpack" in name or "download" in name])


if __name__ == "__main__":
    unittest.main(verbosity=2)
