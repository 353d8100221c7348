# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""Where switches connect: any number of endpoints, a bounded number of switches."""

from collections import Counter
from typing import Any

from attrs import define, field
from twisted.internet.defer import Deferred, DeferredList, maybeDeferred
from twisted.internet.interfaces import IListeningPort, IStreamServerEndpoint
from twisted.internet.protocol import Factory
from twisted.internet.tcp import Port
from twisted.logger import Logger

from quantum.channel.connection import Connection
from quantum.channel.host import RyuHost
from quantum.channel.limits import Limits

log = Logger()

ACCEPTS = 4
"""Connections accepted in a turn of the reactor: each costs some 0.1 ms."""


@define(eq=False, slots=False)
class OpenFlowListener(Factory):
    """
    Accepts switches for a host, and closes every connection when stopped.

    Connections beyond a limit, of all or of one address, are closed unread.
    """

    noisy = False

    _host: RyuHost
    _limits: Limits = field(factory=Limits)
    _ports: list[IListeningPort] = field(factory=list)
    _connections: set[Connection] = field(factory=set)
    _by_address: Counter[str] = field(factory=Counter)
    _is_refusing: bool = False
    _is_stopped: bool = False

    async def listen(self, endpoint: IStreamServerEndpoint) -> IListeningPort:
        """Accept switches at an endpoint too."""
        port = await endpoint.listen(self)
        self._ports.append(port)
        self._pace(ACCEPTS)
        return port

    def stop(self) -> Deferred[None]:
        """Stop listening and close every connection; fires when all is closed."""
        self._is_stopped = True
        ends: list[Deferred[Any]] = [
            maybeDeferred(port.stopListening) for port in self._ports
        ]
        self._ports.clear()
        for connection in list(self._connections):
            ended: Deferred[None] = Deferred()
            connection.ended.addBoth(_passed_on, ended)
            ends.append(ended)
            connection.drop("the daemon stops")
        return DeferredList(ends, consumeErrors=True).addCallback(lambda _: None)

    def buildProtocol(self, addr: Any) -> Connection | None:
        """Make the protocol of a new connection, or refuse it."""
        self._pace(0)
        host = str(getattr(addr, "host", ""))  # a Unix socket has none
        if self._is_stopped or not self._is_room(host):
            return None
        connection = self._host.connection(addr)
        self._connections.add(connection)
        self._by_address[host] += 1
        connection.ended.addBoth(self._forget, connection, host)
        return connection

    def _pace(self, accepts: int) -> None:
        """
        Let few be accepted at once, of which Twisted would begin with a hundred.

        It raises the number by 20 whenever just so many were accepted, which are
        never 0.
        """
        for port in self._ports:
            if isinstance(port, Port):
                port.numberAccepts = accepts

    def _is_room(self, host: str) -> bool:
        is_full = len(self._connections) >= self._limits.max_connections
        is_greedy = (
            bool(host) and self._by_address[host] >= self._limits.max_per_address
        )
        is_refusing = is_full or is_greedy
        if is_refusing and not self._is_refusing:
            log.warn(
                "too many connections ({all} in all, {some} from {host}): refusing",
                all=len(self._connections),
                some=self._by_address[host],
                host=host or "a Unix socket",
            )
        self._is_refusing = is_refusing
        return not is_refusing

    def _forget(self, result: None, connection: Connection, host: str) -> None:
        self._connections.discard(connection)
        self._by_address[host] -= 1
        if not self._by_address[host]:
            del self._by_address[host]
        return result


def _passed_on(result: None, other: Deferred[None]) -> None:
    other.callback(None)
    return result
