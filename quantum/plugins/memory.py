# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""A fabric with no switch: for developing against the API, and for tests."""

from collections.abc import Sequence

from twisted.application.service import Service
from zope.interface import implementer

from quantum.interfaces import IFabric, IIntent, IStatusBoard
from quantum.model import (
    ADMIN_DOWN,
    UNATTACHED,
    UP,
    AdminState,
    Change,
    Network,
    PortChanged,
)


@implementer(IFabric)
class MemoryFabric(Service):
    """Admits everything, and finds every active plugged port ``UP`` at once."""

    name = "memory"

    def __init__(self, intent: IIntent, board: IStatusBoard) -> None:
        self._intent = intent
        self._board = board

    def startService(self) -> None:
        super().startService()
        for binding in list(self._intent.bindings()):
            status = UP if binding.is_active else ADMIN_DOWN
            self._board.report(binding.port_id, status)

    def admit(self, change: Change) -> None:
        pass

    def tell(self, changes: Sequence[Change]) -> None:
        for change in changes:
            if isinstance(change, PortChanged):
                self._tell_port(change)

    def mtu(self, network: Network) -> int | None:
        return None

    def _tell_port(self, change: PortChanged) -> None:
        """Report what a changed port is now."""
        port = change.after
        if port.attachment is None:
            status = UNATTACHED
        else:
            status = UP if port.admin_state is AdminState.ACTIVE else ADMIN_DOWN
        self._board.report(port.id, status)
