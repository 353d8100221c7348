# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: PT009  (contracts are written for trial, as its users are)
"""The contract of `IProviderNetworks`, as tests."""

from typing import TYPE_CHECKING, Any, cast

from twisted.internet.defer import maybeDeferred
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from quantum.errors import (
    AlreadyBound,
    Malformed,
    NetworkInUse,
    NetworkNotFound,
    PhysicalNetworkUnknown,
    QuantumError,
    SegmentsExhausted,
    VlanInUse,
    VlanNotAllowed,
)
from quantum.interfaces import IProviderNetworks
from quantum.model import AdminState, Network, Vlan
from quantum.ranges import VLANS, Ranges
from quantum.testing.plugin import NOWHERE, vars_of

if TYPE_CHECKING:
    _Case = SynchronousTestCase
else:
    # A mixin, so that no test runner takes the contract itself for a test.
    _Case = object

POOLS = {
    "external": Ranges.parse(["100-101", "300"], VLANS),
    "lab": Ranges.parse([], VLANS),
}
"""The physical networks that a plugin under test has, and their VLANs."""


class ProviderContract(_Case):
    """
    What every plugin with provider networks promises; supply ``make_plugin``.

    The plugin starts without networks, and with the physical networks of
    `POOLS`.  If it answers with Deferreds that fire later, supply ``pass_time``
    as well.
    """

    def make_plugin(self) -> object:
        """Make a provider of `IQuantumPlugin` and `IProviderNetworks`."""
        raise NotImplementedError

    def pass_time(self) -> None:
        """Let go by whatever time an answer needs."""

    def setUp(self) -> None:
        """Make the plugin."""
        super().setUp()
        self.plugin: Any = self.make_plugin()

    def ask(self, verb: str, *words: object) -> Any:
        """Call a verb of the plugin, and wait for its answer."""
        answer = maybeDeferred(getattr(self.plugin, verb), *words)
        self.pass_time()
        return self.successResultOf(answer)

    def refusal(self, *words: object) -> tuple[object, ...]:
        """Ask for a VLAN that must be refused, and say how it was."""
        answer = maybeDeferred(self.plugin.bind_vlan, *words)
        self.pass_time()
        failure = self.failureResultOf(answer, QuantumError)
        return vars_of(cast(QuantumError, failure.value))

    def a_network(self) -> Network:
        """Create a network."""
        network: Network = self.ask("create_network", "tenant-a", "blue")
        return network

    def bind(self, physical_network: str, vlan_id: int | None = None) -> Network:
        """Bind a new network."""
        network = self.a_network()
        bound: Network = self.ask("bind_vlan", network.id, physical_network, vlan_id)
        self.assertEqual(network.id, bound.id)
        return bound

    def test_provides_the_interface(self) -> None:
        """The plugin has every verb with its parameters."""
        self.assertTrue(verifyObject(IProviderNetworks, self.plugin))

    def test_any_network(self) -> None:
        """A network is found without knowing whose it is."""
        network = self.a_network()
        self.assertEqual(network, self.ask("any_network", network.id))
        answer = maybeDeferred(self.plugin.any_network, NOWHERE)
        refused = self.failureResultOf(answer, NetworkNotFound).value
        self.assertEqual(NOWHERE, refused.network_id)

    def test_bound(self) -> None:
        """A bound network has its VLAN, for its tenant's reads too."""
        network = self.bind("external", 101)
        self.assertEqual(Vlan("external", 101), network.vlan)
        self.assertEqual(network, self.ask("any_network", network.id))
        self.assertEqual(network, self.ask("network", "tenant-a", network.id))
        renamed = self.ask("rename_network", "tenant-a", network.id, "red")
        self.assertEqual(network.vlan, renamed.vlan)

    def test_free_ports_do_not_matter(self) -> None:
        """A network whose ports are free can be bound, one that is plugged not."""
        network = self.a_network()
        where = ("tenant-a", network.id)
        port = self.ask("create_port", *where, AdminState.ACTIVE)
        self.ask("plug", *where, port.id, "vif-1")
        expected = vars_of(NetworkInUse(network.id))
        self.assertEqual(expected, self.refusal(network.id, "external", 100))
        self.assertIsNone(self.ask("any_network", network.id).vlan)
        self.ask("unplug", *where, port.id)
        bound = self.ask("bind_vlan", network.id, "external", 100)
        self.assertEqual(Vlan("external", 100), bound.vlan)

    def test_no_such_network(self) -> None:
        """What is not there cannot be bound."""
        expected = vars_of(NetworkNotFound(NOWHERE))
        self.assertEqual(expected, self.refusal(NOWHERE, "external", 100))

    def test_no_such_physical_network(self) -> None:
        """An unknown physical network is refused with those that there are."""
        network = self.a_network()
        refused = self.refusal(network.id, "extrenal", 100)
        expected = PhysicalNetworkUnknown("extrenal", ("external", "lab"))
        self.assertEqual(vars_of(expected), refused)

    def test_bound_for_life(self) -> None:
        """A bound network stays bound to the same VLAN, plugged or not."""
        network = self.bind("external", 100)
        where = ("tenant-a", network.id)
        port = self.ask("create_port", *where, AdminState.ACTIVE)
        self.ask("plug", *where, port.id, "vif-1")
        expected = vars_of(AlreadyBound(network.id, "external", 100))
        for words in (("external", 100), ("external", None), ("lab", 5)):
            self.assertEqual(expected, self.refusal(network.id, *words))

    def test_one_network_per_vlan(self) -> None:
        """A VLAN that another network has is refused; elsewhere it is another VLAN."""
        self.bind("external", 100)
        network = self.a_network()
        refused = self.refusal(network.id, "external", 100)
        self.assertEqual(vars_of(VlanInUse("external", 100)), refused)
        bound = self.ask("bind_vlan", network.id, "lab", 100)
        self.assertEqual(Vlan("lab", 100), bound.vlan)

    def test_chosen_from_the_pool(self) -> None:
        """Without a number the pool gives free ones, rising, until there are none."""
        self.bind("external", 101)
        chosen = [self.bind("external").vlan for _ in range(2)]
        self.assertEqual([Vlan("external", 100), Vlan("external", 300)], chosen)
        kind, pool, *numbers = self.refusal(self.a_network().id, "external", None)
        self.assertEqual((SegmentsExhausted, [3, 3, 0]), (kind, numbers))
        self.assertIn("external", str(pool))

    def test_only_from_the_pool(self) -> None:
        """A VLAN that the pool does not have is refused, with what it has."""
        network = self.a_network()
        for vlan_id in (99, 102, 0, -1, 5000, 2**70):
            refused = self.refusal(network.id, "external", vlan_id)
            expected = VlanNotAllowed("external", vlan_id, "100-101, 300")
            self.assertEqual(vars_of(expected), refused)

    def test_without_a_pool(self) -> None:
        """Without a pool any VLAN may be named, and one must be."""
        self.assertEqual(Vlan("lab", 4094), self.bind("lab", 4094).vlan)
        network = self.a_network()
        for vlan_id in (0, 4095):
            refused = self.refusal(network.id, "lab", vlan_id)
            expected = VlanNotAllowed("lab", vlan_id, "1-4094")
            self.assertEqual(vars_of(expected), refused)
        kind, problem = self.refusal(network.id, "lab", None)
        self.assertIs(Malformed, kind)
        self.assertIn("lab", str(problem))
