"""A page as it is read: its tags, and its text without style sheets and drawings."""

from __future__ import annotations

from html.parser import HTMLParser


class Reader(HTMLParser):
    """Tags with their attributes, and the text that is read."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self._silent = 0
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._silent += tag in ("style", "svg")

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag in ("style", "svg")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.text.append(data)

    def count(self, tag: str) -> int:
        return len(self.all(tag))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.tags if name == tag]

    def said(self) -> str:
        """The text in one line, with common spaces."""
        return " ".join(" ".join(self.text).split()).replace("\u00a0", " ")
