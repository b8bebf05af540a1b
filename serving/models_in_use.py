"""The models the service answers with: looked at again when the pointer files change, the last good ones kept."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Lock, Thread
from typing import Protocol

from models.bundle import Bundle, NoChampion, Role
from models.bundle_files import BadBundle
from serving.bundle_check import Trial, checked, ready_to_ask, tried_in_child

Stamp = tuple[tuple[int, int, int] | None, ...]
OnRefused = Callable[[Role, str], None]

ROLES: tuple[Role, Role] = ("champion", "challenger")
KEPT = 3
"""Bundles kept in memory: those in use and those before them, so that going back takes no loading."""


@dataclass(frozen=True)
class Models:
    """Champion and, where one was promoted, challenger."""

    champion: Bundle
    challenger: Bundle | None

    @property
    def versions(self) -> dict[str, str]:
        """Version and digest of each, as they stand beside a decision."""
        both = {"champion": self.champion, "challenger": self.challenger}
        return {role: f"{one.model_version} {one.digest}".strip() for role, one in both.items() if one is not None}


@dataclass(frozen=True)
class Refusal:
    """A promoted bundle that does not decide, and what speaks against it."""

    role: Role
    reason: str


Found = tuple[Bundle | None, Refusal | None]


class ModelSource(Protocol):
    """Where the models to decide with come from."""

    def current(self) -> Models:
        """The models to decide with now; raises `models.bundle.NoChampion` where there are none."""
        ...


def _told_to_nobody(_role: Role, _reason: str) -> None:
    """A refusal that is kept in `ModelsInUse.refused` alone."""


class ModelsInUse:
    """Models of a workspace, looked at again whenever `champion.json` or `challenger.json` has changed.

    A request never waits for that: what was promoted is checked in a thread of its own, bundle by bundle in a child process,
    while the models before it answer. Only where there are none yet does the first one to ask wait. Both models change in
    one assignment, so whoever holds a `Models` holds two that were in use together.

    Parameters
    ----------
    on_refused
        Told once for each change of a pointer that is refused, with the role and the reason.
    trial
        What is asked of a bundle before this process loads it.
    background
        False: the one who asks first after a change waits for the check.
    """

    def __init__(
        self,
        workspace: Path,
        *,
        on_refused: OnRefused = _told_to_nobody,
        trial: Trial = tried_in_child,
        background: bool = True,
    ) -> None:
        self._workspace = workspace
        self._pointers = tuple(str(workspace / "models" / f"{role}.json") for role in ROLES)
        self._on_refused = on_refused
        self._trial = trial
        self._background = background
        self._checking = Lock()
        self._seen: Stamp | None = None
        self._models: Models | None = None
        self._good_ones: dict[Role, Bundle | None] = {}
        self._refused: tuple[Refusal, ...] = ()
        self._kept: dict[str, Bundle] = {}

    @property
    def refused(self) -> tuple[Refusal, ...]:
        """What the pointers name and does not decide; empty when everything promoted is in use."""
        return self._refused

    def current(self) -> Models:
        """The models to decide with now.

        Raises
        ------
        models.bundle.NoChampion
            Nothing has been promoted, or what was promoted is refused and nothing was in use before.
        """
        if self._look() != self._seen:
            if self._models is None or not self._background:
                self._check_if_changed()
            elif self._checking.acquire(blocking=False):
                Thread(target=self._check_and_release, name="bundle check", daemon=True).start()
        return self._in_use()

    def kept(self, digest: str) -> Bundle | None:
        """A bundle that was in use and is still in memory; None for any other."""
        return self._kept.get(digest)

    def check_now(self) -> Models:
        """The models to decide with, once the pointers as they are now have been looked at, changed or not.

        Raises
        ------
        models.bundle.NoChampion
            As `current`.
        """
        with self._checking:
            self._check(anew=True)
        return self._in_use()

    def _in_use(self) -> Models:
        found = self._models
        if found is None:
            why = "; ".join(one.reason for one in self._refused) or f"nothing is promoted in {self._workspace}"
            raise NoChampion(f"no champion can be loaded ({why}): run `rettid train` and `rettid promote RUN`")
        return found

    def _check_if_changed(self) -> None:
        """Waits for a check that is under way; looks itself if that one has not seen the pointers as they are."""
        with self._checking:
            if self._look() != self._seen:
                self._check()

    def _check_and_release(self) -> None:
        try:
            self._check()
        finally:
            self._checking.release()

    def _check(self, *, anew: bool = False) -> None:
        """Looks at the pointers that have changed and swaps what is good, both models in one assignment.

        The stamp is older than the look, so that a change meanwhile is seen next time.
        """
        stamp, seen, before = self._look(), self._seen, self._good_ones
        told = {one.role: one for one in self._refused}
        found: dict[Role, Found] = {}
        try:
            for number, role in enumerate(ROLES):
                same = not anew and seen is not None and stamp[number] == seen[number]
                found[role] = (before.get(role), told.get(role)) if same else self._good(role, before.get(role))
            champion, challenger = (found[role][0] for role in ROLES)
            self._good_ones = {"champion": champion, "challenger": challenger}
            self._models = None if champion is None else Models(champion, challenger)
        finally:
            self._refused = tuple(refusal for _, refusal in found.values() if refusal is not None)
            self._seen = stamp
        for refusal in self._refused:
            if refusal is not told.get(refusal.role):
                self._on_refused(refusal.role, refusal.reason)

    def _good(self, role: Role, before: Bundle | None) -> Found:
        """The bundle that the pointer names, or the one before it and why."""
        try:
            files = checked(self._workspace, role, trial=self._trial)
            if files is not None:
                return self._keep(self._kept.get(files.digest) or ready_to_ask(files)), None
            if role == "challenger" or before is None:
                return None, None
            reason = f"{role}.json is gone: run `rettid promote RUN`"
        except (BadBundle, OSError, MemoryError) as error:
            reason = str(error)
        return before, Refusal(role, reason)

    def _keep(self, bundle: Bundle) -> Bundle:
        self._kept.pop(bundle.digest, None)
        self._kept[bundle.digest] = bundle
        for digest in list(self._kept)[:-KEPT]:
            del self._kept[digest]
        return bundle

    def _look(self) -> Stamp:
        return tuple(map(_stamp, self._pointers))


def _stamp(path: str) -> tuple[int, int, int] | None:
    try:
        found = os.lstat(path)
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino, found.st_size
