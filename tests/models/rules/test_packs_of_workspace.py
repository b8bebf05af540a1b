"""Where a workspace keeps its own packs, and the last good ones."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from data.vocabulary import CHANNELS
from models.rules.pack import FOLDER
from models.rules.packs_kept import packs_of

MONDAY = date(2026, 3, 2)


def test_a_workspace_has_its_own_packs_under_rules_and_the_last_good_ones_beside_them(tmp_path: Path) -> None:
    own = tmp_path / "rules"
    own.mkdir()
    text = (FOLDER / "NO.toml").read_text(encoding="utf-8").replace("to = 21", "to = 17")
    (own / "NO.toml").write_text(text, encoding="utf-8")
    looked = packs_of(tmp_path, channels=CHANNELS[1:], on=MONDAY, keep=False)
    assert looked.packs["NO"].windows[0].to_hour == 17
    assert not (own / ".last-good").exists()
    assert packs_of(tmp_path, channels=CHANNELS[1:], on=MONDAY) == looked
    assert [path.name for path in (own / ".last-good").glob("*.json")] == ["NO.json"]
