# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
Bring a database's schema up to date, or say why that cannot be.

Alembic is configured here, in memory: a daemon needs no ``alembic.ini`` and
works from any folder.
"""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect
from sqlalchemy.exc import SQLAlchemyError

from quantum.storage.database import Database, DatabaseUnusable, advice
from quantum.storage.schema import metadata


def upgrade(database: Database) -> None:
    """
    Bring the schema up to date.

    :raise DatabaseUnusable: The database was made by a newer Quantum or by
        another program, or cannot be written.
    """
    url = database.engine.url.render_as_string()
    script = ScriptDirectory(str(Path(__file__).parent / "migrations"))
    try:
        with database.engine.begin() as connection:
            present = MigrationContext.configure(connection).get_current_revision()
            if present == script.get_current_head():
                return
            _refuse_foreign(url, present, script, connection)
            command.upgrade(configuration(connection), "head")
    except SQLAlchemyError as problem:
        raise DatabaseUnusable(url, advice(problem)) from None


def _refuse_foreign(
    url: str, present: str | None, script: ScriptDirectory, connection: Connection
) -> None:
    """Raise unless the database is empty or of an earlier Quantum."""
    known = {revision.revision for revision in script.walk_revisions()}
    if present is not None and present not in known:
        raise DatabaseUnusable(
            url,
            f"a newer Quantum has changed its schema (to {present}): install that"
            " version again, or restore a backup made before it",
        )
    taken = set(inspect(connection).get_table_names()) & set(metadata.tables)
    if present is None and taken:
        raise DatabaseUnusable(
            url,
            f"another program made its tables ({', '.join(sorted(taken))}):"
            " choose another [database] url",
        )


def configuration(connection: Connection) -> Config:
    """Tell Alembic where the steps are and which connection to use."""
    config = Config()
    # A per cent sign would be taken for an interpolation.
    folder = str(Path(__file__).parent / "migrations").replace("%", "%%")
    config.set_main_option("script_location", folder)
    config.set_main_option("path_separator", "newline")
    config.attributes["connection"] = connection
    return config
