# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""One timer for what each of very many connections does at regular intervals."""

from collections.abc import Callable
from heapq import heappop, heappush
from itertools import count

from attrs import define, field
from twisted.internet.interfaces import IDelayedCall, IReactorTime

GRAIN = 0.01
"""How much earlier than due a beat may be called, as a part of the interval."""
AT_ONCE = 20
"""Beats called in one turn of the reactor."""

Beat = Callable[[], None]


@define(eq=False)
class Pulse:
    """
    Calls each of any number of beats once per interval, from its joining on.

    What was missed, because the process stood still, stays so.
    """

    _clock: IReactorTime
    _interval: float
    _numbers: dict[Beat, int] = field(factory=dict)
    _beats: dict[int, Beat] = field(factory=dict)
    _due: list[tuple[float, int]] = field(factory=list)
    """A heap of when each number is due; also of some that have left since."""
    _unused: "count[int]" = field(factory=count)
    _next: IDelayedCall | None = None

    def join(self, beat: Beat) -> None:
        """Call a beat from now on, for the first time when an interval has passed."""
        number = self._numbers[beat] = next(self._unused)
        self._beats[number] = beat
        heappush(self._due, (self._clock.seconds() + self._interval, number))
        self._go_on()

    def leave(self, beat: Beat) -> None:
        """Call it no more."""
        self._beats.pop(self._numbers.pop(beat, -1), None)
        if not self._beats:
            self._due.clear()
            if self._next is not None:
                self._next.cancel()
                self._next = None

    def _go_on(self) -> None:
        if self._due and self._next is None:
            pause = self._due[0][0] - self._clock.seconds()
            self._next = self._clock.callLater(max(0.0, pause), self._beat)

    def _beat(self) -> None:
        """Call some of those that are due now or very soon."""
        self._next = None
        soon = self._clock.seconds() + self._interval * GRAIN
        try:
            for _ in range(AT_ONCE):
                if not self._due or self._due[0][0] > soon:
                    return
                due, number = heappop(self._due)
                beat = self._beats.get(number)
                if beat is not None:
                    missed = (soon - due) // self._interval
                    due += (1 + missed) * self._interval
                    heappush(self._due, (due, number))
                    beat()
        finally:
            self._go_on()
