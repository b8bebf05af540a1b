"""Names of pages about one creditor."""

from __future__ import annotations

import re

from training.reports.all_pages import name_of
from training.reports.site.addresses import stem
from training.reports.site.catalogue import LANGUAGES


def test_names_of_creditors_pages_take_no_guess_and_fit_the_service() -> None:
    longest = name_of("calibration-and-some-further-words-of-it", 'Ö & Söner <"AB"> ../' * 20)
    assert re.fullmatch(r"[a-z-]+-of-[0-9a-f]{16}", longest)
    assert all(re.fullmatch(r"[a-z0-9-]{1,64}", stem(longest, language)) for language in LANGUAGES)
    assert len({name_of("overview", f"k-{number}") for number in range(100_000)}) == 100_000
