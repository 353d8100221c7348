# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
The rules from which the layouts of OpenFlow messages are put together.

Each function makes a `Check`: called with a frame and the bounds of one of its
parts, it returns if every length inside is possible and raises `ProtocolError`
if not.  A check looks at every byte at most a fixed number of times, so its
cost is linear in the frame.  Nothing here knows a message, or reads a value.
"""

from collections.abc import Callable, Mapping
from struct import Struct

from attrs import frozen

Check = Callable[[bytes, int, int], None]
"""Look at ``frame[start:end]``."""

PAIR = Struct("!HH")
SHORT = Struct("!H")


@frozen
class ProtocolError(Exception):
    """A peer sent what no OpenFlow switch may send; ``problem`` says what."""

    problem: str

    def __str__(self) -> str:
        return self.problem


def whole(length: int) -> int:
    """Round up to a multiple of eight bytes."""
    return length + 7 & ~7


def exactly(size: int) -> Check:
    """Expect this many bytes."""
    return between(size, size)


def between(least: int, most: int = 0xFFFF, multiple: int = 1) -> Check:
    """Expect from ``least`` to ``most`` bytes, and a multiple of so many."""

    def check(_frame: bytes, start: int, end: int) -> None:
        size = end - start
        if not least <= size <= most or size % multiple:
            expected = f"{least}" if least == most else f"{least} to {most}"
            if multiple > 1:
                expected += f", a multiple of {multiple}"
            raise ProtocolError(f"{size} bytes at {start}, expected {expected}")

    return check


def rows(size: int) -> Check:
    """Expect any number of rows of one size."""
    return between(0, multiple=size)


def after(size: int, rest: Check) -> Check:
    """Expect ``size`` bytes of no interest, then the rest."""

    def check(frame: bytes, start: int, end: int) -> None:
        if end - start < size:
            raise ProtocolError(f"{end - start} bytes at {start}, expected {size}")
        rest(frame, start + size, end)

    return check


@frozen
class Sizes:
    """How the length of a list's entry may look."""

    least: int
    multiple: int = 1
    at: int = 0
    """Where in the entry its 16-bit length is."""
    most: int = 0xFFFF


def entries(name: str, sizes: Sizes, body: Check | None = None) -> Check:
    """Expect entries one after the other, each telling its own length."""
    least, multiple, at, most = sizes.least, sizes.multiple, sizes.at, sizes.most

    def check(frame: bytes, start: int, end: int) -> None:
        while start < end:
            if end - start < least:
                raise _cut(name, start, end)
            (length,) = SHORT.unpack_from(frame, start + at)
            stop = start + length
            if length < least or length > most or length % multiple or stop > end:
                raise _impossible(name, start, length)
            if body is not None:
                body(frame, start, stop)
            start = stop

    return check


@frozen
class Tags:
    """How entries that begin with a type and a length may look."""

    kinds: Mapping[int, Check]
    """What the whole entry, header included, must be like; by type."""
    other: Check | None = None
    """The same for types not listed; such entries are refused without it."""
    least: int = 4
    is_padded: bool = False
    """Zeros fill each entry to a multiple of eight, not counted in its length."""
    multiple: int = 1
    limit: int = 0xFFFF


def tagged(name: str, tags: Tags) -> Check:
    """Expect a list of entries that begin with a type and a length."""
    unpack, kind_of = PAIR.unpack_from, tags.kinds.get
    least, multiple, other = tags.least, tags.multiple, tags.other

    def check(frame: bytes, start: int, end: int) -> None:
        room = tags.limit
        while start < end:
            room -= 1
            if end - start < 4 or room < 0:
                raise _cut(name, start, end)
            kind, length = unpack(frame, start)
            stop = start + length
            if length < least or length % multiple or stop > end:
                raise _impossible(name, start, length)
            rule = kind_of(kind, other)
            if rule is None:
                raise ProtocolError(f"{name} at {start}: unknown type {kind}")
            rule(frame, start, stop)
            start = start + whole(length) if tags.is_padded else stop
        if start > end:
            raise _cut(name, start, end)

    return check


def _impossible(name: str, start: int, length: int) -> ProtocolError:
    return ProtocolError(f"{name} at {start}: impossible length {length}")


def _cut(name: str, start: int, end: int) -> ProtocolError:
    return ProtocolError(f"{name} at {start}: does not fit what ends at {end}")
