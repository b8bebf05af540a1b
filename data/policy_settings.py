"""`[policy]` of `rettid.toml`: how values become a choice, and what a contact must not exceed or fall short of."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

KINDS = ("greedy", "softmax", "thompson")
"""Ways to choose: the best value; better values more often; as often as a member of an ensemble finds it best."""


@dataclass(frozen=True)
class PolicySettings:
    """How the arms of a model choose; `control` and `explore` are none of it.

    `kind`: one of `KINDS`. `temperature_eur`: so much less value makes an action e times rarer under `softmax`. `floor`:
    least chance of `none` and of every (channel, part of the day) that is a candidate, for the kinds that draw; a logged
    decision then weighs at most 1 / `floor` at that level (.04: 25). `harm_budget_eur`: most harm of a debtor's contacts
    in `harm_days` days, the new one included; 0 sets none. `least_value_eur`: contact only where it is expected to be
    worth at least this; where the choice is drawn, what `none` counts as.
    """

    kind: str = "greedy"
    temperature_eur: float = 1.0
    floor: float = 0.04
    harm_budget_eur: float = 0.0
    harm_days: int = 30
    least_value_eur: float = 0.0


def fault(settings: PolicySettings, *, cells: int) -> str:
    """What is wrong with the settings on a grid of so many (channel, part of the day), `none` included; else empty.

    >>> fault(PolicySettings(), cells=19), fault(PolicySettings("softmax", floor=0.1), cells=19)[:46]
    ('', '[policy] floor: 19 cells of channel and part o')
    """
    if settings.kind not in KINDS:
        return f"[policy] kind: expected one of {', '.join(KINDS)}, came '{settings.kind}'"
    if not 0 < settings.temperature_eur < inf:
        return f"[policy] temperature_eur: expected EUR above 0, came {settings.temperature_eur}"
    if not 0 < settings.floor <= 1:
        return f"[policy] floor: expected a chance above 0 (.04 keeps weights at 25), came {settings.floor}"
    if settings.kind != "greedy" and settings.floor * cells > 1:
        return (
            f"[policy] floor: {cells} cells of channel and part of the day cannot have {settings.floor} each: "
            f"at most {1 / cells:.3f}"
        )
    if settings.harm_days < 1:
        return f"[policy] harm_days: expected at least 1, came {settings.harm_days}"
    for name in ("harm_budget_eur", "least_value_eur"):
        if not 0 <= getattr(settings, name) < inf:
            return f"[policy] {name}: expected EUR, 0 or more, came {getattr(settings, name)}"
    return ""
