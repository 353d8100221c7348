# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""Long work in short slices, so that the reactor never waits for it."""

from collections import deque
from collections.abc import Iterator
from typing import Final

from attrs import define, field
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

log = Logger()

SLICE: Final = 0.0005
"""Seconds of one slice."""
BREAK: Final = 0.001
"""Seconds between two slices while many jobs wait: others need the processor too."""
FEW: Final = 4
"""Jobs that are done without a break."""


@define(eq=False)
class Slices:
    """
    Does one job after another; a job is an iterator that pauses now and then.

    A job that fits into a slice is done before `do` returns, if none waits.
    """

    _clock: IReactorTime
    _jobs: deque[Iterator[None]] = field(factory=deque)
    _is_working: bool = False

    def do(self, job: Iterator[None]) -> None:
        """Do a job after those that wait."""
        self._jobs.append(job)
        if self._is_working:
            return
        self._is_working = True
        if not self._is_done():
            # What comes when this turn of the reactor ends may come within it.
            self._clock.callLater(0, self._wait)

    def _wait(self) -> None:
        self._clock.callLater(BREAK if len(self._jobs) > FEW else 0, self._work)

    def _work(self) -> None:
        if not self._is_done():
            self._wait()

    def _is_done(self) -> bool:
        """Work for a slice; whether nothing is left."""
        until = self._clock.seconds() + SLICE
        while self._jobs:
            if self._clock.seconds() > until:
                return False
            self._step(self._jobs[0])
        self._is_working = False
        return True

    def _step(self, job: Iterator[None]) -> None:
        try:
            next(job)
        except StopIteration:
            self._jobs.popleft()
        except Exception:  # noqa: BLE001  the jobs behind must still be done
            log.failure("a piece of work broke off")
            self._jobs.popleft()
