"""Which code made a run: the commit where there is a repository, else the package's version, and a hash of the sources."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

ROOT = Path(__file__).parents[1]
ROOMS = ("data", "features", "models", "training", "serving")


def code_version(root: Path = ROOT) -> str:
    """`git ` and the commit of the repository at `root`, else `rettid ` and the installed version."""
    commit = _commit(root / ".git")
    if commit:
        return f"git {commit}"
    try:
        return f"rettid {version('rettid')}"
    except PackageNotFoundError:
        return "unknown"


def _commit(git: Path) -> str:
    """Commit that a repository's HEAD names, empty where there is none; read from its files, no program is run."""
    head = git / "HEAD"
    if not head.is_file():
        return ""
    text = head.read_text(encoding="utf-8").strip()
    if not text.startswith("ref: "):
        return text
    name = text.removeprefix("ref: ")
    if (git / name).is_file():
        return (git / name).read_text(encoding="utf-8").strip()
    packed = git / "packed-refs"
    lines = packed.read_text(encoding="utf-8").splitlines() if packed.is_file() else []
    return next((line.split()[0] for line in lines if line.endswith(f" {name}")), "")


@lru_cache(maxsize=1)
def code_hash() -> str:
    """First 16 hexadecimal digits of the SHA-256 of every source file: tells changes that were not committed."""
    files = [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))]
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:16]
