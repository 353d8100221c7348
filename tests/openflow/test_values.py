# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""Statuses in plain words, phases as a table, plan files."""

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from quantum.model import ADMIN_DOWN, UP, Binding, OpStatus
from quantum.openflow.member import LocalPort
from quantum.openflow.phase import TRANSITIONS, Event, Phase
from quantum.openflow.planfile import PlanError, read_plan, write_plan
from quantum.openflow.status import Sighting, op_status

from .strategies import port_maps

BOUND = Binding("vif1", "p", "n", 5, is_active=True)


def seen(**other: object) -> Sighting:
    """An interface that its switch carries, with exceptions."""
    usual = {
        "name": "tap1",
        "ofport": 4,
        "hypervisor": "hv1",
        "datapath_id": 0xAB,
        "phase": Phase.SETTLED,
        "fate": None,
    }
    return Sighting(**{**usual, **other})


class StatusTests(SynchronousTestCase):
    """Each reason for which a port may not be UP."""

    def test_up(self) -> None:
        """Active, seen and acknowledged is UP."""
        self.assertEqual(UP, op_status(BOUND, seen()))

    def test_reasons(self) -> None:
        """What is missing is named."""
        for sighting, status, words in (
            (None, OpStatus.DOWN, "vif1 was not seen"),
            (seen(ofport=0), OpStatus.PROVISIONING, "no OpenFlow port"),
            (seen(phase=Phase.ABSENT), OpStatus.DOWN, "00000000000000ab is not"),
            (seen(fate=""), OpStatus.PROVISIONING, "not acknowledged"),
            (seen(fate="table is full"), OpStatus.DOWN, "table is full"),
            (seen(elsewhere=("hv2 (tap9)",)), OpStatus.UP, "hv2 (tap9)"),
        ):
            found = op_status(BOUND, sighting)
            self.assertEqual(status, found.op_status)
            self.assertIn(words, found.reason)

    def test_admin_down(self) -> None:
        """What the tenant asked comes before what is seen."""
        asleep = Binding("vif1", "p", "n", 5, is_active=False)
        self.assertEqual(ADMIN_DOWN, op_status(asleep, seen()))


class PhaseTests(SynchronousTestCase):
    """The table of phases."""

    def test_complete(self) -> None:
        """From everywhere one can leave, and everything can be reached."""
        self.assertEqual(set(Phase), {*TRANSITIONS.values()})
        for phase in set(Phase) - {Phase.ABSENT}:
            self.assertIs(Phase.ABSENT, TRANSITIONS[phase, Event.LEFT])


class PlanFileTests(SynchronousTestCase):
    """A plan survives being written; anything else is refused."""

    @given(plan=st.dictionaries(st.integers(1, (1 << 64) - 1), port_maps, max_size=3))
    def test_round_trip(self, plan) -> None:
        """What is written is read."""
        text = write_plan({dpid: ports.values() for dpid, ports in plan.items()})
        self.assertEqual(plan, read_plan(text))

    def test_refused(self) -> None:
        """A plan that no daemon has written is refused with the place."""
        entry = b'{"switches":{"ab":[{"ofport":%s,"segment":%s,"mac":%s}]}}'
        for text in (
            b"",
            b"[]",
            b"[" * 200_000,
            b'{"switches":{"xyz":[]}}',
            entry % (b"0", b"1", b"null"),
            entry % (b"1", b"16777216", b"null"),
            entry % (b"1", b"1", b'"02:00"'),
            entry % (b'"1"', b"1", b"null"),
        ):
            self.assertRaises(PlanError, read_plan, text)

    def test_example(self) -> None:
        """The example of the documentation is a plan."""
        text = b'{"switches": {"ab": [{"ofport": 1, "segment": 5, "mac": null}]}}'
        self.assertEqual({0xAB: {1: LocalPort(1, 5)}}, read_plan(text))
