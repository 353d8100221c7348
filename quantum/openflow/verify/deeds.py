# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
A list of actions, read from its bytes: what leaves, and what becomes of the rest.

Section numbers are those of OpenFlow 1.3.5; actions of vendor 0x2320 are Open
vSwitch's own (``lib/ofp-actions.c`` in its sources).
"""

from collections.abc import Iterator
from struct import Struct as Layout
from typing import Final

from attrs import define, field
from msgspec import Struct

from quantum.openflow.pipeline import Table
from quantum.openflow.template import LEARNED_TAG
from quantum.openflow.verify.fields import (
    ETH_DST,
    FIELDS,
    HINT_REGISTERS,
    TUN_DST,
    TUN_ID,
    VLAN,
)
from quantum.openflow.verify.header import TAGGED, Pattern

_OUTPUT, _PUSH_VLAN, _POP_VLAN, _SET_FIELD, _VENDOR = 0, 17, 18, 25, 0xFFFF
_REG_LOAD, _RESUBMIT, _LEARN = 7, 14, 45
_OPEN_VSWITCH: Final = 0x2320
_LOCAL: Final = 0xFFFFFFFE
_RESERVED: Final = 0xFFFFFF00
_ARRIVAL: Final = 0xFFF8
_SETTABLE: Final = (ETH_DST, TUN_ID, TUN_DST, VLAN)
_GOES_OUT: Final = TUN_ID.bits | TUN_DST.bits | VLAN.bits
_HINT_FIELDS: Final = {
    (oxm_class << 16 | code << 9 | 4).to_bytes(4, "big")
    for oxm_class, code in HINT_REGISTERS
}
_PAIR, _PORT, _SUBTYPE = Layout("!HH"), Layout("!I"), Layout("!IH")
_ASK = Layout("!IHHB3x")
_LEARNING = Layout("!IHHHHQHBxHHIH2x")
_FIELD_SIZE = 6


class Sending(Struct, frozen=True, gc=False):
    """An output of a frame whose tag or tunnel was set before, by the same flow."""

    port: int
    writes: Pattern


Output = int | Sending


@define
class Deeds:
    """What a list of actions does with a frame, as far as it was read."""

    outputs: list[Output] = field(factory=list)
    writes: Pattern = field(factory=Pattern)
    asks: bool = False
    """It looks into the hints."""
    hints: set[int] = field(factory=set)
    """The registers that it gives hints in, as only flows among the hints may."""
    doubt: str = ""
    tags: list[Pattern] = field(factory=list)
    """What was hidden by the tags that were put on."""

    def take(self, kind: int, text: bytes) -> None:
        """Do one action: its type, and what follows its length."""
        if kind == _OUTPUT and len(text) == 12:
            self._output(*_PORT.unpack_from(text))
        elif kind == _PUSH_VLAN and text[:2] == b"\x81\0" and not self.tags:
            self.tags.append(_only(self.writes, VLAN.bits))
            self._write(Pattern(TAGGED << VLAN.shift, VLAN.bits))
        elif kind == _POP_VLAN and len(text) == 4:
            below = self.tags.pop() if self.tags else Pattern(0, VLAN.bits)
            self.writes = self.writes.without(VLAN.bits).narrowed(below)
        elif kind == _SET_FIELD:
            self._set_field(text)
        elif kind == _VENDOR:
            self._vendor(text)
        else:
            self.doubt = f"it has an action that is not understood (type {kind})"

    def _output(self, port: int) -> None:
        if port >= _RESERVED and port != _LOCAL:
            self.doubt = f"it outputs to the reserved port {port:#x}"
            return
        writes = _only(self.writes, _GOES_OUT)
        self.outputs.append(Sending(port, writes) if writes.mask else port)

    def _set_field(self, text: bytes) -> None:
        """Set a field (7.2.5.7); a tag only if one was put on before."""
        head = int.from_bytes(text[:4], "big")
        found = FIELDS.get((head >> 16, head >> 9 & 0x7F))
        is_whole = found is not None and head & 0x1FF == found.size
        if found not in _SETTABLE or not is_whole or len(text) < 4 + found.size:
            self.doubt = f"it sets a field that is not understood (code {head:#x})"
            return
        number = int.from_bytes(text[4 : 4 + found.size], "big")
        if found is VLAN and not (number & TAGGED and self.tags):
            self.doubt = "it sets a tag that may not be there"
        self._write(Pattern(number << found.shift & found.bits, found.bits))

    def _write(self, pattern: Pattern) -> None:
        self.writes = self.writes.without(pattern.mask).narrowed(pattern)

    def _vendor(self, text: bytes) -> None:
        vendor, subtype = _SUBTYPE.unpack_from(text)
        if vendor != _OPEN_VSWITCH:
            subtype = None
        if subtype == _REG_LOAD and len(text) == 20 and text[8:12] in _HINT_FIELDS:
            self.hints.add(text[10])
            is_known = len(self.hints) == 1
        elif subtype == _RESUBMIT and len(text) == 12:
            self.asks = True
            is_known = _ASK.unpack(text)[2:] == (_ARRIVAL, Table.HINTS)
        else:
            is_known = subtype == _LEARN and _is_lesson(text)
        if not is_known:
            self.doubt = f"it has an action that is not understood (vendor {vendor:#x})"


def read_actions(body: bytes, position: int, end: int) -> Deeds:
    """Read a list of actions (7.2.5)."""
    deeds = Deeds()
    for kind, start, stop in parts(body, position, end):
        deeds.take(kind, body[start:stop])
    return deeds


def parts(body: bytes, position: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Walk instructions or actions: the type of each, where it starts and stops."""
    while position < end:
        kind, length = _PAIR.unpack_from(body, position)
        if length < 8 or length % 8 or position + length > end:
            raise ValueError(f"{length} bytes of type {kind} at {position}")
        yield kind, position + 4, position + length
        position += length


def _only(pattern: Pattern, bits: int) -> Pattern:
    return Pattern(pattern.value & bits, pattern.mask & bits)


def _is_lesson(text: bytes) -> bool:
    """Say whether a learn (NXAST_LEARN2) can do no more than add a hint of ours."""
    head = _LEARNING.unpack_from(text)
    cookie, flags, table = head[5:8]
    if cookie >> 56 != LEARNED_TAG or table != Table.HINTS or flags:
        return False
    position, targets = _LEARNING.size, set[bytes]()
    while position + 2 <= len(text):
        spec = int.from_bytes(text[position : position + 2], "big")
        if not spec:
            return not any(text[position:]) and len(targets) == 1
        if spec & 0xC400:
            return False
        kind, is_constant, bits = spec >> 11 & 3, spec & 0x2000, spec & 0x3FF
        position += 2 + (2 * ((bits + 15) // 16) if is_constant else _FIELD_SIZE)
        target = text[position : position + 4]
        position += _FIELD_SIZE
        if kind == 1:
            targets.add(target)
        if kind > 1 or (kind == 1 and target not in _HINT_FIELDS):
            return False
    return position == len(text) and len(targets) == 1
