# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""Keeping a hypervisor's bridge right, patiently if somebody keeps undoing it."""

from collections.abc import Callable, Iterator

from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.python.failure import Failure

from quantum.channel.ovsdb.bridge import DATABASE, WantedBridge, repair
from quantum.channel.ovsdb.cabling import Cabling
from quantum.channel.ovsdb.complaints import Complaints
from quantum.channel.ovsdb.faults import TransactionRefused
from quantum.channel.ovsdb.operation import Repair
from quantum.channel.ovsdb.reach import reach
from quantum.channel.ovsdb.replica import Replica
from quantum.channel.ovsdb.rpc import Session

PATIENCE = 5.0
"""The longest wait between two repairs; after twice that all is forgiven."""
REFUSAL_LENGTH = 500
TRIED_AGAIN_AFTER = 60.0
"""How long what came to nothing is left alone."""


@define
class Tries:
    """How often one thing was repaired lately, and what came of it."""

    repairs: int = 0
    last: float = 0.0
    refusal: str = ""
    is_trial: bool = False
    """It was made lately, and has not worked yet."""
    held_until: float = 0.0
    trouble: str = ""
    """What came of the last trial, until one works."""

    def delay(self, now: float) -> float:
        """How long to wait: nothing at first, then twice as long each time."""
        if now < self.held_until:
            return self.held_until - now
        if now - self.last > 2 * PATIENCE:
            self.repairs = 0
        if not self.repairs:
            return 0.0
        pause = min(PATIENCE, 2.0 ** min(self.repairs - 1, 10))
        return self.last + pause - now


@define
class Mender:
    """Repairs one bridge and its cables through one session."""

    _clock: IReactorTime
    _session: Session
    _replica: Replica
    _wanted: WantedBridge
    _complain: Callable[[str], None]
    _fail: Callable[[Failure], None]
    _tries: dict[str, Tries] = field(factory=dict)
    _is_busy: bool = False
    _later: IDelayedCall | None = None
    _complaints: Complaints = field(init=False)

    @_complaints.default
    def _make_complaints(self) -> Complaints:
        return Complaints(self._clock, self._complain)

    def look(self) -> None:
        """Compare all with what it must be, and repair it if need be."""
        work = list(self._work())
        for one in work:
            self._judge(one)
        self._complaints.say(
            {complaint for one in work for complaint in one.complaints},
            {doubt for one in work for doubt in one.doubts},
        )
        wanting = [one for one in work if one.operations]
        if self._is_busy or not wanting:
            return
        now = self._clock.seconds()
        delays = [self._tries_of(one).delay(now) for one in wanting]
        soonest = min(delays)
        if soonest <= 0:
            self._is_busy = True
            first = wanting[delays.index(soonest)]
            done = Deferred.fromCoroutine(self._repair(first))
            done.addErrback(self._fail)
        elif self._later is None:
            self._later = self._clock.callLater(soonest, self._again)
        else:
            self._later.reset(soonest)

    def stop(self) -> None:
        """Repair nothing any more."""
        self._is_busy = True
        self._complaints.stop()
        if self._later is not None:
            self._later.cancel()
            self._later = None

    def _work(self) -> Iterator[Repair]:
        yield repair(self._replica, self._wanted)
        if self._replica.bridge(self._wanted.name):
            wish = reach(self._replica, self._wanted)
            yield from Cabling(self._replica, self._wanted, wish).repairs()

    def _again(self) -> None:
        self._later = None
        # In the middle of an update nothing is as it is; its end looks again.
        if not self._session.is_applying:
            self.look()

    def _judge(self, work: Repair) -> None:
        """Give up a trial that failed; what worked once is left to recover."""
        tries = self._tries_of(work)
        if work.is_done:
            tries.is_trial, tries.trouble = False, ""
        elif work.retreat and tries.is_trial:
            tries.trouble = work.complaints[0]
            work.operations = work.retreat
        elif tries.trouble and tries.trouble not in work.complaints:
            work.complaints.append(tries.trouble)

    def _tries_of(self, work: Repair) -> Tries:
        return self._tries.setdefault(work.subject, Tries())

    async def _repair(self, work: Repair) -> None:
        tries = self._tries_of(work)
        tries.repairs += 1
        tries.last = self._clock.seconds()
        try:
            await self._session.transact(DATABASE, work.operations)
            tries.is_trial = work.operations is not work.retreat
            if not tries.is_trial:
                tries.held_until = tries.last + TRIED_AGAIN_AFTER
        except TransactionRefused as refused:
            said = str(refused)[:REFUSAL_LENGTH]
            if not refused.is_race and said != tries.refusal:
                tries.refusal = said
                self._complain(f"cannot set {work.subject} up: {said}")
        self._is_busy = False
        self.look()
