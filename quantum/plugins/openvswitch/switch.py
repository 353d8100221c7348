# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""One managed switch: what is seen on it, and the talk with it."""

from collections.abc import Iterable, Iterator
from typing import Any

from attrs import define, field

from quantum.openflow.facts import SeenInterface
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
    is_synced: bool = False
    """OVSDB has told its interfaces."""
    _seen: dict[str, SeenInterface] = field(factory=dict)
    _carriers: dict[int, str] = field(factory=dict)

    def put(self, interface: SeenInterface) -> Iterator[SeenInterface]:
        """Add or replace an interface; what it replaced, and it, are yielded."""
        yield from self.drop(interface.name)
        self._seen[interface.name] = interface
        if interface.ofport:
            self._carriers[interface.ofport] = interface.name
        yield interface

    def drop(self, name: str) -> Iterator[SeenInterface]:
        """Forget an interface; it is yielded if it was known."""
        before = self._seen.pop(name, None)
        if before is None:
            return
        if self._carriers.get(before.ofport) == name:
            del self._carriers[before.ofport]
        yield before

    def seen(self, name: str) -> SeenInterface | None:
        """Look an interface up."""
        return self._seen.get(name)

    def carrier(self, ofport: int) -> SeenInterface | None:
        """Say which interface has an OpenFlow port."""
        name = self._carriers.get(ofport)
        return None if name is None else self._seen[name]

    def names(self) -> set[str]:
        """List the interfaces' names."""
        return set(self._seen)

    def ofports(self) -> Iterable[int]:
        """List the OpenFlow ports that have an interface."""
        return self._carriers.keys()

    def talk(self) -> None:
        """Send what the session has to say, as fast as the switch reads it."""
        if self.datapath is not None:
            self.datapath.pump(lambda _: self.session.say())
