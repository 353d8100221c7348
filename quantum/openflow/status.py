# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""How far reality has come with one port, and in plain words why no further."""

from typing import NamedTuple

from quantum.model import ADMIN_DOWN, UP, Binding, OpStatus, Status
from quantum.openflow.phase import Phase


class Sighting(NamedTuple):
    """
    Where the interface of a port is, and how its switch stands.

    ``fate`` is as `quantum.openflow.session.Session.fate` says; ``elsewhere``
    names the hypervisors on which the same interface is seen too, and refused.
    """

    name: str
    ofport: int
    hypervisor: str
    datapath_id: int
    phase: Phase
    fate: str | None
    elsewhere: tuple[str, ...] = ()
    problem: str = ""


def op_status(binding: Binding, seen: Sighting | None) -> Status:
    """
    Compute a plugged port's status from what is asked and what is seen.

    It is ``UP`` only when the switch has acknowledged the barrier behind the
    port's flows on the present connection.
    """
    if not binding.is_active:
        return ADMIN_DOWN
    if seen is None:
        return _down(f"interface {binding.attachment} was not seen on any hypervisor")
    is_up = seen.fate is None and seen.ofport and seen.phase is not Phase.ABSENT
    if is_up and not seen.elsewhere:
        return UP
    where = f"interface {seen.name} on hypervisor {seen.hypervisor}"
    if seen.problem:
        status = _down(f"{where}: {seen.problem}")
    elif not seen.ofport:
        status = _soon(f"{where} has no OpenFlow port yet")
    elif seen.phase is Phase.ABSENT:
        status = _down(f"{where}: switch {seen.datapath_id:016x} is not connected")
    elif seen.fate:
        status = _down(f"{where}: {seen.fate}")
    elif seen.fate is not None:
        status = _soon(f"{where}: the switch has not acknowledged it yet")
    else:
        others = ", ".join(seen.elsewhere)
        status = Status(OpStatus.UP, f"{where}; also seen, and refused, on {others}")
    return status


def _down(reason: str) -> Status:
    return Status(OpStatus.DOWN, reason)


def _soon(reason: str) -> Status:
    return Status(OpStatus.PROVISIONING, reason)
