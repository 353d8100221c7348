# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""A switch that will not come back is forgotten; if it does come, it is a new one."""

from functools import partial

from twisted.internet.defer import maybeDeferred
from twisted.trial.unittest import SynchronousTestCase

from quantum.errors import RecordFailed, SwitchInReach
from quantum.model import OpStatus
from quantum.openflow.phase import Phase
from quantum.storage.segments import SegmentPool
from quantum.testing import SwitchesContract
from quantum.testing.switches import GONE, RECORDED, THERE
from tests.channel.terminal import Ticking
from tests.openflow.journey import BROADCAST, Frame
from tests.storage.trouble import Trouble

from .site import TENANT, TUNNEL, Site, by_tunnel, tap

STRANGER = "02:00:00:00:00:77"
ONE, TWO = "0000000000000001", "0000000000000002"


class FabricSwitchesTests(SwitchesContract, SynchronousTestCase):
    """The plugin over the fabric keeps the contract of switches."""

    def make_switches(self):
        self.site = Site()
        for name in (THERE, GONE):
            self.site.sync(int(name, 16))
        self.site.connect(int(THERE, 16))
        for name in (THERE, GONE):
            self.site.testimony.hypervisor_lost(f"hv{int(name, 16)}")
        self.site.ask(self.site.ledger.remember_switch, RECORDED)
        return self.site.plugin

    def pass_time(self):
        self.site.clock.pump([0, 0, 0])


class ForgettingTests(SynchronousTestCase):
    """Two switches that share a network, of which the second goes."""

    def setUp(self) -> None:
        """Let a network span two switches, in a pool of two."""
        self.site = Site(clock=Ticking(), pool=SegmentPool(last=2))
        self.lines = {number: self.arrive(number) for number in (1, 2)}
        self.ports = [self.site.port("a")]
        self.ports.append(self.site.port("b", self.ports[0].network_id))
        self.site.change(1, tap("a", 4))
        self.site.change(2, tap("b", 5))

    def arrive(self, number: int, *seen):
        """Let a switch connect, and its hypervisor tell of it."""
        datapath = self.site.connect(number)
        self.site.underlay(number, by_tunnel(number))
        self.site.sync(number, *seen)
        return datapath

    def leave(self, number: int) -> None:
        """Let a switch and its hypervisor go without a word."""
        self.lines[number].close()
        self.site.testimony.hypervisor_lost(f"hv{number}")
        self.site.clock.pump([0, 0])

    def forget(self, name: str = TWO):
        """Ask that a switch be forgotten, and let that be done."""
        return self.site.ask(self.site.plugin.forget_switch, name)

    def known(self) -> list[str]:
        """List what is recorded."""
        return sorted(self.site.ledger.known_switches())

    def members(self, number: int) -> set[int]:
        """List the keys of what a switch should know."""
        return set(self.site.fabric.session(number).members())

    def go_round(self) -> None:
        """Let the clock do its regular duties."""
        self.site.clock.advance(2)
        self.site.rounds()
        self.site.clock.pump([0, 0, 0])

    def end_network(self) -> None:
        """Unplug everything, and delete the network."""
        network = self.ports[0].network_id
        for port in self.ports:
            self.site.ask(self.site.plugin.unplug, TENANT, network, port.id)
        self.site.ask(self.site.plugin.delete_network, TENANT, network)

    def test_taken_away(self) -> None:
        """Others are told of its ports no longer, and it is not recorded or listed."""
        self.assertEqual(2, len(self.members(1)))
        self.leave(2)
        self.assertIsNone(self.forget())
        self.assertEqual({4}, self.members(1))
        self.assertEqual([], self.site.tables[1].send(Frame(4, BROADCAST, STRANGER)))
        self.assertEqual([ONE], self.known())
        (left,) = self.site.plugin.switch_statuses()
        self.assertEqual(ONE, left.datapath_id)

    def test_statuses(self) -> None:
        """Its ports are seen nowhere, and say so; others stay as they are."""
        self.leave(2)
        self.forget()
        here, there = (self.site.look(port).status for port in self.ports)
        self.assertIs(OpStatus.UP, here.op_status)
        self.assertIs(OpStatus.DOWN, there.op_status)
        self.assertIn("was not seen on any hypervisor", there.reason)
        self.assertEqual("", there.hypervisor)

    def test_recollection(self) -> None:
        """Nothing is recalled of it, and what was kept before is not believed."""
        kept = self.site.recall(2)
        self.leave(2)
        self.forget()
        self.assertIsNone(self.site.recall(2))
        self.site.fabric.recollect([kept])
        self.assertNotIn(2, self.site.fabric.switches)
        self.assertEqual({4}, self.members(1))

    def test_awaited(self) -> None:
        """One that an earlier process saw need not be waited for."""
        kept = self.site.recall(2)
        later = Site(database=self.site.database, tables=self.site.tables)
        later.fabric.recollect([kept])
        self.assertIn(2, later.fabric.switches)
        self.assertIsNone(later.ask(later.plugin.forget_switch, TWO))
        self.assertNotIn(2, later.fabric.switches)

    def test_address(self) -> None:
        """Its tunnel address is free for another."""
        self.leave(2)
        self.forget()
        self.site.connect(3)
        self.site.underlay(3, by_tunnel(2))
        self.site.sync(3, tap("b", 6))
        self.assertEqual(2, len(self.members(1)))
        self.assertEqual("", self.site.look(self.ports[1]).status.reason)
        self.assertEqual([], self.flushLoggedErrors())

    def test_segments(self) -> None:
        """A deleted network's segment waits for it, and after that no longer."""
        self.leave(2)
        self.end_network()
        self.go_round()
        self.assertEqual({1}, self.site.ledger.quarantined_segments())
        self.forget()
        self.go_round()
        self.assertEqual(frozenset(), self.site.ledger.quarantined_segments())

    def test_in_reach(self) -> None:
        """While it or its hypervisor is connected it stays as it is."""
        before = self.members(1)
        for step in (
            lambda: self.site.testimony.hypervisor_lost("hv2"),
            lambda: (self.lines[2].close(), self.site.sync(2, tap("b", 5))),
        ):
            step()
            answer = maybeDeferred(self.site.plugin.forget_switch, TWO)
            self.site.clock.pump([0, 0])
            refused = self.failureResultOf(answer, SwitchInReach).value
            self.assertEqual(TWO, refused.datapath_id)
            self.assertEqual([ONE, TWO], self.known())
            self.assertEqual(before, self.members(1))

    def test_deleted_bridge(self) -> None:
        """What a deleted bridge, or one with another number now, left is forgotten."""
        self.lines[2].close()
        self.site.testimony.switch_gone("hv2", 2)
        self.site.clock.pump([0, 0])
        self.assertNotIn(2, self.site.fabric.switches)
        statuses = list(self.site.plugin.switch_statuses())
        self.assertEqual([ONE, TWO], [status.datapath_id for status in statuses])
        self.assertEqual(("", "absent"), (statuses[1].hypervisor, statuses[1].phase))
        self.assertIsNone(self.forget())
        self.assertEqual([ONE], self.known())

    def test_not_recorded(self) -> None:
        """If that cannot be recorded it holds segments, is listed, and can be again."""
        trouble = Trouble()
        trouble.attend(self.site.database)
        self.leave(2)
        trouble.fail_commits = 1
        answer = maybeDeferred(self.site.plugin.forget_switch, TWO)
        self.site.clock.pump([0, 0])
        self.failureResultOf(answer, RecordFailed)
        listed = [status.datapath_id for status in self.site.plugin.switch_statuses()]
        self.assertEqual([ONE, TWO], listed)
        self.assertIsNone(self.forget())
        self.assertEqual([ONE], self.known())

    def test_comes_back(self) -> None:
        """It is recorded again, compared whole, and others are told of it again."""
        before = [table.flows() for table in self.site.tables.values()]
        self.leave(2)
        self.forget()
        self.lines[2] = self.site.connect(2)
        self.assertEqual([ONE], self.known())
        self.assertIs(Phase.SYNCING, self.site.fabric.session(2).phase)
        self.site.underlay(2, by_tunnel(2))
        self.site.sync(2, tap("b", 5))
        self.assertEqual([ONE, TWO], self.known())
        self.assertIs(Phase.SETTLED, self.site.fabric.session(2).phase)
        after = [table.flows() for table in self.site.tables.values()]
        self.assertEqual(before, after)
        self.assertIs(OpStatus.UP, self.site.look(self.ports[1]).status.op_status)

    def test_comes_back_meanwhile(self) -> None:
        """If it is told of while that is recorded, it is a new one, and recorded."""
        self.leave(2)
        answer = maybeDeferred(self.site.plugin.forget_switch, TWO)
        self.site.connect(2)
        self.site.testimony.underlay_changed("hv2", 2, by_tunnel(2))
        self.site.testimony.hypervisor_synced("hv2", 2, [tap("b", 5)])
        self.assertFalse(self.site.fabric.session(2).is_known)
        self.site.clock.pump([0, 0, 0])
        self.assertIsNone(self.successResultOf(answer))
        self.assertEqual([ONE, TWO], self.known())
        self.assertIs(Phase.SETTLED, self.site.fabric.session(2).phase)
        self.assertEqual(2, len(self.members(1)))
        self.assertIs(OpStatus.UP, self.site.look(self.ports[1]).status.op_status)

    def test_told_of_just_before(self) -> None:
        """What its hypervisor told before it was lost does not undo that."""
        self.leave(2)
        self.site.clock.tick = 0.0004  # as if much were to be done
        fabric = self.site.fabric
        fabric.testimony.underlay_changed("hv2", 2, by_tunnel(2))
        fabric.testimony.hypervisor_synced("hv2", 2, [tap("b", 5), tap("c", 6)])
        fabric.testimony.hypervisor_lost("hv2")
        answer = maybeDeferred(self.site.plugin.forget_switch, TWO)
        self.site.clock.pump([0.001] * 50)
        self.assertIsNone(self.successResultOf(answer))
        self.assertEqual([ONE], self.known())
        self.assertNotIn(2, fabric.switches)

    def test_broken_promise(self) -> None:
        """
        With flows left it reaches who has its segment now, until it is compared.

        That is what whoever forgets it promises will not happen.
        """
        self.leave(2)
        self.end_network()
        self.forget()
        self.go_round()
        self.arrive(3)
        self.site.port("c")  # takes the other number of the pool
        again = [self.site.port("d")]
        network = again[0].network_id
        again += [self.site.port(name, network) for name in "ef"]
        self.assertEqual(1, self.site.plugin.network(TENANT, network).segment_id)
        self.site.change(1, tap("d", 6))
        self.site.change(3, tap("e", 7))
        left, arrives = Frame(5, BROADCAST, STRANGER), partial(Frame, TUNNEL, BROADCAST)
        self.assertEqual([(TUNNEL, 1, "192.0.2.1")], self.sent(2, left))
        leaked = arrives(STRANGER, 1, "192.0.2.2")
        self.assertEqual([(6, 0, "")], self.sent(1, leaked))
        before = self.site.tables[2].flows()
        self.lines[2] = self.site.connect(2)
        self.assertEqual(before, self.site.tables[2].flows())
        self.site.underlay(2, by_tunnel(2))
        self.site.sync(2, tap("b", 5), tap("f", 8))
        self.assertEqual([], self.sent(2, left))
        self.assertEqual([(8, 0, "")], self.sent(2, arrives(STRANGER, 1, "192.0.2.1")))

    def sent(self, number: int, frame: Frame) -> list[tuple[int, int, str]]:
        """Say where a switch sends a frame."""
        some = self.site.tables[number].send(frame)
        return [(one.port, one.tun_id, one.tun_dst) for one in some]
