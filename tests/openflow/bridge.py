# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""A bridge of a real Open vSwitch: takes our bytes, and says where a frame goes."""

import re
from collections.abc import Iterable, Iterator
from itertools import zip_longest

from attrs import define, evolve, field
from os_ken.ofproto import ofproto_v1_3 as of

from quantum.openflow import messages
from quantum.openflow.flow import COOKIE_TAG, LEARNED_TAG, Encoded
from tests.lab.openflow import converse
from tests.lab.ovs import OpenVSwitch

from .journey import Frame, Sent

NAME = "br-int"
_STEP = re.compile(
    r"^ *(?:output:(?P<port>\d+)"
    r"|set_field:(?P<value>\S+)->(?P<name>\w+)"
    r"|(?P<push>push_vlan):0x8100"
    r"|(?P<pop>pop_vlan)"
    r"|>> (?P<skipped>skipping output to input port))$",
    re.MULTILINE,
)


@define
class Bridge:
    """One bridge with some ports; ``switch`` is to be stopped by whoever made it."""

    switch: OpenVSwitch
    _held: list[Encoded] = field(factory=list)

    @classmethod
    def start(cls, ports: Iterable[int]) -> "Bridge":
        """Start a private Open vSwitch with one bridge."""
        switch = OpenVSwitch.start()
        words = ["add-br", NAME, "--", "set", "bridge", NAME]
        words += ["datapath_type=dummy", "fail_mode=secure"]
        for port in ports:
            words += ["--", "add-port", NAME, f"p{port}", "--", "set", "interface"]
            words += [f"p{port}", "type=dummy", f"ofport_request={port}"]
        switch.vsctl(*words)
        return cls(switch)

    def hold(self, flows: Iterable[Encoded]) -> list[Encoded]:
        """Hold some flows, no others, and its hints; what it says it holds."""
        mods = [messages.remove_flow(4, flow) for flow in self._held]
        mods += [messages.add_flow(4, flow) for flow in flows]
        replies = self._converse(
            messages.open_bundle(3, 3),
            *(messages.bundled(3, mod) for mod in mods),
            messages.commit_bundle(98, 3),
            messages.read_flows(99),
        )
        self._held = [*_entries(replies)]
        return self._held

    def forget(self) -> None:
        """Forget every hint."""
        self.switch.ofctl("del-flows", NAME, f"cookie={LEARNED_TAG << 56}/{0xFF << 56}")

    def hints(self) -> list[str]:
        """List what was learned, in the words of ``ovs-ofctl``."""
        tag = f"cookie={LEARNED_TAG:#x}"
        return [line for line in self.switch.flows(NAME) if line.startswith(tag)]

    def send(self, frame: Frame) -> list[Sent]:
        """Say by which ports a frame leaves, and what it is then; learn from it."""
        text = self.switch.appctl("ofproto/trace", NAME, _spec(frame), "-generate")
        return [*_sent(frame, text)]

    def pass_time(self, seconds: int) -> None:
        """Let simulated time pass, in small steps; real time counts no more."""
        self.switch.appctl("time/stop")
        self.switch.appctl("time/warp", str(seconds * 1000), "5000")

    def _converse(self, *frames: bytes) -> list[bytes]:
        replies = converse(str(self.switch.rundir / f"{NAME}.mgmt"), *frames)
        refused = [reply for reply in replies if reply[1] == of.OFPT_ERROR]
        assert not refused, refused
        return replies


def _entries(replies: Iterable[bytes]) -> Iterator[Encoded]:
    for reply in replies:
        if reply[1] == of.OFPT_MULTIPART_REPLY:
            for entry in messages.entries(reply):
                assert entry[2] >> 56 == COOKIE_TAG
                yield Encoded(*entry)


_NAMES = {
    "eth_type": "dl_type",
    "ip_proto": "nw_proto",
    "ipv6_nd_target": "nd_target",
}


def _spec(frame: Frame) -> str:
    """Say a frame in Open vSwitch's words."""
    words = {"in_port": frame.in_port, "dl_src": frame.src, "dl_dst": frame.dst}
    if frame.tun_id:
        words |= {"tun_id": frame.tun_id, "tun_src": frame.tun_src}
    if frame.vlan is not None:
        words["dl_vlan"] = frame.vlan
    said = {"eth_type": 0x1234, **frame.said}
    words |= {_NAMES.get(name, name): word for name, word in said.items()}
    return ",".join(f"{name}={word}" for name, word in words.items())


def _sent(frame: Frame, text: str) -> Iterator[Sent]:
    """Read a trace: what is set from step to step, and what goes out."""
    now, tun_id, steps = Sent(0, frame.dst, frame.vlan), 0, [*_STEP.finditer(text)]
    for step, after in zip_longest(steps, steps[1:]):
        name, value = step["name"], step["value"]
        if name == "eth_dst":
            now = evolve(now, dst=value)
        elif name == "tun_id":
            tun_id = int(value, 0)
        elif name == "tun_dst":
            now = evolve(now, tun_id=tun_id, tun_dst=value)
        elif name == "vlan_vid":
            now = evolve(now, vlan=int(value, 0) & 0xFFF)
        elif step["pop"]:
            now = evolve(now, vlan=None)
        elif step["port"] and not (after and after["skipped"]):
            yield evolve(now, port=int(step["port"]))
