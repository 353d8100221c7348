# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
Where each field that flows look at or write lies in a header.

A header is one integer in which every field has its own bits, so that a match of
any fields with any masks is one value and one mask.  A field more is one line more
in `FIELDS`; what is seldom looked at is at the top, where it costs least.
"""

from itertools import accumulate
from typing import Final, NamedTuple

STANDARD: Final = 0x8000
"""The class of OpenFlow's own fields (OpenFlow 1.3.5, 7.2.3.7)."""
NICIRA: Final = 0x0001
"""The class of Open vSwitch's own fields (``include/openvswitch/meta-flow.h``)."""


class Field(NamedTuple):
    """A field of a match."""

    name: str
    oxm_class: int
    code: int
    size: int
    """How many bytes it has on the wire."""
    width: int
    """How many bits of them count."""
    shift: int
    bits: int
    """All bits of the field, in their place."""

    def of(self, number: int) -> int:
        """Take the field out of a header."""
        return (number & self.bits) >> self.shift

    def text(self, value: int, mask: int) -> str:
        """Write what a match says of it, as Open vSwitch's tools do."""
        number, part = self.of(value), self.of(mask)
        if self.name == "hint":
            register = 2 if number >> 32 else 1
            return f"reg{register}={number & 0xFFFFFFFF:#x}"
        words = self._word(number)
        if part != (1 << self.width) - 1:
            words += f"/{self._word(part) if self.name in _ADDRESSES else hex(part)}"
        return f"{self.name}={words}"

    def _word(self, number: int) -> str:
        text = number.to_bytes(self.size, "big")
        if self.name in _ADDRESSES:
            return text.hex(":")
        if self.name in _IPV4:
            return ".".join(map(str, text))
        return str(number) if self.name in _DECIMAL else hex(number)


_ADDRESSES = {"dl_src", "dl_dst"}
_IPV4 = {"arp_spa", "arp_tpa", "tun_dst"}
_DECIMAL = {"in_port", "nw_proto", "arp_op", "icmpv6_type"}

_LINES: Final = (
    ("metadata", STANDARD, 2, 8, 64),
    ("hint", NICIRA, 1, 5, 33),  # a number, below a bit that says in which register
    ("dl_src", STANDARD, 4, 6, 48),
    ("dl_dst", STANDARD, 3, 6, 48),
    ("in_port", STANDARD, 0, 4, 32),
    ("vlan_vid", STANDARD, 6, 2, 13),  # OFPVID_PRESENT and 12 bits
    ("tun_id", STANDARD, 38, 8, 64),
    ("tun_dst", NICIRA, 32, 4, 32),
    ("eth_type", STANDARD, 5, 2, 16),
    ("nw_proto", STANDARD, 10, 1, 8),
    ("arp_op", STANDARD, 21, 2, 16),
    ("arp_spa", STANDARD, 22, 4, 32),
    ("arp_tpa", STANDARD, 23, 4, 32),
    ("icmpv6_type", STANDARD, 29, 1, 8),
    ("nd_target", STANDARD, 31, 16, 128),
)
_SHIFTS = accumulate((line[4] for line in _LINES), initial=0)
ALL: Final = tuple(
    Field(*line, shift, ((1 << line[4]) - 1) << shift)
    for line, shift in zip(_LINES, _SHIFTS, strict=False)
)
(METADATA, HINT, ETH_SRC, ETH_DST, IN_PORT, VLAN, TUN_ID, TUN_DST) = ALL[:8]
FIELDS: Final = {(f.oxm_class, f.code): f for f in ALL if f is not HINT}
HINT_REGISTERS: Final = {(NICIRA, 1): 0, (NICIRA, 2): 1 << 32}
"""Where hints are, and the bit for it; of one look at them only one is set."""
WHOLE: Final = (1 << ALL[-1].shift + ALL[-1].width) - 1
"""All bits of a header."""
