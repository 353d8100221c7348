# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
The demonstration: two tenants with equal addresses on one Open vSwitch.

Run as root: ``python -m tests.lab.demo``.  The exit status is 0 if every line
of it is as it must be.
"""

import signal
import sys
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from attrs import define, field

from tests.lab import table
from tests.lab.cloud import Cloud
from tests.lab.hypervisor import Machine
from tests.lab.isolation import Observatory
from tests.lab.ovs import LabError
from tests.lab.stage import STOPPING_TIME, Stage, look_until_right, ride_out_a_crash


@define
class Demo:
    """The steps in order, each with its verdict."""

    _cloud: Cloud
    _observatory: Observatory
    _started: float = field(factory=time.monotonic)
    problems: list[str] = field(factory=list)

    def run(self) -> None:
        """Take every step; `problems` then says what was wrong."""
        machines = list(self._observatory.machines)
        for mac, address in dict.fromkeys((one.mac, one.address) for one in machines):
            names = [one.name for one in machines if one.mac == mac]
            self.say(f"{' and '.join(names)} both are {mac}, {address}")
        self.say("two tenants ask for a network with three ports each, and plug in")
        self._cloud.connect(machines)
        self._cloud.await_up(machines)
        self.verdict("op-status of all ports is UP", [])
        self._isolation(machines)
        self._changes(machines)
        self._crash(machines)
        self._matrix("after the restart, everything is as before", machines)

    def say(self, text: str) -> None:
        """Show progress."""
        seconds = time.monotonic() - self._started
        sys.stdout.write(f"[{seconds:5.1f} s] {text}\n")
        sys.stdout.flush()

    def verdict(self, text: str, problems: Iterable[str]) -> None:
        """Show whether a step came out right, and remember if not."""
        found = list(problems)
        self.say(f"  {'WRONG' if found else 'ok':5} {text}")
        for problem in found[:12]:
            self.say(f"        {problem}")
        if found[12:]:
            self.say(f"        ... and {len(found) - 12} more like these")
        self.problems += found

    def _isolation(self, machines: Sequence[Machine]) -> None:
        self.say("everybody pings, and sends every kind of frame to, everybody")
        report = self._observatory.look(machines)
        sys.stdout.write(table.by_pair(report) + table.by_kind(report))
        self.verdict(
            "same network: all reached; other network: not one frame; spoofed: nowhere",
            report.problems(),
        )

    def _changes(self, machines: Sequence[Machine]) -> None:
        red, blue = machines[0], machines[-1]
        self.say(f"{red.name} is detached")
        self._cloud.detach(red)
        others = [machine for machine in machines if machine != red]
        self._matrix(f"no frame to or from {red.name}; all others as before", others)
        self.say(f"{blue.name} gets admin state DOWN")
        self._cloud.set_state(blue, "DOWN")
        others.remove(blue)
        self._matrix(f"no frame to or from {blue.name} either", others)
        self.say("both come back")
        self._cloud.attach(red)
        self._cloud.set_state(blue, "ACTIVE")
        self._cloud.await_up(machines)
        self._matrix("all reached again", machines, 0)

    def _matrix(
        self, text: str, connected: Sequence[Machine], patience: float = STOPPING_TIME
    ) -> None:
        report = look_until_right(self._observatory, connected, patience)
        self.verdict(text, report.problems())

    def _crash(self, machines: Sequence[Machine]) -> None:
        self.say(
            "kill -9 of the daemon, and its restart, under running pings and frames"
        )
        pairs = [(machines[0], machines[1]), (machines[-1], machines[-2])]
        loss = ride_out_a_crash(self._observatory, self._cloud, pairs)
        text = (
            f"{loss.sent} frames sent: {loss.lost} lost, {loss.repeated} repeated,"
            f" {loss.strayed} to others; {loss.pings} pings: {loss.unanswered} lost"
        )
        self.verdict(text, [] if loss.is_none else ["traffic did not ride it out"])


def leftovers(folders: Iterable[Path]) -> list[str]:
    """List what this process still has or has left: folders, children, namespaces."""
    children = Path("/proc/self/task").glob("*/children")
    found = [f"folder {folder}" for folder in folders if folder.exists()]
    found += [f"process {pid}" for task in children for pid in task.read_text().split()]
    for link in Path("/proc/self/fd").iterdir():
        # The descriptor that reads this folder is gone when it is looked at.
        with suppress(FileNotFoundError):
            target = str(link.readlink())
            found += [f"namespace {target}"] if target.startswith("net:") else []
    return found


def _end(number: int, _: object) -> None:
    """End in order, and let no second signal interrupt that."""
    for other in (signal.SIGINT, signal.SIGTERM):
        signal.signal(other, signal.SIG_IGN)
    sys.exit(f"ended by {signal.Signals(number).name}")


def main() -> int:
    """Build everything, run the demonstration, take everything away."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _end)
    sys.stdout.write("Open vSwitch (userspace datapath), the daemon, six machines\n")
    sys.stdout.flush()
    with Stage.running("demo") as stage:
        demo = Demo(stage.cloud, stage.observatory)
        demo.run()
    folders = (stage.hypervisor.ovs.rundir, stage.daemon.state)
    demo.verdict("nothing is left behind", leftovers(folders))
    demo.say("WRONG: see above" if demo.problems else "everything is as it must be")
    return 1 if demo.problems else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except LabError as problem:
        sys.exit(f"the demonstration could not go on: {problem}")
