"""The page on access shows the table that the service asks."""

from serving.access.page import matrix_table
from tests.documents.markdown import ROOT


def test_the_page_shows_the_matrix():
    assert matrix_table().strip() in (ROOT / "docs" / "access.md").read_text(encoding="utf-8")
