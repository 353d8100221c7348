# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""What was found out about a switch, as frozen values; `words` says it plainly."""

from collections.abc import Iterable, Iterator

from msgspec import Struct

from quantum.openflow.flow import Encoded
from quantum.openflow.verify.gate import Gate, gate_words
from quantum.openflow.verify.header import Frame
from quantum.openflow.verify.words import describe


class Leak(Struct, frozen=True):
    """A frame gets from one network into another, or to or from a port of none."""

    frame: Frame
    source_network: int | None
    destination: Gate
    destination_network: int | None
    flow: Encoded

    @property
    def words(self) -> str:
        """Say it."""
        return (
            f"{self.frame} from port {self.frame.in_port}"
            f" ({_network(self.source_network)}) comes out at"
            f" {gate_words(self.destination)} ({_network(self.destination_network)})"
            f" because of flow {describe(self.flow)}"
        )


class Transit(Struct, frozen=True):
    """A frame from outside goes outside again, so that it may come back."""

    frame: Frame
    destination: Gate
    flow: Encoded

    @property
    def words(self) -> str:
        """Say it."""
        return (
            f"{self.frame} that came in from outside by port {self.frame.in_port} goes"
            f" out again by {gate_words(self.destination)}"
            f" because of flow {describe(self.flow)}"
        )


class Duplicate(Struct, frozen=True):
    """A frame is delivered to one port more than once."""

    frame: Frame
    destination: Gate
    flows: tuple[Encoded, ...]

    @property
    def words(self) -> str:
        """Say it."""
        return (
            f"{self.frame} from port {self.frame.in_port} comes out at"
            f" {gate_words(self.destination)} more than once because of flow"
            f" {' and flow '.join(map(describe, self.flows))}"
        )


class Loop(Struct, frozen=True):
    """A frame is sent to a table where it was, or before."""

    frame: Frame
    flow: Encoded

    @property
    def words(self) -> str:
        """Say it."""
        return (
            f"{self.frame} from port {self.frame.in_port} does not go forward because"
            f" of flow {describe(self.flow)}"
        )


class Ambiguity(Struct, frozen=True):
    """Two flows of one priority match a frame, and do not do the same with it."""

    frame: Frame
    flows: tuple[Encoded, Encoded]

    @property
    def words(self) -> str:
        """Say it."""
        return (
            f"what happens to {self.frame} from port {self.frame.in_port} is undefined:"
            f" flow {' and flow '.join(map(describe, self.flows))} have one priority"
        )


class Spoof(Struct, frozen=True):
    """A port whose address is known can send from another, and it is delivered."""

    frame: Frame
    address: bytes
    destination: Gate
    flow: Encoded

    @property
    def words(self) -> str:
        """Say it."""
        return (
            f"port {self.frame.in_port} should send from {self.address.hex(':')} only,"
            f" but {self.frame} comes out at {gate_words(self.destination)}"
            f" because of flow {describe(self.flow)}"
        )


class Doubt(Struct, frozen=True):
    """A frame meets a flow of which it cannot be said what it does."""

    frame: Frame | None
    """Such a frame; None if even that could not be found out."""
    flow: Encoded
    reason: str

    @property
    def words(self) -> str:
        """Say it."""
        frame = self.frame
        whom = f"{frame} from port {frame.in_port}" if frame else "some frame"
        flow = describe(self.flow)
        return f"what happens to {whom} cannot be shown: {self.reason} (flow {flow})"


class Unreachable(Struct, frozen=True):
    """A frame does not get to another port of its own network."""

    frame: Frame
    destination: Gate
    network: int

    @property
    def words(self) -> str:
        """Say it."""
        return (
            f"{self.frame} from port {self.frame.in_port} does not come out at"
            f" {gate_words(self.destination)} of its own network {self.network}"
        )


Finding = Leak | Transit | Duplicate | Loop | Ambiguity | Spoof | Doubt | Unreachable


class Verdict(Struct, frozen=True):
    """
    Everything that was found, each with a frame that shows it.

    There is a leak for each flow, source network and destination; others stand
    for their like, once for each flow or pair of ports.
    """

    flows: int
    """How many flows were looked at."""
    leaks: tuple[Leak, ...] = ()
    transits: tuple[Transit, ...] = ()
    duplicates: tuple[Duplicate, ...] = ()
    loops: tuple[Loop, ...] = ()
    ambiguities: tuple[Ambiguity, ...] = ()
    spoofs: tuple[Spoof, ...] = ()
    doubts: tuple[Doubt, ...] = ()
    unreachable: tuple[Unreachable, ...] = ()
    is_cut_short: bool = False
    """There was so much to report that the rest was not looked for."""

    @classmethod
    def of(
        cls, flows: int, findings: Iterable[Finding], *, is_cut_short: bool
    ) -> "Verdict":
        """Put findings in their order."""
        found = list(findings)
        return cls(
            flows,
            tuple(f for f in found if isinstance(f, Leak)),
            tuple(f for f in found if isinstance(f, Transit)),
            tuple(f for f in found if isinstance(f, Duplicate)),
            tuple(f for f in found if isinstance(f, Loop)),
            tuple(f for f in found if isinstance(f, Ambiguity)),
            tuple(f for f in found if isinstance(f, Spoof)),
            tuple(f for f in found if isinstance(f, Doubt)),
            tuple(f for f in found if isinstance(f, Unreachable)),
            is_cut_short,
        )

    @property
    def is_safe(self) -> bool:
        """It is proven that nothing goes where it must not."""
        return not any(True for finding in self if not isinstance(finding, Unreachable))

    @property
    def is_connected(self) -> bool:
        """It is proven that every port reaches every other of its network."""
        return not (self.unreachable or self.doubts or self.ambiguities)

    def __iter__(self) -> Iterator[Finding]:
        yield from self.leaks
        yield from self.transits
        yield from self.duplicates
        yield from self.loops
        yield from self.ambiguities
        yield from self.spoofs
        yield from self.doubts
        yield from self.unreachable

    @property
    def words(self) -> list[str]:
        """Say everything, a line for each finding."""
        return [finding.words for finding in self]


def _network(number: int | None) -> str:
    return "no network" if number is None else f"network {number}"
