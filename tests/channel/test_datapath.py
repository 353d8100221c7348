# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""Writing to a switch, asking it, and what happens when it does not read."""

import struct
from threading import Thread

from quantum.channel.layouts import ONF
from quantum.channel.limits import SLICE, Limits
from quantum.channel.requests import (
    ConnectionEnded,
    Refused,
    Unanswered,
    Unreadable,
)
from tests.channel.corpus import VALID, bucket, flow, frame, group, part, tlv
from tests.channel.terminal import BARRIER_REQUEST, HostCase


class SendTests(HostCase):
    """Single messages."""

    limits = Limits(buffer_limit=1000)

    def test_sent(self) -> None:
        """Bytes go out as they are, os-ken's messages serialised."""
        switch = self.switch()
        datapath = switch.connection.datapath
        self.assertTrue(datapath.send(BARRIER_REQUEST))
        datapath.send_barrier()
        self.assertEqual([20, 20], [data[1] for data in switch.heard()])

    def test_deaf(self) -> None:
        """A switch that does not read is given up when too much waits for it."""
        switch = self.switch()
        datapath = switch.connection.datapath
        switch.transport.producer.pauseProducing()
        taken = [datapath.send(bytes(100)) for _ in range(12)]
        self.assertEqual([True] * 10 + [False] * 2, taken)
        self.assertTrue(switch.is_dropped)
        self.assertEqual(("dead", datapath.id), self.seen[-1])

    def test_slow(self) -> None:
        """What a slow switch has read in the end does not count."""
        switch = self.switch()
        for _ in range(20):
            switch.transport.producer.pauseProducing()
            self.assertTrue(switch.connection.datapath.send(bytes(900)))
            switch.transport.producer.resumeProducing()
        self.assertFalse(switch.is_dropped)

    def test_after_the_end(self) -> None:
        """What is sent to a switch that left goes nowhere, and says so."""
        switch = self.switch()
        switch.hang_up()
        self.assertFalse(switch.connection.datapath.send(BARRIER_REQUEST))

    def test_closed_by_application(self) -> None:
        """An application may close a connection."""
        switch = self.switch()
        switch.connection.datapath.close()
        self.assertTrue(switch.is_dropped)

    def test_other_thread(self) -> None:
        """A thread of somebody's own is told that it must not send."""
        switch, problems = self.switch(), []

        def misbehave() -> None:
            try:
                switch.connection.datapath.send(BARRIER_REQUEST)
            except RuntimeError as problem:
                problems.append(str(problem))

        thread = Thread(target=misbehave)
        thread.start()
        thread.join()
        self.assertEqual(
            ["send: a switch is written to by the reactor's thread only"], problems
        )


class Programme:
    """Some bytes to be pumped, and a note of how they were taken."""

    def __init__(self, *pieces: bytes | None) -> None:
        self.pieces = list(pieces)
        self.asked = 0

    def take(self, _size: int) -> bytes | None:
        """Give the next piece."""
        self.asked += 1
        return self.pieces.pop(0) if self.pieces else b""


class PumpTests(HostCase):
    """Programmes, as fast as the switch reads them."""

    def test_all(self) -> None:
        """Everything arrives, in order, and the programme is asked until it ends."""
        switch, programme = self.switch(), Programme(b"a", b"b", b"c")
        switch.connection.datapath.pump(programme.take)
        self.assertEqual((b"abc", 4), (switch.transport.value(), programme.asked))

    def test_back_pressure(self) -> None:
        """Nothing is taken while the switch does not read."""
        switch, programme = self.switch(), Programme(b"a", b"b")
        switch.transport.producer.pauseProducing()
        switch.connection.datapath.pump(programme.take)
        self.clock.advance(1)
        self.assertEqual(0, programme.asked)
        switch.transport.producer.resumeProducing()
        self.assertEqual((b"ab", 3), (switch.transport.value(), programme.asked))

    def test_slices(self) -> None:
        """A long programme leaves the reactor time for others."""
        switch, programme = self.switch(), Programme(*[b"x"] * 10)
        self.clock.advance(1)
        self.clock.tick = SLICE * 0.6
        switch.connection.datapath.pump(programme.take)
        self.assertEqual(2, programme.asked)
        while programme.pieces:
            self.clock.advance(0)
        self.assertEqual(10, len(switch.transport.value()))

    def test_more(self) -> None:
        """Pumping again while a pump runs asks once more after its end."""
        switch, programme = self.switch(), Programme(b"a")
        switch.transport.producer.pauseProducing()
        for _ in range(3):
            switch.connection.datapath.pump(programme.take)
        switch.transport.producer.resumeProducing()
        self.assertEqual((b"a", 3), (switch.transport.value(), programme.asked))

    def test_being_computed(self) -> None:
        """A programme that is not ready is asked again, and others get their turn."""
        switch, programme = self.switch(), Programme(b"a", None, None, None, b"b")
        self.clock.advance(1)
        self.clock.tick = SLICE * 0.6
        switch.connection.datapath.pump(programme.take)
        self.assertEqual((b"a", 2), (switch.transport.value(), programme.asked))
        while programme.pieces:
            self.clock.advance(0)
        self.assertEqual(b"ab", switch.transport.value())

    def test_from_within(self) -> None:
        """A programme that finds more to say while it is asked may pump again."""
        switch, left = self.switch(), [b"a", b"", b"b"]
        datapath = switch.connection.datapath

        def take(_size: int) -> bytes:
            if len(left) == 2:
                datapath.pump(take)
            return left.pop(0) if left else b""

        datapath.pump(take)
        self.assertEqual(b"ab", switch.transport.value())

    def test_lost(self) -> None:
        """Nobody is asked after the connection ended."""
        switch, programme = self.switch(), Programme(*[b"x"] * 10)
        self.clock.tick = SLICE * 2
        switch.connection.datapath.pump(programme.take)
        asked = programme.asked
        switch.hang_up()
        self.clock.tick = 0.0
        self.clock.advance(1)
        switch.connection.datapath.pump(programme.take)
        self.assertEqual(asked, programme.asked)

    def test_broken(self) -> None:
        """A programme that breaks off ends its connection, and is logged."""
        switch = self.switch()
        switch.connection.datapath.pump(lambda size: 1 // (size - size))
        self.assertTrue(switch.is_dropped)
        self.assertEqual(1, len(self.flushLoggedErrors(ZeroDivisionError)))


class RequestTests(HostCase):
    """Questions and answers."""

    limits = Limits(reply_limit=1000)

    def setUp(self) -> None:
        super().setUp()
        self.far = self.switch()
        self.datapath = self.far.connection.datapath

    def test_answered(self) -> None:
        """The answer with the same xid is the answer; applications see it too."""
        answer = self.datapath.request(BARRIER_REQUEST, 1)
        self.far.say(frame(21, xid=76))
        self.assertNoResult(answer)
        self.far.say(frame(21, xid=77))
        self.assertEqual([21], [m.msg_type for m in self.successResultOf(answer)])
        self.assertEqual(2, self.seen.count("barrier ends"))

    def test_message(self) -> None:
        """os-ken's messages may be asked too, and get an xid."""
        parser = self.datapath.ofproto_parser
        answer = self.datapath.request(parser.OFPBarrierRequest(self.datapath), 1)
        (question,) = self.far.heard()
        self.far.say(frame(21, xid=int.from_bytes(question[4:8])))
        self.successResultOf(answer)

    def test_without_xid(self) -> None:
        """Bytes without an xid get one."""
        first = self.datapath.request(frame(20), 1)
        second = self.datapath.request(frame(20), 1)
        for question in self.far.heard():
            self.far.say(frame(21, xid=int.from_bytes(question[4:8])))
        self.successResultOf(first)
        self.successResultOf(second)

    def test_parts(self) -> None:
        """A multipart answer is complete with the part that says so."""
        answer = self.datapath.request(frame(18, bytes(8), 9), 1)
        self.far.say(part(1, flow(cookie=1), flags=1), part(1, flow(cookie=2), flags=1))
        self.assertNoResult(answer)
        self.far.say(part(1, b""))
        bodies = [message.body for message in self.successResultOf(answer)]
        self.assertEqual([[1], [2], []], [[e.cookie for e in body] for body in bodies])

    def test_too_long(self) -> None:
        """An answer without end is not kept."""
        answer = self.datapath.request(frame(18, bytes(8), 9), 1)
        for _ in range(5):
            self.far.say(part(1, flow(), flags=1))
        self.failureResultOf(answer, Unreadable)

    def test_refused(self) -> None:
        """An error with the same xid is the answer."""
        answer = self.datapath.request(BARRIER_REQUEST, 1)
        self.far.say(frame(1, struct.pack("!HH", 3, 2) + b"why", 77))
        problem = self.failureResultOf(answer, Refused).value
        self.assertEqual(
            (3, 2, 0, b"why"),
            (problem.type, problem.code, problem.experimenter, problem.data),
        )

    def test_refused_by_extension(self) -> None:
        """An experimenter's error tells whose it is."""
        answer = self.datapath.request(BARRIER_REQUEST, 1)
        self.far.say(frame(1, struct.pack("!HHI", 0xFFFF, 2302, ONF), 77))
        problem = self.failureResultOf(answer, Refused).value
        self.assertEqual((2302, ONF), (problem.code, problem.experimenter))

    def test_unanswered(self) -> None:
        """A question is not waited for beyond its deadline."""
        answer = self.datapath.request(BARRIER_REQUEST, 1)
        self.clock.advance(1)
        self.failureResultOf(answer, Unanswered)
        self.far.say(frame(21, xid=77))

    def test_connection_ended(self) -> None:
        """Nobody waits for a switch that left; a new one owes nothing."""
        answer = self.datapath.request(BARRIER_REQUEST, 1)
        self.far.hang_up()
        self.failureResultOf(answer, ConnectionEnded)
        self.failureResultOf(self.datapath.request(BARRIER_REQUEST, 1), ConnectionEnded)

    def test_unreadable(self) -> None:
        """An answer that os-ken cannot read is not waited for."""
        answer = self.datapath.request(frame(18, bytes(8), 9), 1)
        self.far.say(part(7, group(bucket(tlv(13, bytes(4))))))
        self.failureResultOf(answer, Unreadable)
        self.assertFalse(self.far.is_dropped)

    def test_unasked(self) -> None:
        """What a switch sends on its own answers no question."""
        answer = self.datapath.request(BARRIER_REQUEST, 1)
        self.far.say(frame(2, b"", 77), VALID["port status"])
        self.assertNoResult(answer)
        self.far.hang_up()
        self.failureResultOf(answer, ConnectionEnded)

    def test_wrong_kind(self) -> None:
        """An answer to another kind of question is not taken for the answer."""
        answer = self.datapath.request(BARRIER_REQUEST, 1)
        self.far.say(frame(3, b"", 77), part(1, b"", xid=77))
        self.assertNoResult(answer)
        self.far.say(frame(21, xid=77))
        self.successResultOf(answer)

    def test_no_question(self) -> None:
        """What has no answer, or has the xid of an open question, is not asked."""
        with self.assertRaises(ValueError):
            self.datapath.request(frame(14, bytes(48), 5), 1)
        first = self.datapath.request(BARRIER_REQUEST, 1)
        with self.assertRaises(ValueError):
            self.datapath.request(BARRIER_REQUEST, 1)
        self.far.say(frame(21, xid=77))
        self.successResultOf(first)

    def test_cancelled(self) -> None:
        """Who asked may lose interest."""
        answer = self.datapath.request(BARRIER_REQUEST, 1)
        answer.addErrback(lambda _: None).cancel()
        self.far.say(frame(21, xid=77))
        self.assertIsNone(self.successResultOf(answer))
