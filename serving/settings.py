"""Settings of the service, read once at its start."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from data.log_place import secret

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
        Folder with `models/`, `decisions.db` and `reports/`; with `tenants`, a folder of such folders.
    portfolio
        Folder of the base portfolio; None: that of the last logged batch, and without one only debtors
        received as events are known.
    database
        URL of the PostgreSQL data base that holds the decision logs, a schema for each tenant; None: a SQLite file in
        each workspace.
    access
        URL of the data base of keys and managers; None: that of `database`, or `access.db` in the workspace.
    tenants
        Each folder in the workspace is the workspace of the tenant of that name; else there is one, called `main`.
    plain_http
        Managers may sign in over plain HTTP: for a look at one's own machine.
    body_limit
        Largest request body in bytes.
    ahead_days
        How far in the future an `as_of` may lie.
    patience_ms
        How long a decision may wait for the log before it is answered with caution.
    warm_up
        Decide once at the start, so that the first request does not wait for kernels to be compiled.
    """

    workspace: Path
    portfolio: Path | None = None
    database: str | None = None
    access: str | None = None
    tenants: bool = False
    plain_http: bool = False
    host: str = "127.0.0.1"
    port: int = 8000
    workers: int = 1
    body_limit: int = 1_000_000
    ahead_days: int = 366
    patience_ms: int = 400
    warm_up: bool = True

    def to_environment(self) -> dict[str, str]:
        """The one variable that `from_environment` reads."""
        return {ENVIRONMENT: json.dumps(asdict(self), default=str)}


def settings_from(
    environment: Mapping[str, str],
    workspace: Path,
    portfolio: Path | None,
    *,
    host: str,
    port: int,
    workers: int,
    tenants: bool,
) -> ServiceSettings:
    """Settings of the command line, with those that an operator keeps in the environment.

    Raises
    ------
    BadServiceSettings
        `RETTID_PATIENCE_MS` is no whole number, or several workers were asked for over plain HTTP from outside.

    >>> told = {"host": "127.0.0.1", "port": 8000, "workers": 1, "tenants": False}
    >>> settings_from({"RETTID_PATIENCE_MS": "250"}, Path("w"), None, **told).patience_ms
    250
    >>> settings_from({"RETTID_PATIENCE_MS": "soon"}, Path("w"), None, **told)
    Traceback (most recent call last):
    serving.settings.BadServiceSettings: RETTID_PATIENCE_MS is 'soon': expected milliseconds, such as 400
    """
    patience = environment.get("RETTID_PATIENCE_MS", "400")
    if not (patience.isascii() and patience.isdecimal() and 0 < len(patience) < 7):
        raise BadServiceSettings(f"RETTID_PATIENCE_MS is {patience[:20]!r}: expected milliseconds, such as 400")
    return ServiceSettings(
        workspace,
        portfolio=portfolio,
        database=secret(environment, "RETTID_DATABASE"),
        access=secret(environment, "RETTID_ACCESS"),
        tenants=tenants,
        plain_http=environment.get("RETTID_PLAIN_HTTP") == "1",
        host=host,
        port=port,
        workers=workers,
        patience_ms=int(patience),
    )


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
