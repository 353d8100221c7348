# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""The API's site on real sockets."""

import contextlib
import socket
import sys
from pathlib import Path
from subprocess import PIPE, Popen

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import SynchronousTestCase, TestCase
from twisted.web.resource import Resource

from quantum.api.limits import Limits
from quantum.api.site import ApiSite

GET = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
ROOT = Path(__file__).parents[2]

SERVER = """
import resource, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (40, 40))
from twisted.internet import reactor
from twisted.web.static import Data
from quantum.api.limits import Limits
from quantum.api.site import ApiSite
leaf = Data(b"served", "text/plain")
leaf.isLeaf = True
site = ApiSite(leaf, Limits(connections=1000, per_peer=1000), reactor)
port = reactor.listenTCP(0, site, interface="127.0.0.1")
print(port.getHost().port, flush=True)
reactor.run()
"""


def exchange(port: int, data: bytes) -> bytes:
    """Send everything, then read until the other end hangs up."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as caller:
        answer = b""
        with contextlib.suppress(
            OSError
        ):  # it may hang up on us; what it said can be read
            caller.sendall(data)
        with contextlib.suppress(ConnectionResetError):
            while piece := caller.recv(65536):
                answer += piece
    return answer


class DescriptorTests(SynchronousTestCase):
    """When the process has no file descriptor left."""

    def test_recovers(self) -> None:
        """The listener survives, and serves again when callers have left."""
        with Popen([sys.executable, "-c", SERVER], cwd=ROOT, stdout=PIPE) as server:
            try:
                port = int(server.stdout.readline())
                flood = [
                    socket.create_connection(("127.0.0.1", port), timeout=20)
                    for _ in range(100)
                ]
                turned_away = flood[-1].recv(1)
                self.assertEqual((b"", None), (turned_away, server.poll()))
                for caller in flood:
                    caller.close()
                while b"served" not in (answer := exchange(port, GET)):
                    self.assertEqual(b"", answer)
            finally:
                server.kill()


class Nothing(Resource):
    """A resource with little to say."""

    isLeaf = True

    def render(self, request) -> bytes:
        return b"taken: %d" % len(request.content.read())


class SocketTests(TestCase):
    """A listening site and callers in a thread."""

    def setUp(self) -> None:
        self.site = ApiSite(Nothing(), Limits(per_peer=5), reactor)
        self.port = reactor.listenTCP(0, self.site, interface="127.0.0.1")
        self.addCleanup(self.port.stopListening)

    def exchange(self, data: bytes) -> Deferred[bytes]:
        """Call from a thread."""
        return deferToThread(exchange, self.port.getHost().port, data)

    async def test_get(self) -> None:
        """A request is answered."""
        self.assertIn(b"200 OK", await self.exchange(GET))

    async def test_large_body(self) -> None:
        """A caller who sends far too much learns why nobody listened."""
        head = b"POST / HTTP/1.1\r\nContent-Length: 30000000\r\n\r\n"
        answer = await self.exchange(head + b"x" * 30_000_000)
        self.assertEqual(b"HTTP/1.1 413", answer[:12])

    async def test_endless_chunks(self) -> None:
        """So does one who never says how much it will be."""
        head = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
        answer = await self.exchange(head + b"8000\r\n%b\r\n" % (b"x" * 32768) * 200)
        self.assertEqual(b"HTTP/1.1 413", answer[:12])

    async def test_body_of_the_limit(self) -> None:
        """A body of exactly a mebibyte is taken."""
        head = (
            b"POST / HTTP/1.1\r\nConnection: close\r\nContent-Length: 1048576\r\n\r\n"
        )
        answer = await self.exchange(head + b"x" * 1048576)
        self.assertEqual(b"taken: 1048576", answer.partition(b"\r\n\r\n")[2])

    async def test_flood(self) -> None:
        """One too many from one address is told so."""
        port = self.port.getHost().port
        callers = [await deferToThread(_connected, port) for _ in range(6)]
        answer = await deferToThread(callers[-1].recv, 12)
        self.assertEqual(b"HTTP/1.1 503", answer)
        for caller in callers:
            caller.close()


def _connected(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=20)
