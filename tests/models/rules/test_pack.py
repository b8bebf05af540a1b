"""Rule packs: what stands in ours, and how a bad one is refused."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from data.vocabulary import CONTACT_CHANNELS
from models.rules.pack import FOLDER, BadPack, parse_pack, read_packs

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
    (_window("regions", ["NO-03"]), r"expected regions of SE such as SE-XX, came \['NO-03'\]"),
    (_window("regions", []), "regions: expected a list of texts"),
    (_window("channels", ["email"]), "windows 1 and 2 both speak of email on mon 08-20"),
    (_window("source", ""), "window 1 source: expected a text"),
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
