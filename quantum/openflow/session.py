# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
The conversation with one switch, without any input or output of its own.

Bytes that should be sent are pulled out by `Session.say`; what the switch
answered is put in by the other methods.  Connecting, auditing, repairing and
moving tunnels are one path: read the flows, compare, send the difference, wait
for the barrier.  Changes go the same way without the reading.

A change is a bundle that the switch takes whole or not at all.  One that it
refuses is cut in halves until the members at fault stand alone; those are left
out, with the reason, and everything else proceeds.
"""

from collections.abc import Callable, Collection, Generator, Mapping
from enum import Enum
from typing import Final

from attrs import define, field

from quantum.openflow.backlog import Backlog
from quantum.openflow.blame import blamed
from quantum.openflow.bundle import Bundle
from quantum.openflow.dialogue import Dialogue
from quantum.openflow.flow import encode
from quantum.openflow.inspection import Inspection
from quantum.openflow.layout import Difference
from quantum.openflow.member import Member, uplink_key
from quantum.openflow.phase import TRANSITIONS, Event, Phase
from quantum.openflow.talk import WAITING, Talk

PATIENCE: Final = 5
"""Audits that changes may interrupt before one of them makes changes wait."""
Report = Callable[[Collection[int] | None], None]
"""Is told the OpenFlow ports whose fate has changed; None for every port."""

_KNOWING = (Phase.SETTLED, Phase.CHANGING)
_FIRST_REMOTE: Final = 1 << 32
_FIRST_UPLINK: Final = uplink_key(0)
"""The keys of members that are no ports of the switch itself begin here."""


class _Why(Enum):
    """What all flows of a switch are read for."""

    DOUBT = "it is not known what the switch has"
    AUDIT = "it is time to"
    MOVE = "tunnels have another port"


@define
class Session(Dialogue):
    """
    One switch: what it should carry, and the talk that gets it there.

    It outlives connections.  Ask `fate` about each port that is reported.
    """

    report: Report
    is_gated: bool = False
    """After each joining it waits for `admit`."""
    phase: Phase = Phase.ABSENT
    refusal: str = ""
    """Why the phase is REFUSING."""
    flow_count: int = 0
    """How many flows the switch should hold, as of the last acknowledgement."""
    audits: int = 0
    """How often all flows were compared."""
    repairs: int = 0
    """How many flow-mods were sent because an audit found a difference."""
    is_known: bool = False
    """Everything wanted was told; before that nothing is said."""
    tunnel: int = 0
    """The OpenFlow port of the tunnels, or 0; see `use_tunnel`."""
    _backlog: Backlog = field(factory=Backlog)
    _is_admitted: bool = False
    _is_moved: bool = False
    _audit_due: str = ""
    _audits_given_up: int = 0
    _script: Talk | None = None

    # What is wanted

    def know(self) -> None:
        """
        Take note that everything wanted has been told.

        Until then the switch keeps the flows that an earlier process left:
        nothing is known that could replace them.
        """
        self.is_known = True

    def want(self, key: int, member: Member | None) -> None:
        """
        Let something belong to a network, or (None) nothing any more.

        The key is as `quantum.openflow.member` says: that of a port of the
        switch is its number.
        """
        if not self.is_known:
            self._backlog.layout.put(key, member)
            return
        is_news = self._backlog.want(key, member)
        if self.phase in (Phase.ABSENT, Phase.REFUSING):
            self._backlog.absorb()
        elif is_news and self.phase in _KNOWING:
            self._move(Event.CHANGED)

    def use_tunnel(self, ofport: int) -> None:
        """
        Let the tunnels have an OpenFlow port, or (0) let there be none.

        Then all flows are compared, and those about the old port go first.
        Meanwhile the session is not settled, but the switch's own ports keep
        their fate: what was acknowledged for them stays as it is.
        """
        if ofport == self.tunnel:
            return
        self.tunnel, self._is_moved = ofport, True
        if self.phase in _KNOWING:
            self._move(Event.CHANGED)

    def fate(self, ofport: int) -> str | None:
        """
        Say why a port does not carry what it should.

        :return: None if the switch has acknowledged it; "" while that is still
            expected; else the reason.
        """
        if self.phase is Phase.REFUSING:
            return self.refusal
        refused = self._backlog.refused.get(ofport)
        if refused is not None:
            return refused[1]
        is_told = self.phase in _KNOWING and self._backlog.is_told(ofport)
        return None if is_told else ""

    @property
    def trouble(self) -> str:
        """Say what the switch refuses now, in plain words, if anything."""
        return self.refusal if self.phase is Phase.REFUSING else self._backlog.trouble

    def carries(self, segment: int) -> bool:
        """Say whether the switch may still have flows of a network."""
        is_sure = self.phase in _KNOWING and not self._backlog.flying
        return not is_sure or self._backlog.layout.carries(segment)

    def members(self) -> Mapping[int, Member]:
        """List what the switch should carry, by key, as it was last told."""
        return self._backlog.layout.members

    def audit(self, *, is_full: bool) -> None:
        """Soon count the flows on the switch or (``is_full``) compare them all."""
        self._audit_due = "all" if is_full else self._audit_due or "count"

    @property
    def is_refused(self) -> bool:
        """The switch refuses something of what is wanted."""
        return self.phase is Phase.REFUSING or bool(self._backlog.refused)

    def retry(self) -> None:
        """Try again what was refused."""
        if self.phase is Phase.REFUSING:
            self._move(Event.RETRIED)
            self._script = self._converse()
        elif self._backlog.refused:
            self._backlog.retry_refused()
            if self.phase in _KNOWING:
                self._move(Event.CHANGED)

    # What the switch says

    def joined(self) -> None:
        """Take note that the switch has connected."""
        self._move(Event.JOINED)
        self._script = self._converse()

    @property
    def is_admitted(self) -> bool:
        """It may talk to the switch on this connection."""
        return self._is_admitted or not self.is_gated

    def admit(self) -> None:
        """Let it talk to the switch until that leaves."""
        self._is_admitted = True

    def left(self) -> None:
        """Take note that the connection is gone; a later one begins anew."""
        if self.phase is Phase.ABSENT:
            return
        self._move(Event.LEFT)
        self._forget()
        self._script = self.installed = None
        self._audit_due, self._is_admitted = "", False
        self._backlog.absorb()
        self.report(None)

    def error(self, xid: int, words: str) -> None:
        super().error(xid, words)
        if self._reading and xid == self._reading:
            self._refuse(f"the switch does not tell its flows: {words}")

    def say(self) -> bytes | None:
        """
        Give the next bytes for the switch.

        :return: Whole messages, `THINKING`, or `WAITING`.
        """
        if self._script is None:
            return WAITING
        words = next(self._script, WAITING)
        if words != WAITING:
            self.progress += 1
        return words

    # The conversation

    def _converse(self) -> Talk:
        while not (self.is_known and self.is_admitted):
            yield WAITING
        yield from self._sync(_Why.DOUBT)
        while self.phase is not Phase.REFUSING:
            audit, self._audit_due = self._audit_due, ""
            if self._is_moved:
                yield from self._sync(_Why.MOVE)
            elif self._backlog:
                self._audit_due = audit
                yield from self._change()
            elif audit == "all":
                yield from self._sync(_Why.AUDIT)
            elif audit == "count":
                yield from self._compare_count()
            else:
                yield WAITING

    def _sync(self, why: _Why) -> Talk:
        """Read, compare, and put right; if that is refused, with fewer members."""
        for are_all in (False, True, True):
            inspection = yield from self._look(why)
            if not inspection.is_complete:
                self._audits_given_up += 1
                return
            self._audits_given_up = 0
            self.audits += 1
            bundle = yield from self._repair(inspection, why)
            if not bundle.is_refused:
                self.repairs += len(bundle.flows) if why is _Why.AUDIT else 0
                is_news = self.phase not in _KNOWING or bool(bundle.flows)
                self._agree()
                if is_news:
                    self.report(None)
                return
            added = [flow for flow in bundle.flows if flow is not None]
            members = self._backlog.layout.members
            self._backlog.postpone(blamed(members, added, are_all=are_all))
            # The layout has not what the switch has until that was read again.
            self._move(Event.DOUBTED)
            self.report(None)
        self._refuse(f"the switch refused to be put right: {bundle.reason}")

    def _look(self, why: _Why) -> Generator[bytes | None, None, Inspection]:
        """Read and compare; an audit gives way to changes."""
        layout = self._backlog.layout
        layout.tunnel, self._is_moved = self.tunnel, False

        def gives_way() -> bool:
            is_late = self._audits_given_up >= PATIENCE
            return why is _Why.AUDIT and not is_late and self._is_changing()

        return (yield from self._inspect(layout.plan(), gives_way))

    def _repair(
        self, inspection: Inspection, why: _Why
    ) -> Generator[bytes | None, None, Bundle]:
        """
        Send the difference, at once: no frame of untouched ports is lost.

        What went to an old tunnel port goes first, even if the rest is refused.
        """
        bundle = self._begin(is_atomic=not inspection.is_blank)
        yield from inspection.remove(bundle)
        if why is _Why.MOVE:
            yield from self._finish(bundle)
            if bundle.is_refused:
                return bundle
            bundle = self._begin()
        yield from inspection.add(bundle)
        self.flow_count, self.installed = inspection.wanted, inspection.found
        yield from self._finish(bundle)
        return bundle

    def _change(self) -> Talk:
        """Send one group of changes; what is refused will be sent in halves."""
        steps = self._backlog.depart()
        flying = self._backlog.flying
        group = [key for key in flying if key < _FIRST_REMOTE]
        has_uplink = any(key >= _FIRST_UPLINK for key in flying)
        bundle = self._begin()
        yield from _written(bundle, steps)
        yield from self._finish(bundle)
        if not bundle.is_refused:
            self.flow_count += steps.growth
            self._backlog.arrived()
            self._agree()
        elif self._backlog.bounced(f"the switch refused it: {bundle.reason}"):
            self._agree()
        else:
            self._move(Event.DOUBTED)
            yield from self._sync(_Why.DOUBT)
        if has_uplink:
            self.report(None)  # whoever is on its network depends on it
        elif group:
            self.report(group)

    def _compare_count(self) -> Talk:
        """Compare the number of flows, which is cheap; read them if it differs."""
        counted = yield from self._count(self._is_changing)
        if counted not in (None, self.flow_count):
            self._audit_due = "all"

    def _is_changing(self) -> bool:
        return self.phase is Phase.CHANGING

    def _agree(self) -> None:
        """Settle, unless there is more to tell."""
        if not (self._backlog or self._is_moved):
            self._move(Event.ACKNOWLEDGED)
        elif self.phase is Phase.SYNCING:
            self._move(Event.ACKNOWLEDGED)
            self._move(Event.CHANGED)
        elif self.phase is Phase.SETTLED:
            self._move(Event.CHANGED)

    def _refuse(self, reason: str) -> None:
        """Give up until `retry`; what is wanted will be compared then."""
        self.refusal = reason
        self._move(Event.REFUSED)
        self._backlog.absorb()
        self._forget()
        self._script = None
        self.report(None)

    def _move(self, event: Event) -> None:
        self.phase = TRANSITIONS[self.phase, event]


def _written(bundle: Bundle, steps: Difference) -> Talk:
    """Write a difference: first what goes, then what comes."""
    for flow in steps.remove:
        bundle.remove(flow, encode(flow))
    for flow in steps.add:
        bundle.add(flow, encode(flow))
        if bundle.is_full_chunk:
            yield bundle.take()
