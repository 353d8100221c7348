# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""The core verbs, answered from the ledger and realised by a fabric."""

from collections.abc import Iterable
from typing import Any

from twisted.application.service import IService, Service
from twisted.internet.defer import Deferred
from zope.interface import implementer

from quantum.errors import NetworkNotFound, SwitchNotFound
from quantum.interfaces import (
    IFabric,
    IProviderNetworks,
    IQuantumPlugin,
    ISwitches,
    Surroundings,
)
from quantum.model import AdminState, Network, Port, SwitchStatus
from quantum.storage.database import file_url
from quantum.storage.ledger import Ledger, Means
from quantum.storage.segments import Pool, SegmentPool
from quantum.storage.write import Write

Recorded = Any
"""A Deferred; what it fires with is in the interface, which has no word for it."""


def open_ledger(surroundings: Surroundings) -> Ledger:
    """
    Open the ledger that the configuration names.

    :raise DatabaseUnusable: It cannot be used; the message says what to fix.
    """
    config = surroundings.config
    default = file_url(str(config.state_dir / "quantum.db"))
    means = Means.of_daemon(surroundings.reactor, config.database.queue_limit)
    means.pool = _segment_pool(surroundings)
    means.vlan_pools = _vlan_pools(surroundings)
    return Ledger.open(config.database.url or default, means)


def _segment_pool(surroundings: Surroundings) -> SegmentPool:
    """Make the pool of segments that the configuration describes."""
    (span,) = surroundings.config.openvswitch.segment_pool.spans
    return SegmentPool(span.first, span.last, surroundings.warn)


def _vlan_pools(surroundings: Surroundings) -> dict[str, Pool]:
    """Make a pool of VLANs for each physical network of the configuration."""
    pools = {}
    for name, physical in surroundings.config.openvswitch.physical_networks.items():
        ranges = physical.pool
        title = f"VLANs {ranges} of {name}"
        pools[name] = Pool(title, ranges, surroundings.warn)
    return pools


@implementer(IQuantumPlugin, IProviderNetworks, ISwitches)
class RecordedPlugin(Service):
    """
    Every plugin whose networks are recorded here, whatever realises them.

    The fabric is asked before anything is recorded and told afterwards.  Reads
    are plain values.  It is a service: started, it starts the fabric; stopped,
    it stops the fabric, then records what was accepted and closes the ledger.
    """

    name = "plugin"

    def __init__(self, ledger: Ledger, fabric: IFabric) -> None:
        self._ledger = ledger
        self._fabric = fabric
        self._catalogue = ledger.catalogue
        self._drafts = ledger.drafts

    def startService(self) -> Any:
        super().startService()
        self._ledger.subscribe(self._fabric.tell)
        if IService.providedBy(self._fabric):
            return self._fabric.startService()
        return None

    def stopService(self) -> Deferred[None]:
        super().stopService()
        return Deferred.fromCoroutine(self._stop())

    def networks(self, tenant_id: str) -> list[Network]:
        return self._catalogue.networks(tenant_id)

    def network(self, tenant_id: str, network_id: str) -> Network:
        return self._catalogue.network(tenant_id, network_id)

    def create_network(self, tenant_id: str, name: str) -> Recorded:
        return self._record(self._drafts.create_network(tenant_id, name))

    def rename_network(self, tenant_id: str, network_id: str, name: str) -> Recorded:
        return self._record(self._drafts.rename_network(tenant_id, network_id, name))

    def delete_network(self, tenant_id: str, network_id: str) -> Recorded:
        return self._record(self._drafts.delete_network(tenant_id, network_id))

    def ports(self, tenant_id: str, network_id: str) -> list[Port]:
        return self._catalogue.ports(tenant_id, network_id)

    def mtu(self, network: Network) -> int | None:
        return self._fabric.mtu(network)

    def port(self, tenant_id: str, network_id: str, port_id: str) -> Port:
        return self._catalogue.port(tenant_id, network_id, port_id)

    def create_port(
        self, tenant_id: str, network_id: str, admin_state: AdminState
    ) -> Recorded:
        return self._record(
            self._drafts.create_port(tenant_id, network_id, admin_state)
        )

    def set_port_state(
        self, tenant_id: str, network_id: str, port_id: str, admin_state: AdminState
    ) -> Recorded:
        return self._record(
            self._drafts.set_port_state(tenant_id, network_id, port_id, admin_state)
        )

    def delete_port(self, tenant_id: str, network_id: str, port_id: str) -> Recorded:
        return self._record(self._drafts.delete_port(tenant_id, network_id, port_id))

    def plug(
        self, tenant_id: str, network_id: str, port_id: str, attachment: str
    ) -> Recorded:
        return self._record(
            self._drafts.plug(tenant_id, network_id, port_id, attachment)
        )

    def unplug(self, tenant_id: str, network_id: str, port_id: str) -> Recorded:
        return self._record(self._drafts.unplug(tenant_id, network_id, port_id))

    def any_network(self, network_id: str) -> Network:
        network = self._catalogue.recorded_network(network_id)
        if network is None:
            raise NetworkNotFound(network_id)
        return network

    def bind_vlan(
        self, network_id: str, physical_network: str, vlan_id: int | None
    ) -> Recorded:
        return self._record(
            self._drafts.bind_vlan(network_id, physical_network, vlan_id)
        )

    def switch_statuses(self) -> Iterable[SwitchStatus]:
        fabric = self._fabric
        return fabric.switch_statuses() if ISwitches.providedBy(fabric) else ()

    def forget_switch(self, datapath_id: str) -> Recorded:
        if not ISwitches.providedBy(self._fabric):
            raise SwitchNotFound(datapath_id)
        return self._fabric.forget_switch(datapath_id)

    def _record(self, write: Write) -> Deferred[Any]:
        """Ask the fabric, then record."""
        change = write.change
        if change is not None and not write.is_idle:
            self._fabric.admit(change)
        return self._ledger.record(write)

    async def _stop(self) -> None:
        """Stop what is below, from the switches up to the database."""
        if IService.providedBy(self._fabric):
            stopped = self._fabric.stopService()
            if stopped is not None:
                await stopped
        await self._ledger.close()
