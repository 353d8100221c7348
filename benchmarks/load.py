# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
A light steady load on the API from a process of its own, and how long it waited.

``python -m benchmarks.load PORT PATH RATE`` asks for one path at fixed times, as a
few clients, until its standard input ends; then it prints each time and what had
passed until the answer was there.  A client that still waits when its next turn
comes asks late, and the waiting counts from its turn on.
"""

import random
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from attrs import define

CLIENTS = 8

Waits = list[tuple[float, float]]
"""When each question was due (as `time.monotonic` tells), and how long it took."""


@define
class Load:
    """The process, as whoever started it sees it."""

    _process: subprocess.Popen[str]

    @classmethod
    def start(cls, port: int, path: str, rate: int) -> "Load":
        """Begin to ask."""
        words = [sys.executable, "-m", "benchmarks.load", str(port), path, str(rate)]
        process = subprocess.Popen(
            words,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[1],
        )
        return cls(process)

    def end(self) -> Waits:
        """Ask no more; give what was measured."""
        text, _ = self._process.communicate()
        words = (line.split() for line in text.splitlines())
        return [(float(due), float(wait)) for due, wait in words]


def percentile(waits: Waits, share: float, began: float, ended: float) -> float:
    """Give a percentile of the waits of all questions due in a span of time."""
    chosen = sorted(wait for due, wait in waits if began <= due < ended)
    return chosen[min(len(chosen) - 1, int(len(chosen) * share))]


def ask(port: int, path: str, pace: float, is_over: threading.Event) -> Waits:
    """Be one client, until nobody wants it any more."""
    question = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()
    waits: Waits = []
    with socket.create_connection(("127.0.0.1", port)) as wire:
        due = time.monotonic() + random.uniform(0, pace)  # noqa: S311  no secret
        while not is_over.wait(max(0.0, due - time.monotonic())):
            wire.sendall(question)
            if not wire.recv(65536).startswith(b"HTTP/1.1 200"):
                raise ValueError("the API did not answer as it should")
            waits.append((due, time.monotonic() - due))
            due += pace
    return waits


def main(port: int, path: str, rate: int) -> None:
    """Let all clients ask, and print what they measured."""
    is_over = threading.Event()
    with ThreadPoolExecutor(CLIENTS) as clients:
        words = (port, path, CLIENTS / rate, is_over)
        asking = [clients.submit(ask, *words) for _ in range(CLIENTS)]
        sys.stdin.read()
        is_over.set()
    for client in asking:
        for due, wait in client.result():
            print(due, wait)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
