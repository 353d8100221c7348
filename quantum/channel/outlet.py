# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
The way out to one switch: single messages at once, programmes as it reads them.

A switch that does not read costs no more than the buffer limit.
"""

from collections.abc import Callable
from typing import Protocol

from attrs import define
from twisted.internet.interfaces import IPushProducer
from twisted.logger import Logger
from zope.interface import implementer

from quantum.channel.turns import Turns

log = Logger()

PIECE = 65536

Take = Callable[[int], bytes | None]
"""
Give about so many bytes of whole messages; ``b""`` when there are no more, None
when more are being computed and a later slice should ask again.
"""


class Wire(Protocol):
    """What a stream transport has: TCP's, TLS's and a Unix socket's alike."""

    def write(self, data: bytes) -> None:
        """Send, now or when there is room."""

    def registerProducer(self, producer: IPushProducer, streaming: bool) -> None:
        """Tell a producer when there is room."""

    def unregisterProducer(self) -> None:
        """Tell it no more."""

    def pauseProducing(self) -> None:
        """Read no more for now."""

    def resumeProducing(self) -> None:
        """Read on."""

    def loseConnection(self) -> None:
        """Close when everything is sent."""

    def abortConnection(self) -> None:
        """Close now."""


@implementer(IPushProducer)
@define(eq=False)
class Outlet:
    """
    What is written to one transport; registers itself as its producer.

    ``give_up`` is called, once, with the reason for which nothing more can be
    written.  It must close the connection.
    """

    _transport: Wire
    _turns: Turns
    _limit: int
    _give_up: Callable[[str], None]
    _is_closed: bool = False
    _is_paused: bool = False
    _backlog: int = 0
    _take: Take | None = None
    _is_more: bool = False
    _is_pumping: bool = False

    def open(self) -> None:
        """Begin to follow the transport's back-pressure."""
        self._transport.registerProducer(self, True)

    def close(self) -> None:
        """Write nothing more, and call nobody any more."""
        self._is_closed = True
        self._take = None
        self._turns.forget(self._work)

    def finish(self) -> None:
        """Close, but let what is written already reach the switch."""
        self.close()
        self._transport.unregisterProducer()

    def write(self, data: bytes) -> bool:
        """Write one or more whole messages now; whether that was possible."""
        if self._is_closed:
            return False
        self._transport.write(data)
        # Until the transport asks for a pause it holds little.
        self._backlog = self._backlog + len(data) if self._is_paused else 0
        if self._backlog > self._limit:
            self._fail(f"more than {self._limit} bytes wait for it to read")
            return False
        return True

    def pump(self, take: Take) -> None:
        """
        Write what ``take`` gives until it gives ``b""``, as the switch reads it.

        The first bytes are taken at once.  While a pump runs, another call only
        notes that there is more: ``take`` is asked again after its ``b""``.
        """
        if self._is_closed:
            return
        is_running = self._take is not None
        self._take, self._is_more = take, is_running
        if not is_running:
            self._turns.do(self._work)

    def pauseProducing(self) -> None:
        self._is_paused = True

    def resumeProducing(self) -> None:
        self._is_paused, self._backlog = False, 0
        if self._take is not None and not self._is_pumping:
            self._turns.do(self._work)

    def stopProducing(self) -> None:
        self.close()

    def _work(self) -> bool:
        """Write one piece, unless it must wait; whether there may be more."""
        if self._take is None or self._is_paused:
            return False
        self._is_pumping = True
        try:
            return self._step(self._take)
        finally:
            self._is_pumping = False

    def _step(self, take: Take) -> bool:
        """Write one piece; whether there may be more."""
        try:
            piece = take(PIECE)
        except Exception:  # noqa: BLE001  the giver's fault must not stop the reactor
            log.failure("a programme for a switch broke off")
            self._fail("its programme broke off")
            return False
        if piece is None:
            return True
        if piece:
            return self.write(piece)
        if self._is_more:
            self._is_more = False
            return True
        self._take = None
        return False

    def _fail(self, reason: str) -> None:
        self.close()
        self._give_up(reason)
