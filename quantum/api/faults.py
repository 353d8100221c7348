# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
What can go wrong, as each dialect says it.

One table maps the classes of `quantum.errors` to status, name and words.  The
rows that the 2011 documents do not settle:

- ``SegmentsExhausted`` and ``RecordFailed`` are 503: the request was right and
  the same request may succeed when the operator has made room.  ``Overloaded``
  is a 503 that knows when, and says so in ``Retry-After``.
- ``FabricRefused`` is 501, ``notImplemented``: this deployment can never do it.
- A path or method that does not exist is 404 (never 405), a fault document
  inside a version and plain text elsewhere.
- What nobody foresaw is 500 with the id under which the log has the traceback;
  the caller never sees that.

Version 1.1 knows six types and calls everything else ``QuantumServiceFault``.
"""

from collections.abc import Callable
from typing import Any

from attrs import frozen

from quantum import errors
from quantum.api.dialects import V1_0, Dialect
from quantum.api.wire import shown
from quantum.errors import QuantumError

OTHER = "QuantumServiceFault"


@frozen
class NotHere(QuantumError):
    """There is nothing at this path, or nothing that this method could do."""

    problem: str


@frozen
class TooLarge(QuantumError):
    """The request's body is longer than ``limit`` bytes."""

    limit: int


@frozen
class TooSlow(QuantumError):
    """The request did not arrive within ``deadline`` seconds."""

    deadline: float


@frozen
class Fault:
    """How one class of errors is answered: in 1.0, in 1.1, and in words."""

    v1_0: tuple[int, str]
    v1_1: tuple[int, str]
    message: str
    detail: Callable[[Any], str]

    def named(self, dialect: Dialect) -> tuple[int, str]:
        """Give the status and the name in a dialect."""
        return self.v1_0 if dialect is V1_0 else self.v1_1


def _already_attached(error: errors.AlreadyAttached) -> str:
    into = f"port {error.holder}" if error.holder else "another port"
    return (
        f"Unable to plug the attachment {error.attachment} into port {error.port_id}"
        f" for network {error.network_id}."
        f" The attachment is already plugged into {into}"
    )


_FAULTS: dict[type, Fault] = {
    errors.NetworkNotFound: Fault(
        (420, "networkNotFound"),
        (404, "NetworkNotFound"),
        "Unable to find a network with the specified identifier.",
        lambda error: f"Network {error.network_id} could not be found",
    ),
    errors.NetworkInUse: Fault(
        (421, "networkInUse"),
        (409, "NetworkInUse"),
        "Unable to remove the network: attachments still plugged.",
        lambda error: (
            f"Unable to complete operation on network {error.network_id}."
            " There is one or more attachments plugged into its ports."
        ),
    ),
    errors.PortNotFound: Fault(
        (430, "portNotFound"),
        (404, "PortNotFound"),
        "Unable to find a port with the specified identifier.",
        lambda error: (
            f"Port {error.port_id} could not be found on network {error.network_id}"
        ),
    ),
    errors.StateInvalid: Fault(
        (431, "requestedStateInvalid"),
        (400, "RequestedStateInvalid"),
        "Unable to update port state with specified value.",
        lambda error: (
            f"Unsupported port state: {shown(str(error.state), 60)};"
            " it must be ACTIVE or DOWN"
        ),
    ),
    errors.PortInUse: Fault(
        (432, "portInUse"),
        (409, "PortInUse"),
        "A resource is currently attached to the logical port",
        lambda error: (
            f"Unable to complete operation on port {error.port_id}"
            f" for network {error.network_id}. The attachment"
            f" '{error.attachment}' is plugged into the logical port."
        ),
    ),
    errors.AlreadyAttached: Fault(
        (440, "alreadyAttached"),
        (409, "AlreadyAttached"),
        "The resource is already attached to another port",
        _already_attached,
    ),
    errors.Malformed: Fault(
        (400, "malformedRequest"),
        (400, OTHER),
        "The server could not comply with the request since it is either"
        " malformed or otherwise incorrect.",
        lambda error: error.problem,
    ),
    NotHere: Fault(
        (404, "itemNotFound"),
        (404, OTHER),
        "The resource could not be found.",
        lambda error: error.problem,
    ),
    TooSlow: Fault(
        (408, "requestTimeout"),
        (408, OTHER),
        "The request did not arrive in time.",
        lambda error: f"A request has {error.deadline:g} seconds to arrive",
    ),
    TooLarge: Fault(
        (413, "requestTooLarge"),
        (413, OTHER),
        "The request is too large.",
        lambda error: f"A body may have at most {error.limit} bytes",
    ),
    errors.FabricRefused: Fault(
        (501, "notImplemented"),
        (501, OTHER),
        "Not implemented",
        lambda error: f"The network fabric cannot do this: {error.reason}",
    ),
    errors.SegmentsExhausted: Fault(
        (503, "serviceUnavailable"),
        (503, OTHER),
        "There is no room for another network.",
        lambda error: (
            f"All {error.size} of the pool of {error.pool} are taken:"
            f" {error.in_use} by networks, {error.quarantined} by deleted ones that"
            " a switch may still carry; one becomes free after a network is deleted"
        ),
    ),
    errors.PhysicalNetworkUnknown: Fault(
        (404, "physicalNetworkUnknown"),
        (404, OTHER),
        "Unable to find a physical network of this name.",
        lambda error: (
            f"The configuration names no physical network"
            f" {shown(error.physical_network, 64)}; there are:"
            f" {', '.join(error.known) or 'none'}"
        ),
    ),
    errors.VlanNotAllowed: Fault(
        (400, "vlanNotAllowed"),
        (400, OTHER),
        "The VLAN is not one that networks can be bound to.",
        lambda error: (
            f"VLAN {error.vlan_id} of {error.physical_network} is not in its pool:"
            f" {error.pool}"
        ),
    ),
    errors.VlanInUse: Fault(
        (409, "vlanInUse"),
        (409, OTHER),
        "The VLAN is taken.",
        lambda error: (
            f"VLAN {error.vlan_id} of {error.physical_network} is another network's,"
            " or was that of a deleted one and a switch may still carry it"
        ),
    ),
    errors.AlreadyBound: Fault(
        (409, "alreadyBound"),
        (409, OTHER),
        "The network is bound to a VLAN already.",
        lambda error: (
            f"Network {error.network_id} runs over VLAN {error.vlan_id} of"
            f" {error.physical_network} for as long as it lives"
        ),
    ),
    errors.SwitchNotFound: Fault(
        (404, "switchNotFound"),
        (404, OTHER),
        "Unable to find a switch with the specified datapath id.",
        lambda error: (
            f"Switch {shown(error.datapath_id, 64)} was never heard of; GET /switches"
            " lists those that were, by 16 hexadecimal digits"
        ),
    ),
    errors.SwitchInReach: Fault(
        (409, "switchInReach"),
        (409, OTHER),
        "The switch cannot be forgotten while it is there.",
        lambda error: (
            f"Switch {error.datapath_id}, or its hypervisor's database, is connected:"
            " take the hypervisor out first"
        ),
    ),
    errors.Overloaded: Fault(
        (503, "serviceUnavailable"),
        (503, OTHER),
        "Too many changes are waiting to be recorded.",
        lambda error: f"Nothing was changed; try again in {error.retry_after} s",
    ),
    errors.RecordFailed: Fault(
        (503, "serviceUnavailable"),
        (503, OTHER),
        "The change could not be recorded.",
        lambda _: "Nothing was changed; the operator finds the reason in the log",
    ),
}
UNFORESEEN = Fault(
    (500, "quantumServiceFault"),
    (500, OTHER),
    "The service failed to answer.",
    lambda incident: f"The operator finds the reason in the log under {incident}",
)


def fault_of(error: BaseException) -> Fault | None:
    """Find an error's row, or that of the nearest class it is a kind of."""
    for kind in type(error).__mro__:
        if kind in _FAULTS:
            return _FAULTS[kind]
    return None
