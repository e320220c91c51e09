"""One file runs everywhere: an empty root, BusyBox, Debian 12 and 13, aarch64 under emulation.

The stack is one of our own that needs no packages.  What it downloads comes from an HTTPS server
on loopback, whose certificate an authority signed that was made for the test.
"""
import filecmp
import hashlib
import io
import json
import os
import pathlib
import secrets
import shutil
import subprocess
import sys
import tarfile
import tempfile
import unittest

import rig

sys.path.insert(0, str(rig.TOP / "tests/common"))
from tls_server import Authority, Server  # noqa: E402

STACKS = rig.TOP / "payload/stacks"
AARCH64 = pathlib.Path(os.environ.get("SLIPWAY_AARCH64", rig.TOP / "build/static-aarch64/slipway"))
QEMU = pathlib.Path("/usr/bin/qemu-aarch64-static")
LIBRARIES = {"glib", "openssl", "libcurl", "jansson", "libarchive", "liblzma", "libzstd", "zlib"}
# A name that no DNS server knows.
HOST = "only-in-etc-hosts.test"

STACK_INI = """\
[stack]
schema = 1
name = portable
title = Portable – läuft überall
version = 1.0.0
summary = a directory, a file, a download, a command and a key
prefix = ~/portable

[profile native]
title = the only one
default = yes

[key PORTABLE_TOKEN]
kind = generated
title = a token

[step prefix]
kind = directory
path = @prefix@
mode = 0755

[step note]
kind = file
after = prefix
path = @prefix@/note
from = note
mode = 0644

[step thing]
kind = archive
after = prefix
path = @prefix@/thing
url = {url}
sha256 = {digest}

[step command]
kind = wrapper
after = note thing
path = @bin@/portable
from = command.sh
template = yes
mode = 0755

[step token]
kind = key
name = PORTABLE_TOKEN
"""
COMMAND = "#!/bin/sh\nexec cat @prefix@/note @prefix@/thing/thing.txt\n"
CERTIFICATES = "\n[tool ca-certificates]\n"
TEST = "\n[test command]\ntitle = portable\nrun = @bin@/portable\nneeds = command\n"


def setUpModule():
    rig.install()


def make_archive():
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:xz") as archive:
        member = tarfile.TarInfo("thing.txt")
        member.size = 6
        archive.addfile(member, io.BytesIO(b"thing\n"))
    return content.getvalue()


class Case(unittest.TestCase):
    """Each test has an authority, a server and the stack, in `lower`/srv."""
    maxDiff = None

    def setUp(self):
        self.place = pathlib.Path(tempfile.mkdtemp(prefix="slipway-everywhere-"))
        self.addCleanup(subprocess.run, ["rm", "-rf", str(self.place)])
        self.authority = Authority(self.place / "authority")
        self.other = Authority(self.place / "other", "Other")
        archive = make_archive()
        self.server = self.enterContext(Server(
            self.authority.issue(hosts=("DNS:localhost", "IP:127.0.0.1", f"DNS:{HOST}")),
            {"/thing.tar.xz": archive}))
        self.lower = self.place / "lower"
        srv = self.lower / "srv"
        srv.mkdir(parents=True)
        shutil.copy(self.authority.bundle, srv / "ca.crt")
        shutil.copy(self.other.bundle, srv / "other.crt")
        (srv / "key").write_bytes(secrets.token_bytes(32))
        (srv / "key").chmod(0o600)
        self.digest = hashlib.sha256(archive).hexdigest()
        self.make_stack("portable", "127.0.0.1", TEST)
        self.make_stack("by-name", HOST, TEST)
        self.make_stack("with-certificates", "127.0.0.1", CERTIFICATES + TEST)
        self.make_stack("without-shell", "127.0.0.1")

    def make_stack(self, name, host, more=""):
        top = self.lower / "srv" / name
        top.mkdir()
        url = self.server.url_of("/thing.tar.xz", host)
        (top / "stack.ini").write_text(STACK_INI.format(url=url, digest=self.digest) + more)
        (top / "note").write_text("hello\n")
        (top / "command.sh").write_text(COMMAND)

    def assert_document(self, done, status):
        """It ended with that status, and with one document that says so."""
        self.assertEqual(done.returncode, status, done.stdout[-3000:] + done.stderr[-3000:])
        document = json.loads(done.stdout)
        self.assertEqual(document["exit"], status)
        return document

    def assert_refused(self, done, status, pattern):
        self.assertEqual(done.returncode, status, done.stdout[-3000:] + done.stderr[-3000:])
        self.assertRegex(done.stderr, pattern)
        self.assertNotRegex(done.stderr, "CRITICAL|WARNING|ERROR")


class Empty(Case):
    """A root with the program in it and nothing else: no /proc, /dev, /etc, no shell, no libc."""
    architecture = "x86_64"

    def setUp(self):
        super().setUp()
        self.root = self.place / "root"
        self.root.mkdir()
        self.fill()

    def fill(self):
        shutil.copy(rig.PROGRAM, self.root / "slipway")
        self.program = ["/slipway"]

    def slipway(self, *arguments, env=None, **options):
        values = {"HOME": "/home", **(env or {})}
        return subprocess.run(
            ["/usr/sbin/chroot", str(self.root), *self.program, *arguments],
            env={name: value for name, value in values.items() if value is not None},
            timeout=60, check=False, **{"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE,
                                        "stderr": subprocess.PIPE, "text": True, **options})

    def succeed(self, *arguments, **options):
        done = self.slipway(*arguments, **options)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertNotRegex(done.stderr, "CRITICAL|WARNING|ERROR|slipway: ")
        return done.stdout

    def add_srv(self):
        shutil.copytree(self.lower / "srv", self.root / "srv")

    def test_version(self):
        document = self.assert_document(self.slipway("version", "--json"), 0)
        self.assertTrue(document["static"])
        self.assertEqual(LIBRARIES - set(document["libraries"]), set())
        self.assertRegex(self.succeed("version"), r"^slipway \d+\.\d+\.\d+\n$")
        # What other programs leave in the environment does not reach the people who look on.
        strange = {"GIO_EXTRA_MODULES": "/usr/lib/gio/modules", "LC_ALL": "xx_YY.ISO-8859-1",
                   "TZ": "Europe/Berlin", "GIO_USE_VFS": "gvfs"}
        self.assertEqual(self.succeed("version", env=strange), self.succeed("version"))

    def test_help(self):
        self.assertIn("usage: slipway COMMAND", self.succeed("help"))
        self.assertIn("--ca-bundle", self.succeed("help", "install"))

    def test_stacks(self):
        names = sorted(path.name for path in STACKS.iterdir())
        listed = self.succeed("stacks")
        for name in names:
            self.assertIn(name, listed)
            self.succeed("unpack", name, f"/{name}")
            self.assert_same_tree(STACKS / name, self.root / name)

    def assert_same_tree(self, one, other):
        def files(top):
            return sorted(str(path.relative_to(top)) for path in top.rglob("*"))
        self.assertEqual(files(one), files(other))
        names = [name for name in files(one) if (one / name).is_file()]
        self.assertEqual(filecmp.cmpfiles(one, other, names, shallow=False), (names, [], []))

    def test_check(self):
        """What cannot be read there is unknown, never zero."""
        done = self.slipway("check", "localagent", "--json", "--all")
        document = self.assert_document(done, done.returncode)
        self.assertIn(done.returncode, (0, 1))
        found = {check["id"]: check for check in document["checks"]}
        for name in ("mem.total", "mem.available", "os.supported"):
            self.assertEqual(found[name]["status"], "unknown", found[name])
        self.assertEqual(found["arch"]["measured"], self.architecture)

    def test_home(self):
        """Without a user database HOME has to say where the home is."""
        self.assert_refused(self.slipway("config", env={"HOME": None}), 78, "Set HOME")
        self.assertIn("/elsewhere", self.succeed("config", env={"HOME": "/elsewhere"}))

    def test_closed_streams(self):
        """No /dev/null can stand in for what is closed; nothing may be written to another file."""
        line = '"$@" <&- >&- 2>&-'
        done = subprocess.run(["sh", "-c", line, "sh", "/usr/sbin/chroot", str(self.root),
                               *self.program, "unpack", "localagent", "/there"],
                              env={"HOME": "/home"}, check=False)
        self.assertIn(done.returncode, (0, 74))
        self.assert_same_tree(STACKS / "localagent", self.root / "there")

    def test_keys(self):
        self.add_srv()
        env = {"SLIPWAY_KEY_FILE": "/srv/key"}
        value = secrets.token_hex(20)
        self.slipway("keys", "set", "FIRST", "--stdin", env=env, input=value, stdin=None)
        self.slipway("keys", "set", "SECOND", "--stdin", env=env, input="another", stdin=None)
        self.assertEqual(self.succeed("keys", "get", "FIRST", env=env), value + "\n")
        self.assertEqual(self.assert_names(env), {"FIRST", "SECOND"})
        done = self.slipway("keys", "remove", "FIRST", env=env)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.assert_names(env), {"SECOND"})
        for path in (self.root / "home").rglob("*"):
            self.assertFalse(path.is_file() and value.encode() in path.read_bytes(), path)

    def assert_names(self, env):
        document = self.assert_document(self.slipway("keys", "list", "--json", env=env), 0)
        return {key["name"] for key in document["keys"]}

    def test_https_without_certificates(self):
        """The message says what to install or to name; the server is not even asked."""
        self.add_srv()
        done = self.slipway("install", "/srv/without-shell", "--yes",
                            env={"SLIPWAY_KEY_FILE": "/srv/key"})
        self.assert_refused(done, 69, "no CA certificates: install the package ca-certificates, "
                                      "or name a bundle with --ca-bundle or in SSL_CERT_FILE")
        self.assertEqual(self.server.seen, [])
        self.assertFalse((self.root / "home/portable").exists())

    def test_https_with_the_wrong_certificates(self):
        self.add_srv()
        done = self.slipway("install", "/srv/without-shell", "--yes", env={
            "SLIPWAY_KEY_FILE": "/srv/key", "SSL_CERT_FILE": "/srv/other.crt"})
        self.assert_refused(done, 69, "TLS: .*issuer certificate")
        self.assertEqual(self.server.seen, [])

    def test_install(self):
        """HTTPS, unpacking, keys: all that needs no other program works."""
        self.add_srv()
        env = {"SLIPWAY_KEY_FILE": "/srv/key", "SSL_CERT_FILE": "/srv/ca.crt"}
        done = self.slipway("install", "/srv/without-shell", "--yes", env=env)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("Portable – läuft überall", done.stderr + done.stdout)
        home = self.root / "home"
        self.assertEqual((home / "portable/thing/thing.txt").read_text(), "thing\n")
        self.assertIn("/home/portable", (home / ".local/bin/portable").read_text())
        self.assertEqual(self.assert_names(env), {"PORTABLE_TOKEN"})
        done = self.slipway("uninstall", "portable", "--yes", env=env)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertFalse((home / "portable").exists())
        self.assertFalse((home / ".local/bin/portable").exists())


class EmptyAarch64(Empty):
    """The same under emulation; the emulator is one static file too."""
    architecture = "aarch64"

    def fill(self):
        self.assertTrue(AARCH64.is_file(), 'there is no program: "make static ARCH=aarch64"')
        shutil.copy(AARCH64, self.root / "slipway")
        shutil.copy(QEMU, self.root / "qemu")
        self.program = ["/qemu", "/slipway"]


class Small(Case):
    """A whole life of the stack, in a userland."""

    def machine(self, lower=(), **options):
        machine = self.enterContext(rig.Machine(lower=[self.lower, *lower], **options))
        hosts = machine.root / "etc/hosts"
        hosts.write_text(hosts.read_text() + f"127.0.0.1 {HOST}\n")
        return machine

    def env(self, bundle):
        """An empty variable counts as none."""
        return {"SSL_CERT_FILE": bundle, "SLIPWAY_KEY_FILE": "/srv/key"}

    def live(self, machine, bundle="/srv/ca.crt", stack="portable"):
        env = self.env(bundle)
        before = machine.tree()
        done = machine.slipway("check", "--json", env=env)
        self.assert_document(done, done.returncode)
        self.assertIn(done.returncode, (0, 1))
        plan = self.assert_document(
            machine.slipway("plan", f"/srv/{stack}", "--json", env=env), 0)
        self.assertEqual({"prefix", "note", "thing", "command", "token"} -
                         {step["id"] for step in plan["steps"]}, set())
        self.assert_document(
            machine.slipway("install", f"/srv/{stack}", "--yes", "--json", env=env), 0)
        self.assertEqual(machine.run(["/root/.local/bin/portable"], check=True).stdout,
                         "hello\nthing\n")
        token = machine.slipway("keys", "get", "PORTABLE_TOKEN", env=env)
        self.assertRegex(token.stdout, r"^[0-9a-f]{64}\n$", token.stderr)
        again = machine.slipway("install", f"/srv/{stack}", "--yes", env=env)
        self.assertIn("nothing changed", again.stdout, again.stderr)
        document = self.assert_document(
            machine.slipway("uninstall", "portable", "--yes", "--json", env=env), 0)
        kept = [entry["path"] for entry in document["kept"]] + document["side_effects"]
        changes = [line for line in rig.differences(before, machine.tree())
                   if not self.is_said(line.split()[1].rstrip(":"), kept)]
        self.assertEqual(changes, [], "\n".join(changes))

    @staticmethod
    def is_said(path, kept):
        return rig.is_below(path, kept) or any(top.startswith(path + "/") for top in kept)

    def refuse(self, machine, bundle, pattern):
        """The server is not trusted: nothing is asked and nothing is changed."""
        done = machine.slipway("install", "/srv/portable", "--yes", env=self.env(bundle))
        self.assert_refused(done, 69, pattern)
        self.assertEqual(self.server.seen, [])
        self.assertFalse((machine.root / "root/portable").exists())


class Busybox(Small):
    def setUp(self):
        super().setUp()
        self.box = self.machine(base=rig.busybox())

    def test_life(self):
        self.live(self.box)

    def test_name_in_hosts(self):
        self.live(self.box, stack="by-name")

    def test_no_certificates(self):
        self.refuse(self.box, "", "no CA certificates: install")

    def test_a_bundle_where_alpine_has_it(self):
        self.box.write("/etc/ssl/cert.pem", self.authority.bundle.read_text())
        self.live(self.box, "")


class Debian12(Small):
    suite = "bookworm"

    def debian(self, *extra):
        return self.machine(suite=self.suite, extra=extra)

    def place_authority(self, machine):
        """Where ca-certificates looks for it."""
        machine.write("/usr/local/share/ca-certificates/test.crt",
                      self.authority.bundle.read_text())

    def add_authority(self, machine):
        """As an administrator does."""
        self.place_authority(machine)
        machine.run(["/usr/sbin/update-ca-certificates"], check=True)

    def test_ssl_cert_file(self):
        self.live(self.debian(), stack="by-name")

    def test_no_certificates(self):
        self.refuse(self.debian(), "", "no CA certificates: install")

    def test_the_wrong_bundle(self):
        self.refuse(self.debian(), "/srv/other.crt", "TLS: .*issuer certificate")

    def test_the_system_s_bundle(self):
        machine = self.debian("ca-certificates")
        self.refuse(machine, "", "TLS: .*issuer certificate")
        self.add_authority(machine)
        self.live(machine, "")

    def test_the_system_s_directory(self):
        """The bundle is gone, OpenSSL's directory of hashes is there."""
        machine = self.debian("ca-certificates")
        self.add_authority(machine)
        os.unlink(machine.root / "etc/ssl/certs/ca-certificates.crt")
        self.live(machine, "")


    def test_certificates_come_with_the_packages(self):
        """Nobody is trusted before: the server is asked behind that step, and may fail there."""
        machine = self.machine(suite=self.suite,
                               lower=[rig.repository(self.suite, "ca-certificates")])
        line = ["/srv/with-certificates", "--yes"]
        packages = machine.packages()
        done = machine.slipway("install", *line, env=self.env(""))
        self.assert_refused(done, 69, "TLS: .*issuer certificate(.|\n)*taken back")
        self.assertIn("No CA certificates yet: what thing loads is asked for once the packages are "
                      "there.", done.stdout)
        self.assertEqual(machine.packages(), packages)

        self.place_authority(machine)
        document = self.assert_document(
            machine.slipway("install", *line, "--json", env=self.env("")), 0)
        later = {step["id"]: step["after"] for step in document["steps"] if "asked_later" in step}
        self.assertEqual(later, {"thing": ["prefix", "packages"]})
        self.assertEqual(machine.run(["/root/.local/bin/portable"], check=True).stdout,
                         "hello\nthing\n")


class Debian13(Debian12):
    suite = "trixie"


class Keyring12(Small):
    """The desktop's own keyring, in a session of its own: what we write others read, and back."""
    suite = "bookworm"
    session = """\
printf password | gnome-keyring-daemon --unlock --components=secrets >/run/daemon 2>&1 &
until dbus-send --session --print-reply --dest=org.freedesktop.DBus / \
    org.freedesktop.DBus.NameHasOwner string:org.freedesktop.secrets | grep -q true; do
  sleep 0.1
done
as_slipway="application slipway profile default name"
printf %s "$1" | slipway keys set FIRST --stdin >/dev/null
slipway keys get FIRST
secret-tool lookup $as_slipway FIRST
echo
printf %s "$2" | secret-tool store --label=SECOND $as_slipway SECOND
slipway keys get SECOND
printf %s "$2" | secret-tool store --label=FIRST $as_slipway FIRST
slipway keys get FIRST
printf %s "$1" | slipway keys set FIRST --stdin >/dev/null
secret-tool search --all $as_slipway FIRST 2>/dev/null | grep -c '^label = '
secret-tool lookup $as_slipway FIRST
echo
slipway keys list
slipway keys remove FIRST >/dev/null
secret-tool lookup $as_slipway FIRST || echo gone
"""

    def test_secret_service(self):
        machine = self.machine(suite=self.suite, extra=(
            "dbus", "dbus-daemon", "gnome-keyring", "libsecret-tools"))
        first, second = "one-" + secrets.token_hex(16), "two-" + secrets.token_hex(16)
        done = machine.run(["dbus-run-session", "--", "sh", "-euc", self.session, "sh", first, second],
                           env={"SLIPWAY_KEY_BACKEND": "secret-service"}, timeout=120)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        lines = done.stdout.splitlines()
        self.assertEqual(lines[:6], [first, first, second, second, "1", first], done.stderr)
        self.assertRegex("\n".join(lines[6:-1]), r"(?s)\bFIRST\b.*\bSECOND\b")
        self.assertEqual(lines[-1], "gone")
        kept = machine.root / "root/.local/share/slipway/keystore"
        self.assertFalse(kept.exists(), "it went into the file")


class Keyring13(Keyring12):
    suite = "trixie"


class Emulated:
    """The aarch64 program, started by its name as any other, in a userland of this machine.  The
    kernel knows the emulator from a registration that ends with the namespace (Linux 6.7), where
    this machine has none."""
    register = r"""
[ -e /proc/sys/fs/binfmt_misc/qemu-aarch64 ] || {
  mount -t binfmt_misc none /proc/sys/fs/binfmt_misc
  printf %s ':qemu-aarch64:M::\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00:'\
'\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff:'"$1:F" \
    >/proc/sys/fs/binfmt_misc/register
}
shift
exec "$@"
"""

    def machine(self, **options):
        self.assertTrue(AARCH64.is_file(), 'there is no program: "make static ARCH=aarch64"')
        program = self.lower / "usr/local/bin/slipway"
        program.parent.mkdir(parents=True)
        shutil.copy(AARCH64, program)
        machine = super().machine(**options)
        machine.prefix = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-euc",
                          self.register, "sh", str(QEMU)]
        return machine

    def live(self, machine, *arguments, **options):
        done = machine.slipway("facts")
        self.assertEqual(json.loads(done.stdout)["system"]["architecture"], "aarch64")
        super().live(machine, *arguments, **options)


class Debian12Aarch64(Emulated, Debian12):
    # The user of that namespace is one only; apt wants another for its downloads.
    test_certificates_come_with_the_packages = None


class Keyring12Aarch64(Emulated, Keyring12):
    pass


if __name__ == "__main__":
    unittest.main(verbosity=2)
