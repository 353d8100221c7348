# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""Which answer belongs to which question, on one connection."""

from typing import Any

from attrs import define, field, frozen
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from quantum.channel import layouts
from quantum.channel.frames import HEADER, Frame

MORE = 1
EXPERIMENTER_ERROR = 0xFFFF
ANSWERS = {  # the type of the answer, by the type of the request (7.1.1)
    2: layouts.ECHO_REPLY,
    4: layouts.EXPERIMENTER,
    5: layouts.FEATURES_REPLY,
    7: layouts.CONFIG_REPLY,
    18: layouts.MULTIPART_REPLY,
    20: layouts.BARRIER_REPLY,
    22: layouts.QUEUE_REPLY,
    24: layouts.ROLE_REPLY,
    26: layouts.ASYNC_REPLY,
}


class RequestError(Exception):
    """A request has no answer."""


@frozen
class Refused(RequestError):
    """
    The switch answered with an error (OpenFlow 1.3.5, 7.4.4).

    ``experimenter`` is 0 for the errors of OpenFlow itself; else ``code`` is the
    experimenter's own type.
    """

    type: int
    code: int
    experimenter: int
    data: bytes


@frozen
class Unanswered(RequestError):
    """The switch did not answer in time."""

    deadline: float


@frozen
class Unreadable(RequestError):
    """The switch answered what cannot be understood, or too much."""

    problem: str


@frozen
class ConnectionEnded(RequestError):
    """The connection ended first; whether the switch did it is not known."""


@define(eq=False)
class _Pending:
    kind: int
    answer: Deferred[list[Any]]
    alarm: IDelayedCall
    parts: list[Any] = field(factory=list)
    size: int = 0


@define(eq=False)
class Requests:
    """The questions of one connection that wait for an answer, by xid."""

    _clock: IReactorTime
    _reply_limit: int
    _pending: dict[int, _Pending] = field(factory=dict)
    _is_closed: bool = False

    def expect(self, question: bytes, deadline: float) -> Deferred[list[Any]]:
        """
        Wait for the answer to a request that is about to be sent.

        :return: The os-ken messages of the answer: one, or every part of a
            multipart reply.  Errbacks with a `RequestError`.
        """
        (_, asked, _, xid) = HEADER.unpack_from(question)
        kind = ANSWERS.get(asked)
        if kind is None or xid in self._pending:
            raise ValueError(f"type {asked}, xid {xid:#x}: no answer, or not the first")
        answer: Deferred[list[Any]] = Deferred(lambda _: self._abandon(xid))
        if self._is_closed:
            answer.errback(ConnectionEnded())
            return answer
        alarm = self._clock.callLater(deadline, self.fail, xid, Unanswered(deadline))
        self._pending[xid] = _Pending(kind, answer, alarm)
        return answer

    def answer(self, frame: Frame, message: Any) -> None:
        """Take note of a frame and what os-ken made of it (None: nothing)."""
        pending = self._pending.get(frame.xid)
        if pending is None or frame.kind not in {pending.kind, layouts.ERROR}:
            return
        if frame.kind == layouts.ERROR:
            self.fail(frame.xid, refusal(frame.data))
            return
        pending.size += len(frame.data)
        if message is None or pending.size > self._reply_limit:
            problem = "too long" if message is not None else "not understood"
            self.fail(frame.xid, Unreadable(f"the answer is {problem}"))
            return
        pending.parts.append(message)
        if not (frame.kind == layouts.MULTIPART_REPLY and message.flags & MORE):
            self._forget(frame.xid)
            pending.answer.callback(pending.parts)

    def close(self) -> None:
        """Answer everybody that the connection ended."""
        self._is_closed = True
        for xid in list(self._pending):
            self.fail(xid, ConnectionEnded())

    def _abandon(self, xid: int) -> None:
        """Let go of a request whose asker cancelled it."""
        self._forget(xid)

    def fail(self, xid: int, problem: RequestError) -> None:
        """Answer one request with a problem, if it still waits."""
        pending = self._forget(xid)
        if pending is not None:
            pending.answer.errback(problem)

    def _forget(self, xid: int) -> _Pending | None:
        pending = self._pending.pop(xid, None)
        if pending is not None and pending.alarm.active():
            pending.alarm.cancel()
        return pending


def refusal(data: bytes) -> Refused:
    """Read an error frame."""
    kind = int.from_bytes(data[8:10])
    code = int.from_bytes(data[10:12])
    if kind != EXPERIMENTER_ERROR:
        return Refused(kind, code, 0, data[HEADER.size + 4 :])
    return Refused(kind, code, int.from_bytes(data[12:16]), data[HEADER.size + 8 :])
