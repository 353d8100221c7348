# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
What a switch should carry, and how much of that it has been told.

Changes that wait take the room of the members they are about, however many
there were: a slow switch costs memory for its members, not for its history.
"""

from collections import deque
from collections.abc import Iterable
from ipaddress import IPv4Address
from itertools import islice
from typing import Final

from attrs import define, field

from quantum.openflow.layout import Difference, Layout
from quantum.openflow.member import LocalPort, Member, RemotePort

Group = dict[int, Member | None]
"""Members that change together, by key; None for one that is gone."""

GROUP: Final = 60
"""Members changed by one bundle at most: less than 0.5 ms of compiling."""


@define
class Backlog:
    """
    A layout as the switch was told it, and the changes it was not told yet.

    One group of changes is on its way at a time: `depart` compiles it, then
    either `arrived` or `bounced` is called.
    """

    layout: Layout = field(factory=Layout)
    refused: dict[int, tuple[Member, str]] = field(factory=dict)
    """Members that the switch would not have, and why."""
    _wanted: Group = field(factory=dict)
    _halves: deque[Group] = field(factory=deque)
    """Parts of a group that was refused."""
    _flying: Group = field(factory=dict)
    _before: Group = field(factory=dict)

    def __bool__(self) -> bool:
        return bool(self._wanted or self._halves)

    @property
    def flying(self) -> frozenset[int]:
        """The members of the group that is on its way."""
        return frozenset(self._flying)

    @property
    def trouble(self) -> str:
        """Say what is refused, and why: of several the first one."""
        if not self.refused:
            return ""
        member, reason = next(iter(self.refused.values()))
        others = len(self.refused) - 1
        more = f", and {others} more refusals" if others else ""
        return f"{_words(member)}: {reason}{more}"

    def want(self, key: int, member: Member | None) -> bool:
        """Let a member be something else; False if it is already."""
        if member == self.target(key):
            return False
        self.refused.pop(key, None)
        self._wanted[key] = member
        return True

    def target(self, key: int) -> Member | None:
        """Say what a member should be, as last wanted."""
        if key in self._wanted:
            return self._wanted[key]
        for group in reversed(self._halves):
            if key in group:
                return group[key]
        if key in self.refused:
            return self.refused[key][0]
        return self.layout.members.get(key)

    def is_told(self, key: int) -> bool:
        """Say whether the switch has been told what a member should be."""
        return (
            key in self.layout.members
            and key not in self._flying
            and not self._waits(key)
        )

    def retry_refused(self) -> None:
        """Want again what was refused."""
        for key, (member, _) in self.refused.items():
            self._wanted.setdefault(key, member)
        self.refused.clear()

    def absorb(self) -> None:
        """Take every change into the layout: the switch will be compared with it."""
        for group in (*self._halves, self._wanted):
            for key, member in group.items():
                self.layout.put(key, member)
        for key, (member, _) in self.refused.items():
            self.layout.put(key, member)
        self._flying, self._before = {}, {}
        for waiting in (self._halves, self._wanted, self.refused):
            waiting.clear()

    def postpone(self, keys: Iterable[int]) -> None:
        """Take members out of the layout, to be added as changes."""
        for key in keys:
            member = self.layout.members.get(key)
            if member is not None:
                self.layout.put(key, None)
                self._wanted.setdefault(key, member)

    def depart(self) -> Difference:
        """Compile the next group; the layout is then as if it had arrived."""
        if self._halves:
            self._flying = self._halves.popleft()
        else:
            first = list(islice(self._wanted, GROUP))
            self._flying = {key: self._wanted.pop(key) for key in first}
        self._before = {key: self.layout.members.get(key) for key in self._flying}
        return self.layout.change(self._flying)

    def arrived(self) -> None:
        """Take note that the switch has taken the group."""
        self._flying, self._before = {}, {}

    def bounced(self, reason: str) -> bool:
        """
        Take the group back: cut it in halves, or leave a member out.

        :return: False if it was a removal, which must not be left out: it is in
            the layout now, with which the switch has to be compared.
        """
        group, self._flying = self._flying, {}
        before, self._before = self._before, {}
        for key, member in before.items():
            self.layout.put(key, member)
        if len(group) > 1:
            items = list(group.items())
            half = len(items) // 2
            self._halves.extendleft((dict(items[half:]), dict(items[:half])))
            return True
        ((key, wanted),) = group.items()
        if wanted is None:
            self.layout.put(key, None)
            return False
        if key in self.layout.members:
            # What it was until now is not wanted any more: that goes first.
            self._halves.extendleft(({key: wanted}, {key: None}))
        elif not self._waits(key):  # else something newer is wanted already
            self.refused[key] = (wanted, reason)
        return True

    def _waits(self, key: int) -> bool:
        """Say whether there is a change of a member that was not sent yet."""
        return key in self._wanted or any(key in group for group in self._halves)


def _words(member: Member) -> str:
    """Name a member for people."""
    where = f"in the network with segment {member.segment}"
    if isinstance(member, RemotePort):
        return f"hypervisor {IPv4Address(member.address)} {where}"
    kind = "port" if isinstance(member, LocalPort) else "uplink"
    return f"{kind} {member.ofport} {where}"
