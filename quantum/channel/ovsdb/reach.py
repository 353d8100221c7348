# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
By what a hypervisor shall reach other machines: its tunnels and its uplinks.

What its own database says comes before what the configuration says.  Nothing
here sends, and nothing here looks at what is there already but for bridges and
the ends of cables, which tell a bridge that is gone from an interface.
"""

from collections.abc import Iterable, Iterator, Mapping

from attrs import define, field, frozen

from quantum.channel.ovsdb import values
from quantum.channel.ovsdb.bridge import WantedBridge
from quantum.channel.ovsdb.replica import Replica
from quantum.channel.ovsdb.row import LARGEST_MTU, Root

TUNNEL = "quantum-tun"
TUNNEL_PORT = 65000
_TO, _FROM = "quantum-to-", "quantum-from-"
LONGEST_DEVICE = 15
"""Linux has no longer names (IFNAMSIZ); bridges and cables may."""
QUOTED = 64
_LOOPBACK = 127


@frozen
class Cable:
    """A port that there shall be, on the integration bridge or at a cable's far end."""

    name: str
    bridge: str
    mark: str
    """Its ``external_ids:quantum``, by which it is known as ours."""
    type: str | None = None
    """None leaves the type and the options to the operator."""
    options: Mapping[str, str] = field(factory=dict)
    ofport_request: int = 0


@frozen
class Uplink:
    """How a physical network shall be reached."""

    physical_network: str
    cables: tuple[Cable, ...]
    """First the one on the integration bridge; all are made together."""
    is_whole: bool = True
    """Its bridge is there, if it needs one."""


@define
class Reach:
    """All of it, and what the operator must know."""

    address: bytes = b""
    mtu: int = 0
    problem: str = "no tunnel address is known (external_ids:quantum-tunnel-ip)"
    """Why there shall be no tunnel, if there shall be none."""
    tunnel: Cable | None = None
    uplinks: list[Uplink] = field(factory=list)
    complaints: list[str] = field(factory=list)
    doubts: list[str] = field(factory=list)
    """What may be wrong for a moment, as while Open vSwitch is restarted."""

    @property
    def cables(self) -> Iterator[Cable]:
        """All ports that there shall be."""
        if self.tunnel is not None:
            yield self.tunnel
        for uplink in self.uplinks:
            yield from uplink.cables


def reach(replica: Replica, wanted: WantedBridge) -> Reach:
    """Read what the hypervisor and the configuration say."""
    made, root = Reach(), replica.root()
    _find_address(made, root, wanted)
    _find_mtu(made, root, wanted)
    if root.is_waiting:
        made.doubts.append(
            "other_config:flow-restore-wait is true: an Open vSwitch that starts so"
            " connects to no controller until somebody removes it"
        )
    _find_uplinks(made, replica, wanted)
    return made


def _find_address(made: Reach, root: Root, wanted: WantedBridge) -> None:
    written = root.tunnel_ip or wanted.tunnel_addresses.get(root.system_id, "")
    if not written:
        return
    address = values.ipv4(written.strip())
    if address is None or address[0] == _LOOPBACK:
        made.problem = (
            f"tunnel address {short(written)} is no IPv4 address of this machine;"
            " only IPv4 underlays are supported"
        )
        made.complaints.append(made.problem)
        return
    made.address, made.problem = address, ""
    options = {"key": "flow", "remote_ip": "flow", "local_ip": written.strip()}
    mark = f"{wanted.name}/tunnel"
    made.tunnel = Cable(
        TUNNEL, wanted.name, mark, wanted.tunnel_type, options, TUNNEL_PORT
    )


def _find_mtu(made: Reach, root: Root, wanted: WantedBridge) -> None:
    written = root.underlay_mtu.strip()
    if not written:
        return
    digits = written.isascii() and written.isdigit() and len(written) <= 5
    made.mtu = int(written) if digits else 0
    if not 0 < made.mtu <= LARGEST_MTU:
        made.mtu = 0
        made.complaints.append(f"quantum-underlay-mtu {short(written)} is no MTU")
    elif made.mtu < wanted.underlay_mtu:
        made.complaints.append(
            f"quantum-underlay-mtu {made.mtu} is smaller than the configured"
            f" underlay_mtu {wanted.underlay_mtu}; long packets through tunnels"
            " to and from this hypervisor are lost"
        )


def _find_uplinks(made: Reach, replica: Replica, wanted: WantedBridge) -> None:
    targets = dict(wanted.physical_networks)
    said, complaints = _said(replica.root().physical_networks, targets.keys())
    made.complaints += complaints
    targets.update(said)
    taken: dict[str, str] = {}
    for network, target in sorted(targets.items()):
        if not target:
            continue
        problem = _misfit(target, wanted, replica)
        if target in taken:
            # One wire: a VLAN there would be one network under two names.
            problem = f"{short(target)} carries physical network {taken[target]}"
        if problem:
            made.complaints.append(f"physical network {network}: {problem}")
            continue
        taken[target] = network
        made.uplinks.append(_uplink(made, replica, wanted, (network, target)))


def _said(written: str, known: Iterable[str]) -> tuple[dict[str, str], list[str]]:
    """Read ``external:br-ex,lab:eth3``; what cannot be used is complained of."""
    said: dict[str, str] = {}
    bad = []
    for item in filter(str.strip, written.split(",")):
        network, colon, target = (part.strip() for part in item.partition(":"))
        if colon and network in known and network not in said:
            said[network] = target
        else:
            bad.append(item)
    if not bad:
        return said, []
    more = f" (and {len(bad) - 1} more)" if len(bad) > 1 else ""
    complaint = (
        f"quantum-physical-networks: {short(bad[0].strip())}{more} is not NAME:TARGET"
        " with a configured physical network that is not named twice; it is ignored"
    )
    return said, [complaint]


def _misfit(target: str, wanted: WantedBridge, replica: Replica) -> str:
    """Say why a target cannot be used, if it cannot whatever is there."""
    if target == wanted.name:
        return f"its target {target} is the integration bridge itself"
    if target == TUNNEL or target.startswith((_TO, _FROM)):
        return f"its target {short(target)} has a name that Quantum's own ports have"
    if len(target) > LONGEST_DEVICE and replica.bridge(target) is None:
        return f"there is no bridge {short(target)}"
    return ""


def _uplink(
    made: Reach, replica: Replica, wanted: WantedBridge, pair: tuple[str, str]
) -> Uplink:
    """Lay a cable to a bridge; anything else shall itself be a port."""
    network, target = pair
    mark = f"{wanted.name}/uplink/{network}/{target}"
    near, far = _TO + network, _FROM + network
    here = Cable(near, wanted.name, mark, "patch", {"peer": far})
    if replica.bridge(target) is not None:
        there = Cable(far, target, mark, "patch", {"peer": near})
        return Uplink(network, (here, there))
    end = replica.interfaces.get(replica.names.get(near, b""))
    if end is not None and end.mark == mark:
        # Whoever deleted the bridge may be about to make it again, which he
        # could not while a port had its name.
        made.complaints.append(
            f"physical network {network}: bridge {target} is gone;"
            " waiting until it is there again"
        )
        return Uplink(network, (here,), is_whole=False)
    return Uplink(network, (Cable(target, wanted.name, mark),))


def short(written: str) -> str:
    """Quote what somebody wrote, however long it is."""
    return repr(written[:QUOTED])
