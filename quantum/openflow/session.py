# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
The conversation with one switch, without any input or output of its own.

Bytes that should be sent are pulled out by `Session.say`; what the switch
answered is put in by the other methods.  Connecting, auditing and repairing
are one path: read the flows, compare, send the difference, wait for the
barrier.  Changes go the same way without the reading.

A change is a bundle that the switch takes whole or not at all.  One that it
refuses is cut in halves until the ports at fault stand alone; those are left
out, with the reason, and everything else proceeds.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from itertools import islice
from typing import Final

from attrs import define, field

from quantum.openflow import messages
from quantum.openflow.backlog import Backlog
from quantum.openflow.bundle import Bundle
from quantum.openflow.comparison import Comparison
from quantum.openflow.flow import Flow, encode
from quantum.openflow.layout import Difference, LocalPort
from quantum.openflow.phase import TRANSITIONS, Event, Phase

PATIENCE: Final = 5
"""Audits that changes may interrupt before one of them makes changes wait."""
BREATH: Final = 200
"""Flows compared between two breaths: well under 1 ms."""
FIRST_XID: Final = 0x40000000
LAST_XID: Final = 0x7F000000
"""Our transaction ids, apart from those that os-ken draws for its own messages."""

Talk = Iterator[bytes | None]
"""Bytes to send; `THINKING`; or `WAITING`."""
THINKING: Final = None
"""There may be something to say in a moment."""
WAITING: Final = b""
"""There is nothing to say until something happens."""

Report = Callable[[Collection[int] | None], None]
"""Is told the ports whose fate has changed; None for every port."""

_KNOWING = (Phase.SETTLED, Phase.CHANGING)


@define
class Session:
    """
    One switch: what it should carry, and the talk that gets it there.

    It outlives connections.  Ask `fate` about each port that is reported.
    """

    report: Report
    phase: Phase = Phase.ABSENT
    refusal: str = ""
    """Why the phase is REFUSING."""
    flow_count: int = 0
    """How many flows the switch should hold, as of the last acknowledgement."""
    flows_sent: int = 0
    """How many flow-mods were ever sent."""
    repairs: int = 0
    """How many of them because an audit found a difference."""
    progress: int = 0
    """Grows whenever anything is said by either side."""
    is_known: bool = False
    """Everything wanted was told; before that nothing is said."""
    _backlog: Backlog = field(factory=Backlog)
    _audit_due: str = ""
    _audits_given_up: int = 0
    _script: Talk | None = None
    _next_xid: int = FIRST_XID
    _bundle: Bundle | None = None
    _reading: int = 0
    _comparison: Comparison | None = None
    _counted: int | None = None

    # What is wanted

    def know(self) -> None:
        """
        Take note that everything wanted has been told.

        Until then the switch keeps the flows that an earlier process left:
        nothing is known that could replace them.
        """
        self.is_known = True

    def want(self, ofport: int, port: LocalPort | None) -> None:
        """Let a port carry a network, or (None) nothing any more."""
        if not self.is_known:
            self._backlog.layout.put(ofport, port)
            return
        is_news = self._backlog.want(ofport, port)
        if self.phase in (Phase.ABSENT, Phase.REFUSING):
            self._backlog.absorb()
        elif is_news and self.phase in _KNOWING:
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

    def carries(self, segment: int) -> bool:
        """Say whether the switch may still have flows of a network."""
        is_sure = self.phase in _KNOWING and not self._backlog.flying
        return not is_sure or self._backlog.layout.carries(segment)

    def ports(self) -> Collection[LocalPort]:
        """List what the switch should carry, as it was last told."""
        return self._backlog.layout.ports.values()

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

    def left(self) -> None:
        """Take note that the connection is gone; a later one begins anew."""
        if self.phase is Phase.ABSENT:
            return
        self._move(Event.LEFT)
        self._script = self._bundle = self._comparison = self._counted = None
        self._audit_due, self._reading = "", 0
        self._backlog.absorb()
        self.report(None)

    @property
    def is_owed(self) -> bool:
        """The switch was asked for something, and has not answered it all."""
        return self._bundle is not None or self._reading != 0

    def flow_stats(self, xid: int, frame: bytes) -> None:
        """Take one frame of a flow statistics reply."""
        self.progress += 1
        if self._comparison is not None and xid == self._reading:
            self._comparison.receive(frame)

    def counted(self, xid: int, flow_count: int) -> None:
        """Take an aggregate statistics reply."""
        self.progress += 1
        if xid == self._reading:
            self._counted = flow_count

    def barrier(self, xid: int) -> None:
        """Take a barrier reply: everything before it is done, or was refused."""
        self.progress += 1
        if self._bundle is not None:
            self._bundle.answered(xid)

    def error(self, xid: int, words: str) -> None:
        """Take an error; one that is not about a message of ours is ignored."""
        self.progress += 1
        if self._bundle is not None and self._bundle.failed(xid, words):
            return
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
        while not self.is_known:
            yield WAITING
        yield from self._sync()
        while self.phase is not Phase.REFUSING:
            audit, self._audit_due = self._audit_due, ""
            if self._backlog:
                self._audit_due = audit
                yield from self._change()
            elif audit == "all":
                yield from self._sync()
            elif audit == "count":
                yield from self._count()
            else:
                yield WAITING

    def _sync(self) -> Talk:
        """Read, compare, and put right; if that is refused, with fewer ports."""
        for are_all_blamed in (False, True, True):
            comparison = self._comparison = Comparison()
            self._reading = self._next_xid
            self._next_xid += 1
            yield messages.read_flows(self._reading)
            plan = self._backlog.layout.plan()
            yield from self._compare(comparison, plan)
            self._comparison, self._reading = None, 0
            if not comparison.is_complete:
                self._audits_given_up += 1
                return
            self._audits_given_up = 0
            is_atomic = not comparison.is_blank
            bundle = self._bundle = Bundle(self._next_xid, is_atomic)
            yield from self._repair(comparison, bundle, plan)
            yield from self._finish(bundle)
            if not bundle.is_refused:
                is_news = self.phase not in _KNOWING or bool(bundle.flows)
                self._agree()
                if is_news:
                    self.report(None)
                return
            added = [flow for flow in bundle.flows if flow is not None]
            self._backlog.postpone(_blamed(added, are_all_blamed))
            # The layout has not what the switch has until that was read again.
            self._move(Event.DOUBTED)
            self.report(None)
        self._refuse(f"the switch refused to be put right: {bundle.reason}")

    def _compare(self, comparison: Comparison, plan: Iterator[Flow]) -> Talk:
        """
        Compile while the switch answers, then compare; an audit gives way to changes.

        What remains of the plan when the switch turns out blank is missing too.
        """
        while not (comparison.is_blank or self._gives_way()):
            some = list(islice(plan, BREATH))
            if not some:
                break
            comparison.want(some)
            yield THINKING
        while not (comparison.is_complete or self._gives_way()):
            if comparison.has_frames:
                comparison.compare()
                yield THINKING
            else:
                yield WAITING

    def _gives_way(self) -> bool:
        """Let changes interrupt an audit, but not one audit after another."""
        return self.phase is Phase.CHANGING and self._audits_given_up < PATIENCE

    def _repair(
        self, comparison: Comparison, bundle: Bundle, rest: Iterator[Flow]
    ) -> Talk:
        """Write that stale flows are removed and missing ones added."""
        for stale in comparison.stale:
            bundle.remove(None, stale)
            if bundle.is_full_chunk:
                yield bundle.take()
        self.flow_count = comparison.count
        for flow, wanted in comparison.missing():
            bundle.add(flow, wanted)
            if bundle.is_full_chunk:
                yield bundle.take()
        for flow in rest:
            bundle.add(flow, encode(flow))
            self.flow_count += 1
            if bundle.is_full_chunk:
                yield bundle.take()
        if self.phase in _KNOWING:
            self.repairs += len(bundle.flows)

    def _change(self) -> Talk:
        """Send one group of changes; what is refused will be sent in halves."""
        steps = self._backlog.depart()
        group = self._backlog.flying
        bundle = self._bundle = Bundle(self._next_xid)
        yield from _written(bundle, steps)
        yield from self._finish(bundle)
        if not bundle.is_refused:
            self.flow_count += steps.growth
            self._backlog.arrived()
            self._agree()
        elif self._backlog.bounced(f"the switch refused it: {bundle.reason}"):
            self._agree()
        else:
            self._refuse(f"the switch refused to remove flows: {bundle.reason}")
        self.report(group)

    def _count(self) -> Talk:
        """Compare the number of flows, which is cheap; read them if it differs."""
        self._counted = None
        self._reading = self._next_xid
        self._next_xid += 1
        yield messages.count_flows(self._reading)
        while self._counted is None:
            if self.phase is Phase.CHANGING:
                break
            yield WAITING
        self._reading = 0
        if self._counted not in (None, self.flow_count):
            self._audit_due = "all"

    def _finish(self, bundle: Bundle) -> Talk:
        """Commit what was written, if anything, and wait for the barrier."""
        if bundle.flows:
            self._next_xid = bundle.close()
            self.flows_sent += len(bundle.flows)
            yield bundle.take()
            while not bundle.is_done:
                yield WAITING
        self._bundle = None
        if self._next_xid > LAST_XID:
            self._next_xid = FIRST_XID

    def _agree(self) -> None:
        """Settle, unless there is more to tell."""
        if not self._backlog:
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
        self._script = self._comparison = None
        self._reading = 0
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


def _blamed(flows: Iterable[Flow], are_all_blamed: bool) -> Iterator[int]:
    """
    Name the ports without which flows may be taken.

    At first not those that only flooding names: it changes with every port of
    a network, and most of them work.
    """
    for flow in flows:
        yield flow.in_port
        if are_all_blamed or len(flow.outputs) == 1:
            yield from flow.outputs
