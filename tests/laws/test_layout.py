"""The house's shape: rooms, imports, sizes, names, and what a wheel holds."""

import ast
import importlib
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("data", "features", "models", "training", "serving")
PICKLES = {"pickle", "joblib", "cloudpickle", "dill", "shelve", "marshal"}
VAGUE = {"utils", "util", "helpers", "helper", "common", "core", "misc"}
MODULE_LINES = 400
BODY_LINES = 50
IN_A_WHEEL = {".py", ".toml", ".json", ".html", ".css", ".svg", ".j2"}


def modules(root: Path) -> list[Path]:
    rooms = [path for room in ROOMS for path in sorted((root / room).rglob("*.py"))]
    return [*rooms, root / "rettid.py"]


def imported(source: str) -> set[str]:
    """The first part of every module that `source` imports, wherever the import stands."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module or "")
    return {name.split(".")[0] for name in names}


def long_bodies(source: str) -> Iterator[str]:
    """`name: lines` of each function whose statements, without the docstring, span more lines than allowed."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body[ast.get_docstring(node) is not None :]
            lines = body[-1].end_lineno - body[0].lineno + 1 if body else 0
            if lines > BODY_LINES:
                yield f"{node.name}: {lines}"


def vague(path: Path) -> bool:
    return path.stem.strip("_") in VAGUE


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Names of the files in a wheel built from the repository as it stands."""
    out = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(out)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (built,) = out.glob("*.whl")
    return zipfile.ZipFile(built).namelist()


@pytest.mark.parametrize("room", ROOMS)
def test_each_room_is_imported_from_the_repository(room: str) -> None:
    assert importlib.import_module(room).__file__ == str(ROOT / room / "__init__.py")


@pytest.mark.parametrize("room", ROOMS)
def test_no_room_imports_the_command_line_the_tests_or_a_pickle(room: str) -> None:
    barred = {"rettid", "tests", "notebooks"} | PICKLES
    found = {
        str(path.relative_to(ROOT)): sorted(barred & imported(path.read_text()))
        for path in (ROOT / room).rglob("*.py")
        if barred & imported(path.read_text())
    }
    assert not found


def test_an_import_is_seen_inside_a_function_and_in_either_form() -> None:
    source = "def late():\n    import joblib.numpy_pickle\n    from rettid import main\n"
    assert imported(source) == {"joblib", "rettid"}


def test_every_module_is_under_400_lines() -> None:
    lines = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in modules(ROOT)}
    assert {name: count for name, count in lines.items() if count >= MODULE_LINES} == {}


def test_every_function_body_is_at_most_50_lines() -> None:
    found = {str(path.relative_to(ROOT)): list(long_bodies(path.read_text())) for path in modules(ROOT)}
    assert {name: bodies for name, bodies in found.items() if bodies} == {}


def test_a_docstring_does_not_count_as_body_but_the_51st_line_does() -> None:
    fifty = 'def f():\n    """One.\n\n    Two.\n    """\n' + "    x = 1\n" * 50
    assert list(long_bodies(fifty)) == []
    assert list(long_bodies(fifty + "    x = 1\n")) == ["f: 51"]


def test_no_module_has_a_name_that_says_nothing() -> None:
    scripts = [path for folder in (*ROOMS, "tests") for path in (ROOT / folder).rglob("*.py")]
    assert [str(path.relative_to(ROOT)) for path in scripts if vague(path)] == []
    assert vague(Path("features/_helpers.py"))


def test_no_init_under_tests_hides_a_room() -> None:
    assert list((ROOT / "tests").rglob("__init__.py")) == []


def test_every_folder_of_code_in_a_room_is_a_package() -> None:
    folders = {path.parent for room in ROOMS for path in (ROOT / room).rglob("*.py")}
    assert [str(folder.relative_to(ROOT)) for folder in folders if not (folder / "__init__.py").exists()] == []


def test_a_wheel_holds_every_module_of_the_rooms_and_the_command_line(wheel: list[str]) -> None:
    assert {str(path.relative_to(ROOT)) for path in modules(ROOT)} <= set(wheel)


def test_a_wheel_holds_the_report_templates_the_rule_packs_and_the_frame_specs(wheel: list[str]) -> None:
    for folder, suffix in (("training/reports", ".html.j2"), ("models/rules", ".toml"), ("data/frames", ".toml")):
        kept = {str(path.relative_to(ROOT)) for path in (ROOT / folder).rglob("*" + suffix)}
        assert kept, f"{folder} has no *{suffix}"
        assert kept <= set(wheel)


def test_a_wheel_holds_code_settings_and_templates_and_no_table_of_data(wheel: list[str]) -> None:
    inside = [name for name in wheel if ".dist-info/" not in name]
    assert [name for name in inside if Path(name).suffix not in IN_A_WHEEL] == []
    assert {name.split("/")[0] for name in inside} == {*ROOMS, "rettid.py"}


def rooms_imported(source: str) -> set[str]:
    """Files of our rooms that `source` imports from."""
    found = {node.module for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ImportFrom) and node.module}
    return {f"{name.replace('.', '/')}.py" for name in found if name.partition(".")[0] in ROOMS}


def test_compiled_loops_are_compiled_again_after_an_edit_of_what_they_import() -> None:
    sources = {str(path.relative_to(ROOT)): path.read_text() for path in modules(ROOT)}
    kernels = {name for name, source in sources.items() if "\n@njit" in source}
    wanted = set().union(*(rooms_imported(sources[name]) for name in kernels)) - kernels
    listed = re.search(r"^IMPORTED := ((?:.*\\\n)*.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert listed is not None
    assert set(listed.group(1).replace("\\\n", " ").split()) == wanted
