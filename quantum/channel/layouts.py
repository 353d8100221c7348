# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
What the messages of an OpenFlow 1.3 switch look like, as data.

Section numbers are those of OpenFlow 1.3.5.  Sizes of the types we know are
exact even where the specification would allow more: a parser that takes such an
entry for its usual size goes on in the middle of it.  Limits that are not in the
specification bound what a parser may do with one frame.
"""

from collections.abc import Mapping
from struct import Struct

from attrs import frozen

from quantum.channel.grammar import (
    PAIR,
    Check,
    ProtocolError,
    Sizes,
    Tags,
    after,
    between,
    entries,
    exactly,
    rows,
    tagged,
    whole,
)
from quantum.openflow.flow import OUR_ENTRIES

NICIRA = 0x00002320
ONF = 0x4F4E4600
NX_ACTION_LEARN, NX_ACTION_CT, NX_ACTION_CONTROLLER2 = 16, 35, 37
CT_DEPTH = 4
_IDS = Struct("!II")
_ACTION = Struct("!IH")


def fields(frame: bytes, start: int, end: int) -> None:
    """Look at a list of match fields (7.2.3.2): the fourth byte is the length."""
    while start < end:
        if end - start < 5 or frame[start + 3] == 0:
            raise ProtocolError(f"match field at {start}: has no value")
        start += 4 + frame[start + 3]
    if start > end:
        raise ProtocolError(f"match field before {start}: does not fit")


def match(frame: bytes, start: int, end: int) -> int:
    """Look at a match (7.2.3); where what follows its padding begins."""
    if end - start < 8:
        raise ProtocolError(f"match at {start}: does not fit what ends at {end}")
    kind, length = PAIR.unpack_from(frame, start)
    after_it = start + whole(length)
    if kind != 1 or length < 4 or after_it > end:
        raise ProtocolError(f"match at {start}: impossible type or length {length}")
    fields(frame, start + 4, start + length)
    return after_it


def matched(size: int, rest: Check) -> Check:
    """Expect ``size`` bytes of no interest, a match, then the rest."""

    def check(frame: bytes, start: int, end: int) -> None:
        rest(frame, match(frame, start + size, end), end)

    return check


def set_field(frame: bytes, start: int, end: int) -> None:
    """Look at a set-field action (7.2.5): one match field, then padding."""
    stop = start + 8 + frame[start + 7]
    if start + whole(stop - start) != end:
        raise ProtocolError(f"set-field action at {start}: its field does not fit")
    fields(frame, start + 4, stop)


def vendor_action(inner: Check) -> Check:
    """Expect an experimenter's action; Nicira's are known to have lists inside."""
    controller = tagged(
        "controller property",
        Tags(
            {
                0: between(6, 8),  # maximal length
                1: between(6, 8),  # controller id
                2: between(5, 8),  # reason
                3: between(5),  # user data
                4: exactly(4),  # pause
            },
            is_padded=True,
        ),
    )
    lists = {
        NX_ACTION_LEARN: between(32, 4096),
        NX_ACTION_CT: after(24, inner),
        NX_ACTION_CONTROLLER2: after(16, controller),
    }

    def check(frame: bytes, start: int, end: int) -> None:
        if end - start < 16:
            raise ProtocolError(f"experimenter action at {start}: too short")
        vendor, subtype = _ACTION.unpack_from(frame, start + 4)
        rule = lists.get(subtype) if vendor == NICIRA else None
        if rule is not None:
            rule(frame, start, end)

    return check


def _nested_too_deep(_frame: bytes, start: int, end: int) -> None:
    if start < end:
        raise ProtocolError(f"actions at {start}: nested too deep")


def action_list(depth: int = CT_DEPTH) -> Check:
    """Expect actions (7.2.5), some of which contain actions."""
    inner = action_list(depth - 1) if depth else _nested_too_deep
    sizes = {0: 16, 21: 8, 22: 8, 23: 8, 24: 8, 26: 8, 27: 8, 11: 8, 12: 8}
    sizes |= {15: 8, 16: 8, 17: 8, 18: 8, 19: 8, 20: 8}
    kinds = {kind: exactly(size) for kind, size in sizes.items()}
    kinds |= {25: set_field, 0xFFFF: vendor_action(inner)}
    return tagged("action", Tags(kinds, least=8, multiple=8, other=between(8)))


ACTIONS = action_list()

INSTRUCTIONS = tagged(  # 7.2.4
    "instruction",
    Tags(
        {
            1: exactly(8),  # go to table
            2: exactly(24),  # write metadata
            3: after(8, ACTIONS),
            4: after(8, ACTIONS),
            5: exactly(8),  # clear actions
            6: exactly(8),  # meter
        },
        least=8,
        multiple=8,
        other=between(8),
    ),
)

BUCKETS = entries("bucket", Sizes(16, 8), after(16, ACTIONS))
BANDS = tagged(
    "meter band",
    Tags({1: exactly(16), 2: exactly(16), 0xFFFF: exactly(16)}),
)
QUEUE_PROPERTIES = tagged(
    "queue property",
    Tags({1: exactly(16), 2: exactly(16), 0xFFFF: between(16, 4096, 8)}),
)

IDS = tagged("feature id", Tags({}, other=between(4, 8)))


def field_ids(frame: bytes, start: int, end: int) -> None:
    """Look at a list of match field headers; an experimenter's have its id too."""
    while start < end:
        start += 8 if frame[start : start + 2] == b"\xff\xff" else 4
    if start > end:
        raise ProtocolError(f"match field id before {start}: does not fit")


_FEATURES: dict[int, Check] = {
    **dict.fromkeys((0, 1, 4, 5, 6, 7), after(4, IDS)),
    **dict.fromkeys((2, 3), between(4, 4 + 255)),
    **dict.fromkeys((8, 10, 12, 13, 14, 15), after(4, field_ids)),
    **dict.fromkeys((0xFFFE, 0xFFFF), between(12, 4096, 4)),
}
FEATURES = tagged(
    "table property",
    Tags(_FEATURES, other=between(4, 4096), is_padded=True, limit=64),
)

_ANY_FLOWS = entries("flow", Sizes(56, 8), matched(48, INSTRUCTIONS))


def flows(frame: bytes, start: int, end: int) -> None:
    """Look at flow entries (7.3.5.2); many are ours, and seen to be so at once."""
    ours = OUR_ENTRIES.match(frame, start, end)
    _ANY_FLOWS(frame, start if ours is None else ours.end(), end)


PARTS: Mapping[int, Check] = {  # the bodies of multipart replies, 7.3.5
    0: exactly(1056),  # description
    1: flows,
    2: exactly(24),  # aggregate
    3: rows(24),  # tables
    4: rows(112),  # ports
    5: rows(40),  # queues
    6: entries("group", Sizes(40), after(40, rows(16))),
    7: entries("group", Sizes(8, 8), after(8, BUCKETS)),
    8: exactly(40),  # group features
    9: entries("meter", Sizes(40, at=4), after(40, rows(16))),
    10: entries("meter", Sizes(8, 8), after(8, BANDS)),
    11: exactly(16),  # meter features
    12: entries("table", Sizes(64, 8), after(64, FEATURES)),
    13: rows(64),  # port descriptions
    0xFFFF: between(8, 16384),  # experimenter
}


def multipart(frame: bytes, start: int, end: int) -> None:
    """Look at a multipart reply (7.3.5): its type chooses the rule."""
    (kind, _flags) = PAIR.unpack_from(frame, start)
    rule = PARTS.get(kind)
    if rule is None:
        raise ProtocolError(f"multipart reply of unknown type {kind}")
    rule(frame, start + 8, end)


def error(frame: bytes, start: int, end: int) -> None:
    """Look at an error (7.4.4); HELLO_FAILED is the end of the connection."""
    if frame[start : start + 2] == b"\0\0":
        why = frame[start + 4 : start + 104]
        raise ProtocolError(f"it wants no connection with us: {why!r}")
    if frame[start : start + 2] == b"\xff\xff" and end - start < 8:
        raise ProtocolError(f"experimenter error of {end} bytes: too short")


_EXTENSIONS: Mapping[tuple[int, int], Check] = {
    # EXT-230: bundle control
    (ONF, 2300): after(
        8, tagged("bundle property", Tags({}, between(4), is_padded=True, limit=64))
    ),
    (NICIRA, 16): between(4),  # the format of packets-in
    (NICIRA, 30): tagged(
        "packet property", Tags({}, between(4), is_padded=True, limit=64)
    ),
}


def experimenter(frame: bytes, start: int, end: int) -> None:
    """Look at an experimenter's message (7.5.4); the rest of most is opaque."""
    rule = _EXTENSIONS.get(_IDS.unpack_from(frame, start))
    if rule is not None:
        rule(frame, start + 8, end)


@frozen
class Layout:
    """The name of a message, its smallest and greatest length, and its body."""

    name: str
    least: int
    most: int = 0xFFFF
    body: Check | None = None


# An element's padding would be taken for an element, hence multiples of eight;
# 8-bit versions fill at most eight words of a bitmap (7.5.1).
HELLO_ELEMENTS = tagged(
    "hello element", Tags({1: between(8, 40)}, between(8), 8, multiple=8, limit=8)
)

HELLO, ERROR, ECHO_REQUEST, ECHO_REPLY, EXPERIMENTER = 0, 1, 2, 3, 4
FEATURES_REPLY, CONFIG_REPLY, PACKET_IN, FLOW_REMOVED, PORT_STATUS = 6, 8, 10, 11, 12
MULTIPART_REPLY, BARRIER_REPLY, QUEUE_REPLY = 19, 21, 23
ROLE_REPLY, ASYNC_REPLY = 25, 27

LAYOUTS: Mapping[int, Layout] = {
    HELLO: Layout("HELLO", 8, 256, HELLO_ELEMENTS),
    ERROR: Layout("ERROR", 12, body=error),
    ECHO_REQUEST: Layout("ECHO_REQUEST", 8),
    ECHO_REPLY: Layout("ECHO_REPLY", 8),
    EXPERIMENTER: Layout("EXPERIMENTER", 16, body=experimenter),
    FEATURES_REPLY: Layout("FEATURES_REPLY", 32, 32),
    CONFIG_REPLY: Layout("GET_CONFIG_REPLY", 12, 12),
    PACKET_IN: Layout("PACKET_IN", 34, body=matched(16, between(2))),
    FLOW_REMOVED: Layout("FLOW_REMOVED", 56, body=matched(40, exactly(0))),
    PORT_STATUS: Layout("PORT_STATUS", 80, 80),
    MULTIPART_REPLY: Layout("MULTIPART_REPLY", 16, body=multipart),
    BARRIER_REPLY: Layout("BARRIER_REPLY", 8, 8),
    QUEUE_REPLY: Layout(
        "QUEUE_GET_CONFIG_REPLY",
        16,
        body=after(8, entries("queue", Sizes(16, 8, 8), after(16, QUEUE_PROPERTIES))),
    ),
    ROLE_REPLY: Layout("ROLE_REPLY", 24, 24),
    ASYNC_REPLY: Layout("GET_ASYNC_REPLY", 32, 32),
}
