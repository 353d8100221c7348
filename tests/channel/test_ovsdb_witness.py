# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""From changed rows to what the listener is told."""

import json
from typing import Any

import msgspec
from twisted.trial.unittest import SynchronousTestCase

from quantum.channel.ovsdb.bridge import WantedBridge
from quantum.channel.ovsdb.faults import Misspoken
from quantum.channel.ovsdb.replica import Replica
from quantum.channel.ovsdb.update import rows
from quantum.channel.ovsdb.witness import Witness
from quantum.openflow.facts import SeenInterface, Underlay
from tests.channel.database import (
    Listener,
    apply,
    dump,
    mapping,
    name_of,
    options,
    refer,
)

WANTED = WantedBridge("br-int", "tcp:127.0.0.1:6653")


class WitnessTests(SynchronousTestCase):
    """The listener is told what changed, and nothing else."""

    def setUp(self) -> None:
        self.replica, self.listener = Replica(), Listener()
        self.complaints: list[str] = []
        self.witness = Witness(
            self.replica, WANTED, self.listener, self.complaints.append
        )
        self.learn(**dump())
        self.first = self.listener.news()

    def learn(self, **tables: dict[int, Any]) -> list[tuple[Any, ...]]:
        """Let one update arrive; what the listener is told of it."""
        apply(self.replica, **tables)
        for _ in self.witness.review("host1"):
            pass
        return self.listener.news() if hasattr(self, "first") else []

    def test_synced(self) -> None:
        """At first the whole bridge is told, once; other bridges are not."""
        self.assertEqual([("synced", "host1", 0xAA, ["tap20", "tap21"])], self.first)
        expected = SeenInterface("tap20", "vif20", 20, bytes([2, 0, 0, 0, 0, 0x20]))
        self.assertEqual(expected, self.listener.picture["tap20"])
        self.assertEqual([], self.learn())

    def test_other_rows(self) -> None:
        """A change that means nothing to us is not told."""
        self.assertEqual(
            [],
            self.learn(
                Interface={
                    20: {"modify": {"external_ids": mapping(vm_uuid="x")}},
                    22: {"modify": {"ofport": 5}},
                }
            ),
        )

    def test_plugged(self) -> None:
        """An interface is told at once, with port 0, and again with its port."""
        told = self.learn(
            Bridge={2: {"modify": {"ports": refer(13)}}},
            Port={13: {"insert": {"interfaces": refer(23)}}},
            Interface={
                23: {"insert": {"name": "x", "external_ids": mapping(iface_id="v")}}
            },
        )
        self.assertEqual([("changed", "host1", 0xAA, [], ["x"])], told)
        self.assertEqual(SeenInterface("x", "v", 0), self.listener.picture["x"])
        for ofport, seen in ((-1, None), (7, 7), (65534, 0), (["set", []], None)):
            told = self.learn(Interface={23: {"modify": {"ofport": ofport}}})
            self.assertEqual(0 if seen is None else 1, len(told))
            self.assertEqual(seen or 0, self.listener.picture["x"].ofport)

    def test_unplugged(self) -> None:
        """A deleted interface is gone."""
        told = self.learn(
            Bridge={2: {"modify": {"ports": refer(10)}}},
            Port={10: {"delete": None}},
            Interface={20: {"delete": None}},
        )
        self.assertEqual([("changed", "host1", 0xAA, ["tap20"], [])], told)

    def test_replaced(self) -> None:
        """A row deleted and made again under its name is one replacement."""
        fresh = {"name": "tap20", "ofport": 9, "external_ids": mapping(iface_id="v")}
        told = self.learn(
            Bridge={2: {"modify": {"ports": refer(10, 13)}}},
            Port={10: {"delete": None}, 13: {"insert": {"interfaces": refer(23)}}},
            Interface={20: {"delete": None}, 23: {"insert": fresh}},
        )
        self.assertEqual([("changed", "host1", 0xAA, [], ["tap20"])], told)
        self.assertEqual(9, self.listener.picture["tap20"].ofport)

    def test_renamed(self) -> None:
        """An interface under another name is gone under the old one."""
        told = self.learn(Interface={20: {"modify": {"name": "new"}}})
        self.assertEqual([("changed", "host1", 0xAA, ["tap20"], ["new"])], told)

    def test_iface_id(self) -> None:
        """An iface-id may change, go, and come."""
        change = [["iface-id", "other"]]
        told = self.learn(Interface={20: {"modify": {"external_ids": ["map", change]}}})
        self.assertEqual([("changed", "host1", 0xAA, [], ["tap20"])], told)
        self.assertEqual("other", self.listener.picture["tap20"].attachment)
        told = self.learn(Interface={20: {"modify": {"external_ids": ["map", change]}}})
        self.assertEqual([("changed", "host1", 0xAA, ["tap20"], [])], told)
        told = self.learn(Interface={20: {"modify": {"external_ids": ["map", change]}}})
        self.assertEqual([("changed", "host1", 0xAA, [], ["tap20"])], told)

    def test_moved(self) -> None:
        """A port that goes to another bridge is gone here, and may come back."""
        bridges = {number: {"modify": {"ports": refer(10)}} for number in (2, 3)}
        told = self.learn(Bridge=bridges)
        self.assertEqual([("changed", "host1", 0xAA, ["tap20"], [])], told)
        told = self.learn(Bridge=bridges)
        self.assertEqual([("changed", "host1", 0xAA, [], ["tap20"])], told)

    def test_interface_moved(self) -> None:
        """An interface may change its port, as in a bond."""
        told = self.learn(
            Port={
                10: {"modify": {"interfaces": refer(20)}},
                12: {"modify": {"interfaces": refer(20)}},
            }
        )
        self.assertEqual([("changed", "host1", 0xAA, ["tap20"], [])], told)

    def test_bridge_deleted(self) -> None:
        """A deleted bridge is gone; made anew, it is told whole."""
        self.assertEqual(
            [("switch gone", "host1", 0xAA)], self.learn(Bridge={2: {"delete": None}})
        )
        anew = {"name": "br-int", "ports": refer(10)}
        self.assertEqual([], self.learn(Bridge={4: {"insert": anew}}))
        told = self.learn(Bridge={4: {"modify": {"datapath_id": "00000000000000cc"}}})
        self.assertEqual([("synced", "host1", 0xCC, ["tap20"])], told)

    def test_bridge_replaced(self) -> None:
        """A bridge deleted and made in one transaction is told whole."""
        anew = {"name": "br-int", "datapath_id": "00000000000000aa"}
        told = self.learn(Bridge={2: {"delete": None}, 4: {"insert": anew}})
        self.assertEqual([("synced", "host1", 0xAA, [])], told)

    def test_datapath_id(self) -> None:
        """Another datapath id is another switch; none for a moment is no change."""
        for written in (["set", []], "nonsense", "00000000000000aa"):
            self.assertEqual(
                [], self.learn(Bridge={2: {"modify": {"datapath_id": written}}})
            )
        told = self.learn(Bridge={2: {"modify": {"datapath_id": "00000000000000cc"}}})
        self.assertEqual(
            [
                ("switch gone", "host1", 0xAA),
                ("synced", "host1", 0xCC, ["tap20", "tap21"]),
            ],
            told,
        )

    def test_many_networks(self) -> None:
        """A port that brings frames of many networks cannot be plugged into one."""
        plugged = {"name": "t", "external_ids": mapping(iface_id="v")}
        marked = mapping(iface_id="v", quantum="br-int/tunnel")
        for change in (
            {"options": options(key="flow", remote_ip="192.0.2.2")},
            {"options": options(remote_ip="flow")},
            {"external_ids": marked},
        ):
            self.learn(Interface={20: {"initial": plugged}})
            self.assertEqual("", self.listener.picture["t"].problem)
            self.learn(Interface={20: {"initial": {**plugged, **change}}})
            problem = self.listener.picture["t"].problem
            self.assertIn("cannot be plugged into one", problem)
            self.assertIn(problem, self.complaints.pop())

    def test_bad_mac(self) -> None:
        """An interface whose MAC is none has a problem, told with one warning."""
        for mac in ("02:00:00:00:00:0g", "ff:ff:ff:ff:ff:ff", "1:2:3:4:5:6"):
            owner = mapping(iface_id="v", attached_mac=mac)
            self.learn(
                Interface={20: {"initial": {"name": "t", "external_ids": owner}}}
            )
            seen = self.listener.picture["t"]
            self.assertIsNone(seen.mac)
            self.assertIn(mac, seen.problem)
            self.learn(Interface={20: {"modify": {"ofport": 3}}})
            self.assertEqual(1, len(self.complaints), mac)
            self.assertIn(mac, self.complaints.pop())

    def test_ips_and_mtu(self) -> None:
        """Addresses are read from commas and spaces; bad ones are told once."""
        seen = self.addressed("10.0.0.5, 2001:db8::5 10.0.0.5", mtu=1450)
        six = bytes.fromhex("20010db8000000000000000000000005")
        self.assertEqual(((bytes([10, 0, 0, 5]), six), 1450), (seen.ips, seen.mtu))
        self.assertEqual([], self.complaints)
        bad = ("10.0.0", "10.0.0.5/24", "224.0.0.1", "fe80::1%eth0", "::", "ff02::1")
        for word in (*bad, "0.0.0.1", "é", "x" * 100_000):
            seen = self.addressed(f"{word},10.0.0.6")
            self.assertEqual((bytes([10, 0, 0, 6]),), seen.ips, word[:20])
            self.learn(Interface={20: {"modify": {"ofport": 3}}})
            (complaint,) = self.complaints
            self.complaints.clear()
            self.assertIn(f"{word[:64]!r} is no unicast IP address", complaint)
            self.assertLess(len(complaint), 200)
        many = self.addressed(" ".join(f"10.0.1.{number}" for number in range(200)))
        self.assertEqual(64, len(many.ips))
        self.assertIn("after 64 addresses", self.complaints.pop())
        for mtu in (["set", []], -1, 2**40):
            self.assertEqual(0, self.addressed("", mtu=mtu).mtu)

    def test_error(self) -> None:
        """Why Open vSwitch has no port for an interface is told, until it has."""
        error = "could not open network device tap20 (No such device)"
        self.learn(Interface={20: {"modify": {"ofport": -1, "error": error}}})
        self.assertEqual(error, self.listener.picture["tap20"].problem)
        self.learn(Interface={20: {"modify": {"ofport": 5, "error": ["set", []]}}})
        self.assertEqual("", self.listener.picture["tap20"].problem)
        self.assertEqual([], self.complaints)

    def addressed(self, ips: str, mtu: Any = 1500) -> SeenInterface:
        """An interface whose owner gave it IP addresses."""
        owner = mapping(iface_id="v", quantum_ips=ips)
        row = {"name": "t", "external_ids": owner, "mtu": mtu}
        self.learn(Interface={20: {"initial": row}})
        return self.listener.picture["t"]

    def test_whole_rows(self) -> None:
        """The oldest notation, whole rows, says the same."""
        row = {"name": "tap20", "ofport": 4, "external_ids": mapping(iface_id="v")}
        told = self.learn(
            Bridge={
                2: {
                    "old": {"ports": refer(10, 11)},
                    "new": {
                        "name": "br-int",
                        "datapath_id": "00000000000000aa",
                        "ports": refer(10),
                    },
                }
            },
            Interface={20: {"old": {"ofport": 20}, "new": row}, 21: {"old": {}}},
        )
        self.assertEqual([("changed", "host1", 0xAA, ["tap21"], ["tap20"])], told)


class UnderlayTests(SynchronousTestCase):
    """The listener is told by what the switch reaches others, when it changes."""

    def test_told(self) -> None:
        """It is told before the interfaces, then only what is different."""
        replica, listener = Replica(), Listener()
        witness = Witness(replica, WANTED, listener, self.fail)

        def learn(**tables: dict[int, Any]) -> list[tuple[int, Underlay]]:
            apply(replica, **tables)
            for _ in witness.review("host1"):
                pass
            told, listener.underlays = listener.underlays, []
            return told

        ((datapath_id, first),) = learn(**dump())
        self.assertEqual((0xAA, b""), (datapath_id, first.address))
        order = ["underlay of host1", "interfaces of host1"]
        self.assertEqual(order, listener.whole)
        self.assertEqual([], learn(Interface={20: {"modify": {"ofport": 3}}}))
        own = {"external_ids": mapping(quantum_tunnel_ip="192.0.2.1")}
        ((_, told),) = learn(Open_vSwitch={1: {"modify": own}})
        self.assertEqual(bytes([192, 0, 2, 1]), told.address)
        self.assertEqual([], learn(Open_vSwitch={1: {"modify": {}}}))
        moved = {"modify": {"datapath_id": "00000000000000cc"}}
        self.assertEqual([(0xCC, told)], learn(Bridge={2: moved}))
        witness.forget()
        self.assertEqual([(0xCC, told)], learn())


class NonsenseTests(SynchronousTestCase):
    """Updates that no server sends are refused, never half understood."""

    def test_refused(self) -> None:
        """Each wrong shape has its own refusal."""
        for update in (
            {},
            {"modify": {}},
            {"insert": 7},
            {"insert": {"name": ["uuid", name_of(1)]}},
            {"insert": {"ofport": "1"}},
            {"insert": {"ofport": 2**63}},
            {"insert": {"ofport": {"a": 1}}},
            {"insert": {"mtu": "1500"}},
            {"insert": {"options": "peer"}},
            {"insert": {"error": 5}},
            {"insert": {"type": 5}},
            {"insert": {"external_ids": ["set", []]}},
            {"insert": {"external_ids": ["map", [["iface-id", 1]]]}},
            {"insert": {"external_ids": ["map", ["iface-id"]]}},
        ):
            with self.assertRaises(Misspoken, msg=str(update)):
                apply(Replica(), Interface={1: update})
        for ports in (["uuid", "x"], ["set", [1]], 7, None):
            with self.assertRaises(Misspoken):
                apply(Replica(), Bridge={1: {"insert": {"ports": ports}}})

    def test_tables(self) -> None:
        """What is not tables of rows of updates is refused."""
        for written in (b"[]", b'{"Port":[]}', b'{"Port":{"x":[]}}'):
            with self.assertRaises(Misspoken):
                list(rows(msgspec.Raw(written)))
        with self.assertRaises(Misspoken):
            written = json.dumps({"Port": {"not a uuid": {"delete": None}}}).encode()
            for update in rows(msgspec.Raw(written)):
                Replica().apply(*update)
