# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""The rules of a switch, found by what they match."""

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Final

from attrs import define, field

from quantum.openflow.verify.header import IN_PORT, METADATA, Headers, Pattern
from quantum.openflow.verify.rule import Place, Rule

Index = dict[int, Sequence[Rule]]
USUAL: Final = METADATA.bits | IN_PORT.bits
"""What is known of frames where nothing else is; indexes for it are made at once."""


@define
class Tables:
    """
    Rules by table and by the bits that they look at.

    Rules of one mask are kept in hash tables, one for each set of bits by which
    they were ever asked for.  There are few masks, however many the flows.
    """

    count: int = 0
    ports: set[int] = field(factory=set)
    """Every port that any rule names."""
    _rules: dict[int, dict[int, list[Rule]]] = field(factory=dict)
    _indexes: dict[tuple[int, int, int], Index] = field(factory=dict)

    def add(self, rule: Rule) -> None:
        """Take a rule in; all come before anything is asked."""
        self.count += 1
        mask = rule.mask
        self._rules.setdefault(rule.table, {}).setdefault(mask, []).append(rule)
        for known in {mask, mask & USUAL}:
            _put(self._indexes.setdefault((rule.table, mask, known), {}), known, rule)
        self.ports.update(rule.effect.outputs)
        if rule.mask & IN_PORT.bits:
            self.ports.add(IN_PORT.of(rule.value))

    def meeting(self, place: Place, pattern: Pattern) -> Iterator[Rule]:
        """List the rules that some header of the pattern matches at a place."""
        known = place.mask | pattern.mask
        value = pattern.value & ~place.mask | place.value
        for mask in self._rules.get(place.table, ()):
            index = self._index(place.table, mask, mask & known)
            yield from index.get(value & mask, ())

    def meeting_any(self, place: Place, ports: Collection[int]) -> Iterator[Rule]:
        """List the rules that some frame from some of the ports matches at a place."""
        for mask in self._rules.get(place.table, ()):
            index = self._index(place.table, mask, mask & (place.mask | IN_PORT.bits))
            fixed = place.value & mask
            if not mask & IN_PORT.bits:
                yield from index.get(fixed, ())
            elif len(ports) < len(index):
                for port in ports:
                    yield from index.get(fixed | port << IN_PORT.shift, ())
            else:
                for value, rules in index.items():
                    if value & ~IN_PORT.bits == fixed and IN_PORT.of(value) in ports:
                        yield from rules

    def _index(self, table: int, mask: int, known: int) -> Index:
        index = self._indexes.get((table, mask, known))
        if index is None:
            index = self._indexes[table, mask, known] = {}
            for rule in self._rules[table][mask]:
                _put(index, known, rule)
        return index

    def share(self, place: Place, headers: Headers, rule: Rule) -> Headers | None:
        """Keep the headers that are certain to be matched by one rule at a place."""
        return self._left(place, headers, rule, lambda other: _is_ahead(other, rule))

    def claim(self, place: Place, headers: Headers, rule: Rule) -> Headers | None:
        """Keep the headers that no rule of a higher priority matches."""
        priority = rule.priority
        return self._left(place, headers, rule, lambda o: o.priority > priority)

    def _left(
        self,
        place: Place,
        headers: Headers,
        rule: Rule,
        is_ahead: Callable[[Rule], bool],
    ) -> Headers | None:
        own = rule.own(place)
        if not own.meets(headers.match):
            return None
        match = headers.match.narrowed(own)
        ahead = [o.own(place) for o in self.meeting(place, match) if is_ahead(o)]
        before = [pattern for pattern in headers.but if pattern.meets(match)]
        return Headers(match, tuple(before + ahead))


def _put(index: Index, known: int, rule: Rule) -> None:
    """Add a rule; one alone is a tuple, which the garbage collector soon ignores."""
    key = rule.value & known
    held = index.get(key)
    if isinstance(held, list):
        held.append(rule)
    else:
        index[key] = (rule,) if held is None else [*held, rule]


def _is_ahead(other: Rule, rule: Rule) -> bool:
    """
    Say whether a rule may take frames away from another.

    Of two that have one priority either may, unless both do the same.
    """
    if other.priority != rule.priority or other is rule:
        return other.priority > rule.priority
    is_same = not other.doubt and other.effect == rule.effect
    return not is_same or other.number < rule.number
