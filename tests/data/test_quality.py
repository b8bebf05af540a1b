"""Each fault that a data scientist would ask about is found where it was planted, and a clean portfolio stays silent."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from data.check import check, check_loaded
from data.parquet_folder import Loaded
from data.quality.contract import breaches
from data.quality.coverage import stored_columns
from data.quality.finding import LEVELS, Finding
from data.quality.inspection import inspect_portfolio
from data.quality.machine import Machine
from data.quality.quality import FINE, Quality, measure
from data.quality.silence import silent_gaps
from data.schemas import SCHEMAS, write_table
from data.shards import write_layout
from data.times import to_day
from tests.data.made_portfolio import DAYS, START, Row, Tables, changed, local, made_tables, with_rows
from tests.samples import sample_tables, with_cell, write_tables

WHOLE = frozenset(SCHEMAS)


@pytest.fixture(scope="module")
def clean() -> Tables:
    return made_tables()


def measured(tables: Tables, *, given: frozenset[str] = WHOLE) -> Quality:
    whole = {name: tables.get(name, schema.empty()) for name, schema in SCHEMAS.items()}
    stored = {("contacts", "tone"): (1,)}
    return measure(whole, given=given, stored=stored, horizon_days=14)


def found(tables: Tables) -> list[Finding]:
    """Findings of quality and breaches of the contract."""
    whole = {name: tables.get(name, schema.empty()) for name, schema in SCHEMAS.items()}
    result = check_loaded(Loaded(whole, frozenset(tables), (), ()))
    return [*breaches(result.problems, rows=result.rows), *measured(tables, given=frozenset(tables)).findings()]


def test_a_clean_portfolio_stays_silent(clean: Tables) -> None:
    full = changed(clean, "contacts", lambda row: row | {"tone": "firm"})
    assert found(full) == []


def day_of(row: Row, column: str) -> int:
    return (row[column] - START).days


def without(name: str, condition: Callable[[Row], bool]) -> Callable[[Tables], Tables]:
    """Leaves out rows."""
    return lambda tables: changed(tables, name, lambda row: None if condition(row) else row)


def setting(
    name: str, change: Callable[[Row], Row], *, where: Callable[[Row], bool] = bool
) -> Callable[[Tables], Tables]:
    """Changes columns of rows."""
    return lambda tables: changed(tables, name, lambda row: row | change(row) if where(row) else row)


def machine_opened(tables: Tables) -> Tables:
    """A tenth of the opens follow the delivery at once."""
    arrived = {
        row["contact_id"]: row["at"] for row in tables["contact_events"].to_pylist() if row["kind"] == "delivered"
    }

    def quick(row: Row) -> Row:
        soon = row["kind"] == "opened" and row["contact_id"].endswith(("0", "3"))
        return row | {"at": arrived[row["contact_id"]] + timedelta(seconds=2)} if soon else row

    return changed(tables, "contact_events", quick)


def opened_again(tables: Tables) -> Tables:
    opens = [row for row in tables["contact_events"].to_pylist() if row["kind"] == "opened"][:100]
    again = [
        row | {"event_id": f"{row['event_id']}-{n}", "at": row["at"] + timedelta(seconds=n)}
        for row in opens
        for n in (5, 9)
    ]
    return with_rows(tables, "contact_events", again)


def opened_in_bulk(tables: Tables) -> Tables:
    chosen = {row["event_id"] for row in tables["contact_events"].to_pylist() if row["kind"] == "opened"}
    late = START + timedelta(days=DAYS)
    at = {event: late + timedelta(seconds=place // 12 * 301) for place, event in enumerate(sorted(chosen)[:120])}
    return changed(tables, "contact_events", lambda row: row | {"at": at.get(row["event_id"], row["at"])})


def paid_twice(tables: Tables) -> Tables:
    rows = tables["payments"].to_pylist()[:5]
    return with_rows(tables, "payments", [row | {"payment_id": f"again-{row['payment_id']}"} for row in rows])


def booked_twice(tables: Tables) -> Tables:
    rows = tables["payments"].to_pylist()[:20]
    late = timedelta(hours=9)
    copies = [row | {"payment_id": f"b-{row['payment_id']}", "paid_at": row["paid_at"] + late} for row in rows]
    return with_rows(tables, "payments", [row | {"known_at": None} for row in copies])


def in_sweden(tables: Tables) -> Callable[[Row], bool]:
    swedes = {row["debtor_id"] for row in tables["debtors"].to_pylist() if row["country"] == "SE"}
    return lambda row: row["debtor_id"] in swedes


def moved_in_sweden(table: str, column: str, hours: float) -> Callable[[Tables], Tables]:
    def move(tables: Tables) -> Tables:
        mine = in_sweden(tables)
        late = timedelta(hours=hours)
        return changed(
            tables, table, lambda row: row | {column: row[column] + late} if mine(row) and row[column] else row
        )

    return move


FAULTS: dict[str, tuple[Callable[[Tables], Tables], str, str, str, str]] = {
    "no events table": (lambda t: {k: v for k, v in t.items() if k != "contact_events"}, "look", "Coverage",
        "contact_events", "the table is missing"),
    "events table without rows": (without("contact_events", lambda row: True), "look", "Coverage", "contact_events", "no row"),
    "column for nothing": (lambda t: t, "look", "Coverage", "contacts", "holds nothing: tone"),
    "payments silent": (without("payments", lambda row: 90 <= day_of(row, "paid_at") < 130), "problem", "Rows over time",
        "payments", "from 2025-06-01 to 2025-07-1"),
    "contacts silent": (without("contacts", lambda row: 90 <= day_of(row, "decided_at") < 100), "look", "Rows over time",
        "contacts", "silent: none from 2025-06-01 to 2025-06-10"),
    "payments stop": (without("payments", lambda row: day_of(row, "paid_at") > 170), "problem", "Rows over time",
        "payments", "the rows stop"),
    "events begin late": (without("contact_events", lambda row: day_of(row, "at") < 60), "problem", "Rows over time",
        "contact_events", "before this table begins"),
    "a date of another century": (lambda t: {**t, "claims": with_cell(t["claims"], "registered_at", START.replace(year=1970))},
        "look", "Rows over time", "claims", "a year or more away"),
    "channel without events": (lambda t: changed(t, "contacts", lambda row: row | {"channel": "portal"} if row["channel"] == "phone" else row)
        | {"contact_events": t["contact_events"].filter(pa.compute.invert(pa.compute.is_in(t["contact_events"]["contact_id"],
            value_set=pa.array([r["contact_id"] for r in t["contacts"].to_pylist() if r["channel"] == "phone"]))))},
        "look", "Channels", "contact_events", "portal has contacts and not one event"),
    "answers end": (without("contact_events", lambda row: row["kind"] == "answered" and day_of(row, "at") > 120), "problem",
        "Channels", "contact_events", "outcomes of phone end with the contacts of 2025-07-"),
    "events without contacts": (without("contacts", lambda row: row["contact_id"].startswith("k7-")), "problem",
        "Contacts and decisions", "contact_events", "no such row in contacts"),
    "payment through an unknown contact": (lambda t: {**t, "payments": with_cell(t["payments"], "contact_id", "gone")},
        "problem", "Contacts and decisions", "payments", "no such row in contacts"),
    "no none rows": (without("contacts", lambda row: row["channel"] == "none"), "look", "Contacts and decisions", "contacts",
        "no decision not to make contact"),
    "never sent": (without("contact_events", lambda row: row["kind"] == "sent" and row["contact_id"].endswith(("1", "2", "3"))),
        "look", "Contacts and decisions", "contact_events", "have no event sent"),
    "decided after closing": (setting("claims", lambda row: {"closed_at": row["registered_at"]}, where=lambda row: row["claim_id"] < "c2"),
        "look", "Contacts and decisions", "contacts", "after their claim was closed"),
    "sent long after": (setting("contacts", lambda row: {"send_at": row["send_at"] + timedelta(days=40)},
        where=lambda row: bool(row["send_at"]) and row["debtor_id"] < "d11"), "look", "Contacts and decisions", "contacts",
        "more than 31 days after the decision"),
    "payments without claims": (without("claims", lambda row: row["claim_id"] == "c7"), "problem", "Payments and claims",
        "payments", "no such row in claims") ,
    "paid after closing": (setting("claims", lambda row: {"closed_at": row["registered_at"]}, where=lambda row: row["claim_id"] < "c2"),
        "look", "Payments and claims", "payments", "after their claim was closed"),
    "paid above owed": (setting("payments", lambda row: {"amount": Decimal(900)}, where=lambda row: row["claim_id"] < "c2"),
        "look", "Payments and claims", "payments", "above its principal"),
    "paid before the claim": (setting("payments", lambda row: {"paid_at": row["paid_at"] - timedelta(days=DAYS)},
        where=lambda row: row["claim_id"] < "c2"), "look", "Payments and claims", "payments", "before their claim was registered"),
    "calls at night": (moved_in_sweden("contacts", "send_at", 9), "problem", "Time zones", "contacts",
        "in SE (Europe/Stockholm) fall between 22 and 6"),
    "calls shifted": (moved_in_sweden("contacts", "send_at", 3), "look", "Time zones", "contacts", "shifted by about +3 h"),
    "dates as times": (setting("payments", lambda row: {"paid_at": row["paid_at"].replace(hour=0, minute=0, second=0)}),
        "look", "Time zones", "payments", "stands at midnight UTC: a date stored as a time"),
    "hours of another zone": (lambda t: changed(changed(t, "debtors", lambda row: row | {"country": "IN"} if row["country"] == "GB" else row),
        "contacts", lambda row: row), "look", "Time zones", "contacts", "never on the debtor's own"),
    "zone of another country": (setting("debtors", lambda row: {"time_zone": "America/Lima"}, where=lambda row: row["country"] == "SE"),
        "look", "Time zones", "debtors", "time_zone of debtors in SE"),
    "quick opens": (machine_opened, "look", "Machine opens", "contact_events", "within 5 seconds of delivery"),
    "repeated opens": (opened_again, "look", "Machine opens", "contact_events", "third or later within a minute"),
    "opens in bulk": (opened_in_bulk, "look", "Machine opens", "contact_events", "at least nine others"),
    "event ids twice": (lambda t: {**t, "contact_events": with_cell(t["contact_events"], "event_id",
        t["contact_events"]["event_id"][1].as_py())}, "problem", "Sequence numbers", "contact_events", "duplicate key"),
    "contact ids twice": (lambda t: with_rows(t, "contacts", [t["contacts"].to_pylist()[-1] | {"contact_id": "k0-0"}]),
        "problem", "Sequence numbers", "contacts", "rows of one contact_id differ in debtor_id"),
    "paid twice": (paid_twice, "look", "Sequence numbers", "payments", "under an identifier of their own"),
    "booked twice": (booked_twice, "look", "Sequence numbers", "payments", "within a day"),
    "no probability": (setting("contacts", lambda row: {"action_probability": None}, where=lambda row: row["policy"] == "rules"),
        "look", "Action probabilities", "contacts", "have no action_probability"),
    "probability lost": (setting("contacts", lambda row: {"action_probability": None}, where=lambda row: row["decided_at"].month == 6),
        "look", "Action probabilities", "contacts", "policy drawn has action probabilities, but none in 2025-06"),
    "probability above 1": (lambda t: {**t, "contacts": with_cell(t["contacts"], "action_probability", 1.5)}, "problem",
        "Action probabilities", "contacts", "above 0 and at most 1"),
    "nothing left to chance": (setting("contacts", lambda row: {"action_probability": 1.0}), "look", "Action probabilities",
        "contacts", "every known action_probability is 1"),
    "hardly any chance": (setting("contacts", lambda row: {"action_probability": 1e-4}), "look", "Action probabilities",
        "contacts", "under 0.001"),
    "known before": (setting("payments", lambda row: {"known_at": row["paid_at"] - timedelta(hours=2)}), "look", "Freshness",
        "payments", "known before they happened"),
    "known late": (setting("payments", lambda row: {"known_at": row["paid_at"] + timedelta(days=30)}), "look", "Freshness",
        "payments", "days after it happened"),
    "breach": (lambda t: {**t, "claims": with_cell(t["claims"], "principal", Decimal(-1))}, "problem", "Contract", "claims",
        "must be above 0"),
}  # fmt: skip


@pytest.mark.parametrize("fault", list(FAULTS))
def test_a_planted_fault_is_found_where_it_is(clean: Tables, fault: str) -> None:
    plant, level, heading, table, words = FAULTS[fault]
    findings = found(plant(clean))
    told = [(one.level, one.heading, one.table) for one in findings if words in one.sentence]
    assert (level, heading, table) in told, [(one.table, one.sentence) for one in findings]
    assert all(one.remedy for one in findings)


@pytest.mark.parametrize("seed", [2, 3, 4])
def test_no_alarm_is_false(seed: int) -> None:
    assert {finding.heading for finding in found(made_tables(seed))} <= {"Coverage"}


# Silence.


def test_neither_weekends_nor_holidays_nor_the_days_between_batches_are_silent() -> None:
    days = np.arange(to_day(START.date()), to_day(START.date()) + 600)
    christmas = to_day(START.replace(month=12, day=24).date())
    working = days[(days % 7 < 5) & ~((days >= christmas) & (days < christmas + 9))]
    monthly = days[::30]
    tuesdays = days[::7]
    for kept in (working, monthly, tuesdays):
        assert not list(silent_gaps(kept, kept * 0 + 50, since=int(kept[0]), until=int(kept[-1]), countries=["SE"]))


def test_a_week_lost_from_a_working_table_and_a_batch_that_did_not_come_are_told() -> None:
    days = np.arange(20_000, 20_600)
    working = days[(days % 7 < 5) & ~((days >= 20_303) & (days < 20_310))]
    monthly = np.delete(days[::30], [9, 10])
    for kept in (working, monthly):
        (gap,) = silent_gaps(kept, kept * 0 + 50, since=int(kept[0]), until=int(kept[-1]))
        assert gap.expected >= 20
        assert gap.ends == "between"


def test_a_few_rows_a_week_are_no_habit_that_can_be_broken() -> None:
    days = np.sort(np.random.default_rng(5).choice(np.arange(20_000, 20_600), size=40, replace=False))
    assert not list(silent_gaps(days, days * 0 + 1, since=int(days[0]), until=int(days[-1])))


def test_where_contacts_pause_their_events_pause_too(clean: Tables) -> None:
    paused = FAULTS["contacts silent"][0](clean)
    kept = set(paused["contacts"]["contact_id"].to_pylist())
    both = changed(paused, "contact_events", lambda row: row if row["contact_id"] in kept else None)
    tables = [finding.table for finding in found(both) if finding.heading == "Rows over time"]
    assert tables == ["contacts"]


# Shards.


def sharded(tables: Tables, folder: Path, *, shards: int = 3) -> Path:
    """The same rows laid out by debtor."""
    owner = {row["claim_id"]: row["debtor_id"] for row in tables["claims"].to_pylist()}
    contact = {row["contact_id"]: row["debtor_id"] for row in tables["contacts"].to_pylist()}
    for name, table in tables.items():
        rows = table.to_pylist()
        whose = [r.get("debtor_id") or owner.get(r.get("claim_id")) or contact.get(r.get("contact_id")) for r in rows]
        number = np.array([int(one[1:]) % shards if one and one[1:].isdigit() else 0 for one in whose], dtype=np.int64)
        for shard in range(shards):
            write_table(table.filter(pa.array(number == shard)), folder / name / f"{shard:05d}.parquet")
    write_layout(folder, shards=shards)
    return folder


def test_shards_together_say_what_the_whole_says(clean: Tables, tmp_path: Path) -> None:
    spoilt = clean
    for fault in ("payments silent", "calls shifted", "opens in bulk", "paid twice", "no probability", "known late"):
        spoilt = FAULTS[fault][0](spoilt)
    whole = inspect_portfolio(write_tables(spoilt, tmp_path / "whole"))
    parts = inspect_portfolio(sharded(spoilt, tmp_path / "parts"))
    assert parts.shards == 3
    assert parts.result.rows == whole.result.rows
    left, right = whole.as_dict()["quality"], parts.as_dict()["quality"]
    assert left["machine"] == right["machine"]
    assert left == right
    assert parts.findings() == whole.findings()
    assert "problem" in {finding.level for finding in parts.findings()}


def test_adding_measures_keeps_every_event_of_a_second() -> None:
    one = Machine({("email", "opened"): (6, 0, 0)}, {("email", "opened"): np.full(6, 30)})
    assert one.rows()[0]["counts"]["bulk"] == 0
    assert one.plus(one).rows()[0]["counts"]["bulk"] == 12


def test_problems_of_shards_are_told_once_and_words_apart(tmp_path: Path) -> None:
    tables = made_tables(debtors=40)
    words = {"k0-0": "fax", "k1-0": "fax", "k2-0": "telex"}
    bad = changed(tables, "contacts", lambda row: row | {"channel": words.get(row["contact_id"], row["channel"])})
    bad = changed(
        bad,
        "contacts",
        lambda row: row | {"send_at": row["send_at"] or row["decided_at"]} if row["contact_id"] in words else row,
    )
    problems = inspect_portfolio(sharded(bad, tmp_path)).result.problems
    assert {(problem.value, problem.count) for problem in problems} == {("fax", 2), ("telex", 1)}


def test_a_debtor_in_two_shards_is_a_problem(tmp_path: Path) -> None:
    folder = sharded(made_tables(debtors=40), tmp_path)
    lost = pa.concat_tables([pa.parquet.read_table(folder / "debtors" / f"0000{n}.parquet").slice(0, 1) for n in (0,)])
    write_table(lost, folder / "debtors" / "00001-1.parquet")
    result = inspect_portfolio(folder)
    (problem,) = result.result.problems
    assert (problem.table, problem.column, problem.value) == ("debtors", "debtor_id", "d0")
    assert "several shards" in problem.what
    assert result.aside["debtors"] == 2


def test_a_layout_that_cannot_be_read_is_a_problem_and_no_exception(tmp_path: Path) -> None:
    write_tables(sample_tables(), tmp_path)
    (tmp_path / "layout.json").write_text("{")
    found_here = inspect_portfolio(tmp_path)
    assert not found_here.ok
    assert found_here.verdict().code == "unusable"
    assert "delete it" in str(found_here.result.problems[0])


# The whole inspection.


def test_the_check_is_the_same_as_before(tmp_path: Path) -> None:
    tables = sample_tables()
    tables["claims"] = with_cell(tables["claims"], "principal", Decimal("-1.00"))
    folder = write_tables(tables, tmp_path)
    inspection = inspect_portfolio(folder)
    assert inspection.result == check(folder)
    lines = check(folder).lines()
    assert inspection.lines()[: len(lines)] == lines


def test_what_is_fine_is_said_and_findings_come_worst_first(clean: Tables, tmp_path: Path) -> None:
    inspection = inspect_portfolio(write_tables(FAULTS["payments silent"][0](clean), tmp_path))
    levels = [LEVELS.index(finding.level) for finding in inspection.findings()]
    assert levels == sorted(levels)
    assert {finding.heading for finding in inspection.findings()} == set(FINE)
    assert FINE["Machine opens"] in [finding.sentence for finding in inspection.findings()]


def test_the_verdict_counts_what_cannot_be_used(clean: Tables, tmp_path: Path) -> None:
    assert inspect_portfolio(write_tables(clean, tmp_path / "a")).verdict().code == "usable"
    spoilt = {**clean, "payments": with_cell(clean["payments"], "amount", Decimal(-1))}
    verdict = inspect_portfolio(write_tables(spoilt, tmp_path / "b")).verdict()
    assert (verdict.code, verdict.headline) == ("aside", "Usable with 1 row set aside")
    del spoilt["claims"]
    verdict = inspect_portfolio(write_tables(spoilt, tmp_path / "c")).verdict()
    assert verdict.code == "unusable"
    assert "required table is missing" in verdict.sentence


def broken_portfolios() -> dict[str, Tables]:
    sample = sample_tables()
    cases: dict[str, Tables] = {f"no {name}": {k: v for k, v in sample.items() if k != name} for name in SCHEMAS}
    cases |= {f"empty {name}": {**sample, name: table.slice(0, 0)} for name, table in sample.items()}
    cases["all empty"] = {name: schema.empty() for name, schema in SCHEMAS.items()}
    for name, table in sample.items():
        for column in table.column_names:
            nulls = pa.nulls(len(table), table.schema.field(column).type)
            place = table.column_names.index(column)
            cases[f"{name}.{column} null"] = {
                **sample,
                name: table.set_column(place, pa.field(column, nulls.type), nulls),
            }
    return cases


BROKEN = broken_portfolios()


@pytest.mark.parametrize("case", list(BROKEN))
def test_nothing_is_raised_for_what_is_found(case: str, tmp_path: Path) -> None:
    inspection = inspect_portfolio(write_tables(BROKEN[case], tmp_path))
    json.dumps(inspection.as_dict(), allow_nan=False)
    assert inspection.lines()[-1]


@pytest.mark.parametrize("instant", [-(2**62), 2**62, 253_402_300_800_000_000])
@pytest.mark.parametrize(
    ("table", "column"),
    [(s.name, c.name) for s in SCHEMAS.values() for c in s.columns if pa.types.is_timestamp(c.type)],
)
def test_an_instant_beyond_any_calendar_breaks_nothing(table: str, column: str, instant: int, tmp_path: Path) -> None:
    tables = sample_tables()
    given = tables[table].column(column).cast(pa.int64()).to_numpy().tolist()
    times = pa.array([instant, *[None if value != value else int(value) for value in given[1:]]], pa.int64())
    place = tables[table].column_names.index(column)
    far = times.cast(pa.timestamp("us", tz="UTC"))
    tables[table] = tables[table].set_column(place, pa.field(column, far.type), far)
    inspection = inspect_portfolio(write_tables(tables, tmp_path))
    json.dumps(inspection.as_dict(), allow_nan=False)


def test_columns_that_the_files_lack_are_told_from_empty_ones(tmp_path: Path) -> None:
    tables = sample_tables()
    tables["contacts"] = tables["contacts"].drop_columns(["known_at"])
    folder = write_tables(tables, tmp_path)
    states = {
        one["column"]: one["state"]
        for one in inspect_portfolio(folder).as_dict()["quality"]["coverage"]
        if one["table"] == "contacts"
    }
    assert (states["known_at"], states["statutory_step"], states["tone"]) == ("absent", "empty", "one value")
    assert ("contacts", "known_at") not in stored_columns(folder)


def test_an_hour_of_the_debtor_s_clock_is_counted_in_winter_and_in_summer(clean: Tables) -> None:
    rows = [row for row in measured(clean).hours.rows() if row["series"] == "calls and messages"]
    assert {row["zone"] for row in rows} == {"Europe/Stockholm", "Europe/Berlin", "Europe/Helsinki", "Europe/London"}
    for row in rows:
        assert {hour for hour, count in enumerate(row["hours"]) if count} <= {9, 10, 11, 13, 14, 16, 18}
    assert local(0, "Europe/Helsinki", 9).hour == 7
