"""What `rettid replay` does: look at an old log again, and write its page."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from data.config import Config
from data.portfolio import Portfolio, read_portfolio
from data.problems import counted
from data.progress import Progress
from training.replay.made import NothingDone
from training.replay.over_none import STATED
from training.replay.report import Replay, ReplaySettings, replay
from training.replay.safe_test import SafeTest
from training.replay.sparing import spared
from training.reports.blocks import Page
from training.reports.evidence import NoFacts, latest_fact_us
from training.reports.pages.replay import NAME, proposed, replay_page
from training.reports.pages.replay_gain import PER
from training.reports.site.catalogue import the_catalogue
from training.reports.site.files import Order, Written, write_pages
from training.reports.site.reader import reader_of


@dataclass(frozen=True)
class ReplayOrder:
    """What is asked for.

    Parameters
    ----------
    as_of_us
        Moment that the log is looked at from; None: its latest fact.
    pages
        How the page is written.
    """

    as_of_us: int | None
    seed: int
    pages: Order


@dataclass(frozen=True)
class WrittenReplay:
    """What was found, and the files it stands in."""

    found: Replay
    page: Page
    written: Written
    language: str

    def lines(self) -> list[str]:
        """What a terminal shows; the page last."""
        reader = reader_of(self.language, the_catalogue())
        verdict = [reader.text(self.page.verdict.headline)] if self.page.verdict is not None else []
        pages = [str(one) for one in self.written.files if one.suffix == ".html" and one.stem.startswith(NAME)]
        return [*told(self.found), *verdict, *([self.written.note] if self.written.note else []), *pages]


def write_replay(
    directory: Path,
    out: Path,
    *,
    order: ReplayOrder,
    config: Config,
    settings: ReplaySettings | None = None,
    progress: Progress = lambda what, share: None,
) -> WrittenReplay:
    """The page on a portfolio's old log, written to the folder `out`.

    Raises
    ------
    BadPortfolio
        The portfolio breaks the contract.
    NothingDone, NoTrainingRows
        The log holds no contact, or none whose longer horizon was over.
    """
    progress("reading the portfolio", 0.0)
    portfolio = read_portfolio(directory, channels=config.grid.channels)
    progress("reading the portfolio", 1.0)
    as_of_us = order.as_of_us if order.as_of_us is not None else _latest(portfolio, now_us=order.pages.written_us)
    found = replay(portfolio, as_of_us=as_of_us, config=config, seed=order.seed, settings=settings, progress=progress)
    page = replay_page(found)
    out.mkdir(parents=True, exist_ok=True)
    written = write_pages([page], out, order=order.pages, progress=progress)
    return WrittenReplay(found, page, written, order.pages.languages[0])


def _latest(portfolio: Portfolio, *, now_us: int) -> int:
    try:
        return latest_fact_us(portfolio, now_us=now_us)
    except NoFacts as error:
        raise NothingDone("expected contacts in the table contacts, came none: hand over the contacts made") from error


def told(found: Replay) -> list[str]:
    """What was found, in a few lines."""
    done, short = found.done, found.horizon_days[0]
    net = next(one for one in found.targeting.net if one.what == f"eur {short}").at(STATED)
    test = proposed(found.tests)
    spent = f"{done.cost_eur:,.0f} EUR spent, {done.paid_eur:,.0f} EUR came in"
    rows = f"{counted(found.rows, 'row')} without a contact worked out beside {counted(found.contacts, 'contact')}"
    what = f"another choice of channel, 1,000 debtors, {short} days, net, odds ratio {STATED:g} (not randomised)"
    return [
        f"{counted(done.contacts, 'contact')}, {counted(done.debtors, 'debtor')}, {spent}",
        f"{counted(done.nones, 'decision')} for no contact in the log" if done.nones else f"{rows} (not randomised)",
        f"{what}: {PER * net.low:+,.0f} to {PER * net.high:+,.0f} EUR",
        *([_spared(found)] if found.spares else []),
        "no test can be planned: too few debtors" if test is None else _test(test),
    ]


def _spared(found: Replay) -> str:
    least, most = spared(found.spares, STATED)
    return f"contacts that could be spared, odds ratio {STATED:g} (not randomised): {least:.0%} to {most:.0%}"


def _test(test: SafeTest) -> str:
    drawn = f"draw {test.share:.0%} of {test.debtors:,} debtors, {test.weeks} weeks"
    return f"test that would settle it: {drawn}, to find a difference of {100 * test.difference:.0f} points"
