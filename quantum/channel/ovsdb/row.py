# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
Compact rows of the tables that we follow.

In a difference a set holds the elements that came or went, a map the pairs
that came, went or changed, and anything else its new value (ovsdb-server(7),
4.1.14).
"""

from collections.abc import Iterable
from typing import Protocol, TypeVar

from msgspec import Struct

from quantum.channel.ovsdb import values
from quantum.channel.ovsdb.update import Columns

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
