# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
The compiler: from the ports of a switch to its flows.

A layout holds only which port carries which network; flows are computed from
it whenever they are needed and never stored, so that nothing can drift apart.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping

from attrs import define, field, frozen
from msgspec import Struct

from quantum.openflow.flow import Flow
from quantum.openflow.pipeline import (
    CLASSIFY,
    FLOOD,
    FLOOD_LASTS,
    FLOOD_MEMBERS,
    FLOOD_PARTS,
    POLICY,
    SOURCE_ANY,
    SOURCE_CHECKED,
    UNICAST,
    UNKNOWN,
)


class LocalPort(Struct, frozen=True, gc=False):
    """
    An OpenFlow port that carries a network.

    ``mac`` is the only source address allowed to it, or None for any.
    """

    ofport: int
    segment: int
    mac: bytes | None = None


@frozen
class Difference:
    """
    The way from some flows to others.

    A flow whose key survives is not removed: adding it again replaces its
    instructions without a gap in which frames would be lost.
    """

    remove: list[Flow]
    add: list[Flow]
    growth: int
    """How many more flows there are afterwards."""


def difference(before: Collection[Flow], after: Collection[Flow]) -> Difference:
    """Work out how to turn ``before`` into ``after``."""
    left = {flow.key: flow for flow in before}
    add = [flow for flow in after if left.pop(flow.key, None) != flow]
    return Difference(list(left.values()), add, len(after) - len(before))


@define
class Layout:
    """
    The ports of one switch, by number and by network.

    ``plan`` compiles all of it; ``change`` only what the changed ports touch:
    their own flows, those of their addresses, and the flooding of their networks.
    """

    ports: dict[int, LocalPort] = field(factory=dict)
    _members: dict[int, set[int]] = field(factory=dict)

    def plan(self) -> Iterator[Flow]:
        """Compile everything."""
        yield Flow(POLICY)
        yield Flow(UNKNOWN)
        for segment, members in self._members.items():
            ordered = sorted(members)
            for ofport in ordered:
                yield from _entry(self.ports[ofport])
            yield from self._unicast(segment, None)
            yield from _flood(segment, ordered)

    def change(self, changes: Mapping[int, LocalPort | None]) -> Difference:
        """Let ports carry networks, or (None) nothing any more."""
        macs: dict[int, set[bytes]] = {}
        for port in (*map(self.ports.get, changes), *changes.values()):
            if port is not None:
                macs.setdefault(port.segment, set()).add(port.mac or b"")
        before = self._compile(changes, macs)
        for ofport, port in changes.items():
            self.put(ofport, port)
        return difference(before, self._compile(changes, macs))

    def put(self, ofport: int, port: LocalPort | None) -> None:
        """Let one port carry a network, or nothing, without compiling anything."""
        before = self.ports.pop(ofport, None)
        if before is not None:
            members = self._members[before.segment]
            members.remove(ofport)
            if not members:
                del self._members[before.segment]
        if port is not None:
            self.ports[ofport] = port
            self._members.setdefault(port.segment, set()).add(ofport)

    def carries(self, segment: int) -> bool:
        """Say whether any port carries the network."""
        return segment in self._members

    def _compile(
        self, ofports: Iterable[int], macs: Mapping[int, set[bytes]]
    ) -> list[Flow]:
        """Compile some ports, some addresses, and the flooding of those networks."""
        flows: list[Flow] = []
        for ofport in ofports:
            if ofport in self.ports:
                flows += _entry(self.ports[ofport])
        for segment, wanted in macs.items():
            flows += self._unicast(segment, wanted)
            flows += _flood(segment, sorted(self._members.get(segment, ())))
        return flows

    def _unicast(self, segment: int, wanted: set[bytes] | None) -> Iterator[Flow]:
        """
        Compile the way to each address that exactly one port may use.

        An address of two ports is left to flooding, which reaches both.
        """
        owners: dict[bytes, int] = {}
        for ofport in self._members.get(segment, ()):
            mac = self.ports[ofport].mac
            if mac is not None and (wanted is None or mac in wanted):
                owners[mac] = 0 if mac in owners else ofport
        for mac, ofport in owners.items():
            if ofport:
                yield Flow(UNICAST, segment, 0, mac, (ofport,))


def _entry(port: LocalPort) -> tuple[Flow, Flow]:
    """Compile how frames come in by a port: to which network, from which address."""
    entry = Flow(CLASSIFY, port.segment, port.ofport)
    if port.mac is None:
        return entry, Flow(SOURCE_ANY, port.segment, port.ofport)
    return entry, Flow(SOURCE_CHECKED, port.segment, port.ofport, port.mac)


def _flood(segment: int, ofports: list[int]) -> list[Flow]:
    """
    Compile how frames reach every port of a network.

    More ports than one message can name are spread over several tables by
    their number, so that a change rewrites one part only.
    """
    if not ofports:
        return []
    if len(ofports) <= FLOOD_MEMBERS:
        return [Flow(FLOOD, segment, outputs=tuple(ofports))]
    last = ofports[-1] // FLOOD_MEMBERS
    parts: list[list[int]] = [[] for _ in range(last + 1)]
    for ofport in ofports:
        parts[ofport // FLOOD_MEMBERS].append(ofport)
    return [
        Flow(
            FLOOD_LASTS[part] if part == last else FLOOD_PARTS[part],
            segment,
            outputs=tuple(members),
        )
        for part, members in enumerate(parts)
    ]
