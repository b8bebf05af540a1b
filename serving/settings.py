"""Settings of the service, read once at its start."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from ipaddress import ip_network
from pathlib import Path
from typing import Any

from data.log_place import secret

ENVIRONMENT = "RETTID_SERVICE"
"""Variable through which the front door hands the settings to worker processes, as JSON."""

SECRETS = ("database", "access")
"""Settings that hold a password: `FILES` names the file of each, and their values stand in no environment of ours."""

FILES = "files"
LOOPBACK = "127.0.0.1,::1"


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
    forwarded_allow_ips
        Addresses and networks of proxies, with commas: what these say of a caller's address (`X-Forwarded-For`) is believed.
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
    forwarded_allow_ips: str = LOOPBACK
    warm_up: bool = True

    def to_environment(self, files: Mapping[str, Path] | None = None) -> dict[str, str]:
        """The one variable that `from_environment` reads; of a secret with a file in `files`, by setting, that file's name.

        >>> ServiceSettings(Path("work"), database="secret").to_environment({"database": Path("/run/it")})[ENVIRONMENT][-33:]
        '"files": {"database": "/run/it"}}'
        """
        named = {name: str(path) for name, path in (files or {}).items()}
        plain = asdict(self) | dict.fromkeys(named)
        return {ENVIRONMENT: json.dumps(plain | ({FILES: named} if named else {}), default=str)}


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
        `RETTID_PATIENCE_MS` is no whole number, or `RETTID_FORWARDED_ALLOW_IPS` holds what is no address or network.

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
        forwarded_allow_ips=_proxies(environment.get("RETTID_FORWARDED_ALLOW_IPS") or LOOPBACK),
    )


def _proxies(text: str) -> str:
    """Addresses and networks with commas; `*` is none: whoever is believed can escape the limits on failed sign-ins."""
    found = [one.strip() for one in text.split(",")]
    for one in found:
        try:
            ip_network(one)
        except ValueError as error:
            raise BadServiceSettings(
                f"RETTID_FORWARDED_ALLOW_IPS: {one[:40]!r} is no address or network: "
                "expected those of the proxy, such as 10.0.0.7 or 172.31.77.0/24"
            ) from error
    return ",".join(found)


def from_environment(environment: Mapping[str, str]) -> ServiceSettings:
    """Settings as `to_environment` wrote them.

    Raises
    ------
    BadServiceSettings
        The variable is missing, is no JSON, or holds an unknown or badly typed key, or a file it names cannot be read.

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
    known = {field.name for field in fields(ServiceSettings)} | {FILES}
    if not isinstance(given, dict) or "workspace" not in given or not set(given) <= known:
        raise BadServiceSettings(f"{ENVIRONMENT}: expected workspace and any of {', '.join(sorted(known))}")
    portfolio, files = given.get("portfolio"), given.pop(FILES, {})
    return ServiceSettings(
        **{
            **given,
            **_read_secrets(files),
            "workspace": Path(given["workspace"]),
            "portfolio": None if portfolio is None else Path(portfolio),
        }
    )


def _read_secrets(files: Any) -> dict[str, str | None]:  # noqa: ANN401 (as it stood in the JSON)
    """The secrets, each from the file that is named for it."""
    if not isinstance(files, dict) or not set(files) <= set(SECRETS):
        raise BadServiceSettings(f"{ENVIRONMENT}: expected the names of files for any of {', '.join(SECRETS)}")
    try:
        return {name: secret({f"{name}_FILE": path}, name) for name, path in files.items()}
    except (OSError, TypeError) as error:
        raise BadServiceSettings(
            f"{ENVIRONMENT}: a file of a secret cannot be read ({type(error).__name__})"
        ) from error
