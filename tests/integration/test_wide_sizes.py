# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""How large packets between hypervisors may be."""

import subprocess
from collections.abc import Iterable

import pytest

from tests.integration.wide import WideTests
from tests.lab.hypervisor import Machine
from tests.lab.underlay import MTU

pytestmark = pytest.mark.root

ICMP = 28
"""Bytes of IPv4 and ICMP headers before what a ping carries."""


class SizeTests(WideTests):
    """What a network's MTU says is what passes."""

    def mtu(self, network: str) -> int:
        """Ask for a network's MTU."""
        path = f"tenant-{network}/networks/{self.cloud.network(network)}"
        return int(self.stage.daemon.api.call("GET", path)["network"]["mtu"])

    def resize(self, machines: Iterable[Machine], mtu: int) -> None:
        """Let machines and their interfaces take packets of this size."""
        for machine in machines:
            machine.namespace.ip(f"link set eth0 mtu {mtu}")
            switch = self.site.host(machine).namespace
            switch.ip(f"link set {machine.vif} mtu {mtu}")

    def answers(self, asker: Machine, answerer: Machine, size: int) -> int:
        """Ping thrice with unfragmented packets of a size; count the answers."""
        words = ("ping", "-n", "-q", "-c3", "-i0.1", "-W3", "-Mdo", f"-s{size - ICMP}")
        done = subprocess.run(
            [*asker.namespace.prefix, *words, answerer.address],
            capture_output=True,
            text=True,
            check=False,
        )
        return int(done.stdout.partition(" received")[0].rpartition(" ")[2] or 0)

    def test_overlay(self) -> None:
        """Of an overlay it is what is left of the underlay's by the tunnel."""
        self.assertEqual(MTU - 50, self.mtu("red"))

    def test_vlan(self) -> None:
        """Of a VLAN it is the physical network's."""
        self.assertEqual(1500, self.mtu("green"))

    def test_full_size(self) -> None:
        """A packet of exactly the MTU passes, and one byte more does not."""
        red, other = self.site.machine("red-1"), self.site.machine("red-2")
        mtu = self.mtu("red")
        self.resize((red, other), mtu + 1)
        self.addCleanup(self.resize, (red, other), 1500)
        self.assertEqual(3, self.answers(red, other, mtu))
        self.assertEqual(0, self.answers(red, other, mtu + 1))
