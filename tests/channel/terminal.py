# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""A host in memory, and the far ends of its connections."""

from attrs import define, field
from twisted.internet.address import IPv4Address
from twisted.internet.error import ConnectionAborted, ConnectionDone
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from quantum.channel.connection import Connection
from quantum.channel.frames import HEADER
from quantum.channel.host import RyuHost
from quantum.channel.limits import Limits
from tests.channel.corpus import FEATURES, HELLO, PORT, frame, part
from tests.channel.sample.recorder import Recorder, Seen

DATAPATH_ID = 0x1234
BARRIER_REQUEST = frame(20, xid=77)
ECHO_REQUEST, ECHO_REPLY = 2, 3


class Ticking(Clock):
    """A clock that may go on a little whenever somebody looks at it."""

    tick = 0.0

    def seconds(self) -> float:
        self.rightNow += self.tick
        return self.rightNow


class Transport(StringTransport):
    """A transport that tells its protocol when it was closed."""

    def __init__(self) -> None:
        super().__init__()
        self.protocol: Connection | None = None

    def abortConnection(self) -> None:
        super().abortConnection()
        self._lost(ConnectionAborted())

    def loseConnection(self) -> None:
        super().loseConnection()
        self._lost(ConnectionDone())

    def _lost(self, reason: Exception) -> None:
        protocol, self.protocol = self.protocol, None
        if protocol is not None:
            protocol.connectionLost(Failure(reason))


@define
class Switch:
    """The switch's end of a connection."""

    connection: Connection
    transport: Transport = field(factory=Transport)

    def connect(self) -> "Switch":
        """Become connected."""
        self.transport.protocol = self.connection
        self.connection.makeConnection(self.transport)
        return self

    def say(self, *frames: bytes) -> None:
        """Send frames."""
        self.connection.dataReceived(b"".join(frames))

    def introduce(self, datapath_id: int = DATAPATH_ID) -> "Switch":
        """Do the whole handshake, and forget what was heard."""
        self.say(HELLO, frame(6, datapath_id.to_bytes(8) + FEATURES[8:], 2))
        self.say(part(13, PORT, 3))
        self.heard()
        return self

    def heard(self) -> list[bytes]:
        """Take the frames that came since the last time."""
        data, frames = self.transport.value(), []
        self.transport.clear()
        while data:
            length = HEADER.unpack_from(data)[2]
            frames.append(data[:length])
            data = data[length:]
        return frames

    def answer_echoes(self) -> int:
        """Answer every echo request that came; how many there were."""
        asked = [data for data in self.heard() if data[1] == ECHO_REQUEST]
        for data in asked:
            self.say(frame(ECHO_REPLY, data[8:], int.from_bytes(data[4:8])))
        return len(asked)

    def hang_up(self) -> None:
        """Close the connection."""
        self.transport.loseConnection()

    @property
    def is_dropped(self) -> bool:
        """Whether the connection was aborted."""
        return bool(self.transport.disconnecting)


class HostCase(SynchronousTestCase):
    """A test with a host that runs one application."""

    limits = Limits()

    def setUp(self) -> None:
        self.clock, self.seen = Ticking(), Seen()
        self.host = RyuHost(self.clock, self.limits)
        self.host.run([Recorder], {"seen": self.seen})
        self.switches: list[Switch] = []
        self.addCleanup(self.host.close)

    def tearDown(self) -> None:
        for switch in self.switches:
            switch.hang_up()
        self.assertEqual([], self.clock.getDelayedCalls())

    def connect(self) -> Switch:
        """Connect a switch that says nothing yet."""
        address = IPv4Address("TCP", "192.0.2.1", 40000 + len(self.switches))
        switch = Switch(self.host.connection(address)).connect()
        self.switches.append(switch)
        return switch

    def switch(self, datapath_id: int = DATAPATH_ID) -> Switch:
        """Connect a switch and finish its handshake."""
        return self.connect().introduce(datapath_id)
