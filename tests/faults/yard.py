# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
A yard of hypervisors without machines: real Open vSwitches with dummy datapaths.

The real daemon is a process; what it and they say to each other goes through
`tests.faults.middle`, OpenFlow under the hypervisor's name and OVSDB under its
name with ``-db``.  Interfaces are dummies: where frames would go, Open vSwitch
is asked (``ofproto/trace``).
"""

import http.client
import json
import socket
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from attrs import define, field, frozen

from tests.daemon.process import UnixConnection
from tests.daemon.scene import Client, Scene
from tests.faults.middle import Middle
from tests.lab.ovs import OpenVSwitch

BRIDGE, OUTSIDE, PHYSICAL = "br-int", "br-ex", "external"
TUNNEL = "quantum-tun"
PATIENCE = 30.0
SETTINGS = (
    "openvswitch.audit_interval=0.25",
    "openvswitch.absence_grace=2",
    "openflow.echo_interval=0.5",
    "openflow.handshake_deadline=2",
    f'openvswitch.physical_networks={{{PHYSICAL} = {{target = "{OUTSIDE}"}}}}',
)


@frozen
class Guest:
    """A machine's interface: ``mac`` is empty where the switch is not told it."""

    name: str
    number: int
    is_known: bool = True

    @property
    def mac(self) -> str:
        """Its Ethernet address, from which it sends."""
        return f"02:00:00:00:00:{self.number:02x}"

    @property
    def address(self) -> str:
        """Its IPv4 address."""
        return f"192.168.7.{self.number}"

    @property
    def row(self) -> tuple[str, ...]:
        """What its hypervisor writes of it."""
        words = ("type=dummy", f"external_ids:iface-id={self.name}")
        if not self.is_known:
            return words
        told = f'external_ids:attached-mac="{self.mac}"'
        return (*words, told, f'external_ids:quantum-ips="{self.address}"')


@define(eq=False)
class Host:
    """A hypervisor."""

    name: str
    number: int
    ovs: OpenVSwitch

    @classmethod
    def start(cls, name: str, number: int) -> "Host":
        """Start its Open vSwitch, and say who it is."""
        host = cls(name, number, OpenVSwitch.start())
        outside = ("datapath_type=dummy", "fail_mode=standalone")
        host.ovs.vsctl(
            *("set", "open_vswitch", ".", f"external_ids:system-id={name}"),
            *(f"external_ids:quantum-tunnel-ip={host.address}", "--"),
            *("add-br", OUTSIDE, "--", "set", "bridge", OUTSIDE, *outside),
        )
        return host

    @property
    def address(self) -> str:
        """Where tunnels to it end."""
        return f"10.99.0.{self.number}"

    def plug(self, guest: Guest, *words: str) -> None:
        """Plug a guest's interface in."""
        add = ("--may-exist", "add-port", BRIDGE, guest.name)
        self.ovs.vsctl(*add, "--", "set", "interface", guest.name, *guest.row, *words)

    def unplug(self, guest: Guest) -> None:
        """Take a guest's interface away."""
        self.ovs.vsctl("--if-exists", "del-port", BRIDGE, guest.name)

    def ofports(self) -> dict[str, int]:
        """Give the OpenFlow port of every interface that has one."""
        words = ("--columns=name,ofport", "--format=json", "list", "interface")
        rows = json.loads(self.ovs.vsctl(*words))["data"]
        return {name: port for name, port in rows if isinstance(port, int) and port > 0}

    def restart_switch(self) -> None:
        """Crash ovs-vswitchd and start it; it has no flows then."""
        self.ovs.kill("ovs-vswitchd")
        self.ovs.start_vswitchd()

    @property
    def datapath_id(self) -> int:
        """The number of the integration bridge."""
        text = self.ovs.vsctl("get", "bridge", BRIDGE, "datapath_id")
        return int(text.strip().strip('"'), 16)

    @property
    def pids(self) -> list[int]:
        """The processes that run now."""
        return [process.pid for process in self.ovs._processes]


@define
class Office(Scene):
    """The daemon, where hypervisors find it only by way of somebody else."""

    hosts: list[Host] = field(factory=list)
    controller: str = ""

    def words(self) -> list[str]:
        paths = [f"unix:{self.folder / host.name}-db" for host in self.hosts]
        return [
            f"daemon.state_dir={self.folder / 'state'}",
            "api.listen=tcp:0:interface=127.0.0.1",
            f"openflow.listen=unix:{self.openflow}",
            f"openvswitch.controller={self.controller}",
            f"ovsdb.connect={json.dumps(paths)}",
            f'ovsdb.listen=["unix:{self.folder / "manager"}"]',
            "openvswitch.datapath_type=dummy",
            *SETTINGS,
            *self.settings,
        ]


@define(eq=False)
class Yard:
    """Everything; `start` builds it and `stop` takes it away."""

    hosts: list[Host]
    office: Office
    middle: Middle

    @classmethod
    def start(cls, *settings: str, names: Iterable[str] = ("one", "two", "three")):
        """Start the hypervisors and the daemon."""
        hosts: list[Host] = []
        yard = cls(hosts, Office(settings, hosts=hosts), Middle())
        try:
            hosts += [Host.start(name, n) for n, name in enumerate(names, 1)]
            yard._stand_between()
            yard.office.start()
            yard.await_true(yard.is_settled, "all hypervisors are settled")
        except BaseException:
            yard.stop()
            raise
        return yard

    def _stand_between(self) -> None:
        self.middle.start()
        entrance = socket.create_server(("127.0.0.1", 0), backlog=64)
        port = entrance.getsockname()[1]
        self.office.controller = f"tcp:127.0.0.1:{port}"
        self.middle.listen(entrance, str(self.office.openflow), self._who)
        for host in self.hosts:
            self.admit(host)

    def admit(self, host: Host) -> None:
        """Let the daemon reach a hypervisor's database."""
        door = socket.socket(socket.AF_UNIX)
        door.bind(str(self.office.folder / f"{host.name}-db"))
        door.listen(16)
        name = f"{host.name}-db"
        self.middle.listen(door, host.ovs.socket, lambda _: name)

    def _who(self, wire: socket.socket) -> str:
        """Find out whose process is at the other end of a connection."""
        inode = _inode(wire.getpeername()[1], wire.getsockname()[1])
        for host in self.hosts:
            if any(_has(pid, inode) for pid in host.pids):
                return host.name
        return ""

    def host(self, name: str) -> Host:
        """Find a hypervisor."""
        (found,) = [host for host in self.hosts if host.name == name]
        return found

    def stop(self) -> None:
        """Take everything away."""
        self.office.strike()
        self.middle.stop()
        for host in self.hosts:
            host.ovs.stop()

    def client(self, tenant: str = "acme") -> Client:
        """Give a client of the API."""
        wire = http.client.HTTPConnection("127.0.0.1", self.office.port, PATIENCE)
        return Client(wire, tenant)

    def operate(self, method: str, url: str, body: object = None) -> Any:
        """Ask as an operator."""
        wire = UnixConnection(self.office.folder / "state" / "operator.sock")
        text = None if body is None else json.dumps(body)
        wire.request(method, url, text, {"Content-Type": "application/json"})
        reply = wire.getresponse()
        answer = json.loads(reply.read())
        wire.close()
        assert reply.status == 200, (method, url, reply.status, answer)
        return answer

    def switches(self) -> dict[str, Mapping[str, Any]]:
        """Say how the switches of each hypervisor stand."""
        listed = self.operate("GET", "/switches")["switches"]
        return {one["hypervisor"]: one for one in listed}

    def phase(self, name: str) -> str:
        """Say how far the daemon has come with a hypervisor's switch."""
        return str(self.switches().get(name, {}).get("phase", ""))

    def is_settled(self, *names: str) -> bool:
        """Whether switches (or all) have acknowledged everything."""
        found = self.switches()
        wanted = names or [host.name for host in self.hosts]
        return all(found.get(n, {}).get("phase") == "settled" for n in wanted)

    def await_true(self, is_true: Callable[[], object], text: str) -> None:
        """Wait for something to become true."""
        deadline = time.monotonic() + PATIENCE
        while not is_true():
            if time.monotonic() > deadline:
                raise AssertionError(
                    f"never: {text}; {self.switches()};"
                    f" the daemon said:\n{self.office.log[-4000:]}"
                )
            time.sleep(0.02)

    def reset(self, name: str) -> None:
        """Cut a hypervisor's control, which comes back at once."""
        self.middle.reset(name)


def _inode(client: int, server: int) -> str:
    """Find the client's end of a connection between two ports of this machine."""
    ends = f"0100007F:{client:04X} 0100007F:{server:04X} "
    for line in Path("/proc/net/tcp").read_text().splitlines():
        if ends in line:
            return line.split()[9]
    return ""


def _has(pid: int, inode: str) -> bool:
    """Whether a process has a socket."""
    links = []
    with suppress(OSError):  # it may have ended ...
        for link in Path(f"/proc/{pid}/fd").iterdir():
            with suppress(OSError):  # ... or have closed another one just now
                links.append(str(link.readlink()))
    return f"socket:[{inode}]" in links
