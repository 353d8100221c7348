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
    """
    An operational status, and in plain words why it is not ``UP``.

    ``hypervisor`` names where the port's interface is, if it is anywhere.
    """

    op_status: OpStatus
    reason: str = ""
    hypervisor: str = ""


UP = Status(OpStatus.UP)
UNATTACHED = Status(OpStatus.DOWN, "nothing is attached to the port")
ADMIN_DOWN = Status(OpStatus.DOWN, "the port's admin state is DOWN")


class Vlan(Struct, frozen=True, gc=False):
    """A VLAN (1 to 4094, IEEE 802.1Q) of a physical network that operators named."""

    physical_network: str
    vlan_id: int


class Network(Struct, frozen=True, gc=False):
    """
    A tenant's private Ethernet.

    ``segment_id`` tells networks apart on the wire (1 to 2**24 - 2, so that it
    fits a VXLAN network identifier, RFC 7348); it is never given to a second
    network while frames of the first could still be on a switch.  A network
    with a ``vlan`` runs over that between machines, any other through tunnels.
    """

    id: str
    tenant_id: str
    name: str
    segment_id: int
    status: Status = UP
    vlan: Vlan | None = None


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
    vlan: Vlan | None = None


class SwitchStatus(Struct, frozen=True):
    """
    How a switch stands.

    Times are seconds of the reactor's clock (POSIX time in the daemon); the
    number of flows installed is as the switch itself said last.
    """

    datapath_id: str
    hypervisor: str
    phase: str
    """A `quantum.openflow.phase.Phase`."""
    connected_since: float | None = None
    role: str = ""
    """What the switch says that we are to it (OpenFlow 1.3.5, 6.3.4)."""
    tunnel_address: str = ""
    flows_wanted: int = 0
    flows_installed: int | None = None
    last_audit: float | None = None
    """When all of its flows were last compared with what they should be."""
    drift: int = 0
    """How many flows audits have had to put right since the daemon started."""
    last_error: str = ""


class NetworkCreated(Struct, frozen=True):
    """A network was recorded."""

    network: Network


class NetworkRenamed(Struct, frozen=True):
    """A network has a new name."""

    network: Network


class NetworkBound(Struct, frozen=True):
    """A network was bound to a VLAN."""

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
    | NetworkBound
    | NetworkDeleted
    | PortCreated
    | PortChanged
    | PortDeleted
)
