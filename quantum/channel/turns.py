# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
How all connections together share the reactor with everybody else.

However many switches have something to say at once, a turn of the reactor gives
them one slice, not one each.
"""

from collections import OrderedDict
from collections.abc import Callable

from attrs import define, field
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from quantum.channel.limits import BREAK, FEW, SLICE

Job = Callable[[], bool]
"""Does a small piece of work; says whether there is more."""


@define(eq=False)
class Turns:
    """
    Does everybody's work piece by piece, in turn, a slice per turn of the reactor.

    Who comes when nobody waits is served at once.  While more than a few wait there
    are breaks: a process that never sleeps is made to wait, and the API with it.
    """

    _clock: IReactorTime
    _waiting: OrderedDict[Job, None] = field(factory=OrderedDict)
    _until: float = -1.0
    _next: IDelayedCall | None = None
    _is_working: bool = False

    def do(self, job: Job) -> bool:
        """Do a job now, as far as the slice goes, then in turn; whether it is done."""
        if not self._waiting and self._is_time_left():
            while job():
                if self._clock.seconds() >= self._until:
                    break
            else:
                return True
        self._waiting[job] = None
        if self._is_idle():
            # What comes when this turn of the reactor ends may come within it.
            self._next = self._clock.callLater(0, self._end_turn)
        return False

    def forget(self, job: Job) -> None:
        """Do no more of a job."""
        self._waiting.pop(job, None)
        if not self._waiting and self._next is not None:
            self._next.cancel()
            self._next = None

    def _is_time_left(self) -> bool:
        """
        Say whether the slice of this turn of the reactor goes on.

        Nobody tells when a turn begins.  But within one turn the next slice would
        begin only when others have worked for as long; that is fair as well.
        """
        now = self._clock.seconds()
        # A clock that was set back begins anew as well.
        if not self._until - SLICE <= now < self._until + SLICE:
            self._until = now + SLICE
        return now < self._until

    def _is_idle(self) -> bool:
        return self._next is None and not self._is_working

    def _end_turn(self) -> None:
        """Leave the rest of a turn, which had its slice, to others."""
        self._next = None
        self._go_on()

    def _go_on(self) -> None:
        if self._waiting and self._is_idle():
            pause = BREAK if len(self._waiting) > FEW else 0
            self._next = self._clock.callLater(pause, self._work)

    def _work(self) -> None:
        self._next, self._is_working = None, True
        self._until = self._clock.seconds() + SLICE
        try:
            while self._waiting:
                job, _ = self._waiting.popitem(last=False)
                if job():
                    self._waiting[job] = None
                if self._clock.seconds() >= self._until:
                    return
        finally:
            self._is_working = False
            self._go_on()
