# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
Very many switches: what they cost while idle, and the storm when all join.

Idle ones are simulated, in a process of their own.  Those of the storm are real
bridges of one Open vSwitch, which has as long to work for us as for its own
tool; meanwhile a client in a third process keeps asking the API for one port.
All else is this process, as the daemon assembles it, with the default echoes
and audits; only which interface is where is told to the fabric directly, in
OVSDB's place.  Run ``python -m benchmarks.swarm``.
"""

import math
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from attrs import define, frozen
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import serverFromString
from twisted.internet.task import react
from twisted.internet.threads import deferToThread

from benchmarks.load import Load, percentile
from benchmarks.requests import note_access, workplace
from benchmarks.world import TENANT, interfaces, network_id, port_id, record
from quantum.api.accesslog import AccessLog
from quantum.api.compiled import CompiledKlein
from quantum.api.limits import Limits
from quantum.api.routes import Api
from quantum.api.site import ApiSite
from quantum.daemon import allow_files
from quantum.garbage import collect_seldom
from quantum.openflow.facts import SeenInterface
from quantum.openflow.phase import Phase
from quantum.storage.database import file_url
from tests.lab.controller import Controller
from tests.lab.ovs import OpenVSwitch
from tests.lab.swarm import (
    Swarm,
    bridge,
    dismiss_bridges,
    enrol_bridges,
    make_bridges,
)

IDLE = 1000
PAGE = 4096
"""Bytes of a page of memory."""
BRIDGES = 200
FLOWS = 500
FLOWS_PER_PORT = 3.1
RATE = 200
"""Questions per second to the API."""
STORMS = 3
REST = 5.0
"""Seconds in which nothing happens."""


def resident() -> int:
    """Say how many bytes of memory this process has."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE


async def idling(reactor: Any, folder: Path, count: int) -> None:
    """Let simulated switches settle, and then do nothing."""
    record(file_url(str(folder / "quantum.db")), count)
    controller = await Controller.open(reactor, folder)
    swarm = await Swarm.start(reactor, folder)
    await _introduce(controller, swarm)
    collect_seldom()
    before = resident()
    for number, interface in enumerate(interfaces(1, count), 1):
        controller.tell(number, [interface])
    await swarm.join(controller.port, 1, count)
    await controller.reach(Phase.SETTLED, count)
    await controller.pause(REST)
    began, worked = time.perf_counter(), time.process_time()
    await controller.pause(4 * REST)
    worked = time.process_time() - worked
    share = worked / (time.perf_counter() - began)
    each = (resident() - before) / count / 1024
    if (await swarm.tally()).connected != count:
        raise ValueError("a switch was lost")
    _row(f"{count} idle: memory", f"{each:.1f} KiB each", "", 64, each)
    _row(f"{count} idle: work", f"{share:.1%} of a core", "", 5, share * 100)
    await swarm.stop()
    await controller.close()


async def _introduce(controller: Controller, swarm: Swarm) -> None:
    """Let a few come and go, so that what is made once has been made."""
    few = range(10_001, 10_011)
    for number in few:
        controller.tell(number, ())
    await swarm.join(controller.port, few[0], few[-1])
    await controller.reach(Phase.SETTLED, len(few))
    await swarm.leave(few[0], few[-1])
    await controller.reach(Phase.SETTLED, 0)


@define
class Storm:
    """Real bridges, which all join at once, and their flows."""

    reactor: Any
    folder: Path
    ovs: OpenVSwitch
    bridges: int
    ports: int
    """On each bridge."""

    async def blow(self) -> "Blown":
        """Let all join a new daemon, while somebody asks its API."""
        controller = await Controller.open(self.reactor, self.folder)
        api = await _serve(controller)
        load = Load.start(api.getHost().port, _path(), RATE)
        collect_seldom()
        await controller.pause(REST)
        calm = time.monotonic()
        seen = [list(self.seen(number)) for number in self.numbers()]
        enrolling = deferToThread(
            enrol_bridges, self.ovs, self.bridges, _at(controller)
        )
        while not controller.phases()[Phase.SYNCING]:
            await controller.pause(0.001)
        began = time.monotonic()
        for number in self.numbers():
            controller.tell(number, seen[number - 1])
            await controller.pause(0)  # each hypervisor's database speaks for itself
        await controller.reach(Phase.SETTLED, self.bridges)
        ended = time.monotonic()
        await enrolling
        waits = await deferToThread(load.end)
        await api.stopListening()
        await controller.close()
        return Blown(
            ended - began,
            percentile(waits, 0.99, calm - REST + 1, calm),
            percentile(waits, 0.99, began, ended),
        )

    def numbers(self) -> range:
        """List the bridges' datapath ids."""
        return range(1, self.bridges + 1)

    def seen(self, number: int) -> Iterator[SeenInterface]:
        """List the interfaces of a bridge."""
        last = number * self.ports
        return interfaces(last - self.ports + 1, last)

    def note_flows(self) -> int:
        """Keep each bridge's flows in a file; how many there are in all."""
        count = 0
        for number in self.numbers():
            found = self.ovs.flows(bridge(number))
            self._file(number).write_text("\n".join(found))
            count += len(found)
        return count

    def clear(self) -> None:
        """Leave every bridge without a controller and without a flow."""
        dismiss_bridges(self.ovs, self.bridges)
        for number in self.numbers():
            self.ovs.ofctl("del-flows", bridge(number))

    def add_flows(self) -> float:
        """Seconds that ovs-ofctl takes, one bridge after another."""
        began = time.monotonic()
        for number in self.numbers():
            target = f"unix:{self.ovs.rundir / bridge(number)}.mgmt"
            words = ("--bundle", "add-flows", target, str(self._file(number)))
            subprocess.run(["ovs-ofctl", "-O", "OpenFlow14", *words], check=True)
        return time.monotonic() - began

    def _file(self, number: int) -> Path:
        return self.folder / f"flows-{number}"


@frozen
class Blown:
    """What was measured of one storm, in seconds."""

    settled: float
    rest: float
    storm: float


async def storming(reactor: Any, folder: Path, bridges: int) -> None:
    """Compare joining at once with ovs-ofctl, and the API then with the API at rest."""
    ports = math.ceil(FLOWS / FLOWS_PER_PORT)
    record(file_url(str(folder / "quantum.db")), bridges * ports)
    ovs = OpenVSwitch.start()
    make_bridges(ovs, bridges)
    storm = Storm(reactor, folder, ovs, bridges, ports)
    blown, added, flows = [], [], 0
    for _ in range(STORMS):
        blown.append(await storm.blow())
        flows = flows or storm.note_flows()
        storm.clear()
        added.append(storm.add_flows())
        storm.clear()
    ovs.stop()
    ours, theirs = min(b.settled for b in blown), min(added)
    what = f"{bridges} join, {flows} flows"
    _row(what, f"{ours:.2f} s", f"add-flows {theirs:.2f} s", 1.0, ours / theirs)
    middle = sorted(blown, key=lambda b: b.storm / b.rest)[STORMS // 2]
    _row(
        "GET one meanwhile, p99",
        f"{middle.storm * 1e3:.2f} ms",
        f"at rest {middle.rest * 1e3:.2f} ms",
        *(3.0, middle.storm / middle.rest),
    )


async def _serve(controller: Controller) -> Any:
    """Let the API be asked too."""
    log = AccessLog(controller.reactor, note_access)
    resource = CompiledKlein(Api(controller.plugin).app)
    site = ApiSite(resource, Limits(), controller.reactor, access_log=log)
    endpoint = serverFromString(controller.reactor, "tcp:0:interface=127.0.0.1")
    return await endpoint.listen(site)


def _at(controller: Controller) -> str:
    return f"tcp:127.0.0.1:{controller.port}"


def _path() -> str:
    """Say what the client asks for."""
    return f"/v1.1/tenants/{TENANT}/networks/{network_id(1)}/ports/{port_id(1)}"


def _row(what: str, ours: str, theirs: str, target: float, found: float) -> None:
    goal = f"<= {target:g}"
    print(f"{what:28}  {ours:14}  {theirs:18}  {found:8.2f}  {goal}", flush=True)


async def main(reactor: Any, *words: str) -> None:
    """Measure ``idle``, ``storm`` or both, and print a table."""
    words = words or ("idle", "storm")
    allow_files(10_000)
    with workplace() as folder:
        (folder / "idle").mkdir()
        (folder / "storm").mkdir()
        if "idle" in words:
            await idling(reactor, folder / "idle", IDLE)
        if "storm" in words:
            await storming(reactor, folder / "storm", BRIDGES)


if __name__ == "__main__":
    react(lambda reactor: Deferred.fromCoroutine(main(reactor, *sys.argv[1:])))
