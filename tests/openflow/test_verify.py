# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""The verifier on plans made by hand: good ones, and each kind of broken one."""

from struct import pack

from hypothesis import given
from hypothesis import strategies as st
from os_ken.ofproto import ofproto_v1_3 as of
from os_ken.ofproto import ofproto_v1_3_parser as parser
from twisted.trial.unittest import SynchronousTestCase

from quantum.openflow.flow import Encoded
from quantum.openflow.member import LocalPort
from quantum.openflow.verify import Verdict, reach, verification, verify
from quantum.openflow.verify.fields import WHOLE
from quantum.openflow.verify.header import BROADCAST, Frame, Headers, Pattern

from .foreign import apply, foreign, goto, output, write
from .strategies import layout_of, mac, text

NETWORKS = {1: 7, 2: 7, 3: 7, 4: 8, 5: 8}
ADDRESSES = {1: mac(1), 2: mac(2), 4: mac(1)}
MINE = {"metadata": (7, 0x1FFFFFFFF)}
THEIRS = {"metadata": (8, 0x1FFFFFFFF)}
BIT = ("01:00:00:00:00:00", "01:00:00:00:00:00")
NO_BIT = ("00:00:00:00:00:00", "01:00:00:00:00:00")

OTHERS = "in_port=3 but dl_dst=02:00:00:00:00:01; dl_dst=02:00:00:00:00:02"


def bit(number: int) -> dict[str, tuple[str, str]]:
    """Match frames to addresses with one bit set."""
    return {"eth_dst": (text((1 << number).to_bytes(6, "big")),) * 2}


def match(fields: str) -> bytes:
    """Write a match from its fields in hexadecimal, and no instructions."""
    text = bytes.fromhex(fields)
    return pack("!HH", 1, 4 + len(text)) + text + bytes(-(4 + len(text)) % 8)


def source(port: int) -> Encoded:
    """Write from which address a port may send."""
    address = {"eth_src": text(ADDRESSES[port])} if port in ADDRESSES else {}
    return foreign(10, 100, goto(20), in_port=port, **address)


UNICAST = [
    foreign(30, 100, output(1), eth_dst=text(mac(1)), **MINE),
    foreign(30, 100, output(2), eth_dst=text(mac(2)), **MINE),
    foreign(30, 100, output(4), eth_dst=text(mac(1)), **THEIRS),
]
FLOOD = [foreign(40, 100, output(1, 2, 3), **MINE)]
REST = [
    *(foreign(0, 9, write(NETWORKS[n]), goto(10), in_port=n) for n in NETWORKS),
    *(source(n) for n in NETWORKS),
    foreign(20, 0, goto(30)),
    foreign(30, 1, goto(40)),
    foreign(40, 100, output(4, 5), **THEIRS),
]
PLAN = [*UNICAST, *FLOOD, *REST]
"""Two networks, 7 and 8, and what is known of their ports."""
WEB = {"eth_type": 0x800, "ip_proto": 6, "tcp_dst": 80}
TWICE = bytes.fromhex("0001000828000000") * 2
"""Two instructions to go to table 40."""


def judge(*more: Encoded, plan: list[Encoded] = PLAN) -> Verdict:
    """Judge the plan with some flows more."""
    return verify([*plan, *more], NETWORKS, ADDRESSES)


class GoodTests(SynchronousTestCase):
    """What must not be reported."""

    def test_plan(self) -> None:
        """A plan as it is compiled is safe and connected."""
        verdict = judge()
        self.assertEqual(Verdict(len(PLAN)), verdict)
        self.assertTrue(verdict.is_safe and verdict.is_connected)
        self.assertEqual([], verdict.words)

    def test_values(self) -> None:
        """Flows may be given as values too."""
        ports = [LocalPort(n, NETWORKS[n], ADDRESSES.get(n)) for n in NETWORKS]
        flows = list(layout_of({port.ofport: port for port in ports}).plan())
        self.assertEqual(Verdict(len(flows)), verify(flows, NETWORKS, ADDRESSES))

    def test_empty(self) -> None:
        """A switch without flows is safe, but connects nobody."""
        verdict = judge(plan=[])
        self.assertTrue(verdict.is_safe)
        pairs = {(u.frame.in_port, u.destination) for u in verdict.unreachable}
        wanted = {(a, b) for a in NETWORKS for b in NETWORKS if a != b}
        self.assertEqual(
            {p for p in wanted if len({NETWORKS[n] for n in p}) == 1}, pairs
        )

    def test_unmet(self) -> None:
        """What no frame meets does no harm, whatever it is."""
        everything = output(1, 2, 3, 4, 5)
        self.assertTrue(
            judge(
                foreign(99, 5, apply(parser.OFPActionGroup(1))),
                foreign(30, 0, everything),
                foreign(20, 9, everything, metadata=9),
                foreign(40, 9, everything, eth_dst="02:00:00:00:00:01", **MINE),
                Encoded(77, 1, 0, b"nonsense"),
            ).is_safe
        )

    def test_covered(self) -> None:
        """A flow that flows above it cover between them is met by no frame."""
        halves = [foreign(35, 9, eth_dst=BIT), foreign(35, 8, eth_dst=NO_BIT)]
        detour = foreign(30, 200, goto(35), in_port=1, **MINE)
        leak = foreign(35, 1, output(4))
        self.assertEqual((), judge(*halves, detour, leak).leaks)
        self.assertEqual(1, len(judge(halves[0], detour, leak).leaks))

    def test_agreeing(self) -> None:
        """Two flows of one priority that do the same are one."""
        same = foreign(
            30,
            100,
            output(1),
            eth_dst=("02:00:00:00:00:01", "ff:ff:ff:ff:ff:ff"),
            **MINE,
        )
        self.assertEqual((), judge(same).ambiguities)
        frame = Frame(3, mac(1), mac(9))
        found = [r for r in reach([*PLAN, same], 3) if frame in r.headers]
        self.assertEqual(1, len(found))

    def test_strangers(self) -> None:
        """Ports of no network may talk to each other: that is somebody else's."""
        self.assertTrue(judge(foreign(0, 5, output(21), in_port=20)).is_safe)

    def test_pauses(self) -> None:
        """The work stops now and then, for others."""
        self.assertGreater(len(list(verification(PLAN, NETWORKS))), 5)


class BrokenTests(SynchronousTestCase):
    """Each thing that can be wrong, and the words for it."""

    def test_leak(self) -> None:
        """A flood that reaches a port of another network is a leak."""
        bad = foreign(40, 100, output(1, 2, 3, 5), **MINE)
        (leak,) = judge(bad, plan=[*UNICAST, *REST]).leaks
        self.assertEqual(
            (7, 5, 8, bad),
            (
                leak.source_network,
                leak.destination,
                leak.destination_network,
                leak.flow,
            ),
        )
        self.assertIn(
            "a broadcast from 02:00:00:00:00:01 from port 1 (network 7) comes out at"
            " port 5 (network 8) because of flow cookie=0x5100000000000000,table=40,",
            leak.words,
        )

    def test_intruder(self) -> None:
        """A port of no network that gets into one is a leak; so is the way out."""
        (leak,) = judge(foreign(0, 1, output(4))).leaks
        self.assertIs(None, leak.source_network)
        (leak,) = judge(foreign(0, 200, output(9), in_port=1)).leaks
        self.assertEqual(
            (1, 9, None),
            (leak.frame.in_port, leak.destination, leak.destination_network),
        )
        self.assertIn("(no network)", leak.words)

    def test_narrow(self) -> None:
        """One address of 2**96 pairs that gets across is found."""
        dst, src = "02:12:34:56:78:9a", "02:00:00:00:00:77"
        (leak,) = judge(
            foreign(30, 300, output(4), eth_dst=dst, eth_src=src, **MINE)
        ).leaks
        self.assertEqual(
            (3, dst, src),
            (
                leak.frame.in_port,
                leak.frame.eth_dst.hex(":"),
                leak.frame.eth_src.hex(":"),
            ),
        )

    def test_duplicate(self) -> None:
        """A port that is reached twice is found, by one flow or by two."""
        one = foreign(30, 200, output(1, 2, 2), eth_dst=BIT, **MINE)
        (found,) = judge(one).duplicates
        self.assertEqual((2, (one,)), (found.destination, found.flows))
        two = foreign(30, 200, output(3), goto(40), eth_dst=BIT, **MINE)
        (found,) = judge(two).duplicates
        self.assertEqual((3, two), (found.destination, found.flows[0]))
        self.assertIn("more than once", found.words)

    def test_own_port(self) -> None:
        """Twice to the port that the frame came in by is never."""
        one = foreign(30, 200, output(2, 2), in_port=2, eth_dst=BIT, **MINE)
        self.assertEqual((), judge(one).duplicates)

    def test_loop(self) -> None:
        """A goto that does not go forward is a loop."""
        back = foreign(40, 300, goto(40), **MINE)
        (loop,) = judge(back).loops
        self.assertEqual(back, loop.flow)
        self.assertIn("does not go forward", loop.words)

    def test_ambiguity(self) -> None:
        """Flows of one priority that disagree about a frame are reported."""
        other = foreign(30, 1, output(1), in_port=2)
        (found,) = judge(other).ambiguities
        self.assertEqual(2, found.frame.in_port)
        self.assertIn("is undefined", found.words)
        verdict = judge(plan=[foreign(30, 1, in_port=2), *PLAN])
        self.assertEqual(((), False), (verdict.unreachable, verdict.is_connected))

    def test_three(self) -> None:
        """Each pair of forms of flows is compared."""
        apart = foreign(30, 100, goto(40), in_port=3, eth_dst=BIT)
        other = foreign(30, 100, goto(40), in_port=2)
        (found,) = judge(apart, other).ambiguities
        self.assertIn(other, found.flows)

    def test_twins(self) -> None:
        """So are two flows of one match."""
        twin = foreign(30, 100, output(2), eth_dst=text(mac(1)), **MINE)
        (found,) = judge(twin).ambiguities
        self.assertEqual((UNICAST[0], twin), found.flows)
        self.assertEqual(mac(1), found.frame.eth_dst)

    def test_spoof(self) -> None:
        """A port with a known address that can send from another is reported."""
        (spoof,) = judge(foreign(10, 50, goto(20), in_port=1)).spoofs
        self.assertEqual((1, mac(1)), (spoof.frame.in_port, spoof.address))
        self.assertNotEqual(mac(1), spoof.frame.eth_src)
        self.assertIn("should send from 02:00:00:00:00:01 only, but", spoof.words)

    def test_second_address(self) -> None:
        """A port that may send from one address more than its own is reported."""
        second = foreign(10, 100, goto(20), in_port=1, eth_src=text(mac(5)))
        (spoof,) = judge(second).spoofs
        self.assertEqual((1, mac(5)), (spoof.frame.in_port, spoof.frame.eth_src))

    def test_several(self) -> None:
        """Each port that can is reported, and each flow that leaks."""
        anybody = [foreign(10, 50, goto(20), in_port=n) for n in (1, 2, 4)]
        found = judge(*anybody).spoofs
        self.assertEqual({1, 2, 4}, {spoof.frame.in_port for spoof in found})
        joined = foreign(30, 200, output(1, 4), eth_dst=BIT)
        found = judge(joined).leaks
        self.assertEqual(
            {(7, 4), (8, 1)},
            {(leak.source_network, leak.destination) for leak in found},
        )

    def test_unreachable(self) -> None:
        """A pair of one network that lacks a flow is reported, safe as it is."""
        nothing = foreign(30, 100, eth_dst=text(mac(2)), **MINE)
        verdict = judge(nothing, plan=[UNICAST[0], *FLOOD, *REST])
        self.assertTrue(verdict.is_safe)
        self.assertFalse(verdict.is_connected)
        self.assertEqual(
            {(1, 2, mac(2)), (3, 2, mac(2))},
            {
                (u.frame.in_port, u.destination, u.frame.eth_dst)
                for u in verdict.unreachable
            },
        )
        self.assertIn(
            "does not come out at port 2 of its own network 7", verdict.words[0]
        )

    def test_one_address_unreachable(self) -> None:
        """A flow that stops one port's frames to one address is found."""
        stop = foreign(10, 300, in_port=1, eth_dst=text(mac(2)))
        undefined = (
            foreign(10, 400, in_port=1, eth_dst=BIT),
            foreign(10, 400, goto(20), in_port=1, eth_dst=("03:00:00:00:00:00",) * 2),
        )
        for more in ((), undefined):
            (missing,) = judge(stop, *more).unreachable
            self.assertEqual(Frame(1, mac(2), mac(1)), missing.frame)
            self.assertEqual(2, missing.destination)

    def test_one_source_unreachable(self) -> None:
        """So is one that stops one source, wherever it stands."""
        for mask in ("ff:ff:ff:ff:ff:ff", "ff:ff:ff:00:00:02"):
            stop = foreign(40, 300, eth_src=(text(mac(2)), mask), **MINE)
            verdict = judge(stop)
            found = {(u.frame.in_port, u.destination) for u in verdict.unreachable}
            self.assertEqual({(2, 1), (2, 3)}, found)


class DoubtTests(SynchronousTestCase):
    """What is not understood is never called safe."""

    def test_each(self) -> None:
        """Any flow that a frame meets and that is not understood is a doubt."""
        port = parser.OFPActionOutput
        for flow, words in (
            (foreign(20, 9, eth_type=0x800, ipv4_src="10.0.0.1"), "field that is not"),
            (foreign(20, 9, in_port=1, vlan_vid=0x1005, vlan_pcp=1), "(code 7)"),
            (foreign(20, 9, apply(port(of.OFPP_NORMAL))), "reserved port 0xfffffffa"),
            (foreign(20, 9, apply(port(of.OFPP_CONTROLLER))), "reserved port"),
            (foreign(20, 9, apply(parser.OFPActionGroup(5))), "(type 22)"),
            (foreign(20, 9, parser.OFPInstructionMeter(1, 1)), "(type 6)"),
            (Encoded(20, 9, 0, match("80000108" + "00000001" * 2)), "(code 0)"),
            (Encoded(20, 9, 0, match("8000000400000001" * 2)), "(code 0)"),
            (Encoded(20, 9, 0, b""), "its match is malformed"),
            (Encoded(20, 9, 0, match("") + TWICE), "instructions are malformed"),
            (
                Encoded(20, 9, 0, b"\0\1\0\x0c\x80\0\0\x08\0\0\0\1" + bytes(4)),
                "malformed",
            ),
            (
                Encoded(20, 9, 0, b"\0\1\0\x04" + bytes(11)),
                "instructions are malformed",
            ),
        ):
            verdict = judge(flow)
            self.assertFalse(verdict.is_safe or verdict.is_connected, words)
            self.assertIn(words, verdict.doubts[0].words)
            self.assertIn("cannot be shown", verdict.doubts[0].words)
            self.assertEqual(1, verdict.doubts[0].frame.in_port)

    def test_others(self) -> None:
        """Leaks of other frames are found all the same."""
        doubt = foreign(20, 9, in_port=1, **WEB)
        verdict = judge(doubt, foreign(20, 9, output(1), in_port=5))
        self.assertEqual([5], [leak.frame.in_port for leak in verdict.leaks])
        self.assertEqual([1], [doubt.frame.in_port for doubt in verdict.doubts])

    def test_explosion(self) -> None:
        """Flows made to have endlessly many ways are a doubt, soon."""
        never = (
            foreign(39, 2, goto(40), eth_dst=BIT),
            foreign(40, 1, output(1), eth_dst=NO_BIT),
        )
        for deed in (lambda number: [write(1 << number, 1 << number)], lambda _: []):
            flows = list(never)
            for n in range(39):
                flows.append(foreign(n, 1, goto(n + 1)))
                flows.append(foreign(n, 2, *deed(n), goto(n + 1), **bit(n)))
            (doubt, *_) = verify(flows, NETWORKS).doubts
            self.assertIn("too long", doubt.words)

    def test_not_followed(self) -> None:
        """Of frames that meet such a flow nothing else is said."""
        deeds = apply(parser.OFPActionGroup(5), parser.OFPActionOutput(4)), goto(35)
        flows = foreign(20, 9, *deeds), foreign(35, 9, output(5), eth_dst=BIT)
        verdict = judge(*flows)
        self.assertEqual(((), ()), (verdict.leaks, verdict.duplicates))
        self.assertEqual([], list(reach([*PLAN, *flows], 3)))
        partial = foreign(20, 9, output(4), goto(35), vlan_pcp=1)
        self.assertEqual([], list(reach([*PLAN, partial, flows[1]], 3)))

    def test_truncated(self) -> None:
        """No cut of any flow's bytes makes the verifier fail."""
        for flow in PLAN:
            for end in range(len(flow.body)):
                judge(Encoded(flow.table, 999, 0, flow.body[:end]))


class GrownTests(SynchronousTestCase):
    """Pipelines that we do not compile yet."""

    def test_overlay_bit(self) -> None:
        """A bit in the metadata keeps frames apart by where they came from."""
        flows = [
            *(foreign(0, 1, write(7, 0xFFFFFFFF), goto(30), in_port=n) for n in (1, 2)),
            foreign(0, 1, write(1 << 32 | 7), goto(30), in_port=9),
            foreign(30, 1, goto(40), metadata=(7, 0xFFFFFFFF)),
            foreign(40, 1, output(1, 2, 9), **MINE),
            foreign(40, 1, output(1, 2), metadata=(1 << 32 | 7, 0x1FFFFFFFF)),
        ]
        verdict = verify(flows, {1: 7, 2: 7, 9: 7})
        self.assertTrue(verdict.is_safe and verdict.is_connected)
        self.assertEqual({1, 2}, {found.destination for found in reach(flows, 9)})
        cut = verify(flows[:-1], {1: 7, 2: 7, 9: 7})
        self.assertEqual({9}, {u.frame.in_port for u in cut.unreachable})

    def test_headers(self) -> None:
        """What a port reaches is said with the headers that do."""
        found = list(reach(PLAN, 3))
        self.assertEqual(
            {
                (1, "in_port=3,dl_dst=02:00:00:00:00:01"),
                (2, "in_port=3,dl_dst=02:00:00:00:00:02"),
                (1, OTHERS),
                (2, OTHERS),
            },
            {(r.destination, str(r.headers)) for r in found},
        )
        broadcast = Frame(3, BROADCAST, mac(9))
        reached = {r.destination for r in found if broadcast in r.headers}
        self.assertEqual({1, 2}, reached)


class HeadersTests(SynchronousTestCase):
    """Sets of headers."""

    @given(
        but=st.lists(
            st.tuples(st.integers(0, 31), st.integers(0, 31)), max_size=12, unique=True
        )
    )
    def test_example(self, but) -> None:
        """An example is in the set, and there is none only if the set is empty."""
        patterns = tuple(Pattern(value & mask, mask) for value, mask in but)
        found = Headers(Pattern(0, WHOLE & ~31), patterns).example()
        left = {
            number
            for number in range(32)
            if all((number ^ p.value) & p.mask for p in patterns)
        }
        self.assertEqual(bool(left), found is not None)
        self.assertTrue(found is None or found in left)
