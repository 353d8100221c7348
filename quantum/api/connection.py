# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
One caller's connection, and what it cannot do to us.

`twisted.web.http.HTTPChannel` parses; this class bounds it.  A connection is
always watched by at most one deadline, none of which a mere byte restarts:

* *idle*: nothing of a request has arrived;
* *receiving*: a request has begun and is not complete;
* *writing*: the caller does not read what we have written;
* *closing*: we hang up and the caller does not let us.

While a request is being worked on, and its caller reads, time is on our side.
"""

from typing import Any

from twisted.internet.interfaces import IAddress
from twisted.internet.protocol import connectionDone
from twisted.protocols.basic import LineReceiver
from twisted.python.failure import Failure
from twisted.web.http import HTTPChannel, Request
from twisted.web.http_headers import Headers
from typing_extensions import override

from quantum.api.answers import Answer, AnswerTo
from quantum.api.faults import TooLarge, TooSlow
from quantum.api.limits import Deadline, party
from quantum.errors import Malformed, QuantumError

NO_ROOM = Answer(
    503,
    b"Service Unavailable",
    ((b"Retry-After", b"1"), (b"Content-Type", b"text/plain")),
    b"Too many connections; try again later.\n",
)


class Connection(HTTPChannel):
    """An `HTTPChannel` with bounds; its ``site`` is a `quantum.api.site.ApiSite`."""

    transport: Any
    site: Any
    _admitted: Any = None
    _refused = False
    _watched_by: Deadline | None = None
    _path = b""
    _peer: IAddress
    _host: IAddress

    @override
    def connectionMade(self) -> None:
        self._peer = self.transport.getPeer()
        self._host = self.transport.getHost()
        super().connectionMade()
        who = party(self._peer)
        if self.site.crowd.admit(who):
            self._admitted = (who,)
            self._watch(self.site.idle)
        else:
            self._hang_up(NO_ROOM)

    @override
    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._refused = True
        self._watch(None)
        if self._admitted:
            self.site.crowd.leave(*self._admitted)
            self._admitted = None
        super().connectionLost(reason)

    @override
    def getPeer(self) -> IAddress:
        return self._peer

    @override
    def getHost(self) -> IAddress:
        return self._host

    @override
    def dataReceived(self, data: bytes) -> None:
        if self._refused:
            return
        # Not HTTPChannel's, which gives every byte another minute.
        LineReceiver.dataReceived(self, data)
        if self._watched_by is self.site.idle:
            # Most requests arrive whole, and need no deadline to be so.
            if self._handlingRequest:
                self._watch(None)
            elif self.requests or self._buffer:
                self._watch(self.site.receiving)

    @override
    def headerReceived(self, line: bytes) -> bool:
        lines = self.site.header_lines
        if lines.add_known(line, self.requests[-1].requestHeaders):
            self._receivedHeaderCount += 1
            if self._receivedHeaderCount <= self.maxHeaders:
                return True
            self._respondToBadRequestAndDisconnect()
            return False
        try:
            is_valid = super().headerReceived(line)
        except ValueError:  # a Content-Length of more digits than int() takes
            self.refuse(Malformed("Content-Length cannot be understood"))
            return False
        if is_valid:
            lines.learn(line)
        return bool(is_valid)

    @override
    def allHeadersReceived(self) -> None:
        if self._refused:
            return
        if self.length is not None and self.length > self.site.limits.body:
            self.refuse(TooLarge(self.site.limits.body))
            return
        super().allHeadersReceived()

    def accepts_body(self, size: int) -> bool:
        """Say whether a body may have grown to ``size`` bytes; if not, hang up."""
        if size > self.site.limits.body and not self._refused:
            self.refuse(TooLarge(self.site.limits.body))
        return not self._refused

    @override
    def allContentReceived(self) -> None:
        if self._refused:
            return
        if self._watched_by is self.site.receiving:
            self._watch(self.site.idle)
        super().allContentReceived()

    @override
    def requestDone(self, request: Request) -> None:
        if self.site.is_stopping:
            self.persistent = 0
        if not self._waitingForTransport:
            self._watch(self.site.idle)
        super().requestDone(request)
        if self._waitingForTransport and self.persistent:
            self._networkProducer.pauseProducing()

    @override
    def pauseProducing(self) -> None:
        super().pauseProducing()
        # HTTPChannel would go on with requests that it has read already, and
        # pile up their answers for a caller who reads none.
        self.paused = True
        self._watch(self.site.writing)

    @override
    def resumeProducing(self) -> None:
        super().resumeProducing()
        self.paused = False
        if self._refused:
            return
        if self._handlingRequest:
            self._watch(None)
        else:
            self._watch(self.site.idle)
            self.dataReceived(b"")

    @override
    def writeHeaders(
        self, version: bytes, code: bytes, reason: bytes, headers: Headers
    ) -> None:
        sequence = [version, b" ", code, b" ", reason, b"\r\n", self.site.stamp()]
        for name, values in headers.getAllRawHeaders():
            for value in values:
                sequence.extend((name, b": ", value, b"\r\n"))
        sequence.append(b"\r\n")
        self.transport.writeSequence(sequence)

    @override
    def loseConnection(self) -> None:
        self._refused = True
        if not self._waitingForTransport:
            self._watch(self.site.closing)
        super().loseConnection()

    def expire(self) -> None:
        """End a connection whose deadline has passed."""
        watched_by, self._watched_by = self._watched_by, None
        if watched_by is self.site.receiving:
            self.refuse(TooSlow(self.site.limits.request_deadline))
        elif watched_by is self.site.idle:
            self.loseConnection()
        else:
            self._refused = True
            self.transport.abortConnection()

    def refuse(self, error: QuantumError) -> None:
        """Answer a request that no resource shall see, and hang up."""
        if not self._refused:
            self._hang_up(self.answer_to(error))

    def answer_to(self, error: BaseException) -> Answer:
        """Put an error into the format of the request that is being received."""
        answer_to: AnswerTo = self.site.answer_to
        if not self.requests:
            return answer_to(b"", None, None, error)
        request = self.requests[-1]
        return answer_to(
            (self._path or request.uri).partition(b"?")[0],
            request.getHeader(b"Content-Type"),
            request.getHeader(b"Accept"),
            error,
        )

    def _hang_up(self, answer: Answer) -> None:
        """Say why, without a request, and close the connection."""
        lines = [b"HTTP/1.1 %d %b\r\n" % (answer.code, answer.reason)]
        lines.append(self.site.stamp())
        lines.extend(b"%b: %b\r\n" % header for header in answer.headers)
        lines.append(b"Connection: close\r\n")
        lines.append(b"Content-Length: %d\r\n\r\n" % len(answer.body))
        self.transport.write(b"".join(lines) + answer.body)
        self.loseConnection()

    @override
    def lineLengthExceeded(self, line: bytes) -> None:
        self.refuse(Malformed("a line of the request is too long"))

    @override
    def _respondToBadRequestAndDisconnect(self) -> None:
        self.refuse(Malformed("this is not an HTTP/1.1 request"))

    def _watch(self, deadline: Deadline | None) -> None:
        if self._watched_by is not None:
            self._watched_by.end(self)
        self._watched_by = deadline
        if deadline is not None:
            deadline.begin(self)
