# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
What was seen last on each switch, kept for the next start.

A hypervisor may be out of reach when the daemon starts, though its machines
run and its tunnels carry frames.  Were it taken for empty until it calls, the
others would be told to send it nothing.  So what it said last counts until it
says otherwise, after a restart as before one.

A file for each switch is written a moment after a change, by a thread.  None of
it is a promise to anybody: a file that is lost or stale costs frames between
machines of one network, until the hypervisor calls.
"""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import msgspec
from attrs import define, field
from msgspec import Struct
from twisted.internet.defer import Deferred
from twisted.logger import Logger

from quantum.openflow.facts import SeenInterface, Underlay

log = Logger()


class Recollection(Struct, frozen=True):
    """A switch as it was seen last."""

    datapath_id: int
    hypervisor: str
    underlay: Underlay
    interfaces: tuple[SeenInterface, ...]


Recall = Callable[[int], Recollection | None]
"""Says what is known of a switch now; None if it was forgotten."""


@define(eq=False)
class Recollections:
    """The files, one for each datapath id."""

    _folder: Path
    _recall: Recall
    _in_thread: Callable[..., Deferred[Any]]
    _changed: set[int] = field(factory=set)
    _is_writing: bool = False

    def changed(self, datapath_id: int) -> None:
        """Take note that something else is known of a switch."""
        self._changed.add(datapath_id)

    def write(self) -> Deferred[None]:
        """Write what has changed; a failure is logged, and tried again."""
        return Deferred.fromCoroutine(self._write())

    async def _write(self) -> None:
        if self._is_writing:
            return
        self._is_writing = True
        try:
            while self._changed:
                datapath_id = self._changed.pop()
                found = self._recall(datapath_id)
                path = self._folder / f"{datapath_id:016x}.json"
                try:
                    await self._in_thread(_put, path, found)
                except OSError as problem:
                    self._changed.add(datapath_id)
                    log.error("cannot write {path}: {why}", path=path, why=problem)
                    return
        finally:
            self._is_writing = False


def read_all(folder: Path) -> Iterable[Recollection]:
    """Read every switch that was ever written; what cannot be read is left out."""
    for path in sorted(folder.glob("*.json")):
        try:
            yield msgspec.json.decode(path.read_bytes(), type=Recollection)
        except (OSError, ValueError, RecursionError) as problem:
            log.warn("{path} is left out: {why}", path=path, why=problem)


def _put(path: Path, found: Recollection | None) -> None:
    """Replace or remove a file, so that a reader sees the old or the new one whole."""
    if found is None:
        path.unlink(missing_ok=True)
        return
    path.parent.mkdir(mode=0o700, exist_ok=True)
    fresh = path.with_suffix(".new")
    fresh.write_bytes(msgspec.json.encode(found))
    fresh.replace(path)
