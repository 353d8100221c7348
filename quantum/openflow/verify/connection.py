# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
Which gates of one network do not reach each other.

Where flows no longer look at who sent a frame, all senders are one, so that work
grows with the gates and not with their pairs.
"""

from collections.abc import Generator, Iterable, Iterator, Mapping

from attrs import define, field
from msgspec import structs

from quantum.openflow.verify.fields import ETH_DST, WHOLE
from quantum.openflow.verify.gate import Gate, Gates, Tunnel, ofport_of
from quantum.openflow.verify.header import BROADCAST, STRANGER, Frame, Pattern
from quantum.openflow.verify.rule import START, Place, Rule
from quantum.openflow.verify.survey import Survey
from quantum.openflow.verify.tables import Tables
from quantum.openflow.verify.verdict import Unreachable

Gaps = dict[Gate, bytes]
"""The gates that are not reached, and by frames to which address."""

Search = Generator[None, None, Gaps]


class UncertainError(Exception):
    """What happens to a frame is reported elsewhere."""


@define
class Connections:
    """
    The pairs of gates of one network.

    For each pair a broadcast is tried and, if the destination's address is known, a
    frame to it; what happens to them, as long as nothing is learned, is exact.
    """

    _tables: Tables
    _survey: Survey
    _gates: Gates
    _addresses: Mapping[int, bytes]
    _members: dict[int, set[Gate]] = field(factory=dict)
    _gaps: dict[tuple[object, ...], Gaps] = field(factory=dict)

    def missing(self) -> Iterator[Unreachable | None]:
        """List the pairs that do not reach each other; None is a pause."""
        networks = self._gates.networks
        for gate, network in networks.items():
            if not (isinstance(gate, Tunnel) and gate.address is None):
                self._members.setdefault(network, set()).add(gate)
        for gate, network in networks.items():
            yield None
            if isinstance(gate, Tunnel) and gate.address is not None:
                continue
            missed = yield from self._missed(gate, network)
            frame = self._broadcast(gate)
            for other, dst in missed.items():
                if other != gate:
                    lost = structs.replace(frame, eth_dst=dst)
                    yield Unreachable(lost, other, network)

    def _broadcast(self, gate: Gate) -> Frame:
        port = ofport_of(gate)
        source = int.from_bytes(self._addresses.get(port) or STRANGER, "big")
        start = self._gates.entering(gate).match
        plain = Frame(port, BROADCAST, source.to_bytes(6, "big")).header
        return Frame.of(start.value | plain & ~start.mask)

    def _missed(self, gate: Gate, network: int) -> Search:
        """List whom a gate does not reach; from outside, only ports are to be."""
        broadcast = self._broadcast(gate)
        try:
            place, early, looks = self._approach(broadcast)
        except UncertainError:
            looks = ETH_DST.bits
        if looks & ETH_DST.bits:
            return (yield from self._missing_from(START, broadcast, network))
        is_outside = not isinstance(gate, int)
        key = place, network, is_outside, broadcast.vlan, broadcast.tun_id
        gaps = self._gaps.get(key)
        if gaps is None:
            gaps = yield from self._missing_from(place, broadcast, network)
            self._gaps[key] = gaps
        return {o: dst for o, dst in gaps.items() if o not in early}

    def _missing_from(
        self, place: Place | None, broadcast: Frame, network: int
    ) -> Search:
        """List whom frames that are at a place do not reach from there."""
        is_outside = broadcast.in_port in self._gates.shared
        members = self._members.get(network, set())
        if is_outside:
            members = {gate for gate in members if isinstance(gate, int)}
        got = self._delivered(place, broadcast)
        gaps = (
            dict.fromkeys(_sorted(members - got), BROADCAST) if got is not None else {}
        )
        for other in _sorted(members - gaps.keys()):
            yield None
            address = self._addresses.get(ofport_of(other))
            if address is not None:
                frame = structs.replace(broadcast, eth_dst=address)
                got = self._delivered(place, frame)
                if got is not None and other not in got:
                    gaps[other] = address
        return gaps

    def _approach(self, frame: Frame) -> tuple[Place | None, set[Gate], int]:
        """
        Follow a frame for as long as flows look at who sent it.

        :return: Where it is then, where it came out, what was looked at.
        """
        place: Place | None = START
        early: set[Gate] = set()
        looks = 0
        while place is not None:
            visit = self._survey.visits.get(place)
            if visit is None:
                raise UncertainError
            if not visit.concerns(frame):
                break
            looks |= visit.own_looks
            rule = self._winner(place, frame)
            early.update(self._exits(place, rule))
            place = self._tables.onward(rule, place) if rule else None
        return place, early, looks

    def _delivered(self, place: Place | None, frame: Frame) -> set[Gate] | None:
        """Follow a frame to its end; None if that is not certain."""
        outputs: set[Gate] = set()
        try:
            while place is not None:
                rule = self._winner(place, frame)
                outputs.update(self._exits(place, rule))
                place = self._tables.onward(rule, place) if rule else None
        except UncertainError:
            return None
        return outputs

    def _exits(self, place: Place, rule: Rule | None) -> tuple[Gate, ...]:
        return self._gates.exits(place, rule.effect.outputs) if rule else ()

    def _winner(self, place: Place, frame: Frame) -> Rule | None:
        """Find the rule that a frame meets."""
        found = list(self._tables.meeting(place, Pattern(frame.header, WHOLE)))
        if not found:
            return None
        best = max(found, key=lambda rule: rule.priority)
        for rule in found:
            is_equal = rule.priority == best.priority
            if is_equal and (rule.doubt or rule.effect != best.effect):
                raise UncertainError
        if best.trouble(place):
            raise UncertainError
        return best


def _sorted(gates: Iterable[Gate]) -> list[Gate]:
    return sorted(gates, key=lambda gate: (ofport_of(gate), str(gate)))
