# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
The ledger: what tenants asked, durably, and how far reality has come.

It is put together here from parts that know little of each other: the
catalogue answers reads, drafts judge what is asked, the writer records it, the
publication shows it.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from attrs import define, field
from msgspec.structs import replace
from twisted.internet.defer import Deferred, maybeDeferred, succeed
from twisted.internet.interfaces import IReactorTime
from zope.interface import implementer

from quantum.interfaces import IIntent, IStatusBoard
from quantum.model import Binding, Status
from quantum.storage.batch import apply_batch, settle
from quantum.storage.catalogue import Catalogue
from quantum.storage.database import Database, DatabaseUnusable
from quantum.storage.drafts import Drafts
from quantum.storage.ids import new_id
from quantum.storage.load import load
from quantum.storage.network_writes import ForgetSwitch, RememberSwitch, switch_key
from quantum.storage.outlook import Outlook
from quantum.storage.publication import Listener, Publication
from quantum.storage.segments import Pool, SegmentPool
from quantum.storage.supply import Supply
from quantum.storage.thread import DatabaseThread
from quantum.storage.upgrade import upgrade
from quantum.storage.vlan_writes import FreeSegment
from quantum.storage.write import Write
from quantum.storage.writer import InThread, Writer

QUEUE_LIMIT = 1000


@define(kw_only=True)
class Means:
    """What a ledger works with; a test gives it others than a daemon does."""

    clock: IReactorTime
    in_thread: InThread
    stop_thread: Callable[[], None] = lambda: None
    queue_limit: int = QUEUE_LIMIT
    pool: Pool = field(factory=SegmentPool)
    vlan_pools: Mapping[str, Pool] = field(factory=dict)
    """By physical network; an empty pool lets any VLAN be named."""
    new_id: Callable[[], str] = new_id

    @classmethod
    def of_daemon(cls, reactor: Any, queue_limit: int = QUEUE_LIMIT) -> "Means":
        """Use a thread beside the reactor's."""
        thread = DatabaseThread(reactor)
        return cls(
            clock=reactor,
            in_thread=thread.run,
            stop_thread=thread.stop,
            queue_limit=queue_limit,
        )


@implementer(IIntent, IStatusBoard)
@define
class Ledger:
    """
    The record, as the API and a fabric see it.

    ``catalogue`` answers reads; ``drafts`` turns a tenant's wish into a write,
    which `record` makes durable.  Use both on the reactor's thread only, with
    nothing in between that could let another draft in.
    """

    catalogue: Catalogue
    drafts: Drafts
    _outlook: Outlook
    _publication: Publication
    _writer: Writer
    _close: Callable[[], None]

    @classmethod
    def open(cls, url: str, means: Means) -> "Ledger":
        """
        Open a database, bring its schema up to date and read it.

        :raise DatabaseUnusable: It cannot be used; the message says what to fix.
        """
        return cls.over(Database.open(url), means)

    @classmethod
    def over(cls, database: Database, means: Means) -> "Ledger":
        """
        Use a database that is open already; it is closed with the ledger.

        :raise DatabaseUnusable: It cannot be used; the message says what to fix.
        """
        try:
            upgrade(database)
            catalogue = load(database)
            # `twistd` makes its service first and becomes a daemon afterwards.
            database.hang_up()
        except DatabaseUnusable:
            database.close()
            raise
        _go_on_after(catalogue, means)
        outlook = Outlook(catalogue)
        publication = Publication(catalogue, outlook)
        writer = Writer(
            partial(apply_batch, database),
            partial(settle, database),
            publication,
            means.in_thread,
            means.clock,
            means.queue_limit,
        )

        def close() -> None:
            means.stop_thread()
            database.close()

        supply = Supply(catalogue, outlook, means.pool, means.vlan_pools)
        drafts = Drafts(catalogue, outlook, supply, means.new_id)
        return cls(catalogue, drafts, outlook, publication, writer, close)

    def record(self, write: Write) -> Deferred[Any]:
        """
        Make a draft durable.

        :return: Fires with the network or port as it then stands, or with None
            when it is gone, after readers and listeners have seen it.

        :raise Overloaded: Too many writes are waiting.
        :raise RecordFailed: The daemon is ending, or the database is lost.
        """
        if write.is_idle and not self._outlook.is_awaited(write.key):
            return succeed(write.before)
        answer = self._writer.submit(write)
        self._outlook.add(write)
        return answer

    def subscribe(self, listener: Listener) -> None:
        """Call ``listener`` with each batch of changes, after it is durable."""
        self._publication.subscribe(listener)

    async def close(self) -> None:
        """Accept nothing more, wait for what was accepted, close the database."""
        await self._writer.stop()
        self._close()

    def bound(self, attachment: str) -> Binding | None:
        return self.catalogue.bound(attachment)

    def bindings(self) -> Iterable[Binding]:
        return self.catalogue.bindings()

    def known_switches(self) -> frozenset[str]:
        return frozenset(self.catalogue.switches)

    def quarantined_segments(self) -> frozenset[int]:
        return frozenset(self.catalogue.quarantined)

    def remember_switch(self, datapath_id: str) -> Deferred[None]:
        if self._is_switch(datapath_id) is True:
            return succeed(None)
        return maybeDeferred(self.record, RememberSwitch(datapath_id))

    def forget_switch(self, datapath_id: str) -> Deferred[None]:
        if self._is_switch(datapath_id) is False:
            return succeed(None)
        return maybeDeferred(self.record, ForgetSwitch(datapath_id))

    def free_segment(self, segment_id: int) -> Deferred[None]:
        if segment_id not in self.catalogue.quarantined:
            return succeed(None)
        return maybeDeferred(self.record, FreeSegment(segment_id))

    def report(self, port_id: str, status: Status) -> None:
        port = self.catalogue.recorded_port(port_id)
        if port is not None and port.status != status:
            self.catalogue.put_port(replace(port, status=status))

    def _is_switch(self, datapath_id: str) -> bool | None:
        """Say whether a switch is recorded; None while that is being changed."""
        if self._outlook.is_awaited(switch_key(datapath_id)):
            return None
        return datapath_id in self.catalogue.switches


def _go_on_after(catalogue: Catalogue, means: Means) -> None:
    """Let pools go on where an earlier daemon ended, and say if few are left."""
    catalogue.sort_out(*means.pool.ranges.spans)
    means.pool.skip_past(catalogue.segments)
    means.pool.note(len(catalogue.segments))
    for physical_network, pool in means.vlan_pools.items():
        numbers = catalogue.vlans.numbers(physical_network)
        taken = {number for number in numbers if number in pool.ranges}
        pool.skip_past(taken)
        pool.note(len(taken))
