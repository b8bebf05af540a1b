from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.serving.access.doors import Doors, doors


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[Doors]:
    """The small application, over a store of the test's own."""
    with doors(tmp_path) as found:
        yield found
