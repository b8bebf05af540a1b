"""Settings of the service, read once at its start."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path

ENVIRONMENT = "RETTID_SERVICE"
"""Variable through which the front door hands the settings to worker processes, as JSON."""


class BadServiceSettings(ValueError):
    """A setting of the service is missing, unknown or out of range."""


@dataclass(frozen=True)
class ServiceSettings:
    """Where the service finds things, and its limits.

    Parameters
    ----------
    workspace
        Folder with `models/`, `decisions.db` and `reports/`.
    portfolio
        Folder of the base portfolio; None: that of the last logged batch, and without one only debtors
        received as events are known.
    body_limit
        Largest request body in bytes.
    ahead_days
        How far in the future an `as_of` may lie.
    """

    workspace: Path
    portfolio: Path | None = None
    host: str = "127.0.0.1"
    port: int = 8000
    workers: int = 1
    body_limit: int = 1_000_000
    ahead_days: int = 366

    def to_environment(self) -> dict[str, str]:
        """The one variable that `from_environment` reads."""
        return {ENVIRONMENT: json.dumps(asdict(self), default=str)}


def from_environment(environment: Mapping[str, str]) -> ServiceSettings:
    """Settings as `to_environment` wrote them.

    Raises
    ------
    BadServiceSettings
        The variable is missing, is no JSON, or holds an unknown or badly typed key.

    >>> settings = ServiceSettings(Path("work"), port=8080)
    >>> from_environment(settings.to_environment()) == settings
    True
    >>> from_environment({})
    Traceback (most recent call last):
    serving.settings.BadServiceSettings: expected settings as JSON in RETTID_SERVICE, found none: use `rettid serve`
    """
    text = environment.get(ENVIRONMENT)
    if text is None:
        raise BadServiceSettings(f"expected settings as JSON in {ENVIRONMENT}, found none: use `rettid serve`")
    try:
        given = json.loads(text)
    except json.JSONDecodeError as error:
        raise BadServiceSettings(f"{ENVIRONMENT} is not JSON ({error.msg}): use `rettid serve`") from error
    known = {field.name for field in fields(ServiceSettings)}
    if not isinstance(given, dict) or "workspace" not in given or not set(given) <= known:
        raise BadServiceSettings(f"{ENVIRONMENT}: expected workspace and any of {', '.join(sorted(known))}")
    portfolio = given.get("portfolio")
    return ServiceSettings(
        **{
            **given,
            "workspace": Path(given["workspace"]),
            "portfolio": None if portfolio is None else Path(portfolio),
        }
    )
