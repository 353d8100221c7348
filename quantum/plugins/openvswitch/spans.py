# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
Networks that span switches: who carries what, and who has to be told of it.

A switch hears of the ports that others have in the networks that it carries
itself, and of nothing else.  Each piece of news names a port and a switch that
should hear of it; what it is told is looked up when its turn comes, so that the
last word is right in whatever order changes came.
"""

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from attrs import define, field

from quantum.model import Vlan
from quantum.openflow.member import (
    LocalPort,
    RemotePort,
    Uplink,
    remote_key,
    uplink_key,
)
from quantum.plugins.openvswitch.slices import Slices
from quantum.plugins.openvswitch.switch import Switch

PAUSE: Final = 20
"""Words told between two pauses: about 0.1 ms."""
BREATH: Final = 2000
"""Words told until the switches are let talk about them."""


@define(eq=False)
class _Span:
    """The switches that carry a network, each with its ports of it in order."""

    vlan: Vlan | None
    ports: dict[Switch, list[int]] = field(factory=dict)

    def others(self, switch: Switch) -> list[Switch]:
        """List the switches that carry it besides one."""
        return [other for other in self.ports if other is not switch]

    def audience(self, switch: Switch) -> list[Switch]:
        """List the switches that are told of another's ports: through a VLAN none."""
        return [] if self.vlan is not None else self.others(switch)


News = Iterator[tuple[Switch, Switch, int]]
"""Who should hear; whose port it is; its number."""

Ports = list[tuple[Switch, int]]


@define(eq=False)
class Spans:
    """
    Tells switches of each other's ports, and by which uplink a VLAN leaves.

    A switch without an ``address`` cannot be reached: nobody is told of its
    ports.  Nor is anybody told of ports of a network with a VLAN, whose frames
    find their way through the physical network.
    """

    _slices: Slices
    _spans: dict[int, _Span] = field(factory=dict)
    _carried: dict[Switch, dict[int, LocalPort]] = field(factory=dict)
    _remotes: dict[Switch, dict[int, RemotePort]] = field(factory=dict)
    """Ports as others know them: one instance for all, once somebody is told."""
    _news: deque[News] = field(factory=deque)
    _is_telling: bool = False

    def carry(self, switch: Switch, port: LocalPort, vlan: Vlan | None) -> Ports:
        """
        Take note that a port of a switch carries a network.

        :return: Ports of a switch that cannot be reached, if their network has
            just begun or ceased to span several.
        """
        segment, ofport = port.segment, port.ofport
        before = self._port(switch, ofport)
        affected: Ports = []
        if before is not None and before.segment != segment:
            affected += self.drop(switch, ofport)
            before = None
        span = self._spans.get(segment)
        if span is None:
            span = self._spans[segment] = _Span(vlan)
        elif span.vlan != vlan:
            self._bind(segment, span, vlan)
        if switch not in span.ports:
            affected += self._join(switch, span)
        if vlan is not None:
            self._lead_out(switch, segment)
        if port != before:
            if before is None:
                insort(span.ports[switch], ofport)
            if switch not in self._carried:
                self._carried[switch] = {}
            self._carried[switch][ofport] = port
            self._spread_word(switch, span, (ofport,))
        return affected

    def drop(self, switch: Switch, ofport: int) -> Ports:
        """
        Take note that a port carries nothing any more.

        :return: As `carry` says.
        """
        carried = self._carried.get(switch, {})
        before = carried.pop(ofport, None)
        if before is None:
            return []
        if not carried:
            del self._carried[switch]
        segment = before.segment
        span = self._spans[segment]
        self._spread_word(switch, span, (ofport,))
        ofports = span.ports[switch]
        del ofports[bisect_left(ofports, ofport)]
        if ofports:
            return []
        del span.ports[switch]
        others = span.audience(switch)
        if not span.ports:
            del self._spans[segment]
        self._tell(others, _heard_by(switch, others, span))
        if span.vlan is not None:
            self._lead_out(switch, segment)
        if len(span.ports) == 1:
            ((last, left),) = span.ports.items()
            self._forget_remotes(last, left)
        return _left_alone(others, span)

    def moved(self, switch: Switch) -> None:
        """Take note that a switch has another address, or none any more."""
        by_segment: dict[int, list[int]] = {}
        for ofport, port in self._carried.get(switch, {}).items():
            by_segment.setdefault(port.segment, []).append(ofport)
        for segment, ofports in by_segment.items():
            self._spread_word(switch, self._spans[segment], ofports)

    def spans_others(self, switch: Switch, segment: int) -> bool:
        """Say whether other switches carry a network too."""
        span = self._spans.get(segment)
        return span is not None and len(span.ports) > (switch in span.ports)

    def _join(self, switch: Switch, span: _Span) -> Ports:
        """Let a network span one more switch, which hears of the others' ports."""
        others = span.audience(switch)
        span.ports[switch] = []
        self._tell(others, _heard_by(switch, others, span))
        return _left_alone(others, span)

    def _bind(self, segment: int, span: _Span, vlan: Vlan | None) -> None:
        """Let a network run over a VLAN, or over tunnels, from now on."""
        span.vlan = vlan
        for switch, ofports in span.ports.items():
            self._lead_out(switch, segment)
            others = span.others(switch)
            self._forget_remotes(switch, ofports)
            self._tell(others, _told(others, switch, tuple(ofports)))

    def _port(self, switch: Switch, ofport: int) -> LocalPort | None:
        return self._carried.get(switch, {}).get(ofport)

    def _spread_word(self, switch: Switch, span: _Span, ofports: Sequence[int]) -> None:
        """Let all others hear that something about ports of a switch has changed."""
        self._forget_remotes(switch, ofports)
        if len(span.ports) > 1:
            others = span.audience(switch)
            self._tell(others, _told(others, switch, ofports))

    def _forget_remotes(self, switch: Switch, ofports: Iterable[int]) -> None:
        """Forget how others know ports: they know better, or nobody knows them."""
        remotes = self._remotes.get(switch)
        if remotes is None:
            return
        for ofport in ofports:
            remotes.pop(ofport, None)
        if not remotes:
            del self._remotes[switch]

    def _lead_out(self, switch: Switch, segment: int) -> None:
        """Say by which uplink a network leaves a switch, if by any."""
        span = self._spans.get(segment)
        uplink = None
        if span is not None and span.vlan is not None and switch in span.ports:
            ofport = switch.uplink(span.vlan.physical_network)
            uplink = Uplink(ofport, segment, span.vlan.vlan_id) if ofport else None
        switch.session.want(uplink_key(segment), uplink)

    def _due(self, listener: Switch, home: Switch, ofport: int) -> RemotePort | None:
        """Say what a switch should know of another's port."""
        port = self._port(home, ofport)
        if port is None:
            return None
        span = self._spans[port.segment]
        if listener not in span.ports or span.vlan is not None or not home.address:
            return None
        remotes = self._remotes.setdefault(home, {})
        if ofport not in remotes:
            remotes[ofport] = RemotePort(home.address, port.segment, port.mac, port.ips)
        return remotes[ofport]

    def _tell(self, others: list[Switch], news: News) -> None:
        """Spread news, unless there is nobody else."""
        if not others:
            return
        self._news.append(news)
        if not self._is_telling:
            self._is_telling = True
            self._slices.do(self._spread())

    def _spread(self) -> Iterator[None]:
        """Tell all the news there is, and let the switches talk now and then."""
        touched: set[Switch] = set()
        try:
            while self._news:
                for number, word in enumerate(self._words(), 1):
                    listener, home, ofport = word
                    key = remote_key(home.datapath_id, ofport)
                    listener.session.want(key, self._due(listener, home, ofport))
                    touched.add(listener)
                    if number % PAUSE == 0:
                        yield
                    if number % BREATH == 0:
                        yield from _talk(touched)
                yield from _talk(touched)
        finally:
            self._is_telling = False

    def _words(self) -> News:
        while self._news:
            yield from self._news.popleft()


def _heard_by(listener: Switch, others: Iterable[Switch], span: _Span) -> News:
    """Let a switch hear of all others' ports of a network, as they are now."""
    ports = [(home, tuple(span.ports[home])) for home in others]
    return ((listener, home, ofport) for home, all_ in ports for ofport in all_)


def _told(listeners: Iterable[Switch], home: Switch, ofports: Iterable[int]) -> News:
    """Let switches hear of some ports of another."""
    return ((one, home, ofport) for one in listeners for ofport in ofports)


def _talk(touched: set[Switch]) -> Iterator[None]:
    while touched:
        touched.pop().talk()
        if len(touched) % PAUSE == 0:
            yield


def _left_alone(others: list[Switch], span: _Span) -> Ports:
    """List the ports of the only other switch, if it is one that is not reached."""
    if len(others) != 1 or others[0].address:
        return []
    return [(others[0], ofport) for ofport in span.ports[others[0]]]
