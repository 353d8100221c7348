# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
Frames of machines on three real hypervisors: which are lost, and when they begin.

The daemon runs as an operator starts it; the hypervisors and the tunnels between
them are this machine's.  Needs root.  Run ``python -m benchmarks.frames``.
"""

import select
import socket
import threading
import time
from collections.abc import Callable
from statistics import median

from attrs import define, field

from tests.lab.frames import EXPERIMENTAL, frame, marked, raw_card
from tests.lab.hypervisor import Machine
from tests.lab.probe import NUMBERS
from tests.lab.stage import ride_out
from tests.lab.wide import WideStage

INTERVAL = 0.001
PLUGS = 30
PLUG_TARGET = 3.0
PAUSE = 0.3
"""Seconds in which a port that was plugged or unplugged is left alone."""


@define
class Flood:
    """Frames from one machine to another, until one arrives."""

    sender: Machine
    to: Machine
    _probe: int = field(factory=lambda: next(NUMBERS))
    _is_over: bool = False

    def first_arrival(self) -> float:
        """Send every half a millisecond; when the first one came."""
        out = raw_card(self.sender.namespace, "eth0")
        card = raw_card(self.to.namespace, "eth0")
        sending = threading.Thread(target=self._send, args=(out,))
        sending.start()
        try:
            return self._await(card)
        finally:
            self._is_over = True
            sending.join()
            out.close()
            card.close()

    def _send(self, card: socket.socket) -> None:
        what = frame(self.to.mac, self.sender.mac, EXPERIMENTAL, (self._probe, 0))
        while not self._is_over:
            card.send(what)
            time.sleep(INTERVAL / 2)

    def _await(self, card: socket.socket) -> float:
        while select.select([card], [], [], 10.0)[0]:
            mark = marked(card.recv(2048))
            if mark is not None and mark[0] == self._probe:
                return time.monotonic()
        raise ValueError("no frame arrived")


def plugging(stage: WideStage) -> None:
    """Compare the way from ovs-vsctl to the first frame with ovs-vsctl itself."""
    machine, peer = stage.site.machine("red-1"), stage.site.machine("red-2")
    hypervisor = stage.site.host(machine)
    waits, commands = [], []
    for _ in range(PLUGS):
        hypervisor.unplug([machine])
        stage.cloud.await_not_up([machine])
        time.sleep(PAUSE)
        arrivals: list[float] = []
        flood = Flood(peer, machine)
        listening = threading.Thread(
            target=lambda flood=flood, to=arrivals: to.append(flood.first_arrival())
        )
        listening.start()
        time.sleep(PAUSE)
        began = time.monotonic()
        hypervisor.plug([machine])
        commands.append(time.monotonic() - began)
        listening.join()
        waits.append(arrivals[0] - began)
        stage.cloud.await_up([machine])
    ours, theirs = median(waits), median(commands)
    print(
        f"add-port to first frame from another hypervisor, p50  {ours * 1e3:6.1f} ms"
        f"   ovs-vsctl itself {theirs * 1e3:6.1f} ms   {ours / theirs:5.2f}"
        f"  <= {PLUG_TARGET:g}",
        flush=True,
    )


def losing(stage: WideStage, what: str, action: Callable[[], None]) -> None:
    """Count what is lost between machines that nobody touches."""
    site = stage.site
    pairs = [
        (site.machine("red-1"), site.machine("red-2")),
        (site.machine("blue-1"), site.machine("blue-2")),
    ]

    def act() -> None:
        action()
        stage.cloud.await_up(site.machines)

    loss = ride_out(site.observatory, act, pairs, INTERVAL)
    print(
        f"{what:30}  {loss.sent} frames of 1 kHz each way, lost {loss.lost},"
        f" repeated {loss.repeated}, strayed {loss.strayed + loss.leaked}  <= 0",
        flush=True,
    )


def main() -> None:
    """Measure everything on one site."""
    with WideStage.running(is_detoured=True) as stage:
        stage.populate()
        plugging(stage)
        cloud, daemon, detour = stage.cloud, stage.daemon, stage.detour

        def restart() -> None:
            cloud.crash()
            time.sleep(1)
            cloud.restart()

        def upgrade() -> None:
            daemon.end()
            daemon.start()

        def reconnect() -> None:
            if detour is not None:
                detour.openflow.reset()
                detour.ovsdb.reset()
            time.sleep(2)

        losing(stage, "daemon killed and started", restart)
        losing(stage, "daemon ended and started", upgrade)
        losing(stage, "every connection cut", reconnect)


if __name__ == "__main__":
    main()
