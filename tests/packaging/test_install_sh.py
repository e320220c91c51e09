"""packaging/install.sh: the good way in every shell, what it refuses, and how it ends.

SPDX-License-Identifier: Apache-2.0
"""

import json
import os
import pathlib
import pty
import re
import resource
import shutil
import signal
import subprocess
import time
import unittest

from install_support import (
    NAME,
    SECONDS,
    SHELLS,
    STACKS,
    WORLD,
    Case,
    executable,
    program,
)
from release_fixture import Release
from files import NOBODY, SLIPWAY, TOP, tree
from tls_server import Proxy, Server, redirect


class Good(Case):
    def test_every_shell(self):
        for name, shell in SHELLS.items():
            with self.subTest(name):
                self.publish()
                err = self.expect(
                    0, r"signature checked with openssl, SHA-256 checked", shell=shell
                )
                self.assertRegex(err, r"slipway 0\.2\.0 is at .*/bin/slipway\n")
                self.assertLessEqual(err.count("\n"), 8)
                self.assertEqual(self.target.read_bytes(), program("0.2.0"))
                self.assertEqual(self.target.stat().st_mode & 0o777, 0o755)
                before = tree(self.home)
                self.expect(0, "0.2.0 is at .* already; nothing to do", shell=shell)
                self.assertEqual(tree(self.home), before)
                self.publish("0.3.0", 3)
                self.expect(0, r"the one before is at .*slipway\.prev", shell=shell)
                self.assertEqual((self.dir / "slipway.prev").read_bytes(), program("0.2.0"))
                self.expect(0, "removed", "--uninstall", shell=shell)
                self.assertEqual(list(tree(self.home)), [".", "tmp"])

    def test_wget(self):
        self.path = str(WORLD.tools("wget", "openssl"))
        self.publish()
        real = self.server.routes["/manifest.json"]
        self.server.routes["/elsewhere"] = real
        self.server.routes["/manifest.json"] = redirect("/elsewhere")
        self.expect(0, "signature checked with openssl")

    def test_a_small_wget_is_believed_for_the_signature_only(self):
        small = executable(
            self.home / "small/wget",
            f"""#!/bin/sh
[ "$*" = "-q -T 30 -O - ${{6:-}}" ] || {{ echo "BusyBox" >&2; exit 1; }}
exec {shutil.which('curl')} -fskS "$6"
""",
        ).parent
        self.path = f"{small}:{WORLD.tools()}"
        self.publish()
        self.expect(69, "wget is not enough .*install curl or openssl 3")
        self.assertEqual(self.server.seen, [])
        self.path = f"{small}:{WORLD.tools('openssl')}"
        self.expect(0, "signature checked with openssl")

    def test_minisign(self):
        self.path = str(WORLD.tools("curl", "minisign"))
        self.publish()
        self.expect(0, "signature checked with minisign, SHA-256 checked")
        self.assertIn("/manifest.json.minisig", self.server.seen)

    def test_an_earlier_slipway_checks(self):
        self.path = str(WORLD.tools("curl"))
        self.old_program(help_text="--verify-manifest FILE")
        self.publish()
        self.expect(76, "signature .* is wrong, says slipway")
        self.server.routes["/manifest.json.sig"] = b"good\n"
        self.expect(0, "signature checked with slipway")

    def test_nothing_can_check_a_signature(self):
        self.path = str(WORLD.tools("curl"))
        self.publish()
        self.expect(69, "nothing here can check a signature", "--require-signature")
        self.assertFalse(self.dir.exists())
        self.expect(0, "signature NOT checked, for want of openssl 3 or minisign, SHA-256 checked")

    def test_an_openssl_that_accepts_everything_is_none(self):
        fake = executable(self.home / "fake/openssl", "#!/bin/sh\nexit 0\n").parent
        self.path = f"{fake}:{WORLD.tools('curl')}"
        self.publish()
        self.expect(69, "nothing here can check", "--require-signature")

    def test_second_release_key(self):
        self.keys = f"{WORLD.other_key.public.hex()} {WORLD.key.public.hex()}"
        self.publish()
        self.expect(0, "signature checked")
        shutil.rmtree(self.dir)
        self.path = str(WORLD.tools("curl", "minisign"))
        self.expect(0, "signature checked with minisign")

    def test_a_version_by_name(self):
        self.publish("0.3.0", 3)
        self.publish("0.2.0", 2, newest=False)
        self.expect(0, r"slipway 0\.2\.0 is at", "--version=v0.2.0")
        before, asked = tree(self.home), len(self.server.seen)
        self.expect(0, "already; nothing to do", "--version", "0.2.0")
        self.assertEqual((tree(self.home), len(self.server.seen)), (before, asked))
        self.expect(69, r"cannot get v9\.9\.9/manifest\.json .*404", "--version", "9.9.9")

    def test_names_with_blanks_and_quotes(self):
        self.dir = self.home / "it's a \"bin\" $(touch x)"
        self.target = self.dir / "slipway"
        self.publish()
        self.env["SHELL"] = "/bin/bash"
        for name, shell in SHELLS.items():
            with self.subTest(name):
                err = self.expect(0, "is at", shell=shell)
                line = re.search(
                    r"^slipway:   (export PATH=.*?)    \(for good: in ~/\.bashrc\)$", err, re.M
                )
                shown = subprocess.run(
                    ["bash", "-c", line.group(1) + '; printf %s "$PATH"'],
                    check=True,
                    stdout=subprocess.PIPE,
                    text=True,
                    cwd=self.home,
                ).stdout
                self.assertTrue(shown.startswith(f"{self.dir}:"))
                self.expect(0, "removed", "--uninstall", shell=shell)
                self.assertEqual(list(tree(self.home)), [".", "tmp"])

    def test_hand_over(self):
        self.publish()
        for name, shell in SHELLS.items():
            with self.subTest(name):
                status, out, err = self.run_sh("install", "a b", "--yes", "", "*", shell=shell)
                self.assertEqual((status, out), (42, "<install><a b><--yes><><*>"), err)
                self.assertEqual(list(self.temp.iterdir()), [])
        status, out, _ = self.run_sh("--", "--version")
        self.assertEqual((status, out), (42, "<--version>"))

    def test_hand_over_of_the_terminal(self):
        self.publish()
        reader, writer = os.pipe()
        pid, terminal = pty.fork()
        if pid == 0:
            os.dup2(reader, 0)
            os.close(writer)
            argv = ["dash", "-s", "--", "--dir", str(self.dir), "greet"]
            os.execve(shutil.which("dash"), argv, {**self.environment(), "CI": ""})
        os.close(reader)
        with open(writer, "w", encoding="utf-8") as script:
            script.write(self.script())
        os.write(terminal, b"ahoy\n\x04")
        shown = b""
        try:
            while part := os.read(terminal, 4096):
                shown += part
        except OSError:  # the way a terminal says that nobody is left
            pass
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), 42, shown)
        os.close(terminal)
        self.assertIn(b"<greet>ahoy", shown)

    def test_proxy(self):
        proxy = Proxy()
        self.addCleanup(proxy.close)
        self.publish()
        for tool in ("curl", "wget"):
            for name in ("https_proxy", "HTTPS_PROXY"):
                with self.subTest((tool, name)):
                    self.path = str(WORLD.tools(tool, "openssl"))
                    self.env = {name: f"http://me:secret@127.0.0.1:{proxy.port}"}
                    err = self.expect(0, f"proxy 127.0.0.1:{proxy.port}\n", "--dry-run")
                    self.assertNotIn("secret", err)
                    self.assertEqual(proxy.seen, [f"localhost:{self.server.port}"] * 2)
                    self.env["no_proxy"] = "localhost"
                    proxy.seen.clear()
                    self.expect(0, "would put", "--dry-run")
                    self.assertEqual(proxy.seen, [])

    def test_a_mirror_needs_a_signature(self):
        mirror = Server(WORLD.certificate)
        self.addCleanup(mirror.close)
        Release(WORLD.key, program("0.2.0")).publish(mirror.routes)
        self.path = str(WORLD.tools("curl"))
        self.expect(69, "nothing here can check a signature", "--release-url", mirror.url)
        self.path = str(WORLD.tools("curl", "openssl"))
        self.env["SLIPWAY_RELEASE_URL"] = f"{mirror.url}/"
        self.expect(0, f"asking localhost:{mirror.port} (.*\n)*.*signature checked")
        self.assertEqual(self.server.seen, [])

    def test_dry_run(self):
        self.publish()
        before = tree(self.home)
        self.expect(
            0,
            r"would put slipway 0\.2\.0 .*\n.*would run: slipway check localagent\n",
            "--dry-run",
            "check",
            "localagent",
        )
        self.assertEqual(tree(self.home), before)
        self.assertFalse([path for path in self.server.seen if "linux" in path])

    def test_the_directory_of_a_user(self):
        if os.geteuid() == 0:
            self.run_as = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
            for path in (self.home, self.temp):
                os.chown(path, NOBODY, NOBODY)
        WORLD.folder.chmod(0o755)
        shutil.copy(WORLD.authority.bundle, self.home / "ca.pem")
        (self.home / "ca.pem").chmod(0o644)
        self.env = {
            "SLIPWAY_CA_BUNDLE": str(self.home / "ca.pem"),
            "XDG_DATA_HOME": "",
            "SHELL": "/bin/zsh",
        }
        (self.home / ".zshrc").write_text("mine")
        (self.home / ".zshrc").chmod(0o644)
        if os.access("/usr/local/bin", os.W_OK) and not self.run_as:
            self.env["SLIPWAY_INSTALL_DIR"] = str(self.home / ".local/bin")
        before = tree(self.home)
        self.publish()
        self.expect(0, r"/\.local/bin is not in PATH; (.*\n)*.*~/\.zshrc", where=False)
        self.assertTrue((self.home / ".local/bin/slipway").exists())
        self.assertEqual((self.home / ".zshrc").read_text(), "mine")
        self.assertTrue((self.home / ".local/share/slipway/install-record").exists())
        self.expect(0, "nothing to do", where=False)
        self.expect(0, "removed", "--uninstall", where=False)
        self.assertEqual(tree(self.home), before)

    def test_what_the_release_tool_makes(self):
        tool = TOP / "packaging/release.sh"
        documents = TOP / "packaging/release/documents.py"
        keys, dist = self.home / "keys", self.home / "dist"
        env = {**os.environ, "RELEASE_KEY": str(keys / "release.1.key")}

        def make(*words):
            subprocess.run(words, env=env, check=True, stdout=subprocess.DEVNULL)

        make(tool, "keys", keys)
        names = [f"v0.5.0/slipway-0.5.0-linux-{arch}" for arch in ("x86_64", "aarch64")]
        for name in names:
            executable(dist / name, program("0.5.0"))
        make(
            documents,
            "manifest",
            dist / "manifest.json",
            "VERSION=0.5.0",
            "SERIAL=5",
            f"EXPIRES={int(time.time()) + 86400}",
            *(f"program:{name.partition('0.5.0-')[2]}:{name}" for name in names),
        )
        make(tool, "sign", dist / "manifest.json")
        for file in dist.rglob("*"):
            if file.is_file():
                self.server.routes[f"/{file.relative_to(dist)}"] = file.read_bytes()
        root = json.loads((keys / "root.1.json").read_text())
        self.keys = " ".join(root["releases"])
        for tools in (("curl", "openssl"), ("curl", "minisign")):
            self.path = str(WORLD.tools(*tools))
            self.expect(0, f"signature checked with {tools[1]}")
            self.expect(0, "removed", "--uninstall")

    def test_the_real_program(self):
        body = pathlib.Path(SLIPWAY).read_bytes()
        version = subprocess.run(
            [SLIPWAY, "version"], check=True, stdout=subprocess.PIPE, text=True
        ).stdout.split()[1]
        self.publish(version, 7, program=body)
        status, out, err = self.run_sh("version")
        self.assertEqual((status, out.split()[:2]), (0, ["slipway", version]), err)
        # What was said about certificates and the mirror holds for the program too.
        self.env["SLIPWAY_CA_BUNDLE"] = ""
        said = {"ca-bundle": str(WORLD.authority.bundle), "release-url": self.server.url}
        words = [word for name, value in said.items() for word in (f"--{name}", value)]
        status, out, err = self.run_sh(*words, "config", "--json")
        self.assertEqual(status, 0, err)
        settings = json.loads(out)["settings"]
        self.assertEqual({name: settings[name]["value"] for name in said}, said)
        self.expect(0, "removed", "--uninstall")


class Refusals(Case):
    def setUp(self):
        super().setUp()
        self.publish()

    def refuse(self, status, pattern, *arguments):
        before = tree(self.home)
        self.expect(status, pattern, *arguments)
        self.assertEqual(tree(self.home), before)
        self.assertEqual(self.server.seen, [])

    def test_no_release_keys(self):
        self.keys = ""
        self.refuse(78, "knows no release keys")

    def test_options(self):
        for pattern, *arguments in (
            ("no option --frob", "--frob"),
            ("needs a value", "--version"),
            ("needs a value", "--dir="),
            ("not a version", "--version", "../x"),
            ("takes no command", "--uninstall", "now"),
            ("line break", "--dir", "/a\nb"),
        ):
            with self.subTest(arguments):
                self.refuse(64, pattern, *arguments)
        self.refuse(78, "cannot read the certificates", "--ca-bundle", "/nonexistent")
        status, out, _ = self.run_sh("--help")
        self.assertEqual(
            (status, out.splitlines()[0]), (0, "usage: install.sh [OPTION...] [COMMAND...]")
        )

    def test_machines(self):
        for system, machine, bits, pattern in (
            ("Darwin", "arm64", 64, "brew install slipway"),
            ("FreeBSD", "amd64", 64, "no slipway for FreeBSD"),
            ("Linux", "riscv64", 64, "no slipway for riscv64, only for x86_64 and aarch64"),
            ("Linux", "armv7l", 32, "32-bit"),
            ("Linux", "x86_64", 32, "32-bit"),
        ):
            with self.subTest((system, machine, bits)):
                fake = self.home / "fake"
                executable(
                    fake / "uname", f"#!/bin/sh\n[ $1 = -m ] && echo {machine} || echo {system}\n"
                )
                executable(fake / "getconf", f"#!/bin/sh\necho {bits}\n")
                self.path = f"{fake}:{os.environ['PATH']}"
                self.refuse(69, pattern)

    def test_another_architecture(self):
        fake = executable(
            self.home / "fake/uname", "#!/bin/sh\n[ $1 = -m ] && echo arm64 || echo Linux\n"
        )
        self.path = f"{fake.parent}:{os.environ['PATH']}"
        self.expect(0, "is at")
        self.assertIn("/v0.2.0/slipway-0.2.0-linux-aarch64", self.server.seen)

    def test_something_else_is_there(self):
        executable(self.target, "#!/bin/sh\necho boat\n")
        self.refuse(73, "is not slipway")
        self.target.unlink()
        self.target.symlink_to("/bin/true")
        self.refuse(73, "not a plain file")
        self.target.unlink()
        self.target.mkdir()
        self.refuse(73, "not a plain file")
        self.target.rmdir()
        self.dir.rmdir()
        self.dir.write_text("")
        self.refuse(73, "is not a directory")

    def test_packages(self):
        self.old_program()
        marker = self.home / "lib/slipway/installed-by"
        marker.parent.mkdir(parents=True)
        marker.write_text("brew upgrade slipway\n")
        for arguments in ((), ("--uninstall",)):
            self.refuse(77, "a package manager keeps .*: brew upgrade slipway", *arguments)
        shutil.rmtree(self.home / "lib")
        for tool, answer, command in (
            ("dpkg", "slipway: x", "apt-get install --only-upgrade slipway"),
            ("rpm", "slipway-1", "dnf upgrade slipway"),
            ("pacman", "x is owned by slipway", "pacman -Syu slipway"),
            ("apk", "x is owned by slipway", "apk upgrade slipway"),
        ):
            with self.subTest(tool):
                fake = executable(self.home / tool / tool, f"#!/bin/sh\necho '{answer}'\n").parent
                self.path = f"{fake}:{WORLD.tools('curl', 'openssl')}"
                if tool != "dpkg":
                    executable(fake / "dpkg", "#!/bin/sh\nexit 1\n")
                self.refuse(77, f"its command is: {command}")

    def test_neither_curl_nor_wget(self):
        self.path = str(WORLD.tools("openssl"))
        self.refuse(69, "neither curl nor wget")

    def test_home_unset(self):
        before = tree(self.home)
        self.env = {"HOME": ""}
        self.expect(0, "is at")
        self.expect(0, "removed", "--uninstall")
        self.assertEqual(tree(self.home), before)

    def test_a_directory_that_cannot_be_written(self):
        if os.geteuid() == 0:  # root may write anywhere, so another user tries
            self.run_as = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
            self.home.chmod(0o755)
            self.temp.chmod(0o777)
            self.env["SLIPWAY_CA_BUNDLE"] = "/etc/passwd"
        self.dir.mkdir(mode=0o555)
        self.refuse(77, "cannot be written; choose another place")

    def test_full_disk(self):
        self.old_program()
        before = tree(self.home)
        self.publish("0.3.0", 3, program=program("0.3.0") + b"#" * 100000)
        self.run_as = {
            "restore_signals": False,
            "preexec_fn": lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (65536, 65536)),
        }
        self.expect(74, "is the disk full")
        self.assertEqual(tree(self.home), before)

    def test_noexec(self):
        for status in (126, 127, 1):
            self.publish("0.2.0", 2, program=b"#!/bin/sh\nexit %d\n" % status)
            before = tree(self.home)
            self.expect(73, "does not start in .*noexec")
            self.assertEqual(tree(self.home), before)

    def test_uninstall_with_stacks(self):
        self.expect(0, "is at")
        stacks = self.dir / "slipway.stacks"
        stacks.write_text(STACKS)
        asked = len(self.server.seen)
        before = tree(self.home)
        self.expect(64, "stacks are installed.*\n.*  slipway uninstall localagent\n", "--uninstall")
        self.assertEqual(tree(self.home), before)
        self.expect(0, "would remove", "--uninstall", "--dry-run", "--force")
        self.assertEqual(tree(self.home), before)
        self.expect(0, "removed .*keys, settings", "--uninstall", "--force", where=False)
        self.assertFalse(self.target.exists())
        stacks.unlink()
        self.assertEqual(len(self.server.seen), asked)
        self.expect(0, "nothing to do", "--uninstall")

    def test_uninstall_of_a_stranger(self):
        executable(self.target, "#!/bin/sh\necho boat\n")
        self.refuse(73, "is not slipway", "--uninstall")

    def test_uninstall_needs_no_release_keys(self):
        self.expect(0, "is at")
        self.keys = ""
        self.expect(0, "removed", "--uninstall")

    def test_another_one_comes_first(self):
        fake = executable(self.home / "fake/slipway", "#!/bin/sh\n").parent
        self.path = f"{fake}:{self.dir}:{os.environ['PATH']}"
        self.expect(0, "but another one comes first in PATH: .*/fake/slipway")


class Signals(Case):
    def test_each(self):
        self.publish()
        self.old_program()
        for number, status in ((signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGHUP, 129)):
            with self.subTest(number):
                began = []

                def wait(handler):
                    began.append(1)
                    time.sleep(1)
                    handler.send(404, b"")

                self.server.routes[NAME] = wait
                before = tree(self.home)
                script = self.home / "script"
                script.write_text(self.script())
                with subprocess.Popen(
                    ["dash", str(script), "--dir", str(self.dir)],
                    stderr=subprocess.DEVNULL,
                    stdin=subprocess.DEVNULL,
                    env=self.environment(),
                    start_new_session=True,
                ) as child:
                    while not began and child.poll() is None:
                        time.sleep(0.01)
                    os.killpg(child.pid, number)
                    self.assertEqual(child.wait(SECONDS), status)
                script.unlink()
                self.assertEqual(tree(self.home), before)


if __name__ == "__main__":
    unittest.main()
