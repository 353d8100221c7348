# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""A real Open vSwitch at the other end."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

from twisted.internet import reactor
from twisted.internet.endpoints import TCP4ServerEndpoint
from twisted.internet.task import deferLater
from twisted.trial.unittest import SynchronousTestCase, TestCase

from quantum.channel.host import RyuHost
from quantum.channel.listener import OpenFlowListener
from quantum.channel.requests import Refused
from tests.channel.sample.recorder import Recorder, Seen
from tests.lab.ovs import OpenVSwitch

DEADLINE = 30.0
BRIDGE = (
    *("add-br", "br0", "--", "set", "bridge", "br0", "datapath_type=dummy"),
    *("protocols=OpenFlow13", "fail-mode=secure"),
    *("other-config:datapath-id=0000000000000abc", "--", "set-controller", "br0"),
)


def free_port() -> int:
    """Find a TCP port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class PortabilityTests(SynchronousTestCase):
    """One application, two runtimes."""

    def story(self, runtime: str) -> list[str]:
        """Run the application on a runtime while things happen; what it saw."""
        seen, port = Path(self.mktemp()).absolute(), free_port()
        process = subprocess.Popen(
            [sys.executable, "-m", runtime, str(port), "tests.channel.sample.learning"],
            env={**os.environ, "SEEN": str(seen)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        ovs = OpenVSwitch.start()
        try:
            ovs.vsctl(*BRIDGE, f"tcp:127.0.0.1:{port}")
            self.await_line(seen, "barrier")
            ovs.vsctl(
                *("add-port", "br0", "p1", "--", "set", "interface", "p1"),
                *("type=dummy", "ofport_request=1"),
            )
            self.await_line(seen, "port 0 1 p1")
            ovs.appctl(
                "netdev-dummy/receive",
                "p1",
                "in_port(1),eth(src=02:00:00:00:00:01,dst=02:00:00:00:00:02),"
                "eth_type(0x1234)",
            )
            self.await_line(seen, "packet")
            ovs.kill("ovs-vswitchd")
            return self.await_line(seen, "state dead")
        finally:
            ovs.stop()
            process.kill()
            process.wait()

    def await_line(self, seen: Path, start: str) -> list[str]:
        """Wait until the application has written a line; all lines so far."""
        deadline, lines = time.monotonic() + DEADLINE, []
        while not any(line.startswith(start) for line in lines):
            self.assertLess(time.monotonic(), deadline, f"no {start!r} in {lines}")
            time.sleep(0.02)
            lines = seen.read_text().splitlines() if seen.exists() else []
        # How often Open vSwitch repeats a port's state depends on its mood.
        return [line for line in lines if not line.startswith("port 2")]

    def test_same_story(self) -> None:
        """The same file sees the same hosted by us and on os-ken's own runtime."""
        expected = [
            "features abc",
            "state main",
            "error 3 2",
            "flows [(0, 7), (99, 7)]",
            "bundle 1 1",
            "bundle 1 5",
            "error 65535 2302",
            "barrier",
            "port 0 1 p1",
            "packet 1 02:00:00:00:00:01 02:00:00:00:00:02",
            "state dead",
        ]
        self.assertEqual(expected, self.story("tests.channel.sample.hosted"))
        self.assertEqual(expected, self.story("tests.channel.sample.plain"))


class RealSwitchTests(TestCase):
    """Questions to a real switch, and long programmes for it."""

    timeout = 120

    async def setUp(self) -> None:
        self.host = RyuHost(reactor)
        self.host.run([Recorder], {"seen": Seen()})
        self.listener = OpenFlowListener(self.host)
        endpoint = TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1")
        port = (await self.listener.listen(endpoint)).getHost().port
        self.ovs = OpenVSwitch.start()
        self.addCleanup(self.ovs.stop)
        self.ovs.vsctl(*BRIDGE, f"tcp:127.0.0.1:{port}")
        while 0xABC not in self.host.switches or self.datapath.state != "main":
            await deferLater(reactor, 0.01, lambda: None)

    @property
    def datapath(self):
        """The switch."""
        return self.host.switches[0xABC]

    async def tearDown(self) -> None:
        await self.listener.stop()
        self.host.close()

    async def test_every_question(self) -> None:
        """Everything that OpenFlow 1.3 can ask, Open vSwitch's answer gets through."""
        datapath, parser = self.datapath, self.datapath.ofproto_parser
        every = (0, 255, 0xFFFFFFFF, 0xFFFFFFFF, 0, 0, parser.OFPMatch())
        questions = [
            parser.OFPDescStatsRequest(datapath),
            parser.OFPFlowStatsRequest(datapath),
            parser.OFPAggregateStatsRequest(datapath, *every),
            parser.OFPTableStatsRequest(datapath),
            parser.OFPPortStatsRequest(datapath),
            parser.OFPQueueStatsRequest(datapath),
            parser.OFPGroupStatsRequest(datapath),
            parser.OFPGroupDescStatsRequest(datapath),
            parser.OFPGroupFeaturesStatsRequest(datapath),
            parser.OFPMeterStatsRequest(datapath),
            parser.OFPMeterConfigStatsRequest(datapath),
            parser.OFPMeterFeaturesStatsRequest(datapath),
            parser.OFPTableFeaturesStatsRequest(datapath, body=[]),
            parser.OFPPortDescStatsRequest(datapath),
            parser.OFPGetConfigRequest(datapath),
            parser.OFPQueueGetConfigRequest(datapath, 0xFFFFFFFF),
            parser.OFPGetAsyncRequest(datapath),
            parser.OFPRoleRequest(datapath, 0, 0),
            parser.OFPBarrierRequest(datapath),
        ]
        for question in questions:
            answer = await datapath.request(question, 10)
            self.assertEqual(
                type(question).__name__.replace("Request", "Reply"),
                type(answer[0]).__name__,
            )
        self.assertIs(datapath, self.datapath)

    async def test_refusal(self) -> None:
        """What Open vSwitch refuses, the asker is told."""
        parser = self.datapath.ofproto_parser
        unopened = parser.ONFBundleCtrlMsg(self.datapath, 9, 4, 0, [])
        problem = await self.assertFailure(self.datapath.request(unopened, 10), Refused)
        self.assertEqual((2302, 0x4F4E4600), (problem.code, problem.experimenter))

    async def test_programme(self) -> None:
        """Twenty thousand flows are pumped, and dumped again, all of them."""
        datapath, parser = self.datapath, self.datapath.ofproto_parser
        flow = parser.OFPFlowMod(datapath, match=parser.OFPMatch(metadata=0), cookie=0)
        flow.set_xid(0)
        flow.serialize()
        template, number = bytes(flow.buf), [0]
        place = template.index(bytes.fromhex("80000408")) + 4

        def take(size: int) -> bytes:
            first = number[0]
            number[0] = min(first + size // len(template), 20000)
            return b"".join(
                template[:place] + one.to_bytes(8) + template[place + 8 :]
                for one in range(first, number[0])
            )

        datapath.pump(take)
        while number[0] < 20000:
            await deferLater(reactor, 0.001, lambda: None)
        await datapath.request(parser.OFPBarrierRequest(datapath), 60)
        parts = await datapath.request(parser.OFPFlowStatsRequest(datapath), 60)
        size = 16 + 48 + 16
        found = sum((message.msg_len - 16) // (size - 16) for message in parts)
        self.assertEqual(20000, found)
