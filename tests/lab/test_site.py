# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
The checks on many hypervisors, on switches programmed by hand.

They must pass when the flows isolate, and find it when the flows do not.
"""

from collections import Counter
from contextlib import ExitStack
from typing import ClassVar

import pytest
from twisted.trial.unittest import SynchronousTestCase

from tests.lab.byhand import TUNNEL, UPLINK, ByHand
from tests.lab.demo import Demo
from tests.lab.frames import BROADCAST, EXPERIMENTAL, frame
from tests.lab.hypervisor import BRIDGE
from tests.lab.isolation import Report
from tests.lab.probe import NUMBERS
from tests.lab.site import VLAN, Site
from tests.lab.wiretap import Wiretap

pytestmark = pytest.mark.root


class HandMade(SynchronousTestCase):
    """Whether the checks see what three switches and the operator's do."""

    __test__: ClassVar[bool] = False

    kind = "vxlan"
    site: ClassVar[Site]
    cloud: ClassVar[ByHand]
    _stack: ClassVar[ExitStack]

    @classmethod
    def setUpClass(cls) -> None:
        """Start three hypervisors."""
        cls._stack = ExitStack()
        try:
            cls.site = cls._stack.enter_context(Site.running())
            cls.cloud = ByHand(cls.site, cls.kind)
            cls.cloud.build()
        except BaseException:
            cls._stack.close()
            raise

    @classmethod
    def tearDownClass(cls) -> None:
        """Take everything away."""
        cls._stack.close()

    def setUp(self) -> None:
        """Begin with the right flows."""
        self.cloud.connect(self.site.machines)
        self.one, self.two, self.three = self.site.hypervisors

    def look(self, *cut: str) -> Report:
        """Look at everybody, without much patience for what will not come."""
        observatory = self.site.observatory
        return observatory.look(observatory.machines, cut, 2.0)

    def look_patiently(self, *cut: str) -> Report:
        """Look where everything will come, sooner or later."""
        observatory = self.site.observatory
        return observatory.look(observatory.machines, cut)

    def test_right(self) -> None:
        """Where the flows are right, everything arrives once and nothing leaks."""
        report = self.look_patiently()
        self.assertEqual([], report.problems())
        self.assertTrue(report.tally.is_right)

    def test_wiretap(self) -> None:
        """A broadcast is seen once on its way to each hypervisor that needs it."""
        tap = Wiretap(self.site.underlay, self.site.hypervisors)
        self.addCleanup(tap.stop)
        tap.start()
        red, number = self.site.machine("red-1"), next(NUMBERS)
        what = frame(BROADCAST, red.mac, EXPERIMENTAL, (number, 0))
        self.site.observatory.sniffer.send(red, what)
        copies = tap.copies(number, expected=2)
        one, two, three = map(self.site.underlay.address, self.site.hypervisors)
        self.assertEqual(
            Counter({(one, two): 1, (one, three): 1}),
            Counter((copy.source, copy.target) for copy in copies),
        )
        self.assertEqual(
            {(self.kind, self.cloud.number("red"))},
            {(copy.kind, copy.identifier) for copy in copies},
        )


class VxlanTests(HandMade):
    """What can go wrong is found out."""

    __test__ = True

    def test_demonstration(self) -> None:
        """Every step of the demonstration passes where the flows are right."""
        demo = Demo(self.cloud, self.site)
        demo.run()
        self.assertEqual([], demo.problems)

    def test_cut(self) -> None:
        """Without its cable a hypervisor's machines reach each other, none beyond."""
        self.site.underlay.cut(self.two)
        self.addCleanup(self.site.underlay.heal, self.two)
        self.assertEqual([], self.look_patiently("two").problems())
        self.assertTrue(self.look().tally.lost)

    def test_leak_by_tunnel(self) -> None:
        """One flow that takes a network's frames for another's is found out."""
        red, blue = self.cloud.number("red"), self.cloud.number("blue")
        self.two.ovs.ofctl(
            "add-flow",
            BRIDGE,
            f"table=0,priority=200,in_port={TUNNEL},tun_id={red},"
            f"actions=write_metadata:{blue | 1 << 32:#x}/0x1ffffffff,goto_table:30",
        )
        report = self.look()
        self.assertIn(
            "broadcast from red-1 to blue-3: 5 frames instead of 0", report.problems()
        )
        self.assertTrue(report.tally.leaked)

    def test_leak_to_vlan(self) -> None:
        """A machine's own tag that leaves for another VLAN is found out."""
        green = self.site.machine("green-1")
        port = self.two.ofport(green)
        self.two.ovs.ofctl(
            "add-flow",
            BRIDGE,
            f"priority=200,in_port={port},dl_type=0x88b5,actions=push_vlan:0x8100,"
            f"set_field:{0x1000 | 200}->vlan_vid,output:{UPLINK}",
        )
        report = self.look()
        self.assertIn(
            "unknown ethertype from green-1 to apart: 5 frames instead of 0",
            report.problems(),
        )

    def test_no_split_horizon(self) -> None:
        """A hypervisor that passes on what came by a tunnel is found out."""
        red, address = self.cloud.number("red"), self.site.underlay.address(self.three)
        self.two.ovs.ofctl(
            "add-flow",
            BRIDGE,
            f"table=33,priority=200,metadata={red}/0xffffffff,"
            f"actions=set_field:{red}->tun_id,set_field:{address}->tun_dst,"
            f"output:in_port,output:{TUNNEL},goto_table:40",
        )
        self.assertIn(
            "broadcast from red-1 to red-3: 10 frames instead of 5",
            self.look().problems(),
        )

    def test_vlan_reaches_outside(self) -> None:
        """The host in the VLAN and the machines on it ping each other."""
        report = self.look_patiently()
        self.assertEqual(5, report.answers.exact(("green-1", "outside")), VLAN)
        self.assertEqual(5, report.answers.exact(("outside", "green-2")))


class GeneveTests(HandMade):
    """The same in Geneve."""

    __test__ = True

    kind = "geneve"
