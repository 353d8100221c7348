# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
Who receives whose frames, and who must not: counted exactly.

Every machine sends every kind of frame several times, each frame with its own
mark, and every machine counts what arrives.  A frame must arrive once at each
machine that it is meant for and nowhere else, its sender included.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from itertools import count

from attrs import define, field, frozen

from tests.lab.frames import BROADCAST, EXPERIMENTAL, IPV4, MULTICAST, Sniffer, frame
from tests.lab.hypervisor import Machine
from tests.lab.traffic import Answers, Pair, Pinger, Stream, ping

COPIES = 5
PATIENCE = 15.0
"""Seconds after which a frame that has not arrived counts as lost."""

_NUMBERS = count(1)
"""Each probe of this process has its own, whoever sends and counts it."""

STRANGER = "02:00:00:00:0b:ad"
"""An Ethernet address that no machine has."""

KINDS = (
    "unicast",
    "broadcast",
    "multicast",
    "unknown ethertype",
    "unknown target",
    "VLAN-tagged",
    "spoofed source",
)


@frozen
class Probe:
    """One kind of frame from one machine, and who must and who may receive it."""

    number: int
    kind: str
    sender: Machine
    target: str
    must: frozenset[str]
    may: frozenset[str]
    source: str
    ethertype: int = IPV4
    vlan: int = 0

    def bytes(self, sequence: int) -> bytes:
        """Make one copy."""
        mark = (self.number, sequence)
        return frame(self.target, self.source, self.ethertype, mark, self.vlan)


@frozen
class Count:
    """How often a probe arrived at one machine."""

    probe: Probe
    receiver: Machine
    times: Counter[int]

    @property
    def seen(self) -> int:
        """The number of frames that arrived."""
        return self.times.total()

    @property
    def is_crossing(self) -> bool:
        """Whether the receiver is on another network than the sender."""
        return self.probe.sender.network != self.receiver.network

    @property
    def is_right(self) -> bool:
        """Whether each copy arrived once, or none did, as it must be."""
        is_whole = dict(self.times) == dict.fromkeys(range(COPIES), 1)
        if self.receiver.name in self.probe.must:
            return is_whole
        return not self.times or (is_whole and self.receiver.name in self.probe.may)

    def __str__(self) -> str:
        probe = self.probe
        wanted = COPIES if self.receiver.name in probe.must else 0
        return (
            f"{probe.kind} from {probe.sender.name} to {self.receiver.name}: "
            f"{self.seen} frames instead of {wanted}"
        )


@frozen
class Report:
    """All counts of one look at all machines."""

    counts: Sequence[Count]
    answers: Answers
    wanted: frozenset[Pair]

    def problems(self) -> list[str]:
        """Say in words what is not as it must be."""
        wrong = [str(one) for one in self.counts if not one.is_right]
        for pair, times in self.answers.seen.items():
            wanted = self.answers.asked if pair in self.wanted else 0
            if (self.answers.exact(pair), times.total()) != (wanted, wanted):
                words = f"ping {pair[0]} -> {pair[1]}: {times.total()} answers"
                wrong.append(f"{words} instead of {wanted}")
        return wrong


@define
class Observatory:
    """Every machine's eyes and mouth; `start` opens them, `stop` closes them."""

    machines: Sequence[Machine]
    patience: float = PATIENCE
    sniffer: Sniffer = field(factory=Sniffer)
    pinger: Pinger = field(factory=Pinger)

    def start(self) -> None:
        """Open the sockets."""
        self.pinger.start(self.machines)
        self.sniffer.start(self.machines)

    def stop(self) -> None:
        """Close the sockets."""
        self.pinger.stop()
        self.sniffer.stop()

    def look(self, connected: Collection[Machine]) -> Report:
        """Send every kind of frame from every machine, and count."""
        names = {machine.name for machine in connected}
        pairs = _neighbours(self.machines)
        wanted = frozenset(
            (one.name, two.name) for one, two in pairs if {one.name, two.name} <= names
        )
        answers = ping(self.pinger, pairs, wanted, COPIES, self.patience)
        probes = self._probes(names)
        for sequence in range(COPIES):
            for probe in probes:
                self.sniffer.send(probe.sender, probe.bytes(sequence))
        self.sniffer.await_quiet(lambda: self._is_complete(probes), self.patience)
        return Report(self._counts(probes), answers, wanted)

    def stream(self, pairs: Sequence[tuple[Machine, Machine]]) -> Stream:
        """Prepare a stream between pairs of machines."""
        first, *_ = [next(_NUMBERS) for _ in pairs]
        return Stream(self.sniffer, self.pinger, pairs, first)

    def _probes(self, connected: set[str]) -> list[Probe]:
        """List the probes, those of unconnected machines first."""
        senders = sorted(self.machines, key=lambda machine: machine.name in connected)
        return [probe for sender in senders for probe in self._of(sender, connected)]

    def _of(self, sender: Machine, connected: set[str]) -> list[Probe]:
        peers = [m for m in self.machines if m.network == sender.network]
        peers.remove(sender)
        reached = [m.name for m in peers if {m.name, sender.name} <= connected]
        everyone, nobody = frozenset(reached), frozenset[str]()
        probes = []

        def add(
            kind: str,
            target: str,
            must: frozenset[str],
            may: frozenset[str] = nobody,
            **rest: str | int,
        ) -> None:
            rest.setdefault("source", sender.mac)
            number = next(_NUMBERS)
            probes.append(Probe(number, kind, sender, target, must, must | may, **rest))

        for peer in peers:
            one = everyone & {peer.name}
            # Nobody knows where an absent machine is: its frames may be flooded.
            may = one or everyone
            add("unicast", peer.mac, one, may)
            add("unknown ethertype", peer.mac, one, may, ethertype=EXPERIMENTAL)
            add("VLAN-tagged", peer.mac, one, may, vlan=42)
            add("spoofed source", peer.mac, nobody, source=STRANGER)
        add("broadcast", BROADCAST, everyone)
        add("multicast", MULTICAST, everyone)
        add("unknown ethertype", BROADCAST, everyone, ethertype=EXPERIMENTAL)
        add("unknown target", STRANGER, everyone)
        add("VLAN-tagged", BROADCAST, everyone, vlan=42)
        add("spoofed source", BROADCAST, nobody, source=STRANGER)
        add("spoofed source", BROADCAST, nobody, source=peers[0].mac)
        return probes

    def _is_complete(self, probes: Iterable[Probe]) -> bool:
        return all(
            len(self.sniffer.count(machine, probe.number)) == COPIES
            for probe in probes
            for machine in self.machines
            if machine.name in probe.must
        )

    def _counts(self, probes: Iterable[Probe]) -> list[Count]:
        return [
            Count(probe, machine, self.sniffer.count(machine, probe.number))
            for probe in probes
            for machine in self.machines
        ]


def _neighbours(machines: Sequence[Machine]) -> list[tuple[Machine, Machine]]:
    """List the ordered pairs of machines on one network."""
    return [
        (one, two)
        for one in machines
        for two in machines
        if one.network == two.network and one != two
    ]
