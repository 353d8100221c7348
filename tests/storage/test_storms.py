# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""Batches of anything, while the database fails at random."""

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.defer import maybeDeferred
from twisted.trial.unittest import SynchronousTestCase

from quantum.errors import QuantumError
from quantum.model import AdminState
from quantum.storage.outlook import Outlook
from tests.storage.trouble import ACTIVE, Trouble, WriterCase

WHERE = ("t", "id-1")
PORTS = st.sampled_from(["id-2", "id-3", "id-4", "id-5", "id-6"])
VIFS = st.sampled_from(["vif-1", "vif-2", "vif-3"])
CALLS = st.one_of(
    st.tuples(st.just("create_port"), st.just(ACTIVE)),
    st.tuples(st.just("rename_network"), st.sampled_from(["x", "y"])),
    st.tuples(st.just("delete_network")),
    st.tuples(st.just("delete_port"), PORTS),
    st.tuples(st.just("plug"), PORTS, VIFS),
    st.tuples(st.just("plug"), PORTS, VIFS),
    st.tuples(st.just("unplug"), PORTS),
    st.tuples(st.just("set_port_state"), PORTS, st.sampled_from(AdminState)),
)
STORMS = st.lists(
    st.tuples(st.lists(CALLS, min_size=1, max_size=8), st.sets(st.integers(1, 25))),
    min_size=1,
    max_size=5,
)


class Storm(WriterCase):
    """A ledger that is asked for much at once, over a database that fails."""

    def rage(self, calls, failing) -> None:
        """Ask for everything at once, and compare what came of it."""
        self.trouble.calls.clear()
        self.trouble.fails = lambda number, *_: number in failing
        answers = [
            maybeDeferred(getattr(self.plugin, verb), *WHERE, *words)
            for verb, *words in calls
        ]
        self.bench.pass_time()
        self.trouble.fails = Trouble().fails
        for _ in range(3):
            self.bench.pass_time(1)
        for answer in answers:
            answer.addErrback(lambda failure: failure.trap(QuantumError))
            self.successResultOf(answer)
        self.assertEqual(Outlook(self.bench.ledger.catalogue), self.outlook())
        if self.plugin.networks("t"):
            self.assertEqual(self.rows(), self.readable())
        else:
            self.assertEqual(set(), self.rows())

    def outlook(self):
        return self.bench.ledger._outlook


class StormTests(SynchronousTestCase):
    """Whatever fails, the record and what is read of it stay one."""

    @settings(max_examples=100, deadline=None)
    @given(STORMS)
    def test_record_and_readers_agree(self, storm) -> None:
        """After each batch the database holds what readers see, and nothing waits."""
        case = Storm("rage")
        case.setUp()
        try:
            case.rage([("create_port", ACTIVE)] * 3, set())
            for calls, failing in storm:
                case.rage(calls, failing)
        finally:
            case.doCleanups()
