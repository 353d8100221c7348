# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""Databases that lie, break off or talk nonsense."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.trial.unittest import SynchronousTestCase

from quantum.channel.ovsdb.bridge import WantedBridge
from quantum.channel.ovsdb.hypervisor import Claims, Hypervisor, Surroundings
from quantum.channel.ovsdb.replica import Replica
from quantum.channel.ovsdb.rpc import Session
from tests.channel.database import Listener, dump, mapping, name_of

WANTED = WantedBridge(
    "br-int", "tcp:127.0.0.1:6653", physical_networks={"external": ""}
)
NEVER = "00000000-0000-0000-0000-000000000000"


def _written(rows: dict[str, dict[int, Any]]) -> dict[str, Any]:
    return {
        table: {name_of(number): update for number, update in updates.items()}
        for table, updates in rows.items()
    }


REACH = mapping(
    quantum_tunnel_ip="192.0.2.1", quantum_physical_networks="external:br-ex"
)
CHANGES = (
    {"Open_vSwitch": {1: {"modify": {"external_ids": REACH}}}},
    {"Interface": {22: {"modify": {"options": ["map", [["peer", "x"]]], "mtu": 9}}}},
    {"Interface": {20: {"modify": {"external_ids": mapping(iface_id="new")}}}},
    {"Bridge": {2: {"modify": {"fail_mode": "standalone"}}}},
    {"Port": {11: {"delete": None}}, "Interface": {21: {"delete": None}}},
    {"Open_vSwitch": {1: {"modify": {"external_ids": mapping(system_id="other")}}}},
    {"Bridge": {2: {"delete": None}}},
)
STREAM = b"".join(
    json.dumps(message).encode()
    for message in (
        {"id": 1, "result": ["Open_vSwitch"], "error": None},
        {"id": 2, "result": [False, NEVER, _written(dump())], "error": None},
        {"id": "echo", "method": "echo", "params": []},
        *(
            {"id": None, "method": "update2", "params": ["quantum", _written(change)]}
            for change in CHANGES
        ),
        {"id": 3, "result": [{}, {"error": "no", "details": "x"}], "error": None},
    )
)
PIECES = st.sampled_from(
    [
        b"",
        b"{",
        b"}",
        b"[",
        b"]",
        b'"',
        b"null",
        b"-1",
        b"9" * 40,
        b"\\",
        b"\xff",
        b"{}",
    ]
)
CUTS = st.tuples(
    st.integers(0, len(STREAM)),
    st.integers(0, 60),
    PIECES | st.binary(max_size=4),
)


class HostileTests(SynchronousTestCase):
    """Nothing that arrives raises, and every connection ends tidily."""

    @given(st.lists(CUTS, max_size=3), st.integers(1, 5000))
    def test_changed_stream(
        self, cuts: list[tuple[int, int, bytes]], chunk: int
    ) -> None:
        """A good conversation with pieces replaced is taken or dropped."""
        stream = STREAM
        for start, length, piece in cuts:
            stream = stream[:start] + piece + stream[start + length :]
        clock, listener, warnings = Clock(), Listener(), []
        given_to_all = Surroundings(
            clock,
            WANTED,
            listener,
            Claims(warnings.append),
            warnings.append,
        )
        hypervisor = Hypervisor(given_to_all, "10.0.0.7", Replica())
        session = Session(clock, hypervisor)
        session.makeConnection(StringTransport())
        for start in range(0, len(stream), chunk):
            session.dataReceived(stream[start : start + chunk])
            clock.advance(0.1)
        session.connectionLost()
        self.successResultOf(hypervisor.ended_with)
        clock.advance(100)
        self.assertEqual([], clock.getDelayedCalls())
        self.assertEqual([], self.flushLoggedErrors())
