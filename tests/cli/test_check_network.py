"""check --network: what the servers of a stack, proxies and networks that lie make of it.

SPDX-License-Identifier: Apache-2.0
"""
import contextlib
import json
import pathlib
import shutil
import tempfile
import time
import unittest

from cli_support import STACK_INI, Case, each_row
from tls_server import Authority, Proxy, Server, failing, liar, page

STEP = """
[step thing{number}]
kind = archive
path = @prefix@/{number}
url = {url}
sha256 = """ + "0" * 64 + "\n"
PAGE = b"<html>Welcome. Log in here.</html>\n"
HEADERS = b"Content-Type: text/html\r\nContent-Length: %d\r\n\r\n" % len(PAGE) + PAGE


def setUpModule():
    global place, authority, certificate
    place = pathlib.Path(tempfile.mkdtemp(prefix="slipway-network-"))
    unittest.addModuleCleanup(shutil.rmtree, place)
    place.chmod(0o755)
    authority = Authority(place / "ours")
    certificate = authority.issue()


class NetworkCase(Case):
    def ask(self, *urls, options=(), **environment):
        """What the checks of the network say of a stack that is loaded from there, by id."""
        steps = "".join(STEP.format(number=number, url=url) for number, url in enumerate(urls))
        stack = self.make_stack(ini=STACK_INI + steps)
        start = time.monotonic()
        result = self.run_program("check", stack, "--json", "--network", *options,
                                  env={"SSL_CERT_FILE": str(authority.bundle), **environment})
        self.seconds = time.monotonic() - start
        self.assertIn(result.status, (0, 1), result)
        found = {}
        for check in json.loads(result.out)["checks"]:
            found.setdefault(check["id"], []).append(check)
        return found

    def online(self, found):
        (one,) = found["net.online"]
        return one

    def assert_offline(self, found, pattern):
        """One finding says what it is; the servers are not told one by one."""
        self.assertEqual(self.online(found)["status"], "fail")
        self.assertRegex(self.online(found)["measured"], pattern)
        self.assertEqual([one["status"] for one in found["net.server"]], ["skipped"])


class Servers(NetworkCase):
    def test_nobody_is_asked_unless_it_is_wanted(self):
        with Server(certificate) as server:
            stack = self.make_stack(ini=STACK_INI + STEP.format(number=0, url=server.url_of("/x.tar.gz")))
            self.run_program("check", stack, env={"SSL_CERT_FILE": str(authority.bundle)})
            self.assertEqual(server.seen, [])

    def test_good_ones(self):
        with Server(certificate, {"/x.tar.gz": b"x"}) as server:
            found = self.ask(server.url_of("/x.tar.gz"), server.url_of("/y.tar.gz"))
        self.assertEqual(self.online(found)["status"], "pass")
        self.assertEqual(self.online(found)["measured"], "1 of 1 servers answer")  # one host, asked once
        self.assertEqual([one["status"] for one in found["net.server"]], ["pass"])

    def test_one_in_trouble(self):
        with Server(certificate, {"/x.tar.gz": failing(503)}) as server, Server(certificate) as other:
            found = self.ask(server.url_of("/x.tar.gz"), other.url_of("/y.tar.gz", host="127.0.0.1"))
        self.assertEqual(self.online(found)["status"], "pass")
        self.assertEqual(sorted(one["status"] for one in found["net.server"]), ["fail", "pass"])
        (bad,) = (one for one in found["net.server"] if one["status"] == "fail")
        self.assertRegex(bad["measured"], "^localhost: it cannot serve .*503")

    def test_a_certificate_of_somebody_else(self):
        stranger = Authority(place / "theirs").issue()
        with Server(stranger) as server:
            found = self.ask(server.url_of("/x.tar.gz"))
        self.assert_offline(found, "no certificate is good here")
        self.assertRegex(self.online(found)["remedy"], "clock.*--ca-bundle")

    def test_nobody_there(self):
        with Server(certificate) as server:
            url = server.url_of("/x.tar.gz")
        self.assert_offline(self.ask(url), "offline")

    def test_a_name_that_nobody_knows(self):
        found = self.ask("https://nobody.invalid/x.tar.gz")
        self.assertRegex(self.online(found)["measured"], "no name can be looked up|offline")  # by its resolver

    def test_one_deadline(self):
        """Eight that never answer, and one that does."""
        holes = [self.enter(Server(certificate, {"/": lambda handler: time.sleep(4)}, host=f"127.0.0.{number + 2}"))
                 for number in range(8)]
        urls = [hole.url_of("/", host=f"127.0.0.{number + 2}") for number, hole in enumerate(holes)]
        with Server(certificate) as good:
            found = self.ask(*urls, good.url_of("/x.tar.gz"), options=("--check-timeout", "1"))
        self.assertLess(self.seconds, 4)
        self.assertEqual(self.online(found)["status"], "pass")

    def enter(self, manager):
        value = manager.__enter__()
        self.addCleanup(manager.__exit__, None, None, None)
        return value

    def test_a_mirror_is_asked_in_its_place(self):
        with Server(certificate, {"/m/x.tar.gz": b"x"}) as mirror:
            found = self.ask("https://nobody.invalid/x.tar.gz",
                             options=("--mirror", f"https://nobody.invalid/={mirror.url_of('/m/')}"))
            self.assertEqual(mirror.seen, ["/m/x.tar.gz"])
        self.assertEqual(self.online(found)["status"], "pass")


# name, what the proxy answers to CONNECT, which cause is named
LIARS = [
    ("a login page in place of the tunnel", b"HTTP/1.1 200 OK\r\n" + HEADERS, "a proxy that lies, or a network that wants a login"),
    ("a password is wanted", b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=x\r\n" + HEADERS,
     "the proxy lets nothing through"),
    ("it forbids", b"HTTP/1.1 403 No\r\n" + HEADERS, "the proxy lets nothing through"),
    ("it breaks off", b"", "the proxy lets nothing through"),
]


@each_row(LIARS)
class Liars(NetworkCase):
    def check_row(self, answer, pattern):
        with liar(answer) as proxy:
            found = self.ask("https://files.example/x.tar.gz", "https://more.example/y.tar.gz", HTTPS_PROXY=proxy)
        self.assert_offline(found, pattern)


class Proxies(NetworkCase):
    def test_one_that_opens_tls(self):
        """It answers for every name with a certificate of its own, as some companies do."""
        stranger = Authority(place / "company").issue(hosts=("DNS:files.example",))
        with Server(stranger, {"/x.tar.gz": page}) as server, contextlib.closing(Proxy(server.port)) as proxy:
            found = self.ask("https://files.example/x.tar.gz", HTTPS_PROXY=f"http://127.0.0.1:{proxy.port}",
                             NO_PROXY="localhost,127.0.0.1")
            self.assertEqual(proxy.seen, ["files.example:443"])
        self.assert_offline(found, "something stands between")

    def test_a_good_one(self):
        named = authority.issue("named", hosts=("DNS:files.example",))
        with Server(named) as server, contextlib.closing(Proxy(server.port)) as proxy:
            found = self.ask("https://files.example/x.tar.gz", HTTPS_PROXY=f"http://127.0.0.1:{proxy.port}",
                             NO_PROXY="localhost,127.0.0.1")
        self.assertEqual(self.online(found)["status"], "pass")
        self.assertEqual(found["net.proxy"][0]["status"], "pass")

    def test_nobody_there(self):
        with Server() as gone:
            port = gone.port
        found = self.ask("https://files.example/x.tar.gz", HTTPS_PROXY=f"http://ana:hunter2@127.0.0.1:{port}")
        self.assert_offline(found, "the proxy lets nothing through")
        self.assertEqual(self.online(found)["source"], f"http://127.0.0.1:{port}")
        self.assertNotIn("hunter2", json.dumps(found))
        self.assertEqual(found["net.proxy"][0]["status"], "warn")  # NO_PROXY has no localhost


if __name__ == "__main__":
    unittest.main()
