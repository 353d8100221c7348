# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
One flow as a value, and its bytes (OpenFlow 1.3.5).

The bytes are written as Open vSwitch itself would report them, so that a flow
read back from a switch can be compared byte for byte with the flow wanted.
"""

import re
from collections.abc import Callable
from struct import Struct, pack
from typing import Final
from zlib import crc32

import msgspec

from quantum.openflow.pipeline import (
    ANNOUNCED,
    CLASSIFY,
    CONSTANT,
    FLOOD,
    FROM_PEERS,
    FROM_PEERS_LEARNING,
    FROM_UPLINK,
    HINTED_PEER,
    HINTED_PORT,
    HINTED_UPLINK,
    OUTWARD_PEERS_PARTS,
    OUTWARD_UPLINK,
    REMOTE,
    SHAPES,
    SOURCE_CHECKED,
    SOURCE_LEARNED,
    STEER_ARP,
    STEER_ND,
    UNICAST,
    Deed,
    Shape,
)
from quantum.openflow.template import (
    FROM_OUTSIDE,
    LEARNED_TAG,
    METADATA_MASK,
    NETWORK_MASK,
    TUNNEL_ID,
    TUNNEL_TARGET,
    Number,
    Part,
    action_parts,
    closing_parts,
    match_parts,
    size,
)

__all__ = [
    "COOKIE_EXACT",
    "COOKIE_TAG",
    "COOKIE_TAG_MASK",
    "FROM_OUTSIDE",
    "LEARNED_TAG",
    "METADATA_MASK",
    "NETWORK_MASK",
    "OUR_ENTRIES",
    "Encoded",
    "Flow",
    "encode",
    "match_length",
]

COOKIE_TAG: Final = 0x51
"""The first byte of each of our cookies; flows without it are somebody else's."""
COOKIE_TAG_MASK: Final = 0xFF << 56
COOKIE_EXACT: Final = (1 << 64) - 1

_OUTPUT = Struct("!HHI8x")
_TO_PEERS = Struct("!HH4x8sQ")
_PEER = Struct("!8s4s4xHHI8x")


class Flow(msgspec.Struct, frozen=True, gc=False):
    """
    A `Shape` with its numbers filled in.

    ``mac`` (six bytes) is the source or destination that the shape matches, or
    the owner that it steers to; ``outputs`` are OpenFlow ports in ascending
    order, of which a tunnel or an uplink is the only one; ``peers`` are tunnel
    addresses (4 bytes) in ascending order; ``address`` is the tunnel address or
    (4 or 16 bytes) the IP address that the shape matches.  Numbers that the
    shape has no use for stay at their defaults, except ``segment``, which is the
    network the flow belongs to (0 for flows that serve all of them).
    """

    shape: Shape
    segment: int = 0
    in_port: int = 0
    mac: bytes = b""
    outputs: tuple[int, ...] = ()
    peers: tuple[bytes, ...] = ()
    address: bytes = b""
    vlan: int = 0

    @property
    def key(self) -> tuple[object, ...]:
        """What a switch tells flows apart by: table, priority and match."""
        shape = self.shape
        match = [getattr(self, name) for name in shape.match_fields]
        return (shape.table, shape.priority, shape.match, *match)


class Encoded(msgspec.Struct, frozen=True, gc=False):
    """A flow as a switch holds it; ``body`` is its match and instructions."""

    table: int
    priority: int
    cookie: int
    body: bytes


def encode(flow: Flow) -> Encoded:
    """
    Write a flow as bytes.

    The cookie is tag (8 bits), segment (24 bits) and a checksum (32 bits) of
    everything else, so that a changed flow has a changed cookie.
    """
    shape = flow.shape
    body = _WRITERS[shape](flow)
    checksum = crc32(body, shape.table << 16 | shape.priority)
    cookie = COOKIE_TAG << 56 | flow.segment << 32 | checksum
    return Encoded(shape.table, shape.priority, cookie, body)


def match_length(body: bytes) -> int:
    """Measure the match at the start of a body, with its padding."""
    return (int.from_bytes(body[2:4], "big") + 7) // 8 * 8


def _writer(shape: Shape) -> Callable[[Flow], bytes]:
    """
    Make what writes the bodies of one shape.

    There may be many outputs or hypervisors, if there is no other action.
    """
    match, closing = match_parts(shape), closing_parts(shape)
    whole = _packed([*match, *action_parts(shape), *closing])
    before, after = (
        _packed(match),
        b"".join(part for part in closing if isinstance(part, bytes)),
    )
    if Deed.OUTPUT in shape.deeds:
        return lambda flow: (
            whole(flow)
            if len(flow.outputs) == 1
            else before(flow) + _outputs(flow) + after
        )
    if Deed.TO_PEERS in shape.deeds:
        return lambda flow: (
            whole(flow)
            if len(flow.peers) == 1
            else before(flow) + _to_peers(flow) + after
        )
    return whole


def _packed(parts: list[Part]) -> Callable[[Flow], bytes]:
    """Pack constants and open numbers in one go, up to three numbers at a time."""
    merged = _merged(parts)
    if len(merged) > 7:
        first, rest = _packed(merged[:6]), _packed(merged[6:])
        return lambda flow: first(flow) + rest(flow)
    fill = Struct("!" + "".join(map(_form, merged))).pack
    reads = [part.read for part in merged if isinstance(part, Number)]
    if not reads:
        constant = fill(*merged)
        return lambda _: constant
    if len(reads) == 1:
        (a, b), (one,) = merged[::2], reads
        return lambda flow: fill(a, one(flow), b)
    if len(reads) == 2:
        (a, b, c), (one, two) = merged[::2], reads
        return lambda flow: fill(a, one(flow), b, two(flow), c)
    (a, b, c, d), (one, two, three) = merged[::2], reads
    return lambda flow: fill(a, one(flow), b, two(flow), c, three(flow), d)


def _outputs(flow: Flow) -> bytes:
    """Write apply-actions (OpenFlow 1.3.5, 7.2.4) that output to each port."""
    ports = flow.outputs
    if not ports:
        return b""
    actions = b"".join([_OUTPUT.pack(0, 16, port) for port in ports])
    return pack("!HH4x", 4, 8 + len(actions)) + actions


def _to_peers(flow: Flow) -> bytes:
    """Write apply-actions that output to each hypervisor, by the one tunnel port."""
    peers = flow.peers
    if not peers:
        return b""
    (tunnel,) = flow.outputs
    return _TO_PEERS.pack(4, 24 + 32 * len(peers), TUNNEL_ID, flow.segment) + b"".join(
        [_PEER.pack(TUNNEL_TARGET, peer, 0, 16, tunnel) for peer in peers]
    )


def _merged(parts: list[Part]) -> list[Part]:
    """Join neighbouring constants; constants and numbers take turns."""
    merged: list[Part] = [b""]
    for part in parts:
        last = merged[-1]
        if isinstance(part, bytes) and isinstance(last, bytes):
            merged[-1] = last + part
        elif isinstance(part, bytes) or isinstance(last, bytes):
            merged.append(part)
        else:
            merged += (b"", part)
    return merged if isinstance(merged[-1], bytes) else [*merged, b""]


def _form(part: Part) -> str:
    return f"{len(part)}s" if isinstance(part, bytes) else part.form


_WRITERS = {shape: _writer(shape) for shape in SHAPES}


def _entry_pattern(shape: Shape) -> bytes:
    """Describe a flow of one shape, with one output, in a statistics reply."""
    parts = [*match_parts(shape), *action_parts(shape), *closing_parts(shape)]
    head = pack("!HBx", 48 + size(parts), shape.table)
    return re.escape(head) + b".{44}" + b"".join(map(_pattern, parts))


def _pattern(part: Part) -> bytes:
    return re.escape(part) if isinstance(part, bytes) else b".{%d}" % part.size


_MANY = (
    *(CLASSIFY, SOURCE_CHECKED, UNICAST, REMOTE, STEER_ARP, ANNOUNCED, STEER_ND),
    *(FLOOD, FROM_PEERS, OUTWARD_PEERS_PARTS[0], HINTED_PEER, SOURCE_LEARNED),
    *(FROM_PEERS_LEARNING, HINTED_PORT, FROM_UPLINK, HINTED_UPLINK, OUTWARD_UPLINK),
)
"""The shapes of which a switch can have many flows, the most common ones first."""

OUR_ENTRIES: Final = re.compile(
    b"(?s:" + b"|".join(map(_entry_pattern, _MANY + CONSTANT)) + b")*"
)
"""Any number of flows of ours in a statistics reply; those with several outputs
are left out.  It spares a strict look at each of very many of them."""
