# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""Whose something is, when several say that they have it."""

from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from attrs import define, field

Thing = TypeVar("Thing", bound=Hashable)
Claimant = TypeVar("Claimant", bound=Hashable)


@define
class Claims(Generic[Thing, Claimant]):
    """
    The claimants of each thing; the first one has it.

    They stand in the order in which they came, except that one in reach takes
    the place of one out of reach, and keeps it.
    """

    _is_in_reach: Callable[[Claimant], bool]
    _first: dict[Thing, Claimant] = field(factory=dict)
    _others: dict[Thing, tuple[Claimant, ...]] = field(factory=dict)
    """The claimants besides the first one, where there are any: they are rare."""

    def add(self, thing: Thing, claimant: Claimant) -> None:
        """Take note of a claim."""
        if self._first.setdefault(thing, claimant) != claimant:
            others = self._others.get(thing, ())
            if claimant not in others:
                self._others[thing] = (*others, claimant)

    def remove(self, thing: Thing, claimant: Claimant) -> None:
        """Take note that a claim is given up."""
        self._put(thing, tuple(c for c in self.claimants(thing) if c != claimant))

    def claimants(self, thing: Thing) -> tuple[Claimant, ...]:
        """List who claims a thing; the first one has it."""
        if thing not in self._first:
            return ()
        others = self._others.get(thing, ())
        return (self._first[thing], *others) if others else (self._first[thing],)

    def settle(self, thing: Thing) -> tuple[Claimant, ...]:
        """Let the first in reach have a thing; list who claims it."""
        claimants = self.claimants(thing)
        if len(claimants) > 1 and not self._is_in_reach(claimants[0]):
            # The sort is stable: otherwise they keep their order.
            claimants = tuple(sorted(claimants, key=lambda c: not self._is_in_reach(c)))
            self._put(thing, claimants)
        return claimants

    def _put(self, thing: Thing, claimants: tuple[Claimant, ...]) -> None:
        """Let a thing have these claimants."""
        self._first.pop(thing, None)
        self._others.pop(thing, None)
        if claimants:
            self._first[thing], *others = claimants
            if others:
                self._others[thing] = tuple(others)
