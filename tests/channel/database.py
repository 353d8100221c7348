# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""Rows of an Open_vSwitch database as a server would write them, for tests."""

import json
from collections.abc import Iterable
from typing import Any
from uuid import UUID

import msgspec
from attrs import define, field
from twisted.internet.defer import Deferred, succeed
from zope.interface import implementer

from quantum.channel.ovsdb.replica import Replica
from quantum.channel.ovsdb.update import rows
from quantum.interfaces import IHypervisorListener
from quantum.openflow.facts import SeenInterface, Underlay

CONTROLLER = {
    "target": "tcp:127.0.0.1:6653",
    "inactivity_probe": 5000,
    "max_backoff": 1000,
}


def name_of(number: int) -> str:
    """Write the UUID of a row that is known by a number."""
    return str(UUID(int=number))


def refer(*numbers: int) -> list[Any]:
    """Refer to rows; to one without a set around it, as servers do."""
    found = [["uuid", name_of(number)] for number in numbers]
    return found[0] if len(found) == 1 else ["set", found]


def mapping(**pairs: str) -> list[Any]:
    """Write a map; underscores stand for hyphens."""
    return ["map", [[key.replace("_", "-"), value] for key, value in pairs.items()]]


def options(**pairs: str) -> list[Any]:
    """Write an interface's options, whose keys do have underscores."""
    return ["map", [list(pair) for pair in pairs.items()]]


def apply(replica: Replica, **tables: dict[int, Any]) -> None:
    """Let a replica take updates of rows, by table and number."""
    written = {
        table: {name_of(number): update for number, update in updates.items()}
        for table, updates in tables.items()
    }
    for update in rows(msgspec.Raw(json.dumps(written).encode())):
        replica.apply(*update)


def plug(replica: Replica, number: int, row: dict[str, Any], bridge: int = 2) -> None:
    """Put an interface on a bridge (2 is br-int, 3 is br-ex)."""
    apply(
        replica,
        Bridge={bridge: {"modify": {"ports": refer(number + 100)}}},
        Port={number + 100: {"insert": {"interfaces": refer(number)}}},
        Interface={number: {"insert": row}},
    )
    settle(replica)


def unplug(replica: Replica, number: int, bridge: int = 2) -> None:
    """Take an interface from a bridge."""
    apply(
        replica,
        Bridge={bridge: {"modify": {"ports": refer(number + 100)}}},
        Port={number + 100: {"delete": None}},
        Interface={number: {"delete": None}},
    )


def settle(replica: Replica) -> None:
    """Let interfaces find their ports."""
    for _ in replica.settle():
        pass


def dump() -> dict[str, dict[int, Any]]:
    """
    A database with two bridges and two plugged interfaces.

    Root 1 has bridges 2 (br-int) and 3; ports 10 and 11 with interfaces 20 and
    21 are on br-int, port 12 with interface 22 is on the other.
    """

    def interface(number: int) -> dict[str, Any]:
        owner = mapping(
            iface_id=f"vif{number}", attached_mac=f"02:00:00:00:00:{number}"
        )
        return {"name": f"tap{number}", "ofport": number, "external_ids": owner}

    tables = {
        "Open_vSwitch": {
            1: {"bridges": refer(2, 3), "external_ids": mapping(system_id="host1")}
        },
        "Bridge": {
            2: {
                "name": "br-int",
                "datapath_id": "00000000000000aa",
                "ports": refer(10, 11),
                "fail_mode": "secure",
                "controller": refer(30),
                "other_config": ["map", [["disable-in-band", "true"]]],
            },
            3: {"name": "br-ex", "datapath_id": "00000000000000bb", "ports": refer(12)},
        },
        "Port": {number: {"interfaces": refer(number + 10)} for number in (10, 11, 12)},
        "Interface": {number: interface(number) for number in (20, 21, 22)},
        "Controller": {
            30: CONTROLLER,
        },
    }
    return {
        table: {number: {"initial": row} for number, row in contents.items()}
        for table, contents in tables.items()
    }


@implementer(IHypervisorListener)
@define
class Listener:
    """Keeps what it is told, and the picture that follows from it."""

    calls: list[tuple[Any, ...]] = field(factory=list)
    picture: dict[str, SeenInterface] = field(factory=dict)
    underlays: list[tuple[int, Underlay]] = field(factory=list)
    whole: list[str] = field(factory=list)
    """What was told in place of what was told before, in order."""
    busy: Deferred[None] | None = None
    """Fires when all was worked off that it was told."""

    def hypervisor_synced(
        self, hypervisor: str, datapath_id: int, interfaces: Iterable[SeenInterface]
    ) -> None:
        self.picture = {seen.name: seen for seen in interfaces}
        self.whole.append(f"interfaces of {hypervisor}")
        self.calls.append(("synced", hypervisor, datapath_id, sorted(self.picture)))

    def interfaces_changed(
        self,
        hypervisor: str,
        datapath_id: int,
        gone: Iterable[str],
        seen: Iterable[SeenInterface],
    ) -> None:
        names, fresh = sorted(gone), {one.name: one for one in seen}
        for name in names:
            del self.picture[name]
        self.picture.update(fresh)
        self.calls.append(("changed", hypervisor, datapath_id, names, sorted(fresh)))

    def underlay_changed(
        self, hypervisor: str, datapath_id: int, underlay: Underlay
    ) -> None:
        self.underlays.append((datapath_id, underlay))
        self.whole.append(f"underlay of {hypervisor}")

    def switch_gone(self, hypervisor: str, datapath_id: int) -> None:
        self.calls.append(("switch gone", hypervisor, datapath_id))
        self.picture.clear()

    def hypervisor_renamed(self, before: str, now: str) -> None:
        self.calls.append(("renamed", before, now))

    def hypervisor_lost(self, hypervisor: str) -> None:
        self.calls.append(("lost", hypervisor))

    def worked_off(self) -> Deferred[None]:
        return self.busy or succeed(None)

    def news(self) -> list[tuple[Any, ...]]:
        """The calls since this was last asked; not those of underlays."""
        calls, self.calls = self.calls, []
        return calls
