"""The models the service answers with: read when the pointer files change, the last good ones kept."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Protocol

from models.bundle import BadBundle, Bundle, NoChampion, champion, pointed

Stamp = tuple[tuple[int, int] | None, ...]


@dataclass(frozen=True)
class Models:
    """Champion and, where one was promoted, challenger."""

    champion: Bundle
    challenger: Bundle | None


class ModelSource(Protocol):
    """Where the models to decide with come from."""

    def current(self) -> Models:
        """The models to decide with now; raises `models.bundle.NoChampion` where there are none."""
        ...


class ModelsInUse:
    """Models of a workspace, looked at again whenever `champion.json` or `challenger.json` has changed."""

    def __init__(self, workspace: Path) -> None:
        self._workspace = workspace
        self._lock = Lock()
        self._stamp: Stamp | None = None
        self._models: Models | None = None

    def current(self) -> Models:
        """The models to decide with now.

        A bundle that cannot be read leaves the last good ones in use.

        Raises
        ------
        models.bundle.NoChampion
            Nothing has been promoted, or what was promoted cannot be read and nothing was in use before.
        """
        stamp = self._look()
        if stamp != self._stamp or self._models is None:
            with self._lock:
                if stamp != self._stamp or self._models is None:
                    self._read(stamp)
        if self._models is None:
            raise NoChampion("no model can be used: run `rettid promote RUN`")
        return self._models

    def _read(self, stamp: Stamp) -> None:
        try:
            self._models = Models(champion(self._workspace), pointed(self._workspace, "challenger"))
        except (BadBundle, NoChampion, OSError, ValueError) as error:
            if self._models is None:
                raise NoChampion("no champion can be loaded: run `rettid train` and `rettid promote RUN`") from error
        self._stamp = stamp

    def _look(self) -> Stamp:
        folder = self._workspace / "models"
        return tuple(_stamp(folder / f"{role}.json") for role in ("champion", "challenger"))


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino
