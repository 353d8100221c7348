# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
What hypervisors tell of switches that are others'.

A hypervisor tells everything once, and then what becomes different.  Were it not
kept meanwhile, a switch that becomes its own would be known when its connection
begins anew, and not before.  Whose a switch is, is not decided here.
"""

from collections.abc import Iterable

from attrs import define, field

from quantum.openflow.facts import SeenInterface, Underlay


@define
class Rival:
    """What a hypervisor has told of a switch; None where it has told nothing yet."""

    datapath_id: int
    underlay: Underlay | None = None
    seen: dict[str, SeenInterface] | None = None


@define
class Rivals:
    """
    Who waits for a switch, in the order in which they came.

    A hypervisor has one managed bridge, and so waits for one switch at most.
    """

    _waiting: dict[str, Rival] = field(factory=dict)

    def take_underlay(
        self, hypervisor: str, datapath_id: int, underlay: Underlay
    ) -> None:
        """Keep what a rival's bridge is reached by."""
        self._rival(hypervisor, datapath_id).underlay = underlay

    def take_all(
        self, hypervisor: str, datapath_id: int, present: Iterable[SeenInterface]
    ) -> bool:
        """
        Keep a whole picture, in place of any earlier one.

        :return: Whether it is the first one.
        """
        rival = self._rival(hypervisor, datapath_id)
        is_first = rival.seen is None
        rival.seen = {interface.name: interface for interface in present}
        return is_first

    def take_some(
        self,
        hypervisor: str,
        datapath_id: int,
        gone: Iterable[str],
        fresh: Iterable[SeenInterface],
    ) -> None:
        """Keep what is different, if the whole picture is known."""
        rival = self._waiting.get(hypervisor)
        if rival is None or rival.datapath_id != datapath_id or rival.seen is None:
            return
        for name in gone:
            rival.seen.pop(name, None)
        for interface in fresh:
            rival.seen.pop(interface.name, None)  # who is told last is last
            rival.seen[interface.name] = interface

    def rename(self, before: str, now: str) -> None:
        """Take note that a hypervisor has another name."""
        self._waiting = {
            now if name == before else name: rival
            for name, rival in self._waiting.items()
        }

    def forget(self, hypervisor: str, datapath_id: int | None = None) -> None:
        """Let a hypervisor wait no longer, for one switch or (None) for any."""
        rival = self._waiting.get(hypervisor)
        if rival is not None and datapath_id in {None, rival.datapath_id}:
            del self._waiting[hypervisor]

    def wanted(self) -> set[int]:
        """List the switches that somebody waits for."""
        return {rival.datapath_id for rival in self._waiting.values()}

    def want(self, datapath_id: int) -> bool:
        """Say whether somebody waits for a switch."""
        return any(r.datapath_id == datapath_id for r in self._waiting.values())

    def next(self, datapath_id: int) -> tuple[str, Rival] | None:
        """Say who has waited longest for a switch, and let that wait no longer."""
        for hypervisor, rival in self._waiting.items():
            if rival.datapath_id == datapath_id:
                del self._waiting[hypervisor]
                return hypervisor, rival
        return None

    def _rival(self, hypervisor: str, datapath_id: int) -> Rival:
        """Find what is kept of a hypervisor, or begin."""
        rival = self._waiting.get(hypervisor)
        if rival is None or rival.datapath_id != datapath_id:
            self._waiting.pop(hypervisor, None)
            rival = self._waiting[hypervisor] = Rival(datapath_id)
        return rival
