# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""Shows the status of every port, worked out anew where somebody says to look."""

from collections.abc import Iterable, Iterator
from typing import Final

from attrs import define, field

from quantum.interfaces import IIntent, IStatusBoard
from quantum.model import Binding
from quantum.openflow.status import op_status
from quantum.plugins.openvswitch.slices import Slices
from quantum.plugins.openvswitch.switch import Switch
from quantum.plugins.openvswitch.whereabouts import Whereabouts

PAUSE: Final = 20
"""Interfaces looked at between two pauses: about 0.2 ms."""


@define(eq=False)
class Display:
    """From what is recorded and what is seen to the status board."""

    _intent: IIntent
    _board: IStatusBoard
    _slices: Slices
    _whereabouts: Whereabouts
    _changed: set[Switch] = field(factory=set)
    """Switches that wait to be shown: once, however often they change."""

    def show(self, binding: Binding) -> None:
        """Report the status of the port that an interface is plugged into."""
        sighting = self._whereabouts.sighting(binding)
        self._board.report(binding.port_id, op_status(binding, sighting))

    def show_all(self) -> None:
        """Report the status of every plugged port."""
        for binding in list(self._intent.bindings()):
            self.show(binding)

    def show_switch(self, switch: Switch) -> None:
        """Report the status of every port on a switch, by and by."""
        switch.is_unshown = False
        if switch not in self._changed:
            self._changed.add(switch)
            self._slices.do(self._show_switch(switch))

    def _show_switch(self, switch: Switch) -> Iterator[None]:
        self._changed.discard(switch)
        ports = [(switch, ofport) for ofport in switch.ofports()]
        yield from self.show_interfaces(carriers(ports))

    def show_ports(self, ports: Iterable[tuple[Switch, int]]) -> None:
        """Report the status of some ports, by and by."""
        self._slices.do(self.show_interfaces(carriers(ports)))

    def show_interfaces(self, attachments: Iterable[str]) -> Iterator[None]:
        """Report the status of the ports of some interfaces, with pauses."""
        for number, attachment in enumerate(attachments):
            binding = self._intent.bound(attachment)
            if binding is not None:
                self.show(binding)
            if number % PAUSE == PAUSE - 1:
                yield


def carriers(ports: Iterable[tuple[Switch, int]]) -> Iterator[str]:
    """Say which interfaces have these OpenFlow ports now."""
    for switch, ofport in ports:
        carrier = switch.carrier(ofport)
        if carrier is not None:
            yield carrier.attachment
