# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""What the switches hold, against what they must, and what it means for frames."""

from collections.abc import Iterator
from ipaddress import IPv4Address

from quantum.openflow import messages
from quantum.openflow.flow import Encoded
from quantum.openflow.verify.fleet import Site, verify_fleet
from quantum.openflow.verify.gate import Gate, Trunk
from tests.faults.account import UPLINK, Account, Places
from tests.faults.passage import Passage, leaks, losses, places
from tests.faults.yard import BRIDGE, PHYSICAL, TUNNEL, Host
from tests.lab.openflow import converse

_MULTIPART_REPLY = 19


def held(host: Host) -> list[Encoded]:
    """Read the flows of the integration bridge that Quantum put there."""
    path = str(host.ovs.rundir / f"{BRIDGE}.mgmt")
    return [
        Encoded(*entry)
        for reply in converse(path, messages.read_flows(99))
        if reply[1] == _MULTIPART_REPLY
        for entry in messages.entries(reply)
    ]


def differences(account: Account, *names: str) -> Iterator[str]:
    """Compare, byte for byte, what hypervisors hold with what they must (L1)."""
    now = places(account.yard)
    for host in account.yard.hosts:
        if names and host.name not in names:
            continue
        has, wants = set(held(host)), account.wanted(host, now)
        for words, flows in (("lacks", wants - has), ("has too much", has - wants)):
            yield from (f"{host.name} {words}: {flow}" for flow in flows)


def verdict(account: Account) -> list[str]:
    """Say what the verifier finds on all hypervisors together."""
    now = places(account.yard)
    sites = {host.name: _site(account, host, now) for host in account.yard.hosts}
    found = verify_fleet(sites)
    return [] if found.is_safe and found.is_connected else found.words


def _site(account: Account, host: Host, now: Places) -> Site:
    ports, live = now[host.name], account.live(host.name)
    nets = {stay.net: account.nets[stay.net] for stay in live}
    networks: dict[Gate, int] = {
        ports[stay.guest.name]: nets[stay.net].segment for stay in live
    }
    for net in nets.values():
        if net.vlan:
            networks[Trunk(ports[UPLINK], net.vlan)] = net.segment
    return Site(
        flows=held(host),
        networks=networks,
        addresses={
            ports[stay.guest.name]: bytes.fromhex(stay.guest.mac.replace(":", ""))
            for stay in live
            if stay.guest.is_known
        },
        endpoint=IPv4Address(host.address).packed,
        tunnel=ports[TUNNEL],
        uplinks={ports[UPLINK]: PHYSICAL},
    )


def problems(account: Account) -> list[str]:
    """Say everything that is not as it must be when no fault is on (L1, L2, L3)."""
    found = list(differences(account))
    expected = {stay.guest.name for stay in account.live()}
    shown = account.up()
    if shown != expected:
        found.append(f"UP are {sorted(shown)}, not {sorted(expected)}")
    if found:
        return found
    passage = Passage.now(account.yard)
    return [
        *verdict(account),
        *leaks(account, passage, {}),
        *losses(account, passage),
    ]
