# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
Group commit, at the pace of the reactor.

While one batch is in the database's thread, everything that is asked gathers
in the next one: under load a commit is shared by many writes, and an idle
daemon records each at once.  One wake-up of the thread and one of the reactor
are paid per batch, not per write.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from attrs import define, field
from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger

from quantum.errors import Overloaded, QuantumError, RecordFailed
from quantum.storage.batch import Failures, Undecided
from quantum.storage.publication import Publication
from quantum.storage.write import Write

_log = Logger()

RETRY_AFTER = 1
"""Seconds that a refused caller is asked to wait, and the database is given."""

InThread = Callable[[Callable[[], Failures]], Deferred[Failures]]
Submission = tuple[Write, Deferred[Any]]


@define
class Writer:
    """Takes writes, and answers each when it is committed or has failed."""

    _apply: Callable[[Sequence[Write]], Failures]
    _settle: Callable[[Sequence[Write], Failures], Failures]
    _publication: Publication
    _in_thread: InThread
    _clock: IReactorTime
    _limit: int
    _waiting: list[Submission] = field(factory=list, init=False)
    _is_busy: bool = field(default=False, init=False)
    _is_closed: bool = field(default=False, init=False)
    _doubt: str = field(default="", init=False)
    _trouble: str = field(default="", init=False)
    _drained: list[Deferred[None]] = field(factory=list, init=False)

    def submit(self, write: Write) -> Deferred[Any]:
        """
        Queue a write.

        :return: Fires with the write's answer once it is committed and public,
            or fails with the reason why it is not.

        :raise Overloaded: Too many are waiting.
        :raise RecordFailed: The daemon is ending, or the database is lost.
        """
        if self._is_closed:
            raise RecordFailed("the daemon is ending")
        if self._doubt:
            raise RecordFailed(self._doubt)
        if len(self._waiting) >= self._limit:
            raise Overloaded(RETRY_AFTER)
        answer: Deferred[Any] = Deferred()
        self._waiting.append((write, answer))
        if not self._is_busy:
            self._is_busy = True
            # Not now: what else this turn of the reactor brings shares the commit.
            self._clock.callLater(0, self._begin)
        return answer

    def stop(self) -> Deferred[None]:
        """
        Accept nothing more.

        :return: Fires when everything accepted is committed or has failed.
        """
        self._is_closed = True
        if not self._is_busy:
            return succeed(None)
        self._drained.append(Deferred())
        return self._drained[-1]

    def _begin(self) -> None:
        """Work in the background."""
        working = Deferred.fromCoroutine(self._work())
        working.addErrback(lambda failure: _log.failure("the writer ended", failure))

    async def _work(self) -> None:
        """Record batch after batch until nothing waits."""
        while self._waiting:
            batch, self._waiting = self._waiting, []
            writes = [write for write, _ in batch]
            try:
                failures = await self._recorded(writes)
                answers = self._publication.publish(writes, failures)
            except Exception:  # noqa: BLE001  (else no later write would be answered)
                _log.failure("a batch of writes failed")
                _answer(batch, [RecordFailed("the daemon is at fault")] * len(batch))
            else:
                self._note(failures)
                _answer(batch, answers)
        self._is_busy = False
        drained, self._drained = self._drained, []
        for waiter in drained:
            waiter.callback(None)

    async def _recorded(self, writes: Sequence[Write]) -> Failures:
        """Record a batch, and do not return before its outcome is known."""
        try:
            return await self._in_thread(partial(self._apply, writes))
        except Undecided as undecided:
            doubt = undecided
        self._refuse_waiting(doubt.reason)
        while not self._is_closed:
            await deferLater(self._clock, RETRY_AFTER)
            look = partial(self._settle, writes, doubt.failures)
            try:
                failures = await self._in_thread(look)
            except Undecided as undecided:
                doubt = undecided
            else:
                self._doubt = ""
                return failures
        unknown = f"nobody can tell whether it was recorded: {doubt.reason}"
        return [failure or RecordFailed(unknown) for failure in doubt.failures]

    def _refuse_waiting(self, reason: str) -> None:
        """Refuse whatever cannot be recorded before the database is back."""
        self._doubt = f"the database is lost: {reason}"
        batch, self._waiting = self._waiting, []
        writes = [write for write, _ in batch]
        failures: Failures = [RecordFailed(self._doubt) for _ in batch]
        self._note([RecordFailed(self._doubt)])
        _answer(batch, self._publication.publish(writes, failures))

    def _note(self, failures: Failures) -> None:
        """Tell the operator, not for each write anew, whether changes are recorded."""
        reasons = (f.reason for f in failures if type(f) is RecordFailed)
        trouble = next(reasons, "")
        if trouble != self._trouble:
            self._trouble = trouble
            if trouble:
                _log.error("changes are not recorded: {reason}", reason=trouble)
            else:
                _log.info("changes are recorded again")


def _answer(batch: Sequence[Submission], answers: Sequence[object]) -> None:
    """Fire each Deferred with its answer."""
    for (_, waiting), answer in zip(batch, answers, strict=True):
        if isinstance(answer, QuantumError):
            waiting.errback(answer)
        else:
            waiting.callback(answer)
