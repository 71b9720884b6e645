# SPDX-License-Identifier: Apache-2.0
"""The way of a database through versions: up, down, twice at once, and never past what this version knows."""

import asyncio
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, inspect, text

from wigwag.adapters.storage.engine import Database, parse
from wigwag.adapters.storage.migrate import migrate
from wigwag.adapters.storage.schema import metadata
from wigwag.adapters.storage.stores import open_stores
from wigwag.domain.errors import StoreUnavailable

VERSIONS = "alembic_version"


def differences(connection: Connection) -> list[Any]:
    return list(compare_metadata(MigrationContext.configure(connection), metadata))


def tables(connection: Connection) -> set[str]:
    return set(inspect(connection).get_table_names())


@pytest.fixture
async def database(database_url: str) -> Any:
    database = Database(parse(database_url), patience=30.0)
    yield database
    await database.close()


async def test_migrations_make_exactly_the_tables_of_the_schema(database: Database) -> None:
    await migrate(database)
    async with database.reading() as connection:
        assert await connection.run_sync(differences) == []
        assert await connection.run_sync(tables) == {VERSIONS, *metadata.tables}


async def test_the_way_down_leaves_nothing_and_the_way_up_is_open_again(database: Database) -> None:
    for _ in range(2):
        await migrate(database)
        await migrate(database, "base")
        async with database.reading() as connection:
            assert await connection.run_sync(tables) == {VERSIONS}


async def test_a_migration_that_was_interrupted_is_finished_by_the_next_start(database: Database) -> None:
    """MariaDB cannot take back the tables that were made before the crash."""
    await migrate(database)
    async with database.writing() as connection:
        for statement in (f"DELETE FROM {VERSIONS}", "DROP TABLE life", "DROP TABLE intervals"):
            await connection.execute(text(statement))
    await migrate(database)
    async with database.reading() as connection:
        assert await connection.run_sync(differences) == []


async def test_several_starts_at_once_are_safe(database_url: str) -> None:
    """Each has its own connections, as separate processes would."""
    async with asyncio.TaskGroup() as tasks:
        starts = [tasks.create_task(open_stores(database_url, patience=30.0)) for _ in range(5)]
    for start in starts:
        stores = start.result()
        await stores.accounts.choose("pace", "careful")
        await stores.close()


async def test_what_is_kept_outlives_a_start(database_url: str) -> None:
    for kept in ({}, {"pace": "careful"}):
        stores = await open_stores(database_url, patience=30.0)
        assert await stores.accounts.choices() == kept
        await stores.accounts.choose("pace", "careful")
        await stores.close()


async def test_a_database_of_a_newer_version_is_left_alone(database: Database, database_url: str) -> None:
    await migrate(database)
    async with database.writing() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreUnavailable, match="newer"):
        await open_stores(database_url, patience=30.0)
