"""A locked keyring and a person: the real dialog of GNOME on a screen in memory, answered, dismissed,
and answered wrongly first.

SPDX-License-Identifier: Apache-2.0
"""
import pathlib
import subprocess
import sys
import threading
import time
import unittest

import rig

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "cli"))
from test_keyring import SECRET, KeyringCase, wait_until  # noqa: E402 pylint: disable=wrong-import-position

PACKAGES = ("dbus", "dbus-daemon", "gcr", "gnome-keyring", "libsecret-tools", "xdotool", "xvfb")
PROMPTER = "org.gnome.keyring.SystemPrompter"


def setUpModule():
    rig.install(PACKAGES)


class Dialog(KeyringCase):
    """slipway on a terminal of the desktop."""

    display = None

    def environment(self, **changes):
        return super().environment(**{"DISPLAY": self.display, **changes})

    def start_screen(self):
        # Without -noreset the screen begins anew, its dialog gone, whenever xdotool is its last client.
        screen = self.start("Xvfb", "-displayfd", "1", "-noreset", "-screen", "0", "800x600x24",
                            stdout=subprocess.PIPE)
        self.display = ":" + screen.stdout.readline().decode().strip()

    def setUp(self):
        super().setUp()
        self.start_screen()
        self.tool("dbus-update-activation-environment", f"DISPLAY={self.display}")
        self.offer(PROMPTER, "/usr/libexec/gcr-prompter")
        self.start_keyring()
        for name in ("A_KEY", "B_KEY"):
            self.set_key(name)
        self.lock()

    def press(self, *keys):
        """Types once the dialog is on the screen."""
        def look():
            return subprocess.run(["xdotool", "search", "--onlyvisible", "--class", "gcr-prompter"],
                                  env=self.environment(), capture_output=True, check=False).stdout
        wait_until(look)
        time.sleep(0.5)  # it takes the keyboard a moment after it is shown
        for key in keys:
            subprocess.run(["xdotool", *key], env=self.environment(), check=True)
            time.sleep(0.2)

    def with_answer(self, *keys, command):
        person = threading.Thread(target=self.press, args=keys)
        person.start()
        shown = self.run_on_terminal(*command)
        person.join()
        return shown

    def test_unlocked_by_the_person(self):
        shown = self.with_answer(("type", "pw"), ("key", "Return"), command=("keys", "get", "A_KEY", "--show"))
        self.assertEqual(shown.status, 0, shown)
        self.assertIn("waiting for your desktop's unlock dialog", shown.out)
        self.assertIn(SECRET, shown.out)
        self.assertEqual(self.get_key("B_KEY").out, SECRET + "\n")  # it stays open

    def test_dismissed_once_asked_once(self):
        shown = self.with_answer(("key", "Escape"), command=(
            "keys", "exec", "--only", "A_KEY,B_KEY", "--optional", "--", "/bin/true"))
        self.assertEqual(shown.status, 0, shown)
        self.assertEqual(shown.out.count("waiting for"), 1)
        self.assertIn("is locked", shown.out)

    def test_right_after_wrong(self):
        shown = self.with_answer(("type", "wrong"), ("key", "Return"), ("sleep", "2"),
                                 ("key", "ctrl+a"), ("type", "pw"), ("key", "Return"),
                                 command=("keys", "remove", "A_KEY"))
        self.assertEqual(shown.status, 0, shown)
        self.assertEqual(self.get_key().status, 1)


if __name__ == "__main__":
    unittest.main()
