# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
What every recorded change can be asked.

A write is a value: it says which statements record it, what proves that they
did, what the catalogue looks like afterwards, and what to tell the fabric.
Nothing here executes, waits or remembers; the writes themselves are in
`quantum.storage.network_writes` and `quantum.storage.port_writes`.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

from attrs import frozen
from msgspec import Struct
from sqlalchemy import Executable, Select

from quantum.errors import QuantumError, RecordFailed
from quantum.model import Change
from quantum.storage.catalogue import Catalogue


class Step(Struct, frozen=True):
    """One statement, and how many rows it must change (None: any number)."""

    statement: Executable
    parameters: Mapping[str, object]
    rows: int | None = None


@frozen
class Evidence:
    """
    What is read to learn whether a write was committed.

    ``path`` names what was written, the widest part first; a later write of the
    same thing, or of something wider, makes the evidence void.
    """

    path: tuple[str, ...]
    query: Select[Any]
    expected: tuple[object, ...] | None


class Write(ABC):
    """One change that a tenant or a fabric asked to be recorded."""

    __slots__ = ()

    @property
    @abstractmethod
    def key(self) -> str:
        """What is edited: a network's or port's id, for example."""

    @abstractmethod
    def steps(self) -> Sequence[Step]:
        """The statements that record it, each valid whatever else is recorded."""

    @abstractmethod
    def evidence(self) -> Evidence:
        """What proves that it was committed."""

    @abstractmethod
    def publish(self, catalogue: Catalogue) -> tuple[Change | None, object]:
        """
        Show a committed write to readers.

        :return: What to tell the fabric, if anything changed, and the answer to
            whoever asked.
        """

    @property
    def change(self) -> Change | None:
        """What the fabric is asked to admit."""
        return None

    @property
    def before(self) -> object:
        """What is edited, as it was when the write was drafted."""
        return None

    @property
    def is_idle(self) -> bool:
        """Say whether it would leave everything as it is."""
        return self.before is not None and self.edited(self.before) is self.before

    def edited(self, value: Any) -> Any:
        """What becomes of the network or port that ``key`` names."""
        return value

    def conflict(self) -> QuantumError:
        """What to answer when a constraint of the database forbids it."""
        return RecordFailed("it contradicts what is recorded")

    def overtaken(self) -> QuantumError:
        """What to answer when what it would change is no longer as it was."""
        return RecordFailed("what it would change was changed meanwhile")
