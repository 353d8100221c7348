# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
Where one kind of database differs from another.

SQLite needs to be told how careful to be, and that it has one master; that is
here and nowhere else.  Everything above speaks SQLAlchemy Core.
"""

import fcntl
import os
from collections.abc import Callable
from pathlib import Path

from attrs import define, field, frozen
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import URL, Connection, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.pool import StaticPool

from quantum.errors import QuantumError

BUSY_TIMEOUT = 5.0
"""Seconds to wait for another program that reads or copies the database."""

_ADVICE = {
    "SQLITE_BUSY": "another program keeps it locked: end that program",
    "SQLITE_CANTOPEN": "check that it is a file, and who may read and write it",
    "SQLITE_CORRUPT": "it is damaged: restore a backup",
    "SQLITE_FULL": "the disk is full: make room",
    "SQLITE_IOERR": "the disk does not answer: look into the system's log",
    "SQLITE_NOTADB": "it is not an SQLite database: choose another [database] url",
    "SQLITE_READONLY": "it is read-only: let the daemon's user write it",
}


@frozen
class DatabaseUnusable(QuantumError):
    """The database cannot be worked with; ``advice`` says what to change."""

    url: str
    advice: str

    def __str__(self) -> str:
        return f"the database {self.url} cannot be used: {self.advice}"


class DatabaseGone(Exception):
    """The database's file is no longer where it was opened."""


@define
class Database:
    """An open database of which this process is the only writer."""

    engine: Engine
    check: Callable[[], None]
    """
    Look whether what is committed now would still be found after a restart.

    :raise DatabaseGone: It would not.
    """
    _lock: int | None = field(default=None, alias="lock")

    @classmethod
    def open(cls, url: str) -> "Database":
        """
        Open a database and lock out other daemons.

        :raise DatabaseUnusable: It cannot be had, or another daemon has it.
        """
        try:
            parsed = make_url(url)
            if parsed.get_backend_name() == "sqlite":
                return _open_sqlite(parsed)
            return cls(create_engine(parsed, pool_size=1, max_overflow=0), _no_check)
        except ArgumentError:
            # It may hold a password, so it is not shown whole.
            shown = url.partition(":")[0]
            raise DatabaseUnusable(shown, "its url cannot be understood") from None
        except (NoSuchModuleError, ModuleNotFoundError) as problem:
            shown = url.partition(":")[0]
            raise DatabaseUnusable(shown, f"it needs a driver: {problem}") from None

    def hang_up(self) -> None:
        """
        Close every connection until the next use, so that the process may fork.

        The lock is shared with the child, and ends with the last of the two.
        """
        if not isinstance(self.engine.pool, StaticPool):
            self.engine.dispose()

    def close(self) -> None:
        """Close every connection, then let another daemon in; twice is as once."""
        self.engine.dispose()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def file_url(path: str) -> str:
    """Name an SQLite file, whatever characters its path has."""
    absolute = str(Path(path).absolute())
    return URL.create("sqlite", database=absolute).render_as_string()


def advice(problem: Exception) -> str:
    """Say what went wrong with a database, and if possible what to do about it."""
    original = getattr(problem, "orig", None) or problem
    name = getattr(original, "sqlite_errorname", "")
    known = next((text for key, text in _ADVICE.items() if name.startswith(key)), "")
    return f"{known} ({original})" if known else str(original)


def _no_check() -> None:
    """Trust a database server to know where its files are."""


def _open_sqlite(url: URL) -> Database:
    """Open a file of SQLite's, or a database in memory."""
    if url.database in {None, "", ":memory:"}:
        engine = create_engine(url, poolclass=StaticPool)
        _tune(engine)
        return Database(engine, _no_check)
    path = Path(str(url.database).removeprefix("file:")).absolute()
    lock = _lock_beside(path, url.render_as_string())
    # The writer's thread uses connections that this thread may have opened.
    options: dict[str, object] = {"check_same_thread": False}
    if "timeout" not in url.query:
        options["timeout"] = BUSY_TIMEOUT
    engine = create_engine(url, pool_size=1, max_overflow=0, connect_args=options)
    _tune(engine)
    try:
        with engine.connect() as connection:
            # Never committed; only a write tells whether writing is possible.
            connection.exec_driver_sql("CREATE TABLE quantum_looks_around (x)")
        inode = path.stat().st_ino
    except (SQLAlchemyError, OSError) as problem:
        engine.dispose()
        os.close(lock)
        raise DatabaseUnusable(url.render_as_string(), advice(problem)) from None
    return Database(engine, lambda: _check_file(path, inode), lock)


def _tune(engine: Engine) -> None:
    """Make SQLite durable at every commit, and transactions begin when we say so."""

    @event.listens_for(engine, "connect")
    def connected(connection: object, _record: object) -> None:
        # Otherwise the driver begins transactions by itself, and not at savepoints.
        connection.isolation_level = None  # type: ignore[attr-defined]
        cursor = connection.cursor()  # type: ignore[attr-defined]
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begun(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def _lock_beside(path: Path, url: str) -> int:
    """Lock ``<database>.lock``; the lock ends with the process, however it ends."""
    name = path.with_name(path.name + ".lock")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o750)
        lock = os.open(name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    except OSError as problem:
        raise DatabaseUnusable(url, f"cannot lock it: {problem}") from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        raise DatabaseUnusable(
            url,
            f"another daemon has it (fuser {name} tells which): stop that one, or"
            " give this one its own [daemon] state_dir or [database] url",
        ) from None
    return lock


def _check_file(path: Path, inode: int) -> None:
    """Refuse to write into a file that was deleted, moved or replaced."""
    try:
        if path.stat().st_ino == inode:
            return
    except OSError as problem:
        raise DatabaseGone(str(problem)) from None
    raise DatabaseGone(f"{path} was replaced by another file")
