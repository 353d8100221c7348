# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
Operations written once, for plugins that answer now and for those that wait.

An operation is a generator: it yields what the plugin answered and is sent the
value.  It is not a coroutine, because most answers are plain values from memory,
and then no Deferred needs to be made: the whole request is one function call.
"""

from collections.abc import Generator
from typing import Any

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure
from txaio import tx

Steps = Generator[Any, Any, bytes]


def walked(steps: Steps) -> bytes | Deferred[bytes]:
    """
    Take an operation to its end, or as far as it goes without waiting.

    :raise Exception: Whatever the operation, or the plugin, raised.
    """
    return _walked_on(None, steps)


def _walked_on(answer: object, steps: Steps) -> bytes | Deferred[bytes]:
    """
    Send an operation an answer, and then whatever else is known at once.

    These are callbacks, and not a coroutine around each wait, because that would
    cost more than the rest of the operation.
    """
    try:
        while True:
            if isinstance(answer, Failure):
                answer = answer.throwExceptionIntoGenerator(steps)
            else:
                answer = steps.send(answer)
            while not hasattr(answer, "__await__"):
                answer = steps.send(answer)
            if not isinstance(answer, Deferred):
                answer = _future(answer)
            known: list[object] = []
            answer.addBoth(known.append)
            if not known:
                return answer.addBoth(_walked_later, known, steps)
            answer = known[0]
    except StopIteration as end:
        result: bytes = end.value
        return result


def _walked_later(
    _: object, known: list[object], steps: Steps
) -> bytes | Deferred[bytes]:
    """Walk on when what was awaited is known."""
    return _walked_on(known[0], steps)


def _future(answer: object) -> Deferred[Any]:
    """Make a Deferred of any other answer that must be waited for."""
    future: Deferred[Any] = tx.as_future(lambda: answer)
    return future
