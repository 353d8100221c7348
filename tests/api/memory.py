# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""Plugins for tests of the API: one that waits, one that fails."""

from collections.abc import Callable
from typing import Any

from attrs import define, field
from twisted.internet.defer import succeed

from quantum.testing import MemoryPlugin


@define(eq=False)
class Instead:
    """A plugin whose every verb does something else with the verb it stands for."""

    _does: Callable[[Callable[[], Any]], Any]
    plugin: MemoryPlugin = field(factory=MemoryPlugin)

    def __getattr__(self, verb: str) -> Callable[..., Any]:
        return lambda *words: self._does(lambda: getattr(self.plugin, verb)(*words))


def as_deferred(verb: Callable[[], Any]) -> Any:
    """Answer with a Deferred, which has failed if the verb did."""
    return succeed(None).addCallback(lambda _: verb())


def as_coroutine(verb: Callable[[], Any]) -> Any:
    """Answer with a coroutine."""

    async def answer() -> Any:
        return verb()

    return answer()


def refusing(error: Exception) -> Instead:
    """Make a plugin that raises one error whatever it is asked."""

    def refuse(_: Callable[[], Any]) -> Any:
        raise error

    return Instead(refuse)
