# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""The ledger and a fabric as one plugin, and statements on another database."""

from attrs import define, field
from sqlalchemy import Executable
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex, CreateTable
from twisted.application.service import Service
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from quantum.errors import FabricRefused
from quantum.interfaces import IFabric
from quantum.model import (
    AdminState,
    NetworkCreated,
    NetworkDeleted,
    NetworkRenamed,
    PortChanged,
    PortCreated,
    PortDeleted,
)
from quantum.plugins.recorded import RecordedPlugin
from quantum.storage import network_writes, port_writes, vlan_writes
from quantum.storage.ledger import Ledger
from quantum.storage.schema import metadata
from tests.storage.means import inline_means, numbered

ACTIVE = AdminState.ACTIVE
WHERE = ("t", "id-1")


@implementer(IFabric)
@define(eq=False)
class Recorder(Service):
    """A fabric that remembers what it was asked and told, and may refuse."""

    refuses: tuple = ()
    asked: list = field(factory=list)
    told: list = field(factory=list)
    stopped: Deferred = field(factory=Deferred)

    def admit(self, change) -> None:
        self.asked.append(change)
        if isinstance(change, self.refuses):
            raise FabricRefused("no VLAN is left")

    def tell(self, changes) -> None:
        self.told.extend(changes)

    def stopService(self):
        super().stopService()
        return self.stopped


class RecordedTests(SynchronousTestCase):
    """When the fabric is asked, told, started and stopped."""

    def setUp(self) -> None:
        """Have a started plugin."""
        self.clock = Clock()
        means = inline_means(self.clock, new_id=numbered())
        self.ledger = Ledger.open("sqlite://", means)
        self.fabric = Recorder()
        self.plugin = RecordedPlugin(self.ledger, self.fabric)
        self.plugin.startService()

    def ask(self, verb, *words):
        answer = maybeDeferred(getattr(self.plugin, verb), *words)
        self.clock.advance(0)
        return answer

    def live(self) -> None:
        """Ask for everything that can be asked, once."""
        for verb, *words in (
            ("create_network", "t", "blue"),
            ("rename_network", *WHERE, "red"),
            ("create_port", *WHERE, ACTIVE),
            ("plug", *WHERE, "id-2", "vif-1"),
            ("set_port_state", *WHERE, "id-2", AdminState.DOWN),
            ("unplug", *WHERE, "id-2"),
            ("delete_port", *WHERE, "id-2"),
            ("delete_network", *WHERE),
        ):
            self.successResultOf(self.ask(verb, *words))

    def test_asked_and_told(self) -> None:
        """The fabric is asked about each change, and told the same afterwards."""
        self.live()
        kinds = [
            NetworkCreated,
            NetworkRenamed,
            PortCreated,
            PortChanged,
            PortChanged,
            PortChanged,
            PortDeleted,
            NetworkDeleted,
        ]
        self.assertEqual(kinds, [type(change) for change in self.fabric.told])
        self.assertEqual(self.fabric.asked, self.fabric.told)

    def test_not_asked_about_nothing(self) -> None:
        """What would change nothing is not the fabric's business."""
        self.successResultOf(self.ask("create_network", "t", "blue"))
        self.fabric.refuses = (NetworkRenamed,)
        self.successResultOf(self.ask("rename_network", *WHERE, "blue"))
        self.assertEqual(1, len(self.fabric.asked))

    def test_told_after_commit(self) -> None:
        """The fabric is asked at once and told when the change is durable."""
        self.plugin.create_network("t", "blue")
        self.assertEqual((1, 0), (len(self.fabric.asked), len(self.fabric.told)))
        self.clock.advance(0)
        self.assertEqual((1, 1), (len(self.fabric.asked), len(self.fabric.told)))

    def test_refused(self) -> None:
        """What the fabric refuses changes nothing, now or later."""
        self.fabric.refuses = (NetworkCreated,)
        self.failureResultOf(self.ask("create_network", "t", "blue"), FabricRefused)
        self.assertEqual([], self.plugin.networks("t"))
        self.fabric.refuses = ()
        network = self.successResultOf(self.ask("create_network", "t", "blue"))
        self.fabric.refuses = (NetworkRenamed, NetworkDeleted, PortCreated)
        where = ("t", network.id)
        for verb, *words in (
            ("create_port", ACTIVE),
            ("rename_network", "red"),
            ("delete_network",),
        ):
            self.failureResultOf(self.ask(verb, *where, *words), FabricRefused)
        self.assertEqual("blue", self.plugin.network(*where).name)
        self.assertEqual([], self.plugin.ports(*where))
        self.assertEqual(1, len(self.fabric.told))

    def test_fabric_is_a_service(self) -> None:
        """The fabric starts with the plugin and stops before the ledger closes."""
        self.assertEqual(1, self.fabric.running)
        stopped = self.plugin.stopService()
        self.assertEqual(0, self.fabric.running)
        self.assertNoResult(stopped)
        last = self.ledger.remember_switch("00000000000000aa")
        self.fabric.stopped.callback(None)
        self.assertNoResult(stopped)
        self.clock.advance(0)
        self.successResultOf(last)
        self.successResultOf(stopped)


class PortabilityTests(SynchronousTestCase):
    """Nothing above the seam is SQLite's own."""

    def test_postgresql(self) -> None:
        """Every table, index and statement can be said in PostgreSQL's dialect."""
        dialect = postgresql.dialect()
        statements = [
            value
            for module in (network_writes, port_writes, vlan_writes)
            for value in vars(module).values()
            if isinstance(value, Executable)
        ]
        self.assertEqual(15, len(statements))
        for table in metadata.sorted_tables:
            statements.append(CreateTable(table))
            statements.extend(map(CreateIndex, table.indexes))
        for statement in statements:
            self.assertTrue(str(statement.compile(dialect=dialect)))
