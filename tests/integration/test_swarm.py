# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""Hundreds of switches come and go at once."""

from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp

from twisted.internet import reactor
from twisted.trial.unittest import TestCase

from quantum.config import Config, OpenFlow
from quantum.model import AdminState, OpStatus
from quantum.openflow.facts import SeenInterface
from quantum.openflow.phase import Phase
from tests.lab.controller import Controller
from tests.lab.swarm import Manner, Swarm

COUNT = 300
TENANT = "swarm"
BOTH = (1, 2)


class SwarmTests(TestCase):
    """Each switch has two interfaces, in one network of all switches."""

    timeout = 120

    async def setUp(self) -> None:
        """Record the ports, say where their interfaces are, start the swarm."""
        folder = Path(mkdtemp(prefix="quantum-swarm-"))
        self.addCleanup(rmtree, folder)
        # Who does not read is not missed yet, however long all others take.
        config = Config(openflow=OpenFlow(echo_interval=60))
        self.controller = await Controller.open(reactor, folder, config)
        self.swarm = await Swarm.start(reactor, folder)
        plugin = self.controller.plugin
        self.network = (await plugin.create_network(TENANT, "wide")).id
        self.ports = {}
        for number in range(1, COUNT + 1):
            for ofport in BOTH:
                await self.plug(number, ofport)
            self.see(number)

    async def tearDown(self) -> None:
        """End the swarm first: its switches would be told why."""
        await self.swarm.stop()
        await self.controller.close()

    async def plug(self, number: int, ofport: int) -> None:
        """Record that an interface of a switch is plugged in."""
        plugin, name = self.controller.plugin, f"{number}-{ofport}"
        made = await plugin.create_port(TENANT, self.network, AdminState.ACTIVE)
        await plugin.plug(TENANT, self.network, made.id, name)
        self.ports[name] = made.id

    def see(self, number: int) -> None:
        """Tell which interfaces a switch has."""
        seen = [
            SeenInterface(f"tap{ofport}", f"{number}-{ofport}", ofport)
            for ofport in BOTH
        ]
        self.controller.tell(number, seen)

    def up(self) -> int:
        """Count the ports that are UP."""
        ports = self.controller.plugin.ports(TENANT, self.network)
        return sum(port.status.op_status is OpStatus.UP for port in ports)

    async def join(self, first: int, last: int, manner: Manner = Manner.PROMPT) -> None:
        """Let switches connect to us."""
        await self.swarm.join(self.controller.port, first, last, manner)

    async def test_come_go_and_come_back(self) -> None:
        """All settle; all that left are away; those that come back are sent nothing."""
        await self.join(1, COUNT)
        await self.controller.reach(Phase.SETTLED, COUNT)
        first = await self.swarm.tally()
        self.assertEqual((COUNT, 0), (first.connected, first.dropped))
        self.assertEqual(first.flows, first.heard["flow_mods"])
        self.assertEqual(len(BOTH) * COUNT, self.up())
        await self.swarm.leave(1, COUNT)
        await self.controller.reach(Phase.ABSENT, COUNT)
        self.assertEqual(0, self.up())
        await self.join(1, COUNT)
        await self.controller.reach(Phase.SETTLED, COUNT)
        again = await self.swarm.tally()
        self.assertEqual(first.heard["flow_mods"], again.heard["flow_mods"])
        self.assertEqual((COUNT, first.flows), (again.connected, again.flows))
        self.assertEqual(len(BOTH) * COUNT, self.up())

    async def test_deaf_and_slow(self) -> None:
        """One that does not read and one that hardly does keep nobody waiting."""
        await self.join(1, 1, Manner.DEAF)
        await self.join(2, 2, Manner.SLOW)
        await self.join(3, COUNT)
        await self.controller.reach(Phase.SETTLED, COUNT - 1)
        self.assertEqual(len(BOTH) * (COUNT - 1), self.up())
        deaf = self.controller.fabric.switches[1].session
        self.assertIs(Phase.SYNCING, deaf.phase)
        self.assertEqual(0, (await self.swarm.tally()).dropped)
