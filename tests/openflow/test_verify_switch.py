# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""The verifier against Open vSwitch: random flows, read back and traced."""

import json
import re
import socket
from random import Random

import msgspec
from attrs import define, evolve, field
from os_ken.ofproto import ofproto_v1_3 as of
from os_ken.ofproto import ofproto_v1_3_parser as parser
from twisted.trial.unittest import SynchronousTestCase

from quantum.openflow import messages
from quantum.openflow.flow import LEARNED_TAG, Encoded, encode
from quantum.openflow.member import (
    LocalPort,
    Member,
    RemotePort,
    Uplink,
    remote_key,
    uplink_key,
)
from quantum.openflow.verify import Gate, Verdict, reach, verify
from quantum.openflow.verify.fields import HINT
from quantum.openflow.verify.gate import Gates
from quantum.openflow.verify.header import Frame
from tests.lab.openflow import converse
from tests.lab.ovs import OpenVSwitch

from .bridge import _sent, _spec
from .fates import (
    DESTINATIONS,
    addresses_of,
    exit_of,
    hint,
    networks_of,
    plain,
    said_of,
    some_frames,
    source_of,
)
from .foreign import apply, foreign, goto, write
from .strategies import TUNNEL, UPLINKS, VLAN_SEGMENT, ipv4, layout_of, mac, peer, text

PORTS = range(1, 9)
OUT = [*PORTS, *PORTS, *UPLINKS, TUNNEL]
ADDRESSES = [mac(n) for n in range(1, 5)]
MASKS = [
    "ff:ff:ff:ff:ff:ff",
    "01:00:00:00:00:00",
    "00:00:00:00:00:03",
    "03:00:00:00:00:01",
]
WORDS = [1, 2, 3, 0x1_0000_0000, 0x1_0000_0001, 0x8000_0000_0000_0000]
OTHERS = [
    {"vlan_vid": 0},
    {"vlan_vid": 0x1064},
    {"vlan_vid": (0x1000, 0x1000)},
    {"tunnel_id": 2},
    {"tunnel_id": (1, 1)},
    {"eth_type": 0x0806},
    {"eth_type": 0x0806, "arp_op": 1, "arp_tpa": "10.0.0.1"},
    {"eth_type": 0x86DD, "ip_proto": 58, "icmpv6_type": 135},
]
_HINT = re.compile(r"load:0x([0-9a-f]+)->NXM_NX_REG([12])\[")


@define
class Bridge:
    """A bridge with all kinds of ports, one control socket, and what it was given."""

    ovs: OpenVSwitch
    control: socket.socket
    given: list[Encoded] = field(factory=list)

    @classmethod
    def start(cls) -> "Bridge":
        """Start an Open vSwitch."""
        ovs = OpenVSwitch.start()
        words = ["add-br", "br0", "--", "set", "bridge", "br0"]
        words += ["datapath_type=dummy", "fail_mode=secure"]
        for n in (*PORTS, *UPLINKS, 11):
            words += ["--", "add-port", "br0", f"p{n}", "--", "set", "interface"]
            words += [f"p{n}", "type=dummy", f"ofport_request={n}"]
        words += ["--", "add-port", "br0", "tun", "--", "set", "interface", "tun"]
        words += ["type=vxlan", "options:key=flow", "options:remote_ip=flow"]
        words += ["options:local_ip=127.0.0.1", f"ofport_request={TUNNEL}"]
        ovs.vsctl(*words)
        control = socket.socket(socket.AF_UNIX)
        control.settimeout(60)
        control.connect(str(ovs.rundir / "vswitchd.ctl"))
        return cls(ovs, control)

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
        steps = [messages.remove_flow(n, flow) for n, flow in enumerate(self.given)]
        steps += [messages.add_flow(500 + n, flow) for n, flow in enumerate(flows)]
        replies = self.converse(
            messages.open_bundle(900, 7),
            *(messages.bundled(7, step) for step in steps),
            messages.commit_bundle(901, 7),
            messages.read_flows(902),
        )
        self.given = flows
        held = [
            Encoded(*entry)
            for frame in replies
            if frame[1] == of.OFPT_MULTIPART_REPLY
            for entry in messages.entries(frame)
        ]
        hidden = [flow for flow in flows if flow.cookie >> 56 == LEARNED_TAG]
        assert len(held) + len(hidden) == len(flows)
        return held

    def converse(self, *frames: bytes) -> list[bytes]:
        """Speak OpenFlow."""
        replies = converse(str(self.ovs.rundir / "br0.mgmt"), *frames)
        errors = [frame for frame in replies if frame[1] == of.OFPT_ERROR]
        assert not errors, errors
        return replies

    def trace(
        self, frame: Frame, networks: dict[Gate, int]
    ) -> tuple[Frame, list[Gate]]:
        """Ask where a frame goes out, and what the switch's hint was."""
        said = said_of(frame)
        told = self.ask("ofproto/trace", "br0", _spec(said))
        loads = dict.fromkeys(_HINT.findall(told))
        number = sum(int(n, 16) | (int(r) - 1) << 32 for n, r in loads)
        rest = frame.rest & ~HINT.bits | number << HINT.shift
        bare = msgspec.structs.replace(frame, vlan=0)
        out = [
            plain(exit_of(sent, bare, networks))
            for sent in _sent(evolve(said, vlan=None), told)
        ]
        return msgspec.structs.replace(frame, rest=rest), out

    def suppose(self, frame: Frame, networks: dict[Gate, int]) -> list[Gate]:
        """Ask where a frame goes out if the switch had learned its hint."""
        lesson = foreign(31, 65_535, apply(*hint(frame)))
        self.converse(messages.add_flow(1, lesson))
        out = self.trace(frame, networks)[1]
        self.converse(messages.remove_flow(1, lesson))
        return out


def some_flow(random: Random, priority: int) -> Encoded:
    """Make a flow of any form that the verifier understands."""
    table = random.choice([0, 0, 1, 2, 3])
    match: dict[str, object] = {}
    if random.random() < (0.7 if table == 0 else 0.2):
        match["in_port"] = random.choice(OUT)
    for name in ("eth_dst", "eth_src"):
        if random.random() < 0.3:
            addresses = ADDRESSES if name == "eth_src" else DESTINATIONS
            match[name] = (text(random.choice(addresses)), random.choice(MASKS))
    if table and random.random() < 0.6:
        match["metadata"] = (
            random.choice(WORDS),
            random.choice([*WORDS, (1 << 64) - 1]),
        )
    if random.random() < 0.3:
        match |= random.choice(OTHERS)
    if table > 1 and random.random() < 0.3:
        match |= random.choice([{"reg1": 1}, {"reg1": 2}, {"reg2": _PEER}])
    actions = some_actions(random, table)
    if match.get("vlan_vid") and random.random() < 0.5:  # else it would be refused
        actions.insert(0, parser.OFPActionPopVlan())
    deeds = [apply(*actions)] if actions else []
    if random.random() < 0.5:
        deeds.append(
            write(random.choice(WORDS), random.choice([*WORDS, 0xFF, (1 << 64) - 1]))
        )
    if table < 3 and random.random() < 0.7:
        deeds.append(goto(random.randint(table + 1, 3)))
    return foreign(table, priority, *deeds, **match)


_PEER = int.from_bytes(peer(1), "big")


def some_actions(random: Random, table: int) -> list[parser.OFPAction]:
    """Make actions; only in one table do flows ask for hints."""
    actions: list[parser.OFPAction] = []
    if table == 1 and random.random() < 0.5:
        actions.append(parser.NXActionResubmitTable(0xFFF8, 31))
    if random.random() < 0.2:
        actions.append(parser.OFPActionSetField(eth_dst=text(random.choice(ADDRESSES))))
    if random.random() < 0.2:
        actions.append(parser.OFPActionSetField(tunnel_id=random.randint(1, 3)))
        actions.append(parser.OFPActionSetField(tun_ipv4_dst="192.0.2.1"))
    is_tagged = random.random() < 0.2
    if is_tagged:
        tag = random.choice([0x1064, 0x10C8])
        actions.append(parser.OFPActionPushVlan(0x8100))
        actions.append(parser.OFPActionSetField(vlan_vid=tag))
    if random.random() < 0.6:
        ports = random.choices(OUT, k=random.randint(1, 3))
        actions += [parser.OFPActionOutput(port, 0) for port in ports]
    return [*actions, parser.OFPActionPopVlan()] if is_tagged else actions


def some_hint(random: Random, number: int) -> Encoded:
    """Make what a switch may have learned, now or long ago, or was made to learn."""
    loads = [("reg1", random.randint(1, 10)), ("reg2", _PEER), ("reg2", _PEER + 5)]
    name, value = random.choice(loads)
    flow = foreign(
        *(31, 100 + number, apply(parser.NXActionRegLoad(31, name, value))),
        metadata=(random.randint(1, 3), 0xFFFFFFFF),
        eth_dst=text(random.choice(DESTINATIONS)),
    )
    is_hidden = random.random() < 0.5
    return (
        msgspec.structs.replace(flow, cookie=LEARNED_TAG << 56) if is_hidden else flow
    )


def some_members(random: Random) -> dict[int, Member]:
    """Make ports here and elsewhere, and now and then an uplink."""
    members: dict[int, Member] = {}
    for n in PORTS:
        known = random.choice([None, *ADDRESSES])
        ips = (ipv4(random.randint(1, 4)),) if random.random() < 0.4 else ()
        if random.random() < 0.9:
            members[n] = LocalPort(n, random.randint(1, 3), known, ips)
    if random.random() < 0.5:
        uplink = random.choice(UPLINKS)
        members[uplink_key(VLAN_SEGMENT)] = Uplink(uplink, VLAN_SEGMENT, 100)
    for n in range(random.randint(0, 5)):
        known = random.choice([None, *ADDRESSES])
        remote = RemotePort(
            peer(random.randint(1, 3)), random.randint(1, 2), known, (ipv4(n),)
        )
        members[remote_key(1, n)] = remote
    return members


Plan = tuple[list[Encoded], dict[Gate, int], dict[int, bytes]]


def plan(random: Random) -> Plan:
    """Make flows: compiled ones with a few others among them, or all of any form."""
    members = some_members(random)
    networks = networks_of(members.values(), TUNNEL)
    if random.random() < 0.5:
        flows = [encode(flow) for flow in layout_of(members, TUNNEL).plan()]
        flows = random.sample(flows, len(flows) - random.randint(0, 2))
        flows += [some_flow(random, 200 + n) for n in range(random.randint(0, 2))]
    else:
        numbers = random.sample(range(1, 100), random.randint(5, 25))
        flows = [some_flow(random, number) for number in numbers]
    flows += [some_hint(random, n) for n in range(random.randint(0, 8))]
    return flows, networks, addresses_of(members.values())


class SwitchTests(SynchronousTestCase):
    """What a real switch does with frames is what the verifier says."""

    plans = 350
    frames = 16
    seed = 20_261_122

    def setUp(self) -> None:
        """Start a switch."""
        self.bridge = Bridge.start()
        self.addCleanup(self.bridge.stop)

    def test_random_plans(self) -> None:
        """On random flows, frames go where it says, and its findings are real."""
        for number in range(self.seed, self.seed + self.plans):
            random = Random(number)  # noqa: S311  a plan that can be made again
            flows, networks, addresses = plan(random)
            held = self.bridge.replace(flows)
            verdict = verify(held, networks, addresses)
            self.assertEqual(((), ()), (verdict.doubts, verdict.ambiguities), number)
            frames = set(some_frames(random, self.frames))
            traced = dict(self.bridge.trace(frame, networks) for frame in frames)
            self.follow(held, networks, traced, number)
            self.nothing_missed(verdict, networks, traced, number)
            self.nothing_invented(verdict, networks, number)

    def follow(
        self,
        held: list[Encoded],
        networks: dict[Gate, int],
        traced: dict[Frame, list[Gate]],
        seed: int,
    ) -> None:
        """Compare with reach."""
        found = {}
        for frame, out in traced.items():
            source = source_of(frame, networks)
            if source not in found:
                found[source] = list(reach(held, source, networks))
            said = {plain(r.destination) for r in found[source] if frame in r.headers}
            self.assertEqual(said, set(out), (seed, frame))

    def nothing_missed(
        self,
        verdict: Verdict,
        networks: dict[Gate, int],
        traced: dict[Frame, list[Gate]],
        seed: int,
    ) -> None:
        """See that all is reported that some frame shows."""
        leaks = {
            (leak.source_network, plain(leak.destination)) for leak in verdict.leaks
        }
        twice = {plain(found.destination) for found in verdict.duplicates}
        transits = {plain(found.destination) for found in verdict.transits}
        network = Gates(networks).network
        for frame, out in traced.items():
            source = source_of(frame, networks)
            home = network(source)
            for gate in out:
                self.assertTrue(network(gate) == home or (home, gate) in leaks, seed)
                self.assertTrue(out.count(gate) == 1 or gate in twice, seed)
                is_inside = isinstance(source, int) or isinstance(gate, int)
                self.assertTrue(is_inside or gate in transits, seed)

    def nothing_invented(
        self, verdict: Verdict, networks: dict[Gate, int], seed: int
    ) -> None:
        """See that all that is reported is so."""
        shown = [*verdict.leaks[:8], *verdict.transits[:8], *verdict.spoofs[:8]]
        for found in (*shown, *verdict.duplicates[:8]):
            if found.frame.in_port in OUT:  # one more stands for all that do not exist
                out = self.bridge.suppose(found.frame, networks)
                times = 2 if found in verdict.duplicates else 1
                is_so = out.count(plain(found.destination)) >= times
                self.assertTrue(is_so, (seed, found, out))
        for missing in verdict.unreachable[:8]:
            out = self.bridge.suppose(missing.frame, networks)
            self.assertNotIn(missing.destination, out, seed)
