"""`continue_simulation`: play decisions forward from where a portfolio stands, with nobody else deciding."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from data.config import Config
from data.schemas import DECISION_SCHEMA
from data.simulator.contacts import ContactRows, manner
from data.simulator.names import GIVEN, claim_names
from data.simulator.rounds import Log, play
from data.simulator.simulate import Progress
from data.simulator.state import Chunk
from data.simulator.store import (
    WorldFile,
    load_chunk,
    read_logged,
    read_world,
    save_chunk,
    save_table,
    table_file,
)
from data.simulator.tables import log_tables, state_tables
from data.simulator.unfinished import put_in_place, under_way
from data.times import DAY_US, NEVER, IntArray, from_us
from data.vocabulary import CHANNELS, PAYMENT_OPTIONS, TONES

STEP_DAYS = 14
"""Longest stretch that is played with the same rate of payment by itself."""

MOST_DAYS = 120
NEEDED = (
    "decision_id",
    "debtor_id",
    "claim_id",
    "decided_at",
    "channel",
    "send_at",
    "payment_option",
    "tone",
    "action_probability",
    "arm",
)
VERSION = "policy_version"


class BadDecisions(ValueError):
    """Decisions that cannot be played from where the portfolio stands."""


def continue_simulation(directory: Path, *, days: int, decisions: pa.Table, config: Config, progress: Progress) -> None:
    """Play decisions forward, append what comes of them to the tables, and move the portfolio's end.

    Claims on which no decision is given go on by themselves; no new claims come in. What the tenant does not know of
    by the new end stays out of the tables until a later continuation. The same portfolio and decisions give the same
    result.

    Parameters
    ----------
    days
        Whole days to go on, 1 to 120.
    decisions
        Rows of the contract's section 4, decided at the portfolio's end; more columns do no harm. `decision_id`
        becomes the `contact_id`, the arm and `policy_version` become the `policy`.

    Raises
    ------
    NotSimulated
        The folder holds no simulation.
    BadDecisions
        Decisions of another moment, ids that stand twice or are taken, unknown debtors, claims or channels, or rows of
        one decision that differ. Nothing has been written then.

    Notes
    -----
    Chunk by chunk, so that memory is that of one chunk and of the decisions. What is under way stands in
    `.unfinished/` until all chunks have been played; one that was interrupted begins again.
    """
    world = read_world(directory)
    if not 1 <= days <= MOST_DAYS:
        raise BadDecisions(f"days: expected 1 to {MOST_DAYS}, came {days}")
    _check(decisions, world=world, directory=directory)
    until_us = world.now_us + days * DAY_US
    with under_way(directory) as folder:
        rows, matched = [], 0
        for index in range(world.chunks):
            progress("playing", index / world.chunks)
            moved = _continue_chunk(
                directory, index, world=world, decisions=decisions, until_us=until_us, config=config, folder=folder
            )
            rows.append(moved.rows)
            matched += moved.matched
        if matched != decisions.num_rows:
            raise BadDecisions(
                f"{decisions.num_rows - matched} decisions name a claim that is not open or not this debtor's"
            )
        progress("writing", 1.0)
        put_in_place(directory, world=WorldFile(world.settings, until_us, world.continued + 1, rows))


@dataclass(frozen=True)
class Moved:
    """What became of a chunk: decisions that were its own, and rows of its growing tables now."""

    matched: int
    rows: dict[str, int]


def _continue_chunk(
    directory: Path,
    index: int,
    *,
    world: WorldFile,
    decisions: pa.Table,
    until_us: int,
    config: Config,
    folder: Path,
) -> Moved:
    """Play the decisions on a chunk's claims, and write its tables and state into `folder`."""
    chunk, given = load_chunk(directory, index, world=world, config=config)
    made, given = _rows(chunk, decisions, given=given, now_us=world.now_us)
    log = _played(chunk, made, world=world, until_us=until_us)
    rows, shard = dict(world.rows[index]), world.shard(index)
    for name, table in log_tables(chunk, log, given=given, index=index, rows_before=world.rows[index]):
        rows[name] += table.num_rows
        whole = _appended(name, read_logged(directory, name, shard=shard), new=table)
        save_table(folder, name, whole, now_us=until_us, shard=shard)
        del table, whole  # before the next is made
    for name, table in state_tables(chunk, until_us).items():
        save_table(folder, name, table, now_us=until_us, shard=shard)
    save_chunk(folder, index, chunk=chunk, given=given)
    return Moved(len(made.number), rows)


def read_decisions(path: Path) -> pa.Table:
    """Decisions of a file, or of a folder of files, with the columns alone that `continue_simulation` looks at."""
    file = pq.ParquetDataset(path)
    return file.read(columns=[name for name in (*NEEDED, VERSION) if name in file.schema.names])


def _check(decisions: pa.Table, *, world: WorldFile, directory: Path) -> None:
    missing = [name for name in NEEDED if name not in decisions.column_names]
    if missing:
        raise BadDecisions(
            f"decisions: expected the columns of the contract's section 4, missing are {', '.join(missing)}"
        )
    wrong = [name for name in NEEDED if not _castable(decisions[name], DECISION_SCHEMA.field(name).type)]
    if wrong:
        raise BadDecisions(f"decisions: columns of another type than the contract's: {', '.join(wrong)}")
    now = pa.scalar(world.now_us, pa.int64()).cast(DECISION_SCHEMA.field("decided_at").type)
    other = pc.sum(pc.not_equal(decisions["decided_at"], now), min_count=0).as_py()
    if other:
        example = decisions["decided_at"].filter(pc.not_equal(decisions["decided_at"], now))[0].as_py()
        stands = from_us(world.now_us).isoformat()
        raise BadDecisions(
            f"decided_at: the portfolio stands at {stands}; {other} rows are of another time, such as {example}"
        )
    if pc.count_distinct(decisions["claim_id"]).as_py() != decisions.num_rows:
        raise BadDecisions("claim_id: a claim stands in more than one row; give one decision for each")
    _check_against(directory, decisions, world=world)
    shared = decisions.group_by(["decision_id", "debtor_id", "channel", "send_at"]).aggregate([])
    if shared.num_rows != pc.count_distinct(decisions["decision_id"]).as_py():
        raise BadDecisions(
            "decision_id: rows of one decision differ in debtor, channel or send_at; each decision needs its own id"
        )
    _check_sending(decisions, now)


def _check_against(directory: Path, decisions: pa.Table, *, world: WorldFile) -> None:
    """Hold debtors and decisions against those that the portfolio has, shard by shard."""
    debtors = pa.chunked_array([], pa.string())
    known = 0
    for index in range(world.chunks):
        ids = [
            pq.read_table(table_file(directory, name, shard=world.shard(index)), columns=[column])[column]
            for name, column in (("debtors", "debtor_id"), ("contacts", "contact_id"))
        ]
        debtors = pa.chunked_array([*debtors.chunks, *ids[0].chunks], pa.string())
        known += pc.sum(pc.is_in(decisions["decision_id"], value_set=pc.unique(ids[1])), min_count=0).as_py()
    strangers = pc.invert(pc.is_in(decisions["debtor_id"], value_set=debtors))
    if pc.any(strangers).as_py():
        example = decisions["debtor_id"].filter(strangers)[0]
        raise BadDecisions(
            f"debtor_id: {pc.sum(strangers)} rows name a debtor that the portfolio does not have, such as {example}"
        )
    if known:
        raise BadDecisions(f"decision_id: {known} rows have the id of a contact that the portfolio already holds")


def _castable(column: pa.ChunkedArray, kind: pa.DataType) -> bool:
    return bool(column.type == kind or (pa.types.is_dictionary(column.type) and column.type.value_type == kind))


def _check_sending(decisions: pa.Table, now: pa.Scalar) -> None:
    strange = pc.invert(pc.is_in(decisions["channel"], value_set=pa.array(CHANNELS)))
    if pc.any(strange).as_py():
        raise BadDecisions(f"channel: expected {', '.join(CHANNELS)}; came {decisions['channel'].filter(strange)[0]}")
    none = pc.equal(decisions["channel"], "none")
    if pc.any(pc.xor(none, pc.is_null(decisions["send_at"]))).as_py():
        raise BadDecisions("send_at: expected a time for every contact and null for `none`")
    if pc.any(pc.less(decisions["send_at"], now)).as_py():
        raise BadDecisions("send_at: some contacts were to be sent before they were decided")
    contacts = decisions.filter(pc.invert(none)).group_by(["debtor_id", "decision_id"]).aggregate([])
    twice = contacts.num_rows - pc.count_distinct(contacts["debtor_id"]).as_py()
    if twice:
        raise BadDecisions(f"debtor_id: {twice} debtors have more than one contact; a debtor has one live decision")


def _rows(chunk: Chunk, decisions: pa.Table, *, given: pa.Array, now_us: int) -> tuple[ContactRows, pa.Array]:
    """Decisions on a chunk's claims as rows of the log, and the names of all contacts decided elsewhere."""
    claims = chunk.claims
    is_open = np.flatnonzero((claims.registered_us <= now_us) & (claims.closed_us > now_us))
    found = pc.index_in(decisions["claim_id"], value_set=claim_names(chunk.people, claims, rows=is_open))
    here = decisions.filter(pc.is_valid(found))
    claim = is_open[pc.drop_null(found).to_numpy()] if len(here) else np.zeros(0, np.int64)
    order = np.lexsort(
        (claim, here["decision_id"].combine_chunks().dictionary_encode().indices.to_numpy(), claims.debtor[claim])
    )
    here, claim = here.take(pa.array(order)), claim[order]
    _check_owner(chunk, here, claim=claim)
    ids = here["decision_id"].combine_chunks().dictionary_encode()
    channel = _codes(here["channel"], CHANNELS)
    send_us = pc.fill_null(here["send_at"].cast(pa.int64()), NEVER).to_numpy().astype(np.int64)
    option, tone, content = manner(claims, claim, channel=channel)
    rows = ContactRows(
        number=GIVEN + len(given) + ids.indices.to_numpy().astype(np.int64),
        debtor=claims.debtor[claim],
        claim=claim,
        decided_us=np.full(len(claim), now_us),
        channel=channel,
        send_us=send_us,
        option=np.where(channel == 0, option, _codes(here["payment_option"], PAYMENT_OPTIONS)).astype(np.int16),
        tone=np.where(channel == 0, tone, _codes(here["tone"], TONES)).astype(np.int16),
        content=content,
        policy=_policies(here),
        action_probability=pc.fill_null(here["action_probability"], np.nan).to_numpy(),
    )
    return rows, pa.concat_arrays([given, ids.dictionary])


def _check_owner(chunk: Chunk, here: pa.Table, *, claim: IntArray) -> None:
    own = pc.equal(pc.utf8_slice_codeunits(here["debtor_id"], 1), pc.utf8_slice_codeunits(here["claim_id"], 1, 8))
    if len(claim) and not pc.all(own).as_py():
        example = here.filter(pc.invert(own)).slice(0, 1).to_pylist()[0]
        raise BadDecisions(f"debtor_id: claim {example['claim_id']} is not one of {example['debtor_id']}'s")


def _codes(column: pa.ChunkedArray, names: tuple[str, ...]) -> np.ndarray[tuple[int], np.dtype[np.int16]]:
    found = pc.index_in(column.cast(pa.string()), value_set=pa.array(names))
    codes: np.ndarray[tuple[int], np.dtype[np.int16]] = pc.fill_null(found, -1).to_numpy().astype(np.int16)
    return codes


def _policies(here: pa.Table) -> np.ndarray[tuple[int], np.dtype[np.object_]]:
    """`arm`, or `policy_version/arm` where a version is given."""
    names = here["arm"].cast(pa.string())
    if VERSION in here.column_names:
        names = pc.binary_join_element_wise(here[VERSION].cast(pa.string()), names, "/")
    policies: np.ndarray[tuple[int], np.dtype[np.object_]] = names.to_numpy()
    return policies


def _played(chunk: Chunk, made: ContactRows, *, world: WorldFile, until_us: int) -> Log:
    """The log of a chunk played from its present to `until_us`."""
    first = int(chunk.people.number[0])
    seed = np.random.SeedSequence([world.settings.seed, first, world.continued + 1, world.now_us // DAY_US])
    rng = np.random.default_rng(seed)
    log, size = Log(), chunk.people.size
    decided: ContactRows | None = made
    at_us = world.now_us
    while at_us < until_us:
        next_us = min(at_us + STEP_DAYS * DAY_US, until_us)
        play(chunk, log, decided=decided, start_us=np.full(size, at_us), end_us=np.full(size, next_us), rng=rng)
        decided, at_us = None, next_us
    return log


def _appended(name: str, before: tuple[pa.Table, pa.Table], *, new: pa.Table) -> pa.Table:
    """A table as it stood, what was to come of it, and what is new; a payment to come replaces its older row."""
    shown, pending = before
    if name == "payments":
        again = pc.is_in(shown["payment_id"], value_set=pc.unique(pending["payment_id"]))
        shown = shown.filter(pc.invert(again))
    return pa.concat_tables([shown, pending, new])
