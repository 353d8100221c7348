# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""Frames counted: what was to arrive, what did, and what should not have."""

from attrs import frozen


@frozen
class Tally:
    """Numbers of frames, answers to pings included."""

    expected: int = 0
    arrived: int = 0
    """Of those that were expected, how many came, counted once each."""
    leaked: int = 0
    """Frames that came where they must not."""
    repeated: int = 0

    @property
    def lost(self) -> int:
        """How many of those that were expected never came."""
        return self.expected - self.arrived

    @property
    def is_right(self) -> bool:
        """Whether all came that should have, once, and nothing else."""
        return not (self.lost or self.leaked or self.repeated)

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(
            self.expected + other.expected,
            self.arrived + other.arrived,
            self.leaked + other.leaked,
            self.repeated + other.repeated,
        )
