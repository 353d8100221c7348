# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""Our bytes are os-ken's bytes, and Open vSwitch's."""

from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st
from os_ken.ofproto import ofproto_v1_3 as of
from os_ken.ofproto import ofproto_v1_3_parser as parser
from twisted.trial.unittest import SynchronousTestCase

from quantum.openflow import messages
from quantum.openflow.flow import COOKIE_EXACT, METADATA_MASK, Encoded, Flow, encode
from quantum.openflow.pipeline import SHAPES, Shape
from tests.lab.openflow import converse
from tests.lab.ovs import OpenVSwitch

from .table import DATAPATH

flows = st.builds(
    Flow,
    shape=st.sampled_from(SHAPES),
    segment=st.integers(1, (1 << 24) - 2),
    in_port=st.integers(1, 0xFEFF),
    mac=st.binary(min_size=6, max_size=6),
    outputs=st.sets(st.integers(1, 0xFEFF), min_size=1, max_size=5).map(
        lambda ports: tuple(sorted(ports))
    ),
)


def match_of(flow: Flow) -> parser.OFPMatch:
    """
    Say a flow's match in os-ken's words.

    os-ken would sort the fields; Open vSwitch reports them in the order here.
    """
    shape, words = flow.shape, []
    if shape.in_port:
        words.append(("in_port", flow.in_port))
    if shape.eth_dst:
        words.append(("eth_dst", flow.mac.hex(":")))
    if shape.eth_src:
        words.append(("eth_src", flow.mac.hex(":")))
    if shape.metadata:
        words.append(("metadata", (flow.segment, METADATA_MASK)))
    return parser.OFPMatch(_ordered_fields=words)


def instructions_of(flow: Flow) -> Iterable[parser.OFPInstruction]:
    """Say what a flow does in os-ken's words."""
    shape: Shape = flow.shape
    if shape.outputs:
        actions = [parser.OFPActionOutput(port, 0) for port in flow.outputs]
        yield parser.OFPInstructionActions(of.OFPIT_APPLY_ACTIONS, actions)
    if shape.write_metadata:
        yield parser.OFPInstructionWriteMetadata(flow.segment, METADATA_MASK)
    if shape.goto is not None:
        yield parser.OFPInstructionGotoTable(shape.goto)


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


class RealSwitchTests(SynchronousTestCase):
    """Open vSwitch reports our bytes as we wrote them."""

    def test_round_trip(self) -> None:
        """What it takes by us it tells back, byte for byte (see `Installed`)."""
        switch = OpenVSwitch.start()
        self.addCleanup(switch.stop)
        switch.vsctl(
            *("add-br", "br-int", "--", "set", "bridge", "br-int"),
            *("datapath_type=dummy", "fail_mode=secure"),
        )
        wanted = [
            encode(Flow(shape, 3 + number, 7, b"\2\0\0\0\0\5", (1, 2, 9)))
            for number, shape in enumerate(SHAPES)
        ]
        frames = [
            messages.bundled(3, messages.add_flow(4 + n, flow))
            for n, flow in enumerate(wanted)
        ]
        replies = converse(
            str(switch.rundir / "br-int.mgmt"),
            messages.open_bundle(3, 3),
            *frames,
            messages.commit_bundle(98, 3),
            messages.read_flows(99),
        )
        found = [
            Encoded(*entry)
            for frame in replies
            if frame[1] == of.OFPT_MULTIPART_REPLY
            for entry in messages.entries(frame)
        ]
        self.assertEqual(set(wanted), set(found))
