# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
What was seen last on each switch, kept for the next start.

A hypervisor may be out of reach when the daemon starts, though its machines
run and its tunnels carry frames.  Were it taken for empty until it calls, the
others would be told to send it nothing.  So what it said last counts until it
says otherwise, after a restart as before one.

A file for each switch is written a quarter of a second after a change, by a
thread.  None of it is a promise to anybody: a file that is lost or stale costs
frames between machines of one network, until the hypervisor calls.
"""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec
from attrs import define, field
from msgspec import Struct
from twisted.internet.defer import Deferred
from twisted.logger import Logger

from quantum.openflow.facts import SeenInterface, Underlay
from quantum.plugins.openvswitch.switch import Switch

log = Logger()


class Recollection(Struct, frozen=True):
    """A switch as it was seen last."""

    datapath_id: int
    hypervisor: str
    underlay: Underlay
    interfaces: tuple[SeenInterface, ...]
    is_in_reach: bool = True
    """Whether it could have told of a change, and may soon again."""
    later: tuple[str, ...] = ()
    """The names of interfaces that were seen somewhere else before."""

    @property
    def first(self) -> list[SeenInterface]:
        """List the interfaces that were seen nowhere else before."""
        later = set(self.later)
        return [seen for seen in self.interfaces if seen.name not in later]


@define(eq=False)
class Recollections:
    """The files, one for each switch that some hypervisor has."""

    _folder: Path
    _switches: Mapping[int, Switch]
    _in_thread: Callable[..., Deferred[Any]]
    _written: dict[int, tuple[Switch, int] | None] = field(factory=dict)
    """Which switch each file is of, and which edition; None if that is not known."""
    _is_writing: bool = False

    def write(self) -> Deferred[None]:
        """Write what has changed; a failure is logged, and tried again."""
        return Deferred.fromCoroutine(self._write())

    def forget(self, datapath_id: int) -> None:
        """Let a file go that may be there, unless somebody tells of its switch."""
        self._written.setdefault(datapath_id)

    async def _write(self) -> None:
        if self._is_writing:
            return
        self._is_writing = True
        try:
            for datapath_id in self._changed():
                await self._keep(datapath_id)
        except OSError as problem:
            log.error("cannot keep what was seen: {why}", why=problem)
        finally:
            self._is_writing = False

    def _changed(self) -> list[int]:
        """List the switches whose files are not as they should be."""
        gone = self._written.keys() - self._switches.keys()
        return [*gone, *(n for n, s in self._switches.items() if self._is_due(n, s))]

    def _is_due(self, datapath_id: int, switch: Switch) -> bool:
        if not switch.hypervisor:
            return datapath_id in self._written
        return self._written.get(datapath_id) != (switch, switch.edition)

    async def _keep(self, datapath_id: int) -> None:
        switch = self._switches.get(datapath_id)
        path = self._folder / f"{datapath_id:016x}.json"
        if switch is None or not switch.hypervisor:
            await self._in_thread(_remove, path)
            self._written.pop(datapath_id, None)
        else:
            edition = switch.edition
            await self._in_thread(_put, path, recollection(switch))
            self._written[datapath_id] = (switch, edition)


def recollection(switch: Switch) -> Recollection:
    """Say what is known of a switch now."""
    return Recollection(
        switch.datapath_id,
        switch.hypervisor,
        switch.underlay,
        tuple(switch.interfaces()),
        switch.is_in_reach,
        tuple(switch.later),
    )


def read_all(folder: Path) -> Iterable[Recollection]:
    """Read every switch that was ever written; what cannot be read is left out."""
    for path in sorted(folder.glob("*.json")):
        try:
            yield msgspec.json.decode(path.read_bytes(), type=Recollection)
        except (OSError, ValueError, RecursionError) as problem:
            log.warn("{path} is left out: {why}", path=path, why=problem)


def _put(path: Path, found: Recollection) -> None:
    """Write a file so that a reader sees the old or the new one whole."""
    path.parent.mkdir(mode=0o700, exist_ok=True)
    fresh = path.with_suffix(".new")
    fresh.write_bytes(msgspec.json.encode(found))
    fresh.replace(path)


def _remove(path: Path) -> None:
    """Remove a file, if it is there."""
    path.unlink(missing_ok=True)
