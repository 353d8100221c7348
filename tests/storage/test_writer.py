# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""Group commit: what shares a transaction, what fails alone, what is refused."""

import sqlite3
from collections import Counter
from pathlib import Path

from attrs import define, field
from sqlalchemy import event, select
from sqlalchemy.exc import OperationalError
from twisted.trial.unittest import SynchronousTestCase

from quantum.errors import AlreadyAttached, NetworkInUse, Overloaded, RecordFailed
from quantum.model import AdminState, NetworkCreated
from quantum.storage.database import file_url
from quantum.storage.schema import ports
from tests.storage.means import Bench

ACTIVE = AdminState.ACTIVE


@define
class Trouble:
    """Makes chosen calls of the database fail, and counts all of them."""

    fails: object = lambda number, statement, parameters: False
    calls: list = field(init=False, factory=list)
    lose_commits: int = field(init=False, default=0)
    fail_commits: int = field(init=False, default=0)
    is_deaf: bool = field(init=False, default=False)

    def attend(self, database) -> None:
        """Listen to a database."""
        event.listen(database.engine, "before_cursor_execute", self.executing)
        event.listen(database.engine, "commit", self.committing)
        event.listen(database.engine, "savepoint", self.saving)

    def executing(self, _conn, _cursor, statement, parameters, _context, _many) -> None:
        self.calls.append(statement)
        if self.is_deaf or self.fails(len(self.calls), statement, parameters):
            raise broken(statement)

    def saving(self, _connection, _name) -> None:
        self.calls.append("SAVEPOINT")
        if self.fails(len(self.calls), "SAVEPOINT", ()):
            raise broken("SAVEPOINT")

    def committing(self, connection) -> None:
        self.calls.append("COMMIT")
        if self.lose_commits:
            self.lose_commits -= 1
            connection.connection.commit()
            raise broken("COMMIT")
        if self.fail_commits or self.fails(len(self.calls), "COMMIT", ()):
            self.fail_commits = 0
            raise broken("COMMIT")

    def count(self, word) -> int:
        """Count the calls that begin with a word."""
        return Counter(call.split()[0] for call in self.calls)[word]


def broken(statement) -> OperationalError:
    """Make the error of a database that is gone."""
    return OperationalError(statement, None, sqlite3.OperationalError("it is gone"))


class WriterCase(SynchronousTestCase):
    """A ledger whose database can be troubled, with one network in it."""

    def setUp(self) -> None:
        """Have a network, and no calls counted."""
        self.trouble = Trouble()
        self.bench = Bench(prepare=self.trouble.attend, queue_limit=50)
        self.addCleanup(self.bench.stop)
        self.plugin = self.bench.plugin
        self.plugin.create_network("t", "blue")
        self.bench.pass_time()
        self.trouble.calls.clear()
        self.bench.changes.clear()

    def a_port(self, attachment=None) -> str:
        made = self.plugin.create_port("t", "id-1", ACTIVE)
        self.bench.pass_time()
        port_id = self.successResultOf(made).id
        if attachment:
            self.plugin.plug("t", "id-1", port_id, attachment)
            self.bench.pass_time()
        return port_id

    def rows(self):
        with self.bench.database.engine.connect() as connection:
            return {tuple(row) for row in connection.execute(select(ports))}

    def readable(self):
        return {
            (p.id, p.network_id, p.admin_state.value, p.attachment)
            for p in self.plugin.ports("t", "id-1")
        }


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


class OutageTests(WriterCase):
    """A database that fails altogether, for a while."""

    def test_unusable(self) -> None:
        """Reads go on, writes fail with a reason, until the database works again."""
        port_id = self.a_port()
        self.trouble.is_deaf = True
        made = self.plugin.create_port("t", "id-1", ACTIVE)
        self.bench.pass_time()
        reason = self.failureResultOf(made, RecordFailed).value.reason
        self.assertIn("it is gone", reason)
        self.assertEqual([port_id], [p.id for p in self.plugin.ports("t", "id-1")])
        self.trouble.is_deaf = False
        self.a_port()
        self.assertEqual(self.rows(), self.readable())

    def test_disk_full(self) -> None:
        """A full disk refuses writes and loses nothing."""
        with self.bench.database.engine.connect() as connection:
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
            connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
        made = [self.plugin.create_port("t", "id-1", ACTIVE) for _ in range(50)]
        for _ in range(10):
            self.bench.pass_time()
            made += [self.plugin.create_port("t", "id-1", ACTIVE) for _ in range(50)]
        self.bench.pass_time()
        failed = []
        for answer in made:
            answer.addErrback(failed.append)
        self.assertTrue(failed)
        self.assertIn("make room", failed[-1].value.reason)
        self.assertEqual(self.rows(), self.readable())
        self.assertEqual(len(made) - len(failed), len(self.rows()))

    def test_commit_was_lost_but_done(self) -> None:
        """When the database is lost inside COMMIT, what was recorded is answered."""
        port_id = self.a_port()
        self.trouble.lose_commits = 1
        where = ("t", "id-1")
        answers = [
            self.plugin.create_port(*where, ACTIVE),
            self.plugin.plug(*where, port_id, "vif-1"),
            self.plugin.unplug(*where, port_id),
            self.plugin.delete_port(*where, port_id),
            self.plugin.create_network("t", "red"),
            self.bench.ledger.remember_switch("aa"),
        ]
        self.bench.pass_time()
        for answer in answers:
            self.successResultOf(answer)
        self.assertEqual(self.rows(), self.readable())

    def test_commit_was_lost_and_not_done(self) -> None:
        """When nothing was recorded, nothing is answered as if it were."""
        self.trouble.fail_commits = 1
        made = self.plugin.create_port("t", "id-1", ACTIVE)
        self.bench.pass_time()
        self.failureResultOf(made, RecordFailed)
        self.assertEqual(set(), self.rows())
        self.assertEqual(set(), self.readable())

    def test_nobody_can_tell(self) -> None:
        """What may have been recorded is not answered before it can be looked up."""
        self.trouble.lose_commits = 1
        self.trouble.fails = lambda _n, statement, _p: statement.startswith("SELECT")
        made = self.plugin.create_port("t", "id-1", ACTIVE)
        self.bench.pass_time()
        self.bench.pass_time(1)
        self.assertNoResult(made)
        with self.assertRaises(RecordFailed):
            self.plugin.create_port("t", "id-1", ACTIVE)
        self.trouble.fails = lambda *_: False
        self.bench.pass_time(1)
        self.successResultOf(made)
        self.assertEqual(self.rows(), self.readable())
        self.a_port()

    def test_nobody_can_tell_and_the_daemon_ends(self) -> None:
        """The daemon ends even so, and says what it does not know."""
        self.trouble.fail_commits = 1
        self.trouble.fails = lambda _n, statement, _p: statement.startswith("SELECT")
        made = self.plugin.create_port("t", "id-1", ACTIVE)
        self.bench.pass_time()
        self.successResultOf(self.bench.stop())
        reason = self.failureResultOf(made, RecordFailed).value.reason
        self.assertIn("nobody can tell", reason)

    def test_file_is_deleted(self) -> None:
        """Nothing is acknowledged that would be gone after a restart."""
        path = Path(self.mktemp()).absolute()
        bench = Bench(file_url(path))
        self.addCleanup(bench.stop)
        away = path.with_name("away")
        path.rename(away)
        made = bench.plugin.create_network("t", "red")
        bench.pass_time()
        self.failureResultOf(made, RecordFailed)
        self.assertFalse(path.exists())
        away.rename(path)
        made = bench.plugin.create_network("t", "red")
        bench.pass_time()
        self.successResultOf(made)


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
