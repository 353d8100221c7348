# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""Keeping the integration bridge right, patiently if somebody keeps undoing it."""

from collections.abc import Callable

from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.python.failure import Failure

from quantum.channel.ovsdb.bridge import DATABASE, Operation, WantedBridge, repair
from quantum.channel.ovsdb.faults import TransactionRefused
from quantum.channel.ovsdb.replica import Replica
from quantum.channel.ovsdb.rpc import Session

PATIENCE = 5.0
"""The longest wait between two repairs; after twice that all is forgiven."""


@define
class Mender:
    """Repairs one bridge through one session."""

    _clock: IReactorTime
    _session: Session
    _replica: Replica
    _wanted: WantedBridge
    _complain: Callable[[str], None]
    _fail: Callable[[Failure], None]
    _repairs: int = 0
    _last_repair: float = 0.0
    _is_busy: bool = False
    _later: IDelayedCall | None = None
    _said: set[str] = field(factory=set)
    _refusal: str = ""

    def look(self) -> None:
        """Compare the bridge with what it must be, and repair it if need be."""
        work = repair(self._replica, self._wanted)
        self._say(set(work.complaints))
        if self._is_busy or self._later or not work.operations:
            return
        delay = self._delay()
        if delay > 0:
            self._later = self._clock.callLater(delay, self._again)
        else:
            self._is_busy = True
            done = Deferred.fromCoroutine(self._repair(work.operations))
            done.addErrback(self._fail)

    def stop(self) -> None:
        """Repair nothing any more."""
        self._is_busy = True
        if self._later is not None:
            self._later.cancel()
            self._later = None

    def _again(self) -> None:
        self._later = None
        self.look()

    def _delay(self) -> float:
        """How long to wait: nothing at first, then twice as long each time."""
        now = self._clock.seconds()
        if now - self._last_repair > 2 * PATIENCE:
            self._repairs = 0
        if not self._repairs:
            return 0.0
        pause = min(PATIENCE, 2.0 ** min(self._repairs - 1, 10))
        return self._last_repair + pause - now

    async def _repair(self, operations: list[Operation]) -> None:
        self._repairs += 1
        self._last_repair = self._clock.seconds()
        try:
            await self._session.transact(DATABASE, operations)
        except TransactionRefused as refused:
            if not refused.is_race and str(refused) != self._refusal:
                self._refusal = str(refused)
                self._complain(f"cannot set {self._wanted.name} up: {refused}")
        self._is_busy = False
        self.look()

    def _say(self, complaints: set[str]) -> None:
        """Complain of what was not complained of while it lasts."""
        for complaint in sorted(complaints - self._said):
            self._complain(complaint)
        self._said = complaints
