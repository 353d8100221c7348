# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""The stage of many hypervisors: a site, and one daemon that governs it."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from attrs import define

from tests.lab.cloud import RestCloud
from tests.lab.daemon import Daemon, Home
from tests.lab.detour import Detour
from tests.lab.rack import UPLINK_BRIDGE
from tests.lab.site import PHYSICAL, VLAN, VLAN_NETWORK, Site

SETTINGS = (
    f'openvswitch.physical_networks={{{PHYSICAL} = {{target = "{UPLINK_BRIDGE}"}}}}',
)


@define
class WideStage:
    """Everything that runs; the machines are plugged into their bridges."""

    site: Site
    daemon: Daemon
    cloud: RestCloud
    detour: Detour | None

    @classmethod
    @contextmanager
    def running(
        cls, *settings: str, is_detoured: bool = False
    ) -> Iterator["WideStage"]:
        """
        Build everything, and take everything away whatever happens.

        :param is_detoured: Whether all control goes by way of fault proxies.
        """
        with ExitStack() as stack:
            site = stack.enter_context(Site.running())
            home: Home = site.underlay
            detour = None
            if is_detoured:
                home = detour = stack.enter_context(Detour.running(site.underlay))
            daemon = Daemon(home, (*SETTINGS, *settings))
            stack.callback(daemon.stop)
            daemon.start()
            for hypervisor in site.hypervisors:
                site.underlay.manage(hypervisor)
            for hypervisor in site.hypervisors:
                hypervisor.await_bridge()
            site.plug()
            yield cls(site, daemon, RestCloud(daemon), detour)

    def populate(self) -> None:
        """Make the networks, one of them a VLAN, and plug every machine in."""
        self.cloud.bind(VLAN_NETWORK, PHYSICAL, VLAN)
        self.cloud.connect(self.site.machines)
        self.cloud.await_up(self.site.machines)
