# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
What we keep of a hypervisor's database: few columns, in compact rows.

In a difference a set holds the elements that came or went, a map the pairs
that came, went or changed, and anything else its new value (ovsdb-server(7),
4.1.14).
"""

from collections.abc import Iterable, Iterator
from typing import Protocol, TypeVar

from attrs import define, field
from msgspec import Struct

from quantum.channel.ovsdb import values
from quantum.channel.ovsdb.faults import Misspoken
from quantum.channel.ovsdb.update import Columns, RowUpdate

COLUMNS = {
    "Open_vSwitch": ("bridges", "external_ids"),
    "Bridge": (
        *("name", "datapath_id", "datapath_type", "fail_mode"),
        *("ports", "controller", "protocols"),
    ),
    "Port": ("interfaces",),
    "Interface": ("name", "ofport", "external_ids"),
    "Controller": ("target", "inactivity_probe", "max_backoff"),
}
"""The columns that are monitored, by table."""

_EMPTY = ["set", []]
_NO_PAIRS = ["map", []]
_NOTHING: set[bytes] = set()
_Atom = TypeVar("_Atom")


class Row(Protocol):
    """A row of any table."""

    def learn(self, columns: Columns, is_difference: bool) -> set[bytes]:
        """Take over what is said of this row; the rows that it took in or let go."""


class Root(Struct, gc=False):
    """The one row of table Open_vSwitch."""

    system_id: str = ""

    def learn(self, columns: Columns, is_difference: bool) -> set[bytes]:
        """Take over the ``system-id``."""
        old = self.system_id if is_difference else ""
        self.system_id = _chosen(columns, {"system-id": old})["system-id"]
        return _NOTHING


class Bridge(Struct):
    """A row of table Bridge."""

    name: str = ""
    datapath_id: str = ""
    datapath_type: str = ""
    fail_mode: str = ""
    ports: set[bytes] = set()
    controllers: set[bytes] = set()
    protocols: set[str] = set()

    def learn(self, columns: Columns, is_difference: bool) -> set[bytes]:
        """Take over what is said of the bridge; the ports that came or went."""
        for name in ("name", "datapath_id", "datapath_type", "fail_mode"):
            if name in columns:
                setattr(self, name, values.text(columns[name]))
            elif not is_difference:
                setattr(self, name, "")
        targets = values.uuids(columns.get("controller", _EMPTY))
        _merge(self.controllers, targets, is_difference)
        protocols = values.texts(columns.get("protocols", _EMPTY))
        _merge(self.protocols, protocols, is_difference)
        ports = values.uuids(columns.get("ports", _EMPTY))
        return _merge(self.ports, ports, is_difference)


class Port(Struct, gc=False):
    """A row of table Port: usually one interface, several in a bond."""

    interfaces: tuple[bytes, ...] = ()

    def learn(self, columns: Columns, is_difference: bool) -> set[bytes]:
        """Take over the interfaces; those that came or went."""
        kept = set(self.interfaces)
        named = values.uuids(columns.get("interfaces", _EMPTY))
        moved = _merge(kept, named, is_difference)
        self.interfaces = tuple(kept)
        return moved


class Interface(Struct, gc=False):
    """A row of table Interface, and the port that it belongs to."""

    name: str = ""
    ofport: int = 0
    attachment: str = ""
    mac: str = ""
    port: bytes = b""

    def learn(self, columns: Columns, is_difference: bool) -> set[bytes]:
        """Take over the ``ofport`` and two of the ``external_ids``."""
        if "name" in columns:
            self.name = values.text(columns["name"])
        if "ofport" in columns:
            self.ofport = values.openflow_port(values.number(columns["ofport"]))
        elif not is_difference:
            self.ofport = 0
        old = (self.attachment, self.mac) if is_difference else ("", "")
        found = _chosen(columns, {"iface-id": old[0], "attached-mac": old[1]})
        self.attachment, self.mac = found["iface-id"], found["attached-mac"]
        return _NOTHING


class Controller(Struct, gc=False):
    """A row of table Controller."""

    target: str = ""
    inactivity_probe: int | None = None
    max_backoff: int | None = None

    def learn(self, columns: Columns, is_difference: bool) -> set[bytes]:
        """Take over the target and its timings."""
        if "target" in columns:
            self.target = values.text(columns["target"])
        for name in ("inactivity_probe", "max_backoff"):
            if name in columns or not is_difference:
                setattr(self, name, values.number(columns.get(name, _EMPTY)))
        return _NOTHING


@define
class Touched:
    """The interfaces whose place or facts may have changed."""

    interfaces: set[bytes] = field(factory=set)
    ports: set[bytes] = field(factory=set)


@define
class Replica:
    """The rows by their UUIDs, and the last transaction they are up to date with."""

    last_transaction: str = ""
    """Empty unless the rows are whole and the server named the transaction."""
    roots: dict[bytes, Root] = field(factory=dict)
    bridges: dict[bytes, Bridge] = field(factory=dict)
    ports: dict[bytes, Port] = field(factory=dict)
    interfaces: dict[bytes, Interface] = field(factory=dict)
    controllers: dict[bytes, Controller] = field(factory=dict)
    touched: Touched = field(factory=Touched)

    def clear(self) -> None:
        """Forget everything."""
        self.last_transaction = ""
        self.touched = Touched()
        for table in (self.roots, self.bridges, self.ports):
            table.clear()
        self.interfaces.clear()
        self.controllers.clear()

    def bridge(self, name: str) -> tuple[bytes, Bridge] | None:
        """Find a bridge by its name."""
        for row, bridge in self.bridges.items():
            if bridge.name == name:
                return row, bridge
        return None

    def system_id(self) -> str:
        """Say what the hypervisor calls itself; it may have no name yet."""
        return next((root.system_id for root in self.roots.values()), "")

    def apply(self, table: str, written: str, update: RowUpdate) -> None:
        """
        Take over what is said of one row; of other tables nothing is kept.

        :raise quantum.channel.ovsdb.faults.Misspoken: It makes no sense.
        """
        row = values.uuid(written)
        match table:
            case "Interface":
                _learn(self.interfaces, Interface, row, update)
                self.touched.interfaces.add(row)
            case "Port":
                moved = _learn(self.ports, Port, row, update)
                self.touched.interfaces |= moved
                self.touched.ports.add(row)
            case "Bridge":
                self.touched.ports |= _learn(self.bridges, Bridge, row, update)
            case "Controller":
                _learn(self.controllers, Controller, row, update)
            case "Open_vSwitch":
                _learn(self.roots, Root, row, update)

    def settle(self) -> Iterator[bytes]:
        """Tell interfaces their ports; the interfaces that were touched so far."""
        touched, self.touched = self.touched, Touched()
        for name in touched.ports:
            port = self.ports.get(name)
            for row in port.interfaces if port else ():
                if row in self.interfaces:
                    self.interfaces[row].port = name
                touched.interfaces.add(row)
        yield from touched.interfaces

    def is_on(self, bridge: Bridge, row: bytes) -> bool:
        """Say whether an interface is on a bridge."""
        interface = self.interfaces.get(row)
        if interface is None or interface.port not in bridge.ports:
            return False
        port = self.ports.get(interface.port)
        return port is not None and row in port.interfaces


_AnyRow = TypeVar("_AnyRow", bound=Row)


def _learn(
    table: dict[bytes, _AnyRow], make: type[_AnyRow], row: bytes, update: RowUpdate
) -> set[bytes]:
    """Add, change or remove a row; the rows that it took in or let go."""
    if update.is_gone:
        gone = table.pop(row, None)
        return gone.learn({}, is_difference=False) if gone else set()
    if update.difference is not None:
        if row not in table:
            raise Misspoken("a row changed that was never there")
        return table[row].learn(update.difference, is_difference=True)
    if update.whole is None:
        raise Misspoken("a row's update says nothing")
    if row not in table:
        table[row] = make()
    return table[row].learn(update.whole, is_difference=False)


def _merge(kept: set[_Atom], atoms: Iterable[_Atom], is_difference: bool) -> set[_Atom]:
    """Bring a set up to date; what came or went."""
    moved = set(atoms)
    if not is_difference:
        moved ^= kept
    kept ^= moved
    return moved


def _chosen(columns: Columns, known: dict[str, str]) -> dict[str, str]:
    """Bring the ``known`` pairs of ``external_ids`` up to date; no other is kept."""
    for key, value in values.pairs(columns.get("external_ids", _NO_PAIRS)):
        if key in known:
            # In a difference, a pair that was there before is one that went.
            known[key] = "" if known[key] == value else value
    return known
