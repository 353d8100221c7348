# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
Which ports of one network do not reach each other.

Where flows no longer look at who sent a frame, all senders are one, so that work
grows with the ports and not with their pairs.
"""

from collections.abc import Generator, Iterator, Mapping

from attrs import define, field

from quantum.openflow.verify.header import (
    BROADCAST,
    ETH_DST,
    ETH_SRC,
    IN_PORT,
    STRANGER,
    Frame,
    Pattern,
)
from quantum.openflow.verify.rule import START, Place, Rule
from quantum.openflow.verify.survey import Survey
from quantum.openflow.verify.tables import Tables
from quantum.openflow.verify.verdict import Unreachable

_FRAME = IN_PORT.bits | ETH_SRC.bits | ETH_DST.bits

Gaps = dict[int, bytes]
"""The ports that are not reached, and by frames to which address."""

Search = Generator[None, None, Gaps]


class UncertainError(Exception):
    """What happens to a frame is reported elsewhere."""


@define
class Connections:
    """
    The pairs of ports of one network.

    For each pair a broadcast is tried and, if the destination's address is known, a
    frame to it; what happens to them is exact.
    """

    _tables: Tables
    _survey: Survey
    _networks: Mapping[int, int]
    _addresses: Mapping[int, bytes]
    _members: dict[int, set[int]] = field(factory=dict)
    _gaps: dict[tuple[Place | None, int], Gaps] = field(factory=dict)

    def missing(self) -> Iterator[Unreachable | None]:
        """List the pairs that do not reach each other; None is a pause."""
        for port, network in self._networks.items():
            self._members.setdefault(network, set()).add(port)
        for port, network in self._networks.items():
            yield None
            source = self._addresses.get(port) or STRANGER
            missed = yield from self._missed(port, source, network)
            for other, dst in missed.items():
                if other != port:
                    yield Unreachable(Frame(port, dst, source), other, network)

    def _missed(self, port: int, source: bytes, network: int) -> Search:
        """List whom a port does not reach."""
        broadcast = Frame(port, BROADCAST, source)
        try:
            place, early, looks = self._approach(broadcast)
        except UncertainError:
            looks = ETH_DST.bits
        if looks & ETH_DST.bits:
            return (yield from self._missing_from(START, broadcast, network))
        gaps = self._gaps.get((place, network))
        if gaps is None:
            gaps = yield from self._missing_from(place, broadcast, network)
            self._gaps[place, network] = gaps
        return {o: dst for o, dst in gaps.items() if o not in early}

    def _missing_from(
        self, place: Place | None, broadcast: Frame, network: int
    ) -> Search:
        """List whom frames that are at a place do not reach from there."""
        members = self._members[network]
        got = self._delivered(place, broadcast)
        gaps = (
            dict.fromkeys(sorted(members - got), BROADCAST) if got is not None else {}
        )
        for other in sorted(members - gaps.keys()):
            yield None
            address = self._addresses.get(other)
            if address is not None:
                frame = Frame(broadcast.in_port, address, broadcast.eth_src)
                got = self._delivered(place, frame)
                if got is not None and other not in got:
                    gaps[other] = address
        return gaps

    def _approach(self, frame: Frame) -> tuple[Place | None, set[int], int]:
        """
        Follow a frame for as long as flows look at who sent it.

        :return: Where it is then, where it came out, what was looked at.
        """
        place: Place | None = START
        early: set[int] = set()
        looks = 0
        while place is not None:
            visit = self._survey.visits.get(place)
            if visit is None:
                raise UncertainError
            if not visit.concerns(frame):
                break
            looks |= visit.own_looks
            rule = self._winner(place, frame)
            early.update(rule.effect.outputs if rule else ())
            place = rule.onward(place) if rule else None
        return place, early, looks

    def _delivered(self, place: Place | None, frame: Frame) -> set[int] | None:
        """Follow a frame to its end; None if that is not certain."""
        outputs: set[int] = set()
        try:
            while place is not None:
                rule = self._winner(place, frame)
                outputs.update(rule.effect.outputs if rule else ())
                place = rule.onward(place) if rule else None
        except UncertainError:
            return None
        return outputs

    def _winner(self, place: Place, frame: Frame) -> Rule | None:
        """Find the rule that a frame meets."""
        found = list(self._tables.meeting(place, Pattern(frame.header, _FRAME)))
        if not found:
            return None
        best = max(found, key=lambda rule: rule.priority)
        for rule in found:
            is_equal = rule.priority == best.priority
            if is_equal and (rule.doubt or rule.effect != best.effect):
                raise UncertainError
        if best.effect.doubt:
            raise UncertainError
        return best
