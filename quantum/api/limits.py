# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
How much of the daemon one caller may use, and for how long.

Nothing here reads or writes a socket.
"""

from collections.abc import Callable, Hashable
from ipaddress import IPv6Address, ip_address
from typing import Any

from attrs import Factory, define, field, frozen
from twisted.internet.interfaces import IAddress, IDelayedCall, IReactorTime

from quantum.config import Api


@frozen
class Limits:
    """What the API's listener grants to its callers."""

    body: int = 1024 * 1024
    """The most bytes a request's body may have."""
    request_deadline: float = 60.0
    """Seconds from a request's first byte to its last, whatever trickles in."""
    connections: int = 1000
    """Connections open at once, of all peers."""
    per_peer: int = Factory(lambda self: max(1, self.connections // 4), True)
    """Connections open at once of one address: a flood leaves room for others."""
    idle: float = 60.0
    """Seconds a connection may wait between two requests."""
    closing: float = 15.0
    """Seconds a peer may take to read what is left when we hang up."""

    @classmethod
    def of(cls, api: Api) -> "Limits":
        """Read the limits out of the configuration."""
        return cls(
            body=api.body_limit,
            request_deadline=api.request_deadline,
            connections=api.max_connections,
        )


def party(address: IAddress) -> Hashable:
    """
    Name the one who may be behind an address.

    Whoever has one IPv6 address has all 2**64 of its network (RFC 4291, 2.5.4),
    so those count as one.  Peers without an address (UNIX sockets) are all one.
    """
    host = getattr(address, "host", "")
    try:
        parsed = ip_address(host.partition("%")[0])
    except ValueError:
        return str(host)
    if isinstance(parsed, IPv6Address):
        return parsed.ipv4_mapped or int(parsed) >> 64
    return parsed


@define
class Crowd:
    """Who is connected how often."""

    _total: int
    _per_peer: int
    _present: dict[Hashable, int] = field(factory=dict, init=False)
    _size: int = field(default=0, init=False)

    def admit(self, who: Hashable) -> bool:
        """Count a newcomer, if there is room for it."""
        held = self._present.get(who, 0)
        if self._size >= self._total or held >= self._per_peer:
            return False
        self._present[who] = held + 1
        self._size += 1
        return True

    def leave(self, who: Hashable) -> None:
        """Forget one that was admitted."""
        self._size -= 1
        self._present[who] -= 1
        if not self._present[who]:
            del self._present[who]


@define(eq=False)
class Deadline:
    """
    Things that must end within the same number of seconds.

    All have equally long, so they expire in the order in which they began: one
    timer watches the eldest, and `begin` and `end` cost a dictionary entry.
    """

    _clock: IReactorTime
    _seconds: float
    _expire: Callable[[Any], None]
    _began: dict[Any, float] = field(factory=dict, init=False)
    _timer: IDelayedCall | None = field(default=None, init=False)
    _is_last: bool = field(default=False, init=False)

    def begin(self, what: Any) -> None:
        """Let the time of ``what`` run, anew if it was running."""
        self._began.pop(what, None)
        self._began[what] = self._clock.seconds()
        if self._timer is None:
            self._timer = self._clock.callLater(self._seconds, self._look)

    def end(self, what: Any) -> None:
        """Forget ``what``: it is in time."""
        self._began.pop(what, None)
        if self._is_last and not self._began:
            self._rest()

    def cut(self) -> None:
        """Expire everything now."""
        expired, self._began = self._began, {}
        for what in expired:
            self._expire(what)

    def finish(self) -> None:
        """Keep no timer any longer than there is something to watch."""
        self._is_last = True
        if not self._began:
            self._rest()

    def _rest(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        """Expire what is due, and look again when the next one will be."""
        self._timer = None
        due = self._clock.seconds() - self._seconds
        expired = []
        for what, began in self._began.items():
            # A clock that was set back must not keep anything for ever, and
            # a timer may fire a rounding error early.
            if due + 1e-6 < began <= due + self._seconds:
                self._timer = self._clock.callLater(began - due, self._look)
                break
            expired.append(what)
        for what in expired:
            self._began.pop(what, None)
        for what in expired:
            self._expire(what)
