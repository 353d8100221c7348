# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
Somebody in the middle, who reads what switches and the daemon say, and meddles.

Each client has a name and a `Conduct`: what is done to its connections now.  It
sees whole OpenFlow messages; a conduct that does not ask for them sees chunks.
It has an event loop of its own in a thread, because tests block theirs.
"""

import asyncio
import contextlib
import socket
import threading
from collections.abc import Callable, Iterable
from enum import Enum

from attrs import define, field

Namer = Callable[[socket.socket], str]
"""Says which client has connected."""
HEADER = 8
_CHUNK = 65536
_SLICE = 0.05


class Way(Enum):
    """A direction."""

    UP = "from the switch"
    DOWN = "to the switch"


@define(eq=False)
class Conduct:
    """What is done to a client; this one does no wrong."""

    is_framed = False
    """Whether `carry` is given whole OpenFlow messages."""
    is_refusing = False
    """Whether connections end at once."""

    def joined(self) -> None:
        """Take note of a new connection."""

    def carry(self, way: Way, text: bytes) -> Iterable[bytes] | None:
        """Say what is passed on in place of this; None ends the connection."""
        return (text,)

    def rate(self, way: Way) -> float:
        """Say how many bytes pass per second; 0 is no limit."""
        return 0.0


HONEST = Conduct()


@define(eq=False)
class Refusal(Conduct):
    """Nobody is connected, and nobody gets connected."""

    is_refusing = True


@define(eq=False)
class Silence(Conduct):
    """Connections live, but nothing passes: a line that is half open."""

    ways: tuple[Way, ...] = (Way.UP, Way.DOWN)

    def carry(self, way: Way, text: bytes) -> Iterable[bytes] | None:
        return () if way in self.ways else (text,)


@define(eq=False)
class Cut(Conduct):
    """The next connection is cut when so many bytes have passed one way; only it."""

    way: Way
    place: int
    is_done: bool = False
    _passed: int | None = None

    def joined(self) -> None:
        if self._passed is None:
            self._passed = 0

    def carry(self, way: Way, text: bytes) -> Iterable[bytes] | None:
        if self.is_done or self._passed is None or way is not self.way:
            return (text,)
        self._passed += len(text)
        if self._passed < self.place:
            return (text,)
        self.is_done = True
        return None


@define(eq=False)
class Trickle(Conduct):
    """So few bytes pass in a second, one way."""

    way: Way
    bytes_per_second: float

    def rate(self, way: Way) -> float:
        return self.bytes_per_second if way is self.way else 0.0


@define(eq=False)
class Record(Conduct):
    """Nothing is done, but where messages end is remembered, by direction."""

    is_framed = True
    ends: dict[Way, list[int]] = field(factory=lambda: {way: [0] for way in Way})
    _is_joined: bool = False

    def joined(self) -> None:
        self._is_joined = True

    def carry(self, way: Way, text: bytes) -> Iterable[bytes] | None:
        if self._is_joined:
            self.ends[way].append(self.ends[way][-1] + len(text))
        return (text,)


@define(eq=False)
class Edit(Conduct):
    """A function says what becomes of each message: ``edit(way, message)``."""

    edit: Callable[[Way, bytes], Iterable[bytes]]
    is_framed = True

    def carry(self, way: Way, text: bytes) -> Iterable[bytes] | None:
        return self.edit(way, text)


@define(eq=False)
class Middle:
    """Listens in many places for many clients; `start` and `stop`."""

    accepted: dict[str, int] = field(factory=dict)
    """How many connections each client has made."""
    _conducts: dict[str, Conduct] = field(factory=dict)
    _lines: "set[_Line]" = field(factory=set)
    _loop: asyncio.AbstractEventLoop = field(factory=asyncio.new_event_loop)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin; places to listen may be added before or after."""
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def listen(self, where: socket.socket, target: str, namer: Namer) -> None:
        """Pass on what connects to a listening socket to a Unix socket."""

        async def serve(
            reader: asyncio.StreamReader, writer: asyncio.StreamWriter
        ) -> None:
            name = namer(writer.get_extra_info("socket"))
            # Who is cancelled is at the end: nobody need be told.
            with contextlib.suppress(asyncio.CancelledError):
                await self._serve(name, target, (reader, writer))

        starting = asyncio.start_server(serve, sock=where)
        asyncio.run_coroutine_threadsafe(starting, self._loop).result(10)

    def do(self, name: str, conduct: Conduct) -> None:
        """Do this to a client from now on, on the connection that it has too."""
        self._conducts[name] = conduct
        if conduct.is_refusing:
            self.reset(name)

    def behave(self) -> None:
        """Do nothing wrong any more."""
        self._conducts.clear()

    def reset(self, name: str) -> None:
        """End the connections that a client has."""
        self._loop.call_soon_threadsafe(self._reset, name)

    def inject(self, name: str, way: Way, text: bytes) -> None:
        """Say something that neither side said, on a client's connections."""

        def say() -> None:
            for line in self._lines:
                if line.name == name:
                    line.end(way).write(text)

        self._loop.call_soon_threadsafe(say)

    def stop(self) -> None:
        """End everything."""
        if self._thread is not None:
            asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(10)
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
        self._loop.close()

    def _reset(self, name: str) -> None:
        for line in self._lines:
            if line.name == name:
                line.abort()

    def conduct(self, name: str) -> Conduct:
        """Say what is done to a client now."""
        return self._conducts.get(name, HONEST)

    async def _end(self) -> None:
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _serve(
        self,
        name: str,
        target: str,
        near: tuple[asyncio.StreamReader, asyncio.StreamWriter],
    ) -> None:
        self.accepted[name] = self.accepted.get(name, 0) + 1
        line = _Line(name, near[1])
        self._lines.add(line)
        with contextlib.suppress(OSError):
            try:
                if self.conduct(name).is_refusing:
                    return
                reader, line.server = await asyncio.open_unix_connection(target)
                self.conduct(name).joined()
                await asyncio.gather(
                    self._pump(line, Way.UP, near[0]),
                    self._pump(line, Way.DOWN, reader),
                )
            finally:
                line.abort()
                self._lines.discard(line)

    async def _pump(
        self, line: "_Line", way: Way, reader: asyncio.StreamReader
    ) -> None:
        held = bytearray()
        while chunk := await reader.read(_CHUNK):
            held += chunk
            conduct = self.conduct(line.name)
            for text in _taken(held, is_framed=conduct.is_framed):
                spoken = conduct.carry(way, text)
                if spoken is None:
                    line.abort()
                    return
                for words in spoken:
                    await self._say(line, way, words)
        line.abort()

    async def _say(self, line: "_Line", way: Way, text: bytes) -> None:
        writer, place = line.end(way), 0
        while place < len(text):
            rate = self.conduct(line.name).rate(way)
            size = max(1, int(rate * _SLICE)) if rate else len(text)
            writer.write(text[place : place + size])
            await writer.drain()
            place += size
            if rate:
                await asyncio.sleep(size / rate)


@define(eq=False)
class _Line:
    """One connection through the middle."""

    name: str
    client: asyncio.StreamWriter
    server: asyncio.StreamWriter | None = None

    def end(self, way: Way) -> asyncio.StreamWriter:
        """Give the end to which a way leads."""
        writer = self.server if way is Way.UP else self.client
        assert writer is not None
        return writer

    def abort(self) -> None:
        """End it at once."""
        for writer in (self.client, self.server):
            if writer is not None:
                writer.transport.abort()


def _taken(held: bytearray, *, is_framed: bool) -> Iterable[bytes]:
    """Take from what was read: whole messages, or everything."""
    if not is_framed:
        yield bytes(held)
        held.clear()
        return
    while len(held) >= HEADER:
        length = max(HEADER, int.from_bytes(held[2:4]))
        if len(held) < length:
            return
        yield bytes(held[:length])
        del held[:length]
