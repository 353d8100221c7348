# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""What was seen last survives the process that saw it."""

from pathlib import Path
from tempfile import TemporaryDirectory

from twisted.internet.defer import maybeDeferred
from twisted.trial.unittest import SynchronousTestCase

from quantum.openflow.facts import SeenInterface, Underlay
from quantum.openflow.session import Session
from quantum.plugins.openvswitch.recollection import (
    Recollection,
    Recollections,
    read_all,
    recollection,
)
from quantum.plugins.openvswitch.switch import Switch

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
        """Let something be seen; there is no folder yet."""
        home = TemporaryDirectory()
        self.addCleanup(home.cleanup)
        self.folder = Path(home.name) / "switches"
        self.switch = Switch(SEEN.datapath_id, Session(lambda _: None))
        self.switch.hypervisor, self.switch.underlay = SEEN.hypervisor, SEEN.underlay
        self.switch.is_watched = True
        for interface in SEEN.interfaces:
            self.switch.put(interface)
        self.switches = {0xAB: self.switch, 0xCD: Switch(0xCD, self.switch.session)}
        self.written = []
        self.kept = Recollections(self.folder, self.switches, self.in_thread)

    def in_thread(self, work, path, *words):
        """Do something at once, and take note of it."""
        self.written.append(path.name)
        return maybeDeferred(work, path, *words)

    def write(self) -> list[Recollection]:
        """Write, and read what a later process would."""
        self.assertIsNone(self.successResultOf(self.kept.write()))
        return list(read_all(self.folder))

    def test_nothing_was_seen(self):
        """Before anything was seen there is nothing, and no folder is needed."""
        self.switches.clear()
        self.assertEqual([], self.write())

    def test_seen(self):
        """A switch is read as it was seen; one that is no hypervisor's is not."""
        self.assertEqual([SEEN], self.write())

    def test_left_over(self):
        """A file goes with its switch, also one that an earlier process wrote."""
        self.write()
        later = Recollections(self.folder, {}, self.in_thread)
        later.forget(0xAB)
        self.assertIsNone(self.successResultOf(later.write()))
        self.assertEqual([], list(read_all(self.folder)))

    def test_another_of_the_same_number(self):
        """A switch that takes another's place is written, however few its changes."""
        self.write()
        other = Switch(SEEN.datapath_id, self.switch.session, "hv2")
        other.edition = self.switch.edition
        self.switches[0xAB] = other
        self.kept.forget(0xAB)
        self.assertEqual([recollection(other)], self.write())

    def test_changed(self):
        """Only what has changed is written again."""
        self.write()
        self.assertEqual([SEEN], self.write())
        self.assertEqual(["00000000000000ab.json"], self.written)
        for change in (
            lambda: self.switch.drop("tap1"),
            lambda: self.switch.put(SEEN.interfaces[0]),
            lambda: setattr(self.switch, "underlay", Underlay()),
            lambda: setattr(self.switch, "hypervisor", "hv2"),
            lambda: self.switch.place("tap2", is_first=False),
            lambda: self.switch.place("tap2", is_first=True),
        ):
            self.written.clear()
            change()
            found = recollection(self.switch)
            self.assertEqual(([found], 1), (self.write(), len(self.written)))

    def test_placed_as_before(self):
        """That an interface is where it was is no reason to write."""
        self.switch.place("tap2", is_first=False)
        (found,) = self.write()
        self.assertEqual(("tap2",), found.later)
        self.written.clear()
        self.switch.place("tap2", is_first=False)
        self.switch.place("tap1", is_first=True)
        self.assertEqual(([found], []), (self.write(), self.written))

    def test_earlier_version(self):
        """What a version wrote that did not know the order is read."""
        self.write()
        (path,) = self.folder.iterdir()
        text = path.read_bytes()
        self.assertIn(b',"later":[]', text)
        path.write_bytes(text.replace(b',"later":[]', b""))
        self.assertEqual([SEEN], list(read_all(self.folder)))

    def test_forgotten(self):
        """A switch that no hypervisor has any more is not read again."""
        for forget in (
            lambda: setattr(self.switch, "hypervisor", ""),
            lambda: self.switches.pop(0xAB),
        ):
            self.switch.hypervisor = SEEN.hypervisor
            self.write()
            forget()
            self.assertEqual([], self.write())

    def test_damaged(self):
        """A file that is no recollection is left out, and the others are read."""
        self.write()
        (self.folder / "00.json").write_bytes(b'{"datapath_id":')
        self.assertEqual([SEEN], list(read_all(self.folder)))

    def test_no_room(self):
        """What cannot be written is tried again the next time."""
        self.folder.write_text("a file where the folder should be")
        self.assertEqual([], self.write())
        self.folder.unlink()
        self.assertEqual([SEEN], self.write())
