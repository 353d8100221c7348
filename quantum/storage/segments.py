# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""Which segment id a new network gets."""

from collections.abc import Set as AbstractSet

from attrs import define, field

from quantum.errors import SegmentsExhausted

FIRST = 1
LAST = 2**24 - 2
"""A VXLAN network identifier has 24 bits; 0 and all ones are avoided."""


@define
class SegmentPool:
    """
    Segment ids in rising order, so that one is used again as late as possible.

    What is taken is not remembered here but asked for at every pick.
    """

    first: int = FIRST
    last: int = LAST
    _next: int = field(init=False, default=0)

    def pick(self, *taken: AbstractSet[int]) -> int:
        """
        Choose an id that is in none of the sets.

        :raise SegmentsExhausted: There is none.
        """
        size = self.last - self.first + 1
        # The sets do not overlap, so this is exact, and a full pool costs nothing.
        if sum(map(len, taken)) < size:
            for offset in range(size):
                candidate = self.first + (self._next + offset) % size
                if not any(candidate in ids for ids in taken):
                    self._next = (self._next + offset + 1) % size
                    return candidate
        raise SegmentsExhausted(f"segments {self.first} to {self.last}", size)

    def skip_past(self, highest: int) -> None:
        """Go on after this id, as if it had been picked last."""
        self._next = (highest - self.first + 1) % (self.last - self.first + 1)
