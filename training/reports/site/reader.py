"""What is said, in the reader's language and form: words, counts, money, shares, dates, intervals."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date

from babel import Locale
from babel.dates import format_date, format_time
from babel.numbers import format_currency, format_decimal, format_percent
from babel.units import format_unit

from data.times import from_us
from training.reports.blocks import Kind, Moment, Name, Quantity, Said, Text
from training.reports.site.catalogue import LANGUAGES, Catalogue, UnknownText

LOCALES = {"en": "en_GB", "sv": "sv_SE", "nb": "nb_NO", "da": "da_DK"}
UNKNOWN = "–"
MINUS, NO_BREAK = "\u2212", "\u00a0"
WHOLE_FROM = 10_000
"""Amounts from here on are shown without cents."""

SMALL_SHARE = 0.01
"""Below this a share is shown to two places of a per cent."""


class UnknownLanguage(ValueError):
    """A language that there are no texts in."""


def reader_of(language: str, catalogue: Catalogue) -> Reader:
    """The reader of a language.

    Raises
    ------
    UnknownLanguage
        There are no texts in it.
    """
    if language not in LOCALES:
        raise UnknownLanguage(f"expected one of {', '.join(LANGUAGES)}, got {language!r}")
    return Reader(language, catalogue, Locale.parse(LOCALES[language]))


@dataclass(frozen=True)
class Reader:
    """Somebody who reads one language; shows everything as it is written there."""

    language: str
    catalogue: Catalogue
    locale: Locale

    def say(self, said: Said | None) -> str:
        """Words, a number, a name or a date; nothing is a dash."""
        match said:
            case None:
                return UNKNOWN
            case Text():
                return self.text(said)
            case Quantity():
                return self.value(said)
            case Name():
                return said.text
            case Moment():
                return self.instant(said.us)
            case _:
                return self.day(said)

    def text(self, text: Text) -> str:
        """A text of the catalogue, its places filled.

        A place named `x_interval` is filled with the interval of the quantity `x`, where no other value has that name.

        Raises
        ------
        training.reports.site.catalogue.UnknownText
            No such key, or a place without a value.
        """
        words = self.catalogue.text(text.key, self.language)
        return words.format_map({place: self._filled(text, place) for place in self.catalogue.places(text.key)})

    def word(self, key: str) -> str:
        """A text without places, by its key."""
        return self.text(Text(key))

    def value(self, quantity: Quantity, *, among: float = 0.0) -> str:
        """The number alone, with its unit; with as many places as one as large as `among` would have."""
        if quantity.withheld:
            return self.word("common.withheld")
        if quantity.value is None:
            return UNKNOWN
        return self._formed(quantity.kind, quantity.value, self._form_of(quantity, among), bare=False)

    def interval(self, quantity: Quantity, *, among: float = 0.0) -> str:
        """The number's interval; empty where it has none."""
        if quantity.withheld or quantity.low is None or quantity.high is None:
            return ""
        form = self._form_of(quantity, among)
        ends = [self._formed(quantity.kind, end, form, bare=True) for end in (quantity.low, quantity.high)]
        return self.text(Text("common.interval", {"low": Name(ends[0]), "high": Name(ends[1])}))

    def full(self, quantity: Quantity) -> str:
        """The number, and its interval in brackets where it has one."""
        interval = self.interval(quantity)
        return f"{self.value(quantity)} ({interval})" if interval else self.value(quantity)

    def short(self, quantity: Quantity) -> str:
        """The number with few places and without its unit, where there is little room."""
        if quantity.withheld or quantity.value is None:
            return UNKNOWN
        times = 100.0 if quantity.kind in (Kind.SHARE, Kind.POINTS) else 1.0
        value = times * quantity.value
        return self._plain(value, "#,##0" if abs(value) >= 10 or quantity.kind is Kind.COUNT else "0.0")

    def day(self, day: date) -> str:
        """A date, the month in letters."""
        return _tied(format_date(day, "medium", locale=self.locale))

    def instant(self, us: int) -> str:
        """A moment to the minute, its zone named."""
        moment = from_us(us)
        clock = format_time(moment, "short", tzinfo=UTC, locale=self.locale)
        return f"{self.day(moment.date())}{NO_BREAK}{clock}{NO_BREAK}UTC"

    def _filled(self, text: Text, place: str) -> str:
        values = text.values
        if place in values:
            return self.say(values[place])
        quantity = values.get(place.removesuffix("_interval"))
        if place.endswith("_interval") and isinstance(quantity, Quantity):
            return self.interval(quantity) or UNKNOWN
        raise UnknownText(f"{text.key!r}: expected a value for {{{place}}}, got {sorted(values)}")

    def _form_of(self, quantity: Quantity, among: float) -> str:
        known = [abs(one) for one in (quantity.value, quantity.low, quantity.high) if one is not None]
        return FORMS[quantity.kind](max([*known, among]))

    def _formed(self, kind: Kind, value: float, form: str, *, bare: bool) -> str:
        """One number; `bare` without a unit in words, as inside an interval."""
        if kind is Kind.P_VALUE and value < P_FLOOR:
            return self.text(Text("common.below", {"number": Name(self._plain(P_FLOOR, form))}))
        way = Reader._plain if bare and kind in LENGTHS else SHOWN.get(kind, Reader._plain)
        shown = way(self, value, form)
        if kind in SIGNED_KINDS and value > 0 and re.search("[1-9]", shown):
            shown = f"+{shown}"
        if kind is Kind.POINTS and not bare:
            shown = self.text(Text("common.points", {"number": Name(shown)}))
        return shown

    def _plain(self, value: float, form: str) -> str:
        return _tied(_no_negative_zero(format_decimal(value, form, locale=self.locale)))

    def _money(self, value: float, form: str) -> str:
        pattern = self.locale.currency_formats["standard"].pattern.split(";")[0].replace("#,##0.00", form)
        shown = format_currency(value, "EUR", pattern, locale=self.locale, currency_digits=False)
        return _tied(_no_negative_zero(shown))

    def _share(self, value: float, form: str) -> str:
        pattern = self.locale.percent_formats[None].pattern.replace("#,##0", form)
        return _tied(_no_negative_zero(format_percent(value, pattern, locale=self.locale)))

    def _hundredfold(self, value: float, form: str) -> str:
        return self._plain(100 * value, form)

    def _days(self, value: float, form: str) -> str:
        return self._unit(value, form, "duration-day")

    def _weeks(self, value: float, form: str) -> str:
        return self._unit(value, form, "duration-week")

    def _unit(self, value: float, form: str, unit: str) -> str:
        rounded = round(value, 1) if "." in form else round(value)
        return _tied(_no_negative_zero(format_unit(rounded, unit, length="long", format=form, locale=self.locale)))


Show = Callable[[Reader, float, str], str]
LENGTHS = frozenset({Kind.DAYS, Kind.WEEKS})
SIGNED_KINDS = frozenset({Kind.SIGNED, Kind.SIGNED_MONEY, Kind.POINTS})
P_FLOOR = 0.001

SHOWN: Mapping[Kind, Show] = {
    Kind.MONEY: Reader._money,
    Kind.SIGNED_MONEY: Reader._money,
    Kind.SHARE: Reader._share,
    Kind.POINTS: Reader._hundredfold,
    Kind.DAYS: Reader._days,
    Kind.WEEKS: Reader._weeks,
}


def _decimal_form(largest: float) -> str:
    return "#,##0.00" if largest < 100 else "#,##0.0" if largest < 1000 else "#,##0"


def _money_form(largest: float) -> str:
    return "#,##0.00" if largest < WHOLE_FROM else "#,##0"


def _share_form(largest: float) -> str:
    return "#,##0.00" if 0 < largest < SMALL_SHARE else "#,##0.0"


def _length_form(_largest: float) -> str:
    return "#,##0.#"


FORMS: Mapping[Kind, Callable[[float], str]] = {
    Kind.COUNT: lambda _: "#,##0",
    Kind.NUMBER: _decimal_form,
    Kind.SIGNED: _decimal_form,
    Kind.MONEY: _money_form,
    Kind.SIGNED_MONEY: _money_form,
    Kind.SHARE: _share_form,
    Kind.POINTS: _share_form,
    Kind.P_VALUE: lambda _: "0.000",
    Kind.DAYS: _length_form,
    Kind.WEEKS: _length_form,
}
"""Pattern of each kind's digits by the largest number among value and ends, so that all three have the same places."""


def _no_negative_zero(shown: str) -> str:
    """A minus before nothing but zeros goes; every other one is the typographic one."""
    if re.search("[1-9]", shown):
        return shown.replace("-", MINUS)
    return shown.replace("-", "").replace(MINUS, "")


def _tied(shown: str) -> str:
    """A number or date that no line breaks apart."""
    return shown.replace(" ", NO_BREAK).replace("\u202f", NO_BREAK)
