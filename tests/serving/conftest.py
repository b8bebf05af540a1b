from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.small_service import SmallService, small_service


@pytest.fixture
def service(tmp_path: Path) -> Iterator[SmallService]:
    """A service of the test's own."""
    with small_service(tmp_path) as found:
        yield found


@pytest.fixture(scope="module")
def shared_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallService]:
    """One service for tests that change nothing in it."""
    with small_service(tmp_path_factory.mktemp("shared")) as found:
        yield found
