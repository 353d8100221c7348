# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
Where a frame goes from one hypervisor to the others, as their switches say.

Each switch is asked by ``ofproto/trace``; what leaves by a tunnel is asked of
the switch that has the address, what leaves as a VLAN of every other switch.
"""

from collections import Counter, deque
from collections.abc import Collection, Iterator, Mapping

from attrs import define, field, frozen

from tests.faults.account import UPLINK, Account, Places, Stay
from tests.faults.yard import TUNNEL, Host, Yard
from tests.lab.ovs import LabError
from tests.openflow.bridge import Bridge
from tests.openflow.journey import BROADCAST, Frame, Sent

MULTICAST = "01:00:5e:00:00:fb"
STRANGER = "02:00:00:00:0b:ad"
HOPS = 40
Delivery = tuple[str, str]
"""A hypervisor, and the name of its interface by which a frame left."""


def places(yard: Yard) -> Places:
    """Look up the OpenFlow ports of every hypervisor that answers."""
    return {host.name: host.ofports() for host in yard.hosts}


@frozen
class Probe:
    """A kind of frame that a guest might send."""

    kind: str
    dst: str
    src: str
    vlan: int | None = None


def probes(sender: Stay, others: list[Stay]) -> Iterator[Probe]:
    """List every kind of frame."""
    mac = sender.guest.mac
    for other in others:
        yield Probe(f"unicast to {other.guest.name}", other.guest.mac, mac)
    yield Probe("broadcast", BROADCAST, mac)
    yield Probe("multicast", MULTICAST, mac)
    yield Probe("to nobody", STRANGER, mac)
    yield Probe("tagged broadcast", BROADCAST, mac, 100)
    victims = others[:1]
    for source in (STRANGER, *(other.guest.mac for other in victims)):
        yield Probe(f"broadcast as {source}", BROADCAST, source)
        for other in victims:
            yield Probe(f"unicast as {source}", other.guest.mac, source)


@define(eq=False)
class Passage:
    """The switches of a yard as they are now."""

    yard: Yard
    places: Places
    _silent: set[str] = field(factory=set)

    @classmethod
    def now(cls, yard: Yard) -> "Passage":
        """Look where everything is."""
        return cls(yard, places(yard))

    def send(self, stay: Stay, probe: Probe) -> Counter[Delivery]:
        """Say by which interfaces a frame of a guest leaves, and how often."""
        host = self.yard.host(stay.host)
        ofport = self.places[host.name].get(stay.guest.name, 0)
        first = Frame(ofport, probe.dst, probe.src, vlan=probe.vlan)
        delivered: Counter[Delivery] = Counter()
        waiting, hops = deque([(host, first)] if ofport else []), 0
        while waiting:
            here, frame = waiting.popleft()
            hops += 1
            assert hops < HOPS, f"{probe} from {stay.guest.name} goes round for ever"
            for sent in self._ask(here, frame):
                onward = list(self._onward(here, frame, sent))
                waiting.extend(onward)
                name = self._name(here, sent.port)
                if name and name not in {TUNNEL, UPLINK}:
                    delivered[here.name, name] += 1
        return delivered

    def _ask(self, host: Host, frame: Frame) -> list[Sent]:
        if host.name in self._silent:
            return []
        try:
            return Bridge(host.ovs).send(frame)
        except (LabError, OSError):
            # There is no switch, or no bridge: nothing is forwarded there.
            self._silent.add(host.name)
            return []

    def _onward(
        self, here: Host, frame: Frame, sent: Sent
    ) -> Iterator[tuple[Host, Frame]]:
        name = self._name(here, sent.port)
        for other in self.yard.hosts:
            ports = self.places[other.name]
            if other is here:
                continue
            if name == TUNNEL and other.address == sent.tun_dst and TUNNEL in ports:
                yield (
                    other,
                    Frame(
                        *(ports[TUNNEL], sent.dst, frame.src),
                        *(sent.tun_id, here.address, sent.vlan),
                    ),
                )
            if name == UPLINK and UPLINK in ports:
                yield other, Frame(ports[UPLINK], sent.dst, frame.src, vlan=sent.vlan)

    def _name(self, host: Host, ofport: int) -> str:
        ports = self.places[host.name].items()
        names = [name for name, number in ports if number == ofport]
        ours = [name for name in names if not name.startswith("quantum-from")]
        # A flow may name a port that is no more: nothing leaves by it.
        return ours[0] if ours else ""


Doubts = Mapping[str, Collection[str]]
"""Guests of whom a switch may not know the latest, and where they may be still."""


def leaks(account: Account, passage: Passage, doubts: Doubts) -> Iterator[str]:
    """List frames that go where they must not: safety, whatever has failed."""
    present = [stay for stay in account.stays.values() if stay.host]
    for sender in present:
        for probe in probes(sender, [o for o in present if o is not sender]):
            for (host, name), times in passage.send(sender, probe).items():
                word = _complaint(account, sender, (host, name), doubts)
                if times > 1:
                    word = f"{times} times"
                if not word and _is_spoofed(sender, probe):
                    word = "a spoofed frame arrives"
                if word:
                    who = f"{probe.kind} of {sender.guest.name} on {sender.host}"
                    yield f"{who} leaves by {name} on {host}: {word}"


def _complaint(
    account: Account, sender: Stay, delivery: Delivery, doubts: Doubts
) -> str:
    host, name = delivery
    target = account.stays.get(name)
    if target is sender and host == sender.host:
        return "it came in there"
    if target is None or target.host != host:
        return "nobody has a port there"
    if not _nets(sender, doubts) & _nets(target, doubts):
        return "that is another network"
    for stay in (sender, target):
        if not stay.is_live and stay.guest.name not in doubts:
            return f"{stay.guest.name} is not connected"
    return ""


def _nets(stay: Stay, doubts: Doubts) -> set[str]:
    return {stay.net, *doubts.get(stay.guest.name, ())}


def _is_spoofed(sender: Stay, probe: Probe) -> bool:
    return sender.guest.is_known and probe.src != sender.guest.mac


def losses(account: Account, passage: Passage) -> Iterator[str]:
    """List guests of one network of which one does not reach the other."""
    live = account.live()
    for sender in live:
        for target in live:
            if target is sender or target.net != sender.net:
                continue
            where = (target.host, target.guest.name)
            owners = [
                o
                for o in live
                if (o.net, o.guest.mac) == (target.net, target.guest.mac)
            ]
            # Whose address is another's too can lose what is sent to it alone.
            kinds = [("broadcast", BROADCAST)]
            kinds += [("unicast", target.guest.mac)] * (len(owners) == 1)
            for kind, address in kinds:
                probe = Probe(kind, address, sender.guest.mac)
                if passage.send(sender, probe)[where] != 1:
                    names = f"{sender.guest.name} to {target.guest.name}"
                    yield f"{probe.kind} of {names} does not arrive once"
