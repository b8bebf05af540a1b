"""The page on a plan beside today's decisions: one HTML file, written from the figures alone."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import altair as alt
from markupsafe import Markup

from training.reports.drawing import BLUE, FAINT, data_of, svg
from training.reports.english import MINUS, count, decimal, eur, eur0, signed_eur
from training.reports.rendering import rendered
from training.reports.write import write_whole

Figures = dict[str, Any]
NAME = "what-if"
SHOWN = 12
"""Prices on the page; all of them stand in the file beside it."""


@dataclass(frozen=True)
class WhatIfFiles:
    """What was found, and where it stands."""

    figures: Figures
    html: Path
    json: Path

    def lines(self) -> list[str]:
        """What was found, for the terminal."""
        return [headline(self.figures), *sentences(self.figures), str(self.html)]


def write_what_if(figures: Figures, out: Path) -> WhatIfFiles:
    """Writes the figures (`serving.what_if.what_if`) to `out` as `what-if.html` and `.json`, each whole or not at all."""
    out.mkdir(parents=True, exist_ok=True)
    files = WhatIfFiles(figures, out / f"{NAME}.html", out / f"{NAME}.json")
    write_whole(files.html, what_if_page(figures).encode())
    text = json.dumps(figures, indent=1, ensure_ascii=False, allow_nan=False)
    write_whole(files.json, f"{text}\n".encode())
    return files


def what_if_page(figures: Figures) -> str:
    """HTML of the figures."""
    today, then = figures["sides"]
    values = {
        **figures,
        "today": today,
        "then": then,
        "headline": _together(headline(figures)),
        "sentences": [_together(one) for one in sentences(figures)],
        "rows": _rows(today, then),
        "moved": _moved(figures),
        "prices": [_prices(one) for one in (today, then)],
        "charts": _charts(figures),
        "count": count,
        "decimal": decimal,
        "eur": eur,
        "signed_eur": signed_eur,
        "shown": _shown,
        "change": lambda value: _change(value, count),
        "named": _named,
    }
    return rendered("what_if.html.j2", values, styles=["base.css", "what_if.css"])


def headline(figures: Figures) -> str:
    """What the plan comes to, in one line."""
    today, then = figures["sides"]
    more = then["contacts"] - today["contacts"]
    contacts = f"{count(abs(more))} {'more' if more > 0 else 'fewer'} contacts" if more else "as many contacts"
    return f"{_signed0(figures['difference']['paid']['value'])} expected to be paid, with {contacts}"


def sentences(figures: Figures) -> list[str]:
    """What is behind it, in words."""
    found, (today, then) = figures["difference"], figures["sides"]
    paid = found["paid"]
    told = [
        f"Of {count(then['debtors'])} debtors {count(found['debtors'])} would be treated otherwise than today.",
        (
            f"What is paid within {figures['horizon_days']} days changes by {_signed0(paid['value'])}; by chance alone it may turn out "
            f"anywhere from {_signed0(paid['low'])} to {_signed0(paid['high'])} on one night."
        ),
        (
            f"The cost of contacts changes by {_signed0(then['cost_eur'] - today['cost_eur'])}; cost and harm taken off, the plan's "
            f"contacts are worth {_signed0(found['value_eur'])} over today's."
        ),
        f"Complaints and opt-outs to expect: {decimal(then['annoyed'])} in place of {decimal(today['annoyed'])}.",
    ]
    if paid["low"] <= 0 <= paid["high"]:
        told.append(
            "One night is too small to see the difference in the money that comes in: judge it by an experiment."
        )
    return told


def _rows(today: Figures, then: Figures) -> list[dict[str, str]]:
    """Figures of both sides, each shown in its own form."""
    plain = {
        "Contacts": ("contacts", count),
        "Paid without any contact": ("without_eur", eur0),
        "Paid more because of contacts": ("added_eur", eur0),
        "Cost of contacts": ("cost_eur", eur0),
        "Harm of contacts": ("harm_eur", eur0),
        "Worth of the contacts": ("value_eur", eur0),
        "Complaints and opt-outs to expect": ("annoyed", decimal),
        "Actions drawn to explore": ("explored", count),
        "Gave way to a limit": ("displaced", count),
    }
    return [
        {
            "name": name,
            "today": show(today[key]),
            "then": show(then[key]),
            "change": _change(then[key] - today[key], show),
        }
        for name, (key, show) in plain.items()
    ]


def _change(value: float, show: Any) -> str:  # noqa: ANN401 # one of the page's formats
    return f"+{show(value)}" if value > 0 else show(value)


def _signed0(value: float) -> str:
    shown = eur0(round(value))
    return f"+{shown}" if round(value) > 0 else shown


def _moved(figures: Figures) -> list[dict[str, Any]]:
    """From which channel to which most debtors are moved, most first."""
    channels, moved = figures["channels"], figures["difference"]["moved"]
    pairs = [
        {"today": one, "then": other, "debtors": moved[row][column]}
        for row, one in enumerate(channels)
        for column, other in enumerate(channels)
        if row != column and moved[row][column]
    ]
    return sorted(pairs, key=lambda pair: -pair["debtors"])[:SHOWN]


def _prices(side: Figures) -> dict[str, Any] | None:
    """The price list of one side: what binds, dearest first."""
    if side["limits"] is None:
        return None
    limits = side["limits"]["limits"]
    binding = sorted((one for one in limits if one["binding"]), key=lambda one: -one["price_eur"])
    short = [one for one in limits if one["short"] > 0]
    return {
        "name": side["name"],
        "limits": len(limits),
        "binding": len(binding),
        "shown": binding[:SHOWN],
        "short": short,
    }


def _together(sentence: str) -> str:
    """The sentence with no line ending between a sign and its number."""
    return sentence.replace(MINUS, f"{MINUS}\u2060")


def _named(limit: str) -> str:
    """What is limited, to read.

    >>> _named("phone@2026-03-02T10"), _named("budget@2026-03-02"), _named("creditor:c1")
    ('phone, 2026-03-02 at 10', 'EUR of the budget, 2026-03-02', 'minimum of creditor c1')
    """
    what, _, when = limit.partition("@")
    if not when:
        return what.replace("creditor:", "minimum of creditor ")
    day, _, hour = when.partition("T")
    name = {"budget": "EUR of the budget", "inbound": "debtors who get in touch"}.get(what, what.replace("_", " "))
    return f"{name}, {day} at {hour}" if hour else f"{name}, {day}"


def _shown(value: object) -> str:
    """A setting's value as it stands in the file.

    >>> _shown(None), _shown([{"amount": 1.75, "since": "2000-01-01", "per_answer": 0.0}]), _shown({"most": 2, "days": 7})
    ('–', '1.75', '{"most": 2, "days": 7}')
    """
    if isinstance(value, list) and len(value) == 1 and isinstance(value[0], dict) and not value[0].get("per_answer"):
        return _shown(value[0].get("amount"))
    return "–" if value is None else json.dumps(value, ensure_ascii=False)


def _charts(figures: Figures) -> dict[str, Markup]:
    drawn = {"channels": _by_channel(figures), "hours": _by_hour(figures)}
    return {name: Markup(chart) for name, chart in drawn.items()}  # noqa: S704 - drawn by us, its words escaped


def _by_channel(figures: Figures) -> str:
    flat = [
        {"side": side["name"], "channel": channel.replace("_", " "), "contacts": contacts}
        for side in figures["sides"]
        for channel, contacts in side["by_channel"].items()
        if channel != "none"
    ]
    return _pairs(flat, "channel", "contacts by channel")


def _by_hour(figures: Figures) -> str:
    flat = [
        {"side": side["name"], "hour": f"{hour:02d}", "contacts": sum(row[place] for row in side["by_hour"])}
        for side in figures["sides"]
        for place, hour in enumerate(figures["hours"])
    ]
    return _pairs(flat, "hour", "contacts by hour")


def _pairs(flat: list[dict[str, Any]], what: str, title: str) -> str:
    """Bars side by side, today's pale."""
    names = list(dict.fromkeys(row["side"] for row in flat))
    colour = alt.Color("side:N", scale=alt.Scale(domain=names, range=[FAINT, BLUE]), legend=None)
    chart = (
        alt.Chart(data_of(flat))
        .mark_bar()
        .encode(
            x=alt.X(f"{what}:N", sort=None, title=None, axis=alt.Axis(labelAngle=-30 if what == "channel" else 0)),
            xOffset=alt.XOffset("side:N", sort=names),
            y=alt.Y("contacts:Q", title="contacts", axis=alt.Axis(format="~s", tickCount=5)),
            color=colour,
        )
    )
    words = "; ".join(f"{row[what]}, {row['side']}: {row['contacts']:,}" for row in flat)
    return svg(chart, title=title.capitalize(), description=words)
