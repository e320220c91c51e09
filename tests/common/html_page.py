"""Reads a page that slipway wrote.

SPDX-License-Identifier: Apache-2.0
"""
import html.parser


class Reader(html.parser.HTMLParser):
    """Rows of tables as lists of texts; tags that are open; whatever would load something."""

    def __init__(self, text):
        super().__init__()
        self.rows, self.open, self.foreign, self.title = [], [], [], ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.foreign += [tag] if tag in ("script", "link", "img", "iframe", "object", "form") else []
        self.foreign += [name for name, _ in attrs if name in ("src", "href") or name[:2] == "on"]
        if tag == "tr":
            self.rows.append([])
        elif tag == "td":
            self.rows[-1].append("")
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, (tag, self.open)

    def handle_data(self, data):
        if "td" in self.open:
            self.rows[-1][-1] += data
        elif "title" in self.open:
            self.title += data
