# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""Which segment id a new network gets, and which VLAN if it is to have one."""

from collections.abc import Callable
from collections.abc import Set as AbstractSet

from attrs import define, field

from quantum.ranges import SEGMENTS, Ranges, Span

FIRST, LAST = SEGMENTS
FULL_SOON = 80
"""Per cent of a pool in use at which an operator should think of a larger one."""
RELAXED = 70
"""Per cent below which the next rise is worth another word."""


def _say_nothing(_: str) -> None:
    """Warn nobody."""


@define
class Pool:
    """
    Numbers in rising order, so that one is used again as late as possible.

    What is taken is not remembered here but asked for at every pick; of the sets
    that are given, all numbers are the pool's, and none is in two.
    """

    name: str
    ranges: Ranges
    _warn: Callable[[str], None] = _say_nothing
    _next: int = field(init=False, default=0)
    _has_warned: bool = field(init=False, default=False)

    @property
    def size(self) -> int:
        """How many numbers there are."""
        return len(self.ranges)

    def pick(self, *taken: AbstractSet[int]) -> int | None:
        """Choose a number that is in none of the sets, if there is one."""
        size = self.size
        # So that a full pool costs nothing.
        if sum(map(len, taken)) < size:
            for offset in range(size):
                index = (self._next + offset) % size
                candidate = self.ranges.at(index)
                if not any(candidate in numbers for numbers in taken):
                    self._next = (index + 1) % size
                    return candidate
        return None

    def skip_past(self, taken: AbstractSet[int]) -> None:
        """Go on after the highest of these, as if it had been picked last."""
        if taken:
            self._next = (self.ranges.below(max(taken)) + 1) % self.size

    def note(self, used: int) -> None:
        """Warn when use has risen to where the pool will be exhausted soon."""
        if not self.size or used * 100 < self.size * RELAXED:
            self._has_warned = False
        elif used * 100 >= self.size * FULL_SOON and not self._has_warned:
            self._has_warned = True
            self._warn(
                f"{self.name}: {used} of {self.size} are taken; "
                "widen the pool before there are none left"
            )


@define(init=False)
class SegmentPool(Pool):
    """The pool of segment ids, one range."""

    def __init__(
        self,
        first: int = FIRST,
        last: int = LAST,
        warn: Callable[[str], None] = _say_nothing,
    ) -> None:
        ranges = Ranges((Span(first, last),))
        self.__attrs_init__(f"segments {ranges}", ranges, warn)
