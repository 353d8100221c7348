# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
The compiler: from the members of a switch's networks to its flows.

A layout holds only what belongs to which network; flows are computed from it
whenever they are needed and never stored, so that nothing can drift apart.
"""

from collections.abc import Collection, Iterator, Mapping

from attrs import define, field, frozen

from quantum.openflow.ethernet import Ethernet, Touched
from quantum.openflow.flow import Flow
from quantum.openflow.member import Member
from quantum.openflow.pipeline import CONSTANT

_CONSTANT = tuple(Flow(shape) for shape in CONSTANT)


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
    What one switch carries, by key and by network.

    ``plan`` compiles all of it; ``change`` only what the changed members touch.
    ``tunnel`` is the OpenFlow port of the tunnels; without one (0) the ports of
    other hypervisors have no flows.
    """

    members: dict[int, Member] = field(factory=dict)
    tunnel: int = 0
    _networks: dict[int, Ethernet] = field(factory=dict)

    def plan(self) -> Iterator[Flow]:
        """Compile everything."""
        yield from _CONSTANT
        for network in self._networks.values():
            yield from network.plan(self.tunnel)

    def change(self, changes: Mapping[int, Member | None]) -> Difference:
        """Let members belong to networks, or (None) to nothing any more."""
        touched: dict[int, Touched] = {}
        for key, after in changes.items():
            for member in (self.members.get(key), after):
                if member is not None:
                    touched.setdefault(member.segment, Touched()).add(member)
        before = self._compile(touched)
        for key, member in changes.items():
            self.put(key, member)
        return difference(before, self._compile(touched))

    def put(self, key: int, member: Member | None) -> None:
        """Let one member belong to a network, or to none, without compiling."""
        before = self.members.pop(key, None)
        if before is not None:
            network = self._networks[before.segment]
            network.remove(before)
            if not network:
                del self._networks[before.segment]
        if member is not None:
            self.members[key] = member
            if member.segment not in self._networks:
                self._networks[member.segment] = Ethernet(member.segment)
            self._networks[member.segment].add(member)

    def carries(self, segment: int) -> bool:
        """Say whether anything belongs to the network."""
        return segment in self._networks

    def _compile(self, touched: Mapping[int, Touched]) -> list[Flow]:
        """Compile some parts of some networks."""
        flows: list[Flow] = []
        for segment, parts in touched.items():
            if segment in self._networks:
                flows += self._networks[segment].compile(parts, self.tunnel)
        return flows
