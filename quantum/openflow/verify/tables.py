# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""The rules of a switch, found by what they match."""

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Final

from attrs import define, field
from msgspec import structs

from quantum.openflow.pipeline import Table
from quantum.openflow.verify.deeds import Sending
from quantum.openflow.verify.fields import (
    ETH_DST,
    HINT,
    IN_PORT,
    METADATA,
    TUN_ID,
    VLAN,
)
from quantum.openflow.verify.gate import Gate, ofport_of
from quantum.openflow.verify.header import Headers, Pattern
from quantum.openflow.verify.rule import Place, Rule, is_hint

Index = dict[int, Sequence[Rule]]
USUAL: Final = METADATA.bits | IN_PORT.bits
"""What is known of frames where nothing else is; indexes for it are made at once."""

_WRITTEN: Final = METADATA.bits | HINT.bits | ETH_DST.bits
"""What flows write that only flows read: a tag or a tunnel is also for outputs."""


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
    entries: list[Rule] = field(factory=list)
    """Rules that ask for a part of what comes in by a port."""
    _asking: list[Rule] = field(factory=list)
    _strange: bool = False
    _unread: list[int] = field(factory=list)
    """By table: the bits that nothing looks at in it or after it."""
    _rules: dict[int, dict[int, list[Rule]]] = field(factory=dict)
    _indexes: dict[tuple[int, int, int], Index] = field(factory=dict)

    def add(self, rule: Rule) -> None:
        """Take a rule in; all come, and `settle`, before anything is asked."""
        self.count += 1
        if rule.table == Table.HINTS and not is_hint(rule):
            self._strange = True
        if rule.effect.asks:
            self._asking.append(rule)
        else:
            self._take(rule)

    def settle(self) -> None:
        """
        Take in what looks into the hints, now that these are known.

        What hints say is left open; that they are nothing else is not.
        """
        for rule in self._asking:
            if self._strange:
                doubt = f"table {int(Table.HINTS)} holds a flow that is no hint"
                effect = structs.replace(rule.effect, doubt=rule.effect.doubt or doubt)
                self._take(structs.replace(rule, effect=effect))
            else:
                self._take(rule)
        self._asking.clear()
        read = 0
        for number in range(255, -1, -1):
            for mask in self._rules.get(number, ()):
                read |= mask
            self._unread.insert(0, _WRITTEN & ~read)

    def onward(self, rule: Rule, place: Place) -> Place | None:
        """
        Say where a rule sends frames that are certain to be its own, if anywhere.

        Places that differ in nothing that is ever looked at again are one.
        """
        after = rule.onward(place)
        if after is None:
            return None
        unread = self._unread[after.table]
        return Place(after.table, after.value & ~unread, after.mask | unread)

    def _take(self, rule: Rule) -> None:
        mask = rule.mask
        self._rules.setdefault(rule.table, {}).setdefault(mask, []).append(rule)
        for known in {mask, mask & USUAL}:
            _put(self._indexes.setdefault((rule.table, mask, known), {}), known, rule)
        for output in rule.effect.outputs:
            self.ports.add(output.port if isinstance(output, Sending) else output)
        if mask & IN_PORT.bits:
            self.ports.add(IN_PORT.of(rule.value))
            if mask & (TUN_ID.bits | VLAN.bits):
                self.entries.append(rule)

    def meeting(self, place: Place, pattern: Pattern) -> Iterator[Rule]:
        """List the rules that some header of the pattern matches at a place."""
        known = place.mask | pattern.mask
        value = pattern.value & ~place.mask | place.value
        for mask in self._rules.get(place.table, ()):
            index = self._index(place.table, mask, mask & known)
            yield from index.get(value & mask, ())

    def meeting_any(self, place: Place, gates: Collection[Gate]) -> Iterator[Rule]:
        """List the rules that some frame from some of the gates matches at a place."""
        ports: set[int] = set()
        for mask in self._rules.get(place.table, ()):
            index = self._index(place.table, mask, mask & (place.mask | IN_PORT.bits))
            fixed = place.value & mask
            if not mask & IN_PORT.bits:
                yield from index.get(fixed, ())
                continue
            ports = ports or set(map(ofport_of, gates))
            if len(ports) < len(index):
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
