# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""A whole conversation with a database server that is played by the test."""

import json
from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectError
from twisted.internet.task import Clock
from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from quantum.channel.ovsdb.bridge import WantedBridge
from quantum.channel.ovsdb.client import DialIns, HypervisorClients, Places
from quantum.channel.ovsdb.dialling import LONGEST_PAUSE, pause
from quantum.channel.ovsdb.hypervisor import Claims, Hypervisor, Surroundings
from quantum.channel.ovsdb.replica import Replica
from quantum.channel.ovsdb.rpc import Session
from tests.channel.database import Listener, dump, mapping, name_of, refer

WANTED = WantedBridge("br-int", "tcp:127.0.0.1:6653")
NEVER = "00000000-0000-0000-0000-000000000000"


def tables(**rows: dict[int, Any]) -> dict[str, Any]:
    """Write updates of rows as a server does."""
    return {
        table: {name_of(number): update for number, update in updates.items()}
        for table, updates in rows.items()
    }


class Stage:
    """A hypervisor's connection, and the server's side of it."""

    def __init__(self, given: Surroundings, replica: Replica | None = None) -> None:
        self.wire = StringTransport()
        self.hypervisor = Hypervisor(given, "10.0.0.7", replica or Replica())
        self.session = Session(given.clock, self.hypervisor)
        self.session.makeConnection(self.wire)

    def question(self) -> dict[str, Any]:
        """The one request that was sent."""
        asked = json.loads(self.wire.value())
        self.wire.clear()
        return asked

    def answer(self, method: str, result: Any = None, error: Any = None) -> list[Any]:
        """Answer the request; its parameters."""
        asked = self.question()
        assert asked["method"] == method, asked
        message = {"id": asked["id"], "result": result, "error": error}
        self.session.dataReceived(json.dumps(message).encode())
        return asked["params"]

    def tell(self, method: str, *params: Any) -> None:
        """Send a notification."""
        message = {"id": None, "method": method, "params": params}
        self.session.dataReceived(json.dumps(message).encode())

    def settle(self, system_id: str = "host1") -> None:
        """Answer everything up to the first dump, with all rows right."""
        rows = dump()
        rows["Open_vSwitch"][1]["initial"]["external_ids"] = mapping(
            system_id=system_id
        )
        self.answer("list_dbs", ["_Server", "Open_vSwitch"])
        self.answer("monitor_cond_since", [False, NEVER, tables(**rows)])

    def end(self) -> None:
        """Let the connection end."""
        self.session.connectionLost()


class HypervisorCase(SynchronousTestCase):
    """A listener and a clock."""

    def setUp(self) -> None:
        self.clock, self.listener, self.warnings = Clock(), Listener(), []
        self.given = self.surroundings(self.clock)

    def surroundings(self, clock: Any) -> Surroundings:
        """What hypervisors are given."""
        warn = self.warnings.append
        return Surroundings(clock, WANTED, self.listener, Claims(warn), warn)


class BeginningTests(HypervisorCase):
    """How a conversation begins, with servers new and old."""

    expected = ("synced", "host1", 0xAA, ["tap20", "tap21"])

    def test_newest(self) -> None:
        """A server that knows transactions is asked for what happened since."""
        stage = Stage(self.given)
        stage.answer("list_dbs", ["Open_vSwitch"])
        asked = stage.answer("monitor_cond_since", [False, NEVER, tables(**dump())])
        self.assertEqual(["Open_vSwitch", "quantum"], asked[:2])
        self.assertEqual(NEVER, asked[3])
        self.assertEqual([self.expected], self.listener.news())
        self.assertTrue(stage.hypervisor.is_settled)

    def test_older(self) -> None:
        """A server without monitor_cond_since gets monitor_cond."""
        stage = Stage(self.given)
        stage.answer("list_dbs", ["Open_vSwitch"])
        stage.answer("monitor_cond_since", error="unknown method")
        stage.answer("monitor_cond", tables(**dump()))
        self.assertEqual([self.expected], self.listener.news())
        stage.tell(
            "update2", "quantum", tables(Interface={20: {"modify": {"ofport": 9}}})
        )
        self.assertEqual(9, self.listener.picture["tap20"].ofport)

    def test_oldest(self) -> None:
        """A server without that gets monitor, as in RFC 7047."""
        stage = Stage(self.given)
        stage.answer("list_dbs", ["Open_vSwitch"])
        stage.answer("monitor_cond_since", error={"error": "unknown method"})
        stage.answer("monitor_cond", error={"error": "unknown method"})
        rows = {
            table: {number: {"new": row["initial"]} for number, row in found.items()}
            for table, found in dump().items()
        }
        stage.answer("monitor", tables(**rows))
        self.assertEqual([self.expected], self.listener.news())
        stage.tell("update", "quantum", tables(Interface={20: {"old": {}}}))
        self.assertEqual(["tap21"], list(self.listener.picture))

    def test_continued(self) -> None:
        """After a lost connection only what happened since is asked and sent."""
        replica = Replica()
        first = Stage(self.given, replica)
        first.answer("list_dbs", ["Open_vSwitch"])
        first.answer("monitor_cond_since", [False, name_of(77), tables(**dump())])
        change = tables(Interface={20: {"modify": {"ofport": 9}}})
        first.tell("update3", "quantum", name_of(78), change)
        first.end()
        second = Stage(self.given, replica)
        second.answer("list_dbs", ["Open_vSwitch"])
        since = tables(Interface={21: {"modify": {"ofport": 8}}})
        asked = second.answer("monitor_cond_since", [True, name_of(79), since])
        self.assertEqual(name_of(78), asked[3])
        self.assertEqual(self.expected, self.listener.calls[-1])
        ofports = [seen.ofport for seen in self.listener.picture.values()]
        self.assertEqual([8, 9], sorted(ofports))

    def test_no_such_database(self) -> None:
        """A server of something else is dropped."""
        stage = Stage(self.given)
        stage.answer("list_dbs", ["hardware_vtep"])
        self.assertTrue(stage.wire.disconnected)

    def test_nonsense(self) -> None:
        """Answers that make no sense end the connection, with a reason."""
        for result in ([1], {}, [True, 7, {}], [True, NEVER, []], "x"):
            stage = Stage(self.given)
            stage.answer("list_dbs", ["Open_vSwitch"])
            stage.answer("monitor_cond_since", result)
            self.assertTrue(stage.wire.disconnected, result)
            stage.end()
            self.assertIn(
                "understood", self.successResultOf(stage.hypervisor.ended_with)
            )
        self.assertEqual([], self.flushLoggedErrors())


class LifeTests(HypervisorCase):
    """What happens while it lasts."""

    def test_bad_update(self) -> None:
        """An update that makes no sense ends the connection, not the reactor."""
        for params in (["quantum"], ["quantum", []], ["quantum", {"Port": {"x": {}}}]):
            stage = Stage(self.given)
            stage.settle()
            stage.tell("update2", *params)
            self.assertTrue(stage.wire.disconnected)
            stage.end()
            self.assertEqual(("lost", "host1"), self.listener.news()[-1])

    def test_repair(self) -> None:
        """A bridge that is deleted is made again at once."""
        stage = Stage(self.given)
        stage.settle()
        stage.tell("update2", "quantum", tables(Bridge={2: {"delete": None}}))
        operations = stage.question()["params"][1:]
        self.assertEqual("insert", operations[4]["op"])
        self.assertEqual(("switch gone", "host1", 0xAA), self.listener.news()[-1])

    def test_twins(self) -> None:
        """A name belongs to whoever came first, until that one has left."""
        first, second = Stage(self.given), Stage(self.given)
        first.settle()
        for other in (second, Stage(self.given)):
            other.settle()
            self.assertTrue(other.wire.disconnected)
            other.end()
        self.assertEqual(1, len(self.warnings))
        self.assertEqual(1, len(self.listener.news()))
        first.end()
        Stage(self.given).settle()
        told = [call[0] for call in self.listener.news()]
        self.assertEqual(["lost", "synced"], told)

    def test_renamed(self) -> None:
        """Under another name all is told again; under a taken one it is dropped."""
        other, stage = Stage(self.given), Stage(self.given)
        other.settle("other")
        stage.settle("")
        self.assertEqual("10.0.0.7", self.listener.news()[-1][1])

        def rename(name: str) -> None:
            pairs = {"modify": {"external_ids": mapping(system_id=name)}}
            stage.tell("update2", "quantum", tables(Open_vSwitch={1: pairs}))

        rename("new")
        self.assertEqual(
            [
                ("renamed", "10.0.0.7", "new"),
                ("synced", "new", 0xAA, ["tap20", "tap21"]),
            ],
            self.listener.news(),
        )
        rename("other")
        self.assertTrue(stage.wire.disconnected)
        self.assertFalse(other.wire.disconnected)
        stage.end()
        self.assertEqual([("lost", "new")], self.listener.news())

    def test_renamed_and_gone(self) -> None:
        """A bridge that goes with the old name is gone under the new one."""
        stage = Stage(self.given)
        stage.settle("old")
        self.listener.news()
        root = {"external_ids": mapping(system_id="new"), "bridges": refer(2)}
        rows = tables(Open_vSwitch={1: {"modify": root}}, Bridge={2: {"delete": None}})
        stage.tell("update2", "quantum", rows)
        self.assertEqual(
            [("renamed", "old", "new"), ("switch gone", "new", 0xAA)],
            self.listener.news(),
        )

    def test_renamed_without_id(self) -> None:
        """A bridge that has no datapath id at that moment keeps the last."""
        stage = Stage(self.given)
        stage.settle("old")
        self.listener.news()
        gone = tables(Bridge={2: {"modify": {"datapath_id": ["set", []]}}})
        stage.tell("update2", "quantum", gone)
        root = {"external_ids": mapping(system_id="new")}
        stage.tell("update2", "quantum", tables(Open_vSwitch={1: {"modify": root}}))
        self.assertEqual(
            [
                ("renamed", "old", "new"),
                ("synced", "new", 0xAA, ["tap20", "tap21"]),
            ],
            self.listener.news(),
        )

    def test_large_dump(self) -> None:
        """A large dump is taken in turns, and what comes behind it waits."""
        stage = Stage(self.given)
        stage.answer("list_dbs", ["Open_vSwitch"])
        rows = dump()
        rows["Interface"].update({n: {"initial": {}} for n in range(1000, 3000)})
        stage.answer("monitor_cond_since", [False, NEVER, tables(**rows)])
        unplug = tables(Bridge={2: {"modify": {"ports": refer(11)}}})
        stage.tell("update2", "quantum", unplug)
        self.assertEqual([], self.listener.calls)
        self.clock.advance(0)
        kinds = [call[0] for call in self.listener.news()]
        self.assertEqual(["synced", "changed"], kinds)

    def test_lost_in_a_dump(self) -> None:
        """A dump that was interrupted is never continued."""
        replica = Replica(last_transaction=name_of(77))
        stage = Stage(self.given, replica)
        stage.answer("list_dbs", ["Open_vSwitch"])
        rows = dump()
        rows["Interface"].update({n: {"initial": {}} for n in range(1000, 3000)})
        stage.answer("monitor_cond_since", [False, name_of(78), tables(**rows)])
        stage.end()
        self.clock.advance(1)
        self.assertEqual([], self.listener.calls)
        self.assertEqual([], self.clock.getDelayedCalls())


class BusyTests(HypervisorCase):
    """What is told while the listener works on what it was told before."""

    def setUp(self) -> None:
        super().setUp()
        self.stage = Stage(self.given)
        self.stage.settle()
        self.listener.busy = Deferred()
        self.listener.news()

    def change(self, ofport: int) -> None:
        """Tell that an interface has another number."""
        row = {20: {"modify": {"ofport": ofport}}}
        self.stage.tell("update2", "quantum", tables(Interface=row))

    def test_update(self) -> None:
        """It waits, and the database has to wait with more; then all is taken."""
        for ofport in (7, 8):
            self.change(ofport)
        self.assertEqual("paused", self.stage.wire.producerState)
        self.assertEqual([], self.listener.news())
        busy, self.listener.busy = self.listener.busy, None
        busy.callback(None)
        self.assertEqual(["changed"] * 2, [call[0] for call in self.listener.news()])
        self.assertEqual(8, self.listener.picture["tap20"].ofport)
        self.assertEqual("producing", self.stage.wire.producerState)

    def test_others(self) -> None:
        """What comes behind no update is heard."""
        self.stage.wire.clear()
        echo = {"id": 1, "method": "echo", "params": []}
        self.stage.session.dataReceived(json.dumps(echo).encode())
        self.assertEqual([], self.stage.question()["result"])

    def test_again(self) -> None:
        """Nobody gets round that by another connection: it begins only then."""
        self.stage.end()
        second = Stage(self.given)
        second.answer("list_dbs", ["Open_vSwitch"])
        self.assertEqual(b"", second.wire.value())
        self.listener.busy.callback(None)
        self.assertEqual("monitor_cond_since", second.question()["method"])

    def test_lost(self) -> None:
        """Nobody waits for a connection that has ended."""
        self.change(7)
        self.stage.end()
        self.listener.busy.callback(None)
        self.assertEqual(["lost"], [call[0] for call in self.listener.news()])
        self.assertEqual([], self.flushLoggedErrors())
        self.assertEqual([], self.clock.getDelayedCalls())


class DialInsTests(HypervisorCase):
    """Hypervisors that dial us."""

    def test_limit(self) -> None:
        """Beyond the limit connections are refused, with one warning."""
        dial_ins = DialIns(self.given, limit=2)
        address = IPv4Address("TCP", "10.0.0.9", 1234)
        taken = [dial_ins.buildProtocol(address) for _ in range(2)]
        for session in taken:
            session.makeConnection(StringTransport())
        self.assertIsNone(dial_ins.buildProtocol(address))
        self.assertIsNone(dial_ins.buildProtocol(address))
        self.assertEqual(1, len(self.warnings))
        taken[0].connectionLost()
        self.assertIsNotNone(dial_ins.buildProtocol(address))

    def test_close(self) -> None:
        """Closing waits until every connection has ended."""
        dial_ins = DialIns(self.given)
        session = dial_ins.buildProtocol(None)
        wire = StringTransport()
        session.makeConnection(wire)
        closed = dial_ins.close()
        self.assertTrue(wire.disconnected)
        self.assertNoResult(closed)
        session.connectionLost()
        self.successResultOf(closed)


class DiallingTests(SynchronousTestCase):
    """Dialling again and again."""

    def test_pause(self) -> None:
        """The pause doubles up to a limit and is spread."""
        self.assertEqual([0.125, 0.25], [pause(0, 0.0), pause(0, 1.0)])
        self.assertEqual(LONGEST_PAUSE, pause(50, 1.0))

    def test_again(self) -> None:
        """A place that cannot be reached is dialled again, with one warning."""
        reactor, warnings = MemoryReactorClock(), []
        service = HypervisorClients(
            reactor,
            Places(["tcp:10.0.0.1:6640"]),
            WANTED,
            Listener(),
            warnings.append,
        )
        service.startService()
        for attempt in range(1, 6):
            self.assertEqual(attempt, len(reactor.tcpClients))
            factory = reactor.tcpClients[-1][2]
            factory.clientConnectionFailed(None, Failure(ConnectError()))
            reactor.advance(LONGEST_PAUSE)
        self.assertEqual(1, len(warnings))
        self.assertIn("tcp:10.0.0.1:6640", warnings[0])
        stopped = service.stopService()
        self.successResultOf(stopped)
        reactor.advance(60)
        self.assertEqual(6, len(reactor.tcpClients))
