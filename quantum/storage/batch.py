# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
Record a batch of writes in one transaction.

These functions run in the database's thread: they touch neither the catalogue
nor the reactor.  A batch goes the fast way, equal statements together; if
anything fails, it goes again with each write in a savepoint of its own, so that
only the bad one is refused.
"""

from collections.abc import Iterator, Sequence
from itertools import groupby

from attrs import frozen
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, SQLAlchemyError

from quantum.errors import QuantumError, RecordFailed
from quantum.storage.database import Database, DatabaseGone, advice
from quantum.storage.write import Evidence, Step, Write

ROUNDS = 3
"""How often a batch starts anew, each time without one write that broke it."""

Failures = list[QuantumError | None]
"""For each write, why it was not recorded, or None if it was."""

# What one write's own values can cause; anything else is the database's trouble.
# (The drivers raise ValueError and the like for text they cannot encode.)
_OWN_FAULT = (IntegrityError, DataError, ValueError, OverflowError)


@frozen
class Undecided(Exception):
    """Nobody can tell at present whether what has not failed was committed."""

    reason: str
    failures: Failures


class _Overtaken(Exception):
    """A statement changed fewer rows than it had to."""


@frozen
class _Broken(Exception):
    """The transaction is lost, and the write at ``index`` was the last to be tried."""

    index: int
    reason: str


class _CommitFailed(Exception):
    """COMMIT failed, which does not say that nothing was committed."""


def apply_batch(database: Database, writes: Sequence[Write]) -> Failures:
    """
    Record all of the writes that can be recorded.

    :raise Undecided: The database was lost while committing: ask `settle`.
    """
    try:
        return _record(database, writes)
    except (SQLAlchemyError, DatabaseGone) as problem:
        return [RecordFailed(advice(problem)) for _ in writes]


def settle(
    database: Database,
    writes: Sequence[Write],
    failures: Failures,
    reason: str = "the database was lost while it committed",
) -> Failures:
    """
    Find out by reading whether a batch was committed; ``reason`` is why, if not.

    :raise Undecided: The database cannot be read either.
    """
    accepted = [w for w, failure in zip(writes, failures, strict=True) if not failure]
    try:
        database.check()
        with database.engine.connect() as connection:
            is_committed = all(_holds(connection, e) for e in _standing(accepted))
    except (SQLAlchemyError, DatabaseGone) as problem:
        raise Undecided(advice(problem), failures) from None
    if is_committed:
        return failures
    return [failure or RecordFailed(reason) for failure in failures]


def _record(database: Database, writes: Sequence[Write]) -> Failures:
    """Try the fast way, then the careful way."""
    failures: Failures = [None] * len(writes)
    # A new connection would make a missing file anew, and empty.
    database.check()
    try:
        with database.engine.connect() as connection:
            connection.begin()
            try:
                _run_merged(connection, writes)
            except (SQLAlchemyError, _Overtaken, *_OWN_FAULT):
                connection.rollback()
                failures = _run_singly(connection, writes)
            _commit(database, connection)
    except _CommitFailed as failed:
        # Only now is the connection closed, and with it what is left of the
        # transaction: a fresh one shows what is committed.
        return settle(database, writes, failures, str(failed))
    return failures


def _commit(database: Database, connection: Connection) -> None:
    """Commit, and tell a failure here from every other."""
    database.check()
    try:
        connection.commit()
    except DBAPIError as problem:
        _abandon(connection)
        raise _CommitFailed(advice(problem)) from problem


def _abandon(connection: Connection) -> None:
    """End a transaction that SQLAlchemy takes for over since its COMMIT failed."""
    if not connection.invalidated:
        try:
            connection.connection.rollback()
        except connection.dialect.loaded_dbapi.Error:
            connection.invalidate()


def _run_merged(connection: Connection, writes: Sequence[Write]) -> None:
    """Execute everything, runs of the same statement at once."""
    steps = (step for write in writes for step in write.steps())
    for _, group in groupby(steps, key=lambda step: id(step.statement)):
        run = list(group)
        _execute(connection, run)


def _execute(connection: Connection, run: Sequence[Step]) -> None:
    """Execute one statement for each of its steps' parameters."""
    parameters = [step.parameters for step in run]
    first = run[0]
    result = connection.execute(
        first.statement, parameters if len(run) > 1 else parameters[0]
    )
    if first.rows is not None and result.rowcount != first.rows * len(run):
        raise _Overtaken


def _run_singly(connection: Connection, writes: Sequence[Write]) -> Failures:
    """Execute each write in a savepoint, starting anew without what broke it all."""
    failures: Failures = [None] * len(writes)
    for _ in range(ROUNDS):
        connection.begin()
        try:
            return _run_in_savepoints(connection, writes, list(failures))
        except _Broken as broken:
            connection.rollback()
            failures[broken.index] = RecordFailed(broken.reason)
            reason = broken.reason
    return [failure or RecordFailed(reason) for failure in failures]


def _run_in_savepoints(
    connection: Connection, writes: Sequence[Write], failures: Failures
) -> Failures:
    """Execute each write that has not failed yet in a savepoint of its own."""
    for index, write in enumerate(writes):
        if failures[index] is None:
            try:
                failures[index] = _run_one(connection, write)
            except SQLAlchemyError as problem:
                # The database may have rolled back more than the savepoint.
                raise _Broken(index, advice(problem)) from None
    return failures


def _run_one(connection: Connection, write: Write) -> QuantumError | None:
    """Execute one write, or nothing of it."""
    savepoint = connection.begin_nested()
    try:
        for step in write.steps():
            _execute(connection, [step])
    except IntegrityError:
        savepoint.rollback()
        return write.conflict()
    except _Overtaken:
        savepoint.rollback()
        return write.overtaken()
    except _OWN_FAULT as problem:
        savepoint.rollback()
        return RecordFailed(str(problem))
    savepoint.commit()
    return None


def _standing(writes: Sequence[Write]) -> Iterator[Evidence]:
    """Keep the evidence that no later write has made void."""
    standing: dict[tuple[str, ...], Evidence] = {}
    for write in writes:
        latest = write.evidence()
        width = len(latest.path)
        for path in [path for path in standing if path[:width] == latest.path]:
            del standing[path]
        standing[latest.path] = latest
    yield from standing.values()


def _holds(connection: Connection, evidence: Evidence) -> bool:
    """Say whether the database shows what a committed write would show."""
    row = connection.execute(evidence.query).first()
    return (None if row is None else tuple(row)) == evidence.expected
