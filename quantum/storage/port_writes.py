# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""The writes that change ports and what is plugged into them."""

from collections.abc import Sequence

from attrs import frozen
from msgspec.structs import replace
from sqlalchemy import bindparam, delete, insert, select, update

from quantum.errors import AlreadyAttached, NetworkNotFound, QuantumError
from quantum.model import (
    AdminState,
    Change,
    Port,
    PortChanged,
    PortCreated,
    PortDeleted,
)
from quantum.storage.catalogue import Catalogue, unobserved
from quantum.storage.schema import ports
from quantum.storage.write import Evidence, Step, Write

# Named apart from the columns, which SQLAlchemy reserves in an UPDATE.
_THIS = ports.c.id == bindparam("this")
_FREE = ports.c.interface.is_(None)
_INSERT = insert(ports)
_SET_STATE = update(ports).where(_THIS).values(admin_state=bindparam("new_state"))
_PLUG = update(ports).where(_THIS, _FREE).values(interface=bindparam("plugged"))
_UNPLUG = update(ports).where(_THIS).values(interface=None)
_DELETE = delete(ports).where(_THIS, _FREE)


@frozen
class CreatePort(Write):
    """Record a new port."""

    port: Port

    @property
    def key(self) -> str:
        return self.port.id

    @property
    def change(self) -> Change:
        return PortCreated(self.port)

    def steps(self) -> Sequence[Step]:
        port = self.port
        row = {
            "id": port.id,
            "network_id": port.network_id,
            "admin_state": port.admin_state.value,
        }
        return (Step(_INSERT, row),)

    def conflict(self) -> QuantumError:
        return NetworkNotFound(self.port.network_id)

    def evidence(self) -> Evidence:
        query = select(ports.c.id).where(ports.c.id == self.port.id)
        return Evidence((self.port.network_id, self.port.id), query, (self.port.id,))

    def publish(self, catalogue: Catalogue) -> tuple[Change, Port]:
        catalogue.put_port(self.port)
        return PortCreated(self.port), self.port


class _PortEdit(Write):
    """A change of a recorded port."""

    __slots__ = ()
    before: Port

    @property
    def key(self) -> str:
        return self.before.id

    @property
    def change(self) -> Change:
        return PortChanged(self.before, self.edited(self.before))

    def publish(self, catalogue: Catalogue) -> tuple[Change | None, Port]:
        # An earlier write of the same batch may have failed, so that what is
        # published is not what was expected when this one was asked for.
        now = catalogue.expect_port(self.before.id)
        after: Port = self.edited(now)
        if after == now:
            return None, now
        catalogue.put_port(after)
        return PortChanged(now, after), after


@frozen
class SetState(_PortEdit):
    """Ask that a port carries frames, or that it does not."""

    before: Port
    admin_state: AdminState

    def edited(self, value: Port) -> Port:
        if value.admin_state is self.admin_state:
            return value
        status = unobserved(self.admin_state, value.attachment)
        return replace(value, admin_state=self.admin_state, status=status)

    def steps(self) -> Sequence[Step]:
        row = {"this": self.before.id, "new_state": self.admin_state.value}
        return (Step(_SET_STATE, row, rows=1),)

    def evidence(self) -> Evidence:
        query = select(ports.c.admin_state).where(ports.c.id == self.before.id)
        path = (self.before.network_id, self.before.id, "admin_state")
        return Evidence(path, query, (self.admin_state.value,))


@frozen
class Plug(_PortEdit):
    """Record what is plugged into a port."""

    before: Port
    attachment: str

    def edited(self, value: Port) -> Port:
        status = unobserved(value.admin_state, self.attachment)
        return replace(value, attachment=self.attachment, status=status)

    def steps(self) -> Sequence[Step]:
        row = {"this": self.before.id, "plugged": self.attachment}
        return (Step(_PLUG, row, rows=1),)

    def conflict(self) -> QuantumError:
        port = self.before
        return AlreadyAttached(self.attachment, port.id, port.network_id)

    def evidence(self) -> Evidence:
        query = select(ports.c.interface).where(ports.c.id == self.before.id)
        path = (self.before.network_id, self.before.id, "interface")
        return Evidence(path, query, (self.attachment,))


@frozen
class Unplug(_PortEdit):
    """Record that nothing is plugged into a port."""

    before: Port

    def edited(self, value: Port) -> Port:
        if value.attachment is None:
            return value
        status = unobserved(value.admin_state, None)
        return replace(value, attachment=None, status=status)

    def steps(self) -> Sequence[Step]:
        return (Step(_UNPLUG, {"this": self.before.id}, rows=1),)

    def evidence(self) -> Evidence:
        query = select(ports.c.interface).where(ports.c.id == self.before.id)
        path = (self.before.network_id, self.before.id, "interface")
        return Evidence(path, query, (None,))


@frozen
class DeletePort(Write):
    """Delete a port with nothing plugged into it."""

    before: Port

    @property
    def key(self) -> str:
        return self.before.id

    @property
    def change(self) -> Change:
        return PortDeleted(self.before)

    def edited(self, value: Port) -> None:  # noqa: ARG002  (whatever it was)
        return None

    def steps(self) -> Sequence[Step]:
        return (Step(_DELETE, {"this": self.before.id}, rows=1),)

    def evidence(self) -> Evidence:
        query = select(ports.c.id).where(ports.c.id == self.before.id)
        return Evidence((self.before.network_id, self.before.id), query, None)

    def publish(self, catalogue: Catalogue) -> tuple[Change, None]:
        return PortDeleted(catalogue.drop_port(self.before.id)), None
