# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""One managed switch: what is seen on it, and the talk with it."""

from collections.abc import Iterable
from typing import Any

from attrs import define, field

from quantum.openflow.facts import SeenInterface
from quantum.openflow.phase import Phase
from quantum.openflow.session import Session


@define(eq=False)
class Switch:
    """
    A datapath: its interfaces, as OVSDB tells them, and its session.

    ``datapath`` is the OpenFlow connection, None while there is none.
    """

    datapath_id: int
    session: Session
    hypervisor: str = ""
    datapath: Any = None
    is_watched: bool = False
    """The hypervisor's database is connected."""
    is_synced: bool = False
    """OVSDB has told its interfaces."""
    is_unshown: bool = False
    """The statuses of its ports were left for when it settles."""
    is_being_recorded: bool = False
    standing: str = ""
    """How it stood when `is_news` was last asked."""
    _seen: dict[str, SeenInterface] = field(factory=dict)
    _carriers: dict[int, SeenInterface] = field(factory=dict)

    def is_claimed_by(self, hypervisor: str) -> bool:
        """Let a hypervisor tell of it, unless another does: the first one counts."""
        if self.is_watched and self.hypervisor not in {"", hypervisor}:
            return False
        self.hypervisor, self.is_watched = hypervisor, True
        return True

    @property
    def is_about_to_settle(self) -> bool:
        """It is connected, and has only waited for its interfaces to be told."""
        return self.datapath is not None and not self.session.is_known

    def put(self, interface: SeenInterface) -> SeenInterface | None:
        """Add an interface; give what it replaced."""
        before = self.drop(interface.name)
        self._seen[interface.name] = interface
        if interface.ofport:
            self._carriers[interface.ofport] = interface
        return before

    def drop(self, name: str) -> SeenInterface | None:
        """Forget an interface; give it if it was known."""
        before = self._seen.pop(name, None)
        if before is not None and self._carriers.get(before.ofport) is before:
            del self._carriers[before.ofport]
        return before

    def seen(self, name: str) -> SeenInterface | None:
        """Look an interface up."""
        return self._seen.get(name)

    def carrier(self, ofport: int) -> SeenInterface | None:
        """Say which interface has an OpenFlow port: of several, the last one told."""
        return self._carriers.get(ofport)

    def names(self) -> set[str]:
        """List the interfaces' names."""
        return set(self._seen)

    def ofports(self) -> Iterable[int]:
        """List the OpenFlow ports that have an interface."""
        return tuple(self._carriers)

    def is_news(self) -> bool:
        """Say whether it stands otherwise than before; changes come and go."""
        before, phase = self.standing, self.session.phase
        settled = Phase.SETTLED if phase is Phase.CHANGING else phase
        where = f"{self.datapath_id:016x} on {self.hypervisor}"
        reason = f": {self.session.refusal}" if phase is Phase.REFUSING else ""
        self.standing = f"{where} is {settled}{reason}"
        return self.standing != before

    def talk(self) -> None:
        """Send what the session has to say, as fast as the switch reads it."""
        if self.datapath is not None:
            self.datapath.pump(lambda _: self.session.say())
