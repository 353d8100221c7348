# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""The Open vSwitch fabric with its connections and its clock."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from random import SystemRandom
from typing import Any, Final

from twisted.application.service import MultiService
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.task import LoopingCall
from twisted.internet.threads import deferToThreadPool
from twisted.logger import Logger
from zope.interface import implementer

import ryu_apps.isolation
from quantum.channel.host import RyuHost
from quantum.channel.limits import Limits
from quantum.channel.listener import OpenFlowListener
from quantum.channel.ovsdb.bridge import WantedBridge
from quantum.channel.ovsdb.client import HypervisorClients, Places
from quantum.config import Config
from quantum.endpoint import server
from quantum.interfaces import IFabric, IIntent, IStatusBoard, ISwitches, Surroundings
from quantum.model import Change, Network, SwitchStatus
from quantum.plugins.openvswitch.fabric import OpenVSwitchFabric
from quantum.plugins.openvswitch.planner import PlanWriter
from quantum.plugins.openvswitch.recollection import Recollections, read_all
from quantum.plugins.openvswitch.rounds import Rounds

log = Logger()

KEEPING_INTERVAL: Final = 0.25
"""Seconds until what is seen is kept for the next start."""


@implementer(IFabric, ISwitches)
class OpenVSwitchService(MultiService):
    """
    Listens for switches, dials hypervisors, and goes its rounds.

    Switches are accepted only after every recorded port has a status, so that
    what a switch reports is never overwritten by what was there before it.
    """

    def __init__(
        self, surroundings: Surroundings, intent: IIntent, board: IStatusBoard
    ) -> None:
        super().__init__()
        config, reactor = surroundings.config, surroundings.reactor
        self._config = config
        self._reactor = reactor
        self.fabric = OpenVSwitchFabric.over(
            intent, board, reactor, config.openvswitch, SystemRandom()
        )
        limits = _limits(config)
        self._host = RyuHost(self._reactor, limits)
        self._listener = OpenFlowListener(self._host, limits)
        self._rounds = LoopingCall(_surviving(Rounds(self.fabric, self._reactor)))
        self._rounds.clock = self._reactor
        in_thread = partial(deferToThreadPool, reactor, reactor.getThreadPool())
        self._plans = PlanWriter(
            config.openvswitch.plan_file, intent, self.fabric.switches, in_thread
        )
        self._writing = LoopingCall(_surviving(self._plans.write))
        self._writing.clock = self._reactor
        self._seen_last = config.state_dir / "switches"
        self._recollections = Recollections(
            self._seen_last, self.fabric.switches, in_thread
        )
        self._keeping = LoopingCall(_surviving(self._recollections.write))
        self._keeping.clock = self._reactor
        HypervisorClients(
            self._reactor,
            Places(config.ovsdb_endpoints, config.ovsdb.listen),
            _bridge(config),
            self.fabric.testimony,
            surroundings.warn,
        ).setServiceParent(self)

    def admit(self, change: Change) -> None:
        self.fabric.admit(change)

    def tell(self, changes: Sequence[Change]) -> None:
        self.fabric.tell(changes)

    def mtu(self, network: Network) -> int | None:
        return self.fabric.mtu(network)

    def switch_statuses(self) -> Iterable[SwitchStatus]:
        return self.fabric.switch_statuses()

    async def forget_switch(self, datapath_id: str) -> None:
        await self.fabric.forget_switch(datapath_id)
        self._recollections.forget(int(datapath_id, 16))

    def startService(self) -> Any:
        return Deferred.fromCoroutine(self._start())

    def stopService(self) -> Any:
        return Deferred.fromCoroutine(self._stop())

    async def _start(self) -> None:
        self.fabric.display.show_all()
        self.fabric.recollect(list(read_all(self._seen_last)))
        self._host.run([ryu_apps.isolation], {"plans": self.fabric})
        endpoint = server(self._reactor, self._config.openflow.listen)
        await self._listener.listen(endpoint)
        super().startService()
        self._rounds.start(self._config.openvswitch.audit_interval, now=False)
        self._keeping.start(KEEPING_INTERVAL, now=False)
        if self._config.openvswitch.plan_file:
            self._writing.start(self._config.openvswitch.audit_interval, now=False)

    async def _stop(self) -> None:
        for call in (self._rounds, self._writing, self._keeping):
            if call.running:
                call.stop()
        await self._recollections.write()
        await super().stopService()
        await self._listener.stop()
        self._host.close()


def _surviving(duty: Callable[[], Any]) -> Callable[[], Deferred[Any]]:
    """Let a regular duty be done again whatever became of it: nobody else does it."""

    def once() -> Deferred[Any]:
        return maybeDeferred(duty).addErrback(
            lambda failure: log.failure("a regular duty broke off", failure=failure)
        )

    return once


def _bridge(config: Config) -> WantedBridge:
    """What every hypervisor must have, as configured."""
    options = config.openvswitch
    networks = options.physical_networks.items()
    return WantedBridge(
        name=options.integration_bridge,
        controller=config.controller,
        datapath_type=options.datapath_type,
        tunnel_type=options.tunnel_type,
        tunnel_addresses=options.tunnel_addresses,
        underlay_mtu=options.underlay_mtu,
        physical_networks={name: network.target for name, network in networks},
    )


def _limits(config: Config) -> Limits:
    """What switches may cost, as configured."""
    options = config.openflow
    return Limits(
        handshake_deadline=options.handshake_deadline,
        echo_interval=options.echo_interval,
        buffer_limit=options.buffer_limit,
        max_connections=options.max_connections,
    )
