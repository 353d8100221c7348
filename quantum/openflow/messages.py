# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
The OpenFlow 1.3.5 messages that program a switch, as bytes.

Bundles are the ONF extension 230 of OpenFlow 1.3 (the bundles of OpenFlow 1.4,
section 7.3.9): messages are collected and take effect at once, or not at all.
"""

from collections.abc import Iterator
from functools import cache
from struct import Struct
from typing import Final

from quantum.openflow.flow import (
    COOKIE_EXACT,
    COOKIE_TAG,
    COOKIE_TAG_MASK,
    Encoded,
    match_length,
)

VERSION: Final = 4
MAX_FRAME: Final = 0xFFFF
_EXPERIMENTER, _FLOW_MOD, _MULTIPART_REQUEST, _BARRIER_REQUEST = 4, 14, 18, 20
_FLOW, _AGGREGATE = 1, 2
_ADD, _DELETE_STRICT = 0, 4
_ANY: Final = 0xFFFFFFFF
_ALL_TABLES: Final = 0xFF
_NO_BUFFER: Final = 0xFFFFFFFF
_ONF: Final = 0x4F4E4600
_BUNDLE_CONTROL, _BUNDLE_ADD = 2300, 2301
_OPEN, _COMMIT = 0, 4
_ATOMIC_ORDERED: Final = 3
_EMPTY_MATCH: Final = b"\x00\x01\x00\x04\x00\x00\x00\x00"

Entry = tuple[int, int, int, bytes]
"""The fields of `Encoded`, plain: there are very many of them."""

_HEADER = Struct("!BBHI")
_CONTROL = Struct("!BBHIIIIHH")
_STATS = Struct("!BBHIHH4xB3xII4xQQ")
_BUNDLE_ADD_HEAD = Struct("!BBHIIII2xH")
_FLOW_MOD_HEAD = Struct("!BBHIQQBBHHHIIIH2x")
_XID = Struct("!I")
_FLOW_MOD_FIXED: Final = 48
_SHORTEST: Final = 56
_MULTIPART_FIXED: Final = 16


def open_bundle(xid: int, bundle: int) -> bytes:
    """Begin to collect messages."""
    return _control(xid, bundle, _OPEN)


def commit_bundle(xid: int, bundle: int) -> bytes:
    """Let everything collected take effect."""
    return _control(xid, bundle, _COMMIT)


def add_flow(xid: int, flow: Encoded) -> bytes:
    """Add a flow, in place of any that has the same key."""
    length = _FLOW_MOD_FIXED + len(flow.body)
    fixed = _FLOW_MOD_HEAD.pack(
        *(VERSION, _FLOW_MOD, length, xid, flow.cookie, 0, flow.table, _ADD),
        *(0, 0, flow.priority, _NO_BUFFER, _ANY, _ANY, 0),
    )
    return fixed + flow.body


def remove_flow(xid: int, flow: Encoded) -> bytes:
    """Remove the flow of this very key and cookie, and no other."""
    match = flow.body[: match_length(flow.body)]
    length = _FLOW_MOD_FIXED + len(match)
    fixed = _FLOW_MOD_HEAD.pack(
        *(VERSION, _FLOW_MOD, length, xid, flow.cookie, COOKIE_EXACT, flow.table),
        *(_DELETE_STRICT, 0, 0, flow.priority, _NO_BUFFER, _ANY, _ANY, 0),
    )
    return fixed + match


def bundled(bundle: int, message: bytes) -> bytes:
    """Let a message wait in a bundle; it keeps its transaction id."""
    (xid,) = _XID.unpack_from(message, 4)
    length = _BUNDLE_ADD_HEAD.size + len(message)
    head = _BUNDLE_ADD_HEAD.pack(
        *(VERSION, _EXPERIMENTER, length, xid),
        *(_ONF, _BUNDLE_ADD, bundle, _ATOMIC_ORDERED),
    )
    return head + message


def barrier(xid: int) -> bytes:
    """Ask to be told when everything before has been done."""
    return _HEADER.pack(VERSION, _BARRIER_REQUEST, 8, xid)


def read_flows(xid: int) -> bytes:
    """Ask for every flow of ours."""
    return _stats(xid, _FLOW)


def count_flows(xid: int) -> bytes:
    """Ask how many flows of ours there are."""
    return _stats(xid, _AGGREGATE)


def entries(frame: bytes) -> Iterator[Entry]:
    """
    Walk the entries of a flow statistics reply (7.3.5.2).

    Flows of one table mostly have one length, so runs of it are unpacked at once.

    :raise ValueError: An entry does not fit into the frame, or is too short.
    """
    position, end = _MULTIPART_FIXED, len(frame)
    while position < end:
        length = int.from_bytes(frame[position : position + 2], "big")
        run = (end - position) // length if length >= _SHORTEST else 0
        if not run:
            raise ValueError(f"flow entry of {length} bytes at {position} of {end}")
        view = memoryview(frame)[position : position + run * length]
        for found, table, priority, cookie, body in _entry(length).iter_unpack(view):
            if found != length:
                break
            yield table, priority, cookie, body
            position += length


def has_entries(frame: bytes) -> bool:
    """Say whether a multipart reply has anything in it."""
    return len(frame) > _MULTIPART_FIXED


def has_more(frame: bytes) -> bool:
    """Say whether a multipart reply goes on in another frame (OFPMPF_REPLY_MORE)."""
    return bool(frame[11] & 1)


@cache
def _entry(length: int) -> Struct:
    """Lay out an entry: its length, table, priority, cookie, match and instructions."""
    return Struct(f"!HB9xH10xQ16x{length - 48}s")


def _control(xid: int, bundle: int, what: int) -> bytes:
    return _CONTROL.pack(
        *(VERSION, _EXPERIMENTER, _CONTROL.size, xid),
        *(_ONF, _BUNDLE_CONTROL, bundle, what, _ATOMIC_ORDERED),
    )


def _stats(xid: int, kind: int) -> bytes:
    length = _STATS.size + len(_EMPTY_MATCH)
    return (
        _STATS.pack(
            *(VERSION, _MULTIPART_REQUEST, length, xid, kind, 0),
            *(_ALL_TABLES, _ANY, _ANY, COOKIE_TAG << 56, COOKIE_TAG_MASK),
        )
        + _EMPTY_MATCH
    )


_ERRORS: Final = {
    (1, 5): "it has no permission to change flows",
    (1, 10): "another controller is its master",
    (5, 1): "its flow table is full",
    (5, 2): "it has no such table",
    (5, 4): "the flow overlaps another",
}
_KINDS: Final = {
    1: "a request it does not know",
    2: "an action it cannot do",
    3: "an instruction it cannot do",
    4: "a match it cannot do",
    5: "a flow it cannot hold",
}


def error_words(kind: int, code: int | None) -> str:
    """Say an OpenFlow error (7.4.4) in plain words, with its numbers."""
    words = _ERRORS.get((kind, code or 0)) or _KINDS.get(kind, "an error")
    return f"{words} (OpenFlow error type {kind}, code {code})"
