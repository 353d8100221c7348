# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""Flows that our compiler would not write, in os-ken's bytes."""

from collections.abc import Iterable

from os_ken.ofproto import ofproto_v1_3 as of
from os_ken.ofproto import ofproto_v1_3_parser as parser

from quantum.openflow.flow import COOKIE_TAG, Encoded

from .journey import Frame, matches
from .table import DATAPATH, Table

ALL = (1 << 64) - 1


def foreign(table: int, priority: int, *instructions, **match) -> Encoded:
    """Write any flow."""
    mod = parser.OFPFlowMod(
        DATAPATH,
        table_id=table,
        priority=priority,
        match=parser.OFPMatch(**match),
        instructions=list(instructions),
    )
    mod.set_xid(1)
    mod.serialize()
    return Encoded(table, priority, COOKIE_TAG << 56, bytes(mod.buf)[48:])


def output(*ports: int) -> parser.OFPInstruction:
    """Send frames out by ports."""
    return apply(*(parser.OFPActionOutput(port, 0) for port in ports))


def apply(*actions: parser.OFPAction) -> parser.OFPInstruction:
    """Do anything at all."""
    return parser.OFPInstructionActions(of.OFPIT_APPLY_ACTIONS, list(actions))


def goto(table: int) -> parser.OFPInstruction:
    """Go on in another table."""
    return parser.OFPInstructionGotoTable(table)


def write(value: int, mask: int = ALL) -> parser.OFPInstruction:
    """Write metadata."""
    return parser.OFPInstructionWriteMetadata(value, mask)


def holding(flows: Iterable[Encoded]) -> Table:
    """Make a switch that holds some flows."""
    table = Table()
    table.hold(flows)
    return table


def is_undefined(table: Table, in_port: int, dst: str, src: str) -> bool:
    """Say whether flows of one priority do different things with a frame."""
    fields = {"vlan_vid": 0, **Frame(in_port, dst, src).fields()}
    number: int | None = 0
    while number is not None:
        found = [
            (priority, str(entry.instructions), entry)
            for (where, priority, _), entry in table.entries.items()
            if where == number and matches(entry.match, fields)
        ]
        best = max((priority for priority, _, _ in found), default=0)
        tops = [(deeds, entry) for priority, deeds, entry in found if priority == best]
        if len({deeds for deeds, _ in tops}) > 1:
            return True
        number = None
        for instruction in tops[0][1].instructions if tops else ():
            if isinstance(instruction, parser.OFPInstructionWriteMetadata):
                fields["metadata"] = instruction.metadata
            elif isinstance(instruction, parser.OFPInstructionGotoTable):
                number = instruction.table_id
    return False
