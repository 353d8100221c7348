# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""What is done to have the tunnel port and the uplinks, and what is told of them."""

from typing import Any

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from quantum.channel.ovsdb.bridge import WantedBridge
from quantum.channel.ovsdb.cabling import REMOVED_AT_ONCE, Cabling
from quantum.channel.ovsdb.operation import Operation, Repair
from quantum.channel.ovsdb.reach import reach
from quantum.channel.ovsdb.replica import Replica
from quantum.openflow.facts import Underlay
from tests.channel.database import (
    apply,
    dump,
    mapping,
    name_of,
    options,
    plug,
    refer,
    settle,
)

WANTED = WantedBridge(
    "br-int", "tcp:127.0.0.1:6653", tunnel_addresses={"host1": "192.0.2.1"}
)
ADDRESS = bytes([192, 0, 2, 1])
CABLED = evolve(WANTED, physical_networks={"external": "br-ex"})
PLAIN = evolve(WANTED, physical_networks={"lab": "eth3"})
TUNNEL = {
    "name": "quantum-tun",
    "type": "vxlan",
    "ofport": 65000,
    "ofport_request": 65000,
    "options": options(key="flow", remote_ip="flow", local_ip="192.0.2.1"),
    "external_ids": mapping(quantum="br-int/tunnel"),
}
MARK = mapping(quantum="br-int/uplink/external/br-ex")
NEAR = {
    "name": "quantum-to-external",
    "type": "patch",
    "ofport": 7,
    "options": options(peer="quantum-from-external"),
    "external_ids": MARK,
}
FAR = {
    "name": "quantum-from-external",
    "type": "patch",
    "ofport": 8,
    "options": options(peer="quantum-to-external"),
    "external_ids": MARK,
}


class CablingCase(SynchronousTestCase):
    """A database with the tunnel port on br-int, to which more is plugged."""

    def setUp(self) -> None:
        self.replica = Replica()
        apply(self.replica, **dump())
        self.plug(40, TUNNEL)

    def plug(self, number: int, row: dict[str, Any], bridge: int = 2) -> None:
        """Put an interface on a bridge (2 is br-int, 3 is br-ex)."""
        plug(self.replica, number, row, bridge)

    def modify(self, number: int, **columns: Any) -> None:
        """Change columns of an interface."""
        apply(self.replica, Interface={number: {"modify": columns}})
        settle(self.replica)

    def cabling(self, wanted: WantedBridge) -> Cabling:
        """What is there against what is wanted."""
        return Cabling(self.replica, wanted, reach(self.replica, wanted))

    def repair(self, wanted: WantedBridge = WANTED) -> Repair:
        """The one repair that there must be, or an empty one."""
        found = list(self.cabling(wanted).repairs())
        wanting = [one for one in found if one.operations] or [Repair()]
        self.assertEqual(1, len(wanting))
        wanting[0].complaints = [text for one in found for text in one.complaints]
        return wanting[0]

    def underlay(self, wanted: WantedBridge = WANTED) -> Underlay:
        """What is told."""
        return self.cabling(wanted).underlay()


def summary(operations: list[Operation]) -> list[tuple[str, str]]:
    """What the operations do to which table."""
    return [(one["op"], one["table"]) for one in operations]


ADDING = [
    ("wait", "Bridge"),
    ("wait", "Interface"),
    ("insert", "Interface"),
    ("insert", "Port"),
    ("mutate", "Bridge"),
]
REMOVING = [("wait", "Interface"), ("mutate", "Bridge")]


class TunnelTests(CablingCase):
    """The tunnel port."""

    def test_right(self) -> None:
        """Nothing is written when all is right, and its OpenFlow port is told."""
        self.assertEqual(Repair(), self.repair())
        self.assertEqual(Underlay(ADDRESS, 65000), self.underlay())

    def test_made(self) -> None:
        """A missing port is made, unless somebody just did."""
        apply(self.replica, Interface={40: {"delete": None}})
        work = self.repair()
        self.assertEqual(ADDING, summary(work.operations))
        self.assertEqual([["name", "==", "quantum-tun"]], work.operations[1]["where"])
        self.assertEqual([], work.operations[1]["rows"])
        row = work.operations[2]["row"]
        self.assertEqual((65000, "vxlan"), (row["ofport_request"], row["type"]))
        self.assertEqual(0, self.underlay().tunnel)

    def test_geneve(self) -> None:
        """Another tunnel type is given to the port that is there."""
        update = self.repair(evolve(WANTED, tunnel_type="geneve")).operations[1]
        self.assertEqual("geneve", update["row"]["type"])

    def test_broken(self) -> None:
        """Wrong options, type or number are set right; until then nobody uses it."""
        for number, columns in enumerate(
            (
                {"options": options(remote_ip="192.0.2.9")},
                {"options": options(key="5")},
                {"options": options(in_key="5")},
                {"options": options(local_ip="192.0.2.1")},
                {"type": "gre"},
                {"ofport_request": ["set", []]},
            )
        ):
            self.setUp()
            self.modify(40, **columns)
            work = self.repair()
            expected = [("wait", "Interface"), ("update", "Interface")]
            self.assertEqual(expected, summary(work.operations)[:2], number)
            self.assertIn("setting it right", work.complaints[0])
            self.assertEqual(0, self.underlay().tunnel)
            self.assertIn("being set right", self.underlay().problem)

    def test_other_options(self) -> None:
        """Options that do not matter to us are the operator's."""
        self.modify(40, options=options(dst_port="8472", csum="true"))
        self.assertEqual([], self.repair().operations)

    def test_address(self) -> None:
        """Another address is another local_ip."""
        moved = evolve(WANTED, tunnel_addresses={"host1": "192.0.2.2"})
        mutations = self.repair(moved).operations[2]["mutations"]
        self.assertEqual(["options", "delete"], mutations[0][:2])
        self.assertIn(["local_ip", "192.0.2.2"], mutations[1][2][1])

    def test_no_address(self) -> None:
        """Without an address our port is removed, if it still is ours then."""
        work = self.repair(evolve(WANTED, tunnel_addresses={}))
        self.assertEqual(REMOVING, summary(work.operations))
        mark = ["external_ids", "includes", mapping(quantum="br-int/tunnel")]
        self.assertIn(mark, work.operations[0]["where"])
        gone = ["ports", "delete", ["set", [["uuid", name_of(140)]]]]
        self.assertEqual([gone], work.operations[1]["mutations"])

    def test_somebody_elses(self) -> None:
        """A port of that name that is not ours is neither used nor touched."""
        for ids in (
            mapping(quantum="br-int/tunnel"),
            mapping(iface_id="vif"),
        ):
            self.setUp()
            self.modify(40, external_ids=ids)
            for wanted in (WANTED, evolve(WANTED, tunnel_addresses={})):
                self.assertEqual([], self.repair(wanted).operations)
            self.assertIn("quantum-tun", self.repair().complaints[0])
            self.assertEqual(0, self.underlay().tunnel)
            self.assertTrue(self.underlay().problem)

    def test_elsewhere(self) -> None:
        """Our port on another bridge is taken from there, and made anew."""
        for bridge in (2, 3):
            moved = {"modify": {"ports": refer(140)}}
            apply(self.replica, Bridge={bridge: moved})
        settle(self.replica)
        work = self.repair()
        self.assertEqual(REMOVING, summary(work.operations))
        self.assertEqual([], work.complaints)

    def test_error(self) -> None:
        """What Open vSwitch says of the port is told."""
        self.modify(40, ofport=-1, error="x" * 100_000)
        self.assertEqual(0, self.underlay().tunnel)
        self.assertIn("quantum-tun: xxx", self.underlay().problem)
        self.assertLess(len(self.repair().complaints[0]), 300)
        self.modify(40, ofport=["set", []], error=["set", []])
        self.assertEqual(Underlay(ADDRESS), self.underlay())

    def test_many(self) -> None:
        """However many ports say that they are ours, a few are removed at once."""
        ids = {"external_ids": mapping(quantum="br-int/x")}
        for number in range(1000, 1000 + 2 * REMOVED_AT_ONCE):
            self.plug(number, {"name": f"p{number}", **ids})
        self.assertEqual(2 * REMOVED_AT_ONCE, len(self.repair().operations))


class UplinkTests(CablingCase):
    """Cables to bridges, and interfaces as ports."""

    def test_cable(self) -> None:
        """A cable's two ends are made in one transaction."""
        work = self.repair(CABLED)
        self.assertEqual(ADDING * 2, summary(work.operations))
        bridges = [work.operations[number]["rows"] for number in (0, 5)]
        self.assertEqual([[{"name": "br-int"}], [{"name": "br-ex"}]], bridges)
        self.assertEqual((), self.underlay(CABLED).uplinks)

    def test_old_error(self) -> None:
        """That a peer was missing, and Open vSwitch says so still, is no matter."""
        said = {"error": "No usable peer exists in 'netdev' datapath."}
        self.plug(41, {**NEAR, **said})
        self.plug(42, {**FAR, **said, "ofport": ["set", []]}, bridge=3)
        self.assertEqual((), self.underlay(CABLED).uplinks)
        self.assertIn("No usable peer", self.repair(CABLED).complaints[0])
        self.modify(42, ofport=8)
        self.assertEqual((("external", 7),), self.underlay(CABLED).uplinks)
        self.assertEqual([], self.repair(CABLED).complaints)
        apply(self.replica, Bridge={3: {"modify": {"datapath_type": "netdev"}}})
        settle(self.replica)
        self.assertEqual((), self.underlay(CABLED).uplinks)
        self.assertIn("No usable peer", self.repair(CABLED).complaints[0])

    def test_cabled(self) -> None:
        """A cable that is there is told; its end that is missing is made."""
        self.plug(41, NEAR)
        work = self.repair(CABLED)
        self.assertEqual(ADDING, summary(work.operations))
        self.assertEqual("quantum-from-external", work.operations[2]["row"]["name"])
        self.plug(42, FAR, bridge=3)
        self.assertEqual([], self.repair(CABLED).operations)
        self.assertEqual((("external", 7),), self.underlay(CABLED).uplinks)
        self.modify(41, ofport=-1)
        self.assertEqual((), self.underlay(CABLED).uplinks)

    def test_unplugged(self) -> None:
        """Both ends go when the physical network does, or has another target."""
        self.plug(41, NEAR)
        self.plug(42, FAR, bridge=3)
        for wanted in (
            WANTED,
            evolve(WANTED, physical_networks={"other": "br-ex"}),
            evolve(WANTED, physical_networks={"external": "eth3"}),
        ):
            work = list(self.cabling(wanted).repairs())[1]
            self.assertEqual(REMOVING * 2, summary(work.operations))

    def test_bridge_gone(self) -> None:
        """A deleted bridge is waited for, and its name not taken."""
        self.plug(41, NEAR)
        apply(self.replica, Bridge={3: {"delete": None}})
        work = self.repair(CABLED)
        self.assertEqual([], work.operations)
        self.assertIn("bridge br-ex is gone", work.complaints[0])

    def test_bridge_came(self) -> None:
        """A port that stood for a bridge gives way to a cable."""
        stand_in = {
            "name": "br-new",
            "ofport": 9,
            "external_ids": mapping(quantum="br-int/uplink/lab/br-new"),
        }
        self.plug(41, stand_in)
        wanted = evolve(WANTED, physical_networks={"lab": "br-new"})
        self.assertEqual((("lab", 9),), self.underlay(wanted).uplinks)
        apply(self.replica, Bridge={4: {"insert": {"name": "br-new"}}})
        _, removal, _, cable = self.cabling(wanted).repairs()
        self.assertEqual(REMOVING, summary(removal.operations))
        self.assertEqual(ADDING * 2, summary(cable.operations))

    def test_interface(self) -> None:
        """An interface that is nowhere becomes a port, marked as ours."""
        work = self.repair(PLAIN)
        self.assertEqual(ADDING, summary(work.operations))
        expected = {
            "name": "eth3",
            "external_ids": mapping(quantum="br-int/uplink/lab/eth3"),
        }
        self.assertEqual(expected, work.operations[2]["row"])

    def test_no_such_device(self) -> None:
        """A port of ours that does not work may be taken away, and no other."""
        dead = {"name": "eth3", "error": "no device"}
        ours = mapping(quantum="br-int/uplink/lab/eth3")
        for ids, expected in (
            (ours, REMOVING),
            (mapping(), []),
            (mapping(quantum="br-int/uplink/lab/eth3", iface_id="vif"), []),
        ):
            self.setUp()
            self.plug(41, {**dead, "external_ids": ids})
            *_, uplink = self.cabling(PLAIN).repairs()
            self.assertEqual(expected, summary(uplink.retreat))
            self.assertTrue(uplink.complaints)

    def test_operators_port(self) -> None:
        """A port that the operator put there is used, whatever its type, and kept."""
        self.plug(41, {"name": "eth3", "ofport": 9, "type": "dpdk"})
        self.assertEqual([], self.repair(PLAIN).operations)
        self.assertEqual((("lab", 9),), self.underlay(PLAIN).uplinks)
        self.assertEqual([], self.repair(WANTED).operations)

    def test_not_ours(self) -> None:
        """An interface on another bridge, plugged in or in a bond is left alone."""
        eth3 = {"name": "eth3", "ofport": 9}
        self.plug(41, eth3, bridge=3)
        self.assert_left("another bridge")
        self.setUp()
        self.plug(41, {**eth3, "external_ids": mapping(iface_id="vif")})
        self.assert_left("plugged in as interface 'vif'")
        self.setUp()
        self.plug(41, eth3)
        apply(self.replica, Port={141: {"modify": {"interfaces": refer(43)}}})
        settle(self.replica)
        self.assert_left("bond")

    def assert_left(self, words: str) -> None:
        """Neither use nor touch the interface, and say why."""
        work = self.repair(PLAIN)
        self.assertEqual([], work.operations)
        self.assertIn("physical network lab (eth3): ", work.complaints[0])
        self.assertIn(words, work.complaints[0])
        self.assertEqual((), self.underlay(PLAIN).uplinks)
