# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""One timer for what each of very many connections does at regular intervals."""

from collections import OrderedDict
from collections.abc import Callable

from attrs import define, field
from twisted.internet.interfaces import IDelayedCall, IReactorTime

GRAIN = 0.01
"""How much earlier than due a beat may be called, as a part of the interval."""

Beat = Callable[[], None]


@define(eq=False)
class Pulse:
    """
    Calls each of any number of beats once per interval, from its joining on.

    All intervals are the same, so that who was called last is due last.
    """

    _clock: IReactorTime
    _interval: float
    _due: OrderedDict[Beat, float] = field(factory=OrderedDict)
    """When each is due, in that order."""
    _next: IDelayedCall | None = None

    def join(self, beat: Beat) -> None:
        """Call a beat from now on, for the first time when an interval has passed."""
        self._due[beat] = self._clock.seconds() + self._interval
        self._go_on()

    def leave(self, beat: Beat) -> None:
        """Call it no more."""
        self._due.pop(beat, None)
        if not self._due and self._next is not None:
            self._next.cancel()
            self._next = None

    def _go_on(self) -> None:
        if self._due and self._next is None:
            pause = next(iter(self._due.values())) - self._clock.seconds()
            self._next = self._clock.callLater(max(0.0, pause), self._beat)

    def _beat(self) -> None:
        """Call all that are due now or very soon."""
        self._next = None
        now = self._clock.seconds()
        soon = now + self._interval * GRAIN
        try:
            while self._due:
                beat, due = next(iter(self._due.items()))
                if due > soon:
                    return
                # What was missed, because the process stood still, stays so.
                following = due if due > now - self._interval else now
                self._due[beat] = following + self._interval
                self._due.move_to_end(beat)
                beat()
        finally:
            self._go_on()
