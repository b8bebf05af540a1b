"""How long it takes from an event about a debtor to a decision that has seen it, in a service on a whole portfolio.

    make bench-event        needs a portfolio and a workspace with a champion: those of `make bench-share`, seed 1, by default

Each of 120 debtors has a claim disputed by an event and is asked about at once: the claim must not be covered any more.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
import uuid
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from fastapi.testclient import TestClient

from serving.app import create_app
from serving.settings import ServiceSettings

DEBTORS = 120


def measure(client: TestClient, portfolio: Path) -> None:
    """Print milliseconds of event and decision together, and of the decision."""
    claims = pq.read_table(portfolio / "claims.parquet").to_pandas()
    owed = claims[claims["closed_at"].isna()].drop_duplicates("debtor_id").head(DEBTORS)
    both, decision, seen = [], [], 0
    for claim_id, debtor_id in zip(owed["claim_id"], owed["debtor_id"], strict=True):
        row = {"claim_id": claim_id, "at": datetime.now(UTC).isoformat(), "kind": "dispute_opened"}
        begin = time.perf_counter()
        told = client.post("/v1/events", json={"event_id": uuid.uuid4().hex, "table": "claim_events", "row": row})
        middle = time.perf_counter()
        answer = client.post("/v1/next-best-action", json={"debtor_id": debtor_id})
        end = time.perf_counter()
        if told.status_code != 200 or answer.status_code != 200:
            raise RuntimeError(f"{told.text} {answer.text}")
        both.append(end - begin)
        decision.append(end - middle)
        seen += not any(one["covered"] for one in answer.json()["claims"] if one["claim_id"] == claim_id)
    print(f"seen by the next decision: {seen} of {len(both)}")
    print(f"event and decision: p50 {np.median(both) * 1e3:.0f} ms, longest {max(both) * 1e3:.0f} ms")
    print(f"decision alone: p50 {np.median(decision) * 1e3:.0f} ms")


def main() -> None:
    """Start the service on a copy of the workspace and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    folder = Path(".rettid/bench-share")
    parser.add_argument("--portfolio", type=Path, default=folder / "default-1")
    parser.add_argument("--workspace", type=Path, default=folder / "default-1-workspace")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        workspace = Path(place) / "workspace"
        shutil.copytree(given.workspace, workspace)
        settings = ServiceSettings(workspace=workspace, portfolio=given.portfolio)
        with TestClient(create_app(settings, clock=lambda: datetime.now(UTC))) as client:
            while client.get("/readyz").status_code != 200:
                time.sleep(0.2)
            measure(client, given.portfolio)


if __name__ == "__main__":
    main()
