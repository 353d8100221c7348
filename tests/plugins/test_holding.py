# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""Whose a switch is when several hypervisors say that they have it."""

from twisted.trial.unittest import SynchronousTestCase

from quantum.model import OpStatus

from .site import Site, tap


class HoldingTests(SynchronousTestCase):
    """A switch stays its hypervisor's while either of the two is connected."""

    def setUp(self) -> None:
        """Let a hypervisor have a switch with a guest, and a clone know another."""
        self.site = Site()
        self.line = self.site.connect(1)
        self.site.sync(1, tap("a", 4))
        self.port, self.other = self.site.port("a"), self.site.port("b")

    @property
    def hypervisor(self) -> str:
        """Whose the switch is."""
        return self.site.fabric.switches[1].hypervisor

    def clone(self, *seen, name: str = "clone") -> None:
        """Let another hypervisor say that it has the switch."""
        self.site.fabric.hypervisor_synced(name, 1, seen or [tap("b", 4)])
        self.site.clock.pump([0, 0, 0])

    def lose(self, name: str = "hv1") -> None:
        """Let the connection to a hypervisor's database end."""
        self.site.fabric.hypervisor_lost(name)
        self.site.clock.pump([0, 0])

    def status(self, port) -> OpStatus:
        """Read a port's status."""
        return self.site.look(port).status.op_status

    def assert_kept(self) -> None:
        """What its own hypervisor said last counts."""
        self.assertEqual("hv1", self.hypervisor)
        self.assertIs(OpStatus.UP, self.status(self.port))
        self.assertIs(OpStatus.DOWN, self.status(self.other))

    def assert_taken(self, name: str = "clone") -> None:
        """What another says counts."""
        self.assertEqual(name, self.hypervisor)
        self.assertIs(OpStatus.DOWN, self.status(self.port))

    def test_database_away(self) -> None:
        """While its OpenFlow connection lives on, another's facts are not its own."""
        flows = self.site.tables[1].flows()
        self.lose()
        self.clone()
        self.site.fabric.interfaces_changed("clone", 1, ["tap-a"], [tap("b", 4)])
        self.site.fabric.switch_gone("clone", 1)
        self.assert_kept()
        self.assertEqual(flows, self.site.tables[1].flows())
        self.site.sync(1, tap("b", 4))
        self.assertIs(OpStatus.UP, self.status(self.other))

    def test_reconnected_before(self) -> None:
        """So it is with an OpenFlow connection that came while it was claimed."""
        self.line.close()
        self.site.connect(1)
        self.lose()
        self.clone()
        self.assert_kept()

    def test_openflow_away(self) -> None:
        """While its database is connected it may come and go."""
        self.line.close()
        self.clone()
        self.assertEqual("hv1", self.hypervisor)

    def test_both_away(self) -> None:
        """Once neither was connected whoever tells next has it."""
        self.lose()
        self.line.close()
        self.assertEqual("hv1", self.hypervisor)
        self.site.connect(1)
        self.assert_kept()
        self.clone()
        self.assert_taken()
        self.assertIs(OpStatus.UP, self.status(self.other))

    def test_own_again(self) -> None:
        """That may be its own hypervisor."""
        self.line.close()
        self.lose()
        self.site.sync(1, tap("a", 4))
        self.site.connect(1)
        self.clone()
        self.assert_kept()

    def test_deleted(self) -> None:
        """That its bridge was deleted does not make its connection another's."""
        self.site.fabric.switch_gone("hv1", 1)
        self.clone()
        self.assertEqual("", self.hypervisor)
        self.assertIs(OpStatus.DOWN, self.status(self.other))
        self.line.close()
        self.site.connect(1)
        self.clone()
        self.assert_taken()

    def test_recollected(self) -> None:
        """What an earlier process saw holds nobody up."""
        found = self.site.fabric.roll.recall(1)
        site = self.site = Site(database=self.site.database, tables=self.site.tables)
        site.fabric.recollect(found)
        site.connect(1)
        self.assertEqual("hv1", self.hypervisor)
        self.clone()
        self.assert_taken()

    def test_renamed(self) -> None:
        """It stays its hypervisor's when that takes another name."""
        fabric = self.site.fabric
        fabric.hypervisor_renamed("hv1", "new")
        self.assertEqual("new", self.hypervisor)
        self.lose("hv1")
        self.clone()
        self.assertEqual("new", self.hypervisor)
        self.assertIs(OpStatus.UP, self.status(self.port))
        fabric.hypervisor_synced("new", 1, [tap("a", 5)])
        self.site.clock.pump([0, 0])
        self.assertEqual("new", self.site.look(self.port).status.hypervisor)
