# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
A switch as os-ken applications see it, on a connection that Twisted owns.

Applications that only know os-ken use `send_msg`, `send`, `close`; those that
know who hosts them may stream with `pump` and ask with `request`.
"""

import random
from struct import pack_into
from threading import get_ident
from typing import Any, Protocol

# From there, because the module that defines it cannot be imported first.
from os_ken.base.app_manager import Datapath
from os_ken.controller.handler import DEAD_DISPATCHER, HANDSHAKE_DISPATCHER
from os_ken.ofproto.ofproto_protocol import ProtocolDesc
from twisted.internet.defer import Deferred

from quantum.channel.frames import HEADER
from quantum.channel.outlet import Outlet, Take
from quantum.channel.requests import ConnectionEnded, Requests
from quantum.openflow.dialogue import FIRST_XID

XID_AT = 4
LAST_XID = FIRST_XID - 1
"""What is above belongs to the sessions' own messages."""


class Line(Protocol):
    """What a datapath needs of its connection."""

    outlet: Outlet
    requests: Requests
    address: Any

    def hang_up(self) -> None:
        """Close when what was written has been sent."""

    def drop(self, reason: str) -> None:
        """Close now, and log why."""

    def reached(self, state: str) -> None:
        """Take note of os-ken's state of the connection."""


class TwistedDatapath(Datapath):  # type: ignore[misc]  # os-ken has no types
    """os-ken's datapath without its socket, queues and threads."""

    def __init__(self, line: Line, brick: Any, echo_interval: float) -> None:
        ProtocolDesc.__init__(self)  # not Datapath's, which wants a socket
        self._line = line
        self._thread = get_ident()
        self.socket = None
        self.send_q = None
        self.address = line.address
        self.is_active = True
        self.echo_request_interval = echo_interval
        self.unreplied_echo_requests: list[int] = []
        self.xid = random.randrange(LAST_XID)  # noqa: S311  no secret
        self.id: int | None = None
        self.ports: dict[int, Any] = {}
        self._ports = None
        self.ofp_brick = brick
        self.state: str | None = None
        self.unreadable = 0

    def greet(self) -> None:
        """Begin the handshake."""
        self.set_state(HANDSHAKE_DISPATCHER)
        self.send_msg(self.ofproto_parser.OFPHello(self))

    def send(self, buf: bytes, close_socket: bool = False) -> bool:
        """
        Send whole messages; whether the connection takes them.

        A switch for which more than the buffer limit waits is given up.
        """
        self._check_thread("send")
        if self.state == DEAD_DISPATCHER:
            return False
        is_taken = self._line.outlet.write(bytes(buf))
        if close_socket:
            self._line.hang_up()
        return is_taken

    def pump(self, take: Take) -> None:
        """Stream what ``take`` gives as fast as the switch reads; see `Outlet.pump`."""
        self._check_thread("pump")
        self._line.outlet.pump(take)

    def request(self, message: Any, deadline: float) -> Deferred[list[Any]]:
        """
        Send one message and wait for its answer on this connection.

        :param message: An os-ken message, or the bytes of one.  Its xid, if 0 or
            none, is chosen here.
        :return: See `Requests.expect`.
        """
        self._check_thread("request")
        data = self._bytes(message)
        answer = self._line.requests.expect(data, deadline)
        if not self.send(data):
            (_, _, _, xid) = HEADER.unpack_from(data)
            self._line.requests.fail(xid, ConnectionEnded())
        return answer

    def fresh_xid(self) -> int:
        """Choose an xid that is not 0."""
        self.xid = self.xid % LAST_XID + 1
        return self.xid

    def set_xid(self, msg: Any) -> int:
        """Give an os-ken message an xid."""
        xid = self.fresh_xid()
        msg.set_xid(xid)
        return xid

    def set_state(self, state: str) -> None:
        """Change os-ken's state of the connection, and tell its observers."""
        if self.state == DEAD_DISPATCHER:
            return
        super().set_state(state)
        self._line.reached(state)

    def close(self) -> None:
        """Close the connection now."""
        self._line.drop("an application closed the connection")

    def _bytes(self, message: Any) -> bytes:
        if isinstance(message, (bytes, bytearray)):
            data = bytearray(message)
            if data[XID_AT : HEADER.size] == b"\0\0\0\0":
                pack_into("!I", data, XID_AT, self.fresh_xid())
            return bytes(data)
        if not message.xid:
            message.xid = None
            self.set_xid(message)
        message.serialize()
        return bytes(message.buf)

    def _check_thread(self, verb: str) -> None:
        if get_ident() != self._thread:
            raise RuntimeError(
                f"{verb}: a switch is written to by the reactor's thread only"
            )
