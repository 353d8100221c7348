# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""When repairs are made, and how often."""

import json
from typing import Any

from attrs import evolve
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.trial.unittest import SynchronousTestCase

from quantum.channel.ovsdb.mender import PATIENCE, TRIED_AGAIN_AFTER, Mender
from quantum.channel.ovsdb.rpc import Session
from tests.channel.database import apply, mapping, plug, unplug
from tests.channel.test_ovsdb_bridge import WANTED, replica
from tests.channel.test_ovsdb_rpc import Diary


class MenderCase(SynchronousTestCase):
    """One bridge, whose fail_mode is wrong, and the server played by the test."""

    wanted = WANTED

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
            self.wanted,
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


class MenderTests(MenderCase):
    """Repairs are tried again, but not in a hurry."""

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


class TrialTests(MenderCase):
    """An interface of the machine may not be there."""

    wanted = evolve(WANTED, physical_networks={"lab": "eth9"})

    def tried(self) -> str:
        """The port that is being made or removed, if any; it is then done."""
        if not self.wire.value():
            return ""
        operations = json.loads(self.wire.value())["params"][1:]
        self.assertTrue(self.answer(*[{}] * len(operations)))
        made = [one["row"]["name"] for one in operations if one["op"] == "insert"]
        return made[0] if made else "removed " + operations[0]["rows"][0]["name"]

    def test_came_to_nothing(self) -> None:
        """An interface that cannot be had gives its name back, and is tried again."""
        apply(self.replica, Bridge={2: {"modify": {"fail_mode": "secure"}}})
        mark = mapping(quantum="br-int/uplink/lab/eth9")
        row = {"name": "eth9", "error": "no device", "external_ids": mark}
        for _ in range(3):
            self.mender.look()
            self.assertEqual("eth9", self.tried())
            plug(self.replica, 50, row)
            self.mender.look()
            self.clock.advance(1)
            self.assertEqual("removed eth9", self.tried())
            unplug(self.replica, 50)
            self.mender.look()
            for _ in range(11):
                self.clock.advance(TRIED_AGAIN_AFTER / 12)
                self.session.dataReceived(b" ")
                self.assertEqual("", self.tried())
            self.clock.advance(TRIED_AGAIN_AFTER / 12)
        self.assertEqual(["physical network lab (eth9): no device"], self.complaints)

    def test_worked_once(self) -> None:
        """An interface that did work is waited for where it is."""
        apply(self.replica, Bridge={2: {"modify": {"fail_mode": "secure"}}})
        mark = mapping(quantum="br-int/uplink/lab/eth9")
        self.mender.look()
        self.assertEqual("eth9", self.tried())
        plug(self.replica, 50, {"name": "eth9", "ofport": 3, "external_ids": mark})
        self.mender.look()
        gone = {"modify": {"ofport": -1, "error": "no device"}}
        apply(self.replica, Interface={50: gone})
        self.mender.look()
        self.clock.advance(2)
        self.assertEqual("", self.tried())
