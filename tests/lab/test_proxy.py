# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""What the proxy does to a stream."""

import socket
import threading
import time

import pytest
from twisted.trial.unittest import SynchronousTestCase

from tests.lab.namespace import Namespace
from tests.lab.proxy import Fault, FaultProxy, Way

pytestmark = pytest.mark.root

HOST = "127.0.0.1"
PROXY, SERVER = 7001, 7002
PATIENCE = 30.0


class ProxyTests(SynchronousTestCase):
    """Between a client and a server that sends back what it receives."""

    def setUp(self) -> None:
        """Start a server and a proxy in a namespace of their own."""
        self.namespace = Namespace.create("proxy")
        self.addCleanup(self.namespace.close)
        with self.namespace.inside():
            self.server = socket.create_server((HOST, SERVER))
        self.addCleanup(self.server.close)
        thread = threading.Thread(target=self.serve, daemon=True)
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(self.server.shutdown, socket.SHUT_RDWR)
        self.proxy = FaultProxy(self.namespace, (HOST, PROXY), (HOST, SERVER))
        self.proxy.start()
        self.addCleanup(self.proxy.stop)

    def serve(self) -> None:
        """Serve one client after another."""
        while True:
            try:
                wire, _ = self.server.accept()
            except OSError:
                return
            with wire:
                try:
                    while chunk := wire.recv(100):
                        wire.sendall(chunk)
                except OSError:
                    continue

    def connect(self) -> socket.socket:
        """Connect to the server through the proxy."""
        with self.namespace.inside():
            wire = socket.create_connection((HOST, PROXY), PATIENCE)
        self.addCleanup(wire.close)
        return wire

    def received(self, wire: socket.socket, count: int) -> bytes:
        """Receive so many bytes, or fewer if the connection is reset."""
        found = b""
        try:
            while len(found) < count and (chunk := wire.recv(count)):
                found += chunk
        except ConnectionResetError:
            return found
        return found

    def await_swallowed(self, count: int) -> None:
        """Wait until the proxy has swallowed so many bytes."""
        deadline = time.monotonic() + PATIENCE
        while self.proxy.swallowed < count:
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.01)

    def assert_silent(self, wire: socket.socket) -> None:
        """Nothing comes, not even an end."""
        wire.settimeout(0.3)
        self.assertRaises(TimeoutError, wire.recv, 1)

    def test_nothing_wrong(self) -> None:
        """Without a fault all passes, the end of the connection too."""
        wire = self.connect()
        wire.sendall(b"hello")
        self.assertEqual(b"hello", self.received(wire, 5))
        wire.shutdown(socket.SHUT_WR)
        self.assertEqual(b"", wire.recv(1))

    def test_cut(self) -> None:
        """The connection is reset after exactly so many bytes."""
        self.proxy.do(Fault(Way.DOWN, cut_at=7))
        wire = self.connect()
        wire.sendall(b"four")
        self.assertEqual(b"four", self.received(wire, 4))
        wire.sendall(b"more")
        self.assertEqual(b"mor", self.received(wire, 4))

    def test_swallowed(self) -> None:
        """What is swallowed is not made good when the fault ends."""
        wire = self.connect()
        wire.sendall(b"1")
        self.assertEqual(b"1", self.received(wire, 1))
        self.proxy.do(Fault(Way.DOWN, is_swallowing=True), HOST)
        wire.sendall(b"2")
        self.await_swallowed(1)
        self.proxy.behave()
        wire.sendall(b"3")
        self.await_swallowed(2)
        self.assert_silent(wire)

    def test_other_client(self) -> None:
        """A fault of one client's is none of another's."""
        self.proxy.do(Fault(is_swallowing=True), "127.0.0.9")
        wire = self.connect()
        wire.sendall(b"hello")
        self.assertEqual(b"hello", self.received(wire, 5))

    def test_refused(self) -> None:
        """What is connected is reset, and so is what connects."""
        wire = self.connect()
        wire.sendall(b"1")
        self.assertEqual(b"1", self.received(wire, 1))
        self.proxy.do(Fault(is_refusing=True))
        self.assertEqual(b"", self.received(wire, 1))
        self.assertEqual(b"", self.received(self.connect(), 1))

    def test_delayed_and_throttled(self) -> None:
        """What is late or slow comes whole."""
        self.proxy.do(Fault(delay=0.2, rate=1000.0))
        wire, start = self.connect(), time.monotonic()
        wire.sendall(bytes(200))
        self.assertEqual(bytes(200), self.received(wire, 200))
        self.assertGreater(time.monotonic() - start, 0.4)

    def test_repeated(self) -> None:
        """What is repeated comes twice, the same chunks for the same seed."""
        self.proxy.do(Fault(Way.UP, repetition=1.0))
        wire = self.connect()
        wire.sendall(b"hello")
        self.assertEqual(b"hellohello", self.received(wire, 10))
