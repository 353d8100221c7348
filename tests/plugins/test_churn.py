# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""Anything may happen in any order; nothing leaks, and no status lies."""

import os
from math import inf

from hypothesis import Phase as Stage
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule

from quantum.model import AdminState, Binding, OpStatus, Port
from quantum.openflow.facts import SeenInterface
from quantum.openflow.flow import LEARNED_TAG, encode
from quantum.openflow.member import LocalPort
from quantum.openflow.phase import Phase
from quantum.plugins.openvswitch.rounds import MOST_RETRY_ROUNDS
from tests.openflow.strategies import layout_of, mac, text

from .hypervisors import Hypervisors, uplinks
from .landscape import SWITCHES, TENANTS
from .naming import Naming
from .site import by_tunnel
from .tenants import Tenants

BROADCAST = "ff:ff:ff:ff:ff:ff"
STRANGER = text(mac(77))
EXAMPLES = int(os.environ.get("CHURN_EXAMPLES", "60"))


class Churn(Tenants, Hypervisors, Naming):
    """Anything may happen in any order."""

    @initialize(
        is_busy=st.booleans(),
        are_spread=st.booleans(),
        bound=st.sets(st.integers(0, 1)),
        uplinks=st.lists(uplinks, min_size=3, max_size=3),
    )
    def settle_in(self, is_busy, are_spread, bound, uplinks) -> None:
        """Often much is there already: every number is a port's and a tap's."""
        if not is_busy:
            return
        for tenant in TENANTS:
            self.create_network(tenant)
        for number in bound:
            self.bind(number, "external", None)
        for number, attachment in enumerate("abcd"):
            self.create_port(number, attachment)
            tap = SeenInterface(f"tap{number + 1}", attachment, number + 1)
            self.truth[1 + number // 2 if are_spread else 1][tap.name] = tap
        for switch, some in zip(SWITCHES, uplinks, strict=True):
            self.underlays[switch] = by_tunnel(switch, *some)
            self.connect(switch, True)
            self.sync(switch)

    @rule()
    def restart(self) -> None:
        """The daemon is killed, and another one started."""
        for line in self.lines.values():
            line.cut()
        self.lines.clear()
        self.begin()

    # What is always true

    def look(self) -> None:
        """Look at everything in the middle of a step."""
        self.no_leak()
        self.nothing_of_freed_segments()
        self.everything_is_wanted()
        self.statuses_are_true()

    @invariant()
    def no_leak(self) -> None:
        """No frame leaves by a port that is another network's, on any switch."""
        versions = [(t.messages, len(t.entries)) for t in self.tables.values()]
        if versions == self.looked_at:
            return
        self.looked_at = versions
        bindings = self.bindings()
        due = {switch: self.told.ports(switch, bindings) for switch in SWITCHES}
        segments = {switch: self.segments(switch) for switch in SWITCHES}
        for switch in set(SWITCHES) - self.tampered:
            for in_port, segment in segments[switch].items():
                for src in (STRANGER, text(mac(1))):
                    for dst in (BROADCAST, text(mac(1)), text(mac(2))):
                        for where, out in self.hear(switch, in_port, dst, src):
                            if where in self.tampered:
                                continue
                            assert segments[where].get(out, segment) == segment
                            if self.is_done(where, out):
                                assert due[where][out].segment == segment

    @invariant()
    def nothing_of_freed_segments(self) -> None:
        """No switch has a flow of a segment that could be given to a new network."""
        taken = self.site.ledger.catalogue.segments | {0}
        for switch in set(SWITCHES) - self.tampered:
            for entry in self.tables[switch].entries.values():
                is_ours = entry.cookie >> 56 != LEARNED_TAG
                assert not is_ours or entry.cookie >> 32 & 0xFFFFFF in taken

    @invariant()
    def everything_is_wanted(self) -> None:
        """A settled switch has the flows of what it should know, and no others."""
        bindings = self.bindings()
        for switch in SWITCHES:
            session = self.site.fabric.session(switch)
            if session.phase is Phase.SETTLED and not session.is_refused:
                members = self.told.members(switch, SWITCHES, bindings)
                assert members == dict(session.members()), switch
                assert self.told.tunnel(switch) == session.tunnel, switch
                if switch not in self.tampered:
                    plan = layout_of(members, session.tunnel).plan()
                    flows = {encode(flow) for flow in plan}
                    assert flows == self.tables[switch].flows(), switch

    @invariant()
    def statuses_are_true(self) -> None:
        """A port that is UP has its flows, and hears every other of its network."""
        bindings = {b.port_id: b for b in self.bindings()}
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
            assert not self.told.is_disputed(switch, seen), port
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
            self.say_truly(switch)
        self.go_round(MOST_RETRY_ROUNDS + 5)
        self.tampered.clear()
        self.look()
        for switch in SWITCHES:
            assert self.site.fabric.session(switch).phase is Phase.SETTLED
        for _, port in self.ports():
            self.is_told_rightly(port)
        self.everybody_hears_everybody()
        assert not self.site.ledger.quarantined_segments()

    def is_told_rightly(self, port: Port) -> None:
        """Work a status out from nothing, with every switch settled."""
        bindings = self.bindings()
        binding = next((b for b in bindings if b.port_id == port.id), None)
        place = self.told.first(port.attachment) if port.attachment else None
        status = port.status
        if binding is None or place is None or port.admin_state is AdminState.DOWN:
            assert status.op_status is OpStatus.DOWN, port
            return
        switch, seen = place
        assert status.hypervisor == f"hv{switch}", port
        if not self.told.is_led_out(switch, binding):
            assert status.op_status is OpStatus.DOWN, port
            assert binding.vlan.physical_network in status.reason, port
        elif not seen.ofport:
            assert status.op_status is OpStatus.PROVISIONING, port
        else:
            assert status.op_status is OpStatus.UP, port
            is_alone = self.is_alone(switch, binding, bindings)
            assert is_alone == ("does not reach" in status.reason), port
            is_large = seen.mtu > self.limit(switch, binding)
            assert is_large == (f"MTU of {seen.mtu}" in status.reason), port

    def limit(self, switch: int, binding: Binding) -> float:
        """Say how large packets may be, if they ever leave the switch."""
        if binding.vlan is not None:
            return {"external": 1500, "lab": 9000}[binding.vlan.physical_network]
        return 1500 if self.told.is_reached(switch) else inf

    def is_alone(self, switch: int, binding: Binding, bindings: list[Binding]) -> bool:
        """Say whether a port does not reach others of its network elsewhere."""
        others = [
            port.segment
            for other in set(SWITCHES) - {switch}
            for port in self.told.ports(other, bindings).values()
        ]
        is_reached = binding.vlan or self.told.is_reached(switch)
        return not is_reached and binding.segment_id in others

    def everybody_hears_everybody(self) -> None:
        """A broadcast reaches every port of the network that can be reached."""
        bindings = self.bindings()
        vlans = {b.segment_id: b.vlan for b in bindings}
        ports = [
            (switch, port)
            for switch in SWITCHES
            for port in self.told.ports(switch, bindings).values()
        ]
        for switch, one in ports:
            source = text(one.mac) if one.mac else STRANGER
            heard = list(self.hear(switch, one.ofport, BROADCAST, source))
            for other, two in ports:
                is_reached = other == switch or vlans[one.segment] is not None
                both = self.told.is_reached(switch) and self.told.is_reached(other)
                is_same = one.segment == two.segment and one is not two
                expected = int(is_same and (is_reached or both))
                assert heard.count((other, two.ofport)) == expected, (one, two)

    def bindings(self) -> list[Binding]:
        """List everything plugged."""
        return list(self.site.ledger.bindings())

    def segments(self, switch: int) -> dict[int, int]:
        """Say which network the frames of each port come into."""
        return {
            entry.match["in_port"]: entry.cookie >> 32 & 0xFFFFFF
            for key, entry in self.tables[switch].entries.items()
            if key[0] == 0 and list(entry.match) == ["in_port"]
        }


def entry_flows(port: LocalPort) -> set:
    """Compile what lets a port's own frames in."""
    alone = layout_of({port.ofport: port}).plan()
    return {encode(flow) for flow in alone if flow.in_port == port.ofport}


# Shrinking a story of this length takes longer than reading it.
Churn.TestCase.settings = settings(
    max_examples=EXAMPLES,
    stateful_step_count=60,
    deadline=None,
    phases=[Stage.explicit, Stage.reuse, Stage.generate],
)
ChurnTests = Churn.TestCase
