# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
One flow as a value, and its bytes (OpenFlow 1.3.5).

The bytes are written as Open vSwitch itself would report them, so that a flow
read back from a switch can be compared byte for byte with the flow wanted.
"""

from struct import Struct, pack
from typing import Final, NamedTuple
from zlib import crc32

from quantum.openflow.pipeline import SHAPES, Shape

COOKIE_TAG: Final = 0x51
"""The first byte of each of our cookies; flows without it are somebody else's."""
COOKIE_TAG_MASK: Final = 0xFF << 56
COOKIE_EXACT: Final = (1 << 64) - 1
METADATA_MASK: Final = 0x1FFFFFFFF
"""32 bits of network, and above them one bit: came from the overlay."""

_OUTPUT = Struct("!HHIH6x")
_OUTPUT_TYPE, _OUTPUT_LENGTH = 0, 16


class Flow(NamedTuple):
    """
    A `Shape` with its numbers filled in.

    ``mac`` (six bytes) is the source or destination that the shape matches;
    ``outputs`` are OpenFlow ports in ascending order.  Numbers that the shape
    has no use for stay at their defaults, except ``segment``, which is the
    network the flow belongs to (0 for flows that serve all of them).
    """

    shape: Shape
    segment: int = 0
    in_port: int = 0
    mac: bytes = b""
    outputs: tuple[int, ...] = ()

    @property
    def key(self) -> tuple[object, ...]:
        """What a switch tells flows apart by: table, priority and match."""
        shape = self.shape
        match = [self[index] for index in shape.match_indexes]
        return (shape.table, shape.priority, *match)


class Encoded(NamedTuple):
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


class _Writer:
    """Writes the bodies of one shape: constants with the open numbers between."""

    def __init__(self, shape: Shape) -> None:
        match = _match_parts(shape)
        length = 4 + sum(
            len(part) if isinstance(part, bytes) else _SIZES[part] for part in match
        )
        parts: list[bytes | str] = [pack("!HH", 1, length), *match, bytes(-length % 8)]
        if not shape.outputs:
            parts += _closing_parts(shape)
        self._closing = b"".join(
            part for part in _closing_parts(shape) if isinstance(part, bytes)
        )
        merged = _merged(parts)
        self._struct = Struct("!" + "".join(map(_format, merged)))
        self._parts = tuple(
            part if isinstance(part, bytes) else Flow._fields.index(part)
            for part in merged
        )
        self._has_outputs = shape.outputs

    def __call__(self, flow: Flow) -> bytes:
        body = self._struct.pack(
            *[flow[part] if part.__class__ is int else part for part in self._parts]
        )
        return body + self._outputs(flow.outputs) if self._has_outputs else body

    def _outputs(self, ports: tuple[int, ...]) -> bytes:
        """Write apply-actions (OpenFlow 1.3.5, 7.2.4) and what follows it."""
        if len(ports) == 1:  # nearly all unicast flows
            return _ONE_OUTPUT.pack(4, 24, 0, 16, ports[0], 0) + self._closing
        actions = b"".join(
            [_OUTPUT.pack(_OUTPUT_TYPE, _OUTPUT_LENGTH, port, 0) for port in ports]
        )
        if not actions:
            return self._closing
        return pack("!HH4x", 4, 8 + len(actions)) + actions + self._closing


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


def _format(part: bytes | str) -> str:
    return f"{len(part)}s" if isinstance(part, bytes) else _FORMATS[part]


_WRITERS = {shape: _Writer(shape) for shape in SHAPES}
