# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
What is committed, in memory: every read is answered from here.

Only `quantum.storage.publication` writes to it, after a COMMIT; only the
status board replaces statuses.  Nothing here knows of a database.
"""

from collections.abc import Iterator
from sys import intern

from attrs import define, field
from msgspec import Struct
from msgspec.structs import replace

from quantum.errors import NetworkNotFound, PortNotFound
from quantum.model import (
    ADMIN_DOWN,
    UNATTACHED,
    UP,
    AdminState,
    Binding,
    Network,
    OpStatus,
    Port,
    Status,
)
from quantum.ranges import Span
from quantum.storage.vlans import Vlans

UNREPORTED = Status(OpStatus.PROVISIONING, "no switch has reported the interface yet")
NONE_UP = Status(OpStatus.DOWN, "none of its active attached ports is up")
NONE_UP_YET = Status(OpStatus.PROVISIONING, "its ports are being set up")


def unobserved(admin_state: AdminState, attachment: str | None) -> Status:
    """Say what is known of a port's status before the fabric reports it."""
    if attachment is None:
        return UNATTACHED
    return UNREPORTED if admin_state is AdminState.ACTIVE else ADMIN_DOWN


class _Record(Struct, gc=False):
    """A network with its ports, and how many of those are in which state."""

    network: Network
    ports: dict[str, Port]
    wanted: int = 0
    up: int = 0
    provisioning: int = 0

    def count(self, port: Port, step: int) -> None:
        """Add a port to the tallies, or take it away again."""
        if port.attachment is None or port.admin_state is not AdminState.ACTIVE:
            return
        self.wanted += step
        if port.status.op_status is OpStatus.UP:
            self.up += step
        elif port.status.op_status is OpStatus.PROVISIONING:
            self.provisioning += step

    def settle(self) -> None:
        """Work out the network's status from the tallies."""
        if self.up or not self.wanted:
            status = UP
        else:
            status = NONE_UP_YET if self.provisioning else NONE_UP
        if status is not self.network.status:
            self.network = replace(self.network, status=status)


@define
class Catalogue:
    """Every network and port, found by whatever a caller knows of it."""

    segments: set[int] = field(factory=set, init=False)
    """The segments of networks, and those in quarantine."""
    others: set[int] = field(factory=set, init=False)
    """The same, of segments that the pool does not have any more."""
    quarantined: set[int] = field(factory=set, init=False)
    vlans: Vlans = field(factory=Vlans, init=False)
    switches: set[str] = field(factory=set, init=False)
    _records: dict[str, _Record] = field(factory=dict, init=False)
    _tenants: dict[str, dict[str, _Record]] = field(factory=dict, init=False)
    _homes: dict[str, str] = field(factory=dict, init=False)
    _plugged: dict[str, str] = field(factory=dict, init=False)

    def networks(self, tenant_id: str) -> list[Network]:
        """List the tenant's networks."""
        records = self._tenants.get(tenant_id)
        return [] if records is None else [r.network for r in records.values()]

    def network(self, tenant_id: str, network_id: str) -> Network:
        """
        Look a network up.

        :raise NetworkNotFound: The tenant has no such network.
        """
        return self._record(tenant_id, network_id).network

    def ports(self, tenant_id: str, network_id: str) -> list[Port]:
        """
        List a network's ports.

        :raise NetworkNotFound: The tenant has no such network.
        """
        return list(self._record(tenant_id, network_id).ports.values())

    def port(self, tenant_id: str, network_id: str, port_id: str) -> Port:
        """
        Look a port up.

        :raise NetworkNotFound: The tenant has no such network.
        :raise PortNotFound: The network has no such port.
        """
        port = self._record(tenant_id, network_id).ports.get(port_id)
        if port is None:
            raise PortNotFound(port_id, network_id)
        return port

    def recorded_network(self, network_id: str) -> Network | None:
        """Find a network, of whichever tenant."""
        record = self._records.get(network_id)
        return None if record is None else record.network

    def recorded_port(self, port_id: str) -> Port | None:
        """Find a port, of whichever tenant."""
        home = self._homes.get(port_id)
        return None if home is None else self._records[home].ports[port_id]

    def expect_network(self, network_id: str) -> Network:
        """Look up a network that is known to be there, of whichever tenant."""
        return self._records[network_id].network

    def expect_port(self, port_id: str) -> Port:
        """Look up a port that is known to be there, of whichever tenant."""
        return self._records[self._homes[port_id]].ports[port_id]

    def holder(self, attachment: str) -> str | None:
        """Find the id of the port that an interface is plugged into."""
        return self._plugged.get(attachment)

    def has_attachments(self, network_id: str) -> bool:
        """Say whether an interface is plugged into any of the network's ports."""
        ports = self._records[network_id].ports.values()
        return any(port.attachment is not None for port in ports)

    def bound(self, attachment: str) -> Binding | None:
        """Say into which port an interface is plugged, if into any."""
        port_id = self._plugged.get(attachment)
        if port_id is None:
            return None
        record = self._records[self._homes[port_id]]
        return _binding(record.network, record.ports[port_id], attachment)

    def bindings(self) -> Iterator[Binding]:
        """List every plugged interface."""
        for attachment, port_id in self._plugged.items():
            record = self._records[self._homes[port_id]]
            yield _binding(record.network, record.ports[port_id], attachment)

    def put_network(self, network: Network) -> None:
        """Add a network, or replace it."""
        record = self._records.get(network.id)
        if record is not None:
            record.network = network
            return
        record = _Record(network, {})
        self._records[network.id] = record
        self._tenants.setdefault(intern(network.tenant_id), {})[network.id] = record
        self.segments.add(network.segment_id)

    def drop_network(self, network_id: str) -> Network:
        """Take a network and its ports away, and quarantine its segment."""
        record = self._records.pop(network_id)
        network = record.network
        siblings = self._tenants[network.tenant_id]
        del siblings[network_id]
        if not siblings:
            del self._tenants[network.tenant_id]
        for port in record.ports.values():
            del self._homes[port.id]
            self._unplug(port)
        self.quarantined.add(network.segment_id)
        return network

    def put_port(self, port: Port) -> None:
        """Add a port, or replace it."""
        record = self._records[port.network_id]
        before = record.ports.get(port.id)
        if before is None:
            self._homes[port.id] = port.network_id
        else:
            record.count(before, -1)
            if before.attachment != port.attachment:
                self._unplug(before)
        record.ports[port.id] = port
        if port.attachment is not None:
            self._plugged[port.attachment] = port.id
        record.count(port, 1)
        record.settle()

    def drop_port(self, port_id: str) -> Port:
        """Take a port away."""
        record = self._records[self._homes.pop(port_id)]
        port = record.ports.pop(port_id)
        self._unplug(port)
        record.count(port, -1)
        record.settle()
        return port

    def free_segment(self, segment_id: int) -> None:
        """End a segment's quarantine, if it is in any."""
        if segment_id in self.quarantined:
            self.quarantined.discard(segment_id)
            self.segments.discard(segment_id)
            self.others.discard(segment_id)
            self.vlans.free(segment_id)

    def sort_out(self, pool: Span) -> None:
        """Tell the segments that the pool has from those that it does not have."""
        first, last = pool.first, pool.last
        self.others = {n for n in self.segments if not first <= n <= last}
        self.segments -= self.others

    def _record(self, tenant_id: str, network_id: str) -> _Record:
        """Find the record of one of the tenant's networks."""
        record = self._records.get(network_id)
        if record is None or record.network.tenant_id != tenant_id:
            raise NetworkNotFound(network_id)
        return record

    def _unplug(self, port: Port) -> None:
        """Forget what is plugged into a port."""
        if port.attachment is not None:
            del self._plugged[port.attachment]


def _binding(network: Network, port: Port, attachment: str) -> Binding:
    """Put together what a fabric must realise for one interface."""
    is_active = port.admin_state is AdminState.ACTIVE
    return Binding(
        attachment, port.id, network.id, network.segment_id, is_active, network.vlan
    )
