# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""Every switch, from the first word of it until nobody tells of it any more."""

import re
from collections.abc import Collection, Iterable, Iterator
from typing import Any, Final

from attrs import define, field
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from quantum.errors import QuantumError, SwitchInReach, SwitchNotFound
from quantum.interfaces import IIntent
from quantum.model import SwitchStatus
from quantum.openflow.phase import Phase
from quantum.openflow.session import Session
from quantum.plugins.openvswitch.admission import Admission
from quantum.plugins.openvswitch.display import Display, carriers
from quantum.plugins.openvswitch.quarantine import detached
from quantum.plugins.openvswitch.recollection import Recollection
from quantum.plugins.openvswitch.role import role
from quantum.plugins.openvswitch.standing import standing
from quantum.plugins.openvswitch.switch import Switch
from quantum.plugins.openvswitch.wiring import Wiring

log = Logger()

NAME: Final = re.compile("[0-9a-f]{16}")


@define(eq=False)
class Roll:
    """Makes switches known, lets them begin, and follows how they stand."""

    _intent: IIntent
    _clock: IReactorTime
    _wiring: Wiring
    _display: Display
    _admission: Admission
    _grace: float
    """Seconds in which a switch that is away may come back."""
    switches: dict[int, Switch] = field(factory=dict)

    def switch(self, datapath_id: int) -> Switch:
        """Find a switch, or take note of a new one."""
        if datapath_id not in self.switches:

            def report(ofports: Collection[int] | None) -> None:
                self._reported(switch, ofports)

            switch = Switch(datapath_id, Session(report, is_gated=True))
            self.switches[datapath_id] = switch
        return self.switches[datapath_id]

    def meet(self, datapath: Any) -> Switch:
        """Find the switch of an OpenFlow connection, which may be a new one."""
        switch = self.switch(datapath.id)
        if switch.datapath is not datapath:
            self._wiring.reconsider(switch, switch.came(datapath))
            switch.connected_since = self._clock.seconds()
            detached(_learn_role(switch, datapath), "asking for a role")
            self._wiring.watch_reach(switch)
            self._begin(switch)
        return switch

    def introduce(self, switch: Switch) -> None:
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
                # Though it be recorded: that may be about to be undone.
                await self._intent.remember_switch(name)
            except QuantumError as problem:
                log.warn("cannot record {name} yet: {why!r}", name=name, why=problem)
                return
            finally:
                switch.is_being_recorded = False
            switch.session.know()
            self._begin(switch)
            switch.talk()

        detached(introduce(), f"recording switch {name}")

    def review(self) -> None:
        """
        Look after switches that something has not become of yet.

        Those that could not be recorded when they came are recorded; those that
        went, or that an earlier process had, and that did not come back in time,
        are out of reach; and who is nobody's is forgotten.
        """
        for switch in list(self.switches.values()):
            self.forget_stranger(switch)
        for switch in list(self.switches.values()):
            if switch.is_synced and not switch.session.is_known:
                self.introduce(switch)
        self._give_up()

    def miss(self, switch: Switch) -> None:
        """Take note that a connection of a switch has ended; wait if none is left."""
        if not switch.is_connected:
            self._wait_for(switch)
        self._wiring.watch_reach(switch)

    def recollect(self, some: Iterable[Recollection]) -> Iterator[None]:
        """
        Let what an earlier process saw last count until somebody says otherwise.

        What was seen first is so again, whichever switch is looked at first.
        """
        known = self._intent.known_switches()
        expected: list[tuple[Switch, Recollection]] = []
        for found in some:
            if f"{found.datapath_id:016x}" not in known:
                continue  # it was forgotten since
            switch = self.switch(found.datapath_id)
            if not switch.hypervisor:
                self._expect(switch, found)
                expected.append((switch, found))
            yield
        for switch, found in expected:
            yield from self._wiring.relay(switch, found.underlay)
            yield from self._wiring.notice(switch, (), found.interfaces)

    def _expect(self, switch: Switch, found: Recollection) -> None:
        """Take a switch for an earlier process's, whose interfaces are yet to come."""
        switch.hypervisor = found.hypervisor
        if found.is_in_reach:
            switch.holder = found.hypervisor
            self._wait_for(switch)
        self._wiring.watch_reach(switch)
        self._wiring.reserve(switch, found.first)

    def statuses(self) -> list[SwitchStatus]:
        """Say how each switch stands, also those that are only recorded."""
        names = self._intent.known_switches()
        statuses = {name: SwitchStatus(name, "", Phase.ABSENT) for name in names}
        for switch in self.switches.values():
            status = standing(switch)
            statuses[status.datapath_id] = status
        return [status for _, status in sorted(statuses.items())]

    def number(self, name: str) -> int:
        """
        Read a datapath id, as `statuses` has it.

        :raise SwitchNotFound: There is no such switch.
        """
        if NAME.fullmatch(name):
            number = int(name, 16)
            if number in self.switches or name in self._intent.known_switches():
                return number
        raise SwitchNotFound(name)

    def strike(self, datapath_id: int) -> Switch | None:
        """
        Take a switch off the roll, so that whatever comes later is a new one.

        :return: The switch, if it was heard of, with what was seen on it.

        :raise SwitchInReach: It, or its hypervisor, is connected.
        """
        switch = self.switches.get(datapath_id)
        if switch is not None and switch.is_connected:
            raise SwitchInReach(f"{datapath_id:016x}")
        return self.switches.pop(datapath_id, None)

    async def erase(self, datapath_id: int) -> None:
        """Record that a switch that was struck off exists no longer."""
        name = f"{datapath_id:016x}"
        await self._intent.forget_switch(name)
        log.info("switch {name} is forgotten", name=name)

    def forget_stranger(self, switch: Switch) -> None:
        """Forget a switch that is not connected and that no hypervisor has."""
        if switch.session.phase is Phase.ABSENT and not switch.hypervisor:
            self.switches.pop(switch.datapath_id, None)

    def _wait_for(self, switch: Switch) -> None:
        """Take a switch to be in reach, and its holder's, for some time yet."""
        if not switch.hypervisor or self._grace == 0:
            switch.let_go()
        else:
            switch.awaited_until = self._clock.seconds() + self._grace

    def _give_up(self) -> None:
        """Wait no longer for those that did not come back in time."""
        now = self._clock.seconds()
        due = [s for s in self.switches.values() if s.is_overdue(now)]
        # Of several that are overdue none is in reach when any of them is looked at.
        for switch in due:
            switch.let_go()
        for switch in due:
            self._wiring.watch_reach(switch)

    def _begin(self, switch: Switch) -> None:
        """Let a switch be put right in its turn, once its interfaces are known."""
        if switch.session.is_known:
            self._admission.ask(switch)

    def _reported(self, switch: Switch, ofports: Collection[int] | None) -> None:
        """Show what became of some ports (None: all) of a switch."""
        if ofports is not None:
            ports = [(switch, ofport) for ofport in ofports]
            for _ in self._display.show_interfaces(carriers(ports)):
                pass  # they are few
            return
        phase = switch.session.phase
        if phase is Phase.ABSENT:
            was_connected = switch.is_connected
            self._wiring.reconsider(switch, switch.left())
            self.forget_stranger(switch)
            if was_connected:
                self.miss(switch)
        if phase is not Phase.SYNCING:
            self._admission.leave(switch)
        if switch.is_news():
            log.info("switch {switch}", switch=switch.standing)
        self._display.show_switch(switch)


async def _learn_role(switch: Switch, datapath: Any) -> None:
    """Ask a switch what we are to it, and remember that while it is connected."""
    answer = await role(datapath)
    if switch.datapath is datapath:
        switch.role = answer
