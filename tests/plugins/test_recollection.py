# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""What was seen last survives the process that saw it."""

from pathlib import Path
from tempfile import TemporaryDirectory

from twisted.internet.defer import maybeDeferred
from twisted.trial.unittest import SynchronousTestCase

from quantum.openflow.facts import SeenInterface, Underlay
from quantum.plugins.openvswitch.recollection import (
    Recollection,
    Recollections,
    read_all,
)

SEEN = Recollection(
    0xAB,
    "hv1",
    Underlay(b"\x0a\x00\x00\x01", 65000, (("external", 7),), 1500),
    (
        SeenInterface("tap1", "vif-1", 1, b"\x02\x00\x00\x00\x00\x01"),
        SeenInterface("tap2", "vif-2", 0, None, "it is odd", (b"\x0a\x01\x01\x01",)),
    ),
)


class RecollectionsTests(SynchronousTestCase):
    """Files of switches."""

    def setUp(self):
        """Make a folder that does not exist yet."""
        home = TemporaryDirectory()
        self.addCleanup(home.cleanup)
        self.folder = Path(home.name) / "switches"
        self.known = {0xAB: SEEN}
        self.kept = Recollections(self.folder, self.known.get, maybeDeferred)

    def write(self) -> list[Recollection]:
        """Write, and read what a later process would."""
        self.assertIsNone(self.successResultOf(self.kept.write()))
        return list(read_all(self.folder))

    def test_nothing_was_seen(self):
        """Before the first change there is nothing, and no folder is needed."""
        self.assertEqual([], self.write())

    def test_seen(self):
        """A switch is read as it was written."""
        self.kept.changed(0xAB)
        self.assertEqual([SEEN], self.write())

    def test_forgotten(self):
        """A switch that is known no longer is not read again."""
        self.kept.changed(0xAB)
        self.write()
        del self.known[0xAB]
        self.kept.changed(0xAB)
        self.assertEqual([], self.write())

    def test_damaged(self):
        """A file that is no recollection is left out, and the others are read."""
        self.kept.changed(0xAB)
        self.write()
        (self.folder / "00.json").write_bytes(b'{"datapath_id":')
        self.assertEqual([SEEN], list(read_all(self.folder)))

    def test_no_room(self):
        """What cannot be written is tried again the next time."""
        self.folder.write_text("a file where the folder should be")
        self.kept.changed(0xAB)
        self.assertEqual([], self.write())
        self.folder.unlink()
        self.assertEqual([SEEN], self.write())
        self.assertEqual([], self.flushLoggedErrors())
