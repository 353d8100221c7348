# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""From flows that a switch would not have back to the members that ask for them."""

from collections.abc import Hashable, Iterable, Iterator, Mapping

from quantum.openflow.flow import Flow
from quantum.openflow.member import LocalPort, Member, RemotePort, uplink_key
from quantum.openflow.pipeline import (
    ANNOUNCED,
    FROM_PEERS,
    FROM_PEERS_LEARNING,
    FROM_UPLINK,
    HINTED_PEER,
    HINTED_UPLINK,
    OUTWARD_PEERS_PARTS,
    OUTWARD_UPLINK,
    REMOTE,
    STEER_ARP,
    STEER_ND,
    UNICAST,
)

_OF_OWNERS = {UNICAST, REMOTE, STEER_ARP, STEER_ND}
_OF_PEERS = {HINTED_PEER, *OUTWARD_PEERS_PARTS}
_OF_ALL_PEERS = {FROM_PEERS, FROM_PEERS_LEARNING}
_OF_UPLINKS = {FROM_UPLINK, HINTED_UPLINK, OUTWARD_UPLINK}

Mark = Hashable
"""What a flow and the members that ask for it have in common."""


def blamed(
    members: Mapping[int, Member], flows: Iterable[Flow], *, are_all: bool
) -> list[int]:
    """
    List the keys of the members without which flows may be taken.

    At first not those that only flooding names: it changes with every port and
    hypervisor of a network, and most of them work.
    """
    asked = {mark for flow in flows for mark in _flow_marks(flow, are_all)}
    return [
        key
        for key, member in members.items()
        if any(mark in asked for mark in _member_marks(key, member))
    ]


def _flow_marks(flow: Flow, are_all: bool) -> Iterator[Mark]:
    shape, segment = flow.shape, flow.segment
    if shape in _OF_OWNERS:
        yield segment, flow.mac
    elif shape is ANNOUNCED:
        yield segment, flow.address
    elif shape in _OF_PEERS:
        if are_all or len(flow.peers) == 1:
            yield from ((segment, peer) for peer in flow.peers)
    elif shape in _OF_ALL_PEERS:
        yield segment, ""
    elif shape in _OF_UPLINKS:
        yield uplink_key(segment)
    else:
        yield flow.in_port
        if are_all or len(flow.outputs) == 1:
            yield from flow.outputs


def _member_marks(key: int, member: Member) -> Iterator[Mark]:
    segment = member.segment
    yield key
    if isinstance(member, RemotePort):
        yield segment, ""
        yield segment, member.address
    if isinstance(member, LocalPort | RemotePort):
        yield segment, member.mac
        yield from ((segment, address) for address in member.ips)
