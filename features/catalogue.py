"""Every feature, declared once: name, meaning, unit, group, tables, window, side, and what a missing value means.

A family is one declaration for several columns: one for each channel, part of the day, weekday, window or kind of
response that its name leaves open.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from math import prod
from typing import Literal

from data.vocabulary import DAYPARTS, NONE

Side = Literal["debtor", "claim", "action"]

WINDOWS = ("30", "90", "365", "ever")
"""Days before `as_of` that a count or rate looks at."""

WINDOW_DAYS = (30, 90, 365)

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
HOURS = tuple(f"{hour:02}" for hour in range(24))
"""Hours of a day on the debtor's clock, each from its full hour on."""

MEASURES = ("delivered", "opened", "clicked", "answered", "promised")
"""What may come of a contact, as kinds of contact events."""

SENSITIVE = ("age",)
"""Features that a model may see only where the tenant declares them lawful."""


@dataclass(frozen=True)
class Feature:
    """One column of the model's input.

    `side` tells where it comes from: the debtor, the claim, or the action; never two of them. `family` names the
    declaration it is made from. A category holds whole codes; the bundle keeps their words.
    """

    name: str
    meaning: str
    unit: str
    group: str
    tables: str
    window: str
    side: Side
    null: str
    category: bool
    family: str


@dataclass(frozen=True)
class Family:
    """One declaration: `{channel}`, `{decision}`, `{window}`, `{part}`, `{weekday}`, `{hour}`, `{measure}` in a name are its axes.

    `{decision}` runs over the channels with `none`, `{channel}` over those without. `window` says in words what a name
    without `{window}` looks at.
    """

    name: str
    meaning: str
    unit: str
    group: str
    tables: str
    side: Side
    null: str = "never"
    category: bool = False
    window: str = "ever"

    @property
    def axes(self) -> tuple[str, ...]:
        """Axes in the order of the name, which is that of the columns."""
        return tuple(piece.partition("}")[0] for piece in self.name.split("{")[1:])

    def shape(self, channels: tuple[str, ...]) -> tuple[int, ...]:
        """Columns along each axis for a grid's channels (`none` first)."""
        return tuple(len(_words(axis, channels)) for axis in self.axes)

    def columns(self, channels: tuple[str, ...]) -> tuple[Feature, ...]:
        """Its columns for a grid's channels, the last axis running fastest."""
        found = []
        for words in product(*(_words(axis, channels) for axis in self.axes)):
            given = dict(zip(self.axes, words, strict=True))
            window = given.get("window", self.window)
            told = {**given, "window": "ever" if window == "ever" else f"in the last {window} days"}
            found.append(
                Feature(
                    self.name.format(**given), self.meaning.format(**told), self.unit, self.group, self.tables,
                    window, self.side, self.null, self.category, self.name,
                )
            )  # fmt: skip
        return tuple(found)


def _words(axis: str, channels: tuple[str, ...]) -> tuple[str, ...]:
    return {
        "channel": channels[1:],
        "decision": channels,
        "window": WINDOWS,
        "part": DAYPARTS,
        "weekday": WEEKDAYS,
        "hour": HOURS,
        "measure": MEASURES,
    }[axis]


def _debtor(
    group: str, tables: str, *rows: tuple[str, str, str] | tuple[str, str, str, str], window: str = "ever"
) -> tuple[Family, ...]:
    """Families of one group from rows of name, meaning, unit and, where it may be missing, what that means."""
    return tuple(
        Family(row[0], row[1], row[2], group, tables, "debtor", row[3] if len(row) > 3 else "never", window=window)
        for row in rows
    )  # fmt: skip


_PERSON = (
    Family("country", "country of the debtor", "code", "person", "debtors", "debtor", "new country", category=True, window="now"),
    Family("age", "age; only where the tenant declares it lawful", "years", "person", "debtors", "debtor", "birth date not known, or not lawful", window="now"),
    Family("known_days", "days since the debtor was registered", "days", "person", "debtors", "debtor", window="now"),
    Family("income_band", "income band last known, none to high", "0-5", "person", "debtor_profiles", "debtor", "not known", window="now"),
    Family("employment", "employment last known", "code", "person", "debtor_profiles", "debtor", "not known", category=True, window="now"),
    Family("other_debts", "debts registered elsewhere, last known", "count", "person", "debtor_profiles", "debtor", "not known", window="now"),
    Family("profile_days", "days since that profile became valid", "days", "person", "debtor_profiles", "debtor", "no profile", window="now"),
    Family("reachable_{channel}", "1 with a verified, consented {channel} address", "flag", "reach", "contact_points", "debtor", window="now"),
    Family("digital_reach", "channels with such an address, letter and phone left out", "count", "reach", "contact_points", "debtor", window="now"),
)  # fmt: skip

_CLAIMS = (
    *_debtor("claims", "claims", ("open_claims", "open claims", "count"), window="now"),
    *_debtor(
        "claims", "claims",
        ("claims_paid", "claims closed as paid", "count"),
        ("claims_unpaid", "claims closed for another reason, or for none that was told", "count"),
        ("claims_{window}", "claims registered {window}", "count"),
        ("paid_claims_rate", "share of closed claims that were closed as paid, shrunk", "0-1"),
        ("paid_claim_days", "mean days from due date to closing of claims closed as paid", "days", "none yet"),
        ("since_claim", "days since the newest claim was registered", "days", "no claim yet"),
    ),
    *_debtor(
        "claims", "claims",
        ("oldest_due_days", "days past due of the oldest open claim", "days", "no open claim"),
        ("open_sectors", "sectors among the open claims", "count"),
        window="now",
    ),
    Family("main_sector", "sector of most claims so far", "code", "claims", "claims", "debtor", "no claim yet or new sector", category=True),
    *_debtor(
        "claims", "claims, payments",
        ("outstanding_all_log", "log of 1 + the outstanding sum of all open claims", "log EUR"),
        ("largest_open_log", "log of 1 + the largest outstanding sum of an open claim", "log EUR"),
        window="now",
    ),
    *_debtor(
        "course", "claims, claim_events",
        ("disputed_claims", "open claims in dispute", "count"),
        ("held_claims", "open claims on hold", "count"),
        ("plan_claims", "open claims on an instalment plan", "count"),
        ("highest_stage", "furthest stage of an open claim, pre_due to legal", "0-4", "not known"),
        ("soonest_due_days", "days to the nearest next statutory step of an open claim", "days", "not known"),
        window="now",
    ),
)  # fmt: skip

_CONTACTS = (
    Family("last_channel", "channel of the last contact", "code", "contacts", "contacts", "debtor", "no contact yet", category=True),
    *_debtor(
        "contacts", "contacts",
        ("sent_{channel}_{window}", "contacts by {channel} decided on {window}", "count"),
        ("none_decisions_{window}", "decisions not to make contact {window}", "count"),
        ("contacts_{window}", "contacts decided on {window}", "count"),
    ),
    *_debtor("contacts", "contacts", ("contacts_in_3_days", "contacts decided on in the last 3 days", "count"), window="3"),
    *_debtor("contacts", "contacts", ("contacts_in_7_days", "contacts decided on in the last 7 days", "count"), window="7"),
    *_debtor("contacts", "contacts", ("contacts_in_14_days", "contacts decided on in the last 14 days", "count"), window="14"),
    *_debtor(
        "contacts", "contacts",
        ("since_contact", "days since the last contact was decided on", "days", "no contact yet"),
        ("since_contact_{channel}", "days since the last contact by {channel} was decided on", "days", "none yet"),
        ("same_channel_run", "last contacts in a row that went by one and the same channel", "count"),
    ),
    *_debtor("contacts", "contacts, contact_events", ("contacts_since_response", "contacts decided on after the last response", "count")),
    *_debtor("contacts", "contacts, payments", ("contacts_since_payment", "contacts decided on after the last payment", "count")),
)  # fmt: skip

_RESPONSES = (
    *_debtor(
        "responses", "contacts, contact_events",
        ("{measure}_rate_{channel}_{window}", "share of {channel} contacts {window} that were {measure}, shrunk", "0-1"),
        ("reach_rate_{channel}", "share of {channel} contacts that were opened, clicked or answered, shrunk", "0-1"),
        ("response_rate_{channel}", "clicks and answers to {channel} contacts for each of them (a call that was answered and a link that was clicked are two), shrunk", "0-2"),
        ("since_response", "days since the last response (first click or first answer to a contact)", "days", "none yet"),
        ("since_response_{channel}", "days since the last response to a {channel} contact", "days", "none yet"),
        ("bounced", "times a contact bounced", "count"),
        ("opted_out", "opt-outs", "count"),
        ("complained", "complaints", "count"),
        ("wrong_person", "times a contact reached the wrong person", "count"),
    ),
    *_debtor(
        "responses", "contacts, payments",
        ("paid_after_rate_{decision}_{window}", "share of {decision} decisions {window} with a payment in the horizon after, horizon over, shrunk", "0-1"),
        ("paid_through_{channel}", "payments that came through a {channel} contact", "count"),
    ),
    *_debtor(
        "promises", "contact_events, payments",
        ("promises_kept", "promises kept within three days", "count"),
        ("promises_broken", "promises not kept three days after they were due", "count"),
        ("since_promise", "days since the last promise", "days", "no promise yet"),
        ("promise_due_days", "days from now to the end of the latest promise not yet due", "days", "no promise open"),
        ("unpaid_click_days", "days since the last click, with no payment since: one may be in flight", "days", "paid since, or no click"),
    ),
)  # fmt: skip

_TIMES = (
    *_debtor(
        "times", "contacts, contact_events",
        ("reach_rate_{part}", "share of contacts sent in the {part} that were opened, clicked or answered, shrunk", "0-1"),
        ("reach_rate_{weekday}", "the same for contacts sent on a {weekday}", "0-1"),
        ("responses_{part}", "share of responses that came in the {part}, shrunk", "0-1"),
        ("responses_{weekday}", "share of responses that came on a {weekday}, shrunk", "0-1"),
        ("response_hour", "mean local hour of responses", "hour", "none yet"),
    ),
    *_debtor(
        "times", "payments",
        ("payments_{part}", "share of payments that came in the {part}, shrunk", "0-1"),
        ("payments_{weekday}", "share of payments that came on a {weekday}, shrunk", "0-1"),
        ("payment_hour", "mean local hour of payments", "hour", "no payment yet"),
        ("paid_near_{hour}", "payments near the local hour {hour}, relative to what is usual (logarithm); 0 with no payment yet", "log ratio"),
    ),
)  # fmt: skip

_PAYMENTS = (
    *_debtor(
        "payments", "payments",
        ("payments_{window}", "payments {window}", "count"),
        ("paid_log_{window}", "log of 1 + the sum paid {window}", "log EUR"),
        ("since_payment", "days since the last payment", "days", "no payment yet"),
        ("payment_gap_days", "mean days between payments", "days", "fewer than two"),
        ("payments_reversed", "payments that were reversed", "count"),
    ),
    *_debtor("payments", "payments, contacts", ("self_paid_rate", "share of payments with no contact in the horizon before, shrunk", "0-1")),
    *_debtor(
        "pay day", "payments, debtors, calendar",
        ("since_pay_day", "days since the pay day, learned or the country's, at the date of as_of in UTC", "days"),
        ("to_pay_day", "days to the next pay day, learned or the country's, 0 on the day", "days"),
        ("pay_day_learned", "1 where the pay day was learned from payments", "flag"),
        ("pay_day_share", "share of payments on the learned day of the month or the two after", "0-1", "not learned"),
        window="now",
    ),
)  # fmt: skip

DEBTOR = (*_PERSON, *_CLAIMS, *_CONTACTS, *_RESPONSES, *_TIMES, *_PAYMENTS)
"""Families of the debtor's side."""

CLAIM = (
    Family("sector", "sector of the creditor", "code", "claim", "claims", "claim", "new sector", category=True, window="now"),
    Family("outstanding_log", "log of 1 + the outstanding sum", "log EUR", "claim", "claims, payments", "claim", window="now"),
    Family("share_paid", "share of the principal already paid", "0-1", "claim", "claims, payments", "claim"),
    Family("share_of_all", "the claim's share of all the debtor owes on open claims", "0-1", "claim", "claims, payments", "claim", "nothing owed", window="now"),
    Family("days_past_due", "days since the due date", "days", "claim", "claims", "claim", window="now"),
    Family("claim_days", "days since the claim was registered", "days", "claim", "claims", "claim", window="now"),
    Family("claim_payments", "payments on the claim", "count", "claim", "payments", "claim"),
    Family("since_claim_payment", "days since the last payment on the claim", "days", "claim", "payments", "claim", "none yet"),
    Family("contacts_since_claim", "contacts with the debtor since the claim was registered", "count", "claim", "contacts", "claim"),
    Family("sector_claims", "other claims on the debtor in the same sector so far", "count", "claim", "claims", "claim"),
    Family("sector_paid_rate", "share of the debtor's closed claims in the sector that were closed as paid, shrunk", "0-1", "claim", "claims", "claim"),
    Family("creditor_claims", "other claims of the same creditor on the debtor so far", "count", "claim", "claims", "claim"),
    Family("stage", "stage last entered, pre_due to legal", "0-4", "course", "claim_events", "claim", "not known", window="now"),
    Family("stage_days", "days in that stage", "days", "course", "claim_events", "claim", "not known", window="now"),
    Family("to_next_due", "days to the next statutory step: the date by which the stage wants payment", "days", "course", "claim_events", "claim", "not known", window="now"),
    Family("plans_broken", "instalment plans broken", "count", "course", "claim_events", "claim"),
    Family("disputes", "times the claim was disputed", "count", "course", "claim_events", "claim"),
    Family("since_inbound", "days since the debtor last got in touch", "days", "course", "claim_events", "claim", "never did"),
)  # fmt: skip
"""Families of the claim's side; each is one column."""

ACTION = (
    Family("channel", "channel, 0 for none", "code", "action", "grid", "action", "never", category=True, window="then"),
    Family("hour", "local hour of sending", "hour", "action", "grid", "action", "no contact", window="then"),
    Family("weekday", "local weekday of sending, 0 = Monday", "0-6", "action", "grid", "action", "no contact", window="then"),
    Family("days_ahead", "days from as_of to sending", "days", "action", "grid", "action", "no contact", window="then"),
    Family("lead_days", "days from sending to arrival: the letter's way through the post", "days", "action", "calendar", "action", "no contact", window="then"),
    Family("holiday", "1 where it arrives on a public holiday of the country", "flag", "action", "calendar", "action", "no contact", window="then"),
    Family("arrival_since_pay_day", "days since the pay day when it arrives", "days", "action", "calendar", "action", "no contact", window="then"),
    Family("arrival_to_pay_day", "days to the next pay day when it arrives", "days", "action", "calendar", "action", "no contact", window="then"),
)  # fmt: skip
"""Features of the action; they vary with the debtor only through a calendar class (date, zone, country, pay day)."""


def columns_of(families: tuple[Family, ...], channels: tuple[str, ...]) -> tuple[Feature, ...]:
    """Columns of families for a grid's channels (`none` first), in order."""
    return tuple(column for family in families for column in family.columns(channels))


@lru_cache(maxsize=64)
def debtor_features(channels: tuple[str, ...]) -> tuple[Feature, ...]:
    """Features of the debtor for a grid's channels (`none` first)."""
    return columns_of(DEBTOR, channels)


@lru_cache(maxsize=1)
def claim_features() -> tuple[Feature, ...]:
    """Features of the claim."""
    return columns_of(CLAIM, (NONE,))


@lru_cache(maxsize=1)
def action_features() -> tuple[Feature, ...]:
    """Features of the action."""
    return columns_of(ACTION, (NONE,))


def catalogue(channels: tuple[str, ...]) -> tuple[Feature, ...]:
    """All features in the order of the model's columns: debtor, claim, action.

    >>> names_of = names(catalogue(("none", "sms")))
    >>> "clicked_rate_sms_90" in names_of and len(names_of) == len(set(names_of))
    True
    """
    return (*debtor_features(channels), *claim_features(), *action_features())


FAMILIES: dict[Side, tuple[Family, ...]] = {"debtor": DEBTOR, "claim": CLAIM, "action": ACTION}


@lru_cache(maxsize=64)
def layout(side: Side, channels: tuple[str, ...]) -> tuple[tuple[str, int, int, tuple[int, ...]], ...]:
    """Name, first column, end and shape of each family of a side, columns counted within the side."""
    found, begin = [], 0
    for family in FAMILIES[side]:
        shape = family.shape(channels)
        end = begin + prod(shape)
        found.append((family.name, begin, end, shape))
        begin = end
    return tuple(found)


def names(features: tuple[Feature, ...]) -> tuple[str, ...]:
    """Names in order."""
    return tuple(feature.name for feature in features)
