# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""What Open vSwitch has against a port that we made."""

from quantum.channel.ovsdb.reach import Cable
from quantum.channel.ovsdb.replica import Replica
from quantum.channel.ovsdb.row import Interface


def held_against(replica: Replica, interface: Interface, cable: Cable) -> str:
    """
    Give what is wrong with a port, as Open vSwitch says; empty if nothing is.

    That the peer of a patch port is missing is not taken back when the peer
    comes.  So it counts only while there is no peer with an OpenFlow port, or
    one on a bridge of another datapath, which is no use.
    """
    row = replica.names.get(cable.options.get("peer", ""))
    peer = replica.interfaces.get(row) if row else None
    if peer is None or row is None or not (peer.ofport and interface.ofport):
        return interface.error
    datapaths = {
        bridge.datapath_type or "system"
        for bridge in replica.bridges.values()
        if bridge.name == cable.bridge or replica.is_on(bridge, row)
    }
    return interface.error if len(datapaths) > 1 else ""
