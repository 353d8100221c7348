# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""Telling the operator what is wrong, once while it lasts."""

from collections.abc import Callable

from attrs import define, field
from twisted.internet.interfaces import IDelayedCall, IReactorTime

FORGOTTEN_AFTER = 10.0
"""What is wrong again sooner than this is not news."""
CERTAIN_AFTER = 30.0
"""What may be wrong for a moment is told when it has lasted so long."""
MOST = 1000
"""Of whoever gives cause for more than this, more is not told."""


@define
class Complaints:
    """What is wrong, as the operator was told."""

    _clock: IReactorTime
    _complain: Callable[[str], None]
    _gone_since: dict[str, float | None] = field(factory=dict)
    """By complaint: since when it has been without cause, or None while it has."""
    _doubts: set[str] = field(factory=set)
    _timer: IDelayedCall | None = None

    def say(self, complaints: set[str], doubts: set[str]) -> None:
        """Complain of what is new; of a doubt only when it has lasted a while."""
        now = self._clock.seconds()
        if doubts != self._doubts:
            self.stop()
            self._doubts = doubts
            if doubts:
                self._timer = self._clock.callLater(CERTAIN_AFTER, self._certain)
        # A doubt that was told stays told while it lasts.
        lasting = complaints | (doubts & self._gone_since.keys())
        self._tell(complaints)
        for known, gone in list(self._gone_since.items()):
            if known in lasting:
                self._gone_since[known] = None
            elif gone is None:
                self._gone_since[known] = now
            elif now - gone > FORGOTTEN_AFTER:
                del self._gone_since[known]

    def stop(self) -> None:
        """Wait for nothing any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _certain(self) -> None:
        self._timer = None
        self._tell(self._doubts)

    def _tell(self, complaints: set[str]) -> None:
        room = MOST - len(self._gone_since)
        for complaint in sorted(complaints - self._gone_since.keys())[:room]:
            self._gone_since[complaint] = None
            self._complain(complaint)
