# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
What switches are told, and how fast, against Open vSwitch's own tools.

A real Open vSwitch (dummy datapath) is programmed over the real channel from a
real ledger; the same flows are put in and read by ``ovs-ofctl`` in turn.  Run
``python -m benchmarks.switches``.
"""

import subprocess
import sys
from collections.abc import Collection
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

from attrs import define, field
from os_ken.ofproto import ofproto_v1_3_parser as parser
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import serverFromString
from twisted.internet.task import react

import ryu_apps.isolation
from benchmarks.world import (
    TENANT,
    fabric_over,
    interfaces,
    network_id,
    port_id,
    record,
)
from quantum.channel.host import RyuHost
from quantum.channel.limits import Limits
from quantum.channel.listener import OpenFlowListener
from quantum.garbage import collect_seldom
from quantum.model import OpStatus
from quantum.openflow.phase import Phase
from quantum.openflow.session import Session
from quantum.plugins.openvswitch.fabric import OpenVSwitchFabric
from quantum.plugins.recorded import RecordedPlugin
from quantum.storage.database import file_url
from quantum.storage.ledger import Ledger, Means
from tests.lab.ovs import OpenVSwitch

ROUNDS = 3
FLOWS_PER_PORT = 3.1
ATTACHES = 200


@define
class Timed:
    """The plans of a fabric, with a note of when the talk with a switch began."""

    fabric: OpenVSwitchFabric
    began: float = 0.0
    datapath: Any = None
    _settled: Deferred[float] | None = field(default=None)

    def session(self, datapath_id: int) -> Session:
        """Give the session of a switch."""
        return self.fabric.session(datapath_id)

    def talk(self, datapath: Any, session: Session) -> None:
        """Let it talk; the first time after `settling`, note the time."""
        if datapath is not self.datapath:
            self.datapath, self.began = datapath, perf_counter()
            self._listen(session)
        self.fabric.talk(datapath, session)

    def port_told(self, datapath: Any, ofport: int, name: bytes) -> None:
        """Take note of what a switch tells of a port."""
        self.fabric.port_told(datapath, ofport, name)

    def left(self, datapath: Any) -> None:
        """Tell the session that its switch is gone."""
        self.fabric.left(datapath)

    def settling(self) -> Deferred[float]:
        """Fires with the time when the switch has acknowledged everything."""
        self._settled = Deferred()
        return self._settled

    def _listen(self, session: Session) -> None:
        report = session.report

        def told(ofports: Collection[int] | None) -> None:
            report(ofports)
            if session.phase is Phase.SETTLED and self._settled is not None:
                settled, self._settled = self._settled, None
                settled.callback(perf_counter())

        session.report = told


@define
class Channel:
    """A ledger, a fabric and one real switch, connected."""

    reactor: Any
    switch: OpenVSwitch
    ports: int
    ledger: Ledger
    fabric: OpenVSwitchFabric
    plans: Timed
    host: RyuHost
    listener: OpenFlowListener

    @classmethod
    async def open(cls, reactor: Any, folder: str, ports: int) -> "Channel":
        """Record the ports, start everything, and wait until the switch is there."""
        url = file_url(str(Path(folder) / "quantum.db"))
        record(url, ports)
        ledger = Ledger.open(url, Means.of_daemon(reactor))
        fabric = fabric_over(ledger, reactor)
        plans = Timed(fabric)
        limits = Limits(echo_interval=60)
        host = RyuHost(reactor, limits)
        host.run([ryu_apps.isolation], {"plans": plans})
        listener = OpenFlowListener(host, limits)
        switch = OpenVSwitch.start()
        path = switch.rundir / "quantum.sock"
        await listener.listen(serverFromString(reactor, f"unix:{path}"))
        for bridge in ("br-int", "yardstick"):
            switch.vsctl(
                *("add-br", bridge, "--", "set", "bridge", bridge),
                *("datapath_type=dummy", "fail_mode=secure"),
            )
        switch.vsctl(
            *("set-controller", "br-int", f"unix:{path}"),
            *("--", "set", "controller", "br-int", "max_backoff=1000"),
        )
        self = cls(reactor, switch, ports, ledger, fabric, plans, host, listener)
        while plans.datapath is None:
            await pause(reactor, 0.01)
        return self

    async def close(self) -> None:
        """End everything."""
        await self.listener.stop()
        self.host.close()
        await self.ledger.close()
        self.switch.stop()

    async def install(self) -> float:
        """Seconds from the first news of the interfaces to the last barrier."""
        seen = list(interfaces(1, self.ports))
        settled = self.plans.settling()
        began = perf_counter()
        self.fabric.testimony.hypervisor_synced("hv", self.plans.datapath.id, seen)
        return await settled - began

    async def reconnect(self) -> tuple[float, int]:
        """Seconds from the handshake to being settled, and flow-mods sent."""
        session = self.fabric.session(self.plans.datapath.id)
        sent = session.flows_sent
        settled = self.plans.settling()
        self.plans.datapath.close()
        return await settled - self.plans.began, session.flows_sent - sent

    def forget(self) -> None:
        """Let the fabric know nothing, and the switch have nothing."""
        self.fabric = self.plans.fabric = fabric_over(self.ledger, self.reactor)
        self.switch.ofctl("del-flows", "br-int")
        self.switch.ofctl("del-flows", "yardstick")

    def add_flows(self, path: Path) -> float:
        """Seconds that ovs-ofctl takes to put the same flows in, in a bundle."""
        return self._ofctl("--bundle", "add-flows", "yardstick", str(path))

    def dump_flows(self) -> float:
        """Seconds that ovs-ofctl takes to read the flows."""
        return self._ofctl("dump-flows", "br-int")

    def _ofctl(self, *words: str) -> float:
        *command, bridge = [w for w in words if not w.startswith("/")]
        files = [w for w in words if w.startswith("/")]
        target = f"unix:{self.switch.rundir / bridge}.mgmt"
        began = perf_counter()
        subprocess.run(
            ["ovs-ofctl", "-O", "OpenFlow14", *command, target, *files],
            stdout=subprocess.DEVNULL,
            check=True,
        )
        return perf_counter() - began


def pause(reactor: Any, seconds: float) -> Deferred[None]:
    """Fire a little later."""
    fired: Deferred[None] = Deferred()
    reactor.callLater(seconds, fired.callback, None)
    return fired


async def programming(reactor: Any, flows: int) -> None:
    """Compare installing and reading many flows with ovs-ofctl."""
    with TemporaryDirectory(prefix="quantum-bench-") as folder:
        channel = await Channel.open(reactor, folder, int(flows / FLOWS_PER_PORT))
        await channel.install()
        listing = Path(folder) / "flows"
        found = channel.switch.flows("br-int")
        listing.write_text("\n".join(found))
        installs, adds, reconnects, dumps, mods = [], [], [], [], 0
        for _ in range(ROUNDS):
            seconds, sent = await channel.reconnect()
            reconnects.append(seconds)
            mods += sent
            dumps.append(channel.dump_flows())
        for _ in range(ROUNDS):
            channel.forget()
            adds.append(channel.add_flows(listing))
            await _again(channel)
            installs.append(await channel.install())
            if len(channel.switch.flows("br-int")) != len(found):
                raise ValueError("not every flow was installed")
        await channel.close()
    _row(len(found), "ledger to barrier", min(installs), "add-flows", min(adds), 0.8)
    _row(len(found), "reconnect", min(reconnects), "dump-flows", min(dumps), 1.0)
    print(f"{len(found):7}  flow-mods sent by {ROUNDS} reconnects: {mods}")


async def _again(channel: Channel) -> None:
    """Wait until the switch is connected to a fabric that knows nothing of it."""
    before = channel.plans.datapath
    before.close()
    while channel.plans.datapath is before:
        await pause(channel.reactor, 0.01)


async def attaching(reactor: Any, ports: int) -> None:
    """Compare the way from an answered attach to its barrier with an echo."""
    with TemporaryDirectory(prefix="quantum-bench-") as folder:
        channel = await Channel.open(reactor, folder, ports)
        await channel.install()
        plugin = RecordedPlugin(channel.ledger, channel.fabric)
        channel.ledger.subscribe(channel.fabric.tell)
        waits, echoes = [], []
        for number in range(1, ATTACHES + 1):
            echoes.append(await _echo(channel.plans.datapath))
            waits.append(await _attach(channel, plugin, number))
        await channel.close()
    _row(ports, "attach, p50", median(waits), "echo", median(echoes), 5.0)
    waits.sort()
    echoes.sort()
    last = ATTACHES * 99 // 100
    _row(ports, "attach, p99", waits[last], "echo p99", echoes[last], None)


async def _attach(channel: Channel, plugin: RecordedPlugin, number: int) -> float:
    """Unplug a port, plug it again; seconds from the answer to the barrier."""
    place = (TENANT, network_id(number), port_id(number))
    await plugin.unplug(*place)
    while channel.fabric.session(channel.plans.datapath.id).phase is not Phase.SETTLED:
        await pause(channel.reactor, 0)
    settled = channel.plans.settling()
    await plugin.plug(*place, f"vif-{number}")
    answered = perf_counter()
    acknowledged = await settled
    if plugin.port(*place).status.op_status is not OpStatus.UP:
        raise ValueError(plugin.port(*place))
    return max(0.0, acknowledged - answered)


async def _echo(datapath: Any) -> float:
    request = parser.OFPEchoRequest(datapath, data=b"bench")
    began = perf_counter()
    await datapath.request(request, 10)
    return perf_counter() - began


def _row(  # noqa: PLR0913, PLR0917  a row has so many columns
    size: int, what: str, ours: float, other: str, theirs: float, target: float | None
) -> None:
    goal = "" if target is None else f"  <= {target}"
    print(
        f"{size:7}  {what:18}  {ours * 1e3:9.2f} ms  {other:10}  {theirs * 1e3:9.2f} ms"
        f"  {ours / theirs:5.2f}{goal}",
        flush=True,
    )


async def main(reactor: Any, *sizes: str) -> None:
    """Measure at each size, as the daemon runs, and print a table."""
    collect_seldom()
    for size in map(int, sizes or ("1000", "10000", "100000")):
        await programming(reactor, size)
    await attaching(reactor, 10_000)


if __name__ == "__main__":
    react(lambda reactor: Deferred.fromCoroutine(main(reactor, *sys.argv[1:])))
