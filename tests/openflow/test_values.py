# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""Statuses in plain words, phases as a table, plan files."""

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from quantum.model import ADMIN_DOWN, Binding, OpStatus, Status
from quantum.openflow import planfile
from quantum.openflow.member import (
    LocalPort,
    RemotePort,
    Uplink,
    remote_key,
    uplink_key,
)
from quantum.openflow.phase import TRANSITIONS, Event, Phase
from quantum.openflow.planfile import PlanError, SwitchPlan, read_plan, write_plan
from quantum.openflow.status import Sighting, op_status

from .strategies import mac, member_maps, tunnels

plans = st.dictionaries(
    st.integers(1, (1 << 64) - 1),
    st.builds(SwitchPlan, member_maps, tunnels),
    max_size=3,
)
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
        """Active, seen and acknowledged is UP, and it says where."""
        self.assertEqual(Status(OpStatus.UP, "", "hv1"), op_status(BOUND, seen()))

    def test_reasons(self) -> None:
        """What is missing is named."""
        for sighting, status, words in (
            (None, OpStatus.DOWN, "vif1 was not seen"),
            (seen(ofport=0), OpStatus.PROVISIONING, "no OpenFlow port"),
            (seen(phase=Phase.ABSENT), OpStatus.DOWN, "00000000000000ab is not"),
            (seen(fate=""), OpStatus.PROVISIONING, "not acknowledged"),
            (seen(fate="table is full"), OpStatus.DOWN, "table is full"),
            (seen(problem="no such VLAN"), OpStatus.DOWN, "no such VLAN"),
            (seen(elsewhere=("hv2 (tap9)",)), OpStatus.UP, "hv2 (tap9)"),
            (seen(note="it is alone"), OpStatus.UP, "it is alone"),
            (seen(elsewhere=("hv2",), note="alone"), OpStatus.UP, "hv2; alone"),
        ):
            found = op_status(BOUND, sighting)
            self.assertEqual(status, found.op_status)
            self.assertIn(words, found.reason)
            self.assertEqual("hv1" if sighting else "", found.hypervisor)

    def test_admin_down(self) -> None:
        """What the tenant asked comes before what is seen."""
        asleep = Binding("vif1", "p", "n", 5, is_active=False)
        self.assertEqual(ADMIN_DOWN, op_status(asleep, None))
        found = op_status(asleep, seen(problem="no such VLAN"))
        self.assertEqual(ADMIN_DOWN.reason, found.reason)
        self.assertEqual((OpStatus.DOWN, "hv1"), (found.op_status, found.hypervisor))


class PhaseTests(SynchronousTestCase):
    """The table of phases."""

    def test_complete(self) -> None:
        """From everywhere one can leave, and everything can be reached."""
        self.assertEqual(set(Phase), {*TRANSITIONS.values()})
        for phase in set(Phase) - {Phase.ABSENT}:
            self.assertIs(Phase.ABSENT, TRANSITIONS[phase, Event.LEFT])


class PlanFileTests(SynchronousTestCase):
    """A plan survives being written; anything else is refused."""

    @given(plan=plans)
    def test_round_trip(self, plan) -> None:
        """What is written is read."""
        self.assertEqual(plan, read_plan(write_plan(plan)))

    def test_refused(self) -> None:
        """A plan that no daemon has written is refused with the place."""
        entry = b'{"switches":{"ab":[{"ofport":%s,"segment":%s,"mac":%s}]}}'
        remote = b'{"ofport":1,"segment":1,"switch":"%s","address":"%s"}'
        switch = b'{"switches":{"ab":{"%s":%s}}}'
        for text in (
            b"",
            b"[]",
            b"[" * 200_000,
            b'{"switches":{"xyz":[]}}',
            b'{"switches":{"-1":[]}}',
            entry % (b"0", b"1", b"null"),
            entry % (b"1", b"16777216", b"null"),
            entry % (b"1", b"1", b'"02:00"'),
            entry % (b'"1"', b"1", b"null"),
            entry % (b"1", b"1", b'null,"ips":["10.0.0"]'),
            switch % (b"tunnel", b"65280"),
            switch % (b"peers", b"[]"),
            switch % (b"remotes", b"[%s]" % remote % (b"ab", b"2001:db8::1")),
            switch % (b"remotes", b"[%s]" % remote % (b"1" + b"0" * 16, b"10.0.0.1")),
            switch % (b"uplinks", b'[{"ofport":1,"segment":1,"vlan":4095}]'),
        ):
            self.assertRaises(PlanError, read_plan, text)

    def test_example(self) -> None:
        """The example of the documentation is a plan."""
        example = planfile.__doc__.partition("::")[2].rpartition("}")
        plan = read_plan("".join(example[:2]).encode())[0x1A2B3C4D5E6F]
        remote = RemotePort(bytes([192, 0, 2, 2]), 5001, mac(2))
        self.assertEqual(
            {
                1: LocalPort(1, 5001, mac(1), (bytes([10, 0, 0, 1]),)),
                remote_key(0x1A2B3C4D5E70, 7): remote,
                uplink_key(5002): Uplink(9, 5002, 100),
            },
            plan.members,
        )
        self.assertEqual(65000, plan.tunnel)

    def test_plain_list(self) -> None:
        """So is a list of ports, as it was before there were tunnels."""
        text = b'{"switches": {"ab": [{"ofport": 1, "segment": 5, "mac": null}]}}'
        self.assertEqual({0xAB: SwitchPlan({1: LocalPort(1, 5)})}, read_plan(text))
