# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
What a port costs when there are many: memory, and the time of a change.

Each size is measured in a process of its own.  Run ``python -m benchmarks.growth``.
"""

import gc
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from time import thread_time

from benchmarks.world import World, record
from quantum.storage.database import file_url

CHANGES = 200
ROUNDS = 10
MEMORY_TARGET = 1.5
GROWTH_TARGET = 1.2


def resident() -> int:
    """Read this process's resident memory, in bytes."""
    (pages,) = Path("/proc/self/statm").read_text(encoding="ascii").split()[1:2]
    return int(pages) * 4096


def measure(count: int) -> None:
    """Print resident memory per port, and the microseconds of one change."""
    with TemporaryDirectory(prefix="quantum-bench-") as folder:
        _measure(file_url(str(Path(folder) / "none.db")), 0)
        url = file_url(str(Path(folder) / "quantum.db"))
        if subprocess.run(
            [sys.executable, "-m", "benchmarks.growth", "record", url, str(count)],
            check=False,
        ).returncode:
            sys.exit(1)
        memory, cost = _measure(url, count)
    print(memory / count, cost)


def _measure(url: str, count: int) -> tuple[int, float]:
    gc.collect()
    before = resident()
    world = World.open(url, count)
    memory = resident() - before
    best = float("inf")
    for turn in range(ROUNDS if count else 0):
        began = thread_time()
        for number in range(CHANGES):
            world.replug((turn * CHANGES + number * 37) % count + 1)
        best = min(best, (thread_time() - began) / CHANGES / 2 * 1e6)
    return memory, best


def main() -> None:
    """Measure small and large, and print a table."""
    costs = {}
    for count in (1_000, 10_000, 100_000):
        output = subprocess.run(
            [sys.executable, "-m", "benchmarks.growth", "measure", str(count)],
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        memory, costs[count] = map(float, output.split())
        growth = costs[count] / costs[1_000]
        print(
            f"{count:7}  memory per port {memory / 1024:5.2f} KiB  <= {MEMORY_TARGET}"
            f"   one change {costs[count]:6.1f} us, {growth:4.2f} of that at 1000 ports"
            f"  <= {GROWTH_TARGET}",
            flush=True,
        )


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["measure", count]:
            measure(int(count))
        case ["record", url, count]:
            record(url, int(count))
        case _:
            main()
