# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
Compact rows of the tables that we follow.

In a difference a set holds the elements that came or went, a map the pairs
that came, went or changed, and anything else its new value (ovsdb-server(7),
4.1.14).
"""

from collections.abc import Iterable
from sys import intern
from typing import Protocol, TypeVar

from msgspec import Struct

from quantum.channel.ovsdb import values
from quantum.channel.ovsdb.update import Columns

_EMPTY = ["set", []]
_NO_PAIRS = ["map", []]
_NOTHING: set[bytes] = set()
OPTIONS = ("key", "in_key", "out_key", "remote_ip", "local_ip", "peer")
"""The options of an interface that say where its frames go."""
ERROR_LENGTH = 200
LARGEST_MTU = 65535
_Atom = TypeVar("_Atom")


class Row(Protocol):
    """A row of any table."""

    def learn(self, columns: Columns, is_difference: bool) -> set[bytes]:
        """Take over what is said of this row; the rows that it took in or let go."""


class Root(Struct, gc=False):
    """The one row of table Open_vSwitch."""

    system_id: str = ""
    tunnel_ip: str = ""
    underlay_mtu: str = ""
    physical_networks: str = ""
    is_waiting: bool = False
    """Open vSwitch waits until somebody has restored its flows."""

    def learn(self, columns: Columns, is_difference: bool) -> set[bytes]:
        """Take over what the hypervisor says of itself."""
        old = _known(
            is_difference,
            {
                "system-id": self.system_id,
                "quantum-tunnel-ip": self.tunnel_ip,
                "quantum-underlay-mtu": self.underlay_mtu,
                "quantum-physical-networks": self.physical_networks,
            },
        )
        found = _chosen(columns, "external_ids", old)
        self.system_id = found["system-id"]
        self.tunnel_ip = found["quantum-tunnel-ip"]
        self.underlay_mtu = found["quantum-underlay-mtu"]
        self.physical_networks = found["quantum-physical-networks"]
        was = "true" if self.is_waiting else ""
        old = _known(is_difference, {"flow-restore-wait": was})
        found = _chosen(columns, "other_config", old)
        self.is_waiting = found["flow-restore-wait"] == "true"
        return _NOTHING


class Bridge(Struct):
    """A row of table Bridge."""

    name: str = ""
    datapath_id: str = ""
    datapath_type: str = ""
    fail_mode: str = ""
    is_in_band: bool = True
    """Open vSwitch keeps flows of its own here, which nobody sees."""
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
        was = "" if self.is_in_band else "true"
        old = _known(is_difference, {"disable-in-band": was})
        found = _chosen(columns, "other_config", old)
        self.is_in_band = found["disable-in-band"] != "true"
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
    ips: str = ""
    mtu: int = 0
    mark: str = ""
    """``external_ids:quantum``: what a Quantum made the interface for."""
    type: str = ""
    error: str = ""
    ofport_request: int = 0
    options: dict[str, str] | None = None
    """Those of `OPTIONS` that it has, if any."""
    port: bytes = b""

    def learn(self, columns: Columns, is_difference: bool) -> set[bytes]:
        """Take over the few things that we follow."""
        if "name" in columns:
            self.name = values.text(columns["name"])
        if "type" in columns or not is_difference:
            self.type = intern(values.text(columns.get("type", _EMPTY)))
        if "error" in columns or not is_difference:
            self.error = values.text(columns.get("error", _EMPTY))[:ERROR_LENGTH]
        for name in ("ofport", "ofport_request"):
            if name in columns or not is_difference:
                number = values.number(columns.get(name, _EMPTY))
                setattr(self, name, values.openflow_port(number))
        if "mtu" in columns or not is_difference:
            mtu = values.number(columns.get("mtu", _EMPTY)) or 0
            self.mtu = mtu if 0 < mtu <= LARGEST_MTU else 0
        self._learn_ids(columns, is_difference)
        if "options" in columns or not is_difference:
            old = self.options if is_difference and self.options else {}
            known = {key: old.get(key, "") for key in OPTIONS}
            found = _chosen(columns, "options", known)
            self.options = {k: text for k, text in found.items() if text} or None
        return _NOTHING

    def _learn_ids(self, columns: Columns, is_difference: bool) -> None:
        if is_difference and "external_ids" not in columns:
            return
        old = _known(
            is_difference,
            {
                "iface-id": self.attachment,
                "attached-mac": self.mac,
                "quantum-ips": self.ips,
                "quantum": self.mark,
            },
        )
        found = _chosen(columns, "external_ids", old)
        self.attachment, self.mac = found["iface-id"], found["attached-mac"]
        self.ips, self.mark = found["quantum-ips"], found["quantum"]


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


def _known(is_difference: bool, kept: dict[str, str]) -> dict[str, str]:
    """Begin with what was kept, or with nothing if the whole is said again."""
    return kept if is_difference else dict.fromkeys(kept, "")


def _chosen(columns: Columns, column: str, known: dict[str, str]) -> dict[str, str]:
    """Bring the ``known`` pairs of a map up to date; no other is kept."""
    for key, value in values.pairs(columns.get(column, _NO_PAIRS)):
        if key in known:
            # In a difference, a pair that was there before is one that went.
            known[key] = "" if known[key] == value else value
    return known
