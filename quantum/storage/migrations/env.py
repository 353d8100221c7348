# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
Run by Alembic: bring the schema up to date over a connection it is given.

There is no ``alembic.ini``: `quantum.storage.upgrade` makes the configuration.
"""

from alembic import context

from quantum.storage.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
