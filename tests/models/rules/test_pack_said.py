"""What every pack must say, and how countries and regions are written in it."""

from __future__ import annotations

import tomllib

import pytest

from models.rules.pack import FOLDER, BadPack, parse_pack, read_text


@pytest.mark.parametrize(
    ("name", "remedy"),
    [("caps", r"caps = \[\]"), ("waits", r"waits = \[\]"), ("school_hours", r"\[school_hours\] with none = true")],
)
def test_a_pack_that_is_silent_on_caps_waits_or_school_hours_is_refused_with_how_to_say_that_there_are_none(
    name: str, remedy: str
) -> None:
    document = tomllib.loads((FOLDER / "SE.toml").read_text(encoding="utf-8"))
    del document[name]
    with pytest.raises(BadPack, match=rf"SE\.toml: says nothing of {name};.*{remedy}"):
        parse_pack(document, where="SE.toml")


def test_what_the_remedy_says_can_be_written_in_a_file() -> None:
    head, windows = (FOLDER / "SE.toml").read_text(encoding="utf-8").split("[holidays]")
    silent = head + "caps = []\nwaits = []\n[holidays]" + windows.split("[[caps]]")[0]
    assert read_text(silent + "[school_hours]\nnone = true\n", name="SE.toml").school_hours is None
    with pytest.raises(BadPack, match="says nothing of school_hours"):
        read_text(silent, name="SE.toml")


@pytest.mark.parametrize(("country", "known", "unknown"), [("BR", "BR-SP", "BR-XX"), ("US", "US-NY", "US-NYC")])
def test_a_window_for_a_region_that_is_not_there_is_refused_where_all_of_them_are_known(
    country: str, known: str, unknown: str
) -> None:
    document = tomllib.loads((FOLDER / f"{country}.toml").read_text(encoding="utf-8"))
    document["windows"] = [{**row, "regions": [known]} for row in document["windows"] if "regions" not in row]
    assert parse_pack(document, where="x").regions_with_own_windows() == (known,)
    document["windows"][0]["regions"] = [unknown]
    with pytest.raises(BadPack, match=rf"window 1: expected regions of {country}.*came \['{unknown}'\]"):
        parse_pack(document, where="x")


def test_a_region_of_a_country_of_which_not_all_are_known_is_taken() -> None:
    document = tomllib.loads((FOLDER / "GB.toml").read_text(encoding="utf-8"))
    document["windows"] = [{**row, "regions": ["GB-LND"]} for row in document["windows"]]
    assert parse_pack(document, where="GB.toml").regions_with_own_windows() == ("GB-LND",)


@pytest.mark.parametrize("name", ["no.toml", "No.toml", "norway.toml", "N0.toml", "no-2027.toml"])
def test_a_file_that_is_not_named_for_a_country_in_capitals_is_refused(name: str) -> None:
    with pytest.raises(BadPack, match=rf"{name}: expected a file named for its country, two capital letters"):
        read_text((FOLDER / "NO.toml").read_text(encoding="utf-8"), name=name)
