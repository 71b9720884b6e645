# SPDX-License-Identifier: Apache-2.0
"""Alembic's entry: run the migrations on the connection, and in the transaction, that `migrate.py` hands over."""

from alembic import context

from wigwag.adapters.storage.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
