"""Which report pages a caller sees: managers only those about their creditors, as `manifest.json` beside them says."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from serving.access.caller import Caller, sees

FILE_NAME = "manifest.json"
Manifest = Mapping[str, frozenset[str] | None]
"""The creditors each page is about; None: all of them."""


class BadManifest(ValueError):
    """The list of what report pages are about cannot be read."""


def read_manifest(folder: Path) -> Manifest:
    """What each page in a folder is about; empty where nothing says so.

    Raises
    ------
    BadManifest
        The file is not of the form `{"page": {"creditors": ["k-energy"]}}`, with null for all creditors.
    """
    path = folder / FILE_NAME
    if not path.is_file():
        return {}
    try:
        given = json.loads(path.read_text(encoding="utf-8"))
        return {name: _creditors(entry["creditors"]) for name, entry in given.items()}
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise BadManifest(
            f'{path}: expected {{"page": {{"creditors": ["k-energy"] or null}}}}: write the reports again'
        ) from error


def sees_report(caller: Caller, name: str, manifest: Manifest) -> bool:
    """Whether a page may be shown; one about all creditors, or that nothing is said of, only to those who see all.

    Parameters
    ----------
    name
        The page's, or that of a file beside it: `overview`, `overview.html`, `overview.csv`.

    >>> one = Caller("north", "manager", "0a1b2c3d", frozenset({"k-energy"}))
    >>> said = {"uplift-energy": frozenset({"k-energy"}), "uplift": None}
    >>> [sees_report(one, name, said) for name in ("uplift-energy", "uplift", "other")]
    [True, False, False]
    """
    return sees(caller, manifest.get(page_of(name)) or ())


def page_of(name: str) -> str:
    """The page that a file belongs to.

    >>> page_of("overview-sv.pdf"), page_of("overview"), page_of("a.b.html")
    ('overview-sv', 'overview', 'a.b')
    """
    return name.rpartition(".")[0] if "." in name else name


def seen_reports(caller: Caller, names: Iterable[str], manifest: Manifest) -> list[str]:
    """Those of some pages that may be shown, in their order."""
    return [name for name in names if sees_report(caller, name, manifest)]


def _creditors(given: object) -> frozenset[str] | None:
    if given is None:
        return None
    if not isinstance(given, list) or not all(isinstance(one, str) for one in given):
        raise TypeError("creditors: a list of names, or null")
    return frozenset(given)
