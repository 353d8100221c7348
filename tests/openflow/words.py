# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""Flows of every shape, with any numbers, and how os-ken would say them."""

from collections.abc import Callable, Iterable, Iterator
from ipaddress import ip_address
from struct import calcsize, pack

from hypothesis import strategies as st
from os_ken.ofproto import ofproto_v1_3 as of
from os_ken.ofproto import ofproto_v1_3_parser as parser

from quantum.openflow.flow import FROM_OUTSIDE, METADATA_MASK, NETWORK_MASK, Flow
from quantum.openflow.pipeline import (
    CONSTANT,
    HINT_LIMIT,
    HINT_SECONDS,
    SHAPES,
    Deed,
    Match,
    Shape,
    Table,
)

GROUP_BIT = "01:00:00:00:00:00"
ports = st.integers(1, 0xFEFF)
macs = st.binary(min_size=6, max_size=6)
ipv4s = st.binary(min_size=4, max_size=4)


def flows_of(shape: Shape) -> st.SearchStrategy[Flow]:
    """Fill in any numbers that a shape can have."""
    many = 5 if Deed.OUTPUT in shape.deeds else 1
    is_ipv6 = Match.ND_SOLICITATION in shape.match
    return st.builds(
        Flow,
        shape=st.just(shape),
        segment=st.integers(1, (1 << 24) - 2),
        in_port=ports,
        mac=macs,
        outputs=st.sets(ports, min_size=1, max_size=many).map(ascending),
        peers=st.sets(ipv4s, min_size=1, max_size=5).map(ascending),
        address=st.binary(min_size=16, max_size=16) if is_ipv6 else ipv4s,
        vlan=st.integers(1, 4094),
    )


def ascending(numbers: set) -> tuple:
    """Put numbers in order."""
    return tuple(sorted(numbers))


flows = st.sampled_from(SHAPES).flatmap(flows_of)
complete = st.tuples(
    *(
        st.just(Flow(shape)) if shape in CONSTANT else flows_of(shape)
        for shape in SHAPES
    )
)
"""One flow of each shape."""


class LearnWithLimit(parser.NXActionLearn):
    """``learn`` with a limit, as Open vSwitch writes it; os-ken knows the rest."""

    _subtype = 45

    def serialize_body(self) -> bytes:
        """Put the limit between the fixed part and the specifications."""
        body, fixed = bytes(super().serialize_body()), calcsize(self._fmt_str)
        return body[:fixed] + pack("!IHxx", HINT_LIMIT, 0) + body[fixed:]


def match_of(flow: Flow) -> parser.OFPMatch:
    """
    Say a flow's match in os-ken's words.

    os-ken would sort the fields; Open vSwitch reports them in the order here.
    """
    given = [pair for match in flow.shape.match for pair in _words(flow)[match]]
    given.sort(key=lambda pair: _ORDER.index(pair[0]))
    return parser.OFPMatch(_ordered_fields=given)


_ORDER = (
    *("in_port", "eth_dst", "eth_src", "eth_type", "vlan_vid"),
    *("arp_op", "arp_spa", "arp_tpa", "ip_proto", "icmpv6_type", "ipv6_nd_target"),
    *("tunnel_id", "reg1", "reg2", "metadata"),
)


def _words(flow: Flow) -> dict[Match, tuple]:
    mac, address = flow.mac.hex(":"), str(ip_address(flow.address))
    request = (("eth_type", 0x0806), ("arp_op", 1))
    neighbour = (("eth_type", 0x86DD), ("ip_proto", 58), ("icmpv6_type", 135))
    return {
        Match.IN_PORT: (("in_port", flow.in_port),),
        Match.ETH_DST: (("eth_dst", mac),),
        Match.ETH_SRC: (("eth_src", mac),),
        Match.MULTICAST: (("eth_dst", (GROUP_BIT, GROUP_BIT)),),
        Match.ARP_ANNOUNCEMENT: (*request, ("arp_spa", address), ("arp_tpa", address)),
        Match.ARP_REQUEST: (*request, ("arp_tpa", address)),
        Match.ND_SOLICITATION: (*neighbour, ("ipv6_nd_target", address)),
        Match.VLAN: (("vlan_vid", of.OFPVID_PRESENT | flow.vlan),),
        Match.UNTAGGED: (("vlan_vid", of.OFPVID_NONE),),
        Match.TUNNEL_ID: (("tunnel_id", flow.segment),),
        Match.HINT_PORT: (("reg1", flow.in_port),),
        Match.HINT_PEER: (("reg2", int.from_bytes(flow.address)),),
        Match.SEGMENT: (("metadata", (flow.segment, NETWORK_MASK)),),
        Match.FROM_HERE: (("metadata", (flow.segment, METADATA_MASK)),),
    }


def instructions_of(flow: Flow) -> Iterator[parser.OFPInstruction]:
    """Say what a flow does in os-ken's words."""
    shape = flow.shape
    actions = [action for deed in shape.deeds for action in _ACTIONS[deed](flow)]
    if actions:
        yield parser.OFPInstructionActions(of.OFPIT_APPLY_ACTIONS, actions)
    if Deed.TO_SEGMENT in shape.deeds:
        yield parser.OFPInstructionWriteMetadata(flow.segment, METADATA_MASK)
    if Deed.TO_SEGMENT_FROM_OUTSIDE in shape.deeds:
        marked = FROM_OUTSIDE | flow.segment
        yield parser.OFPInstructionWriteMetadata(marked, METADATA_MASK)
    if shape.goto is not None:
        yield parser.OFPInstructionGotoTable(shape.goto)


def _to_peers(flow: Flow) -> Iterator[parser.OFPAction]:
    yield parser.OFPActionSetField(tunnel_id=flow.segment)
    for peer in flow.peers:
        yield parser.OFPActionSetField(tun_ipv4_dst=str(ip_address(peer)))
        yield parser.OFPActionOutput(flow.outputs[0], 0)


def _to_uplink(flow: Flow) -> Iterator[parser.OFPAction]:
    yield parser.OFPActionPushVlan(0x8100)
    yield parser.OFPActionSetField(vlan_vid=of.OFPVID_PRESENT | flow.vlan)
    yield parser.OFPActionOutput(flow.outputs[0], 0)
    if flow.shape.goto is not None:
        yield parser.OFPActionPopVlan()


def _learn(flow: Flow, source: tuple, place: tuple, bits: int) -> LearnWithLimit:
    eth_src, eth_dst = ("eth_src_nxm", 0), ("eth_dst_nxm", 0)
    return LearnWithLimit(
        Table.HINTS,
        [
            parser.NXFlowSpecMatch(flow.segment, ("metadata", 0), 32),
            parser.NXFlowSpecMatch(eth_src, eth_dst, 48),
            parser.NXFlowSpecLoad(source, place, bits),
        ],
        hard_timeout=HINT_SECONDS,
        priority=100,
        cookie=0x52 << 56 | flow.segment << 32 | flow.in_port,
    )


_ACTIONS: dict[Deed, Callable[[Flow], Iterable[parser.OFPAction]]] = {
    Deed.OUTPUT: lambda flow: [parser.OFPActionOutput(n, 0) for n in flow.outputs],
    Deed.TO_PEERS: _to_peers,
    Deed.TO_UPLINK: _to_uplink,
    Deed.POP_VLAN: lambda _: [parser.OFPActionPopVlan()],
    Deed.STEER: lambda flow: [parser.OFPActionSetField(eth_dst=flow.mac.hex(":"))],
    Deed.ASK_HINTS: lambda _: [parser.NXActionResubmitTable(0xFFF8, Table.HINTS)],
    Deed.LEARN_PORT: lambda flow: [_learn(flow, ("in_port_nxm", 0), ("reg1", 0), 16)],
    Deed.LEARN_PEER: lambda flow: [_learn(flow, ("tun_ipv4_src", 0), ("reg2", 0), 32)],
    Deed.TO_SEGMENT: lambda _: [],
    Deed.TO_SEGMENT_FROM_OUTSIDE: lambda _: [],
}
