# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
One flow, read from its bytes: what it matches, and what it does.

What is not understood is kept as a doubt, never left out: a match with an
unknown field may match less than is known of it, an unknown instruction may do
anything.
"""

from struct import Struct as Layout
from struct import error
from typing import Final, NamedTuple

from msgspec import Struct

from quantum.openflow.flow import Encoded
from quantum.openflow.pipeline import Table
from quantum.openflow.verify.deeds import Output, parts, read_actions
from quantum.openflow.verify.fields import (
    FIELDS,
    HINT,
    HINT_REGISTERS,
    IN_PORT,
    METADATA,
    VLAN,
    Field,
)
from quantum.openflow.verify.header import TAGGED, Pattern

_GOTO, _WRITE_METADATA, _APPLY = 1, 2, 4
_PRESENT: Final = TAGGED << VLAN.shift
_PAIR, _METADATA = Layout("!HH"), Layout("!QQ")


class Place(NamedTuple):
    """
    Where in the pipeline a frame is: its table, and what flows have written.

    Written bits hide what the frame itself has there.
    """

    table: int
    value: int
    mask: int


START: Final = Place(0, 0, METADATA.bits | HINT.bits)
"""Where every frame begins, with metadata 0 (OpenFlow 1.3.5, 5.1) and no hint."""


class Effect(Struct, frozen=True, gc=False):
    """What a flow does with a frame."""

    outputs: tuple[Output, ...] = ()
    writes: Pattern = Pattern()
    asks: bool = False
    """It looks into the hints, which may say anything."""
    goto: int | None = None
    doubt: str = ""
    """What it does besides that is not understood."""


class Rule(Struct, frozen=True, eq=False, gc=False):
    """A flow, understood; compared by identity."""

    number: int
    table: int
    priority: int
    value: int
    mask: int
    effect: Effect
    doubt: str
    """What in its match is not understood."""
    flow: Encoded

    @property
    def is_loop(self) -> bool:
        """It sends frames to its own table or an earlier one."""
        return self.effect.goto is not None and self.effect.goto <= self.table

    def own(self, place: Place) -> Pattern:
        """Say what it asks of the frame itself, at a place."""
        return Pattern(self.value & ~place.mask, self.mask & ~place.mask)

    def trouble(self, place: Place) -> str:
        """Say what in its effect is not understood, for frames at a place."""
        is_second = self.effect.asks and not place.mask & HINT.bits
        return self.effect.doubt or ("it asks for hints again" if is_second else "")

    def onward(self, place: Place) -> Place | None:
        """Say where it sends frames that are certain to be its own, if anywhere."""
        effect = self.effect
        if effect.goto is None or self.doubt or self.is_loop or self.trouble(place):
            return None
        writes = effect.writes
        value = place.value & ~writes.mask | writes.value
        mask = place.mask | writes.mask
        if effect.asks:  # from here on the hints are like parts of the frame itself
            value, mask = value & ~HINT.bits, mask & ~HINT.bits
        return Place(effect.goto, value, mask)


def read(number: int, flow: Encoded) -> Rule:
    """Read a flow; whatever its bytes are, there is a rule."""
    place = number, flow.table, flow.priority
    try:
        end, pattern, doubt = _match(flow.body)
    except (ValueError, IndexError, error):
        return Rule(*place, 0, 0, Effect(), "its match is malformed", flow)
    try:
        effect = _effect(flow.body, end, flow.table)
    except (ValueError, IndexError, error):
        effect = Effect(doubt="its instructions are malformed")
    return Rule(*place, pattern.value, pattern.mask, effect, doubt, flow)


def _match(body: bytes) -> tuple[int, Pattern, str]:
    """Read the match (OpenFlow 1.3.5, 7.2.3), and where it ends."""
    kind, length = _PAIR.unpack_from(body)
    end = (length + 7) // 8 * 8
    if kind != 1 or length < 4 or end > len(body):
        raise ValueError(f"a match of type {kind} and {length} bytes")
    match = Pattern()
    doubt = ""
    position = 4
    while position < length:
        head = int.from_bytes(body[position : position + 4], "big")
        stop = position + 4 + (head & 0xFF)
        if stop > length:
            raise ValueError(f"a match field of {head & 0xFF} bytes")
        part = _asked(head, body[position + 4 : stop])
        if part is None or match.mask & part.mask:
            code = head >> 9 & 0x7F
            doubt = f"its match has a field that is not understood (code {code})"
        else:
            match = match.narrowed(part)
        position = stop
    return end, match, doubt


def _asked(head: int, text: bytes) -> Pattern | None:
    """Read what is asked of one field; None if that is not understood."""
    name, is_whole = (head >> 16, head >> 9 & 0x7F), not head & 0x100
    if name in HINT_REGISTERS:
        number = int.from_bytes(text, "big")
        if not is_whole or len(text) != 4 or not number:
            return None
        return Pattern((HINT_REGISTERS[name] | number) << HINT.shift, HINT.bits)
    field = FIELDS.get(name)
    return field and _asked_of(field, text, is_whole=is_whole)


def _asked_of(field: Field, text: bytes, *, is_whole: bool) -> Pattern | None:
    """Read what is asked of a field that frames themselves have."""
    if len(text) != (field.size if is_whole else 2 * field.size):
        return None
    if not is_whole and field is IN_PORT:
        return None
    mask = field.bits
    if not is_whole:
        mask &= int.from_bytes(text[field.size :], "big") << field.shift
    value = int.from_bytes(text[: field.size], "big") << field.shift & mask
    if field is not VLAN or value & _PRESENT:
        return Pattern(value, mask)
    # A frame without a tag has no VLAN: OFPVID_NONE (7.2.3.7).
    return Pattern(0, _PRESENT) if mask & _PRESENT and not value else None


def _effect(body: bytes, position: int, table: int) -> Effect:
    """Read the instructions (OpenFlow 1.3.5, 7.2.4)."""
    deeds = read_actions(b"", 0, 0)
    writes, goto, doubt = Pattern(), None, ""
    kinds = set()
    for kind, start, stop in parts(body, position, len(body)):
        if kind in kinds:
            raise ValueError(f"instruction {kind} comes twice")
        kinds.add(kind)
        if kind == _APPLY:
            deeds = read_actions(body, start + 4, stop)
        elif kind == _WRITE_METADATA and stop - start == 20:
            number, mask = _METADATA.unpack_from(body, start + 4)
            writes = Pattern((number & mask) << METADATA.shift, mask << METADATA.shift)
        elif kind == _GOTO and stop - start == 4:
            goto = body[start]
        else:
            doubt = f"it has an instruction that is not understood (type {kind})"
    if goto is not None and deeds.tags:
        doubt = "it goes on with a tag that it put on"
    if deeds.hints and (table != Table.HINTS or goto is not None):
        doubt = "it gives a hint where none is expected"
    return Effect(
        tuple(deeds.outputs),
        deeds.writes.narrowed(writes),
        deeds.asks,
        goto,
        doubt or deeds.doubt,
    )


def is_hint(rule: Rule) -> bool:
    """Say whether a rule in the table of hints is only that."""
    effect = rule.effect
    is_more = effect.outputs or effect.writes.mask or effect.asks or effect.doubt
    return not is_more and effect.goto is None
