# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
Where frames come in and go out: a port, or a part of a port that many share.

A tunnel port is shared by virtual network identifiers, an uplink by VLANs; what
comes in by either is from outside.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Final

from attrs import define, field
from msgspec import Struct

from quantum.openflow.verify.deeds import Output, Sending
from quantum.openflow.verify.fields import IN_PORT, TUN_DST, TUN_ID, VLAN
from quantum.openflow.verify.header import TAGGED, Headers, Pattern
from quantum.openflow.verify.rule import Place, Rule


class Tunnel(Struct, frozen=True, gc=False):
    """
    Frames of one virtual network identifier in a tunnel port.

    Without ``tun_id`` it is all that is not named.  ``address`` (IPv4, 4 bytes) is
    the hypervisor that frames are sent to, or empty where flows do not say; without
    (None) it is every hypervisor.
    """

    ofport: int
    tun_id: int | None = None
    address: bytes | None = None

    def __str__(self) -> str:
        """Say it."""
        to = f" to {'.'.join(map(str, self.address))}" if self.address else ""
        number = "an unnamed identifier" if self.tun_id is None else self.tun_id
        return f"tunnel port {self.ofport}{to} with {number}"


class Trunk(Struct, frozen=True, gc=False):
    """
    Frames of one VLAN in an uplink, or (0) those without a tag.

    Without ``vlan`` it is all that is not named.
    """

    ofport: int
    vlan: int | None = None

    def __str__(self) -> str:
        """Say it."""
        named = {None: "with an unnamed VLAN", 0: "untagged"}
        return f"uplink {self.ofport} {named.get(self.vlan, f'with VLAN {self.vlan}')}"


Gate = int | Tunnel | Trunk
"""An int is an OpenFlow port that is neither a tunnel nor an uplink."""

_ANY_TAG: Final = TAGGED << VLAN.shift


def ofport_of(gate: Gate) -> int:
    """Give the OpenFlow port."""
    return gate if isinstance(gate, int) else gate.ofport


def gate_words(gate: Gate) -> str:
    """Say where it is."""
    return f"port {gate}" if isinstance(gate, int) else str(gate)


@define
class Gates:
    """
    Which network each gate carries, and what flows make of that.

    A `Tunnel` with an address is a hypervisor that the network may be sent to; of
    a network without any, every hypervisor is.
    """

    networks: Mapping[Gate, int]
    shared: dict[int, set[Gate]] = field(init=False, factory=dict)
    """By the OpenFlow port of tunnels and uplinks: their gates."""
    _tunnels: set[int] = field(init=False, factory=set)
    _limited: set[Gate] = field(init=False, factory=set)

    def __attrs_post_init__(self) -> None:
        for gate in self.networks:
            self._share(gate)

    def sources(self, rules: Iterable[Rule]) -> set[Gate]:
        """List every gate that is known or that rules name, and those for the rest."""
        for rule in rules:
            gate = self._named(rule.value, rule.mask)
            if gate is not None:
                self.shared[ofport_of(gate)].add(gate)
        ports: set[Gate] = {gate for gate in self.networks if isinstance(gate, int)}
        return ports.union(*self.shared.values())

    def asked(self, own: Pattern, among: Collection[Gate]) -> set[Gate]:
        """List the gates of the port that is asked for of frames themselves."""
        port = IN_PORT.of(own.value)
        if port not in self.shared:
            return {port}
        named = self._named(own.value, own.mask)
        found = self.shared[port] if named is None else {named}
        return {gate for gate in found if gate in among}

    def entering(self, gate: Gate) -> Headers:
        """List the headers of frames that come in."""
        port = ofport_of(gate)
        match = Pattern(port << IN_PORT.shift, IN_PORT.bits)
        if isinstance(gate, int):
            is_known = gate in self.networks
            return Headers(match.narrowed(_NO_TUNNEL) if is_known else match)
        if isinstance(gate, Trunk):
            match = match.narrowed(_NO_TUNNEL)
        own = _pattern(gate)
        if own is not None:
            return Headers(match.narrowed(own))
        others = map(_pattern, self.shared.get(port, ()))
        return Headers(match, tuple(other for other in others if other is not None))

    def exits(self, place: Place, outputs: tuple[Output, ...]) -> tuple[Gate, ...]:
        """Say by which gates outputs at a place are."""
        if not outputs:
            return ()
        if not self.shared:
            return tuple(o.port if isinstance(o, Sending) else o for o in outputs)
        shared = self.shared
        return tuple(
            output
            if isinstance(output, int) and output not in shared
            else self._exit(place, output)
            for output in outputs
        )

    def network(self, gate: Gate) -> int | None:
        """Say which network a gate carries, if any."""
        if isinstance(gate, int):
            return self.networks.get(gate)
        if isinstance(gate, Tunnel):
            every = Tunnel(gate.ofport, gate.tun_id)
            if gate.address is None or every not in self._limited:
                return self.networks.get(every)
        return self.networks.get(gate)

    def _share(self, gate: Gate) -> None:
        if isinstance(gate, int):
            return
        others = Tunnel(gate.ofport) if isinstance(gate, Tunnel) else Trunk(gate.ofport)
        held = self.shared.setdefault(gate.ofport, {others})
        if isinstance(gate, Tunnel):
            self._tunnels.add(gate.ofport)
            if gate.address is not None:
                gate = Tunnel(gate.ofport, gate.tun_id)
                self._limited.add(gate)
        held.add(gate)

    def _named(self, value: int, mask: int) -> Gate | None:
        """Say which part of a shared port is asked for, if it is one."""
        port = IN_PORT.of(value)
        if not mask & IN_PORT.bits or port not in self.shared:
            return None
        if port in self._tunnels:
            is_one = mask & TUN_ID.bits == TUN_ID.bits
            return Tunnel(port, TUN_ID.of(value)) if is_one else None
        return _trunk(port, value, mask)

    def _exit(self, place: Place, output: Output) -> Gate:
        sending = Sending(output, Pattern()) if isinstance(output, int) else output
        port, writes = sending.port, sending.writes
        if port not in self.shared:
            return port
        value = place.value & ~writes.mask | writes.value
        mask = place.mask | writes.mask
        if port not in self._tunnels:
            return _trunk(port, value, mask) or Trunk(port)
        number = TUN_ID.of(value) if mask & TUN_ID.bits else None
        peer = TUN_DST.of(value).to_bytes(4, "big") if mask & TUN_DST.bits else b""
        return Tunnel(port, number, peer)


_NO_TUNNEL: Final = Pattern(0, TUN_ID.bits)


def _trunk(port: int, value: int, mask: int) -> Trunk | None:
    """Read the VLAN that is asked for or given, if it is one."""
    if mask & VLAN.bits == VLAN.bits and value & _ANY_TAG:
        return Trunk(port, VLAN.of(value) & ~TAGGED)
    is_untagged = mask & _ANY_TAG and not value & _ANY_TAG
    return Trunk(port, 0) if is_untagged else None


def _pattern(gate: Gate) -> Pattern | None:
    """Say what frames of a part of a port have in common; None for the rest of it."""
    if isinstance(gate, Tunnel) and gate.tun_id is not None:
        return Pattern(gate.tun_id << TUN_ID.shift, TUN_ID.bits)
    if isinstance(gate, Trunk) and gate.vlan is not None:
        if not gate.vlan:
            return Pattern(0, _ANY_TAG)
        return Pattern((gate.vlan | TAGGED) << VLAN.shift, VLAN.bits)
    return None
