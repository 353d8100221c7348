# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""Garbage is looked for seldom, but found."""

import gc

from twisted.trial.unittest import SynchronousTestCase

from quantum.garbage import collect_seldom


class GarbageTests(SynchronousTestCase):
    """In a process that has started."""

    def setUp(self) -> None:
        self.addCleanup(gc.set_threshold, *gc.get_threshold())
        self.addCleanup(gc.unfreeze)
        collect_seldom()

    def test_spared(self) -> None:
        """What there is already is looked at no more."""
        self.assertGreater(gc.get_freeze_count(), 10_000)
        self.assertLess(len(gc.get_objects()), 1_000)

    def test_found(self) -> None:
        """What comes later and refers to itself only is found by and by."""
        youngest, middle, _ = gc.get_threshold()
        collections = gc.get_stats()[1]["collected"]
        for _ in range(2 * youngest * middle):
            loop: list[object] = []
            loop.append(loop)
        del loop
        gc.collect(1)
        self.assertLess(collections, sum(s["collected"] for s in gc.get_stats()))
        self.assertLess(len(gc.get_objects()), 2_000)
