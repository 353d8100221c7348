# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""Telling the listener what became of the managed bridge and its interfaces."""

from collections.abc import Callable, Iterator

from attrs import define, field

from quantum.channel.ovsdb import values
from quantum.channel.ovsdb.bridge import WantedBridge
from quantum.channel.ovsdb.cabling import Cabling
from quantum.channel.ovsdb.picture import Picture, everything
from quantum.channel.ovsdb.reach import reach
from quantum.channel.ovsdb.replica import Replica
from quantum.channel.ovsdb.row import Bridge
from quantum.interfaces import IHypervisorListener
from quantum.openflow.facts import Underlay


@define
class Witness:
    """
    Compares the replica with what the listener was told last.

    While a bridge has no datapath id, because ovs-vswitchd has not made it yet,
    nothing is told; one that loses its id for a moment keeps the last.
    """

    _replica: Replica
    _wanted: WantedBridge
    _listener: IHypervisorListener
    _complain: Callable[[str], None]
    _row: bytes = b""
    _datapath_id: int | None = None
    _underlay: Underlay | None = None
    _is_forgotten: bool = False
    _picture: Picture = field(init=False)

    @_picture.default
    def _make_picture(self) -> Picture:
        return Picture(self._complain)

    def forget(self) -> None:
        """Tell everything again at the next `review`, also if the bridge is gone."""
        self._underlay, self._is_forgotten = None, True
        self._picture.clear()

    def review(self, hypervisor: str) -> Iterator[None]:
        """Look at what an update touched, a little at every step; then tell."""
        touched = self._replica.settle()
        found = self._replica.bridge(self._wanted.name)
        if found is None:
            yield from _drained(touched)
            self._change(hypervisor, b"", None)
            return
        row, bridge = found
        now = values.datapath_id(bridge.datapath_id)
        if now is None and row == self._row:
            now = self._datapath_id
        if row != self._row or now != self._datapath_id or self._is_forgotten:
            yield from _drained(touched)
            self._change(hypervisor, row, now)
            if now is not None:
                yield from self._tell_all(hypervisor, now, bridge)
        elif self._datapath_id is None:
            yield from _drained(touched)
        else:
            yield from self._picture.look(self._replica, bridge, touched)
            self._tell_underlay(hypervisor, self._datapath_id)
            gone, fresh = self._picture.news()
            if gone or fresh:
                self._listener.interfaces_changed(
                    hypervisor, self._datapath_id, gone, fresh
                )

    def _change(self, hypervisor: str, row: bytes, now: int | None) -> None:
        """Turn to another bridge, or the same under another datapath id."""
        before = self._datapath_id
        self._row, self._datapath_id, self._underlay = row, now, None
        self._is_forgotten = False
        self._picture.clear()
        if before is not None and before != now:
            self._listener.switch_gone(hypervisor, before)

    def _tell_all(
        self, hypervisor: str, datapath_id: int, bridge: Bridge
    ) -> Iterator[None]:
        rows = everything(bridge, self._replica)
        yield from self._picture.look(self._replica, bridge, rows)
        self._picture.news()
        self._tell_underlay(hypervisor, datapath_id)
        seen = list(self._picture.seen.values())
        self._listener.hypervisor_synced(hypervisor, datapath_id, seen)

    def _tell_underlay(self, hypervisor: str, datapath_id: int) -> None:
        wish = reach(self._replica, self._wanted)
        now = Cabling(self._replica, self._wanted, wish).underlay()
        if now != self._underlay:
            self._underlay = now
            self._listener.underlay_changed(hypervisor, datapath_id, now)


def _drained(steps: Iterator[bytes]) -> Iterator[None]:
    for _ in steps:
        yield
