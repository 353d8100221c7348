# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
What is looked after by the clock: audits, second tries, silent switches, segments.

Counting a switch's flows is cheap and is done in every round.  Reading them all
is not: one switch after another is read, as far as a budget per round goes.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from attrs import Factory, define, field
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from quantum.openflow.phase import Phase
from quantum.plugins.openvswitch.fabric import OpenVSwitchFabric
from quantum.plugins.openvswitch.slices import Slices
from quantum.plugins.openvswitch.switch import Switch

log = Logger()

FLOW_BUDGET: Final = 5_000
"""Flows read per round, at some 3 us each; a larger switch waits for several."""
READ_COST: Final = 30
"""What asking costs, in flows: of very many small switches a few are read per round."""
RETRY_ROUNDS: Final = 5
"""Rounds until what a switch refused is tried again; twice as many each time ..."""
MOST_RETRY_ROUNDS: Final = 40
"""... up to this."""
PAUSE: Final = 20
"""Switches looked after between two pauses: about 0.1 ms."""
ANSWER_DEADLINE: Final = 30.0
"""Seconds that a switch may leave a barrier or a request unanswered."""


@define(eq=False)
class Rounds:
    """Called once per audit interval; begins no round while one goes on."""

    _fabric: OpenVSwitchFabric
    _clock: IReactorTime
    _slices: Slices = field(
        default=Factory(lambda self: Slices(self._clock), takes_self=True), init=False
    )
    _is_going: bool = False
    _number: int = 0
    _turn: int = 0
    _budget: int = 0
    _progress: dict[int, tuple[int, float]] = field(factory=dict)
    _retries: dict[int, tuple[int, int]] = field(factory=dict)
    """By datapath id: the round of the next try, and how many rounds it waits."""

    def __call__(self) -> None:
        """Go round once, by and by."""
        if not self._is_going:
            self._is_going = True
            self._slices.do(self._go())

    def _go(self) -> Iterator[None]:
        try:
            yield from self._round()
        finally:
            self._is_going = False

    def _round(self) -> Iterator[None]:
        self._number += 1
        self._fabric.roll.review()
        self._fabric.testimony.review()
        self._fabric.admission.review()
        connected = self._connected()
        read = self._chosen(connected)
        for number, switch in enumerate(connected, 1):
            if switch.datapath:  # it may have left since
                self._look_after(switch, is_read=switch in read)
            if number % PAUSE == 0:
                yield
        present = {switch.datapath_id for switch in self._connected()}
        for gone in (self._progress.keys() | self._retries.keys()) - present:
            self._progress.pop(gone, None)
            self._retries.pop(gone, None)
        self._fabric.quarantine.release(self._fabric.switches)

    def _connected(self) -> list[Switch]:
        return [s for s in self._fabric.switches.values() if s.datapath]

    def _look_after(self, switch: Switch, *, is_read: bool) -> None:
        if self._is_retry_due(switch):
            switch.session.retry()
        switch.session.audit(is_full=is_read)
        switch.talk()
        if switch.is_unshown or switch.is_other_trouble():
            self._fabric.display.show_switch(switch)
        switch.note_audit(self._clock.seconds())
        self._watch(switch)

    def _chosen(self, connected: Sequence[Switch]) -> set[Switch]:
        """Choose whose flows are read: who comes next, if the budget allows it yet."""
        chosen: set[Switch] = set()
        self._budget += FLOW_BUDGET
        for _ in connected:
            switch = connected[self._turn % len(connected)]
            cost = switch.session.flow_count + READ_COST
            if cost > self._budget:
                return chosen
            self._budget -= cost
            self._turn += 1
            chosen.add(switch)
        self._budget = 0  # what is left when all were read is not saved up
        return chosen

    def _is_retry_due(self, switch: Switch) -> bool:
        """Say whether to try again now what the switch refused."""
        if not switch.session.is_refused:
            self._retries.pop(switch.datapath_id, None)
            return False
        first = (self._number + RETRY_ROUNDS - 1, RETRY_ROUNDS)
        due, wait = self._retries.setdefault(switch.datapath_id, first)
        if self._number < due:
            return False
        wait = min(2 * wait, MOST_RETRY_ROUNDS)
        self._retries[switch.datapath_id] = (self._number + wait, wait)
        return True

    def _watch(self, switch: Switch) -> None:
        """Drop a switch that echoes but does not answer what it was asked."""
        session, now = switch.session, self._clock.seconds()
        is_waiting = session.is_owed or session.phase is Phase.CHANGING
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
