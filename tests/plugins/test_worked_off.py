# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""Who tells the fabric more than it can work off is made to wait."""

from twisted.internet.defer import CancelledError
from twisted.trial.unittest import SynchronousTestCase

from tests.channel.terminal import Ticking

from .site import Site, tap


class WorkedOffTests(SynchronousTestCase):
    """A hypervisor tells many interfaces, while much else is to be done."""

    def setUp(self) -> None:
        """Make a fabric that needs many slices for them."""
        self.site = Site(clock=Ticking())
        self.fabric = self.site.fabric

    def tell(self, number: int, count: int = 100) -> None:
        """Let interfaces be told of."""
        self.site.clock.tick = 0.0004
        seen = [tap(f"x{number}-{n}", n + 1) for n in range(count)]
        self.fabric.testimony.hypervisor_synced(f"hv{number}", number, seen)

    def test_idle(self) -> None:
        """When there is nothing to do nobody waits."""
        self.site.sync(1, tap("a", 4))
        self.assertIsNone(self.successResultOf(self.fabric.testimony.worked_off()))

    def test_waits(self) -> None:
        """Whoever told something waits until that is done, whatever comes later."""
        self.tell(1)
        done = self.fabric.testimony.worked_off()
        done.addCallback(lambda _: [self.seen(number) for number in (1, 2)])
        self.tell(2)
        self.assertNoResult(done)
        self.site.clock.pump([0.001] * 50)
        self.assertEqual([100, 0], self.successResultOf(done))
        self.assertEqual(100, self.seen(2))

    def seen(self, number: int) -> int:
        """Count the interfaces that are known of a switch."""
        switch = self.fabric.switches.get(number)
        return len(switch.names()) if switch else 0

    def test_cancelled(self) -> None:
        """Whoever does not wait any more is left alone."""
        self.tell(1)
        done = self.fabric.testimony.worked_off()
        done.cancel()
        self.failureResultOf(done, CancelledError)
        self.site.clock.pump([0.001] * 50)
        self.assertEqual([], self.flushLoggedErrors())
