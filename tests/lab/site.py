# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
Three hypervisors, the network between them, the operator's Ethernet, tenants.

Two tenants have machines with the same Ethernet and IP addresses on different
hypervisors; so has a third, whose network also reaches a host that is not ours,
over VLAN 100.  Another host, with the address of the first, is in VLAN 200.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from attrs import define

from tests.lab.hypervisor import FOREIGN, Hypervisor, Machine, Spec
from tests.lab.isolation import Observatory
from tests.lab.rack import Rack
from tests.lab.underlay import Underlay

HOSTS = ("one", "two", "three")
VLAN, OTHER_VLAN = 100, 200
VLAN_NETWORK = "green"
PHYSICAL = "external"


def spec(name: str, number: int, host: str, network: str = "") -> Spec:
    """Describe a machine; machines with one number have the same addresses."""
    mac, address = f"02:00:00:00:00:{number:02x}", f"192.168.7.{number}"
    return Spec(name, network or name.partition("-")[0], mac, address, host)


PLAN = (
    spec("red-1", 1, "one"),
    spec("red-2", 2, "two"),
    spec("red-3", 3, "three"),
    spec("blue-1", 1, "one"),
    spec("blue-2", 2, "one"),
    spec("blue-3", 3, "two"),
    spec("green-1", 1, "two"),
    spec("green-2", 2, "three"),
)
OUTSIDE = spec("outside", 9, FOREIGN, VLAN_NETWORK)
APART = spec("apart", 9, FOREIGN)


@define
class Site:
    """Everything but the daemon; the machines' interfaces are plugged in."""

    underlay: Underlay
    rack: Rack
    hypervisors: list[Hypervisor]
    machines: list[Machine]
    outside: Machine
    apart: Machine
    observatory: Observatory

    @classmethod
    @contextmanager
    def running(cls, plan: Sequence[Spec] = PLAN) -> Iterator["Site"]:
        """Build everything, and take everything away whatever happens."""
        with ExitStack() as stack:
            underlay = stack.enter_context(Underlay.running())
            rack = stack.enter_context(Rack.running())
            hypervisors = []
            for name in HOSTS:
                hypervisor = stack.enter_context(Hypervisor.running(name))
                underlay.join(hypervisor)
                rack.trunk(hypervisor)
                hypervisors.append(hypervisor)
            machines = _machines(hypervisors, plan)
            outside, apart = rack.access(OUTSIDE, VLAN), rack.access(APART, OTHER_VLAN)
            everybody = [*machines, outside, apart]
            observatory = Observatory(everybody, vlans={VLAN_NETWORK})
            stack.callback(observatory.stop)
            observatory.start()
            yield cls(
                underlay, rack, hypervisors, machines, outside, apart, observatory
            )

    def machine(self, name: str) -> Machine:
        """Find a machine by its name."""
        (found,) = [one for one in self.observatory.machines if one.name == name]
        return found

    def host(self, machine: Machine) -> Hypervisor:
        """Find the hypervisor that a machine is on."""
        return self.hypervisors[HOSTS.index(machine.host)]

    def plug(self) -> None:
        """Plug every machine into its hypervisor's integration bridge."""
        for hypervisor in self.hypervisors:
            hypervisor.plug(hypervisor.machines)

    def folders(self) -> list[Path]:
        """List every folder that it made."""
        return [switch.ovs.rundir for switch in (*self.hypervisors, self.rack)]


def _machines(hypervisors: Sequence[Hypervisor], plan: Sequence[Spec]) -> list[Machine]:
    for hypervisor in hypervisors:
        hypervisor.add_machines(one for one in plan if one.host == hypervisor.name)
    made = {one.name: one for host in hypervisors for one in host.machines}
    return [made[one.name] for one in plan]
