"""Would the tests of the contact rules notice a mistake in them? Mistakes are made one at a time, and the tests run.

    make rules-mutants
    python -m tests.proof.mutants --sample 250 --seed 1 --kept FILE
    python -m tests.proof.mutants --only quiet_hours --sample 0

Everything happens in a copy of the code, so that nobody's work meanwhile, and no mistake that writes files, is in the way.
Each mistake is tried in a fork of this process that has loaded every library and none of the rules; the changed module
is put in place of the real one when it is imported. A mistake that no test notices, and that is not in
`equivalent.toml`, has survived. `mutmut` is not used: it leaves out functions with decorators, which here are the
cached ones that ask calendars and clocks.
"""

from __future__ import annotations

import argparse
import gc
import importlib
import importlib.abc
import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

import numba
import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, settings
from rich.console import Console
from rich.progress import track

from tests.proof.mutation import Mutant, mutants

ROOT = Path(__file__).parents[2]
COPIED = ("data", "features", "models", "tests", "docs", "pyproject.toml")
RULES = ROOT / "models" / "rules"
KERNELS = ("_cap_kernels", "_rule_kernels", "_wait_kernels")
"""Modules beside them that hold the rules' loops."""
TESTS = ROOT / "tests"
LIMIT_S = 300
LIBRARIES = (
    "pyarrow.compute", "pyarrow.parquet", "holidays", "dateutil.easter", "hypothesis.strategies",
    "lightgbm", "rich.table", "data.calendar", "data.portfolio", "data.config", "data.situation", "data.action_grid",
    "data.decision_log", "data.zones", "data.local_time", "features.pipeline", "features.situation", "features.histories",
)  # fmt: skip
OPTIONS = (
    "-x", "-q", "--no-header", "--no-summary", "--assert=plain", "-p", "no:cacheprovider", "-o",
    "addopts=--import-mode=importlib", "-W", "ignore",
)  # fmt: skip


class Changed(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds one module of the rules, and makes it from a changed tree."""

    def __init__(self, mutant: Mutant) -> None:
        path = _path(mutant.module)
        self._name, self._file = ".".join(path.relative_to(ROOT).with_suffix("").parts), str(path)
        self._code = compile(mutant.tree, self._file, "exec")

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != self._name:
            return None
        return importlib.util.spec_from_file_location(fullname, self._file, loader=self)

    def exec_module(self, module: ModuleType) -> None:
        exec(self._code, module.__dict__)


def in_a_copy(arguments: list[str]) -> int:
    """Run this program in a copy of the code; gives what it ends with."""
    with tempfile.TemporaryDirectory(prefix="rettid-mutants-") as place:
        for name in COPIED:
            source, target = ROOT / name, Path(place) / name
            if source.is_dir():
                shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, target)
        command = [sys.executable, "-m", "tests.proof.mutants", "--here", *arguments]
        return subprocess.run(command, cwd=place, check=False).returncode


def every(only: str | None) -> list[Mutant]:
    """All mistakes of all modules, or of one."""
    modules = [*sorted(path.stem for path in RULES.glob("*.py") if path.stem != "__init__"), *KERNELS]
    return [one for module in modules if only in (None, module) for one in mutants(module, _text(_path(module)))]


def _path(module: str) -> Path:
    return (RULES.parent if module in KERNELS else RULES) / f"{module}.py"


def files_of_tests(module: str) -> list[str]:
    """Files of tests: those that speak of a module first, then the quick ones, those with a naive twin last."""
    files = sorted((TESTS / "models" / "rules").glob("test_*.py")) + sorted(
        (TESTS / "models").glob("test_*_kernels.py")
    )
    files += [TESTS / "laws" / "test_rules.py", TESTS / "proof" / "test_rules_proof.py"]
    own = {name.removesuffix("s") for name in (module, *module.split("_")) if len(name) > 2}
    slow = ("test_rules_proof", "test_rules", "test_mask")

    def turn(path: Path) -> int:
        if path.stem in slow:
            return 2 + slow.index(path.stem)
        return 0 if own & {name.removesuffix("s") for name in path.stem.split("_")} else 1

    return [str(path) for path in sorted(files, key=turn)]


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def is_noticed(mutant: Mutant | None, *, plain: bool) -> bool:
    """Whether some test fails, or none has an end, with a mistake in place; None: with none.

    `plain` leaves the loops uncompiled: Numba's cache would give a changed one as it was.
    """
    child = os.fork()
    if child == 0:
        _run_tests(mutant, plain=plain)
    begin = time.perf_counter()
    while time.perf_counter() - begin < LIMIT_S:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return status != 0
        time.sleep(0.02)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return True


def _run_tests(mutant: Mutant | None, *, plain: bool) -> None:
    """Run the tests and end this process with what they say."""
    os.setsid()
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    settings.register_profile(
        "mutants", derandomize=True, database=None, phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck), deadline=None,
    )  # fmt: skip
    settings.load_profile("mutants")
    numba.config.DISABLE_JIT = plain
    if mutant is not None:
        sys.meta_path.insert(0, Changed(mutant))
    found = 1
    try:
        found = int(pytest.main([*OPTIONS, *files_of_tests(mutant.module if mutant else "mask")]))
    finally:
        os._exit(min(found, 255))


def equivalent() -> dict[str, str]:
    """Mistakes that make no difference, by module and name, with the reason."""
    rows = tomllib.loads(_text(Path(__file__).parent / "equivalent.toml"))["mutant"]
    return {f"{row['module']}: {row['name']}": row["reason"] for row in rows}


def tried(wanted: list[Mutant], path: Path | None) -> dict[str, bool]:
    """Whether each mistake was noticed; those that `path` holds are not tried again."""
    kept = [json.loads(line) for line in _text(path).splitlines()] if path and path.exists() else []
    known: dict[str, bool] = {row["mutant"]: row["noticed"] for row in kept}
    for one in track(wanted, description="mistakes", disable=not sys.stderr.isatty()):
        name = f"{one.module}: {one.name}"
        if name not in known:
            begin = time.perf_counter()
            known[name] = is_noticed(one, plain=one.module in KERNELS)
            row = {"mutant": name, "line": one.line, "noticed": known[name], "s": round(time.perf_counter() - begin, 1)}
            if path is not None:
                with path.open("a", encoding="utf-8") as lines:
                    lines.write(json.dumps(row) + "\n")
    return {f"{one.module}: {one.name}": known[f"{one.module}: {one.name}"] for one in wanted}


def show(noticed: dict[str, bool], whole: int) -> int:
    """Print what was noticed and what survived; gives the number of the latter."""
    console, same = Console(width=140), equivalent()
    rest = [name for name, was in noticed.items() if not was]
    alike, survived = [name for name in rest if name in same], [name for name in rest if name not in same]
    for name in alike:
        console.print(f"makes no difference  {name}\n    {same[name]}", markup=False)
    for name in survived:
        console.print(f"survived  {name}", markup=False)
    count, killed = len(noticed) - len(alike), len(noticed) - len(rest)
    low, high = _interval(killed, count)
    console.print(
        f"{len(noticed):,} of {whole:,} mistakes tried; {len(alike)} make no difference; "
        f"noticed {killed:,} of {count:,}: {killed / max(count, 1):.1%} ({low:.1%} to {high:.1%})"
    )
    return len(survived)


def _interval(some: int, of: int) -> tuple[float, float]:
    """Wilson's interval of 95 % for a share."""
    if not of:
        return 0.0, 1.0
    z, share = 1.96, some / of
    middle, spread = share + z * z / (2 * of), z * (share * (1 - share) / of + z * z / (4 * of * of)) ** 0.5
    return (middle - spread) / (1 + z * z / of), (middle + spread) / (1 + z * z / of)


def main() -> None:
    """Try, print, and end with 1 if the tests fail as they are, or notice fewer than 95 %."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sample", type=int, default=250, help="so many mistakes, drawn at random; 0: all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", help="one module, such as caps or _cap_kernels")
    parser.add_argument("--kept", type=lambda text: Path(text).absolute())
    parser.add_argument("--here", action="store_true", help="in this folder, without a copy")
    parser.add_argument("--list", action="store_true", help="only count")
    given = parser.parse_args()
    if not given.here and not given.list:
        kept = ["--kept", str(given.kept)] if given.kept else []
        only = ["--only", given.only] if given.only else []
        sys.exit(in_a_copy(["--sample", str(given.sample), "--seed", str(given.seed), *only, *kept]))
    whole = every(given.only)
    wanted = whole
    if 0 < given.sample < len(whole):
        rows = np.random.default_rng(given.seed).choice(len(whole), given.sample, replace=False)
        wanted = [whole[row] for row in rows.tolist()]
    if given.list:
        counts = {module: sum(one.module == module for one in whole) for module in {one.module for one in whole}}
        Console().print(len(whole), dict(sorted(counts.items())))
        return
    os.chdir(ROOT)
    for name in LIBRARIES:
        importlib.import_module(name)
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # plugins of no use here take a second of every run
    gc.freeze()
    if is_noticed(None, plain=False) or is_noticed(None, plain=True):
        sys.exit("the tests fail without any mistake: run them first")
    begin = time.perf_counter()
    noticed = tried(wanted, given.kept)
    survived = show(noticed, len(whole))
    Console().print(f"{time.perf_counter() - begin:.0f} seconds")
    sys.exit(1 if survived > 0.05 * len(noticed) else 0)


if __name__ == "__main__":
    main()
