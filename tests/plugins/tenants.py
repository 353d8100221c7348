# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""What tenants and operators may ask at any time."""

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from quantum.model import AdminState

from .landscape import TENANTS, UPLINKS, Landscape, attachments, numbers

tenants = st.sampled_from(TENANTS)


class Tenants(Landscape):
    """They create, plug, unplug, delete; whatever is refused is refused."""

    @rule(tenant=tenants)
    def create_network(self, tenant) -> None:
        """A network is recorded."""
        self.ask("create_network", tenant, "any")

    @precondition(lambda self: self.networks())
    @rule(number=numbers)
    def delete_network(self, number) -> None:
        """A network is deleted, if nothing is plugged into it."""
        network = self.networks()[number % len(self.networks())]
        self.ask("delete_network", network.tenant_id, network.id)

    @precondition(lambda self: self.networks())
    @rule(number=numbers, attachment=attachments)
    def create_port(self, number, attachment) -> None:
        """A port is recorded, and something plugged into it."""
        network = self.networks()[number % len(self.networks())]
        before = {port.id for _, port in self.ports()}
        self.ask("create_port", network.tenant_id, network.id, AdminState.ACTIVE)
        for tenant, port in self.ports():
            if port.id not in before:
                self.ask("plug", tenant, port.network_id, port.id, attachment)

    @precondition(lambda self: self.ports())
    @rule(number=numbers, verb=st.sampled_from(("unplug", "delete_port")))
    def take_away(self, number, verb) -> None:
        """A port loses what is plugged in, or is deleted."""
        tenant, port = self.ports()[number % len(self.ports())]
        self.ask(verb, tenant, port.network_id, port.id)

    @precondition(lambda self: self.ports())
    @rule(number=numbers, attachment=attachments, is_moved=st.booleans())
    def plug(self, number, attachment, is_moved) -> None:
        """An interface is plugged in, maybe pulled out elsewhere first."""
        for tenant, port in self.ports():
            if is_moved and port.attachment == attachment:
                self.ask("unplug", tenant, port.network_id, port.id)
        tenant, port = self.ports()[number % len(self.ports())]
        self.ask("plug", tenant, port.network_id, port.id, attachment)

    @precondition(lambda self: self.ports())
    @rule(number=numbers, state=st.sampled_from(AdminState))
    def set_state(self, number, state) -> None:
        """A port is to carry frames, or not to."""
        tenant, port = self.ports()[number % len(self.ports())]
        self.ask("set_port_state", tenant, port.network_id, port.id, state)

    @precondition(lambda self: self.networks())
    @rule(
        number=numbers,
        physical_network=st.sampled_from(sorted(UPLINKS)),
        vlan_id=st.one_of(st.none(), st.integers(100, 101)),
    )
    def bind(self, number, physical_network, vlan_id) -> None:
        """A network is bound to a VLAN, if nothing is plugged into it."""
        network = self.networks()[number % len(self.networks())]
        self.ask("bind_vlan", network.id, physical_network, vlan_id)
