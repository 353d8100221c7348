# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""Both ways of writing where a database is."""

from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase

from quantum.channel.ovsdb.bridge import WantedBridge
from quantum.channel.ovsdb.client import HypervisorClients, Places
from quantum.channel.ovsdb.place import dialled, listened
from tests.channel.database import Listener


class PlaceTests(SynchronousTestCase):
    """Open vSwitch's words become Twisted's; Twisted's stay."""

    def test_dialled(self) -> None:
        """Places to connect to."""
        for written, expected in (
            ("unix:/run/openvswitch/db.sock", "unix:/run/openvswitch/db.sock"),
            ("tcp:10.0.0.1:6640", "tcp:host=10.0.0.1:port=6640"),
            ("tcp:[fd00::1]:6640", r"tcp:host=fd00\:\:1:port=6640"),
            ("tcp:host=10.0.0.1:port=6640", "tcp:host=10.0.0.1:port=6640"),
        ):
            self.assertEqual(expected, dialled(written))

    def test_listened(self) -> None:
        """Places to be connected to."""
        for written, expected in (
            ("punix:/run/q.sock", "unix:/run/q.sock"),
            ("ptcp:6640", "tcp:6640"),
            ("ptcp:6640:10.0.0.1", "tcp:6640:interface=10.0.0.1"),
            ("ptcp:6640:[fd00::1]", r"tcp6:6640:interface=fd00\:\:1"),
            ("tcp:6640:interface=10.0.0.1", "tcp:6640:interface=10.0.0.1"),
        ):
            self.assertEqual(expected, listened(written))

    def test_refused(self) -> None:
        """What nobody understands is named."""
        for places in (
            Places(connect=["ssl:10.0.0.1:6640"]),
            Places(connect=["nonsense"]),
            Places(connect=["tcp:10.0.0.1:port"]),
            Places(listen=["pssl:6640"]),
            Places(listen=["bogus:1"]),
        ):
            with self.assertRaises(ValueError) as caught:
                HypervisorClients(
                    MemoryReactorClock(),
                    places,
                    WantedBridge("br-int", "tcp:127.0.0.1:6653"),
                    Listener(),
                    self.fail,
                )
            wrong = [*places.connect, *places.listen][0]
            self.assertIn(wrong, str(caught.exception))
