"""One server of the service's benchmark: `python service_contenders.py KIND --folder DIR --port N` serves until it is stopped.

empty       a plain FastAPI endpoint: same request model, same question who is calling, a small answer
decide      the service
booster     the service, its grid scored by `Booster.predict` on the expanded grid

All are served as `rettid serve` serves one worker, by the same function.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from fastapi import FastAPI, Request
from pydantic import BaseModel
from service_world import ShiftedClock, portfolio_in, workspace_in

from models.cells import Cells, ClassCells, RowCells
from models.propensity import BoosterModel
from models.protocol import PropensityModel
from serving.access.keys import KeyOrder, issue_key
from serving.access.rates import RateLimits
from serving.access.settings import AccessSettings
from serving.admission import admitted
from serving.app import Watched, create_app
from serving.models_in_use import Models, ModelsInUse
from serving.run import run as run_server
from serving.settings import ServiceSettings
from serving.shapes import NextBestActionRequest
from serving.telemetry.library_logs import take_over
from serving.tenants import MAIN, Parts

PATH = "/v1/next-best-action"
NO_LIMIT = 10**6
"""Calls a second that a key may make: limits are counted, and never reached."""


class Taken(BaseModel):
    """What the empty endpoint answers."""

    debtor_id: str
    status: str


def empty_app(folder: Path) -> FastAPI:
    """FastAPI as its manual has it; who is calling is asked as the service asks it."""
    settings = ServiceSettings(workspace=workspace_in(folder, "empty"))
    app = FastAPI()
    app.state = _created(folder, "empty", settings, Parts()).state

    @app.post(PATH)
    async def take(request: Request, asked: NextBestActionRequest) -> Taken:
        await admitted(request, path=PATH)
        return Taken(debtor_id=asked.debtor_id, status="taken")

    return app


def decide_app(folder: Path) -> FastAPI:
    """The service."""
    return service_app(folder, "decide")


def booster_app(folder: Path) -> FastAPI:
    """The service, its grid scored by LightGBM; with patience, or it would answer most requests with caution."""
    return service_app(folder, "booster", seen=_expanding, patience_ms=60_000)


def service_app(
    folder: Path, name: str, *, seen: Callable[[Models], Models] = lambda models: models, patience_ms: int | None = None
) -> FastAPI:
    """The service in a workspace of its own, its models changed by `seen`."""
    settings = ServiceSettings(workspace=workspace_in(folder, name), portfolio=portfolio_in(folder))
    settings = settings if patience_ms is None else replace(settings, patience_ms=patience_ms)
    return _created(folder, name, settings, Parts(models=_Seen(ModelsInUse(settings.workspace), seen)))


def _created(folder: Path, name: str, settings: ServiceSettings, parts: Parts) -> FastAPI:
    """The service with a key to call it, which is written beside its workspace."""
    watched = Watched(access=AccessSettings(rates=RateLimits(decide=NO_LIMIT)))
    clock = ShiftedClock()
    app = create_app(settings, clock=clock, parts=parts, watched=watched)
    secret, _ = issue_key(app.state.access.store, KeyOrder(MAIN, "collection_system", "bench"), now=clock())
    (folder / f"{name}.key").write_text(secret, encoding="utf-8")
    return app


class _Seen:
    """Models of a workspace, changed once for each that comes into use."""

    def __init__(self, source: ModelsInUse, change: Callable[[Models], Models]) -> None:
        self._source, self._change = source, change
        self._found: tuple[Models, Models] | None = None

    def current(self) -> Models:
        models = self._source.current()
        if self._found is None or self._found[0] is not models:
            self._found = models, self._change(models)
        return self._found[1]


def _expanding(models: Models) -> Models:
    model = models.champion.model
    assert isinstance(model, BoosterModel)
    return Models(replace(models.champion, model=ExpandingModel(model)), None)


@dataclass(frozen=True)
class ExpandingModel(PropensityModel):
    """A booster that is asked for every cell of a grid as a row of its own, on one thread."""

    model: BoosterModel

    def chance(self, cells: Cells) -> np.ndarray:
        """Chance of every cell."""
        if not isinstance(cells, ClassCells):
            return self.model.chance(cells)
        count, actions = cells.shape
        rows = np.empty((count, actions, cells.rows.shape[1] + cells.actions.shape[2]), dtype=np.float32)
        rows[:, :, : cells.rows.shape[1]] = cells.rows[:, None, :]
        rows[:, :, cells.rows.shape[1] :] = cells.actions[cells.of_row]
        return self.model.chance(RowCells(rows.reshape(count * actions, -1))).reshape(count, actions)

    def contributions(self, rows: np.ndarray) -> np.ndarray:
        """As the booster's."""
        return self.model.contributions(rows)

    def dump(self) -> dict[str, str]:
        """As the booster's."""
        return self.model.dump()


APPS: dict[str, Callable[[Path], FastAPI]] = {"empty": empty_app, "decide": decide_app, "booster": booster_app}


def main() -> None:
    """Serve."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=APPS)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True)
    given = parser.parse_args()
    app = APPS[given.kind](given.folder)
    take_over(app.state.log)
    run_server(app, ServiceSettings(workspace=given.folder, port=given.port))


if __name__ == "__main__":
    main()
