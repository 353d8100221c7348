# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
What tenants asked for and operators did, and so what every switch must hold.

It is kept beside the daemon's own record, and compiled from scratch: it shares
the compiler with the daemon, and nothing that could drift.
"""

from collections.abc import Iterator
from ipaddress import IPv4Address

from attrs import define, evolve, field, frozen

from quantum.openflow.flow import Encoded, encode
from quantum.openflow.layout import Layout
from quantum.openflow.member import (
    LocalPort,
    RemotePort,
    Uplink,
    remote_key,
    uplink_key,
)
from tests.daemon.scene import Client
from tests.faults.yard import PHYSICAL, TUNNEL, Guest, Host, Yard

UPLINK = f"quantum-to-{PHYSICAL}"


@frozen
class Net:
    """A network, as its tenant and the operator know it."""

    name: str
    id: str
    segment: int
    vlan: int = 0


@frozen
class Stay:
    """A guest, and what is asked for it; ``host`` is empty while it is nowhere."""

    guest: Guest
    net: str
    path: str
    host: str = ""
    is_attached: bool = True
    is_active: bool = True

    @property
    def is_live(self) -> bool:
        """Whether frames are to be carried for it."""
        return self.is_attached and self.is_active and bool(self.host)


@define(eq=False)
class Account:
    """Does what it notes down; every change goes by REST or by ``ovs-vsctl``."""

    yard: Yard
    client: Client
    nets: dict[str, Net] = field(factory=dict)
    stays: dict[str, Stay] = field(factory=dict)

    @classmethod
    def open(cls, yard: Yard) -> "Account":
        """Begin with nothing."""
        return cls(yard, yard.client())

    def add_net(self, name: str, vlan: int = 0) -> Net:
        """Make a network, by tunnels or by a VLAN."""
        found = self.client.network(name)
        path = f"/networks/{found}"
        if vlan:
            body = {"vlan": {"physical_network": PHYSICAL, "vlan_id": vlan}}
            self.yard.operate("PUT", f"{path}/vlan", body)
        shown = self.yard.operate("GET", path)["network"]
        self.nets[name] = Net(name, found, shown["segment_id"], vlan)
        return self.nets[name]

    def remove_net(self, name: str) -> None:
        """Delete a network, after its guests were detached."""
        net = self.nets.pop(name)
        for stay in [stay for stay in self.stays.values() if stay.net == name]:
            self.detach(stay.guest.name)
            self.unplug(stay.guest.name)
            del self.stays[stay.guest.name]
        self._ask("DELETE", f"/networks/{net.id}")

    def add_guest(self, guest: Guest, net: str, host: str = "") -> None:
        """Make a port, attach a guest to it, and plug it in on a host."""
        path = self.client.new_port(self.nets[net].id)
        self.stays[guest.name] = Stay(guest, net, path, is_attached=False)
        self.attach(guest.name)
        if host:
            self.plug(guest.name, host)

    def remove_guest(self, name: str) -> None:
        """Detach a guest and delete its port; its interface stays where it is."""
        self.detach(name)
        self._ask("DELETE", self.stays.pop(name).path)

    def attach(self, name: str) -> None:
        """Attach a guest to its port."""
        if not self.stays[name].is_attached:
            body = {"attachment": {"id": name}}
            self._ask("PUT", f"{self.stays[name].path}/attachment", body)
            self._note(name, is_attached=True)

    def detach(self, name: str) -> None:
        """Detach a guest from its port."""
        self._ask("DELETE", f"{self.stays[name].path}/attachment")
        self._note(name, is_attached=False)

    def set_active(self, name: str, *, is_active: bool) -> None:
        """Ask for an admin state."""
        state = "ACTIVE" if is_active else "DOWN"
        self._ask("PUT", self.stays[name].path, {"port": {"state": state}})
        self._note(name, is_active=is_active)

    def plug(self, name: str, host: str, *words: str) -> None:
        """Plug a guest's interface in."""
        self.yard.host(host).plug(self.stays[name].guest, *words)
        self._note(name, host=host)

    def unplug(self, name: str) -> None:
        """Take a guest's interface out."""
        stay = self.stays[name]
        if stay.host:
            self.yard.host(stay.host).unplug(stay.guest)
            self._note(name, host="")

    def reopen(self) -> None:
        """Connect to the daemon that was started again."""
        self.client.close()
        self.client = self.yard.client()

    def status(self, name: str) -> str:
        """Say how a guest's port stands."""
        return self.client.status(self.stays[name].path)

    def statuses(self) -> dict[str, str]:
        """Say how everybody's port stands."""
        return {name: self.status(name) for name in self.stays}

    def up(self) -> set[str]:
        """List whose ports are UP."""
        return {name for name, status in self.statuses().items() if status == "UP"}

    def live(self, host: str = "") -> list[Stay]:
        """List the stays for which frames are to be carried."""
        live = [stay for stay in self.stays.values() if stay.is_live]
        return [stay for stay in live if host in {"", stay.host}]

    def wanted(self, host: Host, places: "Places") -> set[Encoded]:
        """Compile the flows that a hypervisor must hold."""
        layout = Layout(tunnel=places[host.name].get(TUNNEL, 0))
        here = {self.nets[stay.net].segment for stay in self.live(host.name)}
        for key, member in self._members(host, places):
            if member.segment in here:
                layout.put(key, member)
        return {encode(flow) for flow in layout.plan()}

    def _members(
        self, host: Host, places: "Places"
    ) -> Iterator[tuple[int, LocalPort | RemotePort | Uplink]]:
        for net in self.nets.values():
            if net.vlan:
                uplink = Uplink(places[host.name][UPLINK], net.segment, net.vlan)
                yield uplink_key(net.segment), uplink
        for stay in self.live():
            net, other = self.nets[stay.net], self.yard.host(stay.host)
            ofport = places[other.name][stay.guest.name]
            mac, ips = _known(stay.guest)
            if other is host:
                yield ofport, LocalPort(ofport, net.segment, mac, ips)
            elif not net.vlan:
                address = IPv4Address(other.address).packed
                remote = RemotePort(address, net.segment, mac, ips)
                yield remote_key(other.number, ofport), remote

    def _note(self, name: str, **what: object) -> None:
        self.stays[name] = evolve(self.stays[name], **what)

    def _ask(self, method: str, path: str, body: object = None) -> None:
        reply = self.client(method, path, body)
        assert 200 <= reply.code < 300, (method, path, reply)


Places = dict[str, dict[str, int]]
"""The OpenFlow port of every interface, by hypervisor."""


def _known(guest: Guest) -> tuple[bytes | None, tuple[bytes, ...]]:
    if not guest.is_known:
        return None, ()
    mac = bytes.fromhex(guest.mac.replace(":", ""))
    return mac, (IPv4Address(guest.address).packed,)
