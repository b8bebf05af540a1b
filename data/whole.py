"""Files and folders that are there whole or not at all: made under a hidden name beside their place, then renamed."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A place to write a file to; it becomes `path` at the end, or is gone when what is inside fails.

    Missing folders are made; an older file at `path` stays until then.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = _hidden(path)
    try:
        yield unfinished
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


@contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """An empty folder to write to; it becomes `path`, which must be free, or is gone when what is inside fails."""
    unfinished = _hidden(path)
    unfinished.mkdir(parents=True)
    try:
        yield unfinished
        unfinished.replace(path)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _hidden(path: Path) -> Path:
    return path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
