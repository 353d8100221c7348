# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""How a switch stands, for whoever looks after it."""

from ipaddress import IPv4Address

from quantum.model import SwitchStatus
from quantum.plugins.openvswitch.switch import Switch


def standing(switch: Switch) -> SwitchStatus:
    """Say how a switch stands."""
    session, address = switch.session, switch.underlay.address
    return SwitchStatus(
        datapath_id=f"{switch.datapath_id:016x}",
        hypervisor=switch.hypervisor,
        phase=session.phase,
        connected_since=switch.connected_since,
        role=switch.role,
        tunnel_address=str(IPv4Address(address)) if address else "",
        flows_wanted=session.flow_count,
        flows_installed=session.installed,
        last_audit=switch.last_audit,
        drift=session.repairs,
        last_error=session.trouble or session.last_error,
    )
