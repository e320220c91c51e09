"""packaging/install.sh against servers that lie, and of downloads that were cut off.

SPDX-License-Identifier: Apache-2.0
"""

import os
import shutil

from install_support import NAME, SHELLS, TOOLS, WORLD, Case, executable, program
from files import tree
from release_fixture import Release, documents, minisig, sig
from tls_server import Authority, Server, cut, endless, failing, page, redirect, unsaid


def changed(old, new):
    """Returns: what replaces that in the manifest, and signs it."""

    def change(release):
        text = release.manifest()
        assert old in text, text
        release.text = text.replace(old, new)

    return change


def with_program(body):
    return lambda release: release.__init__(release.key, body, release.version, release.serial)


# name, what is done to the release, what is done to the server's routes, status, what is said
HOSTILE = [
    ("another program", None, {NAME: program("0.2.0") + b"#"}, 65, "is longer than it may be"),
    ("wrong digest", None, {NAME: program("0.2.0").replace(b"42", b"43")}, 76, "SHA-256 differs"),
    ("shorter", None, {NAME: program("0.2.0")[:-1]}, 76, "SHA-256 differs"),
    ("shorter than it said", None, {NAME: cut(program("0.2.0"), 9)}, 69, "cannot get"),
    (
        "ends early, length unsaid",
        None,
        {NAME: unsaid(program("0.2.0")[:50])},
        76,
        "SHA-256 differs",
    ),
    ("endless program", None, {NAME: endless}, 65, "longer than it may be"),
    ("no program", None, {NAME: None}, 69, "cannot get v0.2.0/slipway.*404"),
    ("page for the program", None, {NAME: page}, 76, "SHA-256 differs"),
    ("program of another version", with_program(program("0.2.1")), {}, 73, "does not start"),
    ("program that does not start", with_program(b"\x7fELF no"), {}, 73, "does not start .*noexec"),
    (
        "signature of something else",
        None,
        {"/manifest.json.sig": lambda h: h.send(200, sig(WORLD.key, b"{}"))},
        76,
        "signature .* wrong",
    ),
    (
        "signature by a stranger",
        None,
        {
            "/manifest.json.sig": lambda h: h.send(
                200, sig(WORLD.other_key, h.server.routes["/manifest.json"])
            )
        },
        76,
        "signature .* wrong",
    ),
    (
        "signature of another domain",
        None,
        {
            "/manifest.json.sig": lambda h: h.send(
                200, sig(WORLD.key, h.server.routes["/manifest.json"], documents.ROOT)
            )
        },
        76,
        "signature .* wrong",
    ),
    ("no signature", None, {"/manifest.json.sig": None}, 69, "cannot get manifest.json.sig"),
    ("empty signature", None, {"/manifest.json.sig": b""}, 76, "signature .* wrong"),
    ("page for the signature", None, {"/manifest.json.sig": page}, 76, "signature .* wrong"),
    ("endless signature", None, {"/manifest.json.sig": endless}, 65, "longer than it may be"),
    (
        "manifest changed",
        None,
        {
            "/manifest.json": lambda h: h.send(
                200, h.server.routes["/v0.2.0/manifest.json"].replace(b"0.2.0", b"0.2.1")
            )
        },
        76,
        "signature .* wrong",
    ),
    ("no manifest", None, {"/manifest.json": None}, 69, "cannot get manifest.json .*404"),
    ("page for the manifest", None, {"/manifest.json": page}, 65, "want a log-in"),
    ("endless manifest", None, {"/manifest.json": endless}, 65, "longer than it may be"),
    (
        "huge manifest",
        None,
        {"/manifest.json": b"{\n" + b" " * 300000},
        65,
        "longer than it may be",
    ),
    (
        "manifest cut",
        None,
        {"/manifest.json": unsaid(b'{\n  "schema": 1,\n')},
        76,
        "signature .* wrong",
    ),
    ("refused", None, {"/manifest.json": failing(403)}, 69, "403"),
    (
        "redirect to a file",
        None,
        {"/manifest.json": redirect("file:///etc/passwd")},
        69,
        "cannot get",
    ),
    ("redirects without end", None, {"/manifest.json": redirect("/manifest.json")}, 69, "redirect"),
    (
        "expired",
        lambda r: setattr(r, "expires", "2020-01-01T00:00:00Z"),
        {},
        76,
        "was good until 2020",
    ),
    (
        "not for this platform",
        lambda r: setattr(r, "rows", r.rows[2:]),
        {},
        65,
        "offers no program",
    ),
    (
        "twice for this platform",
        lambda r: setattr(r, "rows", r.rows[:2] + r.rows[:2]),
        {},
        65,
        "offers no program",
    ),
    ("another schema", changed(b'"schema": 1', b'"schema": 2'), {}, 65, "later install.sh"),
    (
        "version of shell",
        changed(b'"version": "0.2.0"', b'"version": "0.2.0$(touch x)"'),
        {},
        65,
        "has no version",
    ),
    (
        "two versions",
        changed(b'"version": "0.2.0",', b'"version": "0.2.0",\n  "version": "0.2.1",'),
        {},
        65,
        "has no version",
    ),
    (
        "serial of shell",
        changed(b'"serial": 2', b'"serial": a[$(touch x)]'),
        {},
        65,
        "has no serial",
    ),
    ("size of shell", lambda r: r.change(size="$(touch x)"), {}, 65, "offers no program"),
    ("digest of shell", lambda r: r.change(sha256="`touch x`"), {}, 65, "offers no program"),
    ("path upwards", lambda r: r.change(path="../../../etc/passwd"), {}, 65, "offers no program"),
    ("name of shell", lambda r: r.change(name="x; touch x"), {}, 65, "offers no program"),
    ("size of a giant", lambda r: r.change(size=10**12), {}, 65, "offers no program"),
]


class Hostile(Case):
    """The program that is there stays, nothing else appears, and the message says why."""

    def attempt(self, status, pattern, *arguments, **options):
        before = tree(self.home)
        err = self.expect(status, pattern, *arguments, **options)
        self.assertIn("nothing was changed on this machine", err)
        self.assertEqual(tree(self.home), before)

    def serve(self, change, routes):
        self.server.routes.clear()
        release = Release(WORLD.key, program("0.2.0"))
        if change:
            change(release)
        release.publish(self.server.routes)
        self.server.routes.update(routes)

    def test_servers_that_lie(self):
        self.old_program()
        for name, change, routes, status, pattern in HOSTILE:
            with self.subTest(name):
                self.serve(change, routes)
                self.attempt(status, pattern)

    def test_with_wget(self):
        self.path = str(WORLD.tools("wget", "openssl"))
        self.old_program()
        again = (
            "wrong digest",
            "endless program",
            "no program",
            "signature by a stranger",
            "no signature",
            "page for the manifest",
            "endless manifest",
            "huge manifest",
            "redirects without end",
        )
        for name, change, routes, status, pattern in HOSTILE:
            if name in again:
                with self.subTest(name):
                    self.serve(change, routes)
                    self.attempt(status, pattern)

    def test_with_minisign(self):
        self.path = str(WORLD.tools("curl", "minisign"))
        self.old_program()
        self.publish()
        text = self.server.routes["/manifest.json"]
        for name, signature in (
            ("stranger", minisig(WORLD.other_key, text)),
            ("empty", b""),
            ("something else", minisig(WORLD.key, b"{}")),
            ("the other kind", sig(WORLD.key, text)),
        ):
            with self.subTest(name):
                self.server.routes["/manifest.json.minisig"] = signature
                self.attempt(76, "is wrong, says minisign")

    def test_with_nothing_that_checks_signatures(self):
        self.path = str(WORLD.tools("curl"))
        self.old_program()
        for name, change, routes, status, pattern in HOSTILE:
            if (
                "of shell" in name
                or "path" in name
                or name in ("wrong digest", "twice for this platform")
            ):
                with self.subTest(name):
                    self.serve(change, routes)
                    self.attempt(status, pattern)

    def test_every_shell(self):
        self.old_program()
        rows = {row[0]: row for row in HOSTILE}
        for shell in SHELLS.values():
            for name in (
                "wrong digest",
                "signature by a stranger",
                "version of shell",
                "digest of shell",
            ):
                with self.subTest(f"{shell}: {name}"):
                    _, change, routes, status, pattern = rows[name]
                    self.serve(change, routes)
                    self.attempt(status, pattern, shell=shell)

    def test_certificates(self):
        self.old_program()
        for name, options, trusted in (
            ("expired", {"days": -1}, True),
            ("wrong host", {"hosts": ["DNS:elsewhere"]}, True),
            ("nobody's", {}, False),
        ):
            with self.subTest(name):
                server = Server(WORLD.authority.issue(name.replace(" ", "-"), **options))
                self.addCleanup(server.close)
                Release(WORLD.key, program("0.2.0")).publish(server.routes)
                if not trusted:
                    other = self.home.parent / f"{self.home.name}-ca"
                    other.mkdir()
                    self.addCleanup(shutil.rmtree, other)
                    self.env["SLIPWAY_CA_BUNDLE"] = str(Authority(other).bundle)
                for self.path in (os.environ["PATH"], str(WORLD.tools("wget", "openssl"))):
                    self.attempt(
                        69, "cannot get manifest.json .*certificate", "--release-url", server.url
                    )
                self.assertEqual(server.seen, [])

    def test_redirect_to_plain_http(self):
        self.old_program()
        plain = Server()
        self.addCleanup(plain.close)
        Release(WORLD.key, program("0.2.0")).publish(plain.routes)
        for path in ("/manifest.json", "/manifest.json.sig", NAME):
            with self.subTest(path):
                self.serve(None, {path: redirect(plain.url + path)})
                self.attempt(69, "cannot get")
        self.assertEqual(plain.seen, [])

    def test_nobody_listens(self):
        self.server.close()
        self.attempt(69, "cannot get manifest.json")

    def test_a_server_that_recovers(self):
        release = self.publish()
        answers = [failing(503), failing(429), lambda h: h.send(200, release.manifest())]
        self.server.routes["/manifest.json"] = lambda h: answers.pop(0)(h)
        self.expect(0, "is at")

    def test_addresses(self):
        for url in (
            "http://localhost:1",
            "file:///tmp",
            "ftp://x",
            "https://",
            "https://a b",
            "https://$(x)",
        ):
            with self.subTest(url):
                self.env["SLIPWAY_RELEASE_URL"] = url
                self.expect(64, "address of the releases")

    def test_downgrade(self):
        self.publish("0.2.0", 5)
        self.expect(0, "is at")
        self.publish("0.1.9", 4)
        self.attempt(76, "offers 0.1.9, which is older .*\n.*--version 0.1.9")
        self.expect(0, r"slipway 0\.1\.9 is at", "--version", "0.1.9")
        self.attempt(76, "offers 0.1.9, which is older")

    def test_downgrade_after_slipway_update(self):
        self.old_program()
        seen = self.home / ".local/state/slipway/update/seen.json"
        seen.parent.mkdir(parents=True)
        seen.write_text('{\n  "schema": 1,\n  "keys": "00",\n  "serial": 9,\n  "sha256": "00"\n}\n')
        self.publish("0.2.0", 8)
        self.attempt(76, "offers 0.2.0, which is older")

    def test_same_version_other_bytes(self):
        self.publish()
        self.expect(0, "is at")
        self.publish(program=program("0.2.0", "evil"))
        for arguments in ((), ("--version", "0.2.0")):
            if arguments:
                self.target.write_bytes(program("0.2.0", "edited"))
            self.attempt(76, "is not the 0.2.0 that was installed here before", *arguments)

    def test_another_version_in_its_place(self):
        self.publish("0.2.0", 2)
        self.server.routes.update(
            {
                f"/v0.3.0/{name}": self.server.routes[f"/{name}"]
                for name in ("manifest.json", "manifest.json.sig")
            }
        )
        self.attempt(76, "is for 0.2.0", "--version", "0.3.0")

    def test_old_manifest_of_a_named_version(self):
        release = Release(WORLD.key, program("0.2.0"))
        release.expires = "2020-01-01T00:00:00Z"
        release.publish(self.server.routes)
        self.expect(0, "is at", "--version", "0.2.0")


class Cut(Case):
    """A shell that gets a part of the script does nothing: it finds no command to run."""

    def setUp(self):
        super().setUp()
        self.canary = self.home / "canary"
        for name in (*TOOLS, "curl", "wget", "openssl", "minisign", "uname"):
            executable(self.home / "fake" / name, f'#!/bin/sh\necho "$0" >>"{self.canary}"\n')
        self.path = str(self.home / "fake")
        self.out, self.err = self.home / "out", self.home / "err"

    def cut_at(self, shell, lengths):
        text = self.script().encode()
        part = self.home / "part"
        part.write_bytes(text)
        begin = text.index(b"\n{\n") + 1
        argv = [shutil.which(shell[0]), *shell[1:], "-s", "--", "--uninstall"]
        modes = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        statuses = {}
        for length in lengths(len(text)):
            os.truncate(part, length)
            pid = os.posix_spawn(
                argv[0],
                argv,
                self.environment(),
                file_actions=[
                    (os.POSIX_SPAWN_OPEN, 0, str(part), os.O_RDONLY, 0),
                    (os.POSIX_SPAWN_OPEN, 1, str(self.out), modes, 0o600),
                    (os.POSIX_SPAWN_OPEN, 2, str(self.err), modes, 0o600),
                ],
            )
            statuses[length] = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        for length, status in statuses.items():
            self.assertEqual(status != 0, length > begin, f"cut at {length}: status {status}")
        self.assertFalse(self.canary.exists(), "something ran")
        self.assertEqual(self.out.read_bytes(), b"")
        self.assertNotIn("slipway:", self.err.read_text())
        self.assertEqual(list(self.temp.iterdir()), [])
        self.assertFalse(self.dir.exists())
        self.assertEqual(self.server.seen, [])

    def test_at_every_byte(self):
        self.cut_at(["dash"], lambda size: range(size - 2, -1, -1))

    def test_in_the_other_shells(self):
        for name, shell in SHELLS.items():
            if name != "dash":
                with self.subTest(name):
                    self.cut_at(
                        shell,
                        lambda size: (
                            *range(size - 2, size - 300, -1),
                            *range(size - 300, -1, -29),
                        ),
                    )

    def test_the_canary_sings(self):
        self.run_sh("--uninstall")
        self.assertTrue(self.canary.exists())
