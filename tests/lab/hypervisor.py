# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
A hypervisor on this machine: an Open vSwitch, and namespaces as its machines.

The switch has the userspace datapath, its own database and its own network
namespace, so that an Open vSwitch already running here never notices it.
"""

import re
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType

from attrs import define, field, frozen

from tests.lab.namespace import Namespace
from tests.lab.ovs import DEADLINE, LabError, OpenVSwitch

BRIDGE = "br-int"
FOREIGN = "rack"
"""The host of machines that are not ours: nobody looks at what they send."""
ANY_OFPORT: Mapping[str, int] = MappingProxyType({})


@frozen
class Machine:
    """A virtual machine: a namespace whose ``eth0`` ends in a hypervisor."""

    name: str
    network: str
    mac: str
    address: str
    namespace: Namespace = field(eq=False, repr=False)
    host: str = ""
    """What it runs on: the name of a hypervisor, or of whatever else."""

    @property
    def vif(self) -> str:
        """The name of its interface on the hypervisor's side."""
        return f"v-{self.name}"

    @property
    def attachment(self) -> str:
        """What the API calls its interface (``external_ids:iface-id``)."""
        return f"vif-{self.name}"


@frozen
class Spec:
    """What a machine shall be, and on which host."""

    name: str
    network: str
    mac: str
    address: str
    host: str = ""


@define
class Hypervisor:
    """One Open vSwitch and its machines; `start` makes it, `stop` ends all of it."""

    ovs: OpenVSwitch
    namespace: Namespace
    machines: list[Machine] = field(factory=list)

    @property
    def name(self) -> str:
        """What it is called, in its database too (``external_ids:system-id``)."""
        return self.namespace.name

    @property
    def settings(self) -> tuple[str, ...]:
        """What a daemon in this namespace must be told."""
        return (f'ovsdb.connect=["unix:{self.ovs.socket}"]',)

    @classmethod
    def start(cls, name: str = "hv") -> "Hypervisor":
        """Start Open vSwitch in a namespace of its own; there is no bridge yet."""
        namespace = Namespace.create(name)
        try:
            ovs = OpenVSwitch.start(dummy=False, prefix=namespace.prefix)
        except BaseException:
            namespace.close()
            raise
        self = cls(ovs, namespace)
        try:
            ovs.vsctl("set", "Open_vSwitch", ".", f"external_ids:system-id={name}")
        except BaseException:
            self.stop()
            raise
        return self

    @classmethod
    @contextmanager
    def running(cls, name: str = "hv") -> Iterator["Hypervisor"]:
        """Start, and stop whatever happens."""
        self = cls.start(name)
        try:
            yield self
        finally:
            self.stop()

    def add_bridge(self) -> None:
        """Make the integration bridge, as an operator would by hand."""
        row = ("datapath_type=netdev", "fail_mode=secure")
        add = ("--may-exist", "add-br", BRIDGE, "--", "set", "bridge", BRIDGE)
        self.ovs.vsctl(*add, *row)

    def await_bridge(self) -> None:
        """Wait until somebody else has made the integration bridge."""
        deadline = time.monotonic() + DEADLINE
        while BRIDGE not in self.ovs.vsctl("list-br").split():
            if time.monotonic() > deadline:
                raise LabError(f"nobody made the bridge {BRIDGE}")
            time.sleep(0.05)

    def add_machines(self, specs: Iterable[Spec]) -> list[Machine]:
        """Make machines whose interfaces are not plugged into the bridge yet."""
        made = []
        for spec in specs:
            made.append(boot(spec, self.namespace))
            self.machines.append(made[-1])
        self.namespace.ip(*(f"link set {machine.vif} up" for machine in made))
        return made

    def plug(
        self, machines: Iterable[Machine], ofports: Mapping[str, int] = ANY_OFPORT
    ) -> None:
        """Plug interfaces into the bridge, by name under a wanted OpenFlow port."""
        words: list[str] = []
        for machine in machines:
            row = [
                f"external_ids:iface-id={machine.attachment}",
                f'external_ids:attached-mac="{machine.mac}"',
                f'external_ids:quantum-ips="{machine.address}"',
            ]
            if machine.name in ofports:
                row.append(f"ofport_request={ofports[machine.name]}")
            words += ["--", "add-port", BRIDGE, machine.vif]
            words += ["--", "set", "interface", machine.vif, *row]
        self.ovs.vsctl(*words)

    def unplug(self, machines: Iterable[Machine]) -> None:
        """Take interfaces out of the bridge; the machines live on."""
        words: list[str] = []
        for machine in machines:
            words += ["--", "del-port", BRIDGE, machine.vif]
        self.ovs.vsctl(*words)

    def remove(self, machine: Machine) -> None:
        """End an unplugged machine."""
        self.machines.remove(machine)
        self.namespace.ip(f"link delete {machine.vif}")
        machine.namespace.close()

    def ofport(self, machine: Machine) -> int:
        """Say which OpenFlow port a plugged machine has."""
        text = self.ovs.vsctl("get", "interface", machine.vif, "ofport").strip()
        if not re.fullmatch("[0-9]+", text):
            raise LabError(f"{machine.vif} has no OpenFlow port but {text}")
        return int(text)

    def flow_ages(self) -> dict[str, float]:
        """Say for how many seconds each flow has been installed, unchanged."""
        ages = {}
        for line in self.ovs.ofctl("dump-flows", BRIDGE).splitlines():
            if found := re.search(r"duration=([0-9.]+)s", line):
                flow = re.sub(r"(duration|n_packets|n_bytes)=[^,]*, *", "", line)
                ages[flow.strip()] = float(found[1])
        return ages

    def stop(self) -> None:
        """End the switch and let go of every namespace."""
        self.ovs.stop()
        for machine in self.machines:
            machine.namespace.close()
        self.machines.clear()
        self.namespace.close()


def boot(spec: Spec, switch: Namespace) -> Machine:
    """Make a machine whose ``eth0`` ends in the namespace of a switch."""
    space = Namespace.create(spec.name)
    machine = Machine(spec.name, spec.network, spec.mac, spec.address, space, spec.host)
    try:
        switch.ip(
            f"link add {machine.vif} type veth"
            f" peer name eth0 address {machine.mac} netns {space.path}",
            f"link set {machine.vif} addrgenmode none",
        )
        space.checksum_in_software("eth0")
        space.ip(
            "link set eth0 addrgenmode none",
            f"address add {machine.address}/24 dev eth0",
            "link set eth0 up",
        )
    except BaseException:
        space.close()
        raise
    return machine
