# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""Segments of deleted networks, kept until no switch can have flows of them."""

from collections import deque
from collections.abc import Coroutine, Mapping
from typing import Any, Final

from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.logger import Logger

from quantum.errors import QuantumError
from quantum.interfaces import IIntent
from quantum.plugins.openvswitch.switch import Switch

log = Logger()

STEP: Final = 200
"""Segments looked at in one go."""


@define(eq=False)
class Quarantine:
    """
    Frees a segment when every known switch has settled without it.

    A switch that is away may still forward frames of the network; so it holds
    the segment back, for as long as it takes.
    """

    _intent: IIntent
    _segments: deque[int] = field(factory=deque)

    def __attrs_post_init__(self) -> None:
        self._segments.extend(self._intent.quarantined_segments())

    def add(self, segment: int) -> None:
        """Take note of a deleted network's segment."""
        self._segments.append(segment)

    def release(self, switches: Mapping[int, Switch]) -> None:
        """Free what can be freed, a few segments at a time."""
        known = [switches.get(int(name, 16)) for name in self._intent.known_switches()]
        for _ in range(min(STEP, len(self._segments))):
            segment = self._segments.popleft()
            if any(s is None or s.session.carries(segment) for s in known):
                self._segments.append(segment)
            else:
                self._free(segment)

    def _free(self, segment: int) -> None:
        detached(self._freed(segment), f"freeing segment {segment}")

    async def _freed(self, segment: int) -> None:
        try:
            await self._intent.free_segment(segment)
        except QuantumError:
            self._segments.append(segment)
            raise


def detached(work: Coroutine[Any, Any, None], what: str) -> None:
    """Let work go on by itself; a failure is logged."""
    Deferred.fromCoroutine(work).addErrback(
        lambda failure: log.failure("{what} failed", failure=failure, what=what)
    )
