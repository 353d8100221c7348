# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""Group commit: what shares a transaction, what fails alone, what is refused."""

from quantum.errors import AlreadyAttached, NetworkInUse, Overloaded, RecordFailed
from quantum.model import AdminState, NetworkCreated
from quantum.storage.database import file_url
from quantum.storage.schema import ports
from tests.storage.means import Bench
from tests.storage.trouble import ACTIVE, WriterCase


class GroupCommitTests(WriterCase):
    """What shares a transaction."""

    def test_together(self) -> None:
        """Equal writes of one turn are one statement and one commit."""
        made = [self.plugin.create_port("t", "id-1", ACTIVE) for _ in range(20)]
        self.assertEqual([], self.plugin.ports("t", "id-1"))
        self.bench.pass_time()
        self.assertEqual(1, self.trouble.count("INSERT"))
        self.assertEqual(1, self.trouble.count("COMMIT"))
        self.assertEqual(20, len({self.successResultOf(d).id for d in made}))
        self.assertEqual(self.rows(), self.readable())

    def test_published_before_answered(self) -> None:
        """Whoever is answered finds the write in what is read and told."""
        seen = []
        made = self.plugin.create_network("t", "red")
        made.addCallback(
            lambda network: seen.append(
                (self.plugin.network("t", network.id), list(self.bench.changes))
            )
        )
        self.bench.pass_time()
        network = self.plugin.network("t", "id-2")
        self.assertEqual([(network, [NetworkCreated(network)])], seen)

    def test_asked_while_answered(self) -> None:
        """A write that is asked for when another is answered comes next."""
        made = self.plugin.create_port("t", "id-1", ACTIVE)
        made.addCallback(lambda _: self.plugin.create_port("t", "id-1", ACTIVE))
        self.bench.pass_time()
        self.successResultOf(made)
        self.assertEqual(2, self.trouble.count("COMMIT"))
        self.assertEqual(2, len(self.readable()))

    def test_nothing_to_do(self) -> None:
        """A write that changes nothing is answered without the database."""
        port_id = self.a_port()
        self.trouble.calls.clear()
        before = self.plugin.port("t", "id-1", port_id)
        self.bench.changes.clear()
        for answer in (
            self.plugin.unplug("t", "id-1", port_id),
            self.plugin.set_port_state("t", "id-1", port_id, ACTIVE),
            self.plugin.rename_network("t", "id-1", "blue"),
        ):
            self.successResultOf(answer)
        self.assertEqual([], self.trouble.calls)
        self.assertEqual([], self.bench.changes)
        self.assertEqual(before, self.plugin.port("t", "id-1", port_id))

    def test_listener_fails(self) -> None:
        """A listener that fails keeps nobody from being told or answered."""

        def listener(_changes):
            raise ZeroDivisionError

        self.bench.ledger.subscribe(listener)
        heard = []
        self.bench.ledger.subscribe(heard.extend)
        self.a_port()
        self.assertEqual(1, len(heard))
        self.assertEqual(1, len(self.flushLoggedErrors(ZeroDivisionError)))


class FailureTests(WriterCase):
    """What fails, and what does not fail with it."""

    def test_every_call_fails_once(self) -> None:
        """Whichever call fails, what is answered is what is recorded and read."""
        self.assertEqual(8, self.fail_each_call(also=0))

    def test_every_call_fails_after_another(self) -> None:
        """So it is when a call of the careful way fails, after one of the fast way."""
        self.assertGreater(self.fail_each_call(also=3), 20)

    def fail_each_call(self, also) -> int:
        ports = [self.a_port() for _ in range(3)]
        failing, calls = 0, 0
        while failing <= calls:
            failing += 1
            self.trouble.fails = lambda number, *_, n=failing: number in {n, also}
            calls = self.mixed_batch(*ports)
            ports = [self.a_port() for _ in range(3)]
        return failing

    def mixed_batch(self, first, second, third) -> int:
        """Send writes of every kind in one batch, and compare what came of it."""
        where = ("t", "id-1")
        self.trouble.calls.clear()
        answers = [
            self.plugin.plug(*where, first, f"vif-{first}"),
            self.plugin.set_port_state(*where, second, AdminState.DOWN),
            self.plugin.create_port(*where, ACTIVE),
            self.plugin.delete_port(*where, third),
            self.plugin.create_network("t", "red"),
        ]
        self.bench.pass_time()
        self.trouble.fails = lambda *_: False
        for answer in answers:
            answer.addErrback(lambda failure: failure.trap(RecordFailed) and None)
            self.successResultOf(answer)
        calls = len(self.trouble.calls)
        self.assertEqual(self.rows(), self.readable())
        return calls

    def test_one_bad_among_many(self) -> None:
        """Only the write that the database refuses is refused."""
        self.trouble.fails = lambda _n, _s, parameters: "id-5" in str(parameters)
        made = [self.plugin.create_port("t", "id-1", ACTIVE) for _ in range(6)]
        self.bench.pass_time()
        failed = made.pop(3)
        self.failureResultOf(failed, RecordFailed)
        for answer in made:
            self.successResultOf(answer)
        self.assertEqual(self.rows(), self.readable())
        self.assertEqual(5, len(self.rows()))

    def test_text_that_cannot_be_stored(self) -> None:
        """Text that the driver cannot encode fails alone."""
        bad = self.plugin.create_network("t", "\ud800")
        good = self.plugin.create_network("t", "red")
        self.bench.pass_time()
        self.failureResultOf(bad, RecordFailed)
        self.successResultOf(good)

    def test_constraint(self) -> None:
        """What only the database knows of is answered in the API's words."""
        first, second = self.a_port(), self.a_port()
        with self.bench.database.engine.begin() as connection:
            row = {"interface": "vif-1"}
            connection.execute(ports.update().where(ports.c.id == first), row)
        for refusal, verb, *words in (
            (AlreadyAttached, "plug", second, "vif-1"),
            (NetworkInUse, "delete_network"),
        ):
            refused = getattr(self.plugin, verb)("t", "id-1", *words)
            other = self.plugin.create_network("t", "red")
            self.bench.pass_time()
            self.failureResultOf(refused, refusal)
            self.successResultOf(other)

    def test_changed_behind_our_back(self) -> None:
        """A write whose row is no longer as it was changes nothing."""
        first, second = self.a_port(), self.a_port()
        with self.bench.database.engine.begin() as connection:
            connection.execute(ports.delete().where(ports.c.id == first))
        gone = self.plugin.plug("t", "id-1", first, "vif-1")
        good = self.plugin.plug("t", "id-1", second, "vif-2")
        self.bench.pass_time()
        self.failureResultOf(gone, RecordFailed)
        self.assertEqual("vif-2", self.successResultOf(good).attachment)

    def test_later_write_outlives_an_earlier_one(self) -> None:
        """When one of two changes of a port fails, the other is as it was asked."""
        port_id = self.a_port()
        self.trouble.fails = lambda _n, statement, _p: "admin_state=" in statement
        state = self.plugin.set_port_state("t", "id-1", port_id, AdminState.DOWN)
        plug = self.plugin.plug("t", "id-1", port_id, "vif-1")
        self.bench.pass_time()
        self.failureResultOf(state, RecordFailed)
        self.assertIs(ACTIVE, self.successResultOf(plug).admin_state)
        self.assertEqual(self.rows(), self.readable())


class QueueTests(WriterCase):
    """How much may wait, and what happens to it at the end."""

    def test_full(self) -> None:
        """Beyond its limit the queue refuses, with a time to come back."""
        made = [self.plugin.create_port("t", "id-1", ACTIVE) for _ in range(50)]
        with self.assertRaises(Overloaded) as caught:
            self.plugin.create_port("t", "id-1", ACTIVE)
        self.assertEqual(1, caught.exception.retry_after)
        self.bench.pass_time()
        for answer in made:
            self.successResultOf(answer)
        self.a_port()

    def test_drained(self) -> None:
        """What was accepted is recorded before the daemon ends."""
        path = self.mktemp()
        bench = Bench(file_url(path))
        made = bench.plugin.create_network("t", "red")
        stopped = bench.plugin.stopService()
        self.assertNoResult(stopped)
        with self.assertRaises(RecordFailed):
            bench.plugin.create_network("t", "late")
        bench.pass_time()
        self.successResultOf(made)
        self.successResultOf(stopped)
        again = Bench(file_url(path))
        self.addCleanup(again.stop)
        self.assertEqual(["red"], [n.name for n in again.plugin.networks("t")])
