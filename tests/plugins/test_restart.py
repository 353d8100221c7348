# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""What an earlier process saw last counts until somebody says otherwise."""

from twisted.trial.unittest import SynchronousTestCase

from quantum.model import OpStatus
from quantum.openflow.facts import SeenInterface

from .site import Site, by_tunnel, tap


class RestartTests(SynchronousTestCase):
    """A daemon that begins anew while its switches go on."""

    def setUp(self) -> None:
        """Let a network span two switches, and start another daemon."""
        self.old = Site()
        self.lines = {}
        for number in (1, 2):
            self.lines[number] = self.old.connect(number)
            self.old.underlay(number, by_tunnel(number))
            self.old.sync(number)
        port = self.old.port("a")
        self.port = self.old.port("b", port.network_id)
        self.old.change(1, tap("a", 4))
        self.old.change(2, tap("b", 5))
        self.site = Site(database=self.old.database, tables=self.old.tables)

    def recollect(self) -> None:
        """Tell the new daemon what the old one saw."""
        found = [self.old.recall(number) for number in (1, 2)]
        self.site.fabric.recollect(filter(None, found))

    def come_back(self, number: int, *seen) -> None:
        """Let a switch and its hypervisor come back."""
        self.site.connect(number)
        self.site.underlay(number, by_tunnel(number))
        self.site.sync(number, *seen)

    def test_recalled(self) -> None:
        """What the new one knows is what the old one knew."""
        self.recollect()
        for number in (1, 2):
            recalls = [s.recall(number) for s in (self.old, self.site)]
            self.assertEqual(recalls[0], recalls[1])

    def test_nothing_is_undone(self) -> None:
        """A switch that is back first keeps its flows to the one that is not."""
        before = self.old.tables[1].flows()
        sent = self.old.tables[1].messages
        self.recollect()
        self.come_back(1, tap("a", 4))
        self.assertEqual(before, self.site.tables[1].flows())
        self.assertEqual(sent, self.site.tables[1].messages)
        status = self.site.look(self.port).status
        self.assertIs(OpStatus.DOWN, status.op_status)
        self.assertIn("is not connected", status.reason)

    def test_unknown(self) -> None:
        """Nothing is recalled of a switch that nobody has."""
        self.assertIsNone(self.site.recall(77))

    def test_told_already(self) -> None:
        """What a hypervisor has told already is not undone by what it was."""
        self.come_back(1, tap("c", 9))
        self.recollect()
        seen = [one.name for one in self.site.fabric.switches[1].interfaces()]
        self.assertEqual(["tap-c"], seen)

    def test_seen_twice(self) -> None:
        """The first place is not given up only because another is back sooner."""
        self.old.change(2, tap("a", 6))
        self.recollect()
        self.come_back(2, tap("b", 5), tap("a", 6))
        carried = self.site.fabric.session(1).members()
        self.assertIn(4, carried)
        self.site.wait()
        self.assertNotIn(4, self.site.fabric.session(1).members())
        self.assertIn(6, self.site.fabric.session(2).members())

    def test_order(self) -> None:
        """Where it was seen first does not depend on the numbers of switches."""
        self.old.change(1, tap("b", 7))
        self.recollect()
        carried = [self.site.fabric.session(number).members() for number in (1, 2)]
        self.assertNotIn(7, carried[0])
        self.assertIn(5, carried[1])
        self.test_recalled()
        self.come_back(1, tap("a", 4), tap("b", 7))
        self.assertNotIn(7, self.site.fabric.session(1).members())
        self.site.wait()
        self.assertIn(7, self.site.fabric.session(1).members())

    def test_order_on_one(self) -> None:
        """So it is with two interfaces of one switch, and with who has a number."""
        self.old.change(2, SeenInterface("twin", "b", 6))
        self.old.change(2, SeenInterface("tap-b", "b", 6))
        self.recollect()
        self.test_recalled()
        switch = self.site.fabric.switches[2]
        self.assertEqual("tap-b", switch.carrier(6).name)

    def test_dead_before(self) -> None:
        """Who was out of reach before the restart takes nothing back by it."""
        self.old.fabric.testimony.hypervisor_lost("hv1")
        self.lines[1].close()
        self.old.wait()
        self.old.change(2, tap("b", 5), tap("a", 6))
        self.recollect()
        self.come_back(2, tap("b", 5), tap("a", 6))
        self.assertIn(6, self.site.fabric.session(2).members())
        self.assertNotIn(4, self.site.fabric.session(1).members())
