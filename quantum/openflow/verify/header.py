# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
Headers as numbers, and sets of headers as patterns.

Where fields lie is said in `quantum.openflow.verify.fields`.
"""

from collections.abc import Iterable
from typing import Final

from msgspec import Struct

from quantum.openflow.verify.fields import (
    ALL,
    ETH_DST,
    ETH_SRC,
    IN_PORT,
    TUN_ID,
    VLAN,
    WHOLE,
)

EFFORT: Final = 200_000
"""Patterns looked at before a set of headers is called too intricate."""
BROADCAST: Final = b"\xff\xff\xff\xff\xff\xff"
TAGGED: Final = 0x1000
"""The bit of ``vlan_vid`` that says that there is a tag (OFPVID_PRESENT)."""
STRANGER: Final = b"\x02\x00\x5e\x00\x53\xff"
"""An address for examples; nothing depends on nobody having it."""


_NAMED: Final = IN_PORT.bits | ETH_DST.bits | ETH_SRC.bits | VLAN.bits | TUN_ID.bits
_ORDER: Final = (IN_PORT, *(field for field in ALL if field is not IN_PORT))


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
            field.text(self.value, self.mask)
            for field in _ORDER
            if self.mask & field.bits
        )


class Frame(Struct, frozen=True, gc=False):
    """
    One frame, as far as flows can look at it.

    ``vlan`` is what OpenFlow says of its outermost tag: 0 if it has none, else
    0x1000 and the VLAN; ``tun_id`` is the virtual network identifier by which it
    came in; ``rest`` is a header with everything else, hints among it.
    """

    in_port: int
    eth_dst: bytes
    eth_src: bytes
    vlan: int = 0
    tun_id: int = 0
    rest: int = 0

    @property
    def header(self) -> int:
        """The frame as a number."""
        return (
            self.rest
            | self.in_port << IN_PORT.shift
            | int.from_bytes(self.eth_dst, "big") << ETH_DST.shift
            | int.from_bytes(self.eth_src, "big") << ETH_SRC.shift
            | self.vlan << VLAN.shift
            | self.tun_id << TUN_ID.shift
        )

    @classmethod
    def of(cls, header: int) -> "Frame":
        """Make the frame of a number."""
        dst, src, vlan = ETH_DST.of(header), ETH_SRC.of(header), VLAN.of(header)
        return cls(
            IN_PORT.of(header),
            dst.to_bytes(6, "big"),
            src.to_bytes(6, "big"),
            vlan if vlan & TAGGED else 0,
            TUN_ID.of(header),
            header & ~_NAMED & WHOLE,
        )

    @property
    def details(self) -> str:
        """The rest of it, as Open vSwitch's tools write it."""
        return ",".join(
            field.text(self.rest, field.bits) for field in ALL if self.rest & field.bits
        )

    def __str__(self) -> str:
        """Say what kind of frame it is."""
        if self.eth_dst == BROADCAST:
            kind = "a broadcast"
        elif self.eth_dst[0] & 1:
            kind = f"a multicast to {self.eth_dst.hex(':')}"
        else:
            kind = f"a frame to {self.eth_dst.hex(':')}"
        if self.vlan:
            kind += f" tagged {self.vlan & 0xFFF}"
        details = f" ({self.details})" if self.rest else ""
        return f"{kind}{details} from {self.eth_src.hex(':')}"


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
