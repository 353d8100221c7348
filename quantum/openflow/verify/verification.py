# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
The verifier: what a switch's flows do with every frame, without trying frames.

An overview (`Survey`) tells which ports' frames may come to which flow.  Whatever
could be wrong by that is looked at exactly, and reported with a frame that shows
it.  Nothing here waits or asks a switch; what it holds is for the caller to read.
"""

from collections.abc import Generator, Iterable, Iterator, Mapping
from itertools import count
from typing import Final, cast

from quantum.openflow.flow import Encoded, Flow, encode
from quantum.openflow.verify.connection import Connections
from quantum.openflow.verify.evidence import Evidence
from quantum.openflow.verify.gate import Gate, Gates
from quantum.openflow.verify.inquiry import Inquiry
from quantum.openflow.verify.rule import read
from quantum.openflow.verify.survey import Survey
from quantum.openflow.verify.tables import Tables
from quantum.openflow.verify.verdict import Unreachable, Verdict
from quantum.openflow.verify.walk import Reach
from quantum.openflow.verify.walk import reach as reach_of

NOBODY: Final[Mapping[int, bytes]] = {}
NOWHERE: Final[Mapping[Gate, int]] = {}


def verify(
    flows: Iterable[Flow | Encoded],
    networks: Mapping[Gate, int],
    addresses: Mapping[int, bytes] = NOBODY,
) -> Verdict:
    """
    Prove that frames reach their own network and no other, or show why not.

    ``networks`` says which network each gate carries: an OpenFlow port, a
    `Tunnel`, a `Trunk`; ``addresses`` which Ethernet address is the only one from
    which a port may send.
    """
    steps = verification(flows, networks, addresses)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return cast(Verdict, end.value)


def verification(
    flows: Iterable[Flow | Encoded],
    networks: Mapping[Gate, int],
    addresses: Mapping[int, bytes] = NOBODY,
) -> Generator[None, None, Verdict]:
    """Do what `verify` does, pausing after every few flows."""
    tables = Tables()
    for number, flow in enumerate(flows):
        tables.add(read(number, flow if isinstance(flow, Encoded) else encode(flow)))
        if not number % 50:
            yield
    tables.settle()
    gates = Gates(networks)
    survey = Survey(tables, gates, addresses)
    inquiry = Inquiry(tables, Evidence(tables, survey, gates, addresses), gates)
    survey.enter(_sources(tables, gates))
    for visit in survey.places():
        yield from inquiry.visit(survey.passages(visit))
    yield from inquiry.conclude(survey.visits)
    if survey.overflow is not None:
        inquiry.give_up(survey.overflow)
    survey.look_back()
    connections = Connections(tables, survey, gates, addresses)
    for missing in connections.missing():
        yield
        if missing is not None and inquiry.is_open(Unreachable):
            inquiry.note(missing)
        elif missing is not None:
            break
    is_cut_short = inquiry.is_cut_short
    return Verdict.of(tables.count, inquiry.findings, is_cut_short=is_cut_short)


def reach(
    flows: Iterable[Flow | Encoded],
    source: Gate,
    networks: Mapping[Gate, int] = NOWHERE,
) -> Iterator[Reach]:
    """
    List by which gates frames leave that come in at one, and which frames.

    ``networks`` are as for `verify`; they tell which ports are tunnels and uplinks.
    Where headers have hints in them, it is so if the switch has learned these.
    Frames of which that is not certain (see `Verdict.doubts` and
    `Verdict.ambiguities`) are in none of the answers.

    :raise TooIntricateError: It cannot be found out in reasonable time.
    """
    tables = Tables()
    for number, flow in enumerate(flows):
        tables.add(read(number, flow if isinstance(flow, Encoded) else encode(flow)))
    tables.settle()
    return reach_of(tables, Gates(networks), source)


def _sources(tables: Tables, gates: Gates) -> set[Gate]:
    """List every gate that is named anywhere, and one port for all the others."""
    named = gates.sources(tables.entries)
    ports = {port for port in tables.ports if port not in gates.shared}
    taken = named | ports | gates.shared.keys()
    return named | ports | {next(number for number in count(1) if number not in taken)}
