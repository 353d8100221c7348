# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
Who receives whose frames, and who must not: counted exactly.

Every machine sends every kind of frame several times, each frame with its own
mark, and every machine counts what arrives.  A frame must arrive once at each
machine that it is meant for and nowhere else, its sender included.
"""

import time
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from itertools import product

from attrs import define, field, frozen

from tests.lab.frames import Sniffer
from tests.lab.hypervisor import Machine
from tests.lab.probe import NUMBERS, Probe, Wiring, probes
from tests.lab.tally import Tally
from tests.lab.traffic import Answers, Pair, Pinger, Stream, ping

COPIES = 5
PATIENCE = 15.0
"""Seconds after which a frame that has not arrived counts as lost."""
BURST = 40
"""Frames that are sent before it is looked whether they have arrived."""
BURST_PATIENCE = 1.0
"""Seconds after which the rest is sent even so."""


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
        return self.tally.is_right

    @property
    def tally(self) -> Tally:
        """What was expected here, and what came."""
        seen, once = self.seen, len(self.times)
        if self.receiver.name in self.probe.must:
            return Tally(COPIES, once, repeated=seen - once)
        if self.receiver.name in self.probe.may:
            return Tally(repeated=seen - once)
        return Tally(leaked=seen)

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

    @property
    def tally(self) -> Tally:
        """All frames and answers together."""
        return sum((one.tally for one in self.counts), self.answers.tally(self.wanted))

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
    vlans: Collection[str] = ()
    """Networks that run over VLANs of the operator's."""
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

    def look(
        self,
        connected: Iterable[Machine],
        cut: Collection[str] = (),
        patience: float | None = None,
    ) -> Report:
        """
        Send every kind of frame from every machine, and count.

        :param cut: The hosts whose tunnels reach nobody.
        :param patience: Seconds until what did not come is lost.
        """
        patience = self.patience if patience is None else patience
        wiring = Wiring({one.name for one in connected}, self.vlans, cut)
        pairs = _neighbours(self.machines)
        wanted = frozenset(
            (one.name, two.name) for one, two in pairs if wiring.joins(one, two)
        )
        answers = ping(self.pinger, pairs, wanted, COPIES, patience)
        sent = self._probes(wiring)
        self._send(sent)
        self.sniffer.await_quiet(lambda: self._is_complete(sent, COPIES), patience)
        return Report(self._counts(sent), answers, wanted)

    def stream(
        self, pairs: Sequence[tuple[Machine, Machine]], interval: float = 0.005
    ) -> Stream:
        """Prepare a stream between pairs of machines."""
        first, *_ = [next(NUMBERS) for _ in pairs]
        return Stream(self.sniffer, self.pinger, pairs, first, interval)

    def _send(self, sent: Sequence[Probe]) -> None:
        """
        Send every copy, a few frames at a time.

        Sockets in front of a switch that does not get the processor are full soon.
        """
        is_patient = True
        for sequence, start in product(range(COPIES), range(0, len(sent), BURST)):
            burst = sent[start : start + BURST]
            for probe in burst:
                self.sniffer.send(probe.sender, probe.bytes(sequence))
            end = time.monotonic() + BURST_PATIENCE
            while is_patient and not self._is_complete(burst, sequence + 1):
                is_patient = time.monotonic() < end
                time.sleep(0.002)

    def _probes(self, wiring: Wiring) -> list[Probe]:
        """List the probes, those of unconnected machines first."""
        senders = sorted(self.machines, key=lambda one: one.name in wiring.connected)
        return [
            probe
            for sender in senders
            for probe in probes(sender, self.machines, wiring)
        ]

    def _is_complete(self, sent: Iterable[Probe], copies: int) -> bool:
        return all(
            self.sniffer.arrived(machine, probe.number) == copies
            for probe in sent
            for machine in self.machines
            if machine.name in probe.must
        )

    def _counts(self, sent: Iterable[Probe]) -> list[Count]:
        return [
            Count(probe, machine, self.sniffer.count(machine, probe.number))
            for probe in sent
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
