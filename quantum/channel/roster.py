# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
Who may call itself what: at any time one connection per datapath id.

The first keeps the id for as long as it answers; otherwise anybody who can reach
the listener could take a switch's place.
"""

from collections.abc import Iterator, Mapping
from typing import Protocol

from attrs import define, field

from quantum.channel.datapath import TwistedDatapath


class Member(Protocol):
    """What the roster needs of a connection."""

    datapath: TwistedDatapath
    is_open: bool

    async def is_alive(self) -> bool:
        """Whether the switch answers an echo soon."""

    def drop(self, reason: str) -> None:
        """Close now, and log why."""


@define(eq=False)
class Roster(Mapping[int, TwistedDatapath]):
    """The connected switches by datapath id."""

    _members: dict[int, Member] = field(factory=dict)
    _contested: set[int] = field(factory=set)

    def enter(self, datapath_id: int, member: Member) -> bool:
        """Give an id that is free, or this member's own, to a member."""
        return self._members.setdefault(datapath_id, member) is member

    async def contest(self, datapath_id: int, member: Member) -> bool:
        """Give an id to a member unless who holds it shows that it lives."""
        if datapath_id in self._contested:
            return False
        self._contested.add(datapath_id)
        try:
            holder = self._members.get(datapath_id)
            if holder is not None and await holder.is_alive():
                return False
            if holder is not None and holder.is_open:
                holder.drop("it did not answer when another came with its id")
            return member.is_open and self.enter(datapath_id, member)
        finally:
            self._contested.discard(datapath_id)

    def leave(self, datapath_id: int, member: Member) -> None:
        """Free a member's id."""
        if self._members.get(datapath_id) is member:
            del self._members[datapath_id]

    def __getitem__(self, datapath_id: int) -> TwistedDatapath:
        return self._members[datapath_id].datapath

    def __iter__(self) -> Iterator[int]:
        return iter(self._members)

    def __len__(self) -> int:
        return len(self._members)
