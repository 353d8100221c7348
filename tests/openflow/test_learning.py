# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""What is learned saves flooding, and never leads out of a network."""

from typing import Protocol

from twisted.trial.unittest import SynchronousTestCase

from quantum.openflow.flow import Encoded, encode
from quantum.openflow.member import LocalPort, Member, RemotePort, Uplink, remote_key
from quantum.openflow.pipeline import HINT_LIMIT, HINT_SECONDS

from .bridge import Bridge
from .journey import BROADCAST, Frame, Sent
from .strategies import TUNNEL, UPLINKS, layout_of, mac, peer, text
from .table import Table

A, B = 1, 2  # networks
X, Y, Z = (text(mac(number)) for number in (0x11, 0x12, 0x13))
UPLINK = UPLINKS[0]
FAR, FARTHER = "192.0.2.2", "192.0.2.3"
PORTS = (*range(1, 6), UPLINK, TUNNEL)


class ISwitch(Protocol):
    """What is tested: a switch, real or not."""

    def hold(self, flows: list[Encoded]) -> object:
        """Hold flows."""

    def send(self, frame: Frame) -> list[Sent]:
        """Take a frame."""

    def hints(self) -> list[object]:
        """List what was learned."""


def remote(number: int, segment: int, ofport: int = 1, address=None):
    """Make a port of another hypervisor, with its key."""
    member = RemotePort(peer(number), segment, address)
    return remote_key(number, ofport), member


class LearningContract:
    """Ports 1 to 3 are in one network; nobody's address is known."""

    switch: ISwitch

    def carry(self, *ports: Member, far=()) -> None:
        """Let the switch carry networks, keeping the hints that it has."""
        members = {port.ofport: port for port in ports} | dict(far)
        layout = layout_of(members, TUNNEL)
        self.switch.hold([encode(flow) for flow in layout.plan()])

    def out(self, in_port: int, dst: str, src: str, **more) -> list[int]:
        """Say by which ports a frame leaves."""
        frame = Frame(in_port, dst, src, **more)
        return [sent.port for sent in self.switch.send(frame)]

    def from_far(self, tun_src: str, dst: str, src: str, segment: int = A) -> list[int]:
        """Let a frame come from another hypervisor."""
        return self.out(TUNNEL, dst, src, tun_id=segment, tun_src=tun_src)

    def test_port(self) -> None:
        """A frame to an address seen behind a port goes there only."""
        self.carry(LocalPort(1, A), LocalPort(2, A), LocalPort(3, A))
        self.assertEqual([1, 3], self.out(2, X, Y))
        self.assertEqual([2, 3], self.out(1, Z, X))
        self.assertEqual([1], self.out(2, X, Y))
        self.assertEqual([2], self.out(3, Y, Z))

    def test_move(self) -> None:
        """An address seen behind another port is there from then on."""
        self.carry(LocalPort(1, A), LocalPort(2, A), LocalPort(3, A))
        self.out(1, BROADCAST, X)
        self.out(2, BROADCAST, X)
        self.assertEqual([2], self.out(3, X, Z))

    def test_peer(self) -> None:
        """A frame to an address seen on a hypervisor goes to it only."""
        self.carry(LocalPort(1, A), LocalPort(2, A), far=[remote(2, A), remote(3, A)])
        self.assertEqual([TUNNEL, TUNNEL, 2], self.out(1, X, Y))
        self.from_far(FAR, BROADCAST, X)
        sent = [Sent(TUNNEL, X, tun_id=A, tun_dst=FAR)]
        self.assertEqual(sent, self.switch.send(Frame(1, X, Y)))
        self.assertEqual([1, 2], self.from_far(FARTHER, X, Z))
        self.from_far(FARTHER, BROADCAST, X)
        sent = [Sent(TUNNEL, X, tun_id=A, tun_dst=FARTHER)]
        self.assertEqual(sent, self.switch.send(Frame(1, X, Y)))

    def test_port_to_peer(self) -> None:
        """An address that came from a port and now from a hypervisor moved there."""
        self.carry(LocalPort(1, A), LocalPort(2, A), far=[remote(2, A)])
        self.out(2, BROADCAST, X)
        self.from_far(FAR, BROADCAST, X)
        self.assertEqual([TUNNEL], self.out(1, X, Y))
        self.out(2, BROADCAST, X)
        self.assertEqual([2], self.out(1, X, Y))

    def test_uplink(self) -> None:
        """A frame to an address seen on the uplink leaves by it only, tagged."""
        uplink = Uplink(UPLINK, A, 100)
        self.carry(LocalPort(1, A), LocalPort(2, A), uplink)
        self.assertEqual([UPLINK, 2], self.out(1, X, Y))
        self.assertEqual([1, 2], self.out(UPLINK, BROADCAST, X, vlan=100))
        sent = [Sent(UPLINK, X, vlan=100)]
        self.assertEqual(sent, self.switch.send(Frame(1, X, Y)))
        self.assertEqual([2], self.out(1, X, Y, vlan=7))

    def test_known(self) -> None:
        """No hint takes a frame from the port that is known to have its address."""
        self.carry(LocalPort(1, A, mac(0x11)), LocalPort(2, A), LocalPort(3, A))
        self.out(2, BROADCAST, X)
        self.assertEqual([1], self.out(3, X, Z))

    def test_port_moved(self) -> None:
        """A hint leads nowhere once its port belongs to another network."""
        ports = [LocalPort(2, A), LocalPort(3, A), LocalPort(4, B)]
        self.carry(LocalPort(1, A), *ports)
        self.out(1, BROADCAST, X)
        self.assertEqual([1], self.out(2, X, Y))
        self.carry(LocalPort(1, B), *ports)
        self.assertEqual([3], self.out(2, X, Y))
        self.assertEqual([4], self.out(1, Z, X))
        self.assertEqual([1], self.out(4, X, Z))
        self.carry(*ports)
        self.assertEqual([3], self.out(2, X, Y))

    def test_peer_moved(self) -> None:
        """A hint leads nowhere once its hypervisor has nothing of the network."""
        ports = [LocalPort(1, A), LocalPort(2, A), LocalPort(3, B)]
        self.carry(*ports, far=[remote(2, A)])
        self.from_far(FAR, BROADCAST, X)
        self.assertEqual([TUNNEL], self.out(1, X, Y))
        self.carry(*ports, far=[remote(2, B), remote(3, A)])
        sent = self.switch.send(Frame(1, X, Y))
        self.assertEqual([TUNNEL, 2], [one.port for one in sent])
        self.assertEqual((A, FARTHER), (sent[0].tun_id, sent[0].tun_dst))

    def test_uplink_gone(self) -> None:
        """A hint leads nowhere once the network has no uplink there."""
        ports = [LocalPort(1, A), LocalPort(2, A)]
        self.carry(*ports, Uplink(UPLINK, A, 100))
        self.out(UPLINK, BROADCAST, X, vlan=100)
        self.carry(*ports, Uplink(UPLINK, B, 101))
        self.assertEqual([2], self.out(1, X, Y))

    def test_other_network(self) -> None:
        """What one network uses as an address says nothing about another."""
        ports = [LocalPort(1, A), LocalPort(2, A), LocalPort(3, B), LocalPort(4, B)]
        self.carry(*ports, LocalPort(5, B), far=[remote(2, A), remote(3, B)])
        self.out(3, BROADCAST, X)
        self.assertEqual([1, TUNNEL], sorted(self.out(2, X, Y)))
        self.from_far(FAR, BROADCAST, X)
        self.assertEqual([3], self.out(4, X, Y))

    def test_unknown_tunnel(self) -> None:
        """Nothing is learned from a network that is not here, nor from its outside."""
        self.carry(LocalPort(1, A), LocalPort(2, A), far=[remote(2, A)])
        self.assertEqual([], self.from_far(FAR, BROADCAST, X, segment=B))
        self.assertEqual([], self.out(UPLINK, BROADCAST, X, vlan=100))
        self.assertEqual([], self.out(5, BROADCAST, X))
        self.assertEqual([], self.switch.hints())

    def test_multicast_source(self) -> None:
        """A forged source that is a group's address takes nothing from the group."""
        self.carry(LocalPort(1, A), LocalPort(2, A), LocalPort(3, A))
        for group in (BROADCAST, "01:00:5e:00:00:01", "33:33:00:00:00:01"):
            self.out(1, X, group)
            self.assertEqual([1, 3], self.out(2, group, Y))


class TableTests(LearningContract, SynchronousTestCase):
    """The switch in Python."""

    def setUp(self) -> None:
        """Make it."""
        self.switch = Table()


class OpenVSwitchTests(LearningContract, SynchronousTestCase):
    """Open vSwitch."""

    def setUp(self) -> None:
        """Start it."""
        self.switch = Bridge.start(PORTS)
        self.addCleanup(self.switch.switch.stop)

    def test_limit(self) -> None:
        """One port teaches so many addresses and no more, and no other port less."""
        self.carry(LocalPort(1, A), LocalPort(2, A), LocalPort(3, A), LocalPort(4, B))
        self.out(3, BROADCAST, X)
        for number in range(HINT_LIMIT + 3):
            self.out(1, Y, text(mac(0x1000 + number)))
        self.assertEqual(1 + HINT_LIMIT, len(self.switch.hints()))
        self.assertEqual([1], self.out(3, text(mac(0x1000)), X))
        self.assertEqual([1, 2], self.out(3, text(mac(0x1000 + HINT_LIMIT)), X))
        self.out(2, BROADCAST, Y)
        self.assertEqual([2], self.out(3, Y, X))
        self.out(2, BROADCAST, text(mac(0x1000)))
        self.assertEqual([2], self.out(3, text(mac(0x1000)), X))

    def test_time(self) -> None:
        """A hint lasts its time after the last frame from its address, not longer."""
        self.carry(LocalPort(1, A), LocalPort(2, A), LocalPort(3, A))
        for _ in range(2):
            self.out(1, BROADCAST, X)
            self.switch.pass_time(HINT_SECONDS - 20)
            self.assertEqual([1], self.out(2, X, Y))
        self.switch.pass_time(30)
        self.assertEqual([1, 3], self.out(2, X, Y))
