"""A tenant's own packs before the shipped ones, and the last good ones when a file is bad."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from models.rules import packs_kept
from models.rules.pack import FOLDER, BadPack, Packs, read_packs
from models.rules.packs_kept import packs_in_force

MONDAY, TUESDAY, FRIDAY = date(2026, 3, 2), date(2026, 3, 3), date(2026, 3, 6)
OWN_HOURS = (FOLDER / "NO.toml").read_text(encoding="utf-8").replace("to = 21", "to = 17")


def hour(packs: Packs, country: str = "NO") -> int:
    """End of the country's calls on weekdays: 21 in the shipped Norwegian pack, 17 in the tenant's own."""
    return packs[country].windows[0].to_hour


@pytest.fixture
def own(tmp_path: Path) -> Path:
    folder = tmp_path / "rules"
    folder.mkdir()
    (folder / "NO.toml").write_text(OWN_HOURS, encoding="utf-8")
    return folder


def in_force(own: Path | None, on: date = MONDAY, *, kept: Path | None = None) -> tuple[Packs, tuple[str, ...]]:
    place = kept or (own / ".last-good" if own else Path("nowhere"))
    found = packs_in_force(own, place, on=on)
    return found.packs, found.notices


def spoil(own: Path, text: str = "country = ") -> None:
    (own / "NO.toml").write_text(text, encoding="utf-8")


def test_without_own_packs_the_shipped_ones_are_in_force(tmp_path: Path) -> None:
    for folder in (None, tmp_path / "missing"):
        packs, notices = in_force(folder, kept=tmp_path / "kept")
        assert packs == read_packs()
        assert notices == ()
    assert not (tmp_path / "kept").exists()


def test_an_own_pack_replaces_the_shipped_one_of_its_country_alone(own: Path) -> None:
    packs, notices = in_force(own)
    assert (hour(packs), hour(read_packs()), notices) == (17, 21, ())
    assert {country: pack for country, pack in packs.items() if country != "NO"} == {
        country: pack for country, pack in read_packs().items() if country != "NO"
    }


def test_a_country_that_is_not_shipped_may_have_an_own_pack(own: Path) -> None:
    (own / "AT.toml").write_text(
        (FOLDER / "FI.toml").read_text(encoding="utf-8").replace('country = "FI"', 'country = "AT"'), encoding="utf-8"
    )
    assert set(in_force(own)[0]) == {*read_packs(), "AT"}


def test_the_last_good_pack_goes_on_when_the_own_one_turns_bad_and_a_notice_says_so(own: Path) -> None:
    in_force(own, MONDAY)
    spoil(own)
    packs, notices = in_force(own, TUESDAY)
    assert hour(packs) == 17
    assert len(notices) == 1
    assert "NO.toml is not TOML" in notices[0]
    assert "the last good one, of 2026-03-02, is used since 2026-03-03" in notices[0]
    assert "used since 2026-03-03" in in_force(own, FRIDAY)[1][0]


def test_a_mended_pack_is_in_force_at_once_and_the_next_fault_is_counted_anew(own: Path) -> None:
    in_force(own, MONDAY)
    spoil(own)
    in_force(own, MONDAY)
    spoil(own, OWN_HOURS.replace("to = 17", "to = 16"))
    packs, notices = in_force(own, TUESDAY)
    assert (hour(packs), notices) == (16, ())
    spoil(own)
    packs, notices = in_force(own, FRIDAY)
    assert hour(packs) == 16
    assert "of 2026-03-03, is used since 2026-03-06" in notices[0]


def test_a_pack_that_was_put_back_as_it_was_ends_the_time_in_which_the_kept_one_is_used(own: Path) -> None:
    for on, text in ((MONDAY, OWN_HOURS), (MONDAY, "country = "), (TUESDAY, OWN_HOURS)):
        spoil(own, text)
        in_force(own, on)
    spoil(own)
    assert "is used since 2026-03-06" in in_force(own, FRIDAY)[1][0]


def test_a_bad_pack_with_none_kept_leaves_its_country_out_and_never_lets_the_shipped_one_step_in(own: Path) -> None:
    spoil(own)
    packs, notices = in_force(own)
    assert "NO" not in packs
    assert set(packs) == set(read_packs()) - {"NO"}
    assert "nobody in NO is contacted" in notices[0]
    assert "the shipped pack does not step in" in notices[0]


def test_a_kept_copy_that_cannot_be_read_is_none(own: Path) -> None:
    in_force(own)
    (own / ".last-good" / "NO.json").write_text("{", encoding="utf-8")
    spoil(own)
    assert "NO" not in in_force(own)[0]


def test_an_expired_own_pack_is_refused_and_one_that_still_holds_goes_on(own: Path) -> None:
    in_force(own, MONDAY)
    spoil(own, OWN_HOURS.replace("valid_from = 2020-01-01\n", "valid_from = 2020-01-01\nvalid_to = 2026-03-05\n"))
    packs, notices = in_force(own, FRIDAY)
    assert packs["NO"].valid_to is None
    assert "ended on 2026-03-05" in notices[0]


def test_a_kept_pack_that_has_expired_as_well_holds_no_longer(own: Path) -> None:
    spoil(own, OWN_HOURS.replace("valid_from = 2020-01-01\n", "valid_from = 2020-01-01\nvalid_to = 2026-03-05\n"))
    assert "NO" in in_force(own, date(2026, 3, 5))[0]
    packs, notices = in_force(own, FRIDAY)
    assert "NO" not in packs
    assert "The kept one will not do either" in notices[0]


def test_an_own_pack_that_is_yet_to_begin_is_refused_until_its_day_and_nobody_is_contacted(own: Path) -> None:
    spoil(own, OWN_HOURS.replace("valid_from = 2020-01-01", "valid_from = 2026-03-03"))
    packs, notices = in_force(own, MONDAY)
    assert "NO" not in packs
    assert "the first pack of NO begins on 2026-03-03, after 2026-03-02" in notices[0]
    assert "nobody in NO is contacted" in notices[0]
    packs, notices = in_force(own, TUESDAY)
    assert (hour(packs), notices) == (17, ())


def test_the_last_good_pack_goes_on_until_one_that_replaces_it_begins(own: Path) -> None:
    in_force(own, MONDAY)
    later = OWN_HOURS.replace("to = 17", "to = 16").replace("valid_from = 2020-01-01", "valid_from = 2026-03-06")
    spoil(own, later)
    packs, notices = in_force(own, TUESDAY)
    assert hour(packs) == 17
    assert "begins on 2026-03-06" in notices[0]
    packs, notices = in_force(own, FRIDAY)
    assert (hour(packs), notices) == (16, ())


def test_an_own_pack_that_is_silent_on_its_caps_is_refused(own: Path) -> None:
    spoil(own, OWN_HOURS.split("[[caps]]")[0])
    packs, notices = in_force(own)
    assert "NO" not in packs
    assert "NO.toml: says nothing of caps, waits, school_hours" in notices[0]


@pytest.mark.parametrize("country", ["no", "NO"])
def test_a_file_in_small_letters_is_a_bad_one_of_its_country_and_the_shipped_pack_does_not_step_in(
    own: Path, country: str
) -> None:
    (own / "NO.toml").unlink()
    text = OWN_HOURS.replace('country = "NO"', f'country = "{country}"')
    (own / "no.toml").write_text(text, encoding="utf-8")
    packs, notices = in_force(own)
    assert not {"no", "NO"} & set(packs)
    assert notices[0].startswith("NO: refused: no.toml: expected a file named for its country, two capital letters")


def test_a_file_named_for_no_country_is_told_of_and_touches_none(own: Path) -> None:
    (own / "norway.toml").write_text(OWN_HOURS, encoding="utf-8")
    packs, notices = in_force(own)
    assert set(packs) == set(read_packs())
    assert hour(packs) == 17
    assert len(notices) == 1
    assert notices[0].startswith("norway.toml: not read: expected a file named for its country")


def test_one_bad_file_of_a_country_keeps_all_of_its_files_as_they_were(own: Path) -> None:
    in_force(own, MONDAY)
    (own / "NO-2027.toml").write_text("country = ", encoding="utf-8")
    packs, notices = in_force(own, TUESDAY)
    assert (hour(packs), len(notices)) == (17, 1)
    assert "NO-2027.toml" in notices[0]


def test_a_country_whose_own_packs_are_all_switched_off_is_not_contacted(own: Path) -> None:
    spoil(own, OWN_HOURS.replace("valid_from", "enabled = false\nvalid_from"))
    packs, notices = in_force(own)
    assert "NO" not in packs
    assert "none of NO.toml is enabled" in notices[0]


def test_an_own_pack_that_was_taken_away_is_told_of(own: Path) -> None:
    in_force(own)
    (own / "NO.toml").unlink()
    packs, notices = in_force(own)
    assert hour(packs) == 21
    assert "the shipped one decides" in notices[0]


def test_the_kept_copy_is_whole_or_not_there(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    in_force(own, MONDAY)
    before = (own / ".last-good" / "NO.json").read_text(encoding="utf-8")
    spoil(own, OWN_HOURS.replace("to = 17", "to = 16"))

    def cut_short(*_: object, **__: object) -> str:
        raise OSError("no space left")

    monkeypatch.setattr(packs_kept.json, "dumps", cut_short)
    with pytest.raises(OSError, match="no space left"):
        in_force(own, TUESDAY)
    assert [path.name for path in (own / ".last-good").iterdir()] == ["NO.json"]
    assert (own / ".last-good" / "NO.json").read_text(encoding="utf-8") == before


def test_a_good_load_that_changes_nothing_writes_nothing(own: Path) -> None:
    in_force(own, MONDAY)
    kept = own / ".last-good" / "NO.json"
    before = kept.stat().st_mtime_ns
    in_force(own, TUESDAY)
    assert kept.stat().st_mtime_ns == before


def test_who_only_looks_writes_nothing(own: Path) -> None:
    kept = own / ".last-good"
    assert hour(packs_in_force(own, kept, on=MONDAY, keep=False).packs) == 17
    assert not kept.exists()
    in_force(own, MONDAY)
    spoil(own)
    before = (kept / "NO.json").read_text(encoding="utf-8")
    assert "used since 2026-03-03" in packs_in_force(own, kept, on=TUESDAY, keep=False).notices[0]
    assert (kept / "NO.json").read_text(encoding="utf-8") == before


def test_a_shipped_pack_that_is_bad_stops_everything(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def bad(**_: object) -> Packs:
        raise BadPack("SE.toml is not TOML")

    monkeypatch.setattr(packs_kept, "read_packs", bad)
    with pytest.raises(BadPack, match=r"SE\.toml"):
        in_force(own)
