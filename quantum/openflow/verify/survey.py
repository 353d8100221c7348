# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
Who may come where: an overview that leaves headers aside.

It takes work in proportion to the flows, and says too much, never too little:
where no port may come, none can.  What looks wrong in it is looked at exactly.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from attrs import define, field

from quantum.openflow.verify.header import ETH_SRC, IN_PORT, Frame
from quantum.openflow.verify.rule import START, Place, Rule
from quantum.openflow.verify.tables import Tables

PLACES: Final = 1000
"""Places looked at, besides twenty for each flow."""


@define
class Crowd:
    """A set of ports that grows; it shares the first one it is given."""

    ports: set[int] = field(factory=set)
    _is_own: bool = False

    def take(self, ports: set[int]) -> None:
        """Let ports in."""
        if not self.ports and len(ports) > 1:
            self.ports, self._is_own = ports, False
        elif ports is not self.ports and ports:
            if not self._is_own:
                self.ports, self._is_own = set(self.ports), True
            self.ports |= ports


@define(eq=False)
class Visit:
    """A place where some frames may come."""

    place: Place
    anybody: Crowd = field(factory=Crowd)
    """The ports whose frames may come here."""
    strangers: Crowd = field(factory=Crowd)
    """Those of them that may come with another address than the known one."""
    befores: set[Place] = field(factory=set)
    nexts: set[Place] = field(factory=set)
    own_looks: int = 0
    """The bits of a frame that the rules here look at."""
    looks: int = 0
    """The same here and everywhere after, but for the rules about named senders."""
    named: set[int] = field(factory=set)
    """Ports and sources that rules here or after ask for, as headers."""

    def concerns(self, frame: Frame) -> bool:
        """Say whether it may matter from now on who sent the frame."""
        sender = frame.header & IN_PORT.bits, frame.header & ETH_SRC.bits
        is_named = not self.named.isdisjoint(sender)
        return is_named or bool(self.looks & (IN_PORT.bits | ETH_SRC.bits))

    def note(self, rule: Rule, look: int) -> None:
        """Take note of what a rule looks at."""
        self.own_looks |= look
        for sender in (IN_PORT.bits, ETH_SRC.bits):
            if look & sender == sender:
                self.named.add(rule.value & sender)
                return
        self.looks |= look

    @property
    def ports(self) -> set[int]:
        """The ports whose frames may come here."""
        return self.anybody.ports


class Passage(NamedTuple):
    """A rule at a place, and the ports whose frames may match it there."""

    visit: Visit
    rule: Rule
    ports: set[int]
    strangers: set[int]


@define
class Survey:
    """All visits, by place."""

    _tables: Tables
    _addresses: Mapping[int, bytes]
    visits: dict[Place, Visit] = field(factory=dict)
    overflow: Rule | None = None
    """A rule that leads to one place more than are looked at."""
    _owners: dict[bytes, set[int]] = field(factory=dict)
    _levels: dict[int, list[Visit]] = field(factory=dict)

    def enter(self, ports: Iterable[int]) -> None:
        """Let frames of some ports come in."""
        everybody = set(ports)
        known = {port for port in everybody if port in self._addresses}
        for port in known:
            self._owners.setdefault(self._addresses[port], set()).add(port)
        self._come(START, everybody, known)

    def places(self) -> Iterator[Visit]:
        """Go through the places, every one after all from which it is reached."""
        for table in range(256):
            yield from self._levels.get(table, ())

    def passages(self, visit: Visit) -> Iterator[Passage]:
        """Go through the rules at a place, and on from there."""
        place = visit.place
        for rule in self._tables.meeting_any(place, visit.ports):
            look = rule.mask & ~place.mask
            visit.note(rule, look)
            ports, strangers = visit.ports, visit.strangers.ports
            if look & IN_PORT.bits:
                ports = {IN_PORT.of(rule.value)}
                strangers = ports & strangers
            if strangers and look & ETH_SRC.bits == ETH_SRC.bits:
                strangers = self._spoofing(rule, strangers)
            onward = rule.onward(place)
            if onward is not None and self._has_room(onward, rule):
                visit.nexts.add(onward)
                self._come(onward, ports, strangers)
                self.visits[onward].befores.add(place)
            yield Passage(visit, rule, ports, strangers)

    def look_back(self) -> None:
        """When all is surveyed: note what the rules after each place look at."""
        for table in range(255, -1, -1):
            for visit in self._levels.get(table, ()):
                for place in visit.nexts:
                    visit.looks |= self.visits[place].looks
                    visit.named |= self.visits[place].named

    def leading_to(self, place: Place) -> set[Place]:
        """List every place on a way to this one, and itself."""
        found, waiting = {place}, [place]
        while waiting:
            fresh = self.visits[waiting.pop()].befores - found
            found |= fresh
            waiting += fresh
        return found

    def _spoofing(self, rule: Rule, ports: set[int]) -> set[int]:
        """Leave out the ports for whom the source that a rule asks for is theirs."""
        source = ETH_SRC.of(rule.value).to_bytes(ETH_SRC.size, "big")
        honest = self._owners.get(source, set())
        return ports if honest.isdisjoint(ports) else ports - honest

    def _has_room(self, place: Place, rule: Rule) -> bool:
        """Give up where writing metadata multiplies the places without end."""
        limit = PLACES + 20 * self._tables.count
        if place in self.visits or len(self.visits) < limit:
            return True
        self.overflow = rule
        return False

    def _come(self, place: Place, ports: set[int], strangers: set[int]) -> None:
        visit = self.visits.get(place)
        if visit is None:
            visit = self.visits[place] = Visit(place)
            self._levels.setdefault(place.table, []).append(visit)
        visit.anybody.take(ports)
        visit.strangers.take(strangers)
