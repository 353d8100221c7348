# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""Talking JSON-RPC with a database server, without a network."""

import json
from typing import Any

from attrs import define, field
from msgspec import Raw
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.trial.unittest import SynchronousTestCase

from quantum.channel.ovsdb.faults import (
    ConnectionDropped,
    FailedOperation,
    Misspoken,
    RequestRefused,
    TransactionRefused,
)
from quantum.channel.ovsdb.rpc import DEADLINE, ECHO_INTERVAL, Session


@define
class Diary:
    """A conversation that only notes what it hears."""

    heard: list[Any] = field(factory=list)
    session: Session | None = None
    pauses: bool = False

    def connected(self, session: Session) -> None:
        self.session = session

    def updated(self, method: str, params: Raw) -> None:
        self.heard.append((method, json.loads(bytes(params))))
        if self.pauses:
            self.session.pause()

    def ended(self, reason: str) -> None:
        self.heard.append(("ended", reason))


class SessionCase(SynchronousTestCase):
    """A session over a wire in memory."""

    def setUp(self) -> None:
        self.clock, self.wire, self.diary = Clock(), StringTransport(), Diary()
        self.session = Session(self.clock, self.diary)
        self.session.makeConnection(self.wire)

    def hear(self, *messages: dict) -> None:
        """Let messages arrive."""
        self.session.dataReceived(b"".join(json.dumps(m).encode() for m in messages))

    def said(self) -> list[dict]:
        """Everything that was sent."""
        text, found = self.wire.value().decode(), []
        while text:
            message, end = json.JSONDecoder().raw_decode(text)
            found.append(message)
            text = text[end:]
        self.wire.clear()
        return found

    def lose(self) -> None:
        """Let the connection end, as the reactor would."""
        self.session.connectionLost()


class RequestTests(SessionCase):
    """Asking and being answered."""

    def test_answer(self) -> None:
        """Answers reach their questions in whatever order they come."""
        first = self.session.request("list_dbs", [])
        second = self.session.request("get_schema", ["a"])
        self.assertEqual(
            [
                {"id": 1, "method": "list_dbs", "params": []},
                {"id": 2, "method": "get_schema", "params": ["a"]},
            ],
            self.said(),
        )
        self.hear(
            {"id": 2, "result": {}, "error": None},
            {"id": 1, "result": ["x"], "error": None},
        )
        self.assertEqual(b'["x"]', bytes(self.successResultOf(first)))
        self.assertEqual(b"{}", bytes(self.successResultOf(second)))

    def test_refused(self) -> None:
        """An error, written in either way, fails its question only."""
        for error in ("unknown method", {"error": "unknown method", "details": ""}):
            asked = self.session.request("monitor_cond", [])
            self.hear({"id": self.said()[0]["id"], "result": None, "error": error})
            refused = self.failureResultOf(asked, RequestRefused).value
            self.assertEqual("unknown method", refused.error)
        self.assertFalse(self.wire.disconnected)

    def test_deadline(self) -> None:
        """A server that does not answer in time is dropped, with the reason."""
        asked = self.session.request("list_dbs", [])
        self.clock.pump([DEADLINE / 2, DEADLINE / 2])
        self.assertTrue(self.wire.disconnected)
        self.lose()
        dropped = self.failureResultOf(asked, ConnectionDropped).value
        self.assertIn("no answer to list_dbs", dropped.reason)

    def test_lost(self) -> None:
        """A lost connection fails what was asked, and what is asked later."""
        asked = self.session.request("list_dbs", [])
        self.lose()
        self.failureResultOf(asked, ConnectionDropped)
        self.failureResultOf(self.session.request("echo", []), ConnectionDropped)
        self.assertEqual([], self.clock.getDelayedCalls())


class TransactionTests(SessionCase):
    """All operations or none."""

    def transact(self, result: Any) -> Deferred:
        """Do two operations, answered by ``result``."""
        operations = [{"op": "comment"}, {"op": "abort"}]
        asked = Deferred.fromCoroutine(self.session.transact("db", operations))
        question = self.said()[0]
        self.assertEqual(["db", *operations], question["params"])
        self.hear({"id": question["id"], "result": result, "error": None})
        return asked

    def test_done(self) -> None:
        """One result per operation comes back."""
        self.assertEqual([{}, {}], self.successResultOf(self.transact([{}, {}])))

    def test_failed_operation(self) -> None:
        """The operation that failed is named."""
        result = [{}, {"error": "aborted", "details": "why"}]
        refused = self.failureResultOf(self.transact(result), TransactionRefused).value
        self.assertEqual((FailedOperation(1, "aborted", "why"),), refused.failures)
        self.assertFalse(refused.is_race)

    def test_failed_commit(self) -> None:
        """An extra element is the commit's own error."""
        result = [{}, {}, {"error": "constraint violation"}]
        refused = self.failureResultOf(self.transact(result), TransactionRefused).value
        self.assertEqual(
            (FailedOperation(2, "constraint violation"),), refused.failures
        )

    def test_race(self) -> None:
        """A guard that did not hold is recognised."""
        result = [{"error": "timed out"}, None]
        refused = self.failureResultOf(self.transact(result), TransactionRefused).value
        self.assertTrue(refused.is_race)

    def test_nonsense(self) -> None:
        """Results that are none are not taken for success."""
        for result in ([{}], {"a": 1}, 7):
            self.failureResultOf(self.transact(result), Misspoken)


class PeerTests(SessionCase):
    """What the peer may do, and what it may not."""

    def test_echo(self) -> None:
        """Its echo is answered with its own words and its own id."""
        self.hear({"id": ["x", 1], "method": "echo", "params": [1, {"a": "b"}]})
        expected = {"id": ["x", 1], "result": [1, {"a": "b"}], "error": None}
        self.assertEqual([expected], self.said())

    def test_unknown_request(self) -> None:
        """A request that we do not serve is refused politely."""
        self.hear({"id": 5, "method": "transact", "params": []})
        self.assertEqual({"error": "unknown method"}, self.said()[0]["error"])
        self.assertFalse(self.wire.disconnected)

    def test_keep_alive(self) -> None:
        """A silent peer is asked whether it is there, and lives if it answers."""
        for _ in range(5):
            self.clock.pump([ECHO_INTERVAL] * 2)
            asked = self.said()
            self.assertEqual(["echo"], [message["method"] for message in asked])
            self.hear({"id": asked[0]["id"], "result": [], "error": None})
        self.assertFalse(self.wire.disconnected)

    def test_silent(self) -> None:
        """A peer that does not answer the echo either is dropped."""
        self.clock.pump([ECHO_INTERVAL] * 3)
        self.assertTrue(self.wire.disconnected)
        self.lose()
        self.assertEqual([("ended", "silent for 15 s")], self.diary.heard)

    def test_pause(self) -> None:
        """While an update is being applied nothing more is heard, then all of it."""
        self.diary.pauses = True
        updates = [
            {"id": None, "method": "update2", "params": ["q", {"n": n}]}
            for n in range(3)
        ]
        self.hear(*updates)
        self.assertEqual("paused", self.wire.producerState)
        self.assertEqual(1, len(self.diary.heard))
        self.clock.pump([ECHO_INTERVAL] * 4)
        self.diary.pauses = False
        self.session.resume()
        self.assertEqual(3, len(self.diary.heard))
        self.assertEqual("producing", self.wire.producerState)
        self.assertFalse(self.wire.disconnected)

    def pause(self, seconds: float) -> None:
        """Let nothing be heard for some time."""
        self.session.pause()
        self.clock.pump([ECHO_INTERVAL] * int(seconds / ECHO_INTERVAL))
        self.session.resume()

    def test_long_pause(self) -> None:
        """A peer that is not heard for long hears from us that we are there."""
        self.pause(6 * ECHO_INTERVAL)
        asked = self.said()
        self.assertEqual(["echo"] * 6, [message["method"] for message in asked])
        self.hear(*({"id": a["id"], "result": [], "error": None} for a in asked))
        self.assertFalse(self.wire.disconnected)

    def test_deadline_in_a_pause(self) -> None:
        """It has as long to answer as if there had been no pause."""
        asked = self.session.request("transact", [])
        self.pause(3 * DEADLINE)
        self.clock.advance(DEADLINE - 1)
        self.assertFalse(self.wire.disconnected)
        self.hear({"id": 1, "result": [], "error": None})
        self.assertEqual(b"[]", bytes(self.successResultOf(asked)))

    def test_overdue_after_a_pause(self) -> None:
        """When that is over it is dropped."""
        asked = self.session.request("transact", [])
        self.pause(3 * DEADLINE)
        self.clock.advance(DEADLINE)
        self.assertTrue(self.wire.disconnected)
        self.lose()
        self.failureResultOf(asked, ConnectionDropped)

    def test_reads_nothing(self) -> None:
        """A peer that does not read is not read from, and is dropped in time."""
        self.session.pauseProducing()
        self.assertEqual("paused", self.wire.producerState)
        self.clock.pump([ECHO_INTERVAL] * 3)
        self.assertTrue(self.wire.disconnected)

    def test_hostile(self) -> None:
        """Whatever is not JSON-RPC ends the connection, never with an exception."""
        for stream in (
            b"hello",
            b"{}",
            b'{"id":1}',
            b'{"id":77,"result":[],"error":null}',
            b'{"id":null,"result":[]}',
            b'{"id":"1","result":[]}',
            b'{"id":' + b"9" * 10_000 + b',"result":[]}',
            b'{"id":1e400,"result":[]}',
            b'{"id":{"a":1},"result":[]}',
            b'{"method":7}',
            b'{"method":"update","params":[}',
            b'{"method":"update","params":' + b"[" * 300_000 + b"}",
            b'{"method":"\xff"}',
            b'{"method":"\\ud800"}',
            b'{"id":1,"method":"echo","params":["' + b"x" * 70_000 + b'"]}',
        ):
            self.setUp()
            self.session.dataReceived(stream)
            self.assertTrue(self.wire.disconnected, stream[:40])
            self.lose()
            self.assertEqual("ended", self.diary.heard[-1][0])

    def test_flood(self) -> None:
        """Thousands of updates in one chunk are taken without recursion."""
        update = {"id": None, "method": "update", "params": []}
        self.hear(*[update] * 3000)
        self.assertEqual(3000, len(self.diary.heard))
