# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""A database that fails altogether: nothing is lost, and nothing pretended."""

from pathlib import Path

from sqlalchemy import create_engine

from quantum.errors import RecordFailed
from quantum.model import Vlan
from quantum.storage.database import file_url
from tests.storage.means import Bench
from tests.storage.trouble import ACTIVE, WriterCase


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

    def test_locked_by_another_program(self) -> None:
        """A program that locks the file for too long costs writes, not reads."""
        url = file_url(self.mktemp())
        bench = Bench(url + "?timeout=0")
        self.addCleanup(bench.stop)
        other = create_engine(url, isolation_level="AUTOCOMMIT")
        self.addCleanup(other.dispose)
        with other.connect() as connection:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            made = bench.plugin.create_network("t", "red")
            bench.pass_time()
            refused = self.failureResultOf(made, RecordFailed).value
            self.assertIn("end that program", refused.reason)
            self.assertEqual([], bench.plugin.networks("t"))
            connection.exec_driver_sql("ROLLBACK")
        made = bench.plugin.create_network("t", "red")
        bench.pass_time()
        self.successResultOf(made)

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
            self.plugin.bind_vlan("id-1", "lab", 5),
            self.plugin.create_network("t", "red"),
            self.bench.ledger.remember_switch("aa"),
            self.bench.ledger.remember_switch("bb"),
            self.bench.ledger.forget_switch("aa"),
        ]
        self.bench.pass_time()
        for answer in answers:
            self.successResultOf(answer)
        self.assertEqual(self.rows(), self.readable())
        self.assertEqual(Vlan("lab", 5), self.plugin.network(*where).vlan)
        self.assertEqual(frozenset({"bb"}), self.bench.ledger.known_switches())

    def test_commit_of_a_bind_was_lost(self) -> None:
        """A VLAN is taken if that was recorded, even so, and free if it was not."""
        for way, vlan in (("fail_commits", None), ("lose_commits", Vlan("lab", 5))):
            setattr(self.trouble, way, 1)
            answer = self.plugin.bind_vlan("id-1", "lab", 5)
            self.bench.pass_time()
            if vlan is None:
                self.failureResultOf(answer, RecordFailed)
            else:
                self.assertEqual(vlan, self.successResultOf(answer).vlan)
            self.assertEqual(vlan, self.plugin.any_network("id-1").vlan)

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
