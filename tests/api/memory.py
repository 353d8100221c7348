# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""Plugins for tests of the API: one in memory, one that waits, one that fails."""

from collections.abc import Callable, Iterable
from itertools import count
from typing import Any

from attrs import define, field
from msgspec.structs import replace
from twisted.internet.defer import succeed
from zope.interface import implementer

from quantum.errors import (
    AlreadyAttached,
    NetworkInUse,
    NetworkNotFound,
    PortInUse,
    PortNotFound,
)
from quantum.interfaces import IQuantumPlugin
from quantum.model import AdminState, Network, Port


@implementer(IQuantumPlugin)
@define(eq=False)
class MemoryPlugin:
    """The verbs of the API over two dictionaries."""

    all_networks: dict[str, Network] = field(factory=dict)
    all_ports: dict[str, Port] = field(factory=dict)
    _numbers: "count[int]" = field(factory=lambda: count(1))

    def networks(self, tenant_id: str) -> Iterable[Network]:
        return [n for n in self.all_networks.values() if n.tenant_id == tenant_id]

    def network(self, tenant_id: str, network_id: str) -> Network:
        found = self.all_networks.get(network_id)
        if found is None or found.tenant_id != tenant_id:
            raise NetworkNotFound(network_id)
        return found

    def create_network(self, tenant_id: str, name: str) -> Network:
        number = next(self._numbers)
        made = Network(f"net-{number}", tenant_id, name, number)
        self.all_networks[made.id] = made
        return made

    def rename_network(self, tenant_id: str, network_id: str, name: str) -> Network:
        renamed = replace(self.network(tenant_id, network_id), name=name)
        self.all_networks[network_id] = renamed
        return renamed

    def delete_network(self, tenant_id: str, network_id: str) -> None:
        ports = self.ports(tenant_id, network_id)
        if any(port.attachment for port in ports):
            raise NetworkInUse(network_id)
        for port in ports:
            del self.all_ports[port.id]
        del self.all_networks[network_id]

    def ports(self, tenant_id: str, network_id: str) -> list[Port]:
        self.network(tenant_id, network_id)
        return [p for p in self.all_ports.values() if p.network_id == network_id]

    def port(self, tenant_id: str, network_id: str, port_id: str) -> Port:
        self.network(tenant_id, network_id)
        found = self.all_ports.get(port_id)
        if found is None or found.network_id != network_id:
            raise PortNotFound(port_id, network_id)
        return found

    def create_port(
        self, tenant_id: str, network_id: str, admin_state: AdminState
    ) -> Port:
        self.network(tenant_id, network_id)
        made = Port(f"port-{next(self._numbers)}", network_id, admin_state)
        self.all_ports[made.id] = made
        return made

    def set_port_state(
        self, tenant_id: str, network_id: str, port_id: str, admin_state: AdminState
    ) -> Port:
        found = self.port(tenant_id, network_id, port_id)
        return self._keep(replace(found, admin_state=admin_state))

    def delete_port(self, tenant_id: str, network_id: str, port_id: str) -> None:
        found = self.port(tenant_id, network_id, port_id)
        if found.attachment:
            raise PortInUse(port_id, network_id, found.attachment)
        del self.all_ports[port_id]

    def plug(
        self, tenant_id: str, network_id: str, port_id: str, attachment: str
    ) -> Port:
        found = self.port(tenant_id, network_id, port_id)
        if found.attachment:
            raise PortInUse(port_id, network_id, found.attachment)
        for other in self.all_ports.values():
            if other.attachment == attachment:
                tenant = self.all_networks[other.network_id].tenant_id
                holder = other.id if tenant == tenant_id else ""
                raise AlreadyAttached(attachment, port_id, network_id, holder)
        return self._keep(replace(found, attachment=attachment))

    def unplug(self, tenant_id: str, network_id: str, port_id: str) -> Port:
        found = self.port(tenant_id, network_id, port_id)
        return self._keep(replace(found, attachment=None))

    def _keep(self, port: Port) -> Port:
        self.all_ports[port.id] = port
        return port


@define(eq=False)
class Instead:
    """A plugin whose every verb does something else with the verb it stands for."""

    _does: Callable[[Callable[[], Any]], Any]
    plugin: MemoryPlugin = field(factory=MemoryPlugin)

    def __getattr__(self, verb: str) -> Callable[..., Any]:
        return lambda *words: self._does(lambda: getattr(self.plugin, verb)(*words))


def as_deferred(verb: Callable[[], Any]) -> Any:
    """Answer with a Deferred, which has failed if the verb did."""
    return succeed(None).addCallback(lambda _: verb())


def as_coroutine(verb: Callable[[], Any]) -> Any:
    """Answer with a coroutine."""

    async def answer() -> Any:
        return verb()

    return answer()


def refusing(error: Exception) -> Instead:
    """Make a plugin that raises one error whatever it is asked."""

    def refuse(_: Callable[[], Any]) -> Any:
        raise error

    return Instead(refuse)
