# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""A switch is cut off at every step of its handshake and of being put right."""

import random

from tests.faults.case import YardTests
from tests.faults.middle import Cut, Record
from tests.faults.yard import BRIDGE

SEED = 20261122
ROUNDS = 4


class CutTests(YardTests):
    """Whatever was lost is compared when the switch is back."""

    def test_boundaries(self):
        """At whichever message or in whichever the line breaks, all comes right."""
        places = self.places()
        chosen = random.Random(SEED)  # noqa: S311  # a test that can be repeated
        for number in range(ROUNDS):
            cuts = {}
            for host in self.yard.hosts:
                way, ends = chosen.choice(places)
                end = chosen.choice(ends)
                # The last round's cuts are within messages.
                place = end if number < ROUNDS - 1 else max(1, end - 3)
                cuts[host] = Cut(way, place)
                self.begin_anew(host, cuts[host])
            for host, cut in cuts.items():
                where = f"{host.name} is cut after {cut.place} bytes {cut.way.value}"
                self.await_true(lambda cut=cut: cut.is_done, where)
            self.assert_safe()
            self.assert_right()

    def places(self):
        """Find out where messages end while each switch is made anew."""
        records = [(host, Record()) for host in self.yard.hosts]
        for host, record in records:
            self.begin_anew(host, record)
        found = []
        for host, record in records:
            self.await_true(
                lambda r=record: all(len(ends) > 5 for ends in r.ends.values()),
                "much was said",
            )
            self.await_flows(host.name)
            found += [(way, ends[1:]) for way, ends in record.ends.items()]
        self.assertLess(30, sum(len(ends) for _, ends in found))
        return found

    def begin_anew(self, host, conduct):
        """Let a switch that has no flows connect."""
        host.ovs.ofctl("del-flows", BRIDGE)
        self.middle.do(host.name, conduct)
        self.yard.reset(host.name)
