# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""The verifier on tunnels, uplinks, hints and steering: what is wrong, in words."""

from struct import pack

import msgspec
from os_ken.ofproto import ofproto_v1_3_parser as parser
from twisted.trial.unittest import SynchronousTestCase

from quantum.openflow.flow import LEARNED_TAG, Encoded, Flow, encode
from quantum.openflow.member import (
    LocalPort,
    Member,
    RemotePort,
    Uplink,
    remote_key,
    uplink_key,
)
from quantum.openflow.pipeline import (
    FROM_UPLINK,
    HINTED_PORT,
    OUTWARD_PEERS_PARTS,
    OUTWARD_UPLINK,
    SOURCE_LEARNED,
)
from quantum.openflow.verify import Trunk, Tunnel, Verdict, reach, verify
from quantum.openflow.verify.header import BROADCAST, Frame

from .fates import addresses_of, networks_of
from .foreign import apply, foreign, goto, output, write
from .strategies import TUNNEL, ipv4, layout_of, mac, peer, text

MEMBERS: dict[int, Member] = {
    1: LocalPort(1, 5, mac(1), (ipv4(1),)),
    2: LocalPort(2, 5),
    3: LocalPort(3, 6, mac(3)),
    4: LocalPort(4, 7),
    5: LocalPort(5, 7, mac(5), (ipv4(5),)),
    remote_key(1, 1): RemotePort(peer(1), 5, mac(11), (ipv4(11),)),
    remote_key(1, 2): RemotePort(peer(1), 6),
    remote_key(2, 1): RemotePort(peer(2), 6, mac(12)),
    uplink_key(7): Uplink(9, 7, 100),
}
PLAN = [encode(flow) for flow in layout_of(MEMBERS, TUNNEL).plan()]
NETWORKS = networks_of(MEMBERS.values(), TUNNEL)
ADDRESSES = addresses_of(MEMBERS.values())
STRANGE = {"in_port": 9, "vlan_vid": 0x1065}
HERE = 0x1FFFFFFFF
LESSON = next(encode(flow) for flow in [Flow(SOURCE_LEARNED, 5, 2)])


def judge(*more: Encoded) -> Verdict:
    """Judge the plan with some flows more."""
    return verify([*PLAN, *more], NETWORKS, ADDRESSES)


def load(register: str, value: int) -> parser.OFPAction:
    """Give a hint."""
    return parser.NXActionRegLoad(31, register, value)


def learned(*actions: parser.OFPAction, **match) -> Encoded:
    """Write what a switch may have learned by itself."""
    flow = foreign(31, 100, apply(*actions), eth_dst=text(mac(9)), **match)
    return msgspec.structs.replace(flow, cookie=LEARNED_TAG << 56)


class OutsideTests(SynchronousTestCase):
    """What comes from other machines, and what goes there."""

    def test_plan(self) -> None:
        """What is compiled is safe and connected, with hints of any kind in it."""
        self.assertEqual(Verdict(len(PLAN)), judge())
        stale = learned(load("reg1", 3), metadata=(5, 0xFFFFFFFF))
        forged = learned(load("reg2", 1), metadata=(6, 0xFFFFFFFF))
        self.assertEqual(Verdict(len(PLAN) + 2), judge(stale, forged))

    def test_identifier(self) -> None:
        """A frame that leaves a network by another's identifier is a leak."""
        flow = encode(Flow(OUTWARD_PEERS_PARTS[0], 6, 0, b"", (TUNNEL,), (peer(1),)))
        body = flow.body.replace(pack("!QQ", 6, HERE), pack("!QQ", 5, HERE), 1)
        (leak,) = judge(msgspec.structs.replace(flow, priority=200, body=body)).leaks
        self.assertEqual(
            (5, Tunnel(TUNNEL, 6, peer(1)), 6),
            (leak.source_network, leak.destination, leak.destination_network),
        )
        self.assertIn(
            "comes out at tunnel port 65000 to 192.0.2.1 with 6 (network 6)", leak.words
        )

    def test_stranger(self) -> None:
        """An identifier that is of no network gets nowhere, or it is a leak."""
        deeds = write(1 << 32 | 5), goto(40)
        (leak, *_) = judge(foreign(0, 200, *deeds, in_port=TUNNEL, tunnel_id=9)).leaks
        self.assertEqual((None, TUNNEL, 9), _source(leak))
        (leak, *_) = judge(foreign(0, 50, *deeds, in_port=TUNNEL)).leaks
        self.assertNotIn(leak.frame.tun_id, (5, 6))

    def test_written(self) -> None:
        """What a flow has set is not where a frame came from."""
        number = parser.OFPActionSetField(tunnel_id=6)
        first = foreign(0, 200, apply(number), goto(5), in_port=TUNNEL, tunnel_id=5)
        then = foreign(5, 1, output(3), in_port=TUNNEL, tunnel_id=6)
        (leak,) = judge(first, then).leaks
        self.assertEqual((5, TUNNEL, 5), _source(leak))
        tag = foreign(0, 300, apply(parser.OFPActionPopVlan()), goto(6), **STRANGE)
        (leak,) = judge(tag, foreign(6, 1, output(3), in_port=9, vlan_vid=0)).leaks
        self.assertEqual(0x1065, leak.frame.vlan)

    def test_vlan(self) -> None:
        """A frame that leaves untagged, or with a wrong tag, is a leak."""
        wrong = encode(Flow(OUTWARD_UPLINK, 7, outputs=(9,), vlan=101))
        for flow, gate in (
            (msgspec.structs.replace(wrong, priority=200), Trunk(9, 101)),
            (foreign(33, 200, output(9), metadata=(7, HERE)), Trunk(9)),
        ):
            (leak,) = judge(flow).leaks
            self.assertEqual((7, gate, None), _target(leak))

    def test_strange_vlan(self) -> None:
        """A VLAN that is of no network gets nowhere, or it is a leak."""
        (leak, *_) = judge(encode(Flow(FROM_UPLINK, 7, 9, vlan=101))).leaks
        self.assertEqual((None, 0x1065), (leak.source_network, leak.frame.vlan))
        self.assertIn("tagged 101", leak.words)

    def test_transit(self) -> None:
        """What came from outside must not go outside, even in its own network."""
        up = encode(Flow(OUTWARD_UPLINK, 7, outputs=(9,), vlan=100))
        body = up.body.replace(pack("!QQ", 7, HERE), pack("!QQ", 5 | 1 << 32, HERE), 1)
        relay = msgspec.structs.replace(up, priority=200, body=body)
        verdict = judge(relay)
        (transit,) = verdict.transits
        self.assertEqual((TUNNEL, Trunk(9, 100)), _way(transit))
        self.assertFalse(verdict.is_safe)
        self.assertIn("goes out again by uplink 9 with VLAN 100", verdict.words[1])

    def test_no_way_back(self) -> None:
        """No frame leaves by the port that it came in by, so that is no transit."""
        back = foreign(33, 200, output(TUNNEL), metadata=(1 << 32, 1 << 32))
        self.assertEqual({9}, {t.frame.in_port for t in judge(back).transits})

    def test_unreached(self) -> None:
        """A hypervisor that broadcasts do not get to is reported."""
        kept = [flow for flow in PLAN if flow.table != 33 or flow.priority == 0]
        lost = verify(kept, NETWORKS, ADDRESSES).unreachable
        self.assertEqual(
            {
                (1, Tunnel(TUNNEL, 5, peer(1))),
                (2, Tunnel(TUNNEL, 5, peer(1))),
                (3, Tunnel(TUNNEL, 6, peer(1))),
                (3, Tunnel(TUNNEL, 6, peer(2))),
                (4, Trunk(9, 100)),
                (5, Trunk(9, 100)),
            },
            {_way(u) for u in lost},
        )

    def test_reach(self) -> None:
        """What comes in by a tunnel reaches local ports only."""
        found = list(reach(PLAN, Tunnel(TUNNEL, 5), NETWORKS))
        self.assertEqual({1, 2}, {r.destination for r in found})
        broadcast = Frame(TUNNEL, BROADCAST, mac(11), 0, 5)
        self.assertEqual(2, sum(broadcast in r.headers for r in found))
        found = list(reach(PLAN, 4, NETWORKS))
        self.assertEqual({5, Trunk(9, 100)}, {r.destination for r in found})


class HintTests(SynchronousTestCase):
    """What a switch learns is anything, and no more than a hint."""

    def test_believed(self) -> None:
        """A hint that is believed without a look at the network is a leak."""
        flow = foreign(32, 200, output(3), reg1=3)
        leaks = judge(flow).leaks
        self.assertEqual({(5, 3), (7, 3)}, {_target(leak)[:2] for leak in leaks})
        self.assertIn("(reg1=0x3)", leaks[0].words)
        self.assertEqual({flow}, {leak.flow for leak in leaks})

    def test_wrong_number(self) -> None:
        """So is one that leads to a port of another network."""
        bad = encode(Flow(HINTED_PORT, 5, 2, outputs=(3,)))
        flows = [f for f in PLAN if f.body[:32] != bad.body[:32]]
        (leak,) = verify([*flows, bad], NETWORKS, ADDRESSES).leaks
        self.assertEqual((5, 3, 6), _target(leak))

    def test_doubts(self) -> None:
        """Whatever else than hints is learned or looked into is a doubt."""
        resubmit, swap = parser.NXActionResubmitTable, LESSON.body.replace
        more = (
            (20, resubmit(0xFFF8, 40)),
            (20, resubmit(3, 31)),
            (20, load("reg1", 3)),
            (32, resubmit(0xFFF8, 31)),
        )
        for table, action in more:
            (doubt, *_) = judge(foreign(table, 200, apply(action), goto(40))).doubts
            self.assertIn("cannot be shown", doubt.words)
        for old, new in (
            (b"\x52\0\0\5", b"\x51\0\0\5"),  # the cookie of what is learned
            (b"\0\0\x1f\0", b"\0\0\x20\0"),  # the table
            (pack("!HBB", 1, 2, 4), pack("!HBB", 1, 6, 4)),  # the register
            (pack("!H", 0x0810), pack("!H", 0x1010)),  # it outputs
        ):
            body = swap(old, new, 1)
            self.assertNotEqual(LESSON.body, body)
            flow = msgspec.structs.replace(LESSON, priority=200, body=body)
            self.assertEqual(1, len(judge(flow).doubts))

    def test_no_hint(self) -> None:
        """A flow among the hints that is none makes all that look there a doubt."""
        for actions in (
            (parser.OFPActionOutput(3, 0),),
            (load("reg1", 3), load("reg2", 3)),
            (parser.OFPActionSetField(eth_dst=text(mac(3))),),
        ):
            doubts = judge(learned(*actions)).doubts
            self.assertIn("table 31 holds a flow that is no hint", doubts[0].words)


class TagTests(SynchronousTestCase):
    """Tags that are put on and taken off."""

    def test_doubts(self) -> None:
        """A tag that may not be there, or stays, is a doubt."""
        tag = parser.OFPActionSetField(vlan_vid=0x1064)
        push = parser.OFPActionPushVlan
        for actions in ([tag], [push(0x8100), tag], [push(0x88A8)]):
            deeds = apply(*actions), goto(40)
            (doubt,) = judge(foreign(33, 200, *deeds, metadata=(7, HERE))).doubts
            self.assertEqual(33, doubt.flow.table)

    def test_match(self) -> None:
        """Tagged frames are told from others, whatever their VLAN is."""
        tagged = foreign(0, 200, in_port=4, vlan_vid=(0x1000, 0x1000))
        flows = [*PLAN, tagged]
        for vlan, times in ((0, 1), (0x1000, 0), (0x1064, 0)):
            frame = Frame(4, BROADCAST, mac(9), vlan)
            found = [r for r in reach(flows, 4, NETWORKS) if frame in r.headers]
            self.assertEqual(times, sum(r.destination == 5 for r in found))


def _source(leak):
    return leak.source_network, leak.frame.in_port, leak.frame.tun_id


def _target(leak):
    return leak.source_network, leak.destination, leak.destination_network


def _way(found):
    return found.frame.in_port, found.destination
