# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
What the integration bridge must be, and the one transaction that makes it so.

Open vSwitch flushes every flow when a bridge goes from no controller to one or
back; hence all is changed at once, nothing is ever removed, and nothing is
written when all is right.  Nothing here sends.
"""

from secrets import token_hex
from typing import Any

from attrs import define, field, frozen

from quantum.channel.ovsdb import values
from quantum.channel.ovsdb.replica import Replica
from quantum.channel.ovsdb.row import Bridge, Controller

DATABASE = "Open_vSwitch"
PROTOCOL = "OpenFlow13"
_TIMINGS = {"inactivity_probe": 5000, "max_backoff": 1000}

Operation = dict[str, Any]


@frozen
class WantedBridge:
    """The integration bridge, and the OpenFlow controller it must have."""

    name: str
    controller: str
    """Open vSwitch's own notation: ``tcp:127.0.0.1:6653``, ``unix:/path``."""
    datapath_type: str = ""
    """Given to a bridge that is made; changing it later would drop all traffic."""


@define
class Repair:
    """What makes the bridge right, and what the operator must know."""

    operations: list[Operation] = field(factory=list)
    """One transaction; empty when there is nothing to do."""
    complaints: list[str] = field(factory=list)
    """What is wrong now, in plain words."""


def repair(replica: Replica, wanted: WantedBridge) -> Repair:
    """Compare what is with what is wanted."""
    if not replica.roots:
        # The database is not initialised yet; a bridge would belong to nobody.
        return Repair()
    found = replica.bridge(wanted.name)
    if found is None:
        return Repair(_creation(next(iter(replica.roots)), wanted))
    row, bridge = found
    work = Repair()
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
    if change:
        work.operations = [_unchanged(row, bridge), *change]
    return work


def _controller(wanted: WantedBridge) -> Operation:
    return {
        "op": "insert",
        "table": "Controller",
        "row": {"target": wanted.controller, **_TIMINGS},
        "uuid-name": "controller",
    }


def _creation(root: bytes, wanted: WantedBridge) -> list[Operation]:
    """Make the bridge with everything it needs, unless somebody just did."""
    made = ["named-uuid", "bridge"]
    row: dict[str, Any] = {
        "name": wanted.name,
        "ports": ["named-uuid", "port"],
        "fail_mode": "secure",
        "controller": ["named-uuid", "controller"],
        # Else it follows the lowest MAC plugged in, and with it the switch's
        # identity would change under us.
        "other_config": ["map", [["datapath-id", token_hex(8)]]],
    }
    if wanted.datapath_type:
        row["datapath_type"] = wanted.datapath_type
    local = {"name": wanted.name, "type": "internal"}
    port = {"name": wanted.name, "interfaces": ["named-uuid", "interface"]}
    return [
        _wait("Bridge", ["name", "==", wanted.name], ["name"], []),
        _insert("Interface", local, "interface"),
        _insert("Port", port, "port"),
        _controller(wanted),
        _insert("Bridge", row, "bridge"),
        _mutate("Open_vSwitch", root, ["bridges", "insert", values.as_set([made])]),
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
        work.append(_update("Bridge", row, {"fail_mode": "secure"}))
    if bridge.protocols and PROTOCOL not in bridge.protocols:
        work.append(_mutate("Bridge", row, ["protocols", "insert", PROTOCOL]))
    ours = [
        (key, controller)
        for key in bridge.controllers
        if (controller := replica.controllers.get(key))
        and controller.target == wanted.controller
    ]
    if not ours:
        added = values.as_set([["named-uuid", "controller"]])
        work += [
            _controller(wanted),
            _mutate("Bridge", row, ["controller", "insert", added]),
        ]
    for key, controller in ours:
        if _timings(controller) != _TIMINGS:
            work.append(_update("Controller", key, _TIMINGS))
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
    return _wait("Bridge", _is(row), sorted(seen), [seen])


def _is(row: bytes) -> list[Any]:
    return ["_uuid", "==", values.reference(row)]


def _wait(
    table: str, where: list[Any], columns: list[str], rows: list[dict[str, Any]]
) -> Operation:
    return {
        "op": "wait",
        "table": table,
        "where": [where],
        "columns": columns,
        "until": "==",
        "rows": rows,
        "timeout": 0,
    }


def _insert(table: str, row: dict[str, Any], name: str) -> Operation:
    return {"op": "insert", "table": table, "row": row, "uuid-name": name}


def _update(table: str, row: bytes, columns: dict[str, Any]) -> Operation:
    return {"op": "update", "table": table, "where": [_is(row)], "row": columns}


def _mutate(table: str, row: bytes, mutation: list[Any]) -> Operation:
    return {
        "op": "mutate",
        "table": table,
        "where": [_is(row)],
        "mutations": [mutation],
    }
