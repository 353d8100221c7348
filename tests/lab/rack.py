# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
The operator's own Ethernet: a learning switch on top of the rack.

It is an ordinary Open vSwitch that nobody manages.  Each hypervisor has a trunk
to it from an ordinary bridge of its own, and hosts that are not ours are on
access ports, each in one VLAN.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from attrs import define, field

from tests.lab.hypervisor import Hypervisor, Machine, Spec, boot
from tests.lab.namespace import Namespace
from tests.lab.ovs import OpenVSwitch

UPLINK_BRIDGE = "br-ex"
_BRIDGE = "rack"


@define
class Rack:
    """The switch; `trunk` connects a hypervisor, `access` a host."""

    ovs: OpenVSwitch
    namespace: Namespace
    hosts: list[Machine] = field(factory=list)
    _trunks: dict[str, str] = field(factory=dict)

    @classmethod
    @contextmanager
    def running(cls) -> Iterator["Rack"]:
        """Start it, and take it and its hosts away whatever happens."""
        namespace = Namespace.create(_BRIDGE)
        hosts: list[Machine] = []
        try:
            ovs = OpenVSwitch.start(dummy=False, prefix=namespace.prefix)
            try:
                row = ("set", "bridge", _BRIDGE, "datapath_type=netdev")
                ovs.vsctl("add-br", _BRIDGE, "--", *row)
                yield cls(ovs, namespace, hosts)
            finally:
                ovs.stop()
        finally:
            for host in hosts:
                host.namespace.close()
            namespace.close()

    def trunk(self, hypervisor: Hypervisor) -> None:
        """Lay a cable that carries every VLAN to a hypervisor's ``br-ex``."""
        here = self._trunks[hypervisor.name] = f"trunk{len(self._trunks) + 1}"
        far = f"peer name ex0 netns {hypervisor.namespace.path}"
        self.namespace.ip(f"link add {here} type veth {far}", f"link set {here} up")
        hypervisor.namespace.ip("link set ex0 up")
        self.ovs.vsctl("add-port", _BRIDGE, here)
        row = ("set", "bridge", UPLINK_BRIDGE, "datapath_type=netdev")
        add = ("--", "add-port", UPLINK_BRIDGE, "ex0")
        hypervisor.ovs.vsctl("add-br", UPLINK_BRIDGE, "--", *row, *add)

    def access(self, spec: Spec, vlan: int) -> Machine:
        """Connect a host that sees one VLAN, without tags."""
        host = boot(spec, self.namespace)
        self.hosts.append(host)
        self.namespace.ip(f"link set {host.vif} up")
        self.ovs.vsctl("add-port", _BRIDGE, host.vif, f"tag={vlan}")
        return host

    def cut(self, hypervisor: Hypervisor) -> None:
        """Pull a trunk out."""
        self.namespace.ip(f"link set {self._trunks[hypervisor.name]} down")

    def heal(self, hypervisor: Hypervisor) -> None:
        """Plug the trunk in again."""
        self.namespace.ip(f"link set {self._trunks[hypervisor.name]} up")
