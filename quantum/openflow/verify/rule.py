# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
One flow, read from its bytes: what it matches, and what it does.

What is not understood is kept as a doubt, never left out: a match with an
unknown field may match less than is known of it, an unknown instruction may do
anything.
"""

from collections.abc import Iterator
from struct import Struct as Layout
from struct import error
from typing import Final, NamedTuple

from msgspec import Struct

from quantum.openflow.flow import Encoded
from quantum.openflow.verify.header import FIELDS, IN_PORT, METADATA, Pattern

_GOTO, _WRITE_METADATA, _APPLY = 1, 2, 4
_OUTPUT: Final = 0
_LOCAL: Final = 0xFFFFFFFE
_RESERVED: Final = 0xFFFFFF00
MANY: Final = 8
"""Outputs that are written out."""
_BASIC: Final = b"\x80\x00"
_PAIR, _PORT, _METADATA = Layout("!HH"), Layout("!I"), Layout("!QQ")


class Place(NamedTuple):
    """
    Where in the pipeline a frame is: its table, and what flows have written.

    Written bits hide what the frame itself has there.
    """

    table: int
    value: int
    mask: int


START: Final = Place(0, 0, METADATA.bits)
"""Where every frame begins, with metadata 0 (OpenFlow 1.3.5, 5.1)."""


class Effect(Struct, frozen=True, gc=False):
    """What a flow does with a frame."""

    outputs: tuple[int, ...] = ()
    writes: Pattern = Pattern()
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

    def onward(self, place: Place) -> Place | None:
        """Say where it sends frames that are certain to be its own, if anywhere."""
        effect = self.effect
        if effect.goto is None or effect.doubt or self.doubt or self.is_loop:
            return None
        writes = effect.writes
        value = place.value & ~writes.mask | writes.value
        return Place(effect.goto, value, place.mask | writes.mask)


def read(number: int, flow: Encoded) -> Rule:
    """Read a flow; whatever its bytes are, there is a rule."""
    place = number, flow.table, flow.priority
    try:
        end, pattern, doubt = _match(flow.body)
    except (ValueError, IndexError, error):
        return Rule(*place, 0, 0, Effect(), "its match is malformed", flow)
    try:
        effect = _effect(flow.body, end)
    except (ValueError, IndexError, error):
        effect = Effect(doubt="its instructions are malformed")
    return Rule(*place, pattern.value, pattern.mask, effect, doubt, flow)


def describe(flow: Encoded) -> str:
    """Write a flow as Open vSwitch's tools do, as far as it is understood."""
    rule = read(0, flow)
    effect = rule.effect
    words = [f"output:{port}" for port in effect.outputs]
    if len(words) > MANY:
        words[MANY // 2 : -MANY // 2] = [f"and {len(words) - MANY} more"]
    if effect.writes.mask:
        value, mask = METADATA.of(effect.writes.value), METADATA.of(effect.writes.mask)
        words.append(f"write_metadata:{value:#x}/{mask:#x}")
    if effect.goto is not None:
        words.append(f"goto_table:{effect.goto}")
    words += [f"({doubt})" for doubt in (rule.doubt, effect.doubt) if doubt]
    match = str(Pattern(rule.value, rule.mask))
    head = f"cookie={flow.cookie:#x},table={flow.table},priority={flow.priority}"
    return f"{head}{',' if match else ''}{match} actions={','.join(words) or 'drop'}"


def _match(body: bytes) -> tuple[int, Pattern, str]:
    """Read the match (OpenFlow 1.3.5, 7.2.3), and where it ends."""
    kind, length = _PAIR.unpack_from(body)
    end = (length + 7) // 8 * 8
    if kind != 1 or length < 4 or end > len(body):
        raise ValueError(f"a match of type {kind} and {length} bytes")
    value = mask = 0
    doubt = ""
    position = 4
    while position < length:
        code, size = body[position + 2], body[position + 3]
        stop = position + 4 + size
        if stop > length:
            raise ValueError(f"a match field of {size} bytes")
        field = FIELDS.get(code >> 1)
        is_whole = not code & 1
        if (
            field is None
            or body[position : position + 2] != _BASIC
            or size != (field.size if is_whole else 2 * field.size)
            or mask & field.bits
            or (field is IN_PORT and not is_whole)
        ):
            doubt = f"its match has a field that is not understood (code {code >> 1})"
        else:
            middle = position + 4 + field.size
            part = field.bits
            if not is_whole:
                part = int.from_bytes(body[middle:stop], "big") << field.shift
            number = int.from_bytes(body[position + 4 : middle], "big") << field.shift
            value |= number & part
            mask |= part
        position = stop
    return end, Pattern(value, mask), doubt


def _effect(body: bytes, position: int) -> Effect:
    """Read the instructions (OpenFlow 1.3.5, 7.2.4)."""
    outputs: tuple[int, ...] = ()
    writes, goto, doubt = Pattern(), None, ""
    kinds = set()
    for kind, start, stop in _parts(body, position, len(body)):
        if kind in kinds:
            raise ValueError(f"instruction {kind} comes twice")
        kinds.add(kind)
        if kind == _APPLY:
            outputs, found = _outputs(body, start + 4, stop)
            doubt = doubt or found
        elif kind == _WRITE_METADATA and stop - start == 20:
            number, mask = _METADATA.unpack_from(body, start + 4)
            writes = Pattern((number & mask) << METADATA.shift, mask << METADATA.shift)
        elif kind == _GOTO and stop - start == 4:
            goto = body[start]
        else:
            doubt = f"it has an instruction that is not understood (type {kind})"
    return Effect(outputs, writes, goto, doubt)


def _outputs(body: bytes, position: int, end: int) -> tuple[tuple[int, ...], str]:
    """Read a list of actions (OpenFlow 1.3.5, 7.2.5): the ports, and a doubt."""
    ports, doubt = [], ""
    for kind, start, stop in _parts(body, position, end):
        if kind != _OUTPUT or stop - start != 12:
            doubt = f"it has an action that is not understood (type {kind})"
            continue
        (port,) = _PORT.unpack_from(body, start)
        if port >= _RESERVED and port != _LOCAL:
            doubt = f"it outputs to the reserved port {port:#x}"
        else:
            ports.append(port)
    return tuple(ports), doubt


def _parts(body: bytes, position: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Walk instructions or actions: the type of each, where it starts and stops."""
    while position < end:
        kind, length = _PAIR.unpack_from(body, position)
        if length < 8 or length % 8 or position + length > end:
            raise ValueError(f"{length} bytes of type {kind} at {position}")
        yield kind, position + 4, position + length
        position += length
