# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""What operators ask, and how they are answered."""

import json
from typing import Any

from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from quantum.api.compiled import CompiledKlein
from quantum.api.operators import Operators
from quantum.errors import Overloaded
from quantum.interfaces import ISwitches
from quantum.model import AdminState, Network, SwitchStatus
from quantum.storage.segments import Pool
from quantum.testing import MemoryPlugin, MemorySwitches
from quantum.testing.plugin import NOWHERE
from quantum.testing.provider import POOLS
from quantum.testing.switches import GONE, THERE
from tests.api.client import Client
from tests.api.memory import refusing
from tests.storage.means import Bench

OURS = SwitchStatus(THERE, "hypervisor-1", "settled", flows_wanted=7)


@implementer(ISwitches)
class Watched(MemoryPlugin):
    """A plugin that knows of a switch, maybe of more, and of MTUs."""

    def __init__(self, pools: Any) -> None:
        super().__init__(pools)
        self.switches = MemorySwitches({THERE: OURS}, {THERE})

    def switch_statuses(self) -> Any:
        return self.switches.switch_statuses()

    def forget_switch(self, datapath_id: str) -> Any:
        return self.switches.forget_switch(datapath_id)

    def mtu(self, network: Network) -> int | None:
        return 1500 if network.vlan else 1450


class OperatorsMixin:
    """Tests of the operators' paths, by the resource that ``make_resource`` makes."""

    def make_plugin(self) -> Any:
        """Make the plugin underneath."""
        return Watched(POOLS)

    def make_resource(self, operators: Operators) -> Any:
        """Make what serves the paths."""
        return CompiledKlein(operators.app)

    def pass_time(self) -> None:
        """Let the plugin do what it does by and by."""

    def setUp(self) -> None:
        self.plugin = self.make_plugin()
        # Klein holds on to the operators by a weak reference only.
        self.operators = Operators(self.plugin)
        self.client = Client(self, self.make_resource(self.operators))

    def a_network(self) -> str:
        """Make a network; its id."""
        made = self.plugin.create_network("acme", "blue")
        self.pass_time()
        return str(getattr(made, "result", made).id)

    def bind(self, network: str, **vlan: Any) -> Any:
        """Ask for a VLAN."""
        return self.client.send("PUT", f"/networks/{network}/vlan", {"vlan": vlan})

    def fault(self, reply: Any) -> tuple[int, str, str]:
        """Take an error apart, which is JSON and names itself twice."""
        fault = reply.json["QuantumError"]
        self.assertEqual(["type", "message", "detail"], list(fault))
        self.assertEqual(reply.phrase, fault["type"])
        return reply.code, fault["type"], fault["detail"]

    def test_network(self) -> None:
        """A network is shown whosever it is, with what tenants are not told."""
        network = self.a_network()
        reply = self.client.send("GET", f"/networks/{network}")
        found = self.plugin.any_network(network)
        expected = {
            "id": network,
            "tenant_id": "acme",
            "name": "blue",
            "op_status": "UP",
            "segment_id": found.segment_id,
            "mtu": self.plugin.mtu(found),
            "vlan": None,
        }
        self.assertEqual((200, {"network": expected}), (reply.code, reply.json))
        self.assertEqual(len(reply.body), reply.length)

    def test_bind(self) -> None:
        """Who names a VLAN gets it; who names none gets the next free one."""
        for wanted, vlan_id in (({"vlan_id": 101}, 101), ({}, 100), ({}, 300)):
            network = self.a_network()
            reply = self.bind(network, physical_network="external", **wanted)
            self.assertEqual(200, reply.code)
            vlan = {"physical_network": "external", "vlan_id": vlan_id}
            self.assertEqual(vlan, reply.json["network"]["vlan"])
            shown = self.client.send("GET", f"/networks/{network}").json
            self.assertEqual(reply.json, shown)

    def test_refusals(self) -> None:
        """What cannot be is refused with its name and a sentence, in JSON."""
        external = {"physical_network": "external"}
        taken, free = self.a_network(), self.a_network()
        self.bind(taken, **external, vlan_id=100)
        for network, wanted, code, name, words in (
            (NOWHERE, external, 404, "networkNotFound", NOWHERE),
            (taken, external, 409, "alreadyBound", "VLAN 100 of external"),
            (free, external | {"vlan_id": 100}, 409, "vlanInUse", "VLAN 100"),
            (free, external | {"vlan_id": 9}, 400, "vlanNotAllowed", "100-101, 300"),
            (
                free,
                {"physical_network": "exernal"},
                404,
                "physicalNetworkUnknown",
                "there are: external, lab",
            ),
            (free, {"physical_network": "lab"}, 400, "malformedRequest", "no pool"),
        ):
            found = self.fault(self.bind(network, **wanted))
            self.assertEqual((code, name), found[:2])
            self.assertIn(words, found[2])

    def test_exhausted(self) -> None:
        """An exhausted pool is named, with how much of it is whose."""
        for _ in range(3):
            self.bind(self.a_network(), physical_network="external")
        reply = self.bind(self.a_network(), physical_network="external")
        code, name, words = self.fault(reply)
        self.assertEqual((503, "serviceUnavailable"), (code, name))
        self.assertIn("All 3 of the pool of VLANs 100-101, 300 of external", words)
        self.assertIn("3 by networks, 0 by deleted ones", words)

    def test_in_use(self) -> None:
        """A network with something plugged in stays as it is."""
        network = self.a_network()
        where = ("acme", network)
        port = self.plugin.create_port(*where, AdminState.ACTIVE)
        self.pass_time()
        port = getattr(port, "result", port)
        self.plugin.plug(*where, port.id, "vif-1")
        self.pass_time()
        reply = self.bind(network, physical_network="external")
        self.assertEqual((409, "networkInUse"), self.fault(reply)[:2])

    def test_bodies(self) -> None:
        """A body that cannot be understood is refused with an example."""
        network = self.a_network()
        for body in (
            b"",
            b"vlan",
            b"[]",
            b"\xff",
            b"{}",
            b'{"vlan": null}',
            b'{"vlan": {}}',
            b'{"vlan": {"physical_network": ""}}',
            b'{"vlan": {"physical_network": "lab", "vlan_id": 0}}',
            b'{"vlan": {"physical_network": "lab", "vlan_id": 4095}}',
            b'{"vlan": {"physical_network": "lab", "vlan_id": "5"}}',
            b'{"vlan": {"physical_network": "lab", "vlan_id": true}}',
            b'{"vlan": {"physical_network": "lab", "vlan": 5}}',
            b'{"vlan": {"physical_network": "lab", "vlan_id": 5}, "more": 1}',
            b'{"vlan": ' * 5000,
        ):
            reply = self.client.send("PUT", f"/networks/{network}/vlan", body)
            code, name, words = self.fault(reply)
            self.assertEqual((400, "malformedRequest"), (code, name))
            self.assertTrue("must be like" in words or "too deeply" in words, words)
        self.assertIsNone(self.plugin.any_network(network).vlan)

    def test_null_is_none(self) -> None:
        """A VLAN that is null is as good as none."""
        body = {"physical_network": "external", "vlan_id": None}
        self.assertEqual(200, self.bind(self.a_network(), **body).code)

    def test_nothing_else(self) -> None:
        """No other path or method does anything; whatever was asked for, it is JSON."""
        network = self.a_network()
        for method, path in (
            ("GET", "/"),
            ("GET", "/networks"),
            ("GET", f"/networks/{network}/vlan"),
            ("POST", f"/networks/{network}/vlan"),
            ("DELETE", f"/networks/{network}"),
            ("GET", "/v1.1/tenants/acme/networks.xml"),
            ("GET", "/switches/"),
            ("DELETE", "/switches/"),
            ("DELETE", "/switches"),
            ("GET", f"/switches/{GONE}"),
            ("DELETE", f"/switches/{GONE}/"),
        ):
            reply = self.client.send(method, path, accept="application/xml")
            self.assertEqual((404, "itemNotFound"), self.fault(reply)[:2], path)
        for path in ("/networks/%ff", "/%ff"):
            reply = self.client.send("GET", path)
            self.assertEqual((400, "malformedRequest"), self.fault(reply)[:2])


class OnCompiledTests(OperatorsMixin, SynchronousTestCase):
    """By what is compiled from Klein's routes."""

    def test_switches(self) -> None:
        """Switches are listed as they stand, with nothing left out."""
        reply = self.client.send("GET", "/switches")
        expected = {
            "datapath_id": "00000000000000aa",
            "hypervisor": "hypervisor-1",
            "phase": "settled",
            "connected_since": None,
            "role": "",
            "tunnel_address": "",
            "flows_wanted": 7,
            "flows_installed": None,
            "last_audit": None,
            "drift": 0,
            "last_error": "",
        }
        self.assertEqual({"switches": [expected]}, reply.json)

    def test_forget(self) -> None:
        """A switch that is gone is forgotten; nothing more is to be said of it."""
        self.plugin.switches.statuses[GONE] = SwitchStatus(GONE, "", "absent")
        reply = self.client.send("DELETE", f"/switches/{GONE}")
        self.assertEqual((204, b""), (reply.code, reply.body))
        (left,) = self.client.send("GET", "/switches").json["switches"]
        self.assertEqual(THERE, left["datapath_id"])

    def test_not_forgotten(self) -> None:
        """A switch that is there stays, and one that nobody knows is not found."""
        for name, code, kind in (
            (THERE, 409, "switchInReach"),
            (GONE, 404, "switchNotFound"),
            ("br-int", 404, "switchNotFound"),
        ):
            reply = self.client.send("DELETE", f"/switches/{name}")
            self.assertEqual((code, kind), self.fault(reply)[:2])
            self.assertIn(name, self.fault(reply)[2])
        self.assertEqual([OURS], list(self.plugin.switch_statuses()))

    def test_any_error(self) -> None:
        """What the plugin refuses keeps its headers; its mistakes are not shown."""
        operators = Operators(refusing(Overloaded(7)))
        client = Client(self, CompiledKlein(operators.app))
        reply = client.send("GET", f"/networks/{NOWHERE}")
        self.assertEqual((503, "7"), (reply.code, reply.headers["retry-after"]))
        operators = Operators(refusing(ZeroDivisionError("secret")))
        client = Client(self, CompiledKlein(operators.app))
        reply = client.send("GET", f"/networks/{NOWHERE}")
        self.assertEqual((500, "quantumServiceFault"), self.fault(reply)[:2])
        self.assertNotIn("secret", json.dumps(reply.json))
        self.assertEqual(1, len(self.flushLoggedErrors(ZeroDivisionError)))


class OnKleinTests(OperatorsMixin, SynchronousTestCase):
    """By Klein's own resource."""

    def make_resource(self, operators: Operators) -> Any:
        return operators.app.resource()


class RecordedTests(OperatorsMixin, SynchronousTestCase):
    """Over a ledger, whose writes take their time."""

    def make_plugin(self) -> Any:
        pools = {
            name: Pool(f"VLANs {ranges} of {name}", ranges)
            for name, ranges in POOLS.items()
        }
        self.bench = Bench(vlan_pools=pools)
        self.addCleanup(self.bench.stop)
        return self.bench.plugin

    def pass_time(self) -> None:
        self.bench.pass_time()

    def test_no_switches(self) -> None:
        """A fabric without switches has none to list."""
        reply = self.client.send("GET", "/switches")
        self.assertEqual({"switches": []}, reply.json)
        reply = self.client.send("DELETE", f"/switches/{GONE}")
        self.assertEqual((404, "switchNotFound"), self.fault(reply)[:2])
