# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""Sessions of switches whose networks span others, by tunnels and uplinks."""

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from quantum.openflow.flow import encode
from quantum.openflow.member import (
    LocalPort,
    RemotePort,
    Uplink,
    remote_key,
    uplink_key,
)
from quantum.openflow.phase import Phase
from quantum.openflow.session import Session

from .journey import BROADCAST, Frame, Sent
from .strategies import (
    TUNNEL,
    ipv4,
    layout_of,
    mac,
    member_changes,
    member_maps,
    peer,
    text,
    tunnels,
)
from .table import Table

OTHER = 65001
others = st.sampled_from([0, TUNNEL, OTHER])
HERE = LocalPort(1, 1, mac(1))
THERE = RemotePort(peer(1), 1, mac(2))
ELSEWHERE = RemotePort(peer(2), 1, mac(3))
MEMBERS = {1: HERE, remote_key(1, 4): THERE, remote_key(2, 4): ELSEWHERE}


def planned(members: dict, tunnel: int = TUNNEL) -> set:
    """Compile from nothing what a switch should have."""
    return {encode(flow) for flow in layout_of(members, tunnel).plan()}


def known(members: dict, tunnel: int = TUNNEL, **more) -> Session:
    """A session that was told everything."""
    session = Session(report=lambda _: None, **more)
    session.use_tunnel(tunnel)
    for key, member in members.items():
        session.want(key, member)
    session.know()
    return session


def joined(table: Table, members: dict, tunnel: int = TUNNEL) -> Session:
    """A session that was told everything and has talked to its switch."""
    session = known(members, tunnel)
    session.joined()
    table.converse(session)
    return session


def is_about(*addresses: bytes):
    """Refuse flows to these MAC addresses."""
    words = {text(address) for address in addresses}
    return lambda entry: entry.match.get("eth_dst") in words


class ReachingTests(SynchronousTestCase):
    """Whatever a switch carries, it is brought there."""

    @given(before=member_maps, first=tunnels, changes=member_changes, tunnel=others)
    def test_reaches_wanted(self, before, first, changes, tunnel) -> None:
        """Changes and another tunnel port lead to the plan of what is wanted."""
        table = Table()
        session = joined(table, before, first)
        for key, member in changes.items():
            session.want(key, member)
        session.use_tunnel(tunnel)
        table.converse(session)
        wanted = {k: m for k, m in {**before, **changes}.items() if m is not None}
        self.assertEqual(planned(wanted, tunnel), table.flows())
        self.assertIs(Phase.SETTLED, session.phase)
        self.assertEqual(wanted, session.members())

    @given(members=member_maps, tunnel=tunnels)
    def test_nothing_to_change(self, members, tunnel) -> None:
        """A switch that has what is wanted is sent no flow-mod."""
        table = Table()
        joined(table, members, tunnel)
        session = joined(table, members, tunnel)
        self.assertEqual((0, 0), (session.flows_sent, session.repairs))

    def test_moved_port(self) -> None:
        """A port that moves between two others is one flow-mod to this one."""
        table = Table()
        more = {remote_key(1, 5): RemotePort(peer(1), 1, mac(5))}
        session = joined(table, MEMBERS | more)
        sent = table.messages
        session.want(remote_key(1, 4), None)
        session.want(remote_key(2, 5), RemotePort(peer(2), 1, mac(2)))
        table.converse(session)
        self.assertEqual(1, table.messages - sent)
        frame = Frame(1, text(mac(2)), text(mac(1)))
        expected = Sent(TUNNEL, text(mac(2)), tun_id=1, tun_dst="192.0.2.2")
        self.assertEqual([expected], table.send(frame))

    def test_reported(self) -> None:
        """Who is told of fates hears of OpenFlow ports alone."""
        table, reports = Table(), []
        session = joined(table, MEMBERS)
        session.report = reports.append
        session.want(remote_key(3, 1), RemotePort(peer(3), 1, mac(9)))
        table.converse(session)
        self.assertEqual([], reports)
        session.want(2, LocalPort(2, 1))
        session.want(remote_key(3, 1), None)
        table.converse(session)
        self.assertEqual([[2]], reports)


class TunnelTests(SynchronousTestCase):
    """The tunnels get another OpenFlow port."""

    def test_moved(self) -> None:
        """Everything is compared and put right, and local ports stay as they are."""
        table = Table()
        session = joined(table, MEMBERS)
        session.use_tunnel(OTHER)
        self.assertIsNot(Phase.SETTLED, session.phase)
        self.assertIsNone(session.fate(1))
        table.converse(session)
        self.assertEqual(planned(MEMBERS, OTHER), table.flows())
        self.assertEqual((Phase.SETTLED, 0), (session.phase, session.repairs))
        sent = {s.port for s in table.send(Frame(1, BROADCAST, text(mac(1))))}
        self.assertEqual({OTHER}, sent)

    def test_back_and_forth(self) -> None:
        """A port that is what it was before anything was said settles too."""
        table = Table()
        session = joined(table, MEMBERS)
        session.use_tunnel(OTHER)
        session.use_tunnel(TUNNEL)
        table.converse(session)
        self.assertIs(Phase.SETTLED, session.phase)
        self.assertEqual(planned(MEMBERS), table.flows())

    def test_while_syncing(self) -> None:
        """News that comes while the switch is being read is not missed."""
        table = Table()
        session = known(MEMBERS)
        session.joined()
        request = session.say()
        session.use_tunnel(OTHER)
        table.converse_with(request, session)
        table.converse(session)
        self.assertEqual(planned(MEMBERS, OTHER), table.flows())
        self.assertIs(Phase.SETTLED, session.phase)

    def test_changes_wait(self) -> None:
        """Changes that come meanwhile are made with the new port."""
        table = Table()
        session = joined(table, MEMBERS)
        session.use_tunnel(OTHER)
        request = session.say()
        session.want(remote_key(1, 4), None)
        table.converse_with(request, session)
        table.converse(session)
        left = {key: m for key, m in MEMBERS.items() if m is not THERE}
        self.assertEqual(planned(left, OTHER), table.flows())

    def test_refused(self) -> None:
        """What goes to the old port is gone even if nothing new is taken."""
        table = Table()
        session = joined(table, MEMBERS)
        table.refuses = lambda _: True
        session.use_tunnel(OTHER)
        table.converse(session)
        self.assertEqual(planned({1: HERE}), table.flows())

    def test_gone(self) -> None:
        """Without a tunnel port nothing is sent to anybody."""
        table = Table()
        session = joined(table, MEMBERS)
        session.use_tunnel(0)
        table.converse(session)
        self.assertEqual([], table.send(Frame(1, BROADCAST, text(mac(1)))))
        self.assertEqual(planned(MEMBERS, 0), table.flows())


class RefusalTests(SynchronousTestCase):
    """What a switch refuses about others does no harm to its own ports."""

    def test_among_changes(self) -> None:
        """A remote port that is refused is left out, with the reason."""
        table = Table(is_about(mac(3)))
        session = joined(table, {1: HERE, remote_key(1, 4): THERE})
        session.want(remote_key(2, 4), ELSEWHERE)
        table.converse(session)
        self.assertEqual(planned({1: HERE, remote_key(1, 4): THERE}), table.flows())
        self.assertIsNone(session.fate(1))
        self.assertIn("192.0.2.2", session.trouble)
        self.assertIn("full", session.trouble)
        self.assertIn("full", session.last_error)

    def test_when_joining(self) -> None:
        """So it is when the switch connects, and it is tried again."""
        table = Table(is_about(mac(3)))
        session = joined(table, MEMBERS)
        self.assertEqual(planned({1: HERE, remote_key(1, 4): THERE}), table.flows())
        self.assertEqual((None, True), (session.fate(1), session.is_refused))
        table.refuses = lambda _: False
        session.retry()
        table.converse(session)
        self.assertEqual(planned(MEMBERS), table.flows())
        self.assertEqual("", session.trouble)

    def test_everything_remote(self) -> None:
        """A switch that takes nothing about others carries its own networks."""
        table = Table(lambda entry: TUNNEL.to_bytes(4, "big") in entry.body)
        uplink = {uplink_key(3): Uplink(9, 3, 100), 2: LocalPort(2, 3)}
        session = joined(table, {**MEMBERS, **uplink})
        self.assertEqual(planned({1: HERE, **uplink}), table.flows())
        self.assertEqual([None, None], [session.fate(1), session.fate(2)])
        self.assertIn("more refusals", session.trouble)

    def test_uplink(self) -> None:
        """A refused uplink is named."""
        table = Table(lambda entry: "vlan_vid" in entry.match)
        members = {1: LocalPort(1, 3), uplink_key(3): Uplink(9, 3, 100)}
        session = joined(table, members)
        self.assertEqual(planned({1: LocalPort(1, 3)}), table.flows())
        self.assertIn("uplink 9", session.trouble)

    def test_steering(self) -> None:
        """A port whose address cannot be steered to is left out."""
        table = Table(lambda entry: "arp_tpa" in entry.match)
        steered = RemotePort(peer(1), 1, mac(2), (ipv4(2),))
        session = joined(table, {**MEMBERS, remote_key(1, 4): steered})
        left = {1: HERE, remote_key(2, 4): ELSEWHERE}
        self.assertEqual(planned(left), table.flows())
        self.assertIn("192.0.2.1", session.trouble)

    def test_removal(self) -> None:
        """A flow that only appears because another port goes harms its owner alone."""
        table = Table(is_about(mac(1)))
        twins = {1: HERE, 2: LocalPort(2, 1, mac(1)), 3: LocalPort(3, 1, mac(3))}
        session = joined(table, twins)
        session.want(2, None)
        table.converse(session)
        self.assertEqual(planned({3: twins[3]}), table.flows())
        self.assertIn("full", session.fate(1))
        self.assertIsNone(session.fate(3))


class AdmissionTests(SynchronousTestCase):
    """A gated session waits for its turn after each joining."""

    def test_waits(self) -> None:
        """Nothing is said before it is admitted, however much is known."""
        table = Table()
        session = known(MEMBERS, is_gated=True)
        session.joined()
        table.converse(session)
        self.assertEqual((Phase.SYNCING, {}), (session.phase, table.entries))
        self.assertEqual((False, False), (session.is_admitted, session.is_owed))
        session.admit()
        table.converse(session)
        self.assertEqual(planned(MEMBERS), table.flows())

    def test_each_time(self) -> None:
        """The admission ends with the connection."""
        table = Table()
        session = known(MEMBERS, is_gated=True)
        session.joined()
        session.admit()
        table.converse(session)
        session.left()
        session.joined()
        self.assertFalse(session.is_admitted)
        self.assertEqual(b"", session.say())

    def test_not_known_yet(self) -> None:
        """Nor does admission help before everything wanted is known."""
        session = Session(report=lambda _: None, is_gated=True)
        session.joined()
        session.admit()
        self.assertEqual(b"", session.say())


class FigureTests(SynchronousTestCase):
    """What a session can say about its switch."""

    def test_counted(self) -> None:
        """Flows wanted and installed, comparisons, and what they had to mend."""
        table = Table()
        session = joined(table, MEMBERS)
        count = len(planned(MEMBERS))
        self.assertEqual((count, 0, 1), self.figures(session))
        session.audit(is_full=False)
        table.converse(session)
        self.assertEqual((count, count, 1), self.figures(session))
        removed = next(key for key in table.entries if key[0] == 30)
        del table.entries[removed]
        session.audit(is_full=True)
        table.converse(session)
        self.assertEqual((count, count - 1, 2), self.figures(session))
        self.assertEqual(1, session.repairs)

    def test_found(self) -> None:
        """A switch that is read says what it had, also what was stale."""
        table = Table()
        joined(table, {1: HERE, 2: LocalPort(2, 1)})
        before = len(table.entries)
        session = joined(table, MEMBERS)
        self.assertEqual(before, session.installed)
        session.left()
        self.assertIsNone(session.installed)

    def figures(self, session: Session) -> tuple:
        return session.flow_count, session.installed, session.audits
