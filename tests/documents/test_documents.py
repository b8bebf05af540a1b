"""Each document is there, says what it must, points to what exists, and its code runs."""

import doctest
import tomllib
from pathlib import Path

import jupytext
import pytest

from tests.documents.markdown import ROOT, blocks, documents, links

ROOMS = ("data", "features", "models", "training", "serving")
DOCUMENTS = [str(path.relative_to(ROOT)) for path in documents()]
SCRIPTS = [str(path.relative_to(ROOT)) for path in sorted((ROOT / "notebooks").glob("*.py"))]


@pytest.mark.parametrize("name", ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md"])
def test_the_document_is_there(name: str) -> None:
    assert name in DOCUMENTS


def test_the_readme_gives_the_two_commands_and_the_picture() -> None:
    text = (ROOT / "README.md").read_text()
    assert "make demo" in text
    assert "make test" in text
    assert [target for target in links(text) if target.endswith((".png", ".svg"))]


@pytest.mark.parametrize("room", ROOMS)
def test_each_room_stands_in_the_architecture_page(room: str) -> None:
    assert f"`{room}/`" in (ROOT / "ARCHITECTURE.md").read_text()


def test_the_architecture_page_is_under_150_lines() -> None:
    assert len((ROOT / "ARCHITECTURE.md").read_text().splitlines()) < 150


def test_the_change_log_speaks_of_the_present_version() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert version in (ROOT / "CHANGELOG.md").read_text()


@pytest.mark.parametrize("document", DOCUMENTS)
def test_each_link_points_to_a_file_that_exists(document: str) -> None:
    here = (ROOT / document).parent
    assert [target for target in links((ROOT / document).read_text()) if not (here / target).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_each_python_block_runs(document: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"__name__": document}
    for block in blocks((ROOT / document).read_text()):
        if block.language == "python" and block.runs:
            run(block.text, names=names, document=document)


def run(text: str, *, names: dict[str, object], document: str) -> None:
    """Runs one block in the names that the blocks before it left."""
    if ">>>" in text:
        examples = doctest.DocTestParser().get_doctest(text, names, document, document, 0)
        runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS)
        assert runner.run(examples, clear_globs=False).failed == 0
        names |= examples.globs
    else:
        exec(compile(text, document, "exec"), names)


def test_a_block_that_fails_is_found() -> None:
    with pytest.raises(AssertionError):
        run(">>> 1 + 1\n3\n", names={}, document="a page")
    with pytest.raises(ZeroDivisionError):
        run("1 / 0", names={}, document="a page")


def test_there_is_a_notebook() -> None:
    assert SCRIPTS


@pytest.mark.parametrize("script", SCRIPTS)
def test_each_notebook_says_what_the_script_beside_it_says(script: str) -> None:
    text = jupytext.read(ROOT / script)
    notebook = jupytext.read((ROOT / script).with_suffix(".ipynb"))
    assert [cell.source for cell in notebook.cells] == [cell.source for cell in text.cells]
