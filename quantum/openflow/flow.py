# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
One flow as a value, and its bytes (OpenFlow 1.3.5).

The bytes are written as Open vSwitch itself would report them, so that a flow
read back from a switch can be compared byte for byte with the flow wanted.
"""

import re
from collections.abc import Callable
from operator import attrgetter
from struct import Struct, pack
from typing import Final
from zlib import crc32

import msgspec

from quantum.openflow.pipeline import SHAPES, Shape

COOKIE_TAG: Final = 0x51
"""The first byte of each of our cookies; flows without it are somebody else's."""
COOKIE_TAG_MASK: Final = 0xFF << 56
COOKIE_EXACT: Final = (1 << 64) - 1
METADATA_MASK: Final = 0x1FFFFFFFF
"""32 bits of network, and above them one bit: came from the overlay."""

_OUTPUT = Struct("!HHIH6x")


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
    Make what writes the bodies of one shape: constants, with open numbers between.

    A shape has at most two open numbers besides its outputs.
    """
    match = _match_parts(shape)
    length = 4 + sum(map(_size, match))
    parts: list[bytes | str] = [pack("!HH", 1, length), *match, bytes(-length % 8)]
    closing = _closing_parts(shape)
    if shape.outputs:
        rest = b"".join(part for part in closing if isinstance(part, bytes))
        fixed = _packed(parts)
        return lambda flow: fixed(flow) + _outputs(flow.outputs) + rest
    return _packed(parts + closing)


def _packed(parts: list[bytes | str]) -> Callable[[Flow], bytes]:
    """Pack constants and open numbers in one go."""
    merged = _merged(parts)
    fill = Struct("!" + "".join(map(_format, merged))).pack
    constants = [part for part in merged if isinstance(part, bytes)]
    opens = [attrgetter(part) for part in merged if isinstance(part, str)]
    if not opens:
        (whole,) = constants
        return lambda _: whole
    if len(opens) == 1:
        (before, after), (one,) = constants, opens
        return lambda flow: fill(before, one(flow), after)
    (before, between, after), (one, two) = constants, opens
    return lambda flow: fill(before, one(flow), between, two(flow), after)


def _outputs(ports: tuple[int, ...]) -> bytes:
    """Write apply-actions (OpenFlow 1.3.5, 7.2.4) that output to each port."""
    if len(ports) == 1:  # nearly all unicast flows
        return _ONE_OUTPUT.pack(4, 24, 0, 16, ports[0], 0)
    if not ports:
        return b""
    actions = b"".join([_OUTPUT.pack(0, 16, port, 0) for port in ports])
    return pack("!HH4x", 4, 8 + len(actions)) + actions


def _entry_pattern(shape: Shape) -> bytes:
    """Describe a flow of one shape, with one output, in a statistics reply."""
    match = _match_parts(shape)
    length = 4 + sum(map(_size, match))
    parts: list[bytes | str] = [pack("!HH", 1, length), *match, bytes(-length % 8)]
    if shape.outputs:
        parts += [pack("!HH4xHH", 4, 24, 0, 16), "in_port", bytes(8)]
    parts += _closing_parts(shape)
    head = pack("!HBx", 48 + sum(map(_size, parts)), shape.table)
    return re.escape(head) + b".{44}" + b"".join(map(_pattern, parts))


def _pattern(part: bytes | str) -> bytes:
    return re.escape(part) if isinstance(part, bytes) else b".{%d}" % _SIZES[part]


_ONE_OUTPUT = Struct("!HH4xHHIH6x")
_SIZES = {"in_port": 4, "mac": 6, "segment": 8}
_FORMATS = {"in_port": "I", "mac": "6s", "segment": "Q"}


def _match_parts(shape: Shape) -> list[bytes | str]:
    """
    List the OXM fields (7.2.3.7) in the order in which Open vSwitch reports them.

    A header is class 0x8000, field, whether it has a mask, length of the rest.
    """
    parts: list[bytes | str] = []
    if shape.in_port:
        parts += [pack("!HBB", 0x8000, 0 << 1, 4), "in_port"]
    if shape.eth_dst:
        parts += [pack("!HBB", 0x8000, 3 << 1, 6), "mac"]
    if shape.eth_src:
        parts += [pack("!HBB", 0x8000, 4 << 1, 6), "mac"]
    if shape.metadata:
        masked = pack("!HBB", 0x8000, 2 << 1 | 1, 16)
        parts += [masked, "segment", pack("!Q", METADATA_MASK)]
    return parts


def _closing_parts(shape: Shape) -> list[bytes | str]:
    """List write-metadata and goto-table (7.2.4), in the order of their execution."""
    parts: list[bytes | str] = []
    if shape.write_metadata:
        parts += [pack("!HH4x", 2, 24), "segment", pack("!Q", METADATA_MASK)]
    if shape.goto is not None:
        parts.append(pack("!HHB3x", 1, 8, shape.goto))
    return parts


def _merged(parts: list[bytes | str]) -> list[bytes | str]:
    """Join neighbouring constants."""
    merged: list[bytes | str] = []
    for part in parts:
        last = merged[-1] if merged else None
        if isinstance(part, bytes) and isinstance(last, bytes):
            merged[-1] = last + part
        else:
            merged.append(part)
    return merged


def _size(part: bytes | str) -> int:
    return len(part) if isinstance(part, bytes) else _SIZES[part]


def _format(part: bytes | str) -> str:
    return f"{len(part)}s" if isinstance(part, bytes) else _FORMATS[part]


_WRITERS = {shape: _writer(shape) for shape in SHAPES}

OUR_ENTRIES: Final = re.compile(
    b"(?s:" + b"|".join(map(_entry_pattern, SHAPES)) + b")*"
)
"""Any number of flows of ours in a statistics reply; those with several outputs
are left out.  It spares a strict look at each of very many of them."""
