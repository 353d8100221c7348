# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""Hypervisors that share a datapath id do anything in any order."""

import os

from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)
from msgspec.structs import replace

from quantum.openflow.facts import SeenInterface, Underlay

from .site import OPTIONS, Datapath, Site, by_tunnel

NAMES = "abcd"
NUMBER = 1
EXAMPLES = int(os.environ.get("CHURN_EXAMPLES", "60"))


def some(what):
    """Choose among what there is now."""
    return st.runner().flatmap(lambda rivalry: st.sampled_from(sorted(what(rivalry))))


names = st.sampled_from(NAMES)
connected = some(lambda rivalry: rivalry.bridges)
bridged = some(lambda rivalry: rivalry.with_bridge)
free = some(lambda rivalry: set(NAMES) - rivalry.bridges.keys())
interfaces = st.builds(
    SeenInterface,
    *(st.sampled_from(("tap1", "tap2", "tap3")), st.sampled_from("xyz")),
    st.integers(0, 4),
)
pictures = st.lists(interfaces, max_size=3, unique_by=lambda seen: seen.name)


class Rivalry(RuleBasedStateMachine):
    """One switch, and hypervisors that say that it is theirs."""

    def __init__(self) -> None:
        super().__init__()
        self.site = Site(options=replace(OPTIONS, absence_grace=0.0))
        for attachment in "xyz":
            self.site.port(attachment)
        self.line: Datapath | None = None
        self.bridges: dict[str, dict[str, SeenInterface] | None] = {}
        """Of every connected hypervisor; None if it has none."""
        self.holder = self.teller = ""
        self.told: dict[str, SeenInterface] = {}
        self.underlay = Underlay()
        self.waiting: list[str] = []

    @property
    def is_watched(self) -> bool:
        """Its hypervisor is connected, and has the bridge."""
        return bool(self.teller) and self.bridges.get(self.teller) is not None

    @property
    def with_bridge(self) -> list[str]:
        """List the connected hypervisors that have the bridge."""
        return [name for name, bridge in self.bridges.items() if bridge is not None]

    def claim(self, name: str) -> None:
        """Let a hypervisor have the switch, or wait."""
        if self.holder in {"", name}:
            self.leave_queue(name)
            self.holder = self.teller = name
            self.told = dict(self.bridges[name] or {})
            self.underlay = underlay(name)
        elif name not in self.waiting:
            self.waiting.append(name)

    def let_go(self) -> None:
        """Let the next one have what is nobody's."""
        if not (self.is_watched or self.line):
            self.holder = ""
            if self.waiting:
                self.claim(self.waiting.pop(0))

    def leave_queue(self, name: str) -> None:
        """Let a hypervisor wait no longer."""
        if name in self.waiting:
            self.waiting.remove(name)

    @rule(name=names, picture=pictures)
    def tell_all(self, name, picture) -> None:
        """A hypervisor connects, or makes its bridge anew."""
        self.bridges[name] = {seen.name: seen for seen in picture}
        self.claim(name)
        self.site.testimony.underlay_changed(name, NUMBER, underlay(name))
        self.site.testimony.hypervisor_synced(name, NUMBER, picture)

    @initialize(is_busy=st.booleans(), pictures=st.tuples(pictures, pictures))
    def settle_in(self, is_busy, pictures) -> None:
        """Often one has it, and another waits."""
        if is_busy:
            for name, picture in zip(NAMES, pictures, strict=False):
                self.tell_all(name, picture)
            self.connect()

    @precondition(lambda self: self.with_bridge)
    @rule(name=bridged, gone=st.sets(st.sampled_from(("tap1", "tap2"))), fresh=pictures)
    def tell_some(self, name, gone, fresh) -> None:
        """Interfaces come and go on a hypervisor."""
        bridge = self.bridges[name]
        for picture in (bridge, self.told) if self.teller == name else (bridge,):
            for one in gone:
                picture.pop(one, None)
            picture.update({seen.name: seen for seen in fresh})
        self.site.testimony.interfaces_changed(name, NUMBER, gone, fresh)

    @precondition(lambda self: self.with_bridge)
    @rule(name=bridged)
    def delete_bridge(self, name) -> None:
        """A bridge is deleted."""
        self.bridges[name] = None
        self.leave_queue(name)
        if self.teller == name:
            self.told, self.underlay, self.teller = {}, Underlay(), ""
            self.line = None  # it is hung up on
            self.let_go()
        self.site.testimony.switch_gone(name, NUMBER)

    @precondition(lambda self: self.bridges)
    @rule(name=connected)
    def lose(self, name) -> None:
        """A database is connected no more."""
        is_news = self.teller == name and self.is_watched
        del self.bridges[name]
        self.leave_queue(name)
        if is_news:
            self.line = self.line if not self.waiting else None
            self.let_go()
        self.site.testimony.hypervisor_lost(name)

    @precondition(lambda self: 0 < len(self.bridges) < len(NAMES))
    @rule(name=connected, other=free)
    def rename(self, name, other) -> None:
        """A connected hypervisor takes a name that no connected one has."""
        is_own = self.is_watched or not self.teller  # else it was another's name
        self.bridges[other] = self.bridges.pop(name)
        self.waiting = [other if one == name else one for one in self.waiting]
        if is_own:
            self.holder = other if self.holder == name else self.holder
            self.teller = other if self.teller == name else self.teller
        self.site.testimony.hypervisor_renamed(name, other)
        if self.bridges[other] is not None:
            self.tell_all(other, list(self.bridges[other].values()))

    @precondition(lambda self: self.line is None)
    @rule()
    def connect(self) -> None:
        """The switch itself connects."""
        self.line = self.site.connect(NUMBER)

    @precondition(lambda self: self.line is not None)
    @rule()
    def hang_up(self) -> None:
        """Its connection breaks."""
        line, self.line = self.line, None
        self.let_go()
        line.close()

    @rule()
    def go_round(self) -> None:
        """Time passes."""
        self.site.wait()

    @invariant()
    def is_whose_it_is(self) -> None:
        """Who came first has it, and what counts is what that one told last."""
        self.site.clock.pump([0, 0, 0])
        fabric = self.site.fabric
        switch = fabric.roll.switch(NUMBER)
        assert (self.holder, self.teller) == (switch.holder, switch.hypervisor)
        seen = {one.name: one for one in switch.interfaces()}
        assert self.told == seen
        assert self.underlay == switch.underlay
        assert self.is_watched == switch.is_watched

    @invariant()
    def is_bounded(self) -> None:
        """Nothing is kept of who does not wait, and nobody waits for what is free."""
        assert self.waiting == list(self.site.testimony._rivals._waiting)
        assert self.holder or not self.waiting
        assert set(self.waiting) <= self.bridges.keys() - {self.holder}


def underlay(name: str) -> Underlay:
    """What a hypervisor is reached by."""
    return by_tunnel(1 + NAMES.index(name))


Rivalry.TestCase.settings = settings(
    max_examples=EXAMPLES,
    stateful_step_count=40,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
RivalryTests = Rivalry.TestCase
