# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
What a change costs when networks span hypervisors: flow-mods, and CPU.

The switches are sessions in memory that answer at once.  Each site is measured
in a process of its own.  Run ``python -m benchmarks.overlay``.
"""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from time import thread_time

from attrs import define
from msgspec.structs import replace
from twisted.internet.task import Clock

from benchmarks.world import Echo, fabric_over, interfaces, record
from quantum.openflow.facts import SeenInterface, Underlay
from quantum.openflow.phase import Phase
from quantum.plugins.openvswitch.fabric import OpenVSwitchFabric
from quantum.storage.database import file_url
from quantum.storage.ledger import Ledger, Means
from quantum.storage.thread import inline

TUNNEL = 65000
PORTS = 1000
"""On each hypervisor."""
CARRIERS = 100
"""Hypervisors that carry the network of the port that moves."""
CHANGES = 100
ROUNDS = 10
MODS_TARGET = 3
GROWTH_TARGET = 1.2


@define(eq=False)
class Region:
    """Hypervisors over which ports are dealt out one by one, with their networks."""

    clock: Clock
    ledger: Ledger
    fabric: OpenVSwitchFabric
    seen: dict[int, list[SeenInterface]]

    @classmethod
    def open(cls, url: str, seen: dict[int, list[SeenInterface]]) -> "Region":
        """Let the interfaces of every hypervisor be told, and all settle."""
        clock = Clock()
        ledger = Ledger.open(url, Means(clock=clock, in_thread=inline))
        self = cls(clock, ledger, fabric_over(ledger, clock), seen)
        for number, present in seen.items():
            name = _name(number)
            underlay = Underlay(number.to_bytes(4), TUNNEL)
            self.fabric.testimony.underlay_changed(name, number, underlay)
            self.fabric.testimony.hypervisor_synced(name, number, present)
        clock.pump([0.01] * 10)
        for number in seen:
            session = self.fabric.session(number)
            session.joined()
            self.fabric.talk(Echo(number, session), session)
        clock.pump([0.01] * 10)
        if any(self.fabric.session(n).phase is not Phase.SETTLED for n in seen):
            raise ValueError("a switch has not settled")
        return self

    def sent(self) -> dict[int, int]:
        """Count the flow-mods that each switch was sent."""
        return {number: self.fabric.session(number).flows_sent for number in self.seen}

    def lose(self, number: int, interface: SeenInterface) -> None:
        """Let an interface be gone from a hypervisor."""
        name = _name(number)
        self.fabric.testimony.interfaces_changed(name, number, [interface.name], [])
        self.clock.advance(0)

    def gain(self, number: int, interface: SeenInterface) -> None:
        """Let an interface be seen on a hypervisor."""
        self.fabric.testimony.interfaces_changed(_name(number), number, [], [interface])
        self.clock.advance(0)


def _name(number: int) -> str:
    return f"hypervisor {number}"


def dealt(hypervisors: int, count: int) -> dict[int, list[SeenInterface]]:
    """Deal interfaces out, one after the other, with an IP address for each."""
    seen: dict[int, list[SeenInterface]] = {n: [] for n in range(1, hypervisors + 1)}
    for number, interface in enumerate(interfaces(1, count)):
        here = seen[number % hypervisors + 1]
        address = (10 << 24 | number + 1).to_bytes(4)
        here.append(replace(interface, ofport=len(here) + 1, ips=(address,)))
    return seen


def moves(url: str) -> Iterator[tuple[str, float, int]]:
    """
    Count flow-mods per hypervisor that neither loses nor gains the port.

    All ports are in one network.  A machine that moves while it runs is seen there
    before it is gone here; another is gone for a while.  One that leaves a
    hypervisor without any lets the others flood to one peer fewer.
    """
    region = Region.open(url, dealt(CARRIERS, CARRIERS + 1))
    companion, only = (
        replace(interface, ofport=PORTS + 1)
        for interface in (region.seen[1][1], region.seen[3][0])
    )
    steps = (
        ("moves while it runs", 1, 2, companion, region.gain, region.lose),
        ("is gone", 2, 1, companion, region.lose, None),
        ("is back elsewhere", 2, 1, companion, None, region.gain),
        ("moves, the only one", 3, 4, only, region.gain, region.lose),
    )
    for what, here, there, interface, first, second in steps:
        before = region.sent()
        for step in filter(None, (first, second)):
            step(there if step == region.gain else here, interface)
        after = region.sent()
        others = [after[n] - before[n] for n in after if n not in {here, there}]
        yield what, sum(others) / len(others), max(others)


def cost(url: str, hypervisors: int) -> tuple[float, int]:
    """Give the microseconds of a change per hypervisor told of it, and how many."""
    region = Region.open(url, dealt(hypervisors, hypervisors * PORTS))
    told, best = _told(region), float("inf")
    for turn in range(ROUNDS):
        chosen = [_pick(region, turn * CHANGES + n) for n in range(CHANGES)]
        began = thread_time()
        for number, interface in chosen:
            region.lose(number, interface)
            region.gain(number, interface)
        best = min(best, thread_time() - began)
    return best / CHANGES / 2 / told * 1e6, told


def _pick(region: Region, number: int) -> tuple[int, SeenInterface]:
    where = number * 37 % len(region.seen) + 1
    return where, region.seen[where][number * 61 % PORTS]


def _told(region: Region) -> int:
    """Count the hypervisors that are told of one change."""
    number, interface = _pick(region, 0)
    before = region.sent()
    region.lose(number, interface)
    region.gain(number, interface)
    after = region.sent()
    return sum(after[n] != before[n] for n in after)


def main() -> None:
    """Measure a small and a large site, and print a table."""
    for line in _measured("moves", CARRIERS + 1):
        what, mean, most = line.rsplit(",", 2)
        print(
            f"a port {what:20} {CARRIERS} hypervisors carry its network:"
            f" {float(mean):.2f} flow-mods each, {most} at most  <= {MODS_TARGET}",
            flush=True,
        )
    costs = {}
    for hypervisors in (10, 100):
        (line,) = _measured(str(hypervisors), hypervisors * PORTS)
        spent, told = line.rsplit(",", 1)
        costs[hypervisors] = float(spent)
        print(
            f"{hypervisors:4} hypervisors of {PORTS} ports: one change"
            f" {costs[hypervisors]:6.1f} us for each of {told} told of it,"
            f" {costs[hypervisors] / costs[10]:4.2f} of that at 10"
            f"  <= {GROWTH_TARGET}",
            flush=True,
        )


def _measured(what: str, ports: int) -> list[str]:
    """Measure in a process of its own; what it prints."""
    with TemporaryDirectory(prefix="quantum-bench-") as folder:
        url = file_url(str(Path(folder) / "quantum.db"))
        words = [sys.executable, "-m", "benchmarks.overlay", what, url, str(ports)]
        done = subprocess.run(words, check=True, capture_output=True, text=True)
        return done.stdout.splitlines()


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["moves", url, count]:
            record(url, int(count), per_network=int(count))
            for found in moves(url):
                print(*found, sep=",")
        case [count, url, ports]:
            record(url, int(ports))
            print(*cost(url, int(count)), sep=",")
        case _:
            main()
