"""What `rettid plan` does: rehearse an experiment on a portfolio's last weeks, and write how long a real one would take."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from data.config import Config
from data.portfolio import Portfolio, read_portfolio
from data.progress import Progress
from data.times import NEVER
from training.reports.evidence import latest_fact_us
from training.reports.facts import facts_of
from training.reports.pages.plan import Planned, plan_page, told
from training.reports.plan_figures import Plan, basis_of
from training.reports.rehearsal import rehearse
from training.reports.site.files import Order, Written, write_pages


@dataclass(frozen=True)
class PlanFiles:
    """What was found, and the files that say so."""

    planned: Planned
    written: Written

    def lines(self) -> list[str]:
        """The answer, and where the page is."""
        html = next(path for path in self.written.files if path.suffix == ".html")
        return [*told(self.planned), str(html), *filter(None, (self.written.note,))]


def write_plan(
    directory: Path,
    out: Path,
    *,
    plan: Plan,
    order: Order,
    config: Config,
    workspace: Path,
    progress: Progress = lambda _what, _share: None,
) -> PlanFiles:
    """The plan of an experiment on a portfolio, its page written to the folder `out`.

    Raises
    ------
    data.problems.BadPortfolio
        The portfolio breaks the contract.
    training.reports.rehearsal.ShortHistory
        The portfolio is too short, or too few of its debtors paid, to plan by.
    """
    progress("reading", 0.0)
    portfolio = read_portfolio(directory, channels=config.grid.channels)
    progress("reading", 1.0)
    planned = planned_on(portfolio, plan=plan, config=config, workspace=workspace, now_us=order.written_us)
    return PlanFiles(planned, write_pages([plan_page(planned)], out, order=order, progress=progress))


def planned_on(portfolio: Portfolio, *, plan: Plan, config: Config, workspace: Path, now_us: int = NEVER) -> Planned:
    """All figures of a plan on a portfolio, at both horizons of the configuration; errors as in `write_plan`."""
    horizon, known_until_us = config.horizon, latest_fact_us(portfolio, now_us=now_us)
    longest = max(horizon.days, horizon.also_days)
    rehearsal = rehearse(portfolio, horizon_days=longest, known_until_us=known_until_us)
    facts = facts_of(rehearsal.decisions, portfolio, config=config, workspace=workspace, known_until_us=known_until_us)
    each = dict.fromkeys((horizon.days, horizon.also_days))
    return Planned(plan, tuple(basis_of(facts, rehearsal, days=days) for days in each), known_until_us)
