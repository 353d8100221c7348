# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
The demonstration: tenants with equal addresses, spread over three hypervisors.

Run as root: ``python -m tests.lab.demo``.  The exit status is 0 if every line
of it is as it must be.
"""

import signal
import sys
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from attrs import define, field

from tests.lab import table
from tests.lab.cloud import Cloud
from tests.lab.hypervisor import Machine
from tests.lab.isolation import Report
from tests.lab.ovs import LabError
from tests.lab.site import HOSTS, OTHER_VLAN, PHYSICAL, VLAN, VLAN_NETWORK, Site
from tests.lab.stage import STOPPING_TIME, look_until_right, ride_out
from tests.lab.tally import Tally
from tests.lab.wide import WideStage

PRESENCE = "openflow.echo_interval=1"
"""So that nobody has to wait long until a pulled cable is noticed."""


@define
class Demo:
    """The steps in order, each with its verdict."""

    _cloud: Cloud
    _site: Site
    _started: float = field(factory=time.monotonic)
    problems: list[str] = field(factory=list)
    tallies: list[tuple[str, Tally]] = field(factory=list)

    def run(self) -> None:
        """Take every step; `problems` then says what was wrong."""
        machines = self._site.machines
        self._introduce()
        self._cloud.bind(VLAN_NETWORK, PHYSICAL, VLAN)
        self._cloud.connect(machines)
        self._cloud.await_up(machines)
        self.verdict("op-status of all ports is UP", [])
        self._isolation()
        self._changes()
        self._cable()
        self._crash()
        self._switch()
        sys.stdout.write(table.by_step(self.tallies))

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

    def _introduce(self) -> None:
        everybody = self._site.observatory.machines
        for host in dict.fromkeys(one.host for one in everybody):
            names = [one.name for one in everybody if one.host == host]
            kind = "hypervisor" if host in HOSTS else "the operator's"
            self.say(f"{kind} {host}: {', '.join(names)}")
        for mac, address in dict.fromkeys((one.mac, one.address) for one in everybody):
            names = [one.name for one in everybody if one.mac == mac]
            self.say(f"{', '.join(names)} all are {mac}, {address}")
        self.say(
            f"red and blue get a network each; {VLAN_NETWORK}'s is VLAN {VLAN}, which"
            f" has a host outside; another host is in VLAN {OTHER_VLAN}"
        )

    def _isolation(self) -> None:
        self.say("everybody pings, and sends every kind of frame to, everybody")
        report = self._look("everybody to everybody", self._site.observatory.machines)
        sys.stdout.write(table.by_pair(report) + table.by_kind(report))
        self.verdict(
            "same network: all reached; other network: not one frame; spoofed: nowhere",
            report.problems(),
        )

    def _changes(self) -> None:
        red, blue = self._site.machine("red-1"), self._site.machine("blue-3")
        self.say(f"{red.name} is detached, {blue.name} gets admin state DOWN")
        self._cloud.detach(red)
        self._cloud.set_state(blue, "DOWN")
        others = [m for m in self._site.observatory.machines if m not in {red, blue}]
        self._matrix("no frame to or from the two; all others as before", others)
        self._cloud.attach(red)
        self._cloud.set_state(blue, "ACTIVE")
        self._cloud.await_up([red, blue])
        self._matrix("both came back: all reached again")

    def _cable(self) -> None:
        three = self._site.hypervisors[2]
        self.say(f"the cable of hypervisor {three.name} is cut, under traffic")

        def cut() -> None:
            self._site.underlay.cut(three)
            self._cloud.await_not_up(three.machines)

        self._ride("cable cut: the others", cut, self._pairs("one", "two"))
        self._matrix(
            f"no tunnel reaches {three.name}; VLAN {VLAN} goes on",
            cut=[three.name],
        )

        def heal() -> None:
            self._site.underlay.heal(three)
            self._cloud.await_up(three.machines)

        self._ride("cable healed: the others", heal, self._pairs("one", "two"))
        self._matrix("all reached again")

    def _crash(self) -> None:
        self.say("kill -9 of the daemon, and its restart, under traffic")

        def crash() -> None:
            self._cloud.crash()
            time.sleep(1)
            self._cloud.restart()
            self._cloud.await_up(self._site.machines)

        self._ride("daemon killed: everybody", crash, self._pairs(*HOSTS))
        self._matrix("all as before")

    def _switch(self) -> None:
        two = self._site.hypervisors[1]
        self.say(f"kill -9 of ovs-vswitchd on {two.name}, and its restart")

        def restart() -> None:
            self._site.underlay.restart_switch(two)
            self._cloud.await_up(self._site.machines)

        self._ride("switch killed: the others", restart, self._pairs("one", "three"))
        self._matrix("all reached again", patience=20.0)

    def _pairs(self, *hosts: str) -> list[tuple[Machine, Machine]]:
        """List every ordered pair of machines in one overlay, on these hosts."""
        there = [one for one in self._site.machines if one.host in hosts]
        return [
            (one, other)
            for one in there
            for other in there
            if one.network == other.network != VLAN_NETWORK and one != other
        ]

    def _ride(
        self,
        text: str,
        action: Callable[[], None],
        pairs: Sequence[tuple[Machine, Machine]],
    ) -> None:
        loss = ride_out(self._site.observatory, action, pairs)
        self.tallies.append((text, loss.tally))
        words = (
            f"{loss.sent} frames between those untouched: {loss.lost} lost,"
            f" {loss.repeated} repeated, {loss.strayed} to others, {loss.leaked}"
            f" leaked; {loss.pings} pings: {loss.unanswered} lost"
        )
        self.verdict(words, [] if loss.is_none else ["traffic did not ride it out"])

    def _look(self, text: str, connected: Sequence[Machine]) -> Report:
        report = look_until_right(self._site.observatory, connected, 0)
        self.tallies.append((text, report.tally))
        return report

    def _matrix(
        self,
        text: str,
        connected: Sequence[Machine] | None = None,
        cut: Collection[str] = (),
        patience: float = STOPPING_TIME,
    ) -> None:
        observatory = self._site.observatory
        everybody = observatory.machines if connected is None else connected
        report = look_until_right(observatory, everybody, patience, cut)
        self.tallies.append((text, report.tally))
        self.verdict(text, report.problems())


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
    sys.stdout.write(
        "Three hypervisors (Open vSwitch, userspace datapath), one daemon\n"
    )
    sys.stdout.flush()
    started = time.monotonic()
    with WideStage.running(PRESENCE) as stage:
        demo = Demo(stage.cloud, stage.site, started)
        demo.run()
    folders = [*stage.site.folders(), stage.daemon.state]
    demo.verdict("nothing is left behind", leftovers(folders))
    demo.say("WRONG: see above" if demo.problems else "everything is as it must be")
    return 1 if demo.problems else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except LabError as problem:
        sys.exit(f"the demonstration could not go on: {problem}")
