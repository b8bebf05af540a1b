"""Whether a bundle that was promoted may decide: everything that can be known before this process loads it."""

from __future__ import annotations

import json
import os
import signal
import subprocess  # a bundle is tried out in a process that may die of it
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from models.bundle import Bundle, Role, bundle_from, pointed_version
from models.bundle_files import BadBundle, BundleFiles, read_files
from models.bundle_golden import ask_once
from models.bundle_head import must_be_ready
from models.bundle_seal import must_be_sealed

Trial = Callable[[BundleFiles], None]

ROOT = Path(__file__).resolve().parents[1]
"""Where the rooms lie: on the child's path, and no other folder of this process's choosing."""

KEPT_NAMES = frozenset({"PATH", "HOME", "LANG", "NUMBA_CACHE_DIR"})
KEPT_BEGINNINGS = ("OMP_", "PYTHON")
"""Variables that the child is given. Not ours: what is tried out is not trusted yet, and they may hold a password."""

_passed: set[str] = set()
"""Digests of the bundles that a child of this process has found good: they never change, so none is tried out twice."""


@dataclass(frozen=True)
class Limits:
    """What the child may take: seconds of the processor for LightGBM, seconds by the clock in all, bytes of address space.

    In all is long: where no cache of compiled kernels can be kept, compiling them takes half a minute (measured: 28 s).
    """

    seconds: float = 10.0
    in_all_seconds: float = 180.0
    bytes: int = 4 * 2**30


def tried_in_child(files: BundleFiles, *, limits: Limits = Limits()) -> None:  # frozen
    """Lets a process of its own load a bundle and hold its golden predictions against the model.

    Raises
    ------
    BadBundle
        The child says why, or has not lived to say it.
    """
    if files.digest in _passed:
        return
    reason = _told_by_child(files, limits)
    if reason:
        raise BadBundle(reason)
    _passed.add(files.digest)


def checked(workspace: Path, role: Role, *, trial: Trial = tried_in_child) -> BundleFiles | None:
    """Files of the bundle that a pointer names, when nothing speaks against loading it; None where there is no pointer.

    In this order, so that as little as possible of a bad one is touched: pointer, manifest, sizes, hashes, signature,
    features and library, and `trial` at last.

    Raises
    ------
    BadBundle
        What speaks against it.
    """
    version = pointed_version(workspace, role)
    if version is None:
        return None
    return checked_version(workspace, version, trial=trial)


def checked_version(workspace: Path, version: str, *, digest: str = "", trial: Trial = tried_in_child) -> BundleFiles:
    """Files of a bundle of the workspace when nothing speaks against loading it; with a `digest`, of that very bundle.

    Raises
    ------
    BadBundle
        What speaks against it, said before anything but its hashes was looked at where it is another one.
    """
    files = read_files(workspace / "models" / version)
    if digest and files.digest != digest:
        raise BadBundle(f"the bundle {version} is not the one that decided")
    must_be_sealed(workspace, files)
    must_be_ready(files)
    trial(files)
    return files


def ready_to_ask(files: BundleFiles) -> Bundle:
    """The bundle, from the very bytes that were checked, asked once: the first request after a swap compiles nothing."""
    bundle = bundle_from(files)
    ask_once(bundle.model, bundle.share_model, channels=bundle.reference.channels)
    return bundle


def environment_of_child(environment: Mapping[str, str]) -> dict[str, str]:
    """What a child needs of an environment.

    >>> sorted(environment_of_child({"HOME": "/root", "RETTID_DATABASE": "secret", "OMP_WAIT_POLICY": "passive"}))
    ['HOME', 'OMP_NUM_THREADS', 'OMP_WAIT_POLICY', 'PYTHONPATH']
    """
    kept = {
        name: value for name, value in environment.items() if name in KEPT_NAMES or name.startswith(KEPT_BEGINNINGS)
    }
    return kept | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}


def _told_by_child(files: BundleFiles, limits: Limits) -> str:
    """The child's reason against a bundle, empty for none."""
    arguments = [str(files.directory), files.digest, str(limits.seconds), str(limits.bytes)]
    try:
        done = subprocess.run(  # noqa: S603 # this program's own module, no shell
            [sys.executable, "-P", "-W", "ignore", "-m", "serving.bundle_child", *arguments],
            env=environment_of_child(os.environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=limits.in_all_seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return (
            f"{files.directory}: trying it out took longer than {limits.in_all_seconds:g} s: train again, then promote"
        )
    if done.returncode != 0:
        return f"{files.directory}: the process that tried it out {_end_of(done.returncode, limits)}: restore or train again"
    try:
        return str(json.loads(done.stdout)["reason"])
    except (ValueError, KeyError, TypeError):
        return f"{files.directory}: the process that tried it out said nothing that can be read: restore or train again"


def _end_of(code: int, limits: Limits) -> str:
    if code == -signal.SIGPROF:
        return f"took longer than {limits.seconds:g} s over its predictions"
    return f"died of {signal.Signals(-code).name}" if code < 0 else f"ended with {code}"
