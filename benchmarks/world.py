# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""A recorded world of plugged ports, and the interfaces that hypervisors report."""

from collections.abc import Callable, Iterator
from random import Random
from typing import Any
from uuid import UUID

from attrs import define, field
from sqlalchemy import insert
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from quantum.config import OpenVSwitch
from quantum.model import OpStatus
from quantum.openflow.facts import SeenInterface
from quantum.openflow.session import Session
from quantum.openflow.talk import WAITING
from quantum.plugins.openvswitch.fabric import OpenVSwitchFabric
from quantum.plugins.recorded import RecordedPlugin
from quantum.storage.database import Database
from quantum.storage.ledger import Ledger, Means
from quantum.storage.schema import networks, ports
from quantum.storage.thread import inline

PORTS_PER_NETWORK = 10
PORTS_PER_SWITCH = 50_000
TENANT = "tenant"


def record(url: str, count: int, per_network: int = PORTS_PER_NETWORK) -> None:
    """Record ports plugged with the interfaces ``vif-1`` to ``vif-<count>``."""
    database = Database.open(url)
    Ledger.over(database, Means(clock=Clock(), in_thread=inline))
    with database.engine.begin() as connection:
        connection.execute(insert(networks), list(_networks(count, per_network)))
        connection.execute(insert(ports), list(_ports(count, per_network)))
    database.close()


def interfaces(first: int, last: int) -> Iterator[SeenInterface]:
    """Say where the interfaces are: one OpenFlow port after another."""
    for number in range(first, last + 1):
        ofport = (number - 1) % PORTS_PER_SWITCH + 1
        mac = (0x020000000000 + number).to_bytes(6, "big")
        yield SeenInterface(f"tap{number}", f"vif-{number}", ofport, mac)


def network_id(number: int, per_network: int = PORTS_PER_NETWORK) -> str:
    """Name the network of a port."""
    return str(UUID(int=1 << 64 | (number - 1) // per_network + 1))


def port_id(number: int) -> str:
    """Name a port."""
    return str(UUID(int=2 << 64 | number))


def _networks(count: int, per_network: int) -> Iterator[dict[str, object]]:
    for number in range(1, count + 1, per_network):
        segment = (number - 1) // per_network + 1
        yield {
            "id": network_id(number, per_network),
            "tenant_id": TENANT,
            "name": f"network {segment}",
            "segment_id": segment,
        }


def _ports(count: int, per_network: int) -> Iterator[dict[str, object]]:
    for number in range(1, count + 1):
        yield {
            "id": port_id(number),
            "network_id": network_id(number, per_network),
            "admin_state": "ACTIVE",
            "interface": f"vif-{number}",
        }


def fabric_over(ledger: Ledger, clock: Any) -> OpenVSwitchFabric:
    """Put a fabric together, as the plugin does."""
    chance = Random(0)  # noqa: S311  no secret
    return OpenVSwitchFabric.over(ledger, ledger, clock, OpenVSwitch(), chance)


BARRIER = b"\x04\x14\x00\x08"
FLOW_REQUEST = b"\x04\x12"
EMPTY_REPLY = b"\x00\x01\x00\x00\x00\x00\x00\x00"


@define(eq=False)
class Echo:
    """A datapath that has no flows, takes everything and acknowledges it at once."""

    id: int
    session: Session
    ports: dict[int, Any] = field(factory=dict)
    """What it has told of its ports: nothing."""
    sent: int = 0
    """Bytes."""
    _is_talking: bool = False

    def pump(self, take: Callable[[int], bytes | None]) -> None:
        """Take what the session says; answer its reads and its barriers."""
        if self._is_talking:
            return
        self._is_talking = True
        while (words := take(65536)) != WAITING:
            if words:
                self.sent += len(words)
                self._answer(words)
        self._is_talking = False

    def request(self, _message: object, _deadline: float) -> Deferred[Any]:
        """Never answer: nobody needs to know the role."""
        return Deferred()

    def _answer(self, words: bytes) -> None:
        if words[-8:-4] == BARRIER:
            self.session.barrier(int.from_bytes(words[-4:], "big"))
        elif words[:2] == FLOW_REQUEST:
            xid = int.from_bytes(words[4:8], "big")
            reply = b"\x04\x13\x00\x10" + words[4:8] + EMPTY_REPLY
            self.session.flow_stats(xid, reply)


@define(eq=False)
class World:
    """A ledger of plugged ports over switches that answer at once."""

    ledger: Ledger
    fabric: OpenVSwitchFabric
    plugin: RecordedPlugin
    clock: Clock

    @classmethod
    def open(cls, url: str, count: int) -> "World":
        """Read the ledger and let every interface be seen and settled."""
        clock = Clock()
        ledger = Ledger.open(url, Means(clock=clock, in_thread=inline))
        fabric = fabric_over(ledger, clock)
        plugin = RecordedPlugin(ledger, fabric)
        ledger.subscribe(fabric.tell)
        for first in range(1, count + 1, PORTS_PER_SWITCH):
            last = min(count, first + PORTS_PER_SWITCH - 1)
            session = fabric.session(first)
            fabric.testimony.hypervisor_synced("hv", first, interfaces(first, last))
            session.joined()
            fabric.talk(Echo(first, session), session)
        clock.pump([0.01] * 10)
        return cls(ledger, fabric, plugin, clock)

    def replug(self, number: int) -> None:
        """Unplug a port and plug it again, to the last barrier."""
        place = (TENANT, network_id(number), port_id(number))
        self.plugin.unplug(*place)
        self.clock.advance(1)
        self.plugin.plug(*place, f"vif-{number}")
        self.clock.advance(1)
        if self.plugin.port(*place).status.op_status is not OpStatus.UP:
            raise ValueError(self.plugin.port(*place))
