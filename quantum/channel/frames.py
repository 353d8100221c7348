# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
From a switch's bytes to whole, harmless OpenFlow 1.3 frames.

os-ken's parser follows the lengths it finds, and for ever if one is zero; so
nothing reaches it that has not passed here.  Nothing here waits, sends, or
understands a value.
"""

from collections.abc import Mapping
from enum import Enum
from struct import Struct

from attrs import define, field
from msgspec import Struct as Value

from quantum.channel import layouts
from quantum.channel.grammar import ProtocolError
from quantum.channel.layouts import LAYOUTS

__all__ = ["HEADER", "VERSION", "Frame", "Framer", "ProtocolError", "Stage"]

VERSION = 4
HEADER = Struct("!BBHI")


class Frame(Value, frozen=True, gc=False):
    """One message: what its header says, and all its bytes, header included."""

    version: int
    kind: int
    xid: int
    data: bytes


class Stage(Enum):
    """How far a switch has come in introducing itself."""

    GREETING = "before HELLO"
    NAMING = "before FEATURES_REPLY"
    READY = "after the handshake"


_UNASKED = {
    layouts.ERROR,
    layouts.ECHO_REQUEST,
    layouts.ECHO_REPLY,
    layouts.EXPERIMENTER,
    layouts.FEATURES_REPLY,
    layouts.PACKET_IN,
    layouts.FLOW_REMOVED,
    layouts.PORT_STATUS,
}

ALLOWED: Mapping[Stage, frozenset[int]] = {
    Stage.GREETING: frozenset({layouts.HELLO}),
    Stage.NAMING: frozenset(_UNASKED),
    Stage.READY: frozenset(LAYOUTS) - {layouts.HELLO},
}

_NEXT = {
    (Stage.GREETING, layouts.HELLO): Stage.NAMING,
    (Stage.NAMING, layouts.FEATURES_REPLY): Stage.READY,
}


@define
class Framer:
    """
    Bytes in by `feed`, frames out by `take`.

    It keeps no more than it was fed and has not handed out yet: after `take` has
    answered None that is less than one frame, 64 KiB.
    """

    stage: Stage = Stage.GREETING
    _bytes: bytearray = field(factory=bytearray)

    def feed(self, data: bytes) -> None:
        """Take note of received bytes."""
        self._bytes += data

    @property
    def held(self) -> int:
        """How many bytes it keeps."""
        return len(self._bytes)

    def take(self) -> Frame | None:
        """
        Hand out the next frame, or None when more bytes are needed.

        :raise ProtocolError: No OpenFlow 1.3 switch may send these bytes now.
        """
        held = self._bytes
        if len(held) < HEADER.size:
            return None
        version, kind, length, xid = HEADER.unpack_from(held)
        self._check_header(version, kind, length)
        if len(held) < length:
            return None
        data = bytes(memoryview(held)[:length])
        del held[:length]
        layout = LAYOUTS[kind]
        if layout.body is not None:
            try:
                layout.body(data, HEADER.size, length)
            except ProtocolError as problem:
                raise ProtocolError(f"{layout.name}: {problem}") from None
        self.stage = _NEXT.get((self.stage, kind), self.stage)
        return Frame(version, kind, xid, data)

    def _check_header(self, version: int, kind: int, length: int) -> None:
        """Refuse a frame as soon as its header is there."""
        layout = LAYOUTS.get(kind)
        if layout is None or kind not in ALLOWED[self.stage]:
            name = f"message type {kind}" if layout is None else layout.name
            raise ProtocolError(f"{name} {self.stage.value}")
        if version != VERSION and not (kind == layouts.HELLO and version):
            raise ProtocolError(f"{layout.name} of OpenFlow version {version:#x}")
        if not layout.least <= length <= layout.most:
            raise ProtocolError(f"{layout.name}: impossible length {length}")
