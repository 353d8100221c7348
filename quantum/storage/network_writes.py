# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""The writes that change networks and the list of switches."""

from collections.abc import Sequence

from attrs import frozen
from msgspec.structs import replace
from sqlalchemy import bindparam, delete, insert, select, update

from quantum.errors import NetworkInUse, QuantumError
from quantum.model import (
    Change,
    Network,
    NetworkCreated,
    NetworkDeleted,
    NetworkRenamed,
)
from quantum.storage.catalogue import Catalogue
from quantum.storage.schema import networks, ports, released_segments, switches
from quantum.storage.write import Evidence, Step, Write

# Named apart from the columns, which SQLAlchemy reserves in an UPDATE.
_THIS = networks.c.id == bindparam("this")
_INSERT = insert(networks)
_RENAME = update(networks).where(_THIS).values(name=bindparam("new_name"))
_DELETE = delete(networks).where(_THIS)
_DELETE_PORTS = delete(ports).where(
    ports.c.network_id == bindparam("this"), ports.c.interface.is_(None)
)
_QUARANTINE = insert(released_segments)
_FORGET_SWITCH = delete(switches).where(switches.c.datapath_id == bindparam("this"))
_REMEMBER_SWITCH = insert(switches)


def switch_key(datapath_id: str) -> str:
    """Name what the writes about a switch edit."""
    return f"switch {datapath_id}"


@frozen
class CreateNetwork(Write):
    """Record a new network."""

    network: Network

    @property
    def key(self) -> str:
        return self.network.id

    @property
    def change(self) -> Change:
        return NetworkCreated(self.network)

    def steps(self) -> Sequence[Step]:
        row = {
            "id": self.network.id,
            "tenant_id": self.network.tenant_id,
            "name": self.network.name,
            "segment_id": self.network.segment_id,
        }
        return (Step(_INSERT, row),)

    def evidence(self) -> Evidence:
        query = select(networks.c.id).where(networks.c.id == self.network.id)
        return Evidence((self.network.id,), query, (self.network.id,))

    def publish(self, catalogue: Catalogue) -> tuple[Change, Network]:
        catalogue.put_network(self.network)
        return self.change, self.network


@frozen
class RenameNetwork(Write):
    """Give a network another name."""

    before: Network
    name: str

    @property
    def key(self) -> str:
        return self.before.id

    @property
    def change(self) -> Change:
        return NetworkRenamed(self.edited(self.before))

    def edited(self, value: Network) -> Network:
        return value if value.name == self.name else replace(value, name=self.name)

    def steps(self) -> Sequence[Step]:
        row = {"this": self.before.id, "new_name": self.name}
        return (Step(_RENAME, row, rows=1),)

    def evidence(self) -> Evidence:
        query = select(networks.c.name).where(networks.c.id == self.before.id)
        return Evidence((self.before.id, "name"), query, (self.name,))

    def publish(self, catalogue: Catalogue) -> tuple[Change | None, Network]:
        now = catalogue.expect_network(self.before.id)
        after = self.edited(now)
        catalogue.put_network(after)
        return (None if after == now else NetworkRenamed(after)), after


@frozen
class DeleteNetwork(Write):
    """Delete a network and its unattached ports; its segment goes to quarantine."""

    before: Network

    @property
    def key(self) -> str:
        return self.before.id

    @property
    def change(self) -> Change:
        return NetworkDeleted(self.before)

    def edited(self, value: Network) -> None:  # noqa: ARG002  (whatever it was)
        return None

    def steps(self) -> Sequence[Step]:
        this = {"this": self.before.id}
        return (
            Step(_DELETE_PORTS, this),
            Step(_DELETE, this, rows=1),
            Step(_QUARANTINE, {"segment_id": self.before.segment_id}),
        )

    def conflict(self) -> QuantumError:
        return NetworkInUse(self.before.id)

    def evidence(self) -> Evidence:
        query = select(networks.c.id).where(networks.c.id == self.before.id)
        return Evidence((self.before.id,), query, None)

    def publish(self, catalogue: Catalogue) -> tuple[Change, None]:
        return NetworkDeleted(catalogue.drop_network(self.before.id)), None


@frozen
class RememberSwitch(Write):
    """Record that a switch exists."""

    datapath_id: str

    @property
    def key(self) -> str:
        return switch_key(self.datapath_id)

    def steps(self) -> Sequence[Step]:
        return (
            Step(_FORGET_SWITCH, {"this": self.datapath_id}),
            Step(_REMEMBER_SWITCH, {"datapath_id": self.datapath_id}),
        )

    def evidence(self) -> Evidence:
        column = switches.c.datapath_id
        query = select(column).where(column == self.datapath_id)
        return Evidence((self.key,), query, (self.datapath_id,))

    def publish(self, catalogue: Catalogue) -> tuple[None, None]:
        catalogue.switches.add(self.datapath_id)
        return None, None


@frozen
class ForgetSwitch(Write):
    """Record that a switch exists no longer."""

    datapath_id: str

    @property
    def key(self) -> str:
        return switch_key(self.datapath_id)

    def steps(self) -> Sequence[Step]:
        return (Step(_FORGET_SWITCH, {"this": self.datapath_id}),)

    def evidence(self) -> Evidence:
        column = switches.c.datapath_id
        query = select(column).where(column == self.datapath_id)
        return Evidence((self.key,), query, None)

    def publish(self, catalogue: Catalogue) -> tuple[None, None]:
        catalogue.switches.discard(self.datapath_id)
        return None, None
