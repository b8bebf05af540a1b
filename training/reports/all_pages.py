"""Which pages there are, in the order of the navigation: about all creditors, and about each one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from hashlib import sha256

import numpy as np

from data.progress import Progress
from training.reports.blocks import Page
from training.reports.facts import Facts, debtors_of_creditors, of_creditor
from training.reports.pages.calibration import calibration
from training.reports.pages.channels import channels
from training.reports.pages.costs import costs
from training.reports.pages.data_quality import data_quality
from training.reports.pages.experiment import experiment_pages
from training.reports.pages.fairness import fairness
from training.reports.pages.model import model
from training.reports.pages.overview import overview
from training.reports.pages.prices import prices
from training.reports.pages.segments import segments
from training.reports.withholding import FEWEST

Builder = Callable[[Facts], Page | tuple[Page, ...] | None]

OF_A_CREDITOR: tuple[Builder, ...] = (overview, experiment_pages, channels, segments, costs, calibration)
"""Pages whose every number is about one creditor's claims when the facts are."""

OF_ALL: tuple[Builder, ...] = (*OF_A_CREDITOR, fairness, data_quality, model, prices)
"""Pages about all creditors; a model's card and prices, say, tell of other creditors whoever asks."""


def all_pages(facts: Facts, *, progress: Progress = lambda _what, _share: None) -> list[Page]:
    """Every page about all creditors, then those about each creditor with enough debtors to tell of.

    Parameters
    ----------
    facts
        About all creditors.
    """
    told = told_creditors(facts)
    steps = len(OF_ALL) + len(told) * len(OF_A_CREDITOR)
    pages: list[Page] = []
    done = 0
    for name in (None, *told):
        theirs, builders = (facts, OF_ALL) if name is None else (of_creditor(facts, name), OF_A_CREDITOR)
        for build in builders:
            progress("computing pages", done / steps)
            pages += [_named(page) for page in _built(build(theirs))]
            done += 1
    progress("computing pages", 1.0)
    return pages


def name_of(page: str, creditor: str) -> str:
    """Name of a page about one creditor, whose identifier may hold anything.

    >>> name_of("overview", "k-energy")
    'overview-of-7490e31afb4fe634'
    """
    return f"{page}-of-{sha256(creditor.encode()).hexdigest()[:16]}"


def told_creditors(facts: Facts) -> list[str]:
    """Creditors who have pages: those of enough debtors, without the smallest of them where few debtors were left out.

    The pages about all creditors less those about single ones would otherwise tell of the few debtors of the others.
    """
    found = debtors_of_creditors(facts)
    told = [name for name, debtors in found.items() if len(debtors) >= FEWEST]
    left = [found[name] for name in found if name not in told]
    return told[:-1] if left and len(np.unique(np.concatenate(left))) < FEWEST else told


def _built(found: Page | tuple[Page, ...] | None) -> Iterator[Page]:
    if isinstance(found, Page):
        yield found
    elif found is not None:
        yield from found


def _named(page: Page) -> Page:
    return page if page.creditor is None else replace(page, name=name_of(page.name, page.creditor))
