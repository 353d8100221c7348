# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
What is looked after by the clock: audits, second tries, silent switches, segments.

Counting a switch's flows is cheap and is done in every round; reading them all
is done rarely, by one switch after another.
"""

from collections.abc import Iterator
from typing import Final

from attrs import define, field
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from quantum.openflow.phase import Phase
from quantum.plugins.openvswitch.fabric import OpenVSwitchFabric
from quantum.plugins.openvswitch.switch import Switch

log = Logger()

FULL_AUDIT_ROUNDS: Final = 30
"""Rounds between two complete audits of a switch."""
RETRY_ROUNDS: Final = 5
"""Rounds between two tries of what a switch refused."""
ANSWER_DEADLINE: Final = 30.0
"""Seconds that a switch may leave a barrier or a request unanswered."""


@define(eq=False)
class Rounds:
    """Called once per audit interval."""

    _fabric: OpenVSwitchFabric
    _clock: IReactorTime
    _number: int = 0
    _progress: dict[int, tuple[int, float]] = field(factory=dict)

    def __call__(self) -> None:
        """Go round once."""
        self._number += 1
        for switch in self._connected():
            self._audit(switch)
            self._watch(switch)
        self._fabric.quarantine.release(self._fabric.switches)

    def _connected(self) -> Iterator[Switch]:
        for switch in list(self._fabric.switches.values()):
            if switch.datapath is not None:
                yield switch

    def _audit(self, switch: Switch) -> None:
        """Let a session count or compare; different switches in different rounds."""
        turn = self._number + switch.datapath_id
        if turn % RETRY_ROUNDS == 0:
            switch.session.retry()
        switch.session.audit(is_full=turn % FULL_AUDIT_ROUNDS == 0)
        switch.talk()

    def _watch(self, switch: Switch) -> None:
        """Drop a switch that echoes but does not answer what it was asked."""
        session, now = switch.session, self._clock.seconds()
        is_waiting = switch.is_synced and session.phase in (
            Phase.SYNCING,
            Phase.CHANGING,
        )
        progress, since = self._progress.get(switch.datapath_id, (-1, now))
        if not is_waiting or progress != session.progress:
            self._progress[switch.datapath_id] = (session.progress, now)
        elif now - since > ANSWER_DEADLINE:
            log.warn(
                "switch {datapath_id:016x} does not answer; dropping it",
                datapath_id=switch.datapath_id,
            )
            del self._progress[switch.datapath_id]
            switch.datapath.close()
