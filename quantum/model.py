# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
The nouns of Quantum, as frozen values.

Asked and done are two truths: ``name``, ``admin_state`` and ``attachment`` are
what a tenant recorded; ``status`` is how far reality has come.  Nothing here
waits, stores or sends.
"""

from enum import StrEnum

from msgspec import Struct


class AdminState(StrEnum):
    """What a tenant asks of a port: carry frames, or do not."""

    ACTIVE = "ACTIVE"
    DOWN = "DOWN"


class OpStatus(StrEnum):
    """What is true of a port or network now (Quantum API 1.1, ``op-status``)."""

    UP = "UP"
    DOWN = "DOWN"
    PROVISIONING = "PROVISIONING"
    UNKNOWN = "UNKNOWN"


class Status(Struct, frozen=True, gc=False):
    """An operational status, and in plain words why it is not ``UP``."""

    op_status: OpStatus
    reason: str = ""


UP = Status(OpStatus.UP)
UNATTACHED = Status(OpStatus.DOWN, "nothing is attached to the port")
ADMIN_DOWN = Status(OpStatus.DOWN, "the port's admin state is DOWN")


class Network(Struct, frozen=True, gc=False):
    """
    A tenant's private Ethernet.

    ``segment_id`` tells networks apart on the wire (1 to 2**24 - 2, so that it
    fits a VXLAN network identifier, RFC 7348); it is never given to a second
    network while frames of the first could still be on a switch.
    """

    id: str
    tenant_id: str
    name: str
    segment_id: int
    status: Status = UP


class Port(Struct, frozen=True, gc=False):
    """
    A place on a network into which one interface can be plugged.

    ``attachment`` is the interface's identifier, chosen by whoever owns the
    interface (Nova's VIF id, for example), or ``None`` for a free port.
    """

    id: str
    network_id: str
    admin_state: AdminState
    attachment: str | None = None
    status: Status = UNATTACHED


class Binding(Struct, frozen=True, gc=False):
    """What a fabric must realise for one attached interface."""

    attachment: str
    port_id: str
    network_id: str
    segment_id: int
    is_active: bool


class NetworkCreated(Struct, frozen=True):
    """A network was recorded."""

    network: Network


class NetworkRenamed(Struct, frozen=True):
    """A network has a new name."""

    network: Network


class NetworkDeleted(Struct, frozen=True):
    """A network and its (unattached) ports are gone; its segment is not free yet."""

    network: Network


class PortCreated(Struct, frozen=True):
    """A port was recorded."""

    port: Port


class PortChanged(Struct, frozen=True):
    """A port's admin state or attachment was changed."""

    before: Port
    after: Port


class PortDeleted(Struct, frozen=True):
    """A port is gone."""

    port: Port


Change = (
    NetworkCreated
    | NetworkRenamed
    | NetworkDeleted
    | PortCreated
    | PortChanged
    | PortDeleted
)
