# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""What could be wrong at each flow, and whether it is."""

from collections import Counter
from collections.abc import Generator, Iterable, Iterator, Mapping
from typing import Final, TypeVar

from attrs import define, field

from quantum.openflow.verify.evidence import Evidence
from quantum.openflow.verify.gate import Gate, Gates, ofport_of
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
    Transit,
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
    _gates: Gates
    findings: list[Finding] = field(factory=list)
    is_cut_short: bool = False
    _counts: Counter[type[Finding]] = field(factory=Counter)
    _known: set[tuple[object, ...]] = field(factory=set)
    _homes: dict[Place, dict[int | None, list[Gate]]] = field(factory=dict)
    _suspects: dict[Place, set[Gate]] = field(factory=dict)
    _spoofers: set[Gate] = field(factory=set)
    _disputed: set[Rule] = field(factory=set)
    _repeating: list[Passage] = field(factory=list)
    _futures: dict[Place, set[Gate]] = field(factory=dict)

    def note(self, finding: Finding, *what: object) -> None:
        """Keep a finding; one of a kind about the same flow, at other places, too."""
        self.findings.append(finding)
        self._counts[type(finding)] += 1
        if what:
            self._known.add((type(finding), *what))

    def is_open(self, kind: type[Finding]) -> bool:
        """Say whether more findings of a kind are wanted."""
        is_open = self._counts[kind] < LIMIT
        self.is_cut_short = self.is_cut_short or not is_open
        return is_open

    def is_wanted(self, kind: type[Finding], *what: object) -> bool:
        """Say whether something is not known yet, and more of its kind are wanted."""
        return (kind, *what) not in self._known and self.is_open(kind)

    def give_up(self, rule: Rule) -> None:
        """Keep in mind that it was too much work to find out about a rule."""
        if self.is_open(Doubt):
            self.note(Doubt(None, rule.flow, "it would take too long to find out"))

    def visit(self, passages: Iterable[Passage]) -> Pauses:
        """Look at every flow that frames may meet at one place."""
        priorities: Priorities = {}
        for number, passage in enumerate(passages):
            rule = passage.rule
            trouble = rule.doubt or rule.trouble(passage.visit.place)
            if trouble:
                yield from self._doubts(passage, trouble)
            elif rule.is_loop:
                yield from self._loops(passage)
            if passage.exits and not trouble:
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
            place = self._tables.onward(passage.rule, passage.visit.place)
            if place is None:
                continue
            later = self._future(visits, place)
            for output in set(passage.exits) & later:
                yield from self._repeats(passage, output)

    def _doubts(self, passage: Passage, trouble: str) -> Pauses:
        rule, evidence = passage.rule, self._evidence
        if not self.is_wanted(Doubt, rule, trouble):
            return
        search = evidence.claimed if rule.doubt else evidence.matched
        frame = yield from self._tried(rule, search(passage, passage.gates))
        if frame is not None:
            self.note(Doubt(frame, rule.flow, trouble), rule, trouble)

    def _loops(self, passage: Passage) -> Pauses:
        rule = passage.rule
        if self.is_wanted(Loop, rule):
            search = self._evidence.matched(passage, passage.gates)
            frame = yield from self._tried(rule, search)
            if frame is not None:
                self.note(Loop(frame, rule.flow), rule)

    def _outputs(self, passage: Passage) -> Pauses:
        exits = passage.exits
        homes = dict(zip(exits, map(self._gates.network, exits), strict=True))
        for network, gates in self._sources(passage):
            wrong = [gate for gate, home in homes.items() if home != network]
            if wrong:
                yield from self._leaks(passage, network, gates, wrong)
        if len(homes) != len(exits):
            for output, times in Counter(exits).items():
                if times > 1:
                    yield from self._doubles(passage, output)
        for output in homes:
            if not isinstance(output, int):
                yield from self._transits(passage, output)
        if passage.rule.onward(passage.visit.place) is not None:
            self._repeating.append(passage)
        if passage.strangers:
            yield from self._spoofs(passage)

    def _sources(self, passage: Passage) -> Iterable[tuple[int | None, Iterable[Gate]]]:
        """List the networks whose frames may come, and their gates."""
        visit, network = passage.visit, self._gates.network
        if passage.gates is not visit.gates:
            return [(network(gate), (gate,)) for gate in passage.gates]
        homes = self._homes.get(visit.place)
        if homes is None:
            homes = self._homes[visit.place] = {}
            for gate in visit.gates:
                homes.setdefault(network(gate), []).append(gate)
        return homes.items()

    def _leaks(
        self,
        passage: Passage,
        network: int | None,
        gates: Iterable[Gate],
        wrong: Iterable[Gate],
    ) -> Pauses:
        """Look for frames that come out; none does where it came in."""
        rule = passage.rule
        fresh = [g for g in wrong if self.is_wanted(Leak, rule, network, g)]
        ports: list[Gate] = [gate for gate in fresh if isinstance(gate, int)]
        shared: list[Gate] = [gate for gate in fresh if not isinstance(gate, int)]
        for group in ([ports] if ports else []) + [[gate] for gate in shared]:
            others = gates if group is ports else _elsewhere(gates, group[0])
            search = self._evidence.matched(passage, others)
            frame = yield from self._tried(rule, search)
            if frame is not None:
                for gate in group:
                    leak = Leak(
                        frame, network, gate, self._gates.network(gate), rule.flow
                    )
                    self.note(leak, rule, network, gate)

    def _transits(self, passage: Passage, output: Gate) -> Pauses:
        outside = [gate for gate in passage.gates if not isinstance(gate, int)]
        others = _elsewhere(outside, output)
        rule = passage.rule
        if others and self.is_wanted(Transit, rule, output):
            search = self._evidence.matched(passage, others)
            frame = yield from self._tried(rule, search)
            if frame is not None:
                self.note(Transit(frame, output, rule.flow), rule, output)

    def _doubles(self, passage: Passage, output: Gate) -> Pauses:
        rule = passage.rule
        if not self.is_wanted(Duplicate, rule, output):
            return
        others = _elsewhere(passage.gates, output)
        search = self._evidence.matched(passage, others)
        frame = yield from self._tried(rule, search)
        if frame is not None:
            self.note(Duplicate(frame, output, (rule.flow,)), rule, output)

    def _repeats(self, passage: Passage, output: Gate) -> Pauses:
        rule = passage.rule
        if not self.is_wanted(Duplicate, rule, output):
            return
        search = self._evidence.repeated(passage, output)
        found = yield from self._tried(rule, search)
        if found is not None:
            frame, later = found
            flows = rule.flow, later.flow
            self.note(Duplicate(frame, output, flows), rule, output)

    def _spoofs(self, passage: Passage) -> Pauses:
        suspects = passage.strangers
        if suspects is passage.visit.strangers.gates:
            place = passage.visit.place
            if place not in self._suspects:
                self._suspects[place] = set(suspects)
            suspects = self._suspects[place]
        for gate in list(suspects):
            others = _elsewhere(passage.exits, gate)
            if gate in self._spoofers or not self.is_open(Spoof):
                suspects.discard(gate)
            elif others:
                search = self._evidence.spoofed(passage, gate)
                frame = yield from self._tried(passage.rule, search)
                if frame is not None:
                    self._spoofers.add(gate)
                    suspects.discard(gate)
                    address = self._evidence.addresses[ofport_of(gate)]
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
        gates = min(passage.gates, other.gates, key=len)
        search = self._evidence.disputed(passage, two, gates)
        frame = yield from self._tried(one, search)
        if frame is not None:
            self._disputed |= {one, two}
            self.note(Ambiguity(frame, (one.flow, two.flow)))

    def _future(self, visits: Mapping[Place, Visit], place: Place) -> set[Gate]:
        """Collect where frames may go out at a place or later."""
        future = self._futures.get(place)
        if future is None:
            future = self._futures[place] = set()
            visit = visits[place]
            for rule in self._tables.meeting_any(place, visit.gates):
                future.update(self._gates.exits(place, rule.effect.outputs))
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


def _elsewhere(gates: Iterable[Gate], output: Gate) -> list[Gate]:
    """Leave out the gates of one OpenFlow port."""
    port = ofport_of(output)
    return [gate for gate in gates if ofport_of(gate) != port]
