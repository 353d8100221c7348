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

MOST_ADDRESSES = 64


@define
class Picture:
    """The interfaces with an ``iface-id`` on one bridge, as last looked at."""

    _complain: Callable[[str], None]
    seen: dict[bytes, SeenInterface] = field(factory=dict)
    gone: set[str] = field(factory=set)
    """Names that are on the bridge no longer, since `news` was last asked."""
    fresh: dict[bytes, SeenInterface] = field(factory=dict)
    """Interfaces that came or changed, since `news` was last asked."""
    _said: dict[bytes, tuple[str, ...]] = field(factory=dict)
    """What is wrong with interfaces, as complained of."""

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
            self._said.pop(row, None)
            return None
        if not replica.is_on(bridge, row):
            return None
        mac = values.mac(interface.mac)
        problem = _problem(interface, mac)
        ips, ignored = _addresses(interface.ips)
        refused = f"{problem}; it is not connected" if problem else ""
        self._complain_once(
            row, interface.name, tuple(filter(None, (refused, ignored)))
        )
        return SeenInterface(
            name=interface.name,
            attachment=interface.attachment,
            ofport=interface.ofport,
            mac=mac,
            problem=problem or ("" if interface.ofport else interface.error),
            ips=ips,
            mtu=interface.mtu,
        )

    def _complain_once(self, row: bytes, name: str, wrong: tuple[str, ...]) -> None:
        """Say what is wrong with an interface, again only if it changes."""
        said = self._said.pop(row, ())
        for complaint in wrong:
            if complaint not in said:
                self._complain(f"{name}: {complaint}")
        if wrong:
            self._said[row] = wrong


def _problem(interface: Interface, mac: bytes | None) -> str:
    """Say why an interface must not be connected, if it must not."""
    if interface.mark or "flow" in (interface.options or {}).values():
        return "it brings frames of many networks, and cannot be plugged into one"
    return "" if mac or not interface.mac else _no_address(interface.mac)


def _no_address(mac: str) -> str:
    return f"attached-mac {mac[:64]!r} is no unicast Ethernet address"


def _addresses(written: str) -> tuple[tuple[bytes, ...], str]:
    """Read ``quantum-ips``; those that are good, and what is wrong with others."""
    if not written:
        return (), ""
    words = written.replace(",", " ").split(maxsplit=MOST_ADDRESSES)
    read = {word: values.ip(word) for word in words[:MOST_ADDRESSES]}
    good = tuple(dict.fromkeys(address for address in read.values() if address))
    bad = [word for word, address in read.items() if address is None]
    if bad:
        return good, f"quantum-ips: {bad[0][:64]!r} is no unicast IP address; ignored"
    if len(words) > MOST_ADDRESSES:
        return good, f"quantum-ips: all after {MOST_ADDRESSES} addresses are ignored"
    return good, ""


def everything(bridge: Bridge, replica: Replica) -> Iterator[bytes]:
    """List all interfaces of a bridge."""
    for name in bridge.ports:
        port = replica.ports.get(name)
        yield from port.interfaces if port else ()
