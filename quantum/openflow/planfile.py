# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
The plan file: which ports of which switch carry which network, as JSON.

The daemon can write one (``[openvswitch] plan_file``), and the isolation
application reads it where no daemon is there to ask.  ::

    {"switches": {"00001a2b3c4d5e6f": [
        {"ofport": 1, "segment": 5001, "mac": "02:00:00:00:00:01"}]}}
"""

from collections.abc import Iterable, Mapping

import msgspec
from msgspec import Struct

from quantum.openflow.layout import LocalPort


class PlanError(Exception):
    """A plan file cannot be understood; the message says where."""


class _Port(Struct, forbid_unknown_fields=True, omit_defaults=True):
    ofport: int
    segment: int
    mac: str | None = None


class _Plan(Struct, forbid_unknown_fields=True):
    switches: dict[str, list[_Port]]


def write_plan(switches: Mapping[int, Iterable[LocalPort]]) -> bytes:
    """Write the ports of each datapath id."""
    return msgspec.json.encode(
        _Plan(
            {
                f"{datapath_id:016x}": [
                    _Port(p.ofport, p.segment, p.mac.hex(":") if p.mac else None)
                    for p in ports
                ]
                for datapath_id, ports in switches.items()
            }
        )
    )


def read_plan(text: bytes) -> dict[int, dict[int, LocalPort]]:
    """
    Read the ports of each datapath id, by number.

    :raise PlanError: It is not a plan.
    """
    try:
        plan = msgspec.json.decode(text, type=_Plan)
        return {
            int(datapath_id, 16): {port.ofport: _local_port(port) for port in ports}
            for datapath_id, ports in plan.switches.items()
        }
    except (ValueError, RecursionError) as problem:
        raise PlanError(f"not a plan: {problem}") from None


def _local_port(port: _Port) -> LocalPort:
    mac = None if port.mac is None else bytes.fromhex(port.mac.replace(":", ""))
    if mac is not None and len(mac) != 6:
        raise ValueError(f"mac {port.mac!r} has not six bytes")
    if not (0 < port.ofport < 0xFF00 and 0 < port.segment < 1 << 24):
        raise ValueError(f"ofport {port.ofport} or segment {port.segment} out of range")
    return LocalPort(port.ofport, port.segment, mac)
