# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""What a switch says of its ports counts, even while its database is away."""

from msgspec.structs import replace
from twisted.trial.unittest import SynchronousTestCase

from quantum.model import OpStatus
from quantum.openflow.pipeline import CONSTANT
from tests.channel.terminal import Ticking

from .site import Datapath, Site, by_tunnel, tap
from .words import Described

EMPTY = len(CONSTANT)
DISPUTED = "the switch says that its OpenFlow port 4 is gone or another's"


class PortWordsTests(SynchronousTestCase):
    """A port is carried for an interface unless OpenFlow says that it is another's."""

    def setUp(self) -> None:
        """Plug an interface in."""
        self.site = Site()
        self.port = self.site.port("a")
        self.site.sync(1, tap("a", 4))
        self.line = self.site.connect(1)

    def says(self, name: str, ofport: int = 4) -> None:
        """Let the switch say that a port has a name."""
        self.line.ports[ofport] = Described(name.encode())
        self.site.fabric.port_told(self.line, ofport, name.encode())

    def misses(self, name: str) -> None:
        """Let the switch say that a port is gone, which had a name."""
        self.line.ports.pop(4, None)
        self.site.fabric.port_told(self.line, 4, name.encode())

    def assert_carried(self, others: int = 0) -> None:
        """It is UP, and there are flows."""
        self.assertEqual(OpStatus.UP, self.site.look(self.port).status.op_status)
        self.assertEqual(EMPTY + 4 + 4 * others, len(self.site.tables[1].flows()))

    def assert_disputed(self) -> None:
        """It is DOWN and says why, and there are no flows of it."""
        status = self.site.look(self.port).status
        self.assertIs(OpStatus.DOWN, status.op_status)
        self.assertIn(DISPUTED, status.reason)
        self.assertEqual(EMPTY, len(self.site.tables[1].flows()))

    def test_silent(self) -> None:
        """Of what OpenFlow has not told yet OVSDB is believed."""
        self.assert_carried()

    def test_own(self) -> None:
        """Nothing changes when OpenFlow says the same, or speaks of other ports."""
        self.says("tap-a")
        self.says("tap-b", 5)
        self.assert_carried()

    def test_others(self) -> None:
        """A port that is another's is not carried, until it is its own again."""
        self.says("tap-b")
        self.assert_disputed()
        self.says("tap-a")
        self.assert_carried()

    def test_gone(self) -> None:
        """Nor is one that is gone, even though the database tells of it again."""
        self.says("tap-a")
        self.misses("tap-a")
        self.assert_disputed()
        self.site.change(1, replace(tap("a", 4), mtu=1400))
        self.assert_disputed()
        self.says("tap-a")
        self.assert_carried()

    def test_another_gone(self) -> None:
        """That its predecessor is gone says nothing of a port's new owner."""
        self.misses("tap-before")
        self.assert_carried()

    def test_successor(self) -> None:
        """Who is told of after a port was gone is believed to have it."""
        self.misses("tap-a")
        port = self.site.port("b")
        self.site.change(1, tap("b", 4), gone=["tap-a"])
        self.assertIs(OpStatus.UP, self.site.look(port).status.op_status)

    def test_unplugged(self) -> None:
        """Who is unplugged and plugged in again begins anew."""
        self.misses("tap-a")
        self.site.change(1, gone=["tap-a"])
        self.site.change(1, tap("a", 4))
        self.assert_carried()

    def test_other_number(self) -> None:
        """With another OpenFlow port it is carried there."""
        self.says("tap-b")
        self.site.change(1, tap("a", 5))
        self.assert_carried()

    def test_told_later(self) -> None:
        """What OpenFlow has said before counts for what OVSDB tells later."""
        self.says("tap-a", 5)
        port = self.site.port("b")
        self.site.change(1, tap("b", 5))
        self.assertIs(OpStatus.DOWN, self.site.look(port).status.op_status)

    def test_long_name(self) -> None:
        """Of a long name OpenFlow tells the first fifteen bytes."""
        name = "gästezimmer-und-mehr"
        self.site.change(1, replace(tap("a", 4), name=name), gone=["tap-a"])
        self.line.ports[4] = Described(name.encode()[:15])
        self.site.fabric.port_told(self.line, 4, name.encode()[:15])
        self.assert_carried()

    def reconnect(self, ports) -> None:
        """Let the switch connect again, and describe its ports."""
        self.line.close()
        session, table = self.site.fabric.session(1), self.site.tables[1]
        self.line = Datapath(1, self.site.fabric, table, ports=ports)
        session.joined()
        self.site.fabric.talk(self.line, session)

    def test_handshake(self) -> None:
        """What it says in its handshake counts as much."""
        self.reconnect({4: Described(b"tap-b")})
        self.assert_disputed()
        self.reconnect({4: Described(b"tap-a")})
        self.assert_carried()

    def test_gone_in_handshake(self) -> None:
        """What is not in it is gone; what comes later is not."""
        self.reconnect({5: Described(b"tap-b")})
        self.assert_disputed()
        port = self.site.port("c")
        self.site.change(1, tap("c", 6))
        self.assertIs(OpStatus.UP, self.site.look(port).status.op_status)
        self.says("tap-a")
        self.assert_carried(others=1)

    def test_disconnected(self) -> None:
        """What it said on an earlier connection does not."""
        self.says("tap-b")
        self.line.close()
        self.line = self.site.connect(1)
        self.assert_carried()

    def test_elsewhere(self) -> None:
        """Others send it nothing while it is disputed, and what they did before."""
        self.site.port("b", self.port.network_id)
        for number, name in ((1, "a"), (2, "b")):
            self.site.underlay(number, by_tunnel(number))
            self.site.sync(number, tap(name, 4))
        self.site.connect(2)
        session = self.site.fabric.session(2)
        before = dict(session.members())
        self.says("tap-c")
        self.assertEqual({4}, dict(session.members()).keys())
        self.line.close()
        self.assertEqual(before, dict(session.members()))
        self.assertEqual(2, len(before))

    def test_former_connection(self) -> None:
        """Nor does what comes from anywhere but its connection."""
        former, self.line.ports[4] = self.line, Described(b"tap-b")
        former.close()
        self.line = self.site.connect(1)
        self.site.fabric.port_told(former, 4, b"tap-b")
        self.site.fabric.port_told(Datapath(7, self.site.fabric, None), 4, b"tap-b")
        self.assert_carried()
        self.assertNotIn(7, self.site.fabric.switches)


class StormTests(SynchronousTestCase):
    """A switch that tells of its ports faster than anybody can look at them."""

    def setUp(self) -> None:
        """Plug an interface in, and have the fabric busy with something else."""
        self.site = Site(clock=Ticking())
        self.port = self.site.port("a")
        self.site.sync(1, tap("a", 4))
        self.line = self.site.connect(1)
        self.slices = self.site.fabric._slices
        self.site.clock.tick = 0.0004
        self.slices.do(iter([None] * 100))

    def says(self, name: str) -> None:
        """Let the switch say that the port has a name."""
        self.line.ports[4] = Described(name.encode())
        self.site.fabric.port_told(self.line, 4, name.encode())

    def test_one_job(self) -> None:
        """However often it does, its ports are looked at once."""
        for _ in range(100):
            self.says("tap-b")
            self.says("tap-a")
        self.assertEqual(2, len(self.slices._jobs))
        self.site.clock.pump([0.001] * 200)
        self.assertEqual(0, len(self.slices._jobs))
        self.assertIs(OpStatus.UP, self.site.look(self.port).status.op_status)

    def test_at_once(self) -> None:
        """A port that is another's loses its flows whatever else is to be done."""
        self.says("tap-b")
        self.assertEqual(EMPTY, len(self.site.tables[1].flows()))
        self.site.clock.pump([0.001] * 200)
        status = self.site.look(self.port).status
        self.assertIn("gone or another's", status.reason)
