# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
What will be recorded once every pending write is committed.

A new write is judged by this, so that of two that contradict each other the
second is refused at once.  Pending writes are kept, not their results: when one
fails it is taken out, and what the others make of the record is still right.
"""

from collections import Counter
from typing import TypeVar

from attrs import define, field

from quantum.errors import NetworkNotFound, PortNotFound
from quantum.model import Network, Port
from quantum.storage.catalogue import Catalogue
from quantum.storage.network_writes import CreateNetwork
from quantum.storage.port_writes import CreatePort, Plug
from quantum.storage.vlan_writes import BindVlan
from quantum.storage.vlans import Vlans
from quantum.storage.write import Write

Value = TypeVar("Value")


@define
class Outlook:
    """The catalogue, and on top of it what is on its way to the database."""

    _catalogue: Catalogue
    segments: set[int] = field(factory=set, init=False)
    """The segments of networks that are being created."""
    vlans: Vlans = field(factory=Vlans, init=False)
    """The VLANs that networks are being bound to."""
    _edits: dict[str, list[Write]] = field(factory=dict, init=False)
    _plugs: dict[str, list[str]] = field(factory=dict, init=False)
    _arrivals: Counter[str] = field(factory=Counter, init=False)

    def add(self, write: Write) -> None:
        """Take a write into account."""
        match write:
            case CreateNetwork(network):
                self.segments.add(network.segment_id)
            case CreatePort(port):
                self._arrivals[port.network_id] += 1
            case _:
                if isinstance(write, Plug):
                    self._plugs.setdefault(write.attachment, []).append(write.key)
                elif isinstance(write, BindVlan):
                    self.vlans.take(write.before.segment_id, write.vlan)
                self._edits.setdefault(write.key, []).append(write)

    def remove(self, write: Write) -> None:
        """Take a write, the first of its kind, out of account again."""
        match write:
            case CreateNetwork(network):
                self.segments.discard(network.segment_id)
            case CreatePort(port):
                self._arrivals[port.network_id] -= 1
                self._arrivals += Counter()
            case _:
                if isinstance(write, Plug):
                    _drop(self._plugs, write.attachment, write.key)
                elif isinstance(write, BindVlan):
                    self.vlans.free(write.before.segment_id)
                _drop(self._edits, write.key, write)

    def is_awaited(self, key: str) -> bool:
        """Say whether a change of this network or port is pending."""
        return key in self._edits

    def network(self, tenant_id: str, network_id: str) -> Network:
        """
        Look a network up as it will be.

        :raise NetworkNotFound: The tenant will have no such network.
        """
        return self._edited_network(self._catalogue.network(tenant_id, network_id))

    def any_network(self, network_id: str) -> Network:
        """
        Look a network of whichever tenant up as it will be.

        :raise NetworkNotFound: There will be no such network.
        """
        network = self._catalogue.recorded_network(network_id)
        if network is None:
            raise NetworkNotFound(network_id)
        return self._edited_network(network)

    def port(self, tenant_id: str, network_id: str, port_id: str) -> Port:
        """
        Look a port up as it will be.

        :raise NetworkNotFound: The tenant will have no such network.
        :raise PortNotFound: The network will have no such port.
        """
        self.network(tenant_id, network_id)
        port = self._edited(self._catalogue.port(tenant_id, network_id, port_id))
        if port is None:
            raise PortNotFound(port_id, network_id)
        return port

    def holder(self, attachment: str) -> Port | None:
        """Find the port that an interface will be plugged into."""
        recorded = self._catalogue.holder(attachment)
        candidates = list(self._plugs.get(attachment, ()))
        if recorded is not None:
            candidates.append(recorded)
        for port_id in candidates:
            port = self._edited(self._catalogue.expect_port(port_id))
            if port is not None and port.attachment == attachment:
                return port
        return None

    def is_in_use(self, network: Network) -> bool:
        """
        Say whether deleting a network would pull a plug.

        A port that is being created counts: whoever creates it will plug it.
        """
        return bool(self._arrivals[network.id]) or self.has_plugs(network)

    def has_plugs(self, network: Network) -> bool:
        """Say whether an interface will be plugged into a network's port."""
        edited = map(self._edited, self._catalogue.ports(network.tenant_id, network.id))
        return any(port is not None and port.attachment is not None for port in edited)

    def _edited_network(self, network: Network) -> Network:
        """Say what becomes of a recorded network."""
        edited = network
        for write in self._edits.get(network.id, ()):
            edited = write.edited(edited)
            if edited is None:
                raise NetworkNotFound(network.id)
        return edited

    def _edited(self, port: Port) -> Port | None:
        """Say what becomes of a recorded port, or None if it will be gone."""
        edited: Port | None = port
        for write in self._edits.get(port.id, ()):
            edited = write.edited(edited)
            if edited is None:
                return None
        return edited


def _drop(table: dict[str, list[Value]], key: str, value: Value) -> None:
    """Take one value out of a table of lists."""
    values = table[key]
    values.remove(value)
    if not values:
        del table[key]
