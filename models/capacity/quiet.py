"""Silence for a library that writes to standard output on its own account."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

STDOUT = 1


@contextmanager
def quiet() -> Iterator[None]:
    """Nothing that is written to the process's standard output inside arrives.

    HiGHS prints a line of its own where it repairs a solution, whatever it is told; it does so in C, so that only
    the descriptor can stop it, and what C still holds must be let out before the descriptor is put back.
    """
    sys.stdout.flush()
    kept = os.dup(STDOUT)
    try:
        with Path(os.devnull).open("wb") as nowhere:
            os.dup2(nowhere.fileno(), STDOUT)
            yield
    finally:
        ctypes.CDLL(None).fflush(None)
        os.dup2(kept, STDOUT)
        os.close(kept)
