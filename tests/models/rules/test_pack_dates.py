"""Several packs of one country: which of them is in force on a day, and how those that do not fit are refused."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from models.rules.pack import FOLDER, BadPack, country_of, faults, read_folder, read_packs

NORWAY = (FOLDER / "NO.toml").read_text(encoding="utf-8")


def pack(folder: Path, name: str, begins: str, ends: str | None = None, *, enabled: bool = True) -> None:
    """A Norwegian pack with these dates."""
    until = f"valid_to = {ends}\n" if ends else ""
    switch = "" if enabled else "enabled = false\n"
    text = NORWAY.replace("valid_from = 2020-01-01\n", f"valid_from = {begins}\n{until}{switch}")
    (folder / name).write_text(text, encoding="utf-8")


@pytest.fixture
def two(tmp_path: Path) -> Path:
    pack(tmp_path, "NO.toml", "2020-01-01", "2026-12-31")
    pack(tmp_path, "NO-2027.toml", "2027-01-01")
    return tmp_path


@pytest.mark.parametrize(
    ("on", "begins"),
    [
        (None, date(2027, 1, 1)),
        (date(2026, 12, 31), date(2020, 1, 1)),
        (date(2027, 1, 1), date(2027, 1, 1)),
        (date(2040, 1, 1), date(2027, 1, 1)),
        (date(2015, 1, 1), date(2020, 1, 1)),
    ],
)
def test_the_pack_in_force_is_that_of_the_day_the_first_before_it_the_newest_without_one(
    two: Path, on: date | None, begins: date
) -> None:
    assert read_packs(two, on=on)["NO"].valid_from == begins


def test_a_file_is_for_the_country_before_its_first_dash(tmp_path: Path) -> None:
    assert country_of("NO-new-act.toml") == "NO"
    pack(tmp_path, "SE-2027.toml", "2020-01-01")
    with pytest.raises(BadPack, match=r'SE-2027\.toml: expected country = "SE"'):
        read_packs(tmp_path)


def test_packs_that_overlap_are_refused_with_both_spans(two: Path) -> None:
    pack(two, "NO-2027.toml", "2026-12-31")
    with pytest.raises(
        BadPack, match=r"NO\.toml and NO-2027\.toml overlap: 2020-01-01 to 2026-12-31, and from 2026-12-31.*2026-12-30"
    ):
        read_packs(two)


def test_a_pack_without_an_end_lets_none_follow_it(two: Path) -> None:
    pack(two, "NO.toml", "2020-01-01")
    with pytest.raises(BadPack, match="overlap: 2020-01-01 to no end, and from 2027-01-01"):
        read_packs(two)


def test_a_gap_between_packs_is_refused_with_its_days(two: Path) -> None:
    pack(two, "NO-2027.toml", "2027-02-01")
    with pytest.raises(BadPack, match="leave a gap from 2027-01-01 to 2027-01-31"):
        read_packs(two)


def test_a_country_whose_last_pack_has_ended_is_refused_from_the_day_after(two: Path) -> None:
    pack(two, "NO-2027.toml", "2027-01-01", "2027-06-30")
    assert read_packs(two, on=date(2027, 6, 30))["NO"].valid_to == date(2027, 6, 30)
    with pytest.raises(BadPack, match=r"NO-2027\.toml: the last pack of NO ended on 2027-06-30, before 2027-07-01"):
        read_packs(two, on=date(2027, 7, 1))


def test_a_pack_that_is_switched_off_is_read_and_never_in_force(two: Path) -> None:
    pack(two, "NO-draft.toml", "2026-06-01", enabled=False)
    assert not read_folder(two)["NO-draft.toml"].enabled
    assert {read_packs(two, on=date(2026, 7, day))["NO"].valid_from for day in range(1, 9)} == {date(2020, 1, 1)}


def test_a_pack_that_is_switched_off_is_checked_like_the_others(two: Path) -> None:
    pack(two, "NO-draft.toml", "2026-06-01", "2026-05-01", enabled=False)
    with pytest.raises(BadPack, match=r"NO-draft\.toml: expected valid_to on or after valid_from"):
        read_packs(two)


def test_a_country_with_drafts_only_is_left_out_and_a_folder_of_them_refused(two: Path) -> None:
    (two / "SE.toml").write_text((FOLDER / "SE.toml").read_text(encoding="utf-8"), encoding="utf-8")
    for name in ("NO.toml", "NO-2027.toml"):
        pack(two, name, "2020-01-01", enabled=False)
    assert set(read_packs(two)) == {"SE"}
    (two / "SE.toml").unlink()
    with pytest.raises(BadPack, match="nobody may be contacted"):
        read_packs(two)


def test_every_fault_of_a_folder_is_told_a_line_a_file(two: Path) -> None:
    (two / "DE.toml").write_text("country = ", encoding="utf-8")
    (two / "DK.toml").write_bytes(b"\xff\xfe")
    pack(two, "SE.toml", "2020-01-01")
    pack(two, "NO-2027.toml", "2028-01-01")
    found = faults(two)
    assert [one.split()[0].rstrip(":") for one in found] == ["DE.toml", "DK.toml", "SE.toml", "NO.toml"]
    assert "leave a gap" in found[-1]
    assert faults(FOLDER) == []


def test_faults_are_told_for_the_day(two: Path) -> None:
    pack(two, "NO-2027.toml", "2027-01-01", "2027-06-30")
    assert faults(two) == faults(two, on=date(2027, 6, 30)) == []
    assert len(faults(two, on=date(2027, 7, 1))) == 1


def test_a_country_none_of_whose_packs_has_begun_is_a_fault_though_old_logs_are_held_to_the_first(two: Path) -> None:
    assert faults(two, on=date(2020, 1, 1)) == []
    (found,) = faults(two, on=date(2019, 12, 31))
    assert "NO.toml: the first pack of NO begins on 2020-01-01, after 2019-12-31" in found
    assert "valid_to = 2019-12-31" in found
    assert read_packs(two, on=date(2019, 12, 31))["NO"].valid_from == date(2020, 1, 1)
