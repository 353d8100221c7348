# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""Ranges of numbers, as laws."""

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from quantum.ranges import RangeError, Ranges

BOUNDS = (1, 40)


@st.composite
def written(draw):
    """Write a set of numbers as ranges, in any order; the numbers and the texts."""
    edges = sorted(draw(st.sets(st.integers(1, 41), max_size=12)))
    pairs = list(zip(edges[::2], edges[1::2], strict=False))
    texts = [
        str(first) if last == first + 1 else f"{first}-{last - 1}"
        for first, last in pairs
    ]
    numbers = [n for first, last in pairs for n in range(first, last)]
    return numbers, draw(st.permutations(texts))


class RangesTests(SynchronousTestCase):
    """What is written and what is meant."""

    @given(written())
    def test_numbers(self, case):
        """All numbers are there once, in rising order, and no others."""
        numbers, texts = case
        ranges = Ranges.parse(texts, BOUNDS)
        self.assertEqual(numbers, list(ranges))
        self.assertEqual(len(numbers), len(ranges))
        self.assertEqual(numbers, [n for n in range(-1, 50) if n in ranges])
        self.assertEqual(numbers, [ranges.at(i) for i in range(len(numbers))])
        for number in range(50):
            self.assertEqual(sum(n < number for n in numbers), ranges.below(number))

    @given(written())
    def test_shown(self, case):
        """What is shown can be read again."""
        _, texts = case
        ranges = Ranges.parse(texts, BOUNDS)
        shown = str(ranges).split(", ") if ranges else []
        self.assertEqual(list(ranges), list(Ranges.parse(shown, BOUNDS)))

    @given(st.text(), st.text())
    def test_anything_else(self, one, other):
        """Whatever is written, the answer is ranges or a refusal."""
        try:
            ranges = Ranges.parse([one, other], BOUNDS)
        except RangeError as problem:
            self.assertTrue(str(problem))
        else:
            self.assertTrue(all(1 <= n <= 40 for n in ranges))
