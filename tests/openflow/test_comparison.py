# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""What a switch says it has is held against what it should have, piece by piece."""

from twisted.trial.unittest import SynchronousTestCase

from quantum.openflow.comparison import PIECE, Comparison
from quantum.openflow.flow import Flow, encode
from quantum.openflow.pipeline import UNICAST
from tests.lab.speaker import Speaker, Table

READ = b"\0\1" + bytes(6) + b"\xff" + bytes(31)


def flows(count: int) -> list[Flow]:
    """Make flows to so many addresses."""
    return [Flow(UNICAST, 7, 0, n.to_bytes(6), (n,)) for n in range(1, count + 1)]


def frame(installed: list[Flow]) -> bytes:
    """Make the one frame with which a switch tells its flows."""
    table = Table()
    for flow in installed:
        found = encode(flow)
        place = (found.table, found.priority, found.body)
        table.flows[place] = (found.cookie, b"")
    return Speaker(1, table=table).statistics(5, READ)


class PiecesTests(SynchronousTestCase):
    """One frame of more flows than are compared at a time."""

    def test_pieces(self) -> None:
        """Each time some are compared; nothing is missed where two pieces meet."""
        comparison = Comparison()
        comparison.want(flows(3 * PIECE + 2))
        comparison.receive(frame(flows(3 * PIECE + 5)[1:]))
        pieces = 0
        while not comparison.is_complete:
            comparison.compare()
            pieces += 1
        self.assertEqual(4, pieces)
        self.assertEqual(flows(1), [flow for flow, _ in comparison.missing()])
        unwanted = flows(3 * PIECE + 5)[-3:]
        self.assertEqual(list(map(encode, unwanted)), comparison.stale)

    def test_whole_pieces(self) -> None:
        """A frame of just so many flows is not waited for any longer."""
        comparison = Comparison()
        comparison.want(flows(PIECE))
        comparison.receive(frame(flows(PIECE)))
        comparison.receive(frame([]))
        for _ in range(3):
            self.assertFalse(comparison.is_complete)
            comparison.compare()
        self.assertTrue(comparison.is_complete)
        self.assertEqual(([], []), (comparison.stale, list(comparison.missing())))

    def test_told_twice(self) -> None:
        """A flow that the switch tells twice is there once, and stays."""
        comparison = Comparison()
        comparison.want(flows(PIECE))
        for _ in range(2):
            comparison.receive(frame(flows(PIECE + 1)))
        while not comparison.is_complete:
            comparison.compare()
        unwanted = encode(flows(PIECE + 1)[-1])
        self.assertEqual({unwanted}, set(comparison.stale))
        self.assertEqual([], list(comparison.missing()))

    def test_broken(self) -> None:
        """What cannot be understood is said to be so, in whichever piece it is."""
        comparison = Comparison()
        comparison.receive(frame(flows(PIECE + 1))[:-1])
        comparison.compare()
        self.assertRaises(ValueError, comparison.compare)
