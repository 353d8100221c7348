# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""The verifier against Open vSwitch: random flows, read back and traced."""

import json
import re
import socket
from random import Random

from attrs import define, field
from os_ken.ofproto import ofproto_v1_3 as of
from twisted.trial.unittest import SynchronousTestCase

from quantum.openflow import messages
from quantum.openflow.flow import Encoded, encode
from quantum.openflow.member import LocalPort
from quantum.openflow.verify import Verdict, reach, verify
from quantum.openflow.verify.header import Frame
from tests.lab.openflow import converse
from tests.lab.ovs import OpenVSwitch

from .foreign import foreign, goto, output, write
from .strategies import layout_of, mac, text

PORTS = range(1, 9)
ADDRESSES = [mac(n) for n in range(1, 5)]
DESTINATIONS = [*ADDRESSES, b"\xff" * 6, b"\1\0\x5e\0\0\1", b"\2\0\0\0\1\5"]
MASKS = [
    "ff:ff:ff:ff:ff:ff",
    "01:00:00:00:00:00",
    "00:00:00:00:00:03",
    "03:00:00:00:00:01",
]
WORDS = [1, 2, 3, 0x1_0000_0000, 0x1_0000_0001, 0x8000_0000_0000_0000]


@define
class Bridge:
    """A bridge with eight ports, one control socket, and what was put into it."""

    ovs: OpenVSwitch
    control: socket.socket
    numbers: dict[str, int] = field(factory=dict)
    held: list[Encoded] = field(factory=list)

    @classmethod
    def start(cls) -> "Bridge":
        """Start an Open vSwitch."""
        ovs = OpenVSwitch.start()
        words = ["add-br", "br0", "--", "set", "bridge", "br0"]
        words += ["datapath_type=dummy", "fail_mode=secure"]
        for n in PORTS:
            words += ["--", "add-port", "br0", f"p{n}", "--", "set", "interface"]
            words += [f"p{n}", "type=dummy", f"ofport_request={n}"]
        ovs.vsctl(*words)
        control = socket.socket(socket.AF_UNIX)
        control.settimeout(60)
        control.connect(str(ovs.rundir / "vswitchd.ctl"))
        self = cls(ovs, control)
        found = re.findall(r"p\d (\d+)/(\d+): \(dummy", self.ask("dpif/show"))
        self.numbers = {datapath: int(ofport) for ofport, datapath in found}
        return self

    def stop(self) -> None:
        """End it."""
        self.control.close()
        self.ovs.stop()

    def ask(self, method: str, *words: str) -> str:
        """Ask ovs-vswitchd over the control socket, which stays open."""
        request = {"id": 0, "method": method, "params": words}
        self.control.sendall(json.dumps(request).encode())
        answer = b""
        while chunk := self.control.recv(1 << 16):
            answer += chunk
            try:
                return str(json.loads(answer)["result"])
            except ValueError:
                continue
        raise ConnectionError(f"{method}: hung up")

    def replace(self, flows: list[Encoded]) -> list[Encoded]:
        """Hold these flows and no others; as the switch itself tells them."""
        path = str(self.ovs.rundir / "br0.mgmt")
        steps = [messages.remove_flow(n, flow) for n, flow in enumerate(self.held)]
        steps += [messages.add_flow(500 + n, flow) for n, flow in enumerate(flows)]
        replies = converse(
            path,
            messages.open_bundle(900, 7),
            *(messages.bundled(7, step) for step in steps),
            messages.commit_bundle(901, 7),
            messages.read_flows(902),
        )
        errors = [frame for frame in replies if frame[1] == of.OFPT_ERROR]
        assert not errors, errors
        self.held = [
            Encoded(*entry)
            for frame in replies
            if frame[1] == of.OFPT_MULTIPART_REPLY
            for entry in messages.entries(frame)
        ]
        assert len(self.held) == len(flows)
        return self.held

    def trace(self, frame: Frame) -> list[int]:
        """Ask where a frame goes out."""
        words = f"dl_src={text(frame.eth_src)},dl_dst={text(frame.eth_dst)}"
        told = self.ask("ofproto/trace", "br0", f"in_port={frame.in_port},{words}")
        (actions,) = re.findall(r"^Datapath actions: (.*)$", told, re.MULTILINE)
        if actions == "drop":
            return []
        return [self.numbers[number] for number in actions.split(",")]


def some_flow(random: Random, priority: int) -> Encoded:
    """Make a flow of any form that the verifier understands."""
    table = random.choice([0, 0, 1, 2, 3])
    match: dict[str, object] = {}
    if random.random() < (0.7 if table == 0 else 0.2):
        match["in_port"] = random.choice(PORTS)
    for name in ("eth_dst", "eth_src"):
        if random.random() < 0.3:
            addresses = ADDRESSES if name == "eth_src" else DESTINATIONS
            match[name] = (text(random.choice(addresses)), random.choice(MASKS))
    if table and random.random() < 0.6:
        match["metadata"] = (
            random.choice(WORDS),
            random.choice([*WORDS, (1 << 64) - 1]),
        )
    deeds = []
    if random.random() < 0.6:
        deeds.append(output(*random.choices(PORTS, k=random.randint(1, 3))))
    if random.random() < 0.5:
        deeds.append(
            write(random.choice(WORDS), random.choice([*WORDS, 0xFF, (1 << 64) - 1]))
        )
    if table < 3 and random.random() < 0.7:
        deeds.append(goto(random.randint(table + 1, 3)))
    return foreign(table, priority, *deeds, **match)


def plan(random: Random) -> tuple[list[Encoded], dict[int, int], dict[int, bytes]]:
    """Make flows: compiled ones with a few others among them, or all of any form."""
    networks = {n: random.randint(1, 3) for n in PORTS if random.random() < 0.9}
    known = {n: random.choice(ADDRESSES) for n in networks if random.random() < 0.5}
    if random.random() < 0.5:
        ports = {n: LocalPort(n, net, known.get(n)) for n, net in networks.items()}
        flows = [encode(flow) for flow in layout_of(ports).plan()]
        flows = random.sample(flows, len(flows) - random.randint(0, 2))
        flows += [some_flow(random, 200 + n) for n in range(random.randint(0, 2))]
    else:
        numbers = random.sample(range(1, 100), random.randint(5, 25))
        flows = [some_flow(random, number) for number in numbers]
    return flows, networks, known


def some_frame(random: Random) -> Frame:
    """Make a frame."""
    return Frame(
        random.choice(PORTS),
        random.choice([*DESTINATIONS, random.randbytes(6)]),
        random.choice([*ADDRESSES, random.choice(DESTINATIONS), random.randbytes(6)]),
    )


class SwitchTests(SynchronousTestCase):
    """What a real switch does with frames is what the verifier says."""

    plans = 250
    frames = 16
    seed = 20_261_122

    def setUp(self) -> None:
        """Start a switch."""
        self.bridge = Bridge.start()
        self.addCleanup(self.bridge.stop)
        self.traces = 0

    def test_random_plans(self) -> None:
        """On random flows, frames go where it says, and its findings are real."""
        for number in range(self.seed, self.seed + self.plans):
            random = Random(number)  # noqa: S311  a plan that can be made again
            flows, networks, addresses = plan(random)
            held = self.bridge.replace(flows)
            verdict = verify(held, networks, addresses)
            self.assertEqual(((), ()), (verdict.doubts, verdict.ambiguities), number)
            frames = {some_frame(random) for _ in range(self.frames)}
            traced = {frame: self.trace(frame) for frame in frames}
            self.follow(held, traced, number)
            self.nothing_missed(verdict, networks, traced, number)
            self.nothing_invented(verdict, number)

    def follow(
        self, held: list[Encoded], traced: dict[Frame, list[int]], seed: int
    ) -> None:
        """Compare with reach."""
        found = {port: list(reach(held, port)) for port in PORTS}
        for frame, out in traced.items():
            said = {r.destination for r in found[frame.in_port] if frame in r.headers}
            self.assertEqual(said, set(out), (seed, frame))

    def nothing_missed(
        self,
        verdict: Verdict,
        networks: dict[int, int],
        traced: dict[Frame, list[int]],
        seed: int,
    ) -> None:
        """See that all is reported that some frame shows."""
        leaks = {(leak.source_network, leak.destination) for leak in verdict.leaks}
        twice = {found.destination for found in verdict.duplicates}
        for frame, out in traced.items():
            home = networks.get(frame.in_port)
            for port in out:
                is_home = networks.get(port) == home
                self.assertTrue(is_home or (home, port) in leaks, seed)
                self.assertTrue(out.count(port) == 1 or port in twice, seed)

    def nothing_invented(self, verdict: Verdict, seed: int) -> None:
        """See that all that is reported is so."""
        for leak in verdict.leaks[:8]:
            self.check(leak.frame, leak.destination, 1, seed)
        for found in verdict.duplicates[:8]:
            self.check(found.frame, found.destination, 2, seed)
        for spoof in verdict.spoofs[:8]:
            self.check(spoof.frame, spoof.destination, 1, seed)
        for missing in verdict.unreachable[:8]:
            self.assertNotIn(missing.destination, self.trace(missing.frame), seed)

    def check(self, frame: Frame, destination: int, times: int, seed: int) -> None:
        """See a frame come out."""
        if frame.in_port in PORTS:  # one more stands for all that do not exist
            self.assertGreaterEqual(self.trace(frame).count(destination), times, seed)

    def trace(self, frame: Frame) -> list[int]:
        """Ask, and count."""
        self.traces += 1
        return self.bridge.trace(frame)
