# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""Whose a switch is when several hypervisors say that they have it."""

from msgspec.structs import replace
from twisted.logger import capturedLogs
from twisted.trial.unittest import SynchronousTestCase

from quantum.model import OpStatus
from quantum.openflow.facts import Underlay

from .site import OPTIONS, Site, by_tunnel, tap


class Contested(SynchronousTestCase):
    """A switch and its hypervisor, of which a clone appears; nobody is waited for."""

    grace = 0.0

    def setUp(self) -> None:
        """Let a hypervisor have a switch with a guest, and a clone know another."""
        self.site = Site(options=replace(OPTIONS, absence_grace=self.grace))
        self.line = self.site.connect(1)
        self.site.sync(1, tap("a", 4))
        self.port, self.other = self.site.port("a"), self.site.port("b")

    @property
    def hypervisor(self) -> str:
        """Whose the switch is."""
        return self.site.fabric.switches[1].hypervisor

    def clone(self, *seen, name: str = "clone") -> None:
        """Let another hypervisor say that it has the switch."""
        self.site.testimony.hypervisor_synced(name, 1, seen or [tap("b", 4)])
        self.site.clock.pump([0, 0, 0])

    def lose(self, name: str = "hv1") -> None:
        """Let the connection to a hypervisor's database end."""
        self.site.testimony.hypervisor_lost(name)
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


class HoldingTests(Contested):
    """A switch stays its hypervisor's while either of the two is connected."""

    def test_second(self) -> None:
        """Of two hypervisors that are connected the second is not believed."""
        flows = self.site.tables[1].flows()
        self.clone()
        self.site.testimony.interfaces_changed("clone", 1, ["tap-a"], [])
        self.site.testimony.switch_gone("clone", 1)
        self.assert_kept()
        self.assertEqual(flows, self.site.tables[1].flows())
        self.lose()
        self.line.close()
        self.site.connect(1)
        self.clone()
        self.assert_taken()

    def test_database_away(self) -> None:
        """While its OpenFlow connection lives on, another's facts are not its own."""
        flows = self.site.tables[1].flows()
        self.lose()
        self.clone()
        self.site.testimony.interfaces_changed("clone", 1, ["tap-a"], [tap("b", 4)])
        self.site.testimony.switch_gone("clone", 1)
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
        """Of a bridge that was deleted the connection is ended; the next one is not."""
        self.site.testimony.switch_gone("hv1", 1)
        self.site.clock.pump([0, 0])
        self.assertNotIn(1, self.site.fabric.switches)
        self.clone()
        self.assert_taken()
        self.assertIs(OpStatus.DOWN, self.status(self.other))
        self.site.connect(1)
        self.assertIs(OpStatus.UP, self.status(self.other))

    def test_renamed(self) -> None:
        """It stays its hypervisor's when that takes another name."""
        fabric = self.site.fabric
        fabric.testimony.hypervisor_renamed("hv1", "new")
        self.assertEqual("new", self.hypervisor)
        self.lose("hv1")
        self.clone()
        self.assertEqual("new", self.hypervisor)
        self.assertIs(OpStatus.UP, self.status(self.port))
        fabric.testimony.hypervisor_synced("new", 1, [tap("a", 5)])
        self.site.clock.pump([0, 0])
        self.assertEqual("new", self.site.look(self.port).status.hypervisor)


class AwaitedTests(Contested):
    """Who was there a moment ago is waited for, and nobody else listened to."""

    grace = 30.0

    def wait(self) -> None:
        """Let that time pass."""
        self.site.clock.advance(self.grace + 1)
        self.site.rounds()
        self.site.clock.pump([0, 0, 0])

    def test_blink(self) -> None:
        """A clone that waits gets nothing of a switch that is away for a moment."""
        self.clone()
        self.line.close()
        self.lose()
        self.site.connect(1)
        self.assert_kept()
        self.site.sync(1, tap("a", 4))
        self.wait()
        self.assert_kept()

    def test_over(self) -> None:
        """After that time it does, though the switch is back: its database is not."""
        self.clone()
        self.line.close()
        self.lose()
        self.site.connect(1)
        self.wait()
        self.assert_taken()
        self.assertIs(OpStatus.UP, self.status(self.other))

    def test_recollected(self) -> None:
        """So is a hypervisor that an earlier process saw last."""
        found = self.site.recall(1)
        site = self.site = Site(database=self.site.database, tables=self.site.tables)
        site.fabric.recollect([found])
        site.connect(1)
        self.clone()
        self.assertEqual("hv1", self.hypervisor)
        self.wait()
        self.assert_taken()

    def test_former_name(self) -> None:
        """A hypervisor that gives up the name of one that is away takes nothing."""
        self.lose()
        self.site.testimony.hypervisor_synced("hv1", 2, [])
        self.site.testimony.hypervisor_renamed("hv1", "new")
        self.site.clock.pump([0, 0])
        self.assertEqual("new", self.site.fabric.switches[2].hypervisor)
        self.assert_kept()


class RivalTests(Contested):
    """What others tell of a switch is kept until it is theirs."""

    def leave(self) -> None:
        """Let the switch and its hypervisor's database go."""
        self.line.close()
        self.lose()

    def assert_seen(self, *names: str) -> None:
        """These interfaces are on the switch."""
        self.assertEqual(set(names), self.site.fabric.switches[1].names())

    def test_either(self) -> None:
        """A connection that may be either's is ended with the holder's database."""
        self.clone()
        self.lose()
        self.assert_taken()
        self.site.connect(1)
        self.assertIs(OpStatus.UP, self.status(self.other))

    def test_database_goes_last(self) -> None:
        """When its hypervisor's database is away at last a rival has it."""
        self.clone()
        self.leave()
        self.assert_taken()
        self.site.connect(1)
        self.assertIs(OpStatus.UP, self.status(self.other))

    def test_openflow_goes_last(self) -> None:
        """So it is when its OpenFlow connection is."""
        self.lose()
        self.clone()
        self.assert_kept()
        self.line.close()
        self.assert_taken()

    def test_deleted(self) -> None:
        """So it is when its bridge is deleted, and gone."""
        self.clone()
        self.site.testimony.switch_gone("hv1", 1)
        self.site.clock.pump([0, 0])
        self.assert_taken()

    def test_deltas(self) -> None:
        """It comes with all that changed meanwhile, and not with what was before."""
        fabric = self.site.fabric
        fabric.testimony.underlay_changed("clone", 1, by_tunnel(7))
        self.clone(tap("b", 4), tap("c", 5))
        fabric.testimony.interfaces_changed("clone", 1, ["tap-b"], [tap("d", 6)])
        fabric.testimony.underlay_changed("clone", 1, by_tunnel(8))
        self.leave()
        self.assert_seen("tap-c", "tap-d")
        self.assertEqual(by_tunnel(8), fabric.switches[1].underlay)
        fabric.testimony.interfaces_changed("clone", 1, ["tap-d"], [])
        self.assert_seen("tap-c")

    def test_told_in_part(self) -> None:
        """What it had not told when the switch became its own it tells itself."""
        self.site.testimony.underlay_changed("clone", 1, by_tunnel(7))
        self.leave()
        self.assertEqual(("clone", {"tap-a"}), (self.hypervisor, self.names()))
        self.clone()
        self.assert_seen("tap-b")

    def names(self) -> set[str]:
        """List the interfaces on the switch."""
        return self.site.fabric.switches[1].names()

    def test_gone(self) -> None:
        """A rival whose bridge was deleted, or that is lost, is forgotten."""
        for forget in (
            lambda: self.site.testimony.switch_gone("clone", 1),
            lambda: self.lose("clone"),
        ):
            self.clone()
            forget()
        self.leave()
        self.assertEqual("hv1", self.hypervisor)

    def test_other_bridge_gone(self) -> None:
        """That another bridge of a rival's is gone is nothing to this one."""
        self.clone()
        self.site.testimony.switch_gone("clone", 7)
        self.leave()
        self.assert_taken()

    def test_turned_away(self) -> None:
        """Of a rival that has another bridge now nothing is left."""
        self.clone()
        self.site.testimony.hypervisor_synced("clone", 2, [])
        self.leave()
        self.assertEqual("hv1", self.hypervisor)

    def test_first_come(self) -> None:
        """Of several the first has it, and the next one after it."""
        self.clone(tap("x", 8), name="second")
        self.clone(name="third")
        self.clone(tap("x", 9), name="second")
        self.leave()
        self.assert_taken("second")
        self.assert_seen("tap-x")
        self.lose("second")
        self.assert_taken("third")

    def test_renamed(self) -> None:
        """A rival has it by the name that it has then, in its turn."""
        self.clone(name="second")
        self.clone(name="third")
        self.site.testimony.hypervisor_renamed("second", "other")
        self.leave()
        self.assert_taken("other")

    def test_own_again(self) -> None:
        """Its former hypervisor waits like everybody else."""
        self.clone()
        self.leave()
        self.site.sync(1, tap("a", 4))
        self.assert_taken()
        self.lose("clone")
        self.assertEqual("hv1", self.hypervisor)

    def test_said_once(self) -> None:
        """The operator is told once that somebody is not listened to."""
        with capturedLogs() as said:
            self.site.testimony.underlay_changed("clone", 1, Underlay())
            for _ in range(2):
                self.clone()
                self.site.testimony.interfaces_changed("clone", 1, [], [tap("b", 5)])
        (words,) = [event for event in said if "both have" in event["log_format"]]
        self.assertEqual(("hv1", "clone"), (words["first"], words["second"]))

    def test_said_again(self) -> None:
        """After its connection ended that is news again."""
        with capturedLogs() as said:
            for _ in range(2):
                self.clone()
                self.lose("clone")
        self.assertEqual(2, sum("both have" in event["log_format"] for event in said))
