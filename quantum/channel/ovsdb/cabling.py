# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
The transactions that make the tunnel port and the uplinks what they must be.

A port is ours only if it says so (``external_ids:quantum``) and nobody plugged
it in (``external_ids:iface-id``).  Others' ports and bridges are not touched,
but for the far end of a cable.  Nothing here sends.
"""

from collections.abc import Iterator
from itertools import islice

from attrs import frozen

from quantum.channel.ovsdb import values
from quantum.channel.ovsdb.bridge import WantedBridge
from quantum.channel.ovsdb.grievance import held_against
from quantum.channel.ovsdb.operation import (
    Operation,
    Repair,
    insert,
    is_row,
    keys,
    made,
    mutate,
    pairs,
    update,
    wait,
)
from quantum.channel.ovsdb.reach import QUOTED, Cable, Reach, Uplink, short
from quantum.channel.ovsdb.replica import Replica
from quantum.channel.ovsdb.row import OPTIONS, Bridge, Interface
from quantum.openflow.facts import Underlay

MARK = "quantum"
REMOVED_AT_ONCE = 100


@frozen
class Cabling:
    """What is there, against what shall be."""

    _replica: Replica
    _wanted: WantedBridge
    _reach: Reach

    def repairs(self) -> Iterator[Repair]:
        """Say what to do, each as its own transaction."""
        yield Repair("", [], self._reach.complaints, self._reach.doubts)
        yield self._removal()
        if self._reach.tunnel is not None:
            yield self._laying(self._reach.tunnel.name, (self._reach.tunnel,))
        for uplink in self._reach.uplinks:
            yield self._uplinking(uplink)

    def underlay(self) -> Underlay:
        """Say what is there and right already."""
        tunnel, problem = 0, self._reach.problem
        if self._reach.tunnel is not None:
            tunnel, problem = self._standing(self._reach.tunnel)
        ports = ((up.physical_network, self._port(up)) for up in self._reach.uplinks)
        return Underlay(
            address=self._reach.address,
            tunnel=tunnel,
            uplinks=tuple((name, port) for name, port in ports if port),
            mtu=self._reach.mtu,
            problem=problem,
        )

    def _port(self, uplink: Uplink) -> int:
        ports = [self._standing(cable)[0] for cable in uplink.cables]
        return ports[0] if uplink.is_whole and all(ports) else 0

    def _standing(self, cable: Cable) -> tuple[int, str]:
        """Say which OpenFlow port a cable has, or in plain words why none."""
        row = self._replica.names.get(cable.name)
        interface = self._replica.interfaces.get(row) if row else None
        if row is None or interface is None:
            return 0, f"port {cable.name} is being made"
        if problem := self._obstacle(row, interface, cable):
            return 0, problem
        if _differences(interface, cable):
            return 0, f"port {cable.name} is being set right"
        if error := held_against(self._replica, interface, cable):
            return 0, f"port {cable.name}: {error}"
        return interface.ofport, ""

    def _laying(self, subject: str, cables: tuple[Cable, ...]) -> Repair:
        work = Repair(subject)
        for number, cable in enumerate(cables):
            row = self._replica.names.get(cable.name)
            interface = self._replica.interfaces.get(row) if row else None
            if row is None or interface is None:
                work.operations += self._addition(cable, number)
            elif problem := self._obstacle(row, interface, cable):
                if not self._is_leaving(interface):
                    work.complaints.append(f"{subject}: {problem}")
                # A cable has both its ends, or none is changed.
                return Repair(subject, [], work.complaints)
            else:
                self._set_right(work, row, interface, cable)
        return work

    def _uplinking(self, uplink: Uplink) -> Repair:
        subject, cable = f"physical network {uplink.physical_network}", uplink.cables[0]
        if cable.type is not None:
            return self._laying(subject, uplink.cables)
        work = self._laying(f"{subject} ({cable.name})", uplink.cables)
        work.is_done = bool(self._port(uplink))
        row = self._replica.names.get(cable.name)
        interface = self._replica.interfaces.get(row) if row else None
        if not (row and interface and interface.error):
            return work
        if interface.mark == cable.mark and not self._obstacle(row, interface, cable):
            # As long as it is there, nobody can make a bridge of that name.
            work.retreat = self._taking(row, self._replica.bridge(cable.bridge))
        return work

    def _taking(
        self, row: bytes, bridge: tuple[bytes, Bridge] | None
    ) -> list[Operation]:
        """Take a port away, if it is still ours then."""
        interface = self._replica.interfaces[row]
        if bridge is None or not self._replica.is_on(bridge[1], row):
            return []
        gone = values.as_set([values.reference(interface.port)])
        removal = mutate("Bridge", bridge[0], ["ports", "delete", gone])
        return [_still_ours(row, interface), removal]

    def _set_right(
        self, work: Repair, row: bytes, interface: Interface, cable: Cable
    ) -> None:
        if error := held_against(self._replica, interface, cable):
            work.complaints.append(f"{work.subject}: {error}")
        if wrong := _differences(interface, cable):
            work.complaints.append(
                f"port {cable.name} has {', '.join(wrong)}; setting it right"
            )
            work.operations += [_still_ours(row, interface), *_correction(row, cable)]

    def _obstacle(self, row: bytes, interface: Interface, cable: Cable) -> str:
        """Say why the interface of a cable's name cannot be the cable, if so."""
        if interface.attachment:
            attachment = short(interface.attachment)
            return f"{cable.name} is plugged in as interface {attachment}"
        bridge = self._replica.bridge(cable.bridge)
        if bridge is None or not self._replica.is_on(bridge[1], row):
            return f"{cable.name} is on another bridge, and is left there"
        if not self._is_alone(interface):
            return f"{cable.name} is part of a bond; name a bridge that has it"
        if cable.type is not None and interface.mark != cable.mark:
            return f"a port {cable.name} is there that Quantum did not make"
        return ""

    def _addition(self, cable: Cable, number: int) -> list[Operation]:
        """Make a port, unless somebody just did, or its bridge is gone."""
        bridge = self._replica.bridge(cable.bridge)
        if bridge is None:
            return []
        row = {
            "name": cable.name,
            "external_ids": pairs({MARK: cable.mark}),
            **_columns(cable),
        }
        interface, port = f"interface{number}", f"port{number}"
        return [
            wait("Bridge", [is_row(bridge[0])], ["name"], [{"name": cable.bridge}]),
            wait("Interface", [["name", "==", cable.name]], ["name"], []),
            insert("Interface", row, interface),
            insert("Port", {"name": cable.name, "interfaces": made(interface)}, port),
            mutate("Bridge", bridge[0], ["ports", "insert", made(port)]),
        ]

    def _removal(self) -> Repair:
        """Take away what we made and nobody wants any more."""
        work = Repair("unwanted ports")
        for row, bridge in islice(self._unwanted(), REMOVED_AT_ONCE):
            work.operations += self._taking(row, bridge)
        return work

    def _unwanted(self) -> Iterator[tuple[bytes, tuple[bytes, Bridge]]]:
        """List interfaces of ours, with their bridges, that no cable is."""
        kept = {(cable.name, cable.mark, cable.bridge) for cable in self._reach.cables}
        for row in self._replica.marked:
            interface = self._replica.interfaces[row]
            if not (self._is_ours(interface) and self._is_alone(interface)):
                continue
            for bridge_row, bridge in self._replica.bridges.items():
                place = (interface.name, interface.mark, bridge.name)
                if place not in kept and self._replica.is_on(bridge, row):
                    yield row, (bridge_row, bridge)

    def _is_ours(self, interface: Interface) -> bool:
        is_marked = interface.mark.startswith(f"{self._wanted.name}/")
        return is_marked and not interface.attachment

    def _is_alone(self, interface: Interface) -> bool:
        port = self._replica.ports.get(interface.port)
        return port is not None and len(port.interfaces) == 1

    def _is_leaving(self, interface: Interface) -> bool:
        """Say whether a port in the way is ours, so that its removal is under way."""
        return self._is_ours(interface) and self._is_alone(interface)


def _differences(interface: Interface, cable: Cable) -> list[str]:
    """Say in words what is wrong with a port of ours."""
    if cable.type is None:
        return []
    wrong = []
    if interface.type != cable.type:
        wrong.append(f"type {interface.type[:QUOTED] or 'system'}")
    if cable.ofport_request and interface.ofport_request != cable.ofport_request:
        wrong.append(f"ofport_request {interface.ofport_request or 'unset'}")
    has = interface.options or {}
    return wrong + [
        f"{key} {has.get(key, 'unset')[:QUOTED]}"
        for key in OPTIONS
        if has.get(key) != cable.options.get(key)
    ]


def _correction(row: bytes, cable: Cable) -> list[Operation]:
    """Set what matters; other options are the operator's."""
    columns = {key: text for key, text in _columns(cable).items() if key != "options"}
    return [
        update("Interface", row, columns),
        mutate(
            "Interface",
            row,
            ["options", "delete", keys(OPTIONS)],
            ["options", "insert", pairs(cable.options)],
        ),
    ]


def _columns(cable: Cable) -> dict[str, object]:
    columns: dict[str, object] = {}
    if cable.type is not None:
        columns = {"type": cable.type, "options": pairs(cable.options)}
    if cable.ofport_request:
        columns["ofport_request"] = cable.ofport_request
    return columns


def _still_ours(row: bytes, interface: Interface) -> Operation:
    """Let the transaction fail if somebody made the port his in the meantime."""
    marked = ["external_ids", "includes", pairs({MARK: interface.mark})]
    where = [is_row(row), marked]
    return wait("Interface", where, ["name"], [{"name": interface.name}])
