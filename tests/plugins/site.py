# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""A ledger, the Open vSwitch fabric, and switches in Python that it programs."""

from random import Random

from attrs import define, field
from twisted.internet.defer import Deferred, fail, maybeDeferred, succeed
from twisted.internet.task import Clock

from quantum.config import OpenVSwitch, PhysicalNetwork
from quantum.errors import Overloaded
from quantum.interfaces import IHypervisorListener
from quantum.model import AdminState, Port
from quantum.openflow.facts import SeenInterface, Underlay
from quantum.openflow.session import WAITING, Session
from quantum.plugins.openvswitch.fabric import OpenVSwitchFabric
from quantum.plugins.openvswitch.recollection import Recollection, recollection
from quantum.plugins.openvswitch.rounds import Rounds
from quantum.plugins.recorded import RecordedPlugin
from quantum.storage.database import Database
from quantum.storage.ledger import Ledger, Means
from quantum.storage.segments import Pool, SegmentPool
from quantum.storage.thread import inline
from tests.openflow.table import Table

from .world import EQUAL

TENANT = "tenant"
OPTIONS = OpenVSwitch(
    underlay_mtu=1550,
    physical_networks={
        "external": PhysicalNetwork(vlans=["100-199"], mtu=1500),
        "lab": PhysicalNetwork(mtu=9000),
    },
)
TUNNEL = 65000


@define(eq=False)
class Datapath:
    """A connection to a table; ``is_deaf`` leaves what is said unanswered."""

    id: int
    fabric: OpenVSwitchFabric
    table: Table
    is_deaf: bool = False
    is_closed: bool = False
    ports: dict = field(factory=dict)
    """What it has said of its OpenFlow ports, as os-ken keeps it."""

    @property
    def session(self) -> Session:
        """The talk with it."""
        return self.fabric.session(self.id)

    def pump(self, take) -> None:
        while not self.is_deaf and (words := take(65536)) != WAITING:
            self.table.converse_with(words or b"", self.session)

    def request(self, message, deadline) -> Deferred:
        return succeed([EQUAL])

    def close(self) -> None:
        self.is_closed = True
        self.fabric.left(self)


@define(eq=False)
class Site:
    """
    Everything between the API and the switches, with time under control.

    Over the database of another it is what comes after a restart.
    """

    clock: Clock = field(factory=Clock)
    tables: dict[int, Table] = field(factory=dict)
    database: Database = field(factory=lambda: Database.open("sqlite://"))
    pool: SegmentPool = field(factory=SegmentPool)
    options: OpenVSwitch = OPTIONS
    ledger: Ledger = field(init=False)
    fabric: OpenVSwitchFabric = field(init=False)
    testimony: IHypervisorListener = field(init=False)
    plugin: RecordedPlugin = field(init=False)
    rounds: Rounds = field(init=False)

    def __attrs_post_init__(self) -> None:
        means = Means(clock=self.clock, in_thread=inline, pool=self.pool)
        means.vlan_pools = {
            name: Pool(name, network.pool)
            for name, network in self.options.physical_networks.items()
        }
        self.ledger = Ledger.over(self.database, means)
        chance = Random(0)  # noqa: S311  (no secret)
        self.fabric = OpenVSwitchFabric.over(
            self.ledger, self.ledger, self.clock, self.options, chance
        )
        self.testimony = self.fabric.testimony
        self.plugin = RecordedPlugin(self.ledger, self.fabric)
        self.plugin.startService()
        self.rounds = Rounds(self.fabric, self.clock)

    def ask(self, verb, *words):
        """Call a verb of the plugin, and let its answer come."""
        answer = maybeDeferred(verb, *words)
        self.clock.pump([0, 0, 0])
        return answer.result

    def port(self, attachment: str, network: str | None = None) -> Port:
        """Record a port with something plugged in, on a network of its own."""
        if network is None:
            network = self.ask(self.plugin.create_network, TENANT, "blue").id
        where = (TENANT, network)
        port = self.ask(self.plugin.create_port, *where, AdminState.ACTIVE)
        return self.ask(self.plugin.plug, *where, port.id, attachment)

    def recall(self, datapath_id: int) -> Recollection | None:
        """Say what would be kept of a switch now; None if it is no hypervisor's."""
        switch = self.fabric.switches.get(datapath_id)
        return recollection(switch) if switch and switch.hypervisor else None

    def look(self, port: Port) -> Port:
        """Read a port again."""
        return self.plugin.port(TENANT, port.network_id, port.id)

    def connect(self, datapath_id: int) -> Datapath:
        """Let a switch connect; its flows are as it was left."""
        table = self.tables.setdefault(datapath_id, Table())
        session = self.fabric.session(datapath_id)
        datapath = Datapath(datapath_id, self.fabric, table)
        session.joined()
        self.fabric.talk(datapath, session)
        return datapath

    def wait(self) -> None:
        """Let pass the time in which a switch out of reach may come back."""
        self.clock.advance(self.options.absence_grace)
        self.rounds()
        self.clock.pump([0, 0, 0])

    def sync(self, datapath_id: int, *seen: SeenInterface) -> None:
        """Let OVSDB tell all interfaces of a switch."""
        self.testimony.hypervisor_synced(f"hv{datapath_id}", datapath_id, seen)
        self.clock.pump([0, 0, 0])

    def underlay(self, datapath_id: int, underlay: Underlay) -> None:
        """Let OVSDB tell what a switch reaches others by."""
        self.testimony.underlay_changed(f"hv{datapath_id}", datapath_id, underlay)
        self.clock.pump([0, 0, 0])

    def change(self, datapath_id: int, *seen: SeenInterface, gone=()) -> None:
        """Let OVSDB tell a change."""
        hypervisor = f"hv{datapath_id}"
        self.testimony.interfaces_changed(hypervisor, datapath_id, gone, seen)
        self.clock.pump([0, 0, 0])


@define
class Busy:
    """A ledger that is too busy to record a switch, for a while."""

    _ledger: Ledger
    refusals: int = 1

    def __getattr__(self, name: str):
        return getattr(self._ledger, name)

    def remember_switch(self, datapath_id: str):
        if self.refusals:
            self.refusals -= 1
            return fail(Overloaded(1))
        return self._ledger.remember_switch(datapath_id)


def tap(attachment: str, ofport: int, mac: bytes | None = None) -> SeenInterface:
    """An interface named after what it is for."""
    return SeenInterface(f"tap-{attachment}", attachment, ofport, mac)


def by_tunnel(number: int, *uplinks: tuple[str, int]) -> Underlay:
    """An underlay with a tunnel address, and maybe physical networks."""
    return Underlay(bytes([192, 0, 2, number]), TUNNEL, uplinks)
