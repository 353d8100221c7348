# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: PT009  (contracts are written for trial, as its users are)
"""The contracts of `IIntent` and `IStatusBoard`, as tests."""

from typing import TYPE_CHECKING, Any

from twisted.internet.defer import maybeDeferred
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from quantum.interfaces import IIntent, IStatusBoard
from quantum.model import AdminState, Binding, Network, OpStatus, Port, Status

if TYPE_CHECKING:
    _Case = SynchronousTestCase
else:
    # A mixin, so that no test runner takes the contract itself for a test.
    _Case = object

LATE = Status(OpStatus.PROVISIONING, "the switch is slow")
BROKEN = Status(OpStatus.DOWN, "the switch is on fire")
FINE = Status(OpStatus.UP)


class IntentContract(_Case):
    """
    What a fabric may rely on; supply ``make_pair``.

    The tests write through the plugin and read what a fabric would.
    """

    def make_pair(self) -> tuple[object, object]:
        """Make a plugin, and what provides `IIntent` and `IStatusBoard` for it."""
        raise NotImplementedError

    def pass_time(self) -> None:
        """Let go by whatever time an answer needs."""

    def setUp(self) -> None:
        """Make the pair."""
        super().setUp()
        plugin, intent = self.make_pair()
        self.plugin: Any = plugin
        self.intent: Any = intent

    def answer(self, call: Any, *words: object) -> Any:
        """Call something, and wait for its answer."""
        answer = maybeDeferred(call, *words)
        self.pass_time()
        return self.successResultOf(answer)

    def a_plugged_port(self, attachment: str) -> tuple[Network, Port]:
        """Create a network with a port and something in it."""
        network = self.answer(self.plugin.create_network, "tenant-a", "blue")
        where = ("tenant-a", network.id)
        port = self.answer(self.plugin.create_port, *where, AdminState.ACTIVE)
        port = self.answer(self.plugin.plug, *where, port.id, attachment)
        return network, port

    def status(self, network: Network, port: Port) -> tuple[Status, OpStatus]:
        """Read a port's status and that of its network."""
        where = ("tenant-a", network.id)
        found = self.answer(self.plugin.port, *where, port.id)
        above = self.answer(self.plugin.network, *where)
        return found.status, above.status.op_status

    def test_provides_the_interfaces(self) -> None:
        """Every method is there with its parameters."""
        self.assertTrue(verifyObject(IIntent, self.intent))
        self.assertTrue(verifyObject(IStatusBoard, self.intent))

    def test_nothing_is_bound_at_first(self) -> None:
        """An interface that nobody plugged is not bound."""
        self.assertIsNone(self.intent.bound("vif-1"))
        self.assertEqual([], list(self.intent.bindings()))

    def test_bound(self) -> None:
        """A plugged interface is bound to its port, network and segment."""
        network, port = self.a_plugged_port("vif-1")
        expected = Binding("vif-1", port.id, network.id, network.segment_id, True)
        self.assertEqual(expected, self.intent.bound("vif-1"))
        self.assertEqual([expected], list(self.intent.bindings()))

    def test_bound_to_a_port_that_is_down(self) -> None:
        """A binding says whether the port is to carry frames."""
        network, port = self.a_plugged_port("vif-1")
        where = ("tenant-a", network.id, port.id)
        self.answer(self.plugin.set_port_state, *where, AdminState.DOWN)
        self.assertFalse(self.intent.bound("vif-1").is_active)

    def test_unbound(self) -> None:
        """An unplugged interface is bound no longer."""
        network, port = self.a_plugged_port("vif-1")
        self.answer(self.plugin.unplug, "tenant-a", network.id, port.id)
        self.assertIsNone(self.intent.bound("vif-1"))
        self.assertEqual([], list(self.intent.bindings()))

    def test_switches_are_remembered(self) -> None:
        """A switch is known once it was remembered, and twice is as once."""
        self.assertEqual(frozenset(), self.intent.known_switches())
        for name in ("00000000000000aa", "00000000000000aa", "00000000000000bb"):
            self.assertIsNone(self.answer(self.intent.remember_switch, name))
        expected = frozenset({"00000000000000aa", "00000000000000bb"})
        self.assertEqual(expected, self.intent.known_switches())

    def test_switches_are_forgotten(self) -> None:
        """A forgotten switch is known no longer, until it is remembered anew."""
        gone, other = "00000000000000aa", "00000000000000bb"
        for name in (gone, other):
            self.answer(self.intent.remember_switch, name)
        for _ in range(2):
            self.assertIsNone(self.answer(self.intent.forget_switch, gone))
            self.assertEqual(frozenset({other}), self.intent.known_switches())
        self.answer(self.intent.remember_switch, gone)
        self.assertEqual(frozenset({gone, other}), self.intent.known_switches())

    def test_the_last_word_about_a_switch_counts(self) -> None:
        """Whoever calls while another call has not answered yet is not ignored."""
        name = "00000000000000aa"
        verbs = (self.intent.remember_switch, self.intent.forget_switch)
        for last in (0, 1, 0, 1):
            for verb in (verbs[last], verbs[1 - last], verbs[last]):
                maybeDeferred(verb, name)
            self.pass_time()
            known = frozenset() if last else frozenset({name})
            self.assertEqual(known, self.intent.known_switches())

    def test_segments_are_quarantined(self) -> None:
        """A deleted network's segment is in quarantine until it is freed."""
        network = self.answer(self.plugin.create_network, "tenant-a", "blue")
        self.assertEqual(frozenset(), self.intent.quarantined_segments())
        self.answer(self.plugin.delete_network, "tenant-a", network.id)
        expected = frozenset({network.segment_id})
        self.assertEqual(expected, self.intent.quarantined_segments())
        for _ in range(2):
            self.answer(self.intent.free_segment, network.segment_id)
            self.assertEqual(frozenset(), self.intent.quarantined_segments())

    def test_a_segment_in_use_is_not_freed(self) -> None:
        """Freeing the segment of a network that is there changes nothing."""
        network, _ = self.a_plugged_port("vif-1")
        self.answer(self.intent.free_segment, network.segment_id)
        other = self.answer(self.plugin.create_network, "tenant-a", "red")
        self.assertNotEqual(network.segment_id, other.segment_id)
        self.assertEqual(network.segment_id, self.intent.bound("vif-1").segment_id)

    def test_report(self) -> None:
        """Tenants read the status that was reported last, and so of the network."""
        network, port = self.a_plugged_port("vif-1")
        for status in (FINE, LATE, BROKEN, FINE):
            self.intent.report(port.id, status)
            self.assertEqual((status, status.op_status), self.status(network, port))

    def test_report_of_an_unknown_port(self) -> None:
        """A report may be late: that the port is gone is no error."""
        self.intent.report("gone", FINE)

    def test_network_is_as_up_as_its_best_port(self) -> None:
        """One working port is enough for its network to be up."""
        network, port = self.a_plugged_port("vif-1")
        where = ("tenant-a", network.id)
        other = self.answer(self.plugin.create_port, *where, AdminState.ACTIVE)
        self.answer(self.plugin.plug, *where, other.id, "vif-2")
        self.intent.report(port.id, BROKEN)
        self.intent.report(other.id, LATE)
        self.assertEqual((BROKEN, OpStatus.PROVISIONING), self.status(network, port))
        self.intent.report(other.id, FINE)
        self.assertEqual((BROKEN, OpStatus.UP), self.status(network, port))
        self.answer(self.plugin.unplug, *where, other.id)
        self.assertEqual((BROKEN, OpStatus.DOWN), self.status(network, port))
