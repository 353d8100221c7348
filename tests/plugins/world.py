# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""Switches with slow connections."""

from collections import deque
from collections.abc import Callable

from attrs import define, field
from os_ken.ofproto import ofproto_v1_3_parser as parser
from twisted.internet.defer import Deferred, succeed

from quantum.openflow.session import WAITING
from quantum.plugins.openvswitch.fabric import OpenVSwitchFabric
from tests.openflow.table import DATAPATH, Table, frames

EQUAL = parser.OFPRoleReply(DATAPATH, 1, 0)
"""What a switch says to its only controller about its role."""


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
    ended: Callable[[int], None] = lambda _: None
    is_closed: bool = False
    ports: dict = field(factory=dict)
    """What it has said of its OpenFlow ports, as os-ken keeps it."""
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

    def request(self, message, deadline) -> Deferred:
        return succeed([EQUAL])

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
            self.fabric.left(self)
            self.ended(self.id)

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
