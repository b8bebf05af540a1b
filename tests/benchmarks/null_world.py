"""How often the report claims a gain in a world where no contact has any effect.

    make bench-null             20 seeds, 3,000 debtors, 10 months

Every seed goes through the command line: simulate the world `null`, train, promote, decide in arms, play 28 days
forward, report. A claim is the verdict `gain_shown` (or `loss_shown`, counted apart) in the report's JSON.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
AS_OF = "2026-03-02T05:00:00+00:00"
ARMS = "[arms]\ncontrol = 0.45\nexplore = 0.10\nchampion = 0.45\n"


def rettid(workspace: Path, *arguments: str) -> None:
    """One command of the program."""
    command = [sys.executable, str(ROOT / "rettid.py"), "--workspace", str(workspace), *arguments]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def verdict(seed: int, *, debtors: int, months: int, folder: Path) -> str:
    """The report's verdict for one seed."""
    portfolio, workspace = folder / f"null-{seed}", folder / f"null-{seed}-workspace"
    portfolio.mkdir(parents=True, exist_ok=True)
    (portfolio / "rettid.toml").write_text(ARMS, encoding="utf-8")
    decisions = folder / f"null-{seed}.parquet"
    size = ("--debtors", str(debtors), "--months", str(months), "--truth", "1")
    rettid(workspace, "simulate", str(portfolio), *size, "--seed", str(seed), "--world", "null")
    rettid(workspace, "train", str(portfolio), "--as-of", AS_OF)
    rettid(workspace, "promote", "lightgbm", "--force", "a world without any gain")
    rettid(workspace, "decide", str(portfolio), "--as-of", AS_OF, "--out", str(decisions))
    rettid(workspace, "simulate", str(portfolio), "--continue", "28", "--decisions", str(decisions))
    rettid(workspace, "report", "--out", str(workspace / "reports"))
    found = json.loads((workspace / "reports" / "overview.json").read_text(encoding="utf-8"))
    return str(found["verdict"]["code"])


def main() -> None:
    """Print a line a seed, and the count."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--debtors", type=int, default=3_000)
    parser.add_argument("--months", type=int, default=10)
    parser.add_argument("--folder", type=Path, default=Path(".rettid/bench-null"))
    given = parser.parse_args()
    found = []
    for seed in range(1, given.seeds + 1):
        found.append(verdict(seed, debtors=given.debtors, months=given.months, folder=given.folder))
        print(seed, found[-1], flush=True)
    print({word: found.count(word) for word in sorted(set(found))})


if __name__ == "__main__":
    main()
