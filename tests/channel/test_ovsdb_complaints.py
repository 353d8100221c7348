# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""When the operator is told what is wrong."""

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from quantum.channel.ovsdb.complaints import (
    CERTAIN_AFTER,
    FORGOTTEN_AFTER,
    MOST,
    Complaints,
)


class ComplaintsTests(SynchronousTestCase):
    """Once while it lasts."""

    def setUp(self) -> None:
        self.clock, self.said = Clock(), list[str]()
        self.complaints = Complaints(self.clock, self.said.append)

    def say(self, *complaints: str, doubts: tuple[str, ...] = ()) -> list[str]:
        """Find something wrong; what the operator is told of it."""
        self.said.clear()
        self.complaints.say(set(complaints), set(doubts))
        return list(self.said)

    def test_once(self) -> None:
        """What lasts is told once, what comes back much later again."""
        self.assertEqual(["a", "b"], self.say("a", "b"))
        self.assertEqual([], self.say("a"))
        self.clock.advance(100 * FORGOTTEN_AFTER)
        self.assertEqual(["c"], self.say("a", "b", "c"))
        self.say("c")
        self.clock.advance(FORGOTTEN_AFTER + 1)
        self.say("c")
        self.assertEqual(["a"], self.say("a", "c"))

    def test_flickers(self) -> None:
        """What comes and goes quickly is told once."""
        self.say("a")
        for _ in range(20):
            self.clock.advance(FORGOTTEN_AFTER / 2)
            self.assertEqual([], self.say())
            self.assertEqual([], self.say("a"))

    def test_doubt(self) -> None:
        """A doubt is told when it has lasted, once."""
        self.assertEqual([], self.say(doubts=("d",)))
        self.clock.advance(CERTAIN_AFTER - 1)
        self.assertEqual([], self.say(doubts=("d",)))
        self.clock.advance(1)
        self.assertEqual(["d"], self.said)
        self.clock.advance(CERTAIN_AFTER)
        self.assertEqual([], self.say(doubts=("d",)))
        self.assertEqual([], self.clock.getDelayedCalls())

    def test_doubt_gone(self) -> None:
        """A doubt that was gone in time is never told."""
        self.say(doubts=("d",))
        self.say()
        self.assertEqual([], self.clock.getDelayedCalls())
        self.say(doubts=("d",))
        self.complaints.stop()
        self.assertEqual([], self.clock.getDelayedCalls())

    def test_many(self) -> None:
        """Whoever gives cause for very many is told of some."""
        self.assertEqual(MOST, len(self.say(*map(str, range(2 * MOST)))))
