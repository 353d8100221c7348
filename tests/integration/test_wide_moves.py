# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""Machines move between hypervisors, and some have addresses that nobody knows."""

from collections import Counter

import pytest

from tests.integration.wide import WideTests
from tests.lab.frames import BROADCAST, EXPERIMENTAL, Sniffer, frame
from tests.lab.hypervisor import Machine
from tests.lab.isolation import Observatory
from tests.lab.probe import NUMBERS
from tests.lab.site import APART, OTHER_VLAN, VLAN, spec
from tests.lab.stage import look_until_right
from tests.lab.wiretap import Copy

pytestmark = pytest.mark.root

HIDDEN = "02:00:00:00:00:77"
"""The address of something behind a machine."""


class MoveTests(WideTests):
    """Frames follow the interface."""

    def arrive(self) -> Machine:
        """Make ``red-1`` anew on the third hypervisor, not plugged in yet."""
        (moved,) = self.three.add_machines([spec("red-1", 1, "three")])
        return moved

    def assert_moved(self, moved: Machine) -> None:
        """Everybody reaches the machine where it is now."""
        stayed = [m for m in self.site.observatory.machines if m.name != moved.name]
        everybody = [moved, *stayed]
        observatory = Observatory(everybody, vlans=self.site.observatory.vlans)
        observatory.start()
        self.addCleanup(observatory.stop)
        report = look_until_right(observatory, everybody, 5.0)
        self.assertEqual([], report.problems())

    def come_back(self, moved: Machine) -> None:
        """Let it be as before."""
        self.three.unplug([moved])
        self.three.remove(moved)
        self.one.plug([self.site.machine("red-1")])
        self.cloud.await_up(self.site.machines)
        self.assert_connected()

    def test_after(self) -> None:
        """A machine that left one hypervisor and then came to another is there."""
        red = self.site.machine("red-1")
        self.one.unplug([red])
        self.cloud.await_not_up([red])
        moved = self.arrive()
        self.three.plug([moved])
        self.cloud.await_up(self.site.machines)
        self.assert_moved(moved)
        self.come_back(moved)

    def test_overlapping(self) -> None:
        """One that is seen on both for a while is where it was, then where it is."""
        red, moved = self.site.machine("red-1"), self.arrive()
        self.three.plug([moved])
        self.assert_connected()
        self.one.unplug([red])
        self.assert_moved(moved)
        self.come_back(moved)


class LearningTests(WideTests):
    """What is behind a machine is found out from what it sends."""

    def test_hidden_address(self) -> None:
        """Frames to an address behind a machine go to all, then to its host only."""
        one, two, three = self.addresses()
        red = self.site.machine("red-1")
        (router,) = self.three.add_machines([spec("red-9", 9, "three")])
        self.three.plug([router])
        gone = ("remove", "interface", router.vif, "external_ids", "attached-mac")
        self.three.ovs.vsctl(*gone)
        self.cloud.connect([router])
        self.cloud.await_up([router])
        sniffer = Sniffer()
        sniffer.start([router])
        self.addCleanup(sniffer.stop)
        before = Counter(map(_way, self.copies(red, HIDDEN, expected=2)))
        self.assertEqual(Counter({(one, two): 1, (one, three): 1}), before)
        speech = frame(BROADCAST, HIDDEN, EXPERIMENTAL, (next(NUMBERS), 0))
        sniffer.send(router, speech)
        self.await_true(
            lambda: (
                Counter(map(_way, self.copies(red, HIDDEN, expected=1)))
                == Counter({(one, three): 1})
            ),
            "it is known where the address is",
        )


class TagTests(WideTests):
    """Tags are the operator's."""

    def test_hopping(self) -> None:
        """A frame that a machine has tagged leaves for no VLAN at all."""
        green, sniffer = self.site.machine("green-1"), self.site.observatory.sniffer
        probe = next(NUMBERS)
        tags = (VLAN, OTHER_VLAN, 1, 4095)
        for sequence, vlan in enumerate(tags):
            mark = (probe, sequence)
            what = frame(BROADCAST, green.mac, EXPERIMENTAL, mark, vlan=vlan)
            sniffer.send(green, what)
        sniffer.await_quiet(lambda: True, 5.0)
        seen = [sniffer.count(m, probe) for m in (self.site.outside, self.site.apart)]
        self.assertEqual([Counter(), Counter()], seen)

    def test_trunk_cut(self) -> None:
        """A trunk that is cut and healed comes back by itself."""
        self.site.rack.cut(self.two)
        self.site.rack.heal(self.two)
        self.assert_connected()

    def test_apart(self) -> None:
        """A host in another VLAN, with an address in use, sees nothing at all."""
        sniffer, probe = self.site.observatory.sniffer, next(NUMBERS)
        for sequence, machine in enumerate(self.site.machines):
            mark = (probe, sequence)
            sniffer.send(machine, frame(APART.mac, machine.mac, EXPERIMENTAL, mark))
        sniffer.await_quiet(lambda: True, 5.0)
        self.assertEqual(Counter(), sniffer.count(self.site.apart, probe))


def _way(copy: Copy) -> tuple[str, str]:
    return (copy.source, copy.target)
