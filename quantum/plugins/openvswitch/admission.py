# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""Lets a few switches at a time be read and put right, when very many come at once."""

from random import Random
from typing import Final

from attrs import define, field
from twisted.internet.interfaces import IReactorTime

from quantum.openflow.phase import Phase
from quantum.plugins.openvswitch.switch import Switch

PLACES: Final = 8
"""Switches that are put right at a time."""
PATIENCE: Final = 5.0
"""Seconds after which a slow switch gives up its place, though it is let go on."""


@define(eq=False)
class Admission:
    """
    Some places, given in random order: of a storm nobody is always the last.

    Who has been admitted stays so until its connection ends.
    """

    _clock: IReactorTime
    _random: Random
    _places: int = PLACES
    _admitted: dict[Switch, float] = field(factory=dict)
    """Until when each holds its place."""
    _waiting: dict[Switch, None] = field(factory=dict)
    _is_admitting: bool = False

    def ask(self, switch: Switch) -> None:
        """Let a connected switch be put right, now or when there is a place."""
        if _may_wait(switch) and switch not in self._admitted:
            self._waiting[switch] = None
            self._admit()

    def leave(self, switch: Switch) -> None:
        """Take note that a switch is put right, refused that, or is gone."""
        self._waiting.pop(switch, None)
        if self._admitted.pop(switch, None) is not None:
            self._admit()

    def review(self) -> None:
        """Take the places of those that are slow."""
        now = self._clock.seconds()
        slow = [switch for switch, until in self._admitted.items() if until <= now]
        for switch in slow:
            del self._admitted[switch]
        self._admit()

    def _admit(self) -> None:
        """Fill the places; a switch that is done at once frees its own meanwhile."""
        if self._is_admitting:
            return
        self._is_admitting = True
        try:
            while self._waiting and len(self._admitted) < self._places:
                switch = self._random.choice(tuple(self._waiting))
                del self._waiting[switch]
                if _may_wait(switch):
                    self._admitted[switch] = self._clock.seconds() + PATIENCE
                    switch.session.admit()
                    switch.talk()
        finally:
            self._is_admitting = False


def _may_wait(switch: Switch) -> bool:
    session = switch.session
    return session.phase is Phase.SYNCING and not session.is_admitted
