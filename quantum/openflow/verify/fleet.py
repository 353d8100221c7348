# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
Many switches, each proven by itself, and what joins them.

A frame that leaves by a tunnel with identifier n to an endpoint enters the switch
that has this by its tunnel with n; one that leaves as a VLAN enters every switch of
the physical network as that VLAN.  So where every switch keeps network and
identifier together, frames stay in their network wherever they go; and where none
lets what came from outside go outside, nothing goes further than once.
"""

from collections.abc import Collection, Iterator, Mapping

from attrs import field, frozen
from msgspec import Struct

from quantum.openflow.flow import Encoded, Flow
from quantum.openflow.verify.gate import Gate, Trunk, Tunnel
from quantum.openflow.verify.verdict import Finding, Transit, Verdict
from quantum.openflow.verify.verification import verify


@frozen
class Site:
    """
    One switch, and what is around it.

    ``networks`` says which network each of its OpenFlow ports and each VLAN of an
    uplink (a `Trunk`) carries, ``addresses`` which Ethernet address is the only one
    from which a port may send, and ``uplinks`` which physical network an uplink is
    in.  ``endpoint`` is where tunnels to it end (IPv4, 4 bytes), and ``tunnel`` the
    OpenFlow port of its own (0 if it has none).
    """

    flows: Collection[Flow | Encoded]
    networks: Mapping[Gate, int]
    addresses: Mapping[int, bytes] = field(factory=dict)
    endpoint: bytes = b""
    tunnel: int = 0
    uplinks: Mapping[int, str] = field(factory=dict)

    @property
    def here(self) -> set[int]:
        """The networks of its ports."""
        return {n for gate, n in self.networks.items() if isinstance(gate, int)}

    @property
    def vlans(self) -> dict[Trunk, int]:
        """The networks that are VLANs."""
        found = self.networks.items()
        return {gate: n for gate, n in found if isinstance(gate, Trunk)}


class Clash(Struct, frozen=True):
    """Two switches do not agree about what is between them."""

    sites: tuple[str, str]
    words: str


@frozen
class FleetVerdict:
    """What was found out about every switch, and about them together."""

    verdicts: Mapping[str, Verdict]
    clashes: tuple[Clash, ...] = ()

    @property
    def is_safe(self) -> bool:
        """It is proven that no frame of a network gets to another on any switch."""
        return not self.clashes and all(v.is_safe for v in self.verdicts.values())

    @property
    def is_connected(self) -> bool:
        """It is proven that every port reaches every other of its network."""
        return not self.clashes and all(v.is_connected for v in self.verdicts.values())

    @property
    def loops(self) -> list[tuple[str, Transit]]:
        """Where frames from outside go outside again, and by which switch."""
        return [
            (name, v) for name, found in self.verdicts.items() for v in found.transits
        ]

    def __iter__(self) -> Iterator[tuple[str, Finding]]:
        for name, verdict in self.verdicts.items():
            yield from ((name, finding) for finding in verdict)

    @property
    def words(self) -> list[str]:
        """Say everything, a line for each finding."""
        found = [f"{name}: {finding.words}" for name, finding in self]
        return [clash.words for clash in self.clashes] + found


def verify_fleet(sites: Mapping[str, Site]) -> FleetVerdict:
    """
    Prove that networks are apart on all switches and between them, or show why not.

    A tunnel may carry a network only to switches that have a port of it.
    """
    carriers: dict[int, set[bytes]] = {}
    tagged = {network for site in sites.values() for network in site.vlans.values()}
    for site in sites.values():
        for network in site.here - tagged:
            if site.tunnel and site.endpoint:
                carriers.setdefault(network, set()).add(site.endpoint)
    lines: dict[str, dict[int | None, int]] = {}
    for site in sites.values():
        for trunk, network in site.vlans.items():
            line = site.uplinks.get(trunk.ofport, "")
            lines.setdefault(line, {}).setdefault(trunk.vlan, network)
    verdicts = {
        name: verify(site.flows, _gates(site, carriers, lines), site.addresses)
        for name, site in sites.items()
    }
    return FleetVerdict(verdicts, (*_addresses(sites), *_physical(sites)))


def _gates(
    site: Site,
    carriers: Mapping[int, set[bytes]],
    lines: Mapping[str, Mapping[int | None, int]],
) -> dict[Gate, int]:
    """
    Say which network each gate carries; what is not named carries none.

    A VLAN comes to every switch of its physical network, wanted or not.
    """
    gates = dict(site.networks)
    for ofport, line in site.uplinks.items():
        for vlan, network in lines.get(line, {}).items():
            gates.setdefault(Trunk(ofport, vlan), network)
    for network in site.here:
        others = carriers.get(network, set()) - {site.endpoint}
        if others and site.tunnel and site.endpoint:
            gates[Tunnel(site.tunnel, network)] = network
            for address in others:
                gates[Tunnel(site.tunnel, network, address)] = network
    return gates


def _addresses(sites: Mapping[str, Site]) -> Iterator[Clash]:
    owners: dict[bytes, str] = {}
    for name, site in sites.items():
        if not site.endpoint:
            continue
        other = owners.setdefault(site.endpoint, name)
        if other != name:
            where = ".".join(map(str, site.endpoint))
            words = f"tunnels to {where} would end both at {other} and at {name}"
            yield Clash((other, name), words)


def _physical(sites: Mapping[str, Site]) -> Iterator[Clash]:
    found: dict[tuple[str, int | None], tuple[str, int]] = {}
    for name, site in sites.items():
        for trunk, network in site.vlans.items():
            line = site.uplinks.get(trunk.ofport, f"uplink {trunk.ofport} of {name}")
            other, theirs = found.setdefault((line, trunk.vlan), (name, network))
            if theirs != network:
                words = (
                    f"VLAN {trunk.vlan} of {line} is network {theirs} at {other}, but"
                    f" network {network} at {name}"
                )
                yield Clash((other, name), words)
