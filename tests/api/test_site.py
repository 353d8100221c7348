# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""What callers may do to the API's site, and what they cannot."""

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET

from quantum.api.answers import Answer
from quantum.api.faults import TooLarge, TooSlow
from quantum.api.limits import Limits
from quantum.api.site import ApiSite
from quantum.errors import Malformed
from tests.api.wire import answers, connect

GET = b"GET /thing HTTP/1.1\r\nHost: a\r\n\r\n"
CODES = {Malformed: 400, TooSlow: 408, TooLarge: 413}
LIMITS = Limits(body=1000, request_deadline=60, connections=8, per_peer=3, idle=20)


class Echo(Resource):
    """Answers with what it was sent; remembers what it was asked."""

    isLeaf = True

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[bytes] = []
        self.waiting: list[Deferred[bytes]] = []
        self.size = 0

    def render(self, request):
        self.asked.append(request.uri)
        if request.path == b"/wait":
            self.waiting.append(Deferred())
            self.waiting[-1].addCallback(request.write)
            self.waiting[-1].addCallback(lambda _: request.finish())
            return NOT_DONE_YET
        if request.path == b"/fail":
            raise ZeroDivisionError
        return b"." * self.size + request.content.read()


def shout(path, content_type, accept, error) -> Answer:
    """Answer an error so that a test sees what the answer was made of."""
    code = CODES.get(type(error), 500)
    body = repr((path, content_type, accept, code)).encode()
    return Answer(code, b"Shouted", ((b"Content-Type", b"text/shout"),), body)


class SiteCase(SynchronousTestCase):
    """A site with small limits, and callers."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.echo = Echo()
        self.site = ApiSite(self.echo, LIMITS, self.clock, shout)

    def ask(self, *pieces: bytes):
        """Send pieces over a new connection."""
        connection, transport = connect(self.site)
        for piece in pieces:
            connection.dataReceived(piece)
        return connection, transport

    def assert_refused(self, status: int, transport) -> None:
        """The one answer is ``status``, the connection ends, nobody was asked."""
        self.assertEqual([status], [a.status for a in answers(transport.value())])
        self.assertTrue(transport.disconnecting)
        self.assertEqual([], self.echo.asked)


class BodyTests(SiteCase):
    """Bodies are bounded, and stay in memory."""

    def test_fits(self) -> None:
        """A body of exactly the limit is taken."""
        _, transport = self.ask(
            b"POST / HTTP/1.1\r\nContent-Length: 1000\r\n\r\n", b"x" * 1000
        )
        self.assertEqual([b"x" * 1000], [a.body for a in answers(transport.value())])
        self.assertFalse(transport.disconnecting)

    def test_declared_too_large(self) -> None:
        """A body that says it is too large is refused before any of it is read."""
        for length in (b"1001", b"100000000000", b"9" * 400):
            _, transport = self.ask(
                b"POST /v1.0/x?y=1 HTTP/1.1\r\nContent-Type: application/xml\r\n"
                b"Accept: a/b\r\nContent-Length: " + length + b"\r\n\r\n"
            )
            self.assert_refused(413, transport)
            (answer,) = answers(transport.value())
            self.assertEqual(
                b"(b'/v1.0/x', b'application/xml', b'a/b', 413)", answer.body
            )
            self.assertIn((b"Connection", b"close"), answer.headers)
            self.assertIn((b"Content-Type", b"text/shout"), answer.headers)

    def test_nothing_after_refusal(self) -> None:
        """Once refused, a connection takes nothing more, not even a good request."""
        connection, transport = self.ask(
            b"POST / HTTP/1.1\r\nContent-Length: 1001\r\n\r\n" + GET
        )
        connection.dataReceived(GET)
        self.assert_refused(413, transport)

    def test_chunks_too_large(self) -> None:
        """A body in chunks is refused when it passes the limit, and is not kept."""
        connection, transport = self.ask(
            b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        content = connection.requests[0].content
        for _ in range(4):
            connection.dataReceived(b"fa\r\n" + b"x" * 250 + b"\r\n")
        self.assertEqual(b"", transport.value())
        connection.dataReceived(b"1\r\nx\r\n0\r\n\r\n" + GET)
        self.assert_refused(413, transport)
        self.assertEqual(1000, len(content.getvalue()))

    def test_one_huge_chunk(self) -> None:
        """A chunk that never ends is refused as soon as it passes the limit."""
        connection, transport = self.ask(
            b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nffffffffff\r\n",
            b"x" * 999,
        )
        self.assertEqual(b"", transport.value())
        connection.dataReceived(b"x" * 65536)
        self.assert_refused(413, transport)

    def test_in_memory(self) -> None:
        """A body as large as the limit allows is not spooled to a file."""
        self.site.limits = Limits()
        connection, _ = self.ask(
            b"POST / HTTP/1.1\r\nContent-Length: 1000000\r\n\r\n", b"x" * 500000
        )
        self.assertEqual(500000, len(connection.requests[0].content.getvalue()))

    def test_continue(self) -> None:
        """A caller who waits for ``100 Continue`` gets it, then the answer."""
        connection, transport = self.ask(
            b"POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"
        )
        self.assertEqual(b"HTTP/1.1 100 Continue\r\n\r\n", transport.value())
        connection.dataReceived(b"hi")
        self.assertEqual([b"hi"], [a.body for a in answers(transport.value())])

    def test_no_continue(self) -> None:
        """Nobody is told to continue with a body that is too large."""
        _, transport = self.ask(
            b"POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2000\r\n\r\n"
        )
        self.assertTrue(transport.value().startswith(b"HTTP/1.1 413 "))
        self.assert_refused(413, transport)


POST = b"POST / HTTP/1.1\r\nHost: a\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"
MALFORMED = (
    POST + b"Content-Length: 4\r\n" + CHUNKED + b"\r\n0\r\n\r\n" + GET,
    POST + CHUNKED + b"Content-Length: 4\r\n\r\n0\r\n\r\n" + GET,
    POST + b"Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcde",
    POST + b"Content-Length: 4\r\nContent-Length: 4\r\n\r\nabcd",
    POST + b"Content-Length: 4, 4\r\n\r\nabcd",
    POST + b"Content-Length: +4\r\n\r\nabcd",
    POST + b"Content-Length: -4\r\n\r\nabcd",
    POST + b"Content-Length: 0x4\r\n\r\nabcd",
    POST + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\nabcd",
    POST + b"Content-Length : 4\r\n\r\nabcd",
    POST + b"Content-Length: 4\r\n 5\r\n\r\nabcd",
    POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    POST + CHUNKED + CHUNKED + b"\r\n0\r\n\r\n",
    POST + CHUNKED + b"\r\nzz\r\n",
    POST + CHUNKED + b"\r\n-1\r\n",
    POST + CHUNKED + b"\r\n+1\r\nx\r\n",
    POST + CHUNKED + b"\r\n0x1\r\nx\r\n",
    POST + CHUNKED + b"\r\n1\r\nxyz\r\n",
    POST + CHUNKED + b"\r\n" + b"0" * 2000,
    POST + b"no colon\r\n\r\n",
    POST + b"A: b\x00c\r\n\r\n",
    POST + b"A: b\r\n" * 600 + b"\r\n",
    POST + b"A: " + b"b" * 20000 + b"\r\n\r\n",
    POST + b"A: " + b"b" * 20000,
    POST + (b"A: " + b"b" * 9000 + b"\r\n") * 2 + b"\r\n",
    b"GET /" + b"a" * 20000,
    b"GET / HTTP/2.0\r\n\r\n",
    b"GET / HTTP/0.9\r\n\r\n",
    b"GET /\r\n\r\n",
    b"GET  / HTTP/1.1\r\n\r\n",
    b"G\x00T / HTTP/1.1\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\r\n",
)


class MalformedTests(SiteCase):
    """What is no request, or might be two, gets 400 and a close."""

    def test_malformed(self) -> None:
        """No resource sees a request that could be understood in two ways."""
        for data in MALFORMED:
            with self.subTest(data=data[:80]):
                _, transport = self.ask(data)
                self.assert_refused(400, transport)
                transport.lose()

    def test_byte_by_byte(self) -> None:
        """It does not matter into how many pieces a request is cut."""
        data = (
            b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n"
        )
        _, transport = self.ask(*(data[i : i + 1] for i in range(len(data))))
        self.assertEqual([b"hi"], [a.body for a in answers(transport.value())])

    def test_failure(self) -> None:
        """A program error is logged, and its caller told nothing of the program."""
        _, transport = self.ask(GET.replace(b"thing", b"fail"))
        (answer,) = answers(transport.value())
        self.assertEqual(
            (500, b"(b'/fail', None, None, 500)"), (answer.status, answer.body)
        )
        self.assertFalse(transport.disconnecting)

    def test_callers_format(self) -> None:
        """What is refused before any resource sees it is in the caller's format."""
        self.site = ApiSite(self.echo, LIMITS, self.clock)
        head = b"POST /v1.0/tenants/t/networks.xml HTTP/1.1\r\n"
        _, transport = self.ask(head + b"Content-Length: 1001\r\n\r\n")
        self.assertIn(b"<requestTooLarge ", transport.value())
        _, transport = self.ask(head.replace(b"0", b"1", 1) + b"bad\r\n\r\n")
        self.assertIn(b"<QuantumError ", transport.value())
        _, transport = self.ask(b"nonsense\r\n")
        (answer,) = answers(transport.value())
        self.assertIn((b"content-type", b"text/plain"), answer.headers)


class PipelineTests(SiteCase):
    """One answer at a time, in order."""

    def test_thousand(self) -> None:
        """A thousand requests at once are all answered."""
        _, transport = self.ask(GET * 1000)
        self.assertEqual([200] * 1000, [a.status for a in answers(transport.value())])

    def test_in_order(self) -> None:
        """A request waits for the answer of the one before it."""
        _, transport = self.ask(GET.replace(b"thing", b"wait") + GET)
        self.assertEqual([b"/wait"], self.echo.asked)
        self.echo.waiting[0].callback(b"first")
        self.assertEqual([b"first", b""], [a.body for a in answers(transport.value())])

    def test_http_1_0(self) -> None:
        """An HTTP/1.0 caller gets its answer, and the connection ends."""
        _, transport = self.ask(b"GET / HTTP/1.0\r\n\r\n" + GET)
        self.assertEqual(b"HTTP/1.0 200 OK", transport.value().partition(b"\r\n")[0])
        self.assertEqual([b"/"], self.echo.asked)
        self.assertTrue(transport.disconnecting)

    def test_star(self) -> None:
        """``OPTIONS *`` is answered without asking any resource."""
        _, transport = self.ask(b"OPTIONS * HTTP/1.1\r\n\r\n")
        self.assertEqual([200], [a.status for a in answers(transport.value())])
        self.assertEqual([], self.echo.asked)


class SlowReaderTests(SiteCase):
    """A caller who does not read costs one answer, for a while."""

    def setUp(self) -> None:
        super().setUp()
        self.echo.size = 100000
        self.connection, self.transport = connect(self.site)
        self.transport.room = 65536

    def test_no_second_answer(self) -> None:
        """While an answer is unread, requests behind it are neither read nor asked."""
        self.connection.dataReceived(GET * 100)
        self.assertEqual(1, len(self.echo.asked))
        self.assertEqual("paused", self.transport.producerState)

    def test_reads_on(self) -> None:
        """Each time it has read all, it gets the next."""
        self.connection.dataReceived(GET * 3)
        self.transport.drain()
        self.assertEqual(2, len(self.echo.asked))
        self.assertEqual("paused", self.transport.producerState)
        self.transport.drain()
        self.transport.drain()
        self.assertEqual([200] * 3, [a.status for a in answers(self.transport.value())])
        self.assertEqual("producing", self.transport.producerState)

    def test_never_reads(self) -> None:
        """At the deadline the connection is aborted, with all that was unread."""
        self.connection.dataReceived(GET)
        self.clock.pump([1] * 59)
        self.assertFalse(self.transport.aborted)
        self.clock.advance(1)
        self.assertTrue(self.transport.aborted)

    def test_slow_answer_to_slow_reader(self) -> None:
        """The deadline also runs when the unread answer was a long time coming."""
        self.connection.dataReceived(GET.replace(b"thing", b"wait"))
        self.clock.advance(1000)
        self.echo.waiting[0].callback(b"x" * 100000)
        self.clock.advance(60)
        self.assertTrue(self.transport.aborted)

    def test_last_answer(self) -> None:
        """It may take as long over an answer after which we hang up."""
        self.connection.dataReceived(b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n")
        self.assertTrue(self.transport.disconnecting)
        self.clock.advance(59)
        self.assertFalse(self.transport.aborted)
        self.clock.advance(1)
        self.assertTrue(self.transport.aborted)


class DeadlineTests(SiteCase):
    """Time is not renewed by a byte."""

    def drip(self, connection, data: bytes, seconds: int) -> None:
        """Send one byte a second."""
        for index in range(seconds):
            connection.dataReceived(data[index : index + 1])
            self.clock.advance(1)

    def test_dripping_headers(self) -> None:
        """Headers that trickle in end at the deadline."""
        connection, transport = self.ask()
        self.drip(connection, b"GET / HTTP/1.1\r\nA: " + b"a" * 100, 59)
        self.assertEqual(b"", transport.value())
        self.drip(connection, b"a", 1)
        self.assert_refused(408, transport)

    def test_dripping_body(self) -> None:
        """The headers' and the body's time are one."""
        connection, transport = self.ask()
        self.drip(connection, b"POST / HTTP/1.1\r\n" + b"A: b\r\n" * 4, 41)
        connection.dataReceived(b"Content-Length: 900\r\n\r\n")
        self.drip(connection, b"x" * 100, 19)
        self.assert_refused(408, transport)

    def test_dripping_on_a_kept_connection(self) -> None:
        """A later request on the same connection has its own absolute time."""
        connection, transport = self.ask(GET)
        self.clock.advance(19)
        transport.clear()
        self.echo.asked.clear()
        self.drip(connection, b"GET /" + b"a" * 100, 59)
        self.assertFalse(transport.disconnecting)
        self.drip(connection, b"a", 1)
        self.assert_refused(408, transport)

    def test_idle(self) -> None:
        """A connection that asks nothing, or nothing more, ends without a word."""
        for data in (b"", GET):
            _, transport = self.ask(data)
            transport.clear()
            self.clock.advance(19)
            self.assertFalse(transport.disconnecting)
            self.clock.advance(1)
            self.assertTrue(transport.disconnecting)
            self.assertEqual(b"", transport.value())

    def test_busy(self) -> None:
        """A request that is being worked on is not timed."""
        _, transport = self.ask(GET.replace(b"thing", b"wait"))
        self.clock.advance(10000)
        self.echo.waiting[0].callback(b"at last")
        self.assertEqual([b"at last"], [a.body for a in answers(transport.value())])

    def test_does_not_close(self) -> None:
        """A caller who does not let us hang up is cut off."""
        _, transport = self.ask()
        self.clock.advance(20)
        self.assertTrue(transport.disconnecting)
        self.clock.advance(15)
        self.assertTrue(transport.aborted)

    def test_nothing_left(self) -> None:
        """When everybody has gone, no timer is left for long."""
        _, transport = self.ask(GET)
        transport.lose()
        self.clock.advance(60)
        self.assertEqual([], self.clock.getDelayedCalls())


class CrowdTests(SiteCase):
    """Room for everybody."""

    def test_total(self) -> None:
        """When all places are taken, a newcomer is told so."""
        for index in range(8):
            _, transport = connect(self.site, f"192.0.2.{index}")
            self.assertEqual(b"", transport.value())
        _, transport = connect(self.site, "192.0.2.100")
        self.assert_refused(503, transport)

    def test_flood(self) -> None:
        """One address does not take the others' places."""
        flood = [connect(self.site, "192.0.2.1")[1] for _ in range(100)]
        self.assertEqual(3, sum(not one.disconnecting for one in flood))
        self.assert_refused(503, flood[-1])
        connection, transport = connect(self.site, "192.0.2.2")
        connection.dataReceived(GET)
        self.assertEqual([200], [a.status for a in answers(transport.value())])

    def test_ipv6_flood(self) -> None:
        """All addresses of an IPv6 network count as one, others do not."""
        flood = [connect(self.site, f"2001:db8::{n}")[1] for n in range(1, 6)]
        self.assertEqual(3, sum(not one.disconnecting for one in flood))
        _, transport = connect(self.site, "2001:db8:0:1::1")
        self.assertFalse(transport.disconnecting)

    def test_room_again(self) -> None:
        """Who leaves makes room, but only who had a place."""
        flood = [connect(self.site)[1] for _ in range(6)]
        for transport in flood[3:]:
            transport.lose()
        self.assert_refused(503, connect(self.site)[1])
        flood[0].lose()
        self.assertFalse(connect(self.site)[1].disconnecting)
        self.assertTrue(connect(self.site)[1].disconnecting)


class StopTests(SiteCase):
    """The end of listening."""

    def test_stop(self) -> None:
        """Idle callers are hung up on; one who has asked is answered first."""
        _, idle = self.ask(GET)
        _, busy = self.ask(GET.replace(b"thing", b"wait"))
        self.site.doStart()
        self.site.doStop()
        self.assertTrue(idle.disconnecting)
        self.assertFalse(busy.disconnecting)
        self.echo.waiting[0].callback(b"done")
        self.assertEqual([b"done"], [a.body for a in answers(busy.value())])
        self.assertTrue(busy.disconnecting)
        for transport in (idle, busy):
            transport.lose()
        self.assertEqual([], self.clock.getDelayedCalls())


class HeaderTests(SiteCase):
    """What every answer says."""

    def test_date(self) -> None:
        """The date is renewed every second."""
        connection, transport = self.ask(GET)
        self.clock.advance(1)
        connection.dataReceived(GET)
        self.assertEqual(
            [b"Thu, 01 Jan 1970 00:00:00 GMT", b"Thu, 01 Jan 1970 00:00:01 GMT"],
            [dict(a.headers)[b"Date"] for a in answers(transport.value())],
        )

    def test_http_2_is_off(self) -> None:
        """Only HTTP/1.1 is offered to TLS peers."""
        self.assertEqual([b"http/1.1"], self.site.acceptableProtocols())

    def test_head(self) -> None:
        """HEAD is answered without a body."""
        _, transport = self.ask(b"HEAD / HTTP/1.1\r\n\r\n")
        head, _, body = transport.value().partition(b"\r\n\r\n")
        self.assertEqual((b"HTTP/1.1 200 OK", b""), (head.split(b"\r\n")[0], body))
