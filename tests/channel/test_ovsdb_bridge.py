# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""What is done to make the integration bridge right, and when."""

import json
from typing import Any

from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.trial.unittest import SynchronousTestCase

from quantum.channel.ovsdb.bridge import WantedBridge, repair
from quantum.channel.ovsdb.mender import PATIENCE, Mender
from quantum.channel.ovsdb.operation import Operation
from quantum.channel.ovsdb.replica import Replica
from quantum.channel.ovsdb.rpc import Session
from tests.channel.database import apply, dump, mapping, name_of, refer
from tests.channel.test_ovsdb_rpc import Diary

WANTED = WantedBridge("br-int", "tcp:127.0.0.1:6653")


def replica(**changes: dict[int, Any]) -> Replica:
    """A replica in which all is right but for some changes."""
    made = Replica()
    apply(made, **dump())
    apply(made, **changes)
    return made


def summary(operations: list[Operation]) -> list[tuple[str, str]]:
    """What the operations do to which table."""
    return [(one["op"], one["table"]) for one in operations]


class RepairTests(SynchronousTestCase):
    """One transaction, guarded; nothing when all is right."""

    def test_right(self) -> None:
        """Nothing is written when all is right."""
        work = repair(replica(), WANTED)
        self.assertEqual(([], []), (work.operations, work.complaints))

    def test_not_initialised(self) -> None:
        """A database without its root row is left alone."""
        self.assertEqual([], repair(Replica(), WANTED).operations)

    def test_absent(self) -> None:
        """A missing bridge is made whole, unless somebody just made it."""
        work = repair(replica(Bridge={2: {"delete": None}}), WANTED)
        self.assertEqual(
            [
                ("wait", "Bridge"),
                ("insert", "Interface"),
                ("insert", "Port"),
                ("insert", "Controller"),
                ("insert", "Bridge"),
                ("mutate", "Open_vSwitch"),
            ],
            summary(work.operations),
        )
        self.assertNotIn("datapath_type", work.operations[4]["row"])

    def test_guard(self) -> None:
        """A change is refused if the bridge is no longer as it was seen."""
        wrong = replica(Bridge={2: {"modify": {"fail_mode": "standalone"}}})
        guard, update = repair(wrong, WANTED).operations
        self.assertEqual(("wait", 0), (guard["op"], guard["timeout"]))
        self.assertEqual("standalone", guard["rows"][0]["fail_mode"])
        controllers = ["set", [["uuid", name_of(30)]]]
        self.assertEqual(controllers, guard["rows"][0]["controller"])
        self.assertEqual({"fail_mode": "secure"}, update["row"])

    def test_protocols(self) -> None:
        """OpenFlow 1.3 is added where others are listed, and only there."""
        old = replica(Bridge={2: {"modify": {"protocols": "OpenFlow10"}}})
        mutation = repair(old, WANTED).operations[1]["mutations"]
        self.assertEqual([["protocols", "insert", "OpenFlow13"]], mutation)
        both = ["set", ["OpenFlow10", "OpenFlow13"]]
        new = replica(Bridge={2: {"modify": {"protocols": both}}})
        self.assertEqual([], repair(new, WANTED).operations)

    def test_controllers(self) -> None:
        """Another's controller is left alone; ours is added beside it."""
        work = repair(replica(), WantedBridge("br-int", "unix:/run/q.sock"))
        expected = [("wait", "Bridge"), ("insert", "Controller"), ("mutate", "Bridge")]
        self.assertEqual(expected, summary(work.operations))

    def test_timings(self) -> None:
        """Our controller's timings are set right."""
        slow = replica(Controller={30: {"modify": {"inactivity_probe": 60000}}})
        update = repair(slow, WANTED).operations[1]
        self.assertEqual("Controller", update["table"])
        self.assertEqual({"inactivity_probe": 5000, "max_backoff": 1000}, update["row"])

    def test_unknown_controller(self) -> None:
        """While a controller's row has not arrived, none is added."""
        partial = replica(Bridge={2: {"modify": {"controller": refer(31)}}})
        self.assertEqual([], repair(partial, WANTED).operations)

    def test_datapath_type(self) -> None:
        """An existing bridge's datapath type is complained of, never changed."""
        work = repair(replica(), WantedBridge("br-int", WANTED.controller, "netdev"))
        self.assertEqual([], work.operations)
        self.assertIn("datapath_type system, not netdev", work.complaints[0])


class MenderTests(SynchronousTestCase):
    """Repairs are tried again, but not in a hurry."""

    def setUp(self) -> None:
        self.clock, self.wire = Clock(), StringTransport()
        self.clock.advance(1000)
        self.session = Session(self.clock, Diary())
        self.session.makeConnection(self.wire)
        self.replica = replica(Bridge={2: {"modify": {"fail_mode": "standalone"}}})
        self.complaints: list[str] = []
        self.mender = Mender(
            self.clock,
            self.session,
            self.replica,
            WANTED,
            self.complaints.append,
            self.fail,
        )

    def answer(self, *results: dict[str, Any] | None) -> bool:
        """Answer the transaction that was asked for; whether there was one."""
        if not self.wire.value():
            return False
        question = json.loads(self.wire.value())
        self.wire.clear()
        answer = {"id": question["id"], "result": results, "error": None}
        self.session.dataReceived(json.dumps(answer).encode())
        return True

    def test_repaired(self) -> None:
        """A repair that reached the replica is not repeated."""
        self.mender.look()
        apply(self.replica, Bridge={2: {"modify": {"fail_mode": "secure"}}})
        self.assertTrue(self.answer({}, {"count": 1}))
        self.clock.advance(1)
        self.assertFalse(self.answer())
        self.assertEqual(1, len(self.complaints))

    def test_fight(self) -> None:
        """Somebody who keeps undoing it is answered ever more slowly."""
        self.mender.look()
        waits = []
        for _ in range(9):
            self.assertTrue(self.answer({}, {"count": 1}))
            waited = 0.0
            while not self.wire.value():
                self.clock.advance(0.5)
                self.session.dataReceived(b" ")
                waited += 0.5
            waits.append(waited)
        self.assertEqual([1, 2, 4, *[PATIENCE] * 6], waits)

    def test_several(self) -> None:
        """What is fought over does not keep other things waiting."""
        self.mender.look()
        wanted = {"external_ids": mapping(quantum_tunnel_ip="192.0.2.1")}
        apply(self.replica, Open_vSwitch={1: {"modify": wanted}})
        self.assertTrue(self.answer({}, {"count": 1}))
        asked = json.loads(self.wire.value())["params"]
        self.assertEqual("quantum-tun", asked[3]["row"]["name"])
        self.assertTrue(self.answer({"error": "timed out"}, *[None] * 4))
        self.clock.advance(0.5)
        self.assertFalse(self.wire.value())
        self.clock.advance(0.5)
        self.assertTrue(self.answer({}, {"count": 1}))
        self.assertTrue(self.answer(*[{}] * 5))

    def test_in_an_update(self) -> None:
        """In the middle of an update nothing is repaired."""
        self.mender.look()
        self.assertTrue(self.answer({}, {"count": 1}))
        self.session.pause()
        self.clock.advance(2)
        self.assertFalse(self.wire.value())
        self.mender.look()
        self.assertTrue(self.wire.value())

    def test_refused(self) -> None:
        """A refusal is told once; losing a race is nobody's business."""
        self.mender.look()
        for results in ([{"error": "timed out"}, None], *[[{}, {"error": "no"}]] * 3):
            self.assertTrue(self.answer(*results))
            while not self.wire.value():
                self.clock.advance(0.5)
                self.session.dataReceived(b" ")
        refusals = [text for text in self.complaints if "cannot set" in text]
        self.assertEqual(["cannot set br-int up: operation 1: no"], refusals)

    def test_stopped(self) -> None:
        """Nothing is left to do after the end."""
        self.mender.look()
        self.assertTrue(self.answer({}, {"count": 1}))
        self.mender.stop()
        self.session.connectionLost()
        self.assertEqual([], self.clock.getDelayedCalls())
