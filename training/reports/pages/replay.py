"""The page on an old log: what was done, what the log can and cannot say, what could be gained, and the test that settles it."""

from __future__ import annotations

from training.replay.over_none import STATED
from training.replay.report import Replay
from training.replay.safe_test import SafeTest, smallest
from training.replay.sparing import spared
from training.reports.blocks import Kind, Mood, Page, Quantity, Text, Verdict
from training.reports.pages import replay_done, replay_gain, replay_said
from training.reports.pages.replay_gain import PER
from training.reports.pages.replay_words import ratio
from training.reports.withholding import quantity
from training.trials.planning import Look

NAME = "replay"
WEEKS_HALF_A_YEAR = 26
"""Weeks within which a test is proposed for the smallest difference that it can find by then."""
SMALL_SHARE = 0.20
"""Share of debtors drawn to the other way up to which a test is small."""


def replay_page(found: Replay) -> Page:
    """The page of a replayed log."""
    test = proposed(found.tests)
    sections = (
        replay_done.done_section(found),
        replay_said.rows_section(found),
        replay_said.map_section(found),
        replay_said.between_section(found),
        replay_said.none_section(found),
        replay_gain.gain_section(found),
        replay_gain.settling_section(found, test),
    )
    return Page(
        name=NAME,
        title=Text("replay.title"),
        known_until_us=found.known_us,
        sections=tuple(one for one in sections if one is not None),
        verdict=verdict(found, test),
        span_us=(found.done.begin_us, found.done.end_us),
    )


def proposed(tests: tuple[SafeTest, ...]) -> SafeTest | None:
    """The test to propose: for the smallest difference that a small share finds within half a year, else a larger share.

    Where neither does, the one that is done first.
    """
    small = tuple(one for one in tests if one.share <= SMALL_SHARE)
    for some in (small, tests):
        for difference in sorted({one.difference for one in some}):
            test = smallest(some, difference=difference, look=Look.ONCE)
            if test is not None and test.weeks is not None and test.weeks <= WEEKS_HALF_A_YEAR:
                return test
    timed = [one for one in tests if one.weeks is not None and one.look is Look.ONCE]
    return min(timed, key=lambda one: (one.weeks or 0, one.share), default=None)


def verdict(found: Replay, test: SafeTest | None) -> Verdict:
    """Whether a better choice of channel would have paid, as far as an old log can tell; never more than likely."""
    code, mood = verdict_code(found), Mood.WAIT
    net = next(one for one in found.targeting.net if one.what == f"eur {found.horizon_days[0]}").at(STATED)
    spare, _ = spared(found.spares, STATED)
    values = {
        "low": quantity(Kind.SIGNED_MONEY, PER * net.low),
        "high": quantity(Kind.SIGNED_MONEY, PER * net.high),
        "days": Quantity(Kind.DAYS, found.horizon_days[0]),
        "ratio": ratio(STATED),
        "spare": Quantity(Kind.SHARE, spare),
    }
    if code == "too_little":
        values, mood = {}, Mood.NONE
    key = code.replace("_", "-")
    return Verdict(code, mood, Text(f"replay.{key}.headline"), Text(f"replay.{key}.sentence", values), _advice(test))


def verdict_code(found: Replay) -> str:
    """`gain_likely`, `spare_likely`, `not_shown` or `too_little`."""
    net = next(one for one in found.targeting.net if one.what == f"eur {found.horizon_days[0]}").at(STATED)
    if net.low > 0:
        return "gain_likely"
    if spared(found.spares, STATED)[0] > 0:
        return "spare_likely"
    answered = any(one.effect is not None for one in found.compared) or any(one.bounds for one in found.over_none)
    return "not_shown" if answered else "too_little"


def _advice(test: SafeTest | None) -> Text:
    if test is None:
        return Text("replay.advice.longer")
    values = {
        "share": Quantity(Kind.SHARE, test.share),
        "weeks": Quantity(Kind.WEEKS, test.weeks),
        "debtors": Quantity(Kind.COUNT, test.debtors),
        "difference": Quantity(Kind.POINTS, test.difference),
    }
    return Text("replay.advice.test", values)
