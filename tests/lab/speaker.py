# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
A simulated switch: as little of OpenFlow 1.3 as a managed switch needs.

It keeps the flows it is given, directly or in a bundle, and tells and counts
them when it is asked.  Nothing here forwards a frame, and nothing here sends:
`Speaker.hear` gives the answer to what was received.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from struct import Struct
from typing import Final

from attrs import define, field

HEADER: Final = Struct("!BBHI")
ENTRY: Final = Struct("!HBxIIHHHH4xQQQ")
AGGREGATE: Final = Struct("!QQI4x")
SELECTION: Final = Struct("!B3xII4xQQ")
FLOW_MOD: Final = Struct("!QQBBHHHIIIH2x")
CONTROL: Final = Struct("!IIIHH")
ONF: Final = 0x4F4E4600
BUNDLE_CONTROL: Final = 2300
BUNDLE_COMMIT: Final = 4
ROOM: Final = 60_000
"""Bytes of flow entries in one part of a reply."""

Place = tuple[int, int, bytes]
"""What tells two flows apart: table, priority, match."""


def frame(kind: int, xid: int, body: bytes = b"") -> bytes:
    """Make one message."""
    return HEADER.pack(4, kind, HEADER.size + len(body), xid) + body


def multipart(kind: int, xid: int, body: bytes, is_more: bool = False) -> bytes:
    """Make one part of a reply."""
    return frame(19, xid, kind.to_bytes(2) + int(is_more).to_bytes(2) + bytes(4) + body)


@define
class Table:
    """The flows of a switch; what they do is none of its business."""

    flows: dict[Place, tuple[int, bytes]] = field(factory=dict)
    """The cookie and the instructions, by place."""

    def change(self, body: bytes) -> None:
        """Take a flow-mod (7.3.4.2), without its header."""
        cookie, mask, table, command, _, _, priority, *_ = FLOW_MOD.unpack_from(body)
        match, instructions = _split(body[FLOW_MOD.size :])
        place = (table, priority, match)
        if command < 3:  # add, modify
            self.flows[place] = (cookie, instructions)
        elif command == 3:  # delete whatever has the cookie
            for stale in list(self.chosen(table, cookie, mask)):
                del self.flows[stale]
        elif place in self.flows and (self.flows[place][0] ^ cookie) & mask == 0:
            del self.flows[place]

    def chosen(self, table: int, cookie: int, mask: int) -> Iterator[Place]:
        """List the flows of a table (255: all) with a cookie."""
        for place, (found, _) in self.flows.items():
            if table in {place[0], 0xFF} and (found ^ cookie) & mask == 0:
                yield place

    def entry(self, place: Place) -> bytes:
        """Describe one flow (7.3.5.2)."""
        table, priority, match = place
        cookie, instructions = self.flows[place]
        length = ENTRY.size + len(match) + len(instructions)
        head = ENTRY.pack(length, table, 1, 0, priority, 0, 0, 0, cookie, 0, 0)
        return head + match + instructions


@define
class Speaker:
    """One switch: what it has, and what it answers."""

    datapath_id: int
    heard: Counter[str] = field(factory=Counter)
    """How many messages of each kind have come."""
    table: Table = field(factory=Table)
    _bytes: bytearray = field(factory=bytearray)
    _bundles: dict[int, list[bytes]] = field(factory=dict)

    def greeting(self) -> bytes:
        """Begin a connection; what came on an earlier one is forgotten."""
        self._bytes.clear()
        self._bundles.clear()
        return frame(0, 1)

    def hear(self, text: bytes) -> bytes:
        """Take what was received; give what is to be sent."""
        self._bytes += text
        answers = []
        while len(self._bytes) >= HEADER.size:
            _, kind, length, xid = HEADER.unpack_from(self._bytes)
            if len(self._bytes) < length:
                break
            body = bytes(self._bytes[HEADER.size : length])
            del self._bytes[:length]
            name, answer = KINDS.get(kind, ("others", _silence))
            self.heard[name] += 1
            answers.append(answer(self, xid, body))
        return b"".join(answers)

    def change(self, _xid: int, body: bytes) -> bytes:
        """Take a flow-mod."""
        self.table.change(body)
        return b""

    def features(self, xid: int, _body: bytes) -> bytes:
        """Say who it is."""
        return frame(
            6, xid, self.datapath_id.to_bytes(8) + bytes(4) + b"\xfe" + bytes(11)
        )

    def statistics(self, xid: int, body: bytes) -> bytes:
        """Describe its flows, count them, or describe its ports: it has none."""
        kind = int.from_bytes(body[:2])
        if kind not in {1, 2}:
            return multipart(kind, xid, b"")
        table, _, _, cookie, mask = SELECTION.unpack_from(body, 8)
        places = list(self.table.chosen(table, cookie, mask))
        if kind == 2:
            self.heard["counts"] += 1
            return multipart(2, xid, AGGREGATE.pack(0, 0, len(places)))
        self.heard["reads"] += 1
        entries, parts = bytearray(), []
        for place in places:
            if len(entries) > ROOM:
                parts.append(multipart(1, xid, bytes(entries), is_more=True))
                entries.clear()
            entries += self.table.entry(place)
        return b"".join(parts) + multipart(1, xid, bytes(entries))

    def experiment(self, xid: int, body: bytes) -> bytes:
        """Open, fill or commit a bundle (ONF extension 230)."""
        experimenter, what, bundle, kind, flags = CONTROL.unpack_from(body)
        if experimenter != ONF:
            return frame(1, xid, b"\0\1\0\3" + body[:64])
        if what != BUNDLE_CONTROL:
            self._bundles.setdefault(bundle, []).append(body[CONTROL.size :])
            return b""
        if kind == BUNDLE_COMMIT:
            for message in self._bundles.pop(bundle, ()):
                self.hear_bundled(message)
        return frame(4, xid, CONTROL.pack(ONF, BUNDLE_CONTROL, bundle, kind + 1, flags))

    def hear_bundled(self, message: bytes) -> None:
        """Take one message of a bundle that is committed."""
        self.heard["flow_mods"] += message[1] == 14
        if message[1] == 14:
            self.table.change(message[HEADER.size :])


def _split(body: bytes) -> tuple[bytes, bytes]:
    """Cut a match, with its padding, from the instructions behind it."""
    end = (int.from_bytes(body[2:4]) + 7) // 8 * 8
    return body[:end], body[end:]


def _silence(_speaker: Speaker, _xid: int, _body: bytes) -> bytes:
    """Answer nothing."""
    return b""


def _echo(_speaker: Speaker, xid: int, body: bytes) -> bytes:
    return frame(3, xid, body)


def _barrier(_speaker: Speaker, xid: int, _body: bytes) -> bytes:
    return frame(21, xid)


def _role(_speaker: Speaker, xid: int, body: bytes) -> bytes:
    return frame(25, xid, body)


KINDS: Final[dict[int, tuple[str, Callable[[Speaker, int, bytes], bytes]]]] = {
    0: ("hellos", _silence),
    2: ("echoes", _echo),
    4: ("experiments", Speaker.experiment),
    5: ("features", Speaker.features),
    14: ("flow_mods", Speaker.change),
    18: ("statistics", Speaker.statistics),
    20: ("barriers", _barrier),
    24: ("roles", _role),
}
