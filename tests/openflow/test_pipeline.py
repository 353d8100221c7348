# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""The pipeline as data: what must be true of any of its shapes."""

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from quantum.openflow.pipeline import SHAPES, Deed, Match, Table, picture

OUTWARD = {Deed.TO_PEERS, Deed.TO_UPLINK}
OUTPUTS = {Deed.OUTPUT, *OUTWARD}
TO_SEGMENT = {Deed.TO_SEGMENT, Deed.TO_SEGMENT_FROM_OUTSIDE}
NETWORK = {Match.SEGMENT, Match.FROM_HERE}


class ShapeTests(SynchronousTestCase):
    """What makes isolation true, whatever the numbers."""

    def test_outputs_are_behind_a_network(self) -> None:
        """No shape outputs a frame without a match on its network."""
        for shape in SHAPES:
            if OUTPUTS & {*shape.deeds}:
                self.assertTrue(NETWORK & {*shape.match}, shape.name)

    def test_no_loops(self) -> None:
        """No shape sends to other machines but what came in by a port of this one."""
        for shape in SHAPES:
            if OUTWARD & {*shape.deeds}:
                self.assertIn(Match.FROM_HERE, shape.match, shape.name)

    def test_network_comes_from_the_port(self) -> None:
        """A network is given in the first table, by the port, and nowhere else."""
        for shape in SHAPES:
            is_first = shape.table == Table.CLASSIFY
            self.assertEqual(is_first, bool(TO_SEGMENT & {*shape.deeds}), shape.name)
            self.assertTrue(Match.IN_PORT in shape.match or not is_first, shape.name)

    def test_outside_is_marked(self) -> None:
        """What tells its network itself, by a number in it, came from outside."""
        for shape in SHAPES:
            tells = bool({Match.TUNNEL_ID, Match.VLAN} & {*shape.match})
            marks = Deed.TO_SEGMENT_FROM_OUTSIDE in shape.deeds
            self.assertEqual(tells, marks, shape.name)

    def test_tenant_tags_stay(self) -> None:
        """No frame that a tenant tagged leaves by an uplink."""
        for shape in SHAPES:
            if Deed.TO_UPLINK in shape.deeds:
                self.assertIn(Match.UNTAGGED, shape.match, shape.name)

    def test_hints_are_checked(self) -> None:
        """Hints are used in one table, and only by outputs within a network."""
        for shape in SHAPES:
            if {Match.HINT_PORT, Match.HINT_PEER} & {*shape.match}:
                self.assertEqual(Table.HINTED, shape.table, shape.name)
                self.assertTrue(OUTPUTS & {*shape.deeds}, shape.name)
            self.assertNotEqual(Table.HINTS, shape.table, shape.name)

    def test_forwards(self) -> None:
        """A frame never goes back to an earlier table."""
        for shape in SHAPES:
            self.assertTrue(shape.goto is None or shape.goto > shape.table, shape.name)

    def test_many_outputs_are_alone(self) -> None:
        """What outputs to any number of places does no other action."""
        actions = {*Deed} - TO_SEGMENT
        for shape in SHAPES:
            if {Deed.OUTPUT, Deed.TO_PEERS} & {*shape.deeds}:
                self.assertEqual(1, len(actions & {*shape.deeds}), shape.name)

    def test_picture(self) -> None:
        """The documentation shows the pipeline as it is."""
        page = Path(__file__).parents[2] / "docs/architecture.md"
        self.assertIn(picture(), page.read_text(encoding="utf-8"))
