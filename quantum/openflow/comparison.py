# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""What a switch should have, held against what it says it has."""

from collections import deque
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final

from attrs import define, field
from msgspec import Struct

from quantum.openflow.flow import COOKIE_TAG, Encoded, Flow, encode, match_length
from quantum.openflow.messages import Entry, entries, has_entries, has_more

PIECE: Final = 50
"""Flows compared at a time: some 0.2 ms of work."""


class _Wanted(Struct, frozen=True, gc=False):
    """A wanted flow, and its bytes."""

    flow: Flow
    encoded: Encoded


@define
class Comparison:
    """
    The flows wanted, and the switch's statistics reply, taken frame by frame.

    In the end ``stale`` flows are to be removed, and then `missing` ones added:
    a flow that somebody changed is both.  One that is told twice is there once.
    """

    count: int = 0
    """How many flows are wanted."""
    stale: list[Encoded] = field(factory=list)
    _wanted: dict[int, _Wanted] = field(factory=dict)
    """By cookie, what has not been found yet."""
    _found: dict[int, Encoded] = field(factory=dict)
    _twins: list[_Wanted] = field(factory=list)
    _frames: deque[bytes] = field(factory=deque)
    _rest: Iterator[Entry] | None = None
    """What was not compared yet of the oldest frame, once that was begun."""
    _is_complete: bool = False
    _is_silent: bool = True

    def want(self, flows: Iterable[Flow]) -> None:
        """Take note of flows that the switch should have."""
        wanted = self._wanted
        for flow in flows:
            encoded = encode(flow)
            self.count += 1
            if encoded.cookie in wanted:  # one in four thousand million
                self._twins.append(_Wanted(flow, encoded))
            else:
                wanted[encoded.cookie] = _Wanted(flow, encoded)

    def receive(self, frame: bytes) -> None:
        """Keep a frame of the reply for later."""
        self._frames.append(frame)
        self._is_complete = not has_more(frame)
        self._is_silent = self._is_silent and not has_entries(frame)

    @property
    def is_blank(self) -> bool:
        """The switch has said that it has no flow of ours at all."""
        return self._is_complete and self._is_silent

    @property
    def has_frames(self) -> bool:
        """There are frames to be compared."""
        return bool(self._frames)

    @property
    def is_complete(self) -> bool:
        """The whole reply has come, and was compared."""
        return self._is_complete and not self._frames

    def compare(self) -> None:
        """
        Compare a piece of the oldest frame.

        :raise ValueError: It cannot be understood.
        """
        wanted, seen, stale = self._wanted, self._found, self.stale
        for found in self._piece():
            cookie = found[2]
            due = wanted.get(cookie)
            if due is not None and _is_same(due.encoded, found):
                seen[cookie] = due.encoded
                del wanted[cookie]
            elif cookie >> 56 == COOKIE_TAG and not self._is_repeated(found):
                stale.append(Encoded(*found))

    def _is_repeated(self, found: Entry) -> bool:
        """Say whether this flow was told before; who removed it would have none."""
        before = self._found.get(found[2])
        return before is not None and _is_same(before, found)

    def _piece(self) -> list[Entry]:
        if self._rest is None:
            self._rest = entries(self._frames[0])
        piece = list(islice(self._rest, PIECE))
        if len(piece) < PIECE:
            self._rest = None
            self._frames.popleft()
        return piece

    def missing(self) -> Iterator[tuple[Flow, Encoded]]:
        """List what the switch has not, or not so."""
        for wanted in (*self._wanted.values(), *self._twins):
            yield wanted.flow, wanted.encoded


def _is_same(wanted: Encoded, found: Entry) -> bool:
    """
    Say whether a flow is as wanted, if need be but for the order of its match fields.

    Open vSwitch keeps the order in which we write them; others need not.
    """
    table, priority, _, body = found
    if (wanted.table, wanted.priority) != (table, priority):
        return False
    return wanted.body == body or _parts(wanted.body) == _parts(body)


def _parts(body: bytes) -> tuple[list[bytes], bytes]:
    """
    Split a body into its match fields (7.2.3.2), sorted, and its instructions.

    :raise ValueError: Its match does not fit into it.
    """
    end = int.from_bytes(body[2:4], "big")
    if end > len(body):
        raise ValueError(f"a match of {end} bytes in {len(body)}")
    fields, position = [], 4
    while position < end:
        length = 4 + body[min(position + 3, end - 1)]
        fields.append(body[position : position + length])
        position += length
    return sorted(fields), body[match_length(body) :]
