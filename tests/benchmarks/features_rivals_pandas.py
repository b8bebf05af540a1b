"""The features in pandas: masks and counts over whole columns, as a good pandas user who knows NumPy writes them.

Counting is `np.bincount` of owner and code in one number: group-by and pivot (`counts_by_groupby`, measured beside it) takes 1.2 to
1.4 times as long, choosing the rows that count included in both. Debtors come in blocks of 10,000: 50,000 at once took 1.0 to
1.7 times as long, blocks of 5,000 1.05 times.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
from features_layout import Frames, Moment
from features_rivals_pandas_claims import claim_columns
from features_rivals_pandas_columns import (
    AGES,
    Columns,
    Known,
    above,
    age_of,
    chosen,
    counted,
    last_of,
    mean_of,
    rows_of,
    shrunk,
    since_days,
    summed,
    taken,
    wide,
)

from data.times import DAY_US, NEVER, NO_DAY, IntArray
from data.vocabulary import CONTACT_EVENT_KINDS, DAYPARTS
from features.catalogue import MEASURES, WEEKDAYS
from features.debtor import digital
from features.reference import LEAST_PAYMENTS, PRIOR_PARTS

BLOCK = 10_000
PARTS, DAYS, MONTH = len(DAYPARTS), len(WEEKDAYS), 31
RESPONSES = [MEASURES.index("clicked"), MEASURES.index("answered")]
REFUSALS = ("bounced", "opted_out", "complained", "wrong_person")


def features(frames: Frames, moment: Moment) -> pd.DataFrame:
    """Every feature of every open claim, a column each."""
    debtors = len(frames["debtors"])
    parts = [frames] if debtors <= BLOCK else [debtors_from(frames, k, k + BLOCK) for k in range(0, debtors, BLOCK)]
    matrices = [_matrix(part, moment) for part in parts]
    matrix = matrices[0] if len(matrices) == 1 else np.concatenate(matrices)
    return pd.DataFrame(matrix, columns=list(moment.columns), copy=False)


def debtors_from(frames: Frames, first: int, end: int) -> Frames:
    """The rows of debtors from `first` to before `end`, found by bisection: tables are sorted by debtor."""
    found = {}
    for name, frame in frames.items():
        rows = np.searchsorted(frame["debtor"].to_numpy(), [first, end])
        found[name] = frame.iloc[rows[0] : rows[1]]
    return found


def _matrix(frames: Frames, moment: Moment) -> npt.NDArray[np.float32]:
    known = _known(frames, moment)
    if known.size == 0:
        return np.empty((0, len(moment.columns)), dtype=np.float32)
    debtors = np.concatenate(_debtor_columns(frames, known, moment), axis=1, dtype=np.float32)
    claims, on_claims = claim_columns(frames, known, moment)
    made = _in_order(debtors, on_claims, moment)
    matrix = np.empty((len(claims), len(moment.columns)), dtype=np.float32)
    matrix[:, : made.shape[1]] = made[known.owing["owner"]]
    matrix[:, made.shape[1] :] = claims
    for name in moment.blank:
        if name in moment.columns:
            matrix[:, moment.columns.index(name)] = np.nan
    return matrix


def counts_by_groupby(frames: Frames, moment: Moment) -> pd.DataFrame:
    """Hits by debtor, measure, channel and age as group-by and pivot."""
    known = _known(frames, moment)
    frame = pd.DataFrame({"owner": known.events["owner"], "hit": known.events["hit"], "age": known.events["age"]})
    frame = frame[(known.events["hit"] >= 0) & (known.events["counted_us"] < moment.as_of_us)]
    return frame.groupby(["owner", "hit", "age"], observed=True).size().unstack(["hit", "age"], fill_value=0)


def counts_by_bincount(frames: Frames, moment: Moment) -> npt.NDArray[np.int64]:
    """The same by `np.bincount`."""
    known = _known(frames, moment)
    return _hits(known, moment)


def _known(frames: Frames, moment: Moment) -> Known:
    now, claims = moment.as_of_us, frames["claims"]
    is_open = (claims["registered_us"].to_numpy() <= now) & (claims["closed_us"].to_numpy() > now)
    owing = taken(claims, np.flatnonzero(is_open))
    debtor = pd.unique(owing["debtor"])
    place = np.full(int(frames["debtors"]["debtor"].iloc[-1]) + 1, -1, dtype=np.int32)
    place[debtor] = np.arange(len(debtor), dtype=np.int32)
    owing["owner"] = place[owing["debtor"]]
    contacts = rows_of(frames["contacts"], place, lambda rows: (rows["known_us"] < now) & (rows["channel"] >= 0))
    events = rows_of(frames["contact_events"], place, lambda rows: (rows["known_us"] < now) & (rows["channel"] >= 0))
    payments = rows_of(frames["payments"], place, lambda rows: rows["known_us"] < now)
    for rows, since in ((contacts, "decided_us"), (events, "decided_us"), (payments, "paid_us")):
        rows["age"] = age_of(now - rows[since])
    return Known(len(debtor), debtor, owing, contacts, events, payments)


def _debtor_columns(frames: Frames, known: Known, moment: Moment) -> list[npt.NDArray[np.float32]]:
    """Blocks of columns in the catalogue's order; those that come of the claims' state are put in afterwards."""
    valid = known.payments["reversed_us"] >= moment.as_of_us
    reversed_count = np.bincount(known.payments["owner"][~valid], minlength=known.size)
    row = np.flatnonzero(valid)
    paid = {name: column[row] for name, column in known.payments.items()}
    paid_us = last_of(known.size, paid["owner"], paid["paid_us"])
    followed, prompted = _paid_after(known, paid, moment)
    contacts, made = _contacts(known, moment, paid_us)
    responses, parts = _responses(known, moment, made)
    return [
        _person(frames, known, moment),
        contacts,
        responses,
        wide(_paid_rates(known, moment, followed), _counts_through(known, paid, moment)),
        _promises(known, moment, paid, paid_us),
        _times(known, moment, made, parts, paid),
        _payments(frames, known, moment, paid, prompted, reversed_count),
    ]


def _person(frames: Frames, known: Known, moment: Moment) -> npt.NDArray[np.float32]:
    now, debtors, size = moment.as_of_us, frames["debtors"], known.size
    first = int(debtors["debtor"].iloc[0])
    birth, country = (debtors[name].to_numpy()[known.debtor - first] for name in ("birth_day", "country"))
    place = np.full(int(debtors["debtor"].iloc[-1]) + 1, -1, dtype=np.int32)
    place[known.debtor] = np.arange(size, dtype=np.int32)
    profile = rows_of(frames["profiles"], place, lambda rows: rows["valid_from_us"] <= now)
    last = np.full(size, -1)
    last[profile["owner"]] = np.arange(len(profile["owner"]))
    there = last >= 0

    def of_profile(name: str) -> npt.NDArray[np.float64]:
        values = np.append(profile[name].astype(np.float64), np.nan)[last]
        return np.where(values == -1, np.nan, values) if name != "other_debts" else values

    point = rows_of(
        frames["points"],
        place,
        lambda rows: (
            (rows["valid_from_us"] <= now) & (rows["verified_us"] <= now) & (rows["valid_to_us"] > now)
            & rows["verified"] & ~rows["withdrawn"] & (rows["channel"] >= 0)
        ),
    )  # fmt: skip
    usable = np.zeros((size, len(moment.channels)), dtype=np.int64)
    usable[point["owner"], point["channel"]] = 1
    since = np.where(there, np.append(profile["valid_from_us"], 0)[last], 0)
    registered = debtors["registered_us"].to_numpy()[known.debtor - first]
    return wide(
        moment.country_code[country],
        np.where(birth == NO_DAY, np.nan, np.floor((now / DAY_US - birth) / 365.25)),
        since_days(now, registered),
        *(of_profile(name) for name in ("income", "employment", "other_debts")),
        since_days(now, since),
        usable[:, 1:],
        usable @ digital(moment.channels),
    )


def _contacts(known: Known, moment: Moment, paid_us: IntArray) -> tuple[npt.NDArray[np.float32], Columns]:
    now, size, rows, count = moment.as_of_us, known.size, known.contacts, len(moment.channels)
    sent = counted(size, rows["owner"], (rows["channel"], count), (rows["age"], AGES)).cumsum(axis=2)
    owner, channel, decided, part, weekday = chosen(
        rows, rows["channel"] > 0, "owner", "channel", "decided_us", "part", "weekday"
    )
    last_us = last_of(size * count, owner.astype(np.int64) * count + channel, decided).reshape(size, count)
    by = np.arange(len(owner))
    place = np.full((size, count), -1)
    place[owner, channel] = by
    ends = place.max(axis=1)
    number = np.bincount(owner, minlength=size)
    last_channel = np.append(channel.astype(np.int64), 0)[ends]
    before = np.partition(place, -2, axis=1)[:, -2] if count > 1 else np.full(size, -1)
    first = np.cumsum(number) - number
    run = np.where(number > 0, ends - np.maximum(before, first - 1), 0)
    recent = [np.bincount(owner[now - decided <= days * DAY_US], minlength=size) for days in (3, 7, 14)]
    events = known.events
    response = (events["counted_us"] < now) & (events["hit"] >= 0)
    measure = events["hit"] // (count - 1)
    response &= (measure == RESPONSES[0]) | (measure == RESPONSES[1])
    who, via, at, hour, in_part, on_day = chosen(
        events, response, "owner", "channel", "at_us", "hour", "part", "weekday"
    )
    response_us = last_of(size * count, who.astype(np.int64) * count + via, at).reshape(size, count)
    latest = response_us.max(axis=1)
    block = wide(
        above(last_channel, 1), sent[:, 1:], sent[:, 0], sent[:, 1:].sum(axis=1), *recent,
        since_days(now, last_us.max(axis=1)), since_days(now, last_us[:, 1:]), run,
        np.bincount(owner[decided > latest[owner]], minlength=size),
        np.bincount(owner[decided > paid_us[owner]], minlength=size),
    )  # fmt: skip
    made = {"sent": sent, "response_us": response_us, "owner": owner, "part": part, "weekday": weekday}
    return block, {**made, "who": who, "hour": hour, "in_part": in_part, "on_day": on_day}


def _hits(known: Known, moment: Moment) -> npt.NDArray[np.int64]:
    made, events = len(moment.channels) - 1, known.events
    owner, hit, age = chosen(
        events, (events["counted_us"] < moment.as_of_us) & (events["hit"] >= 0), "owner", "hit", "age"
    )
    counts = counted(known.size, owner, (hit, len(MEASURES) * made), (age, AGES))
    return counts.reshape(known.size, len(MEASURES), made, AGES).cumsum(axis=3)


def _responses(known: Known, moment: Moment, made: Columns) -> tuple[npt.NDArray[np.float32], list[IntArray]]:
    now, size, reference, events = moment.as_of_us, known.size, moment.reference, known.events
    sent, hits = made["sent"][:, 1:], _hits(known, moment)
    reached = (events["counted_us"] < now) & events["first_reach"] & (events["channel"] > 0)
    owner, channel, part, weekday = chosen(events, reached, "owner", "channel", "sent_part", "sent_weekday")
    reaches = counted(size, owner, (channel, len(moment.channels)))[:, 1:]
    usual = np.array(reference.measure_rate)[:, 1:, None]
    kinds = [CONTACT_EVENT_KINDS.index(kind) for kind in REFUSALS]
    refusals = [np.bincount(events["owner"][events["kind"] == kind], minlength=size) for kind in kinds]
    block = wide(
        shrunk(hits, sent[:, None], usual),
        shrunk(reaches, sent[..., -1], reference.reach_rate[1:]),
        shrunk(hits[..., -1][:, RESPONSES].sum(axis=1), sent[..., -1], reference.response_rate[1:]),
        since_days(now, made["response_us"].max(axis=1)),
        since_days(now, made["response_us"][:, 1:]),
        *refusals,
    )
    return block, [counted(size, owner, (part, PARTS)), counted(size, owner, (weekday, DAYS))]


def _paid_after(known: Known, paid: Columns, moment: Moment) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Whether each contact was paid in the horizon after it, and whether each payment had a contact in the one before.

    Owner and instant stand in one number, so that one bisection finds the next payment of all contacts at once.
    """
    rows, horizon = known.contacts, moment.horizon_us
    instants = [one for one in (rows["decided_us"], paid["paid_us"]) if len(one)]
    first = min((int(one.min()) for one in instants), default=0) - horizon
    span = moment.as_of_us - first + horizon
    if known.size * span >= NEVER:
        raise ValueError(f"{known.size:,} debtors do not fit in 64 bits with their instants: build them in parts")
    pay_owner, owner = paid["owner"].astype(np.int64) * span - first, rows["owner"].astype(np.int64) * span - first
    pay_key, key = pay_owner + paid["paid_us"], owner + rows["decided_us"]
    followed = np.searchsorted(pay_key, key + horizon) > np.searchsorted(pay_key, key)
    made_key = key[rows["channel"] > 0]
    before, until = (np.searchsorted(made_key, one, side="right") for one in (pay_key - horizon, pay_key))
    return followed, until > before


def _paid_rates(known: Known, moment: Moment, followed: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
    rows, count = known.contacts, len(moment.channels)
    ripe = rows["decided_us"] + moment.horizon_us <= moment.as_of_us
    owner, channel, age = chosen(rows, ripe, "owner", "channel", "age")
    mature = counted(known.size, owner, (channel, count), (age, AGES)).cumsum(axis=2)
    owner, channel, age = chosen(rows, ripe & followed, "owner", "channel", "age")
    after = counted(known.size, owner, (channel, count), (age, AGES)).cumsum(axis=2)
    return shrunk(after, mature, np.array(moment.reference.paid_after_rate)[:, None])


def _counts_through(known: Known, paid: Columns, moment: Moment) -> npt.NDArray[np.int64]:
    owner, channel = chosen(paid, paid["channel"] > 0, "owner", "channel")
    return counted(known.size, owner, (channel, len(moment.channels)))[:, 1:]


def _promises(known: Known, moment: Moment, paid: Columns, paid_us: IntArray) -> npt.NDArray[np.float32]:
    now, size, events = moment.as_of_us, known.size, known.events
    is_promise = events["kind"] == CONTACT_EVENT_KINDS.index("promised")
    owner, at, ends = chosen(events, is_promise, "owner", "at_us", "promised_us")
    clicker, click = chosen(events, events["kind"] == CONTACT_EVENT_KINDS.index("clicked"), "owner", "at_us")
    click_us = last_of(size, clicker, click)
    given = pd.DataFrame({"owner": owner, "at": at, "ends": ends + 3 * DAY_US, "promise": np.arange(len(at))})
    pairs = given.merge(pd.DataFrame({"owner": paid["owner"], "paid": paid["paid_us"]}), on="owner")
    in_time = (pairs["at"] <= pairs["paid"]) & (pairs["paid"] <= pairs["ends"])
    kept = np.zeros(len(at), dtype=np.bool_)
    kept[pairs["promise"].to_numpy()[in_time.to_numpy()]] = True
    due, open_until = ends <= now, np.zeros(size, dtype=np.int64)
    np.maximum.at(open_until, owner[~due], ends[~due])
    return wide(
        np.bincount(owner[due & kept], minlength=size),
        np.bincount(owner[(ends + 3 * DAY_US <= now) & ~kept], minlength=size),
        since_days(now, last_of(size, owner, at)),
        np.where(open_until > 0, (open_until - now) / DAY_US, np.nan),
        since_days(now, np.where(paid_us >= click_us, 0, click_us)),
    )


def _times(
    known: Known, moment: Moment, made: Columns, reached: list[IntArray], paid: Columns
) -> npt.NDArray[np.float32]:
    size, reference = known.size, moment.reference
    sent = [counted(size, made["owner"], (made[name], values)) for name, values in (("part", PARTS), ("weekday", DAYS))]
    part, weekday = (
        counted(size, made["who"], (made["in_part"], PARTS)),
        counted(size, made["who"], (made["on_day"], DAYS)),
    )
    responses, payments = part.sum(axis=1), np.bincount(paid["owner"], minlength=size)
    pay_part = counted(size, paid["owner"], (paid["part"], PARTS))
    pay_day = counted(size, paid["owner"], (paid["weekday"], DAYS))
    return wide(
        shrunk(reached[0], sent[0], reference.reach_part),
        shrunk(reached[1], sent[1], reference.reach_weekday),
        shrunk(part, responses[:, None], reference.response_part, PRIOR_PARTS),
        shrunk(weekday, responses[:, None], reference.response_weekday, PRIOR_PARTS),
        mean_of(summed(size, made["who"], made["hour"]), responses),
        shrunk(pay_part, payments[:, None], reference.payment_part, PRIOR_PARTS),
        shrunk(pay_day, payments[:, None], reference.payment_weekday, PRIOR_PARTS),
        mean_of(summed(size, paid["owner"], paid["hour"]), payments),
    )


def _payments(
    frames: Frames, known: Known, moment: Moment, paid: Columns, prompted: npt.NDArray[np.bool_], reversals: IntArray
) -> npt.NDArray[np.float32]:
    now, size, owner = moment.as_of_us, known.size, paid["owner"]
    count = counted(size, owner, (paid["age"], AGES)).cumsum(axis=1)
    key, eur = owner.astype(np.int64) * AGES + paid["age"], paid["amount"] * moment.eur[paid["currency"]]
    sums = np.bincount(key, eur, minlength=size * AGES).reshape(size, AGES).cumsum(axis=1)
    last_us, first_us = last_of(size, owner, paid["paid_us"]), last_of(size, owner[::-1], paid["paid_us"][::-1])
    by_day = counted(size, owner, (paid["month_day"] - 1, MONTH))
    around = by_day + np.roll(by_day, -1, axis=1) + np.roll(by_day, -2, axis=1)
    best, row = (around * 64 + by_day).argmax(axis=1), np.arange(size)
    near = around[row, best]
    learned = near >= LEAST_PAYMENTS
    debtors = frames["debtors"]
    country = debtors["country"].to_numpy()[known.debtor - int(debtors["debtor"].iloc[0])]
    ever = count[:, -1]
    return wide(
        count,
        np.log1p(sums),
        since_days(now, last_us),
        mean_of((last_us - first_us) / DAY_US, ever - 1),
        reversals,
        shrunk(np.bincount(owner[~prompted], minlength=size), ever, moment.reference.self_paid_rate),
        *moment.pay_days[:, country, np.where(learned, best + 1, 0)],
        learned,
        mean_of(near, np.where(learned, ever, 0)),
    )


def _in_order(
    debtors: npt.NDArray[np.float32], on_claims: npt.NDArray[np.float32], moment: Moment
) -> npt.NDArray[np.float32]:
    """The debtors' columns with those made of claims behind the person's, where the catalogue has them."""
    at = moment.columns.index("open_claims")
    return np.concatenate([debtors[:, :at], on_claims, debtors[:, at:]], axis=1)
