# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
The three notations of "these rows changed", as one.

``update`` (RFC 7047, 4.1.6) gives whole rows; ``update2`` and ``update3``
(ovsdb-server(7), 4.1.13 to 4.1.15) give differences.  A row is decoded only
when it is asked for, so that a large dump can be taken in small bites.
"""

from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from quantum.channel.ovsdb.faults import Misspoken

Columns = dict[str, Any]


class RowUpdate(Struct):
    """What is said of one row; exactly one of these, or ``old`` with ``new``."""

    initial: Columns | UnsetType = UNSET
    insert: Columns | UnsetType = UNSET
    modify: Columns | UnsetType = UNSET
    delete: Raw | UnsetType = UNSET
    old: Raw | UnsetType = UNSET
    new: Columns | UnsetType = UNSET

    @property
    def whole(self) -> Columns | None:
        """The whole row, if that is what is said; defaults may be left out."""
        for columns in (self.initial, self.insert, self.new):
            if columns is not UNSET:
                return columns
        return None

    @property
    def difference(self) -> Columns | None:
        """What is different in the row, if that is what is said."""
        return None if self.modify is UNSET else self.modify

    @property
    def is_gone(self) -> bool:
        """The row was deleted."""
        return self.delete is not UNSET or (self.old is not UNSET and self.new is UNSET)


_parts = msgspec.json.Decoder(dict[str, Raw])
_row = msgspec.json.Decoder(RowUpdate)


def rows(table_updates: Raw) -> Iterator[tuple[str, str, RowUpdate]]:
    """
    List the table, UUID and update of every row.

    :raise Misspoken: It is not what an OVSDB server would write.
    """
    try:
        for table, updates in _parts.decode(table_updates).items():
            for row, update in _parts.decode(updates).items():
                yield table, row, _row.decode(update)
    except (ValueError, RecursionError) as problem:
        raise Misspoken(f"an update cannot be understood: {problem}") from None
