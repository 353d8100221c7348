# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
Recorded networks, realised on Open vSwitch.

What a port should carry is computed anew from what is recorded and what is
seen whenever either has changed; events say only where to look.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from attrs import define, field
from twisted.logger import Logger
from zope.interface import implementer

from quantum.interfaces import IFabric, IHypervisorListener, IIntent, IStatusBoard
from quantum.model import (
    UNATTACHED,
    Binding,
    Change,
    NetworkDeleted,
    PortChanged,
    Status,
)
from quantum.openflow.facts import SeenInterface
from quantum.openflow.layout import LocalPort
from quantum.openflow.phase import Phase
from quantum.openflow.session import Session
from quantum.openflow.status import Sighting, op_status
from quantum.plugins.openvswitch.quarantine import Quarantine, detached
from quantum.plugins.openvswitch.sightings import Sightings
from quantum.plugins.openvswitch.switch import Switch

log = Logger()


@implementer(IFabric, IHypervisorListener)
@define(eq=False)
class OpenVSwitchFabric:
    """
    Facts and intent on one side, the sessions of all switches on the other.

    It is also the ``plans`` of `ryu_apps.isolation`: `session` and `talk`.
    """

    _intent: IIntent
    _board: IStatusBoard
    quarantine: Quarantine
    switches: dict[int, Switch] = field(factory=dict)
    _sightings: Sightings = field(factory=Sightings)

    # From the API, through the ledger

    def admit(self, change: Change) -> None:
        """Any network can be realised on Open vSwitch."""

    def tell(self, changes: Sequence[Change]) -> None:
        attachments: dict[str, None] = {}
        for change in changes:
            if isinstance(change, PortChanged):
                if change.after.attachment is None:
                    self._board.report(change.after.id, UNATTACHED)
                for port in (change.before, change.after):
                    if port.attachment is not None:
                        attachments[port.attachment] = None
            elif isinstance(change, NetworkDeleted):
                self.quarantine.add(change.network.segment_id)
        self._look_at(attachments)

    def show_all(self) -> None:
        """Report the status of every plugged port."""
        for binding in list(self._intent.bindings()):
            self._board.report(binding.port_id, self._status(binding))

    # From hypervisors, by OVSDB

    def hypervisor_synced(
        self, hypervisor: str, datapath_id: int, interfaces: Iterable[SeenInterface]
    ) -> None:
        switch = self._switch(datapath_id)
        switch.hypervisor = hypervisor
        switch.is_synced = True
        present = list(interfaces)
        gone = switch.names() - {interface.name for interface in present}
        self.interfaces_changed(hypervisor, datapath_id, gone, present)
        self._introduce(switch)

    def interfaces_changed(
        self,
        hypervisor: str,
        datapath_id: int,
        gone: Iterable[str],
        seen: Iterable[SeenInterface],
    ) -> None:
        switch = self._switch(datapath_id)
        attachments: dict[str, None] = {}
        ofports: dict[int, None] = {}
        for name in gone:
            for interface in switch.drop(name):
                self._sightings.remove(interface.attachment, (switch, name))
                attachments[interface.attachment] = None
                ofports[interface.ofport] = None
        for interface in seen:
            for touched in switch.put(interface):
                place = (switch, touched.name)
                if touched is interface:
                    self._sightings.add(touched.attachment, place)
                elif touched.attachment != interface.attachment:
                    self._sightings.remove(touched.attachment, place)
                attachments[touched.attachment] = None
                ofports[touched.ofport] = None
        for ofport in ofports:
            switch.session.want(ofport, self._wanted(switch, ofport))
        self._look_at(attachments, also=switch)

    def switch_gone(self, hypervisor: str, datapath_id: int) -> None:
        switch = self._switch(datapath_id)
        self.interfaces_changed(hypervisor, datapath_id, switch.names(), ())
        switch.is_synced = False

    def hypervisor_lost(self, hypervisor: str) -> None:
        """What was seen last stays true until somebody says otherwise."""

    # From switches, by OpenFlow (the ``plans`` of `ryu_apps.isolation`)

    def session(self, datapath_id: int) -> Session:
        """Give the session of a switch."""
        return self._switch(datapath_id).session

    def talk(self, datapath: Any, session: Session) -> None:
        """Send what the session of a connected switch has to say."""
        switch = self._switch(datapath.id)
        if switch.datapath is not datapath:
            switch.datapath = datapath
            self._introduce(switch)
        switch.talk()

    # Both sides together

    def _look_at(self, attachments: Iterable[str], also: Switch | None = None) -> None:
        """Compute anew what these interfaces should carry, and their status."""
        touched = {} if also is None else {also: None}
        for attachment in attachments:
            for switch, name in self._sightings.places(attachment):
                seen = switch.seen(name)
                if seen is not None and seen.ofport:
                    wanted = self._wanted(switch, seen.ofport)
                    switch.session.want(seen.ofport, wanted)
                    touched[switch] = None
        for attachment in attachments:
            self._show(attachment)
        for switch in touched:
            switch.talk()

    def _wanted(self, switch: Switch, ofport: int) -> LocalPort | None:
        """Say what an OpenFlow port should carry now."""
        seen = switch.carrier(ofport)
        binding = None if seen is None else self._intent.bound(seen.attachment)
        if seen is None or binding is None or not binding.is_active:
            return None
        if self._sightings.places(seen.attachment)[0] != (switch, seen.name):
            return None
        mac = None if seen.mac is None else seen.mac.to_bytes(6, "big")
        return LocalPort(ofport, binding.segment_id, mac)

    def _show(self, attachment: str) -> None:
        """Report the status of the port that an interface is plugged into."""
        binding = self._intent.bound(attachment)
        if binding is not None:
            self._board.report(binding.port_id, self._status(binding))

    def _status(self, binding: Binding) -> Status:
        places = self._sightings.places(binding.attachment)
        if not places:
            return op_status(binding, None)
        (switch, name), *others = places
        seen = switch.seen(name)
        ofport = 0 if seen is None else seen.ofport
        wanted = self._wanted(switch, ofport)
        sighting = Sighting(
            name=name,
            ofport=ofport,
            hypervisor=switch.hypervisor,
            datapath_id=switch.datapath_id,
            phase=switch.session.phase,
            fate="" if wanted is None else switch.session.fate(wanted),
            elsewhere=tuple(f"{s.hypervisor} ({n})" for s, n in others),
        )
        return op_status(binding, sighting)

    def _switch(self, datapath_id: int) -> Switch:
        """Find a switch, or take note of a new one."""
        if datapath_id not in self.switches:

            def report(ofports: Collection[int] | None) -> None:
                self._reported(switch, ofports)

            switch = Switch(datapath_id, Session(report))
            self.switches[datapath_id] = switch
        return self.switches[datapath_id]

    def _introduce(self, switch: Switch) -> None:
        """
        Let the session begin, once both sides of a switch are known.

        A switch is recorded before it is sent anything, so that segments are
        not given out again while it could still hold flows of them.
        """
        if not switch.is_synced:
            return
        name = f"{switch.datapath_id:016x}"
        if name in self._intent.known_switches():
            self._begin(switch)
            return
        detached(self._remember(switch, name), f"recording switch {name}")

    async def _remember(self, switch: Switch, name: str) -> None:
        await self._intent.remember_switch(name)
        self._begin(switch)

    def _begin(self, switch: Switch) -> None:
        wanted = {o: self._wanted(switch, o) for o in switch.ofports()}
        switch.session.know({o: port for o, port in wanted.items() if port})
        switch.talk()

    def _reported(self, switch: Switch, ofports: Collection[int] | None) -> None:
        """Show what became of some ports (None: all) of a switch."""
        if ofports is None:
            if switch.session.phase is Phase.ABSENT:
                switch.datapath = None
            log.info(
                "switch {datapath_id:016x} on {hypervisor} is {phase}",
                datapath_id=switch.datapath_id,
                hypervisor=switch.hypervisor,
                phase=switch.session.phase,
            )
        for ofport in tuple(switch.ofports()) if ofports is None else ofports:
            seen = switch.carrier(ofport)
            if seen is not None:
                self._show(seen.attachment)
