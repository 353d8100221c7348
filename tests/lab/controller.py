# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
The Open vSwitch plugin in this process, as the daemon assembles it.

Its switches are real or simulated; which interface is on which of them is told
to its fabric directly, in OVSDB's place.
"""

import socket
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from attrs import define
from msgspec.structs import replace
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater

from quantum.config import Config, Daemon, Ovsdb
from quantum.interfaces import Surroundings
from quantum.openflow.facts import SeenInterface
from quantum.openflow.phase import Phase
from quantum.plugins.openvswitch.fabric import OpenVSwitchFabric
from quantum.plugins.openvswitch.service import OpenVSwitchService
from quantum.plugins.recorded import RecordedPlugin
from quantum.storage.database import file_url
from quantum.storage.ledger import Ledger, Means

PAUSE = 0.01


@define
class Controller:
    """A ledger in a folder, and the plugin over it, listening on loopback."""

    reactor: Any
    ledger: Ledger
    plugin: RecordedPlugin
    fabric: OpenVSwitchFabric
    port: int

    @classmethod
    async def open(
        cls, reactor: Any, folder: Path, config: Config | None = None
    ) -> "Controller":
        """Open the ledger, and listen; with the default configuration but for where."""
        config, port = config or Config(), free_port()
        listen = f"tcp:{port}:interface=127.0.0.1:backlog=1024"
        options = replace(config.openflow, listen=listen)
        config = replace(
            config,
            daemon=Daemon(state_dir=str(folder)),
            openflow=options,
            ovsdb=Ovsdb(connect=[]),
        )
        url = file_url(str(folder / "quantum.db"))
        ledger = Ledger.open(url, Means.of_daemon(reactor))
        service = OpenVSwitchService(
            Surroundings(config, reactor, lambda _: None), ledger, ledger
        )
        plugin = RecordedPlugin(ledger, service)
        await plugin.startService()
        return cls(reactor, ledger, plugin, service.fabric, port)

    async def close(self) -> None:
        """End every connection, and close the ledger."""
        await self.plugin.stopService()

    def tell(self, number: int, interfaces: Iterable[SeenInterface]) -> None:
        """Tell the fabric what is on a switch, the only one of its hypervisor."""
        self.fabric.testimony.hypervisor_synced(
            f"hypervisor {number}", number, interfaces
        )

    def phases(self) -> Counter[Phase]:
        """Count the switches by how far their sessions have come."""
        switches = self.fabric.switches.values()
        return Counter(switch.session.phase for switch in switches)

    async def reach(self, phase: Phase, count: int) -> None:
        """Wait until so many switches are in a phase."""
        while self.phases()[phase] != count:
            await self.pause(PAUSE)

    def pause(self, seconds: float) -> Deferred[None]:
        """Fire a little later."""
        return deferLater(self.reactor, seconds, lambda: None)


def free_port() -> int:
    """Find a TCP port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
