# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: PT009  (contracts are written for trial, as its users are)
"""The contract of `IQuantumPlugin`, as tests."""

from typing import TYPE_CHECKING, Any, cast

from twisted.internet.defer import maybeDeferred
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from quantum.errors import (
    AlreadyAttached,
    NetworkInUse,
    NetworkNotFound,
    PortInUse,
    PortNotFound,
    QuantumError,
)
from quantum.interfaces import IQuantumPlugin
from quantum.model import AdminState, Network, Port

if TYPE_CHECKING:
    _Case = SynchronousTestCase
else:
    # A mixin, so that no test runner takes the contract itself for a test.
    _Case = object

ACTIVE = AdminState.ACTIVE
DOWN = AdminState.DOWN
OURS = "tenant-a"
THEIRS = "tenant-b"
NOWHERE = "00000000-0000-4000-8000-000000000000"


class PluginContract(_Case):
    """
    What every plugin promises; supply ``make_plugin``.

    The plugin starts without networks.  If it answers with Deferreds that fire
    later, supply ``pass_time`` as well.
    """

    def make_plugin(self) -> IQuantumPlugin:
        """Make the plugin under test; register what must be undone by addCleanup."""
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

    def refusal(self, verb: str, *words: object) -> QuantumError:
        """Call a verb of the plugin that must be refused, and say how it was."""
        answer = maybeDeferred(getattr(self.plugin, verb), *words)
        self.pass_time()
        failure = self.failureResultOf(answer, QuantumError)
        return cast(QuantumError, failure.value)

    def a_network(self, tenant_id: str = OURS, name: str = "blue") -> Network:
        """Create a network."""
        network: Network = self.ask("create_network", tenant_id, name)
        return network

    def a_port(self, network: Network, attachment: str = "") -> Port:
        """Create an active port, and plug something into it."""
        where = (network.tenant_id, network.id)
        port: Port = self.ask("create_port", *where, ACTIVE)
        if attachment:
            port = self.ask("plug", *where, port.id, attachment)
        return port

    def asked(self, network: Network) -> list[tuple[str, AdminState, str | None]]:
        """List what is asked of a network's ports."""
        ports = self.ask("ports", network.tenant_id, network.id)
        return sorted((p.id, p.admin_state, p.attachment) for p in ports)

    def test_provides_the_interface(self) -> None:
        """The plugin has every verb with its parameters."""
        self.assertTrue(verifyObject(IQuantumPlugin, self.plugin))

    def test_unknown_tenant(self) -> None:
        """A tenant nobody has heard of has no networks."""
        self.assertEqual([], list(self.ask("networks", OURS)))

    def test_network_is_created(self) -> None:
        """A created network is listed and found with the name it was given."""
        network = self.a_network(name="blue")
        self.assertEqual((OURS, "blue"), (network.tenant_id, network.name))
        self.assertEqual([network], list(self.ask("networks", OURS)))
        self.assertEqual(network, self.ask("network", OURS, network.id))
        self.assertEqual([], self.asked(network))

    def test_mtu(self) -> None:
        """What is known of a network's MTU leaves room for IPv6 (RFC 8200, 5)."""
        mtu = self.ask("mtu", self.a_network())
        self.assertTrue(mtu is None or 1280 <= mtu <= 65535, mtu)

    def test_names_need_not_be_unique(self) -> None:
        """Two networks of one name are two networks, with a segment each."""
        one, other = self.a_network(), self.a_network()
        self.assertNotEqual(one.id, other.id)
        self.assertNotEqual(one.segment_id, other.segment_id)

    def test_any_text_is_a_name(self) -> None:
        """A name comes back as it was given, whatever its characters."""
        name = "'; DROP TABLE networks; -- \u00e4\u65e5\U0001f600 %s \\ \""
        network = self.a_network(name=name)
        self.assertEqual(name, self.ask("network", OURS, network.id).name)

    def test_rename(self) -> None:
        """A renamed network has the new name and is otherwise as it was."""
        network = self.a_network(name="blue")
        renamed = self.ask("rename_network", OURS, network.id, "red")
        self.assertEqual("red", renamed.name)
        found = self.ask("network", OURS, network.id)
        self.assertEqual(
            (network.id, "red", network.segment_id),
            (found.id, found.name, found.segment_id),
        )

    def test_delete_network(self) -> None:
        """A deleted network is gone with its unattached ports."""
        network = self.a_network()
        port = self.a_port(network)
        self.assertIsNone(self.ask("delete_network", OURS, network.id))
        self.assertEqual([], list(self.ask("networks", OURS)))
        gone = NetworkNotFound(network.id)
        where = (OURS, network.id)
        self.assertEqual(vars_of(gone), vars_of(self.refusal("network", *where)))
        refused = self.refusal("port", *where, port.id)
        self.assertEqual(vars_of(gone), vars_of(refused))

    def test_delete_network_in_use(self) -> None:
        """A network with a plugged port stays as it is."""
        network = self.a_network()
        self.a_port(network)
        self.a_port(network, "vif-1")
        before = self.asked(network)
        refused = self.refusal("delete_network", OURS, network.id)
        self.assertEqual(vars_of(NetworkInUse(network.id)), vars_of(refused))
        self.assertEqual(before, self.asked(network))

    def test_port_is_created(self) -> None:
        """A created port is free, in the state that was asked, and is found."""
        network = self.a_network()
        for state in (ACTIVE, DOWN):
            port = self.ask("create_port", OURS, network.id, state)
            self.assertEqual(
                (network.id, state, None),
                (port.network_id, port.admin_state, port.attachment),
            )
            found = self.ask("port", OURS, network.id, port.id)
            self.assertEqual((port.id, state), (found.id, found.admin_state))
        self.assertEqual(2, len(self.asked(network)))

    def test_port_state(self) -> None:
        """A port is in the state that was last asked, and twice is as once."""
        network = self.a_network()
        port = self.a_port(network, "vif-1")
        for state in (DOWN, DOWN, ACTIVE):
            answer = self.ask("set_port_state", OURS, network.id, port.id, state)
            self.assertEqual((state, "vif-1"), (answer.admin_state, answer.attachment))
            self.assertEqual([(port.id, state, "vif-1")], self.asked(network))

    def test_delete_port(self) -> None:
        """A deleted port is gone, and the others are not."""
        network = self.a_network()
        port, other = self.a_port(network), self.a_port(network)
        self.assertIsNone(self.ask("delete_port", OURS, network.id, port.id))
        self.assertEqual([(other.id, ACTIVE, None)], self.asked(network))

    def test_delete_port_in_use(self) -> None:
        """A plugged port cannot be deleted."""
        network = self.a_network()
        port = self.a_port(network, "vif-1")
        refused = self.refusal("delete_port", OURS, network.id, port.id)
        expected = PortInUse(port.id, network.id, "vif-1")
        self.assertEqual(vars_of(expected), vars_of(refused))
        self.assertEqual([(port.id, ACTIVE, "vif-1")], self.asked(network))

    def test_plug(self) -> None:
        """A plugged interface is found in its port."""
        network = self.a_network()
        port = self.a_port(network, "vif-1")
        self.assertEqual("vif-1", port.attachment)
        found = self.ask("port", OURS, network.id, port.id)
        self.assertEqual("vif-1", found.attachment)

    def test_plug_into_a_plugged_port(self) -> None:
        """A port takes one interface, even if the same is plugged again."""
        network = self.a_network()
        port = self.a_port(network, "vif-1")
        self.a_port(network, "vif-2")
        for attachment in ("vif-1", "vif-2", "vif-3"):
            refused = self.refusal("plug", OURS, network.id, port.id, attachment)
            expected = PortInUse(port.id, network.id, "vif-1")
            self.assertEqual(vars_of(expected), vars_of(refused))

    def test_plug_elsewhere(self) -> None:
        """An interface is in one port at a time; its owner is told in which."""
        network, other = self.a_network(), self.a_network()
        holder = self.a_port(network, "vif-1")
        port = self.a_port(other)
        refused = self.refusal("plug", OURS, other.id, port.id, "vif-1")
        expected = AlreadyAttached("vif-1", port.id, other.id, holder.id)
        self.assertEqual(vars_of(expected), vars_of(refused))
        self.assertEqual([(port.id, ACTIVE, None)], self.asked(other))

    def test_plug_what_another_tenant_has(self) -> None:
        """A tenant does not learn which port of another's an interface is in."""
        self.a_port(self.a_network(THEIRS), "vif-1")
        network = self.a_network()
        port = self.a_port(network)
        refused = self.refusal("plug", OURS, network.id, port.id, "vif-1")
        expected = AlreadyAttached("vif-1", port.id, network.id, "")
        self.assertEqual(vars_of(expected), vars_of(refused))

    def test_unplug(self) -> None:
        """An unplugged port is free, twice is as once, and so is the interface."""
        network = self.a_network()
        port, other = self.a_port(network, "vif-1"), self.a_port(network)
        for _ in range(2):
            answer = self.ask("unplug", OURS, network.id, port.id)
            self.assertIsNone(answer.attachment)
        self.ask("plug", OURS, network.id, other.id, "vif-1")
        self.ask("plug", OURS, network.id, port.id, "vif-2")
        expected = sorted([(other.id, ACTIVE, "vif-1"), (port.id, ACTIVE, "vif-2")])
        self.assertEqual(expected, self.asked(network))

    def test_tenants_are_isolated(self) -> None:
        """No verb reaches another tenant's network, nor one that is not there."""
        theirs = self.a_network(THEIRS)
        port = self.a_port(theirs, "vif-1")
        for network_id in (theirs.id, NOWHERE):
            for verb, *words in verbs(port.id):
                refused = self.refusal(verb, OURS, network_id, *words)
                expected = NetworkNotFound(network_id)
                self.assertEqual(vars_of(expected), vars_of(refused))
        self.assertEqual([], list(self.ask("networks", OURS)))
        self.assertEqual([(port.id, ACTIVE, "vif-1")], self.asked(theirs))

    def test_ports_belong_to_their_network(self) -> None:
        """No verb reaches a port by another network than its own."""
        network, other = self.a_network(), self.a_network()
        port = self.a_port(other)
        for port_id in (port.id, NOWHERE):
            for verb, *words in verbs(port_id):
                if words[:1] == [port_id]:
                    refused = self.refusal(verb, OURS, network.id, *words)
                    expected = PortNotFound(port_id, network.id)
                    self.assertEqual(vars_of(expected), vars_of(refused))
        self.assertEqual([(port.id, ACTIVE, None)], self.asked(other))


def verbs(port_id: str) -> list[tuple[Any, ...]]:
    """List every verb that takes a network, with its further words."""
    return [
        ("network",),
        ("rename_network", "stolen"),
        ("delete_network",),
        ("ports",),
        ("port", port_id),
        ("create_port", ACTIVE),
        ("set_port_state", port_id, DOWN),
        ("delete_port", port_id),
        ("plug", port_id, "vif-2"),
        ("unplug", port_id),
    ]


def vars_of(error: QuantumError) -> tuple[object, ...]:
    """Make errors comparable, which exceptions are not."""
    names = [a.name for a in getattr(type(error), "__attrs_attrs__", ())]
    return (type(error), *(getattr(error, name) for name in names))
