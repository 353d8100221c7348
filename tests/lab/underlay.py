# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
The network between hypervisors: a bridge, and one cable to each of them.

Hypervisors speak to the daemon and to each other over the same cable, so that
to cut it cuts both.  The daemon runs here too, at `CONTROL`.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from attrs import define, field

from tests.lab.hypervisor import Hypervisor
from tests.lab.namespace import Namespace

CONTROL = "10.99.255.254"
OPENFLOW_PORT = 6653
OVSDB_PORT = 6640
MTU = 1600


@define
class Underlay:
    """The bridge ``ul`` in a namespace; `join` lays a cable to a hypervisor."""

    namespace: Namespace
    mtu: int
    _members: dict[str, Hypervisor] = field(factory=dict)

    @property
    def settings(self) -> tuple[str, ...]:
        """What a daemon in this namespace must be told."""
        return (
            "ovsdb.connect=[]",
            f'ovsdb.listen=["tcp:{OVSDB_PORT}:interface={CONTROL}"]',
            f"openflow.listen=tcp:{OPENFLOW_PORT}:interface={CONTROL}",
            f"openvswitch.controller=tcp:{CONTROL}:{OPENFLOW_PORT}",
            f"openvswitch.underlay_mtu={self.mtu}",
        )

    @classmethod
    @contextmanager
    def running(cls, mtu: int = MTU) -> Iterator["Underlay"]:
        """Make it, and take it away whatever happens."""
        namespace = Namespace.create("underlay")
        try:
            namespace.ip(
                f"link add ul mtu {mtu} address {_mac(0)} type bridge mcast_snooping 0",
                f"address add {CONTROL}/16 dev ul",
                "link set ul up",
            )
            namespace.checksum_in_software("ul")
            yield cls(namespace, mtu)
        finally:
            namespace.close()

    def join(self, hypervisor: Hypervisor) -> None:
        """Lay the cable to a hypervisor, and give it an address and a manager."""
        number = len(self._members) + 1
        self._members[hypervisor.name] = hypervisor
        here, far = cable(number), f"peer name ul0 netns {hypervisor.namespace.path}"
        self.namespace.ip(
            f"link add {here} mtu {self.mtu} type veth {far} mtu {self.mtu}",
            f"link set {here} master ul up",
        )
        hypervisor.namespace.ip("link set ul0 up")
        words = ["add-br", "br-phy", "--", "set", "bridge", "br-phy"]
        words += ["datapath_type=netdev", f'other_config:hwaddr="{_mac(number)}"']
        words += ["--", "add-port", "br-phy", "ul0"]
        words += ["--", "set", "interface", "br-phy", f"mtu_request={self.mtu}"]
        words += ["--", "set", "open_vswitch", "."]
        words += [f"external_ids:quantum-tunnel-ip={self.address(hypervisor)}"]
        hypervisor.ovs.vsctl(*words)
        self._configure(hypervisor)
        for other in self._members.values():
            if other is not hypervisor:
                self._introduce(hypervisor, other)
                self._introduce(other, hypervisor)

    def manage(self, hypervisor: Hypervisor) -> None:
        """Let the hypervisor's database dial the daemon."""
        hypervisor.ovs.vsctl("set-manager", f"tcp:{CONTROL}:{OVSDB_PORT}")

    def address(self, hypervisor: Hypervisor) -> str:
        """Give the tunnel address of a hypervisor."""
        return f"10.99.0.{self.number(hypervisor)}"

    def number(self, hypervisor: Hypervisor) -> int:
        """Give the number of a hypervisor's cable; they count from 1."""
        return 1 + list(self._members).index(hypervisor.name)

    def cut(self, hypervisor: Hypervisor) -> None:
        """Pull a hypervisor's cable out: no control, no tunnels."""
        self.namespace.ip(f"link set {cable(self.number(hypervisor))} down")

    def heal(self, hypervisor: Hypervisor) -> None:
        """Plug the cable in again."""
        self.namespace.ip(f"link set {cable(self.number(hypervisor))} up")

    def restart_switch(self, hypervisor: Hypervisor) -> None:
        """Crash ovs-vswitchd and start it; its host gives ``br-phy`` its address."""
        hypervisor.ovs.kill("ovs-vswitchd")
        hypervisor.ovs.start_vswitchd()
        # Answered when every bridge is there again.
        hypervisor.ovs.vsctl("set", "open_vswitch", ".", "external_ids:restarted=yes")
        self._configure(hypervisor)
        for other in self._members.values():
            if other is not hypervisor:
                self._introduce(hypervisor, other)

    def _configure(self, hypervisor: Hypervisor) -> None:
        hypervisor.namespace.ip(
            f"address replace {self.address(hypervisor)}/16 dev br-phy",
            "link set br-phy up",
        )

    def _introduce(self, hypervisor: Hypervisor, other: Hypervisor) -> None:
        """
        Tell a switch the Ethernet address behind a tunnel address.

        It would find out by itself, but drop frames until it has.
        """
        mac = _mac(self.number(other))
        hypervisor.ovs.appctl("tnl/arp/set", "br-phy", self.address(other), mac)


def cable(number: int) -> str:
    """Name the underlay's end of a hypervisor's cable."""
    return f"cable{number}"


def _mac(number: int) -> str:
    return f"02:99:00:00:00:{number:02x}"
