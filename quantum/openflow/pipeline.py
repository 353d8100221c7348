# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
The pipeline, described once, as data; `picture` draws it.

A frame that matches nothing is dropped, and no flow outputs to NORMAL, so an
empty or half-filled switch forwards too little, never too much.  A frame gets
its network in *classify*, from the port, tunnel network identifier or VLAN it
came in by and nothing else; every output is behind a match on that network.
Open vSwitch never outputs a frame to the port it came in by (OpenFlow 1.3.5,
section 7.2.5).

Frames that came in from other machines (by a tunnel or an uplink) are marked in
metadata, and no flow that sends to other machines matches the mark: there can
be no loop between hypervisors.

What is learned is only a *hint*: a port or hypervisor written into a register.
A flow of ours outputs there only if that place belongs to the frame's network
now, so that a stale or forged hint can misdirect within a network at worst.
"""

from enum import Enum, IntEnum, StrEnum
from typing import Final

from attrs import field, frozen

FLOOD_TABLES: Final = 16
FLOOD_MEMBERS: Final = 4080
"""Outputs in one flow: 16 bytes each, and a message has at most 65,535 bytes."""
OUTWARD_TABLES: Final = 4
OUTWARD_PEERS: Final = 1360
"""Hypervisors in one flow: 48 bytes each."""
HINT_SECONDS: Final = 300
"""How long a hint lasts after the last frame from that address (IEEE 802.1Q)."""
HINT_LIMIT: Final = 1000
"""How many addresses are learned behind one port, tunnel or uplink of a network."""


class Table(IntEnum):
    """The tables, in the order in which a frame can meet them."""

    CLASSIFY = 0
    SOURCE = 10
    POLICY = 20
    STEER = 25
    UNICAST = 30
    HINTS = 31
    HINTED = 32
    OUTWARD = 33  # to OUTWARD + OUTWARD_TABLES - 1, for very many hypervisors
    FLOOD = 40  # to FLOOD + FLOOD_TABLES - 1, for networks of very many ports


class Match(StrEnum):
    """What a shape asks of a frame; the number comes from a field of the flow."""

    IN_PORT = "in_port"
    """It came in by ``in_port``."""
    SEGMENT = "network"
    """Its network is ``segment``, wherever it came from."""
    FROM_HERE = "network, from here"
    """The same, and it came in by a port of this switch."""
    ETH_SRC = "eth_src"
    """Its source is ``mac``."""
    ETH_DST = "eth_dst"
    """Its destination is ``mac``."""
    MULTICAST = "multicast"
    """Its destination has the group bit."""
    TUNNEL_ID = "tun_id"
    """Its virtual network identifier is ``segment`` (RFC 7348, RFC 8926)."""
    VLAN = "vlan_vid"
    """Its outermost tag is ``vlan`` (IEEE 802.1Q)."""
    UNTAGGED = "untagged"
    """It has no tag."""
    ARP_REQUEST = "ARP request for"
    """It asks who has the IPv4 ``address`` (RFC 826)."""
    ARP_ANNOUNCEMENT = "ARP announcement of"
    """It asks so from that very address (RFC 5227)."""
    ND_SOLICITATION = "neighbour solicitation for"
    """It asks who has the IPv6 ``address`` (RFC 4861, 4.3)."""
    HINT_PORT = "hinted port"
    """The hint is ``in_port``."""
    HINT_PEER = "hinted hypervisor"
    """The hint is the hypervisor with the tunnel ``address``."""


class Deed(Enum):
    """What a shape does with a frame, in this order."""

    POP_VLAN = "take the tag off"
    LEARN_PORT = "hint at in_port for eth_src"
    LEARN_PEER = "hint at the hypervisor for eth_src"
    STEER = "eth_dst = its owner"
    ASK_HINTS = "look into 31"
    OUTPUT = "output"
    TO_PEERS = "output to hypervisors"
    TO_UPLINK = "output tagged"
    TO_SEGMENT = "metadata = network"
    TO_SEGMENT_FROM_OUTSIDE = "metadata = network, from outside"


@frozen(eq=False)
class Shape:
    """
    A form of flow: what it matches and does, with the numbers left open.

    The open numbers are the fields of `quantum.openflow.flow.Flow` that
    `Match` and `Deed` name.  Shapes are compared by identity: there is one of
    each.
    """

    name: str
    table: int
    priority: int
    match: tuple[Match, ...] = ()
    deeds: tuple[Deed, ...] = ()
    goto: int | None = None
    match_fields: tuple[str, ...] = field(init=False)
    """Which fields of a `Flow` are in the match."""

    @match_fields.default
    def _match_fields(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(_FIELDS[m] for m in self.match if m in _FIELDS))


_FIELDS = {
    Match.IN_PORT: "in_port",
    Match.SEGMENT: "segment",
    Match.FROM_HERE: "segment",
    Match.ETH_SRC: "mac",
    Match.ETH_DST: "mac",
    Match.TUNNEL_ID: "segment",
    Match.VLAN: "vlan",
    Match.ARP_REQUEST: "address",
    Match.ARP_ANNOUNCEMENT: "address",
    Match.ND_SOLICITATION: "address",
    Match.HINT_PORT: "in_port",
    Match.HINT_PEER: "address",
}

CLASSIFY = Shape(
    "classify",
    Table.CLASSIFY,
    100,
    (Match.IN_PORT,),
    (Deed.TO_SEGMENT,),
    Table.SOURCE,
)
FROM_PEERS = Shape(
    "from hypervisors",
    Table.CLASSIFY,
    100,
    (Match.IN_PORT, Match.TUNNEL_ID),
    (Deed.TO_SEGMENT_FROM_OUTSIDE,),
    Table.UNICAST,
)
FROM_PEERS_LEARNING = Shape(
    "from hypervisors, learning",
    Table.CLASSIFY,
    100,
    (Match.IN_PORT, Match.TUNNEL_ID),
    (Deed.LEARN_PEER, Deed.TO_SEGMENT_FROM_OUTSIDE),
    Table.UNICAST,
)
FROM_UPLINK = Shape(
    "from uplink",
    Table.CLASSIFY,
    100,
    (Match.IN_PORT, Match.VLAN),
    (Deed.POP_VLAN, Deed.LEARN_PORT, Deed.TO_SEGMENT_FROM_OUTSIDE),
    Table.UNICAST,
)
SOURCE_CHECKED = Shape(
    "source checked",
    Table.SOURCE,
    100,
    (Match.IN_PORT, Match.ETH_SRC),
    goto=Table.POLICY,
)
SOURCE_LEARNED = Shape(
    "source learned",
    Table.SOURCE,
    50,
    (Match.IN_PORT,),
    (Deed.LEARN_PORT,),
    Table.POLICY,
)
POLICY = Shape("policy", Table.POLICY, 0, goto=Table.STEER)
ANNOUNCED = Shape(
    "announced",
    Table.STEER,
    110,
    (Match.SEGMENT, Match.MULTICAST, Match.UNTAGGED, Match.ARP_ANNOUNCEMENT),
    goto=Table.UNICAST,
)
STEER_ARP = Shape(
    "steer ARP",
    Table.STEER,
    100,
    (Match.SEGMENT, Match.MULTICAST, Match.UNTAGGED, Match.ARP_REQUEST),
    (Deed.STEER,),
    Table.UNICAST,
)
STEER_ND = Shape(
    "steer ND",
    Table.STEER,
    100,
    (Match.SEGMENT, Match.MULTICAST, Match.UNTAGGED, Match.ND_SOLICITATION),
    (Deed.STEER,),
    Table.UNICAST,
)
UNSTEERED = Shape("unsteered", Table.STEER, 0, goto=Table.UNICAST)
UNICAST = Shape(
    "unicast",
    Table.UNICAST,
    100,
    (Match.SEGMENT, Match.ETH_DST),
    (Deed.OUTPUT,),
)
REMOTE = Shape(
    "remote",
    Table.UNICAST,
    100,
    (Match.FROM_HERE, Match.ETH_DST),
    (Deed.TO_PEERS,),
)
MULTICAST = Shape(
    "multicast", Table.UNICAST, 90, (Match.MULTICAST,), goto=Table.OUTWARD
)
UNKNOWN = Shape("unknown", Table.UNICAST, 1, deeds=(Deed.ASK_HINTS,), goto=Table.HINTED)
HINTED_PORT = Shape(
    "hinted port",
    Table.HINTED,
    100,
    (Match.SEGMENT, Match.HINT_PORT),
    (Deed.OUTPUT,),
)
HINTED_PEER = Shape(
    "hinted hypervisor",
    Table.HINTED,
    100,
    (Match.FROM_HERE, Match.HINT_PEER),
    (Deed.TO_PEERS,),
)
HINTED_UPLINK = Shape(
    "hinted uplink",
    Table.HINTED,
    100,
    (Match.FROM_HERE, Match.UNTAGGED, Match.HINT_PORT),
    (Deed.TO_UPLINK,),
)
UNHINTED = Shape("unhinted", Table.HINTED, 1, goto=Table.OUTWARD)
OUTWARD_PEERS_PARTS = tuple(
    Shape(
        f"outward to hypervisors {part}",
        Table.OUTWARD + part,
        100,
        (Match.FROM_HERE,),
        (Deed.TO_PEERS,),
        Table.OUTWARD + part + 1 if part + 1 < OUTWARD_TABLES else Table.FLOOD,
    )
    for part in range(OUTWARD_TABLES)
)
OUTWARD_UPLINK = Shape(
    "outward by uplink",
    Table.OUTWARD,
    100,
    (Match.FROM_HERE, Match.UNTAGGED),
    (Deed.TO_UPLINK,),
    Table.FLOOD,
)
OUTWARD_ENDS = tuple(
    Shape(
        f"not outward {part}",
        Table.OUTWARD + part,
        0,
        goto=Table.OUTWARD + part + 1 if part + 1 < OUTWARD_TABLES else Table.FLOOD,
    )
    for part in range(OUTWARD_TABLES)
)
FLOOD = Shape("flood", Table.FLOOD, 100, (Match.SEGMENT,), (Deed.OUTPUT,))
FLOOD_PARTS = tuple(
    Shape(
        f"flood part {part}",
        Table.FLOOD + part,
        100,
        (Match.SEGMENT,),
        (Deed.OUTPUT,),
        Table.FLOOD + part + 1,
    )
    for part in range(FLOOD_TABLES - 1)
)
FLOOD_LASTS = (
    FLOOD,
    *(
        Shape(
            f"flood last {part}",
            Table.FLOOD + part,
            100,
            (Match.SEGMENT,),
            (Deed.OUTPUT,),
        )
        for part in range(1, FLOOD_TABLES)
    ),
)
CONSTANT = (POLICY, UNSTEERED, MULTICAST, UNKNOWN, UNHINTED, *OUTWARD_ENDS)
"""Shapes without numbers: there is one flow of each on every switch."""
SHAPES = (
    CLASSIFY,
    FROM_PEERS,
    FROM_PEERS_LEARNING,
    FROM_UPLINK,
    SOURCE_CHECKED,
    SOURCE_LEARNED,
    POLICY,
    ANNOUNCED,
    STEER_ARP,
    STEER_ND,
    UNSTEERED,
    UNICAST,
    REMOTE,
    MULTICAST,
    UNKNOWN,
    HINTED_PORT,
    HINTED_PEER,
    HINTED_UPLINK,
    UNHINTED,
    *OUTWARD_PEERS_PARTS,
    OUTWARD_UPLINK,
    *OUTWARD_ENDS,
    *FLOOD_PARTS,
    *FLOOD_LASTS,
)


def picture() -> str:
    """Draw the tables, one line per shape; the parts of large floods are left out."""
    rows = [("table", "priority", "match", "what is done")]
    parts = {*OUTWARD_PEERS_PARTS[1:], *OUTWARD_ENDS[1:], *FLOOD_PARTS}
    for shape in SHAPES:
        if shape.table <= Table.FLOOD and shape not in parts:
            name = f"{shape.table} {Table(shape.table).name.lower()}"
            rows.append((name, str(shape.priority), _match(shape), _deeds(shape)))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = (
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        for row in rows
    )
    return "\n".join(line.rstrip() for line in lines)


def _match(shape: Shape) -> str:
    return ", ".join(shape.match) or "any frame"


def _deeds(shape: Shape) -> str:
    deeds = [deed.value for deed in shape.deeds]
    if shape.goto is not None:
        deeds.append(f"go to {min(shape.goto, Table.FLOOD)}")
    return ", ".join(deeds)
