# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""A switch's connection from its first byte to its last, in memory."""

from quantum.channel.limits import READ_AHEAD, SLICE, Limits
from tests.channel.corpus import (
    FEATURES,
    HELLO,
    MALFORMED,
    PORT,
    READY,
    VALID,
    frame,
    part,
)
from tests.channel.terminal import DATAPATH_ID, ECHO_REQUEST, HostCase

HELLO_KIND, FEATURES_REQUEST, MULTIPART_REQUEST = 0, 5, 18


class HandshakeTests(HostCase):
    """A switch introduces itself."""

    def test_greeting(self) -> None:
        """A switch is greeted in OpenFlow 1.3 before it says anything."""
        self.assertEqual([b"\4\0\0\x08"], [data[:4] for data in self.connect().heard()])

    def test_byte_by_byte(self) -> None:
        """A handshake works however its bytes arrive."""
        switch = self.connect()
        for place in range(len(READY)):
            switch.say(READY[place : place + 1])
        self.assertEqual(
            [HELLO_KIND, FEATURES_REQUEST, MULTIPART_REQUEST],
            [data[1] for data in switch.heard()],
        )
        self.assertEqual(
            [
                "started",
                ("config", None),
                ("EventOFPSwitchFeatures", DATAPATH_ID),
                ("EventOFPPortDescStatsReply", DATAPATH_ID),
                ("main", DATAPATH_ID),
            ],
            self.seen,
        )
        self.assertEqual([DATAPATH_ID], list(self.host.switches))
        self.assertEqual([1], list(self.host.switches[DATAPATH_ID].ports))

    def test_newer_greeting(self) -> None:
        """A switch that prefers a later version but knows 1.3 is welcome."""
        switch = self.connect()
        switch.say(frame(0, VALID["hello of 1.5"][8:], version=6))
        switch.say(READY[16:])
        self.assertIn(("main", DATAPATH_ID), self.seen)

    def test_unknown_version_without_bitmap(self) -> None:
        """A version that nobody knows yet is answered with ours."""
        switch = self.connect()
        switch.say(frame(0, version=9))
        self.assertEqual(
            [HELLO_KIND, FEATURES_REQUEST], [data[1] for data in switch.heard()]
        )

    def test_old_switch(self) -> None:
        """A switch that does not know 1.3 is told so, and let go."""
        switch = self.connect()
        switch.say(frame(0, version=1))
        self.assertEqual([HELLO_KIND, 1], [data[1] for data in switch.heard()])
        self.assertTrue(switch.is_dropped)

    def test_deadline(self) -> None:
        """A peer that does not finish its handshake is dropped at the deadline."""
        silent, busy = self.connect(), self.connect()
        busy.say(HELLO)
        for _ in range(299):
            self.clock.advance(0.1)
            busy.say(frame(ECHO_REQUEST))
        self.assertEqual([False, False], [silent.is_dropped, busy.is_dropped])
        self.clock.advance(0.2)
        self.assertEqual([True, True], [silent.is_dropped, busy.is_dropped])

    def test_no_deadline_afterwards(self) -> None:
        """A switch that finished its handshake stays."""
        switch = self.switch()
        for _ in range(20):
            self.clock.advance(5)
            switch.answer_echoes()
        self.assertFalse(switch.is_dropped)

    def test_endless_ports(self) -> None:
        """A switch that describes ports without end is dropped."""
        switch = self.connect()
        switch.say(HELLO, frame(6, FEATURES))
        number = 0
        while not switch.is_dropped and number < 100_000:
            ports = b""
            for _ in range(1000):
                number += 1
                ports += number.to_bytes(4) + PORT[4:]
            switch.say(part(13, ports, 3, flags=1))
            self.clock.advance(1e-9)
        self.assertEqual(66_000, number)

    def test_malformed(self) -> None:
        """Every malformed frame ends its own connection, and no other."""
        innocent = self.switch(99)
        for name, data in MALFORMED.items():
            is_early = data[1] == 0 and name != "second hello"
            switch = self.connect() if is_early else self.switch()
            switch.say(data)
            self.assertTrue(switch.is_dropped, name)
        self.clock.advance(5)
        self.assertEqual(1, innocent.answer_echoes())
        self.assertFalse(innocent.is_dropped)

    def test_cut_and_changed(self) -> None:
        """Whatever is cut off or changed, the worst is that connection's end."""
        switch, dropped = self.switch(), 0
        for data in VALID.values():
            body = range(8, min(len(data), 200))
            cut = [frame(data[1], data[8:size], 5) for size in body]
            words = [
                (place, value) for place in body[:-1:2] for value in (0, 7, 0xFFFF)
            ]
            changed = [
                data[:place] + value.to_bytes(2) + data[place + 2 :]
                for place, value in words
            ]
            for bad in cut + changed:
                switch.say(bad)
                if switch.is_dropped:
                    dropped += 1
                    switch = self.switch()
        self.flushLoggedErrors()
        self.assertLess(1000, dropped)
        self.assertEqual(1, len(self.host.switches))


class EchoTests(HostCase):
    """A switch shows that it is there."""

    def test_answered(self) -> None:
        """An echo request is answered with its own bytes."""
        switch = self.switch()
        switch.say(frame(ECHO_REQUEST, b"quantum", 5))
        self.assertEqual([frame(3, b"quantum", 5)], switch.heard())

    def test_answers(self) -> None:
        """A switch that answers other questions is not asked for echoes as well."""
        switch = self.switch()
        for _ in range(10):
            self.clock.advance(4)
            switch.say(frame(21, xid=1))
        self.assertEqual([], switch.heard())
        for _ in range(3):
            self.clock.advance(5)
        self.assertEqual(2, switch.answer_echoes())

    def test_noise(self) -> None:
        """What a switch says unasked is no answer."""
        switch = self.switch()
        for _ in range(5):
            self.clock.advance(4)
            switch.say(frame(ECHO_REQUEST))
        self.assertTrue(switch.is_dropped)

    def test_silent(self) -> None:
        """A switch that leaves three echo requests unanswered is dead."""
        switch = self.switch()
        for _ in range(3):
            self.clock.advance(5)
        self.assertEqual((3, False), (len(switch.heard()), switch.is_dropped))
        self.clock.advance(5)
        self.assertTrue(switch.is_dropped)
        self.assertEqual(("dead", DATAPATH_ID), self.seen[-1])
        self.assertEqual({}, dict(self.host.switches))


class IdentityTests(HostCase):
    """Who may call itself what."""

    def test_nobody(self) -> None:
        """Datapath id 0 is refused."""
        switch = self.connect()
        switch.say(HELLO, frame(6, bytes(8) + FEATURES[8:]))
        self.assertTrue(switch.is_dropped)
        self.assertNotIn("EventOFPSwitchFeatures", str(self.seen))

    def test_changed(self) -> None:
        """A datapath id that changes on one connection is refused."""
        switch = self.switch(1)
        switch.say(frame(6, (1).to_bytes(8) + FEATURES[8:]))
        self.assertFalse(switch.is_dropped)
        switch.say(frame(6, (2).to_bytes(8) + FEATURES[8:]))
        self.assertTrue(switch.is_dropped)

    def test_auxiliary(self) -> None:
        """An auxiliary connection is refused."""
        switch = self.connect()
        switch.say(HELLO, frame(6, FEATURES[:13] + b"\1" + FEATURES[14:]))
        self.assertTrue(switch.is_dropped)

    def test_second_while_first_lives(self) -> None:
        """Another connection with the id is dropped when the first answers."""
        first, second = self.switch(), self.connect()
        del self.seen[:]
        second.say(READY)
        self.assertEqual([("config", None)], self.seen)
        self.assertEqual(1, first.answer_echoes())
        self.assertEqual((False, True), (first.is_dropped, second.is_dropped))
        self.assertIs(first.connection.datapath, self.host.switches[DATAPATH_ID])
        self.assertEqual([("config", None), ("dead", None)], self.seen)

    def test_second_when_first_is_dead(self) -> None:
        """It takes the id when the first does not, after the first is declared dead."""
        first, second = self.switch(), self.connect()
        del self.seen[:]
        second.say(READY)
        self.clock.advance(2)
        self.assertEqual((True, False), (first.is_dropped, second.is_dropped))
        self.assertEqual(
            [
                ("config", None),
                ("dead", DATAPATH_ID),
                ("EventOFPSwitchFeatures", DATAPATH_ID),
                ("EventOFPPortDescStatsReply", DATAPATH_ID),
                ("main", DATAPATH_ID),
            ],
            self.seen,
        )
        self.assertIs(second.connection.datapath, self.host.switches[DATAPATH_ID])

    def test_third(self) -> None:
        """A third one is dropped at once while two contend."""
        self.switch()
        second, third = self.connect(), self.connect()
        second.say(READY)
        third.say(READY)
        self.assertEqual((False, True), (second.is_dropped, third.is_dropped))

    def test_first_leaves(self) -> None:
        """The id is free as soon as the first connection ends."""
        first, second = self.switch(), self.connect()
        second.say(READY)
        first.hang_up()
        self.assertFalse(second.is_dropped)
        self.assertIn(DATAPATH_ID, self.host.switches)
        self.assertIs(second.connection.datapath, self.host.switches[DATAPATH_ID])

    def test_second_leaves(self) -> None:
        """A newcomer that goes away while the first is asked takes nothing."""
        first, second = self.switch(), self.connect()
        second.say(READY)
        second.hang_up()
        first.answer_echoes()
        self.assertIs(first.connection.datapath, self.host.switches[DATAPATH_ID])
        self.assertFalse(first.is_dropped)


class ReadingTests(HostCase):
    """Receiving much does not keep the reactor."""

    limits = Limits()

    def test_slices(self) -> None:
        """Frames that take long are handled in turns; little is read meanwhile."""
        switch = self.switch()
        del self.seen[:]
        self.clock.advance(1)
        self.clock.tick = SLICE * 0.4
        much = READ_AHEAD // 8
        switch.say(frame(21, xid=1) * much)
        self.assertEqual("producing", switch.transport.producerState)
        self.assertEqual(3, self.seen.count("barrier ends"))
        switch.say(frame(21, xid=1) * 8)
        self.assertEqual("paused", switch.transport.producerState)
        while switch.transport.producerState == "paused":
            self.clock.advance(0)
        self.assertEqual(much + 8, self.seen.count("barrier ends"))

    def test_many(self) -> None:
        """Switches that speak at once share a slice, and get their turns."""
        switches = [self.switch(number) for number in (1, 2, 3)]
        del self.seen[:]
        self.clock.advance(1)
        self.clock.tick = SLICE * 0.4
        for switch in switches:
            switch.say(frame(21, xid=1) * 8)
        self.assertEqual(3, self.seen.count("barrier ends"))
        while self.clock.getDelayedCalls()[0].getTime() <= self.clock.seconds():
            self.clock.advance(0)
        self.assertEqual(24, self.seen.count("barrier ends"))

    def test_dropped_between_slices(self) -> None:
        """Frames that were not handled yet are forgotten with their connection."""
        switch = self.switch()
        self.clock.advance(1)
        self.clock.tick = SLICE * 2
        switch.say(frame(21, xid=1) * 8)
        switch.hang_up()
        self.assertEqual(1, self.seen.count("barrier ends"))
        self.assertEqual(("dead", DATAPATH_ID), self.seen[-1])

    def test_contested(self) -> None:
        """While it is asked who has an id, no more is read of who came with it."""
        self.switch()
        second = self.connect()
        second.say(HELLO)
        self.clock.advance(1)
        self.clock.tick = SLICE * 0.6
        taken = DATAPATH_ID.to_bytes(8) + FEATURES[8:]
        second.say(frame(6, taken, 2), frame(21, xid=1))
        self.assertEqual("paused", second.transport.producerState)
