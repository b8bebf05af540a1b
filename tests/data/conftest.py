"""Places of a decision log and of keys for the tests of this folder, on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from data.decision_log import DecisionLog
from tests.data.log_places import KINDS, Place, access_place_of, place_of


@pytest.fixture(params=KINDS)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    with place_of(request.param, tmp_path) as found:
        yield found


@pytest.fixture
def log(place: Place) -> Iterator[DecisionLog]:
    found = place.open()
    yield found
    found.close()


@pytest.fixture(params=KINDS)
def access_place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    with access_place_of(request.param, tmp_path) as found:
        yield found
