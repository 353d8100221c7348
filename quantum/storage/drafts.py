# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
From what a tenant asks to a write, or a refusal.

Drafts are judged by the outlook.  Nothing is recorded or reserved here: a draft
that is dropped leaves no trace.
"""

from collections.abc import Callable
from sys import intern

from attrs import define

from quantum.errors import AlreadyAttached, AlreadyBound, NetworkInUse, PortInUse
from quantum.model import AdminState, Network, Port
from quantum.storage.catalogue import Catalogue
from quantum.storage.network_writes import CreateNetwork, DeleteNetwork, RenameNetwork
from quantum.storage.outlook import Outlook
from quantum.storage.port_writes import (
    CreatePort,
    DeletePort,
    Plug,
    SetState,
    Unplug,
)
from quantum.storage.supply import Supply
from quantum.storage.vlan_writes import BindVlan


@define
class Drafts:
    """The writing verbs of plugins, up to the point of recording."""

    _catalogue: Catalogue
    _outlook: Outlook
    _supply: Supply
    _new_id: Callable[[], str]

    def create_network(self, tenant_id: str, name: str) -> CreateNetwork:
        """Draft a network with a segment of its own."""
        segment_id = self._supply.segment()
        network = Network(self._new_id(), intern(tenant_id), name, segment_id)
        return CreateNetwork(network)

    def bind_vlan(
        self, network_id: str, physical_network: str, vlan_id: int | None
    ) -> BindVlan:
        """Draft that a network, of whichever tenant, runs over a VLAN."""
        network = self._outlook.any_network(network_id)
        if network.vlan is not None:
            bound = network.vlan
            raise AlreadyBound(network_id, bound.physical_network, bound.vlan_id)
        if self._outlook.has_plugs(network):
            raise NetworkInUse(network_id)
        return BindVlan(network, self._supply.vlan(physical_network, vlan_id))

    def rename_network(
        self, tenant_id: str, network_id: str, name: str
    ) -> RenameNetwork:
        """Draft another name for a network."""
        return RenameNetwork(self._outlook.network(tenant_id, network_id), name)

    def delete_network(self, tenant_id: str, network_id: str) -> DeleteNetwork:
        """Draft the end of a network."""
        network = self._outlook.network(tenant_id, network_id)
        if self._outlook.is_in_use(network):
            raise NetworkInUse(network_id)
        return DeleteNetwork(network)

    def create_port(
        self, tenant_id: str, network_id: str, admin_state: AdminState
    ) -> CreatePort:
        """Draft a port with nothing plugged into it."""
        network = self._outlook.network(tenant_id, network_id)
        return CreatePort(Port(self._new_id(), network.id, admin_state))

    def set_port_state(
        self, tenant_id: str, network_id: str, port_id: str, admin_state: AdminState
    ) -> SetState:
        """Draft another admin state."""
        port = self._outlook.port(tenant_id, network_id, port_id)
        return SetState(port, admin_state)

    def delete_port(self, tenant_id: str, network_id: str, port_id: str) -> DeletePort:
        """Draft the end of a port."""
        return DeletePort(self._free_port(tenant_id, network_id, port_id))

    def plug(
        self, tenant_id: str, network_id: str, port_id: str, attachment: str
    ) -> Plug:
        """Draft that an interface is plugged into a port."""
        port = self._free_port(tenant_id, network_id, port_id)
        other = self._outlook.holder(attachment)
        if other is not None:
            owner = self._catalogue.expect_network(other.network_id).tenant_id
            holder = other.id if owner == tenant_id else ""
            raise AlreadyAttached(attachment, port_id, network_id, holder)
        return Plug(port, attachment)

    def unplug(self, tenant_id: str, network_id: str, port_id: str) -> Unplug:
        """Draft that nothing is plugged into a port."""
        return Unplug(self._outlook.port(tenant_id, network_id, port_id))

    def _free_port(self, tenant_id: str, network_id: str, port_id: str) -> Port:
        """Look up a port, and refuse one with something plugged into it."""
        port = self._outlook.port(tenant_id, network_id, port_id)
        if port.attachment is not None:
            raise PortInUse(port_id, network_id, port.attachment)
        return port
