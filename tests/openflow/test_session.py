# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""A session brings its switch to what is wanted, and says nothing needless."""

from hypothesis import assume, given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from quantum.openflow.flow import encode
from quantum.openflow.member import LocalPort
from quantum.openflow.phase import Phase
from quantum.openflow.pipeline import CONSTANT
from quantum.openflow.session import Session

from .strategies import layout_of, mac, port_maps, text
from .table import Entry, Table

A = LocalPort(1, 1, mac(1))
B = LocalPort(2, 1, mac(2))
C = LocalPort(3, 2, mac(1))
D = LocalPort(4, 2, mac(2))


def planned(ports: dict[int, LocalPort]) -> set:
    """Compile from nothing what a switch should have."""
    return {encode(flow) for flow in layout_of(ports).plan()}


def know(session: Session, ports: dict[int, LocalPort]) -> None:
    """Tell a session everything that is wanted."""
    for ofport in range(1, 9):
        session.want(ofport, ports.get(ofport))
    for ofport in ports.keys() - range(1, 9):
        session.want(ofport, ports[ofport])
    session.know()


def joined(table: Table, ports: dict[int, LocalPort]) -> Session:
    """A session that knows its ports and has talked to its switch."""
    session = Session(report=lambda _: None)
    know(session, ports)
    session.joined()
    table.converse(session)
    return session


class JoiningTests(SynchronousTestCase):
    """Connecting is: read, compare, send the difference."""

    @given(before=port_maps, wanted=port_maps)
    def test_reaches_wanted(self, before, wanted) -> None:
        """However the switch starts, it ends with the wanted flows."""
        table = Table()
        joined(table, before)
        session = joined(table, wanted)
        self.assertEqual(planned(wanted), table.flows())
        self.assertIs(Phase.SETTLED, session.phase)

    @given(wanted=port_maps)
    def test_nothing_to_change(self, wanted) -> None:
        """A switch that has what is wanted is sent no flow-mod."""
        table = Table()
        joined(table, wanted)
        sent = table.messages
        session = joined(table, wanted)
        self.assertEqual((sent, 0), (table.messages, session.flows_sent))

    def test_waits_for_facts(self) -> None:
        """Before its ports are known a switch keeps the flows it has."""
        table = Table()
        joined(table, {1: A, 2: B})
        session = Session(report=lambda _: None)
        session.joined()
        table.converse(session)
        self.assertEqual(planned({1: A, 2: B}), table.flows())
        know(session, {1: A})
        table.converse(session)
        self.assertEqual(planned({1: A}), table.flows())

    def test_foreign_flows(self) -> None:
        """Flows without our tag in the cookie are left alone."""
        table = Table()
        joined(table, {1: A})
        key = next(iter(table.entries))
        foreign = Entry(7, {}, [], table.entries[key].body)
        table.entries[99, 1, b"\0\1\0\4\0\0\0\0"] = foreign
        joined(table, {})
        self.assertIn(foreign, table.entries.values())
        self.assertEqual(len(CONSTANT) + 1, len(table.entries))

    def test_tampered_flow(self) -> None:
        """A flow whose instructions somebody changed is put right."""
        table = Table()
        session = joined(table, {1: A, 2: B})
        for entry in table.entries.values():
            entry.body = entry.body[:-8]
        session.audit(is_full=True)
        table.converse(session)
        self.assertEqual(planned({1: A, 2: B}), table.flows())


class ChangingTests(SynchronousTestCase):
    """A change sends what it touches, and reports when it is done."""

    def test_deleted_by_hand(self) -> None:
        """A missing flow is noticed by counting, and comes back."""
        table = Table()
        session = joined(table, {1: A, 2: B})
        table.entries.popitem()
        session.audit(is_full=False)
        table.converse(session)
        self.assertEqual(planned({1: A, 2: B}), table.flows())
        self.assertEqual(1, session.repairs)

    def test_quiet_audit(self) -> None:
        """Counting finds nothing to do after any change."""
        table = Table()
        session = joined(table, {1: A})
        for ofport, port in ((2, B), (3, C), (1, None), (2, LocalPort(2, 2, mac(1)))):
            session.want(ofport, port)
            table.converse(session)
        sent = table.messages
        session.audit(is_full=False)
        table.converse(session)
        session.audit(is_full=True)
        table.converse(session)
        self.assertEqual((sent, 0), (table.messages, session.repairs))

    def test_acknowledged(self) -> None:
        """A port is done only when the switch has answered the barrier."""
        table = Table()
        reports: list = []
        session = Session(report=reports.append)
        know(session, {})
        session.joined()
        table.converse(session)
        session.want(1, A)
        self.assertEqual("", session.fate(1))
        bundle = session.say()
        self.assertEqual("", session.fate(1))
        session.barrier(int.from_bytes(bundle[-4:], "big"))
        session.say()
        self.assertIsNone(session.fate(1))
        self.assertIn(1, reports[-1])

    def test_only_the_difference(self) -> None:
        """One more port costs its own flows and one flooding, whatever there is."""
        table = Table()
        others = {n: LocalPort(n, n // 10 + 2, mac(n)) for n in range(100, 200)}
        session = joined(table, {1: A, **others})
        sent = table.messages
        session.want(2, B)
        table.converse(session)
        self.assertEqual(4, table.messages - sent)

    def test_audits_among_changes(self) -> None:
        """Changes interrupt audits, but the sixth in a row makes them wait."""
        table = Table()
        session = joined(table, {1: A})
        del table.entries[next(key for key in table.entries if key[0] == 20)]
        for turn in range(6):
            session.audit(is_full=True)
            request = session.say()
            session.want(2, None if turn % 2 else B)
            table.converse_with(request, session)
            table.converse(session)
            self.assertEqual(int(turn == 5), session.repairs)

    def test_lost_connection(self) -> None:
        """What a switch did not acknowledge is compared when it is back."""
        table = Table()
        session = joined(table, {1: A})
        session.want(2, B)
        session.say()
        session.left()
        self.assertEqual("", session.fate(1))
        session.want(1, None)
        session.joined()
        table.converse(session)
        self.assertEqual(planned({2: B}), table.flows())
        self.assertIsNone(session.fate(2))


class RefusalTests(SynchronousTestCase):
    """What a switch refuses harms the ports at fault only."""

    def refuses_port_three(self, entry: Entry) -> bool:
        return entry.match.get("in_port") == 3

    def test_among_changes(self) -> None:
        """One bad port of many is left out with the reason; the others are done."""
        table = Table(self.refuses_port_three)
        session = joined(table, {1: A})
        for port in (B, C, D):
            session.want(port.ofport, port)
        table.converse(session)
        self.assertEqual(planned({1: A, 2: B, 4: D}), table.flows())
        self.assertIn("full", session.fate(3))
        self.assertEqual([None] * 3, [session.fate(n) for n in (1, 2, 4)])

    def test_when_joining(self) -> None:
        """So it is when the switch connects."""
        table = Table(self.refuses_port_three)
        session = joined(table, {p.ofport: p for p in (A, B, C, D)})
        self.assertEqual(planned({1: A, 2: B, 4: D}), table.flows())
        self.assertIn("full", session.fate(3))

    def test_retried(self) -> None:
        """A second try succeeds once there is room."""
        table = Table(self.refuses_port_three)
        session = joined(table, {1: A, 3: C})
        table.refuses = lambda _: False
        session.retry()
        table.converse(session)
        self.assertEqual(planned({1: A, 3: C}), table.flows())
        self.assertIsNone(session.fate(3))

    def test_changed_port(self) -> None:
        """A port that cannot have its new network does not keep its old one."""
        table = Table()
        session = joined(table, {1: A, 2: B})
        table.refuses = lambda entry: (
            entry.match.get("in_port") == 2 and entry.cookie >> 32 & 0xFFFFFF == 2
        )
        moved = LocalPort(2, 2, mac(2))
        session.want(2, moved)
        table.converse(session)
        self.assertEqual(planned({1: A}), table.flows())
        self.assertIn("refused", session.fate(2))

    def test_everything(self) -> None:
        """A switch that refuses even the fixed flows says so for every port."""
        table = Table(lambda _: True)
        session = joined(table, {1: A})
        self.assertIs(Phase.REFUSING, session.phase)
        self.assertIn("refused", session.fate(1))
        table.refuses = lambda _: False
        session.retry()
        table.converse(session)
        self.assertIsNone(session.fate(1))


class IsolationTests(SynchronousTestCase):
    """Frames reach their own network and no other."""

    @given(ports=port_maps, dst=st.integers(1, 4).map(mac), src=st.integers(1, 4))
    def test_frames(self, ports, dst, src) -> None:
        """A frame comes out at ports of its network only, at each at most once."""
        assume(dst != mac(src))  # nobody is looked for who has just been heard
        table = Table()
        joined(table, ports)
        for in_port in range(1, 9):
            out = table.forward(in_port, text(dst), text(mac(src)))
            own = ports.get(in_port)
            allowed = own is not None and own.mac in (None, mac(src))
            peers = {
                p.ofport for p in ports.values() if own and p.segment == own.segment
            } - {in_port}
            owners = {o for o in ports if own and ports[o].mac == dst
                      and ports[o].segment == own.segment}  # fmt: skip
            expected = peers if len(owners) != 1 else owners - {in_port}
            self.assertEqual(sorted(expected) if allowed else [], sorted(out))

    @given(ports=port_maps, kept=st.sets(st.integers(0, 40)))
    def test_part_of_a_plan(self, ports, kept) -> None:
        """Any part of a plan forwards a part of what the whole does, and no more."""
        whole = Table()
        joined(whole, ports)
        entries = enumerate(whole.entries.items())
        part = Table(entries=dict(item for number, item in entries if number in kept))
        for in_port in range(1, 9):
            for dst in (1, 2, 3):
                frame = (in_port, text(mac(dst)), text(mac(1)))
                own = ports.get(in_port)
                peers = {
                    p.ofport for p in ports.values() if own and p.segment == own.segment
                }
                self.assertLessEqual(set(part.forward(*frame)), peers)
