# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
What a switch was asked, and what it has answered so far.

Nothing here knows why it is asked.
"""

from collections.abc import Callable, Generator, Iterator
from typing import Final

from attrs import define

from quantum.openflow import messages
from quantum.openflow.bundle import Bundle
from quantum.openflow.flow import Flow
from quantum.openflow.inspection import Inspection
from quantum.openflow.talk import WAITING, Talk

FIRST_XID: Final = 0x40000000
LAST_XID: Final = 0x7F000000
"""Our transaction ids, apart from those that os-ken draws for its own messages."""


@define(kw_only=True)
class Dialogue:
    """One thing is asked at a time: to take a bundle, for all flows, or how many."""

    progress: int = 0
    """Grows whenever anything is said by either side."""
    flows_sent: int = 0
    """How many flow-mods were ever sent."""
    installed: int | None = None
    """How many flows the switch said that it holds, on this connection."""
    last_error: str = ""
    """What it refused last, if it ever refused anything."""
    _next_xid: int = FIRST_XID
    _bundle: Bundle | None = None
    _reading: int = 0
    _inspection: Inspection | None = None
    _counted: int | None = None

    @property
    def is_owed(self) -> bool:
        """The switch was asked for something, and has not answered it all."""
        return self._bundle is not None or self._reading != 0

    # What the switch says

    def flow_stats(self, xid: int, frame: bytes) -> None:
        """Take one frame of a flow statistics reply."""
        self.progress += 1
        if self._inspection is not None and xid == self._reading:
            self._inspection.receive(frame)

    def counted(self, xid: int, flow_count: int) -> None:
        """Take an aggregate statistics reply."""
        self.progress += 1
        if xid == self._reading:
            self._counted = self.installed = flow_count

    def barrier(self, xid: int) -> None:
        """Take a barrier reply: everything before it is done, or was refused."""
        self.progress += 1
        if self._bundle is not None:
            self._bundle.answered(xid)

    def error(self, xid: int, words: str) -> None:
        """Take an error; one that is not about a message of ours is ignored."""
        self.progress += 1
        if self._bundle is not None and self._bundle.failed(xid, words):
            self.last_error = self._bundle.reason
        elif self._reading and xid == self._reading:
            self.last_error = words

    # What it is asked

    def _inspect(
        self, plan: Iterator[Flow], gives_way: Callable[[], bool]
    ) -> Generator[bytes | None, None, Inspection]:
        """Read all flows, and compare them with a plan."""
        self._reading = self._xid()
        inspection = self._inspection = Inspection(self._reading, plan, gives_way)
        yield from inspection.read()
        self._inspection, self._reading = None, 0
        return inspection

    def _count(
        self, gives_way: Callable[[], bool]
    ) -> Generator[bytes | None, None, int | None]:
        """Ask for the number of flows; None if that was given up."""
        self._counted, self._reading = None, self._xid()
        yield messages.count_flows(self._reading)
        while self._counted is None and not gives_way():
            yield WAITING
        self._reading = 0
        return self._counted

    def _begin(self, *, is_atomic: bool = True) -> Bundle:
        """Begin to write a bundle."""
        self._bundle = Bundle(self._next_xid, is_atomic)
        return self._bundle

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

    def _xid(self) -> int:
        self._next_xid += 1
        return self._next_xid - 1

    def _forget(self) -> None:
        """Expect no answer any more."""
        self._bundle = self._inspection = self._counted = None
        self._reading = 0
