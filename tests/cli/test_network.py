"""A network that is not what it seems: row 57 of the bad inputs, each with a message of its own.

SPDX-License-Identifier: Apache-2.0
"""
import contextlib
import pathlib
import shutil
import socket
import tempfile
import time
import unittest

from cli_support import STACK_INI, Case, each_row, tree
from tls_server import Authority, liar

STEP = f"""
[step thing]
kind = archive
path = @prefix@
url = https://{{host}}/thing.tar.gz
sha256 = {"0" * 64}
"""
PAGE = b"<html>Welcome. Log in here.</html>\n"
HEADERS = b"Content-Type: text/html\r\nContent-Length: %d\r\n\r\n" % len(PAGE) + PAGE

# name, what the proxy answers to CONNECT, what the message says
PROXIES = [
    ("wants a password", b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=x\r\n" + HEADERS,
     "the proxy answers HTTP status 407"),
    ("forbids it", b"HTTP/1.1 403 No\r\n" + HEADERS, "the proxy answers HTTP status 403"),
    ("a page in place of the tunnel", b"HTTP/1.1 200 OK\r\n" + HEADERS, "does not speak TLS"),
    ("a page without HTTP", PAGE, "the proxy broke off"),
    ("nothing", b"", "the proxy broke off"),
]


def setUpModule():
    global bundle
    place = pathlib.Path(tempfile.mkdtemp(prefix="slipway-network-"))
    unittest.addModuleCleanup(shutil.rmtree, place)
    place.chmod(0o755)
    bundle = Authority(place).bundle


class NetworkCase(Case):
    def assert_unreachable(self, host, pattern, *options, **environment):
        """69 with that message, in less than ten seconds, and nothing changed."""
        stack = self.make_stack(ini=STACK_INI + STEP.format(host=host))
        before = tree(self.home)
        start = time.monotonic()
        result = self.run_program("install", stack, "--yes", *options, env={"SSL_CERT_FILE": str(bundle), **environment})
        self.assertLess(time.monotonic() - start, 10)
        self.assert_refused(result, 69, f"cannot be reached: https://(.|\n)*{pattern}")
        self.assertIn("Nothing was changed", result.err)
        after = tree(self.home)
        self.assertEqual({name for name in after if name not in before and not name.startswith(".local")}, set())


@each_row(PROXIES)
class Proxies(NetworkCase):
    def check_row(self, answer, pattern):
        with liar(answer) as proxy:
            self.assert_unreachable("files.example", pattern, https_proxy=proxy)


class Names(NetworkCase):
    def test_a_proxy_that_nobody_knows(self):
        self.assert_unreachable("files.example", "the proxy's name is not known", https_proxy="http://nobody.invalid:3128")

    def test_a_server_that_nobody_knows(self):
        self.assert_unreachable("nobody.invalid", "name not known")

    def test_no_server_at_all(self):
        """One cause is said once, and what names it."""
        second = STEP.format(host="also.invalid").replace("thing]", "second]").replace("@prefix@", "@prefix@.second")
        stack = self.make_stack(ini=STACK_INI + STEP.format(host="nobody.invalid") + second)
        result = self.run_program("install", stack, "--yes", "--user")
        self.assert_refused(result, 69, r"none of the 2 servers answers: this machine is offline")
        self.assertEqual(result.err.count("name not known"), 1, result)
        self.assertRegex(result.err, r'"slipway check \S+ --network" names the cause')


class BlackHole(NetworkCase):
    """Packets that nobody answers: the queue of a listener that is full."""

    def hole(self, family, address):
        listener = self.enterContext(contextlib.closing(socket.socket(family)))
        listener.bind((address, 0))
        listener.listen(0)
        for _ in range(4):
            one = self.enterContext(contextlib.closing(socket.socket(family)))
            one.setblocking(False)
            one.connect_ex(listener.getsockname())
        return listener.getsockname()[1]

    def enterContext(self, manager):
        """unittest has it from Python 3.11 on."""
        value = manager.__enter__()
        self.addCleanup(manager.__exit__, None, None, None)
        return value

    def test_of_ipv4(self):
        self.assert_unreachable(f"127.0.0.1:{self.hole(socket.AF_INET, '127.0.0.1')}", "timed out", "--network-timeout", "2")

    def test_of_ipv6(self):
        """Where the machine has no IPv6, there is no way into the hole either."""
        try:
            host, pattern = f"[::1]:{self.hole(socket.AF_INET6, '::1')}", "timed out"
        except OSError:
            host, pattern = "[::1]:9", "cannot connect: |refused"
        self.assert_unreachable(host, pattern, "--network-timeout", "2")


if __name__ == "__main__":
    unittest.main()
