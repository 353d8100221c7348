# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
What a switch should carry, and how much of that it has been told.

Changes that wait take the room of the ports they are about, however many there
were: a slow switch costs memory for its ports, not for its history.
"""

from collections import deque
from collections.abc import Iterable
from itertools import islice
from typing import Final

from attrs import define, field

from quantum.openflow.layout import Difference, Layout, LocalPort

Group = dict[int, LocalPort | None]
"""Ports that change together; None for a port that carries nothing any more."""

GROUP: Final = 200
"""Ports changed by one bundle at most: about 2 ms of compiling."""


@define
class Backlog:
    """
    A layout as the switch was told it, and the changes it was not told yet.

    One group of changes is on its way at a time: `depart` compiles it, then
    either `arrived` or `bounced` is called.
    """

    layout: Layout = field(factory=Layout)
    refused: dict[int, tuple[LocalPort, str]] = field(factory=dict)
    """Ports that the switch would not have, and why."""
    _wanted: Group = field(factory=dict)
    _groups: deque[Group] = field(factory=deque)
    _flying: Group = field(factory=dict)
    _before: Group = field(factory=dict)

    def __bool__(self) -> bool:
        return bool(self._wanted or self._groups)

    @property
    def flying(self) -> frozenset[int]:
        """The ports of the group that is on its way."""
        return frozenset(self._flying)

    def want(self, ofport: int, port: LocalPort | None) -> bool:
        """Let a port carry something else; False if it does already."""
        if port == self.target(ofport):
            return False
        self.refused.pop(ofport, None)
        self._wanted[ofport] = port
        return True

    def target(self, ofport: int) -> LocalPort | None:
        """Say what a port should carry, as last wanted."""
        for group in (self._wanted, *reversed(self._groups)):
            if ofport in group:
                return group[ofport]
        if ofport in self.refused:
            return self.refused[ofport][0]
        return self.layout.ports.get(ofport)

    def is_told(self, ofport: int) -> bool:
        """Say whether the switch has been told what a port should carry."""
        return (
            ofport in self.layout.ports
            and ofport not in self._flying
            and not self._waits(ofport)
        )

    def retry_refused(self) -> None:
        """Want again what was refused."""
        for ofport, (port, _) in self.refused.items():
            self._wanted.setdefault(ofport, port)
        self.refused.clear()

    def absorb(self) -> None:
        """Take every change into the layout: the switch will be compared with it."""
        for group in (*self._groups, self._wanted):
            for ofport, port in group.items():
                self.layout.put(ofport, port)
        for ofport, (port, _) in self.refused.items():
            self.layout.put(ofport, port)
        self._flying, self._before = {}, {}
        for waiting in (self._groups, self._wanted, self.refused):
            waiting.clear()

    def postpone(self, ofports: Iterable[int]) -> None:
        """Take ports out of the layout, to be added as changes."""
        for ofport in ofports:
            port = self.layout.ports.get(ofport)
            if port is not None:
                self.layout.put(ofport, None)
                self._wanted.setdefault(ofport, port)

    def depart(self) -> Difference:
        """Compile the next group; the layout is then as if it had arrived."""
        if not self._groups:
            waiting = iter(self._wanted.items())
            while some := dict(islice(waiting, GROUP)):
                self._groups.append(some)
            self._wanted.clear()
        self._flying = self._groups.popleft()
        self._before = {o: self.layout.ports.get(o) for o in self._flying}
        return self.layout.change(self._flying)

    def arrived(self) -> None:
        """Take note that the switch has taken the group."""
        self._flying, self._before = {}, {}

    def bounced(self, reason: str) -> bool:
        """
        Take the group back: cut it in halves, or leave a port out.

        :return: False if it was a removal, which must not be left out.
        """
        group, self._flying = self._flying, {}
        before, self._before = self._before, {}
        for ofport, port in before.items():
            self.layout.put(ofport, port)
        if len(group) > 1:
            items = list(group.items())
            half = len(items) // 2
            self._groups.extendleft((dict(items[half:]), dict(items[:half])))
            return True
        ((ofport, wanted),) = group.items()
        if wanted is None:
            self._groups.appendleft(group)
            return False
        if ofport in self.layout.ports:
            # What the port carried until now is not wanted any more: it goes first.
            self._groups.extendleft(({ofport: wanted}, {ofport: None}))
        elif not self._waits(ofport):  # else something newer is wanted already
            self.refused[ofport] = (wanted, reason)
        return True

    def _waits(self, ofport: int) -> bool:
        """Say whether there is a change of a port that was not sent yet."""
        groups = (self._wanted, *self._groups)
        return any(ofport in group for group in groups)
