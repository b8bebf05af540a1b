"""Tries a bundle out in a process of its own: `python -m serving.bundle_child DIRECTORY DIGEST SECONDS BYTES`.

A LightGBM text can end its process or keep it walking for ever. Nothing here is asked by the service itself: it starts this,
and hears one line of JSON, `{"reason": ""}` for a bundle that answers as it did when it was written.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
import time
from pathlib import Path

from models.bundle import Bundle, bundle_from
from models.bundle_files import GOLDEN, BadBundle, BundleFiles, read_files
from models.bundle_golden import Answers, Cases, asked_by_grid, asked_by_row, must_agree, must_be_chances, read_golden
from models.bundle_trees import must_hang_together


def try_out(directory: Path, *, digest: str, seconds: float) -> None:
    """Loads a bundle and asks it the golden rows; the process ends by SIGPROF when LightGBM takes longer than `seconds`.

    These are seconds of the processor: a machine that has much else to do makes no bundle bad.

    Raises
    ------
    BadBundle
        It is another one than asked for, cannot be loaded, or does not answer as when it was written.
    """
    files = read_files(directory)
    if files.digest != digest:
        raise BadBundle(f"{directory} has changed while it was looked at: restore it, then promote again")
    cases, expected = read_golden(files.part(GOLDEN))
    begun_s = time.process_time()
    signal.setitimer(signal.ITIMER_PROF, seconds)
    bundle = _loaded(files)
    chance = bundle.model.probability(cases.rows)
    must_be_chances(Answers(chance, None))
    must_agree(chance, expected.chance, what="chance of payment")
    # from here on it is our own code on trees that hang together, compiled first where no cache is kept
    signal.setitimer(signal.ITIMER_PROF, 0)
    if time.process_time() - begun_s > seconds:  # the timer looks every few milliseconds only
        raise BadBundle(f"{directory}: it took longer than {seconds:g} s over its predictions: train a smaller model")
    _must_answer_grids(bundle, cases, expected)


def _loaded(files: BundleFiles) -> Bundle:
    try:
        must_hang_together(files.texts)
    except (ValueError, IndexError) as error:
        raise BadBundle(f"{files.directory}: {error}") from error
    return bundle_from(files)


def _must_answer_grids(bundle: Bundle, cases: Cases, expected: Answers) -> None:
    must_agree(asked_by_grid(bundle.model, cases), expected.chance, what="chance of payment on a grid")
    share = asked_by_row(bundle.model, bundle.share_model, cases)
    must_be_chances(share)
    must_agree(share.share, expected.share, what="share paid")


def main() -> None:
    """Does what the module says; limits come before the first byte of the bundle."""
    directory, digest, seconds, most_bytes = sys.argv[1:]
    told = os.fdopen(os.dup(1), "w", encoding="utf-8")
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)  # LightGBM writes to both
    os.dup2(silence, 2)
    resource.setrlimit(resource.RLIMIT_AS, (int(most_bytes), int(most_bytes)))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    try:
        try_out(Path(directory), digest=digest, seconds=float(seconds))
        reason = ""
    except BadBundle as error:
        reason = str(error)
    except MemoryError:
        reason = f"{directory}: expected to get along with {most_bytes} bytes of memory: train a smaller model"
    told.write(json.dumps({"reason": reason}))
    told.flush()


if __name__ == "__main__":
    main()
