# SPDX-License-Identifier: Apache-2.0
"""Where SQLite, PostgreSQL and MariaDB write the same wish differently. Everything else is common SQL.

Statements only: nothing here is executed.
"""

from sqlalchemy import ColumnElement, Delete, Insert, Table, delete, select, tuple_
from sqlalchemy.dialects import mysql, postgresql, sqlite


def upsert(table: Table, dialect: str) -> Insert:
    """Insert rows, or replace all columns of those whose primary key is there."""
    values = [column.name for column in table.columns if not column.primary_key]
    if dialect == "mysql":
        new = mysql.insert(table)
        changed = values or [column.name for column in table.primary_key.columns]  # by itself: nothing changes
        return new.on_duplicate_key_update({name: new.inserted[name] for name in changed})
    insert = postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)
    if not values:
        return insert.on_conflict_do_nothing()
    return insert.on_conflict_do_update(
        index_elements=list(table.primary_key.columns), set_={name: insert.excluded[name] for name in values}
    )


def delete_some(table: Table, condition: ColumnElement[bool], limit: int, dialect: str) -> Delete:
    """Delete at most `limit` of the rows that meet the condition."""
    if dialect == "mysql":
        return delete(table).where(condition).with_dialect_options(mysql_limit=limit)
    key = list(table.primary_key.columns)
    return delete(table).where(tuple_(*key).in_(select(*key).where(condition).limit(limit)))
