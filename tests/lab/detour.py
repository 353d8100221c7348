# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
All control of hypervisors by way of fault proxies.

The daemon listens on loopback; where it would listen are the proxies.  Faults
are of control alone: frames between hypervisors take no detour.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from attrs import define

from tests.lab.hypervisor import Hypervisor
from tests.lab.namespace import Namespace
from tests.lab.proxy import EVERYBODY, Fault, FaultProxy
from tests.lab.underlay import CONTROL, OPENFLOW_PORT, OVSDB_PORT, Underlay

_LOOPBACK = "127.0.0.1"


@define
class Detour:
    """A proxy for OpenFlow and one for OVSDB; a daemon may be at home here."""

    _underlay: Underlay
    openflow: FaultProxy
    ovsdb: FaultProxy

    @classmethod
    @contextmanager
    def running(cls, underlay: Underlay, seed: int = 1) -> Iterator["Detour"]:
        """Start both proxies, and stop them whatever happens."""
        proxies = [
            FaultProxy(underlay.namespace, (CONTROL, port), (_LOOPBACK, port), seed)
            for port in (OPENFLOW_PORT, OVSDB_PORT)
        ]
        for proxy in proxies:
            proxy.start()
        try:
            yield cls(underlay, *proxies)
        finally:
            for proxy in proxies:
                proxy.stop()

    @property
    def namespace(self) -> Namespace:
        """The network namespace of the underlay."""
        return self._underlay.namespace

    @property
    def settings(self) -> tuple[str, ...]:
        """What a daemon must be told."""
        return (
            *self._underlay.settings,
            f'ovsdb.listen=["tcp:{OVSDB_PORT}:interface={_LOOPBACK}"]',
            f"openflow.listen=tcp:{OPENFLOW_PORT}:interface={_LOOPBACK}",
        )

    def do(self, fault: Fault, hypervisor: Hypervisor | None = None) -> None:
        """Do this to all control of a hypervisor, or of all of them."""
        client = self._underlay.address(hypervisor) if hypervisor else EVERYBODY
        self.openflow.do(fault, client)
        self.ovsdb.do(fault, client)

    def behave(self) -> None:
        """Do nothing wrong any more."""
        self.openflow.behave()
        self.ovsdb.behave()
