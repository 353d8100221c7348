# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""By which ways frames go between hypervisors, seen on the wire between them."""

from collections import Counter

import pytest

from tests.integration.wide import WideTests
from tests.lab.frames import ARP, BROADCAST, arp, frame
from tests.lab.hypervisor import BRIDGE
from tests.lab.probe import NUMBERS, STRANGER
from tests.lab.wiretap import Copy

pytestmark = pytest.mark.root


def ways(copies: list[Copy]) -> Counter[tuple[str, str]]:
    """Count copies by source and target."""
    return Counter((copy.source, copy.target) for copy in copies)


class VxlanTests(WideTests):
    """Tunnels carry what they must, and nothing else."""

    kind = "vxlan"

    def test_all(self) -> None:
        """Within a network everything arrives once; of another, or spoofed, nothing."""
        self.assert_connected(patience=0)

    def test_unicast(self) -> None:
        """A frame to one machine goes to its hypervisor only."""
        one, two, _ = self.addresses()
        target = self.site.machine("red-2").mac
        copies = self.copies(self.site.machine("red-1"), target, 5, expected=5)
        self.assertEqual(Counter({(one, two): 5}), ways(copies))

    def test_local(self) -> None:
        """A frame between two machines of one hypervisor leaves it by no tunnel."""
        target = self.site.machine("blue-2").mac
        blue = self.site.machine("blue-1")
        self.assertEqual([], self.copies(blue, target, expected=0))

    def test_broadcast(self) -> None:
        """A broadcast goes once to each hypervisor that has the network, and no on."""
        one, two, three = self.addresses()
        self.assertEqual(
            Counter({(one, two): 1, (one, three): 1}),
            ways(self.copies(self.site.machine("red-1"), expected=2)),
        )
        self.assertEqual(
            Counter({(one, two): 1}),
            ways(self.copies(self.site.machine("blue-1"), expected=1)),
        )

    def test_unknown(self) -> None:
        """A frame to an address that no port has goes where a broadcast would."""
        _, two, three = self.addresses()
        copies = self.copies(self.site.machine("red-3"), STRANGER, expected=2)
        one = self.addresses()[0]
        self.assertEqual(Counter({(three, one): 1, (three, two): 1}), ways(copies))

    def test_identifiers(self) -> None:
        """Each network has its own identifier, in tunnels of the kind asked."""
        found = {
            (copy.kind, copy.identifier)
            for name, expected in (("red-1", 2), ("blue-1", 1))
            for copy in self.copies(self.site.machine(name), expected=expected)
        }
        self.assertEqual({self.kind}, {kind for kind, _ in found})
        self.assertEqual(2, len(found))

    def test_vlan(self) -> None:
        """What belongs to a VLAN goes through no tunnel."""
        self.assertEqual([], self.copies(self.site.machine("green-1"), expected=0))

    def test_question(self) -> None:
        """A question for a known machine's address travels to its hypervisor only."""
        one, _, three = self.addresses()
        red, other = self.site.machine("red-1"), self.site.machine("red-3")
        probe = next(NUMBERS)
        packet = arp(red.mac, red.address, other.address)
        what = frame(BROADCAST, red.mac, ARP, (probe, 0), packet=packet)
        self.assertEqual(
            Counter({(one, three): 1}), ways(self.carried(probe, red, [what], 1))
        )
        sniffer = self.site.observatory.sniffer
        self.await_true(lambda: bool(sniffer.count(other, probe)), "it arrives")
        self.assertEqual(Counter({0: 1}), sniffer.count(other, probe))

    def test_absent_network(self) -> None:
        """A hypervisor has flows of the networks of its machines, and of no others."""
        (copy,) = self.copies(self.site.machine("blue-1"), expected=1)
        place = f"tun_id={copy.identifier:#x}"
        flows = ["\n".join(h.ovs.flows(BRIDGE)) for h in self.site.hypervisors]
        self.assertEqual([True, True, False], [place in text for text in flows])

    def test_last_machine(self) -> None:
        """A hypervisor whose last machine of a network leaves is sent no more of it."""
        blue = self.site.machine("blue-3")
        self.cloud.detach(blue)
        others = [m for m in self.site.observatory.machines if m != blue]
        self.assert_connected(others)
        self.assertEqual([], self.copies(self.site.machine("blue-1"), expected=0))
        self.cloud.attach(blue)
        self.cloud.await_up([blue])
        self.assert_connected()


class GeneveTests(WideTests):
    """The same in Geneve."""

    settings = ("openvswitch.tunnel_type=geneve",)

    def test_all(self) -> None:
        """Within a network everything arrives once; of another, or spoofed, nothing."""
        self.assert_connected(patience=0)

    def test_kind(self) -> None:
        """What is on the wire is Geneve."""
        copies = self.copies(self.site.machine("red-1"), expected=2)
        self.assertEqual({"geneve"}, {copy.kind for copy in copies})
