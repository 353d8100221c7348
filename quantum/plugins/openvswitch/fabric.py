# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
Recorded networks, realised on Open vSwitch.

What a port should carry is computed anew from what is recorded and what is
seen whenever either has changed; events say only where to look.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any, Final

from attrs import define, field
from twisted.logger import Logger
from zope.interface import implementer

from quantum.errors import QuantumError
from quantum.interfaces import IFabric, IHypervisorListener, IIntent, IStatusBoard
from quantum.model import UNATTACHED, Binding, Change, NetworkDeleted, PortChanged
from quantum.openflow.facts import SeenInterface
from quantum.openflow.layout import LocalPort
from quantum.openflow.phase import Phase
from quantum.openflow.session import Session
from quantum.openflow.status import Sighting, op_status
from quantum.plugins.openvswitch.quarantine import Quarantine, detached
from quantum.plugins.openvswitch.sightings import Sightings
from quantum.plugins.openvswitch.slices import Slices
from quantum.plugins.openvswitch.switch import Switch

log = Logger()

PAUSE: Final = 20
"""Interfaces looked at between two pauses: about 0.2 ms."""


@implementer(IFabric, IHypervisorListener)
@define(eq=False)
class OpenVSwitchFabric:
    """
    Facts and intent on one side, the sessions of all switches on the other.

    It is also the ``plans`` of `ryu_apps.isolation`: `session` and `talk`.
    """

    _intent: IIntent
    _board: IStatusBoard
    _slices: Slices
    quarantine: Quarantine
    switches: dict[int, Switch] = field(factory=dict)
    _sightings: Sightings = field(factory=Sightings)

    # From the API, through the ledger

    def admit(self, change: Change) -> None:
        """Any network can be realised on Open vSwitch."""

    def tell(self, changes: Sequence[Change]) -> None:
        touched: set[Switch] = set()
        for change in changes:
            if isinstance(change, PortChanged):
                if change.after.attachment is None:
                    self._board.report(change.after.id, UNATTACHED)
                for attachment in {change.before.attachment, change.after.attachment}:
                    if attachment is not None:
                        touched |= self._look_at(attachment)
            elif isinstance(change, NetworkDeleted):
                self.quarantine.add(change.network.segment_id)
        for switch in touched:
            switch.talk()

    # From hypervisors, by OVSDB

    def hypervisor_synced(
        self, hypervisor: str, datapath_id: int, interfaces: Iterable[SeenInterface]
    ) -> None:
        present = list(interfaces)

        def sync() -> Iterator[None]:
            switch = self._switch(datapath_id)
            if not switch.is_claimed_by(hypervisor):
                log.error(
                    "hypervisors {first} and {second} both have a switch"
                    " {datapath_id:016x}; what {second} tells of it is ignored",
                    first=switch.hypervisor,
                    second=hypervisor,
                    datapath_id=datapath_id,
                )
                return
            gone = switch.names() - {interface.name for interface in present}
            yield from self._notice(switch, gone, present, is_shown=False)
            switch.is_synced = True
            # What a new switch acknowledges in a moment need not be shown before.
            switch.is_unshown = switch.is_about_to_settle
            self._introduce(switch)
            yield from self._show_all(
                interface.attachment
                for interface in present
                if not (switch.is_unshown and interface.ofport)
            )

        self._slices.do(sync())

    def interfaces_changed(
        self,
        hypervisor: str,
        datapath_id: int,
        gone: Iterable[str],
        seen: Iterable[SeenInterface],
    ) -> None:
        lost, present = list(gone), list(seen)

        def change() -> Iterator[None]:
            switch = self._switch(datapath_id)
            if switch.hypervisor == hypervisor:
                yield from self._notice(switch, lost, present)

        self._slices.do(change())

    def switch_gone(self, hypervisor: str, datapath_id: int) -> None:
        self.hypervisor_synced(hypervisor, datapath_id, ())

        def forget() -> Iterator[None]:
            switch = self._switch(datapath_id)
            if switch.hypervisor == hypervisor:
                switch.hypervisor = ""
                self._forget_stranger(switch)
            yield

        self._slices.do(forget())

    def hypervisor_lost(self, hypervisor: str) -> None:
        """What was seen last stays true until somebody says otherwise."""

        def lose() -> Iterator[None]:
            for switch in list(self.switches.values()):
                if switch.hypervisor == hypervisor:
                    switch.is_watched = False
            yield

        self._slices.do(lose())

    # From switches, by OpenFlow (the ``plans`` of `ryu_apps.isolation`)

    def session(self, datapath_id: int) -> Session:
        """Give the session of a switch."""
        return self._switch(datapath_id).session

    def talk(self, datapath: Any, session: Session) -> None:
        """Send what the session of a connected switch has to say."""
        switch = self._switch(datapath.id)
        switch.datapath = datapath
        switch.talk()

    # Both sides together

    def introduce_all(self) -> None:
        """Try again to record switches that could not be recorded when they came."""
        for switch in list(self.switches.values()):
            if switch.is_synced and not switch.session.is_known:
                self._introduce(switch)

    def show_all(self) -> None:
        """Report the status of every plugged port."""
        for binding in list(self._intent.bindings()):
            self._show(binding)

    def _notice(
        self,
        switch: Switch,
        gone: Iterable[str],
        seen: Iterable[SeenInterface],
        is_shown: bool = True,
    ) -> Iterator[None]:
        """Take note of interfaces, and compute what their ports should carry."""
        touched = {switch}
        for number, name in enumerate(gone):
            touched |= self._drop(switch, name)
            if number % PAUSE == 0:
                yield
        for number, interface in enumerate(seen):
            touched |= self._put(switch, interface, is_shown)
            if number % PAUSE == 0:
                yield
        for one in touched:
            one.talk()

    def _drop(self, switch: Switch, name: str) -> set[Switch]:
        """Forget an interface; say which switches have more to be told."""
        before = switch.drop(name)
        if before is None:
            return set()
        self._sightings.remove(before.attachment, (switch, name))
        return self._changed(switch, before)

    def _put(
        self, switch: Switch, interface: SeenInterface, is_shown: bool
    ) -> set[Switch]:
        """Add or replace an interface; say which switches have more to be told."""
        rival = switch.carrier(interface.ofport)
        before = switch.put(interface)
        place = (switch, interface.name)
        if before is not None and before.attachment != interface.attachment:
            self._sightings.remove(before.attachment, place)
        self._sightings.add(interface.attachment, place)
        touched = set() if before is None else self._changed(switch, before)
        if rival is not None and rival is not before:
            touched |= self._look_at(rival.attachment)
        return touched | self._look_at(interface.attachment, is_shown)

    def _changed(self, switch: Switch, before: SeenInterface) -> set[Switch]:
        """Look at what an interface was until now."""
        carrier = switch.carrier(before.ofport)
        if carrier is None and before.ofport:
            switch.session.want(before.ofport, None)
        return self._look_at(before.attachment)

    def _look_at(self, attachment: str, is_shown: bool = True) -> set[Switch]:
        """Compute what an interface's ports should carry, and show its status."""
        binding = self._intent.bound(attachment)
        places = self._sightings.places(attachment)
        for place in places:
            switch, name = place
            seen = switch.seen(name)
            if seen is not None and switch.carrier(seen.ofport) is seen:
                is_first = place is places[0]
                wanted = _carried(seen, binding) if is_first else None
                switch.session.want(seen.ofport, wanted)
        if binding is not None and is_shown:
            self._show(binding)
        return {switch for switch, _ in places}

    def _show(self, binding: Binding) -> None:
        """Report the status of the port that an interface is plugged into."""
        places = self._sightings.places(binding.attachment)
        sighting = None
        if places:
            (switch, name), *others = places
            seen = switch.seen(name)
            is_carrier = seen is not None and switch.carrier(seen.ofport) is seen
            ofport = seen.ofport if seen is not None and is_carrier else 0
            sighting = Sighting(
                name,
                ofport,
                switch.hypervisor,
                switch.datapath_id,
                switch.session.phase,
                switch.session.fate(ofport),
                tuple(f"{other.hypervisor} ({alias})" for other, alias in others),
                "" if seen is None else seen.problem,
            )
        self._board.report(binding.port_id, op_status(binding, sighting))

    def _switch(self, datapath_id: int) -> Switch:
        """Find a switch, or take note of a new one."""
        if datapath_id not in self.switches:

            def report(ofports: Collection[int] | None) -> None:
                self._reported(switch, ofports)

            switch = Switch(datapath_id, Session(report))
            self.switches[datapath_id] = switch
        return self.switches[datapath_id]

    def _forget_stranger(self, switch: Switch) -> None:
        """Forget a switch that is not connected and that no hypervisor has."""
        if switch.session.phase is Phase.ABSENT and not switch.hypervisor:
            del self.switches[switch.datapath_id]

    def _introduce(self, switch: Switch) -> None:
        """
        Let the session begin, once the switch's interfaces are known.

        A switch is recorded before it is sent anything, so that segments are
        not given out again while it could still hold flows of them.
        """
        if switch.is_being_recorded:
            return
        name = f"{switch.datapath_id:016x}"

        async def introduce() -> None:
            switch.is_being_recorded = True
            try:
                if name not in self._intent.known_switches():
                    await self._intent.remember_switch(name)
            except QuantumError as problem:
                log.warn("cannot record {name} yet: {why!r}", name=name, why=problem)
                return
            finally:
                switch.is_being_recorded = False
            switch.session.know()
            switch.talk()

        detached(introduce(), f"recording switch {name}")

    def _reported(self, switch: Switch, ofports: Collection[int] | None) -> None:
        """Show what became of some ports (None: all) of a switch."""
        if ofports is not None:
            for _ in self._show_all(self._carried_by(switch, ofports)):
                pass  # they are few
            return
        if switch.session.phase is Phase.ABSENT:
            switch.datapath = None
            self._forget_stranger(switch)
        if switch.is_news():
            log.info("switch {switch}", switch=switch.standing)
        self.show(switch)

    def _carried_by(self, switch: Switch, ofports: Iterable[int]) -> Iterator[str]:
        """Say which interfaces have these ports now."""
        for ofport in ofports:
            carrier = switch.carrier(ofport)
            if carrier is not None:
                yield carrier.attachment

    def show(self, switch: Switch) -> None:
        """Report the status of every port on a switch, by and by."""
        switch.is_unshown = False
        self._slices.do(self._show_all(self._carried_by(switch, switch.ofports())))

    def _show_all(self, attachments: Iterable[str]) -> Iterator[None]:
        for number, attachment in enumerate(attachments):
            binding = self._intent.bound(attachment)
            if binding is not None:
                self._show(binding)
            if number % PAUSE == PAUSE - 1:
                yield


def _carried(seen: SeenInterface, binding: Binding | None) -> LocalPort | None:
    """Say what an interface's port should carry."""
    if binding is None or not binding.is_active or seen.problem:
        return None
    return LocalPort(seen.ofport, binding.segment_id, seen.mac)
