# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""Where each interface is, and what that means for its port."""

from attrs import Factory, define, field

from quantum.model import Binding
from quantum.openflow.facts import SeenInterface
from quantum.openflow.member import LocalPort, uplink_key
from quantum.openflow.status import Sighting
from quantum.plugins.openvswitch.claims import Claims
from quantum.plugins.openvswitch.mtus import OVERHEAD, Mtus
from quantum.plugins.openvswitch.spans import Spans
from quantum.plugins.openvswitch.switch import Switch

Place = tuple[Switch, str]
"""A switch, and the interface's name on it."""


@define(eq=False)
class Whereabouts:
    """
    The places of each interface: nearly always one, by mistake or migration more.

    The first place carries the traffic, and the others are refused until it is
    gone, or its switch is out of reach and another is not.
    """

    _spans: Spans
    _mtus: Mtus
    places: Claims[str, Place] = field(
        default=Factory(lambda: Claims(lambda place: place[0].is_in_reach))
    )

    def sighting(self, binding: Binding) -> Sighting | None:
        """Say how a plugged interface is seen; None if it is not."""
        places = self.places.claimants(binding.attachment)
        if not places:
            return None
        switch, name = places[0]
        seen = switch.seen(name)
        is_carrier = seen is not None and switch.carrier(seen.ofport) is seen
        ofport = seen.ofport if seen is not None and is_carrier else 0
        elsewhere = () if len(places) == 1 else _names(places[1:])
        return Sighting(
            name,
            ofport,
            switch.hypervisor,
            switch.datapath_id,
            switch.session.phase,
            _fate(switch, ofport, binding),
            elsewhere,
            "" if seen is None else problem(switch, seen, binding),
            "" if seen is None else self._note(switch, seen, binding),
        )

    def _note(self, switch: Switch, seen: SeenInterface, binding: Binding) -> str:
        """Say what is worth knowing of a port though it is up."""
        if binding.vlan is None and switch.solitude:
            if self._spans.spans_others(switch, binding.segment_id):
                return f"it does not reach other hypervisors: {switch.solitude}"
        elif seen.mtu and (limit := self._limit(switch, binding)) and seen.mtu > limit:
            return f"its MTU of {seen.mtu} is more than its network's {limit}"
        return ""

    def _limit(self, switch: Switch, binding: Binding) -> int | None:
        """Say what the largest packet is that leaves a switch, if it is known."""
        limit = self._mtus.of(binding.vlan)
        if binding.vlan is None and limit and switch.underlay.mtu:
            return min(limit, switch.underlay.mtu - OVERHEAD)
        return limit


def carried(switch: Switch, seen: SeenInterface, binding: Binding) -> LocalPort | None:
    """Say what an interface's port should carry."""
    if not binding.is_active or problem(switch, seen, binding):
        return None
    return LocalPort(seen.ofport, binding.segment_id, seen.mac, seen.ips)


def _names(places: tuple[Place, ...]) -> tuple[str, ...]:
    """Name places for people."""
    return tuple(f"{switch.hypervisor} ({alias})" for switch, alias in places)


def _fate(switch: Switch, ofport: int, binding: Binding) -> str | None:
    """Say why a port does not carry what it should, as `Session.fate` does."""
    fate = switch.session.fate(ofport)
    if fate is None and binding.vlan is not None:
        fate = switch.session.fate(uplink_key(binding.segment_id))
        return f"the VLAN's uplink: {fate}" if fate else fate
    return fate


def problem(switch: Switch, seen: SeenInterface, binding: Binding) -> str:
    """Say why an interface cannot be connected there, if so."""
    vlan = binding.vlan
    if not seen.problem and switch.is_disputed(seen):
        return (
            f"the switch says that its OpenFlow port {seen.ofport} is gone or another's"
        )
    if vlan is None or seen.problem or switch.uplink(vlan.physical_network):
        return seen.problem
    return (
        f"hypervisor {switch.hypervisor} has no physical network"
        f" {vlan.physical_network}"
    )
