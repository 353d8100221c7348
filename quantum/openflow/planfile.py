# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
The plan file: what belongs to the networks of which switch, as JSON.

The daemon can write one (``[openvswitch] plan_file``), and the isolation
application reads it where no daemon is there to ask.  ::

    {"switches": {"00001a2b3c4d5e6f": {
        "ports": [{"ofport": 1, "segment": 5001, "mac": "02:00:00:00:00:01",
                   "ips": ["10.0.0.1"]}],
        "tunnel": 65000,
        "remotes": [{"switch": "00001a2b3c4d5e70", "ofport": 7, "segment": 5001,
                     "address": "192.0.2.2", "mac": "02:00:00:00:00:02"}],
        "uplinks": [{"ofport": 9, "segment": 5002, "vlan": 100}]}}}

A switch that has nothing but ports may be given as a plain list of them.
"""

from collections.abc import Mapping
from ipaddress import IPv4Address, ip_address

import msgspec
from msgspec import Struct

from quantum.openflow.member import (
    LocalPort,
    Member,
    RemotePort,
    Uplink,
    remote_key,
    uplink_key,
)

_PORTS = range(1, 0xFF00)
_SEGMENTS = range(1, 1 << 24)
_VLANS = range(1, 4095)
_SWITCHES = range(1 << 64)


class PlanError(Exception):
    """A plan file cannot be understood; the message says where."""


class SwitchPlan(Struct, frozen=True):
    """What one switch carries, by key, and the port of its tunnels or 0."""

    members: Mapping[int, Member]
    tunnel: int = 0


class _Port(Struct, forbid_unknown_fields=True, omit_defaults=True):
    ofport: int
    segment: int
    mac: str | None = None
    ips: tuple[str, ...] = ()


class _Remote(_Port, kw_only=True):
    switch: str
    address: str


class _Uplink(Struct, forbid_unknown_fields=True):
    ofport: int
    segment: int
    vlan: int


class _Switch(Struct, forbid_unknown_fields=True, omit_defaults=True):
    ports: list[_Port] = []
    tunnel: int = 0
    remotes: list[_Remote] = []
    uplinks: list[_Uplink] = []


class _Plan(Struct, forbid_unknown_fields=True):
    switches: dict[str, _Switch | list[_Port]]


def write_plan(switches: Mapping[int, SwitchPlan]) -> bytes:
    """Write what each datapath id carries."""
    plan = _Plan({_hex(number): _written(plan) for number, plan in switches.items()})
    return msgspec.json.encode(plan)


def read_plan(text: bytes) -> dict[int, SwitchPlan]:
    """
    Read what each datapath id carries.

    :raise PlanError: It is not a plan.
    """
    try:
        plan = msgspec.json.decode(text, type=_Plan)
        return {
            _number(datapath_id): _read(
                _Switch(ports=found) if isinstance(found, list) else found
            )
            for datapath_id, found in plan.switches.items()
        }
    except (ValueError, RecursionError) as problem:
        raise PlanError(f"not a plan: {problem}") from None


def _written(plan: SwitchPlan) -> _Switch:
    switch = _Switch(ports=[], tunnel=plan.tunnel, remotes=[], uplinks=[])
    for key, member in plan.members.items():
        if isinstance(member, Uplink):
            uplink = _Uplink(member.ofport, member.segment, member.vlan)
            switch.uplinks.append(uplink)
            continue
        mac = member.mac.hex(":") if member.mac else None
        ips = tuple(str(ip_address(address)) for address in member.ips)
        if isinstance(member, LocalPort):
            switch.ports.append(_Port(member.ofport, member.segment, mac, ips))
            continue
        address = str(IPv4Address(member.address))
        datapath_id, ofport = _hex((key >> 32) - 1), key & 0xFFFFFFFF
        where = {"switch": datapath_id, "address": address}
        switch.remotes.append(_Remote(ofport, member.segment, mac, ips, **where))
    return switch


def _read(switch: _Switch) -> SwitchPlan:
    members: dict[int, Member] = {}
    for port in switch.ports:
        segment, mac, ips = _checked(port)
        members[port.ofport] = LocalPort(port.ofport, segment, mac, ips)
    for remote in switch.remotes:
        key = remote_key(_number(remote.switch), remote.ofport)
        address = IPv4Address(remote.address).packed
        members[key] = RemotePort(address, *_checked(remote))
    for uplink in switch.uplinks:
        ofport = _within(_PORTS, "ofport", uplink.ofport)
        segment = _within(_SEGMENTS, "segment", uplink.segment)
        vlan = _within(_VLANS, "vlan", uplink.vlan)
        members[uplink_key(segment)] = Uplink(ofport, segment, vlan)
    return SwitchPlan(members, _within(range(0xFF00), "tunnel", switch.tunnel))


def _checked(port: _Port) -> tuple[int, bytes | None, tuple[bytes, ...]]:
    """Take what local and remote ports have in common: segment, MAC and IPs."""
    _within(_PORTS, "ofport", port.ofport)
    mac = None if port.mac is None else bytes.fromhex(port.mac.replace(":", ""))
    if mac is not None and len(mac) != 6:
        raise ValueError(f"mac {port.mac!r} has not six bytes")
    ips = tuple(ip_address(address).packed for address in port.ips)
    return _within(_SEGMENTS, "segment", port.segment), mac, ips


def _within(numbers: range, name: str, number: int) -> int:
    if number not in numbers:
        raise ValueError(f"{name} {number} out of range")
    return number


def _hex(datapath_id: int) -> str:
    return f"{datapath_id:016x}"


def _number(datapath_id: str) -> int:
    return _within(_SWITCHES, "datapath id", int(datapath_id, 16))
