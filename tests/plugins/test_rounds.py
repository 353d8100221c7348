# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""Rounds over very many switches leave the reactor free."""

from twisted.trial.unittest import SynchronousTestCase

from quantum.plugins.openvswitch.rounds import PAUSE, Rounds
from tests.channel.terminal import Ticking
from tests.plugins.site import Site

COUNT = 3 * PAUSE


class RoundsTests(SynchronousTestCase):
    """Three times as many switches as are looked after between two pauses."""

    def setUp(self) -> None:
        self.site = Site()
        self.datapaths = [self.site.connect(number) for number in range(1, COUNT + 1)]
        for number in range(1, COUNT + 1):
            self.site.sync(number)
        self.clock = Ticking()
        self.clock.advance(1)
        self.clock.tick = 0.0003
        self.rounds = Rounds(self.site.fabric, self.clock)

    def audits(self) -> int:
        """Count the switches whose flows were compared again."""
        switches = self.site.fabric.switches.values()
        return sum(switch.session.audits - 1 for switch in switches)

    def test_turns(self) -> None:
        """It takes several turns, and looks after each switch once."""
        self.rounds()
        self.assertEqual(PAUSE, self.audits())
        self.clock.pump([0.01] * 20)
        self.assertEqual(COUNT, self.audits())

    def test_one_at_a_time(self) -> None:
        """While one goes on, no other begins; afterwards the next one does."""
        self.rounds()
        self.rounds()
        self.clock.pump([0.01] * 20)
        self.assertEqual(COUNT, self.audits())
        self.rounds()
        self.clock.pump([0.01] * 20)
        self.assertEqual(2 * COUNT, self.audits())

    def test_gone(self) -> None:
        """A switch that leaves meanwhile is passed over."""
        self.rounds()
        self.site.fabric.switches[COUNT].session.left()
        self.assertIsNone(self.site.fabric.switches[COUNT].datapath)
        self.clock.pump([0.01] * 20)
        self.assertEqual(COUNT - 1, self.audits())
