# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""What very many do at regular intervals, by one timer."""

from collections import Counter

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from quantum.channel.pulse import Pulse


class PulseTests(SynchronousTestCase):
    """The interval is ten seconds."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.pulse = Pulse(self.clock, 10)
        self.called: list[tuple[str, float]] = []

    def beat(self, name: str):
        """Make a beat that takes note of the time."""
        return lambda: self.called.append((name, self.clock.seconds()))

    def test_regular(self) -> None:
        """Each is called an interval after it joined, and then in every interval."""
        self.pulse.join(self.beat("a"))
        self.clock.advance(4)
        self.pulse.join(self.beat("b"))
        self.clock.pump([1] * 22)
        expected = [("a", 10), ("b", 14), ("a", 20), ("b", 24)]
        self.assertEqual(expected, self.called)

    def test_one_timer(self) -> None:
        """Those that are due at nearly the same time are called together."""
        for name in "abc":
            self.pulse.join(self.beat(name))
            self.clock.advance(0.03)
        self.clock.advance(10 - 0.09)
        self.assertEqual([("a", 10), ("b", 10), ("c", 10)], self.called)
        self.assertEqual(1, len(self.clock.getDelayedCalls()))

    def test_left(self) -> None:
        """Who has left is called no more, and of the last nothing is left behind."""
        beats = [self.beat(name) for name in "ab"]
        for beat in beats:
            self.pulse.join(beat)
        self.pulse.leave(beats[0])
        self.clock.advance(10)
        self.assertEqual([("b", 10)], self.called)
        for beat in beats:
            self.pulse.leave(beat)
        self.assertEqual([], self.clock.getDelayedCalls())

    def test_leaves_itself(self) -> None:
        """A beat may end itself, or another that is due."""
        other = self.beat("other")

        def last() -> None:
            self.called.append(("last", self.clock.seconds()))
            self.pulse.leave(last)
            self.pulse.leave(other)

        self.pulse.join(last)
        self.pulse.join(other)
        self.clock.advance(10)
        self.assertEqual([("last", 10)], self.called)
        self.assertEqual([], self.clock.getDelayedCalls())

    def test_late(self) -> None:
        """What was missed while the process stood still is not made up for."""
        self.pulse.join(self.beat("a"))
        self.clock.advance(35)
        self.clock.advance(4)
        self.assertEqual([("a", 35)], self.called)
        self.clock.advance(1)
        self.assertEqual([("a", 35), ("a", 40)], self.called)

    def test_almost_two(self) -> None:
        """One that is so late that it is almost due again is called once."""
        self.pulse.join(self.beat("a"))
        self.clock.advance(19.95)
        self.clock.pump([5] * 3)
        self.assertEqual([("a", 19.95), ("a", 34.95)], self.called)

    def test_spread(self) -> None:
        """Those that were called together, being late, are not so ever after."""
        for number in range(100):
            self.pulse.join(self.beat(str(number)))
            self.clock.advance(0.2)  # after half of them the others are called too
        self.called.clear()
        self.clock.advance(25)
        self.assertEqual(100, len(self.called))
        self.called.clear()
        self.clock.pump([0.2] * 50)
        times = Counter(time for _, time in self.called)
        self.assertEqual(100, times.total())
        self.assertGreater(5, max(times.values()))

    def test_broken(self) -> None:
        """One that breaks off does not keep others from being called."""
        self.pulse.join(lambda: self.called.append(("broken", 1 // 0)))
        self.pulse.join(self.beat("a"))
        self.assertRaises(ZeroDivisionError, self.clock.advance, 10)
        self.clock.advance(0)
        self.assertEqual([("a", 10)], self.called)
