# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""Lines that the API's site remembers: of headers, and for its access log."""

from quantum.api.accesslog import AccessLog
from quantum.api.site import ApiSite
from tests.api.test_site import GET, LIMITS, SiteCase


class HeaderLinesTests(SiteCase):
    """Header lines that come again and again."""

    def seen(self, *lines: bytes) -> list[tuple[bytes, list[bytes]]]:
        """Give the headers that a resource sees."""
        connection, _ = self.ask(b"GET /wait HTTP/1.1\r\n")
        connection.dataReceived(b"".join(line + b"\r\n" for line in (*lines, b"")))
        headers = connection.requests[0].requestHeaders
        connection.transport.lose()
        return list(headers.getAllRawHeaders())

    def test_same(self) -> None:
        """A known line means what it meant the first time."""
        lines = (
            b"hOST: a:1",
            b"Accept:  b ; q=1\t",
            b"accept: c",
            b"User-Agent:",
            b"X: y",
        )
        first = self.seen(*lines)
        self.assertEqual(
            [
                (b"Host", [b"a:1"]),
                (b"Accept", [b"b ; q=1", b"c"]),
                (b"User-Agent", [b""]),
                (b"X", [b"y"]),
            ],
            first,
        )
        self.assertEqual(first, self.seen(*lines))
        self.assertEqual(first, self.seen(*lines))

    def test_never_learned(self) -> None:
        """Lines that decide where a request ends, or are secret, are not kept."""
        for line in (
            b"Content-Length: 0",
            b"Transfer-Encoding: identity",
            b"Expect: x",
            b"X-Auth-Token: secret",
            b"Authorization: secret",
            b"Cookie: secret",
        ):
            self.seen(line)
        self.assertEqual({}, self.site.header_lines._known)

    def test_bounded(self) -> None:
        """The memory stays small, however many different lines there are."""
        for number in range(2000):
            self.seen(b"User-Agent: %d" % number)
        self.seen(b"User-Agent: " + b"long" * 100)
        known = self.site.header_lines._known
        self.assertTrue(0 < len(known) <= 500)
        self.assertTrue(all(len(line) <= 200 for line in known))

    def test_too_many(self) -> None:
        """Known lines count against the limit of headers too."""
        self.seen(b"Host: a")
        self.echo.asked.clear()
        _, transport = self.ask(
            GET.replace(b"\r\n\r\n", b"\r\nHost: a" * 500 + b"\r\n\r\n")
        )
        self.assert_refused(400, transport)

    def test_invalid(self) -> None:
        """What is refused once is refused again."""
        for _ in range(2):
            _, transport = self.ask(b"GET / HTTP/1.1\r\nHost: a\x00b\r\n\r\n")
            self.assert_refused(400, transport)
            transport.lose()


class AccessLogTests(SiteCase):
    """A line per request, in bundles."""

    def setUp(self) -> None:
        super().setUp()
        self.written: list[str] = []
        log = AccessLog(self.clock, self.written.append)
        self.site = ApiSite(self.echo, LIMITS, self.clock, access_log=log)

    def test_line(self) -> None:
        """A line says who asked what, when, and with what outcome."""
        self.echo.size = 7
        self.ask(b"GET /a?b=%22 HTTP/1.1\r\n\r\n")
        self.clock.advance(1)
        line = (
            '192.0.2.1 - - [01/Jan/1970:00:00:00 +0000] "GET /a?b=%22 HTTP/1.1" 200 7\n'
        )
        self.assertEqual([line], self.written)

    def test_bundle(self) -> None:
        """Requests of one second are written together."""
        self.ask(GET * 3)
        self.assertEqual([], self.written)
        self.clock.advance(1)
        self.assertEqual([3], [lines.count("\n") for lines in self.written])

    def test_forged_line(self) -> None:
        """A path can end neither the quotes nor the line."""
        self.ask(b'GET /"\\\x85\xa0 HTTP/1.1\r\n\r\n')
        self.clock.advance(1)
        self.assertIn('"GET /\\x22\\x5c\\x85\\xa0 HTTP/1.1" 200', self.written[0])

    def test_stop(self) -> None:
        """Nothing is lost at the end."""
        self.ask(GET)
        self.site.doStart()
        self.site.doStop()
        self.assertEqual(1, len(self.written))
