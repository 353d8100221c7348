# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
Which networks and ports of a list a query string asks for.

Conditions are joined by *and*; those on a network's ports are independent of
each other: different ports may meet them.  Of a repeated parameter the last one
counts, and a parameter that nobody knows changes nothing.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar

from attrs import frozen

from quantum.errors import Malformed
from quantum.model import Network, Port

T = TypeVar("T")
Condition = Callable[[T], bool]
Arguments = Mapping[bytes, Sequence[bytes]]


@frozen
class Query:
    """What a query string asks of networks: of themselves, and of their ports."""

    of_network: tuple[Condition[Network], ...] = ()
    of_ports: tuple[Condition[Sequence[Port]], ...] = ()

    def is_met_by(self, network: Network) -> bool:
        """Say whether the network itself is asked for."""
        return all(condition(network) for condition in self.of_network)

    def is_met_by_ports(self, ports: Sequence[Port]) -> bool:
        """Say whether a network with these ports is asked for."""
        return all(condition(ports) for condition in self.of_ports)


def network_query(arguments: Arguments) -> Query:
    """Read the conditions on a list of networks."""
    return Query(
        of_network=tuple(_conditions(arguments, _OF_NETWORK)),
        of_ports=tuple(_conditions(arguments, _OF_PORTS)),
    )


def wanted_ports(arguments: Arguments, ports: Iterable[Port]) -> list[Port]:
    """Choose those of a network's ports that meet all conditions."""
    conditions = list(_conditions(arguments, _OF_PORT))
    return [port for port in ports if all(wants(port) for wants in conditions)]


def _conditions(
    arguments: Arguments, known: Mapping[bytes, Callable[[str], Condition[T]]]
) -> Iterable[Condition[T]]:
    """Make the conditions that are known out of all that were given."""
    for name, condition in known.items():
        if name in arguments:
            try:
                value = arguments[name][-1].decode()
            except UnicodeDecodeError:
                raise Malformed(f"The parameter {name.decode()} is not UTF-8") from None
            yield condition(value)


def _is_attached(port: Port) -> bool:
    """Take an empty attachment for none, as some plugins record it."""
    return bool(port.attachment)


def _attached(value: str) -> Condition[Port]:
    """Read ``true`` in any case; every other word has always meant false."""
    wanted = value.lower() == "true"
    return lambda port: _is_attached(port) == wanted


def _any_attached(value: str) -> Condition[Sequence[Port]]:
    wanted = value.lower() == "true"
    return lambda ports: any(map(_is_attached, ports)) == wanted


def _some(
    condition: Callable[[str], Condition[Port]],
) -> Callable[[str], Condition[Sequence[Port]]]:
    """Turn a condition on a port into one that some port has to meet."""

    def of_ports(value: str) -> Condition[Sequence[Port]]:
        meets = condition(value)
        return lambda ports: any(map(meets, ports))

    return of_ports


_OF_PORT: Mapping[bytes, Callable[[str], Condition[Port]]] = {
    b"state": lambda value: lambda port: port.admin_state == value,
    b"op-status": lambda value: lambda port: port.status.op_status == value,
    b"attachment": lambda value: (
        lambda port: _is_attached(port) and port.attachment == value
    ),
    b"has-attachment": _attached,
}
_OF_NETWORK: Mapping[bytes, Callable[[str], Condition[Network]]] = {
    b"name": lambda value: lambda network: network.name == value,
    b"op-status": lambda value: lambda network: network.status.op_status == value,
}
_OF_PORTS: Mapping[bytes, Callable[[str], Condition[Sequence[Port]]]] = {
    b"port-state": _some(_OF_PORT[b"state"]),
    b"port-op-status": _some(_OF_PORT[b"op-status"]),
    b"attachment": _some(_OF_PORT[b"attachment"]),
    b"port": _some(lambda value: lambda port: port.id == value),
    b"has-attachment": _any_attached,
}
