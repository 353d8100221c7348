# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""Questions for known addresses travel to their owners, and to nobody else."""

from ipaddress import IPv4Address

from twisted.trial.unittest import SynchronousTestCase

from quantum.openflow.flow import encode
from quantum.openflow.member import LocalPort, Member, RemotePort, remote_key

from .bridge import Bridge
from .journey import Frame, Sent, arp, solicitation
from .strategies import TUNNEL, ipv4, ipv6, layout_of, mac, peer, text
from .table import Table

A, B = 1, 2  # networks
X, Y, Z = (text(mac(number)) for number in (1, 2, 3))
PORTS = (*range(1, 6), TUNNEL)
FAR = "192.0.2.2"
FIRST = LocalPort(1, A, mac(1), (ipv4(1), ipv6(1)))
SECOND = LocalPort(2, A, mac(2), (ipv4(2), ipv6(2)))
THIRD = LocalPort(3, A)
OTHER = LocalPort(4, B, mac(4), (ipv4(4),))
NOBODY = str(IPv4Address(0))
ONE, TWO, FOUR, FIVE = (f"10.0.0.{number}" for number in (1, 2, 4, 5))


class SteeringContract:
    """Ports 1 to 3 are in one network, 4 in another; 5 is another hypervisor's."""

    switch: Table | Bridge

    def carry(self, *ports: LocalPort, far: tuple[Member, ...] = ()) -> None:
        """Let the switch carry networks."""
        members: dict[int, Member] = {port.ofport: port for port in ports}
        members |= {remote_key(2, number): it for number, it in enumerate(far)}
        layout = layout_of(members, TUNNEL)
        self.switch.hold([encode(flow) for flow in layout.plan()])

    def out(self, frame: Frame) -> list[int]:
        """Say by which ports a frame leaves."""
        return [sent.port for sent in self.switch.send(frame)]

    def test_arp(self) -> None:
        """A question for an IPv4 address reaches its owner, as a unicast frame."""
        self.carry(FIRST, SECOND, THIRD)
        self.assertEqual([Sent(2, Y)], self.switch.send(arp(1, X, ONE, TWO)))
        self.assertEqual([Sent(1, X)], self.switch.send(arp(3, Z, "10.0.0.3", ONE)))

    def test_nd(self) -> None:
        """A question for an IPv6 address does so too."""
        self.carry(FIRST, SECOND, THIRD)
        question = solicitation(1, X, "2001:db8::2")
        self.assertEqual([Sent(2, Y)], self.switch.send(question))

    def test_far(self) -> None:
        """One for a port of another hypervisor goes to that hypervisor alone."""
        far = RemotePort(peer(2), A, mac(5), (ipv4(5),))
        farther = RemotePort(peer(3), A, mac(6))
        self.carry(FIRST, SECOND, far=(far, farther))
        sent = [Sent(TUNNEL, text(mac(5)), tun_id=A, tun_dst=FAR)]
        self.assertEqual(sent, self.switch.send(arp(1, X, ONE, FIVE)))

    def test_unknown(self) -> None:
        """One for an address that nobody is known to have reaches everybody."""
        self.carry(FIRST, SECOND, THIRD, OTHER)
        self.assertEqual([2, 3], self.out(arp(1, X, ONE, FIVE)))
        self.assertEqual([2, 3], self.out(solicitation(1, X, "2001:db8::5")))

    def test_other_network(self) -> None:
        """Who has an address in another network is none of this one's business."""
        self.carry(FIRST, SECOND, THIRD, OTHER)
        self.assertEqual([2, 3], self.out(arp(1, X, ONE, FOUR)))
        self.carry(FIRST, SECOND, THIRD, LocalPort(4, B, mac(2), (ipv4(2),)))
        self.assertEqual([2], self.out(arp(1, X, ONE, TWO)))

    def test_two_owners(self) -> None:
        """An address that two have, and one of a MAC that two have, are not steered."""
        twin = LocalPort(3, A, mac(3), (ipv4(2),))
        self.carry(FIRST, SECOND, twin)
        self.assertEqual([2, 3], self.out(arp(1, X, ONE, TWO)))
        self.carry(FIRST, SECOND, LocalPort(3, A, mac(2)))
        self.assertEqual([2, 3], self.out(arp(1, X, ONE, TWO)))

    def test_announcement(self) -> None:
        """An announcement reaches everybody, whose ever the address is."""
        self.carry(FIRST, SECOND, THIRD)
        self.assertEqual([2, 3], self.out(arp(1, X, ONE, ONE)))
        self.assertEqual([1, 2], self.out(arp(3, Z, TWO, TWO)))

    def test_probe(self) -> None:
        """A probe for an address that another has reaches that one (RFC 5227)."""
        self.carry(FIRST, SECOND, THIRD)
        self.assertEqual([2], self.out(arp(3, Z, NOBODY, TWO)))
        self.assertEqual([1], self.out(solicitation(3, Z, "2001:db8::1")))

    def test_answer(self) -> None:
        """Answers, and questions to one machine, go where they are sent."""
        self.carry(FIRST, SECOND, THIRD)
        said = {"eth_type": 0x0806, "arp_op": 2, "arp_spa": ONE, "arp_tpa": TWO}
        self.assertEqual([2], self.out(Frame(1, Y, X, said=said)))
        question = {**said, "arp_op": 1}
        self.assertEqual([1], self.out(Frame(3, X, Z, said=question)))

    def test_tagged(self) -> None:
        """Behind a tag of the tenant an address may be anybody's: all are asked."""
        self.carry(FIRST, SECOND, THIRD)
        self.assertEqual([2, 3], self.out(arp(1, X, ONE, TWO, vlan=7)))

    def test_from_outside(self) -> None:
        """A question from another hypervisor is asked here, and goes no further."""
        far = RemotePort(peer(2), A, mac(5), (ipv4(5),))
        self.carry(FIRST, SECOND, far=(far,))
        came = {"tun_id": A, "tun_src": FAR}
        self.assertEqual([1, 2], self.out(arp(TUNNEL, Z, FIVE, "10.0.0.9", **came)))
        self.assertEqual([1, 2], self.out(arp(TUNNEL, Z, FIVE, ONE, **came)))

    def test_forged_source(self) -> None:
        """A question from an address that the port may not use goes nowhere."""
        self.carry(FIRST, SECOND, THIRD)
        self.assertEqual([], self.out(arp(1, Z, ONE, TWO)))


class TableTests(SteeringContract, SynchronousTestCase):
    """The switch in Python."""

    def setUp(self) -> None:
        """Make it."""
        self.switch = Table()


class OpenVSwitchTests(SteeringContract, SynchronousTestCase):
    """Open vSwitch."""

    def setUp(self) -> None:
        """Start it."""
        self.switch = Bridge.start(PORTS)
        self.addCleanup(self.switch.switch.stop)
