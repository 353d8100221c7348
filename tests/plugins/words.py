# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""What a switch says of its ports, and what follows, as simply as can be."""

from attrs import define, field, frozen

from quantum.openflow.facts import SeenInterface

LENGTH = 15

LOCAL = 0xFFFFFFFE
"""The bridge's own port, which is there before any other."""


@frozen
class Described:
    """A port as OpenFlow describes it."""

    name: bytes

    @classmethod
    def of(cls, name: str) -> "Described":
        """Cut a name to what OpenFlow has room for."""
        return cls(name.encode()[:LENGTH])


@define
class Words:
    """
    The names of a connected switch's ports, and whose ports it said are gone.

    ``missed`` are numbers that still are the interface's that lost them, as far
    as the database has told.
    """

    names: dict[int, bytes] = field(factory=dict)
    missed: set[int] = field(factory=set)

    def describe(self, ports: dict[int, Described], carriers: set[int]) -> None:
        """Take a whole description, if it has any port."""
        self.names = {ofport: port.name for ofport, port in ports.items()}
        has_told = bool(ports.keys() - {LOCAL})
        self.missed = carriers - ports.keys() if has_told else set()

    def say(self, ofport: int, name: bytes | None, is_missed: bool) -> None:
        """Take the news of one port; without a name it is gone."""
        self.missed.discard(ofport)
        self.names.pop(ofport, None)
        if name is not None:
            self.names[ofport] = name
        elif is_missed:
            self.missed.add(ofport)

    def dispute(self, seen: SeenInterface) -> bool:
        """Say whether the switch contradicts the database."""
        name = self.names.get(seen.ofport)
        if name is None:
            return seen.ofport in self.missed
        return name != Described.of(seen.name).name
