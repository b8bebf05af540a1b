"""The table of who may call what, as a page: `python -m serving.access.page`."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping

from serving.access.caller import ROLES
from serving.access.matrix import MATRIX, Call, Entry

HEAD = (
    "| call | " + " | ".join(role.replace("_", " ") for role in ROLES) + " | without a key | in a browser | counts as |"
)


def matrix_table(matrix: Mapping[Call, Entry] = MATRIX) -> str:
    """The table in Markdown, a line for each call."""
    return "\n".join([HEAD, "| --- |" + " :-: |" * (len(ROLES) + 2) + " --- |", *_lines(matrix)]) + "\n"


def _lines(matrix: Mapping[Call, Entry]) -> Iterator[str]:
    for (method, path), entry in matrix.items():
        allowed = [entry.open or role in entry.roles for role in ROLES]
        marks = ["yes" if yes else "" for yes in (*allowed, entry.open, entry.open or entry.by_session)]
        yield f"| `{method} {path}` | {' | '.join(marks)} | {entry.kind or ''} |"


if __name__ == "__main__":
    sys.stdout.write(matrix_table())
