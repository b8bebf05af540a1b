"""One debtor's mask in words."""

from __future__ import annotations

from typing import Any

import numpy as np

from data.action_grid import ActionGrid
from data.config import GridSettings
from data.situation import Situation
from data.times import to_day
from models.rules.mask import RULES, contact_mask
from models.rules.mask_told import told_mask
from models.rules.pack import read_packs
from tests.situations import MONDAY, claims, one_debtor, points

GRID = ActionGrid.of(GridSettings())
PACKS = read_packs()
SENTENCE = {rule.name: rule.sentence for rule in RULES}
DUE = to_day(MONDAY.date()) - 20


def told(situation: Situation, *claim_ids: str) -> list[str]:
    mask = contact_mask(situation, grid=GRID, packs=PACKS)
    return told_mask(mask, situation, debtor=0, grid=GRID, claim_ids=claim_ids)


def channel(lines: list[str], name: str) -> str:
    return next(line for line in lines if line.startswith(f"  {name}: "))


def two(**columns: Any) -> Situation:
    return one_debtor(claims=claims((0, 200.0, DUE), (0, 50.0, DUE), **columns))


def test_the_debtor_is_named_with_place_clock_and_moment() -> None:
    assert told(one_debtor(), "k1")[0] == "d1, SE, on the clock of Europe/Stockholm, as of 2026-03-02T06:30Z"
    far = told(one_debtor(place=("US", "US-TN", None)), "k1")[0]
    assert far.startswith("d1, US-TN, on the clock of America/")
    assert " or America/" in far


def test_each_claim_is_free_or_held_by_a_rule_with_its_sentence() -> None:
    lines = told(two(disputed=[False, True]), "k1", "k2")
    assert lines[2:4] == [
        "  k1: a contact may be about it",
        f"  k2: held by disputed_claim. {SENTENCE['disputed_claim']}",
    ]


def test_a_debtor_who_owes_nothing_has_no_claim_to_tell_of() -> None:
    lines = told(one_debtor(claims=claims()))
    assert lines[2] == "  none is open"
    assert channel(lines, "letter") == f"  letter: shut by no_open_claim. {SENTENCE['no_open_claim']}"


def test_an_open_channel_says_its_slots_days_with_the_same_hours_together() -> None:
    line = channel(told(one_debtor(), "k1"), "letter")
    hours = ", ".join(f"{hour:02d}" for hour in GRID.hours if hour < 20)
    assert line == f"  letter: open Mon 2 March to Sun 8 March at {hours}"


def test_days_without_an_open_slot_are_left_out() -> None:
    hours = ", ".join(f"{hour:02d}" for hour in GRID.hours)
    line = channel(told(one_debtor(place=("NO", None, None)), "k1"), "sms")
    assert f"Mon 2 March to Fri 6 March at {hours}; Sat 7 March at 10, 12, 14" in line
    assert "Sun" not in line


def test_a_shut_channel_says_the_rule_and_its_sentence() -> None:
    line = channel(told(one_debtor(points=points((0, "letter"))), "k1"), "sms")
    assert line == f"  sms: shut by no_contact_point. {SENTENCE['no_contact_point']}"


def test_the_words_hold_exactly_the_slots_of_the_mask() -> None:
    situation = one_debtor(place=("BR", "BR-SP", None))
    mask = contact_mask(situation, grid=GRID, packs=PACKS)
    lines = told_mask(mask, situation, debtor=0, grid=GRID, claim_ids=["k1"])
    opened = {GRID.channels[code] for code in np.unique(GRID.channel[mask.allowed[0]]).tolist()} - {"none"}
    assert {line.split(":")[0].strip() for line in lines if ": open " in line} == opened
    assert {line.split(":")[0].strip() for line in lines if ": shut by " in line} == set(GRID.channels[1:]) - opened
