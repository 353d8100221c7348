# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""Every benchmark, one after the other: ``make bench``."""

import subprocess
import sys

PARTS = {
    "requests": "CPU per request, against a bare twisted.web resource",
    "switches": "programming a real Open vSwitch, against its own tools",
    "swarm": "very many switches: idle, and joining at once",
    "overlay": "networks that span hypervisors: flow-mods and CPU of a change",
    "frames": "frames between three hypervisors, and which are lost (needs root)",
    "growth": "what a port costs when there are many",
    "storage": "the ledger alone: loading, memory, durable writes",
}


def main() -> int:
    """Run each part in a process of its own; the first failure ends it."""
    for part, title in PARTS.items():
        print(f"\n== {title} (python -m benchmarks.{part})", flush=True)
        done = subprocess.run([sys.executable, "-m", f"benchmarks.{part}"], check=False)
        if done.returncode:
            return done.returncode
    return 0


if __name__ == "__main__":
    sys.exit(main())
