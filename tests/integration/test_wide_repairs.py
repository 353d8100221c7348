# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""Somebody changes by hand by what hypervisors reach each other."""

import pytest

from tests.integration.wide import WideTests
from tests.lab.hypervisor import BRIDGE, Hypervisor
from tests.lab.rack import UPLINK_BRIDGE

pytestmark = pytest.mark.root


class RepairTests(WideTests):
    """What is missing is made again, and what is new is used."""

    def test_tunnel_deleted(self) -> None:
        """A tunnel port that was deleted is there again."""
        self.two.ovs.vsctl("del-port", BRIDGE, "quantum-tun")
        self.assert_connected()

    def test_tunnel_changed(self) -> None:
        """A tunnel port that was made to mean something else is put right."""
        words = ("set", "interface", "quantum-tun", "options:remote_ip=10.99.0.77")
        self.two.ovs.vsctl(*words)
        self.assert_connected()

    def test_uplink_deleted(self) -> None:
        """Either end of an uplink that was deleted is there again."""
        self.two.ovs.vsctl("del-port", BRIDGE, "quantum-to-external")
        self.assert_connected()
        self.two.ovs.vsctl("del-port", UPLINK_BRIDGE, "quantum-from-external")
        self.assert_connected()

    def test_no_uplink(self) -> None:
        """Without its physical network a VLAN's port is DOWN; others are as before."""
        green, others = self.site.machine("green-2"), self.site.observatory.machines
        self.three.ovs.vsctl("del-br", UPLINK_BRIDGE)
        self.cloud.await_not_up([green])
        self.assert_connected([one for one in others if one != green])
        add = ("--", "add-port", UPLINK_BRIDGE, "ex0")
        row = ("set", "bridge", UPLINK_BRIDGE, "datapath_type=netdev")
        self.three.ovs.vsctl("add-br", UPLINK_BRIDGE, "--", *row, *add)
        self.cloud.await_up([green])
        self.assert_connected()

    def test_other_address(self) -> None:
        """Hypervisors follow another's tunnel address."""
        self.address(self.three, "10.99.0.33")
        self.addCleanup(self.assert_connected)
        self.addCleanup(
            self.address, self.three, self.site.underlay.address(self.three)
        )
        self.assert_connected()
        copies = self.copies(self.site.machine("red-1"), expected=2)
        targets = {copy.target for copy in copies}
        self.assertEqual({self.addresses()[1], "10.99.0.33"}, targets)

    def test_flows_deleted(self) -> None:
        """Flows deleted by hand on every hypervisor are back."""
        for hypervisor in self.site.hypervisors:
            hypervisor.ovs.ofctl("del-flows", BRIDGE)
        self.assert_connected()

    def address(self, hypervisor: Hypervisor, address: str) -> None:
        """Give a hypervisor a tunnel address that its host has too."""
        hypervisor.namespace.ip(f"address replace {address}/16 dev br-phy")
        words = (
            "set",
            "open_vswitch",
            ".",
            f"external_ids:quantum-tunnel-ip={address}",
        )
        hypervisor.ovs.vsctl(*words)
