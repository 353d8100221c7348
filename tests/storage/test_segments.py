# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""Pools that were narrowed, that are exhausted, and that soon will be."""

from twisted.trial.unittest import SynchronousTestCase

from quantum.errors import SegmentsExhausted
from quantum.ranges import VLANS, Ranges
from quantum.storage.database import file_url
from quantum.storage.ids import new_id
from quantum.storage.segments import Pool, SegmentPool
from tests.storage.means import Bench


class NarrowedTests(SynchronousTestCase):
    """A database whose networks have segments that the pool has no longer."""

    def setUp(self) -> None:
        """Have networks on segments 1 to 4, then a pool of 3 to 5."""
        bench = Bench(file_url(self.mktemp()))
        for name in "abcd":
            bench.plugin.create_network("t", name)
        bench.pass_time()
        self.successResultOf(bench.stop())
        self.bench = Bench(bench.url, segments=SegmentPool(3, 5), new_id=new_id)
        self.addCleanup(self.bench.stop)
        self.names = {n.segment_id: n.id for n in self.bench.plugin.networks("t")}

    def a_segment(self):
        made = self.bench.plugin.create_network("t", "new")
        self.bench.pass_time()
        return self.successResultOf(made).segment_id

    def delete(self, segment) -> None:
        self.bench.plugin.delete_network("t", self.names[segment])
        self.bench.pass_time()

    def free(self, segment) -> None:
        self.bench.ledger.free_segment(segment)
        self.bench.pass_time()

    def exhausted(self):
        """Ask for one too many; who has the others."""
        with self.assertRaises(SegmentsExhausted) as caught:
            self.bench.plugin.create_network("t", "new")
        found = caught.exception
        return found.pool, found.size, found.in_use, found.quarantined

    def test_networks_stay(self) -> None:
        """They keep their segments; new ones get what the pool has."""
        self.assertEqual([1, 2, 3, 4], sorted(self.names))
        self.assertEqual(5, self.a_segment())
        self.assertEqual(("segments 3-5", 3, 3, 0), self.exhausted())

    def test_quarantine(self) -> None:
        """Only what rests of the pool's own is counted, and comes back."""
        self.assertEqual(5, self.a_segment())
        self.delete(1)
        self.delete(4)
        self.assertEqual(("segments 3-5", 3, 2, 1), self.exhausted())
        self.free(1)
        self.assertEqual(("segments 3-5", 3, 2, 1), self.exhausted())
        self.free(4)
        self.assertEqual(4, self.a_segment())


class RestartTests(SynchronousTestCase):
    """A daemon that begins with little left."""

    def test_said_at_once(self) -> None:
        """The operator is told at the start, and not again by the next network."""
        bench = Bench(file_url(self.mktemp()))
        for name in "abcd":
            bench.plugin.create_network("t", name)
        bench.pass_time()
        self.successResultOf(bench.stop())
        said = []
        bench = Bench(bench.url, segments=SegmentPool(1, 5, said.append), new_id=new_id)
        self.addCleanup(bench.stop)
        self.assertEqual(1, len(said))
        bench.plugin.create_network("t", "e")
        self.assertEqual(1, len(said))

    def test_no_pool(self) -> None:
        """Where each VLAN is to be named, nothing runs out."""
        said = []
        pool = Pool("VLANs of lab", Ranges(()), said.append)
        bench = Bench(vlan_pools={"lab": pool})
        self.addCleanup(bench.stop)
        bench.plugin.create_network("t", "a")
        bench.pass_time()
        bench.plugin.bind_vlan("id-1", "lab", 5)
        self.assertEqual([], said)


class PoolTests(SynchronousTestCase):
    """The order of numbers, and the word before there are none."""

    def setUp(self) -> None:
        """Have a pool of ten numbers in two ranges."""
        self.warnings = []
        ranges = Ranges.parse(["1-5", "11-15"], VLANS)
        self.pool = Pool("VLANs of lab", ranges, self.warnings.append)

    def test_order(self) -> None:
        """Numbers rise through all ranges, skip what is taken, and start over."""
        taken = {3, 14}
        picked = [self.pool.pick(taken) for _ in range(9)]
        self.assertEqual([1, 2, 4, 5, 11, 12, 13, 15, 1], picked)

    def test_skipped(self) -> None:
        """Whatever was taken before, it goes on after the highest."""
        for taken, expected in ({5}, 11), ({1, 12}, 13), ({15}, 1), (set(), 2):
            self.pool.skip_past(taken)
            self.assertEqual(expected, self.pool.pick(set()))

    def test_exhausted(self) -> None:
        """A full pool has none, however that is spread."""
        self.assertIsNone(self.pool.pick({1, 2, 3, 4, 5}, set(range(11, 16))))

    def test_warned_once(self) -> None:
        """The operator is told at 80 %, once, and again after it was below 70 %."""
        for used in (1, 7, 8, 9, 10, 8):
            self.pool.note(used)
        words = "VLANs of lab: 8 of 10 are taken; widen the pool before"
        self.assertEqual(1, len(self.warnings))
        self.assertTrue(self.warnings[0].startswith(words), self.warnings)
        for used in (7, 8, 7, 9):
            self.pool.note(used)
        self.assertEqual(1, len(self.warnings))
        for used in (6, 8):
            self.pool.note(used)
        self.assertEqual(2, len(self.warnings))

    def test_segments_are_watched(self) -> None:
        """Networks that are made, whether committed yet or not, count."""
        pool = SegmentPool(1, 5, self.warnings.append)
        bench = Bench(segments=pool)
        self.addCleanup(bench.stop)
        for name in "abc":
            bench.plugin.create_network("t", name)
        self.assertEqual([], self.warnings)
        bench.plugin.create_network("t", "d")
        self.assertEqual(1, len(self.warnings))
        self.assertIn("segments 1-5: 4 of 5", self.warnings[0])

    def test_vlans_are_watched(self) -> None:
        """So do networks that are bound, whoever chose the VLAN."""
        ranges = Ranges.parse(["1-5"], VLANS)
        pools = {"lab": Pool("VLANs 1-5 of lab", ranges, self.warnings.append)}
        bench = Bench(vlan_pools=pools)
        self.addCleanup(bench.stop)
        for name in "abcd":
            bench.plugin.create_network("t", name)
        bench.pass_time()
        for number, vlan_id in enumerate((5, None, 3), 1):
            bench.plugin.bind_vlan(f"id-{number}", "lab", vlan_id)
        self.assertEqual([], self.warnings)
        bench.plugin.bind_vlan("id-4", "lab", None)
        self.assertIn("VLANs 1-5 of lab: 4 of 5", self.warnings[0])
