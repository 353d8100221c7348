# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""A ledger whose database fails on request."""

import sqlite3
from collections import Counter

from attrs import define, field
from sqlalchemy import event, select
from sqlalchemy.exc import OperationalError
from twisted.trial.unittest import SynchronousTestCase

from quantum.model import AdminState
from quantum.ranges import Ranges
from quantum.storage.schema import ports
from quantum.storage.segments import Pool
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
        lab = {"lab": Pool("VLANs of lab", Ranges(()))}
        self.bench = Bench(prepare=self.trouble.attend, queue_limit=50, vlan_pools=lab)
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
