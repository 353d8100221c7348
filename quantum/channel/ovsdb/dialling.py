# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""Staying connected to one database that we dial."""

import random

from attrs import define, field
from twisted.application.service import Service
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IAddress, IStreamClientEndpoint
from twisted.internet.protocol import Factory
from twisted.internet.task import deferLater

from quantum.channel.ovsdb.hypervisor import Hypervisor, Surroundings
from quantum.channel.ovsdb.replica import Replica
from quantum.channel.ovsdb.rpc import Session

LONGEST_PAUSE = 8.0


def pause(attempts: int, chance: float) -> float:
    """Say how long to wait after so many failed attempts; ``chance`` is 0 to 1."""
    longest = min(LONGEST_PAUSE, 0.25 * 2.0 ** min(attempts, 10))
    return longest * (0.5 + chance / 2)


@define(eq=False)
class _OneSession(Factory):
    """Makes the session of one attempt."""

    _given: Surroundings
    _hypervisor: Hypervisor
    noisy = False

    def buildProtocol(self, addr: IAddress | None) -> Session:
        del addr
        return Session(self._given.clock, self._hypervisor)


@define(eq=False)
class Dialling(Service):
    """Connects to one place, and again whenever the connection ends."""

    _given: Surroundings
    _place: str
    _endpoint: IStreamClientEndpoint
    _replica: Replica = field(factory=Replica)
    """Kept from one connection to the next if the server can continue it."""
    _current: Hypervisor | None = None
    _work: Deferred[None] | None = None
    _is_out_of_reach: bool = False

    def startService(self) -> None:
        """Begin to dial."""
        super().startService()
        self._work = Deferred.fromCoroutine(self._stay_connected())
        self._work.addErrback(lambda failure: failure.trap(CancelledError))

    def stopService(self) -> Deferred[None] | None:
        """Hang up; fires when the connection has ended."""
        super().stopService()
        work, self._work = self._work, None
        if self._current is not None:
            self._current.drop("we are stopping")
        elif work is not None:
            work.cancel()
        return work

    async def _stay_connected(self) -> None:
        attempts = 0
        while self.running:
            was_settled = await self._connect_once()
            attempts = 0 if was_settled else attempts + 1
            if self.running:
                chance = random.random()  # noqa: S311  # it spreads load, no more
                await deferLater(self._given.clock, pause(attempts, chance))

    async def _connect_once(self) -> bool:
        """Connect and wait for the end; whether anything useful came of it."""
        if not self._replica.last_transaction:
            self._replica.clear()
        peer = self._place.removeprefix("unix:")
        hypervisor = Hypervisor(self._given, peer, self._replica)
        try:
            await self._endpoint.connect(_OneSession(self._given, hypervisor))
        except CancelledError:
            raise
        except Exception as problem:  # noqa: BLE001  # resolvers, TLS... all mean: later
            self._warn_once(problem)
            return False
        self._is_out_of_reach = False
        self._current = hypervisor
        await hypervisor.ended_with
        self._current = None
        return hypervisor.is_settled

    def _warn_once(self, problem: Exception) -> None:
        if self.running and not self._is_out_of_reach:
            self._is_out_of_reach = True
            self._given.warn(
                f"cannot connect to the database at {self._place} ({problem});"
                " trying again until it is there"
            )
