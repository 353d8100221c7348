# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
The stage of demonstration and tests: one hypervisor, a daemon, two tenants.

Both tenants have three machines with the same Ethernet and IP addresses.
"""

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager

from attrs import define

from tests.lab.cloud import Cloud, RestCloud
from tests.lab.daemon import Daemon
from tests.lab.hypervisor import FOREIGN, Hypervisor, Machine, Spec
from tests.lab.isolation import Observatory, Report
from tests.lab.traffic import Loss

STOPPING_TIME = 5.0
"""Seconds within which a change that was answered must have stopped the frames."""

SHORT_LOOK = 3.0
"""Seconds until a frame counts as lost while everything may still change."""

TENANTS = ("red", "blue")
PLAN = tuple(
    Spec(f"{tenant}-{n}", tenant, f"02:00:00:00:00:0{n}", f"192.168.7.{n}")
    for tenant in TENANTS
    for n in (1, 2, 3)
)


@define
class Stage:
    """Everything that runs; the machines are plugged into the bridge."""

    hypervisor: Hypervisor
    daemon: Daemon
    cloud: RestCloud
    machines: list[Machine]
    observatory: Observatory

    @classmethod
    @contextmanager
    def running(cls, name: str, *settings: str) -> Iterator["Stage"]:
        """Build everything, and take everything away whatever happens."""
        with ExitStack() as stack:
            hypervisor = stack.enter_context(Hypervisor.running(name))
            daemon = Daemon(hypervisor, settings)
            stack.callback(daemon.stop)
            daemon.start()
            hypervisor.await_bridge()
            machines = hypervisor.add_machines(PLAN)
            hypervisor.plug(machines)
            observatory = Observatory(machines)
            stack.callback(observatory.stop)
            observatory.start()
            yield cls(hypervisor, daemon, RestCloud(daemon), machines, observatory)


def look_until_right(
    observatory: Observatory,
    connected: Sequence[Machine],
    patience: float,
    cut: Collection[str] = (),
) -> Report:
    """
    Look again while something is wrong, for so many seconds.

    What was sent too early never comes, so that is not waited for for long.
    """
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        report = observatory.look(connected, cut, SHORT_LOOK)
        if not report.problems():
            return report
    return observatory.look(connected, cut)


def ride_out(
    observatory: Observatory,
    action: Callable[[], None],
    pairs: Sequence[tuple[Machine, Machine]],
    interval: float = 0.01,
) -> Loss:
    """Do something under traffic between pairs of machines; what became of that."""
    stream = observatory.stream(pairs, interval)
    stream.start()
    try:
        time.sleep(1)
        action()
        time.sleep(1)
    finally:
        loss = stream.stop(observatory.machines, observatory.patience)
    return loss


def ride_out_a_crash(
    observatory: Observatory, cloud: Cloud, pairs: Sequence[tuple[Machine, Machine]]
) -> Loss:
    """Kill the daemon and start it again under traffic; what became of that."""

    def crash() -> None:
        cloud.crash()
        time.sleep(1)
        cloud.restart()
        cloud.await_up([one for one in observatory.machines if one.host != FOREIGN])

    return ride_out(observatory, crash, pairs)
