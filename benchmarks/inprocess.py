# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
Callers without sockets: what a request costs, and nothing of what the kernel does.

The real HTTP parser is fed over a transport that only counts.
"""

from collections.abc import Callable
from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IPushProducer, ITransport
from twisted.internet.protocol import ServerFactory
from zope.interface import implementer

HERE = IPv4Address("TCP", "127.0.0.1", 9696)
THERE = IPv4Address("TCP", "127.0.0.1", 40000)


@implementer(ITransport, IPushProducer)
class Sink:
    """A transport whose other end reads everything at once."""

    disconnecting = False

    def __init__(self, heard: Callable[[], None]) -> None:
        self.head = b""
        self._heard = heard

    def write(self, data: bytes) -> None:
        # An answer may come in pieces, of which one is the first.
        if data.startswith(b"HTTP/1.1"):
            self.head = data
            self._heard()

    def writeSequence(self, data: list[bytes]) -> None:
        self.write(b"".join(data))

    def getPeer(self) -> IPv4Address:
        return THERE

    def getHost(self) -> IPv4Address:
        return HERE

    def loseConnection(self) -> None:
        self.disconnecting = True

    def registerProducer(self, producer: object, streaming: bool) -> None:
        """Never pause anybody."""

    def unregisterProducer(self) -> None:
        """Forget nobody."""

    def pauseProducing(self) -> None:
        """Go on."""

    def resumeProducing(self) -> None:
        """Go on."""

    abortConnection = stopProducing = loseConnection


class Caller:
    """A connection to a site."""

    def __init__(self, site: ServerFactory, heard: Callable[[], None]) -> None:
        self.sink = Sink(heard)
        self._connection: Any = site.buildProtocol(THERE)
        self._connection.makeConnection(self.sink)

    def ask(self, request: bytes) -> None:
        """Send a request."""
        self._connection.dataReceived(request)

    def was_told(self, status: bytes) -> bool:
        """Say whether the last answer had this status."""
        return self.sink.head.startswith(b"HTTP/1.1 " + status)


class Volley:
    """Many callers who ask again in the turn after they were answered."""

    def __init__(self, reactor: Any, site: ServerFactory, callers: int) -> None:
        self._reactor = reactor
        self._ready: list[Caller] = []
        self._left = self._awaited = 0
        self._is_turning = False
        self._done: Deferred[None] = Deferred()
        for _ in range(callers):
            self._join(site)

    def fire(self, request: bytes, count: int) -> Deferred[None]:
        """Ask ``count`` times; fires when the last answer is there."""
        self._request = request
        self._left = self._awaited = count
        self._done = Deferred()
        self._turn()
        return self._done

    def were_told(self, status: bytes) -> bool:
        """Say whether everybody's last answer had this status."""
        return all(caller.was_told(status) for caller in self._ready)

    def _join(self, site: ServerFactory) -> None:
        def heard() -> None:
            self._ready.append(caller)
            self._awaited -= 1
            if not self._is_turning:
                self._is_turning = True
                self._reactor.callLater(0, self._turn)

        caller = Caller(site, heard)
        self._ready.append(caller)

    def _turn(self) -> None:
        self._is_turning = False
        if not self._awaited:
            self._done.callback(None)
            return
        ready, self._ready = self._ready[: self._left], self._ready[self._left :]
        self._left -= len(ready)
        for caller in ready:
            caller.ask(self._request)
