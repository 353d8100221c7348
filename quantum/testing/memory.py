# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""The core verbs in a few dictionaries, answered at once and forgotten at exit."""

from itertools import count
from uuid import uuid4

from attrs import define, field
from msgspec.structs import replace
from zope.interface import implementer

from quantum.errors import (
    AlreadyAttached,
    AlreadyBound,
    Malformed,
    NetworkInUse,
    NetworkNotFound,
    PhysicalNetworkUnknown,
    PortInUse,
    PortNotFound,
    SegmentsExhausted,
    VlanInUse,
    VlanNotAllowed,
)
from quantum.interfaces import IProviderNetworks, IQuantumPlugin
from quantum.model import ADMIN_DOWN, UNATTACHED, UP, AdminState, Network, Port, Vlan
from quantum.ranges import VLANS, Ranges, Span


@implementer(IQuantumPlugin, IProviderNetworks)
@define
class MemoryPlugin:
    """
    The smallest plugin that keeps the contracts: for tests of what is above.

    ``pools`` are the VLANs of each physical network; of an empty one any VLAN
    may be named.
    """

    pools: dict[str, Ranges] = field(factory=dict)
    all_networks: dict[str, Network] = field(factory=dict, init=False)
    all_ports: dict[str, Port] = field(factory=dict, init=False)
    _segments: "count[int]" = field(factory=lambda: count(1), init=False)

    def networks(self, tenant_id: str) -> list[Network]:
        return [n for n in self.all_networks.values() if n.tenant_id == tenant_id]

    def network(self, tenant_id: str, network_id: str) -> Network:
        network = self.all_networks.get(network_id)
        if network is None or network.tenant_id != tenant_id:
            raise NetworkNotFound(network_id)
        return network

    def create_network(self, tenant_id: str, name: str) -> Network:
        network = Network(str(uuid4()), tenant_id, name, next(self._segments))
        self.all_networks[network.id] = network
        return network

    def rename_network(self, tenant_id: str, network_id: str, name: str) -> Network:
        network = replace(self.network(tenant_id, network_id), name=name)
        self.all_networks[network_id] = network
        return network

    def delete_network(self, tenant_id: str, network_id: str) -> None:
        ports = self.ports(tenant_id, network_id)
        if any(port.attachment is not None for port in ports):
            raise NetworkInUse(network_id)
        for port in ports:
            del self.all_ports[port.id]
        del self.all_networks[network_id]

    def mtu(self, network: Network) -> int | None:  # noqa: ARG002  (of any)
        return None

    def any_network(self, network_id: str) -> Network:
        network = self.all_networks.get(network_id)
        if network is None:
            raise NetworkNotFound(network_id)
        return network

    async def bind_vlan(
        self, network_id: str, physical_network: str, vlan_id: int | None
    ) -> Network:
        network = self.any_network(network_id)
        if network.vlan is not None:
            bound = network.vlan
            raise AlreadyBound(network_id, bound.physical_network, bound.vlan_id)
        ports = self.ports(network.tenant_id, network_id)
        if any(port.attachment is not None for port in ports):
            raise NetworkInUse(network_id)
        vlan = Vlan(physical_network, self._choose(physical_network, vlan_id))
        self.all_networks[network_id] = replace(network, vlan=vlan)
        return self.all_networks[network_id]

    def _choose(self, physical_network: str, vlan_id: int | None) -> int:
        """Choose a VLAN that nobody has, or refuse the one that was named."""
        if physical_network not in self.pools:
            raise PhysicalNetworkUnknown(physical_network, tuple(sorted(self.pools)))
        pool = self.pools[physical_network]
        vlans = [network.vlan for network in self.all_networks.values()]
        taken = {
            v.vlan_id for v in vlans if v and v.physical_network == physical_network
        }
        if vlan_id is None:
            if not pool:
                raise Malformed(f"{physical_network} has no pool: name a VLAN")
            free = [number for number in pool if number not in taken]
            if not free:
                name = f"VLANs {pool} of {physical_network}"
                raise SegmentsExhausted(name, len(pool), len(pool), 0)
            return free[0]
        allowed = pool or Span(*VLANS)
        if vlan_id not in allowed:
            raise VlanNotAllowed(physical_network, vlan_id, str(allowed))
        if vlan_id in taken:
            raise VlanInUse(physical_network, vlan_id)
        return vlan_id

    def ports(self, tenant_id: str, network_id: str) -> list[Port]:
        self.network(tenant_id, network_id)
        return [p for p in self.all_ports.values() if p.network_id == network_id]

    def port(self, tenant_id: str, network_id: str, port_id: str) -> Port:
        self.network(tenant_id, network_id)
        port = self.all_ports.get(port_id)
        if port is None or port.network_id != network_id:
            raise PortNotFound(port_id, network_id)
        return port

    def create_port(
        self, tenant_id: str, network_id: str, admin_state: AdminState
    ) -> Port:
        self.network(tenant_id, network_id)
        return self._put(Port(str(uuid4()), network_id, admin_state))

    def set_port_state(
        self, tenant_id: str, network_id: str, port_id: str, admin_state: AdminState
    ) -> Port:
        port = self.port(tenant_id, network_id, port_id)
        return self._put(replace(port, admin_state=admin_state))

    def delete_port(self, tenant_id: str, network_id: str, port_id: str) -> None:
        self._free(tenant_id, network_id, port_id)
        del self.all_ports[port_id]

    def plug(
        self, tenant_id: str, network_id: str, port_id: str, attachment: str
    ) -> Port:
        port = self._free(tenant_id, network_id, port_id)
        for other in self.all_ports.values():
            if other.attachment == attachment:
                owner = self.all_networks[other.network_id].tenant_id
                holder = other.id if owner == tenant_id else ""
                raise AlreadyAttached(attachment, port_id, network_id, holder)
        return self._put(replace(port, attachment=attachment))

    def unplug(self, tenant_id: str, network_id: str, port_id: str) -> Port:
        port = self.port(tenant_id, network_id, port_id)
        return self._put(replace(port, attachment=None))

    def _free(self, tenant_id: str, network_id: str, port_id: str) -> Port:
        """Look up a port, and refuse one with something plugged into it."""
        port = self.port(tenant_id, network_id, port_id)
        if port.attachment is not None:
            raise PortInUse(port_id, network_id, port.attachment)
        return port

    def _put(self, port: Port) -> Port:
        """Keep a port, with the status that a perfect fabric would report."""
        status = UP if port.admin_state is AdminState.ACTIVE else ADMIN_DOWN
        if port.attachment is None:
            status = UNATTACHED
        self.all_ports[port.id] = replace(port, status=status)
        return self.all_ports[port.id]
