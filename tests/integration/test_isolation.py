# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""Tenants with equal addresses on one switch: who receives whose frames."""

from attrs import evolve

from tests.integration.staged import StagedTests
from tests.lab.hypervisor import Spec
from tests.lab.isolation import Observatory


class IsolationTests(StagedTests):
    """What tenants ask for is what frames do."""

    def test_all(self) -> None:
        """Within a network everything arrives once; of another, or spoofed, nothing."""
        self.assert_connected(self.machines, 0)

    def test_detached(self) -> None:
        """A detached machine is DOWN, sends nothing and receives nothing."""
        red = self.machines[0]
        self.cloud.detach(red)
        self.assertEqual("DOWN", self.cloud.op_status(red))
        self.assert_connected(self.all_but(red))
        self.cloud.attach(red)
        self.cloud.await_up(self.machines)
        self.assert_connected(self.machines, 0)

    def test_admin_down(self) -> None:
        """A port with admin state DOWN is DOWN and carries nothing."""
        blue = self.machines[-1]
        self.cloud.set_state(blue, "DOWN")
        self.assertEqual("DOWN", self.cloud.op_status(blue))
        self.assert_connected(self.all_but(blue))
        self.cloud.set_state(blue, "ACTIVE")
        self.cloud.await_up(self.machines)
        self.assert_connected(self.machines, 0)

    def test_unknown_interface(self) -> None:
        """An interface on the bridge that no port has is connected to nobody."""
        spec = Spec("red-9", "red", "02:00:00:00:00:09", "192.168.7.9")
        (stranger,) = self.hypervisor.add_machines([spec])
        self.hypervisor.plug([stranger])
        self.addCleanup(self.hypervisor.unplug, [stranger])
        observatory = Observatory([*self.machines, stranger])
        observatory.start()
        self.addCleanup(observatory.stop)
        self.assertEqual([], observatory.look(self.machines).problems())

    def test_moved(self) -> None:
        """A machine plugged into another network's port belongs to that network."""
        red, twin = self.machines[0], self.machines[3]
        self.cloud.detach(red)
        self.cloud.detach(twin)
        moved = evolve(red, network=twin.network)
        self.cloud.connect([moved])
        now = [moved, *self.all_but(red, twin)]
        self.cloud.await_up(now)
        self.assertEqual(
            [], evolve(self.stage.observatory, machines=now).look(now).problems()
        )
        self.cloud.detach(moved)
        self.cloud.attach(red)
        self.cloud.attach(twin)
        self.cloud.await_up(self.machines)
        self.assert_connected(self.machines)
