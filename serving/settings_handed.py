"""Settings on their way to the workers: through the environment, but for the secrets, which the environment only names a file of.

What stands in a process's environment can be read in `/proc`, is inherited by every child, and ends up in dumps.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from data.log_place import secret
from serving.settings import SECRETS, ServiceSettings


@contextmanager
def handed_over(settings: ServiceSettings, environment: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """The variable by which workers find the settings, while the workers run.

    A secret that the operator keeps in a file (`RETTID_DATABASE_FILE`) is read there by each worker; any other lies meanwhile
    in a file of this process's own that nobody else may read.
    """
    with TemporaryDirectory(prefix="rettid-settings-") as folder:
        given = {name: value for name in SECRETS if (value := getattr(settings, name)) is not None}
        files = {
            name: _own_file(name, value, environment) or _private_file(Path(folder) / name, value)
            for name, value in given.items()
        }
        yield settings.to_environment(files)


def _own_file(name: str, value: str, environment: Mapping[str, str]) -> Path | None:
    """The operator's file, where the secret is that one."""
    variable = f"RETTID_{name.upper()}"
    path = environment.get(f"{variable}_FILE")
    return Path(path).absolute() if path and secret(environment, variable) == value else None


def _private_file(path: Path, value: str) -> Path:
    path.touch(mode=0o600, exist_ok=False)
    path.write_text(value, encoding="utf-8")
    return path
