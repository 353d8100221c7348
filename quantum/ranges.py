# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""Ranges of whole numbers, as operators write them: ``100-199`` or ``7``."""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from itertools import accumulate, pairwise

from attrs import define, field, frozen

SEGMENTS = (1, 2**24 - 2)
"""A VXLAN network identifier has 24 bits (RFC 7348); 0 and all ones are avoided."""
VLANS = (1, 4094)
"""A VLAN identifier has 12 bits; 0 and all ones mean none (IEEE 802.1Q, 9.6)."""

_RANGE = re.compile(r"\s*([0-9]{1,9})\s*(?:-\s*([0-9]{1,9})\s*)?", re.ASCII)


class RangeError(ValueError):
    """What is written is no range, or not within bounds; the message says why."""


@frozen
class Span:
    """All whole numbers from ``first`` to ``last``, both included."""

    first: int
    last: int

    def __str__(self) -> str:
        return str(self.first) + (f"-{self.last}" if self.last > self.first else "")

    def __len__(self) -> int:
        return self.last - self.first + 1

    def __contains__(self, number: int) -> bool:
        return self.first <= number <= self.last


@define(eq=False)
class Ranges:
    """Numbers in rising order, of spans that neither overlap nor are empty."""

    spans: tuple[Span, ...]
    _ends: tuple[int, ...] = field(init=False)
    """How many numbers there are up to the end of each span."""

    def __attrs_post_init__(self) -> None:
        self._ends = tuple(accumulate(map(len, self.spans)))

    @classmethod
    def parse(cls, texts: Iterable[str], bounds: tuple[int, int]) -> "Ranges":
        """
        Read what an operator wrote.

        :raise RangeError: It is no range, or beyond the bounds, or one number is
            in two ranges.
        """
        spans = sorted((_span(text, bounds) for text in texts), key=lambda s: s.first)
        for one, other in pairwise(spans):
            if other.first <= one.last:
                raise RangeError(f"{one} and {other} overlap")
        return cls(tuple(spans))

    def __str__(self) -> str:
        return ", ".join(map(str, self.spans))

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    def __contains__(self, number: int) -> bool:
        return any(number in span for span in self.spans)

    def __iter__(self) -> Iterator[int]:
        for span in self.spans:
            yield from range(span.first, span.last + 1)

    def at(self, index: int) -> int:
        """Give the number that so many are below."""
        place = bisect_right(self._ends, index)
        return self.spans[place].last - (self._ends[place] - index) + 1

    def below(self, number: int) -> int:
        """Count the numbers that are smaller than this one."""
        return sum(
            min(number, span.last + 1) - span.first
            for span in self.spans
            if span.first < number
        )


def _span(text: str, bounds: tuple[int, int]) -> Span:
    """Read one range."""
    lowest, highest = bounds
    found = _RANGE.fullmatch(text)
    if found is None:
        raise RangeError(f"{text!r} is no range: write {lowest}-{highest} or {lowest}")
    first = int(found[1])
    last = int(found[2] or first)
    if first > last:
        raise RangeError(f"{text!r} goes down: write {last}-{first}")
    if first < lowest or last > highest:
        raise RangeError(f"{text!r} goes beyond {lowest}-{highest}")
    return Span(first, last)
