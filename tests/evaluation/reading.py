"""Reads reports as a browser does."""

import re
from html.parser import HTMLParser

from evaluation.reports.readout.words import ReadoutWords

VOID = {"meta", "br", "link", "img", "hr"}


class Page(HTMLParser):
    """Collects the text, and what stands open at the end or closes what is not open."""

    def __init__(self, html):
        super().__init__()
        self.open, self.wrong, self.said, self.tags = [], [], [], []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)

    def handle_data(self, data):
        self.said.append(data)

    @property
    def text(self):
        return re.sub(r"\s+", " ", " ".join(self.said))


def text_of(html):
    """What a reader sees; spaces that must not break are kept."""
    return re.sub(r"[ \n]+", " ", " ".join(Page(html).said))


def verdict_of(html):
    return text_of(re.search(r'<p class="first" id="sentence">.*?</p>', html).group()).strip()


def words(lang="en", **rest):
    return ReadoutWords(lang, "JPY", whole=True, **rest)
