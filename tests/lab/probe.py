# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
Every kind of frame that a machine can send, and who must receive it.

Nothing here sends or counts.
"""

from collections.abc import Collection, Iterator, Sequence
from itertools import count

from attrs import frozen

from tests.lab.frames import (
    ARP,
    BROADCAST,
    EXPERIMENTAL,
    IPV4,
    MULTICAST,
    arp,
    frame,
    segment,
)
from tests.lab.hypervisor import FOREIGN, Machine
from tests.lab.underlay import CONTROL, OPENFLOW_PORT, OVSDB_PORT

STRANGER = "02:00:00:00:0b:ad"
"""An Ethernet address that no machine has."""

KINDS = (
    "unicast",
    "broadcast",
    "multicast",
    "unknown ethertype",
    "unknown target",
    "VLAN-tagged",
    "as for control",
    "spoofed source",
)

NUMBERS = count(1)
"""Each probe of this process has its own, whoever sends and counts it."""


@frozen
class Probe:
    """One kind of frame from one machine, and who must and who may receive it."""

    number: int
    kind: str
    sender: Machine
    target: str
    must: frozenset[str]
    may: frozenset[str]
    source: str
    ethertype: int = IPV4
    vlan: int = 0
    packet: bytes = b""

    def bytes(self, sequence: int) -> bytes:
        """Make one copy."""
        return frame(
            self.target,
            self.source,
            self.ethertype,
            (self.number, sequence),
            vlan=self.vlan,
            packet=self.packet,
        )


@frozen
class Wiring:
    """Which machines are connected with which, now."""

    connected: Collection[str]
    vlans: Collection[str] = ()
    """Networks that run over VLANs of the operator's, not over tunnels."""
    cut: Collection[str] = ()
    """Hosts that are cut off from the tunnels of others."""

    def joins(self, one: Machine, other: Machine, is_tagged: bool = False) -> bool:
        """Whether frames of one machine reach the other."""
        if one.network != other.network:
            return False
        if not (one.name in self.connected and other.name in self.connected):
            return False
        if one.host == other.host:
            return True
        if one.network in self.vlans:
            return not is_tagged
        return not (one.host in self.cut or other.host in self.cut)

    def is_learned(self, one: Machine, other: Machine) -> bool:
        """Whether a unicast frame may be flooded before it is known where to."""
        return one.network in self.vlans and one.host != other.host


def probes(
    sender: Machine, machines: Sequence[Machine], wiring: Wiring
) -> Iterator[Probe]:
    """List every kind of frame of one machine."""
    peers = [one for one in machines if one.network == sender.network and one != sender]
    everyone = frozenset(one.name for one in peers if wiring.joins(sender, one))
    tagged = frozenset(one.name for one in peers if wiring.joins(sender, one, True))
    for peer in peers:
        for form in _FORMS:
            reached = tagged if form[-1] else everyone
            must = reached & {peer.name}
            # Nobody knows where an absent machine is: its frames may be flooded.
            is_flooded = not must or wiring.is_learned(sender, peer)
            may = reached if is_flooded else must
            yield _probe(sender, peer.mac, form, must, may)
    for target, form in _FLOODED:
        must = tagged if form[-1] else everyone
        yield _probe(sender, target, form, must, must)
    for ethertype, packet in _CONTROL:
        number, kind = next(NUMBERS), "as for control"
        form = (sender.mac, ethertype, 0, packet)
        yield Probe(number, kind, sender, STRANGER, everyone, everyone, *form)
    if sender.host != FOREIGN:
        yield from _spoofed(sender, peers)


_FORMS = (
    ("unicast", IPV4, 0),
    ("unknown ethertype", EXPERIMENTAL, 0),
    ("VLAN-tagged", IPV4, 42),
)
_FLOODED = (
    (BROADCAST, ("broadcast", IPV4, 0)),
    (MULTICAST, ("multicast", IPV4, 0)),
    (BROADCAST, ("unknown ethertype", EXPERIMENTAL, 0)),
    (STRANGER, ("unknown target", IPV4, 0)),
    (BROADCAST, ("VLAN-tagged", IPV4, 42)),
)


_CONTROL = (
    (IPV4, segment(CONTROL, OPENFLOW_PORT)),
    (IPV4, segment(CONTROL, OVSDB_PORT)),
    (ARP, arp(STRANGER, CONTROL, CONTROL)),
)
"""What Open vSwitch passes on by itself, past all flows, unless it is told not to."""


def _spoofed(sender: Machine, peers: Sequence[Machine]) -> Iterator[Probe]:
    """Name somebody else as the sender: must arrive nowhere."""
    sources = [(STRANGER, BROADCAST)]
    sources += [(STRANGER, peer.mac) for peer in peers]
    sources += [(peer.mac, BROADCAST) for peer in peers[:1]]
    for source, target in sources:
        nobody = frozenset[str]()
        number = next(NUMBERS)
        yield Probe(number, "spoofed source", sender, target, nobody, nobody, source)


def _probe(
    sender: Machine,
    target: str,
    form: tuple[str, int, int],
    must: frozenset[str],
    may: frozenset[str],
) -> Probe:
    number = next(NUMBERS)
    kind, ethertype, vlan = form
    source = sender.mac
    return Probe(number, kind, sender, target, must, may, source, ethertype, vlan)
