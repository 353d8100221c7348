# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""Recorded networks, realised on Open vSwitch."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from random import Random
from typing import Any

from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from zope.interface import implementer

from quantum.config import OpenVSwitch
from quantum.errors import FabricRefused
from quantum.interfaces import (
    IFabric,
    IHypervisorListener,
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
from quantum.openflow.facts import SeenInterface, Underlay
from quantum.openflow.session import Session
from quantum.plugins.openvswitch.admission import Admission
from quantum.plugins.openvswitch.display import Display
from quantum.plugins.openvswitch.mtus import Mtus
from quantum.plugins.openvswitch.quarantine import Quarantine
from quantum.plugins.openvswitch.recollection import Recollection
from quantum.plugins.openvswitch.rivals import Rivals
from quantum.plugins.openvswitch.roll import Roll
from quantum.plugins.openvswitch.slices import Slices
from quantum.plugins.openvswitch.spans import Spans
from quantum.plugins.openvswitch.switch import Switch
from quantum.plugins.openvswitch.whereabouts import Whereabouts
from quantum.plugins.openvswitch.wiring import Wiring

log = Logger()


@implementer(IFabric, IHypervisorListener, ISwitches)
@define(eq=False)
class OpenVSwitchFabric:
    """
    Facts and intent on one side, the sessions of all switches on the other.

    It is also the ``plans`` of `ryu_apps.isolation`: `session`, `talk`,
    `port_told` and `left`.
    """

    _board: IStatusBoard
    _slices: Slices
    _mtus: Mtus
    _spans: Spans
    _wiring: Wiring
    display: Display
    roll: Roll
    admission: Admission
    quarantine: Quarantine
    _rivals: Rivals = field(factory=Rivals)

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
            *(board, slices, mtus, spans, wiring),
            *(display, roll, admission, Quarantine(intent)),
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

    # From hypervisors, by OVSDB

    def hypervisor_synced(
        self, hypervisor: str, datapath_id: int, interfaces: Iterable[SeenInterface]
    ) -> None:
        self._slices.do(self._sync(hypervisor, datapath_id, list(interfaces)))

    def interfaces_changed(
        self,
        hypervisor: str,
        datapath_id: int,
        gone: Iterable[str],
        seen: Iterable[SeenInterface],
    ) -> None:
        lost, present = list(gone), list(seen)

        def change() -> Iterator[None]:
            switch = self.roll.switch(datapath_id)
            if switch.hypervisor == hypervisor:
                yield from self._wiring.notice(switch, lost, present)
            else:
                self._rivals.take_some(hypervisor, datapath_id, lost, present)

        self._slices.do(change())

    def underlay_changed(
        self, hypervisor: str, datapath_id: int, underlay: Underlay
    ) -> None:
        self._slices.do(self._relay(hypervisor, datapath_id, underlay))

    def switch_gone(self, hypervisor: str, datapath_id: int) -> None:
        def forget() -> Iterator[None]:
            self._rivals.forget(hypervisor, datapath_id)
            switch = self.roll.switch(datapath_id)
            if switch.hypervisor == hypervisor:
                yield from self._wiring.notice(switch, switch.names(), ())
                yield from self._wiring.relay(switch, Underlay())
                switch.disown()
                self._wiring.watch_reach(switch)
                self.roll.forget_stranger(switch)
                self._pass_on(switch)

        self._slices.do(forget())

    def hypervisor_renamed(self, before: str, now: str) -> None:
        def rename() -> Iterator[None]:
            self._rivals.rename(before, now)
            for switch in list(self.switches.values()):
                switch.rename(before, now)
            yield

        self._slices.do(rename())

    def hypervisor_lost(self, hypervisor: str) -> None:
        """What was seen last stays true until somebody says otherwise."""

        def lose() -> Iterator[None]:
            self._rivals.forget(hypervisor)
            for switch in list(self.switches.values()):
                if switch.hypervisor == hypervisor and switch.is_watched:
                    switch.lose_sight()
                    self.roll.miss(switch)
                    self._pass_on(switch)
            yield

        self._slices.do(lose())

    def worked_off(self) -> Deferred[None]:
        done: Deferred[None] = Deferred()

        def finish() -> Iterator[None]:
            done.callback(None)
            yield

        self._slices.do(finish())
        return done

    def _sync(
        self, hypervisor: str, datapath_id: int, present: Sequence[SeenInterface]
    ) -> Iterator[None]:
        """Take a whole picture of a switch."""
        switch = self.roll.switch(datapath_id)
        if not self._is_claimed(switch, hypervisor):
            if self._rivals.take_all(hypervisor, datapath_id, present):
                log.error(
                    "hypervisors {first} and {second} both have a switch"
                    " {datapath_id:016x}; what {second} tells of it is ignored",
                    first=switch.holder,
                    second=hypervisor,
                    datapath_id=datapath_id,
                )
            return
        gone = switch.names() - {interface.name for interface in present}
        yield from self._wiring.notice(switch, gone, present, is_shown=False)

        def introduce() -> None:
            self._slices.do(self._introduce(switch, hypervisor, present))

        # After what has just been told of it to others, and of others to it.
        self._spans.when_told(switch, introduce)

    def _introduce(
        self, switch: Switch, hypervisor: str, present: Sequence[SeenInterface]
    ) -> Iterator[None]:
        """Let a switch be programmed, now that its interfaces are known."""
        if switch.hypervisor != hypervisor:
            return  # its bridge was deleted meanwhile, or it was forgotten
        switch.is_synced = True
        # What a new switch acknowledges in a moment need not be shown before.
        switch.is_unshown = switch.is_about_to_settle
        self.roll.introduce(switch)
        yield from self.display.show_interfaces(
            interface.attachment
            for interface in present
            if not (switch.is_unshown and interface.ofport)
        )

    def _is_claimed(self, switch: Switch, hypervisor: str) -> bool:
        """Let a hypervisor tell of a switch, unless it is another's."""
        is_claimed = switch.is_claimed_by(hypervisor)
        if is_claimed:
            self._rivals.forget(hypervisor)
        self._wiring.watch_reach(switch)
        return is_claimed

    def _relay(
        self, hypervisor: str, datapath_id: int, underlay: Underlay
    ) -> Iterator[None]:
        """Take what a switch is reached by."""
        switch = self.roll.switch(datapath_id)
        if self._is_claimed(switch, hypervisor):
            yield from self._wiring.relay(switch, underlay)
        else:
            self._rivals.take_underlay(hypervisor, datapath_id, underlay)

    def _pass_on(self, switch: Switch) -> None:
        """Let who has waited longest for a switch have it, if it is nobody's now."""
        datapath_id = switch.datapath_id

        def pass_on() -> Iterator[None]:
            now = self.switches.get(datapath_id)
            is_free = now is None or not now.holder
            waiting = self._rivals.next(datapath_id) if is_free else None
            if waiting is None:
                return
            hypervisor, rival = waiting
            if rival.underlay is not None:
                yield from self._relay(hypervisor, datapath_id, rival.underlay)
            if rival.seen is not None:
                present = list(rival.seen.values())
                yield from self._sync(hypervisor, datapath_id, present)

        self._slices.do(pass_on())

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
            self._pass_on(switch)
