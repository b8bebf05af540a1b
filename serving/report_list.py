"""The list of reports as a page: those that a caller may see, with their verdicts, in the caller's language."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape
from pathlib import Path
from typing import Any, Literal

from babel import negotiate_locale

from data.times import DAY_US, to_us

LIST = "index.json"
Language = Literal["en", "sv", "nb", "da"]
SPOKEN = {"no": "nb", "nn": "nb"}
"""Languages that are read where another one is spoken."""

ENDONYMS = {"en": "English", "sv": "Svenska", "nb": "Norsk bokmål", "da": "Dansk"}
OLD_DAYS = 3
WORDS = {
    "index.title": "Reports",
    "index.none": "No report has been written yet.",
    "index.other": "Further pages",
    "index.old": "Please note: the data end more than three days ago.",
    "page.languages": "Language",
}
"""Where nothing was written, in English."""

STYLE = (
    ":root{color-scheme:light dark;--line:#d9dfe4;--faint:#5b6773;--good:#00795a;--bad:#b3261e;--wait:#8a5a00;--link:#0067a5}"
    "@media(prefers-color-scheme:dark){:root{--line:#35414c;--faint:#a9b5c0;--good:#3fc79a;--bad:#ff8a80;--wait:#f2b84b;"
    "--link:#7cc0f5}body{background:#12181e;color:#e8edf1}}"
    'body{font:1rem/1.5 "Liberation Sans",Arial,Helvetica,sans-serif;max-width:58rem;margin:0 auto;padding:1.2rem;'
    "overflow-wrap:break-word}a{color:var(--link)}:focus-visible{outline:3px solid var(--link);outline-offset:2px}"
    "nav ul{list-style:none;display:flex;flex-wrap:wrap;gap:.3rem 1.2rem;padding:0;margin:0}nav a[aria-current]{font-weight:700}"
    "h1{margin:1rem 0 .3rem}h2{font-size:1.15rem;margin:1.8rem 0 .4rem}.list{list-style:none;padding:0;margin:0;"
    "border-top:1px solid var(--line)}.list li{padding:.6rem 0;border-bottom:1px solid var(--line)}"
    ".list p{margin:.1rem 0 0}.until{color:var(--faint);font-size:.9rem}.mood{font-weight:700}.good{color:var(--good)}"
    ".bad,.old{color:var(--bad)}.wait{color:var(--wait)}.none{color:var(--faint)}button{font:inherit;padding:.4rem .9rem}"
)


@dataclass(frozen=True)
class Listed:
    """What the report wrote of its pages: languages, words in each, and an entry for each page."""

    languages: tuple[str, ...]
    words: Mapping[str, Mapping[str, str]]
    pages: Mapping[str, Mapping[str, Any]]


def read_listed(folder: Path) -> Listed:
    """What stands in a folder's `index.json`; nothing where there is none."""
    path = folder / LIST
    if not path.is_file():
        return Listed(("en",), {}, {})
    found = json.loads(path.read_text(encoding="utf-8"))
    return Listed(tuple(found["languages"]), found["words"], found["pages"])


def language_for(wanted: str | None, accepted: str, *, offered: Sequence[str]) -> str:
    """The language asked for if it is offered, else the best of `Accept-Language`, else the first.

    >>> language_for(None, "de;q=0.9, nn-NO;q=0.8, sv;q=0.1", offered=["en", "sv", "nb"])
    'nb'
    >>> language_for("da", "sv", offered=["en", "sv"])
    'sv'
    """
    if wanted in offered:
        return str(wanted)
    spoken = [SPOKEN.get(one.split("-")[0], one.split("-")[0]) for one in _by_weight(accepted)]
    return negotiate_locale(spoken, list(offered)) or offered[0]


def report_list(found: Listed, seen: Collection[str], *, language: str, now: datetime, sign_out: str = "") -> str:
    """A page that lists the reports that may be seen.

    Parameters
    ----------
    seen
        Files, without `.html`, that the caller may see; newest first.
    sign_out
        The form that ends a browser's session.
    """
    words = {**WORDS, **found.words.get(language, {})}
    body = _scopes(found, seen, language, now, words) + _others(found, seen, words)
    title = escape(words["index.title"])
    empty = f"<p>{escape(words['index.none'])} <code>rettid report --out DIR</code></p>"
    return (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{title}</title><style>{STYLE}</style></head>"
        f"<body>{_languages(found, language, words)}<main><h1>{title}</h1>{body or empty}</main>{sign_out}</body></html>"
    )


def _by_weight(accepted: str) -> list[str]:
    """Languages of an `Accept-Language`, the most wanted first; what cannot be read is not wanted."""
    weighed = []
    for part in accepted.lower().split(",")[:20]:
        name, _, weight = part.strip().partition(";q=")
        try:
            weighed.append((-float(weight or 1), name))
        except ValueError:
            continue
    return [name for weight, name in sorted(weighed, key=lambda one: one[0]) if weight < 0]


def _languages(found: Listed, language: str, words: Mapping[str, str]) -> str:
    if len(found.languages) < 2:
        return ""
    here = {language: ' aria-current="true"'}
    items = "".join(
        f'<li><a href="/reports?language={one}" lang="{one}" hreflang="{one}"{here.get(one, "")}>'
        f"{ENDONYMS.get(one, one)}</a></li>"
        for one in found.languages
    )
    return f'<nav aria-label="{escape(words["page.languages"])}"><ul>{items}</ul></nav>'


def _scopes(found: Listed, seen: Collection[str], language: str, now: datetime, words: Mapping[str, str]) -> str:
    """A heading and a list for all creditors, and for each one."""
    scopes: dict[str, list[str]] = {}
    for entry in found.pages.values():
        told = entry["told"].get(language) or next(iter(entry["told"].values()))
        if told["file"] in seen:
            old = to_us(now) - entry["known_until_us"] > OLD_DAYS * DAY_US
            scopes.setdefault(told["scope"], []).append(_item(told, entry["mood"], words, old=old))
    return "".join(f'<h2>{escape(scope)}</h2><ul class="list">{"".join(items)}</ul>' for scope, items in scopes.items())


def _item(told: Mapping[str, str], mood: str, words: Mapping[str, str], *, old: bool) -> str:
    said = ""
    if told["said"]:
        word = escape(words[f"mood.{mood}"])
        said = f'<p><span class="mood {escape(mood)}">{word}:</span> {escape(told["said"])}</p>'
    caution = f' <span class="old">{escape(words["index.old"])}</span>' if old else ""
    until = f'<p class="until">{escape(told["until"])}{caution}</p>'
    return f'<li><a href="/reports/{escape(told["file"])}">{escape(told["title"])}</a>{said}{until}</li>'


def _others(found: Listed, seen: Collection[str], words: Mapping[str, str]) -> str:
    """Pages that the report's list does not name: other commands wrote them."""
    named = {told["file"] for entry in found.pages.values() for told in entry["told"].values()}
    others = [name for name in seen if name not in named]
    if not others:
        return ""
    items = "".join(
        f'<li><a href="/reports/{escape(name)}">{escape(words.get(f"other.{name}", name))}</a></li>' for name in others
    )
    head = f"<h2>{escape(words['index.other'])}</h2>" if named else ""
    return f'{head}<ul class="list">{items}</ul>'
