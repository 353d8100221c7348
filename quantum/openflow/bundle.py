# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""One delivery of flow-mods, in a bundle: all of it takes effect, or none."""

from typing import Final

from attrs import define, field

from quantum.openflow import messages
from quantum.openflow.flow import Encoded, Flow

CHUNK: Final = 8 * 1024
"""Bytes collected before they are handed over to be sent: some 0.3 ms of work."""


@define
class Bundle:
    """
    A bundle being written, and what the switch said about it.

    Its messages have consecutive transaction ids from ``xid`` on, so that an
    error leads back to the flow.

    One that only adds flows to a switch which has no others of ours need not be
    atomic: any part of a plan forwards a part of what the whole plan does.  Open
    vSwitch then works on the first while the last are written.
    """

    xid: int
    is_atomic: bool = True
    is_done: bool = False
    """The switch has answered the barrier behind the bundle."""
    flows: list[Flow | None] = field(factory=list)
    """What each message is about; None for a flow found on the switch."""
    _refusals: dict[int, str] = field(factory=dict)
    _pending: list[bytes] = field(factory=list)
    _size: int = 0
    _barrier: int = 0

    def add(self, flow: Flow, wanted: Encoded) -> None:
        """Write that a flow is added."""
        xid = self._next_xid()
        self._write(flow, messages.add_flow(xid, wanted))

    def remove(self, flow: Flow | None, stale: Encoded) -> None:
        """Write that a flow is removed."""
        xid = self._next_xid()
        self._write(flow, messages.remove_flow(xid, stale))

    def close(self) -> int:
        """
        Write that everything takes effect, and the barrier.

        :return: The next free transaction id.
        """
        commit = self._next_xid()
        self._barrier = commit + 1
        if self.is_atomic:
            self._pending.append(messages.commit_bundle(commit, self.xid))
        self._pending.append(messages.barrier(self._barrier))
        return self._barrier + 1

    @property
    def is_full_chunk(self) -> bool:
        """Enough is written to be sent."""
        return self._size > CHUNK

    def take(self) -> bytes:
        """Hand over what was written since the last time."""
        chunk = b"".join(self._pending)
        self._pending.clear()
        self._size = 0
        return chunk

    def answered(self, xid: int) -> None:
        """Take note of a barrier reply."""
        self.is_done = self.is_done or xid == self._barrier

    def failed(self, xid: int, words: str) -> bool:
        """Take note of an error; False if it is not about this bundle."""
        if not self.xid <= xid < max(self._next_xid(), self._barrier + 1):
            return False
        self._refusals.setdefault(xid - self.xid - 1, words)
        return True

    @property
    def is_refused(self) -> bool:
        """The switch refused something, and therefore, if atomic, everything."""
        return bool(self._refusals)

    @property
    def reason(self) -> str:
        """Say why it was refused: an error about a flow comes before others."""
        about_flows = (self._refusals.get(number) for number in range(len(self.flows)))
        others = self._refusals.values()
        return next((words for words in (*about_flows, *others) if words), "")

    def _next_xid(self) -> int:
        return self.xid + 1 + len(self.flows)

    def _write(self, flow: Flow | None, frame: bytes) -> None:
        if self.is_atomic:
            if not self.flows:
                self._pending.append(messages.open_bundle(self.xid, self.xid))
            frame = messages.bundled(self.xid, frame)
        self.flows.append(flow)
        self._pending.append(frame)
        self._size += len(frame)
