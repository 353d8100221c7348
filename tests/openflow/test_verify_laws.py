# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""The verifier against frames: what it says is what a flow table in Python does."""

from collections import Counter
from itertools import product

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from quantum.openflow import pipeline
from quantum.openflow.flow import Encoded, Flow, encode
from quantum.openflow.verify import Verdict, reach, verify
from quantum.openflow.verify.header import STRANGER, Frame

from .foreign import foreign, goto, holding, is_undefined, output, write
from .strategies import layout_of, local_ports, mac, ofports, port_maps, segments, text
from .table import Table

DESTINATIONS = [mac(1), mac(2), mac(3), mac(4), b"\xff" * 6, b"\1\0\x5e\0\0\1"]
SOURCES = [mac(1), mac(2), mac(3), STRANGER]
FRAMES = [Frame(*one) for one in product(range(1, 10), DESTINATIONS, SOURCES)]
"""One of every class of headers; nothing ever names port 9."""

FORMS = [shape for shape in pipeline.SHAPES if shape.table <= 40]

some_macs = st.integers(1, 3).map(mac)
outputs = st.lists(ofports, min_size=1, max_size=3).map(tuple)
ours = st.builds(
    lambda *numbers: encode(Flow(*numbers)),
    *(st.sampled_from(FORMS), segments, ofports, some_macs, outputs),
)
crowds = st.lists(local_ports(), min_size=3, max_size=8).map(
    lambda ports: {port.ofport: port for port in ports}
)


@st.composite
def theirs(draw: st.DrawFn) -> Encoded:
    """A flow of somebody else's, of any form."""
    table = draw(st.sampled_from([0, 10, 15, 20, 30, 40, 40]))
    metadata = st.tuples(segments, st.sampled_from([1, 2, 3, 0x1FFFFFFFF]))
    fields = {
        "in_port": ofports,
        "eth_dst": some_macs.map(text),
        "eth_src": some_macs.map(text),
        "metadata": metadata,
    }
    names = draw(st.lists(st.sampled_from(list(fields)), max_size=2, unique=True))
    match = {name: draw(fields[name]) for name in names}
    deeds = []
    if draw(st.integers(0, 3)):
        deeds.append(output(*draw(outputs)))
    if table < 20 and draw(st.booleans()):
        deeds.append(write(draw(segments)))
    if draw(st.booleans()):
        later = [number for number in (10, 15, 20, 30, 40, 41) if number > table]
        deeds.append(goto(draw(st.sampled_from(later))))
    priority = draw(st.sampled_from([0, 50, 75, 100, 150, 200]))
    return foreign(table, priority, *deeds, **match)


@st.composite
def altered(draw: st.DrawFn, plan: list[Flow]) -> Flow:
    """A flow of the plan with one of its numbers changed."""
    changes = {"segment": segments, "in_port": ofports, "outputs": outputs}
    name = draw(st.sampled_from(list(changes)))
    flow = draw(st.sampled_from(plan))
    return msgspec.structs.replace(flow, **{name: draw(changes[name])})


@st.composite
def mutants(draw: st.DrawFn) -> tuple[Table, dict[int, int], dict[int, bytes]]:
    """A switch whose plan somebody has meddled with."""
    ports = draw(crowds)
    plan = list(layout_of(ports).plan())
    dropped = draw(st.sets(st.integers(0, len(plan) - 1), max_size=2))
    kept = [flow for number, flow in enumerate(plan) if number not in dropped]
    kept += draw(st.lists(altered(plan), max_size=2))
    added = draw(st.lists(st.one_of(ours, theirs()), max_size=3))
    networks = {port.ofport: port.segment for port in ports.values()}
    addresses = {port.ofport: port.mac for port in ports.values() if port.mac}
    return holding([*map(encode, kept), *added]), networks, addresses


def forwarded(table: Table, frame: Frame) -> list[int]:
    """Say where the table in Python sends a frame."""
    return table.forward(frame.in_port, text(frame.eth_dst), text(frame.eth_src))


def is_unclear(table: Table, frame: Frame) -> bool:
    """Say whether it is undefined where a frame goes."""
    words = text(frame.eth_dst), text(frame.eth_src)
    return is_undefined(table, frame.in_port, *words)


class PlanTests(SynchronousTestCase):
    """What is compiled, for any ports, networks and addresses."""

    @given(ports=port_maps)
    @settings(deadline=None)
    def test_clean(self, ports) -> None:
        """A compiled plan is safe and connected."""
        networks = {port.ofport: port.segment for port in ports.values()}
        addresses = {port.ofport: port.mac for port in ports.values() if port.mac}
        flows = [encode(flow) for flow in layout_of(ports).plan()]
        self.assertEqual(Verdict(len(flows)), verify(flows, networks, addresses))


class MutantTests(SynchronousTestCase):
    """Plans in which somebody has meddled."""

    @given(mutant=mutants())
    @settings(deadline=None)
    def test_reach(self, mutant) -> None:
        """Every frame goes exactly where the verifier says, if that is defined."""
        table = mutant[0]
        found = {port: list(reach(table.flows(), port)) for port in range(1, 10)}
        for frame in FRAMES:
            if not is_unclear(table, frame):
                said = {
                    r.destination for r in found[frame.in_port] if frame in r.headers
                }
                self.assertEqual(set(forwarded(table, frame)), said, frame)

    @given(mutant=mutants())
    @settings(deadline=None, max_examples=200)
    def test_nothing_missed(self, mutant) -> None:
        """Whatever any frame shows to be wrong is reported."""
        table, networks, addresses = mutant
        verdict = verify(table.flows(), networks, addresses)
        leaks = {(leak.source_network, leak.destination) for leak in verdict.leaks}
        doubles = {found.destination for found in verdict.duplicates}
        spoofers = {spoof.frame.in_port for spoof in verdict.spoofs}
        unclear = [frame for frame in FRAMES if is_unclear(table, frame)]
        self.assertEqual(bool(unclear), bool(verdict.ambiguities))
        for frame in FRAMES:
            if frame in unclear:
                continue
            home = networks.get(frame.in_port)
            for port, times in Counter(forwarded(table, frame)).items():
                self.assertTrue(networks.get(port) == home or (home, port) in leaks)
                self.assertTrue(times == 1 or port in doubles)
                address = addresses.get(frame.in_port, frame.eth_src)
                honest = address == frame.eth_src
                self.assertTrue(honest or frame.in_port in spoofers)

    @given(mutant=mutants())
    @settings(deadline=None, max_examples=200)
    def test_nothing_invented(self, mutant) -> None:
        """Whatever is reported is shown by its own frame."""
        table, networks, addresses = mutant
        verdict = verify(table.flows(), networks, addresses)
        self.assertEqual((), verdict.doubts)
        for leak in verdict.leaks:
            port = leak.destination
            self.assertIn(port, forwarded(table, leak.frame))
            self.assertEqual(networks.get(leak.frame.in_port), leak.source_network)
            self.assertNotEqual(networks.get(port), leak.source_network)
        for double in verdict.duplicates:
            out = forwarded(table, double.frame)
            self.assertGreater(out.count(double.destination), 1)
        for spoof in verdict.spoofs:
            self.assertNotEqual(addresses[spoof.frame.in_port], spoof.frame.eth_src)
            self.assertIn(spoof.destination, forwarded(table, spoof.frame))
        for ambiguity in verdict.ambiguities:
            self.assertTrue(is_unclear(table, ambiguity.frame))

    @given(mutant=mutants())
    @settings(deadline=None)
    def test_unreachable(self, mutant) -> None:
        """Exactly the pairs of a network are reported that do not reach each other."""
        table, networks, addresses = mutant
        verdict = verify(table.flows(), networks, addresses)
        missed = set()
        for one, other in product(networks, networks):
            source = addresses.get(one, STRANGER)
            for dst in {b"\xff" * 6, addresses.get(other, b"\xff" * 6)}:
                frame = Frame(one, dst, source)
                is_pair = one != other and networks[one] == networks[other]
                is_lost = is_pair and other not in forwarded(table, frame)
                if is_lost and not is_unclear(table, frame):
                    missed.add((one, other))
        found = {(u.frame.in_port, u.destination) for u in verdict.unreachable}
        self.assertEqual(missed, found)
