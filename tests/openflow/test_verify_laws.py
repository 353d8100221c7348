# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""The verifier against frames: what it says is what a flow table in Python does."""

from collections import Counter
from random import Random

import msgspec
from attrs import frozen
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from quantum.openflow import pipeline
from quantum.openflow.flow import Encoded, Flow, encode
from quantum.openflow.member import Member, RemotePort, uplink_key
from quantum.openflow.verify import Gate, Trunk, Tunnel, Verdict, reach, verify
from quantum.openflow.verify.gate import Gates, ofport_of
from quantum.openflow.verify.header import BROADCAST, STRANGER, Frame

from .fates import (
    addresses_of,
    fate,
    networks_of,
    plain,
    some_frames,
    source_of,
)
from .foreign import foreign, goto, holding, output, write
from .strategies import (
    TUNNEL,
    UPLINKS,
    VLAN_SEGMENT,
    ipv4,
    layout_of,
    mac,
    member_maps,
    ofports,
    peer,
    segments,
    text,
    tunnels,
)
from .table import Table

FORMS = [shape for shape in pipeline.SHAPES if shape.table <= 40]

anywhere = st.one_of(ofports, st.sampled_from([*UPLINKS, TUNNEL]))
some_macs = st.integers(1, 3).map(mac)
outputs = st.lists(anywhere, min_size=1, max_size=3).map(tuple)
CHANGES = {
    "segment": segments,
    "in_port": anywhere,
    "mac": some_macs,
    "outputs": outputs,
    "peers": st.sampled_from([(peer(1),), (peer(1), peer(3)), (peer(9),)]),
    "address": st.integers(1, 3).map(ipv4),
    "vlan": st.sampled_from([100, 300]),
}


@st.composite
def ours(draw: st.DrawFn) -> Encoded:
    """A flow of one of our shapes, with any numbers."""
    shape = draw(st.sampled_from(FORMS))
    numbers = {name: draw(CHANGES[name]) for name in CHANGES}
    if shape is pipeline.STEER_ND:
        numbers["address"] = bytes(12) + numbers["address"]
    return encode(Flow(shape, **(numbers | {"outputs": numbers["outputs"][:1]})))


@st.composite
def theirs(draw: st.DrawFn) -> Encoded:
    """A flow of somebody else's, of any form."""
    table = draw(st.sampled_from([0, 10, 15, 20, 30, 32, 33, 40, 40]))
    metadata = st.tuples(segments, st.sampled_from([1, 2, 3, 0x1FFFFFFFF]))
    fields = {
        "in_port": anywhere,
        "eth_dst": some_macs.map(text),
        "eth_src": some_macs.map(text),
        "metadata": metadata,
        "tunnel_id": segments,
        "vlan_vid": st.sampled_from([0, (0x1000, 0x1000), 0x1064]),
        "reg1": ofports,
    }
    names = draw(st.lists(st.sampled_from(list(fields)), max_size=2, unique=True))
    match = {name: draw(fields[name]) for name in names}
    deeds = []
    if draw(st.integers(0, 3)):
        deeds.append(output(*draw(outputs)))
    if table < 20 and draw(st.booleans()):
        deeds.append(write(draw(segments)))
    if draw(st.booleans()):
        later = [number for number in (10, 15, 20, 32, 33, 40, 41) if number > table]
        deeds.append(goto(draw(st.sampled_from(later))))
    priority = draw(st.sampled_from([0, 50, 75, 100, 150, 200]))
    return foreign(table, priority, *deeds, **match)


@st.composite
def altered(draw: st.DrawFn, plan: list[Flow]) -> Flow:
    """A flow of the plan with one of its numbers changed."""
    flow = draw(st.sampled_from(plan))
    names = [name for name in CHANGES if getattr(flow, name)]
    if not names:
        return flow
    name = draw(st.sampled_from(names))
    change = draw(CHANGES[name])
    if name == "outputs" and flow.peers:
        change = change[:1]
    if name == "address" and len(flow.address) == 16:
        change = bytes(12) + change
    return msgspec.structs.replace(flow, **{name: change})


@frozen
class Switch:
    """A switch that carries some networks, with or without meddling."""

    table: Table
    networks: dict[Gate, int]
    addresses: dict[int, bytes]
    seed: int

    @classmethod
    def holding(
        cls, flows: list[Encoded], members: dict[int, Member], tunnel: int, seed: int
    ) -> "Switch":
        """Make one that holds some flows."""
        networks = networks_of(members.values(), tunnel)
        return cls(holding(flows), networks, addresses_of(members.values()), seed)

    @property
    def frames(self) -> list[Frame]:
        """Some frames."""
        return some_frames(Random(self.seed), 60)  # noqa: S311  frames to try

    def fate(self, frame: Frame) -> tuple[list[Gate], bool]:
        """Say where a frame goes, and whether that is undefined."""
        return fate(self.table, frame, self.networks)

    def verdict(self) -> Verdict:
        """Say what the verifier says."""
        return verify(self.table.flows(), self.networks, self.addresses)

    def network(self, gate: Gate) -> int | None:
        """Say which network a gate carries."""
        return Gates(self.networks).network(gate)


@st.composite
def compiled(draw: st.DrawFn) -> tuple[list[Flow], dict[int, Member], int]:
    """A plan: a network has an uplink, or other hypervisors."""
    members = draw(member_maps)
    if uplink_key(VLAN_SEGMENT) in members:
        members = {
            key: member
            for key, member in members.items()
            if not (isinstance(member, RemotePort) and member.segment == VLAN_SEGMENT)
        }
    tunnel = draw(tunnels)
    return list(layout_of(members, tunnel).plan()), members, tunnel


@st.composite
def mutants(draw: st.DrawFn) -> Switch:
    """A switch with whose plan somebody has meddled."""
    plan, members, tunnel = draw(compiled())
    dropped = draw(st.sets(st.integers(0, len(plan) - 1), max_size=2))
    kept = [flow for number, flow in enumerate(plan) if number not in dropped]
    kept += draw(st.lists(altered(plan), max_size=2))
    added = draw(st.lists(st.one_of(ours(), theirs()), max_size=3))
    flows = [*map(encode, kept), *added]
    return Switch.holding(flows, members, tunnel, draw(st.integers(0, 1 << 32)))


class PlanTests(SynchronousTestCase):
    """What is compiled, for any ports, networks and addresses."""

    @given(plan=compiled())
    def test_clean(self, plan) -> None:
        """A compiled plan is safe and connected."""
        flows, members, tunnel = plan
        networks = networks_of(members.values(), tunnel)
        verdict = verify(flows, networks, addresses_of(members.values()))
        self.assertEqual(Verdict(len(flows)), verdict, verdict.words)


class MutantTests(SynchronousTestCase):
    """Plans in which somebody has meddled."""

    @given(switch=mutants())
    def test_reach(self, switch) -> None:
        """Every frame goes exactly where the verifier says, if that is defined."""
        flows, found = switch.table.flows(), {}
        for frame in switch.frames:
            out, is_unclear = switch.fate(frame)
            if is_unclear:
                continue
            source = source_of(frame, switch.networks)
            if source not in found:
                found[source] = list(reach(flows, source, switch.networks))
            said = {r.destination for r in found[source] if frame in r.headers}
            self.assertEqual({*map(plain, out)}, {*map(plain, said)}, frame)

    @given(switch=mutants())
    @settings(max_examples=200)
    def test_nothing_missed(self, switch) -> None:
        """Whatever any frame shows to be wrong is reported."""
        verdict = switch.verdict()
        leaks = {
            (leak.source_network, plain(leak.destination)) for leak in verdict.leaks
        }
        transits = {plain(transit.destination) for transit in verdict.transits}
        doubles = {plain(found.destination) for found in verdict.duplicates}
        spoofers = {spoof.frame.in_port for spoof in verdict.spoofs}
        for frame in switch.frames:
            out, is_unclear = switch.fate(frame)
            if is_unclear:
                self.assertTrue(verdict.ambiguities, frame)
                continue
            source = source_of(frame, switch.networks)
            home = switch.network(source)
            for gate, times in Counter(map(plain, out)).items():
                is_home = switch.network(gate) == home
                self.assertTrue(is_home or (home, gate) in leaks, frame)
                is_inside = isinstance(source, int) or isinstance(gate, int)
                self.assertTrue(is_inside or gate in transits, frame)
                self.assertTrue(times == 1 or gate in doubles, frame)
                address = switch.addresses.get(frame.in_port, frame.eth_src)
                is_honest = address == frame.eth_src
                self.assertTrue(is_honest or frame.in_port in spoofers, frame)

    @given(switch=mutants())
    @settings(max_examples=200)
    def test_nothing_invented(self, switch) -> None:
        """Whatever is reported is shown by its own frame."""
        verdict = switch.verdict()
        self.assertEqual((), verdict.doubts)
        for leak in verdict.leaks:
            self.assertIn(plain(leak.destination), self.went(switch, leak.frame))
            home = switch.network(source_of(leak.frame, switch.networks))
            self.assertEqual(home, leak.source_network)
            self.assertNotEqual(switch.network(leak.destination), leak.source_network)
        for transit in verdict.transits:
            self.assertIn(plain(transit.destination), self.went(switch, transit.frame))
            self.assertNotIsInstance(source_of(transit.frame, switch.networks), int)
        for double in verdict.duplicates:
            out = self.went(switch, double.frame)
            self.assertGreater(out.count(plain(double.destination)), 1)
        for spoof in verdict.spoofs:
            self.assertNotEqual(
                switch.addresses[spoof.frame.in_port], spoof.frame.eth_src
            )
            self.assertIn(plain(spoof.destination), self.went(switch, spoof.frame))
        for ambiguity in verdict.ambiguities:
            self.assertTrue(switch.fate(ambiguity.frame)[1])

    def went(self, switch: Switch, frame: Frame) -> list[Gate]:
        """Say where a frame goes."""
        return [*map(plain, switch.fate(frame)[0])]

    @given(switch=mutants())
    def test_unreachable(self, switch) -> None:
        """Exactly the pairs of a network are reported that do not reach each other."""
        missed = set()
        for one in switch.networks:
            is_target = isinstance(one, Tunnel) and one.address is not None
            for other in () if is_target else self.partners(switch, one):
                for dst in {BROADCAST, switch.addresses.get(other, BROADCAST)}:
                    frame = self.frame(switch, one, dst)
                    out, is_unclear = switch.fate(frame)
                    if other not in out and not is_unclear:
                        missed.add((one, other))
        found = {
            (source_of(u.frame, switch.networks), u.destination)
            for u in switch.verdict().unreachable
        }
        self.assertEqual(missed, found)

    def partners(self, switch: Switch, one: Gate) -> list[Gate]:
        """List whom a gate is to reach."""
        network = switch.networks[one]
        return [
            other
            for other, home in switch.networks.items()
            if home == network
            and other != one
            and (isinstance(other, int) or isinstance(one, int))
            and not (isinstance(other, Tunnel) and other.address is None)
        ]

    def frame(self, switch: Switch, gate: Gate, dst: bytes) -> Frame:
        """Make a plain frame that comes in by a gate."""
        source = switch.addresses.get(ofport_of(gate), STRANGER)
        vlan = 0x1000 | gate.vlan if isinstance(gate, Trunk) else 0
        tun_id = gate.tun_id if isinstance(gate, Tunnel) else 0
        return Frame(ofport_of(gate), dst, source, vlan, tun_id)
