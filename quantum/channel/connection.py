# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
One switch's connection: Twisted's protocol around frames, echoes and deadlines.

Everything a peer may do ends here: bytes that are not OpenFlow, silence before
or after the handshake, a stolen or changing identity, a deaf ear.  It costs that
connection and nobody else.
"""

from typing import Any, cast

from attrs import define, field
from os_ken.controller.handler import MAIN_DISPATCHER
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime, ITCPTransport
from twisted.internet.protocol import Protocol, connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure

from quantum.channel import layouts
from quantum.channel.datapath import TwistedDatapath
from quantum.channel.frames import Frame, Framer, ProtocolError
from quantum.channel.limits import READ_AHEAD, Limits
from quantum.channel.outlet import Outlet, Wire
from quantum.channel.pulse import Pulse
from quantum.channel.requests import Requests
from quantum.channel.roster import Roster
from quantum.channel.switchboard import Switchboard
from quantum.channel.turns import Turns

log = Logger()

PROOFS_OF_LIFE = {layouts.MULTIPART_REPLY, layouts.BARRIER_REPLY}
"""Only a switch that reads sends these; as good as an echo."""


@define(eq=False, slots=False)
class Connection(Protocol):
    """A switch from its first byte to its last."""

    address: Any
    _clock: IReactorTime
    _limits: Limits
    _switchboard: Switchboard
    _roster: Roster
    _turns: Turns
    _pulse: Pulse
    ended: Deferred[None] = field(factory=Deferred, init=False)
    """Fires when the transport is gone."""
    requests: Requests = field(init=False)
    outlet: Outlet = field(init=False)
    datapath: TwistedDatapath = field(init=False)
    is_open: bool = field(default=False, init=False)
    _framer: Framer = field(factory=Framer, init=False)
    _deadline: IDelayedCall = field(init=False)
    _is_contesting: bool = field(default=False, init=False)
    _is_reading: bool = field(default=True, init=False)
    _is_answering: bool = field(default=False, init=False)

    def connectionMade(self) -> None:
        """Greet the switch, and begin to count its time."""
        clock, limits = self._clock, self._limits
        if ITCPTransport.providedBy(self.transport):
            self.transport.setTcpNoDelay(True)
        self.is_open = True
        self.requests = Requests(clock, limits.reply_limit)
        self.outlet = Outlet(self._wire, self._turns, limits.buffer_limit, self.drop)
        self.outlet.open()
        self._deadline = clock.callLater(
            limits.handshake_deadline, self.drop, "it did not finish its handshake"
        )
        self.datapath = self._switchboard.attach(self)
        self.datapath.greet()

    def dataReceived(self, data: bytes) -> None:
        """Handle what was received, now or when it is this connection's turn."""
        if self.is_open:
            self._framer.feed(data)
            self._go_on()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Tell everybody, once."""
        if self.is_open:
            why = reason.getErrorMessage()
            log.info("{address}: connection ended: {why}", address=self.name, why=why)
            self._end()
        self.ended.callback(None)

    def drop(self, reason: str) -> None:
        """Close now, and log why."""
        if self.is_open:
            log.warn("{address}: dropped: {why}", address=self.name, why=reason)
            self._end()
            self._wire.abortConnection()

    def hang_up(self) -> None:
        """Close when what was written has been sent, or at the deadline."""
        if self.is_open:
            self.outlet.finish()
            self._wire.loseConnection()

    def reached(self, state: str) -> None:
        """Count echoes instead of seconds when the handshake is over."""
        if state == MAIN_DISPATCHER and self._deadline.active():
            self._deadline.cancel()
            self._is_answering = False
            self._pulse.join(self._ping)
            log.info("{address}: is a switch", address=self.name)

    async def is_alive(self) -> bool:
        """Ask for an echo; whether it comes within the probe's deadline."""
        echo = self.datapath.ofproto_parser.OFPEchoRequest(self.datapath)
        answer = self.datapath.request(echo, self._limits.probe_deadline)
        return await answer.addCallbacks(lambda _: True, lambda _: False)

    @property
    def name(self) -> str:
        """How a log names it: by its address and, once known, its datapath id."""
        host = getattr(self.address, "host", None)
        where = "a Unix socket" if host is None else f"{host}:{self.address.port}"
        number = self.datapath.id
        return where if number is None else f"{number:016x} at {where}"

    @property
    def _wire(self) -> Wire:
        return cast("Wire", self.transport)

    def _go_on(self) -> None:
        """Handle what there is; while much must wait, no more is read."""
        if not self._is_contesting and not self._turns.do(self._work):
            is_little = self._framer.held <= READ_AHEAD
            self._read(is_little and not self._is_contesting)

    def _work(self) -> bool:
        """Handle one frame; whether there may be another."""
        if not self.is_open or self._is_contesting:
            return False
        try:
            frame = self._framer.take()
            if frame is not None:
                self._receive(frame)
        except ProtocolError as problem:
            self.drop(str(problem))
            return False
        if frame is not None and self._framer.held:
            return self.is_open
        self._read(not self._is_contesting)
        return False

    def _read(self, is_wanted: bool) -> None:
        """Let the transport read on, or not."""
        if self.is_open and is_wanted != self._is_reading:
            self._is_reading = is_wanted
            if is_wanted:
                self._wire.resumeProducing()
            else:
                self._wire.pauseProducing()

    def _receive(self, frame: Frame) -> None:
        """Handle one frame, unless it first raises the question who this is."""
        if frame.kind != layouts.FEATURES_REPLY or self._is_admitted(frame):
            self._handle(frame)

    def _handle(self, frame: Frame) -> None:
        self._is_answering = self._is_answering or frame.kind in PROOFS_OF_LIFE
        message = self._switchboard.deliver(self.datapath, frame)
        if self.is_open:
            self.requests.answer(frame, message)
            if len(self.datapath.ports) > self._limits.port_limit:
                raise ProtocolError("it has too many ports")

    def _is_admitted(self, frame: Frame) -> bool:
        """Look at who the switch says it is; False while that is in question."""
        number = int.from_bytes(frame.data[8:16])
        if number == 0 or self.datapath.id not in {None, number}:
            raise ProtocolError(f"it calls itself {number:016x}")
        if frame.data[21]:
            raise ProtocolError("auxiliary connections are of no use here")
        if self._roster.enter(number, self):
            return True
        self._is_contesting = True
        self._read(False)
        Deferred.fromCoroutine(self._contest(number, frame)).addErrback(
            lambda failure: log.failure("identity of a switch", failure=failure)
        )
        return False

    async def _contest(self, number: int, frame: Frame) -> None:
        is_admitted = await self._roster.contest(number, self)
        self._is_contesting = False
        if not is_admitted:
            self.drop(f"another connection is {number:016x}, and lives")
        if self.is_open:
            self._handle(frame)
            self._go_on()

    def _ping(self) -> None:
        """Ask for an echo, unless other answers came or too many echoes did not."""
        is_answering, self._is_answering = self._is_answering, False
        if is_answering:
            self.datapath.unreplied_echo_requests.clear()
            return
        silent = len(self.datapath.unreplied_echo_requests)
        if silent >= self._limits.unanswered_echoes:
            self.drop(f"{silent} echo requests were not answered")
            return
        echo = self.datapath.ofproto_parser.OFPEchoRequest(self.datapath)
        self.datapath.unreplied_echo_requests.append(self.datapath.set_xid(echo))
        self.datapath.send_msg(echo)

    def _end(self) -> None:
        """Stop everything; applications hear of it before requests do."""
        self.is_open = False
        self.outlet.close()
        self._turns.forget(self._work)
        if self._deadline.active():
            self._deadline.cancel()
        self._pulse.leave(self._ping)
        if self.datapath.id is not None:
            self._roster.leave(self.datapath.id, self)
        self._switchboard.detach(self.datapath)
        self.requests.close()
