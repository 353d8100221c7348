# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
Who may come where: an overview that leaves headers aside.

It takes work in proportion to the flows, and says too much, never too little:
where no gate's frames may come, none can.  What looks wrong in it is looked at exactly.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from attrs import define, field

from quantum.openflow.verify.fields import ETH_SRC, IN_PORT
from quantum.openflow.verify.gate import Gate, Gates
from quantum.openflow.verify.header import Frame
from quantum.openflow.verify.rule import START, Place, Rule
from quantum.openflow.verify.tables import Tables

PLACES: Final = 1000
"""Places looked at, besides twenty for each flow."""


@define
class Crowd:
    """A set of gates that grows; it shares the first one it is given."""

    gates: set[Gate] = field(factory=set)
    _is_own: bool = False

    def take(self, gates: set[Gate]) -> None:
        """Let gates in."""
        if not self.gates and len(gates) > 1:
            self.gates, self._is_own = gates, False
        elif gates is not self.gates and gates:
            if not self._is_own:
                self.gates, self._is_own = set(self.gates), True
            self.gates |= gates


@define(eq=False)
class Visit:
    """A place where some frames may come."""

    place: Place
    anybody: Crowd = field(factory=Crowd)
    """The gates whose frames may come here."""
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
    def gates(self) -> set[Gate]:
        """The gates whose frames may come here."""
        return self.anybody.gates


class Passage(NamedTuple):
    """A rule at a place, and the gates whose frames may match it there."""

    visit: Visit
    rule: Rule
    gates: set[Gate]
    strangers: set[Gate]
    exits: tuple[Gate, ...]
    """Where the rule lets them out."""


@define
class Survey:
    """All visits, by place."""

    _tables: Tables
    _gates: Gates
    _addresses: Mapping[int, bytes]
    visits: dict[Place, Visit] = field(factory=dict)
    overflow: Rule | None = None
    """A rule that leads to one place more than are looked at."""
    _owners: dict[bytes, set[Gate]] = field(factory=dict)
    _levels: dict[int, list[Visit]] = field(factory=dict)

    def enter(self, gates: Iterable[Gate]) -> None:
        """Let frames come in."""
        everybody = set(gates)
        known = {gate for gate in everybody if gate in self._addresses}
        for port, address in self._addresses.items():
            self._owners.setdefault(address, set()).add(port)
        self._come(START, everybody, known)

    def places(self) -> Iterator[Visit]:
        """Go through the places, every one after all from which it is reached."""
        for table in range(256):
            yield from self._levels.get(table, ())

    def passages(self, visit: Visit) -> Iterator[Passage]:
        """Go through the rules at a place, and on from there."""
        place = visit.place
        for rule in self._possible(visit):
            look = rule.mask & ~place.mask
            visit.note(rule, look)
            gates, strangers = visit.gates, visit.strangers.gates
            if look & IN_PORT.bits:
                gates = self._gates.asked(rule.own(place), gates)
                strangers = gates & strangers
            if strangers and look & ETH_SRC.bits == ETH_SRC.bits:
                strangers = self._spoofing(rule, strangers)
            onward = self._tables.onward(rule, place)
            if onward is not None and self._has_room(onward, rule):
                visit.nexts.add(onward)
                self._come(onward, gates, strangers)
                self.visits[onward].befores.add(place)
            exits = self._gates.exits(place, rule.effect.outputs)
            yield Passage(visit, rule, gates, strangers, exits)

    def _possible(self, visit: Visit) -> list[Rule]:
        """List the rules that are not below one that takes every frame at the place."""
        place = visit.place
        found = list(self._tables.meeting_any(place, visit.gates))
        floor = max(
            (r.priority for r in found if not (r.mask & ~place.mask or r.doubt)),
            default=0,
        )
        return [rule for rule in found if rule.priority >= floor] if floor else found

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

    def _spoofing(self, rule: Rule, gates: set[Gate]) -> set[Gate]:
        """Leave out the gates for whom the source that a rule asks for is theirs."""
        source = ETH_SRC.of(rule.value).to_bytes(ETH_SRC.size, "big")
        honest = self._owners.get(source, set())
        return gates if honest.isdisjoint(gates) else gates - honest

    def _has_room(self, place: Place, rule: Rule) -> bool:
        """Give up where writing metadata multiplies the places without end."""
        limit = PLACES + 20 * self._tables.count
        if place in self.visits or len(self.visits) < limit:
            return True
        self.overflow = rule
        return False

    def _come(self, place: Place, gates: set[Gate], strangers: set[Gate]) -> None:
        visit = self.visits.get(place)
        if visit is None:
            visit = self.visits[place] = Visit(place)
            self._levels.setdefault(place.table, []).append(visit)
        visit.anybody.take(gates)
        visit.strangers.take(strangers)
