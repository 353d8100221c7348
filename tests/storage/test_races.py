# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""Two who want what only one can have: exactly one gets it."""

from itertools import islice, permutations

from twisted.internet.defer import maybeDeferred
from twisted.trial.unittest import SynchronousTestCase

from quantum.errors import (
    AlreadyAttached,
    NetworkInUse,
    NetworkNotFound,
    PortInUse,
    PortNotFound,
    QuantumError,
    SegmentsExhausted,
)
from quantum.model import AdminState
from quantum.storage.database import file_url
from quantum.storage.segments import SegmentPool
from tests.storage.means import Bench

ACTIVE = AdminState.ACTIVE
WHERE = ("t", "id-1")


class RaceTests(SynchronousTestCase):
    """Writes that contradict each other, asked before either is committed."""

    def setUp(self) -> None:
        """Have a network with two free ports, id-2 and id-3."""
        self.bench = Bench()
        self.addCleanup(self.bench.stop)
        self.ask(("create_network", "t", "blue"))
        self.ask(("create_port", *WHERE, ACTIVE), ("create_port", *WHERE, ACTIVE))

    def ask(self, *calls):
        """Ask for everything at once, and list who was refused for what."""
        plugin = self.bench.plugin
        answers = [maybeDeferred(getattr(plugin, verb), *w) for verb, *w in calls]
        self.bench.pass_time()
        refusals = []
        for answer in answers:
            answer.addErrback(lambda f: f.trap(QuantumError) and f.value)
            result = self.successResultOf(answer)
            refusals.append(type(result) if isinstance(result, Exception) else None)
        return refusals

    def attachments(self):
        return {p.id: p.attachment for p in self.bench.plugin.ports(*WHERE)}

    def test_two_ports_want_one_interface(self) -> None:
        """The second is told that the interface is taken."""
        refusals = self.ask(
            ("plug", *WHERE, "id-3", "vif-1"), ("plug", *WHERE, "id-2", "vif-1")
        )
        self.assertEqual([None, AlreadyAttached], refusals)
        self.assertEqual({"id-2": None, "id-3": "vif-1"}, self.attachments())

    def test_two_interfaces_want_one_port(self) -> None:
        """The second is told that the port is taken."""
        refusals = self.ask(
            ("plug", *WHERE, "id-2", "vif-1"), ("plug", *WHERE, "id-2", "vif-2")
        )
        self.assertEqual([None, PortInUse], refusals)

    def test_plug_and_delete_port(self) -> None:
        """A port is plugged or gone, never both."""
        plug, delete = (
            ("plug", *WHERE, "id-2", "vif-1"),
            ("delete_port", *WHERE, "id-2"),
        )
        self.assertEqual([None, PortInUse], self.ask(plug, delete))
        self.ask(("unplug", *WHERE, "id-2"))
        self.assertEqual([None, PortNotFound], self.ask(delete, plug))

    def test_plug_and_delete_network(self) -> None:
        """A network is used or gone, never both."""
        plug, delete = ("plug", *WHERE, "id-2", "vif-1"), ("delete_network", *WHERE)
        self.assertEqual([None, NetworkInUse], self.ask(plug, delete))
        self.ask(("unplug", *WHERE, "id-2"))
        self.assertEqual([None, NetworkNotFound], self.ask(delete, plug))

    def test_create_port_and_delete_network(self) -> None:
        """A network gets a port or is gone, never both."""
        create, delete = ("create_port", *WHERE, ACTIVE), ("delete_network", *WHERE)
        self.assertEqual([None, NetworkInUse], self.ask(create, delete))
        self.assertEqual([None, NetworkNotFound], self.ask(delete, create))

    def test_delete_twice(self) -> None:
        """Of two who delete the same thing, the second finds nothing."""
        port, network = ("delete_port", *WHERE, "id-2"), ("delete_network", *WHERE)
        self.assertEqual([None, PortNotFound], self.ask(port, port))
        self.assertEqual([None, NetworkNotFound], self.ask(network, network))

    def test_move(self) -> None:
        """An interface can be moved without waiting in between."""
        self.ask(("plug", *WHERE, "id-2", "vif-1"))
        refusals = self.ask(
            ("unplug", *WHERE, "id-2"),
            ("plug", *WHERE, "id-3", "vif-1"),
            ("delete_port", *WHERE, "id-2"),
        )
        self.assertEqual([None, None, None], refusals)
        self.assertEqual({"id-3": "vif-1"}, self.attachments())
        self.assertEqual("id-3", self.bench.ledger.bound("vif-1").port_id)

    def test_last_name_counts(self) -> None:
        """Of two names the later stays, even if it is the one from before."""
        self.ask(("rename_network", *WHERE, "red"), ("rename_network", *WHERE, "blue"))
        self.assertEqual("blue", self.bench.plugin.network(*WHERE).name)

    def test_any_order(self) -> None:
        """Whatever is asked in whichever order, a restart finds what was read."""
        calls = [
            ("plug", *WHERE, "id-2", "vif-1"),
            ("plug", *WHERE, "id-3", "vif-1"),
            ("unplug", *WHERE, "id-2"),
            ("delete_port", *WHERE, "id-3"),
            ("delete_network", *WHERE),
        ]
        for order in islice(permutations(calls), 0, None, 4):
            self.bench = Bench(file_url(self.mktemp()))
            self.ask(("create_network", "t", "blue"))
            self.ask(*[("create_port", *WHERE, ACTIVE)] * 2)
            self.ask(*order)
            before = self.record()
            url = self.bench.url
            self.successResultOf(self.bench.stop())
            self.bench = Bench(url)
            self.assertEqual(before, self.record())
            self.successResultOf(self.bench.stop())

    def record(self):
        plugin = self.bench.plugin
        networks = plugin.networks("t")
        return networks, [plugin.ports("t", n.id) for n in networks]


class SegmentTests(SynchronousTestCase):
    """Which segment a network gets."""

    def make(self, **options):
        bench = Bench(**options)
        self.addCleanup(bench.stop)
        return bench

    def a_segment(self, bench):
        made = bench.plugin.create_network("t", "blue")
        bench.pass_time()
        return self.successResultOf(made).segment_id

    def test_last_one(self) -> None:
        """Two cannot have the last segment."""
        bench = self.make(segments=SegmentPool(7, 7))
        made = bench.plugin.create_network("t", "blue")
        with self.assertRaises(SegmentsExhausted) as caught:
            bench.plugin.create_network("t", "red")
        self.assertEqual(1, caught.exception.size)
        bench.pass_time()
        self.assertEqual(7, self.successResultOf(made).segment_id)

    def test_quarantine(self) -> None:
        """A deleted network's segment is not given away before it is freed."""
        bench = self.make(segments=SegmentPool(7, 7))
        self.a_segment(bench)
        bench.plugin.delete_network("t", "id-1")
        bench.pass_time()
        with self.assertRaises(SegmentsExhausted):
            bench.plugin.create_network("t", "red")
        bench.ledger.free_segment(7)
        bench.pass_time()
        self.assertEqual(7, self.a_segment(bench))

    def test_used_again_as_late_as_possible(self) -> None:
        """Segments rise, skip what is taken, and start over at the end."""
        bench = self.make(segments=SegmentPool(1, 4))
        self.assertEqual([1, 2, 3], [self.a_segment(bench) for _ in range(3)])
        for network_id, segment in (("id-1", 1), ("id-3", 3)):
            bench.plugin.delete_network("t", network_id)
            bench.pass_time()
            bench.ledger.free_segment(segment)
            bench.pass_time()
        self.assertEqual([4, 1, 3], [self.a_segment(bench) for _ in range(3)])

    def test_refused_by_the_database(self) -> None:
        """A network that could not be recorded leaves its segment free."""
        bench = self.make(segments=SegmentPool(7, 7), new_id=lambda: "same")
        bad = bench.plugin.create_network("t", "\ud800")
        bench.pass_time()
        self.failureResultOf(bad, QuantumError)
        self.assertEqual(7, self.a_segment(bench))
