# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""One hypervisor, for as long as one connection to its database lasts."""

from collections.abc import Callable, Coroutine
from typing import Any

import msgspec
from attrs import Factory, define, field, frozen
from msgspec import Raw
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from quantum.channel.ovsdb.bridge import DATABASE, WantedBridge
from quantum.channel.ovsdb.faults import ConnectionDropped, Misspoken, OvsdbError
from quantum.channel.ovsdb.mender import Mender
from quantum.channel.ovsdb.monitor import Monitor, in_slices
from quantum.channel.ovsdb.replica import Replica
from quantum.channel.ovsdb.rpc import Session
from quantum.channel.ovsdb.witness import Witness
from quantum.channel.turns import Turns
from quantum.interfaces import IHypervisorListener

log = Logger()

_names = msgspec.json.Decoder(list[str])


@define
class Claims:
    """Which names are taken: no two connections may speak for one hypervisor."""

    _warn: Callable[[str], None]
    _taken: dict[str, object] = field(factory=dict)
    _warned: set[str] = field(factory=set)

    def take(self, name: str, holder: object) -> None:
        """
        Take a name.

        :raise ConnectionDropped: Somebody else has it.
        """
        if self._taken.setdefault(name, holder) is holder:
            return
        if name not in self._warned:
            self._warned.add(name)
            self._warn(
                f"a second connection says that it is hypervisor {name}; it is"
                " refused while the first lasts (do two share a system-id?)"
            )
        raise ConnectionDropped(f"hypervisor {name} is connected already")

    def release(self, name: str, holder: object) -> None:
        """Give a name back, if the holder has it."""
        if self._taken.get(name) is holder:
            del self._taken[name]
            self._warned.discard(name)


@frozen
class Surroundings:
    """What every hypervisor is given."""

    clock: IReactorTime
    wanted: WantedBridge
    listener: IHypervisorListener
    claims: Claims
    warn: Callable[[str], None]
    turns: Turns = field(
        default=Factory(lambda self: Turns(self.clock), takes_self=True), init=False
    )
    """In which all of them take their rows."""


@define(eq=False)
class Hypervisor:
    """The conversation with one hypervisor."""

    _given: Surroundings
    _peer: str
    """Its name as long as it does not call itself anything."""
    _replica: Replica
    ended_with: Deferred[str] = field(factory=Deferred)
    """Fires with the reason when the connection has ended."""
    is_settled: bool = False
    """Its rows have arrived and it may speak for itself."""
    _name: str = ""
    _session: Session | None = None
    _monitor: Monitor = field(init=False)
    _mender: Mender = field(init=False)
    _witness: Witness = field(init=False)
    _task: Deferred[None] | None = None

    def connected(self, session: Session) -> None:
        """Begin by asking for its rows."""
        clock, wanted = self._given.clock, self._given.wanted
        self._session = session
        self._monitor = Monitor(clock, self._given.turns, session, self._replica)
        self._mender = Mender(
            clock, session, self._replica, wanted, self._complain, self._fail
        )
        self._witness = Witness(
            self._replica, wanted, self._given.listener, self._complain
        )
        self._do(self._begin(session))

    def updated(self, method: str, params: Raw) -> None:
        """Take a change of its rows, before anything else that it sends."""
        if self._session is not None:
            self._session.pause()
            self._do(self._follow(self._session, method, params))

    def ended(self, reason: str) -> None:
        """Let go of everything."""
        if self._task is not None:
            self._task.cancel()
        self._mender.stop()
        log.info("hypervisor {name}: {reason}", name=self._called, reason=reason)
        if self._name:
            self._given.claims.release(self._name, self)
            self._given.listener.hypervisor_lost(self._name)
        self.ended_with.callback(reason)

    def drop(self, reason: str) -> None:
        """End the connection at once."""
        if self._session is not None:
            self._session.drop(reason)

    @property
    def _called(self) -> str:
        return self._name or self._peer

    def _do(self, work: Coroutine[Deferred[Any], Any, None]) -> None:
        self._task = Deferred.fromCoroutine(work)
        self._task.addErrback(self._fail)

    async def _begin(self, session: Session) -> None:
        raw = await session.request("list_dbs", [])
        try:
            names = _names.decode(raw)
        except ValueError as problem:
            raise Misspoken(f"the list of databases: {problem}") from None
        if DATABASE not in names:
            raise ConnectionDropped(f"the peer has no database {DATABASE}")
        # Even what an earlier connection has told: who comes again and again is no
        # better than who changes again and again.
        await self._given.listener.worked_off()
        await self._monitor.start()
        await self._review()
        self.is_settled = True
        log.info("hypervisor {name} is connected", name=self._called)
        session.resume()

    async def _follow(self, session: Session, method: str, params: Raw) -> None:
        # Not after the last update: answers and echoes are heard as long as can be.
        await self._given.listener.worked_off()
        await self._monitor.take(method, params)
        await self._review()
        session.resume()

    async def _review(self) -> None:
        self._rename(self._replica.system_id() or self._peer)
        await in_slices(self._given.turns, self._witness.review(self._name))
        self._mender.look()

    def _rename(self, name: str) -> None:
        """Take the name it calls itself, even if that is another than before."""
        if name == self._name:
            return
        self._given.claims.take(name, self)
        before, self._name = self._name, name
        if before:
            self._given.claims.release(before, self)
            self._given.listener.hypervisor_renamed(before, name)
            self._witness.forget()

    def _complain(self, complaint: str) -> None:
        said = f"hypervisor {self._called}: {complaint}"
        # Databases quote what others chose; a log has one line for one fact.
        self._given.warn("".join(c if c.isprintable() else "?" for c in said))

    def _fail(self, failure: Failure) -> None:
        """Drop the connection, whatever went wrong."""
        if failure.check(CancelledError):
            return
        if not failure.check(OvsdbError):
            log.failure("hypervisor {name}", failure, name=self._called)
        self.drop(failure.getErrorMessage())
