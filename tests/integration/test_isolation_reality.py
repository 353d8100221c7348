# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""Interfaces, flows, switches and bridges come and go without asking the API."""

from tests.integration.staged import StagedTests
from tests.lab.hypervisor import BRIDGE, Spec
from tests.lab.isolation import Observatory
from tests.lab.stage import look_until_right

RESTORING_TIME = 5.0


class RealityTests(StagedTests):
    """Reality moves, and the networks follow."""

    def test_unplugged(self) -> None:
        """A port whose interface left the switch is not UP until it is back."""
        red = self.machines[0]
        self.hypervisor.unplug([red])
        self.await_not_up(red)
        self.assert_connected(self.all_but(red))
        self.hypervisor.plug([red])
        self.cloud.await_up(self.machines)
        self.assert_connected(self.machines, 0)

    def test_other_ofport(self) -> None:
        """An interface that comes back under another OpenFlow port is reached there."""
        red, other = self.machines[:2]
        before = self.hypervisor.ofport(red)
        self.hypervisor.unplug([red, other])
        self.await_not_up(other)
        self.hypervisor.plug([red, other], {red.name: 77, other.name: before})
        self.assertEqual(77, self.hypervisor.ofport(red))
        self.assertEqual(before, self.hypervisor.ofport(other))
        self.cloud.await_up(self.machines)
        self.assert_connected(self.machines, 0)

    def test_asked_first(self) -> None:
        """A port waits for its interface: attached first, plugged in later."""
        blue = self.machines[-1]
        self.cloud.detach(blue)
        self.hypervisor.unplug([blue])
        self.assert_connected(self.all_but(blue))
        self.cloud.attach(blue)
        self.assertNotEqual("UP", self.cloud.op_status(blue))
        self.hypervisor.plug([blue])
        self.cloud.await_up(self.machines)
        self.assert_connected(self.machines, 0)

    def test_flows_deleted(self) -> None:
        """Flows deleted by hand are back within five seconds."""
        wanted = sorted(self.hypervisor.flow_ages())
        self.hypervisor.ovs.ofctl("del-flows", BRIDGE)
        observatory = self.stage.observatory
        report = look_until_right(observatory, self.machines, RESTORING_TIME)
        self.assertEqual([], report.problems())
        self.assertEqual(wanted, sorted(self.hypervisor.flow_ages()))

    def test_flow_replaced(self) -> None:
        """A flow replaced by hand with one that does something else is put right."""
        wanted = sorted(self.hypervisor.flow_ages())
        red = self.hypervisor.ofport(self.machines[0])
        flow = f"table=0,priority=100,in_port={red},actions=NORMAL"
        self.hypervisor.ovs.ofctl("add-flow", BRIDGE, flow)
        self.await_true(
            lambda: sorted(self.hypervisor.flow_ages()) == wanted,
            "the flow is as it was",
        )

    def test_impostor(self) -> None:
        """Of two interfaces with one identifier, the one seen first stays alone."""
        spec = Spec("red-8", "red", "02:00:00:00:00:08", "192.168.7.8")
        (impostor,) = self.hypervisor.add_machines([spec])
        self.hypervisor.plug([impostor])
        self.addCleanup(self.hypervisor.unplug, [impostor])
        claim = f"external_ids:iface-id={self.machines[0].attachment}"
        self.hypervisor.ovs.vsctl("set", "interface", impostor.vif, claim)
        observatory = Observatory([*self.machines, impostor])
        observatory.start()
        self.addCleanup(observatory.stop)
        report = look_until_right(observatory, self.machines, RESTORING_TIME)
        self.assertEqual([], report.problems())

    def test_switch_restarted(self) -> None:
        """After a crash of ovs-vswitchd its flows are made anew."""
        self.hypervisor.ovs.kill("ovs-vswitchd")
        self.await_not_up(self.machines[0])
        self.hypervisor.ovs.start_vswitchd()
        self.cloud.await_up(self.machines)
        self.assert_connected(self.machines)

    def test_database_restarted(self) -> None:
        """A crash of ovsdb-server disturbs no frame; later changes are seen."""
        red = self.machines[0]
        stream = self.stage.observatory.stream(self.pairs())
        stream.start()
        try:
            self.hypervisor.ovs.kill("ovsdb-server")
            self.hypervisor.ovs.start_database()
            self.cloud.await_up(self.machines)
        finally:
            loss = stream.stop(self.machines)
        self.assertTrue(loss.is_none, loss)
        self.hypervisor.unplug([red])
        self.await_not_up(red)
        self.hypervisor.plug([red])
        self.cloud.await_up(self.machines)
        self.assert_connected(self.machines)

    def test_bridge_deleted(self) -> None:
        """A deleted bridge is made again, and machines plugged into it are back."""
        self.hypervisor.ovs.vsctl("del-br", BRIDGE)
        self.await_not_up(self.machines[0])
        self.hypervisor.await_bridge()
        self.hypervisor.plug(self.machines)
        self.cloud.await_up(self.machines)
        self.assert_connected(self.machines)


class AuditTests(StagedTests):
    """What only a full audit sees, with audits close upon each other."""

    settings = ("openvswitch.audit_interval=0.1",)

    def test_flow_modified(self) -> None:
        """A flow whose actions were changed by hand, cookie kept, is put right."""
        wanted = sorted(self.hypervisor.flow_ages())
        red = self.hypervisor.ofport(self.machines[0])
        flow = f"table=0,priority=100,in_port={red},actions=NORMAL"
        self.hypervisor.ovs.ofctl("mod-flows", BRIDGE, flow)
        self.await_true(
            lambda: sorted(self.hypervisor.flow_ages()) == wanted,
            "the flow is as it was",
        )
