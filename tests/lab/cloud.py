# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
What the tenants of a demo or test do: ask for networks and plug machines in.

`RestCloud` is the real thing.  A stand-in that programs the switch by hand
proves that the checks themselves can fail.
"""

import time
from collections.abc import Callable, Iterable
from typing import Any, Protocol

from attrs import define, field

from tests.lab.daemon import Daemon
from tests.lab.hypervisor import Machine
from tests.lab.ovs import LabError

PATIENCE = 30.0


class Cloud(Protocol):
    """Networks for machines; each network belongs to a tenant of its own."""

    def bind(self, network: str, physical_network: str, vlan: int) -> None:
        """Make a network that is a VLAN of the operator's."""

    def connect(self, machines: Iterable[Machine]) -> None:
        """Make each machine's network, if need be, and plug it into a port there."""

    def await_up(self, machines: Iterable[Machine]) -> None:
        """Wait until every machine's port is UP."""

    def await_not_up(self, machines: Iterable[Machine]) -> None:
        """Wait until no machine's port is UP."""

    def detach(self, machine: Machine) -> None:
        """Unplug a machine from its port; the port stays."""

    def attach(self, machine: Machine) -> None:
        """Plug a machine into its port again."""

    def set_state(self, machine: Machine, state: str) -> None:
        """Ask for the admin state ``ACTIVE`` or ``DOWN``."""

    def op_status(self, machine: Machine) -> str:
        """Say what is shown as the operational status of a machine's port."""

    def crash(self) -> None:
        """End the daemon at once."""

    def restart(self) -> None:
        """Start the daemon again."""


@define
class RestCloud:
    """Everything through the REST API of a real daemon."""

    daemon: Daemon
    _networks: dict[str, str] = field(factory=dict)
    _ports: dict[tuple[str, str], str] = field(factory=dict)

    def bind(self, network: str, physical_network: str, vlan: int) -> None:
        body = {"vlan": {"physical_network": physical_network, "vlan_id": vlan}}
        path = f"/networks/{self.network(network)}/vlan"
        self.daemon.api.operate("PUT", path, body)

    def network(self, name: str) -> str:
        """Give the identifier of a network, which is made if need be."""
        if name not in self._networks:
            body = {"network": {"name": name}}
            answer = self.daemon.api.call("POST", f"tenant-{name}/networks", body)
            self._networks[name] = answer["network"]["id"]
        return self._networks[name]

    def connect(self, machines: Iterable[Machine]) -> None:
        for machine in machines:
            network = self.network(machine.network)
            path = f"tenant-{machine.network}/networks/{network}/ports"
            body = {"port": {"state": "ACTIVE"}}
            answer = self.daemon.api.call("POST", path, body)
            self._ports[machine.name, machine.network] = (
                f"{path}/{answer['port']['id']}"
            )
            self.attach(machine)

    def await_up(self, machines: Iterable[Machine]) -> None:
        self._await(machines, lambda status: status == "UP")

    def await_not_up(self, machines: Iterable[Machine]) -> None:
        self._await(machines, lambda status: status != "UP")

    def detach(self, machine: Machine) -> None:
        self._call("DELETE", machine, "/attachment")

    def attach(self, machine: Machine) -> None:
        body = {"attachment": {"id": machine.attachment}}
        self._call("PUT", machine, "/attachment", body)

    def set_state(self, machine: Machine, state: str) -> None:
        self._call("PUT", machine, "", {"port": {"state": state}})

    def op_status(self, machine: Machine) -> str:
        return str(self._call("GET", machine)["port"]["op-status"])

    def crash(self) -> None:
        self.daemon.kill()

    def restart(self) -> None:
        self.daemon.start()

    def _await(
        self, machines: Iterable[Machine], is_right: Callable[[str], bool]
    ) -> None:
        deadline = time.monotonic() + PATIENCE
        for machine in machines:
            while not is_right(status := self.op_status(machine)):
                if time.monotonic() > deadline:
                    raise LabError(
                        f"the port of {machine.name} is still {status};"
                        f" the daemon said:\n{self.daemon.log[-3000:]}"
                    )
                time.sleep(0.05)

    def _call(
        self, method: str, machine: Machine, rest: str = "", body: object = None
    ) -> Any:
        path = self._ports[machine.name, machine.network] + rest
        return self.daemon.api.call(method, path, body)
