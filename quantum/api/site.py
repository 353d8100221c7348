# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
The API as a factory of bounded connections.

It speaks HTTP/1.1 only, never shows a traceback, and logs to no one unless it
is given an `AccessLog`.
"""

from twisted.internet.interfaces import IAddress, IReactorTime
from twisted.web.http import Request, datetimeToString
from twisted.web.resource import IResource
from twisted.web.server import Site
from typing_extensions import override

from quantum.api.accesslog import AccessLog
from quantum.api.answers import AnswerTo, answer_to
from quantum.api.connection import Connection
from quantum.api.headerlines import HeaderLines
from quantum.api.limits import Crowd, Deadline, Limits
from quantum.api.request import ApiRequest


class ApiSite(Site):
    """A `Site` around one leaf resource, whose callers are bounded by `Limits`."""

    protocol = Connection  # type: ignore[assignment]  # no HTTP/2 in between
    is_stopping = False

    def __init__(
        self,
        resource: IResource,
        limits: Limits,
        clock: IReactorTime,
        answer_to: AnswerTo = answer_to,
        access_log: AccessLog | None = None,
    ) -> None:
        super().__init__(
            resource,
            ApiRequest,
            reactor=clock,
            timeout=None,
            parsePOSTFormSubmission=False,
        )
        self.limits = limits
        self.answer_to = answer_to
        self.crowd = Crowd(limits.connections, limits.per_peer)
        self.idle = Deadline(clock, limits.idle, Connection.expire)
        self.receiving = Deadline(clock, limits.request_deadline, Connection.expire)
        self.writing = Deadline(clock, limits.request_deadline, Connection.expire)
        self.closing = Deadline(clock, limits.closing, Connection.expire)
        self.header_lines = HeaderLines()
        self._access_log = access_log
        self._second = -1
        self._stamp = b""

    @override
    def startFactory(self) -> None:
        """Start without a log file or a clock of Twisted's."""
        self.is_stopping = False

    @override
    def stopFactory(self) -> None:
        """Hang up on who asks nothing; answer who has asked, then hang up."""
        self.is_stopping = True
        self.idle.cut()
        for deadline in (self.idle, self.receiving, self.writing, self.closing):
            deadline.finish()
        if self._access_log is not None:
            self._access_log.flush()

    @override
    def buildProtocol(  # type: ignore[override]  # no HTTP/2 in between
        self, addr: IAddress | None
    ) -> Connection:
        connection = Connection()
        connection.factory = connection.site = self
        connection.requestFactory = self.requestFactory
        return connection

    @override
    def log(self, request: Request) -> None:
        """Note an answered request in the access log, if there is one."""
        if self._access_log is not None:
            self._access_log.note(request)

    def stamp(self) -> bytes:
        """Give the header lines that all answers of this second share."""
        second = int(self.reactor.seconds())
        if second != self._second:
            self._second = second
            date = datetimeToString(second)
            self._stamp = b"Server: Quantum\r\nDate: %b\r\n" % date
        return self._stamp

    @override
    def acceptableProtocols(self) -> list[bytes]:
        """Offer HTTP/1.1 only, whatever is installed."""
        return [b"http/1.1"]
