# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""The plan file says what every switch should carry, also of those not known yet."""

from pathlib import Path

from twisted.internet.defer import maybeDeferred
from twisted.trial.unittest import SynchronousTestCase

from quantum.openflow.member import LocalPort
from quantum.openflow.planfile import SwitchPlan, read_plan, write_plan
from quantum.plugins.openvswitch.planner import PlanWriter

from .site import Site, tap


class PlanWriterTests(SynchronousTestCase):
    """A file that is always whole, and never forgets a switch too early."""

    def setUp(self) -> None:
        """Make a site with one port on one switch."""
        self.site = Site()
        self.site.port("a")
        self.path = Path(self.mktemp())
        site, path = self.site, str(self.path)
        self.writer = PlanWriter(path, site.ledger, site.fabric.switches, maybeDeferred)

    def plan(self) -> dict:
        """Write, and read what was written."""
        self.successResultOf(self.writer.write())
        return read_plan(self.path.read_bytes())

    def test_known(self) -> None:
        """A switch whose interfaces are known is there with its ports."""
        self.site.sync(1, tap("a", 4))
        self.assertEqual({1: SwitchPlan({4: LocalPort(4, 1)})}, self.plan())

    def test_not_known_yet(self) -> None:
        """What an earlier process wrote of a switch stays until it is known."""
        first = SwitchPlan({4: LocalPort(4, 1)}, 65000)
        second = SwitchPlan({7: LocalPort(7, 9)})
        self.path.write_bytes(write_plan({1: first, 2: second}))
        for name in ("0000000000000001", "0000000000000002"):
            self.site.ask(self.site.ledger.remember_switch, name)
        self.site.connect(1)
        self.assertEqual({1: first, 2: second}, self.plan())
        self.site.sync(1)
        self.assertEqual({1: SwitchPlan({}), 2: second}, self.plan())
        self.site.ask(self.site.plugin.forget_switch, "0000000000000002")
        self.assertEqual({1: SwitchPlan({})}, self.plan())

    def test_not_recorded(self) -> None:
        """What is said of a switch that was forgotten since is not repeated."""
        self.path.write_bytes(write_plan({7: SwitchPlan({4: LocalPort(4, 1)})}))
        self.assertEqual({}, self.plan())

    def test_unwritable(self) -> None:
        """A file that cannot be written is complained of, and tried again."""
        self.writer._path = str(self.path / "no" / "folder")
        self.successResultOf(self.writer.write())
        self.writer._path = str(self.path)
        self.assertEqual({}, self.plan())
