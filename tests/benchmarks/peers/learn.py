"""One tool on one question: learns, values, and tells seconds of processor and bytes. Runs in the peers' environment.

    PYTHON learn.py --tool causalml-x --folder FOLDER --seed 1

reads `learn.npz` and `judged.npz` in FOLDER and writes `TOOL.npy` there, the values of the arms, shape (u, K); prints JSON.
"""

from __future__ import annotations

import argparse
import importlib
import json
import pickle
import sys
import time
import warnings
from pathlib import Path

import numpy as np
from frame import Learnt, Matrix, read_frame

MODULES = {
    "causalml": "causalml_tools",
    "econml": "econml_tools",
    "sklift": "sklift_tools",
    "contextualbandits": "bandit_tools",
    "vw": "vowpal_tools",
    "means": "means_tools",
}
BLOCK = 50_000


def valued(learnt: Learnt, x: Matrix) -> np.ndarray:
    """Values of all rows, block by block."""
    return np.concatenate([learnt.values(part) for part in np.array_split(x, len(x) // BLOCK + 1)])


def main() -> None:
    """Learn, value, tell."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tool", required=True)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    warnings.filterwarnings("ignore")
    tool = importlib.import_module(MODULES[given.tool.split("-")[0]]).TOOLS[given.tool]
    frame = read_frame(given.folder)
    with np.load(given.folder / "judged.npz") as kept:
        judged = kept["x"]
    begin = time.process_time()
    learnt = tool(frame, given.seed)
    learning = time.process_time() - begin
    begin = time.process_time()
    values = valued(learnt, judged)
    scoring = time.process_time() - begin
    np.save(given.folder / f"{given.tool}.npy", values)
    json.dump({"learning_s": learning, "scoring_s": scoring, "bytes": len(pickle.dumps(learnt))}, sys.stdout)


if __name__ == "__main__":
    main()
