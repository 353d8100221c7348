# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""Where frames go, in the words of the verifier, by the judgement of others."""

from collections.abc import Iterable, Mapping
from ipaddress import IPv4Address, IPv6Address, ip_address
from random import Random

from os_ken.ofproto import ofproto_v1_3_parser as parser

from quantum.openflow.member import LocalPort, Member, RemotePort
from quantum.openflow.pipeline import Table as Number
from quantum.openflow.verify import Gate, Trunk, Tunnel
from quantum.openflow.verify.fields import ALL, HINT
from quantum.openflow.verify.gate import Gates
from quantum.openflow.verify.header import STRANGER, Frame

from . import journey
from .foreign import apply
from .strategies import TUNNEL, UPLINKS, ipv4, ipv6, mac, peer, text
from .table import Table

NAMES = {
    **{name: name for name in ("eth_type", "arp_op", "arp_spa", "arp_tpa")},
    "nw_proto": "ip_proto",
    "icmpv6_type": "icmpv6_type",
    "nd_target": "ipv6_nd_target",
    "tun_dst": "tun_ipv4_dst",
}
FIELDS = {field.name: field for field in ALL}
DESTINATIONS = [mac(n) for n in range(1, 5)] + [b"\xff" * 6, b"\1\0\x5e\0\0\1"]
SOURCES = [mac(1), mac(2), mac(3), STRANGER]
_IPS = {4: IPv4Address, 16: IPv6Address}
TAGS = [0, 0, 0, 0x1000, 0x1064, 0x112C]


def networks_of(members: Iterable[Member], tunnel: int) -> dict[Gate, int]:
    """Say which gate carries which network."""
    networks: dict[Gate, int] = {}
    for member in members:
        if isinstance(member, LocalPort):
            networks[member.ofport] = member.segment
        elif not isinstance(member, RemotePort):
            networks[Trunk(member.ofport, member.vlan)] = member.segment
        elif tunnel:
            networks[Tunnel(tunnel, member.segment)] = member.segment
            networks[Tunnel(tunnel, member.segment, member.address)] = member.segment
    return networks


def addresses_of(members: Iterable[Member]) -> dict[int, bytes]:
    """Say which port has which address."""
    locals_ = (member for member in members if isinstance(member, LocalPort))
    return {member.ofport: member.mac for member in locals_ if member.mac}


def source_of(frame: Frame, networks: Mapping[Gate, int]) -> Gate:
    """Say by which gate a frame comes in."""
    shared = Gates(networks).shared.get(frame.in_port, set())
    if any(isinstance(gate, Tunnel) for gate in shared):
        gate: Gate = Tunnel(frame.in_port, frame.tun_id)
        return gate if gate in shared else Tunnel(frame.in_port)
    if shared:
        gate = Trunk(frame.in_port, frame.vlan & 0xFFF if frame.vlan else 0)
        return gate if gate in shared else Trunk(frame.in_port)
    return frame.in_port


def exit_of(sent: journey.Sent, frame: Frame, networks: Mapping[Gate, int]) -> Gate:
    """Say by which gate a frame went out; its own tag is none that was chosen."""
    shared = Gates(networks).shared.get(sent.port, set())
    if any(isinstance(gate, Tunnel) for gate in shared):
        if not sent.tun_dst:
            return Tunnel(sent.port, None, b"")
        return Tunnel(sent.port, sent.tun_id, ip_address(sent.tun_dst).packed)
    own = frame.vlan & 0xFFF if frame.vlan else None
    if shared:
        return Trunk(sent.port, None if sent.vlan == own else sent.vlan)
    return sent.port


def plain(gate: Gate) -> Gate:
    """Give up the difference between no tag and one's own."""
    is_plain = isinstance(gate, Trunk) and not gate.vlan
    return Trunk(gate.ofport) if is_plain else gate


def said_of(frame: Frame) -> journey.Frame:
    """Say a frame as others do."""
    said: dict[str, int | str] = {}
    for own, name in NAMES.items():
        size, number = FIELDS[own].size, FIELDS[own].of(frame.rest)
        if number:
            is_address = size in (4, 16)
            said[name] = str(_IPS[size](number)) if is_address else number
    return journey.Frame(
        frame.in_port,
        text(frame.eth_dst),
        text(frame.eth_src),
        frame.tun_id,
        "192.0.2.1" if frame.tun_id else "",
        frame.vlan & 0xFFF if frame.vlan else None,
        said,
    )


def fate(
    table: Table, frame: Frame, networks: Mapping[Gate, int]
) -> tuple[list[Gate], bool]:
    """Say where a frame goes, with the hint it has, and whether that is undefined."""
    unclear = []

    def lookup(number: int, fields: Mapping[str, int]) -> list[parser.OFPInstruction]:
        if number == Number.HINTS:
            return [apply(*hint(frame))]
        found = [
            (priority, str(entry.instructions), entry)
            for (where, priority, _), entry in table.entries.items()
            if where == number and journey.matches(entry.match, fields)
        ]
        best = max((priority for priority, _, _ in found), default=0)
        tops = [(deeds, entry) for priority, deeds, entry in found if priority == best]
        unclear.extend({deeds for deeds, _ in tops[1:] if deeds != tops[0][0]})
        return tops[0][1].instructions if tops else []

    way = journey.Journey(said_of(frame), lookup)
    way.go(0)
    return [exit_of(sent, frame, networks) for sent in way.sent], bool(unclear)


def hint(frame: Frame) -> list[parser.OFPAction]:
    """Write what the switch has learned of the frame's destination."""
    number = HINT.of(frame.rest)
    name, value = ("reg2" if number >> 32 else "reg1"), number & 0xFFFFFFFF
    return [parser.NXActionRegLoad(31, name, value)] if number else []


def some_frames(random: Random, count: int) -> list[Frame]:
    """Make frames of all classes that matter to what we compile."""
    return [_some_frame(random) for _ in range(count)]


def _some_frame(random: Random) -> Frame:
    dst, src = random.choice(DESTINATIONS), random.choice(SOURCES)
    port = random.choice([*range(1, 9), *UPLINKS, 11, TUNNEL, TUNNEL])
    tun_id = random.randint(1, 4) if port == TUNNEL else 0
    rest = random.choice([_nothing, _arp, _solicitation])(random)
    number = random.choice([0, random.randint(1, 10), 1 << 32 | _number(peer(1))])
    tag = random.choice(TAGS)
    return Frame(port, dst, src, tag, tun_id, rest | number << HINT.shift)


def _nothing(_: Random) -> int:
    return 0


def _arp(random: Random) -> int:
    asked = random.randint(1, 4)
    asking = random.choice([asked, random.randint(1, 4)])
    words = {"eth_type": 0x0806, "arp_op": random.choice([1, 1, 1, 2])}
    words |= {"arp_spa": _number(ipv4(asking)), "arp_tpa": _number(ipv4(asked))}
    return _header(words)


def _solicitation(random: Random) -> int:
    words = {"eth_type": 0x86DD, "nw_proto": 58}
    words |= {"icmpv6_type": random.choice([135, 135, 136])}
    return _header(words | {"nd_target": _number(ipv6(random.randint(1, 3)))})


def _header(words: Mapping[str, int]) -> int:
    return sum(number << FIELDS[name].shift for name, number in words.items())


def _number(address: bytes) -> int:
    return int.from_bytes(address, "big")
