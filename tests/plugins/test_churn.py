# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""Anything may happen in any order; nothing leaks, and no status lies."""

from hypothesis import Phase as Stage
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)
from twisted.internet.defer import maybeDeferred
from twisted.python.failure import Failure

from quantum.errors import QuantumError
from quantum.model import AdminState, OpStatus, Port
from quantum.openflow.facts import SeenInterface
from quantum.openflow.flow import encode
from quantum.openflow.layout import LocalPort
from quantum.openflow.phase import Phase
from quantum.plugins.openvswitch.rounds import MOST_RETRY_ROUNDS
from quantum.storage.database import Database
from quantum.storage.segments import SegmentPool
from tests.openflow.strategies import layout_of, mac, text
from tests.openflow.table import Table

from .site import Site
from .world import Line, Told

BROADCAST = "ff:ff:ff:ff:ff:ff"
SWITCHES = (1, 2)
TENANTS = ("red", "blue")
STRANGER = text(mac(77))

switches = st.sampled_from(SWITCHES)
tenants = st.sampled_from(TENANTS)
numbers = st.integers(0, 5)
names = st.integers(1, 4).map("tap{}".format)
attachments = st.sampled_from("abcd")
ofports = st.integers(0, 5)
macs = st.one_of(st.none(), st.integers(1, 3).map(mac))


class Churn(RuleBasedStateMachine):
    """A site, and what is true of its switches, told or not."""

    def __init__(self) -> None:
        super().__init__()
        self.database = Database.open("sqlite://")
        self.tables = {number: Table() for number in SWITCHES}
        self.truth: dict[int, dict[str, SeenInterface]] = {n: {} for n in SWITCHES}
        self.tampered: set[int] = set()
        self.lines: dict[int, Line] = {}
        self.begin()

    def begin(self) -> None:
        """Start a daemon that knows what is recorded, and nothing else."""
        pool = SegmentPool(last=5)
        self.site = Site(tables=self.tables, database=self.database, pool=pool)
        self.site.fabric.show_all()
        self.told = Told()
        self.watched: set[int] = set()

    @initialize(is_busy=st.booleans())
    def settle_in(self, is_busy) -> None:
        """Often much is there already: every number is a port's and a tap's."""
        if not is_busy:
            return
        for tenant in TENANTS:
            self.create_network(tenant)
        for number, attachment in enumerate("abcd"):
            self.create_port(number, attachment)
            tap = SeenInterface(f"tap{number + 1}", attachment, number + 1)
            self.truth[1][tap.name] = tap
        for switch in SWITCHES:
            self.connect(switch, True)
            self.sync(switch)

    @rule()
    def restart(self) -> None:
        """The daemon is killed, and another one started."""
        for line in self.lines.values():
            line.cut()
        self.lines.clear()
        self.begin()

    # What tenants ask

    def ask(self, name: str, *words) -> None:
        """Call a verb; whatever it refuses is refused."""
        answer = maybeDeferred(getattr(self.site.plugin, name), *words)
        answer.addErrback(lambda failure: failure.trap(QuantumError))
        self.site.clock.pump([0, 0, 0])
        assert answer.called
        assert not isinstance(answer.result, Failure), answer

    def networks(self) -> list:
        """List every network."""
        return [n for tenant in TENANTS for n in self.site.plugin.networks(tenant)]

    def ports(self) -> list[tuple[str, Port]]:
        """List every port, and whose it is."""
        return [
            (network.tenant_id, port)
            for network in self.networks()
            for port in self.site.plugin.ports(network.tenant_id, network.id)
        ]

    @rule(tenant=tenants)
    def create_network(self, tenant) -> None:
        """A network is recorded."""
        self.ask("create_network", tenant, "any")

    @precondition(lambda self: self.networks())
    @rule(number=numbers)
    def delete_network(self, number) -> None:
        """A network is deleted, if nothing is plugged into it."""
        network = self.networks()[number % len(self.networks())]
        self.ask("delete_network", network.tenant_id, network.id)

    @precondition(lambda self: self.networks())
    @rule(number=numbers, attachment=attachments)
    def create_port(self, number, attachment) -> None:
        """A port is recorded, and something plugged into it."""
        network = self.networks()[number % len(self.networks())]
        before = {port.id for _, port in self.ports()}
        self.ask("create_port", network.tenant_id, network.id, AdminState.ACTIVE)
        for tenant, port in self.ports():
            if port.id not in before:
                self.ask("plug", tenant, port.network_id, port.id, attachment)

    @precondition(lambda self: self.ports())
    @rule(number=numbers, verb=st.sampled_from(("unplug", "delete_port")))
    def take_away(self, number, verb) -> None:
        """A port loses what is plugged in, or is deleted."""
        tenant, port = self.ports()[number % len(self.ports())]
        self.ask(verb, tenant, port.network_id, port.id)

    @precondition(lambda self: self.ports())
    @rule(number=numbers, attachment=attachments, is_moved=st.booleans())
    def plug(self, number, attachment, is_moved) -> None:
        """An interface is plugged in, maybe pulled out elsewhere first."""
        for tenant, port in self.ports():
            if is_moved and port.attachment == attachment:
                self.ask("unplug", tenant, port.network_id, port.id)
        tenant, port = self.ports()[number % len(self.ports())]
        self.ask("plug", tenant, port.network_id, port.id, attachment)

    @precondition(lambda self: self.ports())
    @rule(number=numbers, state=st.sampled_from(AdminState))
    def set_state(self, number, state) -> None:
        """A port is to carry frames, or not to."""
        tenant, port = self.ports()[number % len(self.ports())]
        self.ask("set_port_state", tenant, port.network_id, port.id, state)

    # What hypervisors tell

    def tell(self, switch: int, gone=(), seen=()) -> None:
        """Let OVSDB tell a change, if its connection is there."""
        if switch in self.watched:
            self.told.some(switch, list(gone), list(seen))
            self.site.change(switch, *seen, gone=gone)

    @rule(switch=switches)
    def sync(self, switch) -> None:
        """OVSDB tells everything of a switch."""
        present = list(self.truth[switch].values())
        self.watched.add(switch)
        self.told.all(switch, present)
        self.site.sync(switch, *present)

    @rule(switch=switches)
    def lose_hypervisor(self, switch) -> None:
        """OVSDB tells nothing more."""
        self.watched.discard(switch)
        self.site.fabric.hypervisor_lost(f"hv{switch}")

    @rule(switch=switches)
    def delete_bridge(self, switch) -> None:
        """A bridge is deleted, and its flows and connection with it."""
        self.truth[switch].clear()
        self.hang_up(switch)
        self.tables[switch].entries.clear()
        if switch in self.watched:
            # Of a bridge that is made anew everything is told before any change.
            self.watched.discard(switch)
            self.told.all(switch, [])
            self.site.fabric.switch_gone(f"hv{switch}", switch)
            self.site.clock.pump([0, 0])

    @rule(
        switch=switches,
        interface=st.builds(SeenInterface, names, attachments, ofports, macs),
        is_late=st.booleans(),
    )
    def put(self, switch, interface, is_late) -> None:
        """An interface appears or changes; who had its OpenFlow port is gone."""
        truth = self.truth[switch]
        gone = [
            other.name
            for other in truth.values()
            if 0 < other.ofport == interface.ofport and other.name != interface.name
        ]
        for other in gone:
            del truth[other]
        truth[interface.name] = interface
        if is_late:
            self.tell(switch, seen=[interface])
            self.look()
            self.tell(switch, gone=gone)
        else:
            self.tell(switch, gone, [interface])

    @rule(switch=switches, number=numbers, other=numbers, parts=st.integers(1, 2))
    def swap(self, switch, number, other, parts) -> None:
        """Two interfaces change places."""
        truth = list(self.truth[switch].values())
        if number < len(truth) and other < len(truth) and number != other:
            one, two = truth[number], truth[other]
            changed = [
                SeenInterface(one.name, one.attachment, two.ofport, one.mac),
                SeenInterface(two.name, two.attachment, one.ofport, two.mac),
            ]
            self.truth[switch].update({one.name: changed[0], two.name: changed[1]})
            if parts == 1:
                self.tell(switch, seen=changed)
            else:
                self.tell(switch, seen=changed[:1])
                self.look()
                self.tell(switch, seen=changed[1:])

    @rule(switch=switches, other=switches, number=numbers, is_left=st.booleans())
    def move(self, switch, other, number, is_left) -> None:
        """An interface goes to another switch, and may leave its double behind."""
        interfaces = list(self.truth[switch].values())
        if number < len(interfaces):
            interface = interfaces[number]
            taken = {one.ofport for one in self.truth[other].values()}
            free = next(ofport for ofport in range(1, 99) if ofport not in taken)
            arrived = SeenInterface(
                f"{interface.name}m", interface.attachment, free, interface.mac
            )
            self.truth[other][arrived.name] = arrived
            self.tell(other, seen=[arrived])
            if not is_left and interface.name != arrived.name:
                del self.truth[switch][interface.name]
                self.tell(switch, gone=[interface.name])

    @precondition(lambda self: any(self.truth.values()))
    @rule(switch=switches, number=numbers)
    def remove(self, switch, number) -> None:
        """An interface disappears."""
        interfaces = list(self.truth[switch])
        if number < len(interfaces):
            del self.truth[switch][interfaces[number]]
            self.tell(switch, gone=[interfaces[number]])

    # What switches do

    @rule(switch=switches, is_prompt=st.sampled_from((True, False, False)))
    def connect(self, switch, is_prompt) -> None:
        """A switch connects, or answers differently from now on."""
        line = self.lines.get(switch)
        if line is None or line.is_closed:
            line = Line(switch, self.site.fabric, self.tables[switch], is_prompt)
            self.lines[switch] = line
            line.join()
        line.is_prompt = is_prompt
        self.site.fabric.talk(line, self.site.fabric.session(switch))

    @rule(switch=switches)
    def hang_up(self, switch) -> None:
        """A connection breaks."""
        if switch in self.lines:
            self.lines.pop(switch).close()

    @rule(switch=switches, count=st.integers(1, 9))
    def a_little(self, switch, count) -> None:
        """Some messages go to and fro."""
        line = self.lines.get(switch)
        if line is not None and not line.is_closed:
            for _ in range(count):
                line.move()

    @rule(switch=switches, refused=st.sets(st.integers(1, 5), max_size=2))
    def refuse(self, switch, refused) -> None:
        """From now on a switch refuses what some ports send, or anything to them."""
        self.tables[switch].refuses = lambda e: e.match.get("in_port") in refused

    @rule(switch=switches, segments=st.sets(st.integers(1, 5), max_size=2))
    def refuse_network(self, switch, segments) -> None:
        """From now on a switch refuses all flows of some networks."""
        self.tables[switch].refuses = lambda e: e.cookie >> 32 & 0xFFFFFF in segments

    @rule(switch=switches)
    def accept(self, switch) -> None:
        """A switch accepts everything again."""
        self.tables[switch].refuses = lambda _: False

    @rule(switch=switches, number=numbers, is_changed=st.booleans())
    def tamper(self, switch, number, is_changed) -> None:
        """Somebody deletes a flow, or makes it do what the next one does."""
        entries = self.tables[switch].entries
        if not entries:
            return
        self.tampered.add(switch)
        keys = list(entries)
        key, other = (keys[n % len(keys)] for n in (number, number + 1))
        if is_changed:
            entry, model = entries[key], entries[other]
            entry.instructions = model.instructions
            entry.body = key[2] + model.body[len(other[2]) :]
        else:
            del entries[key]

    @rule(count=st.integers(1, 6))
    def go_round(self, count) -> None:
        """Time passes."""
        for _ in range(count):
            self.site.clock.advance(2)
            self.site.rounds()
            self.site.clock.pump([0, 0])
        for switch in SWITCHES:
            line = self.line(switch)
            session = self.site.fabric.session(switch)
            if line and line.is_prompt and session.phase is Phase.SETTLED:
                self.tampered.discard(switch)

    # What is always true

    def look(self) -> None:
        """Look at everything in the middle of a step."""
        self.no_leak()
        self.nothing_of_freed_segments()
        self.statuses_are_true()

    def line(self, switch: int) -> Line | None:
        """Find the connection of a switch."""
        line = self.lines.get(switch)
        return None if line is None or line.is_closed else line

    def is_done(self, switch: int, ofport: int) -> bool:
        """Say whether a switch has acknowledged what a port should carry."""
        session = self.site.fabric.session(switch)
        return self.line(switch) is not None and session.fate(ofport) is None

    @invariant()
    def no_leak(self) -> None:
        """No frame leaves by a port that is another network's."""
        bindings = list(self.site.ledger.bindings())
        for switch in set(SWITCHES) - self.tampered:
            table = self.tables[switch]
            due = self.told.ports(switch, bindings)
            segments = {
                entry.match["in_port"]: entry.cookie >> 32 & 0xFFFFFF
                for key, entry in table.entries.items()
                if key[0] == 0
            }
            for in_port, segment in segments.items():
                for src in (STRANGER, *(text(mac(n)) for n in (1, 2, 3))):
                    for dst in (BROADCAST, *(text(mac(n)) for n in (1, 2, 3))):
                        for out in table.forward(in_port, dst, src):
                            assert segments.get(out, segment) == segment
                            if self.is_done(switch, out):
                                assert due[out].segment == segment

    @invariant()
    def nothing_of_freed_segments(self) -> None:
        """No switch has a flow of a segment that could be given to a new network."""
        taken = self.site.ledger.catalogue.segments | {0}
        for switch in set(SWITCHES) - self.tampered:
            for entry in self.tables[switch].entries.values():
                assert entry.cookie >> 32 & 0xFFFFFF in taken

    @invariant()
    def statuses_are_true(self) -> None:
        """A port that is UP has its flows, and hears every other of its network."""
        bindings = {b.port_id: b for b in self.site.ledger.bindings()}
        up: dict[tuple[int, int], list[LocalPort]] = {}
        for _, port in self.ports():
            if port.status.op_status is not OpStatus.UP:
                continue
            binding = bindings[port.id]
            place = self.told.first(binding.attachment)
            assert place is not None, port
            assert binding.is_active, port
            switch, seen = place
            assert seen.ofport, port
            assert self.line(switch) is not None, port
            if switch not in self.tampered:
                segment = binding.segment_id
                local = LocalPort(seen.ofport, segment, seen.mac)
                assert entry_flows(local) <= self.tables[switch].flows(), port
                up.setdefault((switch, segment), []).append(local)
        for (switch, _), locals_ in up.items():
            for one in locals_:
                source = text(one.mac) if one.mac else STRANGER
                heard = self.tables[switch].forward(one.ofport, BROADCAST, source)
                others = {two.ofport for two in locals_} - {one.ofport}
                assert others <= set(heard), (one, heard)

    def teardown(self) -> None:
        """When the disturbances end, everything is as it should be."""
        for switch in SWITCHES:
            self.accept(switch)
            self.sync(switch)
            self.connect(switch, True)
        self.go_round(MOST_RETRY_ROUNDS + 5)
        self.look()
        bindings = list(self.site.ledger.bindings())
        for switch in SWITCHES:
            due = self.told.ports(switch, bindings)
            plan = {encode(flow) for flow in layout_of(due).plan()}
            assert plan == self.tables[switch].flows(), switch
            assert self.site.fabric.session(switch).phase is Phase.SETTLED
        for _, port in self.ports():
            assert self.expected(port) is port.status.op_status, port
        assert not self.site.ledger.quarantined_segments()

    def expected(self, port: Port) -> OpStatus:
        """Work a status out from nothing, with every switch settled."""
        place = self.told.first(port.attachment) if port.attachment else None
        if place is None or port.admin_state is not AdminState.ACTIVE:
            return OpStatus.DOWN
        return OpStatus.UP if place[1].ofport else OpStatus.PROVISIONING


def entry_flows(port: LocalPort) -> set:
    """Compile what lets a port's own frames in."""
    alone = layout_of({port.ofport: port}).plan()
    return {encode(flow) for flow in alone if flow.in_port == port.ofport}


# Shrinking a story of this length takes longer than reading it.
Churn.TestCase.settings = settings(
    max_examples=120,
    stateful_step_count=60,
    deadline=None,
    phases=[Stage.explicit, Stage.reuse, Stage.generate],
)
ChurnTests = Churn.TestCase
