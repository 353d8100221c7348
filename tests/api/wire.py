# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""A caller without a socket: real HTTP bytes in, parsed answers out."""

from io import BytesIO

from attrs import field, frozen
from twisted.internet.address import IPv4Address
from twisted.internet.error import ConnectionDone
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure

from quantum.api.connection import Connection
from quantum.api.site import ApiSite


class Wire(StringTransport):
    """
    A transport whose other end may be slow.

    Like a TCP transport it pauses its producer when more is buffered than
    ``room``; `drain` is the caller reading everything.
    """

    room = 1 << 30
    aborted = False
    lost = False
    protocol: Connection
    unread = 0
    is_pausing = False

    def write(self, data: bytes) -> None:
        super().write(data)
        self.unread += len(data)
        if self.unread > self.room and self.producer and not self.is_pausing:
            self.is_pausing = True
            self.producer.pauseProducing()

    def writeSequence(self, data) -> None:
        self.write(b"".join(data))

    def drain(self) -> None:
        """Let the caller read all there is."""
        self.unread = 0
        if self.is_pausing and self.producer:
            self.is_pausing = False
            self.producer.resumeProducing()

    def lose(self) -> None:
        """Let the connection end."""
        self.lost = True
        self.protocol.connectionLost(Failure(ConnectionDone()))

    def abortConnection(self) -> None:
        self.aborted = True
        self.disconnecting = True
        self.lose()


def connect(site: ApiSite, host: str = "192.0.2.1") -> tuple[Connection, Wire]:
    """Connect a caller to a site."""
    address = IPv4Address("TCP", host, 4000)
    connection = site.buildProtocol(address)
    transport = Wire(peerAddress=address)
    transport.protocol = connection
    connection.makeConnection(transport)
    return connection, transport


@frozen
class Answer:
    """One response; how its body was delimited is not part of what it says."""

    status: int
    reason: bytes
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes
    framing: str = field(eq=False)


def answers(data: bytes, method: bytes = b"GET") -> list[Answer]:
    """Parse all responses in ``data``, each to a request by ``method``."""
    stream, found = BytesIO(data), []
    while line := stream.readline():
        if line.startswith(b"HTTP/1.1 100 "):
            stream.readline()
            continue
        _, status, reason = line.rstrip(b"\r\n").split(b" ", 2)
        headers = {}
        while (line := stream.readline().rstrip(b"\r\n")) != b"":
            name, value = line.split(b": ", 1)
            assert name not in headers, name
            headers[name] = value
        body, framing = _body(stream, headers, method, int(status))
        found.append(
            Answer(int(status), reason, tuple(sorted(headers.items())), body, framing)
        )
    return found


def _body(stream, headers, method: bytes, status: int) -> tuple[bytes, str]:
    """Take a body as its headers say it is delimited."""
    length = headers.pop(b"Content-Length", None)
    is_chunked = headers.pop(b"Transfer-Encoding", None)
    if method == b"HEAD" or status in {204, 304}:
        return b"", "none" if length is None and is_chunked is None else "wrong"
    if length is not None:
        return stream.read(int(length)), "length"
    assert is_chunked, headers
    body = b""
    while size := int(stream.readline(), 16):
        body += stream.read(size)
        stream.readline()
    stream.readline()
    return body, "chunks"
