# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""All flows of a switch: read, compared with a plan, and put right."""

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Final

from attrs import define, field

from quantum.openflow import messages
from quantum.openflow.bundle import Bundle
from quantum.openflow.comparison import Comparison
from quantum.openflow.flow import Flow, encode
from quantum.openflow.talk import THINKING, WAITING, Talk

BREATH: Final = 50
"""Flows compiled between two breaths: well under 0.5 ms."""


@define
class Inspection:
    """
    One reading; the plan is compiled while the switch answers.

    One that ``gives_way`` ends early, and nothing is put right.
    """

    xid: int
    """The transaction id of the reading."""
    _plan: Iterator[Flow]
    _gives_way: Callable[[], bool]
    wanted: int = 0
    """How many flows the plan has, when the repair is written."""
    found: int = 0
    """How many flows the switch had, when the repair is written."""
    _comparison: Comparison = field(factory=Comparison)

    @property
    def is_complete(self) -> bool:
        """Everything was read and compared."""
        return self._comparison.is_complete

    @property
    def is_blank(self) -> bool:
        """The switch has no flow of ours."""
        return self._comparison.is_blank

    def receive(self, frame: bytes) -> None:
        """Take a frame of the switch's answer."""
        self._comparison.receive(frame)

    def read(self) -> Talk:
        """
        Read and compare.

        What remains of the plan when the switch turns out blank is missing too.
        """
        comparison = self._comparison
        yield messages.read_flows(self.xid)
        while not (comparison.is_blank or self._gives_way()):
            some = list(islice(self._plan, BREATH))
            comparison.want(some)
            if len(some) < BREATH:
                break
            yield THINKING
        while not (comparison.is_complete or self._gives_way()):
            if comparison.has_frames:
                comparison.compare()
            if not comparison.is_complete:
                yield THINKING if comparison.has_frames else WAITING

    def remove(self, bundle: Bundle) -> Talk:
        """Write that stale flows are removed."""
        self.found = len(self._comparison.stale)
        for stale in self._comparison.stale:
            bundle.remove(None, stale)
            if bundle.is_full_chunk:
                yield bundle.take()

    def add(self, bundle: Bundle) -> Talk:
        """Write that missing flows are added, after `remove`."""
        comparison = self._comparison
        self.wanted = comparison.count
        self.found += comparison.count
        for flow, wanted in comparison.missing():
            self.found -= 1
            bundle.add(flow, wanted)
            if bundle.is_full_chunk:
                yield bundle.take()
        for flow in self._plan:
            self.wanted += 1
            bundle.add(flow, encode(flow))
            if bundle.is_full_chunk:
                yield bundle.take()
