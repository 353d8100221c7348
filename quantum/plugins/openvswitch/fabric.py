# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""Recorded networks, realised on Open vSwitch."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from random import Random
from typing import Any

from attrs import define
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from zope.interface import implementer

from quantum.config import OpenVSwitch
from quantum.errors import FabricRefused
from quantum.interfaces import (
    IFabric,
    IIntent,
    IStatusBoard,
    ISwitches,
)
from quantum.model import (
    UNATTACHED,
    Change,
    Network,
    NetworkBound,
    NetworkDeleted,
    PortChanged,
    SwitchStatus,
)
from quantum.openflow.facts import Underlay
from quantum.openflow.session import Session
from quantum.plugins.openvswitch.admission import Admission
from quantum.plugins.openvswitch.display import Display
from quantum.plugins.openvswitch.mtus import Mtus
from quantum.plugins.openvswitch.quarantine import Quarantine
from quantum.plugins.openvswitch.recollection import Recollection
from quantum.plugins.openvswitch.roll import Roll
from quantum.plugins.openvswitch.slices import Slices
from quantum.plugins.openvswitch.spans import Spans
from quantum.plugins.openvswitch.switch import Switch
from quantum.plugins.openvswitch.testimony import Testimony
from quantum.plugins.openvswitch.whereabouts import Whereabouts
from quantum.plugins.openvswitch.wiring import Wiring


@implementer(IFabric, ISwitches)
@define(eq=False)
class OpenVSwitchFabric:
    """
    Facts and intent on one side, the sessions of all switches on the other.

    Hypervisors tell their `testimony`.  The fabric itself is the ``plans`` of
    `ryu_apps.isolation`: `session`, `talk`, `port_told` and `left`.
    """

    _board: IStatusBoard
    _slices: Slices
    _mtus: Mtus
    _wiring: Wiring
    testimony: Testimony
    display: Display
    roll: Roll
    admission: Admission
    quarantine: Quarantine

    @classmethod
    def over(
        cls,
        intent: IIntent,
        board: IStatusBoard,
        clock: IReactorTime,
        options: OpenVSwitch,
        random: Random,
    ) -> "OpenVSwitchFabric":
        """Put a fabric together from its parts."""
        slices, mtus = Slices(clock), Mtus(options)
        admission = Admission(clock, random)
        spans = Spans(slices)
        whereabouts = Whereabouts(spans, mtus)
        display = Display(intent, board, slices, whereabouts)
        wiring = Wiring(intent, slices, spans, whereabouts, display)
        grace = options.absence_grace
        roll = Roll(intent, clock, wiring, display, admission, grace)
        return cls(
            *(board, slices, mtus, wiring),
            *(Testimony(slices, spans, wiring, display, roll), display, roll),
            *(admission, Quarantine(intent)),
        )

    @property
    def switches(self) -> Mapping[int, Switch]:
        """Every switch by its datapath id."""
        return self.roll.switches

    # From the API, through the ledger

    def admit(self, change: Change) -> None:
        if isinstance(change, NetworkBound):
            vlan = change.network.vlan
            if vlan is not None and self._mtus.of(vlan) is None:
                raise FabricRefused(
                    f"no physical network {vlan.physical_network} is configured"
                )

    def mtu(self, network: Network) -> int | None:
        return self._mtus.of(network.vlan)

    def tell(self, changes: Sequence[Change]) -> None:
        touched: set[Switch] = set()
        for change in changes:
            if isinstance(change, PortChanged):
                if change.after.attachment is None:
                    self._board.report(change.after.id, UNATTACHED)
                for attachment in {change.before.attachment, change.after.attachment}:
                    if attachment is not None:
                        touched |= self._wiring.look_at(attachment)
            elif isinstance(change, NetworkDeleted):
                self.quarantine.add(change.network.segment_id)
        for switch in touched:
            switch.talk()

    def switch_statuses(self) -> Iterable[SwitchStatus]:
        return self.roll.statuses()

    async def forget_switch(self, datapath_id: str) -> None:
        number = self.roll.number(datapath_id)
        taken_away: Deferred[None] = Deferred()
        # In its turn: what hypervisors have told before may be that it is there.
        self._slices.do(self._take_away(number, taken_away))
        await taken_away
        await self.roll.erase(number)

    def _take_away(self, number: int, taken_away: Deferred[None]) -> Iterator[None]:
        """Take everything away that was seen on a switch, unless it is there."""
        try:
            switch = self.roll.strike(number)
            if switch is not None:
                yield from self._wiring.notice(switch, switch.names(), ())
                yield from self._wiring.relay(switch, Underlay())
                switch.hypervisor = ""  # it is not to be introduced any more
        except Exception:  # noqa: BLE001  whoever asked is told
            taken_away.errback()
        else:
            # Before any other work, such as that of a switch that comes back.
            taken_away.callback(None)

    # From an earlier process

    def recollect(self, some: Iterable[Recollection]) -> None:
        """Let what was seen last count until somebody says otherwise."""
        self._slices.do(self.roll.recollect(some))

    # From switches, by OpenFlow (the ``plans`` of `ryu_apps.isolation`)

    def session(self, datapath_id: int) -> Session:
        """Give the session of a switch."""
        return self.roll.switch(datapath_id).session

    def talk(self, datapath: Any, session: Session) -> None:
        """Send what the session of a connected switch has to say."""
        self.roll.meet(datapath).talk()

    def port_told(self, datapath: Any, ofport: int, name: bytes) -> None:
        """Compare what a switch tells of a port with what OVSDB has told of it."""
        switch = self.switches.get(datapath.id)
        if switch is not None and switch.datapath is datapath:
            self._wiring.heed(switch, ofport, name)

    def left(self, datapath: Any) -> None:
        """Tell the session of a switch that is gone; a stranger has none."""
        switch = self.switches.get(datapath.id)
        if switch is not None:
            switch.session.left()
            self.testimony.pass_on(datapath.id)
