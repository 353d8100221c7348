# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""Each message of being put right is lost once, and each flow refused once."""

from itertools import count

from twisted.trial.unittest import SynchronousTestCase

from quantum.openflow.flow import encode
from quantum.openflow.layout import Layout
from quantum.openflow.member import (
    LocalPort,
    RemotePort,
    Uplink,
    remote_key,
    uplink_key,
)
from quantum.openflow.phase import Phase
from quantum.openflow.session import WAITING, Session

from .strategies import mac
from .table import Table, frames

TUNNEL, UPLINK = 65000, 9
BEFORE = {
    1: LocalPort(1, 1, mac(1)),
    2: LocalPort(2, 2, mac(2)),
    5: LocalPort(5, 4),
    remote_key(1, 7): RemotePort(b"\xc0\0\2\1", 1, mac(7)),
}
WANTED = {
    1: LocalPort(1, 2, mac(1)),
    2: LocalPort(2, 2, mac(2)),
    3: LocalPort(3, 1, mac(1)),
    4: LocalPort(4, 3),
    remote_key(1, 7): RemotePort(b"\xc0\0\2\2", 1, mac(7), (b"\n\0\0\7",)),
    remote_key(2, 8): RemotePort(b"\xc0\0\2\3", 2, None),
    uplink_key(3): Uplink(UPLINK, 3, 100),
}


class Deaf:
    """In place of a session: nothing that the switch answers gets through."""

    def __getattr__(self, name):
        return lambda *_: None


def planned(members) -> set:
    """Compile from nothing what a switch should have."""
    layout = Layout(tunnel=TUNNEL)
    for key, member in members.items():
        layout.put(key, member)
    return {encode(flow) for flow in layout.plan()}


def introduced(members) -> Session:
    """Make a session that knows what is wanted, of a switch that is not there yet."""
    session = Session(report=lambda _: None)
    session.use_tunnel(TUNNEL)
    for key, member in members.items():
        session.want(key, member)
    session.know()
    return session


def settled(table: Table, members) -> Session:
    """Bring a switch to what is wanted."""
    session = introduced(members)
    session.joined()
    table.converse(session)
    return session


def converse_until(session: Session, table: Table, last: int, *, is_heard: bool):
    """
    Pass messages on until one is lost; say whether there were as many.

    :param is_heard: Whether the switch has heard the last, and its answer is lost.
    """
    numbers = count(1)
    while (words := session.say()) != WAITING:
        for frame in frames(words or b""):
            if next(numbers) < last:
                table.take(frame, session)
                continue
            if is_heard:
                table.take(frame, Deaf())
            return True
    return False


class CutTests(SynchronousTestCase):
    """The line breaks at a message, on its way there or its answer's way back."""

    def cut(self, last: int, *, is_heard: bool) -> bool:
        """Break it at this one, and connect again; False if there are fewer."""
        table = Table()
        settled(table, BEFORE)
        session = introduced(WANTED)
        session.joined()
        is_cut = converse_until(session, table, last, is_heard=is_heard)
        session.left()
        table._bundle.clear()  # what is not committed goes with its connection
        self.assertIn(table.flows(), (planned(BEFORE), planned(WANTED)))
        session.joined()
        table.converse(session)
        self.assertEqual(planned(WANTED), table.flows())
        self.assertIs(Phase.SETTLED, session.phase)
        return is_cut

    def test_every_message(self) -> None:
        """Wherever it breaks, the switch holds the old or the new, then the new."""
        for is_heard in (False, True):
            cuts = next(n for n in count(1) if not self.cut(n, is_heard=is_heard))
            self.assertGreater(cuts, 20)


class RefusalTests(SynchronousTestCase):
    """The switch refuses a flow of the bundle that puts it right, once."""

    def refuse(self, number: int) -> bool:
        """Let it refuse this one; False if there are fewer."""
        table = Table()
        settled(table, BEFORE)
        numbers = count(1)
        table.refuses = lambda _: next(numbers) == number
        session = settled(table, WANTED)
        self.assertLessEqual(table.flows(), planned(WANTED))
        for _ in range(3):
            session.retry()
            table.converse(session)
        self.assertEqual(planned(WANTED), table.flows())
        self.assertIs(Phase.SETTLED, session.phase)
        self.assertEqual([None] * 4, [session.fate(n) for n in (1, 2, 3, 4)])
        return next(numbers) > number

    def test_every_flow(self) -> None:
        """Whichever it is, never is there a flow too many, and all are there soon."""
        refusals = next(n for n in count(1) if not self.refuse(n))
        self.assertGreater(refusals, 15)
