# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""How large a packet may be, as the configuration has it."""

from typing import Final

from attrs import frozen

from quantum.config import OpenVSwitch
from quantum.model import Vlan

OVERHEAD: Final = 50
"""What VXLAN and Geneve cost: inner Ethernet 14, IPv4 20, UDP 8, and 8 of their own."""


@frozen
class Mtus:
    """The largest IP packets that networks carry."""

    _options: OpenVSwitch

    def of(self, vlan: Vlan | None) -> int | None:
        """Say what a network with this VLAN, or with tunnels, carries, if known."""
        if vlan is None:
            return self._options.underlay_mtu - OVERHEAD
        known = self._options.physical_networks.get(vlan.physical_network)
        return known.mtu if known else None
