# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""What switches may do at any time."""

from hypothesis import strategies as st
from hypothesis.stateful import rule

from quantum.openflow.phase import Phase

from .landscape import SWITCHES, Landscape, numbers, switches
from .words import Described
from .world import Line

LOCAL = 0xFFFFFFFE


class Switching(Landscape):
    """They connect, hang up, refuse, dawdle, and are tampered with."""

    @rule(
        switch=switches,
        is_prompt=st.sampled_from((True, False, False)),
        is_frank=st.sampled_from((True, False, False)),
    )
    def connect(self, switch, is_prompt, is_frank=False) -> None:
        """A switch connects, or answers differently from now on."""
        line = self.lines.get(switch)
        if line is None or line.is_closed:
            fabric, table = self.site.fabric, self.tables[switch]
            line = Line(switch, fabric, table, is_prompt, self.note_reach)
            self.lines[switch] = line
            if is_frank:
                truth = self.truth[switch].values()
                line.ports = {i.ofport: Described.of(i.name) for i in truth if i.ofport}
                line.ports[LOCAL] = Described(b"br-int")
            self.told.describe(switch, line.ports)
            line.join()
            self.note_reach(switch)
        line.is_prompt = is_prompt
        self.site.fabric.talk(line, self.site.fabric.session(switch))

    @rule(switch=switches)
    def hang_up(self, switch) -> None:
        """A connection breaks."""
        if switch in self.lines:
            self.lines.pop(switch).close()
            self.note_reach(switch)

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
            self.note_time()
            self.site.rounds()
            self.site.clock.pump([0, 0])
        for switch in SWITCHES:
            line = self.line(switch)
            session = self.site.fabric.session(switch)
            if line and line.is_prompt and session.phase is Phase.SETTLED:
                self.tampered.discard(switch)
