# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""The pipeline as data: what must be true of any of its shapes."""

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from quantum.openflow.pipeline import SHAPES, Table, picture


class ShapeTests(SynchronousTestCase):
    """What makes isolation true, whatever the numbers."""

    def test_outputs_are_behind_a_network(self) -> None:
        """No shape outputs a frame without a match on its network."""
        for shape in SHAPES:
            self.assertTrue(shape.metadata or not shape.outputs, shape.name)

    def test_network_comes_from_the_port(self) -> None:
        """A network is given in the first table, by the port, and nowhere else."""
        for shape in SHAPES:
            is_first = shape.table == Table.CLASSIFY
            self.assertEqual(is_first, shape.write_metadata, shape.name)
            self.assertTrue(shape.in_port or not is_first, shape.name)

    def test_forwards(self) -> None:
        """A frame never goes back to an earlier table."""
        for shape in SHAPES:
            self.assertTrue(shape.goto is None or shape.goto > shape.table, shape.name)

    def test_picture(self) -> None:
        """The documentation shows the pipeline as it is."""
        page = Path(__file__).parents[2] / "docs/architecture.md"
        self.assertIn(picture(), page.read_text(encoding="utf-8"))
