# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""What is left of segments and VLANs, or who has it all."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet

from attrs import define

from quantum.errors import (
    Malformed,
    PhysicalNetworkUnknown,
    SegmentsExhausted,
    VlanInUse,
    VlanNotAllowed,
)
from quantum.model import Vlan
from quantum.ranges import VLANS, Span
from quantum.storage.catalogue import Catalogue
from quantum.storage.outlook import Outlook
from quantum.storage.segments import Pool


@define
class Supply:
    """
    Chooses what nobody has, as the outlook says.

    Nothing is reserved: whoever drafts without recording leaves no trace.
    """

    _catalogue: Catalogue
    _outlook: Outlook
    _segments: Pool
    _vlans: Mapping[str, Pool]

    def segment(self) -> int:
        """
        Choose a segment for a new network.

        :raise SegmentsExhausted: There is none.
        """
        taken, coming = self._catalogue.segments, self._outlook.segments
        pool = self._segments
        chosen = pool.pick(taken, coming)
        if chosen is None:
            resting = self._catalogue.quarantined
            raise _exhausted(pool, len(resting) - len(resting & self._catalogue.others))
        pool.note(len(taken) + len(coming) + 1)
        return chosen

    def vlan(self, physical_network: str, vlan_id: int | None) -> Vlan:
        """
        Choose a VLAN, or see whether the one that was named is free.

        :raise PhysicalNetworkUnknown: The configuration names no such one.
        :raise VlanNotAllowed: The pool does not have this VLAN.
        :raise VlanInUse: Another network has it, or had it and may be carried still.
        :raise SegmentsExhausted: Every VLAN of the pool is in use.
        :raise Malformed: None was named, and there is no pool to choose from.
        """
        pool = self._vlans.get(physical_network)
        if pool is None:
            raise PhysicalNetworkUnknown(physical_network, tuple(sorted(self._vlans)))
        taken = self._taken(physical_network)
        if vlan_id is None:
            vlan_id = self._pick(pool, physical_network, taken)
        else:
            _refuse_foreign(pool, physical_network, vlan_id)
            if vlan_id in taken:
                raise VlanInUse(physical_network, vlan_id)
        pool.note(1 + sum(number in pool.ranges for number in taken))
        return Vlan(physical_network, vlan_id)

    def _taken(self, physical_network: str) -> AbstractSet[int]:
        """List the VLANs that are taken, or will be."""
        coming = self._outlook.vlans.numbers(physical_network)
        return self._catalogue.vlans.numbers(physical_network) | coming

    def _pick(self, pool: Pool, physical_network: str, taken: AbstractSet[int]) -> int:
        """Choose one of the pool's VLANs."""
        if not pool.size:
            raise Malformed(
                f"The physical network {physical_network} has no pool of VLANs"
                " to choose from: name one by its vlan_id"
            )
        chosen = pool.pick({number for number in taken if number in pool.ranges})
        if chosen is None:
            holders = self._catalogue.vlans.segments(physical_network)
            resting = self._catalogue.quarantined & holders.keys()
            waiting = sum(holders[segment] in pool.ranges for segment in resting)
            raise _exhausted(pool, waiting)
        return chosen


def _exhausted(pool: Pool, quarantined: int) -> SegmentsExhausted:
    """Say that a pool is exhausted, and by whom."""
    size = pool.size
    return SegmentsExhausted(pool.name, size, size - quarantined, quarantined)


def _refuse_foreign(pool: Pool, physical_network: str, vlan_id: int) -> None:
    """Refuse a VLAN that the pool does not have; without a pool any VLAN may be."""
    allowed = pool.ranges if pool.size else Span(*VLANS)
    if vlan_id not in allowed:
        raise VlanNotAllowed(physical_network, vlan_id, str(allowed))
