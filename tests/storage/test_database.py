# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""Opening a database: its schema, its only master, and what can be wrong."""

import os
from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import create_engine, event, inspect, select, text
from twisted.trial.unittest import SynchronousTestCase

from quantum.model import AdminState
from quantum.storage.database import Database, DatabaseUnusable, file_url
from quantum.storage.schema import metadata, networks
from quantum.storage.upgrade import configuration, upgrade
from tests.storage.means import Bench


def record(bench):
    """List all that is recorded."""
    plugin, ledger = bench.plugin, bench.ledger
    found = [(n.id, n.name, n.segment_id, n.vlan) for n in plugin.networks("t")]
    switches = ledger.known_switches()
    return found, list(ledger.bindings()), ledger.quarantined_segments(), switches


class UpgradeTests(SynchronousTestCase):
    """Bringing the schema up to date."""

    def open(self, url="sqlite://") -> Database:
        database = Database.open(url)
        self.addCleanup(database.close)
        return database

    def test_from_empty(self) -> None:
        """An empty database gets exactly the tables that the code describes."""
        database = self.open()
        upgrade(database)
        with database.engine.connect() as connection:
            context = MigrationContext.configure(connection)
            self.assertEqual([], compare_metadata(context, metadata))

    def test_constraints(self) -> None:
        """The constraints that Alembic does not compare are there too."""
        migrated = self.open()
        upgrade(migrated)
        created = self.open()
        metadata.create_all(created.engine)
        for table in metadata.tables:
            one, other = inspect(migrated.engine), inspect(created.engine)
            self.assertEqual(
                other.get_check_constraints(table), one.get_check_constraints(table)
            )
            self.assertEqual(other.get_foreign_keys(table), one.get_foreign_keys(table))

    def test_again(self) -> None:
        """A database that is up to date stays as it is."""
        database = self.open(file_url(self.mktemp()))
        upgrade(database)
        with database.engine.begin() as connection:
            connection.execute(
                networks.insert(),
                {"id": "1", "tenant_id": "t", "name": "n", "segment_id": 1},
            )
        upgrade(database)
        with database.engine.connect() as connection:
            self.assertEqual(1, len(connection.execute(select(networks)).all()))

    def test_from_an_earlier_quantum(self) -> None:
        """What was recorded before there were VLANs is there afterwards, as it was."""
        url = file_url(self.mktemp())
        bench = Bench(url)
        for name in "ab":
            bench.plugin.create_network("t", name)
        bench.pass_time()
        bench.plugin.create_port("t", "id-1", AdminState.ACTIVE)
        bench.plugin.delete_network("t", "id-2")
        bench.pass_time()
        bench.plugin.plug("t", "id-1", "id-3", "vif-1")
        bench.ledger.remember_switch("00000000000000aa")
        bench.pass_time()
        before = record(bench)
        with bench.database.engine.begin() as connection:
            command.downgrade(configuration(connection), "0001")
            self.assertNotIn("vlans", inspect(connection).get_table_names())
        self.successResultOf(bench.stop())
        bench = Bench(url)
        self.addCleanup(bench.stop)
        self.assertEqual(before, record(bench))
        with bench.database.engine.connect() as connection:
            context = MigrationContext.configure(connection)
            self.assertEqual("0002", context.get_current_revision())
            self.assertEqual([], compare_metadata(context, metadata))

    def test_made_by_a_newer_quantum(self) -> None:
        """A schema from the future is refused, and left alone."""
        database = self.open()
        upgrade(database)
        with database.engine.begin() as connection:
            connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        with self.assertRaises(DatabaseUnusable) as caught:
            upgrade(database)
        self.assertIn("newer Quantum", str(caught.exception))
        self.assertIn("9999", str(caught.exception))

    def test_made_by_another_program(self) -> None:
        """Tables that are not ours are refused, and left alone."""
        database = self.open()
        with database.engine.begin() as connection:
            connection.execute(text("CREATE TABLE ports (number INTEGER)"))
        with self.assertRaises(DatabaseUnusable) as caught:
            upgrade(database)
        self.assertIn("another program made its tables (ports)", str(caught.exception))

    def test_disk_full(self) -> None:
        """A disk without room for the tables is reported as such."""
        database = self.open()
        with database.engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA max_page_count = 2")
        with self.assertRaises(DatabaseUnusable) as caught:
            upgrade(database)
        self.assertIn("make room", str(caught.exception))


class OpenTests(SynchronousTestCase):
    """Opening a database, or saying why not."""

    def setUp(self) -> None:
        """Have a folder."""
        self.folder = Path(self.mktemp()).absolute()
        self.folder.mkdir()
        self.path = self.folder / "quantum.db"

    def refusal(self, url) -> str:
        with self.assertRaises(DatabaseUnusable) as caught:
            Bench(url)
        return str(caught.exception)

    def test_careful(self) -> None:
        """SQLite is told to survive a loss of power, and to enforce references."""
        database = Database.open(file_url(self.path))
        self.addCleanup(database.close)
        with database.engine.connect() as connection:
            found = [
                connection.exec_driver_sql(f"PRAGMA {name}").scalar()
                for name in ("journal_mode", "synchronous", "foreign_keys")
            ]
        self.assertEqual(["wal", 2, 1], found)

    def test_folder_is_made(self) -> None:
        """A state directory that is not there yet is made, but not for strangers."""
        bench = Bench(file_url(self.folder / "a" / "b c%20d?" / "quantum.db"))
        self.addCleanup(bench.stop)
        mode = (self.folder / "a" / "b c%20d?").stat().st_mode
        self.assertEqual(0, mode & 0o007)

    def test_second_daemon(self) -> None:
        """Two daemons cannot have one file; when the first ends, the other may."""
        first = Bench(file_url(self.path))
        text = self.refusal(file_url(self.path))
        self.assertIn("another daemon has it", text)
        self.assertIn(f"fuser {self.path}.lock", text)
        self.successResultOf(first.stop())
        self.successResultOf(Bench(file_url(self.path)).stop())

    def test_lock_ends_with_its_process(self) -> None:
        """A daemon that was killed locks nobody out."""
        child = os.fork()
        if child == 0:
            Database.open(file_url(self.path))
            os._exit(9)
        os.waitpid(child, 0)
        self.successResultOf(Bench(file_url(self.path)).stop())

    def test_connections_end_before_a_fork(self) -> None:
        """Once loaded, no file of the database is open but its lock."""
        bench = Bench(file_url(self.path))
        self.addCleanup(bench.stop)
        opened = {str(fd.resolve()) for fd in Path("/proc/self/fd").iterdir()}
        ours = {name for name in opened if name.startswith(str(self.path))}
        self.assertEqual({f"{self.path}.lock"}, ours)

    def test_used_after_a_fork(self) -> None:
        """A daemon that forked writes as well, and still locks others out."""
        bench = Bench(file_url(self.path))
        child = os.fork()
        if child == 0:
            bench.plugin.create_network("tenant-a", "blue")
            bench.pass_time()
            os._exit(len(bench.plugin.networks("tenant-a")))
        self.assertEqual(1, os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        self.assertIn("another daemon", self.refusal(file_url(self.path)))
        self.successResultOf(bench.stop())
        again = Bench(file_url(self.path))
        self.addCleanup(again.stop)
        self.assertEqual(1, len(again.plugin.networks("tenant-a")))

    def test_not_a_database(self) -> None:
        """A file of something else is refused, and left alone."""
        self.path.write_bytes(b"Dear diary, " * 1000)
        self.assertIn("is not an SQLite database", self.refusal(file_url(self.path)))
        self.assertEqual(b"Dear diary, " * 1000, self.path.read_bytes())

    def test_folder_in_its_place(self) -> None:
        """A folder where the file should be is refused."""
        self.path.mkdir()
        self.assertIn("check that it is a file", self.refusal(file_url(self.path)))

    def test_folder_cannot_be_made(self) -> None:
        """A state directory that cannot be made is refused."""
        text = self.refusal("sqlite:////proc/nothing/quantum.db")
        self.assertIn("cannot lock it", text)

    def test_read_only(self) -> None:
        """A database that cannot be written is refused before anyone relies on it."""
        self.successResultOf(Bench(file_url(self.path)).stop())
        text = self.refusal(f"sqlite:///file:{self.path}?mode=ro&uri=true")
        self.assertIn("let the daemon's user write it", text)

    def test_damaged(self) -> None:
        """A damaged file is refused."""
        bench = Bench(file_url(self.path))
        bench.plugin.create_network("tenant-a", "blue")
        bench.pass_time()
        self.successResultOf(bench.stop())
        content = bytearray(self.path.read_bytes())
        content[4096:] = b"\xff" * (len(content) - 4096)
        self.path.write_bytes(content)
        self.assertIn("restore a backup", self.refusal(file_url(self.path)))

    def test_locked_by_another_program(self) -> None:
        """A program that is no daemon but keeps the file locked is reported."""
        other = create_engine(file_url(self.path), isolation_level="AUTOCOMMIT")
        self.addCleanup(other.dispose)
        with other.connect() as connection:
            connection.exec_driver_sql("PRAGMA journal_mode=WAL")
            connection.exec_driver_sql("BEGIN EXCLUSIVE")
            text = self.refusal(file_url(self.path) + "?timeout=0")
        self.assertIn("end that program", text)

    def test_unknown_kind(self) -> None:
        """A url that cannot be used is refused without showing its password."""
        for url in ("oracle-of-delphi://me:secret@there/x", "nonsense:secret"):
            text = self.refusal(url)
            self.assertIn("cannot be used", text)
            self.assertNotIn("secret", text)


class ReopenTests(SynchronousTestCase):
    """What is found again after a restart."""

    def test_everything(self) -> None:
        """Networks, ports, plugs, switches and quarantine survive; status does not."""
        url = file_url(self.mktemp())
        bench = Bench(url)
        plugin = bench.plugin
        plugin.create_network("tenant-a", "blue")
        plugin.create_network("tenant-b", "doomed")
        for name in ("00000000000000aa", "00000000000000bb"):
            bench.ledger.remember_switch(name)
        bench.pass_time()
        plugin.create_port("tenant-a", "id-1", AdminState.ACTIVE)
        plugin.create_port("tenant-a", "id-1", AdminState.DOWN)
        plugin.delete_network("tenant-b", "id-2")
        bench.pass_time()
        plugin.plug("tenant-a", "id-1", "id-3", "vif-1")
        plugin.plug("tenant-a", "id-1", "id-4", "vif-2")
        bench.ledger.forget_switch("00000000000000bb")
        bench.pass_time()
        self.assertEqual({"00000000000000aa"}, bench.ledger.known_switches())
        expected = self.everything(bench)
        self.successResultOf(bench.stop())

        again = Bench(url, new_id=lambda: "id-5")
        self.addCleanup(again.stop)
        self.assertEqual(expected, self.everything(again))
        again.plugin.create_network("tenant-a", "next")
        again.pass_time()
        segments = [n.segment_id for n in again.plugin.networks("tenant-a")]
        self.assertEqual([1, 3], segments)

    def everything(self, bench):
        plugin, ledger = bench.plugin, bench.ledger
        return (
            plugin.networks("tenant-a"),
            plugin.networks("tenant-b"),
            plugin.ports("tenant-a", "id-1"),
            sorted(ledger.bindings(), key=lambda binding: binding.attachment),
            ledger.known_switches(),
            ledger.quarantined_segments(),
        )

    def test_statements_are_few(self) -> None:
        """Reading never asks the database again."""
        asked = []
        bench = Bench(
            prepare=lambda database: event.listen(
                database.engine, "before_cursor_execute", lambda *a: asked.append(a[2])
            )
        )
        self.addCleanup(bench.stop)
        bench.plugin.create_network("tenant-a", "blue")
        bench.pass_time()
        asked.clear()
        bench.plugin.networks("tenant-a")
        bench.plugin.ports("tenant-a", "id-1")
        self.assertEqual([], asked)
