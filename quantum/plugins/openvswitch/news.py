# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
News of ports, told in order to every switch that has to hear of them.

What somebody is told is looked up when its turn comes, so there is one word about
a port however often it has changed, and one about a switch that begins or ceases
to hear of a network however often it did.  A word that waits keeps its place.
What waits is bounded by what is true and what has been told: who changes
something faster than all others can be told of it makes no more of it.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from typing import Final, NamedTuple

from attrs import define, field
from twisted.logger import Logger

from quantum.openflow.member import RemotePort, remote_key
from quantum.plugins.openvswitch.slices import Slices
from quantum.plugins.openvswitch.switch import Switch

log = Logger()

PAUSE: Final = 20
"""Words told between two pauses: about 0.1 ms."""
BREATH: Final = 2000
"""Words told until the switches are let talk about them, and other work is done."""


class _Port(NamedTuple):
    """A port, of which there is something new."""

    home: Switch
    ofport: int


class _Hearer(NamedTuple):
    """A switch that may begin or cease to hear of a network."""

    segment: int
    listener: Switch


_Words = Iterator[Switch | None]
"""Who was told a word; None if nobody had to be."""


@define(eq=False)
class _Told:
    """What has been told of a network, and to whom: all of them know all of it."""

    hearers: dict[Switch, None] = field(factory=dict)
    ports: dict[_Port, RemotePort | None] = field(factory=dict)
    """One value for all hearers; None while they may know different ones."""


@define(eq=False)
class News:
    """
    The words that wait, and the telling of them piece by piece.

    Whoever says that something is new lets it be told by `tell`.
    """

    _slices: Slices
    _due: Callable[[Switch, int], RemotePort | None]
    """Says what all who hear of its network should know of a port."""
    _hears: Callable[[Switch, int], bool]
    """Says whether a switch should hear of a network (its segment)."""
    _pause: int = PAUSE
    _breath: int = BREATH
    _waiting: OrderedDict[_Port | _Hearer | Switch, int] = field(factory=OrderedDict)
    """With the segment that a port was in when it was told of, if ever."""
    _afterwards: dict[Switch, Callable[[], None]] = field(factory=dict)
    _told: dict[int, _Told] = field(factory=dict)
    _words: _Words = field(init=False)
    _is_amid: bool = False
    """Somebody has been told a part of a word."""
    _is_telling: bool = False

    @_words.default
    def _say_words(self) -> _Words:
        return self._endless()

    def of_ports(self, home: Switch, ofports: Iterable[int], segment: int) -> None:
        """Take note that something about ports in a network is new."""
        for ofport in ofports:
            self._waiting.setdefault(_Port(home, ofport), segment)

    def of_lost_port(self, home: Switch, ofport: int, segment: int) -> None:
        """Take note that a port has left a network."""
        port = _Port(home, ofport)
        told = self._told.get(self._waiting.setdefault(port, segment))
        if told is None or port not in told.ports:
            del self._waiting[port]  # it has come and gone, and nobody knows

    def of_hearer(self, listener: Switch, segment: int) -> None:
        """Take note that a switch begins or ceases to hear of a network."""
        told = self._told.get(segment)
        knows = told is not None and listener in told.hearers
        hearer = _Hearer(segment, listener)
        if knows or self._hears(listener, segment):
            self._waiting.setdefault(hearer, segment)
        else:
            self._waiting.pop(hearer, None)

    def when_told(self, switch: Switch, act: Callable[[], None]) -> None:
        """
        Do something for a switch when all that waits now has been told.

        It takes the place of what was to be done for that switch before.
        """
        self._waiting.pop(switch, None)
        self._waiting[switch], self._afterwards[switch] = 0, act
        self.tell()

    def tell(self) -> None:
        """Tell all that waits, by and by."""
        if not self._is_telling and (self._waiting or self._is_amid):
            self._is_telling = True
            self._slices.do(self._spread())

    def _spread(self) -> Iterator[None]:
        """Tell a piece; the next one comes after whatever else waits."""
        touched: dict[Switch, None] = {}
        for number in range(1, self._breath + 1):
            if not (self._waiting or self._is_amid):
                break
            listener = next(self._words)
            if listener is not None:
                touched[listener] = None
            if number % self._pause == 0:
                yield
        yield from _talk(touched)
        self._is_telling = False
        self.tell()

    def _endless(self) -> _Words:
        """Tell one word after another; whoever asks knows whether there is one."""
        while True:
            subject, segment = self._waiting.popitem(last=False)
            self._is_amid = True
            try:
                yield from self._word(subject, segment)
            except Exception:  # noqa: BLE001  the words behind must still be told
                log.failure("a piece of news was lost")
            self._is_amid = False
            yield None

    def _word(self, subject: _Port | _Hearer | Switch, segment: int) -> _Words:
        if isinstance(subject, _Port):
            yield from self._tell_of_port(subject, segment)
        elif isinstance(subject, _Hearer):
            yield from self._tell_hearer(subject)
        else:
            self._afterwards.pop(subject)()

    def _tell_of_port(self, port: _Port, segment: int) -> _Words:
        """Let all hearers of a port's network know it as it is now."""
        key = remote_key(port.home.datapath_id, port.ofport)
        due = self._due(*port)
        told = self._told.get(segment)
        if told is not None and port in told.ports:
            if due is None or due.segment != segment:
                yield from self._take_back(port, key, told, segment)
                due = None if port in self._waiting else self._due(*port)
            elif due == told.ports[port]:
                return
        if due is None:
            return
        told = self._told.setdefault(due.segment, _Told())
        told.ports[port] = None
        for listener in told.hearers:
            if port in self._waiting:
                return  # it has changed meanwhile, and nobody must hear of that
            if listener is not port.home:
                # Who has left is about to be told so.
                _say(listener, key, due if self._hears(listener, due.segment) else None)
                yield listener
        told.ports[port] = due

    def _take_back(self, port: _Port, key: int, told: _Told, segment: int) -> _Words:
        """Let nobody know a port who heard of it in a network."""
        del told.ports[port]
        for listener in told.hearers:
            if listener is not port.home:
                _say(listener, key, None)
                yield listener
        if not (told.hearers or told.ports):
            del self._told[segment]

    def _tell_hearer(self, hearer: _Hearer) -> _Words:
        """Let a switch know all that is told of a network, or nothing of it."""
        segment, listener = hearer
        if self._hears(listener, segment):
            told = self._told.setdefault(segment, _Told())
            told.hearers[listener] = None
            for port in told.ports:
                if hearer in self._waiting:
                    return  # it hears of it no longer, and must not
                yield _tell(listener, port, self._for_hearer(port, told, segment))
        elif (known := self._told.get(segment)) and listener in known.hearers:
            del known.hearers[listener]
            for port in known.ports:
                yield _tell(listener, port, None)
            if not known.hearers:
                self._tidy(segment, known)

    def _for_hearer(self, port: _Port, told: _Told, segment: int) -> RemotePort | None:
        """Say what a new hearer should know: as told, or what the others hear later."""
        remote = told.ports[port]
        if port in self._waiting:
            # This one does not wait for that: from before it ceased to hear it may
            # know the port as it was then.
            remote, told.ports[port] = self._due(*port), None
        return remote if remote is not None and remote.segment == segment else None

    def _tidy(self, segment: int, told: _Told) -> None:
        """Keep nothing that nobody knows, nor will before there is a word of it."""
        told.ports = {
            port: remote
            for port, remote in told.ports.items()
            if port in self._waiting or self._hears(port.home, segment)
        }
        if not told.ports:
            del self._told[segment]


def _tell(listener: Switch, port: _Port, remote: RemotePort | None) -> Switch | None:
    """Tell a switch of a port, unless it is its own."""
    if port.home is listener:
        return None
    _say(listener, remote_key(port.home.datapath_id, port.ofport), remote)
    return listener


def _say(listener: Switch, key: int, remote: RemotePort | None) -> None:
    try:
        listener.session.want(key, remote)
    except Exception:  # noqa: BLE001  the others must still hear of it
        log.failure("switch {name:016x} was not told", name=listener.datapath_id)


def _talk(touched: dict[Switch, None]) -> Iterator[None]:
    for number, switch in enumerate(touched, 1):
        try:
            switch.talk()
        except Exception:  # noqa: BLE001  the others must still be told
            log.failure("switch {name:016x} was not told", name=switch.datapath_id)
        if number % PAUSE == 0:
            yield
