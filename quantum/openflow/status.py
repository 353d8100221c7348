# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""How far reality has come with one port, and in plain words why no further."""

from functools import lru_cache
from typing import NamedTuple

from msgspec.structs import replace

from quantum.model import ADMIN_DOWN, Binding, OpStatus, Status
from quantum.openflow.phase import Phase


class Sighting(NamedTuple):
    """
    Where the interface of a port is, and how its switch stands.

    ``fate`` is as `quantum.openflow.session.Session.fate` says; ``elsewhere``
    names the hypervisors on which the same interface is seen too, and refused;
    a ``problem`` keeps the port down, and a ``note`` is worth knowing of a port
    that is up.
    """

    name: str
    ofport: int
    hypervisor: str
    datapath_id: int
    phase: Phase
    fate: str | None
    elsewhere: tuple[str, ...] = ()
    problem: str = ""
    note: str = ""


def op_status(binding: Binding, seen: Sighting | None) -> Status:
    """
    Compute a plugged port's status from what is asked and what is seen.

    It is ``UP`` only when the switch has acknowledged the barrier behind the
    port's flows on the present connection.
    """
    if seen is None:
        words = f"interface {binding.attachment} was not seen on any hypervisor"
        return Status(OpStatus.DOWN, words) if binding.is_active else ADMIN_DOWN
    if not binding.is_active:
        return replace(ADMIN_DOWN, hypervisor=seen.hypervisor)
    status, words = _standing(seen)
    if status is OpStatus.UP and not (seen.elsewhere or seen.note):
        return _up(seen.hypervisor)
    where = f"interface {seen.name} on hypervisor {seen.hypervisor}"
    if status is not OpStatus.UP:
        return Status(status, f"{where}{words}", seen.hypervisor)
    notes = [where]
    if seen.elsewhere:
        notes.append(f"also seen, and refused, on {', '.join(seen.elsewhere)}")
    if seen.note:
        notes.append(seen.note)
    return Status(OpStatus.UP, "; ".join(notes), seen.hypervisor)


def _standing(seen: Sighting) -> tuple[OpStatus, str]:
    """Say how the interface stands, and if it is not up, why."""
    if seen.problem:
        return OpStatus.DOWN, f": {seen.problem}"
    if not seen.ofport:
        return OpStatus.PROVISIONING, " has no OpenFlow port yet"
    if seen.phase is Phase.ABSENT:
        absent = f"switch {seen.datapath_id:016x} is not connected"
        return OpStatus.DOWN, f": {absent}"
    if seen.fate is None:
        return OpStatus.UP, ""
    if seen.fate:
        return OpStatus.DOWN, f": {seen.fate}"
    return OpStatus.PROVISIONING, ": the switch has not acknowledged it yet"


@lru_cache(maxsize=10_000)
def _up(hypervisor: str) -> Status:
    """Give one status to the very many ports of a hypervisor that are well."""
    return Status(OpStatus.UP, hypervisor=hypervisor)
