# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""The isolation application without a daemon: os-ken's own runtime and a plan file."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from quantum.openflow.flow import encode
from quantum.openflow.layout import Layout
from quantum.openflow.member import (
    LocalPort,
    RemotePort,
    Uplink,
    remote_key,
    uplink_key,
)
from quantum.openflow.planfile import SwitchPlan, write_plan
from tests.lab.ovs import OpenVSwitch

DATAPATH = 0xAB
PATIENCE = 60.0
TUNNEL = 65000
MEMBERS = {
    **{n: LocalPort(n, n % 2 + 1, bytes([2, 0, 0, 0, 0, n])) for n in (1, 2, 3, 4)},
    5: LocalPort(5, 3),
    remote_key(1, 7): RemotePort(b"\xc0\0\2\1", 2, b"\2\0\0\0\0\7", (b"\n\0\0\7",)),
    uplink_key(3): Uplink(9, 3, 100),
}


def free_port() -> int:
    """Find a TCP port that nobody listens on."""
    with socket.socket() as wire:
        wire.bind(("127.0.0.1", 0))
        return int(wire.getsockname()[1])


class PlanFileTests(SynchronousTestCase):
    """The very application that the daemon hosts, standing on its own."""

    def setUp(self) -> None:
        """Start a switch, and the application with a plan for it."""
        self.switch = OpenVSwitch.start()
        self.addCleanup(self.switch.stop)
        self.switch.vsctl(
            *("add-br", "br-int", "--", "set", "bridge", "br-int"),
            *("datapath_type=dummy", "fail_mode=secure"),
            f"other_config:datapath-id={DATAPATH:016x}",
        )
        plan = Path(self.mktemp())
        plan.write_bytes(write_plan({DATAPATH: SwitchPlan(MEMBERS, TUNNEL)}))
        port = free_port()
        runtime = subprocess.Popen(
            [
                *(sys.executable, "-m", "ryu_apps", "ryu_apps.isolation"),
                *("--ofp-tcp-listen-port", str(port), "--ofp-listen-host", "127.0.0.1"),
            ],
            cwd=Path(__file__).parents[2],
            env={**os.environ, "QUANTUM_PLAN": str(plan.absolute())},
            stderr=subprocess.DEVNULL,
        )
        self.addCleanup(runtime.wait)
        self.addCleanup(runtime.kill)
        self.switch.vsctl("set-controller", "br-int", f"tcp:127.0.0.1:{port}")

    def test_programmed(self) -> None:
        """The switch gets the flows of the plan, and they isolate."""
        layout = Layout(tunnel=TUNNEL)
        for key, member in MEMBERS.items():
            layout.put(key, member)
        wanted = {encode(flow).cookie for flow in layout.plan()}
        deadline = time.monotonic() + PATIENCE
        found: set[int] = set()
        while found != wanted and time.monotonic() < deadline:
            time.sleep(0.1)
            flows = self.switch.flows("br-int")
            found = {int(f.split("cookie=")[1].split(",")[0], 16) for f in flows}
        self.assertEqual(wanted, found)
        broadcast = "in_port=1,dl_src=02:00:00:00:00:01,dl_dst=ff:ff:ff:ff:ff:ff"
        trace = self.switch.appctl("ofproto/trace", "br-int", broadcast)
        self.assertEqual(1, trace.count("output:3"))
        self.assertEqual(0, trace.count("output:2") + trace.count("output:4"))
