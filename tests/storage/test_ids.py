# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""Tests of ids."""

from time import time
from uuid import RFC_4122, UUID

from twisted.trial.unittest import SynchronousTestCase

from quantum.storage.ids import new_id


class NewIds(SynchronousTestCase):
    """What an id is."""

    def test_uuid(self):
        """An id is a UUID of version 7, in the usual spelling."""
        for made in [new_id() for _ in range(100)]:
            self.assertEqual(made, str(UUID(made)))
            self.assertEqual((7, RFC_4122), (UUID(made).version, UUID(made).variant))

    def test_begins_with_the_time(self):
        """The first 48 bits are the milliseconds since 1970."""
        before = int(time() * 1000)
        made = UUID(new_id()).int >> 80
        self.assertTrue(before <= made <= int(time() * 1000), made)

    def test_unique(self):
        """Ids of the same millisecond differ, in each bit that may be random."""
        made = [UUID(new_id()).int for _ in range(1000)]
        self.assertEqual(1000, len(set(made)))
        varying = 0
        for number in made:
            varying |= number ^ made[0]
        self.assertEqual(0x0FFF_3FFF_FFFF_FFFF_FFFF, varying & (1 << 80) - 1)
