# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""Everybody's work in turn, a slice per turn of the reactor."""

from collections import Counter

from twisted.trial.unittest import SynchronousTestCase

from quantum.channel.limits import BREAK, FEW, SLICE
from quantum.channel.turns import Turns
from tests.channel.terminal import Ticking


class TurnsTests(SynchronousTestCase):
    """Two pieces of work fit into a slice."""

    def setUp(self) -> None:
        self.clock = Ticking()
        self.clock.advance(1)
        self.clock.tick = SLICE * 0.6
        self.turns = Turns(self.clock)
        self.done: list[str] = []

    def job(self, name: str, pieces: int):
        """Make work of some pieces."""
        left = list(range(pieces))

        def work() -> bool:
            self.done.append(name)
            left.pop()
            return bool(left)

        return work

    def test_short(self) -> None:
        """What fits into a slice is done at once, and leaves nothing behind."""
        self.assertTrue(self.turns.do(self.job("a", 1)))
        self.assertEqual((["a"], []), (self.done, self.clock.getDelayedCalls()))

    def test_in_turn(self) -> None:
        """Who comes when the slice is used up waits; then pieces are done in turn."""
        jobs = [self.job(name, 3) for name in "abc"]
        self.assertEqual([False] * 3, [self.turns.do(job) for job in jobs])
        self.assertEqual("aa", "".join(self.done))
        self.exhaust()
        self.assertEqual("aaabcbcbc", "".join(self.done))

    def test_breaks(self) -> None:
        """While many wait there are breaks; the last few are served without."""
        for name in "abcdef"[: FEW + 2]:
            self.turns.do(self.job(name, 3))
        self.clock.advance(0)
        self.assertLess(BREAK / 2, self.until_next())
        while len(self.done) < 3 * (FEW + 2):
            self.clock.advance(self.until_next())
        self.assertEqual([], self.clock.getDelayedCalls())
        self.assertEqual(dict.fromkeys(self.done, 3), Counter(self.done))

    def test_one_slice(self) -> None:
        """The reactor's turn in which somebody has come has no second slice."""
        self.turns.do(self.job("a", 9))
        (ending,) = self.clock.getDelayedCalls()
        ending.func()
        ending.cancel()
        self.assertEqual("aa", "".join(self.done))
        self.exhaust()
        self.assertEqual(9, len(self.done))

    def test_next_turn(self) -> None:
        """Some time after a slice is used up there is a new one."""
        self.turns.do(self.job("a", 1))
        self.clock.advance(SLICE * 2)
        self.assertTrue(self.turns.do(self.job("b", 1)))

    def test_forgotten(self) -> None:
        """Work that nobody wants any more is left, and nothing is left behind."""
        job = self.job("a", 9)
        self.turns.do(job)
        self.turns.forget(job)
        self.assertEqual((["a"] * 2, []), (self.done, self.clock.getDelayedCalls()))

    def test_broken(self) -> None:
        """Work that breaks off does not take others with it."""
        self.turns.do(self.job("a", 3))
        self.turns.do(lambda: bool(1 // len(self.clock.calls[:0])))
        self.turns.do(self.job("b", 1))
        self.assertRaises(ZeroDivisionError, self.exhaust)
        self.exhaust()
        self.assertEqual("aaab", "".join(self.done))

    def until_next(self) -> float:
        """Say how long the reactor may sleep."""
        (call,) = self.clock.getDelayedCalls()
        return max(0.0, call.getTime() - self.clock.rightNow)

    def exhaust(self) -> None:
        """Let time go by until nothing waits."""
        while self.clock.getDelayedCalls():
            self.clock.advance(0)
