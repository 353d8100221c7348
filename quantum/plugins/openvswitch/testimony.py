# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""What hypervisors tell of their switches, and whose word counts."""

from collections.abc import Iterable, Iterator, Sequence

from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.logger import Logger
from zope.interface import implementer

from quantum.interfaces import IHypervisorListener
from quantum.openflow.facts import SeenInterface, Underlay
from quantum.plugins.openvswitch.display import Display
from quantum.plugins.openvswitch.rivals import Rivals
from quantum.plugins.openvswitch.roll import Roll
from quantum.plugins.openvswitch.slices import Slices
from quantum.plugins.openvswitch.spans import Spans
from quantum.plugins.openvswitch.switch import Switch
from quantum.plugins.openvswitch.wiring import Wiring

log = Logger()


@implementer(IHypervisorListener)
@define(eq=False)
class Testimony:
    """
    Takes what comes by OVSDB, in order and in slices.

    A switch has one hypervisor at a time; what others tell of it is kept aside.
    """

    _slices: Slices
    _spans: Spans
    _wiring: Wiring
    _display: Display
    _roll: Roll
    _rivals: Rivals = field(factory=Rivals)

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
            switch = self._roll.switch(datapath_id)
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
            switch = self._roll.switch(datapath_id)
            if switch.hypervisor == hypervisor:
                yield from self._wiring.notice(switch, switch.names(), ())
                yield from self._wiring.relay(switch, Underlay())
                switch.disown()
                self._roll.miss(switch)
                _hang_up(switch)
                self._roll.forget_stranger(switch)
                self.pass_on(datapath_id)

        self._slices.do(forget())

    def hypervisor_renamed(self, before: str, now: str) -> None:
        def rename() -> Iterator[None]:
            self._rivals.rename(before, now)
            for switch in list(self._roll.switches.values()):
                switch.rename(before, now)
            yield

        self._slices.do(rename())

    def hypervisor_lost(self, hypervisor: str) -> None:
        """What was seen last stays true until somebody says otherwise."""

        def lose() -> Iterator[None]:
            self._rivals.forget(hypervisor)
            for switch in list(self._roll.switches.values()):
                if switch.hypervisor == hypervisor and switch.is_watched:
                    switch.is_watched = False
                    self._roll.miss(switch)
                    if self._rivals.want(switch.datapath_id):
                        _hang_up(switch)  # it may be either's
                    self.pass_on(switch.datapath_id)
            yield

        self._slices.do(lose())

    def worked_off(self) -> Deferred[None]:
        done: Deferred[None] = Deferred()

        def finish() -> Iterator[None]:
            done.callback(None)
            yield

        self._slices.do(finish())
        return done

    def pass_on(self, datapath_id: int) -> None:
        """Let who has waited longest for a switch have it, if it is nobody's now."""
        if self._rivals.want(datapath_id):
            self._slices.do(self._pass_on(datapath_id))

    def review(self) -> None:
        """Look after the switches that somebody waits for."""
        for datapath_id in self._rivals.wanted():
            self.pass_on(datapath_id)

    def _pass_on(self, datapath_id: int) -> Iterator[None]:
        switch = self._roll.switches.get(datapath_id)
        is_free = switch is None or not switch.holder
        waiting = self._rivals.next(datapath_id) if is_free else None
        if waiting is None:
            return
        hypervisor, rival = waiting
        if rival.underlay is not None:
            yield from self._relay(hypervisor, datapath_id, rival.underlay)
        if rival.seen is not None:
            yield from self._sync(hypervisor, datapath_id, list(rival.seen.values()))

    def _sync(
        self, hypervisor: str, datapath_id: int, present: Sequence[SeenInterface]
    ) -> Iterator[None]:
        """Take a whole picture of a switch."""
        switch = self._roll.switch(datapath_id)
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
        self._roll.introduce(switch)
        yield from self._display.show_interfaces(
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
        switch = self._roll.switch(datapath_id)
        if self._is_claimed(switch, hypervisor):
            yield from self._wiring.relay(switch, underlay)
        else:
            self._rivals.take_underlay(hypervisor, datapath_id, underlay)


def _hang_up(switch: Switch) -> None:
    """End a switch's connection, which may not be that of who told of it last."""
    if switch.datapath is not None:
        switch.datapath.close()
