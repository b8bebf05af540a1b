"""A page as one HTML file: nothing from elsewhere, no script, read with ears and keys, old data said."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from tests.training.reports.page_reader import Reader
from tests.training.reports.site import made_up
from training.reports.blocks import Mood, Page
from training.reports.site.around import Around
from training.reports.site.catalogue import LANGUAGES
from training.reports.site.html import page_html
from training.reports.site.reader import reader_of

FOUR_DAYS_US = 4 * made_up.DAY_US


def html(
    page: Page | None = None, *, language: str = "en", after_us: int = 0, languages: tuple[str, ...] = LANGUAGES
) -> str:
    page = page or made_up.page()
    around = Around([page, made_up.page("costs")], languages, made_up.KNOWN_US + after_us)
    return page_html(page, reader=reader_of(language, made_up.words()), around=around)


@pytest.fixture(scope="module")
def english() -> str:
    return html()


def test_the_page_is_one_file_without_script_or_content_from_elsewhere(english: str) -> None:
    reader = Reader(english)
    assert len(english.encode()) < 2_000_000
    assert not {"script", "link", "iframe", "img", "object", "embed", "form"} & {tag for tag, _ in reader.tags}
    assert set(re.findall(r"https?://[^\"' )]+", english)) <= {"http://www.w3.org/2000/svg"}
    assert "@import" not in english
    assert all(target.startswith("#") for target in re.findall(r"url\(([^)]*)\)", english))
    assert not [key for _, attrs in reader.tags for key in attrs if key.startswith("on")]
    files = {str(one["href"]) for one in reader.all("a")} - {f"#{one}" for one in ids(reader)}
    assert files == {
        "index.html", "overview.html", "costs.html", "overview-sv.html", "overview-nb.html", "overview-da.html",
        "overview.pdf", "overview.json", "overview.csv",
    }  # fmt: skip


def ids(reader: Reader) -> list[str]:
    return [str(attrs["id"]) for _, attrs in reader.tags if "id" in attrs]


def test_the_page_can_be_read_with_ears_and_keys(english: str) -> None:
    reader = Reader(english)
    identifiers = ids(reader)
    assert len(identifiers) == len(set(identifiers))
    assert len(reader.all("h1")) == len(reader.all("main")) == 1
    regions = [one for one in reader.all("div") if one.get("role") == "region"]
    assert len(regions) == len(reader.all("table")) == 10
    assert all(one["tabindex"] == "0" and one["aria-label"] for one in regions)
    assert all(one["aria-label"] for one in reader.all("table"))
    assert {one.get("scope") for one in reader.all("th")} == {"col", "row"}
    for drawing in reader.all("svg"):
        named = drawing.get("role") == "img" and set(str(drawing["aria-labelledby"]).split()) <= set(identifiers)
        assert named or drawing["aria-hidden"] == "true"
    assert reader.all("a")[0] == {"class": "skip", "href": "#content"}


def test_every_definition_is_one_click_away_and_leads_back(english: str) -> None:
    reader = Reader(english)
    hrefs = [one["href"] for one in reader.all("a")]
    assert hrefs.count("#d-gain") == 2
    assert {"#s-first", "#s-second"} <= set(hrefs)
    assert len(reader.all("dt")) == len(reader.all("dd")) == 1


def test_the_verdict_stands_on_top_in_words_with_a_sign_for_its_mood(english: str) -> None:
    said = Reader(english).said()
    assert said.index("In order") < said.index("A gain is shown") < said.index("What to do:") < said.index("Did it pay")
    assert '<section class="verdict good"' in english
    for mood in Mood:
        verdict = replace(made_up.page().verdict, mood=mood)  # type: ignore[type-var] # it has one
        assert f'class="verdict {mood}"' in html(replace(made_up.page(), verdict=verdict))


def test_what_somebody_else_wrote_is_shown_as_it_is(english: str) -> None:
    assert made_up.HOSTILE in Reader(english).said()
    assert "<b>k" not in english


@pytest.mark.parametrize(("after_us", "old"), [(0, False), (FOUR_DAYS_US - 1, False), (FOUR_DAYS_US, True)])
def test_data_older_than_three_days_are_called_old(after_us: int, old: bool) -> None:
    said = Reader(html(after_us=after_us)).said()
    assert "known until 20 Mar 2026 09:46 UTC" in said
    assert ("the data had ended 4 days earlier" in said) == old


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_says_which_language_it_is_in(language: str) -> None:
    reader = Reader(html(language=language))
    assert ("html", {"lang": language}) in reader.tags
    here = [one["lang"] for one in reader.all("a") if one.get("aria-current") == "true"]
    assert here == [language]


def test_with_one_language_nothing_is_said_of_others() -> None:
    assert "Svenska" not in html(languages=("en",))


def test_the_same_page_is_drawn_the_same(english: str) -> None:
    assert html() == english


def test_a_page_about_one_creditor_says_so() -> None:
    said = Reader(html(made_up.page("overview-of-0a1b2c3d", creditor=made_up.HOSTILE))).said()
    assert f"Creditor {made_up.HOSTILE}" in said


def test_numbers_of_charts_stand_below_them_in_a_table(english: str) -> None:
    assert english.count("<details>") == 9
    said = Reader(english).said()
    assert "40.0%" in said
    assert "not shown" in said


def test_an_interval_is_a_bar_on_the_scale_of_its_column(english: str) -> None:
    bars = re.findall(r'<svg class="mini".*?</svg>', english)
    dots = [float(re.search(r'cx="([\d.]+)"', bar)[1]) for bar in bars]  # type: ignore[index] # every bar has one
    zeros = {re.search(r"M([\d.]+)", bar)[1] for bar in bars}  # type: ignore[index] # as above
    assert len(bars) == 4  # two rows of two tables; a number that is not known has none
    assert len(zeros) == 1
    assert dots[0] > float(zeros.pop()) > dots[1]
