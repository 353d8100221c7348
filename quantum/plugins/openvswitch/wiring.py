# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
What every port should carry, from what is recorded and what is seen.

It is computed anew whenever either has changed; events say only where to look.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from attrs import define, field

from quantum.interfaces import IIntent
from quantum.model import Binding
from quantum.openflow.facts import SeenInterface, Underlay
from quantum.plugins.openvswitch.display import Display
from quantum.plugins.openvswitch.slices import Slices
from quantum.plugins.openvswitch.spans import Spans
from quantum.plugins.openvswitch.switch import Switch
from quantum.plugins.openvswitch.underlays import Underlays
from quantum.plugins.openvswitch.whereabouts import Whereabouts, carried

PAUSE: Final = 20
"""Interfaces looked at between two pauses: about 0.2 ms."""


@define(eq=False)
class Wiring:
    """Tells sessions what their ports should carry, and has statuses shown."""

    _intent: IIntent
    _slices: Slices
    _spans: Spans
    _whereabouts: Whereabouts
    _display: Display
    _underlays: Underlays = field(init=False)
    _doubted: dict[Switch, dict[int, None]] = field(factory=dict)
    """Ports that OpenFlow disputes, or did, and that wait to be looked at."""

    @_underlays.default
    def _make_underlays(self) -> Underlays:
        return Underlays(self._spans)

    def look_at(self, attachment: str, is_shown: bool = True) -> set[Switch]:
        """
        Compute what an interface's ports should carry, and show its status.

        :return: The switches that have more to be told.
        """
        binding = self._intent.bound(attachment)
        places = self._whereabouts.places.settle(attachment)
        touched: set[Switch] = set()
        for number, (switch, name) in enumerate(places):
            touched.add(switch)
            switch.place(name, is_first=number == 0)
            seen = switch.seen(name)
            if seen is not None and switch.carrier(seen.ofport) is seen:
                self._carry(switch, seen, None if number else binding)
        if binding is not None and is_shown:
            self._display.show(binding)
        return touched

    def reserve(self, switch: Switch, some: Iterable[SeenInterface]) -> None:
        """Let interfaces be where they will be noticed before they are elsewhere."""
        for seen in some:
            self._whereabouts.places.add(seen.attachment, (switch, seen.name))

    def notice(
        self,
        switch: Switch,
        gone: Iterable[str],
        seen: Iterable[SeenInterface],
        is_shown: bool = True,
    ) -> Iterator[None]:
        """Take note of interfaces, and compute what their ports should carry."""
        touched = {switch}
        for number, name in enumerate(gone):
            touched |= self._remove(switch, name)
            if number % PAUSE == 0:
                yield
        for number, interface in enumerate(seen):
            touched |= self._put(switch, interface, is_shown)
            if number % PAUSE == 0:
                yield
        for one in touched:
            one.talk()

    def relay(self, switch: Switch, underlay: Underlay) -> Iterator[None]:
        """Take note of what a switch is reached by, and leads to."""
        if underlay == switch.underlay:
            return
        touched = self._underlays.take(switch, underlay)
        yield from self._look_again(switch, lambda _: True)
        for other in touched - {switch}:
            self._display.show_switch(other)
        for one in touched | {switch}:
            one.talk()

    def heed(self, switch: Switch, ofport: int, name: bytes) -> None:
        """Take note of what OpenFlow tells of a port, which had or has this name."""
        seen = switch.hear(ofport, name)
        if seen is None:
            return
        if switch.is_disputed(seen):
            # At once, however much waits: it may be another's already.
            switch.session.want(ofport, None)
            switch.talk()
        self.reconsider(switch, (seen,))

    def reconsider(self, switch: Switch, some: Iterable[SeenInterface]) -> None:
        """Look at interfaces whose ports OpenFlow disputes, or did, by and by."""
        ofports = dict.fromkeys(seen.ofport for seen in some)
        if switch in self._doubted:
            self._doubted[switch].update(ofports)
        elif ofports:
            self._doubted[switch] = ofports
            self._slices.do(self._look_at_doubted(switch))

    def _look_at_doubted(self, switch: Switch) -> Iterator[None]:
        """Look at the ports that were doubted while this waited."""
        ofports = self._doubted.pop(switch)
        carriers = (switch.carrier(ofport) for ofport in ofports)
        yield from self._look_at_all(c.attachment if c else None for c in carriers)

    def watch_reach(self, switch: Switch) -> None:
        """Look at a switch again if it came into reach or went out of it."""
        if switch.is_in_reach != switch.was_in_reach:
            switch.was_in_reach = switch.is_in_reach
            switch.edition += 1
            self._slices.do(self._weigh(switch))

    def _weigh(self, switch: Switch) -> Iterator[None]:
        """See who has now what the switch and others say that they have."""
        for other in self._underlays.settle(switch):
            self._display.show_switch(other)
            other.talk()
        places = self._whereabouts.places
        yield from self._look_again(switch, lambda a: len(places.claimants(a)) > 1)

    def _look_again(
        self, switch: Switch, is_due: Callable[[str], bool]
    ) -> Iterator[None]:
        """Look at the interfaces of a switch."""
        found = (switch.seen(name) for name in switch.names())
        yield from self._look_at_all(
            seen.attachment if seen is not None and is_due(seen.attachment) else None
            for seen in found
        )

    def _look_at_all(self, attachments: Iterable[str | None]) -> Iterator[None]:
        """Look at some interfaces, with pauses, also between those left out."""
        touched: set[Switch] = set()
        for number, attachment in enumerate(attachments):
            if attachment is not None:
                touched |= self.look_at(attachment)
            if number % PAUSE == PAUSE - 1:
                yield
        for one in touched:
            one.talk()

    def _remove(self, switch: Switch, name: str) -> set[Switch]:
        """Forget an interface; say which switches have more to be told."""
        before = switch.drop(name)
        if before is None:
            return set()
        self._whereabouts.places.remove(before.attachment, (switch, name))
        return self._changed(switch, before)

    def _put(
        self, switch: Switch, interface: SeenInterface, is_shown: bool
    ) -> set[Switch]:
        """Add or replace an interface; say which switches have more to be told."""
        places = self._whereabouts.places
        rival = switch.carrier(interface.ofport)
        before = switch.put(interface)
        place = (switch, interface.name)
        if before is not None and before.attachment != interface.attachment:
            places.remove(before.attachment, place)
        places.add(interface.attachment, place)
        touched: set[Switch] = set()
        if before is not None:
            touched |= self._changed(switch, before)
        if rival is not None and rival is not before:
            touched |= self.look_at(rival.attachment)
        touched |= self.look_at(interface.attachment, is_shown)
        return touched

    def _changed(self, switch: Switch, before: SeenInterface) -> set[Switch]:
        """Look at what an interface was until now."""
        if switch.carrier(before.ofport) is None and before.ofport:
            self._carry(switch, before, None)
        return self.look_at(before.attachment)

    def _carry(
        self, switch: Switch, seen: SeenInterface, binding: Binding | None
    ) -> None:
        """Let an interface's port carry what is recorded, or nothing."""
        port = carried(switch, seen, binding) if binding is not None else None
        switch.session.want(seen.ofport, port)
        if port is None or binding is None:
            affected = self._spans.drop(switch, seen.ofport)
        else:
            affected = self._spans.carry(switch, port, binding.vlan)
        if affected:
            self._display.show_ports(affected)
