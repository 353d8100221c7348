# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
The demonstration's own checks, on one switch programmed by hand.

They must pass when the flows isolate, and find it when the flows do not.
"""

from collections.abc import Iterable
from contextlib import ExitStack

import pytest
from attrs import define, field
from twisted.trial.unittest import SynchronousTestCase

from tests.lab.demo import leftovers
from tests.lab.hypervisor import BRIDGE, Hypervisor, Machine
from tests.lab.isolation import Observatory, Report
from tests.lab.stage import PLAN, ride_out_a_crash

pytestmark = pytest.mark.root


@define
class HandCloud:
    """A stand-in for the daemon: a small pipeline, written with ``ovs-ofctl``."""

    _hypervisor: Hypervisor
    _live: dict[str, Machine] = field(factory=dict)
    is_forgetful: bool = False
    """Whether a crash loses every flow."""

    def connect(self, machines: Iterable[Machine]) -> None:
        self._live.update({machine.name: machine for machine in machines})
        self._install()

    def await_up(self, machines: Iterable[Machine]) -> None:
        assert {machine.name for machine in machines} <= set(self._live)

    def bind(self, network: str, physical_network: str, vlan: int) -> None:
        raise NotImplementedError

    def await_not_up(self, machines: Iterable[Machine]) -> None:
        raise NotImplementedError

    def detach(self, machine: Machine) -> None:
        del self._live[machine.name]
        self._install()

    def attach(self, machine: Machine) -> None:
        self._live[machine.name] = machine
        self._install()

    def set_state(self, machine: Machine, state: str) -> None:
        (self.attach if state == "ACTIVE" else self.detach)(machine)

    def op_status(self, machine: Machine) -> str:
        return "UP" if machine.name in self._live else "DOWN"

    def crash(self) -> None:
        if self.is_forgetful:
            self._hypervisor.ovs.ofctl("del-flows", BRIDGE)

    def restart(self) -> None:
        self._install()

    def _install(self) -> None:
        ofctl = self._hypervisor.ovs.ofctl
        ofctl("replace-flows", BRIDGE, "-", stdin="\n".join(self._flows()))

    def _flows(self) -> list[str]:
        flows = []
        networks = sorted({machine.network for machine in self._live.values()})
        for number, network in enumerate(networks, 1):
            inside = [one for one in self._live.values() if one.network == network]
            ports = [self._hypervisor.ofport(machine) for machine in inside]
            everybody = ",".join(f"output:{port}" for port in ports)
            flows.append(f"table=30,priority=1,metadata={number},actions={everybody}")
            for machine, port in zip(inside, ports, strict=True):
                source = f"table=0,priority=100,in_port={port},dl_src={machine.mac}"
                flows.append(f"{source},actions=write_metadata:{number},goto_table:30")
                target = f"table=30,priority=100,metadata={number},dl_dst={machine.mac}"
                flows.append(f"{target},actions=output:{port}")
        return flows


class ChecksTests(SynchronousTestCase):
    """Whether the checks see what the switch does."""

    def setUp(self) -> None:
        """Start a hypervisor with six machines and isolate them by hand."""
        stack = ExitStack()
        self.addCleanup(stack.close)
        self.hypervisor = stack.enter_context(Hypervisor.running("checks"))
        self.hypervisor.add_bridge()
        self.machines = self.hypervisor.add_machines(PLAN)
        self.hypervisor.plug(self.machines)
        self.observatory = Observatory(self.machines)
        stack.callback(self.observatory.stop)
        self.observatory.start()
        self.cloud = HandCloud(self.hypervisor)

    def flow(self, text: str) -> None:
        """Add one flow by hand."""
        self.hypervisor.ovs.ofctl("add-flow", BRIDGE, text)

    def test_right(self) -> None:
        """Where the flows are right, there is nothing to complain about."""
        self.cloud.connect(self.machines)
        self.assertEqual([], self.observatory.look(self.machines).problems())

    def test_one_big_network(self) -> None:
        """A switch that learns addresses and knows no networks is found out."""
        self.cloud.connect(self.machines)
        self.flow("table=0,priority=200,actions=NORMAL")
        report = self.look()
        crossing = {
            count.probe.kind
            for count in report.counts
            if count.is_crossing and not count.is_right
        }
        self.assertLessEqual({"broadcast", "multicast", "spoofed source"}, crossing)

    def test_one_leak(self) -> None:
        """A single flow that lets one machine's broadcasts across is found out."""
        self.cloud.connect(self.machines)
        red, blue = (self.hypervisor.ofport(self.machines[n]) for n in (0, 3))
        self.flow(
            f"priority=200,in_port={red},dl_dst=ff:ff:ff:ff:ff:ff,dl_type=0x88b5"
            f",actions=output:{blue},write_metadata:2,goto_table:30"
        )
        self.assertIn(
            "unknown ethertype from red-1 to blue-1: 5 frames instead of 0",
            self.look().problems(),
        )

    def test_spoofing(self) -> None:
        """A switch that does not look at the source address is found out."""
        self.cloud.connect(self.machines)
        port = self.hypervisor.ofport(self.machines[0])
        self.flow(f"in_port={port},actions=write_metadata:2,goto_table:30")
        self.assertIn(
            "spoofed source from red-1 to red-2: 5 frames instead of 0",
            self.look().problems(),
        )

    def test_repeated(self) -> None:
        """A frame that arrives twice is found out."""
        self.cloud.connect(self.machines)
        port = self.hypervisor.ofport(self.machines[1])
        target = self.machines[1].mac
        twice = f"actions=output:{port},output:{port}"
        self.flow(f"table=30,priority=200,metadata=2,dl_dst={target},{twice}")
        problems = self.look().problems()
        self.assertIn("unicast from red-1 to red-2: 10 frames instead of 5", problems)
        self.assertIn("ping red-1 -> red-2: 10 answers instead of 5", problems)

    def test_unreached(self) -> None:
        """A machine that nobody reaches is found out."""
        self.cloud.connect(self.machines[1:])
        problems = self.look().problems()
        self.assertIn("ping red-2 -> red-1: 0 answers instead of 5", problems)
        self.assertEqual([], [text for text in problems if "blue" in text])

    def test_lossy_crash(self) -> None:
        """A switch that forwards nothing while the daemon is away is found out."""
        self.cloud.connect(self.machines)
        self.cloud.is_forgetful = True
        self.observatory.patience = 1.0
        pairs = [(self.machines[0], self.machines[1])]
        loss = ride_out_a_crash(self.observatory, self.cloud, pairs)
        self.assertTrue(loss.lost)
        self.assertTrue(loss.unanswered)

    def test_leftovers(self) -> None:
        """While the lab runs, everything that it would leave behind is listed."""
        found = leftovers([self.hypervisor.ovs.rundir])
        kinds = [text.partition(" ")[0] for text in found]
        self.assertEqual(1, kinds.count("folder"))
        self.assertEqual(2, kinds.count("process"))
        self.assertEqual(7, kinds.count("namespace"))

    def look(self) -> Report:
        """Look at everybody, without much patience for what will not come."""
        self.observatory.patience = 1.0
        return self.observatory.look(self.machines)
