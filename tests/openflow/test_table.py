# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""The table in Python forwards and learns as Open vSwitch does."""

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from quantum.openflow.flow import encode
from quantum.openflow.member import LocalPort, Member

from .bridge import Bridge
from .foreign import holding
from .journey import Frame, arp, solicitation
from .strategies import TUNNEL, UPLINKS, layout_of, mac, member_maps, text

PORTS = (*range(1, 9), *UPLINKS, TUNNEL)
MACS = st.integers(1, 4).map(mac).map(text)
DESTINATIONS = st.one_of(
    MACS, st.sampled_from(["ff:ff:ff:ff:ff:ff", "01:00:5e:00:00:01"])
)
IPV4S = st.integers(1, 3).map("10.0.0.{}".format)
IPV6S = st.integers(1, 2).map("2001:db8::{:x}".format)
TAGS = st.sampled_from([None, None, 100, 101])
from_uplinks = st.builds(
    Frame, st.sampled_from(UPLINKS), DESTINATIONS, MACS, vlan=st.just(100)
)
from_peers = st.builds(
    Frame,
    *(st.just(TUNNEL), DESTINATIONS, MACS),
    tun_id=st.integers(1, 4),
    tun_src=st.integers(1, 4).map("192.0.2.{}".format),
)


def from_port(port: Member) -> st.SearchStrategy[Frame]:
    """Send something by a port, mostly from an address that it may use."""
    own = st.just(port.ofport)
    src = MACS if port.mac is None else st.one_of(MACS, st.just(text(port.mac)))
    return st.one_of(
        st.builds(Frame, own, DESTINATIONS, src, vlan=TAGS),
        st.builds(arp, own, src, IPV4S, IPV4S, vlan=TAGS),
        st.builds(solicitation, own, src, IPV6S),
    )


def with_frames(members: dict[int, Member]) -> st.SearchStrategy:
    """Let members of networks, and others, send frames."""
    ports = [from_port(m) for m in members.values() if isinstance(m, LocalPort)]
    anybody = st.one_of(from_port(LocalPort(8, 1)), from_uplinks, from_peers)
    sent = st.lists(st.one_of(*ports, *ports, anybody), min_size=1, max_size=12)
    return st.tuples(st.just(members), sent)


class TableTests(SynchronousTestCase):
    """Two switches side by side: Open vSwitch, and the one in Python."""

    @settings(max_examples=40)
    @given(world=member_maps.flatmap(with_frames))
    def test_same(self, world) -> None:
        """Frame by frame both send the same out, and learn as much."""
        (members, sent), bridge = world, self.bridge
        flows = [encode(flow) for flow in layout_of(members, TUNNEL).plan()]
        table = holding(flows)
        bridge.forget()
        self.assertEqual(set(flows), set(bridge.hold(flows)))
        for frame in sent:
            self.assertEqual(bridge.send(frame), table.send(frame), frame)
        self.assertEqual(len(bridge.hints()), len(table.hints()))

    def setUp(self) -> None:
        """Start Open vSwitch."""
        self.bridge = Bridge.start(PORTS)
        self.addCleanup(self.bridge.switch.stop)
