# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
Networks that span switches: who carries what, and who has to be told of it.

A switch hears of the ports that others have in the networks that it carries
itself, and of nothing else.  Here is what is true; `News` is how it gets around.
"""

from bisect import bisect_left, insort
from collections.abc import Callable, Iterable

from attrs import define, field

from quantum.model import Vlan
from quantum.openflow.member import LocalPort, RemotePort, Uplink, uplink_key
from quantum.plugins.openvswitch.news import News
from quantum.plugins.openvswitch.slices import Slices
from quantum.plugins.openvswitch.switch import Switch


@define(eq=False)
class _Span:
    """The switches that carry a network, each with its ports of it in order."""

    vlan: Vlan | None
    ports: dict[Switch, list[int]] = field(factory=dict)

    @property
    def is_told(self) -> bool:
        """Its switches are told of each other's ports: through a VLAN they are not."""
        return self.vlan is None and len(self.ports) > 1

    def others(self, switch: Switch) -> Iterable[tuple[Switch, list[int]]]:
        """List the ports of the switches besides one."""
        return (other for other in self.ports.items() if other[0] is not switch)


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
    _news: News = field(init=False)

    @_news.default
    def _make_news(self) -> News:
        return News(self._slices, self._due, self._hears)

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
            affected += self._join(switch, segment, span)
        if vlan is not None:
            self._lead_out(switch, segment)
        if port != before:
            if before is None:
                insort(span.ports[switch], ofport)
            if switch not in self._carried:
                self._carried[switch] = {}
            self._carried[switch][ofport] = port
            if span.is_told:
                self._news.of_ports(switch, (ofport,), segment)
        self._news.tell()
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
        ofports = span.ports[switch]
        del ofports[bisect_left(ofports, ofport)]
        self._news.of_lost_port(switch, ofport, segment)
        affected = [] if ofports else self._part(switch, segment, span)
        self._news.tell()
        return affected

    def moved(self, switch: Switch) -> None:
        """Take note that a switch has another address, or none any more."""
        for ofport, port in self._carried.get(switch, {}).items():
            if self._spans[port.segment].is_told:
                self._news.of_ports(switch, (ofport,), port.segment)
        self._news.tell()

    def when_told(self, switch: Switch, act: Callable[[], None]) -> None:
        """Do something for a switch when all that is news now has been told."""
        self._news.when_told(switch, act)

    def spans_others(self, switch: Switch, segment: int) -> bool:
        """Say whether other switches carry a network too."""
        span = self._spans.get(segment)
        return span is not None and len(span.ports) > (switch in span.ports)

    def _due(self, home: Switch, ofport: int) -> RemotePort | None:
        """Say what the others of its network should know of a port."""
        port = self._port(home, ofport)
        if port is None or not home.address or not self._spans[port.segment].is_told:
            return None
        return RemotePort(home.address, port.segment, port.mac, port.ips)

    def _hears(self, listener: Switch, segment: int) -> bool:
        """Say whether a switch should hear of others' ports of a network."""
        span = self._spans.get(segment)
        return span is not None and span.is_told and listener in span.ports

    def _join(self, switch: Switch, segment: int, span: _Span) -> Ports:
        """Let a network span one more switch, which hears of the others' ports."""
        span.ports[switch] = []
        if span.is_told:
            if len(span.ports) == 2:
                ((other, ofports),) = span.others(switch)
                self._news.of_hearer(other, segment)
                self._news.of_ports(other, ofports, segment)
            self._news.of_hearer(switch, segment)
        return _left_alone(switch, span)

    def _part(self, switch: Switch, segment: int, span: _Span) -> Ports:
        """Let a network span one switch less, which forgets the others' ports."""
        del span.ports[switch]
        if not span.ports:
            del self._spans[segment]
        self._news.of_hearer(switch, segment)
        if span.vlan is not None:
            self._lead_out(switch, segment)
        elif len(span.ports) == 1:
            (last,) = span.ports
            self._news.of_hearer(last, segment)
        return _left_alone(switch, span)

    def _bind(self, segment: int, span: _Span, vlan: Vlan | None) -> None:
        """Let a network run over a VLAN, or over tunnels, from now on."""
        span.vlan = vlan
        for switch, ofports in span.ports.items():
            self._lead_out(switch, segment)
            self._news.of_hearer(switch, segment)
            self._news.of_ports(switch, ofports, segment)

    def _port(self, switch: Switch, ofport: int) -> LocalPort | None:
        return self._carried.get(switch, {}).get(ofport)

    def _lead_out(self, switch: Switch, segment: int) -> None:
        """Say by which uplink a network leaves a switch, if by any."""
        span = self._spans.get(segment)
        uplink = None
        if span is not None and span.vlan is not None and switch in span.ports:
            ofport = switch.uplink(span.vlan.physical_network)
            uplink = Uplink(ofport, segment, span.vlan.vlan_id) if ofport else None
        switch.session.want(uplink_key(segment), uplink)


def _left_alone(switch: Switch, span: _Span) -> Ports:
    """List the ports of the only other switch, if it is one that is not reached."""
    if span.vlan is not None or len(span.ports) > 2:
        return []
    others = list(span.others(switch))
    if len(others) != 1 or others[0][0].address:
        return []
    return [(others[0][0], ofport) for ofport in others[0][1]]
