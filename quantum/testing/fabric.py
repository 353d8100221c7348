# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: PT009  (contracts are written for trial, as its users are)
"""The contract of `IFabric`, as tests."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from quantum.errors import FabricRefused
from quantum.interfaces import IFabric
from quantum.model import (
    AdminState,
    Change,
    Network,
    NetworkBound,
    NetworkCreated,
    NetworkDeleted,
    NetworkRenamed,
    Port,
    PortChanged,
    PortCreated,
    PortDeleted,
    Vlan,
)

if TYPE_CHECKING:
    _Case = SynchronousTestCase
else:
    # A mixin, so that no test runner takes the contract itself for a test.
    _Case = object

NETWORK = Network("network-1", "tenant-a", "blue", 1)
BOUND = Network("network-1", "tenant-a", "blue", 1, vlan=Vlan("external", 7))
FREE = Port("port-1", "network-1", AdminState.ACTIVE)
PLUGGED = Port("port-1", "network-1", AdminState.ACTIVE, "vif-1")
SILENCED = Port("port-1", "network-1", AdminState.DOWN, "vif-1")

LIFE: Sequence[Change] = (
    NetworkCreated(NETWORK),
    NetworkRenamed(NETWORK),
    NetworkBound(BOUND),
    PortCreated(FREE),
    PortChanged(FREE, PLUGGED),
    PortChanged(PLUGGED, SILENCED),
    PortChanged(SILENCED, FREE),
    PortDeleted(FREE),
    NetworkDeleted(NETWORK),
)
"""Everything that can become of a network and its port, in order."""


class FabricContract(_Case):
    """What every fabric promises; supply ``make_fabric``."""

    def make_fabric(self) -> IFabric:
        """Make the fabric under test, over a record in which nothing is."""
        raise NotImplementedError

    def setUp(self) -> None:
        """Make the fabric."""
        super().setUp()
        self.fabric: Any = self.make_fabric()

    def test_provides_the_interface(self) -> None:
        """The fabric has all methods with their parameters."""
        self.assertTrue(verifyObject(IFabric, self.fabric))

    def test_admits_or_refuses(self) -> None:
        """A change is admitted silently, or refused with a reason to be read."""
        for change in LIFE:
            try:
                self.assertIsNone(self.fabric.admit(change))
            except FabricRefused as refused:
                self.assertTrue(refused.reason)

    def test_takes_a_whole_life(self) -> None:
        """Every kind of change is taken note of, one by one and all at once."""
        for change in LIFE:
            self.assertIsNone(self.fabric.tell([change]))
        self.assertIsNone(self.fabric.tell(LIFE))

    def test_takes_what_it_did_not_see_coming(self) -> None:
        """A change of something that the fabric never heard of is no error."""
        self.assertIsNone(self.fabric.tell([LIFE[6], LIFE[8], LIFE[4]]))
        self.assertIsNone(self.fabric.tell([]))

    def test_says_how_large_packets_may_be(self) -> None:
        """Of any network it says a number of bytes, or that this is not known."""
        for network in (NETWORK, BOUND):
            mtu = self.fabric.mtu(network)
            self.assertTrue(mtu is None or mtu > 0, mtu)
