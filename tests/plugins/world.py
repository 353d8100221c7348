# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""Switches with slow connections, and what OVSDB has told of them so far."""

from collections import deque

from attrs import define, field

from quantum.model import Binding
from quantum.openflow.facts import SeenInterface
from quantum.openflow.layout import LocalPort
from quantum.openflow.session import WAITING
from quantum.plugins.openvswitch.fabric import OpenVSwitchFabric
from tests.openflow.table import Table, frames


@define(eq=False)
class Line:
    """
    A connection on which requests and answers wait until they are moved.

    One that ``is_prompt`` moves everything at once.  It takes the table's
    answers in the session's place, and gives them to the session later.
    """

    id: int
    fabric: OpenVSwitchFabric
    table: Table
    is_prompt: bool = True
    is_closed: bool = False
    _requests: deque = field(factory=deque)
    _answers: deque = field(factory=deque)
    _is_moving: bool = False

    def join(self) -> None:
        """Let the switch connect."""
        session = self.fabric.session(self.id)
        session.joined()
        self.fabric.talk(self, session)

    def pump(self, take) -> None:
        while not self.is_closed and (words := take(65536)) != WAITING:
            self._requests.extend(frames(words or b""))
        if self.is_prompt and not self._is_moving:
            self._is_moving = True
            while self.move():
                pass
            self._is_moving = False

    def move(self) -> bool:
        """Move one answer or, if there is none, one request; False if none moved."""
        if self._answers:
            name, words = self._answers.popleft()
            session = self.fabric.session(self.id)
            getattr(session, name)(*words)
            self.fabric.talk(self, session)
            return True
        if self._requests:
            self.table.take(self._requests.popleft(), self)
            return True
        return False

    def close(self) -> None:
        if not self.is_closed:
            self.cut()
            self.fabric.session(self.id).left()

    def cut(self) -> None:
        """Lose what was on its way."""
        self.is_closed = True
        self._requests.clear()
        self._answers.clear()

    def error(self, *words) -> None:
        self._answers.append(("error", words))

    def barrier(self, *words) -> None:
        self._answers.append(("barrier", words))

    def counted(self, *words) -> None:
        self._answers.append(("counted", words))

    def flow_stats(self, *words) -> None:
        self._answers.append(("flow_stats", words))


@define
class Told:
    """
    What OVSDB has told: interfaces by switch and name, and who was first where.

    It is worked out here once more, as simply as can be.
    """

    seen: dict[int, dict[str, SeenInterface]] = field(factory=dict)
    places: dict[str, list[tuple[int, str]]] = field(factory=dict)

    def all(self, datapath_id: int, present: list[SeenInterface]) -> None:
        """Take a whole picture."""
        names = {interface.name for interface in present}
        known = list(self.seen.get(datapath_id, {}))
        self.some(datapath_id, [name for name in known if name not in names], present)

    def some(
        self, datapath_id: int, gone: list[str], present: list[SeenInterface]
    ) -> None:
        """Take a change."""
        seen = self.seen.setdefault(datapath_id, {})
        for name in gone:
            self._forget(datapath_id, name)
        for interface in present:
            before = seen.get(interface.name)
            if before is not None and before.attachment != interface.attachment:
                self._forget(datapath_id, interface.name)
            place = (datapath_id, interface.name)
            seen.pop(interface.name, None)
            seen[interface.name] = interface
            places = self.places.setdefault(interface.attachment, [])
            if place not in places:
                places.append(place)

    def first(self, attachment: str) -> tuple[int, SeenInterface] | None:
        """Say where an interface is to be carried."""
        places = self.places.get(attachment)
        if not places:
            return None
        datapath_id, name = places[0]
        return datapath_id, self.seen[datapath_id][name]

    def ports(self, datapath_id: int, bindings: list[Binding]) -> dict[int, LocalPort]:
        """
        Say what a switch should carry, from nothing.

        Of two interfaces with one OpenFlow port the last one told has it.
        """
        last = {i.ofport: i for i in self.seen.get(datapath_id, {}).values()}
        ports = {}
        for binding in bindings:
            place = self.first(binding.attachment)
            if place is not None and binding.is_active and place[0] == datapath_id:
                interface = place[1]
                if interface.ofport and last[interface.ofport] is interface:
                    ports[interface.ofport] = LocalPort(
                        interface.ofport, binding.segment_id, interface.mac
                    )
        return ports

    def _forget(self, datapath_id: int, name: str) -> None:
        before = self.seen[datapath_id].pop(name, None)
        if before is not None:
            self.places[before.attachment].remove((datapath_id, name))
