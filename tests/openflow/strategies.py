# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""Random members of networks, and layouts."""

from collections.abc import Mapping

from hypothesis import strategies as st

from quantum.openflow.layout import Layout
from quantum.openflow.member import (
    LocalPort,
    Member,
    RemotePort,
    Uplink,
    remote_key,
    uplink_key,
)

TUNNEL = 65000
"""The OpenFlow port of the tunnels."""
UPLINKS = (9, 10)
"""OpenFlow ports of uplinks, above those of `ofports`."""
VLAN_SEGMENT = 3
"""The network that may have an uplink."""


def mac(number: int) -> bytes:
    """Make a unicast, locally administered address."""
    return (0x020000000000 + number).to_bytes(6, "big")


def text(address: bytes) -> str:
    """Write an address as people do."""
    return address.hex(":")


def ipv4(number: int) -> bytes:
    """Make an address of a port."""
    return bytes([10, 0, 0, number])


def ipv6(number: int) -> bytes:
    """Make an address of a port."""
    return b"\x20\x01\x0d\xb8" + number.to_bytes(12, "big")


def peer(number: int) -> bytes:
    """Make the tunnel address of a hypervisor."""
    return bytes([192, 0, 2, number])


ofports = st.integers(1, 8)
segments = st.integers(1, 3)
macs = st.one_of(st.none(), st.integers(1, 3).map(mac))
ips = st.lists(
    st.one_of(st.integers(1, 3).map(ipv4), st.integers(1, 2).map(ipv6)), max_size=2
).map(tuple)
datapath_ids = st.integers(1, 3)
tunnels = st.sampled_from([0, TUNNEL])
remote_keys = st.builds(remote_key, datapath_ids, st.integers(1, 3))
member_keys = st.one_of(ofports, remote_keys, st.just(uplink_key(VLAN_SEGMENT)))


@st.composite
def local_ports(draw: st.DrawFn) -> LocalPort:
    """A port of a small switch with few networks and few, often equal, addresses."""
    return LocalPort(draw(ofports), draw(segments), draw(macs))


port_maps = st.lists(local_ports(), max_size=8).map(
    lambda ps: {p.ofport: p for p in ps}
)


@st.composite
def members(draw: st.DrawFn, key: int) -> Member:
    """A member that can have this key."""
    if key == uplink_key(VLAN_SEGMENT):
        return Uplink(draw(st.sampled_from(UPLINKS)), VLAN_SEGMENT, 100)
    if key < 1 << 32:
        return LocalPort(key, draw(segments), draw(macs), draw(ips))
    address = peer((key >> 32) - 1)
    return RemotePort(address, draw(segments), draw(macs), draw(ips))


def _of_keys(found: set[int]) -> st.SearchStrategy[dict[int, Member]]:
    return st.fixed_dictionaries({key: members(key) for key in sorted(found)})


member_maps = st.sets(member_keys, max_size=10).flatmap(_of_keys)
"""What a switch carries: local ports, those of other hypervisors, an uplink."""
member_changes = st.sets(member_keys, max_size=5).flatmap(
    lambda found: st.fixed_dictionaries(
        {key: st.one_of(st.none(), members(key)) for key in sorted(found)}
    )
)
"""What is to be changed in one go; None for what is to go."""


def layout_of(members: Mapping[int, Member], tunnel: int = 0) -> Layout:
    """Make a layout."""
    layout = Layout(tunnel=tunnel)
    for key, member in members.items():
        layout.put(key, member)
    return layout
