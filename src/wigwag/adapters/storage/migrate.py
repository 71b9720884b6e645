# SPDX-License-Identifier: Apache-2.0
"""Brings a database to the tables of this version, or back. Two starts at once are safe: the second one waits.

Migrations run inside one transaction where the database allows that (SQLite, PostgreSQL), so a crash leaves no half.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Connection, text

from wigwag.adapters.storage.engine import Database
from wigwag.domain.errors import StoreUnavailable

PATIENCE = 120.0  # seconds: another start may be at it, and large tables take their time
LOCK = 0x77696777  # "wigw": the number of our advisory lock in PostgreSQL
MARIADB_LOCK = "CONCAT('wigwag ', MD5(DATABASE()))"


async def migrate(database: Database, revision: str = "head") -> None:
    """Go up to a revision, or down to an older one (`base`: no tables).

    Raises:
        StoreUnavailable: the database does not answer, or a newer wigwag has been here.
    """
    async with database.writing(PATIENCE) as connection:
        await connection.run_sync(_migrate, revision)


def _migrate(connection: Connection, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.attributes["connection"] = connection
    with _alone(connection):
        try:
            command.downgrade(config, revision) if revision == "base" else command.upgrade(config, revision)
        except CommandError as error:
            raise StoreUnavailable(
                f"The database was made by another version of wigwag ({error}): start that version or a newer one."
            ) from error


@contextmanager
def _alone(connection: Connection) -> Iterator[None]:
    """Keep other starts out. SQLite and PostgreSQL let go at the end of the transaction, MariaDB when told to."""
    match connection.dialect.name:
        case "sqlite":
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        case "postgresql":
            connection.execute(text("SET LOCAL statement_timeout = 0"))
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
        case _:
            connection.execute(text(f"SELECT GET_LOCK({MARIADB_LOCK}, {PATIENCE:.0f})"))
    try:
        yield
    finally:
        if connection.dialect.name == "mysql":
            connection.execute(text(f"SELECT RELEASE_LOCK({MARIADB_LOCK})"))
