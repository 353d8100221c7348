# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
What can go wrong, in the API's words.

Each class carries data; sentences are made where they are shown.  Nothing here
knows of HTTP: `quantum.api.faults` maps these classes to answers.
"""

from attrs import frozen


class QuantumError(Exception):
    """Something a caller asked for cannot be had."""


@frozen
class NetworkNotFound(QuantumError):
    """The tenant has no such network."""

    network_id: str


@frozen
class NetworkInUse(QuantumError):
    """The network cannot be deleted: interfaces are plugged into its ports."""

    network_id: str


@frozen
class PortNotFound(QuantumError):
    """The network has no such port."""

    port_id: str
    network_id: str


@frozen
class StateInvalid(QuantumError):
    """The admin state is neither ``ACTIVE`` nor ``DOWN``."""

    state: object


@frozen
class PortInUse(QuantumError):
    """An interface is plugged into the port."""

    port_id: str
    network_id: str
    attachment: str


@frozen
class AlreadyAttached(QuantumError):
    """
    The interface is plugged into another port, of whichever tenant.

    ``holder`` is that port's id if the caller's own tenant has it, else empty:
    one tenant learns nothing of another's ports.
    """

    attachment: str
    port_id: str
    network_id: str
    holder: str = ""


@frozen
class Malformed(QuantumError):
    """The request cannot be understood; ``problem`` says which part and why."""

    problem: str


@frozen
class FabricRefused(QuantumError):
    """The technology underneath can never realise this change."""

    reason: str


@frozen
class SegmentsExhausted(QuantumError):
    """
    Every number of a pool is in use, or waits for a switch to let go of it.

    ``in_use`` and ``quarantined`` say how many are which.
    """

    pool: str
    size: int
    in_use: int
    quarantined: int


@frozen
class PhysicalNetworkUnknown(QuantumError):
    """The configuration names no such physical network."""

    physical_network: str
    known: tuple[str, ...]


@frozen
class VlanNotAllowed(QuantumError):
    """The VLAN is not among those that the physical network's pool has."""

    physical_network: str
    vlan_id: int
    pool: str


@frozen
class VlanInUse(QuantumError):
    """Another network has the VLAN, or a deleted one that switches may still carry."""

    physical_network: str
    vlan_id: int


@frozen
class AlreadyBound(QuantumError):
    """The network is bound to a VLAN already, for as long as it lives."""

    network_id: str
    physical_network: str
    vlan_id: int


@frozen
class SwitchNotFound(QuantumError):
    """No switch of this datapath id was heard of, and none is recorded."""

    datapath_id: str


@frozen
class SwitchInReach(QuantumError):
    """The switch cannot be forgotten: it, or its hypervisor, is connected."""

    datapath_id: str


@frozen
class Overloaded(QuantumError):
    """Too many writes are waiting; try again after ``retry_after`` seconds."""

    retry_after: int


@frozen
class RecordFailed(QuantumError):
    """The database could not record the change; nothing was changed."""

    reason: str
