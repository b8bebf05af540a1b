"""Where each family of features begins in its side's matrix, by name, for the loops that write them.

A family's name without its braces: the columns of `sent_{channel}_{window}` begin at `sent_channel_window`, the last axis
running fastest. That they are those of the catalogue, in its order, is tested.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from features.catalogue import layout


class DebtorPlaces(NamedTuple):
    """First column of each family of the debtor's side."""

    country: int
    age: int
    known_days: int
    income_band: int
    employment: int
    other_debts: int
    profile_days: int
    reachable_channel: int
    digital_reach: int
    open_claims: int
    claims_paid: int
    claims_unpaid: int
    claims_window: int
    paid_claims_rate: int
    paid_claim_days: int
    since_claim: int
    oldest_due_days: int
    open_sectors: int
    main_sector: int
    outstanding_all_log: int
    largest_open_log: int
    disputed_claims: int
    held_claims: int
    plan_claims: int
    highest_stage: int
    soonest_due_days: int
    last_channel: int
    sent_channel_window: int
    none_decisions_window: int
    contacts_window: int
    contacts_in_3_days: int
    contacts_in_7_days: int
    contacts_in_14_days: int
    since_contact: int
    since_contact_channel: int
    same_channel_run: int
    contacts_since_response: int
    contacts_since_payment: int
    measure_rate_channel_window: int
    reach_rate_channel: int
    response_rate_channel: int
    since_response: int
    since_response_channel: int
    bounced: int
    opted_out: int
    complained: int
    wrong_person: int
    paid_after_rate_decision_window: int
    paid_through_channel: int
    promises_kept: int
    promises_broken: int
    since_promise: int
    promise_due_days: int
    unpaid_click_days: int
    reach_rate_part: int
    reach_rate_weekday: int
    responses_part: int
    responses_weekday: int
    response_hour: int
    payments_part: int
    payments_weekday: int
    payment_hour: int
    paid_near_hour: int
    payments_window: int
    paid_log_window: int
    since_payment: int
    payment_gap_days: int
    payments_reversed: int
    self_paid_rate: int
    since_pay_day: int
    to_pay_day: int
    pay_day_learned: int
    pay_day_share: int


class ClaimPlaces(NamedTuple):
    """The column of each feature of the claim's side."""

    sector: int
    outstanding_log: int
    share_paid: int
    share_of_all: int
    days_past_due: int
    claim_days: int
    claim_payments: int
    since_claim_payment: int
    contacts_since_claim: int
    sector_claims: int
    sector_paid_rate: int
    creditor_claims: int
    stage: int
    stage_days: int
    to_next_due: int
    plans_broken: int
    disputes: int
    since_inbound: int


@lru_cache(maxsize=64)
def debtor_places(channels: tuple[str, ...]) -> DebtorPlaces:
    """Those for a grid's channels (`none` first)."""
    return DebtorPlaces._make(begin for _, begin, _, _ in layout("debtor", channels))


@lru_cache(maxsize=1)
def claim_places() -> ClaimPlaces:
    """Those of every grid: no feature of a claim has axes."""
    return ClaimPlaces._make(begin for _, begin, _, _ in layout("claim", ()))
