# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""Many switches and what is between them: proven apart, or shown not to be."""

from collections.abc import Iterable
from random import Random

import msgspec
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st
from os_ken.ofproto import ofproto_v1_3_parser as parser
from twisted.trial.unittest import SynchronousTestCase

from quantum.openflow.flow import Encoded, Flow, encode
from quantum.openflow.member import (
    LocalPort,
    Member,
    RemotePort,
    Uplink,
    remote_key,
    uplink_key,
)
from quantum.openflow.pipeline import REMOTE
from quantum.openflow.verify import Gate, Site, Trunk, Tunnel, verify_fleet
from quantum.openflow.verify.gate import ofport_of
from quantum.openflow.verify.header import Frame

from .fates import fate, some_frames
from .foreign import apply, foreign, goto, holding, output, write
from .strategies import TUNNEL, VLAN_SEGMENT, layout_of, macs, peer, segments

UPLINK = 9
NAMES = ("hv1", "hv2", "hv3")
LINE = {UPLINK: "external"}

local_ports = st.dictionaries(
    st.integers(1, 4), st.tuples(segments, macs), min_size=1, max_size=4
)
placements = st.fixed_dictionaries(dict.fromkeys(NAMES, local_ports))

Ports = dict[int, tuple[int, bytes | None]]


def members_of(name: str, placed: dict[str, Ports]) -> dict[int, Member]:
    """Say what one switch is told: its own ports, those of others, its uplink."""
    own = placed[name]
    members: dict[int, Member] = {n: LocalPort(n, *port) for n, port in own.items()}
    carried = {segment for segment, _ in own.values()}
    if VLAN_SEGMENT in carried:
        members[uplink_key(VLAN_SEGMENT)] = Uplink(UPLINK, VLAN_SEGMENT, 100)
    for number, other in enumerate(NAMES, 1):
        for n, (segment, mac) in placed[other].items() if other != name else ():
            if segment in carried - {VLAN_SEGMENT}:
                members[remote_key(number, n)] = RemotePort(peer(number), segment, mac)
    return members


def site_of(name: str, placed: dict[str, Ports]) -> Site:
    """Make one switch as it is to be."""
    own = placed[name].items()
    networks: dict[Gate, int] = {n: segment for n, (segment, _) in own}
    if VLAN_SEGMENT in networks.values():
        networks[Trunk(UPLINK, 100)] = VLAN_SEGMENT
    return Site(
        list(map(encode, layout_of(members_of(name, placed), TUNNEL).plan())),
        networks,
        {n: mac for n, (_, mac) in own if mac},
        peer(NAMES.index(name) + 1),
        TUNNEL,
        LINE,
    )


def sites_of(placed: dict[str, Ports]) -> dict[str, Site]:
    """Make all switches."""
    return {name: site_of(name, placed) for name in NAMES}


PAIR = {
    "hv1": {1: (1, None), 2: (2, None)},
    "hv2": {1: (1, None), 2: (2, None)},
    "hv3": {1: (3, None)},
}


def meddled(name: str, *flows: Encoded, placed: dict[str, Ports]) -> dict[str, Site]:
    """Let one switch hold some flows more."""
    sites = sites_of(placed)
    more = evolve(sites[name], flows=[*sites[name].flows, *flows])
    return sites | {name: more}


def to(endpoint: bytes, number: int):
    """Send frames to a hypervisor."""
    return apply(
        parser.OFPActionSetField(tunnel_id=number),
        parser.OFPActionSetField(tun_ipv4_dst=".".join(map(str, endpoint))),
        parser.OFPActionOutput(TUNNEL, 0),
    )


class FleetTests(SynchronousTestCase):
    """Fleets made by hand, whole ones and broken ones."""

    def test_whole(self) -> None:
        """Switches as they are compiled are safe and connected."""
        verdict = verify_fleet(sites_of(PAIR))
        self.assertEqual([], verdict.words)
        self.assertTrue(verdict.is_safe and verdict.is_connected)

    def test_wrong_identifier(self) -> None:
        """A frame sent with another network's identifier is a leak, said with both."""
        bad = foreign(33, 200, to(peer(2), 2), metadata=(1, 0x1FFFFFFFF))
        verdict = verify_fleet(meddled("hv1", bad, placed=PAIR))
        (leak,) = verdict.verdicts["hv1"].leaks
        self.assertEqual(
            (1, Tunnel(TUNNEL, 2, peer(2)), 2),
            (leak.source_network, leak.destination, leak.destination_network),
        )
        self.assertFalse(verdict.is_safe)

    def test_wrong_hypervisor(self) -> None:
        """A network sent to a switch that has no port of it is a leak."""
        bad = encode(Flow(REMOTE, 1, 0, bytes(6), (TUNNEL,), (peer(3),)))
        (words,) = verify_fleet(meddled("hv1", bad, placed=PAIR)).words
        self.assertIn(
            "comes out at tunnel port 65000 to 192.0.2.3 with 1 (no network)", words
        )

    def test_wrong_entry(self) -> None:
        """Frames that enter another network than their identifier's are a leak."""
        deeds = write(1 << 32 | 2), goto(30)
        bad = foreign(0, 200, *deeds, in_port=TUNNEL, tunnel_id=1)
        leaks = verify_fleet(meddled("hv2", bad, placed=PAIR)).verdicts["hv2"].leaks
        self.assertEqual(
            {(1, 2, 2)},
            {(k.source_network, k.destination, k.destination_network) for k in leaks},
        )

    def test_loop(self) -> None:
        """A switch that lets what came in by an uplink out by a tunnel is a loop."""
        placed = PAIR | {"hv1": {1: (1, None), 3: (3, None)}}
        relay = foreign(30, 200, to(peer(2), 1), metadata=(1 << 32, 1 << 32))
        ((name, transit),) = verify_fleet(meddled("hv1", relay, placed=placed)).loops
        self.assertEqual(("hv1", UPLINK), (name, transit.frame.in_port))
        self.assertEqual(Tunnel(TUNNEL, 1, peer(2)), transit.destination)
        self.assertIn("goes out again by tunnel port", transit.words)

    def test_relay(self) -> None:
        """A VLAN that a switch without its network lets through is a leak there."""
        relay = foreign(0, 1, output(10), in_port=UPLINK)
        verdict = verify_fleet(meddled("hv1", relay, placed=PAIR))
        (leak,) = verdict.verdicts["hv1"].leaks
        self.assertEqual((VLAN_SEGMENT, 0x1064), (leak.source_network, leak.frame.vlan))

    def test_clashes(self) -> None:
        """Two ends of one address, and a VLAN of two networks, are told apart."""
        sites = sites_of(PAIR)
        twin = evolve(sites["hv3"], endpoint=peer(1))
        (clash,) = verify_fleet(sites | {"hv3": twin}).clashes
        self.assertEqual(("hv1", "hv3"), clash.sites)
        other = evolve(sites["hv1"], networks={Trunk(UPLINK, 100): 7})
        verdict = verify_fleet(sites | {"hv1": other})
        self.assertIn("VLAN 100 of external is network 7 at hv1, but", verdict.words[0])
        self.assertFalse(verdict.is_safe or verdict.is_connected)

    def test_unconnected(self) -> None:
        """A hypervisor that is left out is reported."""
        placed = PAIR | {"hv3": {1: (1, None)}}
        sites = sites_of(placed) | {"hv1": site_of("hv1", PAIR)}
        lost = verify_fleet(sites).verdicts["hv1"].unreachable
        self.assertEqual([Tunnel(TUNNEL, 1, peer(3))], [u.destination for u in lost])


class JourneyTests(SynchronousTestCase):
    """Frames that go from switch to switch."""

    @given(placed=placements)
    def test_clean(self, placed) -> None:
        """What is compiled for any fleet is safe and connected."""
        verdict = verify_fleet(sites_of(placed))
        self.assertEqual([], verdict.words)

    @given(placed=placements, data=st.data())
    @settings(max_examples=150)
    def test_mutants(self, placed, data) -> None:
        """A frame that gets into another network anywhere, or loops, is reported."""
        sites = sites_of(placed)
        name = data.draw(st.sampled_from(NAMES))
        plan = list(layout_of(members_of(name, placed), TUNNEL).plan())
        dropped = data.draw(st.integers(0, len(plan) - 1))
        changed = data.draw(st.sampled_from([flow for flow in plan if flow.segment]))
        changes = {
            "segment": data.draw(segments),
            "peers": (peer(data.draw(st.integers(1, 3))),),
            "outputs": (data.draw(st.sampled_from([1, 2, 3, UPLINK, TUNNEL])),),
        }
        field = data.draw(st.sampled_from([f for f in changes if getattr(changed, f)]))
        added = msgspec.structs.replace(changed, **{field: changes[field]})
        kept = [flow for n, flow in enumerate(plan) if n != dropped]
        sites[name] = evolve(sites[name], flows=[*map(encode, [*kept, added])])
        verdict = verify_fleet(sites)
        if verdict.is_safe:
            seed = data.draw(st.integers(0, 1 << 32))
            self.nothing_wrong(sites, some_frames(Random(seed), 25))  # noqa: S311

    def nothing_wrong(self, sites: dict[str, Site], frames: Iterable[Frame]) -> None:
        """Let frames go wherever they go; none comes to another network, or twice."""
        tables = {name: holding(site.flows) for name, site in sites.items()}
        for name, site in sites.items():
            for frame in frames:
                home = site.networks.get(frame.in_port)
                waiting = [(name, frame, 0)] if home is not None else []
                while waiting:
                    where, now, hops = waiting.pop()
                    self.assertLess(hops, 2)
                    for gate in self.out(sites[where], tables[where], now):
                        if isinstance(gate, int):
                            self.assertEqual(home, sites[where].networks.get(gate))
                        waiting += self.beyond(sites, where, gate, now, hops + 1)

    def out(self, site: Site, table, frame: Frame):
        """Say where a frame leaves a switch."""
        gates = {Tunnel(TUNNEL, 1): 1, Trunk(UPLINK, 100): VLAN_SEGMENT}
        return fate(table, frame, gates)[0]

    def beyond(self, sites, where: str, gate, frame: Frame, hops: int):
        """Say where a frame comes in next."""
        for name, site in sites.items():
            change = {"in_port": ofport_of(gate), "vlan": 0, "tun_id": 0}
            if isinstance(gate, Tunnel) and gate.address == site.endpoint:
                change["tun_id"] = gate.tun_id
            elif isinstance(gate, Trunk) and name != where and gate.vlan:
                change["vlan"] = 0x1000 | gate.vlan
            else:
                continue
            yield name, msgspec.structs.replace(frame, **change), hops
