"""Rule packs: what stands in ours, and how a bad one is refused."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import tomllib
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from data.vocabulary import CONTACT_CHANNELS
from models.rules.pack import FOLDER, BadPack, parse_pack, read_folder, read_packs
from tests.documents.markdown import ROOT

MAY_BE_LEFT_OUT = ("in_writing", "promotion", "enabled")
NONE: dict[str, Any] = {"caps": [], "waits": [], "school_hours": {"none": True}}
OURS = ("BR", "DE", "DK", "FI", "GB", "NO", "SE", "US")


def swedish() -> dict[str, Any]:
    return tomllib.loads((FOLDER / "SE.toml").read_text(encoding="utf-8"))


def test_there_is_a_pack_for_each_of_our_countries() -> None:
    assert tuple(read_packs()) == OURS


@pytest.mark.parametrize("country", OURS)
def test_a_pack_names_its_source_and_every_channel(country: str) -> None:
    pack = read_packs()[country]
    assert pack.source
    assert pack.channels() == set(CONTACT_CHANNELS)
    assert {window.status for window in pack.windows} <= {"confirmed", "conservative_default"}


@pytest.mark.parametrize("country", OURS)
def test_only_what_was_read_in_a_source_is_called_confirmed(country: str) -> None:
    assert (read_packs()[country].status == "confirmed") is (country in ("NO", "US"))


def test_texts_follow_the_hours_of_calls() -> None:
    for pack in read_packs().values():
        for region in (None, *pack.regions_with_own_windows()):
            assert pack.windows_of("sms", region) == pack.windows_of("phone", region)


def test_a_region_with_its_own_windows_leaves_those_of_the_country() -> None:
    brazil = read_packs()["BR"]
    assert [(w.weekdays[0], w.from_hour, w.to_hour) for w in brazil.windows_of("phone", "BR-SP")] == [
        (0, 8, 20),
        (5, 8, 14),
    ]
    assert [(w.from_hour, w.to_hour) for w in brazil.windows_of("phone", "BR-MG")] == [(9, 19)]
    assert [(w.from_hour, w.to_hour) for w in brazil.windows_of("letter", "BR-SP")] == [(8, 20)]


def test_what_the_sources_confirm_of_caps_and_waits_stands_in_the_packs() -> None:
    packs = read_packs()
    told = {(cap.channels, cap.most, cap.days, cap.scope) for cap in packs["NO"].caps}
    assert {(("phone",), most, days, "debtor") for most, days in ((1, 1), (5, 7), (15, 31))} <= told
    assert [(c.most, c.days, c.scope) for c in packs["US"].caps if c.status == "confirmed"] == [(7, 7, "claim")]
    assert [(w.days, w.full_days) for w in packs["US"].waits if w.after == "conversation"] == [(7, True)]
    sweden = [w for w in packs["SE"].waits if w.stages == ("collection",)]
    assert [(w.days, w.bank_days, w.receipt_days) for w in sweden] == [(8, False, 0), (4, True, 5)]
    denmark = [w for w in packs["DK"].waits if w.status == "confirmed"]
    assert [(w.days, w.stages, len(w.channels)) for w in denmark] == [(10, ("collection",), 6)]
    assert {(w.days, w.full_days) for w in packs["FI"].waits if "letter" in w.channels and w.after == "stage"} == {
        (14, True),
        (10, True),
    }


@pytest.mark.parametrize("country", OURS)
def test_every_country_has_the_cautious_rules_and_no_lawyer_has_signed(country: str) -> None:
    pack = read_packs()[country]
    together = [cap for cap in pack.caps if len(cap.channels) == 5]
    assert [(cap.most, cap.days) for cap in together] == [(1, 1), (4, 7)]
    assert not any("portal" in cap.channels for cap in together)
    assert {("click", 3, True, 6), ("inbound", 2, False, 6)} <= {
        (wait.after, wait.days, wait.bank_days, len(wait.channels)) for wait in pack.waits
    }
    assert pack.school_hours is not None
    assert (pack.school_hours.from_hour, pack.school_hours.to_hour, pack.school_hours.weekdays) == (
        8,
        16,
        tuple(range(5)),
    )
    assert pack.promotion is not None
    assert not pack.promotion.allowed
    assert (pack.promotion.status == "confirmed") is (country == "FI")
    assert (pack.in_writing is not None) is (country in ("DE", "US"))
    assert pack.reviewed_by == ""


def test_the_norwegian_act_is_read_and_switched_off() -> None:
    proposed = read_folder(FOLDER)["NO-proposed.toml"]
    assert (proposed.country, proposed.enabled, proposed.status) == ("NO", False, "conservative_default")
    for on in (None, date(2026, 6, 1), date(2030, 1, 1)):
        assert read_packs(on=on)["NO"] != proposed


def test_a_row_has_the_status_and_source_of_the_head_unless_it_gives_its_own() -> None:
    document = swedish()
    document["caps"] = [{"channels": ["sms"], "most": 2, "days": 7, "scope": "claim"}]
    cap = parse_pack(document, where="SE.toml").caps[0]
    assert (cap.status, cap.source) == (document["status"], document["source"])
    document["caps"][0] |= {"status": "confirmed", "source": "An act, section 1."}
    cap = parse_pack(document, where="SE.toml").caps[0]
    assert (cap.status, cap.source) == ("confirmed", "An act, section 1.")


def test_a_confirmed_row_may_rest_on_a_confirmed_head() -> None:
    document = swedish() | {"status": "confirmed"}
    document["caps"] = [{"channels": ["sms"], "most": 2, "days": 7, "scope": "claim", "status": "confirmed"}]
    assert parse_pack(document, where="SE.toml").caps[0].source == document["source"]


def test_a_pack_may_say_that_it_has_no_caps_no_waits_and_no_school_hours() -> None:
    document = {key: value for key, value in swedish().items() if key not in MAY_BE_LEFT_OUT} | NONE
    pack = parse_pack(document, where="SE.toml")
    assert (pack.caps, pack.waits, pack.school_hours, pack.in_writing, pack.promotion, pack.enabled) == (
        (), (), None, None, None, True,
    )  # fmt: skip


def test_a_cap_of_no_contact_at_all_is_a_cap() -> None:
    document = swedish()
    document["caps"] = [{"channels": ["phone"], "most": 0, "days": 1, "scope": "debtor"}]
    assert parse_pack(document, where="SE.toml").caps[0].most == 0


def test_a_longer_cap_may_be_the_lower_one() -> None:
    document = swedish()
    document["caps"] = [
        {"channels": ["phone"], "most": most, "days": days, "scope": "debtor"} for most, days in ((3, 1), (2, 7))
    ]
    assert len(parse_pack(document, where="SE.toml").caps) == 2


def _row(name: str, number: int, **changes: Any) -> Callable[[dict[str, Any]], None]:
    return lambda document: document[name][number].update(changes)


def _table(name: str, **changes: Any) -> Callable[[dict[str, Any]], None]:
    return lambda document: document[name].update(changes)


def _again(name: str, number: int, **changes: Any) -> Callable[[dict[str, Any]], None]:
    return lambda document: document[name].append({**document[name][number], **changes})


def _set(key: str, value: Any) -> Callable[[dict[str, Any]], None]:
    return lambda document: document.update({key: value})


def _window(key: str, value: Any) -> Callable[[dict[str, Any]], None]:
    return lambda document: document["windows"][0].update({key: value})


def _holidays(key: str, value: Any) -> Callable[[dict[str, Any]], None]:
    return lambda document: document["holidays"].update({key: value})


BAD: list[tuple[Callable[[dict[str, Any]], Any], str]] = [
    (_set("hours", 3), r"unknown keys \['hours'\]"),
    (lambda d: d.pop("source"), r"missing keys \['source'\]"),
    (lambda d: d.pop("windows"), r"missing keys \['windows'\]"),
    (_set("windows", []), "at least one"),
    (_set("windows", [3]), "expected a table, came 3"),
    (_set("source", " "), "source: expected a text"),
    (_set("status", "sure"), "status: expected one of confirmed, conservative_default, came 'sure'"),
    (_set("valid_from", "2020"), "valid_from: expected a date"),
    (_set("valid_to", date(2019, 1, 1)), "valid_to on or after valid_from"),
    (_set("holidays", 1), "expected a table, came 1"),
    (_holidays("sets", []), r"unknown keys \['sets'\]"),
    (_holidays("categories", []), "categories: expected a list of texts"),
    (_holidays("categories", ["bankers"]), "SE has no holiday sets bankers"),
    (_holidays("extra", ["Christmas"]), "expected a day such as '12-24'"),
    (_window("tone", "firm"), r"window 1: unknown keys \['tone'\]"),
    (_window("from", 20), "0 <= from < to <= 24, came from = 20, to = 20"),
    (_window("from", 8.5), "whole hours"),
    (_window("to", 25), "0 <= from < to <= 24"),
    (_window("holidays", 0), "holidays: expected true or false, came 0"),
    (_window("channels", ["telex"]), r"channels: expected names out of sms, email"),
    (_window("channels", ["sms", "sms"]), "none twice"),
    (_window("weekdays", ["monday"]), "weekdays: expected names out of mon, tue"),
    (_window("weekdays", "mon"), "weekdays: expected a list of texts"),
    (_window("regions", ["NO-03"]), r"expected regions of SE such as SE-XX .ISO 3166-2., came \['NO-03'\]"),
    (_window("regions", []), "regions: expected a list of texts"),
    (_window("regions", ["SE-Skåne"]), r"expected regions of SE such as SE-XX \(ISO 3166-2\), came"),
    (_set("country", "se"), "country: expected two capital letters .*came 'se'"),
    (_set("country", "SWE"), "country: expected two capital letters"),
    (_window("channels", ["email"]), "windows 1 and 2 both speak of email on mon 08-20"),
    (_window("source", ""), "window 1 source: expected a text"),
    (_set("windows", 3), r"expected rows \[\[windows\]\], came 3"),
    (_set("caps", {}), r"expected rows \[\[caps\]\], came \{\}"),
    (_set("waits", [3]), "wait 1: expected a table, came 3"),
    (_set("school_hours", 3), r"\[school_hours\]: expected a table, came 3"),
    (_set("enabled", 1), "enabled: expected true or false, came 1"),
    (_row("caps", 0, per="week"), r"cap 1: unknown keys \['per'\]"),
    (lambda d: d["caps"][1].pop("scope"), r"cap 2: .*missing keys \['scope'\]"),
    (_row("caps", 0, most=-1), "cap 1 most: expected a whole number, 0 or more, came -1"),
    (_row("caps", 0, most=True), "cap 1 most: expected a whole number, 0 or more, came True"),
    (_row("caps", 0, days=0), "cap 1 days: expected a whole number, 1 or more, came 0"),
    (_row("caps", 0, days=32), "cap 1 days: expected at most 31, came 32"),
    (_row("caps", 0, days=1.5), "cap 1 days: expected a whole number, 1 or more, came 1.5"),
    (_row("caps", 0, scope="creditor"), "cap 1 scope: expected one of debtor, claim, came 'creditor'"),
    (_row("caps", 0, channels=["telex"]), "cap 1 channels: expected names out of sms"),
    (_row("caps", 0, source=""), "cap 1 source: expected a text"),
    (_row("caps", 0, status="sure"), "cap 1 status: expected one of"),
    (_again("caps", 0, most=9), r"caps 1 and 5 both speak of phone in 1 days by debtor, most 1 and 9"),
    (_again("caps", 2, channels=["phone", "letter", "digital_mailbox", "email", "sms"]), "caps 3 and 5 both speak"),
    (_row("waits", 0, hours=3), r"wait 1: unknown keys \['hours'\]"),
    (lambda d: d["waits"][0].pop("days"), r"wait 1: .*missing keys \['days'\]"),
    (_row("waits", 0, after="letter"), "wait 1 after: expected one of contact, conversation, click, inbound, stage"),
    (_row("waits", 0, days=0), "wait 1 days: expected a whole number, 1 or more, came 0"),
    (_row("waits", 0, receipt_days=-1), "wait 1 receipt_days: expected a whole number, 0 or more, came -1"),
    (_row("waits", 0, bank_days=3), "wait 1 bank_days: expected true or false, came 3"),
    (_row("waits", 0, full_days="yes"), "wait 1 full_days: expected true or false, came 'yes'"),
    (_row("waits", 0, stages=["notice"]), 'wait 1: expected stages with after = "stage" .* "click" with stages'),
    (lambda d: d["waits"][2].pop("stages"), 'wait 3: expected stages with after = "stage" .* "stage" without stages'),
    (_row("waits", 2, stages=["court"]), "wait 3 stages: expected names out of pre_due, reminder, notice"),
    (_row("waits", 2, stages=[]), "wait 3 stages: expected a list of texts"),
    (_again("waits", 0, days=5), "waits 1 and 6 both speak of .* after click, 3 and 5 days"),
    (lambda d: d["waits"][0].update(status="confirmed") or d["waits"][0].pop("source"), "wait 1: .*without a source"),
    (_table("school_hours", none=True), r"\[school_hours\]: expected none = true by itself, or hours without none"),
    (_set("school_hours", {"none": False}), r"\[school_hours\]: expected none = true by itself"),
    (_set("school_hours", {"none": 1}), r"\[school_hours\]: expected none = true by itself"),
    (_table("school_hours", to=8), r"\[school_hours\]: expected whole hours 0 <= from < to <= 24"),
    (_table("school_hours", zone="x"), r"\[school_hours\]: unknown keys \['zone'\]"),
    (_table("school_hours", weekdays=["workdays"]), r"\[school_hours\] weekdays: expected names out of mon"),
    (_set("in_writing", {"channels": ["sms"], "by": ["sms"]}), r"\[in_writing\]: .*came \['sms'\] in both"),
    (_set("in_writing", {"channels": ["sms"], "by": []}), r"\[in_writing\] by: expected a list of texts"),
    (_set("in_writing", {"channels": ["sms"]}), r"\[in_writing\]: .*missing keys \['by'\]"),
    (_table("promotion", allowed="no"), r"\[promotion\] allowed: expected true or false, came 'no'"),
    (lambda d: d["promotion"].pop("allowed"), r"\[promotion\]: .*missing keys \['allowed'\]"),
]


@pytest.mark.parametrize(("spoil", "message"), BAD)
def test_a_bad_pack_is_refused_with_the_place_and_the_remedy(
    spoil: Callable[[dict[str, Any]], Any], message: str
) -> None:
    document = swedish()
    spoil(document)
    with pytest.raises(BadPack, match=message):
        parse_pack(document, where="SE.toml")


def test_a_file_that_is_not_toml_or_named_for_another_country_is_refused(tmp_path: Path) -> None:
    (tmp_path / "NO.toml").write_text((FOLDER / "SE.toml").read_text(encoding="utf-8"), encoding="utf-8")
    with pytest.raises(BadPack, match=r'NO\.toml: expected country = "NO"'):
        read_packs(tmp_path)
    (tmp_path / "NO.toml").write_text("country = ", encoding="utf-8")
    with pytest.raises(BadPack, match=r"NO\.toml is not TOML"):
        read_packs(tmp_path)


def test_a_folder_without_packs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadPack, match="nobody may be contacted"):
        read_packs(tmp_path)


def test_a_deployment_may_name_its_own_channel_in_its_packs(tmp_path: Path) -> None:
    text = (FOLDER / "SE.toml").read_text(encoding="utf-8").replace('"portal"', '"portal", "chat"')
    (tmp_path / "SE.toml").write_text(text, encoding="utf-8")
    with pytest.raises(BadPack, match="chat"):
        read_packs(tmp_path)
    assert "chat" in read_packs(tmp_path, channels=(*CONTACT_CHANNELS, "chat"))["SE"].channels()


def test_a_grid_with_fewer_channels_or_other_ones_leaves_our_packs_readable() -> None:
    assert read_packs(channels=("sms", "chat")) == read_packs()


def test_a_pack_handed_to_another_process_is_the_same_key_there() -> None:
    pack = read_packs()["SE"]
    hash(pack)
    told = f"import pickle; pack = pickle.loads({pickle.dumps(pack)!r}); from models.rules.pack import read_packs; "
    ask = told + "assert {read_packs()['SE']: 1}[pack] == 1"
    subprocess.run([sys.executable, "-c", ask], check=True, cwd=ROOT, env={**os.environ, "PYTHONHASHSEED": "7"})
