# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""Frames that show whether something could really happen; pauses after each gate."""

from collections.abc import Generator, Iterable, Iterator, Mapping

from attrs import frozen

from quantum.openflow.verify.fields import ETH_SRC
from quantum.openflow.verify.gate import Gate, Gates, ofport_of
from quantum.openflow.verify.header import Frame, Headers, Pattern, wishes
from quantum.openflow.verify.rule import Rule
from quantum.openflow.verify.survey import Passage, Survey
from quantum.openflow.verify.tables import Tables
from quantum.openflow.verify.walk import Way, all_ways, entering, ways

Search = Generator[None, None, Frame | None]
"""Ends with a frame, or None if there is none."""


@frozen
class Evidence:
    """
    The exact look at single flows.

    Each search goes through the gates it is given until one has such a frame.

    Any search may raise `TooIntricateError`.
    """

    _tables: Tables
    _survey: Survey
    gates: Gates
    addresses: Mapping[int, bytes]

    def matched(self, passage: Passage, gates: Iterable[Gate]) -> Search:
        """Find a frame that is certain to be matched by the rule."""
        if not self._is_met(passage):
            return None
        for gate in gates:
            yield
            for part in self._parts(passage, self._entering(gate)):
                if (frame := self._example(gate, part)) is not None:
                    return frame
        return None

    def claimed(self, passage: Passage, gates: Iterable[Gate]) -> Search:
        """Find a frame that no rule of a higher priority matches."""
        place, rule = passage.visit.place, passage.rule
        for gate in gates:
            yield
            for way in self._ways(passage, self._entering(gate)):
                part = self._tables.claim(place, way.headers, rule)
                if part is not None and (frame := self._example(gate, part)):
                    return frame
        return None

    def disputed(self, passage: Passage, other: Rule, gates: Iterable[Gate]) -> Search:
        """Find a frame that two rules of one priority match, and none above them."""
        place = passage.visit.place
        own = other.own(place)
        for gate in gates:
            yield
            for way in self._ways(passage, self._entering(gate)):
                part = self._tables.claim(place, way.headers, passage.rule)
                if part is None or not own.meets(part.match):
                    continue
                both = Headers(part.match.narrowed(own), part.but)
                if (frame := self._example(gate, both)) is not None:
                    return frame
        return None

    def spoofed(self, passage: Passage, gate: Gate) -> Search:
        """Find a frame with another source than the port's address."""
        yield
        if not self._is_met(passage):
            return None
        known = self.addresses[ofport_of(gate)]
        address = int.from_bytes(known, "big") << ETH_SRC.shift
        start = self._entering(gate, Pattern(address, ETH_SRC.bits))
        for part in self._parts(passage, start):
            if (frame := self._example(gate, part)) is not None:
                return frame
        return None

    def repeated(
        self, passage: Passage, output: Gate
    ) -> Generator[None, None, tuple[Frame, Rule] | None]:
        """Find a frame that goes out there again by a later rule, and that rule."""
        place = self._tables.onward(passage.rule, passage.visit.place)
        for gate in passage.gates:
            yield
            if ofport_of(gate) == ofport_of(output) or place is None:
                continue
            for part in self._parts(passage, self._entering(gate)):
                for way in all_ways(self._tables, Way(place, part)):
                    outputs = way.rules[-1].effect.outputs
                    if output in self.gates.exits(way.before, outputs):
                        frame = self._example(gate, way.headers)
                        if frame is not None:
                            return frame, way.rules[-1]
        return None

    def _is_met(self, passage: Passage) -> bool:
        """Say whether the rule is not wholly covered by others, whoever sends."""
        part = self._tables.share(passage.visit.place, Headers(), passage.rule)
        return part is not None and part.example() is not None

    def _ways(self, passage: Passage, start: Way) -> Iterator[Way]:
        place = passage.visit.place
        return ways(self._tables, start, place, self._survey.leading_to(place))

    def _parts(self, passage: Passage, start: Way) -> Iterator[Headers]:
        place, rule = passage.visit.place, passage.rule
        for way in self._ways(passage, start):
            part = self._tables.share(place, way.headers, rule)
            if part is not None:
                yield part

    def _entering(self, gate: Gate, *but: Pattern) -> Way:
        return entering(self.gates.entering(gate), but)

    def _example(self, gate: Gate, headers: Headers) -> Frame | None:
        port = ofport_of(gate)
        header = headers.example(wishes(port, self.addresses.get(port)))
        return None if header is None else Frame.of(header)
