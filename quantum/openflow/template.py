# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
The bytes of matches and deeds: constants, with the open numbers between them.

Match fields are in the order in which Open vSwitch reports them.  Section numbers
are those of OpenFlow 1.3.5; the actions of class 0x2320 are Open vSwitch's own
(``include/openflow/nicira-ext.h`` and ``lib/ofp-actions.c`` in its sources).
"""

from collections.abc import Callable
from operator import attrgetter
from struct import calcsize, pack
from typing import Any, Final

from attrs import frozen

from quantum.openflow.pipeline import (
    HINT_LIMIT,
    HINT_SECONDS,
    Deed,
    Match,
    Shape,
    Table,
)

LEARNED_TAG: Final = 0x52
"""The first byte of the cookies of what a switch learned by itself: hints."""
FROM_OUTSIDE: Final = 1 << 32
"""The bit of metadata that says: came from another machine."""
NETWORK_MASK: Final = FROM_OUTSIDE - 1
METADATA_MASK: Final = FROM_OUTSIDE | NETWORK_MASK

_APPLY_ACTIONS, _WRITE_METADATA, _GOTO_TABLE = 4, 2, 1
_OUTPUT, _PUSH_VLAN, _POP_VLAN, _SET_FIELD = 0, 17, 18, 25


@frozen(eq=False)
class Number:
    """A number that is left open: how it is packed, and where in a flow it is."""

    form: str
    read: Callable[[Any], Any]

    @property
    def size(self) -> int:
        """How many bytes it takes."""
        return calcsize("!" + self.form)


Part = bytes | Number

_IN_PORT = Number("I", attrgetter("in_port"))
_SEGMENT = Number("I", attrgetter("segment"))
_MAC = Number("6s", attrgetter("mac"))
_IPV4 = Number("4s", attrgetter("address"))
_IPV6 = Number("16s", attrgetter("address"))
_TAG = Number("H", lambda flow: 0x1000 | flow.vlan)
_OUTLET = Number("I", lambda flow: flow.outputs[0])
_PEER = Number("4s", lambda flow: flow.peers[0])
_HINT_COOKIE = Number(
    "Q", lambda flow: LEARNED_TAG << 56 | flow.segment << 32 | flow.in_port
)


def size(parts: list[Part]) -> int:
    """Measure parts."""
    return sum(len(part) if isinstance(part, bytes) else part.size for part in parts)


def match_parts(shape: Shape) -> list[Part]:
    """Write a shape's match (7.2.3)."""
    fields = [part for match, it in _FIELDS if match in shape.match for part in it]
    length = 4 + size(fields)
    return [pack("!HH", 1, length), *fields, bytes(-length % 8)]


def action_parts(shape: Shape) -> list[Part]:
    """Write apply-actions (7.2.4), with one output, to one hypervisor."""
    actions = [part for deed in shape.deeds for part in _ACTIONS.get(deed, ())]
    if Deed.TO_UPLINK in shape.deeds and shape.goto is not None:
        actions.append(_TAG_OFF)  # what comes after sees the frame as it was
    return [pack("!HH4x", 4, 8 + size(actions)), *actions] if actions else []


def closing_parts(shape: Shape) -> list[Part]:
    """Write write-metadata and goto-table (7.2.4), in the order of their execution."""
    parts: list[Part] = []
    for deed, mark in ((Deed.TO_SEGMENT, 0), (Deed.TO_SEGMENT_FROM_OUTSIDE, 1)):
        if deed in shape.deeds:
            head = pack("!HH4xI", _WRITE_METADATA, 24, mark)
            parts += [head, _SEGMENT, pack("!Q", METADATA_MASK)]
    if shape.goto is not None:
        parts.append(pack("!HHB3x", _GOTO_TABLE, 8, shape.goto))
    return parts


def _field(number: int, length: int, *, is_masked: bool = False) -> bytes:
    """Write a match field's header (7.2.3.2) of the class of OpenFlow itself."""
    return pack("!HBB", 0x8000, number << 1 | is_masked, length)


def _register(number: int) -> bytes:
    """Write a match field's header for a register: a field of class 1."""
    return pack("!HBB", 1, number << 1, 4)


_ARP, _IPV6_TYPE = _field(5, 2) + b"\x08\x06", _field(5, 2) + b"\x86\xdd"
_REQUEST = _field(21, 2) + b"\0\1"
_ARP_SOURCE, _ARP_TARGET = _field(22, 4), _field(23, 4)
_SOLICITATION = _field(10, 1) + b"\x3a" + _field(29, 1) + b"\x87"
_NETWORK: Final = (_field(2, 16, is_masked=True), bytes(4), _SEGMENT)
_GROUP_BIT = b"\1\0\0\0\0\0"

_FIELDS: Final[tuple[tuple[Match, tuple[Part, ...]], ...]] = (
    (Match.IN_PORT, (_field(0, 4), _IN_PORT)),
    (Match.ETH_DST, (_field(3, 6), _MAC)),
    (Match.MULTICAST, (_field(3, 12, is_masked=True), _GROUP_BIT, _GROUP_BIT)),
    (Match.ETH_SRC, (_field(4, 6), _MAC)),
    (Match.ARP_ANNOUNCEMENT, (_ARP,)),
    (Match.ARP_REQUEST, (_ARP,)),
    (Match.ND_SOLICITATION, (_IPV6_TYPE,)),
    (Match.VLAN, (_field(6, 2), _TAG)),
    (Match.UNTAGGED, (_field(6, 2), bytes(2))),
    (Match.ARP_ANNOUNCEMENT, (_REQUEST, _ARP_SOURCE, _IPV4, _ARP_TARGET, _IPV4)),
    (Match.ARP_REQUEST, (_REQUEST, _ARP_TARGET, _IPV4)),
    (Match.ND_SOLICITATION, (_SOLICITATION, _field(31, 16), _IPV6)),
    (Match.TUNNEL_ID, (_field(38, 8), bytes(4), _SEGMENT)),
    (Match.HINT_PORT, (_register(1), _IN_PORT)),
    (Match.HINT_PEER, (_register(2), _IPV4)),
    (Match.SEGMENT, (*_NETWORK, pack("!Q", NETWORK_MASK))),
    (Match.FROM_HERE, (*_NETWORK, pack("!Q", METADATA_MASK))),
)


def _learn(source: bytes, place: bytes, bits: int) -> tuple[Part, ...]:
    """
    Write the action that hints at a frame's origin for its source address.

    It is ``learn`` with a limit (NXAST_LEARN2, 45).  The hint is bound to the
    network by its number, not by metadata, which is written after all actions.
    """
    head = pack("!HHIHHHH", 0xFFFF, 80, 0x2320, 45, 0, HINT_SECONDS, 100)
    rest = pack("!HBxHHIHxx", 0, Table.HINTS, 0, 0, HINT_LIMIT, 0)
    network = (pack("!H", 0x2000 | 32), _SEGMENT, _field(2, 8), bytes(2))
    owner = pack("!H4sH4sH", 48, _ETH_SRC, 0, _ETH_DST, 0)
    origin = pack("!H4sH4sH", 0x0800 | bits, source, 0, place, 0)
    actions = (head, _HINT_COOKIE, rest, *network, owner + origin)
    return (*actions, bytes(-size(list(actions)) % 8))


_ETH_DST, _ETH_SRC = pack("!HBB", 0, 1 << 1, 6), pack("!HBB", 0, 2 << 1, 6)
_TUNNEL_SOURCE = _register(31)
_ARRIVAL = pack("!HBB", 0, 0, 2)
_TAG_ON = pack("!HHH2x", _PUSH_VLAN, 8, 0x8100)
_TAG_OFF = pack("!HH4x", _POP_VLAN, 8)
_SET: Final = pack("!HH", _SET_FIELD, 16)
_OUT: Final = (pack("!HH", _OUTPUT, 16), _OUTLET, bytes(8))
TUNNEL_ID = _SET + _field(38, 8)
TUNNEL_TARGET = _SET + _register(32)
_ACTIONS: Final[dict[Deed, tuple[Part, ...]]] = {
    Deed.POP_VLAN: (_TAG_OFF,),
    Deed.LEARN_PORT: _learn(_ARRIVAL, _register(1), 16),
    Deed.LEARN_PEER: _learn(_TUNNEL_SOURCE, _register(2), 32),
    Deed.STEER: (_SET + _field(3, 6), _MAC, bytes(2)),
    Deed.ASK_HINTS: (pack("!HHIHHB3x", 0xFFFF, 16, 0x2320, 14, 0xFFF8, Table.HINTS),),
    Deed.OUTPUT: _OUT,
    Deed.TO_PEERS: (
        *(TUNNEL_ID, bytes(4), _SEGMENT),
        *(TUNNEL_TARGET, _PEER, bytes(4), *_OUT),
    ),
    Deed.TO_UPLINK: (_TAG_ON, _SET + _field(6, 2), _TAG, bytes(6), *_OUT),
}
