# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
What belongs to a network, as one switch sees it.

A switch is told of its own ports, of the ports that other hypervisors have in
the same networks, and by which uplink a network leaves.  Each has a key: a
number by which it is changed and taken away again.
"""

from msgspec import Struct


class LocalPort(Struct, frozen=True, gc=False):
    """
    An OpenFlow port that carries a network; its key is ``ofport``.

    ``mac`` is the only source address allowed to it, or None for any; ``ips``
    are the IPv4 (4 bytes) and IPv6 (16 bytes) addresses that it is known to
    have, for whoever asks by ARP or neighbour discovery.
    """

    ofport: int
    segment: int
    mac: bytes | None = None
    ips: tuple[bytes, ...] = ()


class RemotePort(Struct, frozen=True, gc=False):
    """A port of another hypervisor, whose tunnel ``address`` has 4 bytes (IPv4)."""

    address: bytes
    segment: int
    mac: bytes | None = None
    ips: tuple[bytes, ...] = ()


class Uplink(Struct, frozen=True, gc=False):
    """The OpenFlow port by which a network leaves as a VLAN (1 to 4094)."""

    ofport: int
    segment: int
    vlan: int


Member = LocalPort | RemotePort | Uplink


def remote_key(datapath_id: int, ofport: int) -> int:
    """Give the key of a port of another switch: above every OpenFlow port."""
    return datapath_id + 1 << 32 | ofport


def uplink_key(segment: int) -> int:
    """Give the key of a network's uplink: above every remote port."""
    return 1 << 128 | segment
