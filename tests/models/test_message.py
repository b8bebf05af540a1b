"""How the debtor is met: the tone never runs ahead of its step, and the way to pay suits the debtor."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from data.vocabulary import CHANNELS, PAYMENT_OPTIONS, SEGMENTS, STAGES, TONES
from models._message_kernels import mildest
from models.message import (
    BY_CONTACTS,
    BY_STAGE,
    FIRM,
    FRIENDLY,
    INSTALMENTS_FROM_EUR,
    NEUTRAL,
    PAYMENT_OPTION,
    calmed,
    payment_options,
    tone,
)
from tests.deciding import bundle_of, decided, rate_model
from tests.portfolios import histories
from tests.strategies import START, random_tables

STAGE_CODES = st.integers(-1, len(STAGES) - 1)
CONTACTS = st.integers(0, 12)


def one_tone(stage: int, contacts: int) -> int:
    return int(mildest(stage, contacts, BY_STAGE, BY_CONTACTS))


@settings(deadline=None)  # the first call compiles
@given(STAGE_CODES, CONTACTS)
def test_one_more_step_or_contact_never_makes_it_friendlier(stage: int, contacts: int) -> None:
    here = one_tone(stage, contacts)
    assert one_tone(min(stage + 1, len(STAGES) - 1), contacts) >= here
    assert one_tone(stage, contacts + 1) >= here


@settings(deadline=None)  # the first call compiles
@given(STAGE_CODES, CONTACTS)
def test_the_first_contact_is_friendly_and_firm_comes_after_two_at_collection_at_the_soonest(
    stage: int, contacts: int
) -> None:
    assert one_tone(stage, 0) == FRIENDLY
    found = one_tone(stage, contacts)
    assert (found == FIRM) == (stage >= STAGES.index("collection") and contacts >= 2)
    if stage <= STAGES.index("reminder"):
        assert found == FRIENDLY


def test_every_tone_is_met() -> None:
    ladder = [one_tone(STAGES.index(name), contacts) for contacts, name in enumerate(STAGES)]
    assert [TONES[one] for one in ladder] == ["friendly", "friendly", "neutral", "firm", "firm"]


def test_it_is_firm_neither_for_the_vulnerable_nor_the_short_of_money_nor_after_a_hold_or_an_agreement() -> None:
    firm = calm = 0
    for seed in range(6):
        found = histories(random_tables(seed))
        prepared = decided(found, START + timedelta(days=200), bundle=bundle_of(found, rate_model())).prepared
        size, situation = prepared.situation.size, prepared.situation
        unwilling, short = np.full(size, SEGMENTS.index("unwilling")), np.full(size, SEGMENTS.index("short_of_money"))
        usual = tone(prepared, unwilling)
        weak = replace(prepared, situation=replace(situation, vulnerable=np.ones(size, dtype=bool)))
        for milder in (tone(prepared, short), tone(weak, unwilling)):
            assert milder.tolist() == np.minimum(usual, NEUTRAL).tolist()
        assert (usual[calmed(prepared)] <= NEUTRAL).all()
        firm, calm = firm + (usual == FIRM).sum(), calm + calmed(prepared).sum()
    assert firm
    assert calm


def options(channel: str, segment: str, owed_eur: float) -> str | None:
    much = int(owed_eur >= INSTALMENTS_FROM_EUR)
    code = payment_options(CHANNELS)[CHANNELS.index(channel), SEGMENTS.index(segment), much]
    return None if code < 0 else PAYMENT_OPTIONS[code]


def test_the_way_to_pay_goes_by_channel_where_the_debtor_is_not_known() -> None:
    found = {name: options(name, "unknown", 500.0) for name in CHANNELS}
    assert found == {"none": None, "phone": None, **PAYMENT_OPTION}
    assert {name: options(name, "unwilling", 500.0) for name in CHANNELS} == found


def test_direct_debit_is_offered_in_the_digital_mailbox_to_who_forgot() -> None:
    assert {name for name in CHANNELS if options(name, "forgot", 500.0) == "direct_debit"} == {"digital_mailbox"}
    assert options("digital_mailbox", "short_of_money", 10.0) == "link"
    assert options("sms", "forgot", 500.0) == "link"


def test_instalments_are_offered_to_who_is_short_of_money_from_fifty_euro_on_and_never_on_the_phone() -> None:
    offered = {name for name in CHANNELS if options(name, "short_of_money", INSTALMENTS_FROM_EUR) == "instalments"}
    assert offered == {"sms", "email", "digital_mailbox", "letter", "portal"}
    assert options("letter", "short_of_money", INSTALMENTS_FROM_EUR - 0.01) == "qr"
    assert options("sms", "short_of_money", INSTALMENTS_FROM_EUR - 0.01) == "link"


def test_a_card_is_never_offered_and_nothing_is_on_a_channel_of_the_tenants_own() -> None:
    met = {options(channel, segment, owed) for channel in CHANNELS for segment in SEGMENTS for owed in (1.0, 900.0)}
    assert met == {None, "link", "qr", "direct_debit", "instalments"}
    assert payment_options(("none", "pigeon"))[1, SEGMENTS.index("short_of_money")].tolist() == [-1, -1]
