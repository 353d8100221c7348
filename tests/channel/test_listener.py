# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""Accepting switches over real sockets on loopback."""

import gc
import socket
import subprocess
import sys
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from OpenSSL.crypto import FILETYPE_PEM
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import (
    SSL4ServerEndpoint,
    TCP4ClientEndpoint,
    TCP4ServerEndpoint,
    UNIXClientEndpoint,
    UNIXServerEndpoint,
    connectProtocol,
    wrapClientTLS,
)
from twisted.internet.protocol import Protocol
from twisted.internet.ssl import KeyPair, PrivateCertificate, optionsForClientTLS
from twisted.internet.task import deferLater
from twisted.trial.unittest import TestCase

from quantum.channel.connection import Connection
from quantum.channel.host import RyuHost
from quantum.channel.limits import Limits
from quantum.channel.listener import ACCEPTS, OpenFlowListener
from tests.channel.corpus import FEATURES, HELLO, MALFORMED, PORT, READY, frame, part
from tests.channel.sample.recorder import Recorder, Seen


class Far(Protocol):
    """A switch's end of a real connection: introduces itself, answers echoes."""

    def __init__(self, *greeting: bytes, reads: bool = True) -> None:
        self.greeting = b"".join(greeting)
        self.reads = reads
        self.heard = b""
        self.received = 0
        self.ended: Deferred[None] = Deferred()

    def connectionMade(self) -> None:
        self.transport.write(self.greeting)
        if not self.reads:
            self.transport.pauseProducing()

    def dataReceived(self, data: bytes) -> None:
        self.received += len(data)
        self.heard += data
        while len(self.heard) >= 8:
            length = int.from_bytes(self.heard[2:4])
            if len(self.heard) < length:
                return
            one, self.heard = self.heard[:length], self.heard[length:]
            if one[1] in {2, 20}:  # echo and barrier
                self.transport.write(
                    frame(one[1] + 1, one[8:], int.from_bytes(one[4:8]))
                )

    def connectionLost(self, reason: object = None) -> None:
        self.ended.callback(None)


def introduction(datapath_id: int) -> bytes:
    """Make all that a switch says in its handshake."""
    return HELLO + frame(6, datapath_id.to_bytes(8) + FEATURES[8:], 2) + part(13, PORT)


def own_certificate() -> PrivateCertificate:
    """Make a certificate for localhost, good for an hour."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    names = x509.SubjectAlternativeName([x509.DNSName("localhost")])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), 1)
        .not_valid_before(now)
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(names, critical=False)
        .sign(key, hashes.SHA256())
    )
    form = serialization.PrivateFormat.PKCS8
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, form, serialization.NoEncryption())
    return PrivateCertificate.load(
        certificate.public_bytes(pem), KeyPair.load(secret, FILETYPE_PEM), FILETYPE_PEM
    )


class ListenerCase(TestCase):
    """A test with a listener on loopback."""

    limits = Limits()
    timeout = 60

    async def setUp(self) -> None:
        self.seen = Seen()
        self.host = RyuHost(reactor, self.limits)
        self.host.run([Recorder], {"seen": self.seen})
        self.listener = OpenFlowListener(self.host, self.limits)
        endpoint = TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1")
        self.port = (await self.listener.listen(endpoint)).getHost().port
        self.far: list[Far] = []

    async def tearDown(self) -> None:
        await self.listener.stop()
        self.host.close()
        for far in self.far:
            if not far.ended.called:
                far.transport.abortConnection()
            await far.ended

    async def connect(self, *greeting: bytes, reads: bool = True) -> Far:
        """Connect a switch."""
        endpoint = TCP4ClientEndpoint(reactor, "127.0.0.1", self.port)
        far = await connectProtocol(endpoint, Far(*greeting, reads=reads))
        self.far.append(far)
        return far

    async def until(self, condition) -> None:
        """Wait until something is true."""
        while not condition():
            await deferLater(reactor, 0.005, lambda: None)


class ListenerTests(ListenerCase):
    """Coming, staying, being sent away."""

    limits = Limits(max_per_address=3, max_connections=4, buffer_limit=65536)

    async def test_handshake(self) -> None:
        """A switch that connects becomes known, and is forgotten when it leaves."""
        far = await self.connect(READY)
        await self.until(lambda: self.host.switches)
        answer = await self.host.switches[0x1234].request(frame(20), 5)
        self.assertEqual(21, answer[0].msg_type)
        far.transport.loseConnection()
        await self.until(lambda: not self.host.switches)

    async def test_unix(self) -> None:
        """A Unix socket serves as well."""
        path = self.mktemp()
        await self.listener.listen(UNIXServerEndpoint(reactor, path))
        far = await connectProtocol(UNIXClientEndpoint(reactor, path), Far(READY))
        self.far.append(far)
        await self.until(lambda: self.host.switches)

    async def test_tls(self) -> None:
        """Transport security makes no difference."""
        certificate = own_certificate()
        options = certificate.options()
        here = SSL4ServerEndpoint(reactor, 0, options, interface="127.0.0.1")
        port = await self.listener.listen(here)
        client = wrapClientTLS(
            optionsForClientTLS("localhost", trustRoot=certificate),
            TCP4ClientEndpoint(reactor, "127.0.0.1", port.getHost().port),
        )
        far = await connectProtocol(client, Far(introduction(1)))
        self.far.append(far)
        await self.until(lambda: self.host.switches)
        await self.host.switches[1].request(frame(20), 5)
        piece, left = frame(14, bytes(56)) * 1000, [50]

        def take(_size: int) -> bytes:
            left[0] -= 1
            return piece if left[0] >= 0 else b""

        self.host.switches[1].pump(take)
        await self.until(lambda: far.received >= 50 * len(piece))
        self.assertIn(("main", 1), self.seen)

    async def test_too_many(self) -> None:
        """More connections than an address may have are closed, and only those."""
        first = [await self.connect(introduction(n)) for n in (1, 2, 3)]
        last = await self.connect(introduction(4))
        await last.ended
        self.assertEqual([False] * 3, [far.ended.called for far in first])
        first[0].transport.loseConnection()
        await first[0].ended
        await self.until(lambda: 1 not in self.host.switches)
        await self.connect(introduction(5))
        await self.until(lambda: 5 in self.host.switches)

    async def test_stop(self) -> None:
        """Stopping closes everything, also who reads nothing."""
        here = [await self.connect(introduction(1)), await self.connect(reads=False)]
        await self.until(lambda: self.host.switches)
        await self.listener.stop()
        here[1].transport.resumeProducing()
        for far in here:
            await far.ended
        self.assertEqual({}, dict(self.host.switches))
        self.assertIn(("dead", 1), self.seen)

    async def test_deaf(self) -> None:
        """A switch that does not read costs only itself."""
        await self.connect(introduction(1), reads=False)
        good = await self.connect(introduction(2))
        await self.until(lambda: len(self.host.switches) == 2)
        deaf, fine = self.host.switches[1], self.host.switches[2]
        sent = 0
        while deaf.send(bytes(60000)):
            sent += 60000
            await fine.request(frame(20), 5)
        self.assertLess(sent, 32 * 1024 * 1024)
        self.assertNotIn(1, self.host.switches)
        self.assertFalse(good.ended.called)

    async def test_pumped(self) -> None:
        """A long programme arrives whole, and what follows it after it."""
        far = await self.connect(introduction(1))
        await self.until(lambda: self.host.switches)
        piece, left = frame(14, bytes(104)) * 500, [200]

        def take(_size: int) -> bytes:
            left[0] -= 1
            return piece if left[0] >= 0 else b""

        before = far.received
        self.host.switches[1].pump(take)
        await self.until(lambda: far.received - before >= 200 * len(piece))
        await self.host.switches[1].request(frame(20), 5)


class HostileTests(ListenerCase):
    """One peer's bad frames are nobody else's business."""

    async def test_malformed(self) -> None:
        """Every malformed frame ends its connection; an innocent switch goes on."""
        await self.connect(introduction(0xFF))
        await self.until(lambda: self.host.switches)
        innocent = self.host.switches[0xFF]
        for number, (name, data) in enumerate(MALFORMED.items(), 1):
            is_early = data[1] == 0 and name != "second hello"
            before = b"" if is_early else introduction(number)
            bad = await self.connect(before, data)
            await innocent.request(frame(20), 5)
            await bad.ended
        await self.until(lambda: len(self.listener._connections) == 1)
        self.assertEqual([0xFF], list(self.host.switches))
        gc.collect()
        left = [
            thing
            for thing in gc.get_objects()
            if isinstance(thing, Connection) and thing._roster is self.host.switches
        ]
        self.assertEqual(1, len(left))


class SilentTests(ListenerCase):
    """Who says nothing does not stay."""

    limits = Limits(handshake_deadline=1.0)

    async def test_silent(self) -> None:
        """A peer that says nothing is closed at the deadline of the handshake."""
        silent = await self.connect()
        await silent.ended
        await self.until(lambda: not self.listener._connections)


class SwarmTests(ListenerCase):
    """Many switches."""

    async def test_five_hundred(self) -> None:
        """Five hundred switches connect, introduce themselves, and answer."""
        for number in range(1, 501):
            await self.connect(introduction(number))
        await self.until(lambda: len(self.host.switches) == 500)
        for datapath in self.host.switches.values():
            await datapath.request(frame(20), 30)
        self.assertEqual(500, self.seen.count("barrier ends"))

    async def test_pace(self) -> None:
        """However many connect at once, few are accepted in a turn of the reactor."""
        (port,) = self.listener._ports
        here = ("127.0.0.1", self.port)
        clients = [socket.create_connection(here) for _ in range(30)]
        turns: list[int] = []
        while sum(turns) < len(clients):
            before = port.sessionno
            await deferLater(reactor, 0, lambda: None)
            turns.append(port.sessionno - before)
        for client in clients:
            client.close()
        self.assertLessEqual(max(turns), 2 * ACCEPTS)


DESCRIPTORS = """
import resource, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (40, 40))
import socket
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from OpenSSL.crypto import FILETYPE_PEM
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ServerEndpoint
from twisted.internet.task import deferLater, react
from quantum.channel.connection import Connection
from quantum.channel.host import RyuHost
from quantum.channel.listener import OpenFlowListener
from tests.channel.corpus import READY

async def main(reactor):
    host = RyuHost(reactor)
    host.run(["tests.channel.sample.recorder"])
    listener = OpenFlowListener(host)
    endpoint = TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1")
    port = (await listener.listen(endpoint)).getHost().port
    def connect():
        wire = socket.socket()
        wire.setblocking(False)
        wire.connect_ex(("127.0.0.1", port))
        return wire
    wires = []
    for _ in range(60):
        try:
            wires.append(connect())
        except OSError:
            pass
        await deferLater(reactor, 0.002, lambda: None)
    for wire in wires:
        wire.close()
    await deferLater(reactor, 0.2, lambda: None)
    wire = connect()
    await deferLater(reactor, 0.1, lambda: None)
    wire.send(READY)
    while not host.switches:
        await deferLater(reactor, 0.01, lambda: None)
    await listener.stop()
    host.close()
    print("fine")

react(lambda reactor: Deferred.fromCoroutine(main(reactor)))
"""


class DescriptorTests(TestCase):
    """Running out of file descriptors."""

    def test_recovers(self) -> None:
        """When descriptors are used up the listener waits, and then accepts again."""
        done = subprocess.run(
            [sys.executable, "-c", DESCRIPTORS],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        self.assertEqual(("fine\n", 0), (done.stdout, done.returncode), done.stderr)
