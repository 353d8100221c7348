# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""What the framer lets through, and that os-ken's parser survives all of it."""

import gc
import signal
import struct
from collections.abc import Iterator
from contextlib import contextmanager

from hypothesis import given, settings
from hypothesis import strategies as st
from os_ken.ofproto import ofproto_v1_3_parser as parser
from os_ken.ofproto.ofproto_protocol import ProtocolDesc
from twisted.trial.unittest import SynchronousTestCase

from quantum.channel import layouts
from quantum.channel.frames import Framer, ProtocolError, Stage
from quantum.openflow.flow import encode
from tests.channel.corpus import HELLO, MALFORMED, PORT, READY, VALID, flow, frame, part
from tests.openflow.table import stats_reply
from tests.openflow.test_flow import flows

DATAPATH = ProtocolDesc(4)
GREETINGS = {"hello", "hello of 1.5", "unknown hello element of length 0"}
LONGER_THAN_ANY_FRAME_TAKES = 1.0


def framer(data: bytes, name: str = "") -> Framer:
    """Make a framer that was fed these bytes, in the stage they belong to."""
    is_greeting = data[1:2] == b"\0" and name != "second hello"
    made = Framer(Stage.GREETING if is_greeting else Stage.READY)
    made.feed(data)
    return made


class Hung(BaseException):
    """A parser did not return."""


@contextmanager
def no_hanging() -> Iterator[None]:
    """Raise `Hung` within the block if it takes too long."""

    def ring(*_args: object) -> None:
        raise Hung

    before = signal.signal(signal.SIGALRM, ring)
    gc.disable()  # what is raised within a callback of the collector is lost
    signal.setitimer(signal.ITIMER_REAL, LONGER_THAN_ANY_FRAME_TAKES)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        gc.enable()


def survives(data: bytes) -> bool:
    """Give os-ken what the framer lets through; whether there was anything."""
    with no_hanging():
        try:
            taken = framer(data).take()
        except ProtocolError:
            return False
        if taken is None:
            return False
        header = (taken.version, taken.kind, len(taken.data), taken.xid)
        try:
            parser.msg_parser(DATAPATH, *header, taken.data)
        except Exception:  # noqa: BLE001  to raise is fine, to hang is not
            return True
        return True


def relengthened(data: bytes, length: int) -> bytes:
    """Set the length in a frame's header."""
    return data[:2] + struct.pack("!H", length) + data[4:]


class OurFlowsTests(SynchronousTestCase):
    """Flows of ours are seen to be so without a look at each of them."""

    @given(known=st.lists(flows.map(encode), min_size=1, max_size=5))
    def test_harmless(self, known) -> None:
        """What passes at once would have passed the strict look too."""
        data = stats_reply(9, known, is_last=True)
        ours = layouts.OUR_ENTRIES.match(data, 16)
        assert ours is not None
        layouts._ANY_FLOWS(data, 16, ours.end())
        self.assertEqual(data, framer(data).take().data)

    @given(
        known=flows.map(encode), place=st.integers(16, 150), byte=st.integers(0, 255)
    )
    def test_changed(self, known, place, byte) -> None:
        """So does one with any byte changed, if it still passes at once."""
        data = bytearray(stats_reply(9, [known], is_last=True))
        data[min(place, len(data) - 1)] = byte
        ours = layouts.OUR_ENTRIES.match(data, 16)
        assert ours is not None
        layouts._ANY_FLOWS(bytes(data), 16, ours.end())


class FramerTests(SynchronousTestCase):
    """Bytes in, whole frames out."""

    def test_valid(self) -> None:
        """Every valid message comes out as it went in, and os-ken can read it."""
        for name, data in VALID.items():
            taken = framer(data).take()
            assert taken is not None, name
            self.assertEqual((name, data), (name, taken.data))
            header = (taken.version, taken.kind, len(taken.data), taken.xid)
            self.assertTrue(parser.msg_parser(DATAPATH, *header, taken.data), name)

    def test_malformed(self) -> None:
        """Every frame known to be bad is refused, with a word about it."""
        for name, data in MALFORMED.items():
            with self.assertRaises(ProtocolError, msg=name) as caught:
                framer(data, name).take()
            self.assertTrue(str(caught.exception), name)

    def test_byte_by_byte(self) -> None:
        """A frame is handed out with its last byte, not earlier."""
        made = Framer()
        got = []
        for place in range(len(READY)):
            made.feed(READY[place : place + 1])
            while taken := made.take():
                got.append((place + 1, len(taken.data)))
        self.assertEqual([(16, 16), (48, 32), (len(READY), 80)], got)

    def test_many_at_once(self) -> None:
        """Frames fed together come out one by one, in order."""
        made = framer(b"".join(frame(21, xid=number) for number in range(5000)))
        self.assertEqual(
            list(range(5000)), [taken.xid for taken in iter(made.take, None)]
        )

    def test_longest(self) -> None:
        """A frame of almost 64 KiB passes."""
        self.assertEqual(65535, len(framer(frame(2, bytes(65527))).take().data))

    def test_header_alone(self) -> None:
        """A bad header is refused before its body arrives."""
        for data in (b"\4\x4d\0\x40", b"\4\x15\0\x09", b"\1\x15\0\x08"):
            with self.assertRaises(ProtocolError):
                framer(data + bytes(4)).take()

    def test_stages(self) -> None:
        """Before HELLO only HELLO may come, then no answer before the features."""
        for data in (VALID["barrier"], VALID["error"], VALID["features"]):
            with self.assertRaises(ProtocolError):
                made = Framer()
                made.feed(data)
                made.take()
        made = Framer()
        made.feed(HELLO + part(13, PORT))
        self.assertTrue(made.take())
        with self.assertRaises(ProtocolError):
            made.take()

    def test_nested_actions(self) -> None:
        """Actions within actions within actions are refused in time."""
        actions = b""
        for _ in range(1500):
            body = struct.pack("!IH14x", 0x2320, 35) + actions
            actions = struct.pack("!HH", 0xFFFF, 4 + len(body)) + body
        inner = struct.pack("!HH4x", 4, 8 + len(actions)) + actions
        with self.assertRaises(ProtocolError):
            framer(part(1, flow(inner))).take()


class OracleTests(SynchronousTestCase):
    """What gets through is harmless to os-ken's parser: it returns, or raises."""

    def test_oracle_hangs(self) -> None:
        """os-ken does hang on such frames, so that these tests mean something."""
        data = MALFORMED["flow of length 0"]
        with self.assertRaises(Hung), no_hanging():
            parser.msg_parser(DATAPATH, 4, 19, len(data), 9, data)

    def test_truncated(self) -> None:
        """Every valid message cut at every byte, with its length made to fit."""
        for data in VALID.values():
            for size in range(8, len(data)):
                survives(relengthened(data[:size], size))

    def test_truncated_only(self) -> None:
        """A message cut off waits for the rest."""
        for data in VALID.values():
            for size in range(len(data)):
                self.assertIsNone(framer(data[:size]).take() if size > 1 else None)

    def test_words(self) -> None:
        """Every 16-bit word of every valid message set to awkward values."""
        for data in VALID.values():
            for place in range(0, min(len(data), 400) - 1, 2):
                for value in (0, 1, 7, 0xFFFF):
                    word = struct.pack("!H", value)
                    survives(data[:place] + word + data[place + 2 :])

    @settings(max_examples=300, deadline=None)
    @given(
        st.sampled_from(sorted(VALID)),
        st.lists(st.tuples(st.integers(4, 2000), st.integers(0, 255)), max_size=8),
    )
    def test_noise(self, name: str, noise: list[tuple[int, int]]) -> None:
        """Valid messages with random bytes changed."""
        data = bytearray(VALID[name])
        for place, value in noise:
            data[4 + place % (len(data) - 4)] = value
        survives(bytes(data))

    @settings(max_examples=200, deadline=None)
    @given(st.sampled_from(sorted(VALID)), st.binary(max_size=300))
    def test_foreign_body(self, name: str, body: bytes) -> None:
        """Random bodies under a valid header."""
        head = VALID[name][: 16 if VALID[name][1] == 19 else 8]
        survives(relengthened(head + body, len(head) + len(body)))
