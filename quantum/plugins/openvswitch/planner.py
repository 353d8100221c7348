# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""Keeps a plan file up to date, for the isolation application without a daemon."""

from collections.abc import Mapping
from pathlib import Path

from attrs import define
from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThread
from twisted.logger import Logger

from quantum.openflow.planfile import write_plan
from quantum.plugins.openvswitch.switch import Switch

log = Logger()


@define
class PlanWriter:
    """Writes the file anew when what it would say has changed."""

    _path: str
    _switches: Mapping[int, Switch]
    _written: bytes = b""

    def write(self) -> Deferred[None]:
        """Write what every switch should carry now; a failure is logged."""
        return Deferred.fromCoroutine(self._write())

    async def _write(self) -> None:
        plan = write_plan(
            {
                datapath_id: sorted(switch.session.ports(), key=lambda p: p.ofport)
                for datapath_id, switch in sorted(self._switches.items())
            }
        )
        if plan == self._written:
            return
        try:
            await deferToThread(_replace, Path(self._path), plan)
        except OSError as problem:
            log.error(
                "cannot write {path}: {problem}", path=self._path, problem=problem
            )
        else:
            self._written = plan


def _replace(path: Path, content: bytes) -> None:
    """Write a file so that a reader sees the old or the new one whole."""
    fresh = path.with_name(f"{path.name}.new")
    fresh.write_bytes(content)
    fresh.replace(path)
