# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""What is told of switches, and of how large packets may be."""

from twisted.internet.defer import fail
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from quantum.channel.requests import ConnectionEnded
from quantum.errors import FabricRefused
from quantum.interfaces import IHypervisorListener, ISwitches
from quantum.model import Network, NetworkBound, Vlan
from quantum.openflow.pipeline import CONSTANT

from .site import Datapath, Site, by_tunnel, tap


class Reticent(Datapath):
    """A switch that does not say what we are to it."""

    def request(self, message, deadline):
        return fail(ConnectionEnded())


class StandingTests(SynchronousTestCase):
    """How a switch stands."""

    def setUp(self) -> None:
        """Let a switch be told of, and connect a while later."""
        self.site = Site()
        self.site.clock.advance(100)
        self.site.port("a")
        self.site.underlay(1, by_tunnel(1))
        self.site.sync(1, tap("a", 4))

    def standing(self):
        """Ask for the only switch."""
        (status,) = self.site.plugin.switch_statuses()
        return status

    def test_interfaces(self) -> None:
        """The fabric offers it, and its testimony listens to hypervisors."""
        self.assertTrue(verifyObject(ISwitches, self.site.fabric))
        self.assertTrue(verifyObject(IHypervisorListener, self.site.testimony))

    def test_absent(self) -> None:
        """Before it connects there is little to say."""
        status = self.standing()
        self.assertEqual("0000000000000001", status.datapath_id)
        self.assertEqual(("hv1", "absent"), (status.hypervisor, status.phase))
        self.assertEqual("192.0.2.1", status.tunnel_address)
        self.assertIsNone(status.connected_since)
        self.assertIsNone(status.last_audit)

    def test_connected(self) -> None:
        """Since when, what we are to it, and how many flows it has."""
        self.site.connect(1)
        self.site.clock.advance(5)
        self.site.rounds()
        status = self.standing()
        self.assertEqual(("settled", "equal"), (status.phase, status.role))
        self.assertEqual((100, 105), (status.connected_since, status.last_audit))
        wanted = len(CONSTANT) + 4
        counts = (status.flows_wanted, status.flows_installed)
        self.assertEqual((wanted, wanted), counts)
        self.assertEqual((0, ""), (status.drift, status.last_error))

    def test_drift(self) -> None:
        """What had to be put right is counted."""
        self.site.connect(1)
        self.site.tables[1].entries.popitem()
        self.site.rounds()
        self.assertEqual(1, self.standing().drift)

    def test_trouble(self) -> None:
        """What it refuses is told."""
        self.site.connect(1)
        self.site.tables[1].refuses = lambda entry: entry.match.get("in_port") == 5
        self.site.port("b")
        self.site.change(1, tap("b", 5))
        self.assertIn("flow table is full", self.standing().last_error)

    def test_gone(self) -> None:
        """When it is gone nothing is said of a connection."""
        self.site.connect(1).close()
        status = self.standing()
        self.assertEqual((None, ""), (status.connected_since, status.role))

    def test_nobodys(self) -> None:
        """Of one that is no hypervisor's any more no hypervisor is named."""
        datapath, switch = self.site.connect(1), self.site.fabric.switches[1]
        self.assertEqual("0000000000000001 on hv1 is settled", switch.standing)
        self.site.testimony.switch_gone("hv1", 1)
        self.site.clock.pump([0, 0])
        datapath.close()
        self.assertEqual("0000000000000001 is absent", switch.standing)

    def test_hearsay(self) -> None:
        """One that somebody only mentions is forgotten in the next round."""
        self.site.testimony.interfaces_changed("hv9", 9, [], [tap("z", 1)])
        self.site.clock.pump([0, 0])
        self.site.rounds()
        self.assertEqual([1], list(self.site.fabric.switches))

    def test_no_role(self) -> None:
        """A switch need not say what we are to it."""
        session = self.site.fabric.session(1)
        table = self.site.tables.setdefault(1, self.site.connect(1).table)
        session.left()
        session.joined()
        self.site.fabric.talk(Reticent(1, self.site.fabric, table), session)
        self.assertEqual("", self.standing().role)


class MtuTests(SynchronousTestCase):
    """How large packets may be."""

    def setUp(self) -> None:
        """Make a fabric with two physical networks."""
        self.fabric = Site().fabric

    def network(self, physical_network: str | None) -> Network:
        """Make a network, maybe bound."""
        vlan = Vlan(physical_network, 101) if physical_network else None
        return Network("n", "tenant", "blue", 1, vlan=vlan)

    def test_tunnels(self) -> None:
        """Through tunnels it is the underlay's size less what they cost."""
        self.assertEqual(1500, self.fabric.mtu(self.network(None)))

    def test_vlan(self) -> None:
        """By an uplink it is what the physical network carries."""
        self.assertEqual(9000, self.fabric.mtu(self.network("lab")))

    def test_forgotten_physical_network(self) -> None:
        """Of one that is configured no longer it is not known."""
        self.assertIsNone(self.fabric.mtu(self.network("other")))

    def test_admission(self) -> None:
        """A network can be bound to what is configured, and to nothing else."""
        self.assertIsNone(self.fabric.admit(NetworkBound(self.network("lab"))))
        with self.assertRaises(FabricRefused) as caught:
            self.fabric.admit(NetworkBound(self.network("other")))
        self.assertIn("other", caught.exception.reason)
