"""Set-up: locks that name no registry, and a check that names what the system lacks."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LOCKS = ("requirements.lock", "requirements-uv.lock")


def pins(lock: str) -> dict[str, int]:
    """Hashes behind each pinned name of a lock."""
    parts = re.split(r"^(?=[a-z0-9])", (ROOT / lock).read_text(), flags=re.MULTILINE)
    return {part.split("==")[0].split("[")[0]: part.count("--hash=sha256:") for part in parts if "==" in part}


def wanted() -> set[str]:
    """Names that pyproject.toml asks for, as a lock spells them."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    asked = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    return {re.match(r"[A-Za-z0-9._-]+", name).group().lower().replace("_", "-") for name in asked}


def check(python: str, path: str) -> subprocess.CompletedProcess[str]:
    """What `.ci/system` answers for an interpreter, with only the folder `path` to find programs in."""
    command = ["/bin/sh", ".ci/system", python]
    return subprocess.run(command, cwd=ROOT, env={"PATH": path}, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_pins_every_package_by_hash_and_names_no_address(lock: str) -> None:
    assert [name for name, hashes in pins(lock).items() if not hashes] == []
    assert "://" not in (ROOT / lock).read_text()
    assert "--index" not in (ROOT / lock).read_text()


def test_the_lock_holds_what_pyproject_asks_for() -> None:
    assert wanted() - set(pins("requirements.lock")) == set()


def test_no_lock_that_names_a_registry_is_tracked() -> None:
    ignored = (ROOT / ".gitignore").read_text().splitlines()
    assert {"uv.lock", "pylock.toml"} <= set(ignored)


def test_the_system_check_passes_where_the_tests_run() -> None:
    answer = check(f"{sys.base_prefix}/bin/python3.11", os.environ["PATH"])
    assert (answer.returncode, answer.stderr) == (0, "")


def test_a_missing_interpreter_and_missing_programs_are_named_with_the_line_that_installs_them(tmp_path: Path) -> None:
    answer = check("python3.11", str(tmp_path))
    assert answer.returncode == 1
    assert "apt install git make python3.11 python3-pip" in answer.stderr


def test_an_interpreter_without_pip_is_told_to_install_it(tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.write_text('#!/bin/sh\ncase "$*" in *pip*) exit 1;; esac\n')
    python.chmod(0o755)
    answer = check(str(python), os.environ["PATH"])
    assert answer.returncode == 1
    assert "apt install python3-pip\n" in answer.stderr


def test_without_pango_set_up_goes_on_and_says_that_pdfs_are_left_out(tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.write_text('#!/bin/sh\ncase "$*" in *libpango*) exit 1;; esac\n')
    python.chmod(0o755)
    answer = check(str(python), os.environ["PATH"])
    assert answer.returncode == 0
    assert "PDFs are left out" in answer.stdout
    assert "apt install libpango-1.0-0" in answer.stdout
