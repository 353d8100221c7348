# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""Frames that show whether something could really happen; pauses after each port."""

from collections.abc import Generator, Iterable, Iterator, Mapping

from attrs import frozen

from quantum.openflow.verify.header import ETH_SRC, Frame, Headers, Pattern, wishes
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

    Each search goes through the ports it is given until one has such a frame.

    Any search may raise `TooIntricateError`.
    """

    _tables: Tables
    _survey: Survey
    addresses: Mapping[int, bytes]

    def matched(self, passage: Passage, ports: Iterable[int]) -> Search:
        """Find a frame that is certain to be matched by the rule."""
        if not self._is_met(passage):
            return None
        for port in ports:
            yield
            for part in self._parts(passage, entering(port)):
                if (frame := self._example(port, part)) is not None:
                    return frame
        return None

    def claimed(self, passage: Passage, ports: Iterable[int]) -> Search:
        """Find a frame that no rule of a higher priority matches."""
        place, rule = passage.visit.place, passage.rule
        for port in ports:
            yield
            for way in self._ways(passage, entering(port)):
                part = self._tables.claim(place, way.headers, rule)
                if part is not None and (frame := self._example(port, part)):
                    return frame
        return None

    def disputed(self, passage: Passage, other: Rule, ports: Iterable[int]) -> Search:
        """Find a frame that two rules of one priority match, and none above them."""
        place = passage.visit.place
        own = other.own(place)
        for port in ports:
            yield
            for way in self._ways(passage, entering(port)):
                part = self._tables.claim(place, way.headers, passage.rule)
                if part is None or not own.meets(part.match):
                    continue
                both = Headers(part.match.narrowed(own), part.but)
                if (frame := self._example(port, both)) is not None:
                    return frame
        return None

    def spoofed(self, passage: Passage, port: int) -> Search:
        """Find a frame with another source than the port's address."""
        yield
        if not self._is_met(passage):
            return None
        address = int.from_bytes(self.addresses[port], "big") << ETH_SRC.shift
        start = entering(port, (Pattern(address, ETH_SRC.bits),))
        for part in self._parts(passage, start):
            if (frame := self._example(port, part)) is not None:
                return frame
        return None

    def repeated(
        self, passage: Passage, output: int
    ) -> Generator[None, None, tuple[Frame, Rule] | None]:
        """Find a frame that goes out there again by a later rule, and that rule."""
        place = passage.rule.onward(passage.visit.place)
        for port in passage.ports:
            yield
            if port == output or place is None:
                continue
            for part in self._parts(passage, entering(port)):
                for way in all_ways(self._tables, Way(place, part)):
                    if output in way.rules[-1].effect.outputs:
                        frame = self._example(port, way.headers)
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

    def _example(self, port: int, headers: Headers) -> Frame | None:
        header = headers.example(wishes(port, self.addresses.get(port)))
        return None if header is None else Frame.of(header)
