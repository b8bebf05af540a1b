"""Numbers, dates and words as a reader of each language writes them."""

from __future__ import annotations

from datetime import date

import pytest

from tests.training.reports.site.made_up import words
from training.reports.blocks import Kind, Moment, Name, Quantity, Text
from training.reports.site.catalogue import LANGUAGES, UnknownText
from training.reports.site.reader import Reader, UnknownLanguage, reader_of

MARCH_US = 1_772_341_200_000_000


def reader(language: str = "en") -> Reader:
    return reader_of(language, words())


def plain(text: str) -> str:
    """With common spaces and minus signs, so that the test can be read."""
    return text.replace("\u00a0", " ").replace("\u2212", "-")


@pytest.mark.parametrize(
    ("kind", "value", "shown"),
    [
        (Kind.COUNT, 12345.0, ["12,345", "12 345", "12 345", "12.345"]),
        (Kind.NUMBER, 1.237, ["1.24", "1,24", "1,24", "1,24"]),
        (Kind.NUMBER, 1234.5, ["1,234", "1 234", "1 234", "1.234"]),
        (Kind.SIGNED, 0.5, ["+0.50", "+0,50", "+0,50", "+0,50"]),
        (Kind.MONEY, 1234.5, ["€1,234.50", "1 234,50 €", "1 234,50 €", "1.234,50 €"]),
        (Kind.MONEY, 45678.9, ["€45,679", "45 679 €", "45 679 €", "45.679 €"]),
        (Kind.SIGNED_MONEY, -3.0, ["-€3.00", "-3,00 €", "-3,00 €", "-3,00 €"]),
        (Kind.SHARE, 0.1234, ["12.3%", "12,3 %", "12,3 %", "12,3 %"]),
        (Kind.SHARE, 0.0012, ["0.12%", "0,12 %", "0,12 %", "0,12 %"]),
        (Kind.POINTS, -0.021, ["-2.1 points", "-2,1 %-enheter", "-2,1 %-poeng", "-2,1 %-point"]),
        (Kind.P_VALUE, 0.25, ["0.250", "0,250", "0,250", "0,250"]),
        (Kind.P_VALUE, 0.0001, ["below 0.001", "under 0,001", "under 0,001", "under 0,001"]),
        (Kind.DAYS, 14.0, ["14 days", "14 dygn", "14 døgn", "14 dage"]),
        (Kind.DAYS, 1.0, ["1 day", "1 dygn", "1 døgn", "1 dag"]),
        (Kind.WEEKS, 1.0, ["1 week", "1 vecka", "1 uke", "1 uge"]),
        (Kind.WEEKS, 7.5, ["7.5 weeks", "7,5 veckor", "7,5 uker", "7,5 uger"]),
    ],
)
def test_a_number_is_shown_in_the_readers_form(kind: Kind, value: float, shown: list[str]) -> None:
    assert [plain(reader(language).value(Quantity(kind, value))) for language in LANGUAGES] == shown


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", list(Kind))
def test_no_line_breaks_a_number_apart_and_what_is_about_zero_has_no_sign(kind: Kind, language: str) -> None:
    shown = reader(language).value(Quantity(kind, 12345.6))
    if kind not in (Kind.POINTS,):
        assert " " not in shown
    assert reader(language).value(Quantity(kind, -0.0000001)).strip("-\u2212+") == reader(language).value(
        Quantity(kind, -1e-7)
    )


def test_an_interval_has_as_many_places_as_its_number_and_its_unit_once() -> None:
    found = reader()
    assert found.full(Quantity(Kind.SIGNED_MONEY, 9_000.0, -2.5, 12_000.0)) == "+€9,000 (\u2212€2 to +€12,000)"
    assert found.full(Quantity(Kind.POINTS, 0.01, -0.005, 0.025)) == "+1.0 points (\u22120.5 to +2.5)"
    assert plain(found.full(Quantity(Kind.DAYS, 3.0, 1.0, 5.0))) == "3 days (1 to 5)"
    assert plain(reader("sv").interval(Quantity(Kind.SHARE, 0.2, 0.1, 0.3))) == "10,0 % till 30,0 %"
    assert found.interval(Quantity(Kind.COUNT, 5)) == ""


def test_amounts_of_one_column_all_have_cents_or_none() -> None:
    assert reader().value(Quantity(Kind.MONEY, 7158.35), among=25_000.0) == "€7,158"
    assert reader().value(Quantity(Kind.MONEY, 7158.35), among=9_000.0) == "€7,158.35"


def test_where_there_is_little_room_a_number_is_short_and_has_no_unit() -> None:
    short = [reader("sv").short(Quantity(kind, value)) for kind, value in ((Kind.SHARE, 0.1234), (Kind.POINTS, -0.021))]
    assert [plain(one) for one in short] == ["12", "-2,1"]
    assert reader().short(Quantity(Kind.MONEY, 1234.5)) == "1,234"
    assert reader().short(Quantity(Kind.COUNT, 7, withheld=True)) == "–"


def test_what_is_withheld_or_unknown_is_said_and_shows_nothing_of_the_number() -> None:
    withheld = Quantity(Kind.COUNT, 7, 3, 9, withheld=True)
    assert [reader(one).full(withheld) for one in LANGUAGES] == [
        "not shown",
        "visas inte",
        "vises ikke",
        "vises ikke",
    ]
    assert reader().say(Quantity(Kind.MONEY, None)) == reader().say(None) == "–"


def test_dates_and_instants_are_shown_with_month_and_zone() -> None:
    said = [plain(reader(one).say(Moment(MARCH_US))) for one in LANGUAGES]
    assert said == ["1 Mar 2026 05:00 UTC", "1 mars 2026 05:00 UTC", "1. mars 2026 05:00 UTC", "1. mar. 2026 05.00 UTC"]
    assert plain(reader("da").say(date(2026, 12, 24))) == "24. dec. 2026"


def test_a_text_is_filled_with_what_stands_in_its_places() -> None:
    text = Text("t.title", {"creditor": Text("t.north")})
    assert reader().text(text) == "Overview of North"
    gain = Quantity(Kind.SIGNED_MONEY, 1.0, 0.5, 1.5)
    values = {"gain": gain, "days": Quantity(Kind.DAYS, 14), "p": Quantity(Kind.P_VALUE, 0.5)}
    assert "+€1.00 more each (+€0.50 to +€1.50)" in reader().text(Text("t.sentence", values))


def test_braces_in_a_name_fill_nothing() -> None:
    assert reader().text(Text("t.title", {"creditor": Name("{p} {0}")})) == "Overview of {p} {0}"


def test_a_place_without_a_value_is_an_error() -> None:
    with pytest.raises(UnknownText, match=r"'t.title': expected a value for \{creditor\}"):
        reader().text(Text("t.title"))


def test_a_language_without_texts_is_refused() -> None:
    with pytest.raises(UnknownLanguage, match="expected one of en, sv, nb, da, got 'de'"):
        reader("de")
