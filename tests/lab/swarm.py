# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
Very many switches at once: simulated ones in one process, or real bridges.

``python -m tests.lab.swarm SOCKET`` is the process of the simulated ones; it does
what `Swarm` tells it over a Unix socket, and ends when that is closed.  Each
simulated switch connects from an address of its own in 127.0.0.0/8, as each
hypervisor would.
"""

import subprocess
import sys
from collections import Counter
from enum import StrEnum
from pathlib import Path
from typing import Any, ClassVar

from attrs import define, field, frozen
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import UNIXServerEndpoint
from twisted.internet.protocol import ClientFactory, Factory, Protocol
from twisted.internet.task import deferLater
from twisted.protocols import amp

from tests.lab.ovs import OpenVSwitch
from tests.lab.speaker import Speaker

SLOWNESS = 0.05
"""Seconds that a slow switch takes over every piece it reads."""


class Manner(StrEnum):
    """How a simulated switch behaves from its next connection on."""

    PROMPT = "prompt"
    SLOW = "slow"
    """It reads a little, then nothing for a while."""
    DEAF = "deaf"
    """It greets, says who it is, and never reads again."""


class Join(amp.Command):
    """Connect switches, all at once, to a port of this machine."""

    arguments: ClassVar = [
        (b"port", amp.Integer()),
        (b"first", amp.Integer()),
        (b"last", amp.Integer()),
        (b"manner", amp.Unicode()),
    ]


class Leave(amp.Command):
    """Disconnect switches, all at once; answered when all are gone."""

    arguments: ClassVar = [(b"first", amp.Integer()), (b"last", amp.Integer())]


class Count(amp.Command):
    """Say how many are connected, how many flows they have, and what they heard."""

    response: ClassVar = [
        (b"connected", amp.Integer()),
        (b"dropped", amp.Integer()),
        (b"flows", amp.Integer()),
        (b"names", amp.ListOf(amp.Unicode())),
        (b"numbers", amp.ListOf(amp.Integer())),
    ]


@frozen
class Tally:
    """What there is, and what all switches together have heard so far."""

    connected: int
    dropped: int
    """Connections that the other side ended, or refused."""
    flows: int
    heard: Counter[str]


@define
class Swarm:
    """The process of the simulated switches, as whoever started it sees it."""

    _reactor: Any
    _process: subprocess.Popen[bytes]
    _wire: amp.AMP

    @classmethod
    async def start(cls, reactor: Any, folder: Path) -> "Swarm":
        """Start the process; its socket is made in a folder."""
        path = str(folder / "swarm.sock")
        factory = Factory.forProtocol(_Line)
        factory.noisy = False
        factory.opened = Deferred()
        port = await UNIXServerEndpoint(reactor, path).listen(factory)
        process = _spawn(path)
        wire = await factory.opened
        await port.stopListening()
        return cls(reactor, process, wire)

    async def join(
        self, port: int, first: int, last: int, manner: Manner = Manner.PROMPT
    ) -> None:
        """Let the switches with these datapath ids connect to a port."""
        await self._wire.callRemote(
            Join, port=port, first=first, last=last, manner=str(manner)
        )

    async def leave(self, first: int, last: int) -> None:
        """Let switches go away; they keep their flows."""
        await self._wire.callRemote(Leave, first=first, last=last)

    async def tally(self) -> Tally:
        """Ask how things stand."""
        found = await self._wire.callRemote(Count)
        heard = Counter(dict(zip(found["names"], found["numbers"], strict=True)))
        return Tally(found["connected"], found["dropped"], found["flows"], heard)

    async def stop(self) -> None:
        """End the process."""
        self._wire.transport.loseConnection()
        while self._process.poll() is None:
            await deferLater(self._reactor, 0.01)


def _spawn(path: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.lab.swarm", path],
        stdin=subprocess.DEVNULL,
        cwd=Path(__file__).parents[2],
    )


class _Line(amp.AMP):
    """Our end of the socket."""

    def connectionMade(self) -> None:
        self.factory.opened.callback(self)


@define(eq=False, slots=False)
class _Connection(Protocol):
    """A simulated switch while it is connected."""

    speaker: Speaker
    _manner: Manner
    _clock: Any
    ended: Deferred[None] = field(factory=Deferred)

    def connectionMade(self) -> None:
        self.transport.setTcpNoDelay(True)
        self.transport.write(self.speaker.greeting())
        if self._manner is Manner.DEAF:
            self.transport.write(self.speaker.features(1, b""))
            self.transport.write(self.speaker.statistics(1, b"\0\x0d"))
            self.transport.pauseProducing()

    def dataReceived(self, data: bytes) -> None:
        answer = self.speaker.hear(data)
        if answer:
            self.transport.write(answer)
        if self._manner is Manner.SLOW:
            self.transport.pauseProducing()
            self._clock.callLater(SLOWNESS, self._go_on)

    def connectionLost(self, reason: object = None) -> None:
        self.ended.callback(None)

    def _go_on(self) -> None:
        if not self.ended.called:
            self.transport.resumeProducing()


class _Factory(ClientFactory):
    """Makes the one connection of a switch, and counts if there is none."""

    noisy = False

    def __init__(self, hive: "_Hive", speaker: Speaker, manner: Manner) -> None:
        self._hive = hive
        self._speaker = speaker
        self._manner = manner

    def buildProtocol(self, addr: object) -> _Connection:
        connection = _Connection(self._speaker, self._manner, self._hive.reactor)
        self._hive.connections[self._speaker.datapath_id] = connection
        return connection

    def clientConnectionFailed(self, connector: object, reason: object) -> None:
        self._hive.dropped += 1

    def clientConnectionLost(self, connector: object, reason: object) -> None:
        number = self._speaker.datapath_id
        if self._hive.connections.pop(number, None) is not None:
            self._hive.dropped += 1


class _Hive(amp.AMP):
    """All simulated switches of this process, and the commands they follow."""

    def __init__(self, reactor: Any) -> None:
        super().__init__()
        self.reactor = reactor
        self.connections: dict[int, _Connection] = {}
        self.dropped = 0
        self._speakers: dict[int, Speaker] = {}

    @Join.responder
    def join(self, port: int, first: int, last: int, manner: str) -> dict[str, Any]:
        """Connect switches."""
        for number in range(first, last + 1):
            speaker = self._speakers.setdefault(number, Speaker(number))
            factory = _Factory(self, speaker, Manner(manner))
            own = f"127.{number >> 16 & 127 | 128}.{number >> 8 & 255}.{number & 255}"
            self.reactor.connectTCP("127.0.0.1", port, factory, bindAddress=(own, 0))
        return {}

    @Leave.responder
    async def leave(self, first: int, last: int) -> dict[str, Any]:
        """Disconnect switches."""
        numbers = range(first, last + 1)
        leaving = [self.connections.pop(n) for n in numbers if n in self.connections]
        for connection in leaving:
            connection.transport.abortConnection()
        for connection in leaving:
            await connection.ended
        return {}

    @Count.responder
    def count(self) -> dict[str, Any]:
        """Say how things stand."""
        speakers = self._speakers.values()
        heard: Counter[str] = Counter()
        for speaker in speakers:
            heard.update(speaker.heard)
        return {
            "connected": len(self.connections),
            "dropped": self.dropped,
            "flows": sum(len(speaker.table.flows) for speaker in speakers),
            "names": list(heard),
            "numbers": list(heard.values()),
        }

    def connectionLost(self, reason: Any) -> None:
        super().connectionLost(reason)
        if self.reactor.running:
            self.reactor.stop()


def bridge(number: int) -> str:
    """Name a real bridge."""
    return f"b{number}"


def make_bridges(ovs: OpenVSwitch, count: int) -> None:
    """Make bridges with the datapath ids 1 to ``count``, in one transaction."""
    words: list[str] = []
    for number in range(1, count + 1):
        name = bridge(number)
        words += ["--", "add-br", name, "--", "set", "bridge", name]
        words += ["datapath_type=dummy", "fail_mode=secure"]
        words += [f"other_config:datapath-id={number:016x}"]
    ovs.vsctl(*words)


def enrol_bridges(ovs: OpenVSwitch, count: int, target: str) -> None:
    """Give bridges their controller, in one transaction: all connect at once."""
    words: list[str] = []
    for number in range(1, count + 1):
        name = bridge(number)
        words += ["--", "set-controller", name, target, "--", "set", "controller", name]
        words += ["max_backoff=1000", "inactivity_probe=5000"]
    ovs.vsctl(*words)


def dismiss_bridges(ovs: OpenVSwitch, count: int) -> None:
    """Take their controllers away, in one transaction."""
    words: list[str] = []
    for number in range(1, count + 1):
        words += ["--", "del-controller", bridge(number)]
    ovs.vsctl(*words)


def main(path: str) -> None:
    """Be the process of the simulated switches."""
    from twisted.internet import reactor  # noqa: PLC0415  # in the process only

    factory = ClientFactory()
    factory.noisy = False
    factory.buildProtocol = lambda _: _Hive(reactor)
    reactor.connectUNIX(path, factory)
    reactor.run()


if __name__ == "__main__":
    main(sys.argv[1])
