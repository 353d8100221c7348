# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
The exact ways of frames through the tables, for one gate at a time.

A way is certain at every step: headers for which it is not (flows of one
priority, matches not understood) are on no way at all.
"""

from collections.abc import Collection, Iterator
from typing import Final

from msgspec import Struct

from quantum.openflow.verify.gate import Gate, Gates, ofport_of
from quantum.openflow.verify.header import Headers, Pattern, TooIntricateError
from quantum.openflow.verify.rule import START, Place, Rule
from quantum.openflow.verify.tables import Tables

TURNS: Final = 20_000
"""Ways looked at before flows are called too intricate."""


class Reach(Struct, frozen=True, gc=False):
    """Frames with these headers that come in at one gate go out at another."""

    source: Gate
    destination: Gate
    headers: Headers


class Way(Struct, frozen=True, gc=False):
    """The headers that come to a place by one sequence of flows."""

    place: Place
    headers: Headers
    rules: tuple[Rule, ...] = ()
    before: Place = START
    """Where they met the last of these."""


def entering(headers: Headers, but: tuple[Pattern, ...] = ()) -> Way:
    """Begin with the frames that come in."""
    return Way(START, Headers(headers.match, headers.but + but))


def steps(tables: Tables, way: Way) -> Iterator[tuple[Rule, Headers]]:
    """List what each flow takes of the headers at a place; nothing empty."""
    for rule in tables.meeting(way.place, way.headers.match):
        if rule.doubt or rule.trouble(way.place):
            continue
        part = tables.share(way.place, way.headers, rule)
        if part is not None and part.example() is not None:
            yield rule, part


def _taking_turns(start: Way) -> Iterator[tuple[Way, list[Way]]]:
    """Give way after way, with the list of those that wait, which may be added to."""
    waiting = [start]
    for _ in range(TURNS):
        if not waiting:
            return
        yield waiting.pop(), waiting
    raise TooIntricateError


def ways(
    tables: Tables, start: Way, target: Place, within: Collection[Place]
) -> Iterator[Way]:
    """Find every way to a place; ``within`` has all places that lead there."""
    for way, waiting in _taking_turns(start):
        if way.place == target:
            yield way
            continue
        for rule in tables.meeting(way.place, way.headers.match):
            place = tables.onward(rule, way.place)
            if place is None or place not in within:
                continue
            part = tables.share(way.place, way.headers, rule)
            if part is not None and part.example() is not None:
                waiting.append(Way(place, part, (*way.rules, rule)))


def all_ways(tables: Tables, start: Way) -> Iterator[Way]:
    """Follow every frame to its end: the ways so far, after each flow."""
    for way, waiting in _taking_turns(start):
        for rule, part in steps(tables, way):
            place = tables.onward(rule, way.place)
            taken = Way(place or way.place, part, (*way.rules, rule), way.place)
            yield taken
            if place is not None:
                waiting.append(taken)


def reach(tables: Tables, gates: Gates, source: Gate) -> Iterator[Reach]:
    """List where the frames of a gate go, as far as that is certain."""
    for way in all_ways(tables, entering(gates.entering(source))):
        for output in dict.fromkeys(
            gates.exits(way.before, way.rules[-1].effect.outputs)
        ):
            if ofport_of(output) != ofport_of(source):
                yield Reach(source, output, way.headers)
