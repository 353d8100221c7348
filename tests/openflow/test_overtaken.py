# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""Something changes while a switch is still at work on what came before."""

from twisted.trial.unittest import SynchronousTestCase

from quantum.openflow.bundle import Bundle
from quantum.openflow.flow import encode
from quantum.openflow.member import LocalPort
from quantum.openflow.session import Session

from .strategies import layout_of, mac
from .table import Entry, Table
from .test_session import A, B, joined, planned

EXPERIMENTER = 4
BLUE = LocalPort(2, 1, mac(2))
RED = LocalPort(2, 2, mac(2))


def refuses_network_one(entry: Entry) -> bool:
    """Refuse whatever lets port 2 into network 1."""
    return entry.match.get("in_port") == 2 and entry.cookie >> 32 & 0xFFFFFF == 1


class OvertakenTests(SynchronousTestCase):
    """A newer wish is never lost to an older one."""

    def test_refused_meanwhile(self) -> None:
        """What was refused after the port got another network is not tried again."""
        table = Table(refuses_network_one)
        session = joined(table, {})
        session.want(2, BLUE)
        bundle = session.say()
        session.want(2, RED)
        table.converse_with(bundle, session)
        table.converse(session)
        self.assertIsNone(session.fate(2))
        table.refuses = lambda _: False
        session.retry()
        table.converse(session)
        self.assertEqual(planned({2: RED}), table.flows())

    def test_refused_and_removed_meanwhile(self) -> None:
        """Nor does it come back with the next connection."""
        table = Table(refuses_network_one)
        session = joined(table, {})
        session.want(2, BLUE)
        bundle = session.say()
        session.want(2, None)
        table.converse_with(bundle, session)
        table.converse(session)
        table.refuses = lambda _: False
        session.left()
        session.joined()
        table.converse(session)
        self.assertEqual(planned({}), table.flows())

    def test_removed_during_repair(self) -> None:
        """A port removed while a repair is refused is removed from the switch."""
        table, session = self.lamed()
        while not (words := session.say()) or words[1] != EXPERIMENTER:
            table.converse_with(words or b"", session)
        session.want(2, None)
        table.converse_with(words, session)
        table.converse(session)
        self.assertEqual(planned({1: A}), table.flows())

    def test_doubt(self) -> None:
        """Until a refused repair was tried with fewer ports nothing is certain."""
        table, session = self.lamed()
        while not (words := session.say()) or words[1] != EXPERIMENTER:
            table.converse_with(words or b"", session)
        table.converse_with(words, session)
        session.say()
        self.assertEqual(("", True), (session.fate(2), session.carries(9)))

    def test_error_of_others(self) -> None:
        """An error about a message that was not sent yet is somebody else's."""
        bundle = Bundle(xid=100)
        flow = next(layout_of({}).plan())
        bundle.add(flow, encode(flow))
        self.assertTrue(bundle.failed(101, "full"))
        self.assertFalse(bundle.failed(5000, "not ours"))

    def lamed(self) -> tuple[Table, Session]:
        """A switch that lost what is about sources, and refuses port 2."""
        table = Table()
        session = joined(table, {1: A, 2: B})
        for key in [key for key in table.entries if key[0] == 10]:
            del table.entries[key]
        table.refuses = lambda entry: entry.match.get("in_port") == 2
        session.audit(is_full=True)
        return table, session
