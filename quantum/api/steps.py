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
from txaio import tx

Steps = Generator[Any, Any, bytes]


def walked(steps: Steps) -> bytes | Deferred[bytes]:
    """
    Take an operation to its end, or as far as it goes without waiting.

    :raise Exception: Whatever the operation, or the plugin, raised.
    """
    try:
        answer = next(steps)
        while not hasattr(answer, "__await__"):
            answer = steps.send(answer)
    except StopIteration as end:
        result: bytes = end.value
        return result
    return Deferred.fromCoroutine(_waited(steps, answer))


async def _waited(steps: Steps, answer: object) -> bytes:
    """Take an operation to its end from its first answer that is not plain."""
    try:
        while True:
            try:
                value = await _value(answer)
            except Exception as problem:  # noqa: BLE001 - it belongs to the operation
                answer = steps.throw(problem)
            else:
                answer = steps.send(value)
    except StopIteration as end:
        result: bytes = end.value
        return result


async def _value(answer: object) -> object:
    """Wait for an answer of whichever kind a plugin gives."""
    if not hasattr(answer, "__await__"):
        return answer
    return await tx.as_future(lambda: answer)
