# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""One managed switch: what is seen on it, and the talk with it."""

from collections.abc import Iterable
from typing import Any, Final

from attrs import define, field

from quantum.openflow.facts import SeenInterface, Underlay
from quantum.openflow.phase import Phase
from quantum.openflow.session import Session

NAME_SIZE: Final = 15
"""The bytes of an interface's name that fit into OpenFlow's (1.3.5, 7.2.1)."""


LOCAL: Final = 0xFFFFFFFE
"""The port of every bridge that is its own (OpenFlow 1.3.5, 4.5)."""


def _revised(switch: "Switch", _: object, value: Any) -> Any:
    """Take note that something else is known of a switch."""
    switch.edition += 1
    return value


@define(eq=False)
class Switch:
    """
    A datapath: its interfaces, as OVSDB tells them, and its session.

    ``datapath`` is the OpenFlow connection, None while there is none.
    """

    datapath_id: int
    session: Session
    hypervisor: str = field(default="", on_setattr=_revised)
    """Which hypervisor told last what is seen on it."""
    holder: str = ""
    """Which hypervisor alone may tell of it; empty: whoever does so next."""
    datapath: Any = None
    underlay: Underlay = field(factory=Underlay, on_setattr=_revised)
    address: bytes = b""
    """The tunnel address by which others reach it; empty if they do not."""
    connected_since: float | None = None
    solitude: str = "its hypervisor has not told its tunnel address"
    """Why others do not reach it; empty if they do."""
    role: str = ""
    """What the switch says that we are to it."""
    last_audit: float | None = None
    is_watched: bool = False
    """The hypervisor's database is connected."""
    awaited_until: float | None = None
    """So long it is taken to be in reach, though nothing is connected."""
    was_in_reach: bool = False
    """Whether it was when that was last looked at."""
    is_synced: bool = False
    """OVSDB has told its interfaces."""
    is_unshown: bool = False
    """The statuses of its ports were left for when it settles."""
    is_being_recorded: bool = False
    standing: str = ""
    """How it stood when `is_news` was last asked."""
    edition: int = 0
    """Grows whenever something else is known of where it is and what is on it."""
    _audits: int = 0
    _trouble: str = ""
    _seen: dict[str, SeenInterface] = field(factory=dict)
    _carriers: dict[int, SeenInterface] = field(factory=dict)
    _later: set[str] = field(factory=set)
    _disputed: set[int] = field(factory=set)
    """Whose OpenFlow port is another's or gone, says OpenFlow."""

    def is_claimed_by(self, hypervisor: str) -> bool:
        """
        Let a hypervisor tell of it, unless it is another's: the first one counts.

        It is so until neither the hypervisor's database nor the switch itself has
        been connected for the time that somebody is waited for.  An OpenFlow
        connection does not say whose it is: one that lives on is its own
        hypervisor's, and not a clone's.
        """
        if self.holder not in {"", hypervisor}:
            return False
        self.hypervisor = self.holder = hypervisor
        self.is_watched, self.awaited_until = True, None
        return True

    def rename(self, before: str, now: str) -> None:
        """
        Take note that a connected hypervisor has another name.

        Another one may have had that name before, and be away.
        """
        if self.hypervisor and not self.is_watched:
            return
        if self.hypervisor == before:
            self.hypervisor = now
        if self.holder == before:
            self.holder = now

    def disown(self) -> None:
        """Take note that its bridge was deleted, though it may be connected yet."""
        self.hypervisor, self.awaited_until = "", None
        self.is_watched = False

    def let_go(self) -> None:
        """Let whoever tells of it next have it."""
        self.holder, self.awaited_until = "", None

    @property
    def is_in_reach(self) -> bool:
        """Something is connected that could tell of it, or soon will be."""
        return self.is_connected or self.awaited_until is not None

    def is_overdue(self, now: float) -> bool:
        """It was waited for long enough."""
        return self.awaited_until is not None and self.awaited_until <= now

    @property
    def is_connected(self) -> bool:
        """The switch itself is connected, or its hypervisor's database."""
        return self.is_watched or self.datapath is not None

    def uplink(self, physical_network: str) -> int:
        """Give the OpenFlow port of a physical network, or 0."""
        return dict(self.underlay.uplinks).get(physical_network, 0)

    def note_audit(self, now: float) -> None:
        """Take note of the time if its flows were compared since the last call."""
        if self.session.audits != self._audits:
            self._audits, self.last_audit = self.session.audits, now

    def is_other_trouble(self) -> bool:
        """Say whether it refuses something else than when this was last asked."""
        before, self._trouble = self._trouble, self.session.trouble
        return self._trouble != before

    @property
    def is_about_to_settle(self) -> bool:
        """It is connected, and has only waited for its interfaces to be told."""
        return self.datapath is not None and not self.session.is_known

    def put(self, interface: SeenInterface) -> SeenInterface | None:
        """Add an interface; give what it replaced."""
        ofport = interface.ofport
        rival = self.carrier(ofport)
        is_missed = ofport in self._disputed
        before = self.drop(interface.name)
        self.edition += 1
        self._seen[interface.name] = interface
        if ofport:
            self._carriers[ofport] = interface
            is_same = rival is not None and rival.name == interface.name
            self._doubt(ofport, is_missed and is_same)
        return before

    def drop(self, name: str) -> SeenInterface | None:
        """Forget an interface; give it if it was known."""
        before = self._seen.pop(name, None)
        self.edition += before is not None
        self._later.discard(name)
        if before is not None and self._carriers.get(before.ofport) is before:
            del self._carriers[before.ofport]
            self._disputed.discard(before.ofport)
        return before

    def place(self, name: str, *, is_first: bool) -> None:
        """Take note whether an interface is where it was seen first."""
        if is_first == (name in self._later):
            self._later ^= {name}
            self.edition += 1

    @property
    def later(self) -> Iterable[str]:
        """List the names of interfaces that were seen somewhere else before."""
        return sorted(self._later)

    def hear(self, ofport: int, name: bytes) -> SeenInterface | None:
        """
        Take note of what OpenFlow tells of a port, which had or has this name.

        :return: The interface that has, or has no longer, to do without it.
        """
        carrier, was_disputed = self.carrier(ofport), ofport in self._disputed
        if carrier is None:
            return None
        self._doubt(ofport, name == _cut(carrier))
        return carrier if was_disputed != (ofport in self._disputed) else None

    def came(self, datapath: Any) -> Iterable[SeenInterface]:
        """
        Take note of an OpenFlow connection; list whose ports it disputes.

        In its handshake it has told all of its ports, if any but its own.
        """
        self.datapath = datapath
        is_told = not datapath.ports.keys() <= {LOCAL}
        for ofport in self._carriers:
            self._doubt(ofport, is_told)
        return tuple(self._carriers[ofport] for ofport in self._disputed)

    def is_disputed(self, seen: SeenInterface) -> bool:
        """Say whether OpenFlow says that an interface's port is not its own."""
        return seen.ofport in self._disputed and self.carrier(seen.ofport) is seen

    def _doubt(self, ofport: int, is_missed: bool) -> None:
        """
        Compare what OVSDB and OpenFlow say of a carrier.

        Of a port that OpenFlow does not have it has not told yet, unless it
        ``is_missed``: OVSDB and OpenFlow are two connections.
        """
        ports = {} if self.datapath is None else self.datapath.ports
        port = ports.get(ofport)
        if is_missed if port is None else port.name != _cut(self._carriers[ofport]):
            self._disputed.add(ofport)
        else:
            self._disputed.discard(ofport)

    def seen(self, name: str) -> SeenInterface | None:
        """Look an interface up."""
        return self._seen.get(name)

    def carrier(self, ofport: int) -> SeenInterface | None:
        """Say which interface has an OpenFlow port: of several, the last one told."""
        return self._carriers.get(ofport)

    def names(self) -> set[str]:
        """List the interfaces' names."""
        return set(self._seen)

    def interfaces(self) -> Iterable[SeenInterface]:
        """List the interfaces."""
        return tuple(self._seen.values())

    def ofports(self) -> Iterable[int]:
        """List the OpenFlow ports that have an interface."""
        return tuple(self._carriers)

    def is_news(self) -> bool:
        """Say whether it stands otherwise than before; changes come and go."""
        before, phase = self.standing, self.session.phase
        settled = Phase.SETTLED if phase is Phase.CHANGING else phase
        where = f"{self.datapath_id:016x}"
        if self.hypervisor:
            where += f" on {self.hypervisor}"
        reason = f": {self.session.refusal}" if phase is Phase.REFUSING else ""
        self.standing = f"{where} is {settled}{reason}"
        return self.standing != before

    def left(self) -> Iterable[SeenInterface]:
        """Take note that the OpenFlow connection is gone; list what it disputed."""
        self.datapath = self.connected_since = None
        self.role = ""
        disputed = tuple(self._carriers[ofport] for ofport in self._disputed)
        self._disputed.clear()
        return disputed

    def talk(self) -> None:
        """Send what the session has to say, as fast as the switch reads it."""
        if self.datapath is not None:
            self.datapath.pump(lambda _: self.session.say())


def _cut(interface: SeenInterface) -> bytes:
    """Give as much of an interface's name as OpenFlow does."""
    return interface.name.encode("utf-8", "replace")[:NAME_SIZE]
