# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
Which VLANs are taken, and by which segments.

A VLAN belongs to a segment, not to a network: it is taken until its segment has
left quarantine, because a switch may carry it as long.
"""

from collections.abc import Set as AbstractSet

from attrs import define, field

from quantum.model import Vlan


@define
class Vlans:
    """VLANs, found by their segment or by their physical network."""

    _by_segment: dict[int, Vlan] = field(factory=dict, init=False)
    _numbers: dict[str, set[int]] = field(factory=dict, init=False)

    def of(self, segment_id: int) -> Vlan | None:
        """Find the VLAN that a segment has taken, if it has."""
        return self._by_segment.get(segment_id)

    def numbers(self, physical_network: str) -> AbstractSet[int]:
        """List which VLANs of a physical network are taken."""
        return self._numbers.get(physical_network, frozenset())

    def segments(self, physical_network: str) -> dict[int, int]:
        """List who has taken VLANs of a physical network: VLANs by segment."""
        return {
            segment_id: vlan.vlan_id
            for segment_id, vlan in self._by_segment.items()
            if vlan.physical_network == physical_network
        }

    def take(self, segment_id: int, vlan: Vlan) -> None:
        """Let a segment, which has none, have a VLAN."""
        self._by_segment[segment_id] = vlan
        self._numbers.setdefault(vlan.physical_network, set()).add(vlan.vlan_id)

    def free(self, segment_id: int) -> None:
        """Take a segment's VLAN away again, if it has one."""
        vlan = self._by_segment.pop(segment_id, None)
        if vlan is not None:
            numbers = self._numbers[vlan.physical_network]
            numbers.discard(vlan.vlan_id)
            if not numbers:
                del self._numbers[vlan.physical_network]
