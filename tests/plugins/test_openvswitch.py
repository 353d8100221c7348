# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""What is recorded and what is seen become flows, and flows become statuses."""

from msgspec.structs import replace
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from quantum.model import ADMIN_DOWN, UNATTACHED, AdminState, OpStatus, Status
from quantum.openflow.facts import SeenInterface
from quantum.openflow.phase import Phase
from quantum.openflow.pipeline import CONSTANT
from quantum.plugins.openvswitch.rounds import FLOW_BUDGET
from quantum.plugins.openvswitch.slices import Slices
from quantum.testing import FabricContract
from tests.openflow.table import Table

from .site import TENANT, Busy, Site, tap
from .world import Line

UP = Status(OpStatus.UP, hypervisor="hv1")
EMPTY = len(CONSTANT)
"""Flows of a switch that carries nothing."""
MAC = bytes([2, 0, 0, 0, 0, 1])
SOURCE = "02:00:00:00:00:09"
BROADCAST = "ff:ff:ff:ff:ff:ff"


class BusyClock(Clock):
    """A clock by which looking at the time takes time, so that slices end."""

    def seconds(self) -> float:
        self.rightNow += 0.0004
        return self.rightNow


class ContractTests(FabricContract, SynchronousTestCase):
    """The fabric keeps the contract."""

    def make_fabric(self):
        """Make one over an empty record."""
        return Site().fabric


class PluggingTests(SynchronousTestCase):
    """Recorded first or seen first: the outcome is the same."""

    def setUp(self) -> None:
        """Make a site with one switch."""
        self.site = Site()
        self.site.connect(1)
        self.site.sync(1)
        self.table = self.site.tables[1]

    def hears(self, ofport: int) -> list[int]:
        """Say who gets a broadcast."""
        return self.table.forward(ofport, BROADCAST, SOURCE)

    def test_recorded_then_seen(self) -> None:
        """A port comes up when its interface appears."""
        port = self.site.port("a")
        self.assertIn("not seen", self.site.look(port).status.reason)
        self.site.change(1, tap("a", 4))
        self.assertEqual(UP, self.site.look(port).status)

    def test_seen_then_recorded(self) -> None:
        """An interface that waits is connected when it is plugged."""
        self.site.change(1, tap("a", 4), tap("b", 5))
        self.assertEqual([], self.hears(4))
        first = self.site.port("a")
        self.site.port("b", first.network_id)
        self.assertEqual(UP, self.site.look(first).status)
        self.assertEqual([5], self.hears(4))

    def test_ofport_comes_late(self) -> None:
        """An interface without an OpenFlow port is waited for."""
        port = self.site.port("a")
        self.site.change(1, tap("a", 0))
        status = self.site.look(port).status
        self.assertIs(OpStatus.PROVISIONING, status.op_status)
        self.site.change(1, tap("a", 7))
        self.assertEqual(UP, self.site.look(port).status)

    def test_replugged(self) -> None:
        """Under another OpenFlow port the old one carries nothing any more."""
        port = self.site.port("a")
        self.site.port("b", port.network_id)
        self.site.change(1, tap("a", 4), tap("b", 5))
        self.site.change(1, tap("a", 6))
        self.assertEqual(([], [5]), (self.hears(4), self.hears(6)))
        self.assertEqual(UP, self.site.look(port).status)

    def test_swapped(self) -> None:
        """Two interfaces that change places keep their own networks."""
        blue, red = self.site.port("a"), self.site.port("b")
        self.site.port("c", blue.network_id)
        self.site.change(1, tap("a", 4), tap("b", 5), tap("c", 6))
        self.site.change(1, tap("a", 5), tap("b", 4))
        self.assertEqual(([], [6], [5]), tuple(map(self.hears, (4, 5, 6))))
        self.assertEqual([UP] * 2, [self.site.look(p).status for p in (blue, red)])

    def test_number_given_again(self) -> None:
        """A port whose number another interface has got is not UP any more."""
        port, other = self.site.port("a"), self.site.port("b")
        self.site.change(1, tap("a", 4))
        self.site.change(1, tap("b", 4))
        self.assertIs(OpStatus.PROVISIONING, self.site.look(port).status.op_status)
        self.assertEqual(UP, self.site.look(other).status)

    def test_gone(self) -> None:
        """An interface that is gone leaves its port DOWN and its flows removed."""
        port = self.site.port("a")
        self.site.change(1, tap("a", 4))
        self.site.change(1, gone=["tap-a"])
        self.assertEqual(EMPTY, len(self.table.flows()))
        self.assertIn("not seen", self.site.look(port).status.reason)

    def test_other_attachment(self) -> None:
        """An interface that is given another id belongs to another port."""
        blue, red = self.site.port("a"), self.site.port("b")
        self.site.change(1, SeenInterface("tap", "a", 4))
        self.site.change(1, SeenInterface("tap", "b", 4))
        self.assertIn("not seen", self.site.look(blue).status.reason)
        self.assertEqual(UP, self.site.look(red).status)

    def test_detached(self) -> None:
        """What is unplugged carries nothing."""
        port = self.site.port("a")
        self.site.change(1, tap("a", 4))
        self.site.ask(self.site.plugin.unplug, TENANT, port.network_id, port.id)
        self.assertEqual(EMPTY, len(self.table.flows()))
        self.assertEqual(UNATTACHED, self.site.look(port).status)

    def test_admin_down(self) -> None:
        """A port that is to be DOWN carries nothing, and comes back."""
        port = self.site.port("a")
        self.site.change(1, tap("a", 4))
        where = (TENANT, port.network_id, port.id)
        self.site.ask(self.site.plugin.set_port_state, *where, AdminState.DOWN)
        self.assertEqual(EMPTY, len(self.table.flows()))
        self.assertEqual(
            replace(ADMIN_DOWN, hypervisor="hv1"), self.site.look(port).status
        )
        self.site.ask(self.site.plugin.set_port_state, *where, AdminState.ACTIVE)
        self.assertEqual(UP, self.site.look(port).status)

    def test_spoofing(self) -> None:
        """An interface with a known address may use no other."""
        port = self.site.port("a")
        self.site.port("b", port.network_id)
        self.site.change(1, tap("a", 4, MAC), tap("b", 5))
        self.assertEqual([], self.hears(4))
        own = "02:00:00:00:00:01"
        self.assertEqual([5], self.table.forward(4, BROADCAST, own))

    def test_unusable_address(self) -> None:
        """An interface whose address cannot be checked is not connected."""
        port = self.site.port("a")
        self.site.port("b", port.network_id)
        unusable = SeenInterface("tap-a", "a", 4, None, "attached-mac 'x' is none")
        self.site.change(1, unusable, tap("b", 5))
        self.assertEqual([], self.hears(5))
        self.assertIn("attached-mac 'x'", self.site.look(port).status.reason)
        self.site.change(1, tap("a", 4, MAC))
        self.assertEqual(UP, self.site.look(port).status)

    def test_two_places(self) -> None:
        """An interface seen twice stays where it was seen first, and says so."""
        port = self.site.port("a")
        self.site.port("b", port.network_id)
        self.site.change(1, tap("a", 4), tap("b", 5))
        twin = SeenInterface("other", "a", 6)
        self.site.change(1, twin)
        self.assertEqual(([5], []), (self.hears(4), self.hears(6)))
        self.assertIn("other", self.site.look(port).status.reason)
        self.site.change(1, gone=["tap-a"])
        self.assertEqual([5], self.hears(6))
        self.assertEqual(UP, self.site.look(port).status)


class SwitchTests(SynchronousTestCase):
    """Switches come and go."""

    def setUp(self) -> None:
        """Make a site with one recorded port."""
        self.site = Site()
        self.blue = self.site.port("a")

    def status(self) -> tuple:
        """Read the port's status and reason."""
        status = self.site.look(self.blue).status
        return status.op_status, status.reason

    def test_connected_before_known(self) -> None:
        """A switch whose interfaces are not known yet keeps its flows."""
        self.site.connect(1)
        self.site.sync(1, tap("a", 4))
        flows = self.site.tables[1].flows()
        again = Site()
        again.tables = self.site.tables
        again.connect(1)
        self.assertEqual(flows, self.site.tables[1].flows())

    def test_gone_and_back(self) -> None:
        """A port is not UP while its switch is away."""
        self.site.sync(1, tap("a", 4))
        self.assertIn("is not connected", self.status()[1])
        datapath = self.site.connect(1)
        self.assertEqual((OpStatus.UP, ""), self.status())
        datapath.close()
        self.assertIn("is not connected", self.status()[1])
        sent = self.site.tables[1].messages
        self.site.connect(1)
        self.assertEqual((OpStatus.UP, ""), self.status())
        self.assertEqual(sent, self.site.tables[1].messages)

    def test_unacknowledged(self) -> None:
        """Until the barrier is answered a port is PROVISIONING."""
        datapath = self.site.connect(1)
        self.site.sync(1)
        datapath.is_deaf = True
        self.site.change(1, tap("a", 4))
        self.assertIs(OpStatus.PROVISIONING, self.status()[0])
        datapath.is_deaf = False
        self.site.rounds()
        self.assertIs(OpStatus.UP, self.status()[0])

    def test_unacknowledged_at_first(self) -> None:
        """So it is when the switch has only just been told of."""
        datapath = self.site.connect(1)
        datapath.is_deaf = True
        self.site.sync(1, tap("a", 4))
        self.site.rounds()
        self.assertIs(OpStatus.PROVISIONING, self.status()[0])

    def test_refused(self) -> None:
        """A port that its switch refuses says why; the next one is up."""
        self.site.connect(1)
        self.site.sync(1)
        table = self.site.tables[1]
        table.refuses = lambda entry: entry.match.get("in_port") == 4
        self.site.change(1, tap("a", 4))
        self.assertIn("flow table is full", self.status()[1])
        other = self.site.port("b")
        self.site.change(1, tap("b", 5))
        self.assertEqual(UP, self.site.look(other).status)
        table.refuses = lambda _: False
        for _ in range(5):
            self.site.rounds()
        self.assertIs(OpStatus.UP, self.status()[0])

    def test_silent(self) -> None:
        """A switch that never answers a barrier is dropped."""
        datapath = self.site.connect(1)
        self.site.sync(1)
        datapath.is_deaf = True
        self.site.change(1, tap("a", 4))
        for _ in range(20):
            self.site.clock.advance(2)
            self.site.rounds()
        self.assertTrue(datapath.is_closed)

    def test_silent_when_settled(self) -> None:
        """So is one that does not say how many flows it has."""
        self.site.sync(1)
        line = Line(1, self.site.fabric, Table())
        line.join()
        line.is_prompt = False
        for _ in range(20):
            self.site.clock.advance(2)
            self.site.rounds()
        self.assertTrue(line.is_closed)

    def test_recorded_late(self) -> None:
        """A switch that cannot be recorded at once is recorded a round later."""
        self.site.fabric.roll._intent = Busy(self.site.ledger)
        self.site.connect(1)
        self.site.sync(1, tap("a", 4))
        self.assertEqual({}, self.site.tables[1].entries)
        self.site.rounds()
        self.site.clock.pump([0, 0])
        self.assertEqual((OpStatus.UP, ""), self.status())

    def test_forgotten(self) -> None:
        """Nothing is remembered of switches that nobody told of."""
        for number in range(9):
            datapath = self.site.connect(number)
            self.site.rounds()
            datapath.close()
        self.site.rounds()
        self.assertEqual({}, self.site.rounds._progress)

    def test_deleted_flow(self) -> None:
        """A flow deleted by hand is back after a round or two."""
        self.site.connect(1)
        self.site.sync(1, tap("a", 4))
        table = self.site.tables[1]
        flows = table.flows()
        table.entries.popitem()
        self.site.rounds()
        self.assertEqual(flows, table.flows())

    def test_changed_flow(self) -> None:
        """So is a flow whose instructions were changed by hand."""
        self.site.connect(1)
        self.site.sync(1, tap("a", 4))
        table = self.site.tables[1]
        flows = table.flows()
        for entry in table.entries.values():
            entry.body = entry.body[:-8]
        self.site.rounds()
        self.assertEqual(flows, table.flows())

    def test_second_tries(self) -> None:
        """What is refused again is tried again after longer and longer waits."""
        self.site.connect(1)
        self.site.sync(1)
        self.site.tables[1].refuses = lambda entry: entry.match.get("in_port") == 4
        self.site.change(1, tap("a", 4))
        tries = []
        for number in range(1, 80):
            sent = self.site.fabric.session(1).flows_sent
            self.site.rounds()
            if self.site.fabric.session(1).flows_sent != sent:
                tries.append(number)
        self.assertEqual([5, 15, 35, 75], tries)

    def test_budget(self) -> None:
        """A large switch is read once in several rounds, small ones in each."""
        for number, count in ((1, 5 * FLOW_BUDGET // 2), (2, 100)):
            self.site.connect(number)
            self.site.sync(number)
            self.site.fabric.session(number).flow_count = count
        connected = list(self.site.fabric.switches.values())
        reads = [len(self.site.rounds._chosen(connected)) for _ in range(6)]
        self.assertEqual([0, 0, 2, 0, 0, 2], reads)

    def test_stranger(self) -> None:
        """A switch that no hypervisor has told of is forgotten when it leaves."""
        self.site.connect(77).close()
        self.assertNotIn(77, self.site.fabric.switches)

    def test_left_while_it_is_told_of(self) -> None:
        """A switch that leaves while its interfaces are being noted is not lost."""
        site = Site(clock=BusyClock())
        port = site.port("a")
        datapath = site.connect(1)
        taps = [tap(f"x{n}", n) for n in range(10, 300)]
        site.testimony.hypervisor_synced("hv1", 1, [*taps, tap("a", 4)])
        self.assertFalse(site.fabric.switches[1].is_synced)
        datapath.close()
        site.clock.pump([0.001] * 200)
        site.connect(1)
        site.clock.pump([0.001] * 200)
        self.assertEqual(UP, site.look(port).status)

    def test_moved(self) -> None:
        """An interface that moves to another switch takes its network along."""
        for datapath_id in (1, 2):
            self.site.connect(datapath_id)
            self.site.sync(datapath_id)
        self.site.change(1, tap("a", 4))
        self.site.change(2, tap("a", 9))
        self.assertEqual(EMPTY, len(self.site.tables[2].flows()))
        self.site.change(1, gone=["tap-a"])
        self.assertEqual(EMPTY, len(self.site.tables[1].flows()))
        self.assertEqual(EMPTY + 4, len(self.site.tables[2].flows()))
        self.assertIs(OpStatus.UP, self.status()[0])

    def test_bridge_deleted(self) -> None:
        """A bridge that is deleted takes its interfaces with it."""
        self.site.connect(1)
        self.site.sync(1, tap("a", 4))
        self.site.testimony.switch_gone("hv1", 1)
        self.assertIn("not seen", self.status()[1])


class QuarantineTests(SynchronousTestCase):
    """A deleted network's segment is free when no switch can have flows of it."""

    def setUp(self) -> None:
        """Make a site with two switches that it knows, and a network on one."""
        self.site = Site()
        self.datapaths = [self.site.connect(n) for n in (1, 2)]
        for number in (1, 2):
            self.site.sync(number)
        self.port = self.site.port("a")
        self.site.change(1, tap("a", 4))

    def delete(self) -> None:
        """Delete the network."""
        where = (TENANT, self.port.network_id)
        self.site.ask(self.site.plugin.unplug, *where, self.port.id)
        self.site.ask(self.site.plugin.delete_network, *where)

    def quarantined(self) -> frozenset[int]:
        """Go round, and say which segments are not free."""
        self.site.rounds()
        self.site.clock.pump([0, 0])
        return self.site.ledger.quarantined_segments()

    def test_freed(self) -> None:
        """With every switch settled the segment is free soon."""
        self.delete()
        self.assertEqual(frozenset(), self.quarantined())

    def test_absent_switch(self) -> None:
        """A switch that is away holds the segment back until it has settled."""
        self.datapaths[0].close()
        self.delete()
        self.assertEqual(1, len(self.quarantined()))
        self.site.connect(1)
        self.assertEqual(frozenset(), self.quarantined())

    def test_unacknowledged(self) -> None:
        """So does one that has not acknowledged the removal."""
        self.datapaths[0].is_deaf = True
        self.delete()
        self.assertEqual(1, len(self.quarantined()))
        self.datapaths[0].is_deaf = False
        self.site.rounds()
        self.assertEqual(frozenset(), self.quarantined())


class SlicesTests(SynchronousTestCase):
    """Long work leaves the reactor free."""

    def test_order(self) -> None:
        """Jobs are done one after the other, in several turns if they are long."""
        clock, done = Clock(), []
        slices = Slices(clock)

        def job(name: str, steps: int):
            for _ in range(steps):
                clock.rightNow += 0.0005
                yield
            done.append(name)

        slices.do(job("long", 10))
        slices.do(job("short", 0))
        self.assertEqual([], done)
        clock.pump([0.001] * 10)
        self.assertEqual(["long", "short"], done)

    def test_one_slice(self) -> None:
        """A turn of the reactor in which a slice was used up has no second one."""
        clock, done = Clock(), []
        slices = Slices(clock)

        def job():
            for _ in range(3):
                clock.rightNow += 0.0004
                done.append(1)
                yield

        slices.do(job())
        slices.do(job())
        (ending,) = clock.getDelayedCalls()
        ending.func()
        ending.cancel()
        self.assertEqual(2, len(done))
        clock.pump([0.001] * 10)
        self.assertEqual(6, len(done))

    def test_broken(self) -> None:
        """A job that breaks off does not harm the next."""
        done = []
        slices = Slices(Clock())
        slices.do(iter([None]))

        def broken():
            raise ValueError("by design")
            yield

        def good():
            done.append(1)
            yield

        slices.do(broken())
        slices.do(good())
        self.assertEqual(1, len(self.flushLoggedErrors(ValueError)))
        self.assertEqual([1], done)

    def test_phase(self) -> None:
        """A site starts with no switch."""
        self.assertIs(Phase.ABSENT, Site().fabric.session(1).phase)
