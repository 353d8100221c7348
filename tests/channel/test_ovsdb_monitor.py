# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""The rows of all databases are taken in turn."""

from collections.abc import Iterator

from twisted.internet.defer import CancelledError, Deferred
from twisted.trial.unittest import SynchronousTestCase

from quantum.channel.limits import SLICE
from quantum.channel.ovsdb.monitor import in_slices
from quantum.channel.turns import Turns
from tests.channel.terminal import Ticking


class InSlicesTests(SynchronousTestCase):
    """Two steps fit into a slice."""

    def setUp(self) -> None:
        self.clock = Ticking()
        self.clock.advance(1)
        self.clock.tick = SLICE * 0.6
        self.turns = Turns(self.clock)
        self.done: list[str] = []

    def take(self, steps: Iterator[None]) -> Deferred[None]:
        """Begin to take steps."""
        return Deferred.fromCoroutine(in_slices(self.turns, steps))

    def steps(self, name: str, count: int) -> Iterator[None]:
        """Make steps that leave a trace."""
        for _ in range(count):
            self.done.append(name)
            yield

    def go_on(self) -> None:
        """Let one turn of the reactor pass."""
        self.clock.advance(0.01)

    def test_shared(self) -> None:
        """However many take steps, a turn of the reactor is one slice."""
        taken = [self.take(self.steps(name, 2)) for name in "abcdef"]
        before = len(self.done)
        while len(self.done) == before:
            (call,) = self.clock.getDelayedCalls()
            self.clock.advance(max(0.0, call.getTime() - self.clock.rightNow))
        self.assertIn(len(self.done) - before, (1, 2))
        for _ in range(20):
            self.go_on()
        self.assertEqual("aabbccddeeff", "".join(sorted(self.done)))
        for each in taken:
            self.successResultOf(each)

    def test_broken(self) -> None:
        """A step that fails is the failure of whoever takes the steps."""

        def broken() -> Iterator[None]:
            yield from self.steps("a", 3)
            raise ValueError("by design")

        taken, other = self.take(broken()), self.take(self.steps("b", 3))
        for _ in range(10):
            self.go_on()
        self.failureResultOf(taken, ValueError)
        self.successResultOf(other)

    def test_given_up(self) -> None:
        """Who gives up takes no more steps, and the others go on."""
        taken, other = (self.take(self.steps(name, 9)) for name in "ab")
        taken.cancel()
        self.failureResultOf(taken, CancelledError)
        before = self.done.count("a")
        for _ in range(20):
            self.go_on()
        self.assertEqual((before, 9), (self.done.count("a"), self.done.count("b")))
        self.successResultOf(other)

    def test_given_up_by_a_step(self) -> None:
        """So it is if a step itself ends the connection, be it the last one."""
        for after in (0, 5):
            begun: list[Deferred[None]] = []

            def ending(after: int, begun: list[Deferred[None]]) -> Iterator[None]:
                yield from self.steps("a", 3)
                begun[0].cancel()
                yield from self.steps("b", after)

            begun.append(self.take(ending(after, begun)))
            for _ in range(20):
                self.go_on()
            self.failureResultOf(begun[0], CancelledError)
        self.assertGreaterEqual(1, self.done.count("b"))
