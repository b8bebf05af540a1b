"""System calls of running processes, noted by strace (Debian's package)."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

SETTLING_S = 0.2
"""So long what has just been called is on its way into the file."""


@contextmanager
def traced(pids: Sequence[int], trace: Path, *, options: Sequence[str]) -> Iterator[Path]:
    """Notes what some processes and their threads call, as the options say, in a file."""
    command = ["strace", "-f", *options, "-o", str(trace), *(f"--attach={pid}" for pid in pids)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    try:
        for _ in pids:
            line = process.stderr.readline()
            if "attached" not in line:
                raise OSError(f"expected strace to attach, came: {line.strip()}")
        threading.Thread(target=process.stderr.read, daemon=True).start()
        yield trace
    finally:
        time.sleep(SETTLING_S)
        process.terminate()
        process.wait(10)
        process.stderr.close()
