# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
Which interfaces are on the managed bridge, and what became different.

Only the interfaces that an update touched are looked at again.  Nothing here
sends or waits.
"""

from collections.abc import Callable, Iterable, Iterator

from attrs import define, field

from quantum.channel.ovsdb import values
from quantum.channel.ovsdb.replica import Replica
from quantum.channel.ovsdb.row import Bridge, Interface
from quantum.openflow.facts import SeenInterface


@define
class Picture:
    """The interfaces with an ``iface-id`` on one bridge, as last looked at."""

    _complain: Callable[[str], None]
    seen: dict[bytes, SeenInterface] = field(factory=dict)
    gone: set[str] = field(factory=set)
    """Names that are on the bridge no longer, since `news` was last asked."""
    fresh: dict[bytes, SeenInterface] = field(factory=dict)
    """Interfaces that came or changed, since `news` was last asked."""
    _bad_macs: dict[bytes, str] = field(factory=dict)

    def clear(self) -> None:
        """Forget the bridge; what was complained about stays known."""
        self.seen.clear()
        self.gone.clear()
        self.fresh.clear()

    def news(self) -> tuple[set[str], list[SeenInterface]]:
        """Say which names are gone and which interfaces to add or replace, once."""
        fresh = list(self.fresh.values())
        # One row may have gone and another come under the same name.
        gone = self.gone - {seen.name for seen in fresh}
        self.gone, self.fresh = set(), {}
        return gone, fresh

    def look(
        self, replica: Replica, bridge: Bridge, rows: Iterable[bytes]
    ) -> Iterator[None]:
        """Look again at some interfaces, one at every step."""
        for row in rows:
            now = self._sight(replica, bridge, row)
            before = self.seen.get(row)
            if now != before:
                if before is not None:
                    self.gone.add(before.name)
                    self.fresh.pop(row, None)
                    del self.seen[row]
                if now is not None:
                    self.fresh[row] = self.seen[row] = now
            yield

    def _sight(
        self, replica: Replica, bridge: Bridge, row: bytes
    ) -> SeenInterface | None:
        interface = replica.interfaces.get(row)
        if interface is None or not (interface.attachment and interface.name):
            self._bad_macs.pop(row, None)
            return None
        if not replica.is_on(bridge, row):
            return None
        mac = values.mac(interface.mac)
        problem = "" if mac or not interface.mac else _no_address(interface.mac)
        self._complain_once(row, interface, problem)
        return SeenInterface(
            interface.name, interface.attachment, interface.ofport, mac, problem
        )

    def _complain_once(self, row: bytes, interface: Interface, problem: str) -> None:
        """Say what is wrong with an interface, again only if it changes."""
        if not problem:
            self._bad_macs.pop(row, None)
        elif self._bad_macs.get(row) != interface.mac:
            self._bad_macs[row] = interface.mac
            self._complain(f"{interface.name}: {problem}; it is not connected")


def _no_address(mac: str) -> str:
    return f"attached-mac {mac[:64]!r} is no unicast Ethernet address"


def everything(bridge: Bridge, replica: Replica) -> Iterator[bytes]:
    """List all interfaces of a bridge."""
    for name in bridge.ports:
        port = replica.ports.get(name)
        yield from port.interfaces if port else ()
