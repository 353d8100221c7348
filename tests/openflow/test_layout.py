# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""The compiler: what a change touches is all that changes."""

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from quantum.openflow.ethernet import Ethernet, Touched
from quantum.openflow.flow import Flow, encode
from quantum.openflow.layout import Difference, Layout, difference
from quantum.openflow.member import (
    LocalPort,
    RemotePort,
    Uplink,
    remote_key,
    uplink_key,
)
from quantum.openflow.messages import MAX_FRAME, add_flow, bundled
from quantum.openflow.pipeline import (
    ANNOUNCED,
    CONSTANT,
    FLOOD_MEMBERS,
    FROM_PEERS,
    FROM_PEERS_LEARNING,
    FROM_UPLINK,
    HINTED_PEER,
    HINTED_PORT,
    HINTED_UPLINK,
    OUTWARD_PEERS,
    OUTWARD_PEERS_PARTS,
    OUTWARD_UPLINK,
    REMOTE,
    SOURCE_CHECKED,
    SOURCE_LEARNED,
    STEER_ARP,
    STEER_ND,
    UNICAST,
    Shape,
    Table,
)

from .strategies import (
    TUNNEL,
    ipv4,
    ipv6,
    layout_of,
    mac,
    member_changes,
    member_maps,
    peer,
    port_maps,
    tunnels,
)

THERE = remote_key(1, 7)
ELSEWHERE = remote_key(2, 7)


def flows(layout: Layout, *shapes: Shape) -> list[Flow]:
    """Compile everything, and pick some shapes."""
    return [flow for flow in layout.plan() if flow.shape in shapes]


def shapes_of(layout: Layout) -> set[Shape]:
    """List the shapes of a plan, without those that are always there."""
    return {flow.shape for flow in layout.plan()} - set(CONSTANT)


def applied(table: dict, steps: Difference) -> dict:
    """Do to a flow table what a difference says."""
    after = dict(table)
    for flow in steps.remove:
        del after[flow.key]
    return after | {flow.key: flow for flow in steps.add}


class ChangeTests(SynchronousTestCase):
    """Compiling a change equals compiling everything twice."""

    @given(members=member_maps, changed=member_changes, tunnel=tunnels)
    def test_same_as_all(self, members, changed, tunnel) -> None:
        """The steps of a change are the difference between the whole plans."""
        layout = layout_of(members, tunnel)
        before = list(layout.plan())
        steps = layout.change(changed)
        after = list(layout.plan())
        whole = difference(before, after)
        self.assertEqual(set(whole.remove), set(steps.remove))
        self.assertEqual(set(whole.add), set(steps.add))
        self.assertEqual(len(after) - len(before), steps.growth)

    @given(changes=st.lists(member_changes, max_size=6), tunnel=tunnels)
    def test_history(self, changes, tunnel) -> None:
        """However it came about, a layout has the plan of what it carries now."""
        layout, table, members = Layout(tunnel=tunnel), {}, {}
        table.update((flow.key, flow) for flow in layout.plan())
        for changed in changes:
            table = applied(table, layout.change(changed))
            members |= changed
        left = {key: member for key, member in members.items() if member is not None}
        expected = set(layout_of(left, tunnel).plan())
        self.assertEqual(expected, set(layout.plan()))
        self.assertEqual(expected, set(table.values()))

    @given(members=member_maps, tunnel=tunnels)
    def test_keys(self, members, tunnel) -> None:
        """No two flows of a plan have the same table, priority and match."""
        keys = [flow.key for flow in layout_of(members, tunnel).plan()]
        self.assertEqual(len(set(keys)), len(keys))

    @given(members=member_maps, tunnel=tunnels)
    def test_carries(self, members, tunnel) -> None:
        """A network is carried while anything belongs to it."""
        layout = layout_of(members, tunnel)
        expected = {member.segment for member in members.values()}
        self.assertEqual(expected, {s for s in range(5) if layout.carries(s)})

    @given(ports=port_maps)
    def test_alone(self, ports) -> None:
        """Without other hypervisors nothing leaves the switch."""
        for flow in layout_of(ports, TUNNEL).plan():
            self.assertNotIn(TUNNEL, (flow.in_port, *flow.outputs))


class SourceTests(SynchronousTestCase):
    """Where the senders of a local port are known, and where they are learned."""

    def test_known(self) -> None:
        """A port with a known address may send from that, and never learns."""
        layout = layout_of({1: LocalPort(1, 5, mac(1))})
        self.assertEqual(
            [Flow(SOURCE_CHECKED, 5, 1, mac(1))],
            flows(layout, SOURCE_CHECKED, SOURCE_LEARNED, HINTED_PORT),
        )

    def test_learned(self) -> None:
        """A port without one learns, and is found by hints."""
        layout = layout_of({1: LocalPort(1, 5)})
        self.assertEqual(
            [Flow(SOURCE_LEARNED, 5, 1), Flow(HINTED_PORT, 5, 1, outputs=(1,))],
            flows(layout, SOURCE_CHECKED, SOURCE_LEARNED, HINTED_PORT, UNICAST),
        )


class TunnelTests(SynchronousTestCase):
    """Ports of other hypervisors."""

    def setUp(self) -> None:
        """Make a switch with one port, whose network two others carry."""
        self.layout = layout_of(
            {
                1: LocalPort(1, 5, mac(1)),
                THERE: RemotePort(peer(1), 5, mac(2)),
                ELSEWHERE: RemotePort(peer(2), 5, mac(3)),
            },
            TUNNEL,
        )

    def test_flows(self) -> None:
        """Each is reached at its hypervisor, and all of them by flooding."""
        both = (peer(1), peer(2))
        self.assertEqual(
            {
                Flow(FROM_PEERS, 5, TUNNEL),
                Flow(REMOTE, 5, 0, mac(2), (TUNNEL,), (peer(1),)),
                Flow(REMOTE, 5, 0, mac(3), (TUNNEL,), (peer(2),)),
                Flow(OUTWARD_PEERS_PARTS[0], 5, outputs=(TUNNEL,), peers=both),
            },
            {flow for flow in self.layout.plan() if TUNNEL in flow.outputs}
            | set(flows(self.layout, FROM_PEERS, FROM_PEERS_LEARNING)),
        )

    def test_strange(self) -> None:
        """A remote port whose address is not known is found by hints."""
        self.layout.change({THERE: RemotePort(peer(1), 5)})
        there = (peer(1),)
        self.assertEqual(
            [
                Flow(FROM_PEERS_LEARNING, 5, TUNNEL),
                Flow(HINTED_PEER, 5, 0, b"", (TUNNEL,), there, peer(1)),
            ],
            flows(self.layout, FROM_PEERS, FROM_PEERS_LEARNING, HINTED_PEER),
        )

    def test_no_tunnel(self) -> None:
        """Without a tunnel port there is nothing about them."""
        self.layout.tunnel = 0
        alone = layout_of({1: LocalPort(1, 5, mac(1))})
        self.assertEqual(set(alone.plan()), set(self.layout.plan()))

    def test_moved_at_once(self) -> None:
        """A port that appears elsewhere as it goes is one flow-mod to a third."""
        moved = RemotePort(peer(2), 5, mac(2))
        self.layout.put(remote_key(1, 8), RemotePort(peer(1), 5, mac(4)))
        steps = self.layout.change({THERE: None, remote_key(2, 8): moved})
        flow = Flow(REMOTE, 5, 0, mac(2), (TUNNEL,), (peer(2),))
        self.assertEqual(([], [flow]), (steps.remove, steps.add))

    def test_moved_in_place(self) -> None:
        """So is one whose hypervisor has another tunnel address."""
        self.layout.put(remote_key(1, 8), RemotePort(peer(1), 5, mac(4)))
        steps = self.layout.change({THERE: RemotePort(peer(2), 5, mac(2))})
        flow = Flow(REMOTE, 5, 0, mac(2), (TUNNEL,), (peer(2),))
        self.assertEqual(([], [flow]), (steps.remove, steps.add))

    def test_moved_in_two_steps(self) -> None:
        """One that goes first, or is in both places for a while, takes two."""
        self.layout.put(remote_key(1, 8), RemotePort(peer(1), 5, mac(4)))
        gone = {THERE: None}
        come = {remote_key(2, 8): RemotePort(peer(2), 5, mac(2))}
        for first, second in ((gone, come), (come, gone)):
            layout = layout_of(self.layout.members, TUNNEL)
            steps = [layout.change(first), layout.change(second)]
            self.assertEqual(2, sum(len(s.remove) + len(s.add) for s in steps))

    def test_hypervisor_gone(self) -> None:
        """A hypervisor that has no port of the network any more is sent nothing."""
        self.layout.change({THERE: None})
        for flow in self.layout.plan():
            self.assertNotIn(peer(1), flow.peers)

    def test_alone_again(self) -> None:
        """Without any other hypervisor nothing is taken from tunnels."""
        self.layout.change({THERE: None, ELSEWHERE: None})
        for flow in self.layout.plan():
            self.assertNotIn(TUNNEL, (flow.in_port, *flow.outputs))


class UplinkTests(SynchronousTestCase):
    """A network that leaves as a VLAN."""

    def setUp(self) -> None:
        """Make such a network, with a port elsewhere that has no business there."""
        self.layout = layout_of(
            {
                1: LocalPort(1, 5, mac(1)),
                THERE: RemotePort(peer(1), 5, mac(2), (ipv4(2),)),
                uplink_key(5): Uplink(9, 5, 100),
            },
            TUNNEL,
        )

    def test_flows(self) -> None:
        """It comes and goes by its uplink, and by no tunnel."""
        self.assertEqual(
            {
                Flow(FROM_UPLINK, 5, 9, vlan=100),
                Flow(HINTED_UPLINK, 5, 9, outputs=(9,), vlan=100),
                Flow(OUTWARD_UPLINK, 5, outputs=(9,), vlan=100),
            },
            set(flows(self.layout, FROM_UPLINK, HINTED_UPLINK, OUTWARD_UPLINK)),
        )
        for flow in self.layout.plan():
            self.assertNotIn(TUNNEL, (flow.in_port, *flow.outputs))

    def test_not_flooded(self) -> None:
        """What came in from outside is flooded to local ports only."""
        floods = [f.outputs for f in self.layout.plan() if f.shape.table >= Table.FLOOD]
        self.assertEqual([(1,)], floods)

    def test_gone(self) -> None:
        """Without its uplink nothing of the VLAN is left."""
        self.layout.change({uplink_key(5): None})
        for flow in self.layout.plan():
            self.assertEqual((0, 0), (flow.vlan, flow.outputs.count(9)))


class SteeringTests(SynchronousTestCase):
    """Questions for an address go to its owner alone, if there is one owner."""

    def steered(self, *members) -> set[tuple[bytes, bytes]]:
        """Say which addresses are steered to whom, in a network of some ports."""
        layout = layout_of(dict(enumerate(members, 1)), TUNNEL)
        found = flows(layout, STEER_ARP, STEER_ND)
        announced = {flow.address for flow in flows(layout, ANNOUNCED)}
        arp = {flow.address for flow in found if flow.shape is STEER_ARP}
        self.assertEqual(arp, announced)
        return {(flow.address, flow.mac) for flow in found}

    def test_known(self) -> None:
        """Local or remote, IPv4 or IPv6, the only owner is asked."""
        here = LocalPort(1, 5, mac(1), (ipv4(1), ipv6(1)))
        there = RemotePort(peer(1), 5, mac(2), (ipv4(2),))
        self.assertEqual(
            {(ipv4(1), mac(1)), (ipv6(1), mac(1)), (ipv4(2), mac(2))},
            self.steered(here, there),
        )

    def test_doubtful(self) -> None:
        """An IP or MAC address of two ports is flooded for."""
        one = LocalPort(1, 5, mac(1), (ipv4(1),))
        same_ip = LocalPort(2, 5, mac(2), (ipv4(1),))
        same_mac = RemotePort(peer(1), 5, mac(1), (ipv4(2),))
        self.assertEqual(set(), self.steered(one, same_ip))
        self.assertEqual(set(), self.steered(one, same_mac))

    def test_nameless(self) -> None:
        """A port whose MAC address is not known cannot be steered to."""
        self.assertEqual(set(), self.steered(LocalPort(1, 5, None, (ipv4(1),))))

    def test_networks_apart(self) -> None:
        """The same addresses in another network raise no doubt."""
        one = LocalPort(1, 5, mac(1), (ipv4(1),))
        other = LocalPort(2, 6, mac(1), (ipv4(1),))
        self.assertEqual({(ipv4(1), mac(1))}, self.steered(one, other))


class LargeNetworkTests(SynchronousTestCase):
    """A network of more ports than one message can name."""

    def setUp(self) -> None:
        """Make a network of every port that a switch can have."""
        self.ports = {n: LocalPort(n, 1) for n in range(1, 0xFF00)}
        self.layout = layout_of(self.ports)

    def flood(self) -> list:
        """Compile the flooding."""
        return [flow for flow in self.layout.plan() if flow.shape.table >= Table.FLOOD]

    def test_complete(self) -> None:
        """Every port is in exactly one part, and every part leads to the next."""
        parts = self.flood()
        ports = [port for flow in parts for port in flow.outputs]
        self.assertEqual(sorted(self.ports), ports)
        tables = [flow.shape.table for flow in parts]
        self.assertEqual([*tables[1:], None], [flow.shape.goto for flow in parts])

    def test_fits(self) -> None:
        """Every part fits into a message."""
        for flow in self.flood():
            message = bundled(1, add_flow(1, encode(flow)))
            self.assertLessEqual(len(message), MAX_FRAME)

    def test_small_change(self) -> None:
        """One port less rewrites one part."""
        steps = self.layout.change({9000: None})
        floods = [flow for flow in steps.add if flow.shape.table >= Table.FLOOD]
        self.assertEqual([9000 // FLOOD_MEMBERS], [f.shape.table - 40 for f in floods])


class WideNetworkTests(SynchronousTestCase):
    """A network on more hypervisors than one message can name."""

    def test_parts(self) -> None:
        """Every hypervisor is in exactly one part, and every part fits."""
        addresses = [number.to_bytes(4, "big") for number in range(3000)]
        members = {
            remote_key(number, 1): RemotePort(address, 1, mac(number))
            for number, address in enumerate(addresses)
        }
        parts = flows(layout_of(members, TUNNEL), *OUTWARD_PEERS_PARTS)
        self.assertEqual(addresses, [peer for flow in parts for peer in flow.peers])
        self.assertEqual(OUTWARD_PEERS, len(parts[0].peers))
        for flow in parts:
            message = bundled(1, add_flow(1, encode(flow)))
            self.assertLessEqual(len(message), MAX_FRAME)


class CostTests(SynchronousTestCase):
    """What is compiled for a change, in a network of many ports and hypervisors."""

    def setUp(self) -> None:
        """Make a network of 100 local ports, and 100 hypervisors with 5 ports each."""
        self.network = Ethernet(1)
        for number in range(1, 101):
            self.network.add(LocalPort(number, 1, mac(number)))
        for number in range(500):
            self.network.add(self.remote(number))

    def remote(self, number: int) -> RemotePort:
        return RemotePort(
            peer(number % 100), 1, mac(1000 + number), (ipv4(number % 250),)
        )

    def compiled(self, member) -> list[Flow]:
        """Compile what a member touches."""
        touched = Touched()
        touched.add(member)
        return self.network.compile(touched, TUNNEL)

    def test_remote(self) -> None:
        """A port of another hypervisor: its address, and how all are reached."""
        self.assertEqual(3, len(self.compiled(self.remote(7))))

    def test_local(self) -> None:
        """A port of the switch: its entry, its address, and flooding."""
        self.assertEqual(4, len(self.compiled(LocalPort(1, 1, mac(1)))))

    def test_peers_unchanged(self) -> None:
        """As long as no hypervisor comes or goes the list of all is the same one."""
        before = self.compiled(self.remote(7))[-1].peers
        self.network.remove(self.remote(7))
        self.assertIs(before, self.compiled(self.remote(7))[-1].peers)


class AddressTests(SynchronousTestCase):
    """Addresses that two ports of a network have."""

    def test_flooded(self) -> None:
        """An address of two ports has no flow of its own: both get its frames."""
        ports = {n: LocalPort(n, 1, mac(1)) for n in (1, 2)}
        self.assertNotIn(UNICAST, shapes_of(layout_of(ports)))

    def test_here_and_there(self) -> None:
        """So it is if one of them is on another hypervisor."""
        members = {1: LocalPort(1, 1, mac(1)), THERE: RemotePort(peer(1), 1, mac(1))}
        shapes = shapes_of(layout_of(members, TUNNEL))
        self.assertFalse(shapes & {UNICAST, REMOTE})
