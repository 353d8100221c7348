# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""When very many switches come at once they are put right a few at a time."""

from twisted.trial.unittest import SynchronousTestCase

from quantum.model import OpStatus
from quantum.openflow.phase import Phase
from quantum.plugins.openvswitch.admission import PATIENCE, PLACES
from tests.openflow.table import Table

from .site import Site, tap
from .world import Line

STORM = range(1, 3 * PLACES + 1)


class AdmissionTests(SynchronousTestCase):
    """Three times as many switches as there are places."""

    def setUp(self) -> None:
        """Let all of them be told of, and connect, and answer slowly."""
        self.site = Site()
        self.lines = {}
        for number in STORM:
            self.site.sync(number)
            self.lines[number] = Line(number, self.site.fabric, Table(), False)
            self.lines[number].join()

    def admitted(self) -> list[int]:
        """Say which switches are admitted."""
        session = self.site.fabric.session
        return [number for number in STORM if session(number).is_admitted]

    def finish(self, number: int) -> None:
        """Let a switch answer everything."""
        while self.lines[number].move():
            pass

    def is_settled(self, number: int) -> bool:
        """Say whether a switch is put right."""
        return self.site.fabric.session(number).phase is Phase.SETTLED

    def test_places(self) -> None:
        """There are so many places."""
        self.assertEqual(PLACES, len(self.admitted()))

    def test_order(self) -> None:
        """Those who wait are not admitted in the order in which they came."""
        order = self.admitted()
        for _ in STORM[PLACES:]:
            self.finish(next(n for n in order if not self.is_settled(n)))
            order += [number for number in self.admitted() if number not in order]
        self.assertEqual(list(STORM), sorted(order))
        self.assertNotEqual(list(STORM), order)

    def test_settled(self) -> None:
        """A switch that has settled makes room for another."""
        self.finish(self.admitted()[0])
        self.assertEqual(PLACES + 1, len(self.admitted()))

    def test_gone(self) -> None:
        """So does one that leaves; and one that waits may leave."""
        before = self.admitted()
        self.lines[before[0]].close()
        waiting = next(n for n in STORM if n not in self.admitted())
        self.lines[waiting].close()
        self.assertEqual(PLACES, len(self.admitted()))
        self.assertNotEqual(before, self.admitted())

    def test_slow(self) -> None:
        """One that does not settle holds its place for a few seconds only."""
        self.site.clock.advance(PATIENCE)
        self.site.rounds()
        self.assertEqual(2 * PLACES, len(self.admitted()))

    def test_changed_while_it_waits(self) -> None:
        """What changes meanwhile is done when its turn comes."""
        waiting = next(n for n in STORM if n not in self.admitted())
        port = self.site.port("a")
        self.site.change(waiting, tap("a", 4))
        status = self.site.look(port).status
        self.assertIs(OpStatus.PROVISIONING, status.op_status)
        for number in STORM:
            self.lines[number].is_prompt = True
            self.finish(number)
        self.assertIs(OpStatus.UP, self.site.look(port).status.op_status)

    def test_told_of_late(self) -> None:
        """A switch that waits for its interfaces takes nobody's place."""
        site = Site()
        for number in STORM:
            Line(number, site.fabric, Table(), False).join()
        late = STORM[-1]
        site.sync(late)
        self.assertTrue(site.fabric.session(late).is_admitted)
