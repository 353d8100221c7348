# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""What hypervisors may do and tell at any time."""

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule
from msgspec.structs import replace
from twisted.internet.defer import maybeDeferred

from quantum.errors import SwitchInReach, SwitchNotFound
from quantum.openflow.facts import SeenInterface, Underlay
from tests.openflow.strategies import ips

from .landscape import (
    TUNNEL,
    UPLINKS,
    Landscape,
    address,
    attachments,
    macs,
    numbers,
    switches,
)

names = st.integers(1, 4).map("tap{}".format)
ofports = st.integers(0, 5)
interfaces = st.builds(
    SeenInterface,
    *(names, attachments, ofports, macs),
    ips=ips,
    mtu=st.sampled_from((0, 1500, 9000)),
)
uplinks = st.sets(st.sampled_from(sorted(UPLINKS.items()))).map(
    lambda some: tuple(sorted(some))
)


class Hypervisors(Landscape):
    """Interfaces come, go, move and change places; connections break."""

    @rule(switch=switches)
    def sync(self, switch) -> None:
        """OVSDB tells everything of a switch."""
        present = list(self.truth[switch].values())
        self.watched.add(switch)
        self.note_reach(switch)
        self.told.underlay(switch, self.underlays[switch])
        self.told.all(switch, present)
        self.site.underlay(switch, self.underlays[switch])
        self.site.sync(switch, *present)

    @rule(switch=switches)
    def lose_hypervisor(self, switch) -> None:
        """OVSDB tells nothing more."""
        self.watched.discard(switch)
        self.note_reach(switch)
        self.site.testimony.hypervisor_lost(f"hv{switch}")

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
            self.told.underlay(switch, Underlay())
            self.note_reach(switch)
            self.site.testimony.switch_gone(f"hv{switch}", switch)
            self.site.clock.pump([0, 0])

    @rule(switch=switches, is_late=st.booleans())
    def forget(self, switch, is_late) -> None:
        """An operator promises that a switch has no flows left, if it is not there."""
        is_there = switch in self.watched or self.line(switch) is not None
        answer = maybeDeferred(self.site.plugin.forget_switch, f"{switch:016x}")
        answer.addErrback(lambda failure: failure.trap(SwitchInReach, SwitchNotFound))
        if not is_there:
            self.tables[switch].entries.clear()
            self.told.all(switch, [])
            self.told.underlay(switch, Underlay())
            if is_late:
                self.sync(switch)
        self.site.clock.pump([0, 0, 0])
        refusals = (SwitchInReach,) if is_there else (None, SwitchNotFound)
        assert answer.result in refusals

    @rule(
        switch=switches,
        interface=interfaces,
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
                replace(one, ofport=two.ofport),
                replace(two, ofport=one.ofport),
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
            arrived = replace(interface, name=f"{interface.name}m", ofport=free)
            self.truth[other][arrived.name] = arrived
            self.tell(other, seen=[arrived])
            if not is_left and interface.name != arrived.name:
                del self.truth[switch][interface.name]
                self.tell(switch, gone=[interface.name])

    @rule(
        switch=switches,
        other=switches,
        number=numbers,
        rounds=st.integers(0, 2),
        is_back=st.booleans(),
    )
    def evacuate(self, switch, other, number, rounds, is_back) -> None:
        """A hypervisor dies, and a machine goes on elsewhere; it may come back."""
        self.lose_hypervisor(switch)
        self.hang_up(switch)
        self.move(switch, other, number, True)
        if rounds:
            self.go_round(rounds)
        if is_back:
            self.sync(switch)

    @precondition(lambda self: any(self.truth.values()))
    @rule(switch=switches, number=numbers)
    def remove(self, switch, number) -> None:
        """An interface disappears."""
        interfaces = list(self.truth[switch])
        if number < len(interfaces):
            del self.truth[switch][interfaces[number]]
            self.tell(switch, gone=[interfaces[number]])

    @rule(
        switch=switches,
        number=st.integers(0, 3),
        tunnel=st.sampled_from((TUNNEL, TUNNEL, 0)),
        uplinks=uplinks,
    )
    def rewire(self, switch, number, tunnel, uplinks) -> None:
        """A hypervisor gets another address, or other physical networks."""
        underlay = Underlay(address(number), tunnel if number else 0, uplinks)
        self.underlays[switch] = underlay
        if switch in self.watched:
            self.told.underlay(switch, underlay)
            self.site.underlay(switch, underlay)
