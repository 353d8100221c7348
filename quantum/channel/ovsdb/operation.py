# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""The operations of a transaction (RFC 7047, 5.2), and who repairs what with them."""

from collections.abc import Iterable, Mapping
from typing import Any

from attrs import define, field

from quantum.channel.ovsdb import values

Operation = dict[str, Any]


@define
class Repair:
    """What makes one thing right, and what the operator must know."""

    subject: str = ""
    """What is made right; tried again ever more slowly if that does not last."""
    operations: list[Operation] = field(factory=list)
    """One transaction; empty when there is nothing to do."""
    complaints: list[str] = field(factory=list)
    """What is wrong now, in plain words."""
    doubts: list[str] = field(factory=list)
    """What is wrong if it lasts."""
    retreat: list[Operation] = field(factory=list)
    """What undoes what was only tried, as it came to nothing."""
    is_done: bool = False
    """It is there, and works."""


def wait(
    table: str, where: list[list[Any]], columns: list[str], rows: list[dict[str, Any]]
) -> Operation:
    """Let the transaction fail, as a lost race, unless these are the rows now."""
    return {
        "op": "wait",
        "table": table,
        "where": where,
        "columns": columns,
        "until": "==",
        "rows": rows,
        "timeout": 0,
    }


def insert(table: str, row: dict[str, Any], name: str) -> Operation:
    """Make a row that the transaction's other operations call by a name."""
    return {"op": "insert", "table": table, "row": row, "uuid-name": name}


def update(table: str, row: bytes, columns: dict[str, Any]) -> Operation:
    """Give columns new values."""
    return {"op": "update", "table": table, "where": [is_row(row)], "row": columns}


def mutate(table: str, row: bytes, *mutations: list[Any]) -> Operation:
    """Put elements into columns, or take them away."""
    return {
        "op": "mutate",
        "table": table,
        "where": [is_row(row)],
        "mutations": list(mutations),
    }


def is_row(row: bytes) -> list[Any]:
    """Mean one row."""
    return ["_uuid", "==", values.reference(row)]


def made(*names: str) -> list[Any]:
    """Refer to rows that the same transaction inserts."""
    return values.as_set([["named-uuid", name] for name in names])


def pairs(content: Mapping[str, str]) -> list[Any]:
    """Write a map."""
    return ["map", [[key, value] for key, value in content.items()]]


def keys(names: Iterable[str]) -> list[Any]:
    """Write keys that a map shall lose."""
    return values.as_set(sorted(names))
