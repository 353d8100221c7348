# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
The pipeline, described once, as data; `picture` draws it.

A frame that matches nothing is dropped, and no flow outputs to NORMAL, so an
empty or half-filled switch forwards too little, never too much.  A frame gets
its network in *classify*, from the port it came in by and nothing else; every
output is behind a match on that network.  Open vSwitch never outputs a frame to
the port it came in by (OpenFlow 1.3.5, section 7.2.5).
"""

from enum import IntEnum
from typing import Final

from attrs import field, frozen

FLOOD_TABLES: Final = 16
FLOOD_MEMBERS: Final = 4080
"""Outputs in one flow: 16 bytes each, and a message has at most 65,535 bytes."""


class Table(IntEnum):
    """The tables, in the order in which a frame can meet them."""

    CLASSIFY = 0
    SOURCE = 10
    POLICY = 20
    UNICAST = 30
    FLOOD = 40  # to FLOOD + FLOOD_TABLES - 1, for networks of very many ports


@frozen(eq=False)
class Shape:
    """
    A form of flow: what it matches and does, with the numbers left open.

    The open numbers are the fields of `quantum.openflow.flow.Flow` of the same
    names.  Shapes are compared by identity: there is one of each.
    """

    name: str
    table: int
    priority: int
    in_port: bool = False
    eth_dst: bool = False
    eth_src: bool = False
    metadata: bool = False
    outputs: bool = False
    write_metadata: bool = False
    goto: int | None = None
    match_fields: tuple[str, ...] = field(init=False)
    """Which fields of a `Flow` are in the match."""

    @match_fields.default
    def _match_fields(self) -> tuple[str, ...]:
        is_mac = self.eth_dst or self.eth_src
        present = (
            ("segment", self.metadata),
            ("in_port", self.in_port),
            ("mac", is_mac),
        )
        return tuple(name for name, is_there in present if is_there)


CLASSIFY = Shape(
    "classify",
    Table.CLASSIFY,
    100,
    in_port=True,
    write_metadata=True,
    goto=Table.SOURCE,
)
SOURCE_CHECKED = Shape(
    "source checked", Table.SOURCE, 100, in_port=True, eth_src=True, goto=Table.POLICY
)
SOURCE_ANY = Shape("source any", Table.SOURCE, 50, in_port=True, goto=Table.POLICY)
POLICY = Shape("policy", Table.POLICY, 0, goto=Table.UNICAST)
UNICAST = Shape(
    "unicast", Table.UNICAST, 100, eth_dst=True, metadata=True, outputs=True
)
UNKNOWN = Shape("unknown", Table.UNICAST, 1, goto=Table.FLOOD)
FLOOD = Shape("flood", Table.FLOOD, 100, metadata=True, outputs=True)
FLOOD_PARTS = tuple(
    Shape(
        f"flood part {part}",
        Table.FLOOD + part,
        100,
        metadata=True,
        outputs=True,
        goto=Table.FLOOD + part + 1,
    )
    for part in range(FLOOD_TABLES - 1)
)
FLOOD_LASTS = (
    FLOOD,
    *(
        Shape(
            f"flood last {part}",
            Table.FLOOD + part,
            100,
            metadata=True,
            outputs=True,
        )
        for part in range(1, FLOOD_TABLES)
    ),
)
SHAPES = (
    CLASSIFY,
    SOURCE_CHECKED,
    SOURCE_ANY,
    POLICY,
    UNICAST,
    UNKNOWN,
    *FLOOD_PARTS,
    *FLOOD_LASTS,
)


def picture() -> str:
    """Draw the tables, one line per shape; the parts of large floods are left out."""
    rows = [("table", "priority", "match", "what is done")]
    for shape in SHAPES:
        if shape.table <= Table.FLOOD and shape not in FLOOD_PARTS:
            name = f"{shape.table} {Table(shape.table).name.lower()}"
            rows.append((name, str(shape.priority), _match(shape), _deeds(shape)))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = (
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        for row in rows
    )
    return "\n".join(line.rstrip() for line in lines)


def _match(shape: Shape) -> str:
    fields = ("in_port", "eth_dst", "eth_src", "metadata")
    return ", ".join(name for name in fields if getattr(shape, name)) or "any frame"


def _deeds(shape: Shape) -> str:
    deeds = ["metadata = network"] * shape.write_metadata + ["output"] * shape.outputs
    if shape.goto is not None:
        deeds.append(f"go to {shape.goto}")
    return ", ".join(deeds)
