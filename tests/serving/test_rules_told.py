"""`rettid rules`: packs for a compliance reader, every fault in them, one debtor's mask."""

from __future__ import annotations

import io
from contextlib import redirect_stderr, redirect_stdout
from datetime import date
from pathlib import Path

import pytest

import rettid
from models.rules.mask import RULES
from models.rules.pack import FOLDER
from models.rules.packs_kept import packs_in_force
from tests.samples import sample_tables, write_tables

AS_OF = "2026-03-16T07:30Z"
SENTENCE = {rule.name: rule.sentence for rule in RULES}
NORWAY = (FOLDER / "NO.toml").read_text(encoding="utf-8")


def run(workspace: Path, *words: object) -> tuple[int, str]:
    """Exit code of `rettid rules WORDS` and all that it said, in one line."""
    said, code = io.StringIO(), 0
    with redirect_stdout(said), redirect_stderr(said):
        try:
            rettid.main(["--workspace", str(workspace), "rules", *map(str, words)])
        except SystemExit as end:
            code = int(end.code or 0)
    return code, " ".join(said.getvalue().split())


@pytest.fixture
def own(tmp_path: Path) -> Path:
    folder = tmp_path / "rules"
    folder.mkdir()
    return folder


@pytest.fixture(scope="module")
def portfolio(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tables(sample_tables(), tmp_path_factory.mktemp("portfolio"))


def test_without_a_country_every_pack_is_shown_in_short(tmp_path: Path) -> None:
    code, said = run(tmp_path, "show")
    assert code == 0
    for path in FOLDER.glob("*.toml"):
        assert path.name in said
    assert said.count("switched off") >= 1


def test_a_country_is_shown_with_its_source_caps_and_waits_the_pack_in_force_first(tmp_path: Path) -> None:
    code, said = run(tmp_path, "show", "no")
    assert code == 0
    assert said.index("NO.toml: in force") < said.index("NO-proposed.toml: switched off")
    assert "inkassoguiden.no" in said
    assert "Valid from 2020-01-01, read by no lawyer yet" in said
    for kind in ("hours", "cap", "wait", "school hours", "promotion"):
        assert f"│ {kind} " in said


def test_a_country_without_a_pack_is_told_with_those_that_have_one(tmp_path: Path) -> None:
    code, said = run(tmp_path, "show", "XX")
    assert code == 1
    assert "no pack speaks of 'XX'" in said
    assert "BR, DE, DK" in said


def test_an_own_pack_is_shown_instead_of_the_shipped_one(own: Path, tmp_path: Path) -> None:
    (own / "NO.toml").write_text(NORWAY.replace("to = 21", "to = 17"), encoding="utf-8")
    said = run(tmp_path, "show", "NO")[1]
    assert "own NO.toml: in force" in said
    assert "08-17" in said
    assert "08-21" not in said
    assert not (own / ".last-good").exists()  # who only looks keeps nothing


def test_a_bad_own_pack_is_told_and_the_last_good_one_shown(own: Path, tmp_path: Path) -> None:
    (own / "NO.toml").write_text(NORWAY.replace("to = 21", "to = 17"), encoding="utf-8")
    packs_in_force(own, own / ".last-good", on=date(2026, 3, 2))
    (own / "NO.toml").write_text("country = ", encoding="utf-8")
    said = run(tmp_path, "show", "NO")[1]
    assert "NO, last good one: in force" in said
    assert "NO: refused: NO.toml is not TOML" in said


def test_the_shipped_packs_have_no_fault(tmp_path: Path) -> None:
    assert run(tmp_path, "check") == (0, "no fault")


def test_every_fault_of_the_workspace_s_own_packs_is_told_and_the_exit_code_is_1(own: Path, tmp_path: Path) -> None:
    (own / "NO.toml").write_text("country = ", encoding="utf-8")
    (own / "SE.toml").write_text(NORWAY, encoding="utf-8")
    code, said = run(tmp_path, "check")
    assert code == 1
    assert "NO.toml is not TOML" in said
    assert 'SE.toml: expected country = "SE"' in said


def test_a_folder_is_checked_alone_and_one_without_packs_is_refused(own: Path, tmp_path: Path) -> None:
    (own / "NO.toml").write_text("country = ", encoding="utf-8")
    assert run(tmp_path, "check", FOLDER) == (0, "no fault")
    code, said = run(tmp_path, "check", tmp_path)
    assert code == 1
    assert "expected rule packs such as NO.toml" in said


def test_a_pack_that_is_yet_to_begin_is_a_fault_and_not_in_force(own: Path, tmp_path: Path) -> None:
    text = NORWAY.replace("valid_from = 2020-01-01", "valid_from = 2999-01-01")
    (own / "NO.toml").write_text(text, encoding="utf-8")
    code, said = run(tmp_path, "check")
    assert code == 1
    assert "the first pack of NO begins on 2999-01-01" in said
    said = run(tmp_path, "show", "NO")[1]
    assert "own NO.toml: not in force today" in said
    assert "nobody in NO is contacted" in said


def test_a_file_in_small_letters_is_told_and_no_shipped_pack_shown_in_its_place(own: Path, tmp_path: Path) -> None:
    (own / "no.toml").write_text(NORWAY, encoding="utf-8")
    said = run(tmp_path, "show", "no")[1]
    assert "NO: refused: no.toml: expected a file named for its country" in said
    assert "08-21" not in said
    assert run(tmp_path, "check")[0] == 1


def test_a_pack_that_has_ended_is_a_fault(own: Path, tmp_path: Path) -> None:
    text = NORWAY.replace("valid_from = 2020-01-01\n", f"valid_from = 2020-01-01\nvalid_to = {date(2021, 1, 1)}\n")
    (own / "NO.toml").write_text(text, encoding="utf-8")
    assert run(tmp_path, "check")[0] == 1


def test_a_debtor_s_claims_and_channels_are_explained_without_any_bundle(portfolio: Path, tmp_path: Path) -> None:
    code, said = run(tmp_path, "explain", portfolio, "d2", "--as-of", AS_OF)
    assert code == 0
    assert said.startswith("d2, DE, on the clock of Europe/Berlin, as of 2026-03-16T07:30Z claims")
    for channel in ("sms", "email", "digital_mailbox", "letter", "phone", "portal"):
        assert f" {channel}: open " in said or f" {channel}: shut by " in said
    assert any(sentence in said for sentence in SENTENCE.values())


def test_the_tenant_s_own_caps_count_as_they_do_when_it_is_decided(portfolio: Path, tmp_path: Path) -> None:
    words = ("explain", portfolio, "d2", "--as-of", "2026-03-09T05:00Z")
    assert "letter: open Mon 9 March" in run(tmp_path, *words)[1]
    (tmp_path / "rettid.toml").write_text("[caps]\nany = { most = 1, days = 31 }\n", encoding="utf-8")
    # The last contact is of 9 February: the first day that does not share 31 days with it is 12 March.
    assert "letter: open Thu 12 March" in run(tmp_path, *words)[1]


def test_a_debtor_in_a_country_without_a_pack_is_told_so(portfolio: Path, tmp_path: Path) -> None:
    said = run(tmp_path, "explain", portfolio, "d1", "--as-of", AS_OF)[1]
    assert f"shut by unknown_country. {SENTENCE['unknown_country']}" in said
    assert ": open" not in said


def test_a_pack_that_was_refused_is_told_before_the_debtor_it_concerns(
    own: Path, portfolio: Path, tmp_path: Path
) -> None:
    (own / "DE.toml").write_text("country = ", encoding="utf-8")
    said = run(tmp_path, "explain", portfolio, "d2", "--as-of", AS_OF)[1]
    assert said.startswith("DE: refused: DE.toml is not TOML")
    assert "shut by unknown_country" in said
    assert "refused" not in run(tmp_path, "explain", portfolio, "d3", "--as-of", AS_OF)[1]


def test_a_debtor_that_the_portfolio_does_not_hold_is_refused(portfolio: Path, tmp_path: Path) -> None:
    code, said = run(tmp_path, "explain", portfolio, "nobody", "--as-of", AS_OF)
    assert code == 1
    assert "holds no debtor 'nobody'" in said
