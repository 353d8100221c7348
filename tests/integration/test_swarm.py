# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""A thousand switches, or two hundred real ones, come and go at once."""

from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp

from twisted.internet import reactor
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import TestCase

from quantum.config import Config, OpenFlow
from quantum.model import AdminState, OpStatus
from quantum.openflow.facts import SeenInterface
from quantum.openflow.phase import Phase
from quantum.openflow.session import Session
from tests.lab.controller import Controller
from tests.lab.ovs import OpenVSwitch
from tests.lab.swarm import (
    Manner,
    Swarm,
    bridge,
    enrol_bridges,
    make_bridges,
)

COUNT = 1000
BRIDGES = 200
TENANT = "swarm"
BOTH = (1, 2)
AT_ONCE = 100
"""Switches whose ports are recorded at a time: the ledger takes 1000 requests."""


class Gathering(TestCase):
    """Each switch has two interfaces, in one network of all switches."""

    timeout = 120

    async def open(self, count: int) -> None:
        """Record the ports, and say where their interfaces are."""
        self.folder = Path(mkdtemp(prefix="quantum-swarm-"))
        self.addCleanup(rmtree, self.folder)
        # Who does not read is not missed yet, however long all others take.
        config = Config(openflow=OpenFlow(echo_interval=60))
        self.controller = await Controller.open(reactor, self.folder, config)
        self.addCleanup(lambda: Deferred.fromCoroutine(self.controller.close()))
        plugin = self.controller.plugin
        self.network = (await plugin.create_network(TENANT, "wide")).id
        for first in range(1, count + 1, AT_ONCE):
            some = range(first, min(first + AT_ONCE, count + 1))
            plugged = [self.plug(number, ofport) for number in some for ofport in BOTH]
            await gatherResults(map(Deferred.fromCoroutine, plugged))
            for number in some:
                self.see(number)

    async def plug(self, number: int, ofport: int) -> None:
        """Record that an interface of a switch is plugged in."""
        plugin, name = self.controller.plugin, f"{number}-{ofport}"
        made = await plugin.create_port(TENANT, self.network, AdminState.ACTIVE)
        await plugin.plug(TENANT, self.network, made.id, name)

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


class SwarmTests(Gathering):
    """Simulated switches, some of which behave badly."""

    async def setUp(self) -> None:
        """Start the swarm."""
        await self.open(COUNT)
        self.swarm = await Swarm.start(reactor, self.folder)

    async def tearDown(self) -> None:
        """End it before the controller, which would be told of each of them."""
        await self.swarm.stop()

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


class BridgeTests(Gathering):
    """Bridges of one Open vSwitch."""

    async def setUp(self) -> None:
        """Make them, without a controller yet."""
        await self.open(BRIDGES)
        self.ovs = await deferToThread(OpenVSwitch.start)
        self.addCleanup(deferToThread, self.ovs.stop)
        await deferToThread(make_bridges, self.ovs, BRIDGES)

    def sessions(self) -> list[Session]:
        """List the sessions in the order of the bridges' numbers."""
        switches = self.controller.fabric.switches
        return [switches[number].session for number in range(1, BRIDGES + 1)]

    async def test_join_and_come_back(self) -> None:
        """Each gets just its own flows; those that come back are sent nothing."""
        target = f"tcp:127.0.0.1:{self.controller.port}"
        await deferToThread(enrol_bridges, self.ovs, BRIDGES, target)
        await self.controller.reach(Phase.SETTLED, BRIDGES)
        self.assertEqual(len(BOTH) * BRIDGES, self.up())
        for number, session in list(enumerate(self.sessions(), 1))[:: BRIDGES // 10]:
            found = await deferToThread(self.ovs.flows, bridge(number))
            self.assertEqual(session.flow_count, len(found))
        sent = [session.flows_sent for session in self.sessions()]
        self.assertNotIn(0, sent)
        switches = self.controller.fabric.switches.values()
        lines = [switch.datapath for switch in switches]
        for line in lines:
            line.close()
        while any(switch.datapath in {None, *lines} for switch in switches):
            await self.controller.pause(0.1)
        await self.controller.reach(Phase.SETTLED, BRIDGES)
        self.assertEqual(sent, [session.flows_sent for session in self.sessions()])
        self.assertEqual(len(BOTH) * BRIDGES, self.up())
