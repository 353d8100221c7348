# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
One request, without the detours of `twisted.web.server.Request`.

The body stays in memory, because `quantum.api.connection` bounds it.
"""

from io import BytesIO
from typing import Any
from urllib.parse import unquote_to_bytes as unquote

from twisted.python.failure import Failure
from twisted.web import server
from twisted.web.error import UnsupportedMethod
from twisted.web.http import NO_BODY_CODES
from twisted.web.resource import IResource
from typing_extensions import override


class ApiRequest(server.Request):
    """A request to the site's one leaf resource."""

    channel: Any
    site: Any
    prepath: list[bytes]
    postpath: list[bytes]
    content: BytesIO
    received = 0
    uri = b""

    @override
    def gotLength(self, length: int | None) -> None:
        self.content = BytesIO()

    @override
    def parseCookies(self) -> None:
        """Leave them: the API has no sessions."""

    @override
    def handleContentChunk(self, data: bytes) -> None:
        self.received += len(data)
        if self.channel.accepts_body(self.received):
            self.content.write(data)

    @override
    def process(self) -> None:
        self.site = self.channel.site
        self.prepath = []
        segments = self.path[1:].split(b"/")
        self.postpath = (
            [unquote(segment) for segment in segments]
            if b"%" in self.path
            else segments
        )
        if self.path == b"*":
            self._handleStar()
            return
        try:
            self.render(self.site.resource)
        except Exception:  # noqa: BLE001 - the daemon outlives any one request
            self.processingFailed(Failure())

    @override
    def render(self, resrc: IResource) -> None:
        try:
            body: Any = resrc.render(self)
        except UnsupportedMethod:
            super().render(resrc)
            return
        if body is server.NOT_DONE_YET:
            return
        if type(body) is bytes and self.method != b"HEAD" and not self._is_unusual():
            self._answer(body)
        else:
            super().render(_Rendered(body))

    @override
    def processingFailed(self, reason: Failure) -> Failure:
        """Have a programmer's error logged once; its caller learns no more of it."""
        if self._disconnected or self.finished:
            self._log.failure("{uri} failed unheard", failure=reason, uri=self.uri)
            return reason
        answer = self.channel.answer_to(reason.value)
        if self.startedWriting:
            self.loseConnection()
            return reason
        self.setResponseCode(answer.code, answer.reason)
        for name, value in answer.headers:
            self.setHeader(name, value)
        self.setHeader(b"Content-Length", b"%d" % len(answer.body))
        self.write(answer.body)
        self.finish()
        return reason

    def _is_unusual(self) -> bool:
        """Whether anything but code, headers and body is to be written."""
        return bool(
            self.startedWriting
            or self.cookies
            or self.etag
            or self.lastModified
            or self.code in NO_BODY_CODES
        )

    def _answer(self, body: bytes) -> None:
        """Write a whole answer as one piece."""
        headers = self.responseHeaders
        if not headers.hasHeader(b"Content-Length"):
            headers.setRawHeaders(b"Content-Length", [b"%d" % len(body)])
        if self.defaultContentType and not headers.hasHeader(b"Content-Type"):
            headers.setRawHeaders(b"Content-Type", [self.defaultContentType])
        head = [self.clientproto, b" %d " % self.code, self.code_message, b"\r\n"]
        head.append(self.site.stamp())
        for name, values in headers.getAllRawHeaders():
            for value in values:
                head.extend((name, b": ", value, b"\r\n"))
        head.extend((b"\r\n", body))
        self.startedWriting = 1
        self.sentLength = len(body)
        self.channel.write(b"".join(head))
        self.finish()


class _Rendered:
    """A resource that was rendered already."""

    def __init__(self, body: Any) -> None:
        self._body = body

    def render(self, _request: server.Request) -> Any:
        return self._body
