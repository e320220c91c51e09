"""Keys in the desktop's keyring, with a real GNOME Keyring on a bus of its own: the contract with
secret-tool, what is chosen and why, and every way in which a keyring does not answer.

SPDX-License-Identifier: Apache-2.0
"""
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import time
import unittest

from cli_support import STACK_INI, Case

SECRET = "canary-7c1f3e9a5b"
OTHER = "second-canary-42"
SECONDS = 60  # for what is started here to be there
SOON = 5.0  # for a clear answer, on a machine that is busy
ATTRIBUTES = ["application", "slipway", "profile", "default", "name"]
COLLECTION = "/org/freedesktop/secrets/collection/login"

BUS = """\
<busconfig>
  <type>session</type>
  <listen>unix:path={place}/run/bus</listen>
  <servicedir>{place}/services</servicedir>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
"""

KEY_STEP = """
[key PROBE_PASSWORD]
title = a password
kind = generated

[step password]
kind = key
name = PROBE_PASSWORD
"""


def wait_until(condition):
    end = time.monotonic() + SECONDS
    while not condition():
        if time.monotonic() > end:
            raise AssertionError("it did not come to that")
        time.sleep(0.01)


def is_running(pid):
    try:
        return " Z " not in pathlib.Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False


class KeyringCase(Case):
    """A session with a bus; start_keyring() puts a keyring on it."""

    def setUp(self):
        super().setUp()
        self.keyring = None
        self.data = self.home / ".local/share/slipway"
        (self.place / "run").mkdir(mode=0o700)
        (self.place / "services").mkdir()
        self.start_bus()

    def start_bus(self):
        config = self.place / "bus.conf"
        config.write_text(BUS.format(place=self.place))
        self.bus = self.start("dbus-daemon", f"--config-file={config}", "--nofork")
        wait_until((self.place / "run/bus").exists)

    def environment(self, **changes):
        return super().environment(**{
            "XDG_RUNTIME_DIR": str(self.place / "run"),
            "DBUS_SESSION_BUS_ADDRESS": f"unix:path={self.place}/run/bus", **changes})

    def start(self, *command, stdin=b"", **options):
        """A program that ends with the test."""
        child = subprocess.Popen(command, env=self.environment(), cwd=self.cwd, stdin=subprocess.PIPE,
                                 **{"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, **options})
        child.stdin.write(stdin)
        child.stdin.close()
        self.addCleanup(self.stop, child)
        return child

    def stop(self, child):
        child.kill()
        child.wait()
        for stream in (child.stdout, child.stderr):
            if stream:
                stream.close()

    def tool(self, *command, stdin=b""):
        return subprocess.run(command, env=self.environment(), input=stdin, capture_output=True,
                              timeout=SECONDS, check=False)

    def call(self, path, member, *arguments):
        return self.tool("dbus-send", "--session", "--print-reply", "--dest=org.freedesktop.secrets",
                         path, member, *arguments).stdout.decode()

    def is_locked(self):
        return "boolean true" in self.call(COLLECTION, "org.freedesktop.DBus.Properties.Get",
                                           "string:org.freedesktop.Secret.Collection", "string:Locked")

    def is_up(self):
        return "string" in self.tool(
            "dbus-send", "--session", "--print-reply", "--dest=org.freedesktop.DBus", "/",
            "org.freedesktop.DBus.GetNameOwner", "string:org.freedesktop.secrets").stdout.decode()

    def start_keyring(self, password="pw"):
        unlock = [] if password is None else ["--unlock"]
        self.keyring = self.start("gnome-keyring-daemon", "--foreground", "--components=secrets", *unlock,
                                  stdin=(password or "").encode())
        wait_until(self.is_up)
        if password == "pw":
            wait_until(lambda: "boolean false" in self.call(
                COLLECTION, "org.freedesktop.DBus.Properties.Get",
                "string:org.freedesktop.Secret.Collection", "string:Locked"))

    def lock(self):
        self.call("/org/freedesktop/secrets", "org.freedesktop.Secret.Service.Lock",
                  f"array:objpath:{COLLECTION}")
        wait_until(self.is_locked)

    def offer(self, name, command):
        """Lets the bus start a program where somebody asks for a name."""
        (self.place / "services" / f"{name}.service").write_text(
            f"[D-BUS Service]\nName={name}\nExec={command}\n")

        def is_offered():
            self.bus.send_signal(signal.SIGHUP)
            return name in self.tool(
                "dbus-send", "--session", "--print-reply", "--dest=org.freedesktop.DBus", "/",
                "org.freedesktop.DBus.ListActivatableNames").stdout.decode()

        wait_until(is_offered)

    def make_sleeper(self):
        """A program that is started and never comes up; the bus does not end it, we do."""
        program, pids = self.place / "sleeper", self.place / "sleepers"
        program.write_text(f"#!/bin/sh\necho $$ >>{pids}\nexec sleep 60\n")
        program.chmod(0o755)

        def end():
            for pid in pids.read_text().split() if pids.exists() else ():
                os.kill(int(pid), signal.SIGKILL)
        self.addCleanup(end)
        return program

    def set_key(self, name="A_KEY", secret=SECRET, *options, **more):
        return self.run_program("keys", "set", name, "--stdin", *options, input=secret.encode(), **more)

    def get_key(self, name="A_KEY", *options, **more):
        return self.run_program("keys", "get", name, *options, **more)

    def lookup(self, name="A_KEY"):
        return self.tool("secret-tool", "lookup", *ATTRIBUTES, name).stdout.decode()

    def place_of_keys(self, *options, **more):
        return json.loads(self.run_program("config", "--json", *options, **more).out)["keys"]["backend"]

    def helper_of(self, pid):
        """The child of a running slipway that talks to the keyring."""
        found = []

        def look():
            for entry in pathlib.Path("/proc").glob("[0-9]*"):
                try:
                    words = (entry / "cmdline").read_bytes().split(b"\0")
                    parent = (entry / "stat").read_text().rpartition(")")[2].split()[1]
                except OSError:
                    continue
                if b"keyring-helper" in words and int(parent) == pid:
                    found.append(int(entry.name))
            return found
        wait_until(look)
        return found[0]

    def timed(self, run, *arguments, within=SOON, **options):
        start = time.monotonic()
        result = run(*arguments, **options)
        self.assertLess(time.monotonic() - start, within, result)
        return result


class Unlocked(KeyringCase):
    """The ordinary case: one item for each key, which secret-tool reads and writes as well."""

    def setUp(self):
        super().setUp()
        self.start_keyring()

    def test_round_trip(self):
        self.assertEqual(self.set_key().status, 0)
        self.assertEqual(self.get_key().out, SECRET + "\n")
        self.assertEqual(self.lookup(), SECRET)
        listed = json.loads(self.run_program("keys", "list", "--json").out)
        self.assertEqual(listed["backend"], "secret-service")
        self.assertEqual([(key["name"], key["source"]) for key in listed["keys"]],
                         [("A_KEY", "secret-service")])
        self.assertEqual(self.run_program("keys", "remove", "A_KEY").status, 0)
        self.assertEqual(self.get_key().status, 1)
        self.assertEqual(self.run_program("keys", "remove", "A_KEY").status, 1)
        self.assertEqual(self.lookup(), "")
        self.assertFalse((self.data / "keystore").exists())

    def test_item_as_a_person_sees_it(self):
        self.set_key()
        shown = self.tool("secret-tool", "search", *ATTRIBUTES, "A_KEY")
        text = (shown.stdout + shown.stderr).decode()
        self.assertIn("label = slipway: A_KEY (default)", text)
        self.assertRegex(text, r"attribute\.note = created=\d+ changed=\d+ origin=stdin fingerprint=[0-9a-f]{8}\n")

    def test_what_secret_tool_wrote(self):
        for secret in (SECRET, OTHER):
            self.tool("secret-tool", "store", "--label=mine", *ATTRIBUTES, "A_KEY", stdin=secret.encode())
            self.assertEqual(self.get_key().out, secret + "\n")
        self.set_key(secret="third")
        self.assertEqual(self.lookup(), "third")
        self.assertEqual(self.tool("secret-tool", "search", "--all", *ATTRIBUTES, "A_KEY").stdout.count(
            b"label = "), 1)

    def test_newest_of_several(self):
        self.tool("secret-tool", "store", "--label=old", *ATTRIBUTES, "A_KEY", "x", "1", stdin=b"older")
        time.sleep(1.1)  # the times of items are seconds
        self.tool("secret-tool", "store", "--label=new", *ATTRIBUTES, "A_KEY", "x", "2", stdin=b"newer")
        self.assertEqual(self.get_key().out, "newer\n")
        self.assertEqual(self.run_program("keys", "remove", "A_KEY").status, 0)
        self.assertEqual(self.get_key().status, 1)

    def test_any_bytes(self):
        large = bytes(range(1, 256)) * 65
        for secret in (b"\xff\xfe no text \x80", b"two\nlines\n\n", large[:16384], b"x"):
            self.run_program("keys", "set", "A_KEY", "--stdin", input=secret)
            done = subprocess.run([self.program, "keys", "get", "A_KEY"], env=self.environment(),
                                  stdin=subprocess.DEVNULL, capture_output=True, check=False)
            self.assertEqual(done.stdout.removesuffix(b"\n"), secret.removesuffix(b"\n"))

    def test_what_cannot_be_a_key(self):
        for secret in (b"with\0NUL", b""):
            self.tool("secret-tool", "store", "--label=odd", *ATTRIBUTES, "A_KEY", stdin=secret)
            self.assert_refused(self.get_key(), 65, "cannot be a key")
        self.tool("secret-tool", "store", "--label=odd", *ATTRIBUTES, "not a name", stdin=b"x")
        self.assertEqual(self.run_program("keys", "list").status, 0)

    def test_exec_gets_all_through_one_helper(self):
        for name in ("KEY_A", "KEY_B", "KEY_C"):
            self.set_key(name, "value-of-" + name)
        done = self.run_program("keys", "exec", "--", "/usr/bin/env")
        for name in ("KEY_A", "KEY_B", "KEY_C"):
            self.assertIn(f"{name}=value-of-{name}\n", done.out)

    def test_first_writers_at_the_same_time(self):
        children = [subprocess.Popen([self.program, "keys", "set", f"KEY_{i}", "--stdin"],
                                     env=self.environment(), stdin=subprocess.PIPE,
                                     stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                    for i in range(6)]
        for child in children:
            child.communicate(b"value", timeout=SECONDS)
        # A first contact has 300 ms, which is little where six begin at once on a busy machine.
        refused = [i for i in range(6) if children[i].returncode == 78]
        self.assertLess(len(refused), 6)
        for i in refused:
            again = self.run_program("keys", "set", f"KEY_{i}", "--stdin", input=b"value")
            self.assertEqual(again.status, 0, again)
        self.assertLessEqual({child.returncode for child in children}, {0, 78})
        self.assertEqual(len(json.loads(self.run_program("keys", "list", "--json").out)["keys"]), 6)

    def test_install_and_uninstall(self):
        self.make_stack(ini=STACK_INI + KEY_STEP)
        done = self.run_program("install", "./stack", "--yes")
        self.assertEqual(done.status, 0, done)
        self.assertEqual(len(self.lookup("PROBE_PASSWORD")), 64)
        secret = self.lookup("PROBE_PASSWORD")
        again = self.run_program("install", "./stack", "--yes")
        self.assertIn("nothing changed", again.out + again.err)
        self.assertEqual(self.lookup("PROBE_PASSWORD"), secret)

        other = self.run_program("install", "./stack", "--yes", "--key-backend", "file")
        self.assert_refused(other, 78, "was put into secret-service")
        self.lock()
        locked = self.run_program("install", "./stack", "--yes")
        self.assertEqual(locked.status, 0, locked)
        self.start_again("pw")
        done = self.run_program("uninstall", "probe", "--yes", "--keys")
        self.assertEqual(done.status, 0, done)
        self.assertEqual(self.lookup("PROBE_PASSWORD"), "")
        self.assertFalse(self.data.exists())

    def start_again(self, password):
        self.stop(self.keyring)
        wait_until(lambda: not self.is_up())
        self.start_keyring(password)


class Choice(KeyringCase):
    """What is chosen, that it stays, and that it is never changed in silence."""

    def test_no_keyring(self):
        self.assertEqual(self.place_of_keys(), "file")
        self.assertEqual(self.place_of_keys(env={"DBUS_SESSION_BUS_ADDRESS": None}), "file")
        self.assertEqual(self.place_of_keys(
            env={"DBUS_SESSION_BUS_ADDRESS": None, "XDG_RUNTIME_DIR": None}), "file")

    def test_the_file_that_is_there_stays(self):
        key = self.make_key_file()
        self.assertEqual(self.set_key("A_KEY", SECRET, "--key-file", key).status, 0)
        self.start_keyring()
        self.assertEqual(self.place_of_keys(), "file")
        self.assertEqual(self.get_key("A_KEY", "--key-file", key).out, SECRET + "\n")
        self.assertEqual(self.lookup(), "")
        asked = self.set_key("B_KEY", OTHER, "--key-backend", "secret-service")
        self.assertEqual(asked.status, 0, asked)
        self.assertEqual(self.place_of_keys(), "file")

    def test_the_keyring_stays(self):
        self.start_keyring()
        self.set_key()
        self.stop(self.keyring)
        wait_until(lambda: not self.is_up())
        for env in ({}, {"DBUS_SESSION_BUS_ADDRESS": None, "XDG_RUNTIME_DIR": None},
                    {"DBUS_SESSION_BUS_ADDRESS": "unix:path=/nonexistent/bus"},
                    {"DBUS_SESSION_BUS_ADDRESS": "autolaunch:"},
                    {"DBUS_SESSION_BUS_ADDRESS": "unixexec:path=/bin/false"}):
            with self.subTest(env):
                self.assert_refused(self.timed(self.get_key, env=env), 78, "keyring")
                self.assert_refused(self.timed(self.set_key, env=env), 78, "keyring")
                self.assertFalse((self.data / "keystore").exists())
        optional = self.run_program("keys", "exec", "--only", "A_KEY", "--optional", "--", "/bin/true")
        self.assertEqual(optional.status, 0, optional)
        self.start_keyring()
        self.assertEqual(self.get_key().out, SECRET + "\n")

    def test_a_locked_keyring_of_nobody(self):
        self.start_keyring()
        self.lock()
        self.assertEqual(self.place_of_keys(), "file")
        self.assertEqual(self.place_of_keys(env={"DISPLAY": ":99"}), "file")  # nobody is there

    def test_a_record_that_makes_no_sense(self):
        self.data.mkdir(parents=True, mode=0o700)
        record = self.data / "keystore.backend"
        for text in ("", "nowhere\n", "file", "FILE\n", "file\nfile\n"):
            record.write_text(text)
            record.chmod(0o600)
            self.assert_refused(self.get_key(), 78 if text == "nowhere\n" else 65)
        record.chmod(0o644)
        self.assert_refused(self.get_key(), 77)

    def test_a_setting_that_makes_no_sense(self):
        self.assert_refused(self.get_key("A_KEY", "--key-backend", "clay-tablet"), 78,
                            "auto, secret-service, file")

    def test_a_failed_first_write_chooses_nothing(self):
        done = self.set_key("A_KEY", SECRET, "--key-backend", "secret-service")
        self.assert_refused(done, 78)
        self.assertFalse((self.data / "keystore.backend").exists())

    def test_the_probe_starts_nothing(self):
        marker = self.place / "started"
        self.offer("org.freedesktop.secrets", f"/usr/bin/touch {marker}")
        self.assertEqual(self.timed(self.place_of_keys), "file")
        self.run_program("keys", "list")
        self.assertFalse(marker.exists())

    def test_nothing_starts_a_bus(self):
        launcher = self.place / "bin/dbus-launch"
        launcher.parent.mkdir()
        launcher.write_text(f"#!/bin/sh\ntouch {self.place}/started\n")
        launcher.chmod(0o755)
        env = {"PATH": f"{launcher.parent}:/usr/bin:/bin", "DISPLAY": ":99",
               "DBUS_SESSION_BUS_ADDRESS": None, "XDG_RUNTIME_DIR": None}
        self.assert_refused(self.get_key("A_KEY", "--key-backend", "secret-service", env=env), 78)
        self.assertFalse((self.place / "started").exists())

    def test_a_silent_bus(self):
        with socket.socket(socket.AF_UNIX) as silent:
            silent.bind(str(self.place / "silent"))
            silent.listen()
            env = {"DBUS_SESSION_BUS_ADDRESS": f"unix:path={self.place}/silent"}
            self.assertEqual(self.timed(self.place_of_keys, env=env), "file")
            done = self.timed(self.get_key, "A_KEY", "--key-backend", "secret-service",
                              "--keyring-timeout", "1", env=env)
            self.assert_refused(done, 75, "did not answer within 1 s")

    def test_a_bus_of_somebody_else(self):
        if os.getuid() != 0:
            return  # needs a second user
        self.start_keyring()
        (self.place / "run").chmod(0o755)
        self.become_ordinary()
        (self.place / "run/bus").chmod(0o777)
        self.assertEqual(self.place_of_keys(), "file")


class Locked(KeyringCase):
    """Locked is its own answer: never "there is no such key", and never a dialog for nobody."""

    def setUp(self):
        super().setUp()
        self.start_keyring()
        self.set_key()
        self.lock()

    def check_locked(self, **options):
        for run in (self.get_key, self.set_key):
            self.assert_refused(self.timed(run, **options), 78, "locked")
        self.assert_refused(self.timed(self.get_key, "NO_SUCH_KEY", **options), 78, "locked")
        for command in (("keys", "list"), ("keys", "remove", "A_KEY")):
            self.assert_refused(self.timed(self.run_program, *command, **options), 78, "locked")

    def test_nobody_is_asked(self):
        marker = self.place / "asked"
        self.offer("org.gnome.keyring.SystemPrompter", f"/usr/bin/touch {marker}")
        self.check_locked(env={"DISPLAY": ":99"})
        self.run_on_terminal("keys", "get", "A_KEY", "--show")  # no desktop
        self.run_on_terminal("keys", "get", "A_KEY", "--show", env={"DISPLAY": ":99", "CI": "1"})
        self.assertFalse(marker.exists())

    def test_wrong_password(self):
        self.stop(self.keyring)
        wait_until(lambda: not self.is_up())
        self.start_keyring("wrong")
        self.check_locked()

    def test_a_dialog_that_nobody_answers(self):
        self.offer("org.gnome.keyring.SystemPrompter", self.make_sleeper())
        shown = self.timed(self.run_on_terminal, "keys", "get", "A_KEY", "--show", "--unlock-timeout", "1",
                           env={"DISPLAY": ":99"}, within=5)
        self.assertEqual(shown.status, 75, shown)
        self.assertIn("waiting for your desktop's unlock dialog (Ctrl-C to cancel)", shown.out)
        self.assertIn("did not answer within 1 s", shown.out)
        self.assertNotRegex(shown.out, "CRITICAL|GLib")

    def test_a_dialog_that_is_cancelled(self):
        self.offer("org.gnome.keyring.SystemPrompter", self.make_sleeper())
        shown = self.timed(self.run_on_terminal, "keys", "get", "A_KEY", "--show",
                           answers=[("Ctrl-C to cancel", "\x03")], env={"DISPLAY": ":99"}, within=5)
        self.assertEqual(shown.status, 130, shown)

    def test_a_dialog_that_cannot_come(self):
        shown = self.timed(self.run_on_terminal, "keys", "get", "A_KEY", "--show", env={"DISPLAY": ":99"},
                           within=5)
        self.assertEqual(shown.status, 78, shown)
        self.assertNotIn(SECRET, shown.out)

    def test_unlocked_meanwhile(self):
        self.stop(self.keyring)
        wait_until(lambda: not self.is_up())
        self.start_keyring()
        self.assertEqual(self.get_key().out, SECRET + "\n")


class Broken(KeyringCase):
    """Services that hang, die or lack something, each answered in time, and nothing is lost."""

    asked = ("--key-backend", "secret-service", "--keyring-timeout", "1")

    def test_no_keyring_in_the_service(self):
        self.start_keyring(None)
        self.assertEqual(self.place_of_keys(), "file")
        for run in (self.get_key, self.set_key):
            name = ("A_KEY",) if run == self.get_key else ("A_KEY", SECRET)
            self.assert_refused(self.timed(run, *name, *self.asked), 78, "no default keyring")

    def test_a_service_that_never_comes(self):
        self.offer("org.freedesktop.secrets", self.make_sleeper())
        self.assertEqual(self.timed(self.place_of_keys), "file")
        self.assert_refused(self.timed(self.get_key, "A_KEY", *self.asked), 75, "did not answer within 1 s")
        many = self.timed(self.run_program, "keys", "exec", "--only", "A,B,C,D,E,F", "--optional",
                          *self.asked, "--", "/bin/true")
        self.assertEqual(many.status, 0, many)

    def test_a_service_that_hangs(self):
        self.start_keyring()
        self.set_key()
        self.keyring.send_signal(signal.SIGSTOP)
        self.assert_refused(self.timed(self.get_key, "A_KEY", *self.asked), 75)
        self.assert_refused(self.timed(self.set_key, "A_KEY", OTHER, *self.asked), 75)
        self.assertEqual(self.timed(self.place_of_keys), "secret-service")
        self.keyring.send_signal(signal.SIGCONT)
        wait_until(lambda: self.lookup() in (SECRET, OTHER))

    def begin_to_save(self):
        """A slipway that waits for a stopped keyring, and its helper."""
        self.start_keyring()
        self.set_key()
        self.keyring.send_signal(signal.SIGSTOP)
        saving = self.start(self.program, "keys", "set", "A_KEY", "--stdin", stdin=OTHER.encode(),
                            stderr=subprocess.PIPE)
        return saving, self.helper_of(saving.pid)

    def test_the_helper_is_killed(self):
        saving, helper = self.begin_to_save()
        os.kill(helper, signal.SIGKILL)
        self.assertEqual(saving.wait(SECONDS), 78)
        self.assertIn(b"helper ended", saving.stderr.read())
        self.keyring.send_signal(signal.SIGCONT)
        self.assertIn(self.get_key().out, (SECRET + "\n", OTHER + "\n"))

    def test_slipway_is_killed(self):
        saving, helper = self.begin_to_save()
        saving.kill()
        saving.wait()
        wait_until(lambda: not is_running(helper))
        self.keyring.send_signal(signal.SIGCONT)
        self.assertIn(self.get_key().out, (SECRET + "\n", OTHER + "\n"))

    def test_slipway_is_interrupted(self):
        saving, helper = self.begin_to_save()
        saving.send_signal(signal.SIGTERM)
        self.assertEqual(saving.wait(SECONDS), 143)
        wait_until(lambda: not is_running(helper))

    def test_the_keyring_is_killed(self):
        saving, _ = self.begin_to_save()
        self.keyring.kill()
        self.assertEqual(saving.wait(SECONDS), 78)
        self.assertNotIn(b"CRITICAL", saving.stderr.read())

    def test_the_secret_is_nowhere(self):
        """Neither in the arguments nor in the environment of any process."""
        saving, helper = self.begin_to_save()
        for pid in (saving.pid, helper):
            for file in ("cmdline", "environ"):
                try:
                    shown = pathlib.Path(f"/proc/{pid}/{file}").read_bytes()
                except PermissionError:
                    continue
                self.assertNotIn(OTHER.encode(), shown)
        self.assertIn("Max core file size        0 ", pathlib.Path(f"/proc/{helper}/limits").read_text())

    def test_the_secret_is_not_on_the_bus(self):
        self.start_keyring()
        log = self.place / "monitor"
        with open(log, "wb") as file:
            self.start("dbus-monitor", "--session", "--binary", stdout=file)
            wait_until(lambda: log.stat().st_size > 0)
            self.set_key()
            self.assertEqual(self.get_key().out, SECRET + "\n")
            self.call("/org/freedesktop/secrets", "org.freedesktop.Secret.Service.ReadAlias",
                      "string:control-of-this-test")
            wait_until(lambda: b"control-of-this-test" in log.read_bytes())
        seen = log.read_bytes()
        self.assertIn(b"GetSecret", seen)
        self.assertNotIn(SECRET.encode(), seen)

    def test_the_helper_is_no_command(self):
        self.assert_refused(self.run_program("keyring-helper"), 64)


if __name__ == "__main__":
    unittest.main()
