# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""A site, what is true of its switches, and what of that it has been told."""

from collections.abc import Iterable
from ipaddress import ip_address

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine
from msgspec.structs import replace
from twisted.internet.defer import maybeDeferred
from twisted.python.failure import Failure

from quantum.errors import QuantumError
from quantum.model import Network, Port
from quantum.openflow.facts import SeenInterface, Underlay
from quantum.storage.database import Database
from quantum.storage.segments import SegmentPool
from tests.openflow.journey import Frame
from tests.openflow.strategies import mac
from tests.openflow.table import Table

from .site import OPTIONS, TUNNEL, Site
from .told import Told
from .world import Line

SWITCHES = (1, 2, 3)
TENANTS = ("red", "blue")
GRACE = 3
"""Seconds: two rounds."""
UPLINKS = {"external": 20, "lab": 21}

switches = st.sampled_from(SWITCHES)
numbers = st.integers(0, 5)
attachments = st.sampled_from("abcd")
macs = st.one_of(st.none(), st.integers(1, 3).map(mac))


def address(number: int) -> bytes:
    """Make a tunnel address; 0 is none."""
    return bytes([192, 0, 2, number]) if number else b""


class Landscape(RuleBasedStateMachine):
    """Everything between the API and the switches, and what it should be."""

    def __init__(self) -> None:
        super().__init__()
        self.database = Database.open("sqlite://")
        self.tables = {number: Table() for number in SWITCHES}
        self.truth: dict[int, dict[str, SeenInterface]] = {n: {} for n in SWITCHES}
        self.underlays = dict.fromkeys(SWITCHES, Underlay())
        self.tampered: set[int] = set()
        self.lines: dict[int, Line] = {}
        self.looked_at: list[tuple[int, int]] = []
        self.begin()

    def begin(self) -> None:
        """Start a daemon that knows what is recorded, and nothing else."""
        pool = SegmentPool(last=5)
        where = {"tables": self.tables, "database": self.database, "pool": pool}
        self.site = Site(**where, options=replace(OPTIONS, absence_grace=GRACE))
        self.site.fabric.admission._places = 1
        self.site.fabric.display.show_all()
        self.told = Told()
        self.watched: set[int] = set()
        self.connected: set[int] = set()
        self.awaited: dict[int, float] = {}

    def ask(self, name: str, *words) -> None:
        """Call a verb; whatever it refuses is refused."""
        answer = maybeDeferred(getattr(self.site.plugin, name), *words)
        answer.addErrback(lambda failure: failure.trap(QuantumError))
        self.site.clock.pump([0, 0, 0])
        assert answer.called
        assert not isinstance(answer.result, Failure), answer

    def networks(self) -> list[Network]:
        """List every network."""
        return [n for tenant in TENANTS for n in self.site.plugin.networks(tenant)]

    def ports(self) -> list[tuple[str, Port]]:
        """List every port, and whose it is."""
        return [
            (network.tenant_id, port)
            for network in self.networks()
            for port in self.site.plugin.ports(network.tenant_id, network.id)
        ]

    def tell(self, switch: int, gone=(), seen=()) -> None:
        """Let OVSDB tell a change, if its connection is there."""
        if switch in self.watched:
            self.told.some(switch, list(gone), list(seen))
            self.site.change(switch, *seen, gone=gone)

    def line(self, switch: int) -> Line | None:
        """Find the connection of a switch."""
        line = self.lines.get(switch)
        return None if line is None or line.is_closed else line

    def is_done(self, switch: int, ofport: int) -> bool:
        """Say whether a switch has acknowledged what a port should carry."""
        session = self.site.fabric.session(switch)
        return self.line(switch) is not None and session.fate(ofport) is None

    def note_reach(self, switch: int) -> None:
        """Take note whether anything is connected, or was just now, that could tell."""
        if self.line(switch) is None:
            self.told.words.pop(switch, None)
        if switch in self.watched or self.line(switch):
            self.connected.add(switch)
            self.awaited.pop(switch, None)
            self.told.reach(switch)
        elif switch in self.connected:
            self.connected.remove(switch)
            self.awaited[switch] = self.site.clock.seconds() + GRACE

    def note_time(self) -> None:
        """Take note of who is awaited no longer."""
        now = self.site.clock.seconds()
        overdue = {switch for switch, until in self.awaited.items() if until <= now}
        for switch in overdue:
            del self.awaited[switch]
        self.told.miss(overdue)

    def look(self) -> None:
        """Look at everything in the middle of a step."""

    def hear(
        self, switch: int, in_port: int, dst: str, src: str
    ) -> Iterable[tuple[int, int]]:
        """Say which local ports get a frame, on whichever switch."""
        for sent in self.tables[switch].send(Frame(in_port, dst, src)):
            if not is_outward(sent.port):
                yield switch, sent.port
            for other, frame in self._arrivals(switch, sent, src):
                for arrived in self.tables[other].send(frame):
                    assert not is_outward(arrived.port) or other in self.tampered
                    yield other, arrived.port

    def _arrivals(self, switch: int, sent, src: str) -> Iterable[tuple[int, Frame]]:
        """Say where a frame that has left a switch arrives."""
        here = self.underlays[switch]
        for other in set(SWITCHES) - {switch}:
            there = self.underlays[other]
            peer = ip_address(sent.tun_dst).packed if sent.port == TUNNEL else None
            if peer == there.address:
                source = str(ip_address(here.address)) if here.address else ""
                yield other, Frame(TUNNEL, sent.dst, src, sent.tun_id, source)
            for name, ofport in here.uplinks:
                if sent.port == ofport and name in dict(there.uplinks):
                    in_port = dict(there.uplinks)[name]
                    yield other, Frame(in_port, sent.dst, src, vlan=sent.vlan)


def is_outward(ofport: int) -> bool:
    """Say whether a port leads to other machines."""
    return ofport == TUNNEL or ofport in UPLINKS.values()
