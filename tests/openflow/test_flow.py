# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""Our bytes are os-ken's bytes, and Open vSwitch's."""

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from os_ken.ofproto import ofproto_v1_3 as of
from os_ken.ofproto import ofproto_v1_3_parser as parser
from twisted.trial.unittest import SynchronousTestCase

from quantum.openflow import messages
from quantum.openflow.flow import COOKIE_EXACT, OUR_ENTRIES, Encoded, Flow, encode
from quantum.openflow.pipeline import (
    FLOOD,
    FLOOD_LASTS,
    FLOOD_MEMBERS,
    FLOOD_PARTS,
    OUTWARD_PEERS,
    OUTWARD_PEERS_PARTS,
    SHAPES,
)

from .bridge import Bridge
from .table import DATAPATH, stats_reply
from .words import complete, flows, flows_of, instructions_of, match_of

RARE = {*OUTWARD_PEERS_PARTS[1:], *FLOOD_PARTS, *FLOOD_LASTS[1:]}
COMMON = [shape for shape in SHAPES if shape not in RARE]


def bundled(flow: Flow, command: int, cookie_mask: int) -> bytes:
    """Let os-ken write a flow-mod in a bundle."""
    encoded = encode(flow)
    mod = parser.OFPFlowMod(
        DATAPATH,
        cookie=encoded.cookie,
        cookie_mask=cookie_mask,
        table_id=flow.shape.table,
        command=command,
        priority=flow.shape.priority,
        buffer_id=of.OFP_NO_BUFFER,
        out_port=of.OFPP_ANY,
        out_group=of.OFPG_ANY,
        match=match_of(flow),
        instructions=list(instructions_of(flow)) if command == of.OFPFC_ADD else [],
    )
    mod.set_xid(5)
    add = parser.ONFBundleAddMsg(DATAPATH, 9, 3, mod, [])
    add.set_xid(5)
    add.serialize()
    return bytes(add.buf)


class BytesTests(SynchronousTestCase):
    """Every shape, with any numbers in it."""

    @given(flow=flows)
    def test_add(self, flow) -> None:
        """A flow is added in the bytes that os-ken would write."""
        self.assertEqual(
            bundled(flow, of.OFPFC_ADD, 0),
            messages.bundled(9, messages.add_flow(5, encode(flow))),
        )

    @given(flow=flows)
    def test_remove(self, flow) -> None:
        """A flow is removed strictly, by its exact cookie."""
        self.assertEqual(
            bundled(flow, of.OFPFC_DELETE_STRICT, COOKIE_EXACT),
            messages.bundled(9, messages.remove_flow(5, encode(flow))),
        )

    @given(one=flows, other=flows)
    def test_cookie(self, one, other) -> None:
        """Different flows have different cookies, with tag and network in front."""
        if one.key != other.key:
            self.assertNotEqual(encode(one).cookie, encode(other).cookie)
        self.assertEqual(0x51 << 24 | one.segment, encode(one).cookie >> 32)

    def test_requests(self) -> None:
        """Requests for flows ask for ours only, and parse as os-ken's do."""
        for kind, ours in (
            (parser.OFPFlowStatsRequest, messages.read_flows(7)),
            (parser.OFPAggregateStatsRequest, messages.count_flows(7)),
        ):
            theirs = kind(
                DATAPATH, 0, of.OFPTT_ALL, of.OFPP_ANY, of.OFPG_ANY,
                0x51 << 56, 0xFF << 56, parser.OFPMatch(),
            )  # fmt: skip
            theirs.set_xid(7)
            theirs.serialize()
            self.assertEqual(bytes(theirs.buf), ours)

    def test_bundle_control(self) -> None:
        """Opening and committing a bundle is what os-ken would write."""
        for kind, ours in (
            (of.ONF_BCT_OPEN_REQUEST, messages.open_bundle(7, 9)),
            (of.ONF_BCT_COMMIT_REQUEST, messages.commit_bundle(7, 9)),
        ):
            theirs = parser.ONFBundleCtrlMsg(DATAPATH, 9, kind, 3, [])
            theirs.set_xid(7)
            theirs.serialize()
            self.assertEqual(bytes(theirs.buf), ours)


class OurEntriesTests(SynchronousTestCase):
    """Flows of ours are seen to be so at once."""

    @given(known=st.lists(st.one_of([*map(flows_of, COMMON)]), max_size=9))
    def test_recognised(self, known) -> None:
        """Of shapes that are common, those with one output are recognised."""
        known = [
            replace(flow, outputs=flow.outputs[:1], peers=flow.peers[:1])
            for flow in known
        ]
        data = stats_reply(1, map(encode, known), is_last=True)
        found = OUR_ENTRIES.match(data, 16)
        self.assertEqual(len(data), found.end() if found else 0)


class RealSwitchTests(SynchronousTestCase):
    """Open vSwitch reports our bytes as we wrote them."""

    def setUp(self) -> None:
        """Start a switch."""
        self.bridge = Bridge.start(())
        self.addCleanup(self.bridge.switch.stop)

    @settings(max_examples=30)
    @given(wanted=complete)
    def test_round_trip(self, wanted) -> None:
        """What it takes by us it tells back, byte for byte, whatever the numbers."""
        self.told([*map(encode, {flow.key: flow for flow in wanted}.values())])

    def test_largest(self) -> None:
        """So are flows with as many outputs and hypervisors as there may be."""
        ports = tuple(range(1, FLOOD_MEMBERS + 1))
        peers = tuple(number.to_bytes(4) for number in range(1, OUTWARD_PEERS + 1))
        outward = OUTWARD_PEERS_PARTS[0]
        self.told(
            [
                encode(Flow(FLOOD, 5, outputs=ports)),
                encode(Flow(outward, 5, outputs=(65000,), peers=peers)),
            ]
        )

    def told(self, wanted: list[Encoded]) -> None:
        """Tell the switch to hold some flows and nothing else, in one bundle."""
        self.assertEqual(set(wanted), set(self.bridge.hold(wanted)))
