# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
The service that is connected to every hypervisor's database.

It dials the places it is told, again and again, and lets hypervisors dial it
(``ovs-vsctl set-manager``).  Both kinds of connection are the same from then on.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from attrs import define, field, frozen
from twisted.application.service import MultiService
from twisted.application.strports import service as listening
from twisted.internet.defer import Deferred, DeferredList
from twisted.internet.endpoints import clientFromString
from twisted.internet.interfaces import IAddress
from twisted.internet.protocol import Factory

from quantum.channel.ovsdb.bridge import WantedBridge
from quantum.channel.ovsdb.dialling import Dialling
from quantum.channel.ovsdb.hypervisor import Claims, Hypervisor, Surroundings
from quantum.channel.ovsdb.place import dialled, listened
from quantum.channel.ovsdb.replica import Replica
from quantum.channel.ovsdb.rpc import Session
from quantum.interfaces import IHypervisorListener

DIAL_IN_LIMIT = 5000


@frozen
class Places:
    """Where databases are, and where they may find us."""

    connect: Sequence[str] = ()
    listen: Sequence[str] = ()


@define(eq=False)
class DialIns(Factory):
    """The hypervisors that dialled us."""

    _given: Surroundings
    _limit: int = DIAL_IN_LIMIT
    _present: set[Hypervisor] = field(factory=set)
    _is_full: bool = False
    noisy = False

    def buildProtocol(self, addr: IAddress | None) -> Session | None:
        if len(self._present) >= self._limit:
            self._warn_once()
            return None
        peer = str(getattr(addr, "host", "") or "a local peer")
        hypervisor = Hypervisor(self._given, peer, Replica())
        self._present.add(hypervisor)
        hypervisor.ended_with.addCallback(self._left, hypervisor)
        return Session(self._given.clock, hypervisor)

    def close(self) -> Deferred[Any]:
        """Hang up on all; fires when their connections have ended."""
        present = list(self._present)
        ended = DeferredList([one.ended_with for one in present])
        for one in present:
            one.drop("we are stopping")
        return ended

    def _left(self, reason: str, hypervisor: Hypervisor) -> str:
        self._present.discard(hypervisor)
        self._is_full = False
        return reason

    def _warn_once(self) -> None:
        if not self._is_full:
            self._is_full = True
            self._given.warn(
                f"{self._limit} hypervisors have dialled us; more are refused"
            )


class HypervisorClients(MultiService):
    """
    All connections to hypervisors, dialled and accepted.

    :raise ValueError: A place cannot be understood.
    """

    def __init__(
        self,
        reactor: Any,
        places: Places,
        wanted: WantedBridge,
        listener: IHypervisorListener,
        warn: Callable[[str], None],
    ) -> None:
        super().__init__()
        given = Surroundings(reactor, wanted, listener, Claims(warn), warn)
        self._dial_ins = DialIns(given)
        for place in places.connect:
            endpoint = _parsed(partial(clientFromString, reactor), dialled, place)
            self.addService(Dialling(given, place, endpoint))
        listen = partial(listening, factory=self._dial_ins, reactor=reactor)
        for place in places.listen:
            self.addService(_parsed(listen, listened, place))

    def stopService(self) -> Deferred[Any]:
        """Listen and dial no more; fires when every connection has ended."""
        stopped = super().stopService()
        return DeferredList([stopped, self._dial_ins.close()])


def _parsed(
    parse: Callable[[str], Any], translated: Callable[[str], str], place: str
) -> Any:
    """Name the place that cannot be understood."""
    try:
        return parse(translated(place))
    except (ValueError, TypeError, KeyError) as problem:
        raise ValueError(f"{place}: not a place ({problem})") from None
