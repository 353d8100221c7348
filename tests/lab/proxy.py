# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
A TCP proxy that does wrong on purpose, between switches and the daemon.

What it does is said by a `Fault`, for one client or for all, and may change
while connections last.  Where chance decides, a seed decides first.  It has an
event loop of its own in a thread, because tests block theirs.
"""

import asyncio
import random
import socket
import struct
import threading
from enum import Flag, auto

from attrs import define, field, frozen

from tests.lab.namespace import Namespace

Address = tuple[str, int]
EVERYBODY = ""
_RESET = struct.pack("ii", 1, 0)
_CHUNK = 65536
_SLICE = 0.05
"""Seconds between two slices of a throttled stream."""


class Way(Flag):
    """A direction."""

    UP = auto()
    """From the client to the server."""
    DOWN = auto()
    BOTH = UP | DOWN


@frozen(eq=False)
class Fault:
    """What is done to what passes one way or both."""

    way: Way = Way.BOTH
    is_refusing: bool = False
    """Connections end at once, those that there are and those to come."""
    is_swallowing: bool = False
    """All is taken and nothing passed on, the end of a connection included."""
    delay: float = 0.0
    """Seconds that each chunk waits."""
    rate: float = 0.0
    """Bytes per second; 0 is no limit."""
    cut_at: int | None = None
    """After so many bytes the connection is reset."""
    repetition: float = 0.0
    """The chance that a chunk is passed on twice."""


NONE = Fault()


@define
class FaultProxy:
    """Listens at one address, connects to another; `start` and `stop`."""

    _namespace: Namespace
    _listen: Address
    _target: Address
    seed: int = 1
    accepted: int = 0
    """How many connections there have been."""
    swallowed: int = 0
    """How many bytes were taken and not passed on."""
    _faults: dict[str, Fault] = field(factory=dict)
    _lines: "set[_Line]" = field(factory=set)
    _loop: asyncio.AbstractEventLoop = field(factory=asyncio.new_event_loop)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        """Listen from now on."""
        with self._namespace.inside():
            listener = socket.create_server(self._listen, backlog=128)
        serving = asyncio.start_server(self._serve, sock=listener)
        self._loop.run_until_complete(serving)
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def do(self, fault: Fault, client: str = EVERYBODY) -> None:
        """Do this from now on to a client, named by its address."""
        self._faults[client] = fault
        if fault.is_refusing:
            self.reset(client)

    def behave(self) -> None:
        """Do nothing wrong to anybody any more; what was lost remains lost."""
        self._faults.clear()

    def reset(self, client: str = EVERYBODY) -> None:
        """Reset the connections that a client has now."""
        self._loop.call_soon_threadsafe(self._reset, client)

    def fault(self, client: str) -> Fault:
        """Say what is done to a client now."""
        return self._faults.get(client) or self._faults.get(EVERYBODY, NONE)

    def stop(self) -> None:
        """End every connection."""
        if self._thread is not None:
            asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(10)
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
        self._loop.close()

    def _reset(self, client: str) -> None:
        for line in self._lines:
            if client in {line.client, EVERYBODY}:
                line.reset()

    async def _end(self) -> None:
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._reset(EVERYBODY)
        await asyncio.sleep(0)

    async def _serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.accepted += 1
        seed = f"{self.seed}-{self.accepted}"
        chance = random.Random(seed)  # noqa: S311  (to be repeated, not secret)
        line = _Line(writer.get_extra_info("peername")[0], [writer])
        self._lines.add(line)
        try:
            if self.fault(line.client).is_refusing:
                return
            back, forth = await self._connect()
            line.ends.append(forth)
            await asyncio.gather(
                self._pump(line, _Pump(reader, forth, Way.UP, chance)),
                self._pump(line, _Pump(back, writer, Way.DOWN, chance)),
            )
        except OSError:
            # Either end went away, or the daemon is not there.
            return
        finally:
            line.reset()
            self._lines.discard(line)

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        with self._namespace.inside():
            wire = socket.socket()
        wire.setblocking(False)
        try:
            await self._loop.sock_connect(wire, self._target)
        except OSError:
            wire.close()
            raise
        return await asyncio.open_connection(sock=wire)

    async def _pump(self, line: "_Line", pump: "_Pump") -> None:
        while chunk := await pump.reader.read(_CHUNK):
            fault = self.fault(line.client)
            if await pump.carry(chunk, fault if pump.way in fault.way else NONE):
                line.reset()
            self.swallowed += len(chunk) if pump.has_swallowed else 0
        if not pump.has_swallowed:
            pump.writer.write_eof()


@define(eq=False)
class _Line:
    """One connection through the proxy."""

    client: str
    ends: list[asyncio.StreamWriter]

    def reset(self) -> None:
        """End it at once, without the courtesy of an orderly end."""
        for end in self.ends:
            wire = end.get_extra_info("socket")
            if wire.fileno() >= 0:
                wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            end.transport.abort()


@define
class _Pump:
    """One direction of a line."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    way: Way
    _chance: random.Random
    has_swallowed: bool = False
    _passed: int = 0
    _last: Fault = NONE

    async def carry(self, chunk: bytes, fault: Fault) -> bool:
        """Pass a chunk on, as the fault says; say whether to reset the line."""
        if fault is not self._last:
            self._last, self._passed = fault, 0
        self.has_swallowed |= fault.is_swallowing
        if self.has_swallowed:
            # What follows a gap in a stream would only be misunderstood.
            return False
        await asyncio.sleep(fault.delay)
        if fault.repetition and self._chance.random() < fault.repetition:
            chunk += chunk
        room = len(chunk) if fault.cut_at is None else fault.cut_at - self._passed
        await self._send(chunk[: max(0, room)], fault.rate)
        self._passed += len(chunk)
        return fault.cut_at is not None and room <= len(chunk)

    async def _send(self, chunk: bytes, rate: float) -> None:
        size = max(1, int(rate * _SLICE)) if rate else max(1, len(chunk))
        for start in range(0, len(chunk), size):
            self.writer.write(chunk[start : start + size])
            await self.writer.drain()
            if rate:
                await asyncio.sleep(_SLICE)
