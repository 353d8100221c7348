# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
One network as one switch carries it, and its flows.

It keeps account of who has which address and which hypervisors are reached, so
that a change costs what it touches: a remote port costs the same in a network
of ten ports and of ten thousand.
"""

from collections.abc import Iterable, Iterator

from attrs import define, field

from quantum.openflow.flow import Flow
from quantum.openflow.member import LocalPort, Member, RemotePort, Uplink
from quantum.openflow.pipeline import (
    ANNOUNCED,
    CLASSIFY,
    FLOOD,
    FLOOD_LASTS,
    FLOOD_MEMBERS,
    FLOOD_PARTS,
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
)

Port = LocalPort | RemotePort

_MAC, _IPV4 = 6, 4
"""How many bytes they have."""


@define
class Touched:
    """What of a network is compiled before and after a change."""

    ports: set[int] = field(factory=set)
    """Local ports."""
    addresses: set[bytes] = field(factory=set)
    """MAC and IP addresses of ports, local or remote."""
    peers: set[bytes] = field(factory=set)
    """Tunnel addresses."""
    is_all: bool = False

    def add(self, member: Member) -> None:
        """Take note of a member that comes or goes."""
        if isinstance(member, Uplink):
            self.is_all = True
            return
        if isinstance(member, LocalPort):
            self.ports.add(member.ofport)
        else:
            self.peers.add(member.address)
        self.addresses.update(_addresses(member))


@define
class Ethernet:
    """
    The members of one network, indexed.

    An address that two of its ports have is left to flooding, which reaches
    both, unless one of them was learned.  A network with an uplink has no use
    for tunnels.
    """

    segment: int
    _ports: dict[int, LocalPort] = field(factory=dict)
    _owners: dict[bytes, Port | tuple[Port, ...]] = field(factory=dict)
    """Who has each MAC and IP address: a tuple if, as is rare, several have it."""
    _peers: dict[bytes, int] = field(factory=dict)
    """How many ports each hypervisor has, by its tunnel address."""
    _strange: dict[bytes, int] = field(factory=dict)
    """How many of them have a MAC address that is not known."""
    _uplink: Uplink | None = None
    _ofports: tuple[int, ...] | None = None
    """The local ports in order, or None until that is asked for."""
    _ordered: tuple[bytes, ...] | None = None
    """The hypervisors likewise."""

    def __bool__(self) -> bool:
        return bool(self._ports or self._peers or self._uplink)

    def add(self, member: Member) -> None:
        """Let something belong to the network."""
        if isinstance(member, LocalPort):
            self._ports[member.ofport] = member
            self._ofports = None
        elif isinstance(member, Uplink):
            self._uplink = member
            return
        else:
            self._count(member, 1)
        for address in _addresses(member):
            before = self._owners.get(address)
            if before is None:
                self._owners[address] = member
            else:
                rivals = before if isinstance(before, tuple) else (before,)
                self._owners[address] = (*rivals, member)

    def remove(self, member: Member) -> None:
        """Let something belong to it no more."""
        if isinstance(member, Uplink):
            self._uplink = None
            return
        if isinstance(member, LocalPort):
            del self._ports[member.ofport]
            self._ofports = None
        else:
            self._count(member, -1)
        for address in _addresses(member):
            owners = self._owners.pop(address)
            if isinstance(owners, tuple):
                left = list(owners)
                left.remove(member)
                self._owners[address] = tuple(left) if len(left) > 1 else left[0]

    def plan(self, tunnel: int) -> Iterator[Flow]:
        """Compile all of it, with an OpenFlow port for tunnels or 0 without."""
        for port in self._ports.values():
            yield from _entry(port)
        for address in self._owners:
            yield from self._to(address, tunnel)
        yield from self._flood()
        if self._uplink is not None:
            yield from self._through_uplink(self._uplink)
        if self._peers:
            yield from self._through_tunnels(self._strange, tunnel)

    def compile(self, touched: Touched, tunnel: int) -> list[Flow]:
        """Compile a part of it, as `plan` does."""
        if touched.is_all:
            return list(self.plan(tunnel))
        self._spread(touched)
        flows: list[Flow] = []
        for ofport in touched.ports:
            if ofport in self._ports:
                flows += _entry(self._ports[ofport])
        for address in touched.addresses:
            flows += self._to(address, tunnel)
        if touched.ports:
            flows += self._flood()
        if touched.peers:
            strange = (peer for peer in touched.peers if peer in self._strange)
            flows += self._through_tunnels(strange, tunnel)
        return flows

    def _count(self, member: RemotePort, step: int) -> None:
        """Count a remote port in or out."""
        peers = len(self._peers)
        _step(self._peers, member.address, step)
        if len(self._peers) != peers:
            self._ordered = None
        if member.mac is None:
            _step(self._strange, member.address, step)

    def _spread(self, touched: Touched) -> None:
        """Add the IP addresses that are steered by a MAC address while one has it."""
        for address in tuple(touched.addresses):
            owner = self._owner(address)
            if len(address) == _MAC and owner is not None:
                touched.addresses.update(owner.ips)

    def _to(self, address: bytes, tunnel: int) -> Iterable[Flow]:
        """Compile the way to a MAC address, or who is asked about an IP address."""
        owner = self._owner(address)
        if owner is None:
            return ()
        if isinstance(owner, RemotePort) and not self._is_reached(tunnel):
            return ()
        if len(address) != _MAC:
            return self._steered(address, owner.mac)
        if isinstance(owner, LocalPort):
            return (Flow(UNICAST, self.segment, 0, address, (owner.ofport,)),)
        peers = (owner.address,)
        return (Flow(REMOTE, self.segment, 0, address, (tunnel,), peers),)

    def _owner(self, address: bytes) -> Port | None:
        """Say who has an address, if exactly one has."""
        owner = self._owners.get(address)
        return None if isinstance(owner, tuple) else owner

    def _steered(self, address: bytes, mac: bytes | None) -> Iterable[Flow]:
        """Compile whom a question about an IP address reaches, if that is sure."""
        if mac is None or self._owner(mac) is None:
            return ()
        if len(address) != _IPV4:
            return (Flow(STEER_ND, self.segment, mac=mac, address=address),)
        return (
            Flow(STEER_ARP, self.segment, mac=mac, address=address),
            Flow(ANNOUNCED, self.segment, address=address),
        )

    def _is_reached(self, tunnel: int) -> bool:
        """Say whether remote ports are reached by tunnels."""
        return tunnel != 0 and self._uplink is None

    def _flood(self) -> list[Flow]:
        """
        Compile how frames reach every local port.

        More ports than one message can name are spread over several tables by
        their number, so that a change rewrites one part only.
        """
        if self._ofports is None:
            self._ofports = tuple(sorted(self._ports))
        ofports = self._ofports
        if not ofports:
            return []
        if len(ofports) <= FLOOD_MEMBERS:
            return [Flow(FLOOD, self.segment, outputs=ofports)]
        last = ofports[-1] // FLOOD_MEMBERS
        parts: list[list[int]] = [[] for _ in range(last + 1)]
        for ofport in ofports:
            parts[ofport // FLOOD_MEMBERS].append(ofport)
        shapes = (*FLOOD_PARTS[:last], FLOOD_LASTS[last])
        return [
            Flow(shape, self.segment, outputs=tuple(part))
            for shape, part in zip(shapes, parts, strict=True)
        ]

    def _through_uplink(self, uplink: Uplink) -> Iterator[Flow]:
        """Compile how frames come and go by the uplink."""
        segment, ofport, vlan = self.segment, uplink.ofport, uplink.vlan
        yield Flow(FROM_UPLINK, segment, ofport, vlan=vlan)
        yield Flow(HINTED_UPLINK, segment, ofport, outputs=(ofport,), vlan=vlan)
        yield Flow(OUTWARD_UPLINK, segment, outputs=(ofport,), vlan=vlan)

    def _through_tunnels(self, strange: Iterable[bytes], tunnel: int) -> Iterator[Flow]:
        """
        Compile how frames come from hypervisors and reach all of them.

        Those that have ``strange`` ports are reached by hints besides.
        """
        if not self._peers or not self._is_reached(tunnel):
            return
        segment, outputs = self.segment, (tunnel,)
        yield Flow(
            FROM_PEERS_LEARNING if self._strange else FROM_PEERS, segment, tunnel
        )
        for peer in strange:
            yield Flow(
                HINTED_PEER, segment, outputs=outputs, peers=(peer,), address=peer
            )
        if self._ordered is None:
            self._ordered = tuple(sorted(self._peers))
        peers = self._ordered
        for part, shape in enumerate(OUTWARD_PEERS_PARTS):
            # The whole slice of a tuple is that tuple, which is soon compared.
            some = peers[part * OUTWARD_PEERS : (part + 1) * OUTWARD_PEERS]
            if some:
                yield Flow(shape, segment, outputs=outputs, peers=some)


def _addresses(member: Port) -> Iterable[bytes]:
    """List what a port is known to be called."""
    if not member.ips:
        return () if member.mac is None else (member.mac,)
    return {*member.ips, member.mac} if member.mac is not None else set(member.ips)


def _entry(port: LocalPort) -> Iterable[Flow]:
    """Compile how frames come in by a port: to which network, from which address."""
    ofport, segment = port.ofport, port.segment
    entry = Flow(CLASSIFY, segment, ofport)
    if port.mac is not None:
        return entry, Flow(SOURCE_CHECKED, segment, ofport, port.mac)
    hinted = Flow(HINTED_PORT, segment, ofport, outputs=(ofport,))
    return entry, Flow(SOURCE_LEARNED, segment, ofport), hinted


def _step(counts: dict[bytes, int], address: bytes, step: int) -> None:
    """Count up or down, and forget what there is none of."""
    count = counts.get(address, 0) + step
    if count:
        counts[address] = count
    else:
        del counts[address]
