# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""The writes that bind networks to VLANs, and let go of them."""

from collections.abc import Sequence

from attrs import frozen
from msgspec.structs import replace
from sqlalchemy import (
    Integer,
    String,
    bindparam,
    cast,
    delete,
    exists,
    insert,
    select,
)

from quantum.errors import NetworkInUse, QuantumError, VlanInUse
from quantum.model import Change, Network, NetworkBound, Vlan
from quantum.storage.catalogue import Catalogue
from quantum.storage.schema import networks, ports, released_segments, vlans
from quantum.storage.write import Evidence, Step, Write

_IS_PLUGGED = exists().where(
    ports.c.network_id == networks.c.id, ports.c.interface.is_not(None)
)
# One statement, so that what it depends on cannot change in between.
_BIND = (
    insert(vlans)
    .from_select(
        ["segment_id", "physical_network", "vlan_id"],
        select(
            networks.c.segment_id,
            cast(bindparam("to_physical_network"), String(64)),
            cast(bindparam("to_vlan"), Integer),
        ).where(networks.c.id == bindparam("this"), ~_IS_PLUGGED),
    )
    # Of an INSERT, SQLAlchemy forgets it otherwise.
    .execution_options(preserve_rowcount=True)
)
_RELEASED = released_segments.c.segment_id == bindparam("this")
_FREE_VLAN = delete(vlans).where(
    vlans.c.segment_id.in_(select(released_segments.c.segment_id).where(_RELEASED))
)
_FREE = delete(released_segments).where(_RELEASED)


@frozen
class BindVlan(Write):
    """Let a network with nothing plugged in run over a VLAN."""

    before: Network
    vlan: Vlan

    @property
    def key(self) -> str:
        return self.before.id

    @property
    def change(self) -> Change:
        return NetworkBound(self.edited(self.before))

    def edited(self, value: Network) -> Network:
        return replace(value, vlan=self.vlan)

    def steps(self) -> Sequence[Step]:
        row = {
            "this": self.before.id,
            "to_physical_network": self.vlan.physical_network,
            "to_vlan": self.vlan.vlan_id,
        }
        return (Step(_BIND, row, rows=1),)

    def conflict(self) -> QuantumError:
        return VlanInUse(self.vlan.physical_network, self.vlan.vlan_id)

    def overtaken(self) -> QuantumError:
        return NetworkInUse(self.before.id)

    def evidence(self) -> Evidence:
        columns = vlans.c
        query = select(columns.physical_network, columns.vlan_id).where(
            columns.segment_id == self.before.segment_id
        )
        expected = (self.vlan.physical_network, self.vlan.vlan_id)
        return Evidence((self.before.id, "vlan"), query, expected)

    def publish(self, catalogue: Catalogue) -> tuple[Change, Network]:
        after = self.edited(catalogue.expect_network(self.before.id))
        catalogue.put_network(after)
        catalogue.vlans.take(after.segment_id, self.vlan)
        return NetworkBound(after), after


@frozen
class FreeSegment(Write):
    """Let a deleted network's segment, and its VLAN, be used again."""

    segment_id: int

    @property
    def key(self) -> str:
        return f"segment {self.segment_id}"

    def steps(self) -> Sequence[Step]:
        this = {"this": self.segment_id}
        return (Step(_FREE_VLAN, this), Step(_FREE, this))

    def evidence(self) -> Evidence:
        column = released_segments.c.segment_id
        query = select(column).where(column == self.segment_id)
        return Evidence((self.key,), query, None)

    def publish(self, catalogue: Catalogue) -> tuple[None, None]:
        catalogue.free_segment(self.segment_id)
        return None, None
