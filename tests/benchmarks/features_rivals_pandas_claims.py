"""The pandas rival's columns that are made of claims: the claims' own, and the debtors'."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
from features_layout import Frames, Moment
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

from data.times import DAY_US, NO_DAY, IntArray
from data.vocabulary import CLAIM_EVENT_KINDS


def claim_columns(
    frames: Frames, known: Known, moment: Moment
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """The claims' own columns, and the debtors' columns that are made of claims."""
    now, owing, size = moment.as_of_us, known.owing, known.size
    place = np.full(int(frames["debtors"]["debtor"].iloc[-1]) + 1, -1, dtype=np.int32)
    place[known.debtor] = np.arange(size, dtype=np.int32)
    claims = rows_of(frames["claims"], place, lambda rows: rows["registered_us"] <= now)
    alike = _alike(claims, owing, now)
    state = _courses(frames, owing, moment)
    paid_row = np.flatnonzero(known.payments["reversed_us"] >= now)
    number, amount, last_us = _paid_on(frames, known, paid_row)
    owed = np.maximum(np.floor((owing["principal"] - amount) * 100 + 0.5) / 100, 0)
    owed_eur = owed * moment.eur[owing["currency"]]
    total = summed(size, owing["owner"], owed_eur)
    rows = known.contacts
    made = rows["channel"] > 0
    owner, decided = chosen(rows, made, "owner", "decided_us")
    span = now - min(int(decided.min()), int(owing["registered_us"].min())) + 1 if len(decided) else 1
    key = owner.astype(np.int64) * span + decided - (now - span)
    wanted = owing["owner"].astype(np.int64) * span + owing["registered_us"] - (now - span)
    ends = np.cumsum(np.bincount(owner, minlength=size))
    since_claim = ends[owing["owner"]] - np.searchsorted(key, wanted)
    debtor_total = total[owing["owner"]]
    own = wide(
        np.where(owing["sector"] < 0, np.nan, moment.sector_code[owing["sector"]]),
        np.log1p(owed_eur),
        1.0 - owed / np.maximum(owing["principal"], 0.01),
        np.where(debtor_total > 0, owed_eur / np.where(debtor_total > 0, debtor_total, 1.0), np.nan),
        moment.today - owing["due_day"].astype(np.int64),
        (now - owing["registered_us"]) / DAY_US,
        number,
        since_days(now, last_us),
        since_claim,
        alike["others"],
        shrunk(alike["paid"], alike["closed"], moment.reference.paid_claims_rate),
        alike["of_creditor"],
        state["stage"],
        since_days(now, state["stage_us"]),
        state["to_next_due"],
        state["plans_broken"],
        state["disputes"],
        since_days(now, state["inbound_us"]),
    )
    return own, _of_claims(claims, owing, moment, size, alike["main"], owed_eur, state)


def _alike(claims: Columns, owing: Columns, now: int) -> Columns:
    """Claims of the same sector and creditor, by open claim, and the main sector, by debtor."""
    size, sectors = int(owing["owner"][-1]) + 1 if len(owing["owner"]) else 0, int(claims["sector"].max(initial=0)) + 1
    gone, named = claims["closed_us"] <= now, claims["sector"] >= 0
    codes = claims["sector"].astype(np.int64)
    so_far, closed, paid = (
        counted(size, claims["owner"][mask], (codes[mask], sectors))
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
    amount = summed(size, target, known.payments["amount"][row])
    return np.bincount(target, minlength=size), amount, last_of(size, target, known.payments["paid_us"][row])


def _courses(frames: Frames, owing: Columns, moment: Moment) -> Columns:
    """Where the course of each open claim stands."""
    events, first, size = frames["claim_events"], int(frames["claims"]["claim"].iloc[0]), len(owing["claim"])
    place = np.full(len(frames["claims"]), -1)
    place[owing["claim"] - first] = np.arange(size)
    target = place[events["claim"].to_numpy() - first]
    row = np.flatnonzero((target >= 0) & (events["known_us"].to_numpy() < moment.as_of_us))
    target, course = target[row], taken(events, row)
    kind = {name: course["kind"] == number for number, name in enumerate(CLAIM_EVENT_KINDS)}

    def last(values: npt.NDArray[np.generic], mask: npt.NDArray[np.bool_], missing: int) -> npt.NDArray[np.generic]:
        found = np.full(size, missing, dtype=np.int64)
        found[target[mask]] = values[mask]
        return found

    due = last(course["next_due_day"], kind["stage"], NO_DAY)
    return {
        "stage": above(last(course["stage"], kind["stage"], -1), 0),
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
    windows = counted(size, owner, (age_of(now - claims["registered_us"]), AGES)).cumsum(axis=1)
    paid_count, closed_count = np.bincount(owner[paid], minlength=size), np.bincount(owner[closed], minlength=size)
    paid_days = summed(size, owner[paid], claims["closed_us"][paid] / DAY_US - claims["due_day"][paid])
    start = np.searchsorted(mine, np.arange(size))
    named = owing["sector"] >= 0
    sectors = int(owing["sector"].max(initial=0)) + 1
    open_sectors = (counted(size, mine[named], (owing["sector"][named], sectors)) > 0).sum(axis=1)
    return wide(
        np.bincount(mine, minlength=size), paid_count, closed_count - paid_count, windows,
        shrunk(paid_count, closed_count, moment.reference.paid_claims_rate), mean_of(paid_days, paid_count),
        since_days(now, last_of(size, owner, claims["registered_us"])),
        moment.today - np.minimum.reduceat(owing["due_day"], start).astype(np.int64), open_sectors,
        np.where(main < 0, np.nan, moment.sector_code[main]),
        np.log1p(summed(size, mine, owed_eur)), np.log1p(np.maximum.reduceat(owed_eur, start)),
        *(np.bincount(mine[state[name] > 0], minlength=size) for name in ("disputed", "held", "on_plan")),
        np.fmax.reduceat(state["stage"], start), np.fmin.reduceat(state["to_next_due"], start),
    )  # fmt: skip
