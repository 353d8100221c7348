# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""What should follow from what OVSDB has told, worked out as simply as can be."""

from collections.abc import Iterable

from attrs import define, field

from quantum.model import Binding
from quantum.openflow.facts import SeenInterface, Underlay
from quantum.openflow.member import (
    LocalPort,
    Member,
    RemotePort,
    Uplink,
    remote_key,
    uplink_key,
)

from .words import Described, Words


@define
class Told:
    """
    Interfaces by switch and name, and who was first where.

    ``in_reach`` are the switches of which somebody could tell something, or could
    a moment ago.
    """

    seen: dict[int, dict[str, SeenInterface]] = field(factory=dict)
    underlays: dict[int, Underlay] = field(factory=dict)
    in_reach: set[int] = field(factory=set)
    places: dict[str, list[tuple[int, str]]] = field(factory=dict)
    addresses: dict[bytes, list[int]] = field(factory=dict)
    words: dict[int, Words] = field(factory=dict)

    def reach(self, datapath_id: int) -> None:
        """Take note that a switch is in reach."""
        self.in_reach.add(datapath_id)
        self._settle()

    def miss(self, some: set[int]) -> None:
        """Take note that switches are out of reach."""
        self.in_reach -= some
        self._settle()

    def all(self, datapath_id: int, present: list[SeenInterface]) -> None:
        """Take a whole picture."""
        names = {interface.name for interface in present}
        known = list(self.seen.get(datapath_id, {}))
        self.some(datapath_id, [name for name in known if name not in names], present)

    def some(
        self, datapath_id: int, gone: list[str], present: list[SeenInterface]
    ) -> None:
        """Take a change."""
        seen = self.seen.setdefault(datapath_id, {})
        for name in gone:
            self._forget(datapath_id, name)
        for interface in present:
            before = seen.get(interface.name)
            if before is not None and before.attachment != interface.attachment:
                self._forget(datapath_id, interface.name)
            place = (datapath_id, interface.name)
            self._succeed(datapath_id, interface)
            seen.pop(interface.name, None)
            seen[interface.name] = interface
            places = self.places.setdefault(interface.attachment, [])
            if place not in places:
                places.append(place)
        self._settle()

    def describe(self, datapath_id: int, ports: dict[int, Described]) -> None:
        """Take note of a new connection, and of the ports that it describes."""
        words = self.words[datapath_id] = Words()
        words.describe(ports, set(self.carriers(datapath_id)) - {0})

    def name(self, datapath_id: int, ofport: int, name: bytes, is_gone: bool) -> None:
        """Take note of a port's name, or that the one with this name is gone."""
        carrier = self.carriers(datapath_id).get(ofport)
        is_missed = carrier is not None and Described.of(carrier.name).name == name
        words = self.words.setdefault(datapath_id, Words())
        words.say(ofport, None if is_gone else name, is_missed)

    def is_disputed(self, datapath_id: int, seen: SeenInterface) -> bool:
        """Say whether a connected switch contradicts the database."""
        words = self.words.get(datapath_id)
        return words is not None and words.dispute(seen)

    def carriers(self, datapath_id: int) -> dict[int, SeenInterface]:
        """Say whose each OpenFlow port is: of several the last one told has it."""
        return {i.ofport: i for i in self.seen.get(datapath_id, {}).values()}

    def underlay(self, datapath_id: int, underlay: Underlay) -> None:
        """Take note of what a switch reaches others by."""
        before = self.underlays.get(datapath_id, Underlay()).address
        self.underlays[datapath_id] = underlay
        if before != underlay.address:
            if before:
                self.addresses[before].remove(datapath_id)
            if underlay.address:
                self.addresses.setdefault(underlay.address, []).append(datapath_id)
        self._settle()

    def first(self, attachment: str) -> tuple[int, SeenInterface] | None:
        """Say where an interface is to be carried."""
        places = self.places.get(attachment)
        if not places:
            return None
        datapath_id, name = places[0]
        return datapath_id, self.seen[datapath_id][name]

    def ports(self, datapath_id: int, bindings: list[Binding]) -> dict[int, LocalPort]:
        """Say what the ports of a switch should carry, from nothing."""
        last = self.carriers(datapath_id)
        ports = {}
        for binding in bindings:
            place = self.first(binding.attachment)
            if place is None or place[0] != datapath_id or not binding.is_active:
                continue
            interface = place[1]
            is_carrier = interface.ofport and last[interface.ofport] is interface
            if self.is_disputed(datapath_id, interface):
                continue
            if is_carrier and self.is_led_out(datapath_id, binding):
                ports[interface.ofport] = LocalPort(
                    *(interface.ofport, binding.segment_id),
                    *(interface.mac, interface.ips),
                )
        return ports

    def is_led_out(self, datapath_id: int, binding: Binding) -> bool:
        """Say whether a switch has the physical network of a port, if it needs one."""
        vlan = binding.vlan
        return vlan is None or vlan.physical_network in self.uplinks(datapath_id)

    def uplinks(self, datapath_id: int) -> dict[str, int]:
        """List the physical networks of a switch."""
        return dict(self.underlays.get(datapath_id, Underlay()).uplinks)

    def is_reached(self, datapath_id: int) -> bool:
        """Say whether others reach a switch."""
        underlay = self.underlays.get(datapath_id, Underlay())
        owners = self.addresses.get(underlay.address, [])
        return owners[:1] == [datapath_id] and underlay.tunnel != 0

    def tunnel(self, datapath_id: int) -> int:
        """Say which OpenFlow port a switch's tunnels should have."""
        return self.underlays[datapath_id].tunnel if self.is_reached(datapath_id) else 0

    def members(
        self, datapath_id: int, switches: Iterable[int], bindings: list[Binding]
    ) -> dict[int, Member]:
        """Say all that a switch should know."""
        members: dict[int, Member] = dict(self.ports(datapath_id, bindings))
        carried = {port.segment for port in self.ports(datapath_id, bindings).values()}
        vlans = {b.segment_id: b.vlan for b in bindings if b.vlan is not None}
        for segment in carried & vlans.keys():
            vlan = vlans[segment]
            ofport = self.uplinks(datapath_id)[vlan.physical_network]
            members[uplink_key(segment)] = Uplink(ofport, segment, vlan.vlan_id)
        for other in switches:
            if other == datapath_id or not self.is_reached(other):
                continue
            address = self.underlays[other].address
            for ofport, port in self.ports(other, bindings).items():
                if port.segment in carried - vlans.keys():
                    members[remote_key(other, ofport)] = RemotePort(
                        address, port.segment, port.mac, port.ips
                    )
        return members

    def _settle(self) -> None:
        """Let what is in reach come before what is not, where that is first."""
        for places in self.places.values():
            if places and places[0][0] not in self.in_reach:
                places.sort(key=lambda place: place[0] not in self.in_reach)
        for owners in self.addresses.values():
            if owners and owners[0] not in self.in_reach:
                owners.sort(key=lambda owner: owner not in self.in_reach)

    def _forget(self, datapath_id: int, name: str) -> None:
        before = self.seen[datapath_id].get(name)
        if before is not None:
            self._release(datapath_id, before)
        self.seen[datapath_id].pop(name, None)
        if before is not None:
            self.places[before.attachment].remove((datapath_id, name))

    def _succeed(self, datapath_id: int, interface: SeenInterface) -> None:
        """Let nothing that was said of others' ports count for an interface."""
        before = self.seen[datapath_id].get(interface.name)
        if before is not None and before.ofport != interface.ofport:
            self._release(datapath_id, before)
        owner = self.carriers(datapath_id).get(interface.ofport)
        if datapath_id in self.words and owner is not before:
            self.words[datapath_id].missed.discard(interface.ofport)

    def _release(self, datapath_id: int, before: SeenInterface) -> None:
        """Take note that an interface has its OpenFlow port no more."""
        is_carrier = self.carriers(datapath_id)[before.ofport] is before
        if is_carrier and datapath_id in self.words:
            self.words[datapath_id].missed.discard(before.ofport)
