# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""What ``docs/hypervisors.md`` says, typed as it stands but for the addresses."""

import json
import re
import subprocess
import time
import tomllib
from collections.abc import Callable
from contextlib import ExitStack

import pytest
from attrs import define
from twisted.trial.unittest import SynchronousTestCase

from tests.lab.cloud import RestCloud
from tests.lab.daemon import ROOT, Daemon
from tests.lab.hypervisor import BRIDGE, Hypervisor
from tests.lab.isolation import Observatory
from tests.lab.namespace import Namespace
from tests.lab.site import spec
from tests.lab.stage import look_until_right
from tests.lab.underlay import CONTROL, Underlay

pytestmark = pytest.mark.root

PATIENCE = 30.0
OF_THE_DAEMON, OF_THE_HYPERVISOR = "192.0.2.1", "192.0.2.11"
BLOCK = re.compile(
    r"^## (?P<title>[^\n]*)$|^```\w*\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)
OPERATORS = "operator.sock"


def block(title: str) -> str:
    """Find the first block under a heading."""
    under = ""
    for found in BLOCK.finditer((ROOT / "docs/hypervisors.md").read_text("utf-8")):
        under = found["title"] or under
        if found["text"] and under == title:
            return found["text"]
    raise LookupError(title)


def addressed(text: str, hypervisor: str = "") -> str:
    """Put addresses of the lab in the places of those that stand for any."""
    text = re.sub(rf"\b{re.escape(OF_THE_HYPERVISOR)}\b", hypervisor, text)
    return re.sub(rf"\b{re.escape(OF_THE_DAEMON)}\b", CONTROL, text)


@define
class Configured:
    """A daemon on the underlay that was told what the document says."""

    _underlay: Underlay

    @property
    def namespace(self) -> Namespace:
        """The network namespace of the underlay."""
        return self._underlay.namespace

    @property
    def settings(self) -> tuple[str, ...]:
        """What the document says, and that there is no switch of its own."""
        options = tomllib.loads(addressed(block("Once, on the daemon")))
        words = [
            f"{section}.{name}={json.dumps(value)}"
            for section, values in options.items()
            for name, value in values.items()
        ]
        return ("ovsdb.connect=[]", *words)


class EnrolmentTests(SynchronousTestCase):
    """Two hypervisors of which the daemon has never heard."""

    def setUp(self) -> None:
        """Have a daemon, and two machines with Open vSwitch that know nothing."""
        stack = ExitStack()
        self.addCleanup(stack.close)
        self.underlay = stack.enter_context(Underlay.running())
        self.hypervisors = []
        for name in ("one", "two"):
            hypervisor = stack.enter_context(Hypervisor.running(name))
            self.underlay.join(hypervisor)
            hypervisor.ovs.vsctl("clear", "open_vswitch", ".", "external_ids")
            self.hypervisors.append(hypervisor)
        self.daemon = Daemon(Configured(self.underlay))
        stack.callback(self.daemon.stop)
        self.daemon.start()

    def type(self, hypervisor: Hypervisor, text: str) -> None:
        """Type commands into a shell of a hypervisor."""
        here = addressed(text, self.underlay.address(hypervisor))
        hypervisor.ovs.run("sh", "-ec", here.replace("=hv1", f"={hypervisor.name}"))

    def curl(self, line: str, datapath_id: str) -> str:
        """Type a line with ``curl`` into a shell beside the daemon."""
        line = re.sub(r"\b[0-9a-f]{16}\b", datapath_id, line)
        line = line.replace("state/operator.sock", str(self.daemon.state / OPERATORS))
        command = ["sh", "-ec", line]
        return subprocess.run(
            command, check=True, capture_output=True, text=True
        ).stdout

    def await_true(self, is_true: Callable[[], object], text: str) -> None:
        """Wait for something to become true."""
        deadline = time.monotonic() + PATIENCE
        while not is_true():
            self.assertLess(time.monotonic(), deadline, (text, self.daemon.log))
            time.sleep(0.05)

    def test_come_and_go(self) -> None:
        """By two commands each is enrolled; by three more one is out, and forgotten."""
        one, two = self.hypervisors
        for hypervisor in self.hypervisors:
            self.type(hypervisor, block("Enrol a hypervisor"))
            hypervisor.await_bridge()
            self.assertIn(f"hypervisor {hypervisor.name} is connected", self.daemon.log)
        machines = [
            *one.add_machines([spec("red-1", 1, "one"), spec("blue-1", 1, "one")]),
            *two.add_machines([spec("red-2", 2, "two"), spec("blue-2", 2, "two")]),
        ]
        for hypervisor in self.hypervisors:
            hypervisor.plug(hypervisor.machines)
        cloud = RestCloud(self.daemon)
        cloud.connect(machines)
        cloud.await_up(machines)
        observatory = Observatory(machines)
        observatory.start()
        self.addCleanup(observatory.stop)
        self.assertEqual([], look_until_right(observatory, machines, 15).problems())
        two.unplug(two.machines)
        self.take_out(two)
        self.forget("two")
        self.await_true(
            lambda: self.underlay.address(two) not in "".join(one.ovs.flows(BRIDGE)),
            "nobody sends there any more",
        )

    def take_out(self, hypervisor: Hypervisor) -> None:
        """Let a hypervisor give everything up, and then go."""
        lines = block("Take a hypervisor out").replace("\\\n", " ").splitlines()
        self.type(hypervisor, lines[0])
        self.await_true(
            lambda: "quantum-" not in hypervisor.ovs.vsctl("show"), "it gave all up"
        )
        self.type(hypervisor, "\n".join(lines[1:]))
        self.assertEqual(["br-phy"], hypervisor.ovs.vsctl("list-br").split())

    def forget(self, name: str) -> None:
        """Find a switch in the list, and have it forgotten."""
        listing, forgetting = block(
            "Forget a switch that will not come back"
        ).splitlines()

        def listed() -> dict[str, tuple[str, str]]:
            switches = json.loads(self.curl(listing, ""))["switches"]
            return {
                one["hypervisor"]: (one["phase"], one["datapath_id"])
                for one in switches
            }

        self.await_true(lambda: listed()[name][0] == "absent", "it is absent")
        self.assertEqual("", self.curl(forgetting, listed()[name][1]))
        self.assertEqual({"one"}, listed().keys())
