# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""What we keep of a hypervisor's database: few columns, in compact rows."""

from collections.abc import Iterator
from typing import TypeVar

from attrs import define, field

from quantum.channel.ovsdb import values
from quantum.channel.ovsdb.faults import Misspoken
from quantum.channel.ovsdb.row import Bridge, Controller, Interface, Port, Root, Row
from quantum.channel.ovsdb.update import RowUpdate

COLUMNS = {
    "Open_vSwitch": ("bridges", "external_ids", "other_config"),
    "Bridge": (
        *("name", "datapath_id", "datapath_type", "fail_mode"),
        *("ports", "controller", "protocols", "other_config"),
    ),
    "Port": ("interfaces",),
    "Interface": (
        *("name", "type", "options", "ofport", "ofport_request"),
        *("error", "mtu", "external_ids"),
    ),
    "Controller": ("target", "inactivity_probe", "max_backoff"),
}
"""The columns that are monitored, by table."""
MOST_MARKED = 1000
"""All of them are looked at with every update; more are not kept in mind."""


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
    names: dict[str, bytes] = field(factory=dict)
    """The interfaces by their names, which are unique in a database."""
    marked: set[bytes] = field(factory=set)
    """The interfaces that say that a Quantum made them."""
    touched: Touched = field(factory=Touched)

    def clear(self) -> None:
        """Forget everything."""
        self.last_transaction = ""
        self.touched = Touched()
        for table in (self.roots, self.bridges, self.ports):
            table.clear()
        self.interfaces.clear()
        self.controllers.clear()
        self.names.clear()
        self.marked.clear()

    def bridge(self, name: str) -> tuple[bytes, Bridge] | None:
        """Find a bridge by its name."""
        for row, bridge in self.bridges.items():
            if bridge.name == name:
                return row, bridge
        return None

    def root(self) -> Root:
        """Say what the hypervisor tells of itself: nothing before it is initialised."""
        return next(iter(self.roots.values()), Root())

    def system_id(self) -> str:
        """Say what the hypervisor calls itself; it may have no name yet."""
        return self.root().system_id

    def apply(self, table: str, written: str, update: RowUpdate) -> None:
        """
        Take over what is said of one row; of other tables nothing is kept.

        :raise quantum.channel.ovsdb.faults.Misspoken: It makes no sense.
        """
        row = values.uuid(written)
        match table:
            case "Interface":
                self._learn_interface(row, update)
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
                touched.interfaces.discard(row)
                yield row
        yield from touched.interfaces

    def _learn_interface(self, row: bytes, update: RowUpdate) -> None:
        known = self.interfaces.get(row)
        before = known.name if known else ""
        _learn(self.interfaces, Interface, row, update)
        now = self.interfaces.get(row)
        after = now.name if now else ""
        if before != after and self.names.get(before) == row:
            del self.names[before]
        if after and before != after:
            self.names[after] = row
        if not (now and now.mark):
            self.marked.discard(row)
        elif len(self.marked) < MOST_MARKED:
            self.marked.add(row)
        self.touched.interfaces.add(row)

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
