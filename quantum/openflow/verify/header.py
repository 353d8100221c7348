# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
Headers as numbers, and sets of headers as patterns.

Every field that a match may name has its own bits in one integer, so that a
match of any fields with any masks is one value and one mask.  A field more is
one line more in `FIELDS`; nothing else here knows what the bits mean.
"""

from collections.abc import Iterable
from typing import Final, NamedTuple

from msgspec import Struct

EFFORT: Final = 200_000
"""Patterns looked at before a set of headers is called too intricate."""
BROADCAST: Final = b"\xff\xff\xff\xff\xff\xff"
STRANGER: Final = b"\x02\x00\x5e\x00\x53\xff"
"""An address for examples; nothing depends on nobody having it."""


class Field(NamedTuple):
    """Where a field of OpenFlow 1.3.5, 7.2.3.7 lies in a header."""

    name: str
    code: int
    size: int
    shift: int

    @property
    def bits(self) -> int:
        """All bits of the field."""
        return ((1 << 8 * self.size) - 1) << self.shift

    def of(self, number: int) -> int:
        """Take the field out of a header."""
        return (number & self.bits) >> self.shift


METADATA: Final = Field("metadata", 2, 8, 0)
ETH_SRC: Final = Field("dl_src", 4, 6, 64)
ETH_DST: Final = Field("dl_dst", 3, 6, 112)
IN_PORT: Final = Field("in_port", 0, 4, 160)
FIELDS: Final = {f.code: f for f in (IN_PORT, METADATA, ETH_DST, ETH_SRC)}


class TooIntricateError(Exception):
    """Whether a set of headers is empty could not be found out in reasonable time."""


class Pattern(Struct, frozen=True, gc=False):
    """The headers that have these values in the bits of the mask."""

    value: int = 0
    mask: int = 0

    def meets(self, other: "Pattern") -> bool:
        """Say whether a header can be in both."""
        return not (self.value ^ other.value) & self.mask & other.mask

    def narrowed(self, other: "Pattern") -> "Pattern":
        """Keep what is in both, which must meet."""
        return Pattern(self.value | other.value, self.mask | other.mask)

    def without(self, bits: int) -> "Pattern":
        """Let some bits be anything."""
        return Pattern(self.value & ~bits, self.mask & ~bits)

    def __str__(self) -> str:
        """Write it as Open vSwitch's tools do."""
        return ",".join(
            f"{field.name}={_text(field, self.value, self.mask)}"
            for field in FIELDS.values()
            if self.mask & field.bits
        )


class Frame(Struct, frozen=True, gc=False):
    """One frame, as far as flows can look at it."""

    in_port: int
    eth_dst: bytes
    eth_src: bytes

    @property
    def header(self) -> int:
        """The frame as a number."""
        return (
            self.in_port << IN_PORT.shift
            | int.from_bytes(self.eth_dst, "big") << ETH_DST.shift
            | int.from_bytes(self.eth_src, "big") << ETH_SRC.shift
        )

    @classmethod
    def of(cls, header: int) -> "Frame":
        """Make the frame of a number."""
        dst, src = ETH_DST.of(header), ETH_SRC.of(header)
        return cls(IN_PORT.of(header), dst.to_bytes(6, "big"), src.to_bytes(6, "big"))

    def __str__(self) -> str:
        """Say what kind of frame it is."""
        if self.eth_dst == BROADCAST:
            kind = "a broadcast"
        elif self.eth_dst[0] & 1:
            kind = f"a multicast to {self.eth_dst.hex(':')}"
        else:
            kind = f"a frame to {self.eth_dst.hex(':')}"
        return f"{kind} from {self.eth_src.hex(':')}"


class Headers(Struct, frozen=True, gc=False):
    """A set of headers: those of one pattern that are in none of others."""

    match: Pattern = Pattern()
    but: tuple[Pattern, ...] = ()

    def __contains__(self, frame: Frame) -> bool:
        """Say whether a frame is one of them."""
        header = frame.header
        return not (header ^ self.match.value) & self.match.mask and not any(
            not (header ^ pattern.value) & pattern.mask for pattern in self.but
        )

    def example(self, wishes: Iterable[int] = ()) -> int | None:
        """
        Find a header of the set, a wished one if there is any.

        :return: None if the set is empty.
        :raise TooIntricateError: It cannot be known whether it is.
        """
        match = self.match
        for wish in wishes:
            header = match.value | wish & ~match.mask
            if all((header ^ other.value) & other.mask for other in self.but):
                return header
        return _search(match, self.but)

    def __str__(self) -> str:
        """List what is in the set, and what is left out of it."""
        others = "; ".join(str(pattern.without(IN_PORT.bits)) for pattern in self.but)
        return f"{self.match}{' but ' if others else ''}{others}"


def wishes(in_port: int, address: bytes | None) -> list[int]:
    """List the frames from a port that are plainest as examples."""
    return [
        Frame(in_port, dst, src).header
        for dst in (BROADCAST, STRANGER)
        for src in (address or STRANGER, STRANGER)
    ]


def _search(match: Pattern, but: Iterable[Pattern]) -> int | None:
    """Halve the pattern, bit by bit, until a half is met by none of the others."""
    waiting = [(match.value, match.mask, list(but))]
    effort = EFFORT + 20 * len(waiting[0][2])
    while waiting:
        value, mask, others = waiting.pop()
        live = [o for o in others if not (o.value ^ value) & o.mask & mask]
        if not live:
            return value
        effort -= len(live)
        if effort < 0:
            raise TooIntricateError
        tightest = min(live, key=lambda other: (other.mask & ~mask).bit_count())
        free = tightest.mask & ~mask
        if free:
            bit = free & -free
            same = tightest.value & bit
            waiting.append((value | same, mask | bit, live))
            waiting.append((value | bit ^ same, mask | bit, live))
    return None


def _text(field: Field, value: int, mask: int) -> str:
    number, part = field.of(value), field.of(mask)
    if field in (ETH_DST, ETH_SRC):
        texts = [n.to_bytes(6, "big").hex(":") for n in (number, part)]
    elif field == METADATA:
        texts = [hex(number), hex(part)]
    else:
        texts = [str(number), hex(part)]
    return texts[0] if mask & field.bits == field.bits else "/".join(texts)
