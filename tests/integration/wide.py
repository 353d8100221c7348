# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""A test case whose tests share three hypervisors and one daemon."""

import time
from collections.abc import Callable, Collection, Sequence
from contextlib import ExitStack
from typing import ClassVar

from twisted.trial.unittest import SynchronousTestCase

from tests.lab.frames import BROADCAST, EXPERIMENTAL, frame
from tests.lab.hypervisor import Machine
from tests.lab.probe import NUMBERS
from tests.lab.site import VLAN_NETWORK
from tests.lab.stage import look_until_right, ride_out
from tests.lab.wide import WideStage
from tests.lab.wiretap import Copy, Wiretap

PATIENCE = 30.0
SETTLING_TIME = 15.0
KILOHERTZ = 0.001


class WideTests(SynchronousTestCase):
    """Every test finds all machines plugged in and UP, and leaves them so."""

    settings: ClassVar[tuple[str, ...]] = ()
    is_detoured: ClassVar[bool] = False

    stage: ClassVar[WideStage]
    _stack: ClassVar[ExitStack]

    @classmethod
    def setUpClass(cls) -> None:
        """Start everything, and plug everybody in."""
        cls._stack = ExitStack()
        try:
            running = WideStage.running(*cls.settings, is_detoured=cls.is_detoured)
            cls.stage = cls._stack.enter_context(running)
            cls.stage.populate()
        except BaseException:
            cls._stack.close()
            raise

    @classmethod
    def tearDownClass(cls) -> None:
        """Take everything away."""
        cls._stack.close()

    def setUp(self) -> None:
        """Wait until everybody is UP."""
        self.site, self.cloud = self.stage.site, self.stage.cloud
        self.one, self.two, self.three = self.site.hypervisors
        self.cloud.await_up(self.site.machines)

    def addresses(self) -> list[str]:
        """Give the tunnel addresses of the hypervisors."""
        return [self.site.underlay.address(host) for host in self.site.hypervisors]

    def pairs(self, *hosts: str) -> list[tuple[Machine, Machine]]:
        """List the pairs of machines of one overlay on these hosts, one way each."""
        there = [
            one
            for one in self.site.machines
            if one.host in hosts and one.network != VLAN_NETWORK
        ]
        return [
            (one, other)
            for one in there
            for other in there
            if one.network == other.network and one.name < other.name
        ]

    def listen(self) -> Wiretap:
        """Listen to what hypervisors send each other."""
        tap = Wiretap(self.site.underlay, self.site.hypervisors)
        self.addCleanup(tap.stop)
        tap.start()
        return tap

    def copies(
        self,
        sender: Machine,
        target: str = BROADCAST,
        count: int = 1,
        *,
        expected: int,
    ) -> list[Copy]:
        """
        Send marked frames; give every copy that went through a tunnel.

        :param expected: How many are waited for, before it is seen that no more come.
        """
        probe = next(NUMBERS)
        frames = [
            frame(target, sender.mac, EXPERIMENTAL, (probe, sequence))
            for sequence in range(count)
        ]
        return self.carried(probe, sender, frames, expected)

    def carried(
        self, probe: int, sender: Machine, frames: Sequence[bytes], expected: int
    ) -> list[Copy]:
        """Send frames of a probe; give every copy that went through a tunnel."""
        tap = self.listen()
        for what in frames:
            self.site.observatory.sniffer.send(sender, what)
        return tap.copies(probe, expected)

    def assert_connected(
        self,
        connected: Sequence[Machine] | None = None,
        cut: Collection[str] = (),
        patience: float = SETTLING_TIME,
    ) -> None:
        """Exactly these machines (or all) reach each other, within their networks."""
        observatory = self.site.observatory
        everybody = observatory.machines if connected is None else connected
        report = look_until_right(observatory, everybody, patience, cut)
        self.assertEqual([], report.problems())

    def assert_unnoticed(self, action: Callable[[], None], *hosts: str) -> None:
        """A thousand frames a second between machines there lose not one."""
        pairs = self.pairs(*hosts)[:2]
        loss = ride_out(self.site.observatory, action, pairs, KILOHERTZ)
        self.assertTrue(loss.is_none, loss)

    def await_true(self, is_true: Callable[[], bool], text: str) -> None:
        """Wait for something to become true."""
        deadline = time.monotonic() + PATIENCE
        while not is_true():
            if time.monotonic() > deadline:
                log = self.stage.daemon.log[-3000:]
                self.fail(f"never: {text}; the daemon said:\n{log}")
            time.sleep(0.05)
