"""A page's verdict by its code: headline, sentence and advice stand in the catalogue under `PAGE.verdict.CODE`."""

from __future__ import annotations

from collections.abc import Mapping

from training.reports.blocks import Mood, Said, Text, Verdict


def verdict_of(page: str, code: str, mood: Mood, values: Mapping[str, Said] | None = None) -> Verdict:
    """The verdict; `values` fill the places of all three texts.

    >>> verdict_of("costs", "within_limits", Mood.GOOD).advice.key
    'costs.verdict.within_limits.advice'
    """
    keys = (f"{page}.verdict.{code}.{piece}" for piece in ("headline", "sentence", "advice"))
    headline, sentence, advice = (Text(key, values or {}) for key in keys)
    return Verdict(code, mood, headline, sentence, advice)
