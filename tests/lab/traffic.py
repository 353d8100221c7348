# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
Ping through the machines' own kernels, and a steady stream that counts its losses.

The echo requests are ours, so that every one is accounted for; ARP, the echo
replies and all timing are the kernel's, as with the ``ping`` program.
"""

import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import count

from attrs import define, field, frozen

from tests.lab.frames import EXPERIMENTAL, Sniffer, frame
from tests.lab.hypervisor import Machine
from tests.lab.tally import Tally

Pair = tuple[str, str]
"""The names of who asks and who answers."""

PING_INTERVAL = 0.01
LATENESS = 0.02
"""Seconds that a stream may be behind before it gives up what it did not send."""
UNDERWAY = 80
"""
Frames and pings of a stream that may be under way at a time.

While a switch does not get the processor they wait in a socket in front of it that
holds two hundred, and what came after those would be lost by nobody's fault.
"""
STUCK = 2.0
"""Seconds after which what is under way is taken for lost, so that more is sent."""

_RUNS = count(1)
_ECHO = struct.Struct("!BBHHH")
_ICMP = 1
_SOL_RAW = 255
_ICMP_FILTER = 1
_ALL_BUT_REPLIES = struct.pack("I", 0xFFFFFFFE)


@define
class Pinger:
    """An ICMP socket in each machine."""

    _wires: dict[str, socket.socket] = field(factory=dict)

    def start(self, machines: Iterable[Machine]) -> None:
        """Make the sockets."""
        for machine in machines:
            with machine.namespace.inside():
                wire = socket.socket(socket.AF_INET, socket.SOCK_RAW, _ICMP)
            wire.setsockopt(_SOL_RAW, _ICMP_FILTER, _ALL_BUT_REPLIES)
            wire.setblocking(False)
            self._wires[machine.name] = wire

    def run(self) -> int:
        """Begin to number echo requests anew; answers to earlier runs are ignored."""
        return next(_RUNS) & 0xFFFF

    def ask(self, asker: Machine, answerer: Machine, run: int, sequence: int) -> None:
        """Send one echo request."""
        body = struct.pack("!Q", sequence) * 4
        head = _ECHO.pack(8, 0, 0, run, sequence & 0xFFFF)
        request = _ECHO.pack(8, 0, _checksum(head + body), run, sequence & 0xFFFF)
        self._wires[asker.name].sendto(request + body, (answerer.address, 0))

    def answers(self, asker: Machine, run: int) -> list[tuple[str, int]]:
        """Take what has been answered since: address of the answerer, sequence."""
        taken = []
        while True:
            try:
                packet = self._wires[asker.name].recv(2048)
            except BlockingIOError:
                return taken
            kind, _, _, its_run, sequence = _ECHO.unpack_from(packet, 20)
            if (kind, its_run) == (0, run):
                taken.append((socket.inet_ntoa(packet[12:16]), sequence))

    def stop(self) -> None:
        """Close the sockets."""
        for wire in self._wires.values():
            wire.close()
        self._wires.clear()


@frozen
class Answers:
    """How often each request of each pair was answered."""

    asked: int
    seen: Mapping[Pair, Counter[int]]

    def exact(self, pair: Pair) -> int:
        """Say how many requests were answered exactly once."""
        return sum(times == 1 for times in self.seen[pair].values())

    def total(self, pair: Pair) -> int:
        """Say how many answers came, repeated ones included."""
        return self.seen[pair].total()

    def tally(self, wanted: Collection[Pair]) -> Tally:
        """Count the answers of all pairs, those that are wanted and others."""
        total = Tally()
        for pair, times in self.seen.items():
            seen, once = times.total(), len(times)
            if pair in wanted:
                total += Tally(self.asked, once, repeated=seen - once)
            else:
                total += Tally(leaked=seen)
        return total


def ping(
    pinger: Pinger,
    pairs: Sequence[tuple[Machine, Machine]],
    wanted: frozenset[Pair],
    copies: int,
    deadline: float,
) -> Answers:
    """
    Ping all pairs at once.

    :param wanted: The pairs to wait for; the others get half a second more.
    """
    run = pinger.run()
    for asker in {asker.name: asker for asker, _ in pairs}.values():
        # Else the kernel still waits for those that did not answer last time.
        asker.namespace.ip("neigh flush dev eth0")
    names = {(asker.name, to.address): (asker.name, to.name) for asker, to in pairs}
    seen: dict[Pair, Counter[int]] = {pair: Counter() for pair in names.values()}
    for sequence in range(copies):
        for asker, to in pairs:
            pinger.ask(asker, to, run, sequence)
    end = time.monotonic() + deadline
    is_last_look = False
    while not is_last_look:
        done = all(len(seen[pair]) == copies for pair in wanted)
        is_last_look = done or time.monotonic() > end
        time.sleep(0.5 if is_last_look else 0.01)
        for asker in {asker.name: asker for asker, _ in pairs}.values():
            for address, sequence in pinger.answers(asker, run):
                if (asker.name, address) in names:
                    seen[names[asker.name, address]][sequence] += 1
    return Answers(copies, seen)


@frozen
class Loss:
    """What became of a stream."""

    sent: int
    lost: int
    repeated: int
    strayed: int
    """Frames that arrived at other machines of the network."""
    leaked: int
    """Frames that arrived in other networks."""
    pings: int
    unanswered: int

    @property
    def is_none(self) -> bool:
        """Whether something was sent, and arrived exactly once, where it should."""
        wrong = self.lost or self.repeated or self.strayed or self.leaked
        return self.sent > 0 and not (wrong or self.unanswered)

    @property
    def tally(self) -> Tally:
        """Frames and answers together."""
        expected = self.sent + self.pings
        arrived = expected - self.lost - self.unanswered
        return Tally(expected, arrived, self.strayed + self.leaked, self.repeated)


@define
class Stream:
    """Marked frames, and fewer pings, between pairs of machines at a steady rate."""

    _sniffer: Sniffer
    _pinger: Pinger
    _pairs: Sequence[tuple[Machine, Machine]]
    _first_probe: int
    _interval: float = 0.005
    _sent: int = 0
    _asked: int = 0
    _answered: Counter[tuple[str, str, int]] = field(factory=Counter)
    _given_up: int = 0
    _run: int = 0
    _thread: threading.Thread | None = None
    _is_stopping: bool = False

    def start(self) -> None:
        """Send from now on, in a thread."""
        self._run = self._pinger.run()
        self._thread = threading.Thread(target=self._send, daemon=True)
        self._thread.start()

    def stop(self, machines: Iterable[Machine], deadline: float = 10.0) -> Loss:
        """Stop, wait for what is still under way, and count."""
        self._is_stopping = True
        if self._thread is not None:
            self._thread.join()
        self._sniffer.await_quiet(self._has_arrived, deadline)
        self._listen()
        return self._loss(list(machines))

    def _send(self) -> None:
        due = time.monotonic()
        frames_per_ping = max(1, round(PING_INTERVAL / self._interval))
        while not self._is_stopping:
            is_asking = self._sent % frames_per_ping == 0
            for number, (sender, to) in enumerate(self._pairs):
                mark = (self._first_probe + number, self._sent)
                self._sniffer.send(
                    sender, frame(to.mac, sender.mac, EXPERIMENTAL, mark)
                )
                if is_asking:
                    self._pinger.ask(sender, to, self._run, self._asked)
            self._sent += 1
            self._asked += is_asking
            self._listen()
            self._await_room()
            # What is late is made good, but not all at once.
            due = max(due + self._interval, time.monotonic() - LATENESS)
            time.sleep(max(0.0, due - time.monotonic()))

    def _await_room(self) -> None:
        """Wait while too much is under way, unless it does not arrive at all."""
        end = time.monotonic() + STUCK
        while (count := self._underway()) > UNDERWAY and not self._is_stopping:
            if time.monotonic() > end:
                self._given_up += count
            time.sleep(0.001)
            self._listen()

    def _underway(self) -> int:
        """Count what was sent, and has neither arrived nor been given up."""
        arrived = len(self._answered) + sum(
            self._sniffer.arrived(to, self._first_probe + number)
            for number, (_, to) in enumerate(self._pairs)
        )
        sent = (self._sent + self._asked) * len(self._pairs)
        return sent - arrived - self._given_up

    def _listen(self) -> None:
        for sender in {sender.name: sender for sender, _ in self._pairs}.values():
            for address, sequence in self._pinger.answers(sender, self._run):
                self._answered[sender.name, address, sequence] += 1

    def _has_arrived(self) -> bool:
        self._listen()
        frames = all(
            self._sniffer.arrived(to, self._first_probe + number) == self._sent
            for number, (_, to) in enumerate(self._pairs)
        )
        return frames and len(self._answered) == self._asked * len(self._pairs)

    def _loss(self, machines: Sequence[Machine]) -> Loss:
        lost = repeated = strayed = leaked = 0
        for number, (_, to) in enumerate(self._pairs):
            probe = self._first_probe + number
            arrived = self._sniffer.count(to, probe)
            lost += self._sent - len(arrived)
            repeated += arrived.total() - len(arrived)
            for other in [one for one in machines if one.name != to.name]:
                seen = self._sniffer.count(other, probe).total()
                strayed += seen if other.network == to.network else 0
                leaked += seen if other.network != to.network else 0
        sent, asked = (n * len(self._pairs) for n in (self._sent, self._asked))
        repeated += self._answered.total() - len(self._answered)
        unanswered = asked - len(self._answered)
        return Loss(sent, lost, repeated, strayed, leaked, asked, unanswered)


def _checksum(packet: bytes) -> int:
    """Compute the Internet checksum (RFC 1071) of an even number of bytes."""
    total = sum(struct.unpack(f"!{len(packet) // 2}H", packet))
    total = (total >> 16) + (total & 0xFFFF)
    return ~(total + (total >> 16)) & 0xFFFF
