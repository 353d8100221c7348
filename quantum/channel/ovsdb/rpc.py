# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
JSON-RPC with one OVSDB server (RFC 7047, 4), whoever dialled.

A peer that is silent, too slow or does not keep to the protocol is dropped
with a reason; what it sends never raises in the reactor.
"""

from collections import deque
from collections.abc import Iterable
from typing import Any
from typing import Protocol as Shape

import msgspec
from attrs import define, field
from msgspec import Raw
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure

from quantum.channel.ovsdb.faults import (
    ConnectionDropped,
    Misspoken,
    OvsdbError,
    RequestRefused,
)
from quantum.channel.ovsdb.framing import Splitter
from quantum.channel.ovsdb.message import (
    Message,
    identifier,
    message,
    refusal,
    results,
)

ECHO_INTERVAL = 5.0
DEADLINE = 10.0
ECHO_LIMIT = 64 * 1024

_APPLYING, _UNREAD = "applying", "unread"


class Conversation(Shape):
    """What a session is for."""

    def connected(self, session: "Session") -> None:
        """Begin: requests may be sent from now on."""

    def updated(self, method: str, params: Raw) -> None:
        """
        Take a notification of a monitor.

        :raise Misspoken: It makes no sense; the session is dropped.
        """

    def ended(self, reason: str) -> None:
        """Take note that the session is over."""


@define
class _Pending:
    method: str
    answer: Deferred[Raw]
    timer: IDelayedCall | None = None


@define(eq=False)
class Session(Protocol):
    """One connection to an OVSDB server."""

    _clock: IReactorTime
    _conversation: Conversation
    _splitter: Splitter = field(factory=Splitter)
    _pending: dict[int, _Pending] = field(factory=dict)
    _arrived: deque[bytes] = field(factory=deque)
    _pauses: set[str] = field(factory=set)
    _is_taking: bool = False
    _deaf_for: float = 0.0
    """Seconds in which nothing was heard, between each `pause` and its `resume`."""
    _deaf_since: float = 0.0
    _last_id: int = 0
    _silent_beats: int = 0
    _beat: IDelayedCall | None = None
    _reason: str = ""

    def request(
        self, method: str, params: Iterable[Any], deadline: float | None = DEADLINE
    ) -> Deferred[Raw]:
        """
        Ask the server; its result, still encoded.

        A server that does not answer in time is dropped.  The Deferred fails
        with `RequestRefused` or `ConnectionDropped`.
        """
        answer: Deferred[Raw] = Deferred()
        if self._reason:
            answer.errback(Failure(ConnectionDropped(self._reason)))
            return answer
        self._last_id += 1
        self._pending[self._last_id] = _Pending(method, answer)
        if deadline:
            self._allow(deadline, self._last_id, deadline)
        self._write({"id": self._last_id, "method": method, "params": list(params)})
        return answer

    async def transact(
        self, database: str, operations: list[dict[str, Any]]
    ) -> list[Any]:
        """
        Do all operations or none.

        :return: One result per operation.

        :raise TransactionRefused: Nothing was changed.
        """
        raw = await self.request("transact", [database, *operations])
        return results(raw, len(operations))

    @property
    def is_applying(self) -> bool:
        """Say whether what arrived is being applied, between `pause` and `resume`."""
        return _APPLYING in self._pauses

    def pause(self) -> None:
        """Let nothing more arrive until `resume`; the peer's time stands still."""
        if not self.is_applying:
            self._deaf_since = self._clock.seconds()
        self._hold(_APPLYING)

    def resume(self) -> None:
        """Take up again what arrived since `pause`."""
        self._deaf_for = self._deafness()
        self._release(_APPLYING)

    def drop(self, reason: str) -> None:
        """End the connection at once."""
        if not self._reason:
            self._reason = reason
            self._arrived.clear()
            self._wire.abortConnection()

    def connectionMade(self) -> None:
        """Twisted's word that the connection is there."""
        # A peer that does not read is not read from either (`pauseProducing`).
        self._wire.registerProducer(self, True)
        self._beat = self._clock.callLater(ECHO_INTERVAL, self._listen)
        self._conversation.connected(self)

    def dataReceived(self, data: bytes) -> None:
        """Twisted's word that bytes have come."""
        if self._reason:
            return
        self._silent_beats = 0
        try:
            for document in self._splitter.feed(data):
                self._arrived.append(document)
        except Misspoken as problem:
            self.drop(str(problem))
        self._take()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Twisted's word that the connection has ended."""
        self._reason = self._reason or f"connection lost: {reason.getErrorMessage()}"
        if self._beat is not None and self._beat.active():
            self._beat.cancel()
        pending, self._pending = self._pending, {}
        for request in pending.values():
            if request.timer is not None and request.timer.active():
                request.timer.cancel()
            request.answer.errback(Failure(ConnectionDropped(self._reason)))
        self._conversation.ended(self._reason)

    def pauseProducing(self) -> None:
        """Twisted's word that the peer does not read what we write."""
        self._hold(_UNREAD)

    def resumeProducing(self) -> None:
        """Twisted's word that the peer has read it."""
        self._release(_UNREAD)

    def stopProducing(self) -> None:
        """Twisted's word that nothing more need be written."""

    @property
    def _wire(self) -> Any:
        # ITransport has neither producers nor abortConnection; all of ours do.
        return self.transport

    def _hold(self, why: str) -> None:
        if not self._pauses:
            self._wire.pauseProducing()
        self._pauses.add(why)

    def _release(self, why: str) -> None:
        self._pauses.discard(why)
        self._take()
        if not (self._pauses or self._reason):
            self._wire.resumeProducing()

    def _take(self) -> None:
        """Understand what has arrived, in order, while nobody asks for a pause."""
        if self._is_taking:
            # A pause that ended at once: the loop below goes on by itself.
            return
        self._is_taking = True
        while self._arrived and not self._pauses:
            self._take_one(self._arrived.popleft())
        self._is_taking = False

    def _take_one(self, document: bytes) -> None:
        try:
            self._understand(message(document))
        except OvsdbError as problem:
            self.drop(str(problem))

    def _understand(self, heard: Message) -> None:
        if heard.method is None:
            self._answered(heard)
        elif heard.has_id:
            self._asked(heard.method, heard)
        elif heard.method.startswith("update"):
            self._conversation.updated(heard.method, heard.params)

    def _asked(self, method: str, heard: Message) -> None:
        if len(heard.params) + len(heard.id) > ECHO_LIMIT:
            raise Misspoken(f"a request is longer than {ECHO_LIMIT} bytes")
        if method == "echo":
            self._write({"id": heard.id, "result": heard.params, "error": None})
        else:
            unknown = {"error": "unknown method"}
            self._write({"id": heard.id, "result": None, "error": unknown})

    def _answered(self, heard: Message) -> None:
        # All is understood before the question is taken from those that wait:
        # they fail with the connection.
        number = identifier(heard.id)
        said = refusal(heard.error) if heard.is_refusal else None
        if said is None and not len(heard.result):
            raise Misspoken("an answer has neither result nor error")
        known = self._pending.pop(number, None)
        if known is None:
            raise Misspoken("an answer to no question of ours")
        if known.timer is not None:
            known.timer.cancel()
        if said is not None:
            refused = RequestRefused(known.method, said.error, said.details)
            known.answer.errback(Failure(refused))
        else:
            known.answer.callback(heard.result)

    def _listen(self) -> None:
        """Ask a silent peer whether it is there; drop it when it does not say."""
        self._beat = self._clock.callLater(ECHO_INTERVAL, self._listen)
        if self.is_applying:
            # Its own echoes are not answered meanwhile: it should hear something.
            self._knock()
            return
        self._silent_beats += 1
        if self._silent_beats > 2:
            self.drop(f"silent for {ECHO_INTERVAL * self._silent_beats:.0f} s")
        elif self._silent_beats > 1:
            self._knock()

    def _knock(self) -> None:
        echo = self.request("echo", [], deadline=None)
        echo.addErrback(lambda failure: failure.trap(OvsdbError))

    def _allow(self, seconds: float, number: int, deadline: float) -> None:
        """Let a question wait so long, but for the time in which nothing is heard."""
        deaf = self._deafness()

        def overdue() -> None:
            more = self._deafness() - deaf
            if more > 0:
                self._allow(more, number, deadline)
            else:
                method = self._pending[number].method
                self.drop(f"no answer to {method} within {deadline} s")

        timer = self._clock.callLater(seconds, overdue)
        self._pending[number].timer = timer

    def _deafness(self) -> float:
        """Say for how many seconds nothing was heard because of `pause`."""
        if not self.is_applying:
            return self._deaf_for
        return self._deaf_for + self._clock.seconds() - self._deaf_since

    def _write(self, said: dict[str, Any]) -> None:
        self._wire.write(msgspec.json.encode(said))
