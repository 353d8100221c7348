# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""What could be wrong at each flow, and whether it is."""

from collections import Counter
from collections.abc import Generator, Iterable, Iterator, Mapping
from typing import Final, TypeVar

from attrs import define, field

from quantum.openflow.verify.evidence import Evidence
from quantum.openflow.verify.header import TooIntricateError
from quantum.openflow.verify.rule import Place, Rule
from quantum.openflow.verify.survey import Passage, Visit
from quantum.openflow.verify.tables import Tables
from quantum.openflow.verify.verdict import (
    Ambiguity,
    Doubt,
    Duplicate,
    Finding,
    Leak,
    Loop,
    Spoof,
)

LIMIT: Final = 1000
"""Findings of one kind, after which the rest is not looked for."""

Pauses = Iterator[None]
Found = TypeVar("Found")
Priorities = dict[int, dict[int, dict[int, Passage]]]
"""Passages by priority, mask and value."""


@define
class Inquiry:
    """The findings about flows, as they are come upon."""

    _tables: Tables
    _evidence: Evidence
    _networks: Mapping[int, int]
    findings: list[Finding] = field(factory=list)
    is_cut_short: bool = False
    _counts: Counter[type[Finding]] = field(factory=Counter)
    _homes: dict[Place, dict[int | None, list[int]]] = field(factory=dict)
    _suspects: dict[Place, set[int]] = field(factory=dict)
    _spoofers: set[int] = field(factory=set)
    _disputed: set[Rule] = field(factory=set)
    _repeating: list[Passage] = field(factory=list)
    _futures: dict[Place, set[int]] = field(factory=dict)

    def note(self, finding: Finding) -> None:
        """Keep a finding."""
        self.findings.append(finding)
        self._counts[type(finding)] += 1

    def is_open(self, kind: type[Finding]) -> bool:
        """Say whether more findings of a kind are wanted."""
        is_open = self._counts[kind] < LIMIT
        self.is_cut_short = self.is_cut_short or not is_open
        return is_open

    def give_up(self, rule: Rule) -> None:
        """Keep in mind that it was too much work to find out about a rule."""
        if self.is_open(Doubt):
            self.note(Doubt(None, rule.flow, "it would take too long to find out"))

    def visit(self, passages: Iterable[Passage]) -> Pauses:
        """Look at every flow that frames may meet at one place."""
        priorities: Priorities = {}
        for number, passage in enumerate(passages):
            rule, effect = passage.rule, passage.rule.effect
            if rule.doubt or effect.doubt or rule.is_loop:
                yield from self._troubles(passage)
            if effect.outputs and not (rule.doubt or effect.doubt):
                yield from self._outputs(passage)
            masks = priorities.setdefault(rule.priority, {})
            twin = masks.setdefault(rule.mask, {}).setdefault(rule.value, passage)
            if twin is not passage:
                yield from self._dispute(twin, passage)
            if not number % 50:
                yield
        for masks in priorities.values():
            if len(masks) > 1:
                yield from self._disputes(masks)

    def conclude(self, visits: Mapping[Place, Visit]) -> Pauses:
        """Look at what can only be seen when every place was visited."""
        for passage in self._repeating:
            yield
            place = passage.rule.onward(passage.visit.place)
            if place is None:
                continue
            later = self._future(visits, place)
            for output in set(passage.rule.effect.outputs) & later:
                yield from self._repeats(passage, output)

    def _troubles(self, passage: Passage) -> Pauses:
        rule, effect = passage.rule, passage.rule.effect
        if rule.doubt or effect.doubt:
            search = self._evidence.claimed if rule.doubt else self._evidence.matched
            frame = yield from self._tried(rule, search(passage, passage.ports))
            if frame is not None and self.is_open(Doubt):
                self.note(Doubt(frame, rule.flow, rule.doubt or effect.doubt))
        elif self.is_open(Loop):
            search = self._evidence.matched
            frame = yield from self._tried(rule, search(passage, passage.ports))
            if frame is not None:
                self.note(Loop(frame, rule.flow))

    def _outputs(self, passage: Passage) -> Pauses:
        outputs = passage.rule.effect.outputs
        networks = self._networks
        for network, ports in self._sources(passage):
            wrong = [port for port in outputs if networks.get(port) != network]
            if wrong:
                yield from self._leaks(passage, network, ports, wrong)
        if len(outputs) > 1 and len(set(outputs)) != len(outputs):
            for output, times in Counter(outputs).items():
                if times > 1:
                    yield from self._doubles(passage, output)
        if passage.rule.onward(passage.visit.place) is not None:
            self._repeating.append(passage)
        if passage.strangers:
            yield from self._spoofs(passage)

    def _sources(self, passage: Passage) -> Iterable[tuple[int | None, Iterable[int]]]:
        """List the networks whose frames may come, and their ports."""
        visit = passage.visit
        if passage.ports is not visit.ports:
            return [(self._networks.get(port), (port,)) for port in passage.ports]
        homes = self._homes.get(visit.place)
        if homes is None:
            homes = self._homes[visit.place] = {}
            for port in visit.ports:
                homes.setdefault(self._networks.get(port), []).append(port)
        return homes.items()

    def _leaks(
        self,
        passage: Passage,
        network: int | None,
        ports: Iterable[int],
        wrong: Iterable[int],
    ) -> Pauses:
        if not self.is_open(Leak):
            return
        rule = passage.rule
        frame = yield from self._tried(rule, self._evidence.matched(passage, ports))
        if frame is None:
            return
        for port in dict.fromkeys(wrong):
            home = self._networks.get(port)
            self.note(Leak(frame, network, port, home, rule.flow))

    def _doubles(self, passage: Passage, output: int) -> Pauses:
        if not self.is_open(Duplicate):
            return
        others = (port for port in passage.ports if port != output)
        search = self._evidence.matched(passage, others)
        frame = yield from self._tried(passage.rule, search)
        if frame is not None:
            self.note(Duplicate(frame, output, (passage.rule.flow,)))

    def _repeats(self, passage: Passage, output: int) -> Pauses:
        if not self.is_open(Duplicate):
            return
        search = self._evidence.repeated(passage, output)
        found = yield from self._tried(passage.rule, search)
        if found is not None:
            frame, later = found
            self.note(Duplicate(frame, output, (passage.rule.flow, later.flow)))

    def _spoofs(self, passage: Passage) -> Pauses:
        suspects = passage.strangers
        if suspects is passage.visit.strangers.ports:
            place = passage.visit.place
            if place not in self._suspects:
                self._suspects[place] = set(suspects)
            suspects = self._suspects[place]
        for port in list(suspects):
            others = [o for o in passage.rule.effect.outputs if o != port]
            if port in self._spoofers or not self.is_open(Spoof):
                suspects.discard(port)
            elif others:
                search = self._evidence.spoofed(passage, port)
                frame = yield from self._tried(passage.rule, search)
                if frame is not None:
                    self._spoofers.add(port)
                    suspects.discard(port)
                    address = self._evidence.addresses[port]
                    flow = passage.rule.flow
                    self.note(Spoof(frame, address, others[0], flow))

    def _disputes(self, masks: dict[int, dict[int, Passage]]) -> Pauses:
        """Pair the flows of one priority that look at different bits."""
        groups = sorted(masks.items(), key=lambda pair: len(pair[1]))
        for number, (mask, group) in enumerate(groups):
            for other_mask, others in groups[number + 1 :]:
                shared = mask & other_mask
                index: dict[int, list[Passage]] = {}
                for value, passage in group.items():
                    index.setdefault(value & shared, []).append(passage)
                for value, other in others.items():
                    for passage in index.get(value & shared, ()):
                        yield from self._dispute(passage, other)

    def _dispute(self, passage: Passage, other: Passage) -> Pauses:
        one, two = passage.rule, other.rule
        is_known = one in self._disputed or two in self._disputed
        is_doubt = one.doubt or two.doubt
        if one.effect == two.effect or is_known or is_doubt:
            return
        if not self.is_open(Ambiguity):
            return
        ports = min(passage.ports, other.ports, key=len)
        search = self._evidence.disputed(passage, two, ports)
        frame = yield from self._tried(one, search)
        if frame is not None:
            self._disputed |= {one, two}
            self.note(Ambiguity(frame, (one.flow, two.flow)))

    def _future(self, visits: Mapping[Place, Visit], place: Place) -> set[int]:
        """Collect where frames may go out at a place or later."""
        future = self._futures.get(place)
        if future is None:
            future = self._futures[place] = set()
            visit = visits[place]
            for rule in self._tables.meeting_any(place, visit.ports):
                future.update(rule.effect.outputs)
            for after in visit.nexts:
                future |= self._future(visits, after)
        return future

    def _tried(
        self, rule: Rule, search: Generator[None, None, Found | None]
    ) -> Generator[None, None, Found | None]:
        """Search; if that is too intricate, it is in doubt whether there is a frame."""
        try:
            return (yield from search)
        except TooIntricateError:
            self.give_up(rule)
            return None
