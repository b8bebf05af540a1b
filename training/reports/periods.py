"""Experiments: stretches of time in which the arms and their shares stayed the same."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data.times import from_us
from data.vocabulary import ARMS
from training.reports.experiment import CHAMPION, CONTROL, Entrants
from training.trials.sequential import FIRST_DEBTORS


@dataclass(frozen=True)
class Experiment:
    """One experiment.

    Parameters
    ----------
    name
        `experiment-YYYY-MM-DD` by the day (UTC) of its first decision; the second of a day has `-2` behind it.
    from_us, to_us
        First decision, and first decision of the next experiment; None while it goes on.
    shares
        Share of each arm met, by arm.
    entrants
        Debtors whose first decision fell into it.
    """

    name: str
    from_us: int
    to_us: int | None
    shares: dict[str, float]
    entrants: Entrants

    @property
    def compares(self) -> bool:
        """Whether it has debtors in both the control and the champion arm."""
        return {CONTROL, CHAMPION} <= set(np.unique(self.entrants.arm).tolist())


def experiments(entrants: Entrants) -> tuple[Experiment, ...]:
    """The experiments of a log in order, those without a comparison of champion and control left out.

    Notes
    -----
    A debtor belongs to the experiment of the first decision, whatever came later: those who entered under other shares
    would bring another season into one arm more than into the other. A new version of the champion's model begins no
    new experiment: what is compared is deciding by the model as it is kept up, retrained and promoted, with the present
    rules; a log retrained weekly would otherwise never be judged. The versions stand on the page.
    """
    if not entrants.randomised:
        return ()
    begins = entrants.begins_us
    place = np.searchsorted(begins, entrants.entered_us, side="right") - 1
    named: dict[str, int] = {}
    found = []
    for number, begin_us in enumerate(begins.tolist()):
        members = entrants.only(place == number)
        to_us = int(begins[number + 1]) if number + 1 < len(begins) else None
        day = f"experiment-{day_of(begin_us)}"
        named[day] = named.get(day, 0) + 1
        name = day if named[day] == 1 else f"{day}-{named[day]}"
        found.append(Experiment(name, begin_us, to_us, _shares(members), members))
    return tuple(one for one in found if one.compares)


def day_of(instant_us: int) -> str:
    """Day of an instant in UTC, as ISO text."""
    return from_us(instant_us).date().isoformat()


def _shares(entrants: Entrants) -> dict[str, float]:
    met = np.unique(entrants.arm).tolist()
    return {ARMS[arm]: float(np.nanmedian(entrants.arm_probability[entrants.arm == arm])) for arm in met}


def judged(entrants: Entrants) -> Experiment | None:
    """The experiment that a page about all of them judges: the newest with enough debtors in both arms, else the newest.

    Only debtors followed for the horizon count: a new experiment of whom nothing is known yet does not hide an older one.
    """
    found = experiments(entrants)
    followed = [one.entrants.arm[one.entrants.entered_us <= entrants.followed_to_us] for one in found]
    sizes = [np.bincount(arm, minlength=len(ARMS))[[CONTROL, CHAMPION]].min() for arm in followed]
    large = [one for one, size in zip(found, sizes, strict=True) if size >= FIRST_DEBTORS]
    return (large or found)[-1] if found else None
