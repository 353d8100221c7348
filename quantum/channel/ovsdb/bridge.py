# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
What the integration bridge must be, and the one transaction that makes it so.

Open vSwitch flushes every flow when a bridge goes from no controller to one or
back; hence all is changed at once, nothing is ever removed, and nothing is
written when all is right.  Nothing here sends.
"""

from collections.abc import Mapping
from secrets import token_hex
from typing import Any

from attrs import field, frozen

from quantum.channel.ovsdb import values
from quantum.channel.ovsdb.operation import (
    Operation,
    Repair,
    insert,
    is_row,
    made,
    mutate,
    update,
    wait,
)
from quantum.channel.ovsdb.replica import Replica
from quantum.channel.ovsdb.row import Bridge, Controller

DATABASE = "Open_vSwitch"
PROTOCOL = "OpenFlow13"
_NOT_IN_BAND = ["disable-in-band", "true"]
"""Else Open vSwitch adds flows of its own, above all others and shown by no dump,
that forward what looks like traffic of a controller or manager (ARP for its address
among it) as an ordinary switch would: from any port to any port."""
_TIMINGS = {"inactivity_probe": 5000, "max_backoff": 1000}


@frozen
class WantedBridge:
    """The integration bridge, and the OpenFlow controller it must have."""

    name: str
    controller: str
    """Open vSwitch's own notation: ``tcp:127.0.0.1:6653``, ``unix:/path``."""
    datapath_type: str = ""
    """Given to a bridge that is made; changing it later would drop all traffic."""
    tunnel_type: str = "vxlan"
    tunnel_addresses: Mapping[str, str] = field(factory=dict)
    """By system-id: where the database does not say."""
    underlay_mtu: int = 0
    """The largest IP packet that every underlay must carry."""
    physical_networks: Mapping[str, str] = field(factory=dict)
    """By name: the bridge or interface where the database does not say."""


def repair(replica: Replica, wanted: WantedBridge) -> Repair:
    """Compare what is with what is wanted."""
    if not replica.roots:
        # The database is not initialised yet; a bridge would belong to nobody.
        return Repair(wanted.name)
    found = replica.bridge(wanted.name)
    if found is None:
        return Repair(wanted.name, _creation(next(iter(replica.roots)), wanted))
    row, bridge = found
    work = Repair(wanted.name)
    if wanted.datapath_type not in {"", bridge.datapath_type}:
        work.complaints.append(
            f"bridge {wanted.name} has datapath_type"
            f" {bridge.datapath_type or 'system'}, not {wanted.datapath_type}; it is"
            " left so, because changing it would interrupt all traffic"
        )
    change = _change(replica, row, bridge, wanted)
    if bridge.fail_mode != "secure":
        work.complaints.append(
            f"bridge {wanted.name} has fail_mode {bridge.fail_mode or 'standalone'},"
            " which forwards between all tenants while no controller is connected;"
            " setting it to secure"
        )
    if bridge.is_in_band:
        work.complaints.append(
            f"bridge {wanted.name} has no other_config:disable-in-band=true: Open"
            " vSwitch forwards between all tenants what looks like traffic of its"
            " controllers and managers; setting it"
        )
    if change:
        work.operations = [_unchanged(row, bridge), *change]
    return work


def _controller(wanted: WantedBridge) -> Operation:
    row = {"target": wanted.controller, **_TIMINGS}
    return insert("Controller", row, "controller")


def _creation(root: bytes, wanted: WantedBridge) -> list[Operation]:
    """Make the bridge with everything it needs, unless somebody just did."""
    row: dict[str, Any] = {
        "name": wanted.name,
        "ports": ["named-uuid", "port"],
        "fail_mode": "secure",
        "controller": ["named-uuid", "controller"],
        # Else it follows the lowest MAC plugged in, and with it the switch's
        # identity would change under us.
        "other_config": ["map", [["datapath-id", token_hex(8)], _NOT_IN_BAND]],
    }
    if wanted.datapath_type:
        row["datapath_type"] = wanted.datapath_type
    local = {"name": wanted.name, "type": "internal"}
    port = {"name": wanted.name, "interfaces": ["named-uuid", "interface"]}
    return [
        wait("Bridge", [["name", "==", wanted.name]], ["name"], []),
        insert("Interface", local, "interface"),
        insert("Port", port, "port"),
        _controller(wanted),
        insert("Bridge", row, "bridge"),
        mutate("Open_vSwitch", root, ["bridges", "insert", made("bridge")]),
    ]


def _change(
    replica: Replica, row: bytes, bridge: Bridge, wanted: WantedBridge
) -> list[Operation]:
    """Change what is wrong with a bridge that exists."""
    if not bridge.controllers <= replica.controllers.keys():
        # Whether one of them is ours is not known before their rows are.
        return []
    work: list[Operation] = []
    if bridge.fail_mode != "secure":
        work.append(update("Bridge", row, {"fail_mode": "secure"}))
    if bridge.is_in_band:
        gone, come = ["set", _NOT_IN_BAND[:1]], ["map", [_NOT_IN_BAND]]
        work += [
            mutate("Bridge", row, ["other_config", "delete", gone]),
            mutate("Bridge", row, ["other_config", "insert", come]),
        ]
    if bridge.protocols and PROTOCOL not in bridge.protocols:
        work.append(mutate("Bridge", row, ["protocols", "insert", PROTOCOL]))
    ours = [
        (key, controller)
        for key in bridge.controllers
        if (controller := replica.controllers.get(key))
        and controller.target == wanted.controller
    ]
    if not ours:
        work += [
            _controller(wanted),
            mutate("Bridge", row, ["controller", "insert", made("controller")]),
        ]
    for key, controller in ours:
        if _timings(controller) != _TIMINGS:
            work.append(update("Controller", key, _TIMINGS))
    return work


def _timings(controller: Controller) -> dict[str, int | None]:
    return {name: getattr(controller, name) for name in _TIMINGS}


def _unchanged(row: bytes, bridge: Bridge) -> Operation:
    """Let the transaction fail if the bridge is another than we know."""
    seen = {
        "fail_mode": bridge.fail_mode or values.as_set([]),
        "protocols": values.as_set(sorted(bridge.protocols)),
        "controller": values.as_set(map(values.reference, bridge.controllers)),
    }
    return wait("Bridge", [is_row(row)], sorted(seen), [seen])
