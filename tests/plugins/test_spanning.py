# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""Networks that span hypervisors: who is told of whose ports, and by which way."""

from msgspec.structs import replace
from twisted.trial.unittest import SynchronousTestCase

from quantum.model import OpStatus, Port
from quantum.openflow.facts import Underlay
from quantum.openflow.member import (
    LocalPort,
    Member,
    RemotePort,
    Uplink,
    remote_key,
    uplink_key,
)

from .site import OPTIONS, TUNNEL, Site, by_tunnel, tap

MAC = bytes([2, 0, 0, 0, 0, 1])
GRACE = OPTIONS.absence_grace
IPS = (bytes([10, 0, 0, 5]),)


def address(number: int) -> bytes:
    """The tunnel address that `by_tunnel` gives."""
    return by_tunnel(number).address


class Spanning(SynchronousTestCase):
    """What every test of several hypervisors begins with."""

    def setUp(self) -> None:
        """Make a site with three switches."""
        self.site = Site()
        self.datapaths = {}
        for number in (1, 2, 3):
            self.datapaths[number] = self.site.connect(number)
            self.site.underlay(number, by_tunnel(number))
            self.site.sync(number)

    def leave(self, number: int) -> None:
        """Let a switch and its hypervisor's database go."""
        self.datapaths[number].close()
        self.site.testimony.hypervisor_lost(f"hv{number}")

    def members(self, number: int) -> dict[int, Member]:
        """Say what a switch has been told."""
        return dict(self.site.fabric.session(number).members())

    def status(self, port: Port) -> tuple[OpStatus, str]:
        """Read a port's status and reason."""
        status = self.site.look(port).status
        return status.op_status, status.reason


class TunnelTests(Spanning):
    """Ports of other hypervisors, reached through tunnels."""

    def setUp(self) -> None:
        """Let a network have a port on each of two switches."""
        super().setUp()
        self.one = self.site.port("a")
        self.two = self.site.port("b", self.one.network_id)
        self.site.change(1, replace(tap("a", 4, MAC), ips=IPS))
        self.site.change(2, tap("b", 5))
        (self.segment,) = {b.segment_id for b in self.site.ledger.bindings()}

    def test_both_told(self) -> None:
        """Each switch is told of the other's port, and the third of nothing."""
        here = LocalPort(4, self.segment, MAC, IPS)
        there = RemotePort(address(2), self.segment)
        self.assertEqual({4: here, remote_key(2, 5): there}, self.members(1))
        there = RemotePort(address(1), self.segment, MAC, IPS)
        here = LocalPort(5, self.segment)
        self.assertEqual({5: here, remote_key(1, 4): there}, self.members(2))
        self.assertEqual({}, self.members(3))

    def test_shared(self) -> None:
        """Of very many switches that know a port, each has the same value."""
        self.site.port("c", self.one.network_id)
        self.site.change(3, tap("c", 6))
        known = [self.members(number)[remote_key(1, 4)] for number in (2, 3)]
        self.assertIs(known[0], known[1])

    def test_left(self) -> None:
        """A switch that carries a network no longer is told of it no longer."""
        self.site.change(2, gone=["tap-b"])
        self.assertEqual([4], list(self.members(1)))
        self.assertEqual({}, self.members(2))

    def test_other_network(self) -> None:
        """A port that goes to another network is known there, and here no longer."""
        other = self.site.port("c")
        self.site.port("d", other.network_id)
        self.site.change(1, tap("d", 7))
        self.site.change(2, replace(tap("c", 5), name="tap-b"))
        self.assertEqual([4, 7, remote_key(2, 5)], sorted(self.members(1)))
        segment = self.members(1)[7].segment
        told = RemotePort(address(2), segment)
        self.assertEqual(told, self.members(1)[remote_key(2, 5)])

    def test_moved_address(self) -> None:
        """A hypervisor with another address is told to the others anew."""
        self.site.underlay(2, by_tunnel(9))
        told = self.members(1)[remote_key(2, 5)]
        self.assertEqual(RemotePort(address(9), self.segment), told)

    def test_no_tunnel(self) -> None:
        """Without a tunnel a hypervisor's ports are nobody's, and it says so."""
        self.assertEqual((OpStatus.UP, ""), self.status(self.two))
        self.site.underlay(2, Underlay(address(2), problem="the tunnel port failed"))
        self.assertEqual([4], list(self.members(1)))
        self.assertEqual(0, self.site.fabric.session(2).tunnel)
        op_status, reason = self.status(self.two)
        self.assertIs(OpStatus.UP, op_status)
        self.assertIn("the tunnel port failed", reason)

    def test_alone_without_tunnel(self) -> None:
        """Where all of a network is on one switch there is nothing to say of it."""
        self.site.underlay(2, Underlay())
        self.assertIn("does not reach", self.status(self.two)[1])
        self.site.change(1, gone=["tap-a"])
        self.assertEqual((OpStatus.UP, ""), self.status(self.two))
        self.site.change(1, tap("a", 4))
        self.assertIn("has no tunnel address", self.status(self.two)[1])

    def test_one_address_twice(self) -> None:
        """Of two hypervisors with one tunnel address the first one has it."""
        self.site.underlay(2, by_tunnel(1))
        self.assertEqual([4], list(self.members(1)))
        self.assertEqual(TUNNEL, self.site.fabric.session(1).tunnel)
        self.assertEqual(0, self.site.fabric.session(2).tunnel)
        self.assertIn("also that of hypervisor hv1", self.status(self.two)[1])
        self.site.testimony.switch_gone("hv1", 1)
        self.assertEqual(TUNNEL, self.site.fabric.session(2).tunnel)
        self.assertEqual((OpStatus.UP, ""), self.status(self.two))

    def test_address_of_the_dead(self) -> None:
        """A hypervisor made anew has the address of the one out of reach."""
        self.leave(1)
        self.site.wait()
        self.site.underlay(2, by_tunnel(1))
        self.assertEqual(TUNNEL, self.site.fabric.session(2).tunnel)
        self.assertIn(
            "also that of hypervisor hv2", self.site.fabric.switches[1].solitude
        )

    def test_bound_in_one_go(self) -> None:
        """A network that is bound while its ports are replugged leaves its tunnels."""
        plugin, ports = self.site.plugin, (self.one, self.two)
        places = [("tenant", port.network_id, port.id) for port in ports]
        for place in places:
            plugin.unplug(*place)
        plugin.bind_vlan(self.one.network_id, "external", 101)
        for number in (1, 2):
            underlay = by_tunnel(number, ("external", 20))
            self.site.testimony.underlay_changed(f"hv{number}", number, underlay)
        for place, attachment in zip(places, "ab", strict=True):
            plugin.plug(*place, attachment)
        self.site.clock.pump([0, 0, 0])
        uplink = Uplink(20, self.segment, 101)
        keys = {1: {4, uplink_key(self.segment)}, 2: {5, uplink_key(self.segment)}}
        self.assertEqual(keys, {n: self.members(n).keys() for n in (1, 2)})
        self.assertEqual(uplink, self.members(1)[uplink_key(self.segment)])

    def test_large_packets(self) -> None:
        """A port that sends larger packets than fit is UP, and says so."""
        self.site.change(2, replace(tap("b", 5), mtu=1501))
        op_status, reason = self.status(self.two)
        self.assertIs(OpStatus.UP, op_status)
        self.assertIn("its MTU of 1501 is more than its network's 1500", reason)
        self.site.change(2, replace(tap("b", 5), mtu=1500))
        self.assertEqual((OpStatus.UP, ""), self.status(self.two))

    def test_small_underlay(self) -> None:
        """What a hypervisor says of its own underlay counts, where that is less."""
        self.site.change(2, replace(tap("b", 5), mtu=1500))
        self.site.underlay(2, replace(by_tunnel(2), mtu=1400))
        self.assertIn("more than its network's 1350", self.status(self.two)[1])


class VlanTests(Spanning):
    """Networks that run over a VLAN of a physical network."""

    def setUp(self) -> None:
        """Bind a network, with a port on each of two switches."""
        super().setUp()
        for number in (1, 2):
            underlay = by_tunnel(number, ("external", 20 + number))
            self.site.underlay(number, underlay)
        plugin = self.site.plugin
        network = self.site.ask(plugin.create_network, "tenant", "red").id
        self.site.ask(plugin.bind_vlan, network, "external", 101)
        self.ports = [self.site.port(name, network) for name in "abc"]
        for number, name in ((1, "a"), (2, "b"), (3, "c")):
            self.site.change(number, tap(name, 4))
        (self.segment,) = {b.segment_id for b in self.site.ledger.bindings()}

    def test_uplinks(self) -> None:
        """Each switch is told its own uplink, and nothing of the others' ports."""
        for number in (1, 2):
            uplink = Uplink(20 + number, self.segment, 101)
            here = LocalPort(4, self.segment)
            told = {4: here, uplink_key(self.segment): uplink}
            self.assertEqual(told, self.members(number))
            status = self.status(self.ports[number - 1])
            self.assertEqual((OpStatus.UP, ""), status)

    def test_no_such_uplink(self) -> None:
        """Where the physical network is not, a port is DOWN and says which."""
        self.assertEqual({}, self.members(3))
        op_status, reason = self.status(self.ports[2])
        self.assertIs(OpStatus.DOWN, op_status)
        self.assertIn("hypervisor hv3 has no physical network external", reason)

    def test_uplink_comes_and_goes(self) -> None:
        """A port comes up with its physical network, and goes down with it."""
        self.site.underlay(3, by_tunnel(3, ("external", 30)))
        self.assertEqual((OpStatus.UP, ""), self.status(self.ports[2]))
        self.site.underlay(3, by_tunnel(3, ("external", 31)))
        uplink = Uplink(31, self.segment, 101)
        self.assertEqual(uplink, self.members(3)[uplink_key(self.segment)])
        self.site.underlay(3, by_tunnel(3))
        self.assertIs(OpStatus.DOWN, self.status(self.ports[2])[0])
        self.assertEqual({}, self.members(3))

    def test_last_port_left(self) -> None:
        """The uplink goes with the last port."""
        self.site.change(1, gone=["tap-a"])
        self.assertEqual({}, self.members(1))

    def test_refused_uplink(self) -> None:
        """A port whose uplink is refused is DOWN after a round."""
        table = self.site.tables[3]
        table.refuses = lambda entry: entry.match.get("in_port") == 30
        self.site.underlay(3, by_tunnel(3, ("external", 30)))
        self.site.rounds()
        op_status, reason = self.status(self.ports[2])
        self.assertIs(OpStatus.DOWN, op_status)
        self.assertIn("uplink: the switch refused it", reason)

    def test_large_packets(self) -> None:
        """The physical network says how large packets may be."""
        self.site.change(1, replace(tap("a", 4), mtu=1501))
        self.assertIn("1501 is more than its network's 1500", self.reason(0))

    def reason(self, number: int) -> str:
        """Read why a port is as it is."""
        return self.status(self.ports[number])[1]


class EvacuationTests(Spanning):
    """An interface that is seen at two places."""

    def setUp(self) -> None:
        """Let the interface be on two switches."""
        super().setUp()
        self.port = self.site.port("a")
        self.site.change(1, tap("a", 4))
        self.site.change(2, tap("a", 5))

    def carriers(self) -> list[int]:
        """Say which switches carry it."""
        return [number for number in (1, 2, 3) if self.members(number)]

    def test_first_counts(self) -> None:
        """It is carried where it was seen first."""
        self.assertEqual([1], self.carriers())
        self.assertIn("refused, on hv2", self.status(self.port)[1])

    def test_half_out_of_reach(self) -> None:
        """With one of two connections a hypervisor is in reach."""
        self.site.testimony.hypervisor_lost("hv1")
        self.assertEqual([1], self.carriers())
        self.site.sync(1, tap("a", 4))
        self.datapaths[1].close()
        self.assertEqual([1], self.carriers())

    def test_out_of_reach(self) -> None:
        """When the first is out of reach the second carries it, and keeps it."""
        self.leave(1)
        self.site.wait()
        self.assertEqual([2], self.carriers())
        self.assertEqual("hv2", self.site.look(self.port).status.hypervisor)
        self.site.connect(1)
        self.site.sync(1, tap("a", 4))
        self.assertEqual([2], self.carriers())
        flows = len(self.site.tables[1].flows())
        self.assertEqual(len(self.site.tables[3].flows()), flows)
        self.assertIn("refused, on hv1", self.status(self.port)[1])

    def test_all_out_of_reach(self) -> None:
        """With both out of reach the one that comes back first carries it."""
        for number in (1, 2):
            self.leave(number)
        self.site.wait()
        self.assertEqual([1], self.carriers())
        self.site.connect(2)
        self.assertEqual([2], self.carriers())

    def test_seen_later(self) -> None:
        """So it is when the second is seen only after the first was lost."""
        self.site.change(2, gone=["tap-a"])
        self.leave(1)
        self.site.wait()
        self.assertEqual([1], self.carriers())
        self.site.change(3, tap("a", 6))
        self.assertEqual([3], self.carriers())

    def test_soon_back(self) -> None:
        """Who is back in time, with either connection, loses nothing."""
        self.leave(1)
        for come_back in (
            lambda: self.site.sync(1, tap("a", 4)),
            lambda: self.datapaths.update({1: self.site.connect(1)}),
        ):
            self.site.clock.advance(GRACE - 1)
            self.site.rounds()
            self.assertEqual([1], self.carriers())
            come_back()
            self.site.wait()
            self.assertEqual([1], self.carriers())
            self.leave(1)

    def test_gone_again(self) -> None:
        """Each time it is waited for anew."""
        self.leave(1)
        for _ in range(3):
            self.site.clock.advance(GRACE - 1)
            self.site.rounds()
            self.assertEqual([1], self.carriers())
            self.site.connect(1).close()
        self.site.wait()
        self.assertEqual([2], self.carriers())

    def test_unstable(self) -> None:
        """Who was out of reach for long takes nothing back by coming and going."""
        self.leave(1)
        self.site.wait()
        self.site.connect(1).close()
        self.assertEqual([2], self.carriers())

    def test_deleted(self) -> None:
        """Nobody waits for a bridge that was deleted, whenever its switch goes."""
        self.site.testimony.switch_gone("hv1", 1)
        self.assertEqual([2], self.carriers())
        self.leave(1)
        self.assertEqual([2], self.carriers())

    def test_forgotten(self) -> None:
        """Nor for a switch that an operator has forgotten."""
        self.leave(1)
        forget = self.site.plugin.forget_switch
        self.assertIsNone(self.site.ask(forget, "0000000000000001"))
        self.assertEqual([2], self.carriers())

    def test_claimed(self) -> None:
        """That another hypervisor has it, without the interface, waits as long."""
        self.leave(1)
        self.site.testimony.hypervisor_synced("other", 1, [])
        self.assertEqual([1], self.carriers())
        self.site.wait()
        self.assertEqual([2], self.carriers())
        self.assertEqual("other", self.site.fabric.switches[1].hypervisor)

    def test_no_grace(self) -> None:
        """Nor at all, if that is configured."""
        site = Site(options=replace(OPTIONS, absence_grace=0))
        site.port("a")
        for number in (1, 2):
            site.sync(number, tap("a", 4))
        self.assertEqual({4}, site.fabric.session(1).members().keys())
        site.testimony.hypervisor_lost("hv1")
        self.assertEqual({4}, site.fabric.session(2).members().keys())
