"""The pages of --html in a real browser: what a person sees of them, wide and narrow, light and dark.

Chromium, without a window.  A page of the test holds ours in a frame and says what it measured there; the server
that both come from hears whether anything else was asked for.

SPDX-License-Identifier: Apache-2.0
"""
import html
import http.server
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import unittest

import rig

sys.path.insert(0, str(rig.TOP / "tests/common"))
from facts_files import machine  # noqa: E402 pylint: disable=wrong-import-position
from html_page import Reader  # noqa: E402 pylint: disable=wrong-import-position

BROWSER = "chromium-headless-shell"
WIDTHS = (360, 1280)  # CSS pixels: a telephone, a laptop
MIN_TEXT_PX = 11
MIN_CONTRAST = 4.5  # Source: WCAG 2.1, 1.4.3, for text of ordinary size
MEASURE = """<!doctype html><meta charset="utf-8"><title>wait</title><pre id="said"></pre>
<iframe id="page" src="/page" style="border:0;width:@WIDTH@px;height:4000px"></iframe><script>
const rgb = text => text.match(/[\\d.]+/g).map(Number);
const light = color => { const [r, g, b] = color.map(v => v / 255).map(v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
  return .2126 * r + .7152 * g + .0722 * b; };
function behind(node, view) {
  for (; node; node = node.parentElement) {
    const color = rgb(view.getComputedStyle(node).backgroundColor);
    if (color.length < 4 || color[3] > 0) return color;
  }
  return view.matchMedia("(prefers-color-scheme: dark)").matches ? [18, 18, 18] : [255, 255, 255];
}
document.getElementById("page").onload = event => {
  const page = event.target.contentDocument, view = event.target.contentWindow, root = page.documentElement;
  const said = { title: page.title, words: 0, small: [], pale: [], hidden: [], mode: page.compatMode,
                 dark: view.matchMedia("(prefers-color-scheme: dark)").matches, over: root.scrollWidth - root.clientWidth,
                 height: root.scrollHeight, folded: page.querySelectorAll("details:not([open])").length };
  for (const one of page.querySelectorAll("details")) one.open = true;
  const walk = page.createTreeWalker(page.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const text = walk.currentNode.data.trim(), parent = walk.currentNode.parentElement;
    if (!text || parent.closest("style, title") || (@WIDTH@ < 640 && parent.closest("th"))) continue;
    const style = view.getComputedStyle(parent), range = page.createRange();
    range.selectNodeContents(walk.currentNode);
    const box = range.getBoundingClientRect();
    const [a, b] = [light(rgb(style.color).slice(0, 3)), light(behind(parent, view).slice(0, 3))].sort((x, y) => y - x);
    said.words += text.split(/\\s+/).length;
    if (parseFloat(style.fontSize) < @SMALL@) said.small.push(text);
    if ((a + .05) / (b + .05) < @CONTRAST@) said.pale.push([text, style.color, (a + .05) / (b + .05)]);
    if (box.width === 0 || box.height === 0) said.hidden.push(text);
  }
  said.narrow = [...page.querySelectorAll("td, th")].filter(cell => cell.innerText.trim().length > 4 &&
    cell.getBoundingClientRect().width < 60 && cell.getBoundingClientRect().width > 0).map(cell => cell.innerText);
  said.overOpen = root.scrollWidth - root.clientWidth;
  document.getElementById("said").textContent = JSON.stringify(said);
};
</script>"""
STACK = """[stack]
schema = 1
name = probe
title = Probe
version = 1.0.0
summary = a directory
prefix = ~/probe

[profile native]
title = the only one
default = yes

[step prefix]
kind = directory
path = @prefix@

[test slow]
title = waits
run = /bin/sleep 0.2

[test after]
title = fails
run = /bin/false
after = slow
"""


def setUpModule():
    rig.install((BROWSER, "fonts-dejavu-core"))


class Site(http.server.ThreadingHTTPServer):
    """The page that is looked at, and the one that measures it."""

    def __init__(self, page, width):
        self.asked = []
        measure = MEASURE.replace("@WIDTH@", str(width)).replace("@SMALL@", str(MIN_TEXT_PX)).replace(
            "@CONTRAST@", str(MIN_CONTRAST))
        self.texts = {"/page": page, "/": measure.encode()}
        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()


class Handler(http.server.BaseHTTPRequestHandler):
    server: Site

    def do_GET(self):
        self.server.asked.append(self.path)
        text = self.server.texts.get(self.path, b"")
        self.send_response(200 if text else 404)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


def look(page, width, is_dark=False):
    """What a browser measures of a page, and what it asked the server for."""
    with Site(page, width) as site, tempfile.TemporaryDirectory(prefix="slipway-browser-") as place:
        options = ["--no-sandbox", "--disable-gpu", f"--user-data-dir={place}", "--virtual-time-budget=5000",
                   f"--window-size={width + 40},5000", *(["--blink-settings=preferredColorScheme=0"] if is_dark else [])]
        done = subprocess.run([BROWSER, *options, "--dump-dom", f"http://127.0.0.1:{site.server_address[1]}/"],
                              capture_output=True, text=True, timeout=120, check=True,
                              env={**os.environ, "HOME": place})
        site.shutdown()
        asked = site.asked
    said = re.search(r'<pre id="said">(.+?)</pre>', done.stdout, re.S)
    assert said, done.stdout + done.stderr
    return json.loads(html.unescape(said[1])), asked


class Pages(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.place = pathlib.Path(tempfile.mkdtemp(prefix="slipway-pages-"))
        cls.addClassCleanup(shutil.rmtree, cls.place)
        cls.program = os.environ.get("SLIPWAY", str(rig.TOP / "build/static/slipway"))

    def write(self, *words, status):
        """The bytes of the page that a command writes."""
        home = pathlib.Path(tempfile.mkdtemp(prefix="home-", dir=self.place))
        path = home / "page.html"
        done = subprocess.run([self.program, *words, "--html", str(path)], capture_output=True, text=True,
                              check=False, stdin=subprocess.DEVNULL,
                              env={"HOME": str(home), "PATH": "/usr/bin:/bin"})
        self.assertEqual(done.returncode, status, done.stderr)
        return path.read_bytes()

    def assert_good(self, page, title):
        rows = sum(1 for row in Reader(page.decode()).rows if row)
        for width in WIDTHS:
            for is_dark in (False, True):
                with self.subTest(width=width, is_dark=is_dark):
                    said, asked = look(page, width, is_dark)
                    self.assertEqual((said["mode"], said["dark"]), ("CSS1Compat", is_dark))
                    self.assertIn(title, said["title"])
                    self.assertGreater(said["words"], rows)
                    self.assertEqual((said["over"], said["overOpen"]), (0, 0), "wider than the window")
                    self.assertEqual(said["small"], [])
                    self.assertEqual(said["pale"], [])
                    self.assertEqual(said["hidden"], [])
                    self.assertEqual(said["narrow"], [])
                    self.assertEqual(set(asked) - {"/favicon.ico"}, {"/", "/page"})

    def test_of_a_machine_that_lacks_much(self):
        path = self.place / "facts.json"
        path.write_text(json.dumps(machine("laptop-4gib")), encoding="utf-8")
        self.assert_good(self.write("check", "octollm", "--facts", str(path), status=1), "OctoLLM")

    def test_of_a_machine_that_has_all(self):
        path = self.place / "good.json"
        path.write_text(json.dumps(machine("linux")), encoding="utf-8")
        page = self.write("check", "localagent", "--facts", str(path), "--ignore", "*", status=0)
        self.assert_good(page, "LocalAgent")

    def test_of_a_run(self):
        stack = self.place / "stack"
        stack.mkdir()
        (stack / "stack.ini").write_text(STACK)
        self.assert_good(self.write("install", str(stack), "--yes", status=3), "slipway install")

    def test_what_is_wrong_is_seen(self):
        """The test itself: pale, small, hidden, too wide, loaded from elsewhere."""
        page = (b"<!doctype html><title>x</title><p style='color:#eee;background:#fff'>pale<p style='font-size:8px'>small"
                b"<p style='width:3000px'>wide<p hidden>hidden<img src=/elsewhere.png>"
                b"<table style='table-layout:fixed;width:20px'><td style='word-break:break-all'>narrow</table>")
        said, asked = look(page, 360)
        self.assertEqual([text for text, *_ in said["pale"]], ["pale"])
        self.assertEqual((said["small"], said["hidden"]), (["small"], ["hidden"]))
        self.assertEqual([text.replace("\n", "") for text in said["narrow"]], ["narrow"])
        self.assertGreater(said["over"], 1000)
        self.assertIn("/elsewhere.png", asked)


if __name__ == "__main__":
    unittest.main(verbosity=2)
