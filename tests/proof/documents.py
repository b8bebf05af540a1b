"""Rule packs as parsed TOML: the shipped ones, and made-up ones that use every table a pack can have."""

from __future__ import annotations

import tomllib
from copy import deepcopy
from datetime import date
from typing import Any

from models.rules.pack import FOLDER, Packs, parse_pack

Document = dict[str, Any]
CHANNELS = ["sms", "email", "digital_mailbox", "letter", "phone", "portal"]
LOUD = ["phone", "sms"]
SOURCED = {"status": "conservative_default", "source": "made up for tests"}


def shipped() -> dict[str, Document]:
    """The documents in force by country, each with no status or source left out."""
    found = {path.name: tomllib.loads(path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("*.toml"))}
    return {one["country"]: one for one in found.values() if one.get("enabled", True)}


def dense(seed: int, *, on: date) -> dict[str, Document]:
    """The shipped windows with caps, waits and hours of their own; every other country's pack ends about `on`."""
    return {
        country: _dense(deepcopy(one), number + seed, on) for number, (country, one) in enumerate(shipped().items())
    }


def _dense(one: Document, number: int, on: date) -> Document:
    one |= {"caps": _caps(number), "waits": _waits(number)}
    one["school_hours"] = {**SOURCED, "channels": LOUD, **_school(number)}
    one["in_writing"] = {**SOURCED, "channels": LOUD if number % 2 else ["phone"], "by": ["letter", "email"]}
    if number % 2:
        one["valid_to"] = on
    if number % 5 == 1:
        one["school_hours"] = {"none": True}
    if number % 5 == 2:
        del one["in_writing"]
    if number % 3 == 0:
        one["windows"] = [_less(row, "portal") for row in one["windows"]]
    one["windows"] = [{**row, "from": max(row["from"] - number % 3, 0)} for row in one["windows"]]
    return one


def _school(number: int) -> Document:
    """A few hours of some days, or the whole week: then a number of which nothing is known is never used."""
    if number % 3 == 0:
        return {"weekdays": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "from": 0, "to": 24}
    return {"weekdays": ["mon", "wed", "fri"], "from": 9, "to": 12 + number % 6}


def _less(row: Document, channel: str) -> Document:
    return {**row, "channels": [name for name in row["channels"] if name != channel]}


def _caps(number: int) -> list[Document]:
    rows = [
        {"channels": LOUD, "most": 1, "days": 1 + number % 2, "scope": "debtor"},
        {"channels": ["phone", "letter", "email"], "most": 2, "days": 3 + number % 4, "scope": "debtor"},
        {"channels": CHANNELS, "most": 5 + number % 3, "days": 31, "scope": "debtor"},
        {"channels": CHANNELS[number % 3 :], "most": 1 + number % 2, "days": 2 + number % 3, "scope": "claim"},
    ]
    if number % 4 == 3:
        rows.append(
            {"channels": ["digital_mailbox"], "most": 0, "days": 1, "scope": ("claim", "debtor")[number % 8 == 3]}
        )
    return [{**SOURCED, **row} for row in rows]


def _waits(number: int) -> list[Document]:
    bank, full = number % 2 == 0, number % 3 == 0
    rows = [
        {"after": "contact", "channels": CHANNELS[:4], "days": 1 + number % 3, "full_days": full},
        {"after": "contact", "channels": ["phone"], "days": 2, "bank_days": bank},
        {"after": "conversation", "channels": ["phone", "sms"], "days": 3 + number % 5, "full_days": not full},
        {"after": "click", "channels": CHANNELS, "days": 1 + number % 3, "bank_days": True, "full_days": full},
        {"after": "inbound", "channels": CHANNELS[number % 4 :], "days": 1 + number % 3},
        {
            "after": "stage", "channels": ["phone", "letter"], "days": 3 + number % 6, "bank_days": bank,
            "full_days": full, "receipt_days": number % 4, "stages": ["notice", "collection"],
        },
        {"after": "stage", "channels": ["sms", "portal"], "days": 2 + number % 9, "stages": ["reminder", "legal"]},
    ]  # fmt: skip
    return [{**SOURCED, **row} for row in rows]


def with_company(documents: dict[str, Document], caps: dict[str, tuple[int, int]]) -> dict[str, Document]:
    """The documents with the tenant's own caps (channel or `any`: most, days), as the configuration's page tells them."""
    return {
        country: {**one, "caps": [*one.get("caps", []), *_tenants(one, caps)]} for country, one in documents.items()
    }


def _tenants(one: Document, caps: dict[str, tuple[int, int]]) -> list[Document]:
    every = sorted({name for row in one["windows"] for name in row["channels"]})
    return [
        {"channels": every if name == "any" else [name], "most": most, "days": days, "scope": "debtor"}
        for name, (most, days) in caps.items()
    ]


def packs_of(documents: dict[str, Document]) -> Packs:
    """What the program makes of documents."""
    return {country: parse_pack(one, where=f"{country}.toml") for country, one in documents.items()}
