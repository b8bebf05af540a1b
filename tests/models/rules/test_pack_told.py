"""A pack in words."""

from __future__ import annotations

from datetime import date

import pytest

from models.rules.pack import Cap, InWriting, Pack, Promotion, SchoolHours, Wait, Window, read_packs
from models.rules.pack_told import holidays_told, hours_told, told_rows, validity

AUTHORITY = ("confirmed", "An act.")
WEEK = tuple(range(5))


def pack(**changes: object) -> Pack:
    base: dict[str, object] = {
        "country": "NO",
        "status": "confirmed",
        "source": "An act.",
        "valid_from": date(2026, 1, 1),
        "valid_to": None,
        "reviewed_by": "",
        "categories": ("public",),
        "extra": (),
        "windows": (Window(("phone",), WEEK, 8, 20, False, (), *AUTHORITY),),
    }
    return Pack(**(base | changes))  # type: ignore[arg-type] # fields of a pack by name


def said(**changes: object) -> list[str]:
    return [row.says for row in told_rows(pack(**changes))][1:]


def test_a_window_says_when_and_where() -> None:
    windows = (
        Window(("phone", "digital_mailbox"), WEEK, 8, 20, False, ("NO-03",), *AUTHORITY),
        Window(("letter",), (0, 1, 2, 3, 4, 5, 6), 9, 18, True, (), *AUTHORITY),
        Window(("sms",), (5, 0), 9, 12, False, (), *AUTHORITY),
    )
    assert [row.says for row in told_rows(pack(windows=windows))] == [
        "phone, digital mailbox: Monday to Friday 08-20, not on holidays, in NO-03",
        "letter: all days 09-18, holidays too",
        "sms: Monday, Saturday 09-12, not on holidays",
    ]


@pytest.mark.parametrize(
    ("cap", "words"),
    [
        (Cap(("phone",), 1, 1, "debtor", *AUTHORITY), "phone: at most 1 on one day, for each debtor"),
        (
            Cap(("phone", "sms"), 7, 7, "claim", *AUTHORITY),
            "phone, sms: at most 7 together in 7 days on end, for each claim",
        ),
    ],
)
def test_a_cap_says_how_many_in_how_long_for_whom(cap: Cap, words: str) -> None:
    assert said(caps=(cap,)) == [words]


@pytest.mark.parametrize(
    ("wait", "words"),
    [
        (Wait("conversation", ("phone",), 7, False, True, 0, (), *AUTHORITY), "none after a conversation by phone, for 7 days in full"),
        (Wait("click", ("phone",), 3, True, False, 0, (), *AUTHORITY), "no payment has followed, for 3 bank days"),
        (
            Wait("stage", ("phone",), 10, False, False, 7, ("notice", "collection"), *AUTHORITY),
            "came to notice or collection or its letter was sent, for 10 days, counted from receipt (7 days after dispatch)",
        ),
    ],
)  # fmt: skip
def test_a_wait_says_after_what_for_how_long(wait: Wait, words: str) -> None:
    assert said(waits=(wait,))[0].endswith(words)


def test_the_single_tables_are_told_and_those_not_there_are_not() -> None:
    assert said() == []
    assert said(
        school_hours=SchoolHours(("phone",), WEEK, 8, 16, *AUTHORITY),
        in_writing=InWriting(("phone", "sms"), ("letter", "digital_mailbox"), *AUTHORITY),
        promotion=Promotion(False, *AUTHORITY),
    ) == [
        "phone: none Monday to Friday 08-16 to a number that may be a child's",
        "phone, sms: only after a contact by letter or digital mailbox",
        "no message holds a sales promotion",
    ]
    assert said(promotion=Promotion(True, *AUTHORITY)) == ["a message may hold a sales promotion"]


def test_validity_says_from_when_to_when_by_whom_and_whether_on() -> None:
    assert validity(pack()) == "Valid from 2026-01-01, read by no lawyer yet"
    signed = pack(valid_to=date(2026, 12, 31), enabled=False, reviewed_by="A. Lawyer")
    assert validity(signed) == "Valid from 2026-01-01 to 2026-12-31, switched off, read by A. Lawyer"


def test_holidays_are_told_as_days() -> None:
    assert holidays_told(pack(categories=("public", "de_facto"), extra=("02-29", "easter+60", "easter+1"))) == (
        "public, de facto, 29 February, 60 days after Easter Sunday, the day after Easter Sunday"
    )


def test_hours_of_a_week_are_told_with_each_region_s_own() -> None:
    packs = read_packs()
    assert hours_told(packs["BR"], "phone") == (
        "09-19 / none / none; AL, SP 08-20 / 08-14 / none; AM, ES 08-19 / none / none"
    )
    assert hours_told(packs["US"], "phone") == "08-21 / 08-21 / 08-21"
    assert hours_told(packs["BR"], "letter") == "08-20 / 08-20 / 08-20"
