# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""Ledgers for tests: no thread, time under control, predictable ids."""

from itertools import count

from attrs import define, field
from twisted.internet.task import Clock

from quantum.plugins.memory import MemoryFabric
from quantum.plugins.recorded import RecordedPlugin
from quantum.storage.database import Database
from quantum.storage.ledger import Ledger, Means
from quantum.storage.segments import SegmentPool
from quantum.storage.thread import inline


def numbered():
    """Make ids that can be told beforehand."""
    numbers = count(1)
    return lambda: f"id-{next(numbers)}"


def inline_means(clock, **others) -> Means:
    """Work with a clock and without a thread."""
    return Means(clock=clock, in_thread=inline, **others)


@define
class Bench:
    """A plugin over a ledger, with everything a test wants to reach."""

    url: str = "sqlite://"
    segments: SegmentPool = field(factory=SegmentPool)
    vlan_pools: dict = field(factory=dict)
    queue_limit: int = 1000
    prepare: object = lambda database: None
    new_id: object = field(factory=numbered)
    clock: Clock = field(init=False, factory=Clock)
    database: Database = field(init=False)
    ledger: Ledger = field(init=False)
    plugin: RecordedPlugin = field(init=False)
    changes: list = field(init=False, factory=list)

    def __attrs_post_init__(self) -> None:
        self.database = Database.open(self.url)
        means = inline_means(
            self.clock,
            pool=self.segments,
            vlan_pools=self.vlan_pools,
            queue_limit=self.queue_limit,
            new_id=self.new_id,
        )
        self.ledger = Ledger.over(self.database, means)
        self.prepare(self.database)
        self.plugin = RecordedPlugin(
            self.ledger, MemoryFabric(self.ledger, self.ledger)
        )
        self.plugin.startService()
        self.ledger.subscribe(self.changes.extend)

    def pass_time(self, seconds: float = 0) -> None:
        """Commit what is waiting."""
        self.clock.advance(seconds)

    def stop(self):
        """Stop the plugin."""
        stopped = self.plugin.stopService()
        self.clock.pump([0, 1, 1])
        return stopped
