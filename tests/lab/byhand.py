# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
A stand-in for the daemon on many hypervisors, written with ``ovs-ofctl``.

It proves the lab: with these flows every check must pass, and with one wrong
flow among them a check must fail.
"""

from collections.abc import Iterable, Iterator, Sequence

from attrs import define, field

from tests.lab.hypervisor import BRIDGE, Hypervisor, Machine
from tests.lab.rack import UPLINK_BRIDGE
from tests.lab.site import PHYSICAL, VLAN, VLAN_NETWORK, Site

TUNNEL = 65000
UPLINK = 64000
_HERE, _ANY = "0x1ffffffff", "0xffffffff"
_OUTSIDE = 1 << 32


@define
class ByHand:
    """A small pipeline on each hypervisor; `build` makes the bridges for it."""

    _site: Site
    kind: str = "vxlan"
    _live: set[Machine] = field(factory=set)

    def build(self) -> None:
        """Make the integration bridges with tunnel and uplink, and plug all in."""
        for hypervisor in self._site.hypervisors:
            hypervisor.add_bridge()
            address = self._site.underlay.address(hypervisor)
            options = ("options:key=flow", "options:remote_ip=flow")
            hypervisor.ovs.vsctl(
                *("add-port", BRIDGE, "tun", "--", "set", "interface", "tun"),
                *(f"type={self.kind}", f"ofport_request={TUNNEL}", *options),
                *(f"options:local_ip={address}", "--"),
                *("add-port", BRIDGE, "up", "--", "set", "interface", "up"),
                *("type=patch", "options:peer=down", f"ofport_request={UPLINK}", "--"),
                *("add-port", UPLINK_BRIDGE, "down", "--", "set", "interface", "down"),
                *("type=patch", "options:peer=up"),
            )
            hypervisor.plug(hypervisor.machines)

    def install(self) -> None:
        """Put every flow in."""
        for hypervisor in self._site.hypervisors:
            flows = "\n".join(self._flows(hypervisor))
            hypervisor.ovs.ofctl("replace-flows", BRIDGE, "-", stdin=flows)

    def bind(self, network: str, physical_network: str, vlan: int) -> None:
        assert (network, physical_network, vlan) == (VLAN_NETWORK, PHYSICAL, VLAN)

    def connect(self, machines: Iterable[Machine]) -> None:
        self._live.update(machines)
        self.install()

    def await_up(self, machines: Iterable[Machine]) -> None:
        assert set(machines) <= self._live
        self.install()

    def await_not_up(self, machines: Iterable[Machine]) -> None:
        """Nobody here would notice."""

    def detach(self, machine: Machine) -> None:
        self._live.remove(machine)
        self.install()

    def attach(self, machine: Machine) -> None:
        self.connect([machine])

    def set_state(self, machine: Machine, state: str) -> None:
        (self.attach if state == "ACTIVE" else self.detach)(machine)

    def op_status(self, machine: Machine) -> str:
        return "UP" if machine in self._live else "DOWN"

    def crash(self) -> None:
        """There is nothing that could."""

    def restart(self) -> None:
        self.install()

    def number(self, network: str) -> int:
        """Give the virtual network identifier of a network."""
        return 5001 + sorted({one.network for one in self._site.machines}).index(
            network
        )

    def _flows(self, hypervisor: Hypervisor) -> Iterator[str]:
        live = [one for one in hypervisor.machines if one in self._live]
        for network in sorted({one.network for one in live}):
            here = [one for one in live if one.network == network]
            yield from self._local(hypervisor, network, here)
            if network == VLAN_NETWORK:
                yield from self._by_uplink(network)
            else:
                yield from self._by_tunnel(hypervisor, network)

    def _local(
        self, hypervisor: Hypervisor, network: str, here: Sequence[Machine]
    ) -> Iterator[str]:
        number, ports = self.number(network), []
        for machine in here:
            port = hypervisor.ofport(machine)
            ports.append(f"output:{port}")
            yield (
                f"table=0,priority=100,in_port={port},dl_src={machine.mac},"
                f"actions=write_metadata:{number}/{_HERE},goto_table:30"
            )
            yield (
                f"table=30,priority=100,metadata={number}/{_ANY},dl_dst={machine.mac},"
                f"actions=output:{port}"
            )
        flood = ",".join(ports)
        yield f"table=40,priority=100,metadata={number}/{_ANY},actions={flood}"
        yield "table=30,priority=1,actions=goto_table:33"
        yield "table=33,priority=0,actions=goto_table:40"

    def _by_uplink(self, network: str) -> Iterator[str]:
        number = self.number(network)
        yield (
            f"table=0,priority=100,in_port={UPLINK},dl_vlan={VLAN},actions=pop_vlan,"
            f"write_metadata:{number | _OUTSIDE:#x}/{_HERE},goto_table:30"
        )
        yield (
            f"table=33,priority=100,metadata={number}/{_HERE},vlan_tci=0/0x1fff,"
            f"actions=push_vlan:0x8100,set_field:{0x1000 | VLAN}->vlan_vid,"
            f"output:{UPLINK},pop_vlan,goto_table:40"
        )

    def _by_tunnel(self, hypervisor: Hypervisor, network: str) -> Iterator[str]:
        number = self.number(network)
        yield (
            f"table=0,priority=100,in_port={TUNNEL},tun_id={number},"
            f"actions=write_metadata:{number | _OUTSIDE:#x}/{_HERE},goto_table:30"
        )
        peers = []
        for other in self._site.hypervisors:
            there = [m for m in other.machines if m.network == network]
            there = [one for one in there if one in self._live]
            if other is hypervisor or not there:
                continue
            address = self._site.underlay.address(other)
            way = f"set_field:{address}->tun_dst,output:{TUNNEL}"
            peers.append(way)
            for machine in there:
                yield (
                    f"table=30,priority=100,metadata={number}/{_HERE},"
                    f"dl_dst={machine.mac},actions=set_field:{number}->tun_id,{way}"
                )
        everywhere = ",".join([f"set_field:{number}->tun_id", *peers])
        yield (
            f"table=33,priority=100,metadata={number}/{_HERE},"
            f"actions={everywhere},goto_table:40"
        )
