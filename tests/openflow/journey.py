# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
What becomes of one frame in a switch, by what os-ken says its flows mean.

Fields have os-ken's names and are numbers here, however they were written.
"""

from collections.abc import Callable, Mapping
from ipaddress import ip_address
from struct import calcsize, unpack_from

from attrs import define, field, frozen
from os_ken.ofproto import ofproto_v1_3 as of
from os_ken.ofproto import ofproto_v1_3_parser as parser

BROADCAST = "ff:ff:ff:ff:ff:ff"
NXAST_LEARN2 = 45
_TAGGED = of.OFPVID_PRESENT
_FIXED = "!HHHQHBxHHIHxx"
_NONE = {
    **dict.fromkeys(("eth_type", "arp_op", "arp_spa", "arp_tpa", "ip_proto"), 0),
    **dict.fromkeys(("icmpv6_type", "ipv6_nd_target", "tun_ipv4_dst"), 0),
    **dict.fromkeys(("metadata", "reg1", "reg2"), 0),
}


@frozen
class Frame:
    """A frame as it comes in; ``said`` are more fields, by os-ken's names."""

    in_port: int
    dst: str
    src: str
    tun_id: int = 0
    tun_src: str = ""
    vlan: int | None = None
    said: Mapping[str, int | str] = field(factory=dict)

    def fields(self) -> dict[str, int]:
        """Give every field as a number."""
        words = {
            "in_port": self.in_port,
            "eth_dst": self.dst,
            "eth_src": self.src,
            "tunnel_id": self.tun_id,
            "tun_ipv4_src": self.tun_src or 0,
            **self.said,
        }
        return _NONE | {name: number(name, word) for name, word in words.items()}


@frozen
class Sent:
    """A frame as it leaves; it has a tunnel only if a flow chose one."""

    port: int
    dst: str
    vlan: int | None = None
    tun_id: int = 0
    tun_dst: str = ""


def arp(in_port: int, src: str, spa: str, tpa: str, **more) -> Frame:
    """Ask everybody who has an IPv4 address."""
    said = {"eth_type": 0x0806, "arp_op": 1, "arp_spa": spa, "arp_tpa": tpa}
    return Frame(in_port, BROADCAST, src, said=said, **more)


def solicitation(in_port: int, src: str, target: str, **more) -> Frame:
    """Ask everybody who has an IPv6 address."""
    said = {"eth_type": 0x86DD, "ip_proto": 58, "icmpv6_type": 135}
    dst = "33:33:ff:00:00:01"
    return Frame(in_port, dst, src, said={**said, "ipv6_nd_target": target}, **more)


def number(name: str, word: int | str) -> int:
    """Read a field, as os-ken gives it, as a number."""
    if isinstance(word, int):
        return word
    if name.startswith("eth_"):
        return int(word.replace(":", ""), 16)
    return int(ip_address(word))


def matches(match: Mapping[str, object], fields: Mapping[str, int]) -> bool:
    """Say whether a frame is as a match asks for."""
    for name, wanted in match.items():
        words = wanted if isinstance(wanted, tuple) else (wanted,)
        value, *mask = (number(name, word) for word in words)
        if any((fields[name] ^ value) & bits for bits in mask or (-1,)):
            return False
    return True


@frozen
class Lesson:
    """What a flow wants to have learned: a flow, unless there are too many."""

    table: int
    priority: int
    cookie: int
    limit: int
    match: Mapping[str, str | tuple[int, int]]
    registers: Mapping[str, int]


@define
class Journey:
    """
    The way of one frame through the tables.

    ``lookup`` finds the instructions for it in a table.  What it teaches is for
    frames after it: Open vSwitch looks into the tables as they were at its start.
    """

    frame: Frame
    lookup: Callable[[int, Mapping[str, int]], list[parser.OFPInstruction]]
    sent: list[Sent] = field(factory=list)
    lessons: list[Lesson] = field(factory=list)
    _fields: dict[str, int] = field(init=False)
    _tags: list[int] = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._fields = self.frame.fields()
        self._tags = [] if self.frame.vlan is None else [self.frame.vlan | _TAGGED]

    def go(self, table: int | None) -> None:
        """Go through the tables from one on."""
        while table is not None:
            seen = {"vlan_vid": self._tags[-1] if self._tags else 0, **self._fields}
            instructions = self.lookup(table, seen)
            table = None
            for instruction in instructions:
                if isinstance(instruction, parser.OFPInstructionActions):
                    for action in instruction.actions:
                        self._act(action)
                elif isinstance(instruction, parser.OFPInstructionWriteMetadata):
                    self._set(
                        "metadata", instruction.metadata, instruction.metadata_mask
                    )
                else:
                    table = instruction.table_id

    def _act(self, action: parser.OFPAction) -> None:
        if isinstance(action, parser.OFPActionOutput):
            self._output(action.port)
        elif isinstance(action, parser.OFPActionPushVlan):
            self._tags.append(self._tags[-1] if self._tags else _TAGGED)
        elif isinstance(action, parser.OFPActionPopVlan):
            self._tags.pop()
        elif isinstance(action, parser.OFPActionSetField) and action.key == "vlan_vid":
            self._tags[-1] = action.value
        elif isinstance(action, parser.OFPActionSetField):
            self._set(action.key, number(action.key, action.value))
        elif isinstance(action, parser.NXActionRegLoad):
            self._load(action)
        elif isinstance(action, parser.NXActionResubmitTable):
            self.go(action.table_id)
        elif action.subtype == NXAST_LEARN2:
            self.lessons.append(self._lesson(bytes(action.data)))
        else:
            raise AssertionError(f"unexpected action {action}")

    def _set(self, name: str, value: int, mask: int = -1) -> None:
        self._fields[name] = self._fields[name] & ~mask | value & mask

    def _load(self, action: parser.NXActionRegLoad) -> None:
        first, mask = action.ofs_nbits >> 6, (2 << (action.ofs_nbits & 63)) - 1
        self._set(action.dst, action.value << first, mask << first)

    def _output(self, port: int) -> None:
        if port == self.frame.in_port:
            return
        fields = self._fields
        dst = fields["eth_dst"].to_bytes(6).hex(":")
        vlan = self._tags[-1] & ~_TAGGED if self._tags else None
        sent = Sent(port, dst, vlan)
        if fields["tun_ipv4_dst"]:
            peer = str(ip_address(fields["tun_ipv4_dst"]))
            sent = Sent(port, dst, vlan, fields["tunnel_id"], peer)
        self.sent.append(sent)

    def _lesson(self, data: bytes) -> Lesson:
        """Read ``learn`` with a limit; os-ken knows all of it but the limit."""
        (_, _, priority, cookie, _, table, _, _, limit, _) = unpack_from(_FIXED, data)
        specs, match, registers = data[calcsize(_FIXED) :], {}, {}
        while specs:
            spec, specs = parser._NXFlowSpec.parse(specs)
            if spec is None:
                continue
            value, name = spec.src, spec.dst[0].removesuffix("_nxm")
            if isinstance(value, tuple):
                value = self._fields[value[0].removesuffix("_nxm")]
            if isinstance(spec, parser.NXFlowSpecLoad):
                registers[name] = value
            else:
                is_mac = name.startswith("eth_")
                wide = (value, (1 << spec.n_bits) - 1)
                match[name] = value.to_bytes(6).hex(":") if is_mac else wide
        return Lesson(table, priority, cookie, limit, match, registers)
