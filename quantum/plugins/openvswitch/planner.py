# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""Keeps a plan file up to date, for the isolation application without a daemon."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from attrs import define
from twisted.internet.defer import Deferred
from twisted.logger import Logger

from quantum.interfaces import IIntent
from quantum.openflow.planfile import PlanError, SwitchPlan, read_plan, write_plan
from quantum.plugins.openvswitch.switch import Switch

log = Logger()


@define
class PlanWriter:
    """
    Writes the file anew when what it would say has changed.

    What it said of switches that this process does not know yet stays, while
    they are recorded.
    """

    _path: str
    _intent: IIntent
    _switches: Mapping[int, Switch]
    _in_thread: Callable[..., Deferred[Any]]
    _written: bytes = b""
    _before: dict[int, SwitchPlan] | None = None

    def write(self) -> Deferred[None]:
        """Write what every switch should carry now; a failure is logged."""
        return Deferred.fromCoroutine(self._write())

    async def _write(self) -> None:
        if self._before is None:
            self._before = await self._in_thread(_read, Path(self._path))
        known = {
            datapath_id: SwitchPlan(switch.session.members(), switch.session.tunnel)
            for datapath_id, switch in self._switches.items()
            if switch.session.is_known
        }
        recorded = self._intent.known_switches()
        self._before = {
            datapath_id: before
            for datapath_id, before in self._before.items()
            if datapath_id not in known and f"{datapath_id:016x}" in recorded
        }
        plan = write_plan(dict(sorted({**self._before, **known}.items())))
        if plan == self._written:
            return
        try:
            await self._in_thread(_replace, Path(self._path), plan)
        except OSError as problem:
            log.error(
                "cannot write {path}: {problem}", path=self._path, problem=problem
            )
        else:
            self._written = plan


def _read(path: Path) -> dict[int, SwitchPlan]:
    """Read what an earlier process wrote; nothing if that is no plan."""
    try:
        return read_plan(path.read_bytes())
    except (OSError, PlanError):
        return {}


def _replace(path: Path, content: bytes) -> None:
    """Write a file so that a reader sees the old or the new one whole."""
    fresh = path.with_name(f"{path.name}.new")
    fresh.write_bytes(content)
    fresh.replace(path)
