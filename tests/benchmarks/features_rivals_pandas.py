"""The features in pandas: masks and counts over whole columns, as a good pandas user who knows NumPy writes them.

Counting is `np.bincount` of owner and code in one number, which beats every group-by of pandas; data frames hold the columns.
`counts_by_groupby` is the textbook's shape for the expensive part, measured beside it by `make bench-features`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from features_layout import Frames, Moment

from data.times import DAY_US, NEVER, NO_DAY, IntArray
from data.vocabulary import CLAIM_EVENT_KINDS, CONTACT_EVENT_KINDS, DAYPARTS
from features.catalogue import MEASURES, WEEKDAYS, WINDOW_DAYS, WINDOWS
from features.debtor import digital
from features.reference import LEAST_PAYMENTS, PRIOR_CONTACTS, PRIOR_PARTS

Columns = dict[str, npt.NDArray[np.generic]]
PARTS, DAYS, AGES, MONTH = len(DAYPARTS), len(WEEKDAYS), len(WINDOWS), 31
RESPONSES = [MEASURES.index("clicked"), MEASURES.index("answered")]
REFUSALS = ("bounced", "opted_out", "complained", "wrong_person")


@dataclass(frozen=True)
class Known:
    """The debtors with open claims, numbered from 0, and what is known of them: rows of each table with their `owner`."""

    size: int
    debtor: IntArray
    owing: Columns
    contacts: Columns
    events: Columns
    payments: Columns


def features(frames: Frames, moment: Moment) -> pd.DataFrame:
    """Every feature of every open claim, a column each."""
    known = _known(frames, moment)
    debtors = np.concatenate(_debtor_columns(frames, known, moment), axis=1, dtype=np.float32)
    claims, on_claims = _claim_columns(frames, known, moment)
    made = _in_order(debtors, on_claims, moment)
    matrix = np.concatenate([made[known.owing["owner"]], claims], axis=1, dtype=np.float32)
    for name in moment.blank:
        if name in moment.columns:
            matrix[:, moment.columns.index(name)] = np.nan
    return pd.DataFrame(matrix, columns=list(moment.columns), copy=False)


def one_debtor(frames: Frames, debtor: int) -> Frames:
    """The rows of one debtor, found by bisection: tables are sorted by debtor."""
    found = {}
    for name, frame in frames.items():
        begin, end = np.searchsorted(frame["debtor"].to_numpy(), [debtor, debtor + 1])
        found[name] = frame.iloc[begin:end]
    return found


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
    owing = _taken(claims, np.flatnonzero(is_open))
    debtor = pd.unique(owing["debtor"])
    place = np.full(int(frames["debtors"]["debtor"].iloc[-1]) + 1, -1, dtype=np.int32)
    place[debtor] = np.arange(len(debtor), dtype=np.int32)
    owing["owner"] = place[owing["debtor"]]
    contacts = _rows(frames["contacts"], place, lambda rows: (rows["known_us"] < now) & (rows["channel"] >= 0))
    events = _rows(frames["contact_events"], place, lambda rows: (rows["known_us"] < now) & (rows["channel"] >= 0))
    payments = _rows(frames["payments"], place, lambda rows: rows["known_us"] < now)
    for rows, since in ((contacts, "decided_us"), (events, "decided_us"), (payments, "paid_us")):
        rows["age"] = _age(now - rows[since])
    return Known(len(debtor), debtor, owing, contacts, events, payments)


def _rows(frame: pd.DataFrame, place: npt.NDArray[np.int32], counts: object) -> Columns:
    owner = place[frame["debtor"].to_numpy()]
    row = np.flatnonzero((owner >= 0) & counts(frame).to_numpy())
    return {"owner": owner[row], **_taken(frame, row)}


def _taken(frame: pd.DataFrame, row: IntArray) -> Columns:
    return {name: frame[name].to_numpy()[row] for name in frame.columns}


def _of(rows: Columns, mask: npt.NDArray[np.bool_], *names: str) -> list[npt.NDArray[np.generic]]:
    row = np.flatnonzero(mask)
    return [rows[name][row] for name in names]


def _age(age_us: IntArray) -> npt.NDArray[np.int8]:
    """Shortest window that holds an age."""
    found = np.full(len(age_us), AGES - 1, dtype=np.int8)
    for place in reversed(range(len(WINDOW_DAYS))):
        found[age_us <= WINDOW_DAYS[place] * DAY_US] = place
    return found


def _counted(
    size: int, owner: npt.NDArray[np.generic], *codes: tuple[npt.NDArray[np.generic], int]
) -> npt.NDArray[np.int64]:
    """Rows by owner and codes, each with the number of its values."""
    key, shape = owner.astype(np.int64), [size]
    for code, values in codes:
        key = key * values + code
        shape.append(values)
    return np.bincount(key, minlength=int(np.prod(shape))).reshape(shape)


def _summed(size: int, owner: npt.NDArray[np.generic], weight: npt.NDArray[np.generic]) -> npt.NDArray[np.float64]:
    return np.bincount(owner, weight, minlength=size)


def _last(size: int, owner: npt.NDArray[np.generic], value: npt.NDArray[np.generic]) -> IntArray:
    """The last value of each owner in the order of the rows, 0 without any: NumPy assigns in order."""
    found = np.zeros(size, dtype=np.int64)
    found[owner] = value
    return found


def _shrunk(count: object, total: object, usual: object, weight: float = PRIOR_CONTACTS) -> npt.NDArray[np.float64]:
    return (count + weight * np.asarray(usual)) / (total + weight)


def _since(now: int, then: IntArray) -> npt.NDArray[np.float64]:
    return np.where(then > 0, (now - then) / DAY_US, np.nan)


def _mean(total: npt.NDArray[np.generic], count: IntArray) -> npt.NDArray[np.float64]:
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _above(value: IntArray, least: int) -> npt.NDArray[np.float64]:
    return np.where(value >= least, value, np.nan)


def _wide(*columns: npt.NDArray[np.generic]) -> npt.NDArray[np.float32]:
    """Columns and blocks of columns side by side."""
    flat = [one.reshape(len(one), -1) for one in columns]
    return np.concatenate(flat, axis=1, dtype=np.float32, casting="unsafe")


def _debtor_columns(frames: Frames, known: Known, moment: Moment) -> list[npt.NDArray[np.float32]]:
    """Blocks of columns in the catalogue's order; those that come of the claims' state are put in afterwards."""
    valid = known.payments["reversed_us"] >= moment.as_of_us
    reversed_count = np.bincount(known.payments["owner"][~valid], minlength=known.size)
    row = np.flatnonzero(valid)
    paid = {name: column[row] for name, column in known.payments.items()}
    paid_us = _last(known.size, paid["owner"], paid["paid_us"])
    followed, prompted = _paid_after(known, paid, moment)
    contacts, made = _contacts(known, moment, paid_us)
    responses, parts = _responses(known, moment, made)
    return [
        _person(frames, known, moment),
        contacts,
        responses,
        _wide(_paid_rates(known, moment, followed), _counts_through(known, paid, moment)),
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
    profile = _rows(frames["profiles"], place, lambda rows: rows["valid_from_us"] <= now)
    last = np.full(size, -1)
    last[profile["owner"]] = np.arange(len(profile["owner"]))
    there = last >= 0

    def of_profile(name: str) -> npt.NDArray[np.float64]:
        values = np.append(profile[name].astype(np.float64), np.nan)[last]
        return np.where(values == -1, np.nan, values) if name != "other_debts" else values

    point = _rows(
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
    return _wide(
        moment.country_code[country],
        np.where(birth == NO_DAY, np.nan, np.floor((now / DAY_US - birth) / 365.25)),
        _since(now, registered),
        *(of_profile(name) for name in ("income", "employment", "other_debts")),
        _since(now, since),
        usable[:, 1:],
        usable @ digital(moment.channels),
    )


def _contacts(known: Known, moment: Moment, paid_us: IntArray) -> tuple[npt.NDArray[np.float32], Columns]:
    now, size, rows, count = moment.as_of_us, known.size, known.contacts, len(moment.channels)
    sent = _counted(size, rows["owner"], (rows["channel"], count), (rows["age"], AGES)).cumsum(axis=2)
    owner, channel, decided, part, weekday = _of(
        rows, rows["channel"] > 0, "owner", "channel", "decided_us", "part", "weekday"
    )
    last_us = _last(size * count, owner.astype(np.int64) * count + channel, decided).reshape(size, count)
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
    who, via, at, hour, in_part, on_day = _of(events, response, "owner", "channel", "at_us", "hour", "part", "weekday")
    response_us = _last(size * count, who.astype(np.int64) * count + via, at).reshape(size, count)
    latest = response_us.max(axis=1)
    block = _wide(
        _above(last_channel, 1), sent[:, 1:], sent[:, 0], sent[:, 1:].sum(axis=1), *recent,
        _since(now, last_us.max(axis=1)), _since(now, last_us[:, 1:]), run,
        np.bincount(owner[decided > latest[owner]], minlength=size),
        np.bincount(owner[decided > paid_us[owner]], minlength=size),
    )  # fmt: skip
    made = {"sent": sent, "response_us": response_us, "owner": owner, "part": part, "weekday": weekday}
    return block, {**made, "who": who, "hour": hour, "in_part": in_part, "on_day": on_day}


def _hits(known: Known, moment: Moment) -> npt.NDArray[np.int64]:
    made, events = len(moment.channels) - 1, known.events
    owner, hit, age = _of(
        events, (events["counted_us"] < moment.as_of_us) & (events["hit"] >= 0), "owner", "hit", "age"
    )
    counts = _counted(known.size, owner, (hit, len(MEASURES) * made), (age, AGES))
    return counts.reshape(known.size, len(MEASURES), made, AGES).cumsum(axis=3)


def _responses(known: Known, moment: Moment, made: Columns) -> tuple[npt.NDArray[np.float32], list[IntArray]]:
    now, size, reference, events = moment.as_of_us, known.size, moment.reference, known.events
    sent, hits = made["sent"][:, 1:], _hits(known, moment)
    reached = (events["counted_us"] < now) & events["first_reach"] & (events["channel"] > 0)
    owner, channel, part, weekday = _of(events, reached, "owner", "channel", "sent_part", "sent_weekday")
    reaches = _counted(size, owner, (channel, len(moment.channels)))[:, 1:]
    usual = np.array(reference.measure_rate)[:, 1:, None]
    kinds = [CONTACT_EVENT_KINDS.index(kind) for kind in REFUSALS]
    refusals = [np.bincount(events["owner"][events["kind"] == kind], minlength=size) for kind in kinds]
    block = _wide(
        _shrunk(hits, sent[:, None], usual),
        _shrunk(reaches, sent[..., -1], reference.reach_rate[1:]),
        _shrunk(hits[..., -1][:, RESPONSES].sum(axis=1), sent[..., -1], reference.response_rate[1:]),
        _since(now, made["response_us"].max(axis=1)),
        _since(now, made["response_us"][:, 1:]),
        *refusals,
    )
    return block, [_counted(size, owner, (part, PARTS)), _counted(size, owner, (weekday, DAYS))]


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
    owner, channel, age = _of(rows, ripe, "owner", "channel", "age")
    mature = _counted(known.size, owner, (channel, count), (age, AGES)).cumsum(axis=2)
    owner, channel, age = _of(rows, ripe & followed, "owner", "channel", "age")
    after = _counted(known.size, owner, (channel, count), (age, AGES)).cumsum(axis=2)
    return _shrunk(after, mature, np.array(moment.reference.paid_after_rate)[:, None])


def _counts_through(known: Known, paid: Columns, moment: Moment) -> npt.NDArray[np.int64]:
    owner, channel = _of(paid, paid["channel"] > 0, "owner", "channel")
    return _counted(known.size, owner, (channel, len(moment.channels)))[:, 1:]


def _promises(known: Known, moment: Moment, paid: Columns, paid_us: IntArray) -> npt.NDArray[np.float32]:
    now, size, events = moment.as_of_us, known.size, known.events
    is_promise = events["kind"] == CONTACT_EVENT_KINDS.index("promised")
    owner, at, ends = _of(events, is_promise, "owner", "at_us", "promised_us")
    clicker, click = _of(events, events["kind"] == CONTACT_EVENT_KINDS.index("clicked"), "owner", "at_us")
    click_us = _last(size, clicker, click)
    given = pd.DataFrame({"owner": owner, "at": at, "ends": ends + 3 * DAY_US, "promise": np.arange(len(at))})
    pairs = given.merge(pd.DataFrame({"owner": paid["owner"], "paid": paid["paid_us"]}), on="owner")
    in_time = (pairs["at"] <= pairs["paid"]) & (pairs["paid"] <= pairs["ends"])
    kept = np.zeros(len(at), dtype=np.bool_)
    kept[pairs["promise"].to_numpy()[in_time.to_numpy()]] = True
    due, open_until = ends <= now, np.zeros(size, dtype=np.int64)
    np.maximum.at(open_until, owner[~due], ends[~due])
    return _wide(
        np.bincount(owner[due & kept], minlength=size),
        np.bincount(owner[due & ~kept], minlength=size),
        _since(now, _last(size, owner, at)),
        np.where(open_until > 0, (open_until - now) / DAY_US, np.nan),
        _since(now, np.where(paid_us >= click_us, 0, click_us)),
    )


def _times(
    known: Known, moment: Moment, made: Columns, reached: list[IntArray], paid: Columns
) -> npt.NDArray[np.float32]:
    size, reference = known.size, moment.reference
    sent = [
        _counted(size, made["owner"], (made[name], values)) for name, values in (("part", PARTS), ("weekday", DAYS))
    ]
    part, weekday = (
        _counted(size, made["who"], (made["in_part"], PARTS)),
        _counted(size, made["who"], (made["on_day"], DAYS)),
    )
    responses, payments = part.sum(axis=1), np.bincount(paid["owner"], minlength=size)
    pay_part = _counted(size, paid["owner"], (paid["part"], PARTS))
    pay_day = _counted(size, paid["owner"], (paid["weekday"], DAYS))
    return _wide(
        _shrunk(reached[0], sent[0], reference.reach_part),
        _shrunk(reached[1], sent[1], reference.reach_weekday),
        _shrunk(part, responses[:, None], reference.response_part, PRIOR_PARTS),
        _shrunk(weekday, responses[:, None], reference.response_weekday, PRIOR_PARTS),
        _mean(_summed(size, made["who"], made["hour"]), responses),
        _shrunk(pay_part, payments[:, None], reference.payment_part, PRIOR_PARTS),
        _shrunk(pay_day, payments[:, None], reference.payment_weekday, PRIOR_PARTS),
        _mean(_summed(size, paid["owner"], paid["hour"]), payments),
    )


def _payments(
    frames: Frames, known: Known, moment: Moment, paid: Columns, prompted: npt.NDArray[np.bool_], reversals: IntArray
) -> npt.NDArray[np.float32]:
    now, size, owner = moment.as_of_us, known.size, paid["owner"]
    count = _counted(size, owner, (paid["age"], AGES)).cumsum(axis=1)
    key, eur = owner.astype(np.int64) * AGES + paid["age"], paid["amount"] * moment.eur[paid["currency"]]
    sums = np.bincount(key, eur, minlength=size * AGES).reshape(size, AGES).cumsum(axis=1)
    last_us, first_us = _last(size, owner, paid["paid_us"]), _last(size, owner[::-1], paid["paid_us"][::-1])
    by_day = _counted(size, owner, (paid["month_day"] - 1, MONTH))
    around = by_day + np.roll(by_day, -1, axis=1) + np.roll(by_day, -2, axis=1)
    best, row = (around * 64 + by_day).argmax(axis=1), np.arange(size)
    near = around[row, best]
    learned = near >= LEAST_PAYMENTS
    debtors = frames["debtors"]
    country = debtors["country"].to_numpy()[known.debtor - int(debtors["debtor"].iloc[0])]
    ever = count[:, -1]
    return _wide(
        count,
        np.log1p(sums),
        _since(now, last_us),
        _mean((last_us - first_us) / DAY_US, ever - 1),
        reversals,
        _shrunk(np.bincount(owner[~prompted], minlength=size), ever, moment.reference.self_paid_rate),
        *moment.pay_days[:, country, np.where(learned, best + 1, 0)],
        learned,
        _mean(near, np.where(learned, ever, 0)),
    )


def _claim_columns(
    frames: Frames, known: Known, moment: Moment
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """The claims' own columns, and the debtors' columns that are made of claims."""
    now, owing, size = moment.as_of_us, known.owing, known.size
    place = np.full(int(frames["debtors"]["debtor"].iloc[-1]) + 1, -1, dtype=np.int32)
    place[known.debtor] = np.arange(size, dtype=np.int32)
    claims = _rows(frames["claims"], place, lambda rows: rows["registered_us"] <= now)
    alike = _alike(claims, owing, now)
    state = _courses(frames, owing, moment)
    paid_row = np.flatnonzero((known.payments["reversed_us"] >= now))
    number, amount, last_us = _paid_on(frames, known, paid_row)
    owed = np.maximum(np.floor((owing["principal"] - amount) * 100 + 0.5) / 100, 0)
    owed_eur = owed * moment.eur[owing["currency"]]
    total = _summed(size, owing["owner"], owed_eur)
    rows = known.contacts
    made = rows["channel"] > 0
    owner, decided = _of(rows, made, "owner", "decided_us")
    span = now - min(int(decided.min()), int(owing["registered_us"].min())) + 1 if len(decided) else 1
    key = owner.astype(np.int64) * span + decided - (now - span)
    wanted = owing["owner"].astype(np.int64) * span + owing["registered_us"] - (now - span)
    ends = np.cumsum(np.bincount(owner, minlength=size))
    since_claim = ends[owing["owner"]] - np.searchsorted(key, wanted)
    debtor_total = total[owing["owner"]]
    own = _wide(
        np.where(owing["sector"] < 0, np.nan, moment.sector_code[owing["sector"]]),
        np.log1p(owed_eur),
        1.0 - owed / np.maximum(owing["principal"], 0.01),
        np.where(debtor_total > 0, owed_eur / np.where(debtor_total > 0, debtor_total, 1.0), np.nan),
        moment.today - owing["due_day"].astype(np.int64),
        (now - owing["registered_us"]) / DAY_US,
        number,
        _since(now, last_us),
        since_claim,
        alike["others"],
        _shrunk(alike["paid"], alike["closed"], moment.reference.paid_claims_rate),
        alike["of_creditor"],
        state["stage"],
        _since(now, state["stage_us"]),
        state["to_next_due"],
        state["plans_broken"],
        state["disputes"],
        _since(now, state["inbound_us"]),
    )
    return own, _of_claims(claims, owing, moment, size, alike["main"], owed_eur, state)


def _alike(claims: Columns, owing: Columns, now: int) -> Columns:
    """Claims of the same sector and creditor, by open claim, and the main sector, by debtor."""
    size, sectors = int(owing["owner"][-1]) + 1 if len(owing["owner"]) else 0, int(claims["sector"].max(initial=0)) + 1
    gone, named = claims["closed_us"] <= now, claims["sector"] >= 0
    codes = claims["sector"].astype(np.int64)
    so_far, closed, paid = (
        _counted(size, claims["owner"][mask], (codes[mask], sectors))
        for mask in (named, named & gone, named & gone & claims["closed_paid"])
    )
    owner, sector = owing["owner"], owing["sector"].astype(np.int64)
    there = sector >= 0
    creditors = int(claims["creditor"].max(initial=0)) + 1
    group = claims["owner"].astype(np.int64) * creditors + claims["creditor"]
    same = pd.Series(group).value_counts(sort=False)
    mine = same.reindex(owner.astype(np.int64) * creditors + owing["creditor"]).to_numpy()
    return {
        "others": np.where(there, so_far[owner, sector] - 1, 0),
        "closed": np.where(there, closed[owner, sector], 0),
        "paid": np.where(there, paid[owner, sector], 0),
        "of_creditor": mine - 1,
        "main": np.where(so_far.any(axis=1), so_far.argmax(axis=1), -1),
    }


def _paid_on(frames: Frames, known: Known, row: IntArray) -> tuple[IntArray, npt.NDArray[np.float64], IntArray]:
    """Payments on each open claim: how many, how much, and the last one's instant."""
    owing, first = known.owing, int(frames["claims"]["claim"].iloc[0])
    place = np.full(len(frames["claims"]), -1)
    place[owing["claim"] - first] = np.arange(len(owing["claim"]))
    target = place[known.payments["claim"][row] - first]
    here = np.flatnonzero(target >= 0)
    target, row, size = target[here], row[here], len(owing["claim"])
    amount = _summed(size, target, known.payments["amount"][row])
    return np.bincount(target, minlength=size), amount, _last(size, target, known.payments["paid_us"][row])


def _courses(frames: Frames, owing: Columns, moment: Moment) -> Columns:
    """Where the course of each open claim stands."""
    events, first, size = frames["claim_events"], int(frames["claims"]["claim"].iloc[0]), len(owing["claim"])
    place = np.full(len(frames["claims"]), -1)
    place[owing["claim"] - first] = np.arange(size)
    target = place[events["claim"].to_numpy() - first]
    row = np.flatnonzero((target >= 0) & (events["known_us"].to_numpy() < moment.as_of_us))
    target, course = target[row], _taken(events, row)
    kind = {name: course["kind"] == number for number, name in enumerate(CLAIM_EVENT_KINDS)}

    def last(values: npt.NDArray[np.generic], mask: npt.NDArray[np.bool_], missing: int) -> npt.NDArray[np.generic]:
        found = np.full(size, missing, dtype=np.int64)
        found[target[mask]] = values[mask]
        return found

    due = last(course["next_due_day"], kind["stage"], NO_DAY)
    return {
        "stage": _above(last(course["stage"], kind["stage"], -1), 0),
        "stage_us": last(course["at_us"], kind["stage"], 0),
        "to_next_due": np.where(due == NO_DAY, np.nan, due - moment.today),
        "inbound_us": last(course["at_us"], kind["inbound"], 0),
        "disputes": np.bincount(target[kind["dispute_opened"]], minlength=size),
        "plans_broken": np.bincount(target[kind["plan_broken"]], minlength=size),
        **{
            name: last(kind[begins], kind[begins] | kind[ends], 0)
            for name, begins, ends in (
                ("disputed", "dispute_opened", "dispute_closed"),
                ("held", "hold_placed", "hold_lifted"),
                ("on_plan", "plan_agreed", "plan_broken"),
            )
        },
    }


def _of_claims(
    claims: Columns,
    owing: Columns,
    moment: Moment,
    size: int,
    main: IntArray,
    owed_eur: npt.NDArray[np.float64],
    state: Columns,
) -> npt.NDArray[np.float32]:
    """The debtors' columns that are made of claims, in the catalogue's order."""
    now, owner, closed = moment.as_of_us, claims["owner"], claims["closed_us"] <= moment.as_of_us
    paid, mine = closed & claims["closed_paid"], owing["owner"]
    windows = _counted(size, owner, (_age(now - claims["registered_us"]), AGES)).cumsum(axis=1)
    paid_count, closed_count = np.bincount(owner[paid], minlength=size), np.bincount(owner[closed], minlength=size)
    paid_days = _summed(size, owner[paid], claims["closed_us"][paid] / DAY_US - claims["due_day"][paid])
    start = np.searchsorted(mine, np.arange(size))
    named = owing["sector"] >= 0
    sectors = int(owing["sector"].max(initial=0)) + 1
    open_sectors = (_counted(size, mine[named], (owing["sector"][named], sectors)) > 0).sum(axis=1)
    return _wide(
        np.bincount(mine, minlength=size), paid_count, closed_count - paid_count, windows,
        _shrunk(paid_count, closed_count, moment.reference.paid_claims_rate), _mean(paid_days, paid_count),
        _since(now, _last(size, owner, claims["registered_us"])),
        moment.today - np.minimum.reduceat(owing["due_day"], start).astype(np.int64), open_sectors,
        np.where(main < 0, np.nan, moment.sector_code[main]),
        np.log1p(_summed(size, mine, owed_eur)), np.log1p(np.maximum.reduceat(owed_eur, start)),
        *(np.bincount(mine[state[name] > 0], minlength=size) for name in ("disputed", "held", "on_plan")),
        np.fmax.reduceat(state["stage"], start), np.fmin.reduceat(state["to_next_due"], start),
    )  # fmt: skip


def _in_order(
    debtors: npt.NDArray[np.float32], on_claims: npt.NDArray[np.float32], moment: Moment
) -> npt.NDArray[np.float32]:
    """The debtors' columns with those made of claims behind the person's, where the catalogue has them."""
    at = moment.columns.index("open_claims")
    return np.concatenate([debtors[:, :at], on_claims, debtors[:, at:]], axis=1)
