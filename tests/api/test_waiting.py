# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""Operations over a plugin that takes its time."""

from typing import Any

from twisted.internet.defer import Deferred, fail, succeed
from twisted.trial.unittest import SynchronousTestCase

from quantum.api.steps import Steps, walked
from quantum.errors import PortNotFound


class WalkedTests(SynchronousTestCase):
    """An operation is walked as far as it goes without waiting, and then on."""

    def summing(self, *answers: Any) -> Steps:
        """Add up whatever the plugin answers."""
        total = 0
        for answer in answers:
            total += yield answer
        return b"%d" % total

    def test_plain(self) -> None:
        """An operation that never waits is over at once, without a Deferred."""
        self.assertEqual(b"6", walked(self.summing(1, 2, 3)))

    def test_mixed(self) -> None:
        """Values, Deferreds and coroutines may come in any order."""

        async def four() -> int:
            return 4

        late: Deferred[int] = Deferred()
        walking = walked(self.summing(1, succeed(2), 3, four(), 5, late, four(), 6))
        late.callback(10)
        self.assertEqual(b"35", self.successResultOf(walking))

    def test_answered_already(self) -> None:
        """However many answers are there already, an operation is over at once."""
        answers = [succeed(1) for _ in range(10_000)]
        self.assertEqual(b"10000", walked(self.summing(*answers)))

    def test_waits(self) -> None:
        """An operation waits for exactly what it needs next."""
        first: Deferred[int] = Deferred()
        second: Deferred[int] = Deferred()
        walking = walked(self.summing(first, 10, second))
        self.assertNoResult(walking)
        first.callback(1)
        self.assertNoResult(walking)
        second.callback(2)
        self.assertEqual(b"13", self.successResultOf(walking))

    def test_failure_is_raised_in_the_operation(self) -> None:
        """An operation may answer a failure itself, even one that comes late."""
        late: Deferred[int] = Deferred()

        def forgiving(first: Deferred[Any]) -> Steps:
            try:
                yield first
            except PortNotFound as error:
                found = yield succeed(error.port_id)
            return found.encode()

        self.assertEqual(b"P", walked(forgiving(fail(PortNotFound("P", "N")))))
        walking = walked(forgiving(late))
        late.errback(PortNotFound("Q", "N"))
        self.assertEqual(b"Q", self.successResultOf(walking))

    def test_failure_that_nobody_answers(self) -> None:
        """Any other failure is the operation's own: at once, or when it comes."""

        def refusing() -> Steps:
            raise PortNotFound("P", "N")
            yield

        self.assertRaises(PortNotFound, walked, refusing())
        late: Deferred[int] = Deferred()
        walking = walked(self.summing(1, late))
        late.errback(PortNotFound("P", "N"))
        self.failureResultOf(walking, PortNotFound)
