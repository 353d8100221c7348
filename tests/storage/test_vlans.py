# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""Networks that are bound to VLANs: recorded, raced for, and let go of."""

from itertools import permutations

from sqlalchemy import insert, select, update
from twisted.internet.defer import maybeDeferred
from twisted.trial.unittest import SynchronousTestCase

from quantum.errors import (
    AlreadyBound,
    NetworkInUse,
    NetworkNotFound,
    QuantumError,
    SegmentsExhausted,
    VlanInUse,
)
from quantum.model import AdminState, NetworkBound, Vlan
from quantum.ranges import VLANS, Ranges
from quantum.storage.database import file_url
from quantum.storage.schema import ports, vlans
from quantum.storage.segments import Pool
from tests.storage.means import Bench

ACTIVE = AdminState.ACTIVE
NAMED = ("external", 5)
BOUND = Vlan(*NAMED)


def pools(*texts):
    """Make the pools of one physical network."""
    ranges = Ranges.parse(texts, VLANS)
    return {"external": Pool(f"VLANs {ranges} of external", ranges)}


class VlanCase(SynchronousTestCase):
    """Has a ledger with three networks; id-4 and id-5 are ports of the first."""

    def setUp(self) -> None:
        """Make them."""
        self.bench = Bench(file_url(self.mktemp()), vlan_pools=pools("5-7"))
        self.addCleanup(self.stop)
        self.ask(*[("create_network", "t", name) for name in ("a", "b", "c")])
        self.ask(*[("create_port", "t", "id-1", ACTIVE)] * 2)

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

    def stop(self) -> None:
        """Stop the ledger that is open by now."""
        self.successResultOf(self.bench.stop())

    def free(self, segment_id) -> None:
        """Let go of a deleted network's segment."""
        freed = self.bench.ledger.free_segment(segment_id)
        self.bench.pass_time()
        self.successResultOf(freed)

    def restart(self, *texts) -> None:
        """Open the same database anew, with other pools if so asked."""
        self.stop()
        self.bench = Bench(self.bench.url, vlan_pools=pools(*(texts or ("5-7",))))

    def bound(self):
        """List the VLAN of each network, in the order of their ids."""
        networks = sorted(self.bench.plugin.networks("t"), key=lambda n: n.id)
        return [n.vlan and n.vlan.vlan_id for n in networks]

    def rows(self):
        """List what the database has, by segment."""
        with self.bench.database.engine.connect() as connection:
            query = select(vlans.c.segment_id, vlans.c.vlan_id)
            return dict(connection.execute(query.order_by("segment_id")).all())


class RecordTests(VlanCase):
    """What is bound is bound for good."""

    def test_told(self) -> None:
        """The fabric is told of the network as it is now."""
        self.ask(("bind_vlan", "id-1", *NAMED))
        network = self.bench.plugin.any_network("id-1")
        self.assertEqual(BOUND, network.vlan)
        self.assertEqual(NetworkBound(network), self.bench.changes[-1])

    def test_after_a_restart(self) -> None:
        """Networks and bindings have their VLAN after a restart too."""
        self.ask(("bind_vlan", "id-1", *NAMED))
        self.ask(("plug", "t", "id-1", "id-4", "vif-1"))
        before = self.bench.ledger.bound("vif-1")
        self.assertEqual(BOUND, before.vlan)
        self.restart()
        self.assertEqual([5, None, None], self.bound())
        self.assertEqual(before, self.bench.ledger.bound("vif-1"))
        self.assertEqual([before], list(self.bench.ledger.bindings()))
        self.assertEqual([AlreadyBound], self.ask(("bind_vlan", "id-1", *NAMED)))
        self.assertEqual([VlanInUse], self.ask(("bind_vlan", "id-2", *NAMED)))

    def test_pool_that_was_taken_away(self) -> None:
        """A network keeps a VLAN that the configuration has no longer."""
        self.ask(("bind_vlan", "id-1", *NAMED))
        self.restart("6")
        none = ("external", None)
        refusals = self.ask(("bind_vlan", "id-2", *none), ("bind_vlan", "id-3", *none))
        self.assertEqual([None, SegmentsExhausted], refusals)
        self.assertEqual([5, 6, None], self.bound())

    def test_rises_after_a_restart(self) -> None:
        """VLANs go on after the highest, so that freed ones rest."""
        for network in ("id-1", "id-2"):
            self.ask(("bind_vlan", network, "external", None))
        segment = self.bench.plugin.any_network("id-1").segment_id
        self.ask(("delete_network", "t", "id-1"))
        self.free(segment)
        self.restart()
        self.ask(("bind_vlan", "id-3", "external", None))
        self.assertEqual([6, 7], self.bound())


class QuarantineTests(VlanCase):
    """A VLAN of a deleted network rests as long as its segment."""

    def test_rests_and_is_free(self) -> None:
        """It is nobody else's before the segment was freed, then anybody's."""
        self.ask(("bind_vlan", "id-1", *NAMED))
        segment = self.bench.plugin.any_network("id-1").segment_id
        self.ask(("delete_network", "t", "id-1"))
        for _ in range(2):
            self.assertEqual([VlanInUse], self.ask(("bind_vlan", "id-2", *NAMED)))
            self.assertEqual({segment: 5}, self.rows())
            self.restart()
        self.free(segment)
        self.assertEqual({}, self.rows())
        self.assertEqual([None], self.ask(("bind_vlan", "id-2", *NAMED)))
        self.restart()
        self.assertEqual([5, None], self.bound())

    def test_counted(self) -> None:
        """An exhausted pool says how much of it rests."""
        for network in ("id-1", "id-2", "id-3"):
            self.ask(("bind_vlan", network, "external", None))
        self.ask(("delete_network", "t", "id-1"), ("delete_network", "t", "id-2"))
        self.ask(("create_network", "t", "d"))
        (last,) = (n for n in self.bench.plugin.networks("t") if n.vlan is None)
        with self.assertRaises(SegmentsExhausted) as caught:
            self.bench.plugin.bind_vlan(last.id, "external", None)
        found = caught.exception
        self.assertEqual("VLANs 5-7 of external", found.pool)
        self.assertEqual((3, 1, 2), (found.size, found.in_use, found.quarantined))

    def test_freed_twice(self) -> None:
        """A late second word that a segment is free takes nothing from its heir."""
        self.ask(("bind_vlan", "id-1", *NAMED))
        segment = self.bench.plugin.any_network("id-1").segment_id
        self.ask(("delete_network", "t", "id-1"))
        for _ in range(2):
            self.bench.ledger.free_segment(segment)
        self.ask(("bind_vlan", "id-2", "external", 6))
        self.free(segment)
        self.free(self.bench.plugin.any_network("id-2").segment_id)
        self.assertEqual([6], list(self.rows().values()))


class RaceTests(VlanCase):
    """Writes that contradict each other, asked before either is committed."""

    def test_two_networks_want_one_vlan(self) -> None:
        """Exactly one gets it."""
        one, other = ("bind_vlan", "id-1", *NAMED), ("bind_vlan", "id-2", *NAMED)
        self.assertEqual([None, VlanInUse], self.ask(one, other))
        self.assertEqual([5, None, None], self.bound())

    def test_two_want_any(self) -> None:
        """Who lets choose gets what nobody else is being given."""
        calls = [("bind_vlan", "id-1", "external", 6)]
        calls += [("bind_vlan", name, "external", None) for name in ("id-2", "id-3")]
        self.assertEqual([None, None, None], self.ask(*calls))
        self.assertEqual([6, 5, 7], self.bound())

    def test_one_network_wants_two(self) -> None:
        """It gets the first."""
        calls = [("bind_vlan", "id-1", "external", number) for number in (5, 6)]
        self.assertEqual([None, AlreadyBound], self.ask(*calls))
        self.assertEqual([5, None, None], self.bound())

    def test_bind_and_plug(self) -> None:
        """A network is not bound under an interface that is being plugged in."""
        plug = ("plug", "t", "id-1", "id-4", "vif-1")
        bind = ("bind_vlan", "id-1", *NAMED)
        self.assertEqual([None, NetworkInUse], self.ask(plug, bind))
        self.assertIsNone(self.bench.ledger.bound("vif-1").vlan)
        unplug = ("unplug", "t", "id-1", "id-4")
        self.assertEqual([None, None, None], self.ask(unplug, bind, plug))
        self.assertEqual(BOUND, self.bench.ledger.bound("vif-1").vlan)

    def test_bind_and_delete(self) -> None:
        """What is being deleted is not bound; what is bound can be deleted."""
        bind, delete = ("bind_vlan", "id-1", *NAMED), ("delete_network", "t", "id-1")
        self.assertEqual([None, NetworkNotFound], self.ask(delete, bind))
        bind, delete = ("bind_vlan", "id-2", *NAMED), ("delete_network", "t", "id-2")
        self.assertEqual([None, None], self.ask(bind, delete))
        self.assertEqual([VlanInUse], self.ask(("bind_vlan", "id-3", *NAMED)))

    def test_bind_and_rename(self) -> None:
        """Neither undoes the other, in whichever order."""
        bind = ("bind_vlan", "id-1", *NAMED)
        self.ask(("rename_network", "t", "id-1", "x"), bind)
        self.ask(("rename_network", "t", "id-1", "y"))
        network = self.bench.plugin.any_network("id-1")
        self.assertEqual(("y", BOUND), (network.name, network.vlan))

    def test_refused_by_the_database(self) -> None:
        """Where the record says otherwise, it is right, and the rest is free."""
        with self.bench.database.engine.begin() as connection:
            row = {"segment_id": 99, "physical_network": "external", "vlan_id": 5}
            connection.execute(insert(vlans), row)
            plugged = update(ports).where(ports.c.id == "id-4")
            connection.execute(plugged.values(interface="vif-9"))
        calls = [
            ("bind_vlan", "id-2", *NAMED),
            ("bind_vlan", "id-1", "external", 6),
            ("bind_vlan", "id-3", "external", 7),
        ]
        self.assertEqual([VlanInUse, NetworkInUse, None], self.ask(*calls))
        self.assertEqual([None, None, 7], self.bound())
        self.assertEqual([None], self.ask(("bind_vlan", "id-2", "external", 6)))

    def test_any_order(self) -> None:
        """Whatever is asked in whichever order, a restart finds what was read."""
        calls = [
            ("bind_vlan", "id-1", *NAMED),
            ("bind_vlan", "id-2", *NAMED),
            ("plug", "t", "id-1", "id-4", "vif-1"),
            ("delete_network", "t", "id-2"),
        ]
        for order in permutations(calls):
            self.setUp()
            self.ask(*order)
            before = self.record()
            self.restart()
            self.assertEqual(before, self.record())
            self.stop()

    def record(self):
        ledger = self.bench.ledger
        return self.bound(), list(ledger.bindings()), ledger.quarantined_segments()
