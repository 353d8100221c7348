# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""What switches and hypervisors report, as frozen values."""

from msgspec import Struct


class SeenInterface(Struct, frozen=True, gc=False):
    """
    An interface on a managed bridge whose owner gave it an ``iface-id``.

    ``ofport`` is its OpenFlow port, or 0 while Open vSwitch has not assigned
    one; ``mac`` is ``external_ids:attached-mac`` as six bytes, or None; ``ips``
    are ``external_ids:quantum-ips``, as 4 or 16 bytes each; ``mtu`` is the
    largest IP packet it takes, or 0 if that is not known.  An interface with a
    ``problem`` carries nothing until that is gone.
    """

    name: str
    attachment: str
    ofport: int
    mac: bytes | None = None
    problem: str = ""
    ips: tuple[bytes, ...] = ()
    mtu: int = 0


class Underlay(Struct, frozen=True, gc=False):
    """
    By what a switch reaches other machines.

    ``address`` is the hypervisor's own tunnel address (IPv4, 4 bytes), or empty
    if none is known; ``tunnel`` is the OpenFlow port of its tunnels, or 0 while
    there is none; ``uplinks`` are its physical networks with their OpenFlow
    ports, in the order of their names; ``mtu`` is the largest IP packet that its
    underlay carries, or 0 if it does not say; ``problem`` is why hypervisors
    cannot be reached, in plain words.
    """

    address: bytes = b""
    tunnel: int = 0
    uplinks: tuple[tuple[str, int], ...] = ()
    mtu: int = 0
    problem: str = ""
