"""Bundles of earlier decisions: from memory where they are still there, else loaded once they have been checked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from threading import Lock

from models.bundle import Bundle, bundle_from
from models.bundle_files import BadBundle, BundleFiles
from serving.bundle_check import Trial, checked_version, tried_in_child

KEPT = 4
"""Bundles kept that are in use no more: a replay walks through decisions from newest to oldest."""

InMemory = Callable[[str], Bundle | None]


class BundlesAgain:
    """The bundles of a workspace by version and digest, as they stand beside a decision.

    Safe to share between threads; one bundle at a time is tried out, and one that failed its trial is not tried again.

    Parameters
    ----------
    in_memory
        Gives a bundle by its digest where it is loaded anyway.
    """

    def __init__(self, workspace: Path, *, in_memory: InMemory, trial: Trial = tried_in_child) -> None:
        self._workspace = workspace
        self._in_memory = in_memory
        self._trial = trial
        self._kept: dict[str, Bundle] = {}
        self._failed: dict[str, str] = {}
        self._loading = Lock()

    def of(self, told: str) -> Bundle:
        """The bundle of which a decision tells version and digest.

        Raises
        ------
        BadBundle
            It is gone or another one now, or something speaks against loading it.
        """
        version, _, digest = told.partition(" ")
        found = self._in_memory(digest) if digest else None
        if found is not None:
            return found
        with self._loading:
            bundle = self._kept.pop(told, None) or self._loaded(version, digest)
            self._kept[told] = bundle
            for old in list(self._kept)[:-KEPT]:
                del self._kept[old]
            return bundle

    def _loaded(self, version: str, digest: str) -> Bundle:
        return bundle_from(checked_version(self._workspace, version, digest=digest, trial=self._try_once))

    def _try_once(self, files: BundleFiles) -> None:
        if files.digest in self._failed:
            raise BadBundle(self._failed[files.digest])
        try:
            self._trial(files)
        except BadBundle as error:
            self._failed[files.digest] = str(error)
            raise
