"""What pages withhold where debtors stand in several cells: nothing about few can be worked out from what is left."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from data.config import Config
from data.times import to_us
from tests.training.reports.pages.page_parts import chart, number, read_in_all_languages, table
from tests.training.reports.worlds import at, decision, log_of, payment, portfolio_of
from training.reports.blocks import Quantity
from training.reports.decision_states import decision_states
from training.reports.facts import Facts, facts_of
from training.reports.pages.calibration import calibration
from training.reports.pages.channels import channels
from training.reports.pages.costs import costs
from training.reports.pages.data_quality import data_quality


def drawn(debtor: str, place: int, **more: Any) -> dict[str, Any]:
    """A decision on the debtor, every fourth of the control arm."""
    control = place % 4 == 0
    arm = {"arm": "control" if control else "champion", "arm_probability": 0.25 if control else 0.75}
    claim = more.pop("claim", f"{debtor}/0")
    return decision(debtor, claim, **(arm | more))


def of(rows: list[dict[str, Any]], *, last: float = 60, **tables: Any) -> Facts:
    log = log_of(rows)
    tables["payments"] = [*tables.get("payments", []), payment(rows[0]["claim_id"], last, 1)]
    portfolio = portfolio_of(log, **tables)
    return facts_of(log, portfolio, config=Config(), workspace=Path("nowhere"), known_until_us=to_us(at(last)))


def test_a_part_of_few_cannot_be_had_from_its_channel_less_its_other_country() -> None:
    sizes = {"sms": (200, 100), "phone": (80, 4), "letter": (12, 60)}
    rows, debtors = [], []
    for channel, each in sizes.items():
        for country, size in zip(("SE", "NO"), each, strict=True):
            for place in range(size):
                name = f"{channel}{country}{place}"
                debtors.append({"debtor_id": name, "country": country, "registered_at": at(-99)})
                rows.append(drawn(name, place, channel=channel))
    found = table(calibration(of(rows, debtors=debtors)), "parts")
    gone = {one.key for one in found.rows if number(found, one.key, "claims").withheld}
    assert {"phone NO", "phone SE"} <= gone
    for country in ("SE", "NO"):
        assert len([one for one in gone if one.endswith(country)]) != 1


def test_debtors_of_an_unknown_country_cannot_be_had_from_a_channel_less_its_countries() -> None:
    people = [
        {"debtor_id": f"d{place}", "country": "SE" if place % 2 else "NO", "registered_at": at(-99)}
        for place in range(100)
    ]
    names = [*(str(one["debtor_id"]) for one in people), "u0", "u1", "u2"]
    rows = [drawn(name, place, channel="sms") for place, name in enumerate(names)]
    found = table(calibration(of(rows, debtors=people)), "parts")
    assert any(number(found, one.key, "claims").withheld for one in found.rows)


def test_the_claims_of_few_debtors_are_withheld_where_there_are_not_enough_data() -> None:
    page = calibration(of([drawn(f"d{place}", place) for place in range(4)]))
    assert page.verdict is not None
    said = page.verdict.sentence.values["claims"]
    assert isinstance(said, Quantity)
    assert (page.verdict.code, said.withheld, said.value) == ("not_enough_data", True, None)
    assert read_in_all_languages(page)


def test_debtors_who_stand_in_two_channels_count_once_in_what_is_withheld() -> None:
    """Six debtors behind a letter and a call each: the two cells together are six debtors, not twelve."""
    rows = [drawn(f"d{place:03d}", place, channel="sms") for place in range(200)]
    for place in range(6):
        rows += [drawn(f"x{place}", 1, channel="letter"), drawn(f"x{place}", 1, channel="phone", day=20)]
    page = channels(of(rows, payments=[payment(f"x{place}/0", 21, 111) for place in range(6)]))
    found = table(page, "followed")
    assert [one.key for one in found.rows if not number(found, one.key, "credited").withheld] == []


def test_months_of_the_same_few_debtors_do_not_hide_each_other() -> None:
    rows = [drawn(f"d{place:03d}", place, channel="sms", day=62) for place in range(40)]
    for place in range(6):
        rows += [drawn(f"x{place}", place, channel="sms", day=day) for day in (0, 31)]
    found = table(calibration(of(rows, last=120)), "months_table")
    assert len(found.rows) == 3
    assert all(number(found, one.key, "claims").withheld for one in found.rows)


def test_a_share_of_zero_is_a_field_and_no_contact_is_none() -> None:
    rows = [
        drawn(f"d{place}", place, channel="sms", send_at=at(0) + timedelta(hours=15 if place < 80 else 17))
        for place in range(120)
    ]
    rows += [drawn(f"m{place}", place, channel="email", send_at=at(0) + timedelta(hours=15)) for place in range(40)]
    page = channels(of(rows, payments=[payment(f"d{place}/0", 3, 10) for place in range(0, 80, 3)]))
    for key in ("followed_hours", "decided_hours"):
        fields = {one.key: [point.quantity.value for point in one.points] for one in chart(page, key).series}
        assert {name: len(values) for name, values in fields.items()} == {"sms": 2, "email": 1}
        if key == "followed_hours":
            assert fields["sms"][1] == fields["email"][0] == 0.0


def test_a_channel_of_few_followed_debtors_is_withheld_however_many_were_contacted_since() -> None:
    rows = [drawn(f"d{place}", place, channel="sms") for place in range(300)]
    rows += [drawn(f"p{place}", 1, channel="letter") for place in range(3)]
    rows += [drawn(f"q{place}", place, channel="letter", day=20) for place in range(40)]
    found = table(costs(of(rows, last=28)), "channels")
    assert number(found, "letter", "contacts_made").withheld
    assert number(found, "sms", "contacts_made").withheld


def test_many_decisions_on_few_debtors_are_withheld() -> None:
    rows = [decision(f"d{place}", f"d{place}/0", channel="sms") for place in range(60)]
    rows += [decision("x", "x/0", channel="sms", day=float(day)) for day in range(1, 15)]
    facts = of(rows)
    status = facts.decisions.append_column("status", [["confirmed"] * 60 + ["refused"] * 14])
    status = status.append_column("refused_for", [[None] * 60 + ["paid"] * 14])
    again = facts_of(
        status, facts.portfolio, config=Config(), workspace=Path("nowhere"), known_until_us=facts.known_until_us
    )
    assert decision_states(again).contacts["refused"] == 14
    page = data_quality(again)
    assert page is not None
    for key, name in (("states", "refused"), ("states", "confirmed"), ("refusals", "paid")):
        assert number(table(page, key), name, "count").withheld


def test_creditors_of_the_same_few_debtors_do_not_hide_each_other() -> None:
    rows = [drawn(f"d{place:03d}", place, channel="sms") for place in range(80)]
    rows += [drawn(f"x{place}", place, claim=f"x{place}/{claim}") for place in range(6) for claim in (0, 1)]
    facts = of(rows)
    claims = facts.portfolio["claims"]
    whose = [
        {"x0": "A", "x1": "B"}.get(f"x{one[-1]}", "") if one[0] == "x" else "C"
        for one in claims["claim_id"].to_pylist()
    ]
    place = claims.column_names.index("creditor_id")
    tables = {**facts.portfolio.tables, "claims": claims.set_column(place, claims.field(place), [whose])}
    again = facts_of(
        facts.decisions,
        type(facts.portfolio)(tables, facts.portfolio.given),
        config=Config(),
        workspace=Path("nowhere"),
        known_until_us=facts.known_until_us,
    )
    found = table(costs(again), "creditors")
    assert {one.key for one in found.rows} == {"A", "B", "C"}
    assert all(number(found, one.key, "debtors").withheld for one in found.rows)
