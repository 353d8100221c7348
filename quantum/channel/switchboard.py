# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""From checked frames to os-ken's events, in os-ken's order."""

from typing import Any

from attrs import define
from os_ken.controller import ofp_event
from os_ken.controller.handler import DEAD_DISPATCHER
from os_ken.ofproto import ofproto_v1_3_parser as parser
from twisted.logger import Logger

from quantum.channel.bus import Bus, call
from quantum.channel.datapath import Line, TwistedDatapath
from quantum.channel.frames import Frame
from quantum.channel.layouts import MULTIPART_REPLY

log = Logger()

FLOW_STATS = b"\0\1"


class OFPFlowStatsReply(parser.OFPFlowStatsReply):  # type: ignore[misc]
    """
    A part of a flow dump whose entries os-ken parses when somebody looks.

    That costs some 60 microseconds per entry; ``buf`` costs nothing.
    """

    def __init__(self, datapath: TwistedDatapath, frame: Frame) -> None:
        parser.MsgBase.__init__(self, datapath)  # the others would set the body
        self.set_headers(frame.version, frame.kind, len(frame.data), frame.xid)
        self.buf = frame.data
        self.type = int.from_bytes(frame.data[8:10])
        self.flags = int.from_bytes(frame.data[10:12])

    def __getattr__(self, name: str) -> Any:
        if name != "body":
            raise AttributeError(name)
        header = (self.version, self.msg_type, self.msg_len, self.xid)
        try:
            message = parser.msg_parser(self.datapath, *header, self.buf)
        except Exception as problem:  # its parsers raise whatever they stumble over
            raise ValueError("os-ken cannot read the entries") from problem
        self.body = message.body
        return self.body

    def stringify_attrs(self) -> Any:
        """Let what prints the message see the entries too."""
        _ = self.body
        return super().stringify_attrs()

    def to_jsondict(self, *words: Any, **named: Any) -> Any:
        """Let what exports the message see the entries too."""
        _ = self.body
        return super().to_jsondict(*words, **named)


def parse(datapath: TwistedDatapath, frame: Frame) -> Any:
    """
    Make os-ken's message of a frame, or None of one that os-ken cannot read.

    Always by the parser for 1.3: a HELLO of any version looks the same.
    """
    if frame.kind == MULTIPART_REPLY and frame.data[8:10] == FLOW_STATS:
        return OFPFlowStatsReply(datapath, frame)
    header = (frame.version, frame.kind, len(frame.data), frame.xid)
    try:
        return parser.msg_parser(datapath, *header, frame.data)
    except Exception as problem:  # noqa: BLE001  a parser fails in any way it likes
        # A switch may send any number of such messages; one line is enough.
        say = log.debug if datapath.unreadable else log.warn
        datapath.unreadable += 1
        say(
            "{address}: os-ken cannot read a message of type {kind}: {problem!r}",
            address=datapath.address,
            kind=frame.kind,
            problem=problem,
        )
        return None


@define(eq=False)
class Switchboard:
    """
    Connects every switch with every application.

    ``brick`` is os-ken's ``ofp_event`` service, whose own handlers do the
    handshake.
    """

    _bus: Bus
    _brick: Any
    _echo_interval: float

    def attach(self, line: Line) -> TwistedDatapath:
        """Make the datapath of a new connection."""
        return TwistedDatapath(line, self._brick, self._echo_interval)

    def deliver(self, datapath: TwistedDatapath, frame: Frame) -> Any:
        """
        Let all who observe it handle a frame; the message os-ken made of it.

        As in os-ken the event is queued with the state that the connection had
        before, then ofp_handler acts, and only then applications handle it: they
        find ``datapath.id`` set when they hear of the features.
        """
        message = parse(datapath, frame)
        if message is None:
            return None
        event = ofp_event.ofp_msg_to_ev(message)
        state = datapath.state
        with self._bus.held():
            self._brick.send_event_to_observers(event, state)
            for receive in list(self._brick.get_handlers(event)):
                if state in receive.callers[type(event)].dispatchers:
                    call(self._brick.name, receive, event)
        return message

    def detach(self, datapath: TwistedDatapath) -> None:
        """Tell everybody that a connection ended."""
        datapath.set_state(DEAD_DISPATCHER)
        datapath.is_active = False
