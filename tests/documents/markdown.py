"""The repository's documents, and the blocks, links and commands in them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FENCE = re.compile(r"(?P<before>[^\n]*\n)?^```(?P<language>\w+)[^\n]*\n(?P<text>.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?P<target>[^)\s]+)\)")
SHELLS = ("sh", "bash", "console")


@dataclass(frozen=True)
class Block:
    """A fenced block; `runs` is false under a line that begins with `<!-- not run`."""

    language: str
    text: str
    runs: bool


def documents() -> list[Path]:
    """Every Markdown file at the root, in docs/ and in notebooks/."""
    return [
        *sorted(ROOT.glob("*.md")),
        *sorted((ROOT / "docs").rglob("*.md")),
        *sorted((ROOT / "notebooks").glob("*.md")),
    ]


def blocks(markdown: str) -> list[Block]:
    r"""Fenced blocks that name a language.

    >>> blocks("Text\n```sh\nrettid check DIR\n```\n")
    [Block(language='sh', text='rettid check DIR\n', runs=True)]
    >>> [block.runs for block in blocks("<!-- not run: needs a server -->\n```python\n1 / 0\n```\n")]
    [False]
    """
    found = FENCE.finditer(markdown)
    return [Block(m["language"], m["text"], not (m["before"] or "").startswith("<!-- not run")) for m in found]


def shell_lines(markdown: str) -> Iterator[str]:
    r"""Each command of the shell blocks, continued lines joined, prompts and comments taken off.

    >>> list(shell_lines("```sh\n$ rettid check \\\n  DIR  # all tables\n```"))
    ['rettid check DIR']
    """
    for block in blocks(markdown):
        if block.language in SHELLS:
            for line in re.sub(r"\\\n\s*", "", block.text).splitlines():
                command = re.sub(r"(^|\s)#.*", "", line).removeprefix("$ ").strip()
                if command:
                    yield command


def links(markdown: str) -> Iterator[str]:
    """Targets of links and pictures that lie in the repository, without the part after `#`.

    >>> list(links("[a](docs/a.md#top) [b](https://example.org) [c](#here)"))
    ['docs/a.md']
    """
    for match in LINK.finditer(re.sub(r"```.*?```", "", markdown, flags=re.DOTALL)):
        target = match["target"].split("#")[0]
        if target and not re.match(r"[a-z]+:", target):
            yield target
